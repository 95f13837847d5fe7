r"""Decimals as compiled code sees them: w * 10^s, with w a whole number of up to 18 digits.

In float64

    d = w * 10^s        |d - exact| < 2^-51 |d|     (w, 10^s and the product are rounded)

Rounding to float32 never changes the order of numbers, so if d - e and d + e with e = 2^-50 |d|
become the same float32, the decimal is that float32. If they do not, which is so for about one
number in 2^25, whoever asked has to find out in another way.

What was compiled is kept by the module that asks: after a change here, touch those too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np

from cbow.system.compiled import compiled

_nb: Any = numba  # some of its versions have types
types: Any = _nb.types

#: What the kernels take: bytes, places among them, and numbers, also those of a mapped file.
BYTES: Final = types.Array(types.uint8, 1, "C", readonly=True)
PLACES: Final = types.int64[::1]
NUMBERS: Final = types.Array(types.float32, 2, "C", readonly=True)

NEWLINE, SPACE, ZERO = ord("\n"), ord(" "), ord("0")
PLUS, MINUS, POINT, LETTER_E = ord("+"), ord("-"), ord("."), ord("e")

#: What stands for a place if a number could not be read or written.
NO_PLACE: Final = -1

#: The scales s that are computed with; float32 ends at about 10^-45 and 10^38.
LEAST: Final = -64
_MOST: Final = 54

#: 10^s, each the nearest float64.
POWERS: Final = np.array([float(f"1e{s}") for s in range(LEAST, _MOST + 1)])

#: e / d.
_SLACK: Final = 2.0**-50

#: Below the largest float32.
_LARGEST: Final = 3.4e38


def kernel(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for arguments of these types."""
    return lambda function: compiled(function, *signature)


inner = _nb.njit(nogil=True, error_model="numpy")


@inner
def read_back(w, s):  # type: ignore[no-untyped-def]
    """Return the least and largest float32 that w * 10^s may be; nan if it is out of range."""
    if not LEAST <= s <= _MOST:
        return np.float32(np.nan), np.float32(np.nan)
    d = np.float64(w) * POWERS[s - LEAST]
    e = d * _SLACK
    if d > _LARGEST:
        return np.float32(np.nan), np.float32(np.nan)
    return np.float32(d - e), np.float32(d + e)
