r"""Compiled code that writes many rows of float32 numbers as text.

The decimals of p = 1, 2, ... digits that are nearest to a number are read back as
`cbow.vectors.formats.text_decimals` says, until one gives the number; where rounding might hide a
better one, the row is left to numpy, which is the rule.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from cbow.vectors.formats.text_decimals import (
    BYTES,
    LEAST,
    LETTER_E,
    MINUS,
    NO_PLACE,
    NUMBERS,
    PLACES,
    PLUS,
    POINT,
    POWERS,
    SPACE,
    ZERO,
    inner,
    kernel,
    read_back,
    types,
)

#: Bytes of the longest number with the space before it: ``-1234567900000000.0``.
LONGEST_NUMBER: Final = 20

#: What may be wrong with a remainder of up to 10^9 that was computed by one product.
_DOUBT: Final = 2.0**-20

#: Digits with which every float32 reads back.
_DIGITS: Final = 9

#: Digits from which on a power of two, whose neighbour below is nearer than the one above, may have
#: a decimal that reads back although the nearest does not.
_UNEVEN: Final = 7

_TENS: Final = np.array([10**k for k in range(_DIGITS + 1)])

#: The powers of ten between which the first digit of a number without an exponent lies.
_LEAST_POSITIONAL: Final = -4
_BEYOND_POSITIONAL: Final = 16


@inner
def _shortest(x):  # type: ignore[no-untyped-def]
    """Find the fewest digits that read back to x > 0: w, s and how many; 0 digits if in doubt."""
    d = np.float64(x)
    # Only for a power of ten can rounding make the logarithm too small; that one becomes 10 below.
    top = np.int64(np.floor(np.log10(d)))
    for p in range(1, _DIGITS + 1):
        s = top - p + 1
        scaled = d * POWERS[-s - LEAST] if s < 0 else d / POWERS[s - LEAST]
        w = np.int64(np.rint(scaled))
        low, high = read_back(w, s)
        if low == x and high == x:
            middle = abs(abs(scaled - w) - 0.5) < _DOUBT
            uneven = p >= _UNEVEN and math.frexp(d)[0] == 0.5
            if w == _TENS[p]:  # so does 9.9999999
                w, s = w // 10, s + 1
            return w, s, 0 if middle or uneven else p
        if low == x or high == x:
            break
    return 0, 0, 0


@inner
def _put_digits(out, end, w, digits):  # type: ignore[no-untyped-def]
    """Write so many digits of w; return the place behind them."""
    for i in range(end + digits - 1, end - 1, -1):
        out[i] = ZERO + w % 10
        w //= 10
    return end + digits


@inner
def _put(out, end, x):  # type: ignore[no-untyped-def]
    """Write a number; return the place behind it, or no place if in doubt."""
    if np.signbit(x):
        out[end] = MINUS
        end += 1
        x = -x
    if x == 0:
        w, s, p = 0, 0, 1
    else:
        w, s, p = _shortest(x)
        if p == 0:
            return NO_PLACE
    top = s + p - 1  # the power of ten of its first digit
    if not _LEAST_POSITIONAL <= top < _BEYOND_POSITIONAL:
        return _put_scientific(out, end, w, p, top)
    if s >= 0:  # 1200.0
        end = _put_digits(out, _put_digits(out, end, w, p), 0, s)
        out[end] = POINT
        return _put_digits(out, end + 1, 0, 1)
    if top < 0:  # 0.0012
        end = _put_digits(out, end, 0, 1)
        out[end] = POINT
        return _put_digits(out, _put_digits(out, end + 1, 0, -top - 1), w, p)
    unit = _TENS[-s]
    end = _put_digits(out, end, w // unit, top + 1)  # 1.2
    out[end] = POINT
    return _put_digits(out, end + 1, w % unit, -s)


@inner
def _put_scientific(out, end, w, p, top):  # type: ignore[no-untyped-def]
    """Write the p digits of w, the first of them worth 10^top, with an exponent."""
    unit = _TENS[p - 1]
    end = _put_digits(out, end, w // unit, 1)
    if p > 1:
        out[end] = POINT
        end = _put_digits(out, end + 1, w % unit, p - 1)
    out[end] = LETTER_E
    out[end + 1] = MINUS if top < 0 else PLUS
    return _put_digits(out, end + 2, abs(top), 2)


@kernel(BYTES, PLACES, NUMBERS, BYTES, types.int64, types.uint8[::1])
def write(words, ends, numbers, tail, first, out):  # type: ignore[no-untyped-def]
    """Write rows until one is in doubt.

    Parameters
    ----------
    words : ndarray of uint8
        The words end to end.
    ends : ndarray of int64, (R,)
        Where in it each ends.
    numbers : ndarray of float32, (R, N)
        Finite numbers.
    tail : ndarray of uint8
        What ends a row.
    first : int
        The row to begin with.
    out : ndarray of uint8
        Receives the text: words, tails and `LONGEST_NUMBER` bytes a number.

    Returns
    -------
    r, end : int
        The row that is in doubt, R if all are written, and where the text ends.
    """
    R, N = numbers.shape
    begin = 0
    for r in range(first, R):
        end = begin
        for i in range(ends[r - 1] if r > 0 else 0, ends[r]):
            out[end] = words[i]
            end += 1
        for n in range(N):
            out[end] = SPACE
            end = _put(out, end + 1, numbers[r, n])
            if end == NO_PLACE:
                return r, begin
        for c in tail:
            out[end] = c
            end += 1
        begin = end
    return R, begin
