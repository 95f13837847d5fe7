"""3CosAdd and 3CosMul, held against plain loops and against gensim."""

import warnings

import naive_evaluation as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.evaluation import analogy
from cbow.evaluation.lookup import all_known, find_rows, find_variants
from cbow.vectors.nearest import inverse_lengths

METHODS = pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])


def ask(matrix, questions, method, variants=None):
    return analogy.answers(
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
        monkeypatch.setattr(analogy, "COSINES", cosines)
        assert ask(matrix, questions, method) == whole


@given(
    arrays.arrays(np.intp, st.tuples(st.integers(0, 20), st.just(3)), elements=st.integers(0, 9))
)
def test_blocks_hold_every_question_once(questions):
    blocks = list(analogy._blocks(questions, 4))
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
    monkeypatch.setattr(analogy, "CLOSE", 5)  # more than these are equally good
    assert ask(matrix, questions, method) == [3, 0]
    assert ask(np.zeros((20, 3)), questions, method) == [3, 0]


@METHODS
def test_opposite_vectors(method):
    """Where the cosine with a is -1, 3CosMul divides by next to nothing."""
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
        error = analogy.slack(np.float32, N)
        for method in ("3CosAdd", "3CosMul"):
            quick = analogy._score(method, *(analogy._scaled(method, row) for row in S))
            exact = analogy._score(
                method, *(analogy._scaled(method, row) for row in wide[:3] @ wide.T)
            )
            least = float(analogy._scaled(method, S[0]).min())
            reach = analogy._reach(method, float(quick.max()), least, error)
            assert np.abs(quick - exact).max() <= reach / 2


def test_3cosmul_is_that_of_gensim(monkeypatch):
    """Which has another ε than the paper; with its own they agree."""
    models = pytest.importorskip("gensim.models")
    matrix, questions = random(V=200, n=100)
    words = [f"w{i}" for i in range(200)]
    theirs = models.KeyedVectors(6)
    theirs.add_vectors(words, matrix)
    monkeypatch.setattr(analogy, "EPSILON", 1e-6)
    for found, (a, b, c) in zip(ask(matrix, questions, "3CosMul"), questions, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of itself
            [(word, _)] = theirs.most_similar_cosmul([words[b], words[c]], [words[a]], topn=1)
        assert words[found] == word


def test_rows_of_words():
    words = ["The", "king", "the", "Straße"]
    asked = [("THE", "king"), ("the", "STRASSE"), ("nobody", "the")]
    assert find_rows(words, asked, fold=True).tolist() == [[0, 1], [2, -1], [-1, 2]]
    assert find_rows(words, asked, fold=False).tolist() == [[-1, 1], [2, -1], [-1, 2]]
    assert all_known(find_rows(words, asked, fold=True)).tolist() == [True, False, False]
    variants = find_variants(words)
    assert {row: rows.tolist() for row, rows in variants.items()} == {0: [0, 2], 2: [0, 2]}


CASE = st.text(st.sampled_from("aAiIıİßẞsSσΣςéÉkK\u212a\u0307"), min_size=1, max_size=3)


@given(st.lists(CASE, unique=True, max_size=12), st.lists(CASE, min_size=1, max_size=6))
def test_rows_are_those_of_plain_loops(words, asked):
    for fold in (False, True):
        found = find_rows(words, [asked], fold).tolist()[0]
        assert found == [naive.row(words, word, fold) for word in asked]
        # A word that is there is taken as it is, however others are spelled.
        assert all(words[row] == word for row, word in zip(found, asked, strict=True)
                   if word in words)  # fmt: skip
    variants = find_variants(words)
    for row, word in enumerate(words):
        alike = [i for i, other in enumerate(words) if naive.folded(other) == naive.folded(word)]
        assert variants.get(row, np.array([row])).tolist() == alike


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("maße", "masse"),
        ("MASSE", "maße"),
        ("sınır", "sinir"),
        ("SINIR", "sınır"),
        ("İran", "iran"),
        ("ﬁn", "fin"),
        ("ŉ", "ʼn"),
        ("ſie", "sie"),
        ("µ", "μ"),
        ("ᾳ", "αι"),
    ],
)
def test_what_upper_casing_makes_one_word_stays_two(word, other):
    assert word.upper() == other.upper() or word.casefold() == other.casefold() or word == "İran"
    assert find_rows([other], [[word]], fold=True).tolist() == [[-1]]
    assert find_rows([other, word], [[word, other]], fold=True).tolist() == [[1, 0]]
    assert find_variants([word, other]) == {}


@pytest.mark.parametrize(
    ("word", "other"),
    [("King", "king"), ("MAẞE", "maße"), ("ΟΔΟΣ", "οδος"), ("İran", "i̇ran"), ("ÉTÉ", "été")],
)
def test_case_alone_is_folded(word, other):
    assert find_rows([other], [[word]], fold=True).tolist() == [[0]]
    assert find_rows([word], [[other]], fold=True).tolist() == [[0]]
    assert find_rows([other], [[word]], fold=False).tolist() == [[-1]]
    assert find_rows([other, word], [[word, other]], fold=True).tolist() == [[1, 0]]
    assert find_variants([word, other])[1].tolist() == [0, 1]
