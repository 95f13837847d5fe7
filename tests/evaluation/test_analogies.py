"""3CosAdd and 3CosMul, held against plain loops and gensim; shares of right answers, scipy."""

import warnings

import naive_evaluation as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cbow.evaluation import measures
from cbow.evaluation.measures import accuracy, mcnemar
from cbow.vectors.nearest import inverse_lengths
from cbow.vectors.words import find_rows, find_variants

METHODS = pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])


def ask(matrix, questions, method, variants=None):
    return measures.answers(
        matrix, inverse_lengths(matrix), np.array(questions, np.intp), method, variants or {}
    ).tolist()


def random(V=50, N=6, n=80, dtype=np.float32, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((V, N)).astype(dtype), rng.integers(0, V, (n, 3))


@METHODS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_answers_are_those_of_plain_loops(method, dtype):
    matrix, questions = random(dtype=dtype)
    matrix[7] = 0
    words = [str(i) for i in range(50)]
    expected = [
        naive.answer(words, matrix.tolist(), [words[i] for i in q], method, fold=False)
        for q in questions
    ]
    assert [words[i] for i in ask(matrix, questions, method)] == expected


@METHODS
def test_blocks_change_nothing(method, monkeypatch):
    matrix, questions = random()
    whole = ask(matrix, questions, method)
    for cosines in (1, 5 * 50, 20 * 50):  # 3, 5, 20 distinct words at a time
        monkeypatch.setattr(measures, "COSINES", cosines)
        assert ask(matrix, questions, method) == whole


@given(
    arrays.arrays(np.intp, st.tuples(st.integers(0, 20), st.just(3)), elements=st.integers(0, 9))
)
def test_blocks_hold_every_question_once(questions):
    blocks = list(measures._blocks(questions, 4))
    assert [i for block in blocks for i in range(block.start, block.stop)] == list(
        range(len(questions))
    )
    for block in blocks:
        assert len(np.unique(questions[block])) <= 4


@METHODS
def test_no_question_no_answer(method):
    matrix, _ = random()
    assert ask(matrix, np.empty((0, 3)), method) == []


@METHODS
def test_words_of_the_question_are_no_answers(method):
    matrix = np.eye(3)
    assert ask(matrix, [[0, 1, 2], [0, 1, 1], [2, 2, 2]], method) == [-1, 2, 0]


@METHODS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_among_equals_the_first_is_the_answer(method, dtype):
    """Rows that are equal, though the quick product may round them differently."""
    rng = np.random.default_rng(3)
    row = rng.standard_normal((40, 33)).astype(dtype)
    matrix = np.concatenate([row, row[::-1], 4 * row])  # each three times
    questions = rng.integers(0, 40, (60, 3))
    found = ask(matrix, questions, method)
    same = [[i, 79 - i, 80 + i] for i in range(40)]
    place = {i: k for k, copies in enumerate(same) for i in copies}
    for question, answer in zip(questions, found, strict=True):
        assert answer == min(set(same[place[answer]]) - set(question))


@METHODS
def test_float32_does_not_decide_what_it_cannot_tell(method):
    """Forty words as good as the best but for a last digit: the best of them all is found."""
    rng = np.random.default_rng(4)
    words = [str(i) for i in range(60)]
    for question in ([0, 1, 2], [3, 4, 5], [6, 7, 8]):
        matrix = rng.standard_normal((60, 100)).astype(np.float32)
        [best] = ask(matrix[:20], [question], method)
        matrix[20:] = matrix[best]
        entries = np.arange(20, 60), rng.integers(0, 100, 40)
        matrix[entries] = np.nextafter(matrix[entries], np.float32(np.inf))
        asked = [words[i] for i in question]
        expected = naive.answer(words, matrix.tolist(), asked, method, fold=False)
        assert ask(matrix, [question], method) == [int(expected)]


@METHODS
def test_vectors_that_tell_no_words_apart(method, monkeypatch):
    matrix, questions = np.ones((20, 3)), [[0, 1, 2], [3, 4, 5]]
    assert ask(matrix, questions, method) == [3, 0]
    monkeypatch.setattr(measures, "CLOSE", 5)  # more than these are equally good
    assert ask(matrix, questions, method) == [3, 0]
    assert ask(np.zeros((20, 3)), questions, method) == [3, 0]


@METHODS
@pytest.mark.parametrize("close", [1000, 5])
def test_opposite_vectors(method, close, monkeypatch):
    """Where the cosine with a is -1, 3CosMul divides by next to nothing."""
    monkeypatch.setattr(measures, "CLOSE", close)
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((60, 20)).astype(np.float32)
    matrix[30:] = -matrix[:30]
    questions = rng.integers(0, 60, (40, 3))
    words = [str(i) for i in range(60)]
    expected = [
        naive.answer(words, matrix.tolist(), [words[i] for i in q], method, fold=False)
        for q in questions
    ]
    assert [words[i] for i in ask(matrix, questions, method)] == expected


@METHODS
def test_other_spellings_of_a_word_are_no_answers(method):
    words = ["the", "King", "king", "The", "queen", "QUEEN", "THE", "man"]
    rng = np.random.default_rng(6)
    for _ in range(20):
        matrix = rng.standard_normal((8, 3))
        questions = [("the", "king", "queen"), ("KING", "The", "the"), ("man", "MAN", "king")]
        rows = find_rows(words, questions, fold=True)
        found = ask(matrix, rows, method, find_variants(words))
        assert [words[i] for i in found] == [
            naive.answer(words, matrix.tolist(), q, method, fold=True) for q in questions
        ]


def test_the_reach_covers_the_errors():
    """The bound of the quick scores holds for scores that were computed exactly."""
    rng = np.random.default_rng(7)
    for N in (2, 50, 400):
        matrix = rng.standard_normal((300, N)).astype(np.float32)
        matrix[100:200] = -matrix[:100]
        inverse = inverse_lengths(matrix)
        wide = matrix.astype(np.float64)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        S = wide[:3].astype(np.float32) @ matrix.T * inverse
        error = measures.slack(np.float32, N)
        for method in ("3CosAdd", "3CosMul"):
            quick = measures._score(method, *(measures._factors(method, row) for row in S))
            exact = measures._score(
                method, *(measures._factors(method, row) for row in wide[:3] @ wide.T)
            )
            reach = measures._reach(method, float(quick.max()), float(S[0].min()), error)
            assert np.abs(quick - exact).max() <= reach / 2


@pytest.mark.slow
def test_3cosmul_is_that_of_gensim():
    models = pytest.importorskip("gensim.models")
    matrix, questions = random(V=200, n=100)
    words = [f"w{i}" for i in range(200)]
    theirs = models.KeyedVectors(6)
    theirs.add_vectors(words, matrix)
    for found, (a, b, c) in zip(ask(matrix, questions, "3CosMul"), questions, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of itself
            [(word, _)] = theirs.most_similar_cosmul([words[b], words[c]], [words[a]], topn=1)
        assert words[found] == word


@given(st.integers(0, 300), st.integers(0, 300))
def test_shares_have_wilsons_interval(right, wrong):
    found = accuracy(right, right + wrong)
    if right + wrong == 0:
        assert found == (0, 0, None, None, None)
        return
    test = stats.binomtest(right, right + wrong)
    expected = test.proportion_ci(method="wilson")
    assert found.share == test.statistic
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=1e-12)
    assert 0 <= found.low <= found.share <= found.high <= 1


@pytest.mark.parametrize(
    ("table", "p"),
    # Fisher's tables of the binomial: 2 P(X ≤ k), X of n throws of a coin
    [((0, 0), 1.0), ((3, 3), 1.0), ((0, 5), 2 / 32), ((1, 7), 2 * 9 / 256), ((7, 1), 18 / 256)],
)
def test_mcnemar(table, p):
    assert mcnemar(*table) == pytest.approx(p)
