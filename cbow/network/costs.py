"""The costs: the loss of each example, and its derivative by Z[L], where backward starts from.

    cost            loss of an example with output a and target y        output layer
    cross-entropy   -Σ_k y_k log a_k                                     softmax
    logistic        -Σ_k y_k log a_k + (1 - y_k) log(1 - a_k)            sigmoid
    squared-error   ½ Σ_k (a_k - y_k)²                                   any but softmax

Cross-entropy after softmax and logistic after sigmoid have the same derivative, A - Y (Bishop 2006,
"Pattern Recognition and Machine Learning", section 4.3.6): the derivative of the activation cancels
against that of the logarithm. Both losses are computed from Z, and stay finite where an output is
too near 0 or 1 to be told from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from cbow import config
from cbow.errors import ConfigError
from cbow.network.activations import Activation
from cbow.system.arrays import Floats, Ids

#: What should come out: ids (m,), each standing for a one-hot column, or an array (n[L], m).
Targets: TypeAlias = "Ids | Floats"


class Cost(NamedTuple):
    """A loss, its derivative, and the output layers it fits. Z and A are those of layer L.

    Attributes
    ----------
    name : str
    outputs : tuple of str
        The activations of the output layer for which `derivative` is right.
    losses : callable
        ``losses(Z, A, Y)`` returns the loss of each example, (m,).
    derivative : callable
        ``derivative(Z, A, Y, activation)`` returns dloss/dZ, (n[L], m).
    """

    name: str
    outputs: tuple[str, ...]
    losses: Callable[[Floats, Floats, Any], Floats]
    derivative: Callable[[Floats, Floats, Any, Activation], Floats]


def check_targets(cost: Cost, A: Floats, Y: Targets) -> None:
    """Reject targets of another shape: numpy would broadcast ids over the columns silently."""
    n, m = A.shape
    ids = cost.name == "cross-entropy"
    expected = (m,) if ids else (n, m)
    if Y.shape != expected:
        what = "an id for each example" if ids else "a number for each output of each example"
        raise ConfigError(
            f"the targets have the shape {Y.shape}, but the cost {cost.name} takes {what}; pass an "
            f"array of the shape {expected}"
        )


def cross_entropy(Z: Floats, A: Floats, y: Ids) -> Floats:
    """Return -log A[y_i, i], (m,), in nats.

    A[y_i, i] may be too small to be told from 0, but that of the likeliest output t is not:

        -log A[y_i, i] = Z[t, i] - Z[y_i, i] - log A[t, i]
    """
    i, t = np.arange(len(y)), A.argmax(axis=0)  # (m,) each
    losses: Floats = Z[t, i] - Z[y, i] - np.log(A[t, i])  # (m,)
    return losses


def logistic(Z: Floats, A: Floats, Y: Floats) -> Floats:
    """Return -Σ_k y log a + (1 - y) log(1 - a) = Σ_k log(1 + exp(z)) - y z, (m,), in nats."""
    losses: Floats = (np.logaddexp(0, Z) - Y * Z).sum(axis=0)  # (m,)
    return losses


def squared_error(Z: Floats, A: Floats, Y: Floats) -> Floats:
    """Return ½ Σ_k (a - y)², (m,)."""
    losses: Floats = ((A - Y) ** 2).sum(axis=0) / 2  # (m,)
    return losses


def dcross_entropy(Z: Floats, A: Floats, y: Ids, activation: Activation) -> Floats:
    """Return A - Y, for softmax, without forming the one-hot Y that the ids stand for."""
    D = A.copy(order="K")  # (n, m)
    D[y, np.arange(len(y))] -= 1
    return D


def dlogistic(Z: Floats, A: Floats, Y: Floats, activation: Activation) -> Floats:
    """Return A - Y, for sigmoid."""
    return A - Y


def dsquared_error(Z: Floats, A: Floats, Y: Floats, activation: Activation) -> Floats:
    """Return (A - Y) ⊙ g'(Z)."""
    return (A - Y) * activation.dg(Z)


#: Every cost by its name; `cbow.config` tells which outputs each fits.
COSTS: Final[Mapping[str, Cost]] = {
    name: Cost(name, config.COSTS[name], losses, derivative)
    for name, losses, derivative in (
        ("cross-entropy", cross_entropy, dcross_entropy),
        ("logistic", logistic, dlogistic),
        ("squared-error", squared_error, dsquared_error),
    )
}
