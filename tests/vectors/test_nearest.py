"""Cosines, products of them, the selection of the largest; and that all ways find the same rows."""

import math
import subprocess
import sys

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.vectors import WordVectors, nearest, rough

SCORES = arrays.arrays(
    np.float32, st.integers(1, 40), elements=st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])
)
MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 12), st.integers(1, 5)),
        elements=st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 1e6]),
    )
)
TERMS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(3, 12), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3]),
    )
)


def near_ties(dtype, V=3000, N=50):
    """Vectors that differ by little more than rounding."""
    random = np.random.default_rng(5)
    eps = np.finfo(dtype).eps
    steps = random.integers(0, 40, (V, N))
    return (random.standard_normal(N).astype(dtype) * (1 + eps * steps.astype(dtype))).astype(dtype)


@pytest.mark.slow
@given(SCORES, st.integers(1, 5), st.sampled_from([0, 0.1, 0.125, 3]), st.data())
def test_what_may_be_largest(scores, block, slack, data):
    """Whatever the true scores are, the k largest are among those found."""
    k = data.draw(st.integers(1, len(scores)))
    errors = st.sampled_from([-slack, 0, slack])
    true = scores + np.array(
        data.draw(st.lists(errors, min_size=len(scores), max_size=len(scores)))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "BLOCK", block)
        found = nearest.may_be_largest(scores, k, slack).tolist()
    assert found == sorted(found)
    assert set(found) >= set(naive.largest(true.tolist(), k))
    kth = sorted(scores)[-k]
    assert set(found) >= set(np.flatnonzero(scores >= kth - 2 * slack).tolist())


@pytest.mark.parametrize("V", [127, 128, 129, 2560, 5000])
@pytest.mark.parametrize("k", [1, 9, 10, 127])
def test_few_others_are_among_them(V, k):
    scores = np.random.default_rng(V + k).standard_normal(V)
    found = nearest.may_be_largest(scores, k, 1e-9).tolist()
    assert set(found) >= set(naive.largest(scores.tolist(), k))
    assert len(found) < 3 * k


@pytest.mark.slow
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
    sound = np.array([0, 1, 2, 6])
    found = nearest.exact_cosines(matrix, inverse, np.ones(1), sound)
    assert found.tolist() == [0, 0, 1, 1]  # as the quick way has it


def test_unit():
    np.testing.assert_allclose(nearest.unit(np.array([3, 4], np.float32)), [0.6, 0.8])
    assert nearest.unit(np.array([[3, 4], [0, 0]])).tolist() == [[0.6, 0.8], [0, 0]]
    assert nearest.unit(np.zeros(0)).tolist() == []
    assert nearest.unit(np.zeros((0, 3))).shape == (0, 3)
    given = np.array([2.0])
    assert nearest.unit(given).tolist() == [1]
    assert given.tolist() == [2]


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 1e308])
def test_unit_of_very_long_and_very_short_vectors(scale):
    assert nearest.unit(np.array([0, -scale])).tolist() == [0, -1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [1e-30, 1, 1e15])
def test_cosines_are_wrong_by_the_slack_at_most(dtype, length):
    random = np.random.default_rng(1)
    matrix = (length * random.standard_normal((200, 60))).astype(dtype)
    query = nearest.unit(random.standard_normal(60))
    found = nearest.cosines(matrix, nearest.inverse_lengths(matrix), query)
    true = [math.fsum(map(float.__mul__, naive.unit(row), query.tolist())) for row in matrix]
    assert np.abs(found - true).max() <= nearest.slack(dtype, 60) < 100 * np.finfo(dtype).eps


@pytest.mark.slow
def test_exact_cosines_do_not_depend_on_what_else_is_asked(monkeypatch):
    matrix = near_ties(np.float32)
    inverse = nearest.inverse_lengths(matrix)
    query = nearest.unit(matrix[7])
    ids = np.arange(len(matrix))
    whole = nearest.exact_cosines(matrix, inverse, query, ids)
    one_by_one = [nearest.exact_cosines(matrix, inverse, query, ids[i : i + 1])[0] for i in ids]
    assert whole.tolist() == one_by_one
    monkeypatch.setattr(nearest, "FEW_ROWS", 7)
    queries, which = np.stack([-query, query]), np.ones(len(ids), int)
    assert nearest.exact_cosines(matrix, inverse, queries, ids, which).tolist() == one_by_one
    np.testing.assert_allclose(whole, [naive.cosine(matrix[7], row) for row in matrix], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [range(3000), range(100, 900)])
def test_what_is_equal_but_for_rounding_is_told_apart(dtype, rows):
    """The quick way alone, in which all these cosines are about 1, would mix them up."""
    matrix = near_ties(dtype)
    inverse = nearest.inverse_lengths(matrix)
    query = nearest.unit(matrix[0].astype(np.float64))
    ids, cosines = nearest.nearest(matrix, inverse, query, np.array([3, 400]), 20, rows)
    all_ids = np.array([row for row in rows if row not in (3, 400)])
    exact = nearest.exact_cosines(matrix, inverse, query, all_ids)
    order = naive.largest(exact.tolist(), 20)
    assert ids.tolist() == all_ids[order].tolist()
    assert cosines.tolist() == exact[order].tolist()


@pytest.mark.slow
@given(MATRICES, st.integers(1, 14), st.integers(0, 12), st.integers(0, 12))
def test_nearest_is_the_naive_search(matrix, topn, start, stop):
    """In whatever part, and with whichever rows left out."""
    rows = range(len(matrix))[start:stop]
    inverse = nearest.inverse_lengths(matrix)
    for i in range(len(matrix) if rows else 0):
        excluded = np.array([0, i] if i else [0])
        query = nearest.unit(matrix[i])
        ids, cosines = nearest.nearest(matrix, inverse, query, excluded, topn, rows)
        expected = {
            row: naive.cosine(matrix[i], matrix[row]) for row in rows if row not in excluded
        }
        assert len(ids) == len(cosines) == min(topn, len(expected))
        np.testing.assert_allclose(cosines, [expected[row] for row in ids.tolist()], atol=1e-12)
        best = sorted(expected.values(), reverse=True)[:topn]
        np.testing.assert_allclose(cosines, best, atol=1e-12)


@given(TERMS, st.integers(1, 3), st.integers(0, 9), st.integers(0, 9), st.integers(0, 14))
def test_largest_products_are_the_naive_search(matrix, positive, topn, start, stop):
    terms = matrix[:3] + np.array([2, 0, 0, 0], matrix.dtype)[: matrix.shape[1]]
    rows = range(len(matrix))[start:stop]
    inverse = nearest.inverse_lengths(matrix)
    excluded = np.array([1], np.intp)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "ROWS", 5)
        ids, scores = nearest.largest_products(
            matrix, inverse, nearest.unit(terms), positive, excluded, topn, rows
        )
    expected = {
        row: naive.product(matrix[row], terms[:positive], terms[positive:])
        for row in rows
        if row != 1
    }
    best = sorted(expected.values(), reverse=True)[:topn]
    # Where the denominator is nearly 0, the rounding of a cosine is a million times as large.
    np.testing.assert_allclose(scores, [expected[row] for row in ids.tolist()], rtol=1e-8)
    np.testing.assert_allclose(scores, best, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_equal_but_for_rounding_are_told_apart(dtype):
    matrix = near_ties(dtype, V=500)
    terms = nearest.unit(np.stack([matrix[0], matrix[1], -matrix[2]]))
    inverse, none = nearest.inverse_lengths(matrix), np.array([], np.intp)
    ids, scores = nearest.largest_products(matrix, inverse, terms, 2, none, 20, range(500))
    every = np.arange(500)
    each = [nearest.exact_cosines(matrix, inverse, term, every) for term in terms]
    exact = nearest.product_scores(np.stack(each, axis=1), 2)
    assert ids.tolist() == naive.largest(exact.tolist(), 20)
    assert scores.tolist() == exact[ids].tolist()


@pytest.mark.slow
@given(
    arrays.arrays(np.float64, (5, 4), elements=st.floats(-1, 1)),
    arrays.arrays(np.float64, (5, 4), elements=st.floats(-1, 1)),
    st.integers(1, 4),
)
def test_the_bounds_of_a_score(cosines, errors, positive):
    wrong = cosines + 0.999e-3 * errors  # the rest is for rounding
    scores = nearest.product_scores(cosines, positive)
    assert (nearest.product_scores(wrong, positive, -1e-3) <= scores * (1 + 1e-9)).all()
    assert (nearest.product_scores(wrong, positive, 1e-3) >= scores * (1 - 1e-9)).all()


# --- one query or many, by whichever way: no difference to a bit ----------------------------------

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

    monkeypatch.setattr(nearest, "nearest", noting("plain", nearest.nearest))
    monkeypatch.setattr(nearest, "nearest_to_each", noting("batch", nearest.nearest_to_each))
    monkeypatch.setattr(rough.RoughCopy, "candidates", noting("rough", rough.RoughCopy.candidates))
    return taken


def as_lists(found):
    return [(ids.tolist(), cosines.tolist()) for ids, cosines in found]


def ask(find, n):
    return as_lists(find(QUERIES[:n], EXCLUDED[:n], 5, range(V)))


@pytest.mark.slow
def test_all_ways_lead_to_the_same(ways, monkeypatch):
    find = nearest.Search(MATRIX, INVERSE)
    one_by_one = ask(find, 15) + as_lists(find(QUERIES[15:], EXCLUDED[15:], 5, range(V)))
    assert ways == ["plain"] * 15 + ["batch"]
    ways.clear()
    monkeypatch.setattr(nearest, "LARGE", V * N)
    monkeypatch.setattr(nearest, "PATIENCE", 3 * V * N)
    monkeypatch.setattr(nearest, "MANY", 30)
    find = nearest.Search(MATRIX, INVERSE)
    assert ask(find, 2) == one_by_one[:2]
    assert ways == ["plain"] * 2
    assert ask(find, 20) == one_by_one[:20]
    assert ways == ["plain"] * 3 + ["rough", "plain"] * 19
    assert ask(find, 40) == one_by_one
    assert ways[-1] == "batch"


def test_a_small_matrix_has_no_rough_copy(ways, monkeypatch):
    monkeypatch.setattr(nearest, "LARGE", V * N + 1)
    monkeypatch.setattr(nearest, "PATIENCE", 0)
    ask(nearest.Search(MATRIX, INVERSE), 3)
    assert ways == ["plain"] * 3


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize(("topn", "rows"), [(0, range(V)), (5, range(0)), (5, range(9, 3))])
def test_nothing_to_find(ways, n, topn, rows):
    found = nearest.Search(MATRIX, INVERSE)(QUERIES[:n], EXCLUDED[:n], topn, rows)
    assert as_lists(found) == [([], [])] * n
    assert ways == []


def test_the_rough_copy_is_made_once_and_only_when_needed(monkeypatch):
    made = []
    monkeypatch.setattr(nearest, "LARGE", 1)
    monkeypatch.setattr(nearest, "PATIENCE", 1 * V * N)
    monkeypatch.setattr(rough.RoughCopy, "__init__", lambda *_: made.append(1))
    monkeypatch.setattr(rough.RoughCopy, "candidates", lambda *_: np.array([0]))
    vectors = WordVectors([f"w{i}" for i in range(V)], MATRIX)
    vectors.most_similar("w1")
    assert made == []
    for word in ("w2", "w3"):
        assert [other for other, _ in vectors.most_similar(word)] == ["w0"]
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
TALL = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 1e6]),
    )
)


@pytest.fixture
def small_tiles(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(nearest, name, value)


def same(matrix, queries, excluded, topn, rows):
    """Ask at once, hold it against one after the other, and give it."""
    inverse = nearest.inverse_lengths(matrix)
    found = nearest.nearest_to_each(matrix, inverse, queries, excluded, topn, rows)
    assert len(found) == len(queries)
    for query, own, (ids, cosines) in zip(queries, excluded, found, strict=True):
        expected = nearest.nearest(matrix, inverse, query, own, topn, rows)
        assert ids.tolist() == expected.ids.tolist()
        assert cosines.tolist() == expected.cosines.tolist()
    return found


@pytest.mark.slow
@given(TALL, st.integers(1, 6), st.integers(0, 40), st.integers(0, 40), st.data())
def test_many_queries_are_one_after_the_other(matrix, topn, start, stop, data):
    rows = range(len(matrix))[start:stop]
    if not rows:
        return
    queries = nearest.unit(matrix[: data.draw(st.integers(1, 10))])
    excluded = [np.array([i] if i % 2 else []).astype(np.intp) for i in range(len(queries))]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(nearest, name, value)
        patch.setattr(nearest, "MOST", data.draw(st.sampled_from([1, 8, 1000])))
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
    ids, of, cosines = nearest.candidates(matrix, inverse, queries, 10, range(20_000))
    assert 50 * 10 <= len(ids) < 50 * 20
    np.testing.assert_allclose(
        cosines, nearest.exact_cosines(matrix, inverse, queries, ids, of), atol=1e-6
    )


def test_more_equal_rows_than_can_be_kept(small_tiles, monkeypatch):
    monkeypatch.setattr(nearest, "MOST", 10)
    matrix = np.ones((50, 3), np.float32)
    inverse = nearest.inverse_lengths(matrix)
    queries = nearest.unit(matrix[:4])
    assert nearest.candidates(matrix, inverse, queries, 2, range(50)) is None
    found = same(matrix, queries, [np.array([i]) for i in range(4)], 2, range(50))
    assert [ids.tolist() for ids, _ in found] == [[1, 2], [0, 2], [0, 1], [0, 1]]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_by_any_number_of_threads(threads, small_tiles, monkeypatch):
    monkeypatch.setattr("cbow.system.threads.processors", lambda: threads)
    matrix = np.random.default_rng(3).standard_normal((90, 5))
    same(matrix, nearest.unit(matrix[:20]), [np.array([i]) for i in range(20)], 3, range(90))
