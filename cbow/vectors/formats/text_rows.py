r"""A row of the text formats: a word and its numbers, read and written plainly.

    word SP number SP number ... SP number LF

word2vec.c and fastText end a row with one more space, gensim and GloVe do not. When a row is read,
numbers may be separated by any white space of ASCII, so that rows with tabs, aligned columns or
CR LF at their end are read too. **The last N fields are the numbers; the word is all before**,
less white space at its end: words with spaces in them, as GloVe's 840B vectors have them, are kept
whole. Such a word must not end in a field that is a number itself: ``catch 22 0.1 0.2`` might be a
word of two parts or a row of three numbers, and is refused, or left out with other rows that
cannot be read if that is wished: no number is ever read that might be part of a word, also where a
header says how many there are. A word that is one field may be anything, also a number, but not
white space alone.

A number is, in ASCII, an optional sign, digits with at most one point among them, and optionally
``e`` or ``E`` and a whole number. ``nan``, ``inf`` and numbers too large for float32 are refused,
and so is what else Python would take for a number (``1_000``, digits of other scripts). Its value
is that of Python's ``float(text)``, the nearest float64, rounded to float32: the numbers that
gensim reads.

Numbers are written as the shortest decimals that read back to the same bits, in the form that
Python's ``repr`` has: ``1.0``, ``0.0001``, ``1e-05``, ``1e+16``. gensim writes the same digits.

What compiled code in `cbow.vectors.formats.text_reading_kernels` and ``text_writing_kernels`` does
with large files, `read_plainly` and `write_plainly` here do with small ones and with whatever is
not plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.vectors.formats.base import shown
from cbow.vectors.nearest import Floats

Singles = npt.NDArray[np.float32]

#: White space, as `bytes.split` has it: that of ASCII.
WHITE: Final = b" \t\n\r\v\f"

_NUMBER: Final = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NOT_FINITE: Final = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


class RowError(Exception):
    """What is wrong with a row, and what to do.

    Attributes
    ----------
    fault : str
        What is wrong, without what to do.
    row : int
        Which, from 0 among those that were given.
    """

    def __init__(self, fault: str, remedy: str, row: int = 0) -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault = fault
        self.row = row


class Rows(NamedTuple):
    """Rows that were read."""

    words: list[bytes]  #: R words
    numbers: Singles  #: (R, N)
    bad: Sequence[RowError] = ()  #: what is wrong with the rows that are left out


def read_plainly(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Read rows one after the other.

    Parameters
    ----------
    piece : bytes
        Rows, each with its line feed.
    N : int
        Numbers in each.
    skip : bool
        Whether rows that are not sound are left out.

    Raises
    ------
    RowError
        If a row is not sound, and not left out.
    """
    words, numbers, bad = [], [], []
    for r, row in enumerate(piece.split(b"\n")[:-1]):
        try:
            word, values = parse_row(row, N)
        except RowError as error:
            error.row = r
            if not skip:
                raise
            bad.append(error)
            continue
        words.append(word)
        numbers.append(values)
    return Rows(words, np.array(numbers, np.float32).reshape(-1, N), bad)


def parse_row(row: bytes, N: int) -> tuple[bytes, Singles]:
    """Take a row without its line feed apart into a word and its N numbers.

    Raises
    ------
    RowError
        If it is not sound.
    """
    word, *fields = row.rsplit(None, N) or [b""]
    parts = word.split()
    sound = len(fields) == N and all(map(_NUMBER.fullmatch, fields))
    if not sound or (len(parts) > 1 and _numeric(parts[-1])):
        raise RowError(*_fault(row, N))
    with np.errstate(under="ignore", over="ignore"):
        values = np.array([float(field) for field in fields]).astype(np.float32)  # (N,)
    for field, finite in zip(fields, np.isfinite(values), strict=True):
        if not finite:
            raise RowError(
                f"the vector of {shown(word)} holds {shown(field)}, too large for float32",
                "remove the row, scale all vectors down",
            )
    return word, values


def numbers_in(row: bytes) -> int:
    """Count the numbers, finite or not, at the end of a row whose first field is its word's."""
    return sum(1 for _ in takewhile(_numeric, reversed(row.split()[1:])))


def _numeric(field: bytes) -> bool:
    """Tell whether a field is meant as a number, be it finite or not."""
    return bool(_NUMBER.fullmatch(field) or _NOT_FINITE.fullmatch(field))


def _fault(row: bytes, N: int) -> tuple[str, str]:
    """Say what is wrong with a row that is not N numbers behind a word, and what to do."""
    fields = row.split()
    found = numbers_in(row)
    if not fields:
        return "it is empty", "remove it"
    if row[:1] in WHITE and len(fields) == N and all(map(_numeric, fields)):
        return "there is no word before its numbers", "remove it"
    mend = "correct the row, fetch or copy the file again"
    of_word = f"the vector of {shown(fields[0])}"
    if found == N or len(fields) == N + 1:
        wrong = next((each for each in fields[1:][-N:] if not _NUMBER.fullmatch(each)), b"")
        if _numeric(wrong):
            return f"{of_word} holds {shown(wrong)}, which is not finite", "remove the row"
        return f"{of_word} holds {shown(wrong)} where a number is expected", mend
    ending = ", or its word ends in a number, which no word with white space in it may"
    return f"{of_word} is of length {found}, but {N} is expected{ending if found > N else ''}", mend


def write_plainly(words: Iterable[bytes], numbers: Floats, tail: bytes) -> bytes:
    r"""Write rows one after the other.

    Parameters
    ----------
    words : iterable of bytes, R
    numbers : ndarray of float32 or float64, (R, N)
        Finite numbers.
    tail : bytes
        What ends a row: ``\n``, or a space before it.
    """
    rows: Iterable[Iterable[str]]
    if numbers.dtype == np.float64:
        rows = (map(repr, row.tolist()) for row in numbers)
    else:
        rows = (map(_shortest, row) for row in numbers)
    return b"".join(
        b"%s %s%s" % (word, " ".join(row).encode(), tail)
        for word, row in zip(words, rows, strict=True)
    )


def _shortest(x: float) -> str:
    """Write a numpy float32; ``str`` would depend on numpy's version and printing options."""
    return repr(float(np.format_float_scientific(x)))
