"""Which way is taken, one query or many at once, and that it makes no difference to a bit."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from test_nearest import near_ties

from cbow.vectors import WordVectors, nearest, rough, search
from cbow.vectors.search import Search

pytestmark = pytest.mark.kernels

V, N = 900, 12
MATRIX = np.random.default_rng(6).standard_normal((V, N)).astype(np.float32)
INVERSE = nearest.inverse_lengths(MATRIX)
QUERIES = nearest.unit(MATRIX[:40])
EXCLUDED = [np.array([i]) for i in range(40)]


@pytest.fixture
def ways(monkeypatch):
    """Note which way each search takes."""
    taken = []

    def noting(name, function):
        return lambda *arguments: taken.append(name) or function(*arguments)

    monkeypatch.setattr(search, "nearest", noting("plain", search.nearest))
    monkeypatch.setattr(search, "nearest_to_each", noting("batch", search.nearest_to_each))
    monkeypatch.setattr(rough.RoughCopy, "nearest", noting("rough", rough.RoughCopy.nearest))
    return taken


def as_lists(found):
    return [(ids.tolist(), cosines.tolist()) for ids, cosines in found]


def ask(find, n):
    return as_lists(find(QUERIES[:n], EXCLUDED[:n], 5, range(V)))


@pytest.mark.slow
def test_all_ways_lead_to_the_same(ways, monkeypatch):
    find = Search(MATRIX, INVERSE)
    one_by_one = ask(find, 15) + as_lists(find(QUERIES[15:], EXCLUDED[15:], 5, range(V)))
    assert ways == ["plain"] * 15 + ["batch"]
    ways.clear()
    monkeypatch.setattr(search, "LARGE", V * N)
    monkeypatch.setattr(search, "PATIENCE", 3 * V * N)
    monkeypatch.setattr(search, "MANY", 30)
    find = Search(MATRIX, INVERSE)
    assert ask(find, 2) == one_by_one[:2]
    assert ways == ["plain"] * 2
    assert ask(find, 20) == one_by_one[:20]
    assert ways == ["plain"] * 3 + ["rough"] * 19
    assert ask(find, 40) == one_by_one
    assert ways[-1] == "batch"


def test_a_small_matrix_has_no_rough_copy(ways, monkeypatch):
    monkeypatch.setattr(search, "LARGE", V * N + 1)
    monkeypatch.setattr(search, "PATIENCE", 0)
    ask(Search(MATRIX, INVERSE), 3)
    assert ways == ["plain"] * 3


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize(("topn", "rows"), [(0, range(V)), (5, range(0)), (5, range(9, 3))])
def test_nothing_to_find(ways, n, topn, rows):
    found = Search(MATRIX, INVERSE)(QUERIES[:n], EXCLUDED[:n], topn, rows)
    assert as_lists(found) == [([], [])] * n
    assert ways == []


def test_the_rough_copy_is_made_once_and_only_when_needed(monkeypatch):
    made = []
    monkeypatch.setattr(search, "LARGE", 1)
    monkeypatch.setattr(search, "PATIENCE", 1 * V * N)
    monkeypatch.setattr(rough.RoughCopy, "__init__", lambda *_: made.append(1))
    monkeypatch.setattr(
        rough.RoughCopy, "nearest", lambda *_: nearest.Hits(EXCLUDED[0], np.ones(1))
    )
    vectors = WordVectors([f"w{i}" for i in range(V)], MATRIX)
    vectors.most_similar("w1")
    assert made == []
    for word in ("w2", "w3"):
        assert vectors.most_similar(word) == [("w0", 1.0)]
        assert made == [1]


@pytest.mark.slow
def test_few_queries_of_few_words_load_no_compiler():
    code = (
        "import sys, numpy as np; from cbow.vectors import WordVectors;"
        "vectors = WordVectors([str(i) for i in range(5000)], np.eye(5000, 20) + 1);"
        "[vectors.most_similar('7') for _ in range(50)]; vectors.most_similar([['7']] * 50);"
        "vectors.rank('7', '8'); vectors.most_similar_cosmul(['7'], ['8']);"
        "print(*{'numba', 'scipy', 'gensim'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


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
        monkeypatch.setattr(search, name, value)


def same(matrix, queries, excluded, topn, rows):
    """Ask at once, hold it against one after the other, and give it."""
    inverse = nearest.inverse_lengths(matrix)
    found = search.nearest_to_each(matrix, inverse, queries, excluded, topn, rows)
    assert len(found) == len(queries)
    for query, own, (ids, cosines) in zip(queries, excluded, found, strict=True):
        expected = nearest.nearest(matrix, inverse, query, own, topn, rows)
        assert ids.tolist() == expected.ids.tolist()
        assert cosines.tolist() == expected.cosines.tolist()
    return found


@pytest.mark.slow
@given(MATRICES, st.integers(1, 6), st.integers(0, 40), st.integers(0, 40), st.data())
def test_many_queries_are_one_after_the_other(matrix, topn, start, stop, data):
    rows = range(len(matrix))[start:stop]
    if not rows:
        return
    queries = nearest.unit(matrix[: data.draw(st.integers(1, 10))])
    excluded = [np.array([i] if i % 2 else []).astype(np.intp) for i in range(len(queries))]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(search, name, value)
        patch.setattr(search, "MOST", data.draw(st.sampled_from([1, 8, 1000])))
        same(matrix, queries, excluded, topn, rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [range(5000), range(700), range(70), range(1000, 4000)])
@pytest.mark.parametrize("topn", [1, 10, 100])
def test_a_batch_at_its_true_sizes(dtype, rows, topn):
    matrix = np.random.default_rng(1).standard_normal((5000, 20)).astype(dtype)
    queries = nearest.unit(matrix[:300])
    same(matrix, queries, [np.array([i, 1200 + i]) for i in range(300)], topn, rows)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_batch_tells_apart_what_is_equal_but_for_rounding(dtype, small_tiles):
    matrix = near_ties(dtype, V=200)
    same(matrix, nearest.unit(matrix[:9]), [np.array([], np.intp)] * 9, 3, range(200))


def test_few_candidates_are_kept():
    matrix = np.random.default_rng(2).standard_normal((20_000, 30)).astype(np.float32)
    inverse, queries = nearest.inverse_lengths(matrix), nearest.unit(matrix[:50])
    ids, of, cosines = search.candidates(matrix, inverse, queries, 10, range(20_000))
    assert 50 * 10 <= len(ids) < 50 * 20
    np.testing.assert_allclose(
        cosines, nearest.exact_cosines(matrix, inverse, queries, ids, of), atol=1e-6
    )


def test_more_equal_rows_than_can_be_kept(small_tiles, monkeypatch):
    monkeypatch.setattr(search, "MOST", 10)
    matrix = np.ones((50, 3), np.float32)
    inverse = nearest.inverse_lengths(matrix)
    queries = nearest.unit(matrix[:4])
    assert search.candidates(matrix, inverse, queries, 2, range(50)) is None
    found = same(matrix, queries, [np.array([i]) for i in range(4)], 2, range(50))
    assert [ids.tolist() for ids, _ in found] == [[1, 2], [0, 2], [0, 1], [0, 1]]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_by_any_number_of_threads(threads, small_tiles, monkeypatch):
    monkeypatch.setattr("cbow.system.threads.processors", lambda: threads)
    matrix = np.random.default_rng(3).standard_normal((90, 5))
    same(matrix, nearest.unit(matrix[:20]), [np.array([i]) for i in range(20)], 3, range(90))
