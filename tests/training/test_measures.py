"""What is measured over the steps of an epoch."""

import json
import math

import numpy as np
import pytest

import cbow
from cbow.network import Gradients
from cbow.training import Observer
from cbow.training.observer import Epoch
from cbow.training.state import Measures, StepResult, norm


def step(J, fired, size=1.0):
    arrays = [np.full((3, 2), size), np.full((3, 1), size)]
    return StepResult(J, Gradients(*arrays), np.array(fired))


def test_sums_by_hand():
    measures = Measures(units=3)
    measures.add(step(2.0, [4, 0, 1], size=1.0), m=4)
    measures.add(step(5.0, [2, 0, 0], size=2.0), m=2)
    assert (measures.examples, measures.steps) == (6, 2)
    assert measures.loss == (2.0 * 4 + 5.0 * 2) / 6
    assert measures.active == pytest.approx(7 / (3 * 6))
    assert measures.dead == 1
    assert measures.gradient_norms == {
        "dW1": pytest.approx(1.5 * 6**0.5),
        "db1": pytest.approx(1.5 * 3**0.5),
    }


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_norm_equals_numpy(order, dtype):
    array = np.random.default_rng(0).normal(size=(40, 30)).astype(dtype, order=order)
    assert norm(array) == pytest.approx(float(np.linalg.norm(array.astype(float))), rel=1e-6)


def test_a_norm_beyond_all_numbers():
    with np.errstate(over="ignore"):
        assert norm(np.full((2, 2), 1e30, np.float32)) == math.inf


def test_a_norm_beyond_all_numbers_is_none_in_a_report():
    epoch = Epoch(1, 1.0, None, 1, 0, 0, 0, 1, 1, 0.1, 0.5, 0, {"dW1": math.inf, "db1": 2.0})
    assert epoch.to_dict()["gradient_norms"] == {"dW1": None, "db1": 2.0}


class First(Observer):
    """Keeps the first epoch."""

    epoch = None

    def finished_epoch(self, epoch):
        self.epoch = self.epoch or epoch


LINES = ["the king rules the land", "a queen rules a land", "the old king sleeps"] * 40


@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_a_run_tells_them(activation):
    watch = First()
    model = cbow.train(
        LINES, dimension=6, sample=0, epochs=1, batch=50, activation=activation, observer=watch
    )
    assert list(watch.epoch.gradient_norms) == ["dW1", "db1", "dW2", "db2"]
    assert all(value > 0 for value in watch.epoch.gradient_norms.values())
    assert 0.3 < watch.epoch.active <= 1
    assert watch.epoch.dead == 0
    if activation == "identity":
        assert watch.epoch.active == 1
    assert model.report["epochs"][0]["active"] == watch.epoch.active


def test_units_that_cannot_fire_are_dead(monkeypatch):
    monkeypatch.setattr("cbow.training.run.B1_START", -10.0)
    watch = First()
    cbow.train(LINES, dimension=6, sample=0, epochs=1, observer=watch)
    assert (watch.epoch.active, watch.epoch.dead) == (0.0, 6)
    assert watch.epoch.gradient_norms["dW1"] == 0
    assert watch.epoch.gradient_norms["db2"] > 0


def test_measures_survive_json():
    measures = Measures(units=3)
    measures.add(step(2.0, [4, 0, 1]), m=4)
    again = Measures.from_dict(json.loads(json.dumps(measures.to_dict())))
    for one in (measures, again):
        one.add(step(0.1, [1, 1, 1]), m=3)
    assert again.to_dict() == measures.to_dict()
    assert again.candidate_loss is None
    sampled = Measures(units=1)
    sampled.add_sampled(6.0, 4, 2, np.array([3]))
    assert Measures.from_dict(sampled.to_dict()).candidate_loss == 1.5
