"""The rule for what is not given: the settings, the sentence, and that a model holds them."""

import dataclasses
import json

import numpy as np
import pytest

import cbow
from cbow.config import EFFORTS, OPTIMIZERS, Config
from cbow.training import Observer, defaults
from cbow.training.defaults import Fitted, fit


class First(Observer):
    """Keeps the first plan."""

    def planned(self, plan):
        self.plan = plan


@pytest.mark.parametrize(
    ("T", "V", "expected"),
    [
        (200, 8, ("exact", 10, 3, 0.01, 64, "adam", 0.005)),
        (36_000, 571, ("exact", 10, 3, 0.01, 144, "adam", 0.005)),
        (41_200, 571, ("exact", 10, 3, 0.0097, 165, "adam", 0.005)),
        (100_000, 2_000, ("exact", 10, 3, 0.004, 400, "adam", 0.005)),
        (100_001, 2_000, ("exact", 10, 5, 0.004, 400, "adam", 0.005)),
        (10**9, 128, ("exact", 10, 5, 1e-4, 1024, "adam", 0.005)),
        (200_000, 4_000, ("sampled", 12, 5, 0.002, 512, "sgd", defaults.SAMPLED_RATE)),
        (17_000_000, 46_000, ("sampled", 7, 5, 1e-4, 2048, "sgd", defaults.SAMPLED_RATE)),
        (10**9, 129, ("sampled", 3, 5, 1e-4, 512, "sgd", defaults.SAMPLED_RATE)),
    ],
)
def test_what_is_chosen_for_a_text(T, V, expected):
    assert fit(Config(), T, V)[:-1] == (*expected, 128)


def test_the_exact_softmax_is_chosen_by_its_cost():
    # 6 V N T epochs = 1.5e12
    assert fit(Config(), 250_000, 1_000).objective == "exact"
    assert fit(Config(), 250_001, 1_000).objective == "sampled"
    assert fit(Config(), 250_000, 1_001).objective == "sampled"
    for settings in ({"epochs": 11}, {"dimension": 101}):
        assert fit(Config(**settings), 250_000, 1_000).objective == "sampled", settings


@pytest.mark.parametrize("effort", EFFORTS)
def test_less_effort_does_not_choose_what_takes_longer(effort):
    assert fit(Config(effort=effort), 250_000, 1_000).objective == "exact"
    assert fit(Config(effort=effort), 250_001, 1_000).objective == "sampled"


@pytest.mark.parametrize(
    ("effort", "exact", "sampled", "large"),
    [("quick", 3, 4, 1), ("normal", 10, 12, 3), ("best", 30, 36, 9)],
)
def test_effort_scales_the_epochs_that_are_chosen(effort, exact, sampled, large):
    assert fit(Config(effort=effort), 1_000, 100).epochs == exact
    assert fit(Config(effort=effort), 10**6, 10**4).epochs == sampled
    assert fit(Config(effort=effort), 10**8, 10**5).epochs == large
    assert fit(Config(effort=effort, epochs=7), 1_000, 100).epochs == 7


def test_every_effort_and_every_optimizer_is_known():
    assert tuple(defaults.EFFORTS) == EFFORTS
    assert tuple(defaults.LEARNING_RATES) == OPTIMIZERS


GIVEN = {
    "objective": "sampled", "epochs": 2, "window": 9, "sample": 0.0, "batch": 7,
    "optimizer": "sgd", "learning_rate": 0.3, "candidates": 31,
}  # fmt: skip


def test_what_is_given_holds():
    fitted = fit(Config(**GIVEN), 1_000, 100)
    assert fitted == Fitted(**GIVEN, chosen="")
    assert fitted.settings() == GIVEN
    for name, value in GIVEN.items():
        one = fit(Config(**{name: value}), 1_000, 100)
        assert getattr(one, name) == value
        assert "chosen for 1,000 tokens, 100 words: " in one.chosen
        told = one.chosen.split(" (")[0].split(": ")[1].split(", ")
        assert len(told) == len(GIVEN) - (1 if name == "candidates" else 2)  # which are not told


def test_the_rate_is_that_of_the_objective_and_the_optimizer():
    assert fit(Config(optimizer="adagrad"), 1_000, 100).learning_rate == 0.05
    assert fit(Config(optimizer="sgd"), 1_000, 100).learning_rate == 1.0
    sampled = fit(Config(objective="sampled"), 1_000, 100)
    assert (sampled.optimizer, sampled.learning_rate) == ("sgd", defaults.SAMPLED_RATE)


@pytest.mark.parametrize(
    ("tokens", "workers", "batch"),
    [
        (10**6, 1, 512), (6_000_000, 1, 1024), (17_000_000, 1, 2048), (10**12, 1, 2048),
        (17_000_000, 8, 512), (10**9, 64, 2048),
    ],
)  # fmt: skip
def test_a_large_text_is_learned_in_large_steps(tokens, workers, batch):
    assert fit(Config(workers=workers), tokens, 50_000).batch == batch


def test_words_made_of_ngrams_have_smaller_steps_and_fewer_candidates():
    fitted = fit(Config(ngrams=(3, 6)), 17_000_000, 46_000)
    assert (fitted.batch, fitted.candidates) == (512, 64)
    given = fit(Config(ngrams=(3, 6), batch=2048, candidates=128), 17_000_000, 46_000)
    assert (given.batch, given.candidates) == (2048, 128)
    assert fit(Config(ngrams=(3, 6)), 10**9, 64).objective == "exact"  # no word is left out


EXACT = "the exact softmax is quick here"
SMALLER = "the smaller a text, the more passes and frequent words it needs"


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        (
            {},
            "exact softmax, epochs 10, window 3, sample 0.01, batch 144, adam, learning rate 0.005 "
            f"({EXACT}; {SMALLER})",
        ),
        (
            {"objective": "sampled", "window": 4, "sample": 0, "effort": "quick"},
            "epochs 4, batch 512, sgd, learning rate 0.08 "
            f"({SMALLER}; effort quick makes it a third of the epochs)",
        ),
        (
            {"epochs": 500, "sample": 0, "effort": "best"},
            "sampled softmax, window 3, batch 512, sgd, learning rate 0.08 "
            "(the exact softmax would be slow here)",
        ),
        (
            {"objective": "exact", "window": 2, "effort": "best"},
            "epochs 30, sample 0.01, batch 144, adam, learning rate 0.005 "
            f"({SMALLER}; effort best makes it three times the epochs)",
        ),
        ({**GIVEN, "batch": None}, "batch 512"),
    ],
)
def test_the_sentence(settings, chosen):
    sentence = f"chosen for 36,000 tokens, 571 words: {chosen}"
    assert fit(Config(**settings), 36_000, 571).chosen == sentence


TEXT = ["the king rules the land", "a queen rules a land", "the old king sleeps"] * 40


@pytest.mark.parametrize("objective", ["auto", "sampled"])
def test_a_model_holds_what_was_used_and_can_be_trained_again(tmp_path, objective):
    watch = First()
    given = {"objective": objective, "candidates": 4, "dimension": 4, "effort": "quick"}
    model = cbow.train(TEXT, **given, observer=watch)
    tokens, words = model.report["account"]["kept"], len(model.vocabulary)
    fitted = fit(Config(**given), tokens, words)
    assert fitted.chosen == watch.plan.fitted.chosen != ""
    assert model.config == Config(**{**given, **fitted.settings()})
    assert len(model.report["epochs"]) == fitted.epochs
    again = cbow.train(TEXT, model.config, observer=watch)
    assert watch.plan.fitted.chosen == ""
    for path in ("one", "two"):
        (model if path == "one" else again).save(tmp_path / path)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_more_epochs_go_by_what_the_model_holds(tmp_path, monkeypatch):
    model = cbow.train(TEXT, dimension=4, effort="quick")
    model.save(tmp_path / "m")
    monkeypatch.setattr(defaults, "OFTEN", 1e-9)
    monkeypatch.setattr(defaults, "SMALL_WINDOW", 1)
    watch = First()
    more = cbow.resume(tmp_path / "m", corpus=TEXT, epochs=2, observer=watch)
    assert watch.plan.fitted.chosen == ""
    assert more.config == dataclasses.replace(model.config, epochs=5)
    assert len(more.report["epochs"]) == 5


def test_a_plan_as_json():
    watch = First()
    cbow.train(TEXT, dimension=4, epochs=1, observer=watch)
    plan = json.loads(json.dumps(watch.plan.to_dict()))
    assert plan["batch"] == 64
    assert plan["sample"] == 0.01
    assert plan["chosen"].startswith("chosen for ")
    assert plan["baselines"]["uniform"] == pytest.approx(np.log(plan["vocabulary_size"]))
    assert "fitted" not in plan
