"""The costs: the loss of each example, and the error dZ of the output layer it starts from.

    cost            loss of an example with output a and target y        output layer
    cross-entropy   -Σ_k y_k log a_k                                     softmax
    logistic        -Σ_k y_k log a_k + (1 - y_k) log(1 - a_k)            sigmoid
    squared-error   ½ Σ_k (a_k - y_k)²                                   any but softmax

Cross-entropy after softmax and logistic after sigmoid have the same error, A - Y (Bishop 2006,
"Pattern Recognition and Machine Learning", section 4.3.6): the derivative of the activation cancels
against that of the logarithm. Both losses are computed from Z, and stay finite where an output is
too near 0 or 1 to be told from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from cbow.errors import ConfigError
from cbow.network.activations import Activation
from cbow.network.parameters import Array, Ids

if TYPE_CHECKING:
    from cbow.network.forward import Pass

#: What should come out: ids (m,), each standing for a one-hot column, or an array (n[L], m).
Targets: TypeAlias = "Ids | Array"


class Cost(NamedTuple):
    """A loss, its derivative, and the output layers it fits.

    Attributes
    ----------
    name : str
    outputs : tuple of str
        The activations of the output layer for which `error` is right.
    losses : callable
        ``losses(pass_, Y)`` gives the loss of each example, (m,).
    error : callable
        ``error(pass_, Y, activation, m)`` gives dZ[L] = (1/m) dloss/dZ[L], (n[L], m).
    """

    name: str
    outputs: tuple[str, ...]
    losses: Callable[[Pass, Any], Array]
    error: Callable[[Pass, Any, Activation, int], Array]


def check_targets(cost: Cost, pass_: Pass, Y: Targets) -> None:
    """Refuse targets of another shape: numpy would spread ids over the columns without a word."""
    n, m = pass_.A[pass_.depth].shape
    ids = cost.name == "cross-entropy"
    expected = (m,) if ids else (n, m)
    if Y.shape != expected:
        what = "an id for each example" if ids else "a number for each output of each example"
        raise ConfigError(
            f"the targets have the shape {Y.shape}, but the cost {cost.name} takes {what}; give an "
            f"array of the shape {expected}"
        )


def difference(A: Array, Y: Targets, m: int) -> Array:
    """Return (A - Y) / m, (n, m), without forming the one-hot Y that ids stand for."""
    D: Array = A / np.asarray(m, A.dtype)  # (n, m)
    if Y.ndim == 1:
        D[Y, np.arange(len(Y))] -= 1 / m
    else:
        D -= Y / np.asarray(m, A.dtype)
    return D


def cross_entropy(pass_: Pass, y: Ids) -> Array:
    """Return -log A[y_i, i] = logS[i] - Z[y_i, i] of the output layer, (m,), in nats."""
    L = pass_.depth
    losses: Array = pass_.logS[0] - pass_.Z[L][y, np.arange(len(y))]  # (m,)
    return losses


def logistic(pass_: Pass, Y: Array) -> Array:
    """Return -Σ_k y log a + (1 - y) log(1 - a) = Σ_k log(1 + exp(z)) - y z, (m,), in nats."""
    Z = pass_.Z[pass_.depth]  # (n, m)
    losses: Array = (np.logaddexp(0, Z) - Y * Z).sum(axis=0)  # (m,)
    return losses


def squared_error(pass_: Pass, Y: Array) -> Array:
    """Return ½ Σ_k (a - y)², (m,)."""
    A = pass_.A[pass_.depth]  # (n, m)
    losses: Array = ((A - Y) ** 2).sum(axis=0) / 2  # (m,)
    return losses


def collapsed_error(pass_: Pass, Y: Targets, activation: Activation, m: int) -> Array:
    """Return dZ[L] = (A[L] - Y) / m, for softmax with cross-entropy and sigmoid with logistic."""
    return difference(pass_.A[pass_.depth], Y, m)


def chained_error(pass_: Pass, Y: Array, activation: Activation, m: int) -> Array:
    """Return dZ[L] = ((A[L] - Y) / m) ⊙ g'(Z[L])."""
    L = pass_.depth
    return difference(pass_.A[L], Y, m) * activation.dg(pass_.Z[L])


#: Every cost by its name.
COSTS: Final[Mapping[str, Cost]] = {
    "cross-entropy": Cost("cross-entropy", ("softmax",), cross_entropy, collapsed_error),
    "logistic": Cost("logistic", ("sigmoid",), logistic, collapsed_error),
    "squared-error": Cost(
        "squared-error",
        ("relu", "leaky_relu", "sigmoid", "tanh", "identity"),
        squared_error,
        chained_error,
    ),
}
