"""Whoever lets numpy raise at every floating-point error gets the same results as anybody else."""

import itertools
import warnings

import numpy as np
import pytest

import cbow
from cbow.evaluation import compare
from cbow.training import DivergenceError
from cbow.vectors import WordVectors, formats, nearest
from cbow.vectors.embeddings import principal_components

WORDS = [f"w{i}" for i in range(40)]
TEXT = ["the king rules the land", "the queen rules the land", "a dog eats the hay"] * 30


@np.errstate(under="ignore")
def tiny(dtype):
    """Rows that are small, next to nothing, and far from each other in size."""
    matrix = np.random.default_rng(5).standard_normal((len(WORDS), 3))
    limits = np.finfo(dtype)
    matrix[::2] *= np.sqrt(float(limits.tiny)) / 1e3
    matrix[1::4, 1:] *= float(limits.tiny) * 100
    matrix[3::4] *= float(limits.smallest_subnormal) * 4
    return matrix.astype(dtype)


def queries(vectors):
    return [
        vectors.most_similar("w0"),
        vectors.most_similar([("w0", 1e-300), ("w1", 1e-200)], ["w4"]),
        vectors.most_similar([[word] for word in WORDS[:20]]),
        vectors.most_similar_cosmul(["w0", "w4"], ["w8"]),
        vectors.similarity(WORDS, WORDS[::-1]).tolist(),
        vectors.n_similarity(WORDS[:3], WORDS[3:6]),
        vectors.distances("w0").tolist(),
        vectors.distances(["w0", "w1"], WORDS[:9]).tolist(),
        vectors.rank("w0", "w6"),
        vectors.most_similar_to_given("w0", WORDS[1:]),
        vectors.doesnt_match(WORDS[:5:2]),
    ]


@pytest.mark.parametrize("way", ["one by one", "in batches", "by a rough copy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_queries(monkeypatch, dtype, way):
    if way == "in batches":
        monkeypatch.setattr(nearest, "MANY", 1)
        monkeypatch.setattr(nearest, "R", 8)
        monkeypatch.setattr(nearest, "B", 2)
    if way == "by a rough copy":
        for name in ("LARGE", "PATIENCE"):
            monkeypatch.setattr(nearest, name, 0)
    expected = queries(WordVectors(WORDS, tiny(dtype)))
    with np.errstate(all="raise"):
        assert queries(WordVectors(WORDS, tiny(dtype))) == expected


@pytest.mark.parametrize(
    "settings",
    [{}, {"objective": "sampled", "candidates": 4, "learning_rate": 0.01}, {"objective": "exact"}],
)
def test_training(tmp_path, settings):
    settings = {"dimension": 8, "epochs": 3, "sample": 0, "min_count": 1, **settings}
    expected = cbow.train(TEXT, **settings)
    with np.errstate(all="raise"):
        model = cbow.train(TEXT, **settings)
        model.save(tmp_path / "m.safetensors")
        context = ["the", "king"]
        assert model.predict_center(context) == expected.predict_center(context)
        more = cbow.resume(tmp_path / "m.safetensors", corpus=TEXT, epochs=1)
        with pytest.raises(DivergenceError):
            cbow.train(TEXT, **{**settings, "learning_rate": 1e30, "objective": "exact"})
    assert model.vectors.matrix.tobytes() == expected.vectors.matrix.tobytes()
    assert len(more.report["epochs"]) == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_evaluation(dtype):
    vectors = WordVectors(WORDS, tiny(dtype))
    pairs = [(a, b, i) for i, (a, b) in enumerate(itertools.pairwise(WORDS))]
    analogies = [WORDS[i : i + 4] for i in range(20)]

    def scores():
        found = cbow.evaluate(vectors, pairs, analogies, resamples=50)
        other = cbow.evaluate(WordVectors(WORDS, tiny(dtype)[::-1]), pairs, analogies, resamples=50)
        return [str(found.to_dict()), str([each.to_dict() for each in compare(found, other)])]

    expected = scores()
    with np.errstate(all="raise"):
        assert scores() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != "model"])
def test_formats(tmp_path, name, dtype):
    matrix = tiny(dtype)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formats.write(tmp_path / "file", WORDS, matrix, format=name)
        vectors = cbow.load_vectors(tmp_path / "file", embedding="input")
    np.testing.assert_array_equal(vectors.matrix, matrix.astype(vectors.matrix.dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_drawn(dtype):
    with np.errstate(all="raise"):
        principal_components(tiny(dtype))
