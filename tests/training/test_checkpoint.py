"""Checkpoints: from any of them the same bytes; and every way in which one can be wrong."""

import contextlib
import errno
import json
import math
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.config import Config
from cbow.errors import (
    CBOWError,
    ConfigError,
    CorpusError,
    ModelFileError,
    OutputError,
)
from cbow.system import files, safetensors_file
from cbow.text import (
    EncodedCorpus,
    TokenAccount,
    Vocabulary,
    encode_corpus,
    find_sources,
)
from cbow.text import encoded as encoded_module
from cbow.training import (
    DivergenceError,
    Interrupted,
    Observer,
    checkpoint,
    defaults,
    run,
    state,
)
from cbow.training.composed import Composed, themselves
from cbow.training.exact import trainer as exact_trainer
from cbow.training.examples import ExampleSource
from cbow.training.sampled import trainer
from cbow.training.state import Measures, StepResult

WORDS = ["the", "king", "queen", "rules", "a", "land", "dog", "barks"]


def names_of(corpus):
    return find_sources(corpus).names


def story(lines=60, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(lines)]


COMMON = {"dimension": 4, "epochs": 2, "sample": 0.0, "min_count": 1, "window": 2, "heldout": 0.1}
EXACT = {**COMMON, "batch": 48, "objective": "exact"}
SAMPLED = {**COMMON, "batch": 48, "objective": "sampled", "candidates": 3, "block": 16}
#: What an objective was chosen to have, as version 1 has it.
CHOSEN = {"objective": "exact", "optimizer": "adam", "learning_rate": 0.1, "batch": 9}
BY_NAME = {"exact": EXACT, "sampled": SAMPLED}


@pytest.fixture(autouse=True)
def many_portions(monkeypatch):
    monkeypatch.setattr(trainer, "STRETCH", 40)
    monkeypatch.setattr(trainer, "POOL", 2)


class Keep(Observer):
    """Keeps a copy of every checkpoint."""

    def __init__(self, path):
        self.path, self.copies, self.troubles, self.resumes = path, [], [], []

    def checkpointed(self, trouble):
        if trouble:
            self.troubles.append(trouble)
            return
        self.copies.append(self.path.with_name(f"{self.path.name}-{len(self.copies)}"))
        shutil.copy(self.path, self.copies[-1])

    def resumed(self, resumed):
        self.resumes.append(resumed)


def bytes_of(model, folder):
    model.save(folder / "saved.safetensors")
    return (folder / "saved.safetensors").read_bytes()


def all_checkpoints(folder, text=None, **settings):
    """Train, and give the model with the checkpoints of all of its portions."""
    keep = Keep(folder / "c")
    text = story() if text is None else text
    model = cbow.train(text, **settings, checkpoint=keep.path, checkpoint_every=0, observer=keep)
    return model, keep.copies


@pytest.fixture
def one(tmp_path):
    """A checkpoint from the middle of a run."""
    _, copies = all_checkpoints(tmp_path, **EXACT)
    return copies[len(copies) // 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [EXACT, SAMPLED, {**EXACT, "optimizer": "adagrad"}, {**EXACT, "optimizer": "sgd"}],
    ids=["exact", "sampled", "adagrad", "sgd"],
)
def test_from_any_portion_the_same_bytes(tmp_path, settings):
    plain = bytes_of(cbow.train(story(), **settings), tmp_path)
    model, copies = all_checkpoints(tmp_path, **settings)
    assert bytes_of(model, tmp_path) == plain
    assert len(copies) == 10
    for i, copy in enumerate(copies):
        again = cbow.resume(copy, corpus=iter(story()), threads=1 + i % 3)
        assert bytes_of(again, tmp_path) == plain


def test_lists_of_words_and_the_rest_go_on_too(tmp_path):
    text = [line.replace("king", "KI\u0301NG") for line in story()]
    lists = {"stop_words": ["The", "a"], "keep_words": ["dog", "gnu"], "min_count": 2}
    settings = {**EXACT, **lists, "normalise": "nfc", "keep_case": True}
    model, copies = all_checkpoints(tmp_path, text, **settings)
    assert "KÍNG" in model.vocabulary
    assert "a" not in model.vocabulary
    again = cbow.resume(copies[3], corpus=text, stop_words={"a", "The"}, normalise="nfc")
    assert bytes_of(again, tmp_path) == bytes_of(model, tmp_path)
    said = r"stop_words is \('the',\), but .* was trained with \('The', 'a'\); leave stop_words"
    with pytest.raises(ConfigError, match=said):
        cbow.resume(copies[3], corpus=text, stop_words=["the"])
    long = [str(n) for n in range(10_000)]
    with pytest.raises(ConfigError, match=r"stop_words is \('0', .*\.\.\., but") as caught:
        cbow.resume(copies[3], corpus=text, stop_words=long)
    assert len(str(caught.value)) < 900


def test_phrases_are_found_again(tmp_path):
    text = [f"{line} new york" for line in story()]
    phrases = {"phrases": 1, "phrase_threshold": 0.1}
    model, copies = all_checkpoints(tmp_path, text, **EXACT, **phrases)
    assert model.report["account"]["joined"] >= 60
    assert model.report["phrases"]["best"][0]["word"] == "new_york"
    assert "new_york" in model.vocabulary
    assert bytes_of(cbow.resume(copies[1], corpus=text), tmp_path) == bytes_of(model, tmp_path)
    with pytest.raises(ConfigError, match=r"phrases is 2, but .* was trained with 1; leave phr"):
        cbow.resume(copies[1], corpus=text, phrases=2)


def test_an_account_from_with_fewer_numbers(one, tmp_path, monkeypatch):
    new = bytes_of(cbow.resume(one, corpus=story()), tmp_path)
    read = run.read

    def older(path):
        saved = read(path)
        for name in ("stop", "absent", "fieldless", "joined"):
            del saved.model.report["account"][name]
        return saved

    monkeypatch.setattr(run, "read", older)
    assert bytes_of(cbow.resume(one, corpus=story()), tmp_path) == new


def test_names_at_home_hold_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.txt").write_text("text")
    for corpus in ("~/t.txt", Path("~/t.txt"), ["~/t.txt"]):
        assert names_of(corpus) == [str(tmp_path / "t.txt")]


@pytest.mark.slow
def test_where_it_goes_on(tmp_path):
    _, copies = all_checkpoints(tmp_path, **EXACT)
    tokens = sum(len(line.split()) for line in story())
    for copy, (epoch, share) in zip(
        copies, [(e, n / 5) for e in (1, 2) for n in (1, 2, 3, 4, 5)], strict=True
    ):
        keep = Keep(copy)
        cbow.resume(copy, corpus=story(), observer=keep)
        (heard,) = keep.resumes
        assert (heard.epoch, heard.epochs) == (epoch, 2)
        assert heard.tokens_done == round((epoch - 1 + share) * tokens)
        assert [each.epoch for each in heard.finished] == list(range(1, epoch))


@pytest.mark.parametrize("name", ["exact", "sampled"])
@pytest.mark.parametrize("at", [1, 3])
def test_ctrl_c_writes_one_more(tmp_path, name, at):
    class Press(Observer):
        steps = 0

        def stepped(self, step):
            self.steps += 1
            if self.steps == at:
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    path = tmp_path / "c"
    chosen = BY_NAME[name]
    with pytest.raises(Interrupted):
        cbow.train(story(), **chosen, checkpoint=path, checkpoint_every=1000, observer=Press())
    signal.signal(signal.SIGINT, before)
    assert checkpoint.read(path).state.portions == at
    plain = bytes_of(cbow.train(story(), **chosen), tmp_path)
    assert bytes_of(cbow.resume(path, corpus=story()), tmp_path) == plain


def test_ctrl_c_while_the_heldout_loss_is_measured(tmp_path, monkeypatch):
    from cbow.training import losses

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    measure = losses.batch_loss
    monkeypatch.setattr(
        losses, "batch_loss", lambda *a: (signal.raise_signal(signal.SIGINT), measure(*a))[1]
    )
    monkeypatch.setattr(losses.Losses, "measured_seconds", lambda self: 0.0)
    with pytest.raises(Interrupted):
        cbow.train(story(), **EXACT, checkpoint=tmp_path / "c", checkpoint_every=1000)
    monkeypatch.setattr(losses, "batch_loss", measure)
    signal.signal(signal.SIGINT, before)
    plain = bytes_of(cbow.train(story(), **EXACT), tmp_path)
    assert bytes_of(cbow.resume(tmp_path / "c", corpus=story()), tmp_path) == plain


def test_checkpoints_keep_their_distance(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])

    class Clock(Keep):
        def stepped(self, step):
            now[0] += 1.0

    keep = Clock(tmp_path / "c")
    cbow.train(story(), **EXACT, checkpoint=keep.path, checkpoint_every=3, observer=keep)
    portions = [checkpoint.read(copy).state for copy in keep.copies]
    assert [(s.epoch, s.portions) for s in portions] == [(1, 3), (2, 1), (2, 4)]


def test_a_resumed_run_goes_on_writing_where_it_did_or_elsewhere(tmp_path, one):
    keep = Keep(one)
    cbow.resume(one, corpus=story(), observer=keep)
    assert len(keep.copies) == 4
    assert checkpoint.read(one).state.portions == 5
    keep = Keep(tmp_path / "other")
    cbow.resume(one, corpus=story(), observer=keep, checkpoint=keep.path, checkpoint_every=0)
    assert checkpoint.read(one).every == 0
    assert keep.copies == []  # nothing was left to do
    cbow.resume(one, corpus=story(), checkpoint_every=1000)


class TestNames:
    """The text is found again by its names."""

    def test_in_another_folder(self, tmp_path, monkeypatch):
        (tmp_path / "texts").mkdir()
        (tmp_path / "texts/a.txt").write_text("\n".join(story()))
        monkeypatch.chdir(tmp_path)
        plain, copies = all_checkpoints(tmp_path, "texts", **EXACT)
        monkeypatch.chdir("/")
        assert bytes_of(cbow.resume(copies[3]), tmp_path) == bytes_of(plain, tmp_path)

    def test_names(self, tmp_path, monkeypatch):
        (tmp_path / "a.txt").touch()
        monkeypatch.chdir(tmp_path)
        a = str(tmp_path / "a.txt")
        assert names_of("a.txt") == [a]
        assert names_of(Path("a.txt")) == [a]
        assert names_of(["a.txt", a]) == [a, a]
        assert names_of("*.txt") == [str(tmp_path / "*.txt")]
        assert names_of(["nltk:brown", "a.txt"]) == ["nltk:brown", a]
        assert names_of("-") is names_of(["a.txt", "-"]) is None
        assert names_of(iter(["a.txt"])) is names_of(["some text"]) is None

    def test_none(self, one):
        with pytest.raises(CorpusError, match=r"does not say where its text is; give the text ag"):
            cbow.resume(one)

    def test_a_name_that_is_no_unicode(self, tmp_path):
        name = os.fsencode(tmp_path) + b"/\xff.txt"
        with open(name, "w") as file:
            file.write("\n".join(story()))
        plain, copies = all_checkpoints(tmp_path, os.fsdecode(name), **EXACT)
        assert bytes_of(cbow.resume(copies[0]), tmp_path) == bytes_of(plain, tmp_path)


class TestAnotherText:
    """A text that changed is refused, with what differs."""

    @pytest.mark.parametrize(
        ("change", "part"),
        [
            (lambda t: [*t, "king"], r"had 276 tokens when .* and has 277 now; give the text as"),
            (lambda t: [*t[:-1], t[-1].replace("the", "zoo")], r"had 8 words .* and has 9 now"),
            (lambda t: t[::-1], "has as many tokens as when .* but its text differs"),
            (lambda t: [*t, ""], "but its text differs"),  # a blank line
            (lambda t: [line.replace("king", "kong") for line in t], "but its text differs"),
            (lambda t: [t[0] + " " + t[1], *t[2:]], "but its text differs"),  # a line end
            (
                lambda t: [" ".join(t[0].split()[:-1]), f"{t[0].split()[-1]} {t[1]}", *t[2:]],
                "but its text differs",
            ),  # a line end elsewhere
        ],
    )
    def test_it_is_refused(self, one, change, part):
        text = story()
        assert change(text) != text
        before = one.read_bytes()
        with pytest.raises(CorpusError, match=part):
            cbow.resume(one, corpus=change(text))
        assert one.read_bytes() == before

    def test_fingerprints(self, tmp_path, monkeypatch):
        def of(lines):
            return encode_corpus(lines, Config(min_count=1), folder=tmp_path).fingerprint()

        whole = of(story())
        assert of(story()[1:]) != whole
        assert of([*story()[1:], story()[0]]) != whole
        monkeypatch.setattr(encoded_module, "_PIECE", 7)
        assert of(story()) == whole

    def test_ids_and_line_starts_do_not_mix(self):
        def of(ids, starts):
            return EncodedCorpus(
                np.array(ids, np.int32),
                np.array(starts, np.int64),
                Vocabulary(["a"], [1]),
                TokenAccount(),
            ).fingerprint()

        assert of([0, 0, 1, 0], [5]) != of([0, 0], [1, 5])


class TestSettings:
    """Only what cannot change the result may differ."""

    @pytest.mark.parametrize(
        ("settings", "part"),
        [
            ({"window": 3}, r"window is 3, but .* was trained with 2; leave window / --window out"),
            ({"max_vocabulary": 7}, "max_vocabulary is 7, but .* was trained with the default;"),
            ({"epochs": 3}, "epochs is 3, but .* was trained with 2"),
            ({"tokenizer": str.split}, "tokenizer is custom, but .* was trained with word"),
            ({"tokenizer": "whitespace"}, "tokenizer is whitespace, but .* with word"),
            ({"buckets": 7}, "buckets is 7, but .* was trained with the default; leave buckets"),
            ({"window": 0}, "window is 0, but must be"),
            ({"size": 3}, "there is no setting 'size'"),
        ],
    )
    def test_others_are_refused(self, one, settings, part):
        with pytest.raises(ConfigError, match=part):
            cbow.resume(one, corpus=story(), **settings)

    def test_the_same_are_not(self, one):
        cbow.resume(one, corpus=story(), **EXACT, tokenizer="word", threads=2)

    def test_a_tokenizer_of_ones_own(self, tmp_path):
        plain, copies = all_checkpoints(tmp_path, **EXACT, tokenizer=str.split)
        with pytest.raises(ConfigError, match="with a tokenizer of its own, which no file holds"):
            cbow.resume(copies[0], corpus=story())
        again = cbow.resume(copies[0], corpus=story(), tokenizer=str.split)
        assert bytes_of(again, tmp_path) == bytes_of(plain, tmp_path)

    def test_the_objective_stays_whatever_would_be_chosen_now(self, tmp_path, monkeypatch):
        settings = {**SAMPLED, "objective": "auto", "batch": None}
        monkeypatch.setattr(defaults, "CHEAP", 0)
        plain, copies = all_checkpoints(tmp_path, **settings)
        monkeypatch.setattr(defaults, "CHEAP", 1e30)
        monkeypatch.setattr(defaults, "SAMPLED_RATE", 1e-9)
        monkeypatch.setattr(defaults, "SMALLEST_SAMPLED_BATCH", 16)
        again = cbow.resume(copies[0], corpus=story())
        assert plain.report["objective"] == "sampled"
        assert bytes_of(again, tmp_path) == bytes_of(plain, tmp_path)

    @pytest.mark.parametrize("settings", [EXACT, SAMPLED], ids=["exact", "sampled"])
    def test_a_checkpoint_of_version_1(self, tmp_path, settings):
        """Its settings are those that were given; what the objective was chosen to have, beside."""
        model, copies = all_checkpoints(tmp_path, **settings)

        def as_it_was(content):
            config = content["config"]
            content["checkpoint_version"] = 1
            content["objective"] = {name: config[name] for name in CHOSEN}
            config.update(objective="auto", optimizer=None, learning_rate=None, batch=None)

        rewritten(copies[3], as_it_was)
        again = cbow.resume(copies[3], corpus=story())
        assert bytes_of(again, tmp_path) == bytes_of(model, tmp_path)

    @pytest.mark.parametrize(
        "given", [{"checkpoint": "x"}, {"checkpoint_every": 3}], ids=["no interval", "no name"]
    )
    def test_both_or_neither(self, given):
        with pytest.raises(ConfigError, match="but one needs the other; give both, or neither"):
            cbow.train(story(), **EXACT, **given)

    @pytest.mark.parametrize("every", [-1, math.nan, math.inf, "often"])
    def test_intervals(self, tmp_path, every):
        with pytest.raises(ConfigError, match=r"checkpoint_every is .*, but must be seconds, 0 or"):
            cbow.train(story(), **EXACT, checkpoint=tmp_path / "c", checkpoint_every=every)
        assert list(tmp_path.iterdir()) == []


class TestMoreEpochs:
    """A finished model is trained on."""

    @pytest.fixture(params=["exact", "sampled"])
    def model(self, request, tmp_path):
        path = tmp_path / "m.safetensors"
        cbow.train(story(), **BY_NAME[request.param]).save(path)
        return path

    @pytest.mark.slow
    def test_they_are_counted_on(self, tmp_path, model):
        first = cbow.load(model)
        keep = Keep(tmp_path / "c")
        more = cbow.resume(
            model, corpus=story(), epochs=3, observer=keep,
            checkpoint=keep.path, checkpoint_every=0,
        )  # fmt: skip
        assert [epoch["epoch"] for epoch in more.report["epochs"]] == [1, 2, 3, 4, 5]
        assert more.report["epochs"][:2] == first.report["epochs"]
        assert more.report["restarts"] == [2]
        assert more.config == first.config.replace({"epochs": 5})
        rates = [epoch["learning_rate"] for epoch in more.report["epochs"]]
        assert rates[2] > rates[0] > rates[1]  # the rate begins afresh, and falls more slowly
        assert rates[4] < rates[3] < rates[2]
        for copy in keep.copies[::3]:
            again = cbow.resume(copy, corpus=story(), threads=2)
            assert bytes_of(again, tmp_path) == bytes_of(more, tmp_path)
        twice = tmp_path / "twice"
        more.save(twice)
        assert cbow.resume(twice, corpus=story(), epochs=1).report["restarts"] == [2, 5]

    def test_they_begin_where_the_model_ended_with_random_numbers_of_their_own(self, tmp_path):
        """One more epoch by hand, from the parameters of the model, as epoch 3."""
        from concurrent.futures import ThreadPoolExecutor

        from cbow.network import cbow_network, linear_decay

        path = tmp_path / "m.safetensors"
        cbow.train(story(), **EXACT).save(path)
        more = cbow.resume(path, corpus=story(), epochs=1)
        corpus = encode_corpus(story(), Config(**EXACT), folder=tmp_path)
        source = ExampleSource(corpus, 2, 0.0, 0.1, seed=1)
        parameters = state.copy(cbow.load(path).parameters)
        with ThreadPoolExecutor(1) as pool:
            by_hand = exact_trainer.BatchTrainer(
                cbow_network(),
                Composed(parameters, themselves(len(parameters.W2))),
                source,
                48,
                "adam",
                pool,
            )
            list(by_hand.portions(state.State(3, Measures(4)), lambda s: linear_decay(0.005, s)))
        for one, other in zip(parameters, more.parameters, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_of_a_model_that_was_interrupted(self, tmp_path, monkeypatch):
        class Press(Observer):
            def stepped(self, step):
                if step.epoch == 2:
                    signal.raise_signal(signal.SIGINT)

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(Interrupted) as caught:
            cbow.train(story(), **EXACT, observer=Press())
        signal.signal(signal.SIGINT, before)
        path = tmp_path / "m.safetensors"
        caught.value.model.save(path)
        more = cbow.resume(path, corpus=story(), epochs=1)
        assert [epoch["epoch"] for epoch in more.report["epochs"]] == [1, 3]
        assert more.report["stopped"] is None

    def test_what_must_be_given(self, model):
        with pytest.raises(ConfigError, match="is a finished model, and epochs is not given; say"):
            cbow.resume(model, corpus=story())
        with pytest.raises(CorpusError, match="does not say where its text is"):
            cbow.resume(model, epochs=1)
        with pytest.raises(ConfigError, match=r"dimension is 9, but .* was trained with 4"):
            cbow.resume(model, corpus=story(), epochs=1, dimension=9)

    def test_the_words_must_be_the_same(self, model):
        cbow.resume(model, corpus=story()[::-1], epochs=1)
        with pytest.raises(CorpusError, match=r"had 276 tokens when .* and has 277 now"):
            cbow.resume(model, corpus=[*story(), "king"], epochs=1)
        with pytest.raises(CorpusError, match="but its text differs"):
            cbow.resume(model, corpus=[l.replace("king", "kong") for l in story()], epochs=1)

    @pytest.mark.parametrize("report", [{}, {"epochs": 3}, {"restarts": [1.5]}])
    def test_a_report_that_is_none(self, tmp_path, report):
        path = tmp_path / "m.safetensors"
        model = cbow.train(story(), **EXACT)
        report = {**model.report, **report} if report else {}
        cbow.Model(model.config, model.vocabulary, model.parameters, report).save(path)
        with pytest.raises(
            ModelFileError, match=r"m\.safetensors is not .* its report is not that"
        ):
            cbow.resume(path, corpus=story(), epochs=1)


def rewritten(path, change):
    """Change the JSON of a checkpoint."""
    tensors, metadata = safetensors_file.read(path)
    content = json.loads(metadata["cbow"])
    safetensors_file.write(path, tensors, {"cbow": json.dumps(change(content) or content)})


class TestDamage:
    """A file that is no sound checkpoint gives a sentence."""

    @pytest.mark.parametrize("size", [0, 7, 100, -1])
    def test_truncated(self, one, size):
        one.write_bytes(one.read_bytes()[:size])
        with pytest.raises(ModelFileError, match=r"is not a usable model: .*; give a whole file"):
            cbow.resume(one, corpus=story())

    def test_another_file(self, tmp_path):
        safetensors_file.write(tmp_path / "x", {"a": np.zeros(2)}, {})
        with pytest.raises(
            ModelFileError, match=r"x is not a usable checkpoint: .* another program"
        ):
            cbow.resume(tmp_path / "x")
        with pytest.raises(ModelFileError, match=r"none cannot be opened"):
            cbow.resume(tmp_path / "none")
        safetensors_file.write(tmp_path / "x", {"a": np.zeros(2)}, {"cbow": "[]"})
        with pytest.raises(ModelFileError, match=r"x is not a usable checkpoint: .* are damaged"):
            cbow.resume(tmp_path / "x")

    def test_a_newer_version(self, one):
        rewritten(one, lambda content: content.update(checkpoint_version=3))
        with pytest.raises(
            ModelFileError, match=r"has format 3, but this cbow knows .* newer cbow"
        ):
            cbow.resume(one, corpus=story())

    @pytest.mark.parametrize("name", ["W1T", "b2", "counts", "words", "optimizer.m_W1"])
    def test_a_bit_of_its_numbers(self, one, name, monkeypatch):
        """Also in a file that is too large to be checked when it is merely opened."""
        monkeypatch.setattr(safetensors_file, "SMALL", 0)
        content = bytearray(one.read_bytes())
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        content[start + header[name]["data_offsets"][0]] ^= 1
        one.write_bytes(content)
        with pytest.raises(ModelFileError, match=f"for the checksum of '{name}' differs; give a"):
            cbow.resume(one, corpus=story())

    def test_a_bit_of_a_finished_model(self, tmp_path, monkeypatch):
        path = tmp_path / "m.safetensors"
        cbow.train(story(), **EXACT).save(path)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        monkeypatch.setattr(safetensors_file, "SMALL", 0)
        cbow.load(path)
        with pytest.raises(ModelFileError, match="for the checksum of 'words' differs"):
            cbow.resume(path, corpus=story(), epochs=1)

    def test_no_joint_vectors(self, one):
        """They follow from the parameters, so a checkpoint need not hold them."""
        assert "joint" not in safetensors_file.read(one).tensors

    def test_one_without_checksums(self, one):
        """As early versions wrote it."""
        tensors, metadata = safetensors_file.read(one)
        one.write_bytes(safetensors.numpy.save(tensors, {"cbow": metadata["cbow"]}))
        assert cbow.resume(one, corpus=story()).report["epochs"]

    def test_it_is_no_model(self, one):
        for load in (cbow.load, cbow.load_vectors):
            with pytest.raises(ModelFileError, match="it is the checkpoint of a training that is"):
                load(one)

    @pytest.mark.slow
    @given(data=st.data())
    def test_any_other_value_is_noticed_or_harmless(self, tmp_path_factory, data):
        """Put something else in place of one value; nothing but a sentence may come of it."""
        folder = tmp_path_factory.getbasetemp()
        path = folder / "whole"
        if not path.exists():
            _, copies = all_checkpoints(folder, **EXACT)
            copies[7].rename(path)
        tensors, metadata = safetensors_file.read(path)
        content = json.loads(metadata["cbow"])
        place = content
        key = data.draw(st.sampled_from(sorted(content)))
        while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else [0]))
        place[key] = data.draw(
            st.sampled_from([None, True, -1, 0, 2**70, 1.5, -1e308, "", "x", [], [None], {}])
        )
        safetensors_file.write(folder / "bad", tensors, {"cbow": json.dumps(content)})
        with contextlib.suppress(CBOWError):
            cbow.resume(folder / "bad", corpus=story(), checkpoint_every=1000)

    @pytest.mark.parametrize(
        "change",
        [
            lambda tensors: tensors.pop("optimizer.t"),
            lambda tensors: tensors.update({"optimizer.x": np.zeros(3)}),
            lambda tensors: tensors.update({"optimizer.m_W1": np.zeros((4, 8), np.float32)}),
            lambda tensors: tensors.update({"optimizer.v_b1": np.zeros((4, 1))}),
        ],
    )
    def test_another_optimizer(self, one, change):
        tensors, metadata = safetensors_file.read(one)
        change(tensors)
        safetensors_file.write(one, tensors, metadata)
        with pytest.raises(ModelFileError, match=r"the optimizer of the checkpoint has the arrays"):
            cbow.resume(one, corpus=story())

    def test_no_optimizer_at_all(self, one):
        tensors, metadata = safetensors_file.read(one)
        kept = {name: array for name, array in tensors.items() if "optimizer" not in name}
        safetensors_file.write(one, kept, metadata)
        with pytest.raises(ModelFileError, match="has the arrays none, but must have m_W1 float32"):
            cbow.resume(one, corpus=story())

    @pytest.mark.parametrize(
        "change",
        [
            lambda content: content["state"].update(epoch=3),
            lambda content: content["state"].update(epoch=0),
            lambda content: content["state"]["measures"].update(fired=[1]),
            lambda content: content["config"].update(epochs=None),
            lambda content: content["config"].update(objective="best"),
            lambda content: content.update(objective={**CHOSEN, "objective": "best"}),
            lambda content: content.update(objective={**CHOSEN, "extra": 1}),
            lambda content: content.update(objective={"objective": "exact"}),
        ],
    )
    def test_values_that_do_not_fit(self, one, change):
        rewritten(one, change)
        with pytest.raises(ModelFileError, match="is not a usable checkpoint"):
            cbow.resume(one, corpus=story())


def test_an_infinite_sum_of_norms_comes_back(tmp_path, one):
    read = checkpoint.read(one)
    read.state.measures._norms["dW1"] = math.inf
    checkpoint.write(tmp_path / "x", read)
    norms = checkpoint.read(tmp_path / "x").state.measures._norms
    assert norms == read.state.measures._norms


def test_parameters_that_are_no_numbers_are_not_written(tmp_path, monkeypatch):
    def spoil(optimizer, parameters, gradients, rate, pool):
        parameters.W1[0, 0] = np.nan

    monkeypatch.setattr(exact_trainer, "update", spoil)
    monkeypatch.setattr(exact_trainer.BatchTrainer, "compile", lambda self: None)
    with pytest.raises(DivergenceError):
        cbow.train(story(), **EXACT, checkpoint=tmp_path / "c", checkpoint_every=0)
    assert list(tmp_path.iterdir()) == []


def test_divergence_after_resuming_keeps_the_checkpoint_at_least(tmp_path, one, monkeypatch):
    monkeypatch.setattr(exact_trainer.BatchTrainer, "compile", lambda self: None)
    monkeypatch.setattr(
        exact_trainer, "batch_gradients", lambda *_: StepResult(math.nan, None, None)
    )
    steps = checkpoint.read(one).state.steps
    with pytest.raises(DivergenceError, match=f"the state after {steps} steps is kept") as caught:
        cbow.resume(one, corpus=story())
    kept = checkpoint.read(one).model.parameters
    for saved, now in zip(kept, caught.value.model.parameters, strict=True):
        np.testing.assert_array_equal(saved, now)


@pytest.mark.parametrize("corpus", ["text.txt", ["other.txt", "text.txt"], "t*.txt", "."])
@pytest.mark.parametrize("name", ["text.txt", "./text.txt", "hard", "soft"])
def test_a_checkpoint_is_not_written_over_the_text(tmp_path, monkeypatch, corpus, name):
    monkeypatch.chdir(tmp_path)
    text = "old king\nold queen\n" * 40
    for each in ("text.txt", "other.txt"):
        Path(each).write_text(text)
    Path("hard").hardlink_to("text.txt")
    Path("soft").symlink_to("text.txt")
    small = {"dimension": 4, "epochs": 1, "sample": 0}
    with pytest.raises(OutputError, match=r"would be written over .*text\.txt, which is read"):
        cbow.train(corpus, checkpoint=name, checkpoint_every=9, **small)
    cbow.train(corpus, checkpoint="good", checkpoint_every=0, **small).save("m")
    with pytest.raises(OutputError, match="would be written over"):
        cbow.resume("good", corpus=corpus, checkpoint=name)
    with pytest.raises(OutputError, match="would be written over"):
        cbow.resume("m", corpus=corpus, epochs=1, checkpoint=name, checkpoint_every=9)
    assert Path("text.txt").read_text() == text


def test_a_full_disk_does_not_end_the_training(tmp_path, monkeypatch):
    keep = Keep(tmp_path / "c")

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        model = cbow.train(
            story(), **EXACT, checkpoint=keep.path, checkpoint_every=0, observer=keep
        )
    assert len(keep.troubles) == 10
    assert "the disk is full" in str(keep.troubles[0])
    assert list(tmp_path.iterdir()) == []
    assert bytes_of(model, tmp_path) == bytes_of(cbow.train(story(), **EXACT), tmp_path)


def test_arrays_in_any_order_come_back(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"f": np.asfortranarray(rng.random((3, 5))), "c": rng.random((3, 5)), "t": np.array(7)}
    stored = {name: np.ascontiguousarray(checkpoint.as_stored(a)) for name, a in arrays.items()}
    stored["t"] = stored["t"].reshape(())
    assert stored["f"].shape == (5, 3)
    filled = {name: np.zeros_like(array) for name, array in arrays.items()}
    checkpoint.fill(filled, stored)
    for name, array in arrays.items():
        np.testing.assert_array_equal(filled[name], array)


def test_forms():
    form = {
        "a": checkpoint.count,
        "b": [checkpoint.maybe(checkpoint.number)],
        "c": checkpoint.table_of(checkpoint.text),
        "d": checkpoint.Optional(checkpoint.yes_or_no),
    }
    good = {"a": 1, "b": [None, 2.5, 3], "c": {"x": "y"}, "more": 1}
    assert checkpoint.fits(good, form)
    assert checkpoint.fits({**good, "d": True}, form)
    for bad in (
        {"a": True}, {"a": -1}, {"a": 2**63}, {"a": 1.0}, {"b": 1}, {"b": [math.nan]},
        {"b": [10**400]}, {"b": [True]}, {"c": {"x": 1}}, {"c": []}, {"d": 1},
    ):  # fmt: skip
        assert not checkpoint.fits({**good, **bad}, form)
    assert not checkpoint.fits({"a": 1}, form)
    assert not checkpoint.fits([], form)


def test_the_file_is_a_safetensors_file_as_others_read_it(one):
    from safetensors.numpy import load_file

    arrays = load_file(one)
    state = checkpoint.read(one)
    np.testing.assert_array_equal(arrays["W1T"].T, state.model.parameters.W1)
    assert set(arrays) == {
        "W1T", "b1", "W2", "b2", "counts", "words", "word_ends", "optimizer.t",
        *(f"optimizer.{letter}_{name}" for letter in "mv" for name in ("W1", "b1", "W2", "b2")),
    }  # fmt: skip
    assert arrays["optimizer.t"] == state.state.steps
