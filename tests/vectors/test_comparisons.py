"""Questions about words that are named, held against gensim and plain loops."""

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import QueryError, UnknownWordError
from cbow.vectors import WordVectors

V, N = 300, 10
WORDS = [f"w{i}" for i in range(V)]
MATRIX = np.random.default_rng(8).standard_normal((V, N)).astype(np.float32)
FEW = arrays.arrays(
    np.float64, (5, 3), elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0])
).filter(lambda matrix: matrix.any(axis=1).all())


@pytest.fixture(scope="module")
def vectors():
    return WordVectors(WORDS, MATRIX)


@pytest.fixture(scope="module")
def theirs(vectors):
    pytest.importorskip("gensim")
    return vectors.to_gensim()


def small():
    rows = [[1, 0], [0.8, 0.6], [0, 1], [0, 0], [-1, 0], [2, 0]]
    return WordVectors(["king", "queen", "apple", "nil", "anti", "kings"], np.array(rows, float))


@pytest.mark.parametrize("pair", [("w1", "w2"), ("w5", "w299"), ("w3", "w3")])
def test_similarity_and_distance(vectors, theirs, pair):
    expected = naive.cosine(*(MATRIX[int(word[1:])] for word in pair))
    assert vectors.similarity(*pair) == pytest.approx(expected, abs=1e-12)
    assert vectors.similarity(*pair) == pytest.approx(float(theirs.similarity(*pair)), abs=1e-6)
    assert vectors.distance(*pair) == pytest.approx(float(theirs.distance(*pair)), abs=1e-6)
    assert isinstance(vectors.distance(*pair), float)


def test_similarity_of_vectors(vectors):
    assert vectors.similarity(MATRIX[1], "w2") == vectors.similarity("w1", "w2")
    assert vectors.similarity(MATRIX[1] * 8, MATRIX[2]) == vectors.similarity("w1", "w2")
    assert small().similarity("king", "nil") == 0
    assert small().similarity("king", "anti") == -1
    assert small().distance("king", "anti") == 2


def test_many_pairs(vectors):
    found = vectors.similarity(["w1", MATRIX[5], "w3"], ["w2", "w6", "w3"])
    single = [vectors.similarity(*pair) for pair in (("w1", "w2"), ("w5", "w6"), ("w3", "w3"))]
    assert found.tolist() == single
    assert vectors.distance(["w1"], ["w2"]).tolist() == [vectors.distance("w1", "w2")]
    assert vectors.similarity([], []).tolist() == []


@pytest.mark.parametrize("pair", [(["w1"], "w2"), ("w1", ["w2"]), (["w1", "w2"], ["w3"])])
def test_pairs_that_do_not_match(vectors, pair):
    with pytest.raises(QueryError, match="one side is a list and the other is not, or the lists"):
        vectors.similarity(*pair)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_the_cosine_of_a_vector_that_is_no_number(broken):
    vectors = WordVectors(list("abc"), np.array([[1, 1], [1, broken], [1, 0]]))
    assert vectors.similarity("a", "c") == pytest.approx(0.5**0.5)
    for pair in ("ab", "ba"):
        with pytest.raises(QueryError, match=r"not finite, .* in a vector, the first 'b'; tr"):
            vectors.similarity(*pair)
    for ask in (vectors.distances, lambda word: vectors.rank(word, "c")):
        with pytest.raises(QueryError, match="in the vectors of 1 word, the first 'b'"):
            ask("a")


@pytest.mark.parametrize(
    ("a", "b"), [(["w1"], ["w2"]), (["w1", "w2"], ["w3", "w4", "w5"]), (["w1", "w1"], ["w2"])]
)
def test_n_similarity(vectors, theirs, a, b):
    assert vectors.n_similarity(a, b) == pytest.approx(float(theirs.n_similarity(a, b)), abs=1e-6)
    means = [MATRIX[[int(word[1:]) for word in side]].astype(float).mean(axis=0) for side in (a, b)]
    assert vectors.n_similarity(a, b) == pytest.approx(naive.cosine(*means), abs=1e-12)
    assert vectors.n_similarity([MATRIX[int(w[1:])] for w in a], b) == vectors.n_similarity(a, b)


def test_n_similarity_weighted_and_many(vectors):
    weighted = vectors.n_similarity([("w1", 2.0), "w2"], "w3")
    assert weighted == pytest.approx(vectors.n_similarity(["w1", "w1", "w2"], ["w3"]))
    found = vectors.n_similarity([["w1", "w2"], ["w3"]], [["w4"], ["w5", "w6"]])
    assert found.tolist() == [
        vectors.n_similarity(["w1", "w2"], ["w4"]),
        vectors.n_similarity(["w3"], ["w5", "w6"]),
    ]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([], ["king"], "query is empty"),
        (["king"], [], "query is empty"),
        (["king", "anti"], ["king"], "query 1 adds up to zero"),
        (["king"], ["nil"], "query 2 adds up to zero"),
        ([["king"]], ["king"], "do not match"),
        (7, "king", "int 7 is not a query"),
    ],
)
def test_sets_that_have_no_mean(a, b, message):
    with pytest.raises(QueryError, match=message):
        small().n_similarity(a, b)


def test_distances(vectors, theirs):
    np.testing.assert_allclose(vectors.distances("w7"), theirs.distances("w7"), atol=1e-6)
    others = ["w1", "w2", "w1"]
    found = vectors.distances("w7", others)
    np.testing.assert_allclose(found, theirs.distances("w7", others), atol=1e-6)
    np.testing.assert_allclose(found, [vectors.distance("w7", word) for word in others], atol=1e-6)
    assert found.dtype == vectors.distances("w7").dtype == np.float32
    np.testing.assert_array_equal(vectors.distances(MATRIX[7]), vectors.distances("w7"))
    assert vectors.distances("w7", []).tolist() == []  # gensim takes it for all
    assert small().distances("king", ["nil"]).tolist() == [1]
    assert small().distances("nil").tolist() == [1] * 6


def test_many_distances(vectors):
    found = vectors.distances(["w7", MATRIX[8]])
    assert found.shape == (2, V)
    np.testing.assert_allclose(found[0], vectors.distances("w7"), atol=1e-6)
    np.testing.assert_allclose(found[1], vectors.distances("w8"), atol=1e-6)
    assert vectors.distances(["w7"], ["w1", "w2"]).shape == (1, 2)
    assert vectors.distances([]).shape == (0, V)


@pytest.mark.parametrize("pair", [("w1", "w2"), ("w5", "w299"), ("w3", "w3"), ("w17", "w18")])
def test_rank_and_closer_than(vectors, theirs, pair):
    assert vectors.closer_than(*pair) == theirs.closer_than(*pair)
    assert vectors.rank(*pair) == theirs.rank(*pair)
    row = MATRIX[int(pair[0][1:])]
    assert vectors.rank(row, pair[1]) == vectors.rank(*pair) + (pair[0] != pair[1])
    with pytest.raises(QueryError, match="is not a word"):
        vectors.rank(pair[0], row)


def test_rank_is_the_place_in_most_similar(vectors):
    for place, (word, _) in enumerate(vectors.most_similar("w9", topn=V), 1):
        assert vectors.rank("w9", word) == place


@given(FEW)
def test_closer_than_is_the_naive_search(matrix):
    vectors = WordVectors(list("abcde"), matrix)
    for a in range(5):
        for b in range(5):
            expected = naive.closer_than(matrix, a, b)
            limit = naive.cosine(matrix[a], matrix[b])
            found = vectors.closer_than("abcde"[a], "abcde"[b])
            for i, word in enumerate("abcde"):
                if i != a and abs(naive.cosine(matrix[a], matrix[i]) - limit) > 1e-12:
                    assert (word in found) == (i in expected)
                elif np.array_equal(matrix[i], matrix[b]) or i == a:
                    assert word not in found


def test_what_is_equal_but_for_rounding_is_told_apart():
    random = np.random.default_rng(1)
    matrix = (1 + 2e-7 * random.integers(0, 9, (200, 30))).astype(np.float32)
    vectors = WordVectors([str(i) for i in range(200)], matrix)
    found = vectors.most_similar("0", topn=200)
    for word, cosine in found:
        assert vectors.rank("0", word) == 1 + sum(other > cosine for _, other in found)


@pytest.mark.parametrize("ask", ["rank", "closer_than"])
def test_nothing_is_near_to_zero(ask):
    with pytest.raises(QueryError, match="the query adds up to zero"):
        getattr(small(), ask)("nil", "king")
    with pytest.raises(UnknownWordError):
        getattr(small(), ask)("king", "kong")
    assert small().rank("king", "nil") == 3
    assert small().closer_than("king", "apple") == ["queen", "kings"]


def test_most_similar_to_given(vectors, theirs):
    others = ["w5", "w6", "w7", "w8"]
    assert vectors.most_similar_to_given("w1", others) == theirs.most_similar_to_given("w1", others)
    assert small().most_similar_to_given("king", ["apple", "nil", "kings", "king"]) == "kings"
    assert small().most_similar_to_given(np.array([0, 3]), ("nil", "apple")) == "apple"
    with pytest.raises(QueryError, match="no word to choose from; give at least one"):
        vectors.most_similar_to_given("w1", [])


@pytest.mark.parametrize("words", [["w1", "w2", "w3"], ["w5", "w9", "w5", "w20"], WORDS[:40]])
def test_doesnt_match(vectors, theirs, words):
    assert vectors.doesnt_match(words) == theirs.doesnt_match(words)
    assert (
        vectors.doesnt_match(words)
        == words[naive.doesnt_match(MATRIX[[*map(int, (w[1:] for w in words))]])]
    )


def test_doesnt_match_many(vectors):
    lists = [["w1", "w2", "w3"], ["w4", "w5", "w6", "w7"]]
    assert vectors.doesnt_match(lists) == [vectors.doesnt_match(each) for each in lists]
    assert small().doesnt_match(("king", "kings", "queen", "anti")) == "anti"
    assert small().doesnt_match(["king", "king", "king"]) == "king"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["king", "queen"],
            "of 2 words none is the odd one out; give a list of three words",
        ),
        ("king", "of 1 word none"),
        ([], "query is empty"),
        (["king", np.ones(2), "queen"], "is not a word"),
        (["nil", "nil", "nil"], "adds up to zero"),
        (7, "int 7 is not a query"),
    ],
)
def test_lists_without_an_odd_one_out(words, message):
    with pytest.raises(QueryError, match=message):
        small().doesnt_match(words)
    with pytest.raises(UnknownWordError):
        small().doesnt_match(["king", "queen", "kong"])


def test_a_word_is_one_word_and_never_its_letters():
    vectors = WordVectors(["ab", "a", "b", "c"], MATRIX[:4])
    assert vectors.distances("c", "ab").tolist() == vectors.distances("c", ["ab"]).tolist()
    assert vectors.distances(["c", "a"], "ab").shape == (2, 1)
    assert vectors.most_similar_to_given("c", "ab") == "ab"
    assert vectors.n_similarity("ab", "c") == vectors.similarity("ab", "c")
    assert vectors.rank("ab", "ab") == 1
    assert vectors["ab"].shape == (N,)
    with pytest.raises(QueryError, match="of 1 word none"):
        vectors.doesnt_match("abc")
    for ask in (vectors.distances, vectors.most_similar_to_given, vectors.n_similarity):
        with pytest.raises(UnknownWordError, match="'abc'"):
            ask("a", "abc")


def test_a_vector_by_itself_is_one_vector(vectors):
    assert vectors.distances("w1", MATRIX[2]).tolist() == vectors.distances("w1", ["w2"]).tolist()
    assert vectors.most_similar_to_given("w1", MATRIX[2]).tolist() == MATRIX[2].tolist()


@pytest.mark.parametrize("dtype", [None, object])
def test_an_array_of_words_is_a_list_of_them(vectors, dtype):
    words = np.array(["w1", "w2", "w3"], dtype)
    listed = ["w1", "w2", "w3"]
    assert vectors.similarity(words, words[::-1]).tolist() == [
        vectors.similarity(a, b) for a, b in zip(listed, listed[::-1], strict=True)
    ]
    assert vectors.distances(words).tolist() == vectors.distances(listed).tolist()
    assert vectors.distances("w9", words).tolist() == vectors.distances("w9", listed).tolist()
    assert vectors.n_similarity(words, words) == vectors.n_similarity(listed, listed)
    assert vectors.doesnt_match(words) == vectors.doesnt_match(listed)
    chosen = vectors.most_similar_to_given("w9", words)
    assert type(chosen) is str
    assert chosen == vectors.most_similar_to_given("w9", listed)
    assert vectors.most_similar(words) == vectors.most_similar(listed)
    assert vectors.most_similar("w9", words[:1]) == vectors.most_similar("w9", "w1")
    assert vectors.most_similar(words[:, None]) == vectors.most_similar([["w1"], ["w2"], ["w3"]])
    assert vectors.most_similar(np.array("w1")) == vectors.most_similar("w1")
    assert vectors.most_similar_cosmul(words[:2], words[2:]) == vectors.most_similar_cosmul(
        ["w1", "w2"], ["w3"]
    )
    assert vectors.similar_by_word(words) == vectors.similar_by_word(listed)
    assert vectors[words].tolist() == vectors[listed].tolist()


@pytest.mark.parametrize("nothing", [5, None, [1, 2], 2.5, b"w1"])
def test_what_is_neither_word_nor_vector(vectors, nothing):
    asked = [
        lambda: vectors.similarity(nothing, "w1"),
        lambda: vectors.similarity(["w1"], [nothing]),
        lambda: vectors.distances("w1", [nothing]),
        lambda: vectors.distances(nothing),
        lambda: vectors.most_similar_to_given("w1", [nothing]),
        lambda: vectors.most_similar_to_given(nothing, ["w1"]),
        lambda: vectors.rank(nothing, "w1"),
        lambda: vectors.closer_than("w1", nothing),
        lambda: vectors.most_similar_to_given("w1", nothing),
        lambda: vectors.doesnt_match(nothing),
    ]
    for ask in asked:
        with pytest.raises(QueryError):
            ask()
    with pytest.raises(QueryError, match="int 5 is neither a word nor a vector; give these"):
        vectors.distances("w1", 5)
