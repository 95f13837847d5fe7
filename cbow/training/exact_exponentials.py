"""Exponentials of a tile of logits and their sums by row, in one pass.

The arithmetic is that of `cbow.training.sampled.exponential`; here not-a-number stays, because
nothing else would show it in the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

from cbow.training.compiled import kernel
from cbow.training.sampled.exponential import (
    C0,
    C1,
    C2,
    C3,
    C4,
    C5,
    C6,
    FRACTION_BITS,
    HALF,
    LOG2E,
    LOWEST,
    TO_LAST_BITS,
)

Array: TypeAlias = NDArray[Any]


def exponentials_and_sums(L: Array, top: Array, total: Array) -> None:
    """E[i, s] = exp(L[i, s] - top[i]) in the place of L, and total[i] += Σ_s E[i, s].

    Parameters
    ----------
    L : (m, S) float32 or float64
        In float32, what is below 2^-126 becomes that. Not-a-number stays.
    top : (m,) of the same dtype
        Not below any number of the row.
    total : (m,) float64
    """
    if L.dtype == np.float64:
        _exponentials_and_sums64(L, top, total)
    else:
        _exponentials_and_sums32(L, top, total)


@kernel
def _exponentials_and_sums32(L: Any, top: Any, total: Any) -> None:
    """Give 2^z = 2^n 2^r, with n whole and |r| ≤ 1/2, for z = (L - top) / log 2."""
    for i in range(L.shape[0]):
        row = np.float32(0)
        for s in range(L.shape[1]):
            z = (L[i, s] - top[i]) * LOG2E
            z = LOWEST if z < LOWEST else z  # this way round, not-a-number stays
            n = np.floor(z + HALF)
            r = z - n
            p = C0 + r * (C1 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * C6)))))
            bits = np.float32(n + TO_LAST_BITS).view(np.int32) << FRACTION_BITS  # of 2^n
            e = p * np.int32(bits).view(np.float32)
            L[i, s] = e
            row += e
        total[i] += row


@kernel
def _exponentials_and_sums64(L: Any, top: Any, total: Any) -> None:
    for i in range(L.shape[0]):
        row = 0.0
        for s in range(L.shape[1]):
            e = np.exp(L[i, s] - top[i])
            L[i, s] = e
            row += e
        total[i] += row


@overload(exponentials_and_sums)
def _exponentials_and_sums_overload(L: Any, top: Any, total: Any) -> Callable[..., None]:
    def in_float32(L: Any, top: Any, total: Any) -> None:
        _exponentials_and_sums32(L, top, total)

    def in_float64(L: Any, top: Any, total: Any) -> None:
        _exponentials_and_sums64(L, top, total)

    return in_float64 if L.dtype == types.float64 else in_float32
