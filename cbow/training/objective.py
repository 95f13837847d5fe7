"""What depends on the objective beside its settings: what fits it, and where b1 starts."""

from __future__ import annotations

from typing import Final

from cbow.config import Config
from cbow.errors import ConfigError
from cbow.network.activations import ACTIVATIONS
from cbow.network.parameters import B1_START

#: b1 of the sampled objective starts so high that nearly all units fire. Its output layer is
#: centred at the same number; see `cbow.training.sampled.step.centred`.
SAMPLED_B1_START: Final = 1.0

#: Steps of b1 are so much smaller than those of the others. Every example moves it, and a unit
#: whose b1 falls far below 0 never fires again; measured in docs/experiments.md.
B1_RATE: Final = 0.01


def b1_start(objective: str) -> float:
    """Return where the biases of the hidden layer start."""
    return B1_START if objective == "exact" else SAMPLED_B1_START


def check_objective(config: Config, V: int) -> None:
    """See that the settings fit the objective.

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
    if ACTIVATIONS[config.activation].slope is None:
        raise ConfigError(
            f"activation is {config.activation}, but the sampled objective needs one that is "
            "straight on both sides of 0; choose another, or set the objective to exact"
        )
    if config.candidates > V:
        other = "leave workers out" if config.workers > 1 else "set the objective to exact"
        raise ConfigError(
            f"candidates is {config.candidates}, but the vocabulary has {V} words; give fewer "
            f"candidates, or {other}"
        )
