"""What every format gives and takes: words, rows, counts, and what had to be told on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.vectors.nearest import Floats

#: Characters of a word that an error shows.
_SHOWN: Final = 40


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
    unended: int = 0  #: 1 if the last row of a text file has no line feed, so that it may be cut

    def notes(self) -> Iterator[str]:
        """Say in a sentence each what a reader ought to know; nothing for a plain file."""
        if self.duplicates:
            yield f"{self.duplicates} of {self.rows} rows repeat a word; the first of each is kept"
        if self.spaced:
            yield f"{self.spaced} of {self.rows} words hold white space; they are kept whole"
        if self.replaced:
            yield f"{self.replaced} of {self.rows} words are not UTF-8; U+FFFD stands for bad bytes"
        if self.unended:
            yield "the last row has no line end; if the file was cut, its last number lacks digits"

    def to_dict(self) -> dict[str, int]:
        """Give every count by its name, for JSON."""
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
    'caf�' 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn'...
    """
    whole = text if isinstance(text, str) else text.decode(errors="replace")
    return f"{whole[:_SHOWN]!r}{'...' if len(whole) > _SHOWN else ''}"
