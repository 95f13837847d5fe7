"""What is measured over the steps of an epoch: the loss, living units, the size of gradients."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.network import Gradients
from cbow.system.arrays import Longs


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


def norm(gradient: NDArray[np.floating]) -> float:
    """Return √Σ g², summed in the gradient's own precision; infinity if a square overflows."""
    flat = gradient.ravel(order="K")  # a view: gradients are contiguous
    return math.sqrt(float(flat @ flat))
