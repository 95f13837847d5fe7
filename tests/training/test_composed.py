"""Training words that are made of n-grams, from a text to a model file and its vectors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.config import ACTIVATIONS, Config
from cbow.errors import ConfigError
from cbow.network import Parameters, backward, cbow_network, compose, contexts, forward, initialise
from cbow.text import encode_corpus
from cbow.text.ngrams import Features, Ngrams, collisions, features_of, ngram_ids
from cbow.training import Interrupted, Observer
from cbow.training.composed import Composed, Rows, features_for, in_parts
from cbow.training.exact.trainer import BatchTrainer
from cbow.training.examples import ExampleSource, Tally
from cbow.training.sampled.kernels import PARTS
from cbow.training.state import Measures, State, copy

WORDS = ["walk", "walks", "walked", "talk", "talks", "talked", "a", "the"]


def story(lines=60, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(lines)]


SMALL = {
    "ngrams": (3, 4), "buckets": 16, "dimension": 4, "epochs": 2, "sample": 0.0, "min_count": 1,
    "window": 2, "candidates": 3, "block": 16, "batch": 48,
}  # fmt: skip


def matrix_of(words, buckets=16):
    features = features_of(words, Ngrams(3, 4, buckets))
    return contexts(features.indices, features.indptr, len(words) + buckets, np.float32)


def test_features_and_buckets_of_a_configuration():
    config, features = features_for(Config(), ["one", "two"])
    assert config == Config()
    assert features.indptr.tolist() == [0, 1, 2]
    assert features.indices.tolist() == [0, 1]
    config, features = features_for(Config(ngrams="3,4"), ["one", "two"])
    assert config.buckets == 16  # <on, <one, one, one>, ne>, and as many of two
    expected = features_of(["one", "two"], Ngrams(3, 4, 16))
    np.testing.assert_array_equal(features.indices, expected.indices)
    assert features_for(Config(ngrams="3,4", buckets=7), ["one"])[0].buckets == 7


def test_what_became_of_the_ngrams_is_reported():
    words = [*WORDS, "a" * 1200]
    model = cbow.train([" ".join([*WORDS * 40, words[-1]])] * 3, **SMALL)
    expected = collisions(words, Ngrams(3, 4, 16))
    assert model.report["ngrams"] == {"buckets": 16, "sharing": expected, "left_out": 399}
    assert 0 < expected <= 1
    assert "ngrams" not in cbow.train(story(), **{**SMALL, "ngrams": 0, "buckets": None}).report


def test_buckets_without_ngrams():
    with pytest.raises(ConfigError, match="buckets is 5, but there are no n-grams to share them"):
        Config(buckets=5)


@pytest.mark.parametrize("given", ["3,6", (3, 6), [3, 6], np.array([3, 6])])
def test_lengths(given):
    assert Config(ngrams=given).ngrams == (3, 6)
    assert Config.from_dict(Config(ngrams="3,6").to_dict()).ngrams == (3, 6)


@pytest.mark.parametrize("given", ["0", 0, None])
def test_no_lengths(given):
    assert Config(ngrams=given) == Config()


@pytest.mark.parametrize(
    "given", ["6,3", "0,3", "3,60", "3", 3, "a,b", (1, 2, 3), "", {}, b"3,6", (3.0, 6), True]
)
def test_lengths_that_are_none(given):
    with pytest.raises(ConfigError, match="must be the fewest and the most characters, from 1 to"):
        Config(ngrams=given)


@pytest.mark.parametrize("buckets", [0, 2**40, 1.5])
def test_numbers_of_buckets_that_are_none(buckets):
    with pytest.raises(ConfigError, match="but must be a whole number from 1 to 2"):
        Config(ngrams="3,6", buckets=buckets)


def test_the_words_start_the_same_with_any_number_of_buckets():
    for buckets in (0, 5):
        W1 = initialise(3, 4, 1, buckets=buckets).W1
        assert W1.shape == (4, 3 + buckets)
        np.testing.assert_array_equal(W1[:, :3], initialise(3, 4, 1).W1)


def test_composed_parameters_follow_those_of_the_features():
    _, features = features_for(Config(ngrams="3,4", buckets=16), WORDS)
    parameters = initialise(len(WORDS), 4, 1, buckets=16)
    composed = Composed(parameters, features)
    parameters.W1[:] *= 2
    composed.compose()
    expected = compose(parameters, matrix_of(WORDS))
    for one, other in zip(composed.parameters, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_rows_are_learned_by_parts_and_as_words_first_have_them():
    features = Features(np.array([0, 3, 5, 8]), np.array([0, 4, 6, 1, 4, 2, 3, 6], np.int32))
    rows = Rows(features, 8)
    assert rows.order.tolist() == [0, 4, 6, 1, 2, 3, 5, 7]
    assert rows.features.indices.tolist() == [0, 1, 2, 3, 1, 4, 5, 2]
    five = Features(np.arange(0, 12, 2), np.array([0, 6, 1, 6, 2, 7, 3, 5, 4, 7], np.int32))
    assert Rows(five, 9).order.tolist() == [0, 6, 4, 1, 8, 2, 7, 3, 5]
    rng = np.random.default_rng(0)
    parameters = Parameters(*(rng.normal(size=n) for n in [(8, 2), (2, 1), (3, 2), (3, 1)]))
    parameters = Parameters(parameters.W1.T, *parameters[1:])
    whole = Composed(parameters, features).parameters
    ordered = copy(parameters)
    rows.put_in_order(ordered)
    np.testing.assert_allclose(Composed(ordered, rows.features).parameters.W1, whole.W1)
    for one, other in zip(rows.restored(ordered), parameters, strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.integers(1, 30), st.integers(1, 20), st.integers(0, 10**6))
def test_rows_are_dealt_out_to_parts(V, buckets, seed):
    """No matter how they are numbered; each word has what it had, in the order it had it."""
    rng = np.random.default_rng(seed)
    each = [[w, *rng.integers(V, V + buckets, rng.integers(0, 9))] for w in range(V)]
    indptr = np.append(0, np.cumsum([len(rows) for rows in each]))
    features = Features(indptr, np.concatenate(each).astype(np.int32))
    by_parts = in_parts(features)
    assert len(by_parts.indptr) == PARTS * V + 1
    part_of, first = {}, {}
    for w, rows in enumerate(each):
        for row in rows:
            first.setdefault(row, w)
        for p in range(PARTS):
            place = PARTS * w + p
            some = by_parts.indices[by_parts.indptr[place] : by_parts.indptr[place + 1]].tolist()
            assert some == [row for row in rows if row in some]
            assert all(part_of.setdefault(row, p) == p for row in some)
        assert by_parts.indptr[PARTS * (w + 1)] == indptr[w + 1]
    assert all(part == first[row] % PARTS for row, part in part_of.items())
    again = rng.permutation(V + buckets).astype(np.int32)
    renumbered = in_parts(Features(indptr, again[features.indices]))
    np.testing.assert_array_equal(renumbered.indptr, by_parts.indptr)
    np.testing.assert_array_equal(renumbered.indices, again[by_parts.indices])


@pytest.mark.parametrize("stop", [False, True])
def test_the_order_of_rows_is_not_seen(stop, monkeypatch, ctrl_c):
    """Neither in a model that was trained to the end, nor in one that was interrupted."""

    class Stopper(Observer):
        def finished_epoch(self, epoch):
            if stop:
                ctrl_c()

    def trained():
        try:
            return cbow.train(story(), **SMALL, objective="sampled", observer=Stopper())
        except Interrupted as ended:
            return ended.model

    expected = trained()

    class Same(Rows):
        def __init__(self, features, count):
            self.order, self.features = np.arange(count), features

    monkeypatch.setattr("cbow.training.run.Rows", Same)
    for one, other in zip(trained().parameters, expected.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


def test_whole_words_are_not_copied():
    parameters = initialise(len(WORDS), 4, 1)
    composed = Composed(parameters, features_for(Config(), WORDS)[1])
    composed.compose()
    assert composed.parameters is parameters
    assert composed.gradients(parameters) is parameters


def test_an_exact_step_is_one_of_the_network(tmp_path):
    """Plain gradient descent moves the parameters of the features by their own gradients."""
    config = Config(**SMALL)
    corpus = encode_corpus(story(), config, folder=tmp_path)
    words = corpus.vocabulary.words
    source = ExampleSource(corpus, config.window, config.sample, 0.0, config.seed)
    network, F = cbow_network("relu"), matrix_of(words)
    parameters = initialise(len(words), 4, 1, buckets=16)
    before = Parameters(*(array.copy(order="K") for array in parameters))
    ((batch, _),) = source.epoch(1, 10**6, Tally())
    X = contexts(batch.indices, batch.indptr, len(words), np.float32, F)
    gradients = backward(network, before, forward(network, before, X), batch.y)
    composed = Composed(parameters, features_for(config, words)[1])
    with ThreadPoolExecutor(1) as pool:
        trainer = BatchTrainer(network, composed, source, 10**6, "sgd", pool)
        list(trainer.portions(State(1, Measures(4)), lambda share: 1.0))
    np.testing.assert_allclose(before.W1 - parameters.W1, gradients.dW1, atol=1e-6)
    np.testing.assert_allclose(before.W2 - parameters.W2, gradients.dW2, atol=1e-6)


@pytest.mark.parametrize("objective", ["exact", "sampled"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_same_bytes_at_any_number_of_threads(objective, activation, tmp_path):
    saved = []
    for threads in (1, 3):
        path = tmp_path / f"{threads}.safetensors"
        settings = {**SMALL, "objective": objective, "activation": activation}
        cbow.train(story(), **settings, threads=threads).save(path)
        saved.append(path.read_bytes())
    assert saved[0] == saved[1]


@pytest.mark.parametrize("objective", ["exact", "sampled"])
def test_a_checkpoint_goes_on_to_the_same_bytes(objective, tmp_path, ctrl_c):
    settings = {**SMALL, "objective": objective}
    path = tmp_path / "c.safetensors"

    class Stopper(Observer):
        def finished_epoch(self, epoch):
            ctrl_c()

    text = tmp_path / "text.txt"
    text.write_text("\n".join(story()))
    expected = cbow.train(text, **settings)
    with pytest.raises(Interrupted):
        cbow.train(text, **settings, observer=Stopper(), checkpoint=path, checkpoint_every=1)
    resumed = cbow.resume(path)
    for one, other in zip(resumed.parameters, expected.parameters, strict=True):
        np.testing.assert_array_equal(one, other)
    more = cbow.train(text, **settings)
    more.save(tmp_path / "m.safetensors")
    longer = cbow.resume(tmp_path / "m.safetensors", corpus=text, epochs=1)
    assert len(longer.report["epochs"]) == 3


def test_the_file_and_the_vectors(tmp_path):
    model = cbow.train(story(), **SMALL)
    path = tmp_path / "m.safetensors"
    model.save(path)
    again = cbow.load(path)
    assert again.config.ngrams == (3, 4)
    assert again.parameters.W1.shape == (4, 8 + 16)
    words = list(model.vocabulary.words)
    expected = (matrix_of(words).T @ model.parameters.W1.T).astype(np.float32)
    for each in (model, again):
        np.testing.assert_allclose(each.embedding("input").matrix, expected, atol=1e-7)
        np.testing.assert_array_equal(each.embedding("output").matrix, model.parameters.W2)
        assert each.predict_center(["walk", "the"]) == model.predict_center(["walk", "the"])
    np.testing.assert_array_equal(again.vectors.matrix, model.vectors.matrix)
    for kind in ("input", "output", "mean", "joint"):
        np.testing.assert_array_equal(
            cbow.load_vectors(path, kind).matrix, model.embedding(kind).matrix
        )


def test_unknown_words(tmp_path):
    """They are made of their n-grams in the space of the vectors, which is fitted to the known."""
    model = cbow.train(story(), **{**SMALL, "buckets": 64})
    model.save(tmp_path / "m.safetensors")
    ids = ngram_ids("walking", Ngrams(3, 4, 64))
    G = model.parameters.W1.T[8:][ids].mean(axis=0)
    np.testing.assert_allclose(model.embedding("input")["walking"], G, rtol=1e-5)
    for kind in ("input", "output", "mean", "joint"):
        vectors = cbow.load_vectors(tmp_path / "m.safetensors", kind)
        assert "walking" not in vectors
        assert vectors.has_vector("walking")
        np.testing.assert_array_equal(vectors["walking"], model.embedding(kind)["walking"])
        nearest = [word for word, _ in vectors.most_similar("walking", topn=8)]
        assert sorted(nearest) == sorted(model.vocabulary.words)
    words = list(model.vocabulary.words)
    G = np.array([model.parameters.W1.T[8:][ngram_ids(w, Ngrams(3, 4, 64))].mean(0) for w in words])
    A = np.linalg.lstsq(G.astype(float), model.vectors.matrix.astype(float), rcond=None)[0]
    made = model.vectors.subwords.vectors(words)
    np.testing.assert_allclose(made, G @ A, atol=1e-4)


def test_a_word_without_ngrams_is_its_own(tmp_path):
    model = cbow.train(story(), **{**SMALL, "ngrams": (4, 4)})
    a = model.vocabulary["a"]  # <a> has three characters
    np.testing.assert_array_equal(model.embedding("input")["a"], model.parameters.W1[:, a])
    assert not model.vectors.has_vector("b")


def test_a_save_after_a_change_has_the_joint_vectors_of_the_change(tmp_path):
    model = cbow.train(story(), **SMALL)
    old = model.joint
    model.parameters.W1[:, -16:] += np.random.default_rng(0).normal(size=(4, 16))
    model.save(tmp_path / "m.safetensors")
    assert not np.allclose(old, cbow.load(tmp_path / "m.safetensors").joint)


def test_other_ngrams_are_refused_when_training_goes_on(tmp_path):
    path = tmp_path / "m.safetensors"
    cbow.train(story(), **SMALL).save(path)
    for settings, found in [
        ({"ngrams": 0}, r"ngrams is the default, but .* was trained with \(3, 4\)"),
        ({"ngrams": (2, 4)}, r"ngrams is \(2, 4\), but"),
        ({"buckets": 9}, "buckets is 9, but .* was trained with 16"),
    ]:
        with pytest.raises(ConfigError, match=found):
            cbow.resume(path, corpus=story(), epochs=1, **settings)


def test_the_time_of_the_losses_is_that_of_composing_too(monkeypatch):
    seconds = 0.0

    def compose(self):
        nonlocal seconds
        seconds += 100

    class Observing(Observer):
        def planned(self, plan):
            self.plan = plan

    observer = Observing()
    monkeypatch.setattr(Composed, "compose", compose)
    monkeypatch.setattr("cbow.training.losses.time.monotonic", lambda: seconds)
    cbow.train(story(), **{**SMALL, "objective": "sampled"}, observer=observer)
    assert observer.plan.loss_seconds == 100
