"""Vectors of words that are in no vocabulary, made from n-grams."""

import naive_text
import numpy as np
import pytest

from cbow.errors import ModelFileError, QueryError, UnknownWordError
from cbow.text.ngrams import Features, Ngrams
from cbow.vectors import WordVectors, embeddings
from cbow.vectors.embeddings import Subwords, sums

NGRAMS = Ngrams(3, 4, 64)
RNG = np.random.default_rng(4)
ROWS = RNG.standard_normal((64, 5)).astype(np.float32)
WORDS = ["king", "queen", "kings", "apple"]
UNKNOWN = ["kinng", "quean", "überking"]


def made_of(word, rows=ROWS):
    """The mean of the rows of the n-grams of a word."""
    parts = naive_text.ngrams(word, *NGRAMS[:2])
    return np.mean([rows[naive_text.bucket(part, 64)].astype(float) for part in parts], axis=0)


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


#: The vectors of words are those of their n-grams, so that what is spelled alike is near.
MATRIX = np.array([made_of(word) for word in WORDS], np.float32)


@pytest.fixture(params=[np.float32, np.float64])
def vectors(request):
    return WordVectors(WORDS, MATRIX.astype(request.param), subwords=Subwords(NGRAMS, ROWS))


@pytest.fixture
def mapped():
    to = RNG.standard_normal((5, 2))
    return WordVectors(WORDS, MATRIX @ to, subwords=Subwords(NGRAMS, ROWS, to)), to


def test_the_vector_of_an_unknown_word_is_the_mean_of_its_ngrams(vectors):
    for word in UNKNOWN:
        assert vectors[word] == pytest.approx(made_of(word), abs=1e-6)
        assert vectors[word].dtype == vectors.matrix.dtype
        assert np.array_equal(vectors.get_vector(word), vectors[word])
        assert np.array_equal(vectors.get(word), vectors[word])
        assert np.linalg.norm(vectors.get_vector(word, norm=True)) == pytest.approx(1)
    assert np.array_equal(vectors[["kinng", "queen"]], [vectors["kinng"], MATRIX[1]])
    assert vectors[[]].shape == (0, 5)


def test_it_is_mapped_to_the_space_of_the_words(mapped):
    vectors, to = mapped
    assert vectors["kinng"] == pytest.approx(made_of("kinng") @ to)
    assert vectors.subwords.to is to


def test_known_words_stay_as_they_are(vectors):
    assert np.array_equal(vectors["king"], MATRIX[0])
    assert np.shares_memory(vectors["king"], vectors.matrix)


def test_the_vocabulary_is_that_of_the_text(vectors):
    assert "kinng" not in vectors
    assert "kinng" not in vectors.ids
    assert len(vectors) == 4
    assert [vectors.has_vector(word) for word in ["king", "kinng", "", "</s>"]] == [
        True, True, False, False
    ]  # fmt: skip
    assert not WordVectors(WORDS, MATRIX).has_vector("kinng")
    with pytest.raises(QueryError, match="3 is not a word"):
        vectors.has_vector(3)


def test_the_nearest_of_a_misspelled_word(vectors):
    found = vectors.most_similar("kinng", topn=4)
    assert found[0][0] == "king"
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    for word, score in found:
        assert score == pytest.approx(cosine(made_of("kinng"), MATRIX[WORDS.index(word)]), abs=1e-6)
    assert vectors.similar_by_word("kinng", topn=4) == found
    together = vectors.most_similar([["kinng"], ["quean", "king"]], topn=2)
    assert together == [
        vectors.most_similar("kinng", topn=2),
        vectors.most_similar(["quean", "king"], topn=2),
    ]
    products = vectors.most_similar_cosmul("kinng", topn=4)
    assert [word for word, _ in products] == [word for word, _ in found]


def test_sums_take_unknown_words_at_length_1(vectors):
    a, b = (made_of(word) / np.linalg.norm(made_of(word)) for word in ("kinng", "quean"))
    [(word, score)] = vectors.most_similar("kinng", "quean", topn=1)
    assert score == pytest.approx(cosine(a - b, MATRIX[WORDS.index(word)]), abs=1e-6)
    v = np.arange(5.0)
    [(word, score)] = vectors.most_similar(["kinng", v], topn=1)
    assert score == pytest.approx(cosine(a + v, MATRIX[WORDS.index(word)]), abs=1e-6)
    assert vectors.get_mean_vector(["kinng", "quean"]) == pytest.approx((a + b) / 2, abs=1e-6)
    mean = vectors.get_mean_vector(["kinng", v, ""], ignore_missing=True)
    assert mean == pytest.approx((a + v) / 2, abs=1e-6)


def test_comparisons(vectors):
    expected = cosine(made_of("kinng"), MATRIX[0])
    assert vectors.similarity("kinng", "king") == pytest.approx(expected, abs=1e-6)
    assert vectors.distances("kinng")[0] == pytest.approx(1 - expected, abs=1e-6)
    assert vectors.n_similarity(["kinng"], ["king"]) == pytest.approx(expected, abs=1e-6)
    assert vectors.rank("kinng", "king") == 1
    assert vectors.closer_than("kinng", "king") == []
    assert vectors.doesnt_match(["kinng", "king", "apple"]) == "apple"
    assert vectors.most_similar_to_given("kinng", ["apple", "king"]) == "king"


@pytest.mark.parametrize("word", ["", "</s>"])
def test_a_word_without_ngrams_is_unknown(vectors, word):
    for ask in (vectors.__getitem__, vectors.most_similar, vectors.get_vector):
        with pytest.raises(UnknownWordError):
            ask(word)
    with pytest.raises(UnknownWordError):
        _ = vectors[["king", word]]
    assert vectors.get(word, "nothing") == "nothing"


def test_only_words_of_the_vocabulary_are_ranked(vectors):
    with pytest.raises(UnknownWordError):
        vectors.rank("king", "kinng")


def test_ngrams_that_are_not_finite(vectors):
    rows = ROWS.copy()
    rows[naive_text.bucket("inn", 64)] = np.inf
    rows[naive_text.bucket("nng", 64)] = -np.inf
    broken = WordVectors(WORDS, MATRIX, subwords=Subwords(NGRAMS, rows))
    with pytest.raises(QueryError, match=r"not finite, .* in a vector, .* 'kinng'"):
        broken.most_similar("kinng")


def test_halves_of_characters_have_vectors_too(vectors):
    assert vectors.has_vector("ki\ud800ng")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (Subwords(NGRAMS, ROWS[:, :4]), r"the shapes \(64, 4\), which do not lead from 64 buckets"),
        (Subwords(NGRAMS, ROWS[:9]), "do not lead from 64 buckets to 5 numbers"),
        (Subwords(NGRAMS, ROWS[0]), "do not lead"),
        (Subwords(NGRAMS, np.float32(3)), "do not lead"),
        (Subwords(NGRAMS, ROWS, np.eye(5)[:, :4]), r"\(64, 5\), \(5, 4\)"),
        (Subwords(NGRAMS, ROWS, np.eye(4, 5)), r"\(64, 5\), \(4, 5\)"),
    ],
)
def test_parts_that_do_not_fit(parts, expected):
    with pytest.raises(ModelFileError, match=expected):
        WordVectors(WORDS, MATRIX, subwords=parts)


def test_sums_of_rows(monkeypatch):
    features = Features(np.array([0, 0, 3, 4, 4, 11]), np.arange(11, dtype=np.int32) % 7)
    expected = [
        ROWS[features.indices[a:b]].astype(float).sum(axis=0)
        for a, b in [(0, 0), (0, 3), (3, 4), (4, 4), (4, 11)]
    ]
    assert sums(ROWS, features) == pytest.approx(np.array(expected))
    monkeypatch.setattr(embeddings, "ROWS", 2)
    assert sums(ROWS, features) == pytest.approx(np.array(expected))
