"""Looking words up, comparing them, finding the nearest; held against gensim and plain loops."""

import re
import sys
import warnings

import naive_vectors as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import CBOWError, ModelFileError, QueryError, UnknownWordError
from cbow.vectors import WordVectors, formats, nearest, word_vectors
from cbow.vectors.words import PackedWords, encode_words

V, N = 700, 16
WORDS = [f"w{i}" for i in range(V)]
MATRIX = np.random.default_rng(7).standard_normal((V, N)).astype(np.float32)
U, W = MATRIX[11] * 3, MATRIX[12] - MATRIX[13]
FEW = arrays.arrays(
    np.float64, (5, 3), elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0])
).filter(lambda matrix: matrix.any(axis=1).all())


@pytest.fixture(scope="module")
def vectors():
    return WordVectors(WORDS, MATRIX, np.arange(V, 0, -1))


@pytest.fixture(scope="module")
def gensim_vectors():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = pytest.importorskip("gensim.models")
    keyed = models.KeyedVectors(N)
    keyed.add_vectors(WORDS, MATRIX)
    return keyed


def small(dtype=np.float64):
    rows = [[1, 0], [0.8, 0.6], [0, 1], [0, 0], [-1, 0], [2, 0]]
    return WordVectors(["king", "queen", "apple", "nil", "anti", "kings"], np.array(rows, dtype))


def test_what_it_shows(vectors):
    assert len(vectors) == V
    assert vectors.dimension == N
    assert vectors.words == tuple(WORDS)
    assert list(vectors) == WORDS
    assert vectors.ids["w7"] == 7
    assert vectors.counts[0] == V
    assert repr(vectors) == "WordVectors(700 words, 16 dimensions)"
    assert "w699" in vectors
    assert "w700" not in vectors
    assert 7 not in vectors
    assert ["w7"] not in vectors
    assert WordVectors(["a"], np.eye(1)).counts is None


def packed(words, where=""):
    letters, ends = encode_words(words)
    return WordVectors(PackedWords(letters, ends, where), np.eye(len(ends)))


def test_packed_words_are_looked_up_without_a_table_at_first(monkeypatch):
    vectors = packed(WORDS[:30])
    made = []
    monkeypatch.setattr(
        PackedWords, "places", lambda words: made.append(1) or {w: i for i, w in enumerate(words)}
    )
    assert "w3" in vectors
    assert "nope" not in vectors
    assert vectors["w5"][5] == 1
    assert made == []
    for i in range(30):
        assert vectors[f"w{i}"][i] == 1
    assert made == [1]
    assert vectors.ids["w7"] == 7
    assert made == [1]
    assert vectors.words == tuple(WORDS[:30])
    assert list(vectors) == WORDS[:30]
    assert vectors.most_similar("w3", topn=2)[0] == ("w0", 0.0)
    with pytest.raises(UnknownWordError, match="did you mean w2"):
        vectors["W2"]


def test_packed_words_that_come_twice_are_told_when_all_are_looked_at():
    vectors = packed(["b", "a", "a"], "v.bin is not usable: ")
    np.testing.assert_array_equal(vectors["a"], [0, 1, 0])
    with pytest.raises(
        ModelFileError, match=r"v.bin is not usable: .* the word 'a' more than once"
    ):
        _ = vectors.ids


def test_looking_up(vectors):
    np.testing.assert_array_equal(vectors["w7"], MATRIX[7])
    np.testing.assert_array_equal(vectors[["w7", "w3", "w7"]], MATRIX[[7, 3, 7]])
    assert vectors[[]].shape == (0, N)
    assert vectors[("w1",)].shape == (1, N)


def test_getting_a_vector(vectors, gensim_vectors):
    np.testing.assert_array_equal(vectors.get_vector("w7"), gensim_vectors.get_vector("w7"))
    found = vectors.get_vector("w7", norm=True)
    np.testing.assert_allclose(found, gensim_vectors.get_vector("w7", norm=True), rtol=1e-6)
    assert found.dtype == np.float32
    assert np.shares_memory(vectors.get_vector("w7"), MATRIX)
    assert small().get_vector("nil", norm=True).tolist() == [0, 0]
    for norm in (False, True):
        with pytest.raises(UnknownWordError):
            vectors.get_vector("nope", norm)
        with pytest.raises(QueryError, match="is not a word"):
            vectors.get_vector(7, norm)
    broken = WordVectors(["a"], np.array([[np.inf]]))
    assert broken.get_vector("a") == np.inf
    with pytest.raises(QueryError, match="not finite"):
        broken.get_vector("a", norm=True)


def test_getting_a_vector_or_a_default(vectors):
    np.testing.assert_array_equal(vectors.get("w7"), MATRIX[7])
    assert vectors.get("nope") is None
    assert vectors.get("nope", 3) == 3
    with pytest.raises(QueryError, match="is not a word"):
        vectors.get(7)


@pytest.mark.parametrize("pre", [False, True])
@pytest.mark.parametrize("post", [False, True])
@pytest.mark.parametrize("weights", [None, [0.5, -2, 1, 4], np.array([0, 0, 0, 0.0])])
@pytest.mark.parametrize("words", [["w1", "w2", "w1", "w4"], ["w1", U, "nope", W], ["x"] * 4])
def test_get_mean_vector_is_gensims(vectors, gensim_vectors, words, weights, pre, post):
    found = vectors.get_mean_vector(words, weights, pre, post, ignore_missing=True)
    theirs = gensim_vectors.get_mean_vector(words, weights, pre, post)
    np.testing.assert_allclose(found, theirs, atol=1e-6)
    assert found.dtype == np.float32


def test_means_with_weights_of_their_own(vectors):
    pairs = [("w1", 2.0), ("w2", -1)]
    expected = vectors.get_mean_vector(["w1", "w2"], (w for w in [2, -1]))
    np.testing.assert_array_equal(vectors.get_mean_vector(pairs), expected)
    np.testing.assert_array_equal(
        vectors.get_mean_vector("w1", pre_normalize=False), vectors.get_vector("w1")
    )
    with pytest.raises(UnknownWordError, match="nope"):
        vectors.get_mean_vector(["w1", "nope"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "the query is empty"),
        ((["king"], [1, 2]), "there are 1 word, but 2 weights; give a weight for each word"),
        ((["king"], ["x"]), "is not a pair"),
        ((["king"], [np.nan]), "not finite"),
        (([("king", 1)], [1]), "neither a word nor a vector"),
        ((["king"], [1e308 * 1.7], False, False), None),
        (([np.full(2, 1e308)], [1e308]), "the mean is not finite; give smaller weights"),
        ((7,), "neither a word nor a vector"),
        (([7], None, True, False, True), "neither a word nor a vector"),
    ],
)
def test_means_that_make_no_sense(arguments, message):
    if message is None:
        assert small().get_mean_vector(*arguments).tolist() == [1, 0]
        return
    with pytest.raises(QueryError, match=message):
        small().get_mean_vector(*arguments)


def test_as_an_array(vectors):
    assert np.shares_memory(np.asarray(vectors), MATRIX)
    assert not np.asarray(vectors).flags.writeable
    np.testing.assert_array_equal(np.asarray(vectors), MATRIX)
    wide = np.asarray(vectors, np.float64)
    assert (wide.dtype, wide.shape) == (np.float64, (V, N))
    own = np.array(vectors)
    own[0] = 0
    assert MATRIX[0].any()
    assert np.linalg.norm(vectors, axis=1).shape == (V,)
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        assert np.shares_memory(np.array(vectors, copy=False), MATRIX)
        with pytest.raises(ValueError, match="copy"):
            np.array(vectors, np.float64, copy=False)


def test_the_table_for_a_notebook(vectors, monkeypatch):
    page = vectors._repr_html_()
    assert page.startswith("<table><caption>WordVectors(700 words, 16 dimensions)</caption>")
    near = ", ".join(word for word, _ in vectors.most_similar("w0", topn=3))
    assert (
        '>1</td><td style="text-align: left">w0</td><td style="text-align: left">700</td>' in page
    )
    assert f">{near}</td>" in page
    assert page.count("<tr>") == 7
    assert ">w699</td>" in page
    strange = WordVectors(["<b>&", "nil"], np.array([[1.0, 0], [0, 0]]))._repr_html_()
    assert "&lt;b&gt;&amp;" in strange
    assert "<b>" not in strange
    assert "the query adds up to zero" in strange
    assert "<tbody></tbody>" in WordVectors([], np.empty((0, 3)))._repr_html_()
    assert "the model holds numbers" in WordVectors(["a"], np.array([[np.nan]]))._repr_html_()
    monkeypatch.setattr(word_vectors, "FREQUENT", 50)
    page = packed(WORDS[:60])._repr_html_()
    near = vectors.most_similar("w0", topn=3, restrict_vocab=50)
    assert near != vectors.most_similar("w0", topn=3)
    assert f">{', '.join(word for word, _ in near)}</td>" in vectors._repr_html_()
    assert "nearest of the 50 most frequent" in page
    assert ">w49</td>" in page
    assert "w59" not in page


def test_nothing_is_copied_and_nothing_can_be_changed(vectors):
    assert np.shares_memory(vectors.matrix, MATRIX)
    assert np.shares_memory(vectors["w7"], MATRIX)
    assert MATRIX.flags.writeable
    for array in (vectors.matrix, vectors["w7"], vectors.counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        vectors.ids["w7"] = 3
    with pytest.raises(AttributeError):
        vectors.matrix = MATRIX


def test_unknown_words(vectors):
    with pytest.raises(UnknownWordError, match="did you mean w69"):
        vectors["W69"]
    with pytest.raises(UnknownWordError):
        vectors[["w1", "nope"]]
    with pytest.raises(KeyError):
        vectors.similarity("w1", "nope")
    with pytest.raises(KeyError):
        vectors.most_similar(["w1", "nope"])
    with pytest.raises(KeyError):
        vectors.most_similar("w1", [("nope", 2.0)])


def test_suggestions_cost_nothing_until_they_are_shown(vectors, monkeypatch):
    monkeypatch.setattr(word_vectors, "spelled_like", lambda *_: pytest.fail("too early"))
    with pytest.raises(UnknownWordError) as caught:
        vectors["W69"]
    assert caught.value.word == "W69"


@pytest.mark.parametrize("key", [7, None, b"w7", 0.5])
def test_what_is_no_word(vectors, key):
    with pytest.raises(QueryError, match="not a word; ask for words by their spelling"):
        vectors[["w1", key]]


@pytest.mark.parametrize("key", [7, None, 0.5])
def test_what_is_no_list_of_words(vectors, key):
    with pytest.raises(QueryError, match="not a word"):
        vectors[key]


@pytest.mark.parametrize(
    ("words", "matrix", "counts", "message"),
    [
        (["a", "b", "a"], np.eye(3), None, "of 3 words only 2 are distinct"),
        (["a"], np.eye(2), None, "1 words, but 2 rows"),
        (["a"], np.ones(1), None, "float64 with 1 dimensions"),
        (["a"], np.ones((1, 2), np.float16), None, "float16 with 2 dimensions"),
        (["a"], np.ones((1, 2), int), None, "int64 with 2 dimensions"),
        (["a", "b"], np.eye(2), np.ones(3, int), "2 words, but counts of shape"),
    ],
)
def test_parts_that_do_not_fit(words, matrix, counts, message):
    with pytest.raises(ModelFileError, match=message):
        WordVectors(words, matrix, counts)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("w1", None),
        (["w1"], None),
        (["w1", "w2"], ["w3"]),
        (["w1", "w1", "w2"], "w4"),
        (None, "w3"),
        ([], ["w3", "w4"]),
        ([("w1", 0.3), "w2"], [("w3", -2.0)]),
        ("w1", [("w3", 2.0)]),
        (U, None),
        ([U, "w1"], [W]),
        ([(U, 0.5), ("w1", 4)], None),
        (np.array([U, W]), None),
        (["w1"], ["w1", "w2"]),
    ],
)
@pytest.mark.parametrize("topn", [0, 1, 10, 699, 5000])
def test_most_similar_is_gensims(vectors, gensim_vectors, positive, negative, topn):
    ours = vectors.most_similar(positive, negative, topn)
    theirs = gensim_vectors.most_similar(positive, negative, topn=topn)
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], atol=2e-6)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("w5", "w5"),
        (["w5", "w6"], ["w6", "w5"]),
        (["w1", "w2", "w3"], ["w3", "w1", "w2"]),
        ([("w1", 0.1), ("w1", 0.2)], [("w1", -0.3)]),
        ([("w1", 1e300), ("w2", 1e300)], [("w1", -1e300), ("w2", -1e300)]),
        (("w5", 0.0), None),
        (np.zeros(N), None),
        ([["w1"], ["w5"]], [[], ["w5"]]),
    ],
)
def test_a_query_that_cancels_has_no_answer(vectors, positive, negative):
    with pytest.raises(QueryError, match="adds up to zero, which has no direction, so"):
        vectors.most_similar([positive] if isinstance(positive, tuple) else positive, negative)


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-9, 1e300])
def test_a_short_query_is_no_query_of_zero(vectors, scale):
    expected = [word for word, _ in vectors.most_similar("w5")]
    found = vectors.most_similar([("w5", scale)], topn=10)
    if scale > 1e-300:  # of a smaller one, only a few bits are left
        assert [word for word, _ in found] == expected


def test_vectors_of_different_types_add_up(vectors):
    wide, narrow = MATRIX[3].astype(np.float64), MATRIX[4]
    both = vectors.most_similar([narrow, wide, np.arange(N)])
    assert both == vectors.most_similar([narrow + wide + np.arange(N)])


@pytest.mark.slow
@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: arrays.arrays(dtype, (6, 3), elements=st.integers(-2, 2).map(lambda x: x / 2))
    ),
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4),
    st.lists(st.sampled_from("abcdef"), max_size=3),
    st.integers(0, 8),
)
def test_most_similar_is_the_naive_search(matrix, positive, negative, topn):
    vectors = WordVectors(list("abcdef"), matrix)
    if naive.is_zero("abcdef", matrix, positive, negative):
        with pytest.raises(QueryError, match="adds up to zero"):
            vectors.most_similar(positive, negative, topn)
        return
    found = vectors.most_similar(positive, negative, topn)
    expected = dict(naive.most_similar("abcdef", matrix, positive, negative, 6))
    best = sorted(expected.values(), reverse=True)[:topn]
    np.testing.assert_allclose([c for _, c in found], best, atol=1e-6)
    np.testing.assert_allclose([expected[w] for w, _ in found], best, atol=1e-6)
    assert all(isinstance(c, float) for _, c in found)


def test_ties_come_in_order_of_frequency_and_zero_rows_are_zero():
    found = small().most_similar("king")
    assert [word for word, _ in found] == ["kings", "queen", "apple", "nil", "anti"]
    np.testing.assert_allclose([cosine for _, cosine in found], [1, 0.8, 0, 0, -1])
    ties = WordVectors(list("abcdefgh"), np.ones((8, 2)))
    assert [word for word, _ in ties.most_similar("d", topn=4)] == ["a", "b", "c", "e"]
    with pytest.raises(QueryError, match="adds up to zero"):
        small().most_similar("nil")


@pytest.mark.parametrize("many", [1, 16, 1000])
def test_a_batch_is_one_query_after_the_other(vectors, monkeypatch, many):
    monkeypatch.setattr(nearest, "MANY", many)
    positive = [[f"w{i}"] for i in range(20)] + [["w1", ("w2", 0.5)], [U]]
    negative = [[]] * 20 + [["w9"], []]
    single = [vectors.most_similar(p, n) for p, n in zip(positive, negative, strict=True)]
    assert vectors.most_similar(positive, negative) == single
    assert vectors.most_similar([["w1"]], topn=3) == [vectors.most_similar("w1", topn=3)]
    assert vectors.most_similar(None, [["w1"]], 3) == [vectors.most_similar(None, "w1", 3)]
    assert len(vectors.most_similar((["w1"], ["w2"]))) == 2


def test_in_a_batch_the_number_of_a_bad_query_is_told(vectors):
    with pytest.raises(QueryError, match=r"^query 2 adds up to zero"):
        vectors.most_similar([["w1"], ["w2"]], [["w3"], ["w2"]])


@pytest.mark.parametrize(
    "part",
    [
        {"restrict_vocab": 50},
        {"restrict_vocab": 5000},
        {"clip_start": 600},
        {"clip_end": 30},
        {"clip_start": 100, "clip_end": 200},
        {"clip_start": 3, "clip_end": 6},
    ],
)
@pytest.mark.parametrize("word", ["w4", "w650"])
def test_only_part_of_the_vocabulary(vectors, gensim_vectors, part, word):
    ours = vectors.most_similar(word, topn=10, **part)
    # gensim shortens the list by the word of the query although it is not in that part.
    theirs = gensim_vectors.most_similar([MATRIX[int(word[1:])]], topn=11, **part)
    assert [w for w, _ in ours] == [w for w, _ in theirs if w != word][:10]
    assert vectors.most_similar([[word]], topn=10, **part) == [ours]


@pytest.mark.parametrize("part", [{"clip_start": 5, "clip_end": 5}, {"clip_start": 700}])
def test_no_part_of_the_vocabulary(vectors, part):
    assert vectors.most_similar("w1", **part) == []


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("w1", None),
        (["w1", "w2"], ["w3"]),
        (["w1"], ["w2", "w3"]),
        (["w1", "w1"], "w4"),
        (["w1", MATRIX[2] / np.linalg.norm(MATRIX[2])], ["w3"]),
    ],
)
@pytest.mark.parametrize("topn", [0, 1, 10, 699, 5000])
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")
def test_most_similar_cosmul_is_gensims(vectors, gensim_vectors, positive, negative, topn):
    ours = vectors.most_similar_cosmul(positive, negative, topn)
    theirs = gensim_vectors.most_similar_cosmul(positive, negative, topn=topn)
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], rtol=1e-4)


def test_most_similar_cosmul_in_parts_and_many(vectors):
    whole = vectors.most_similar_cosmul("w1", "w2", topn=700)
    expected = [pair for pair in whole if int(pair[0][1:]) < 50][:10]
    assert vectors.most_similar_cosmul("w1", "w2", restrict_vocab=50) == expected
    many = vectors.most_similar_cosmul([["w1"], ["w3", "w4"]], [["w2"], ["w5"]])
    assert many == [
        vectors.most_similar_cosmul("w1", "w2"),
        vectors.most_similar_cosmul(["w3", "w4"], ["w5"]),
    ]
    # A vector counts by its direction alone.
    assert vectors.most_similar_cosmul([8 * U, "w2"]) == vectors.most_similar_cosmul([U, "w2"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], ["king"]), "query is empty"),
        (((), None), "query is empty"),
        (([("king", 0.5)],), "a product has no weights; give words or vectors alone"),
        (([("king", -1)],), "a product has no weights"),
        ((["king"], [("queen", 2.0)]), "a product has no weights"),
        ((["king", "nil"],), "a term of the query is zero, which has no direction; leave it out"),
        (("king", "nil"), "a term of the query is zero"),
        (("king", None, -1), "topn is -1"),
        (("king", None, 10, 0), "restrict_vocab is 0, but must be a whole number of 1 or more"),
    ],
)
def test_products_that_make_no_sense(arguments, message):
    with pytest.raises(QueryError, match=message):
        small().most_similar_cosmul(*arguments)


def test_similar_by_word_and_by_vector(vectors, gensim_vectors):
    for part in ({}, {"topn": 3}, {"topn": 5, "restrict_vocab": 40}):
        word = vectors.similar_by_word("w7", **part)
        assert word == vectors.most_similar("w7", **part)
        assert [w for w, _ in word] == [w for w, _ in gensim_vectors.similar_by_word("w7", **part)]
        found = vectors.similar_by_vector(MATRIX[7], **part)
        theirs = gensim_vectors.similar_by_vector(MATRIX[7], **part)
        assert [w for w, _ in found] == [w for w, _ in theirs]
        assert found[0][0] == "w7"
        both = vectors.similar_by_word(["w7", "w8"], **part)
        assert both == [word, vectors.similar_by_word("w8", **part)]
        assert vectors.similar_by_vector([MATRIX[7]], **part) == [found]
        assert vectors.similar_by_vector([*MATRIX[:2]], **part)[0][0][0] == "w0"
    assert vectors.similar_by_word([]) == vectors.similar_by_vector([]) == []


@pytest.mark.parametrize("word", [7, None, ["w1", 7], MATRIX[0], [MATRIX[0]], ["w1", ["w2"]]])
def test_similar_by_what_is_no_word(vectors, word):
    with pytest.raises(QueryError, match="is not a word"):
        vectors.similar_by_word(word)


def test_to_gensim(vectors, gensim_vectors):
    theirs = vectors.to_gensim()
    assert theirs.index_to_key == WORDS
    np.testing.assert_array_equal(theirs.vectors, MATRIX)
    assert theirs.vectors.dtype == np.float32
    assert theirs.get_vecattr("w0", "count") == V
    theirs.vectors[0] = 0  # a copy
    assert MATRIX[0].any()
    assert small().to_gensim().vectors.dtype == np.float64
    assert "count" not in small().to_gensim().expandos


def test_without_gensim(monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(CBOWError, match=r"gensim cannot be imported .*pip install gensim"):
        small().to_gensim()


def test_saving(tmp_path):
    small().save(tmp_path / "vectors.safetensors")
    found = formats.read(tmp_path / "vectors.safetensors")
    assert tuple(found.words) == small().words
    np.testing.assert_array_equal(found.matrix, small().matrix)
    small().save(tmp_path / "vectors", format="word2vec-text")
    assert (tmp_path / "vectors").read_text().startswith("6 2\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "query is empty"),
        (([],), "query is empty"),
        (([["w1"], []],), "query is empty"),
        (("w1", None, -1), "topn is -1, but must be a whole number of 0 or more"),
        (("w1", None, 2.0), "topn is 2.0"),
        (("w1", None, None), "topn is None"),
        (("w1", None, True), "topn is True"),
        (("w1", None, 10, -1), "clip_start is -1, but must be a whole number of 0 or more"),
        (("w1", None, 10, 0, -1), "clip_end is -1"),
        (("w1", None, 10, 0, 2.5), "clip_end is 2.5"),
        (("w1", None, 10, None), "clip_start is None"),
        (("w1", None, 10, 0, None, 0), "restrict_vocab is 0, but must be a whole number of 1"),
        (("w1", None, 10, 3, None, 9), "restrict_vocab is given and so is clip_start or clip_end"),
        (("w1", None, 10, 0, 3, 9), "restrict_vocab is given and so is"),
        ((7,), "int 7 is not a query"),
        ((np.ones(3),), r"shape \(3,\), but must hold 16 finite numbers"),
        ((np.ones(()),), r"shape \(\)"),
        ((np.full(N, np.nan),), "finite numbers"),
        ((np.full(N, 1j),), "finite numbers"),
        ((np.full(N, None),), "NoneType None is neither a word nor a vector"),
        (([(np.full(N, 1e308), 1e308)],), "adds up to infinity"),
        (([(np.full(N, 1e308), 1e308)], [(np.full(N, 1e308), -1e308)]), "adds up to infinity"),
    ],
)
def test_queries_that_make_no_sense(vectors, arguments, message):
    with pytest.raises(QueryError, match=message):
        vectors.most_similar(*arguments)


def test_topn_may_be_numpys(vectors):
    assert len(vectors.most_similar("w1", topn=np.int64(3))) == 3


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e38])
def test_vectors_that_are_no_numbers(broken):
    matrix = np.ones((3, 2), np.float32)
    matrix[1:, 0] = broken
    said = (
        "the model holds numbers that are not finite, or far too large, in the vectors of 2 words, "
        "the first 'b'; train it again with a smaller learning rate"
    )
    for query in ("a", "b", np.ones(2)):
        with pytest.raises(QueryError, match=said):
            WordVectors(list("abc"), matrix).most_similar(query)


def test_no_words_at_all():
    empty = WordVectors([], np.empty((0, 3)))
    assert list(empty) == []
    assert empty.most_similar(np.ones(3)) == []
    with pytest.raises(UnknownWordError, match="no word of it is spelled alike"):
        empty["king"]


def test_the_lengths_are_computed_once(monkeypatch):
    calls = []
    monkeypatch.setattr(
        nearest, "inverse_lengths", lambda matrix: calls.append(1) or np.ones(len(matrix))
    )
    vectors = small()
    assert calls == []
    vectors.most_similar("king")
    vectors.most_similar("queen")
    assert calls == [1]


@given(st.recursive(st.one_of(st.text(), st.floats(), st.none(), st.integers()), st.lists))
def test_any_query_is_answered_or_explained(query):
    try:
        assert isinstance(small().most_similar(query), list)
    except CBOWError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize("words", [np.array(["a", "b"]), [np.str_("a"), "b"], {"a": 1, "b": 2}])
def test_words_become_str(words):
    vectors = WordVectors(words, np.eye(2))
    assert vectors.words == ("a", "b")
    assert {type(word) for word in vectors} == {str}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([1, 2], "word 0 of the words is int 1, but must be str; convert"),
        (["a", b"b"], "word 1 of the words is bytes b'b', but must be str"),
        (["a", None], "word 1 of the words is NoneType None"),
        (["a", ["b"]], "word 1 of the words is list"),
        (np.array([1, 2]), "word 0 of the words is int64"),
        ("ab", "the words are str 'ab'; give a list of str"),
        (b"ab", "the words are bytes b'ab'; give a list"),
        (None, "the words are NoneType None"),
        (2, "the words are int 2"),
    ],
)
def test_words_that_are_none(words, says):
    with pytest.raises(ModelFileError, match=re.escape(says)):
        WordVectors(words, np.eye(2))


@pytest.mark.parametrize("pair", [("w1", "w2"), ("w5", "w299"), ("w3", "w3")])
def test_similarity_and_distance(vectors, gensim_vectors, pair):
    expected = naive.cosine(*(MATRIX[int(word[1:])] for word in pair))
    assert vectors.similarity(*pair) == pytest.approx(expected, abs=1e-12)
    assert vectors.similarity(*pair) == pytest.approx(
        float(gensim_vectors.similarity(*pair)), abs=1e-6
    )
    assert vectors.distance(*pair) == pytest.approx(float(gensim_vectors.distance(*pair)), abs=1e-6)
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
def test_n_similarity(vectors, gensim_vectors, a, b):
    assert vectors.n_similarity(a, b) == pytest.approx(
        float(gensim_vectors.n_similarity(a, b)), abs=1e-6
    )
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


def test_distances(vectors, gensim_vectors):
    np.testing.assert_allclose(vectors.distances("w7"), gensim_vectors.distances("w7"), atol=1e-6)
    others = ["w1", "w2", "w1"]
    found = vectors.distances("w7", others)
    np.testing.assert_allclose(found, gensim_vectors.distances("w7", others), atol=1e-6)
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
def test_rank_and_closer_than(vectors, gensim_vectors, pair):
    assert vectors.closer_than(*pair) == gensim_vectors.closer_than(*pair)
    assert vectors.rank(*pair) == gensim_vectors.rank(*pair)
    row = MATRIX[int(pair[0][1:])]
    assert vectors.rank(row, pair[1]) == vectors.rank(*pair) + (pair[0] != pair[1])
    with pytest.raises(QueryError, match="is not a word"):
        vectors.rank(pair[0], row)


def test_rank_is_the_place_in_most_similar(vectors):
    for place, (word, _) in enumerate(vectors.most_similar("w9", topn=V), 1):
        assert vectors.rank("w9", word) == place


@pytest.mark.slow
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


def test_most_similar_to_given(vectors, gensim_vectors):
    others = ["w5", "w6", "w7", "w8"]
    assert vectors.most_similar_to_given("w1", others) == gensim_vectors.most_similar_to_given(
        "w1", others
    )
    assert small().most_similar_to_given("king", ["apple", "nil", "kings", "king"]) == "kings"
    assert small().most_similar_to_given(np.array([0, 3]), ("nil", "apple")) == "apple"
    with pytest.raises(QueryError, match="no word to choose from; give at least one"):
        vectors.most_similar_to_given("w1", [])


@pytest.mark.parametrize("words", [["w1", "w2", "w3"], ["w5", "w9", "w5", "w20"], WORDS[:40]])
def test_doesnt_match(vectors, gensim_vectors, words):
    assert vectors.doesnt_match(words) == gensim_vectors.doesnt_match(words)
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
