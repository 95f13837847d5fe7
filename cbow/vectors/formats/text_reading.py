"""Reading the text formats: rows in pieces of some megabytes, in as many threads as processors.

What is held at a time is what was read, and a few pieces of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np

from cbow.errors import ModelFileError
from cbow.vectors.formats.base import BadRow, Contents, shown
from cbow.vectors.formats.checks import SKIP, checked
from cbow.vectors.formats.side_by_side import side_by_side
from cbow.vectors.formats.streams import Opened, opened
from cbow.vectors.formats.text_rows import (
    WHITE,
    RowError,
    Rows,
    numbers_in,
    parse_row,
    read_plainly,
)

#: Bytes read at a time, and then to the end of the row.
PIECE: Final = 2**22

#: Smaller pieces than this are read before compiled code would be loaded.
COMPILED: Final = 2**21

#: No row is longer (bytes).
LONGEST_ROW: Final = 2**26

#: No header is longer (bytes).
LONGEST_HEADER: Final = 100

#: What some programs write before UTF-8.
BOM: Final = b"\xef\xbb\xbf"

_HEADER: Final = re.compile(rb"\s*([+-]?\d+)[ \t]+([+-]?\d+)\s*")


def read_with_header(
    path: Path, kind: str, errors: str, on_bad_rows: str, max_expansion: float
) -> Contents:
    """Read a file whose first line says how many rows follow, and how many numbers each has.

    Parameters
    ----------
    path : Path
    kind : str
        What to call the format in an error.
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
    with opened(path, max_expansion) as file:
        V, N = _header(path, file, kind)
        pieces = _Pieces(path, file.stream, b"", V)
        contents = _contents(path, pieces, N, V, errors, on_bad_rows)
    found = contents.account.rows
    if found < V:
        raise ModelFileError(
            f"{path} is cut short: its header promises {V} rows, but it ends after {found}; "
            "fetch or copy it again, or correct the header"
        )
    return contents


def read_without_header(
    path: Path, kind: str, errors: str, on_bad_rows: str, max_expansion: float
) -> Contents:
    """Read a file in which the first row shows how many numbers each has.

    Parameters
    ----------
    path : Path
    kind : str
        What to call the format in an error.
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
    with opened(path, max_expansion) as file:
        first = file.stream.readline(LONGEST_ROW).removeprefix(BOM)
        N = numbers_in(first)
        if N == 0:
            raise _another(path, first, f"a word and its numbers, as {kind} does")
        pieces = _Pieces(path, file.stream, first)
        return _contents(path, pieces, N, None, errors, on_bad_rows)


def _another(path: Path, line: bytes, expected: str) -> ModelFileError:
    """Create the error about a file that does not begin as it should."""
    begin = f"begins with {shown(line.rstrip())}" if line else "is empty"
    return ModelFileError(
        f"{path} {begin}, but must begin with {expected}; give another file, or say what format "
        "it has"
    )


def _header(path: Path, file: Opened, kind: str) -> tuple[int, int]:
    """Read the header; hold what it promises against the size of the file."""
    line = file.stream.readline(LONGEST_HEADER)
    found = _HEADER.fullmatch(line.removeprefix(BOM))
    if not found:
        raise _another(path, line, f"two whole numbers, of rows and of numbers in each, as {kind}")
    V, N = int(found[1]), int(found[2])
    least = V * (2 * N + 2) - 1  # a letter, N times a space and a digit, line feeds between rows
    if V < 0 or not 1 <= N <= LONGEST_ROW // 2:
        raise ModelFileError(
            f"the header of {path} promises {V} rows of {N} numbers, but there must be 0 rows or "
            f"more, of 1 to {LONGEST_ROW // 2} numbers; fetch or copy it again"
        )
    if file.size is not None and least > file.size - len(line):
        raise ModelFileError(
            f"{path} is cut short: its header promises {V} rows of {N} numbers, {least} bytes at "
            f"least, but {file.size - len(line)} follow; fetch or copy it again"
        )
    return V, N


class _Pieces:
    """The rows of a file in pieces, each row with its line feed.

    Attributes
    ----------
    unended : bool
        Whether the last row had none.
    blank : int
        Blank lines behind the last row, which are passed over. Those in the place of a row that
        the header promises are rows.
    """

    def __init__(self, path: Path, stream: IO[bytes], begin: bytes, V: int = 0) -> None:
        self._path = path
        self._stream = stream
        self._begin = begin
        self._V = V
        self._rows = 0
        self.unended = False
        self.blank = 0

    def __iter__(self) -> Iterator[bytes]:
        piece = self._begin + self._stream.read(PIECE)
        while piece:
            rest = b"" if piece.endswith(b"\n") else self._stream.readline(LONGEST_ROW)
            piece += rest
            if not piece.endswith(b"\n"):
                self._check_end(piece, rest)
                piece += b"\n"
            if rows := piece.rstrip(WHITE):
                yield from self._blank_rows(self.blank)  # for a row follows
                end = piece.index(b"\n", len(rows)) + 1
                self._rows += piece.count(b"\n", 0, end)
                yield piece[:end]
                piece = piece[end:]
            self.blank += piece.count(b"\n")
            piece = self._stream.read(PIECE)
        yield from self._blank_rows(min(self.blank, self._V - self._rows))

    def _blank_rows(self, n: int) -> Iterator[bytes]:
        """Yield the first n of the blank lines as rows, which they are in the wrong place."""
        while n > 0:
            some = min(n, PIECE)
            yield b"\n" * some
            self._rows += some
            self.blank -= some
            n -= some

    def _check_end(self, piece: bytes, rest: bytes) -> None:
        """See that the file ends here, and is not one of endless rows."""
        self.unended = not piece.rpartition(b"\n")[2].isspace()
        if len(rest) == LONGEST_ROW:
            raise ModelFileError(
                f"{self._path} holds a row of more than {LONGEST_ROW} bytes; it is damaged, or "
                "of another format: give another file"
            )


def _contents(
    path: Path, pieces: _Pieces, N: int, V: int | None, errors: str, on_bad_rows: str
) -> Contents:
    """Read all rows, no more than V of them if V is known."""
    words: list[bytes] = []
    matrix = np.empty((0, N), np.float32)
    bad: list[BadRow] = []
    skip = on_bad_rows == "skip"
    try:
        for rows in side_by_side(lambda piece: read_piece(piece, N, skip), pieces):
            before = len(words) + len(bad) + 1
            bad += (BadRow(before + each.row, each.fault) for each in rows.bad)
            done, end = len(words), len(words) + len(rows.words)
            if end > len(matrix):  # it grows where it lies: nothing is there twice
                matrix.resize((max(end, len(matrix) + len(matrix) // 8), N), refcheck=False)
            matrix[done:end] = rows.numbers
            words += rows.words
            # GloVe's -write-header does not count the row that it adds for unknown words.
            if V is not None and words[V:] not in ([], [b"<unk>"]):
                raise _too_many(path, V)
    except RowError as error:
        row = len(words) + error.row + 1  # no row was left out, or none would be refused
        if V is not None and row > V:
            raise _too_many(path, V) from None
        raise ModelFileError(f"{path}, row {row}: {error}, {SKIP}") from None
    matrix.resize((len(words), N), refcheck=False)
    contents = checked(path, words, matrix, errors=errors, on_bad_rows=on_bad_rows, bad=bad)
    contents.account.unended = int(pieces.unended)
    contents.account.blank = pieces.blank
    return contents


def _too_many(path: Path, V: int) -> ModelFileError:
    """Create the error about a file with more rows than it promises."""
    return ModelFileError(
        f"{path}, row {V + 1}: its header promises only {V} rows; correct the header, or fetch or "
        "copy the file again"
    )


def read_piece(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Read rows of N numbers, in compiled code if there are many.

    Parameters
    ----------
    piece : bytes
        Rows, each with its line feed.
    N : int
    skip : bool
        Whether rows that are not sound are left out.

    Raises
    ------
    RowError
        If a row is not sound, and not left out.
    """
    R = piece.count(b"\n")
    short = len(piece) < R * (2 * N + 2)  # some row is too short to hold N numbers
    if short or len(piece) < COMPILED:
        return read_plainly(piece, N, skip)
    return read_compiled(piece, N, skip)


def read_compiled(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Do what `read_plainly` does, much faster."""
    from cbow.vectors.formats.text_reading_kernels import gather, parse

    R = piece.count(b"\n")
    text = np.frombuffer(piece, np.uint8)
    numbers = np.empty((R, N), np.float32)
    begins, ends = np.empty((2, R), np.int64)  # (R,) each
    plain = np.empty(R, np.bool_)
    parse(text, numbers, begins, ends, plain)
    bad = []
    for r in np.flatnonzero(~plain).tolist():
        try:
            word, numbers[r] = parse_row(piece[begins[r] : ends[r]], N)
        except RowError as error:
            error.row = r
            if not skip:
                raise
            bad.append(error)
            word = b""
        ends[r] = begins[r] + len(word)
    words = np.empty((ends - begins).sum() + R, np.uint8)
    gather(text, begins, ends, words)
    listed = words.tobytes().split(b"\n")[:-1]
    if bad:
        kept = np.delete(np.arange(R), [error.row for error in bad])
        listed, numbers = [listed[r] for r in kept.tolist()], numbers[kept]
    return Rows(listed, numbers, bad)
