"""What kernels do that a compiler has to be told apart: these are the plain versions, for Python.

Sums and maxima are made as vector instructions make them, with their order written down. A
processor adds several numbers at once, a compiler only if it may reorder a sum; and then it may
order it in one way here and in another there. So the order is part of these functions. There are
`LANES` partial sums, lane l of which adds up the numbers l, l + LANES, l + 2 LANES and so on. The
upper half of the lanes is then added to the lower half until one is left, and to that, one by one,
the numbers that fill no lane. Every processor gives the same bits.

`cbow.system.jit` has the same for the compiler.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from cbow.system.arrays import Array

LANES: Final = 16


def total(a: Array) -> Any:
    """Return Σ_k a[k] of an array of shape (n,), float32 or float64."""
    return _by_lanes(np.add, 0.0, a)


def dot(a: Array, b: Array) -> Any:
    """Return Σ_k a[k] b[k] of two arrays of shape (n,), both float32 or both float64."""
    return _by_lanes(np.add, 0.0, a * b)


def largest(a: Array) -> Any:
    """Return max_k a[k] of an array of shape (n,), float32 or float64; -inf if it is empty.

    Not-a-number counts as less than all numbers.
    """
    return _by_lanes(np.fmax, -np.inf, a)


def fma(a: Any, b: Any, c: Any) -> Any:
    """Return a b + c of three float32, rounded once; in Python, rarely, the number next to it."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))  # the product is exact


def add_up_rows(table: Array, ids: Array, out: Array) -> None:
    """out[k] += Σ_i table[ids[i], k], added up by rising i; table by rows, ids not below 0."""
    total = np.zeros_like(out)
    for i in ids:
        total += table[i]
    out += total


def add_to_rows(table: Array, ids: Array, x: Any, row: Array) -> None:
    """table[ids[i], k] += x row[k] for every i; an id may stand there repeatedly."""
    for i in ids:
        table[i] += x * row


def prefetch(a: Array, i: int) -> None:
    """Have a[i] fetched from memory, and what is on its cache line."""


def prefetch_rows(table: Array, ids: Array) -> None:
    """Have rows of numbers fetched from memory, which takes a while, before they are used."""


def _by_lanes(combine: Callable[[Any, Any], Any], start: float, a: Array) -> Any:
    """Combine the numbers of an array in the order that the head of this module tells."""
    full = len(a) - len(a) % LANES
    lanes = np.full(LANES, start, a.dtype)
    for k in range(0, full, LANES):
        lanes = combine(lanes, a[k : k + LANES])
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = combine(lanes[:half], lanes[half:])
    result = lanes[0]
    for k in range(full, len(a)):
        result = combine(result, a[k])
    return result


def as_matrix(a: Array, rows: int, columns: int) -> Array:
    """Return the first numbers of a row of them as a matrix in the same memory."""
    return a[: rows * columns].reshape(rows, columns)


def product(A: Array, B: Array, out: Array) -> None:
    """Out = A B, of matrices that lie in memory by rows or by columns; out by rows."""
    np.matmul(A, B, out=out)


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


def exponential(x: Any) -> Any:
    """Return e^x of a float32 ≤ 0 the quick way, or of a float64, which is for checking.

    In float32 it is off by less than 2e-7, and by less than 2e-7 + 1.2e-7 |x| of its value, which
    is what rounding x / log 2 does; what is below 2^-126 becomes that. Not-a-number stays: nothing
    else would show it in a loss. A compiler vectorises this, but not the exp of a library.
    """
    return math.exp(x) if isinstance(x, float) else exponential32(x)


def exponential32(x: Any) -> Any:
    """Return 2^z = 2^n 2^r, with n whole and |r| ≤ 1/2, for z = x / log 2."""
    z = x * LOG2E
    z = LOWEST if z < LOWEST else z  # this way round, not-a-number stays
    n = np.floor(z + HALF)
    r = z - n
    p = fma(r, fma(r, fma(r, fma(r, fma(r, fma(r, C6, C5), C4), C3), C2), C1), C0)
    bits = np.float32(n + TO_LAST_BITS).view(np.int32) << FRACTION_BITS  # of 2^n
    return p * np.int32(bits).view(np.float32)


def fence() -> None:
    """Let no load or store pass this point; in Python, its lock sees to that."""


def give_way() -> None:
    """Offer the processor to another thread."""
    time.sleep(0)


def rest() -> None:
    """Leave the processor to others for a moment: 50 microseconds, or the least there is."""
    time.sleep(5e-5)
