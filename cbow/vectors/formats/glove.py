r"""GloVe's text format: rows without a header.

    V times:    the word in UTF-8, N times a space and a number, and a line feed

N is how many fields at the end of the first row are numbers, its first field never among them. So
``. . . 0.1 0.2`` has the word ``. . .`` and two numbers, ``1 2 0.1`` the word ``1`` and three
numbers; all other rows must have as many. (Nothing tells a word ``1 2`` of one number from it,
which is why `write` refuses such a word.) For the rest, what `cbow.vectors.formats.word2vec_text`
says of reading and writing holds here too; a byte order mark before the first word is left out.

Nothing says how many rows there should be: a file that was cut between two rows is read as if it
were whole. A cut within a row is refused, or, if only digits of its last number are missing, the
account says that the line feed at the end is.

GloVe's option -write-header makes word2vec's text format of it, but for one thing: it does not
count the row ``<unk>`` at the end, which may therefore be one more there than the header promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cbow.config import MAX_EXPANSION
from cbow.errors import ModelFileError
from cbow.vectors.formats.base import Contents, shown
from cbow.vectors.formats.text_reading import BOM, read_without_header
from cbow.vectors.formats.text_writing import write_rows
from cbow.vectors.nearest import Floats


def read(
    path: Path,
    *,
    errors: str = "strict",
    on_bad_rows: str = "raise",
    max_expansion: float = MAX_EXPANSION,
) -> Contents:
    """Read a file.

    Parameters
    ----------
    path : Path
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is refused, or kept with U+FFFD for its bad bytes.

    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is refused, or left out and counted.
    max_expansion : float
        How many times the size of a packed file it may unpack to.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged.
    """
    return read_without_header(path, "GloVe's text format", errors, on_bad_rows, max_expansion)


def write(
    path: Path,
    words: Sequence[str],
    matrix: Floats,
    counts: npt.NDArray[np.integer[Any]] | None = None,
) -> None:
    """Write a file, compressed if its name ends in ``.gz``. The counts have no place in it.

    Raises
    ------
    ModelFileError
        If there is no word, one could not be read back, or a number is too large for float32.
    OutputError
        If the file cannot be written.
    """
    if not len(words):
        raise ModelFileError(
            "there are no words, and GloVe's text format has no header to say so; give some, or "
            "write another format"
        )
    if words[0].startswith(BOM.decode()):
        raise ModelFileError(
            f"the first word, {shown(words[0])}, begins with U+FEFF, which would be taken for a "
            "byte order mark; rename it, or write word2vec's text format"
        )
    write_rows(path, words, matrix, header=False)
