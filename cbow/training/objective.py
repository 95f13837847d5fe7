"""Exact softmax or candidates: which objective to train by, and why."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from cbow.config import LEARNING_RATES, SAMPLED_BATCH, SAMPLED_RATE, Config
from cbow.errors import ConfigError
from cbow.network.activations import ACTIVATIONS
from cbow.network.parameters import B1_START
from cbow.training.examples import ExampleSource

#: Multiplications and additions up to which the exact softmax is cheap: well under a minute.
CHEAP: Final = 8e12

#: b1 of the sampled objective starts so high that nearly all units fire. Its output layer is
#: centred at the same number; see `cbow.training.sampled.step.centred`.
SAMPLED_B1_START: Final = 1.0

#: Steps of b1 are so much smaller than those of the others. Every example moves it, and a unit
#: whose b1 falls far below 0 never fires again; measured in docs/experiments.md.
B1_RATE: Final = 0.01

#: Multiplications and additions a second of one processor, and tokens a second by candidates, to
#: estimate a time. Nothing depends on them but that.
SPEED: Final = 1.2e11
TOKENS_A_SECOND: Final = 1.5e6


class Objective(NamedTuple):
    """The objective, and the settings that depend on it."""

    name: str  #: exact or sampled
    reason: str
    optimizer: str
    rate: float  #: learning rate at the start
    batch: int  #: examples per step, about
    b1_start: float  #: where the biases of the hidden layer start

    def settings(self) -> dict[str, Any]:
        """Return the settings with which the same objective would be chosen again."""
        return {
            "objective": self.name,
            "optimizer": self.optimizer,
            "learning_rate": self.rate,
            "batch": self.batch,
        }


def choose_objective(config: Config, source: ExampleSource, threads: int) -> Objective:
    """Choose by the cost, unless the settings say which.

    Whether the exact softmax is cheap depends on the vocabulary, the text and the settings, and
    on nothing else: the same run has the same objective on every machine.

    Raises
    ------
    ConfigError
        If settings do not fit the objective.
    """
    V, tokens = len(source.corpus.vocabulary), len(source.corpus.ids)
    examples = tokens * source.share_kept() * (1 - config.heldout) * config.epochs
    work = 6 * V * config.dimension * examples
    cheap = work <= CHEAP or config.candidates >= V  # no word would be left out
    exact = config.objective == "exact" or (config.objective == "auto" and cheap)
    seconds = work / SPEED if exact else config.epochs * tokens / TOKENS_A_SECOND
    about = f"about {_rounded(seconds / threads)} on {threads} processors"
    if config.objective != "auto":
        reason = f"as asked for; {about}"
    elif exact:
        reason = f"the vocabulary and the text are small enough for it; {about}"
    else:
        reason = f"the exact softmax would take about {_rounded(work / SPEED / threads)}; {about}"
    if exact:
        optimizer = config.optimizer or "adam"
        rate = config.learning_rate or usual_rate("exact", optimizer)
        batch = source.batch_size(config.batch)
        return Objective("exact", reason, optimizer, rate, batch, B1_START)
    if config.optimizer not in (None, "sgd"):
        raise ConfigError(
            f"optimizer is {config.optimizer}, but the sampled objective has sgd only; leave it "
            "out, or set the objective to exact"
        )
    if ACTIVATIONS[config.activation].slope is None:
        raise ConfigError(
            f"activation is {config.activation}, but the sampled objective needs one that is "
            "straight on both sides of 0; choose another, or set the objective to exact"
        )
    if config.candidates > V:
        raise ConfigError(
            f"candidates is {config.candidates}, but the vocabulary has {V} words; give fewer "
            "candidates, or set the objective to exact"
        )
    rate = config.learning_rate or usual_rate("sampled", "sgd")
    batch = config.batch or SAMPLED_BATCH
    return Objective("sampled", reason, "sgd", rate, batch, SAMPLED_B1_START)


def usual_rate(objective: str, optimizer: str) -> float:
    """Return the learning rate that is used when none is given."""
    return SAMPLED_RATE if objective == "sampled" else LEARNING_RATES[optimizer]


def _rounded(seconds: float) -> str:
    """Write an estimate no finer than it is."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
