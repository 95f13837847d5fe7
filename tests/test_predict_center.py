"""The missing word, held against loops, against gensim, and against what was planted."""

import math

import naive_network as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_script import load_script

import cbow
from cbow.errors import QueryError, UnknownWordError
from cbow.network import Parameters
from cbow.text import Vocabulary

WORDS = ["the", "king", "naïve", "well-known", "नमस्ते", "🙂", "o", "queen"]
V, N = len(WORDS), 3


def make(dtype=np.float64, activation="relu", seed=1):
    """A model of random numbers, some units of which are off."""
    rng = np.random.default_rng(seed)
    W1 = np.asfortranarray(rng.normal(size=(N, V)).astype(dtype))
    b1, W2, b2 = (rng.normal(size=shape).astype(dtype) for shape in [(N, 1), (V, N), (V, 1)])
    config = cbow.Config(dimension=N, activation=activation)
    vocabulary = Vocabulary(WORDS, range(V, 0, -1))
    return cbow.Model(config, vocabulary, Parameters(W1, b1, W2, b2), {})


def plain(model, words):
    """The probability of every word, number by number."""
    W1, b1, W2, b2 = model.parameters
    g = model.config.activation
    x = [words.count(word) / len(words) for word in WORDS]
    H = [
        naive.g(g, float(b1[j, 0]) + sum(float(W1[j, k]) * x[k] for k in range(V)))
        for j in range(N)
    ]
    z = [float(b2[k, 0]) + sum(float(W2[k, j]) * H[j] for j in range(N)) for k in range(V)]
    return dict(zip(WORDS, naive.outputs("softmax", z), strict=True))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "identity"])
@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=12), topn=st.integers(0, V + 2))
def test_it_is_the_forward_pass(activation, words, topn):
    model = make(activation=activation)
    expected = plain(model, words)
    found = model.predict_center(words, topn)
    assert [word for word, _ in found] == sorted(expected, key=lambda w: -expected[w])[:topn]
    for word, probability in found:
        assert type(probability) is float
        assert probability == pytest.approx(expected[word], rel=1e-12)


def test_the_probabilities_of_all_words_add_up_to_1():
    found = make().predict_center(["king", "o"], topn=10**9)
    assert {word for word, _ in found} == set(WORDS)
    assert math.fsum(p for _, p in found) == pytest.approx(1, abs=1e-12)


def test_neither_order_nor_repetition_of_all_matters_but_that_of_one_does():
    ask = make().predict_center
    one, other = ask(["king", "o"], V), dict(ask(["o", "king", "o", "king"], V))
    assert {word: pytest.approx(p, rel=1e-12) for word, p in one} == other
    assert dict(ask(["king", "o", "o"], V)) != {w: pytest.approx(p, rel=1e-3) for w, p in one}


def test_words_as_a_tuple_an_iterator_or_one_alone():
    ask = make().predict_center
    expected = ask(["king"])
    assert len(expected) == V
    assert ask("king") == ask(("king",)) == ask(iter(["king"])) == expected
    assert ask(np.array(["king", "o"])) == ask(["king", "o"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("held", [1, 2 * V, 2**22])
def test_many_gaps_are_answered_as_one_by_one(monkeypatch, dtype, held):
    monkeypatch.setattr("cbow.model.HELD", held)
    model, rng = make(dtype), np.random.default_rng(0)
    gaps = [list(rng.choice(WORDS, size=size)) for size in (3, 1, 7, 2, 2)]
    for together, words in zip(model.predict_center(gaps, 4), gaps, strict=True):
        alone = model.predict_center(words, 4)
        assert [word for word, _ in together] == [word for word, _ in alone]
        assert [p for _, p in together] == pytest.approx([p for _, p in alone], rel=1e-6)
    assert model.predict_center(gaps[:1], 4) == [model.predict_center(gaps[0], 4)]
    assert model.predict_center(map(tuple, gaps), 2) == model.predict_center(gaps, 2)


def test_equals_come_by_falling_frequency():
    size = 1500
    words = [f"w{i}" for i in range(size)]
    b2 = np.log(1.0 + np.arange(size)[:, None] % 3)  # three probabilities, each of 500 words
    flat = Parameters(np.zeros((N, size)), np.zeros((N, 1)), np.zeros((size, N)), b2)
    model = cbow.Model(cbow.Config(dimension=N), Vocabulary(words, np.ones(size, int)), flat)
    found = model.predict_center(["w7"], topn=1200)
    assert [word for word, _ in found] == [*words[2::3], *words[1::3], *words[0::3]][:1200]
    assert {round(p * 3000) for _, p in found} == {3, 2, 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the context is empty; give at least one"),
        ([["king"], []], "context 1 is empty"),
        (["king", ["o"]], "of 2 contexts 1 are single words"),
        (["king", None], "of 2 contexts 1 are single words"),
        ([["king", 7]], "7 in context 0 is not a word"),
        ([[["king"]]], r"\['king'\] in context 0 is not a word"),
        ([1, 2], "int 1 is not a context; give a list of the words around the gap"),
        (None, "NoneType None is not a context"),
        (b"king", "bytes b'king' is not a context"),
    ],
)
def test_what_is_no_context(words, message):
    with pytest.raises(QueryError, match=message):
        make().predict_center(words)


@pytest.mark.parametrize("topn", [-1, 1.0, True, "3", None])
def test_what_is_no_topn(topn):
    with pytest.raises(QueryError, match=r"^topn is .*, but must be a whole number of 0 or more$"):
        make().predict_center(["king"], topn)


def test_unknown_words_are_named_with_those_spelled_alike():
    for words in (["king", "quen"], [["king"], ["quen"]]):
        with pytest.raises(UnknownWordError, match=r"'quen' is not in the vocab.*mean queen"):
            make().predict_center(words)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_a_broken_model_is_no_oracle(wrong):
    model = make()
    model.parameters.W1[0, 1] = model.parameters.W2[4, 0] = wrong
    with pytest.raises(QueryError, match="not finite, or far too large"):
        model.predict_center(["king"])


def test_a_saved_model_answers_alike(tmp_path):
    model = make(np.float32)
    model.save(tmp_path / "m.safetensors")
    loaded = cbow.load(tmp_path / "m.safetensors")
    assert loaded.predict_center(["o", "king"]) == model.predict_center(["o", "king"])


def test_without_biases_and_activation_it_is_what_gensim_computes():
    gensim = pytest.importorskip("gensim.models")
    model = make(np.float32, "identity")
    for bias in (model.parameters.b1, model.parameters.b2):
        bias[:] = 0
    theirs = gensim.Word2Vec(vector_size=N, min_count=1, negative=5, cbow_mean=1)
    theirs.build_vocab_from_freq({word: V - i for i, word in enumerate(WORDS)})
    assert theirs.wv.index_to_key == WORDS
    theirs.wv.vectors[:], theirs.syn1neg[:] = model.parameters.W1.T, model.parameters.W2
    for words in (["king"], ["o", "🙂", "o"], WORDS):
        expected = theirs.predict_output_word(words, topn=V)
        found = model.predict_center(words, topn=V)
        assert [word for word, _ in found] == [word for word, _ in expected]
        assert [p for _, p in found] == pytest.approx([p for _, p in expected], rel=1e-5)


@pytest.mark.slow
def test_among_the_companions_of_a_family_its_members_are_missed():
    maker = load_script("make_corpus")
    settings = maker.Settings(tokens=60_000, vocabulary=600, families=6, analogies=0, seed=3)
    lines = [line.split() for line in maker.sentences(settings)]
    families = maker.truth(settings)["families"]
    model = cbow.train(lines, dimension=24, sample=0, epochs=4, batch=256)
    of = {word: set(family) for family in families for word in family}
    gaps, wanted = [], []
    for line in lines[:2000]:
        for i, word in enumerate(line):
            if word in of and len(near := line[max(0, i - 3) : i] + line[i + 1 : i + 4]) == 6:
                gaps.append(near)
                wanted.append(of[word])
    # Companions keep each other's company too, so that one of them may well be missing.
    ranked = model.predict_center(gaps, topn=len(model.vocabulary))
    planted = [next(word for word, _ in guesses if word in of) for guesses in ranked]
    hits = [word in family for word, family in zip(planted, wanted, strict=True)]
    always_the_same = [planted[0] in family for family in wanted]
    assert np.mean(hits) > 0.8 > 2 * np.mean(always_the_same)
