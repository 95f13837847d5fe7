"""Models: their parts, their file, and the same bytes every time."""

import dataclasses
import json
import mmap
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from format_files import GOLDEN
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

import cbow
from cbow.config import EMBEDDINGS, Config
from cbow.errors import ConfigError, ModelFileError, OutputError, QueryError
from cbow.model import Model, load, load_vectors
from cbow.network import Parameters
from cbow.system import safetensors_file
from cbow.text import Vocabulary
from cbow.vectors.embeddings import embed

WORDS = ["the", "king", "naïve", "well-known", "नमस्ते", "🙂", "o"]
V, N = len(WORDS), 3
REPORT = {"epochs": [{"loss": 1.5}], "account": {"read": 28}, "note": "é\ud800", "none": None}


def make(dtype=np.float32, words=WORDS, report=REPORT, dimension=N, **settings):
    rng = np.random.default_rng(1)
    size = len(words)

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    parameters = Parameters(
        np.asfortranarray(draw(dimension, size)),
        draw(dimension, 1),
        draw(size, dimension),
        draw(size, 1),
    )
    config = Config(dimension=dimension, **settings)
    return Model(config, Vocabulary(words, range(size, 0, -1)), parameters, report)


def replaced(parameters, name, array):
    """Parameters with another array in the place of one."""
    both = zip(parameters.names, parameters, strict=True)
    return Parameters(*(array if each == name else old for each, old in both))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a model file."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    make().save(path)
    return path.read_bytes()


def reload(tmp_path_factory, content):
    """Open bytes in both ways."""
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    path.unlink(missing_ok=True)  # an old mapping keeps the old file
    path.write_bytes(content)
    return load(path), load_vectors(path)


# -- the model ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_embeddings(dtype):
    model = make(dtype)
    W1, _, W2, _ = model.parameters
    for kind, expected in [("input", W1.T), ("output", W2), ("mean", (W1.T + W2) / 2)]:
        vectors = model.embedding(kind)
        np.testing.assert_array_equal(vectors.matrix, expected)
        assert vectors.matrix.dtype == dtype
        assert vectors.matrix.flags.c_contiguous
        assert vectors.words == tuple(WORDS)
        assert vectors.counts.tolist() == [7, 6, 5, 4, 3, 2, 1]
    assert np.shares_memory(model.embedding("input").matrix, W1)
    assert np.shares_memory(model.embedding("output").matrix, W2)


def test_default_embedding():
    model = make()
    expected = model.embedding(cbow.config.DEFAULT_EMBEDDING).matrix
    np.testing.assert_array_equal(model.vectors.matrix, expected)
    assert model.vectors is model.vectors  # with its table of words, and its lengths


def test_no_such_embedding(path):
    make().save(path)
    for ask in (make().embedding, lambda kind: load_vectors(path, kind)):
        with pytest.raises(ConfigError, match="'men', but must be one of input, output, mean"):
            ask("men")


def test_repr():
    assert repr(make()) == "Model(7 words, 3 dimensions, relu)"


def test_the_table_for_a_notebook():
    page = make(window=7, stop_words=["<i>"])._repr_html_()
    assert page.startswith("<table><caption>Model(7 words, 3 dimensions, relu)</caption>")
    assert ">stop_words=(&#x27;&lt;i&gt;&#x27;,), window=7, dimension=3<" in page
    assert ">52<" in page
    assert "loss" not in page
    last = {"loss": 1.5, "heldout_loss": None}
    baselines = {"unigram": 1.75, "uniform": 2.0, "heldout_unigram": None}
    report = {"objective": "exact", "epochs": [{}, last], "baselines": baselines}
    page = make(report=report)._repr_html_()
    for part in ("exact", ">2<", "nats per token", "1.5000", "1.7500", "2.0000"):
        assert part in page
    assert "held-out" not in page
    last["heldout_loss"] = baselines["heldout_unigram"] = 1.625
    assert "held-out loss of the word frequencies" in make(report=report)._repr_html_()
    for damage in ({"objective": 1}, {**report, "epochs": []}, {**report, "baselines": 7}):
        assert make(report=damage)._repr_html_()
    assert ">the defaults<" in make(dimension=Config.dimension)._repr_html_()


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().config = Config()
    assert make() != make()
    assert len({make(), make()}) == 2


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_parts_that_do_not_fit(name):
    good = make()
    for wrong in (
        getattr(good.parameters, name)[:-1],
        getattr(good.parameters, name).ravel(),
        getattr(good.parameters, name).astype(np.float16),
    ):
        parameters = replaced(good.parameters, name, wrong)
        with pytest.raises(ModelFileError, match=r" is float\d\d"):
            Model(good.config, good.vocabulary, parameters, {})


def test_a_configuration_of_another_dimension():
    good = make()
    with pytest.raises(ModelFileError, match=r"W1 is float32 of shape \(3, 7\), but .*\(4, 7\)"):
        Model(Config(dimension=4), good.vocabulary, good.parameters)


# -- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_saved_is_loaded(path, dtype):
    model = make(dtype, window=7, learning_rate=0.25, max_vocabulary=9, threads=3)
    model.save(path)
    loaded = load(path)
    assert loaded.config == dataclasses.replace(model.config, threads=None)
    assert loaded.vocabulary == model.vocabulary
    assert loaded.report == model.report
    for ours, theirs in zip(loaded.parameters, model.parameters, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == dtype
        assert not ours.flags.writeable
    assert loaded.parameters.W1.flags.f_contiguous
    assert loaded.parameters.W2.flags.c_contiguous


def test_the_vectors_alone(path):
    model = make()
    model.save(path)
    assert load_vectors(path).words == tuple(WORDS)
    np.testing.assert_array_equal(load_vectors(path).matrix, model.vectors.matrix)
    for kind in EMBEDDINGS:
        vectors = load_vectors(str(path), kind)
        np.testing.assert_array_equal(vectors.matrix, model.embedding(kind).matrix)
        assert vectors.counts.tolist() == [7, 6, 5, 4, 3, 2, 1]


def test_parameters_stay_on_disk(path):
    make().save(path)
    model = load(path)
    arrays = [
        *model.parameters,
        load_vectors(path, "input").matrix,
        model.embedding("output").matrix,
    ]
    for array in arrays:
        while not isinstance(array, mmap.mmap):
            array = array.base


def test_the_default_vectors_are_mapped_and_nothing_is_computed(path, monkeypatch):
    make().save(path)

    def computed(*_):
        raise AssertionError

    monkeypatch.setattr("cbow.vectors.embeddings.np.linalg.eigh", computed)
    for array in (load(path).vectors.matrix, load_vectors(path).matrix):
        while not isinstance(array, mmap.mmap):
            array = array.base
    with pytest.raises(AssertionError):
        _ = make().vectors


def test_what_is_saved_fits_parameters_that_were_changed_meanwhile(path):
    model = make()
    before = model.vectors.matrix.copy()
    model.parameters.W1[:, 0] = [1, 2, 3]
    model.save(path)
    expected = make()
    expected.parameters.W1[:, 0] = [1, 2, 3]
    np.testing.assert_array_equal(load_vectors(path).matrix, expected.vectors.matrix)
    assert (load_vectors(path).matrix != before).any()


def test_a_file_of_format_1(path):
    """Written before files had joint vectors and checksums."""
    golden = GOLDEN / "model_1.safetensors"
    model = load(golden)
    assert model.vocabulary.words == ("king", "old", "naïve", "queen")
    expected = embed(model.parameters.W1.T, model.parameters.W2, "joint")
    np.testing.assert_array_equal(load_vectors(golden).matrix, expected)
    np.testing.assert_array_equal(model.vectors.matrix, expected)
    model.save(path)
    np.testing.assert_array_equal(load_vectors(path).matrix, expected)
    for array, old in zip(load(path).parameters, model.parameters, strict=True):
        np.testing.assert_array_equal(array, old)
    more = cbow.resume(golden, corpus=[["old", "king"], ["old", "queen"], ["naïve", "king"]] * 40,
                       epochs=1)  # fmt: skip
    assert len(more.report["epochs"]) == 3


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_joint_vectors_do_not_depend_on_threads(tmp_path, threads):
    words = [f"w{i}" for i in range(3000)]
    for name, limit in (("one", 1), ("more", threads)):
        with threadpool_limits(limit, user_api="blas"):
            make(words=words, dimension=64).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "more").read_bytes()


def test_equal_models_give_equal_bytes(path, content):
    for threads in (None, 1, 4):
        make(threads=threads, report=dict(reversed(REPORT.items()))).save(path)
        assert path.read_bytes() == content


def test_a_loaded_model_gives_the_same_bytes(path, content):
    path.write_bytes(content)
    load(path).save(path)
    assert path.read_bytes() == content


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(path, content):
    code = f"import sys; sys.path = {sys.path!r}\n"
    code += f"import test_model; test_model.make().save({str(path)!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert path.read_bytes() == content


def test_memory_order_does_not_change_the_bytes(path, content):
    model = make()
    parameters = Parameters(*(np.ascontiguousarray(each) for each in model.parameters))
    parameters = replaced(parameters, "W2", np.asfortranarray(parameters.W2))
    Model(model.config, model.vocabulary, parameters, REPORT).save(path)
    assert path.read_bytes() == content


def test_what_the_file_holds(path):
    model = make()
    model.save(path)
    tensors = safetensors.numpy.load_file(path)
    assert set(tensors) == {"W1T", "b1", "W2", "b2", "counts", "words", "word_ends", "joint"}
    np.testing.assert_array_equal(tensors["joint"], model.vectors.matrix)
    np.testing.assert_array_equal(tensors["W1T"], model.parameters.W1.T)
    np.testing.assert_array_equal(tensors["b1"], model.parameters.b1[:, 0])
    assert tensors["words"].tobytes().decode() == "".join(WORDS)
    assert tensors["word_ends"].tolist() == np.cumsum([len(w.encode()) for w in WORDS]).tolist()
    assert tensors["counts"].dtype == np.int64
    _, metadata = safetensors_file.read(path)
    assert metadata.keys() == {"sha256", "cbow"}
    assert json.loads(metadata["cbow"]).keys() == {"format_version", "config", "report"}


def test_a_model_without_words(path):
    make(words=[]).save(path)
    assert len(load(path).vocabulary) == 0
    assert len(load_vectors(path)) == 0


@pytest.mark.parametrize(
    "report",
    [{"loss": float("nan")}, {"loss": [float("inf")]}, {"loss": np.float32(1)}, {"a": {1, 2}}],
)
def test_reports_that_are_no_json(path, report):
    with pytest.raises(ModelFileError, match=r"report of the model is no JSON .*finite numbers"):
        make(report=report).save(path)
    assert not path.exists()


def test_a_report_that_holds_itself(path):
    report = {}
    report["again"] = report
    with pytest.raises(ModelFileError, match="is no JSON"):
        make(report=report).save(path)


def test_a_failed_save_leaves_the_old_file(path, tmp_path, content, monkeypatch):
    path.write_bytes(content)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        make().save(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


# -- files that are no models ------------------------------------------------------------------


def changed(content, **changes):
    """Write a model file anew, with some of its arrays or metadata changed."""
    tensors = safetensors.numpy.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header["__metadata__"]
    del metadata["sha256"]  # what is wrong is to be told all the same
    for name, change in changes.items():
        if name == "metadata":
            metadata = change
        elif name == "cbow":
            metadata = {"cbow": json.dumps({**json.loads(metadata["cbow"]), **change})}
        elif change is None:
            del tensors[name]
        else:
            tensors[name] = change(tensors.get(name)) if callable(change) else change
    return safetensors.numpy.save(tensors, metadata=metadata)


def all_vectors(path):
    """Open vectors, and look at the words, which stay on disk until they are used."""
    return load_vectors(path).ids


def ends(*places):
    return np.array(places, np.int64)


def last(change):
    """What to add so that only the last of V numbers changes."""
    return ends(*[0] * (V - 1), change)


WRONG = {
    "another kind": ({"metadata": {"format": "pt"}}, "safetensors file of another program"),
    "no metadata": ({"metadata": None}, "safetensors file of another program"),
    "not JSON": ({"metadata": {"cbow": "{"}}, "its metadata are damaged"),
    "a number": ({"metadata": {"cbow": "1"}}, "its metadata are damaged"),
    "a list": ({"metadata": {"cbow": "[]"}}, "its metadata are damaged"),
    "nothing in it": ({"metadata": {"cbow": "{}"}}, "its metadata are damaged"),
    "nan": ({"cbow": {"report": {"loss": float("nan")}}}, "its metadata are damaged"),
    "version 0": ({"cbow": {"format_version": 0}}, "its metadata are damaged"),
    "version true": ({"cbow": {"format_version": True}}, "its metadata are damaged"),
    "version text": ({"cbow": {"format_version": "1"}}, "its metadata are damaged"),
    "newer": (
        {"cbow": {"format_version": 4, "config": None}},
        "has format 4, but this cbow knows formats up to 3; open it with a newer cbow",
    ),
    "no configuration": ({"cbow": {"config": None}}, "its metadata are damaged"),
    "no report": ({"cbow": {"report": []}}, "its metadata are damaged"),
    "unknown setting": ({"cbow": {"config": {"colour": 1}}}, "no setting 'colour'"),
    "bad setting": ({"cbow": {"config": {"window": "x"}}}, "window is 'x'"),
    "other dimension": (
        {"cbow": {"config": {"dimension": 4}}},
        r"W1T is .*\(7, 3\), but .*\(7, 4\)",
    ),
    "array missing": ({"b2": None}, r"holds the arrays \['W1T', 'W2', 'b1', 'counts', 'joint',"),
    "array more": ({"b3": np.zeros(1)}, r"holds the arrays \['W1T', 'W2', 'b1', 'b2', 'b3', 'c"),
    "array of a long name": (
        {"b" * 9999: np.zeros(1)},
        r"holds the arrays \['W1T',.{,250}\.\.\., but",
    ),
    "joint": ({"joint": np.zeros((V, 2), np.float32)}, r"joint is float32 of shape \(7, 2\), but"),
    "joint mixed": ({"joint": np.zeros((V, N))}, "joint is float64 of shape"),
    "counts missing": ({"counts": None}, "holds the arrays"),
    "integers": ({"W1T": np.zeros((V, N), np.int64)}, "W1T is int64, but must be float32"),
    "mixed": ({"W2": np.zeros((V, N))}, "W2 is float64 of shape .* must be float32"),
    "fewer rows": ({"W2": lambda W2: W2[1:]}, r"W2 is float32 of shape \(6, 3\), but"),
    "fewer counts": ({"counts": lambda counts: counts[1:]}, r"W1T is .* must be .*\(6, 3\)"),
    "b1": ({"b1": lambda b1: b1[:, None]}, r"b1 is float32 of shape \(3, 1\), but"),
    "b2": ({"b2": lambda b2: b2[:-1].copy()}, "b2 is"),
    "counts real": ({"counts": np.ones(V)}, "counts is float64"),
    "words whole": ({"words": np.ones(9, np.int64)}, "words is int64"),
    "ends real": ({"word_ends": np.ones(V)}, "word_ends is float64"),
    "ends few": ({"word_ends": ends(1, 2)}, r"word_ends is int64 of shape \(2,\)"),
    "empty word": ({"word_ends": lambda e: e * [0, *[1] * 6]}, "words do not follow one another"),
    "falling ends": ({"word_ends": lambda e: e[::-1].copy()}, "words do not follow"),
    "negative end": ({"word_ends": lambda e: e * [-1, *[1] * 6]}, "words do not follow"),
    "ends too early": ({"word_ends": lambda e: e + last(-1)}, "words do not follow"),
    "ends too late": ({"word_ends": lambda e: e + last(1)}, "words do not follow"),
    "overflow": ({"word_ends": lambda e: e + last(2**62)}, "words do not follow"),
    "not UTF-8": ({"words": lambda w: w | np.uint8(128)}, "words are not UTF-8"),
    "in a letter": ({"word_ends": lambda e: e - [0, 0, 3, 0, 0, 0, 0]}, "words are not UTF-8"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_files_that_are_no_models(path, content, kind):
    changes, message = WRONG[kind]
    path.write_bytes(changed(content, **changes))
    for opener in (load, all_vectors):
        with pytest.raises(ModelFileError, match=message) as caught:
            opener(path)
        assert str(caught.value).startswith(f"{path} is not a usable model: ")


def make_with_ngrams(buckets=5):
    """A model whose words are made of n-grams."""
    _, *others = make().parameters
    W1 = np.asfortranarray(np.ones((N, V + buckets), np.float32))
    config = Config(dimension=N, ngrams=(3, 6), buckets=buckets)
    return Model(config, make().vocabulary, Parameters(W1, *others), REPORT)


#: Parts of a file with n-grams that do not fit each other; the settings that are None are missing.
WRONG_WITH_NGRAMS = {
    "no buckets": ({"buckets": None}, {}, "it does not say how many buckets"),
    "no buckets, no rows": (
        {"buckets": None},
        {"W1T": lambda W1T: W1T[:V], "joint_to": None},
        "it does not say how many buckets",
    ),
    "no ngrams": ({"ngrams": None}, {}, "buckets is 5, but there are no n-grams"),
    "neither": ({"ngrams": None, "buckets": None}, {}, "may hold joint; fetch"),
    "ngrams": ({"ngrams": [6, 3]}, {}, r"ngrams is \[6, 3\], but must be"),
    "fewer rows": ({}, {"W1T": lambda W1T: W1T[1:]}, r"W1T is .* must be float32 of shape \(12, 3"),
    "joint alone": ({}, {"joint_to": None}, "may hold joint and joint_to; fetch"),
    "joint_to alone": ({}, {"joint": None}, "may hold joint and joint_to; fetch"),
    "joint_to": ({}, {"joint_to": np.ones((N, 4), np.float32)}, "joint_to is float32 of shape"),
}


@pytest.mark.parametrize("kind", WRONG_WITH_NGRAMS)
def test_files_whose_ngrams_do_not_fit(path, kind):
    settings, arrays, message = WRONG_WITH_NGRAMS[kind]
    model = make_with_ngrams()
    model.save(path)
    config = {name: x for name, x in {**model.config.to_dict(), **settings}.items() if x}
    path.write_bytes(changed(path.read_bytes(), cbow={"config": config}, **arrays))
    for opener in (load, load_vectors):
        with pytest.raises(ModelFileError, match=f"^{path} is not a usable model: .*{message}"):
            opener(path)


def test_joint_vectors_that_a_file_with_ngrams_lacks_are_computed(path):
    make_with_ngrams().save(path)
    whole = load_vectors(path)
    expected = whole.matrix.copy(), whole["queen"]
    path.write_bytes(changed(path.read_bytes(), joint=None, joint_to=None))
    for vectors in (load_vectors(path), load(path).vectors):
        np.testing.assert_array_equal(vectors.matrix, expected[0])
        np.testing.assert_array_equal(vectors["queen"], expected[1])


def test_the_same_word_twice(path):
    make(words=["ab", "ba"]).save(path)
    path.write_bytes(changed(path.read_bytes(), words=np.frombuffer(b"abab", np.uint8)))
    for opener in (load, all_vectors):
        with pytest.raises(
            ModelFileError,
            match="not a usable model: it is damaged, for it holds the word 'ab' more than once; f",
        ):
            opener(path)


@pytest.mark.parametrize("count", [-1, 100])
def test_counts_that_cannot_be(path, content, count):
    path.write_bytes(changed(content, counts=lambda old: old + last(count - 1)))
    for opener in (load, load_vectors):
        with pytest.raises(
            ModelFileError,
            match="not a usable model: it is damaged, for its counts are not falling numbers of 0",
        ):
            opener(path)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_opened_and_told_by_a_query(path, content, broken):
    """To look through them at once would read the whole file."""

    def spoil(matrix):
        matrix[2] = broken
        return matrix

    path.write_bytes(changed(content, W1T=spoil, W2=lambda W2: spoil(-W2), joint=None))
    said = "the model holds numbers that are not finite, .* the first 'naïve'; train it again"
    for vectors in (load(path).vectors, *(load_vectors(path, kind) for kind in EMBEDDINGS)):
        for ask in (
            lambda v: v.most_similar("naïve"),
            lambda v: v.most_similar("king"),
            lambda v: v.similarity("king", "naïve"),
        ):
            with pytest.raises(QueryError, match=said):
                ask(vectors)
        assert np.isfinite(vectors.similarity("king", "the"))


@pytest.mark.slow
def test_every_truncation(tmp_path_factory, content):
    for size in range(len(content)):
        with pytest.raises(ModelFileError):
            reload(tmp_path_factory, content[:size])
    model, _ = reload(tmp_path_factory, content)
    assert model.vocabulary.words == tuple(WORDS)


@pytest.mark.slow
def test_every_byte_changed(tmp_path_factory, content):
    """Bits of every byte are turned, one at a time: a sentence, or the model as it was."""
    opened, right = 0, reload(tmp_path_factory, content)[0]
    for place in range(len(content)):
        for bit in (0, 4, 7):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            try:
                model, vectors = reload(tmp_path_factory, bytes(damaged))
            except ModelFileError:
                continue
            opened += 1
            assert model.vocabulary == right.vocabulary
            assert (model.config, model.report) == (right.config, right.report)
            for array, expected in zip(model.parameters, right.parameters, strict=True):
                np.testing.assert_array_equal(array, expected)
            np.testing.assert_array_equal(vectors.matrix, right.vectors.matrix)
    assert opened <= 3 * len("sha256")  # an entry of another name is none


@given(st.data())
def test_several_bytes_changed(tmp_path_factory, content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        reload(tmp_path_factory, bytes(damaged))
    except ModelFileError as error:
        assert "is not a usable model" in str(error)  # noqa: PT017


def test_a_missing_file(tmp_path):
    for opener in (load, load_vectors):
        with pytest.raises(ModelFileError, match=r"cannot be opened .No such file"):
            opener(tmp_path / "nothing")


def test_the_public_names_are_these():
    assert (cbow.Model, cbow.load, cbow.load_vectors) == (Model, load, load_vectors)


def test_parameters_of_another_depth():
    good = make()
    with pytest.raises(ModelFileError, match="parameters of 1 layers, but CBOW has 2"):
        Model(good.config, good.vocabulary, Parameters(*good.parameters[:2]))
