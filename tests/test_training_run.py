"""Training as a whole: reproducible, honest about its loss, and safe to stop."""

import dataclasses
import json
import math
import os
import signal
import sys
import threading

import numpy as np
import pytest

import cbow
from cbow.config import Config
from cbow.errors import ConfigError, CorpusError, DivergenceError, Interrupted, OutputError
from cbow.training import Observer, loop, run
from cbow.training.observer import Baselines, perplexity


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


def test_a_generator_is_read_once_and_gives_what_a_list_gives():
    def lines():
        yield from story()

    one = cbow.train(lines(), **SMALL)
    two = cbow.train(story(), **SMALL)
    assert np.array_equal(one.parameters.W1, two.parameters.W1)


def test_words_used_alike_end_up_near():
    model = cbow.train(story(2000), **{**SMALL, "epochs": 10})
    for family in (["dog", "cat", "cow"], ["king", "queen", "lord"]):
        for word in family:
            near = [w for w, _ in model.vectors.most_similar(word, topn=2)]
            assert set(near) <= set(family)


def test_the_loss_is_the_cost_the_network_defines():
    from cbow.network import ACTIVATIONS, contexts, cost, forward
    from cbow.training.examples import ExampleSource, Tally
    from cbow.training.randomness import Purpose, stream, uniform

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
    source = ExampleSource(encoded, 5, 0.0, 0.2, seed=1)
    total = count = 0
    for batch, _ in source.epoch(0, 1, Tally(), heldout=True):
        X = contexts(batch.indices, batch.indptr, len(ids), np.float32)
        total += cost(forward(model.parameters, X, ACTIVATIONS["relu"]), batch.y) * len(batch.y)
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
        assert epoch.tokens == epoch.heldout + epoch.thinned + epoch.lonely + epoch.examples
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
    with pytest.raises(CorpusError, match="20 stand alone on their line"):
        cbow.train(["a", "b"] * 10, **SMALL)


def test_a_text_thinned_out_to_nothing_is_an_error():
    with pytest.raises(CorpusError, match="were thinned out as frequent"):
        cbow.train(["a b"] * 10, **{**SMALL, "sample": 1e-12})


def test_settings_by_name_go_before_the_config():
    model = cbow.train(story(), Config(**SMALL), dimension=3)
    assert model.config == Config(**{**SMALL, "dimension": 3})
    with pytest.raises(ConfigError, match="no setting 'size'"):
        cbow.train(story(), size=3)


def test_a_tokenizer_of_ones_own_is_recorded_as_custom():
    model = cbow.train(["a-b-c"] * 9, tokenizer=lambda line: line.split("-"), **SMALL)
    assert sorted(model.vocabulary) == ["a", "b", "c"]
    assert model.config.tokenizer == "custom"


@pytest.fixture
def ctrl_c():
    """Give Ctrl-C its usual meaning, which it lacks if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


def test_it_trains_outside_the_main_thread():
    models = []
    thread = threading.Thread(target=lambda: models.append(cbow.train(story(), **SMALL)))
    thread.start()
    thread.join()
    assert np.array_equal(models[0].parameters.W2, cbow.train(story(), **SMALL).parameters.W2)


def test_divergence_names_the_step_and_keeps_the_last_good_state(monkeypatch):
    monkeypatch.setattr(loop, "KEEP_EVERY", 5)
    with pytest.raises(DivergenceError) as caught:
        cbow.train(
            story(), **{**SMALL, "epochs": 50}, optimizer="sgd", activation="identity",
            learning_rate=1e9,
        )  # fmt: skip
    message, model = str(caught.value), caught.value.model
    assert "the loss became" in message
    assert "with learning rate 1e+09; train again with a learning rate of 1e+08" in message
    assert all(np.isfinite(array).all() for array in model.parameters)
    assert model.report["stopped"]["reason"] == "diverged"
    assert f"at step {model.report['stopped']['step']}" in message
    json.dumps(model.report, allow_nan=False)


def test_parameters_that_overflow_in_the_last_step_are_noticed(monkeypatch):
    def spoil(self, parameters, gradients, rate):
        parameters.W1[0, 0] = np.inf

    monkeypatch.setattr("cbow.network.SGD.update", spoil)
    with pytest.raises(DivergenceError) as caught:
        cbow.train(story(50), **{**SMALL, "batch": 10**6, "epochs": 1}, optimizer="sgd")
    assert np.isfinite(caught.value.model.parameters.W1).all()


def test_a_finite_loss_over_broken_parameters_is_noticed(monkeypatch):
    monkeypatch.setattr(loop, "KEEP_EVERY", 2)

    def spoil(self, parameters, gradients, rate):
        parameters.b1[:] = -1e30  # every unit is dead: the loss is finite
        parameters.W1[0, 0] = np.nan

    monkeypatch.setattr("cbow.network.SGD.update", spoil)
    with pytest.raises(DivergenceError):
        cbow.train(story(50), **{**SMALL, "batch": 16}, optimizer="sgd")


def test_a_full_disk_while_the_text_is_encoded(monkeypatch):
    def full(*arguments, **settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "encode_corpus", full)
    with pytest.raises(OutputError, match="the disk is full"):
        cbow.train(story(), **SMALL)


def test_nothing_is_left_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(run.tempfile, "tempdir", str(tmp_path))
    cbow.train(story(), **SMALL)
    with pytest.raises(CorpusError):
        cbow.train(["a", "b"] * 10, **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_processors(monkeypatch):
    assert run.processors() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(run.os, "sched_getaffinity")
    assert run.processors() == os.cpu_count()
    monkeypatch.setattr(run.os, "cpu_count", lambda: None)
    assert run.processors() == 1


def test_perplexity_of_a_huge_loss_is_infinite_not_an_error():
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(1e6) == math.inf


def test_baselines_are_plain_numbers():
    assert dataclasses.asdict(Baselines(2.0, 1.0)) == {
        "uniform": 2.0,
        "unigram": 1.0,
        "heldout_unigram": None,
    }


def test_training_is_the_function_not_the_module():
    assert callable(cbow.train)
    assert sys.modules["cbow.training.run"].train is cbow.train
