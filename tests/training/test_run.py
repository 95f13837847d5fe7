"""Training as a whole: reproducible, honest about its loss, and safe to stop."""

import contextlib
import dataclasses
import errno
import json
import math
import os
import re
import signal
import sys
import tempfile
import threading

import numpy as np
import pytest

import cbow
from cbow.cli.train import main as train_command
from cbow.config import Config
from cbow.errors import (
    ClusterError,
    ConfigError,
    CorpusError,
    OutputError,
    OutputWarning,
)
from cbow.network import Gradients
from cbow.system import files
from cbow.training import (
    DivergenceError,
    Interrupted,
    Observer,
    WorkersLostError,
    losses,
)
from cbow.training.composed import Composed, themselves
from cbow.training.defaults import fit
from cbow.training.exact import trainer as exact_trainer
from cbow.training.observer import Baselines, perplexity
from cbow.training.state import StepResult


def story(lines=300, seed=0):
    """Lines in which animals eat and people speak: something to learn from."""
    rng = np.random.default_rng(seed)
    who = [["dog", "cat", "cow"], ["king", "queen", "lord"]]
    does = [["eats", "hay", "field"], ["rules", "land", "crown"]]
    text = []
    for _ in range(lines):
        kind = rng.integers(2)
        words = [*rng.permutation(does[kind]), rng.choice(who[kind]), "the"]
        text.append(" ".join(rng.permutation(words)))
    return text


SMALL = {"dimension": 8, "epochs": 2, "batch": 64, "sample": 0.0, "min_count": 1}


def refuse_to_remove(path, **more):
    """Say what network drives say of a folder with files that are still in use."""
    raise OSError(errno.ENOTEMPTY, "Directory not empty", path)


class Recorder(Observer):
    def __init__(self):
        self.heard = []

    def reading(self, progress):
        self.heard.append(("reading", progress.tokens))

    def encoded(self, account):
        self.heard.append(("encoded", account))

    def planned(self, plan):
        self.heard.append(("planned", plan))

    def stepped(self, step):
        self.heard.append(("stepped", step))

    def finished_epoch(self, epoch):
        self.heard.append(("epoch", epoch))

    def of(self, kind):
        return [what for name, what in self.heard if name == kind]


def saved_bytes(tmp_path, name, **settings):
    path = tmp_path / name
    cbow.train(story(), **{**SMALL, "heldout": 0.1, **settings}).save(path)
    return path.read_bytes()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "identity"])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "sgd"])
def test_every_combination_learns(activation, optimizer):
    model = cbow.train(
        story(), **{**SMALL, "epochs": 6}, activation=activation, optimizer=optimizer
    )
    losses = [epoch["loss"] for epoch in model.report["epochs"]]
    assert losses[-1] < losses[0]
    assert losses[-1] < model.report["baselines"]["unigram"]


def test_the_same_seed_gives_the_same_bytes_at_any_number_of_threads(tmp_path):
    # A batch of more than one shard, so that threads have something to share.
    one = saved_bytes(tmp_path, "1", threads=1, batch=700)
    assert one == saved_bytes(tmp_path, "2", threads=2, batch=700)
    assert one == saved_bytes(tmp_path, "3", threads=3, batch=700)
    assert one == saved_bytes(tmp_path, "8", threads=8, batch=700)


def test_another_seed_gives_other_bytes(tmp_path):
    assert saved_bytes(tmp_path, "1", seed=1) != saved_bytes(tmp_path, "2", seed=2)


@pytest.mark.slow
def test_the_start_depends_on_the_seed(monkeypatch):
    monkeypatch.setattr(exact_trainer, "update", lambda *_: None)
    one, two, again = (
        cbow.train(story(), **{**SMALL, "seed": seed}).parameters.W1 for seed in (1, 2, 1)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)


def test_a_generator_is_read_once_and_gives_what_a_list_gives():
    def lines():
        yield from story()

    one = cbow.train(lines(), **SMALL)
    two = cbow.train(story(), **SMALL)
    assert np.array_equal(one.parameters.W1, two.parameters.W1)


@pytest.mark.slow
def test_words_used_alike_end_up_near():
    model = cbow.train(story(2000), **{**SMALL, "epochs": 10})
    for family in (["dog", "cat", "cow"], ["king", "queen", "lord"]):
        for word in family:
            near = [w for w, _ in model.vectors.most_similar(word, topn=2)]
            assert set(near) <= set(family)


def test_the_loss_is_the_cost_the_network_defines():
    from cbow.network import cbow_network, contexts, cost, forward
    from cbow.training.examples import ExampleSource, Tally
    from cbow.training.kernels import Purpose, stream, uniform

    class Keep(Recorder):
        pass

    watch = Keep()
    model = cbow.train(story(), **{**SMALL, "heldout": 0.2, "epochs": 1}, observer=watch)
    # Score the held-out lines with the finished model, example by example, by another way.
    ids = {word: i for i, word in enumerate(model.vocabulary)}
    key = stream(1, Purpose.HELDOUT)
    kept_back = [
        [ids[w] for w in line.split()]
        for i, line in enumerate(story())
        if uniform(key, np.array([i]))[0] < 0.2
    ]
    text = story()
    starts = np.concatenate(([0], np.cumsum([len(line.split()) for line in text])))
    encoded = cbow.text.EncodedCorpus(
        np.array([ids[w] for line in text for w in line.split()], np.int32),
        starts.astype(np.int64),
        model.vocabulary,
        cbow.text.TokenAccount(),
    )
    source = ExampleSource(encoded, model.config.window, 0.0, 0.2, seed=1)
    total = count = 0
    for batch, _ in source.epoch(0, 1, Tally(), heldout=True):
        X = contexts(batch.indices, batch.indptr, len(ids), np.float32)
        pass_ = forward(cbow_network(), model.parameters, X)
        total += cost(cbow_network(), pass_, batch.y) * len(batch.y)
        count += len(batch.y)
    assert count == sum(len(line) for line in kept_back)
    assert model.report["epochs"][0]["heldout_loss"] == pytest.approx(total / count, rel=1e-5)


def test_the_first_loss_is_the_unigram_entropy():
    watch = Recorder()
    model = cbow.train(story(), **SMALL, observer=watch)
    first = watch.of("stepped")[0].loss
    assert first == pytest.approx(model.report["baselines"]["unigram"], abs=0.15)


def test_the_observer_hears_everything_in_order():
    watch = Recorder()
    model = cbow.train(story(), **{**SMALL, "heldout": 0.1}, observer=watch)
    order = [name for name, _ in watch.heard]
    assert order.index("encoded") < order.index("planned") < order.index("stepped")
    assert order[-1] == "epoch"
    assert [e.epoch for e in watch.of("epoch")] == [1, 2]
    steps = watch.of("stepped")
    assert steps[-1].tokens_done == steps[-1].tokens_total == 2 * len(story()) * 5
    assert sum(e.steps for e in watch.of("epoch")) == len(steps)
    plan = watch.of("planned")[0]
    V, N = plan.vocabulary_size, 8
    assert plan.parameters == 2 * V * N + N + V
    assert plan.baselines.uniform == pytest.approx(math.log(V))
    for epoch in watch.of("epoch"):
        assert epoch.tokens == epoch.heldout + epoch.subsampled + epoch.isolated + epoch.examples
        assert epoch.perplexity == pytest.approx(math.exp(epoch.loss))
        assert epoch.heldout_perplexity == pytest.approx(math.exp(epoch.heldout_loss))
    json.dumps(model.report, allow_nan=False)
    assert "seconds" not in json.dumps(model.report)


def test_without_heldout_lines_there_is_no_heldout_loss():
    model = cbow.train(story(), **SMALL)
    assert model.report["epochs"][0]["heldout_loss"] is None
    assert model.report["epochs"][0]["heldout_perplexity"] is None
    assert model.report["baselines"]["heldout_unigram"] is None


def test_heldout_lines_that_are_none_are_an_error():
    with pytest.raises(CorpusError, match=r"heldout 0\.01 of 1 lines keeps back no line"):
        cbow.train([" ".join(story())], **SMALL, heldout=0.01)


def test_a_text_of_single_words_is_an_error():
    with pytest.raises(CorpusError, match=r"no line of the text holds two words"):
        cbow.train(["a", "b"] * 10, **SMALL)
    said = []
    for seed in range(20):  # of which some hold out the one line with two words
        try:
            cbow.train(["a b", *["a", "b"] * 5], **{**SMALL, "seed": seed}, heldout=0.2)
        except CorpusError as error:
            said.append(str(error))
    assert any(each.endswith("put more than one word on a line") for each in said)


def test_a_text_subsampled_to_nothing_is_an_error():
    with pytest.raises(CorpusError, match=r"were left out as frequent .* set sample to 0"):
        cbow.train(["a b"] * 10, **{**SMALL, "sample": 1e-12})


def test_a_text_held_out_whole_is_an_error():
    with pytest.raises(CorpusError, match=r"are held out, .* lower heldout"):
        cbow.train(story(), **SMALL, heldout=0.999999)


@pytest.mark.parametrize("name", ["word", "whitespace", "nltk"])
def test_a_tokenizer_by_name_is_recorded_by_name(name):
    model = cbow.train(["A b's A b's"] * 9, tokenizer=name, **SMALL)
    assert model.config.tokenizer == name
    again = cbow.train(["A b's A b's"] * 9, Config(tokenizer=name, **SMALL))
    assert again.vocabulary == model.vocabulary


def test_the_order_of_words_in_an_epoch_is_drawn_anew():
    watch = Recorder()
    cbow.train(story(), **{**SMALL, "window": 1, "batch": 64}, observer=watch)
    first = [step.loss for step in watch.of("stepped") if step.epoch == 1]
    second = [step.loss for step in watch.of("stepped") if step.epoch == 2]
    assert np.diff(first).tolist() != np.diff(second).tolist()


def test_settings_by_name_go_before_the_config():
    model = cbow.train(story(), Config(**SMALL), dimension=3)
    given = Config(**{**SMALL, "dimension": 3})
    tokens, words = model.report["account"]["kept"], len(model.vocabulary)
    assert model.config == given.replace(fit(given, tokens, words).settings())
    with pytest.raises(ConfigError, match="no setting 'size'"):
        cbow.train(story(), size=3)


def test_a_tokenizer_of_ones_own_is_recorded_as_custom():
    model = cbow.train(["a-b-c"] * 9, tokenizer=lambda line: line.split("-"), **SMALL)
    assert sorted(model.vocabulary) == ["a", "b", "c"]
    assert model.config.tokenizer == "custom"


class StopAt(Recorder):
    """Presses Ctrl-C at a step."""

    def __init__(self, step, times=1):
        super().__init__()
        self.at, self.times = step, times

    def stepped(self, step):
        super().stepped(step)
        if len(self.of("stepped")) == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_keeps_the_state_and_the_handler(ctrl_c):
    with pytest.raises(Interrupted, match="after 7 steps, in epoch 1 of 9") as caught:
        cbow.train(story(), **{**SMALL, "epochs": 9}, observer=StopAt(7))
    assert isinstance(caught.value, KeyboardInterrupt)
    model = caught.value.model
    assert model.report["stopped"]["reason"] == "interrupted"
    assert len(model.vectors) == len(model.vocabulary)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    json.dumps(model.report, allow_nan=False)


def test_a_second_ctrl_c_stops_at_once(ctrl_c):
    with pytest.raises(KeyboardInterrupt) as caught:
        cbow.train(story(), **{**SMALL, "epochs": 9}, observer=StopAt(3, times=2))
    assert not isinstance(caught.value, Interrupted)
    assert not issubclass(Interrupted, Exception)


def test_the_interrupted_state_is_that_of_the_run(ctrl_c):
    with pytest.raises(Interrupted) as caught:
        cbow.train(story(), **{**SMALL, "epochs": 9}, observer=StopAt(7))
    with pytest.raises(Interrupted) as again:
        cbow.train(story(), **{**SMALL, "epochs": 9}, observer=StopAt(7))
    assert np.array_equal(caught.value.model.parameters.W1, again.value.model.parameters.W1)


def test_a_job_that_ignores_ctrl_c_goes_on(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model = cbow.train(story(), **SMALL, observer=StopAt(3))
    assert model.report["stopped"] is None
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_ctrl_c_while_the_heldout_loss_is_measured(ctrl_c, monkeypatch):
    measure = losses.batch_loss
    monkeypatch.setattr(
        losses, "batch_loss", lambda *a: (signal.raise_signal(signal.SIGINT), measure(*a))[1]
    )
    monkeypatch.setattr(losses.Losses, "measured_seconds", lambda self: 0.0)
    with pytest.raises(Interrupted, match="in epoch 1 of 2"):
        cbow.train(story(), **{**SMALL, "batch": 16}, heldout=0.3)


def test_it_trains_outside_the_main_thread(ctrl_c):
    models = []
    thread = threading.Thread(target=lambda: models.append(cbow.train(story(), **SMALL)))
    thread.start()
    thread.join()
    assert np.array_equal(models[0].parameters.W2, cbow.train(story(), **SMALL).parameters.W2)


WILD = {**SMALL, "epochs": 50, "optimizer": "sgd", "activation": "identity", "learning_rate": 1e9}


def test_divergence_names_the_step_and_keeps_the_last_good_state(monkeypatch):
    monkeypatch.setattr(exact_trainer.BatchTrainer, "keep_every", 1)
    with pytest.raises(DivergenceError) as caught:
        cbow.train(story(), **WILD)
    message, model = str(caught.value), caught.value.model
    stopped = model.report["stopped"]
    assert "the loss became" in message
    assert f"after {stopped['step']} steps, in epoch 1 of 50" in message
    assert "with learning rate 1e+09; train again with 1 or less" in message
    assert f"(the state after {stopped['kept_step']} steps is kept)" in message
    assert stopped["reason"] == "diverged"
    assert all(np.isfinite(array).all() for array in model.parameters)
    json.dumps(model.report, allow_nan=False)


@pytest.mark.parametrize(
    ("settings", "steps", "remedy"),
    [
        ({"objective": "exact", "learning_rate": 100}, "64 steps", "0.005 or less ("),
        ({"objective": "exact", "learning_rate": 1000, "batch": 2000}, "2 steps", None),
        (
            {"objective": "sampled", "candidates": 16, "learning_rate": 5, "batch": 65},
            r"\d+ steps", "0.08 or less, or with a batch smaller than 65 (",
        ),
    ],
)  # fmt: skip
def test_a_finite_loss_far_above_that_of_a_guess_ends_the_training(settings, steps, remedy):
    lines = [f"the {'ac'[i % 2]} and the {'bd'[i % 2]} of word{i % 40}" for i in range(1000)]
    if remedy is None:
        lines, remedy = lines[:500], "0.005 or less, or with a batch smaller than 2,000 ("
    with pytest.raises(DivergenceError) as caught:
        cbow.train(lines, dimension=8, sample=0, epochs=3, seed=1, **settings)
    message = str(caught.value)
    assert re.search(
        r"became [\d.e+]+ nats, and a guess among all 47 words has 3\.85, after", message
    )
    assert re.search(f"after {steps}, in epoch 1 of 3", message)
    assert remedy in message
    assert caught.value.model.report["stopped"]["reason"] == "diverged"


def test_a_loss_that_comes_down_again_does_not_end_it():
    lines = [f"the {'ac'[i % 2]} and the {'bd'[i % 2]} of word{i % 40}" for i in range(1000)]
    model = cbow.train(lines, dimension=8, sample=0, epochs=2, objective="exact", learning_rate=10)
    first, second = (epoch["loss"] for epoch in model.report["epochs"])
    assert np.log(47) < first < 4 * np.log(47)
    assert second < first


def result(J):
    """What a batch gives, without any gradient to speak of."""
    return StepResult(J, Gradients(np.zeros((8, 1)), np.zeros((8, 1))), np.zeros(8, np.int64))


def test_a_rate_below_the_usual_one_is_told_to_fall_by_ten(monkeypatch):
    monkeypatch.setattr(exact_trainer, "batch_gradients", lambda *_: result(math.inf))
    with pytest.raises(
        DivergenceError, match=r"with learning rate 0\.1; train again with 0\.01 or"
    ):
        cbow.train(story(), **SMALL, optimizer="sgd", learning_rate=0.1)


class Spoiler:
    """An optimizer that breaks a parameter at a step: one that the loss does not see."""

    def __init__(self, at):
        self.at, self.steps, self.before = at, 0, None

    def update(self, optimizer, parameters, *_):
        self.steps += 1
        parameters.W2[0, 0] += 1
        if self.steps == self.at:
            parameters.W1[0, -1] = np.inf  # of the rarest word

    def install(self, monkeypatch):
        monkeypatch.setattr(exact_trainer, "update", self.update)
        monkeypatch.setattr(exact_trainer.BatchTrainer, "compile", lambda trainer: None)  # no step
        return self


RARE = ["a b c a b c a b"] * 30 + ["a b"] * 10 + ["x y"]


def test_a_finite_loss_over_broken_parameters_is_noticed(monkeypatch):
    monkeypatch.setattr(exact_trainer.BatchTrainer, "keep_every", 2)
    Spoiler(at=5).install(monkeypatch)
    monkeypatch.setattr(exact_trainer, "batch_gradients", lambda *_: result(1.0))
    with pytest.raises(DivergenceError, match="a parameter became infinite or not a") as caught:
        cbow.train(RARE, **{**SMALL, "batch": 8})
    stopped = caught.value.model.report["stopped"]
    assert (stopped["step"], stopped["kept_step"]) == (6, 4)
    assert caught.value.model.parameters.W2[0, 0] == 4  # the copy of step 4, not a later one


def test_parameters_that_break_in_the_last_step_are_noticed(monkeypatch):
    Spoiler(at=1).install(monkeypatch)
    with pytest.raises(DivergenceError, match="a parameter became") as caught:
        cbow.train(RARE, **{**SMALL, "batch": 10**6, "epochs": 1})
    assert np.isfinite(caught.value.model.parameters.W1).all()


def test_a_heldout_loss_that_is_no_number_is_noticed(monkeypatch):
    monkeypatch.setattr(losses, "batch_loss", lambda *_: math.nan)
    with pytest.raises(DivergenceError):
        cbow.train(story(), **SMALL, heldout=0.2)


def rates_of(monkeypatch, **settings):
    seen = []

    def watch(optimizer, parameters, gradients, rate, pool):
        seen.append(rate)

    monkeypatch.setattr(exact_trainer, "update", watch)
    monkeypatch.setattr(exact_trainer.BatchTrainer, "compile", lambda trainer: None)  # no step
    model = cbow.train(story(), **{**SMALL, **settings})
    return seen, model


def test_the_learning_rate_falls_in_a_straight_line_over_all_epochs(monkeypatch):
    seen, model = rates_of(monkeypatch, epochs=5, batch=300, learning_rate=0.4)
    steps = len(seen)
    assert steps == 25
    for i, (W1, b1, W2, b2) in enumerate(seen):
        assert W1 == W2 == b2 == pytest.approx(0.4 * (1 - i / steps))
        assert b1 == pytest.approx(W1 * exact_trainer.B1_RATE)
    last = [epoch["learning_rate"] for epoch in model.report["epochs"]]
    assert last == [seen[i][0] for i in (4, 9, 14, 19, 24)]


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples(monkeypatch):
    watch = Recorder()
    sizes = []
    gradients = exact_trainer.batch_gradients
    monkeypatch.setattr(
        exact_trainer,
        "batch_gradients",
        lambda w, b, p: (sizes.append(len(b.y)), gradients(w, b, p))[1],
    )
    cbow.train(story(), **{**SMALL, "epochs": 1, "batch": 700}, observer=watch)
    each = [step.loss for step in watch.of("stepped")]  # the first batch only compiles
    assert watch.of("epoch")[0].loss == pytest.approx(
        np.average(each, weights=sizes[1:]), rel=1e-12
    )


def test_the_unigram_baseline_is_that_of_the_words_asked_for():
    model = cbow.train(story(), **{**SMALL, "sample": 0.05, "heldout": 0.2})
    counts = model.vocabulary.counts
    f = counts / counts.sum()
    keep = np.minimum(1, np.sqrt(0.05 / f) + 0.05 / f)
    p = f * keep / (f * keep).sum()
    base = model.report["baselines"]
    assert base["unigram"] == pytest.approx(-(p * np.log(p)).sum())
    assert base["heldout_unigram"] == pytest.approx(base["unigram"], rel=0.1)
    assert base["heldout_unigram"] != base["unigram"]


def test_a_temporary_folder_that_is_not_there(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    with pytest.raises(OutputError, match=r"no temporary folder can be made \(.* --work-folder"):
        cbow.train(story(), **SMALL)


def test_the_folder_where_the_text_is_kept(tmp_path, monkeypatch):
    """In a new training and one that goes on; what it is called changes no byte."""
    seen = []

    class Looks(cbow.training.Observer):
        def encoded(self, account):
            seen.append([path.parent for path in tmp_path.glob("*/*/ids.int32")])

    (tmp_path / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    work = tmp_path / "work"
    model = cbow.train(story(), **SMALL, work_folder=work, observer=Looks())
    model.save(tmp_path / "m")
    monkeypatch.setenv("HOME", str(tmp_path))
    more = cbow.resume(
        tmp_path / "m", corpus=story(), epochs=1, work_folder="~/work", observer=Looks()
    )
    assert [len(each) for each in seen] == [1, 1]
    assert not list(work.iterdir())
    assert "work_folder" not in {**model.config.to_dict(), **more.config.to_dict()}
    with pytest.raises(OutputError, match=r"be made in /no/folder \(No such .* --work-folder$"):
        cbow.train(story(), **SMALL, work_folder="/no/folder")


def test_an_error_of_the_callers_own_is_left_as_it_is():
    def lines():
        yield "a b c"
        raise FileNotFoundError("mine")

    with pytest.raises(FileNotFoundError, match="mine"):
        cbow.train(lines(), **SMALL)


def test_a_temporary_folder_that_cannot_be_removed_costs_no_model(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.rmdir", refuse_to_remove)
    with pytest.warns(OutputWarning, match="cannot be removed and is left; remove it") as told:
        model = cbow.train(story(), Config(**SMALL))
    assert len(told) == 1
    assert len(model.report["epochs"]) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_a_command_whose_temporary_folder_cannot_be_removed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.rmdir", refuse_to_remove)
    (tmp_path / "a.txt").write_text("\n".join(story()))
    assert train_command(["a.txt", "--dimension", "4", "--epochs", "1", "--sample", "0"]) == 0
    err = capsys.readouterr().err
    assert err.count("cannot be removed") == err.count("note: the temporary folder") == 1
    assert "Traceback" not in err
    assert cbow.load("a.safetensors").config.dimension == 4


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="tells what is mapped on Linux")
@pytest.mark.parametrize("fails", [False, True])
def test_the_encoded_text_is_not_mapped_any_more_when_it_is_removed(monkeypatch, fails):
    mapped = []
    remove = files._remove

    def removing(path):
        with open("/proc/self/maps") as maps:
            mapped.append(path.name in maps.read())
        remove(path)

    class Failing(Observer):
        def planned(self, plan):
            with open("/proc/self/maps") as maps:
                assert "/ids.int32" in maps.read()
            if fails:
                raise ValueError("the observer fails")

    monkeypatch.setattr(files, "_remove", removing)
    with contextlib.suppress(ValueError):
        cbow.train(story(), Config(**SMALL), observer=Failing())
    assert mapped == [False]


@pytest.mark.parametrize("config", [{"dimension": 3}, 3, "dimension=3", Config])
def test_a_config_that_is_none(config):
    with pytest.raises(ConfigError, match=r"must be a Config; give settings by name, as in "):
        cbow.train(["a b"] * 9, config)


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cbow.train(story(), **SMALL)
    with pytest.raises(CorpusError):
        cbow.train(["a", "b"] * 10, **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_perplexity_of_a_huge_loss_is_infinite_not_an_error():
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(1e6) == math.inf


def test_baselines_are_plain_numbers():
    assert dataclasses.asdict(Baselines(2.0, 1.0)) == {
        "uniform": 2.0,
        "unigram": 1.0,
        "heldout_unigram": None,
    }


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'cbow.training' has no attribute 'trian'"):
        _ = cbow.training.trian


def test_training_is_the_function_not_the_module():
    assert callable(cbow.train)
    assert sys.modules["cbow.training.run"].train is cbow.train


def test_the_exact_objective_goes_on_where_it_stopped(tmp_path, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from cbow.network import Adam, cbow_network, initialise
    from cbow.text import encode_corpus
    from cbow.training.exact.trainer import BatchTrainer
    from cbow.training.examples import ExampleSource
    from cbow.training.state import Measures, State

    corpus = encode_corpus(story(), Config(min_count=1), folder=tmp_path)
    source = ExampleSource(corpus, 3, 0.0, 0.0, seed=1)
    with ThreadPoolExecutor(1) as pool:

        def trainer():
            parameters = initialise(len(corpus.vocabulary), 8, 1)
            return BatchTrainer(
                cbow_network(),
                Composed(parameters, themselves(len(parameters.W2))),
                source,
                200,
                "adam",
                pool,
            )

        whole, first, second = trainer(), trainer(), trainer()
        (kernel, state_of), calls = exact_trainer.STEPS[Adam], []
        counting = (lambda *some: (calls.append(some), kernel(*some))), state_of
        with monkeypatch.context() as patch:
            patch.setitem(exact_trainer.STEPS, Adam, counting)
            second.compile()  # all that a step needs, and nothing is learned
        assert calls
        expected, state = State(1, Measures(8)), State(1, Measures(8))
        shares = [p.share for p in whole.portions(expected, lambda share: 0.1 - 0.05 * share)]
        for portion in first.portions(state, lambda share: 0.1 - 0.05 * share):
            if portion.share >= shares[2]:
                break
        for old, new in zip(first.parameters, second.parameters, strict=True):
            new[:] = old
        for name, array in second.optimizer_arrays().items():
            array[...] = first.optimizer_arrays()[name]
        list(second.portions(state, lambda share: 0.1 - 0.05 * share))
    for one, other in zip(whole.parameters, second.parameters, strict=True):
        np.testing.assert_array_equal(one, other)
    assert vars(state.tally) == vars(expected.tally)
    assert state.measures.to_dict() == expected.measures.to_dict()


def test_lost_workers_without_a_checkpoint(monkeypatch):
    def lost(*_):
        raise ClusterError("the cluster is lost")

    monkeypatch.setattr("cbow.training.run.Loop.run", lost)
    with pytest.raises(WorkersLostError, match="the cluster is lost") as caught:
        cbow.train(story(), **SMALL)
    assert caught.value.model.report["stopped"]["reason"] == "lost"
