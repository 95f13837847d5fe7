"""How far a training has come: all that is needed to go on from there, and who advances it."""

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

#: Returns the learning rate after a share (0 to 1) of the epoch.
RateOf = Callable[[float], float]


@dataclass
class State:
    """How far a training has come.

    Attributes
    ----------
    epoch : int
        The epoch under way, or the next one.
    measures : Measures
        What was measured in it so far.
    tally : Tally
        Where its tokens went so far.
    portions : int
        How many of its portions were learned.
    rate : float
        The learning rate of the last step.
    share : float
        The share of the epoch that is done.
    finished : list of Epoch
        The epochs that are over.
    steps : int
        Updates of the parameters, in all epochs.
    restarts : list of int
        Epochs after which a finished model was trained on, with a learning rate that falls anew.
    """

    epoch: int
    measures: Measures
    tally: Tally = field(default_factory=Tally)
    portions: int = 0
    rate: float = 0.0
    share: float = 0.0
    finished: list[Epoch] = field(default_factory=list)
    steps: int = 0
    restarts: list[int] = field(default_factory=list)

    @property
    def before(self) -> int:
        """How many epochs came before the last restart: the learning rate ignores them."""
        return self.restarts[-1] if self.restarts else 0

    def finish(self, record: Epoch, units: int) -> None:
        """Put the epoch under way among the finished ones, and begin the next."""
        self.finished.append(record)
        self.epoch += 1
        self.measures, self.tally = Measures(units), Tally()
        self.portions, self.share = 0, 0.0


class Portion(NamedTuple):
    """A piece of an epoch that was learned from, after which the training may be interrupted.

    If its loss is not finite, the training has diverged, and the state does not count the portion.
    """

    share: float  #: of the epoch that is done
    loss: float  #: of its examples, nats per token, as the objective has it
    steps: int  #: updates of the parameters


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

    def compile(self) -> None:
        """Compile the kernels, or fetch them from their cache."""

    def portions(self, state: State, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the portions of an epoch that `state` does not have yet.

        Parameters
        ----------
        state : State
            Is brought up to date before each portion is yielded, but for ``steps`` and ``share``.
        rate_of : callable
        """

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name, to be saved or filled."""


def is_finite(parameters: Parameters) -> bool:
    """Whether every parameter is a finite number."""
    # The extremes are NaN if one number is, and to find them takes no memory.
    return all(bool(np.isfinite([array.min(), array.max()]).all()) for array in parameters)


def copy(parameters: Parameters) -> Parameters:
    """Copy parameters with the memory order of each array."""
    return Parameters(*(array.copy(order="K") for array in parameters))
