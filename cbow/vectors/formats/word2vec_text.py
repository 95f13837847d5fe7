r"""word2vec's text format, as word2vec.c and gensim have it; `cbow.vectors.formats.fasttext` too.

    "V N\n"     rows, and numbers in each
    V times:    the word in UTF-8, N times a space and a number, and a line feed

word2vec.c writes numbers with six digits behind the point and a space before the line feed, gensim
the shortest decimals and no such space, and so does this writer; float64 keeps all its digits.
All of it is read, and more (`cbow.vectors.formats.text_rows` says how words
and numbers are told apart): tabs, aligned columns, CR LF, a byte order mark before the header,
which is left out, and gzip. Numbers become float32, the kind that these tools compute with, also
where a file has more digits. Rows are counted from 1, the header not among them. An empty line is
refused, but at the end of the file, where such lines are passed over and counted.

A file that was cut is refused, wherever that was, but for one case: of the last number of the last
row some digits may be missing. A file whose last row has no line feed is read, and the account
says so.

There are no counts in it; the rows of these tools stand by falling frequency.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cbow.config import MAX_EXPANSION
from cbow.vectors.formats.base import Contents
from cbow.vectors.formats.text_reading import read_with_header
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
        word2vec.c cuts long words, at times within a character.

    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is refused, or left out and counted.
    max_expansion : float
        How many times the size of a packed file it may unpack to.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged.
    """
    return read_with_header(path, "word2vec's text format", errors, on_bad_rows, max_expansion)


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
        If a word could not be read back, or a number is too large for float32.
    OutputError
        If the file cannot be written.
    """
    write_rows(path, words, matrix, header=True)
