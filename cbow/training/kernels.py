"""What the kernels of both objectives share: tables of parameters, and exponentials with sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from cbow.network import Gradients, Parameters
from cbow.system import lanes
from cbow.system.arrays import Array
from cbow.system.compiled import compiled
from cbow.system.lanes import fma


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


#: 1 / log 2.
LOG2E: Final = np.float32(1.4426950408889634)

#: 2^r for -1/2 ≤ r ≤ 1/2 as a polynomial, from the constant on: the Chebyshev interpolation of
#: degree 6, which is off by less than 3e-9 of the value.
C0: Final = np.float32(1.0)
C1: Final = np.float32(0.6931472067028329)
C2: Final = np.float32(0.24022650922289554)
C3: Final = np.float32(0.05550327226669895)
C4: Final = np.float32(0.00961805667843204)
C5: Final = np.float32(0.0013400428177711937)
C6: Final = np.float32(0.00015461444724808513)

#: Below 2^LOWEST a number is as good as 0, and the exponents of float32 end.
LOWEST: Final = np.float32(-126)

HALF: Final = np.float32(0.5)
#: Added to a whole number n from -126 to 127, it leaves n + 127 in the last bits of a float32.
TO_LAST_BITS: Final = np.float32(2**23 + 127)
FRACTION_BITS: Final = np.int32(23)


def exponentials_and_sums(L: Array, top: Array, total: Array) -> None:
    """E[i, s] = exp(L[i, s] - top[i]) in the place of L, and total[i] += Σ_s E[i, s].

    A compiler does not vectorise exp by itself, but calls it for each number. float32 goes the
    quick way, float64, which is for checking, the plain one.

    Parameters
    ----------
    L : (m, S) float32 or float64
        In float32 E is off by less than 2e-7, and by less than 2e-7 + 1.2e-7 |L - top| of its
        value, which is what rounding (L - top) / log 2 does; what is below 2^-126 becomes that.
        Not-a-number stays: nothing else would show it in a loss.
    top : (m,) of the same dtype
        Not below any number of the row.
    total : (m,) float64
    """
    if L.dtype == np.float64:
        _exponentials_and_sums64(L, top, total)
    else:
        _exponentials_and_sums32(L, top, total)


@compiled
def _exponentials_and_sums32(L: Any, top: Any, total: Any) -> None:
    """Return 2^z = 2^n 2^r, with n whole and |r| ≤ 1/2, for z = (L - top) / log 2."""
    for i in range(L.shape[0]):
        for s in range(L.shape[1]):
            z = (L[i, s] - top[i]) * LOG2E
            z = LOWEST if z < LOWEST else z  # this way round, not-a-number stays
            n = np.floor(z + HALF)
            r = z - n
            p = fma(r, fma(r, fma(r, fma(r, fma(r, fma(r, C6, C5), C4), C3), C2), C1), C0)
            bits = np.float32(n + TO_LAST_BITS).view(np.int32) << FRACTION_BITS  # of 2^n
            L[i, s] = p * np.int32(bits).view(np.float32)
        total[i] += lanes.total(L[i])


@compiled
def _exponentials_and_sums64(L: Any, top: Any, total: Any) -> None:
    for i in range(L.shape[0]):
        for s in range(L.shape[1]):
            L[i, s] = np.exp(L[i, s] - top[i])
        total[i] += lanes.total(L[i])


@overload(exponentials_and_sums)
def _exponentials_and_sums_overload(L: Any, top: Any, total: Any) -> Callable[..., None]:
    def in_float32(L: Any, top: Any, total: Any) -> None:
        _exponentials_and_sums32(L, top, total)

    def in_float64(L: Any, top: Any, total: Any) -> None:
        _exponentials_and_sums64(L, top, total)

    return in_float64 if L.dtype == types.float64 else in_float32
