"""Are the gradients right? Compare them with differences of the cost itself.

Formulas that circulate and are wrong are compared too, so that one sees where they fail.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cbow.network.activity import active
from cbow.network.backward import backward
from cbow.network.differences import STEP, central_differences
from cbow.network.forward import cost, forward
from cbow.network.mistakes import gradients_with_dW, mistaken_gradients, output_gradient_with_AL
from cbow.network.parameters import Array, Parameters
from cbow.network.problems import Problem

#: A gradient is right if its relative error is below this.
TOLERANCE: Final = 1e-8

#: Gradients smaller than this throughout are compared as if they were this large: rounding in the
#: cost, eps / STEP, hides anything smaller.
SMALLEST: Final = 1e-4


class GradientErrors(NamedTuple):
    """How far one gradient is from the differences of the cost; see `relative_error`.

    Attributes
    ----------
    name : str
        dW1, db1, ...
    shape : tuple of int
    ours : float
        By `backward`.
    mistaken : float
        By `mistaken_gradients`, the formula of a lecture.
    with_dW : float
        By `gradients_with_dW`, a slip of lecture notes.
    with_AL : float or None
        By `output_gradient_with_AL`, another slip; None where its shape is not that of the weights.
        It is about dW[L] only; the other gradients are ours.
    """

    name: str
    shape: tuple[int, ...]
    ours: float
    mistaken: float
    with_dW: float
    with_AL: float | None

    @property
    def right(self) -> bool:
        """Whether our gradient agrees."""
        return self.ours < TOLERANCE

    @property
    def mistaken_right(self) -> bool:
        """Whether the gradient by the mistaken formula agrees."""
        return self.mistaken < TOLERANCE


class Activity(NamedTuple):
    """How many units of a hidden layer let the gradient through; see `active`."""

    layer: int
    units: int
    active: float  #: share of all units on all examples
    dead: int  #: units that are active on no example


def check_gradients(problem: Problem) -> list[GradientErrors]:
    """Measure the relative error of every gradient, ours and by formulas that are wrong.

    Parameters
    ----------
    problem : Problem
        It is left as it was.

    Returns
    -------
    list of GradientErrors
        In the order of `Gradients`.
    """
    network, _, X, Y, _ = problem
    parameters = Parameters(*(array.copy(order="K") for array in problem.parameters))
    given = network, parameters, forward(network, parameters, X), Y
    ours = backward(*given)
    mistaken, with_dW, with_AL = (
        mistaken_gradients(*given), gradients_with_dW(*given), output_gradient_with_AL(*given)
    )  # fmt: skip

    def J() -> float:
        return cost(network, forward(network, parameters, X), Y)

    rows = []
    for i, (name, array) in enumerate(zip(ours.names, parameters, strict=True)):
        numeric = central_differences(J, array, STEP)
        rows.append(
            GradientErrors(
                name,
                array.shape,
                relative_error(ours[i], numeric),
                relative_error(mistaken[i], numeric),
                relative_error(with_dW[i], numeric),
                _slip_error(with_AL if name == f"dW{network.depth}" else ours[i], numeric),
            )
        )
    return rows


def _slip_error(gradient: Array, numeric: Array) -> float | None:
    """Return the relative error, or None if the shapes differ."""
    return relative_error(gradient, numeric) if gradient.shape == numeric.shape else None


def measure_activity(problem: Problem) -> list[Activity]:
    """Count the active and the dead units of each hidden layer."""
    network = problem.network
    pass_ = forward(network, problem.parameters, problem.X)
    rows = []
    for l in range(1, network.depth):
        on = active(network, pass_, l)  # (n[l], m)
        rows.append(Activity(l, len(on), float(on.mean()), int((~on.any(axis=1)).sum())))
    return rows


def relative_error(gradient: Array, numeric: Array) -> float:
    """Return max|gradient - numeric| / max(max|gradient|, max|numeric|, SMALLEST)."""
    largest = max(np.abs(gradient).max(), np.abs(numeric).max(), SMALLEST)
    return float(np.abs(gradient - numeric).max() / largest)
