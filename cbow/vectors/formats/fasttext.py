r"""fastText's ``.vec`` files: word2vec's text format with a space behind every number.

    "V N\n"     rows, and numbers in each
    V times:    the word in UTF-8 and a space, N times a number and a space, and a line feed

fastText writes five significant digits, such as ``-0.0021541`` or ``1.2e-05``; here all are written
that float32 or float64 need. What `cbow.vectors.formats.word2vec_text` says of reading holds here
too. The pieces of words that fastText's ``.bin`` has are not in a ``.vec``.
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

    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is refused, or left out and counted.
    max_expansion : float
        How many times the size of a packed file it may unpack to.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged.
    """
    return read_with_header(path, "fastText's .vec", errors, on_bad_rows, max_expansion)


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
    write_rows(path, words, matrix, header=True, tail=b" \n")
