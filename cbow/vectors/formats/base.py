"""What every format gives and takes: words, rows, counts, and what had to be told on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow import errors
from cbow.vectors.nearest import Floats

#: Characters of a word that an error shows.
_SHOWN: Final = 40

#: Rows of which it is said why they are left out; of others only which.
_EXPLAINED: Final = 3


class BadRow(NamedTuple):
    """A row that cannot be read and is left out."""

    row: int  #: from 1
    fault: str  #: what is wrong with it


@dataclass
class Account:
    """What was read, and what of it is not in the result or not as it stood in the file.

    `special` is no loss and makes no note: every folder of model2vec has such rows.
    """

    rows: int = 0  #: rows in the file
    duplicates: int = 0  #: rows left out, for their word has come before
    spaced: int = 0  #: words kept that hold white space
    replaced: int = 0  #: words kept in which bytes that are no UTF-8 were made U+FFFD
    special: int = 0  #: rows left out that stand for no word, such as model2vec's [UNK]
    unreadable: int = 0  #: rows left out, for they cannot be read
    unreadable_rows: str = ""  #: which, and what is wrong with the first few
    blank: int = 0  #: blank lines at the end of a text file, passed over
    unended: int = 0  #: 1 if the last row of a text file has no line feed, so that it may be cut

    def notes(self) -> Iterator[str]:
        """Say in a sentence each what a reader ought to know; nothing for a plain file."""
        if self.unreadable:
            yield (
                f"{self.unreadable} of {self.rows} rows cannot be read and are left out: "
                f"{self.unreadable_rows}"
            )
        if self.duplicates:
            yield f"{self.duplicates} of {self.rows} rows repeat a word; the first of each is kept"
        if self.spaced:
            yield f"{self.spaced} of {self.rows} words hold white space; they are kept whole"
        if self.replaced:
            yield f"{self.replaced} of {self.rows} words are not UTF-8; U+FFFD stands for bad bytes"
        if self.blank:
            yield f"{errors.counted(self.blank, 'blank line')} at the end passed over"
        if self.unended:
            yield "the last row has no line end; if the file was cut, its last number lacks digits"

    def leave_out(self, bad: Sequence[BadRow]) -> None:
        """Count rows that cannot be read, and name them in at most 200 characters."""
        self.unreadable = len(bad)
        room = errors.LONGEST_SHOWN - len(" and 1000000000 more")
        named: list[str] = []
        for row, fault in sorted(bad):
            long, short = f"row {row} ({fault})", f"row {row}"
            fits = [each for each in (long, short) if len(", ".join([*named, each])) <= room]
            if not fits:
                break
            named.append(fits[0] if len(named) < _EXPLAINED else short)
        more = len(bad) - len(named)
        self.unreadable_rows = ", ".join(named) + (f" and {more} more" if more else "")

    def to_dict(self) -> dict[str, int | str]:
        """Return every count by its name, for JSON."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


class Contents(NamedTuple):
    """What a file of vectors holds, whatever its format."""

    words: Sequence[str]  #: V distinct words, in the order of the file
    matrix: Floats  #: (V, N)
    counts: npt.NDArray[np.integer[Any]] | None  #: (V,), of the training text, if they are there
    account: Account


def shown(text: bytes | str) -> str:
    r"""Show a word or a field in an error: cut if it is long, with escapes for what is no letter.

    Examples
    --------
    >>> print(shown(b"caf\xc3"), shown("n" * 50))
    'caf�' 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...
    """
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN].decode(errors="replace")  # no character has more than 4 bytes
    return errors.shown(text, _SHOWN)
