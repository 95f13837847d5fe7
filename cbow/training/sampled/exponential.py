"""Largest number and exp over whole arrays, in forms that become vector instructions.

A compiler vectorises neither by itself: a maximum must heed not-a-number, and exp is a call for
each number. float32 goes the quick way, float64, which is for checking, the plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba.core import types
from numba.extending import overload
from numpy.typing import NDArray

from cbow.training.compiled import kernel

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

#: Below 2^LOWEST all is as good as 0, and the exponents of float32 end.
LOWEST: Final = np.float32(-126)

HALF: Final = np.float32(0.5)
#: Added to a whole number n from -126 to 127, it leaves n + 127 in the last bits of a float32.
TO_LAST_BITS: Final = np.float32(2**23 + 127)
FRACTION_BITS: Final = np.int32(23)
SIGN_BIT: Final = np.int32(31)
ALL_BUT_SIGN: Final = np.int32(0x7FFFFFFF)


def exponentials(x: NDArray[Any], room: NDArray[Any]) -> None:
    """Put exp(x) for each x ≤ 0 of a flat array in its place.

    Parameters
    ----------
    x : (n,) float32 or float64
        In float32 off by less than 2e-7, and by less than 2e-7 + 1.2e-7 |x| of the value, which
        is what rounding x / log 2 does; what is below 2^-126 becomes that.
    room : (n,) of the same dtype
        To work in.
    """
    if x.dtype == np.float64:
        _exponentials64(x)
    else:
        _exponentials32(x, room, room.view(np.int32))


@kernel
def _exponentials32(x: NDArray[Any], powers: NDArray[Any], bits: NDArray[np.int32]) -> None:
    """Give 2^z = 2^n 2^r, with n whole and |r| ≤ 1/2, for z = x / log 2.

    2^n comes about by writing n + 127 where a float32 has its exponent: `bits` is the memory of
    `powers`.
    """
    for j in range(len(x)):
        z = x[j] * LOG2E
        z = LOWEST if z < LOWEST else z  # not-a-number stays one
        n = np.floor(z + HALF)
        r = z - n
        x[j] = C0 + r * (C1 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * C6)))))
        bits[j] = np.float32(n + TO_LAST_BITS).view(np.int32) << FRACTION_BITS
    for j in range(len(x)):
        x[j] *= powers[j]


@kernel
def _exponentials64(x: NDArray[Any]) -> None:
    for j in range(len(x)):
        x[j] = np.exp(x[j])


@overload(exponentials)
def _exponentials_overload(x: Any, room: Any) -> Callable[[Any, Any], None]:
    def in_float32(x: Any, room: Any) -> None:
        _exponentials32(x, room, room.view(np.int32))

    def in_float64(x: Any, room: Any) -> None:
        _exponentials64(x)

    return in_float64 if x.dtype == types.float64 else in_float32


def largest(L: NDArray[Any], at_least: NDArray[Any], top: NDArray[Any]) -> None:
    """top[i] = max(at_least[i], max_s L[i, s]).

    Not-a-number gives any of the numbers: whoever goes on meets it again in `L`.

    Parameters
    ----------
    L : (m, S) float32 or float64
    at_least : (m,) of the same dtype
    top : (m,) of the same dtype
        Is filled.
    """
    if L.dtype == np.float64:
        _largest64(L, at_least, top)
    else:
        _largest32(L.view(np.int32), at_least.view(np.int32), top.view(np.int32))


@kernel
def ordered(bits: Any) -> Any:
    """Turn the bits of a float32 into a whole number that is larger where the float32 is.

    Positive ones are ordered like their bits. Negative ones are ordered the other way round: all
    bits but the sign are turned over. To do so twice gives back the bits.
    """
    return bits ^ ((bits >> SIGN_BIT) & ALL_BUT_SIGN)


@kernel
def _largest32(L: NDArray[np.int32], at_least: NDArray[np.int32], top: NDArray[np.int32]) -> None:
    for i in range(L.shape[0]):
        found = ordered(at_least[i])
        for s in range(L.shape[1]):
            found = max(found, ordered(L[i, s]))
        top[i] = ordered(found)


@kernel
def _largest64(L: NDArray[Any], at_least: NDArray[Any], top: NDArray[Any]) -> None:
    for i in range(L.shape[0]):
        found = at_least[i]
        for s in range(L.shape[1]):
            found = max(found, L[i, s])
        top[i] = found


@overload(largest)
def _largest_overload(L: Any, at_least: Any, top: Any) -> Callable[[Any, Any, Any], None]:
    def in_float32(L: Any, at_least: Any, top: Any) -> None:
        _largest32(L.view(np.int32), at_least.view(np.int32), top.view(np.int32))

    def in_float64(L: Any, at_least: Any, top: Any) -> None:
        _largest64(L, at_least, top)

    return in_float64 if L.dtype == types.float64 else in_float32
