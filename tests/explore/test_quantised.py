"""Vectors in bytes: the range, the bound on the angle, the cosines and neighbours that come out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.explore import quantised
from cbow.explore.quantised import quantise
from cbow.vectors import WordVectors

MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 9), st.integers(1, 12)),
        elements=st.floats(-1000, 1000, width=32, allow_subnormal=False),
    )
)


def drawn(V, N, seed=1, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((V, N)).astype(dtype)


def unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def angles(one, other):
    """The angles between rows; by the distance, since the arc of a cosine near 1 is not precise."""
    return 2 * np.arcsin(np.minimum(1, np.linalg.norm(unit(one) - unit(other), axis=1) / 2))


def bound(rows):
    """The equation in the docstring of the module."""
    N = rows.shape[1]
    return np.arcsin(np.minimum(1, np.sqrt(N) * np.abs(unit(rows)).max(axis=1) / 254))


@given(MATRICES)
def test_no_angle_is_larger_than_the_bound(matrix):
    rows = matrix.astype(np.float64)
    rounded = quantise(matrix)
    assert rounded.dtype == np.int8
    assert rounded.shape == matrix.shape
    assert (angles(rows, rounded.astype(np.float64)) <= bound(rows) + 1e-12).all()


@given(MATRICES)
def test_the_largest_entry_is_127_in_size_and_every_sign_is_kept(matrix):
    rounded = quantise(matrix)
    largest = np.abs(rounded.astype(int)).max(axis=1)
    assert largest.tolist() == [127 if row.any() else 0 for row in matrix]
    assert (rounded * matrix >= 0).all()


@pytest.mark.parametrize("N", [1, 2, 50, 100, 300])
def test_a_cosine_is_wrong_by_the_two_angles_at_most(N):
    rows = drawn(60, N, seed=N)
    true, found = unit(rows.astype(float)), unit(quantise(rows).astype(float))
    allowed = np.add.outer(bound(rows), bound(rows))
    wrong = np.abs(true @ true.T - found @ found.T)
    assert (wrong <= allowed + 1e-12).all()
    assert wrong.max() > 0 or N == 1  # or the test would prove nothing


def test_rounding_is_to_the_nearest():
    row = np.array([[1.0, 0.5039, 0.5040, -0.0039, -0.0040]])
    assert quantise(row).tolist() == [[127, 64, 64, 0, -1]]


def test_a_row_of_zeros_has_no_direction():
    tiny = np.finfo(np.float32).tiny
    matrix = np.array([[0, 0], [tiny / 4, 0], [tiny, -tiny]], np.float32)
    assert quantise(matrix).tolist() == [[0, 0], [0, 0], [127, -127]]


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_very_short_and_very_long_rows(size):
    assert quantise(np.array([[size, -size / 2]])).tolist() == [[127, -64]]


def test_many_rows_are_done_in_pieces(monkeypatch):
    matrix = drawn(50, 7)
    whole = quantise(matrix)
    monkeypatch.setattr(quantised, "ROWS", 8)
    np.testing.assert_array_equal(quantise(matrix), whole)


def test_the_matrix_is_left_alone():
    matrix = drawn(5, 3)
    matrix.flags.writeable = False
    quantise(matrix)


def test_neighbours_are_nearly_always_the_same():
    matrix = drawn(2000, 100)
    words = [f"w{i}" for i in range(len(matrix))]
    rounded = WordVectors(words, quantise(matrix).astype(np.float32))
    exact = WordVectors(words, matrix)
    asked = [[word] for word in words[:200]]
    same = [
        len({word for word, _ in ours} & {word for word, _ in theirs})
        for ours, theirs in zip(rounded.most_similar(asked), exact.most_similar(asked), strict=True)
    ]
    assert np.mean(same) > 9.6  # of 10
