r"""word2vec's binary format, as word2vec.c, gensim and the Google News vectors have it.

    "V N\n"     words and dimensions in decimal digits
    V times:    the word in UTF-8, one space, N float32 numbers, little-endian, and a line feed

word2vec.c writes the line feed, gensim does not: if most rows end in one, all must. A word holds no
space and, where it is written here, no line feed. There are no counts. The Google News vectors come
packed with gzip, which is read (and written to a name in .gz) too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.vectors.formats.base import Contents, shown
from cbow.vectors.formats.checks import checked, singles
from cbow.vectors.formats.streams import Opened, created, opened
from cbow.vectors.nearest import Floats

#: Bytes of the file looked at at a time.
BLOCK: Final = 2**22

#: No word is longer (bytes), and no header.
LONGEST_WORD: Final = 2**24
LONGEST_HEADER: Final = 100

#: No vector that is read has more numbers.
MOST_DIMENSIONS: Final = 2**24

_HEADER: Final = re.compile(rb"\s*([+-]?\d+)[ \t]+([+-]?\d+)\s*\n")


def read(path: Path, *, errors: str = "strict") -> Contents:
    """Read a file.

    Parameters
    ----------
    path : Path
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is refused, or kept with U+FFFD for its bad bytes.
        word2vec.c cuts long words, at times within a character.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged.
    """
    with opened(path) as file:
        V, N = _header(path, file)
        words, matrix = _rows(path, file, V, N)
    return checked(path, _without_line_feeds(path, words, N), matrix, errors=errors)


def write(
    path: Path,
    words: Sequence[str],
    matrix: Floats,
    counts: npt.NDArray[np.integer[Any]] | None = None,
) -> None:
    """Write a file, with the line feeds of word2vec.c. The counts have no place in it.

    Raises
    ------
    ModelFileError
        If a word holds a space or a line feed, or a number is too large for float32.
    OutputError
        If the file cannot be written.
    """
    V, N = matrix.shape
    width = 4 * N
    spelled = iter(words)
    with created(path) as file:
        file.write(b"%d %d\n" % (V, N))
        for rows in singles(words, matrix, "word2vec's binary format"):
            numbers = rows.tobytes()
            for start in range(0, len(numbers), width):
                word = _encoded(next(spelled))
                file.write(b"%s %s\n" % (word, numbers[start : start + width]))


def _encoded(word: str) -> bytes:
    if " " in word or "\n" in word:
        raise ModelFileError(
            f"the word {shown(word)} holds a space or a line feed, at which word2vec's binary "
            "format ends a word; write another format, such as .npz or .safetensors"
        )
    return word.encode()


def _header(path: Path, file: Opened) -> tuple[int, int]:
    """Read the header; hold what it promises against the size of the file."""
    line = file.stream.readline(LONGEST_HEADER)
    found = _HEADER.fullmatch(line)
    if not found:
        raise ModelFileError(
            f"{path} does not begin with a line of two whole numbers, words and dimensions, as "
            "word2vec's binary format does; give another file, or say what format it has"
        )
    V, N = int(found[1]), int(found[2])
    if V < 0 or not 1 <= N <= MOST_DIMENSIONS:
        raise ModelFileError(
            f"the header of {path} promises {V} words of {N} dimensions, but there must be 0 words "
            f"or more, of 1 to {MOST_DIMENSIONS} dimensions; fetch or copy it again"
        )
    least = V * (4 * N + 2)  # a letter, a space and the numbers each
    if file.size is not None and least > file.size - len(line):
        raise ModelFileError(
            f"{path} is cut short: its header promises {V} words of {N} dimensions, {least} bytes "
            f"at least, but {file.size - len(line)} follow; fetch or copy it again"
        )
    return V, N


def _rows(path: Path, file: Opened, V: int, N: int) -> tuple[list[bytes], Floats]:
    """Read the words and the (V, N) matrix."""
    # Of a packed file only its content tells how long it is: there the matrix grows.
    matrix = np.empty((0 if file.size is None else V, N), "<f4")
    words: list[bytes] = []
    rest = b""
    while len(words) < V:
        block = file.stream.read(BLOCK)
        if not block:
            raise ModelFileError(
                f"{path} is cut short: its header promises {V} words, but row {len(words) + 1} is "
                "not whole; fetch or copy it again"
            )
        rest += block
        done = len(words)
        found, numbers, used = _split(rest, 4 * N, V - done)
        words += found
        if len(words) > len(matrix):
            matrix.resize((min(V, max(len(words), 2 * len(matrix))), N), refcheck=False)
        matrix[done : len(words)] = numbers.view("<f4").reshape(-1, N)
        rest = rest[used:]
        if len(rest) > LONGEST_WORD + 4 * N:
            raise ModelFileError(
                f"{path}, row {len(words) + 1}: the word does not end within {LONGEST_WORD} bytes; "
                "the file is damaged, or of another format"
            )
    _check_end(path, file.stream, rest or file.stream.read(BLOCK), V)
    return words, matrix


def _split(data: bytes, width: int, most: int) -> tuple[list[bytes], npt.NDArray[Any], int]:
    """Cut bytes into rows: words, the numbers of each as one item of `width` bytes, bytes used.

    Only the space behind the word tells where a row goes on, so they are found one by one.
    """
    words: list[bytes] = []
    places: list[int] = []
    at = 0
    last = len(data) - width
    while len(words) < most:
        space = data.find(b" ", at)
        if space < 0 or space >= last:
            break
        words.append(data[at:space])
        places.append(space + 1)
        at = space + 1 + width
    # Items that begin at every byte: to pick some copies `width` bytes each.
    anywhere = np.ndarray(max(0, last + 1), f"V{width}", data, strides=(1,))
    return words, anywhere[np.array(places, np.intp)], at


def _without_line_feeds(path: Path, words: list[bytes], N: int) -> list[bytes]:
    """Take the line feeds of the rows before off the words, if there are such."""
    joined = b"\0".join(words)  # one string is looked through sooner than many
    later = max(0, len(words) - 1)  # words with a row before
    if joined.count(b"\0") > later:
        raise _misplaced(path, next(row for row, word in enumerate(words) if b"\0" in word), N)
    feeds = joined.count(b"\0\n")
    if 2 * feeds <= later:  # gensim's way; a word may be a line feed
        return words
    if feeds < later:
        odd = next(row for row, word in enumerate(words[1:]) if not word.startswith(b"\n"))
        raise _misplaced(path, odd + 1, N)
    return joined.replace(b"\0\n", b"\0").split(b"\0")


def _misplaced(path: Path, row: int, N: int) -> ModelFileError:
    """Create the error about a word that is none, given its row from 0."""
    return ModelFileError(
        f"{path}, row {row + 1}: there is no word where one must begin, so a row before does not "
        f"hold {N} numbers as the header says, or is damaged; fetch or copy the file again"
    )


def _check_end(path: Path, stream: IO[bytes], rest: bytes, V: int) -> None:
    """Refuse a file that goes on behind its last row."""
    while rest:
        if rest.strip(b"\n"):
            raise ModelFileError(
                f"{path} goes on behind the {V} words that its header promises; the header is "
                "wrong, or rows are damaged: fetch or copy it again"
            )
        rest = stream.read(BLOCK)
