"""Training that ends of itself: the held-out loss falls no longer."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_run import SMALL, story

import cbow
from cbow.config import Config
from cbow.errors import ConfigError
from cbow.network import initialise
from cbow.training import Interrupted, Observer, losses
from cbow.training.composed import Composed, themselves
from cbow.training.examples import ExampleSource
from cbow.training.loop import since_least
from cbow.training.run import encoded
from cbow.training.state import is_finite

WATCHED = {**SMALL, "heldout": 0.2, "epochs": 6}


@pytest.fixture
def scripted(monkeypatch):
    """Let the held-out losses be these, one after the other."""

    def script(*values):
        coming = iter(values)
        monkeypatch.setattr(losses.Losses, "heldout", lambda self: next(coming))

    return script


def epochs_of(model):
    return [epoch["epoch"] for epoch in model.report["epochs"]]


@given(st.lists(st.floats(0, 10), min_size=1))
def test_losses_since_the_least(values):
    behind = since_least(values)
    least = len(values) - 1 - behind
    assert all(values[least] < value for value in values[:least])
    assert all(values[least] <= value for value in values[least:])


def test_without_a_loss_nothing_is_behind():
    assert since_least([]) == since_least([None, None]) == 0


@pytest.mark.parametrize(
    ("patience", "values", "last"),
    [
        (1, [3.0, 2.0, 2.0], 3),  # as low is not lower
        (2, [3.0, 2.0, 2.5, 2.1], 4),
        (2, [3.0, 2.0, 2.5, 1.9, 2.4, 1.8], 6),
        (5, [3.0, 3.1, 3.2, 3.3, 3.4, 3.5], 6),  # the last epoch comes first
    ],
)
def test_it_stops_when_the_loss_has_not_fallen_for_so_many_epochs(scripted, patience, values, last):
    scripted(*values)
    model = cbow.train(story(), **WATCHED, patience=patience)
    assert epochs_of(model) == list(range(1, last + 1))
    stopped = model.report["stopped"]
    if last == 6:
        assert stopped is None
    else:
        assert (stopped["reason"], stopped["epoch"]) == ("patience", last)
        assert stopped["found"].startswith(f"the held-out loss has not fallen for {patience} epoch")


def test_the_parameters_are_those_of_the_last_epoch(scripted):
    seen = []

    class Watch(Observer):
        def learned(self, epoch, model):
            seen.append(model().parameters.W2.copy())

    scripted(2.0, 3.0)
    model = cbow.train(story(), **WATCHED, patience=1, observer=Watch())
    assert len(seen) == 2
    np.testing.assert_array_equal(model.parameters.W2, seen[-1])
    assert not np.array_equal(seen[0], seen[1])


def test_more_epochs_are_judged_by_themselves(scripted, tmp_path):
    scripted(2.0, 3.0)
    cbow.train(story(), **WATCHED, patience=1).save(tmp_path / "m.safetensors")
    scripted(9.0, 8.0, 8.5)
    more = cbow.resume(tmp_path / "m.safetensors", corpus=story(), epochs=9)
    assert epochs_of(more) == [1, 2, 3, 4, 5]
    assert more.report["stopped"]["epoch"] == 5


def test_without_held_out_lines_there_is_nothing_to_watch():
    with pytest.raises(ConfigError, match=r"patience is 2, but heldout is 0.*set heldout"):
        cbow.train(story(), **SMALL, patience=2)


def test_an_observer_can_use_the_model_after_each_epoch():
    seen = []

    class Watch(Observer):
        def learned(self, epoch, model):
            now = model()
            seen.append((epoch.epoch, len(now.report["epochs"]), len(now.vectors), now.report))

    model = cbow.train(story(), **SMALL, observer=Watch())
    assert [each[:3] for each in seen] == [(n, n, len(model.vocabulary)) for n in (1, 2)]
    assert seen[-1][3] == model.report


def test_the_probe_takes_a_fiftieth_of_the_time_but_is_neither_small_nor_large():
    N, S, V, m = 100, 128, 1_000_000, 10**8
    size = losses.probe_size(V, m, S)
    assert size * 2 * N * V == pytest.approx(0.02 * m * 6 * N * S, rel=1e-3)
    assert losses.probe_size(V, 10**6, S) == 512
    assert losses.probe_size(20_000, m, S) == 4096


def test_the_estimate_counts_only_the_batches_that_are_measured(monkeypatch):
    config = Config(**{**WATCHED, "heldout": 0.5})
    times = iter(range(100))  # each look at the clock a second after the last
    monkeypatch.setattr(losses, "time", SimpleNamespace(monotonic=lambda: float(next(times))))
    monkeypatch.setattr(losses, "batch_loss", lambda *_: 1.0)
    with encoded(story(), config, None, Observer()) as text:
        source = ExampleSource(text, 5, config.sample, config.heldout, config.seed)
        V = len(text.vocabulary)
        composed = Composed(initialise(V, 4, 1), themselves(V))
        measure = losses.Losses(None, composed, source, None, None, probe=8)
        assert measure.batches == 1
        assert measure.measured_seconds() == 2 * (1 + 1)  # both kinds: to read one, and one loss


def test_measuring_a_loss_stops_when_asked(monkeypatch):
    """Ctrl-C does not wait for thousands of held-out examples."""
    measured = []

    class Asked:
        def asked(self):
            return len(measured) == 2

    def batch_loss(workspace, batch, pool):
        measured.append(len(batch.y))
        return 1.0

    monkeypatch.setattr(losses, "batch_loss", batch_loss)
    config = Config(**{**WATCHED, "epochs": 1})
    with encoded(story(), config, None, Observer()) as text:
        source = ExampleSource(text, 5, config.sample, config.heldout, config.seed)
        monkeypatch.setattr(losses, "TOGETHER", 16)
        V = len(text.vocabulary)
        composed = Composed(initialise(V, 4, 1), themselves(V))
        found = losses.Losses(None, composed, source, None, Asked()).heldout()
    assert found == 1.0
    assert len(measured) == 2


def test_ctrl_c_between_two_epochs_counts_for_the_next(ctrl_c):
    class Press(Observer):
        def finished_epoch(self, epoch):
            ctrl_c()

    with pytest.raises(Interrupted, match="in epoch 2 of 6") as caught:
        cbow.train(story(), **{**SMALL, "epochs": 6}, observer=Press())
    assert epochs_of(caught.value.model) == [1]


@pytest.mark.parametrize(
    ("settings", "batches"),
    [
        ({"objective": "exact", "heldout": 0}, 0),
        ({"objective": "exact", "heldout": 0.2}, 2),
        ({"objective": "sampled", "heldout": 0, "candidates": 4}, 2),
        ({"objective": "sampled", "heldout": 0.2, "candidates": 4}, 4),
    ],
)
def test_the_plan_knows_what_the_losses_take(settings, batches, monkeypatch):
    """Two batches of each kind are measured before anything is learned, and nothing changes."""
    measured, measure = [], losses.batch_loss

    def batch_loss(*arguments):
        measured.append(not plans)
        return measure(*arguments)

    plans = []

    class Watch(Observer):
        def planned(self, plan):
            plans.append(plan)

    expected = cbow.train(story(), **{**SMALL, **settings})
    monkeypatch.setattr(losses, "batch_loss", batch_loss)
    model = cbow.train(story(), **{**SMALL, **settings}, observer=Watch())
    assert sum(measured) == batches
    assert (plans[0].loss_seconds > 0) == (batches > 0)
    assert all(map(np.array_equal, model.parameters, expected.parameters))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", range(4))
def test_one_number_that_is_not_finite_is_seen(number, which):
    parameters = initialise(6, 3, 1)
    assert is_finite(parameters)
    parameters[which].flat[1] = number
    assert not is_finite(parameters)
