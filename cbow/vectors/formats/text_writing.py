"""Writing the text formats: rows in parts, in as many threads as processors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from cbow.errors import ModelFileError
from cbow.vectors.formats.base import shown
from cbow.vectors.formats.side_by_side import side_by_side
from cbow.vectors.formats.streams import created
from cbow.vectors.formats.text_rows import WHITE, numbers_in, write_plainly
from cbow.vectors.nearest import Floats

#: Numbers written at a time.
NUMBERS: Final = 2**19

#: Fewer numbers than this are written before compiled code would be loaded.
COMPILED: Final = 2**18


def write_rows(
    path: Path, words: Sequence[str], matrix: Floats, *, header: bool, tail: bytes = b"\n"
) -> None:
    r"""Write words and their numbers.

    Parameters
    ----------
    path : Path
        Compressed if it ends in ``.gz``.
    words : sequence of str, V
    matrix : ndarray of float32 or float64, (V, N)
    header : bool
        Whether a line with V and N comes first.
    tail : bytes
        What ends a row: ``\n``, or a space before it.

    Raises
    ------
    ModelFileError
        If a word could not be read back, or a number is too large for float32.
    OutputError
        If the file cannot be written.
    """
    for word in words:
        _check_word(word)
    parts = _parts(words, matrix)
    with created(path) as file:
        if header:
            file.write(b"%d %d\n" % matrix.shape)
        for text in side_by_side(lambda part: rows_text(*part, tail), parts):
            file.write(text)


def _check_word(word: str) -> None:
    """Refuse a word that would not be read back as it is."""
    spelled = word.encode()
    parts = spelled.split()
    if len(parts) == 1 and parts[0] == spelled:
        return
    if spelled != spelled.strip(WHITE) or b"\n" in spelled:
        fault = "holds a line feed, or begins or ends with white space"
    elif numbers_in(spelled):
        fault = "holds white space and ends in a number"
    else:
        return
    raise ModelFileError(
        f"the word {shown(spelled)} {fault}, so that a text file could not be read back; rename "
        "it, or write .npz or .safetensors"
    )


def _parts(words: Sequence[str], matrix: Floats) -> Iterator[tuple[list[bytes], Floats]]:
    """Yield some rows at a time, with their words, as compiled code wants them."""
    V, N = matrix.shape
    rows = max(1, NUMBERS // N)
    dtype: type[np.floating[Any]] = np.float64 if matrix.dtype == np.float64 else np.float32
    for start in range(0, V, rows):
        some = np.ascontiguousarray(matrix[start : start + rows], dtype)  # (rows, N)
        with np.errstate(under="ignore", over="ignore"):
            sound = np.isfinite(some.astype(np.float32, copy=False)).all(axis=1)  # (rows,)
        if not sound.all():
            word = words[start + int(np.argmin(sound))]
            raise ModelFileError(
                f"the vector of {shown(word)} holds a number too large for float32, which readers "
                "of text files have; scale all vectors down, or write .npz"
            )
        yield [word.encode() for word in words[start : start + rows]], some


def rows_text(words: list[bytes], numbers: Floats, tail: bytes) -> bytes:
    """Return rows as text, by compiled code if there are many.

    Parameters
    ----------
    words : list of bytes, R
    numbers : ndarray of float32 or float64, (R, N)
        Finite numbers in C order.
    tail : bytes
        What ends a row.
    """
    if numbers.dtype == np.float64 or numbers.size < COMPILED:
        return write_plainly(words, numbers, tail)
    return write_compiled(words, numbers, tail)


def write_compiled(words: list[bytes], numbers: Floats, tail: bytes) -> bytes:
    """Do what `write_plainly` does for float32, much faster."""
    from cbow.vectors.formats.text_writing_kernels import LONGEST_NUMBER, write

    R, N = numbers.shape
    letters = np.frombuffer(b"".join(words), np.uint8)
    ends = np.cumsum([len(word) for word in words])  # (R,)
    out = np.empty(len(letters) + R * (LONGEST_NUMBER * N + len(tail)), np.uint8)
    texts, r = [], 0
    while True:
        r, end = write(letters, ends, numbers, np.frombuffer(tail, np.uint8), r, out)
        texts.append(out[:end].tobytes())
        if r == R:
            return b"".join(texts)
        texts.append(write_plainly(words[r : r + 1], numbers[r : r + 1], tail))
        r += 1
