"""The rough copy of many rows, and that its answers are those of the rows themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from test_nearest import near_ties

from cbow.vectors import nearest, rough
from cbow.vectors.rough import B, RoughCopy

MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 12), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 1e6, 1e-42]),
    )
)


def rough_copy(matrix):
    inverse = nearest.inverse_lengths(matrix)
    return RoughCopy(matrix, inverse, nearest.slack(np.float32, matrix.shape[1]))


def by_rough(copy, matrix, query, excluded, topn, rows):
    """Search as `nearest.Search` does once there is a copy."""
    ids = copy.candidates(query, topn + len(excluded), rows)
    inverse = nearest.inverse_lengths(matrix)
    return nearest.nearest(matrix, inverse, query, excluded, topn, rows, ids)


def rounded(matrix):
    inverse = nearest.inverse_lengths(matrix)
    blocks = -(-len(matrix) // B)
    codes = np.zeros((blocks, matrix.shape[1], B), np.int8)
    scales = np.zeros((blocks, B), np.float32)
    mean = inverse @ matrix / len(matrix)
    worst = rough.round_off(
        matrix, inverse, mean, (0, blocks), codes, scales, np.empty((3, matrix.shape[1]))
    )
    flat = codes.transpose(0, 2, 1).reshape(blocks * B, -1)[: len(matrix)]  # (V, N)
    units = nearest.unit(matrix)
    units[inverse == 0] = 0
    error = units - mean - scales.ravel()[: len(matrix), None].astype(float) * flat
    return flat, scales.ravel()[: len(matrix)], error, worst


@pytest.mark.slow
@pytest.mark.kernels
@given(MATRICES)
def test_rows_are_rounded_to_the_nearest(matrix):
    codes, scales, error, worst = rounded(matrix)
    assert np.abs(error).max() <= scales.max() / 2 + 1e-6
    assert worst == pytest.approx((error**2).sum(axis=1).max(), abs=1e-6)
    assert (np.abs(codes).max(axis=1) == np.where(scales > 0, 127, 0)).all()


@pytest.mark.slow
@given(MATRICES, st.integers(1, 3), st.integers(0, 12), st.integers(0, 12))
def test_the_nearest_are_among_the_candidates(matrix, k, start, stop):
    """Small matrices many times over: some blocks are whole, the last one is not."""
    matrix = np.tile(matrix, (8 * B // len(matrix) + 1, 1))
    rows = range(len(matrix))[start : len(matrix) - stop]
    found = rough_copy(matrix)
    query = nearest.unit(matrix[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rough, "SHARE", 1)
        ids = found.candidates(query, k, rows).tolist()
    inverse = nearest.inverse_lengths(matrix)
    exact = nearest.exact_cosines(matrix, inverse, query, np.arange(len(matrix)))
    best = sorted(rows, key=lambda row: (-exact[row], row))[:k]
    assert ids == sorted(ids)
    assert set(best) <= set(ids) <= set(rows)


@pytest.mark.parametrize(
    "rows", [range(8000), range(700, 7700), range(2000, 8000), range(4096), range(511, 513)]
)
@pytest.mark.parametrize(("dtype", "topn"), [(np.float32, 1), (np.float64, 3), (np.float32, 300)])
def test_it_finds_what_the_rows_themselves_give(dtype, rows, topn):
    """Also where the nearest rows of all are just outside those that are asked for."""
    matrix = np.random.default_rng(1).standard_normal((8000, 8)).astype(dtype)
    matrix[5] = 0
    inverse = nearest.inverse_lengths(matrix)
    found = rough_copy(matrix)
    for query in nearest.unit(matrix[[600, 690, 1990, 3000, 7990]]):
        excluded = nearest.nearest(matrix, inverse, query, np.array([], int), 2, rows).ids[:1]
        ours = by_rough(found, matrix, query, excluded, topn, rows)
        theirs = nearest.nearest(matrix, inverse, query, excluded, topn, rows)
        assert ours.ids.tolist() == theirs.ids.tolist()
        assert ours.cosines.tolist() == theirs.cosines.tolist()
    few = len(rows) > 2000 and topn < 300
    assert (found.candidates(query, topn, rows) is not None) == few


@pytest.mark.slow
@pytest.mark.kernels
def test_cosines_are_wrong_by_the_slack_at_most_and_may_be():
    """The worst query for a row points where its rounding went."""
    matrix = np.random.default_rng(5).standard_normal((100, 12))
    _, _, errors, worst = rounded(matrix)
    found = rough_copy(matrix)
    inverse = nearest.inverse_lengths(matrix)
    mean = inverse @ matrix / 100  # (N,)
    cosines, maxima = np.empty((1, B), np.float32), np.empty(1, np.float32)
    largest = 0.0
    for query in nearest.unit(errors):
        q = query.astype(np.float32)
        rough.rough_cosines(found._codes, found._scales, q, (0, 1), cosines, maxima)
        true = nearest.exact_cosines(matrix, inverse, query, np.arange(100)) - mean @ query
        largest = max(largest, np.abs(cosines[0, :100] - true).max())
        assert maxima[0] == max(cosines[0])
    assert largest <= found._slack < 1.01 * np.sqrt(worst) + 1e-5
    assert largest > 0.999 * np.sqrt(worst)


@pytest.mark.kernels
def test_few_rows_are_looked_at_twice():
    matrix = np.random.default_rng(3).standard_normal((6000, 25)).astype(np.float32)
    found = rough_copy(matrix)
    for query in nearest.unit(matrix[:5]):
        assert 5 <= len(found.candidates(query, 5, range(6000))) < 60


def test_rows_that_have_much_in_common_are_told_apart(monkeypatch):
    """What they have in common is not rounded."""
    monkeypatch.setattr(rough, "SHARE", 1)
    matrix = np.random.default_rng(6).standard_normal((6000, 25)).astype(np.float32) + 5
    found = rough_copy(matrix)
    for query in nearest.unit(matrix[:5]):
        assert 5 <= len(found.candidates(query, 5, range(6000))) < 200


def test_rows_that_rounding_makes_equal_are_all_looked_at():
    matrix = near_ties(np.float32, V=6000)
    inverse = nearest.inverse_lengths(matrix)
    found, query = rough_copy(matrix), nearest.unit(matrix[0])
    assert found.candidates(query, 2, range(6000)) is None
    none = np.array([], np.intp)
    ours = by_rough(found, matrix, query, none, 9, range(6000))
    theirs = nearest.nearest(matrix, inverse, query, none, 9, range(6000))
    assert ours.ids.tolist() == theirs.ids.tolist()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(threads, monkeypatch):
    matrix = np.random.default_rng(4).standard_normal((6000, 3))
    one = rough_copy(matrix)
    monkeypatch.setattr(rough, "processors", lambda: threads)
    other = rough_copy(matrix)
    np.testing.assert_array_equal(one._codes, other._codes)
    np.testing.assert_array_equal(one._scales, other._scales)
    assert one._slack == other._slack
    query, none = nearest.unit(matrix[0]), np.array([], np.intp)
    expected = by_rough(one, matrix, query, none, 1, range(6000))
    monkeypatch.setattr(rough, "SIDE_BY_SIDE", 0)
    found = by_rough(other, matrix, query, none, 1, range(6000))
    assert found.ids.tolist() == expected.ids.tolist() == [0]
    assert found.cosines.tolist() == expected.cosines.tolist()


def test_it_is_a_quarter_of_the_matrix():
    matrix = np.ones((512, 100), np.float32)
    found = rough_copy(matrix)
    assert found._codes.nbytes + found._scales.nbytes < 0.28 * matrix.nbytes
