"""What a training has reached: all that is needed to go on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cbow.network import Parameters
from cbow.training.examples import Tally
from cbow.training.measures import Measures
from cbow.training.observer import Epoch

#: Gives the learning rate after a share (0 to 1) of the epoch.
RateOf = Callable[[float], float]


class Portion(NamedTuple):
    """A piece of an epoch that was learned from, after which the training may be interrupted."""

    share: float  #: of the epoch that is done
    loss: float  #: of its examples, nats per token, as the objective has it
    steps: int  #: updates of the parameters


class DivergedError(Exception):
    """The loss is no number any more; the parameters may be or not."""


@dataclass
class EpochState:
    """What is known of the epoch under way."""

    epoch: int
    measures: Measures
    tally: Tally = field(default_factory=Tally)
    portions: int = 0  #: that were learned from
    rate: float = 0.0  #: of the last step
    share: float = 0.0  #: of the epoch that is done


class Trainer(Protocol):
    """Learns an epoch, portion by portion.

    Attributes
    ----------
    parameters : Parameters
        Are changed in place.
    keep_every : int
        Portions between two copies of the parameters to go back to.
    """

    parameters: Parameters
    keep_every: int

    def portions(self, state: EpochState, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the portions of an epoch that `state` does not have yet.

        Parameters
        ----------
        state : EpochState
            Is brought up to date before each portion is yielded.
        rate_of : callable

        Raises
        ------
        DivergedError
            If the loss is no number; the step that would learn from it may have been made.
        """

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name, to be saved or filled."""


def is_finite(parameters: Parameters) -> bool:
    """Whether every parameter is a finite number."""
    return all(bool(np.isfinite(array).all()) for array in parameters)


def copy(parameters: Parameters) -> Parameters:
    """Copy parameters with the memory order of each array."""
    return Parameters(*(array.copy(order="K") for array in parameters))


@dataclass
class State:
    """What a training has reached.

    Attributes
    ----------
    epoch : EpochState
        The epoch under way, or the next one.
    finished : list of Epoch
        The epochs that are over.
    steps : int
        Updates of the parameters.
    restarts : list of int
        Epochs after which a finished model was trained on, with a learning rate that falls anew.
    """

    epoch: EpochState
    finished: list[Epoch] = field(default_factory=list)
    steps: int = 0
    restarts: list[int] = field(default_factory=list)

    @property
    def before(self) -> int:
        """How many epochs the learning rate knows nothing of."""
        return self.restarts[-1] if self.restarts else 0
