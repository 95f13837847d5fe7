"""The parameters of CBOW as kernels want them: tables with a row for each word."""

from __future__ import annotations

from typing import NamedTuple

from cbow.network import Gradients, Parameters
from cbow.system.arrays import Array


class Tables(NamedTuple):
    """Parameters, or their gradients, with a row for each word."""

    W1T: Array  #: (V, N)
    b1: Array  #: (N,)
    W2: Array  #: (V, N)
    b2: Array  #: (V,)


def tables_of(arrays: Parameters | Gradients) -> Tables:
    """Return the arrays of two layers as tables, without a copy."""
    W1, b1, W2, b2 = arrays
    return Tables(W1.T, b1[:, 0], W2, b2[:, 0])
