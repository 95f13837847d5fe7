"""Many queries at once: the same answers as one after the other, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from test_nearest import near_ties

from cbow.vectors import batch, nearest

SMALL = {"R": 8, "B": 2, "LARGEST_K": 4, "QUERIES": 3}
MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 1e6]),
    )
)


@pytest.fixture
def small_tiles(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(batch, name, value)


def same(matrix, queries, hidden, topn, rows):
    """Ask at once, hold it against one after the other, and give it."""
    inverse = nearest.inverse_lengths(matrix)
    found = batch.nearest_to_each(matrix, inverse, queries, hidden, topn, rows)
    assert len(found) == len(queries)
    for query, own, (ids, cosines) in zip(queries, hidden, found, strict=True):
        expected = nearest.nearest(matrix, inverse, query, own, topn, rows)
        assert ids.tolist() == expected.ids.tolist()
        assert cosines.tolist() == expected.cosines.tolist()
    return found


@given(MATRICES, st.integers(1, 6), st.integers(0, 40), st.integers(0, 40), st.data())
def test_many_queries_are_one_after_the_other(matrix, topn, start, stop, data):
    rows = range(len(matrix))[start:stop]
    if not rows:
        return
    queries = nearest.unit(matrix[: data.draw(st.integers(1, 10))])
    hidden = [np.array([i] if i % 2 else []).astype(np.intp) for i in range(len(queries))]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(batch, name, value)
        patch.setattr(batch, "MOST", data.draw(st.sampled_from([1, 8, 1000])))
        same(matrix, queries, hidden, topn, rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [range(5000), range(700), range(70), range(1000, 4000)])
@pytest.mark.parametrize("topn", [1, 10, 100])
def test_at_its_true_sizes(dtype, rows, topn):
    matrix = np.random.default_rng(1).standard_normal((5000, 20)).astype(dtype)
    queries = nearest.unit(matrix[:300])
    same(matrix, queries, [np.array([i, 1200 + i]) for i in range(300)], topn, rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_equal_but_for_rounding_is_told_apart(dtype, small_tiles):
    matrix = near_ties(dtype, V=200)
    same(matrix, nearest.unit(matrix[:9]), [np.array([], np.intp)] * 9, 3, range(200))


def test_few_candidates_are_kept():
    matrix = np.random.default_rng(2).standard_normal((20_000, 30)).astype(np.float32)
    inverse, queries = nearest.inverse_lengths(matrix), nearest.unit(matrix[:50])
    ids, of, cosines = batch.candidates(matrix, inverse, queries, 10, range(20_000))
    assert 50 * 10 <= len(ids) < 50 * 20
    np.testing.assert_allclose(
        cosines, nearest.exact_cosines(matrix, inverse, queries, ids, of), atol=1e-6
    )


def test_more_equal_rows_than_can_be_kept(small_tiles, monkeypatch):
    monkeypatch.setattr(batch, "MOST", 10)
    matrix = np.ones((50, 3), np.float32)
    inverse = nearest.inverse_lengths(matrix)
    queries = nearest.unit(matrix[:4])
    assert batch.candidates(matrix, inverse, queries, 2, range(50)) is None
    found = same(matrix, queries, [np.array([i]) for i in range(4)], 2, range(50))
    assert [ids.tolist() for ids, _ in found] == [[1, 2], [0, 2], [0, 1], [0, 1]]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads(threads, small_tiles, monkeypatch):
    monkeypatch.setattr(batch, "processors", lambda: threads)
    matrix = np.random.default_rng(3).standard_normal((90, 5))
    same(matrix, nearest.unit(matrix[:20]), [np.array([i]) for i in range(20)], 3, range(90))
