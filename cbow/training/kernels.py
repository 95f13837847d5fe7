"""What the kernels of both objectives share: tables of parameters, and exponentials with sums."""

from __future__ import annotations

from typing import Any, NamedTuple

from cbow.network import Gradients, Parameters
from cbow.system import operations
from cbow.system.arrays import Array
from cbow.system.compiled import compiled
from cbow.system.operations import exponential


class Tables(NamedTuple):
    """The parameters of CBOW, or their gradients, with a row for each word."""

    W1T: Array  #: (V, N)
    b1: Array  #: (N,)
    W2: Array  #: (V, N)
    b2: Array  #: (V,)


def tables_of(arrays: Parameters | Gradients) -> Tables:
    """Return the arrays of two layers as tables, without a copy."""
    W1, b1, W2, b2 = arrays
    return Tables(W1.T, b1[:, 0], W2, b2[:, 0])


@compiled
def exponentials_and_sums(L: Any, top: Any, total: Any) -> None:
    """E[i, s] = exp(L[i, s] - top[i]) in the place of L, and total[i] += Σ_s E[i, s].

    Parameters
    ----------
    L : (m, S) float32 or float64
        See `cbow.system.operations.exponential` for how exact it is.
    top : (m,) of the same dtype
        Not below any number of the row.
    total : (m,) float64
    """
    for i in range(L.shape[0]):
        for s in range(L.shape[1]):
            L[i, s] = exponential(L[i, s] - top[i])
        total[i] += operations.total(L[i])
