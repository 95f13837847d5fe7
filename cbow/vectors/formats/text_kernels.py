r"""Compiled code that reads many rows of text into float32 numbers.

A decimal is w * 10^s, with w a whole number of up to 18 digits; digits behind the 18th only move s,
an error of one part in 10^17. In float64

    d = w * 10^s        |d - exact| < 2^-51 |d|     (w, 10^s and the product are rounded)

Rounding to float32 never changes the order of numbers, so if d - e and d + e with e = 2^-50 |d|
become the same float32, the decimal is that float32, and so is Python's float(text), which lies as
near to the exact value. If they do not, which is so for about one number in 2^25, or if anything
else about a row is out of the ordinary, the row is left to `cbow.vectors.formats.text.parse_row`,
which is the rule.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cbow.system.compiled import compiled

NEWLINE, SPACE, ZERO = ord("\n"), ord(" "), ord("0")
PLUS, MINUS, POINT, LETTER_E = ord("+"), ord("-"), ord("."), ord("e")

#: What stands for a place if a number could not be read.
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

#: w takes no further digit from here on.
_FULL: Final = 10**17


@compiled
def read_back(w: Any, s: Any) -> Any:
    """Return the least and largest float32 that w * 10^s may be; nan if it is out of range."""
    if not LEAST <= s <= _MOST:
        return np.float32(np.nan), np.float32(np.nan)
    d = np.float64(w) * POWERS[s - LEAST]
    e = d * _SLACK
    if d > _LARGEST:
        return np.float32(np.nan), np.float32(np.nan)
    return np.float32(d - e), np.float32(d + e)


@compiled
def _white(c: Any) -> Any:
    """Tell whether a byte is white space, the line feed among it."""
    return c == SPACE or 9 <= c <= 13


@compiled
def _digit(text: Any, i: Any) -> Any:
    """Return the digit at byte i; if there is none, a number outside 0 to 9."""
    return np.int64(text[i]) - ZERO


@compiled
def _exponent(text: Any, i: Any) -> Any:
    """Read what follows an e; return it and the place behind it, or no place."""
    negative = text[i] == MINUS
    if text[i] == MINUS or text[i] == PLUS:
        i += 1
    begin, s = i, 0
    digit = _digit(text, i)
    while 0 <= digit <= 9:
        if s < 1000:  # far out of range in any case
            s = s * 10 + digit
        i += 1
        digit = _digit(text, i)
    if i == begin:
        return 0, NO_PLACE
    return -s if negative else s, i


@compiled
def _number(text: Any, i: Any) -> Any:
    """Read the number at byte i; return it and the place behind it, or no place if in doubt."""
    negative = text[i] == MINUS
    if text[i] == MINUS or text[i] == PLUS:
        i += 1
    w = s = digits = 0
    digit = _digit(text, i)
    while 0 <= digit <= 9:
        if w < _FULL:
            w = w * 10 + digit
        else:
            s += 1
        digits += 1
        i += 1
        digit = _digit(text, i)
    if text[i] == POINT:
        i += 1
        digit = _digit(text, i)
        while 0 <= digit <= 9:
            if w < _FULL:
                w = w * 10 + digit
                s -= 1
            digits += 1
            i += 1
            digit = _digit(text, i)
    if text[i] | 0x20 == LETTER_E:
        more, i = _exponent(text, i + 1)
        s += more
    low, high = read_back(w, s)
    if digits == 0 or low != high:
        return low, NO_PLACE
    return -low if negative else low, i


@compiled
def parse(text: Any, numbers: Any, begins: Any, ends: Any, plain: Any) -> Any:
    """Read the rows that are out of the ordinary in nothing.

    Parameters
    ----------
    text : ndarray of uint8
        R rows, each with its line feed.
    numbers : ndarray of float32, (R, N)
        Receives the numbers of the plain rows.
    begins, ends : ndarray of int64, (R,)
        Receive where the word of each row begins and ends, or the whole row if it is not plain.
    plain : ndarray of bool, (R,)
        Receives which rows are.
    """
    R, N = numbers.shape
    i = 0
    for r in range(R):
        begin = i
        while not _white(text[i]):
            i += 1
        end = i
        n = 0
        while n < N:
            while text[i] != NEWLINE and _white(text[i]):
                i += 1
            number, behind = _number(text, i)
            if behind == NO_PLACE or not _white(text[behind]):
                break
            numbers[r, n] = number
            n += 1
            i = behind
        while text[i] != NEWLINE and _white(text[i]):
            i += 1
        plain[r] = begin < end and n == N and text[i] == NEWLINE
        while text[i] != NEWLINE:
            i += 1
        begins[r] = begin
        ends[r] = end if plain[r] else i
        i += 1


@compiled
def gather(text: Any, begins: Any, ends: Any, words: Any) -> Any:
    """Copy words out of a text, a line feed behind each; return how many bytes that are.

    Parameters
    ----------
    text : ndarray of uint8
    begins, ends : ndarray of int64, (R,)
        Where in it each word begins and ends.
    words : ndarray of uint8
        Receives the words.
    """
    end = 0
    for r in range(len(begins)):
        for i in range(begins[r], ends[r]):
            words[end] = text[i]
            end += 1
        words[end] = NEWLINE
        end += 1
    return end
