"""The rule that chooses the settings which are not given, from the size of the text alone.

T tokens are kept of the text, of V words, and a word has N numbers. A large text has to be read in
little time; a small one teaches little each time it is read, and what it tells of its words it
tells by their frequent neighbours. How the numbers were found: docs/experiments.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from cbow.config import Config
from cbow.errors import ConfigError

#: Multiplications and additions up to which the exact softmax is cheap, some ten seconds.
CHEAP: Final = 1.5e12

#: Passes over the text under the exact softmax.
EXACT_EPOCHS: Final = 10

#: Numbers that are read by candidates, T N for each pass over the text; and how few and many passes
#: that may be.
NUMBERS_READ: Final = 1.2e10
FEWEST_EPOCHS: Final = 3
MOST_EPOCHS: Final = 12

#: What each effort makes of the epochs.
EFFORTS: Final[Mapping[str, float]] = {"quick": 1 / 3, "normal": 1.0, "best": 3.0}

#: `sample` times T, and its bounds: of a word that comes this often, all occurrences are kept.
OFTEN: Final = 400
LEAST_SAMPLE: Final = 1e-4
MOST_SAMPLE: Final = 0.01

#: The window, and that of a text of so few tokens.
WINDOW: Final = 5
SMALL_WINDOW: Final = 3
SMALL_TEXT: Final = 100_000

#: Batches: T / steps within bounds, as a small text needs steps. By candidates a power of two, of
#: the tokens of one worker; and of few words each would be changed too often in a step.
STEPS_PER_EPOCH: Final = 250
SMALLEST_BATCH: Final = 64
LARGEST_BATCH: Final = 1024
SAMPLED_STEPS_PER_EPOCH: Final = 8192
WORDS_PER_EXAMPLE: Final = 16
SMALLEST_SAMPLED_BATCH: Final = 512
LARGEST_SAMPLED_BATCH: Final = 2048

#: With n-grams: rows of W1 that a step reads are still in a cache when it changes them, if it is of
#: few examples; and words that share parts are told apart by half the candidates.
LARGEST_NGRAMS_BATCH: Final = 512
NGRAMS_CANDIDATES: Final = 64
CANDIDATES: Final = 128

#: The learning rate for the mean gradient of a batch, by optimizer; and by candidates, for the sum
#: of the gradients of a step.
LEARNING_RATES: Final[Mapping[str, float]] = {"adam": 0.005, "adagrad": 0.05, "sgd": 1.0}
SAMPLED_RATE: Final = 0.08

#: b1 of the sampled objective starts so high that nearly all units fire. Its output layer is
#: centred at the same number; see `cbow.training.sampled.step.centred`.
SAMPLED_B1_START: Final = 1.0

#: Steps of b1 are so much smaller than those of the others. Every example moves it, and a unit
#: whose b1 falls far below 0 never fires again; measured in docs/experiments.md.
B1_RATE: Final = 0.01

#: How each setting stands in the sentence that tells what was chosen.
_WORDS: Final = {
    "objective": "{} softmax",
    "epochs": "epochs {}",
    "window": "window {}",
    "sample": "sample {:g}",
    "batch": "batch {}",
    "optimizer": "{}",
    "learning_rate": "learning rate {:g}",
}


class Fitted(NamedTuple):
    """The settings that depend on the text or on others: those given, and the others chosen."""

    objective: str  #: exact or sampled
    epochs: int
    window: int
    sample: float
    batch: int
    optimizer: str
    learning_rate: float
    candidates: int
    chosen: str  #: a sentence: what was chosen, for which text, and why; empty if nothing was

    def settings(self) -> dict[str, Any]:
        """Return the settings by name. A `Config` with them leaves nothing to choose."""
        return {name: getattr(self, name) for name in (*_WORDS, "candidates")}


def fit(config: Config, T: int, V: int) -> Fitted:
    """Choose the settings that are not given.

    They depend on the text and on the other settings, never on the machine: the same run has the
    same settings everywhere.

    Parameters
    ----------
    config : Config
    T : int
        Tokens that are kept of the text.
    V : int
        Words of the vocabulary.
    """
    N, effort = config.dimension, EFFORTS[config.effort]
    # Whatever the effort: less of it must not choose what takes longer.
    work = 6 * V * N * T * (config.epochs or EXACT_EPOCHS)
    candidates = config.candidates or (NGRAMS_CANDIDATES if config.ngrams else CANDIDATES)
    exact = candidates >= V or work <= CHEAP  # or no word is left out
    if config.objective != "auto":
        exact = config.objective == "exact"
    objective = "exact" if exact else "sampled"
    passes = _within(FEWEST_EPOCHS, NUMBERS_READ / (T * N), MOST_EPOCHS)
    epochs = config.epochs or round(effort * (EXACT_EPOCHS if exact else passes))
    optimizer = config.optimizer or ("adam" if exact else "sgd")
    sample = _within(LEAST_SAMPLE, OFTEN / T, MOST_SAMPLE)
    batch = _within(SMALLEST_BATCH, T / STEPS_PER_EPOCH, LARGEST_BATCH)
    if not exact:
        most = min(T / config.workers / SAMPLED_STEPS_PER_EPOCH, V / WORDS_PER_EXAMPLE)
        batch = 2.0 ** round(math.log2(most))
        largest = LARGEST_NGRAMS_BATCH if config.ngrams else LARGEST_SAMPLED_BATCH
        batch = _within(SMALLEST_SAMPLED_BATCH, batch, largest)
    fitted = Fitted(
        objective=objective,
        epochs=epochs,
        window=config.window or (SMALL_WINDOW if T <= SMALL_TEXT else WINDOW),
        sample=float(f"{sample:.2g}") if config.sample is None else config.sample,
        batch=config.batch or round(batch),
        optimizer=optimizer,
        learning_rate=config.learning_rate or usual_rate(objective, optimizer),
        candidates=candidates,
        chosen="",
    )
    return fitted._replace(chosen=_sentence(config, fitted, T, V))


def usual_rate(objective: str, optimizer: str) -> float:
    """Return the learning rate that is used when none is given."""
    return SAMPLED_RATE if objective == "sampled" else LEARNING_RATES[optimizer]


def check_objective(config: Config, candidates: int, V: int) -> None:
    """See that the settings fit the objective, and V words the candidates.

    Raises
    ------
    ConfigError
        If they do not.
    """
    if config.objective == "exact":
        return
    if config.optimizer != "sgd":
        raise ConfigError(
            f"optimizer is {config.optimizer}, but the sampled objective has sgd only; leave it "
            "out, or set the objective to exact"
        )
    if candidates > V:
        other = "leave workers out" if config.workers > 1 else "set the objective to exact"
        raise ConfigError(
            f"candidates is {candidates}, but the vocabulary has {V} words; give fewer "
            f"candidates, or {other}"
        )


def _within(least: float, value: float, most: float) -> float:
    """Return the number between the bounds that is nearest to a value."""
    return min(most, max(least, value))


def _sentence(config: Config, fitted: Fitted, T: int, V: int) -> str:
    """Tell what was chosen, for which text, and why."""
    chosen = [name for name in _WORDS if getattr(config, name) in (None, "auto")]
    if not chosen:
        return ""
    reasons = []
    if "objective" in chosen:
        slow = "is quick" if fitted.objective == "exact" else "would be slow"
        reasons.append(f"the exact softmax {slow} here")
    if {"epochs", "sample"} & set(chosen):
        reasons.append("the smaller a text, the more passes and frequent words it needs")
    if "epochs" in chosen and config.effort != "normal":
        times = "a third of" if config.effort == "quick" else "three times"
        reasons.append(f"effort {config.effort} makes it {times} the epochs")
    listed = ", ".join(_WORDS[name].format(getattr(fitted, name)) for name in chosen)
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return f"chosen for {T:,} tokens, {V:,} words: {listed}{why}"
