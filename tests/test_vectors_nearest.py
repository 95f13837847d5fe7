"""Cosines and the selection of the largest."""

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.vectors import nearest

SCORES = arrays.arrays(
    np.float32, st.integers(0, 40), elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.25, 0.5, 1.0])
)
MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 12), st.integers(1, 5)),
        elements=st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 1e6]),
    )
)


@given(SCORES, st.integers(1, 5), st.data())
def test_largest_is_a_stable_sort(scores, block, data):
    k = data.draw(st.integers(0, len(scores)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "BLOCK", block)
        found = nearest.largest(scores, k)
    assert found.tolist() == naive.largest(scores.tolist(), k)


@pytest.mark.parametrize("V", [511, 512, 513, 5000])
@pytest.mark.parametrize("k", [0, 1, 9, 10, 500])
def test_largest_at_its_true_block_size(V, k):
    scores = np.random.default_rng(V + k).integers(0, 50, V).astype(np.float32)
    assert nearest.largest(scores, k).tolist() == naive.largest(scores.tolist(), k)


@given(MATRICES)
def test_inverse_lengths(matrix):
    inverse = nearest.inverse_lengths(matrix)
    assert inverse.dtype == matrix.dtype
    for row, scale in zip(matrix, inverse, strict=True):
        np.testing.assert_allclose(row * scale, naive.unit(row), rtol=1e-6)


def test_inverse_lengths_over_several_pieces(monkeypatch):
    matrix = np.random.default_rng(1).standard_normal((50, 3))
    whole = nearest.inverse_lengths(matrix)
    monkeypatch.setattr(nearest, "ROWS", 7)
    np.testing.assert_array_equal(nearest.inverse_lengths(matrix), whole)
    np.testing.assert_allclose(whole, 1 / np.linalg.norm(matrix, axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lengths_too_small_or_too_large(dtype):
    limits = np.finfo(dtype)
    small = limits.tiny if dtype == np.float32 else 1e-150  # whose square is still a number
    matrix = np.array(
        [[0], [limits.tiny / 4], [small], [np.nan], [np.inf], [limits.max], [1]], dtype
    )
    inverse = nearest.inverse_lengths(matrix)
    assert inverse[:2].tolist() == [0, 0]
    assert np.isfinite(inverse[2])
    assert inverse[2] > 0
    assert np.isnan(inverse[3:6]).all()
    assert inverse[6] == 1


def test_unit():
    np.testing.assert_allclose(nearest.unit(np.array([3, 4], np.float32)), [0.6, 0.8])
    assert nearest.unit(np.zeros(3)).tolist() == [0, 0, 0]
    assert nearest.unit(np.zeros(0)).tolist() == []


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e308])
def test_unit_of_very_long_and_very_short_vectors(scale):
    assert nearest.unit(np.array([0, -scale])).tolist() == [0, -1]


@given(MATRICES, st.integers(0, 14), st.integers(1, 30))
def test_nearest_is_the_naive_search(matrix, topn, held):
    """However many cosines are held at once, and with whichever rows left out."""
    inverse = nearest.inverse_lengths(matrix)
    queries = np.array([nearest.unit(row) for row in matrix])
    excluded = [np.array([i, 0] if i else [0]) for i in range(len(matrix))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "COSINES", held)
        found = nearest.nearest(matrix, inverse, queries, excluded, topn)
    assert len(found) == len(matrix)
    for i, (ids, cosines) in enumerate(found):
        expected = [naive.cosine(matrix[i], row) for row in matrix]
        assert len(ids) == min(topn, len(matrix) - len(excluded[i]))
        assert not {0, i}.intersection(ids.tolist())
        np.testing.assert_allclose(cosines, [expected[row] for row in ids], atol=1e-5)
        left = [cosine for row, cosine in enumerate(expected) if row not in (0, i)]
        np.testing.assert_allclose(cosines, sorted(left, reverse=True)[:topn], atol=1e-5)


def test_no_query_no_answer():
    assert nearest.nearest(np.eye(2), np.ones(2), np.empty((0, 2)), [], 3) == []
