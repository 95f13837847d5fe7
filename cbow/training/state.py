"""How far a training has come: all that is needed to go on from there, and who advances it.

Beside that what is measured over the steps of an epoch: loss, living units, sizes of gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cbow.network import Gradients, Parameters
from cbow.system.arrays import Floats, Longs
from cbow.training.examples import Tally
from cbow.training.observer import Epoch

#: Returns the learning rate after a share (0 to 1) of the epoch.
RateOf = Callable[[float], float]


class StepResult(NamedTuple):
    """What one batch of m examples gave."""

    J: float  #: mean cross-entropy in nats per token
    gradients: Gradients  #: of J
    fired: Longs  #: (N,) examples on which each hidden unit was active


class Measures:
    """Sums over the batches of one epoch; all means are over what was added so far.

    Parameters
    ----------
    units : int
        N.
    """

    def __init__(self, units: int) -> None:
        self.examples = 0
        self.steps = 0
        self.sampled = False
        self._loss = 0.0
        self._fired = np.zeros(units, np.int64)  # (N,)
        self._norms: dict[str, float] = {}

    def add(self, step: StepResult, m: int) -> None:
        """Add a batch of m examples."""
        self.examples += m
        self.steps += 1
        self._loss += step.J * m
        self._fired += step.fired
        for name, gradient in zip(step.gradients.names, step.gradients, strict=True):
            self._norms[name] = self._norms.get(name, 0.0) + norm(gradient)

    def add_sampled(self, loss: float, examples: int, steps: int, fired: Longs) -> None:
        """Add steps of the sampled objective: their loss, summed over the examples."""
        self.sampled = True
        self.examples += examples
        self.steps += steps
        self._loss += loss
        self._fired += fired

    @property
    def loss(self) -> float:
        """Mean loss of the examples, nats per token, as the objective has it."""
        return self._loss / self.examples

    @property
    def candidate_loss(self) -> float | None:
        """The same if the objective is the sampled one."""
        return self.loss if self.sampled else None

    @property
    def active(self) -> float:
        """Share of active units, over all units and examples."""
        return float(self._fired.sum()) / (len(self._fired) * self.examples)

    @property
    def dead(self) -> int:
        """Units that were active on no example."""
        return int((self._fired == 0).sum())

    @property
    def gradient_norms(self) -> dict[str, float]:
        """Euclidean norm of each gradient, mean over the steps; not measured if sampled."""
        return {name: total / self.steps for name, total in self._norms.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the sums as plain numbers."""
        return {
            "examples": self.examples,
            "steps": self.steps,
            "sampled": self.sampled,
            "loss": self._loss,
            "fired": self._fired.tolist(),
            "norms": self._norms,
        }

    @classmethod
    def from_dict(cls, sums: dict[str, Any]) -> Measures:
        """Rebuild measures from `to_dict`."""
        measures = cls(len(sums["fired"]))
        measures.examples, measures.steps = sums["examples"], sums["steps"]
        measures.sampled, measures._loss = sums["sampled"], sums["loss"]
        measures._fired += np.array(sums["fired"], np.int64)
        measures._norms = dict(sums["norms"])
        return measures


def norm(gradient: Floats) -> float:
    """Return √Σ g², summed in the gradient's own precision; infinity if a square overflows."""
    flat = gradient.ravel(order="K")  # a view: gradients are contiguous
    return math.sqrt(float(flat @ flat))


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

    keep_every: int

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are."""

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
