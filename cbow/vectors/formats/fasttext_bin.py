r"""fastText's own format, ``.bin``, version 12: a model of word vectors and of n-grams.

All numbers are little-endian::

    int32     magic 793712314, version
    int32     dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn,
              lrUpdateRate
    float64   t
    int32     entries, words V, labels
    int64     tokens of the training text, pruned entries (-1: it is not pruned)
    V times:  the UTF-8 of the word, a NUL, int64 count, int8 kind (0: a word)
    int8      whether the input matrix is quantised
    int64     rows V + bucket, columns dim
    float32   the input matrix, row by row: first the words, then the buckets of their n-grams
    int8      whether the output matrix is quantised
    int64     rows, columns dim
    float32   the output matrix

With F(w) the row of a word and those of the buckets of its n-grams of minn to maxn characters, the
vector of a word is the mean of F(w), and that of another word the mean of the rows of its n-grams;
`cbow.text.ngrams` tells them.

Here the vectors of words are computed when a file is opened, which takes memory for V rows; the
rows of the buckets stay in the file until they are used. Vectors from elsewhere are written so
that they come back: the row of a word is

    |F(w)| vector(w) - Σ rows of its n-grams

The output matrix is zero then: nothing of it is in the vectors. Where counts are not known all are
1, and the other way round. Version 11 is the same file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.system.arrays import Counts, Doubles, Floats
from cbow.system.files import check_regular, mapped
from cbow.text.ngrams import Ngrams, ngrams_of
from cbow.vectors.embeddings import Subwords, sums
from cbow.vectors.formats.base import (
    ROWS,
    Contents,
    Format,
    Options,
    Source,
    check_counts,
    checked,
    created,
    explained,
    shown,
    singles,
)

MAGIC: Final = b"\xba\x16\x4f\x2f"
VERSIONS: Final = (11, 12)
UNSUPERVISED: Final = (1, 2)  # cbow, skip-gram
UNPRUNED: Final = -1

#: No vector that is read has more numbers.
MOST_DIMENSIONS: Final = 2**24

#: N-grams of no more characters are read: a file is not to say how much memory it takes.
LONGEST: Final = 20

#: Bytes of the dictionary looked at at a time; no word is longer.
BLOCK: Final = 2**22

_ARGUMENTS: Final = struct.Struct("<4s13id")
_SIZES: Final = struct.Struct("<3i2q")
_ENTRY: Final = struct.Struct("<qb")  # behind the word and its NUL
_SHAPE: Final = struct.Struct("<?2q")


def recognise(source: Source) -> bool:
    """Return whether a file begins as fastText's models do."""
    return not source.like_safetensors and source.head.startswith(MAGIC)


def read(source: Source, options: Options) -> Contents:
    """Read the words, compute their vectors, and leave those of the n-grams in the file."""
    path = source.path
    check_regular(path)
    with explained(path), path.open("rb") as file:
        file_size = path.stat().st_size
        data = mapped(file, np.uint8) if file_size else np.empty(0, np.uint8)
    cursor = _Cursor(path, data)
    N, ngrams = _arguments(cursor)
    words, counts = _dictionary(cursor)
    V = len(words)
    rows = _matrix(cursor, "input", N)
    if len(rows) != V + ngrams.buckets:
        raise _damage(
            path,
            f"its input matrix has {len(rows)} rows, but must have one for each of {V} words and "
            f"{ngrams.buckets} buckets",
        )
    _matrix(cursor, "output", N)
    if cursor.at < len(data):
        raise _damage(path, f"{len(data) - cursor.at} bytes follow where it should end")
    matrix = np.empty((V, N), np.float32)
    for start in range(0, V, ROWS):
        part = slice(start, min(start + ROWS, V))
        features = ngrams_of(words[part], ngrams, None)
        sizes = 1 + np.diff(features.indptr)  # (ROWS,), |F(w)|
        with np.errstate(all="ignore"):  # what is not finite is told below
            matrix[part] = (rows[part] + sums(rows[V:], features)) / sizes[:, None]
    contents = checked(
        path,
        options,
        words,
        matrix,
        check_counts(counts, V, f"{path}: ") if (counts != 1).any() else None,
    )
    if not ngrams.longest:
        return contents
    return contents._replace(subwords=Subwords(ngrams, rows[V:]))


def write(path: Path, contents: Contents) -> None:
    """Write a file. Without n-grams, there are no buckets, and n-grams of 0 characters."""
    words, matrix, counts, _, subwords = contents
    kind = "fastText's format"
    V, N = matrix.shape
    shortest, longest, buckets = subwords.ngrams if subwords else Ngrams(0, 0, 0)
    number = np.ones(V, np.int64) if counts is None else counts  # without, gensim drops words
    with created(path) as file:
        # As after a training by default; but for the loss, softmax, which asks for no counts.
        settings = (N, 5, 5, 1, 5, 1, 3, 1, buckets, shortest, longest, 100)
        file.write(_ARGUMENTS.pack(MAGIC, VERSIONS[-1], *settings, 1e-4))
        file.write(_SIZES.pack(V, V, 0, int(number.sum()), UNPRUNED))
        for word, count in zip(words, number.tolist(), strict=True):
            if "\0" in word:
                raise ModelFileError(
                    f"the word {shown(word)} holds a NUL, at which fastText's format ends a word; "
                    "write another format, such as .npz or .safetensors"
                )
            file.write(word.encode() + b"\0" + _ENTRY.pack(count, 0))
        file.write(_SHAPE.pack(False, V + buckets, N))
        for rows in (
            singles(words, matrix, kind)
            if subwords is None
            else _rows(words, matrix, subwords, kind)
        ):
            file.write(rows.tobytes())
        file.write(_SHAPE.pack(False, V, N))
        for start in range(0, V, ROWS):
            file.write(bytes(4 * N * min(ROWS, V - start)))


def _rows(
    words: Sequence[str], matrix: Floats, subwords: Subwords, kind: str
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the rows of the words and of the buckets, `ROWS` at a time."""
    ngrams, of_buckets, to = subwords
    with np.errstate(all="ignore"):  # what is not finite is told
        for start in range(0, len(words), ROWS):
            features = ngrams_of(words[start : start + ROWS], ngrams, None)
            added = sums(of_buckets, features)  # (ROWS, n)
            sizes = 1 + np.diff(features.indptr)[:, None]  # (ROWS, 1)
            rows = matrix[start : start + ROWS] * sizes - (added if to is None else added @ to)
            yield _single(rows, kind)
        for start in range(0, len(of_buckets), ROWS):
            some = of_buckets[start : start + ROWS].astype(np.float64)  # (ROWS, n)
            yield _single(some if to is None else some @ to, kind)


def _single(rows: Doubles, kind: str) -> npt.NDArray[np.float32]:
    """Return rows as float32, in which they must be finite."""
    single = rows.astype("<f4")
    if not np.isfinite(single).all():
        raise ModelFileError(
            "the vectors of the n-grams, or those of the words with them, hold a number that is "
            f"not finite, or too large for float32, the only kind that {kind} has; write another "
            "format, which leaves the n-grams out"
        )
    return single


class _Cursor:
    """The bytes of a file, of which those before `at` have been read."""

    def __init__(self, path: Path, data: npt.NDArray[np.uint8]) -> None:
        self.path = path
        self.data = data
        self.at = 0

    def take(self, form: struct.Struct, what: str) -> tuple[Any, ...]:
        """Read some values."""
        self.check(form.size, what)
        self.at += form.size
        return form.unpack(self.data[self.at - form.size : self.at].tobytes())

    def check(self, size: int, what: str) -> None:
        """Raise `ModelFileError` if so many bytes do not follow."""
        if size > len(self.data) - self.at:
            raise ModelFileError(
                f"{self.path} is cut short: {what} takes {size} bytes, but "
                f"{len(self.data) - self.at} follow; fetch or copy it again"
            )


def _damage(path: Path, what: str) -> ModelFileError:
    """Create the error about a file that says what cannot be."""
    return ModelFileError(f"{path} is damaged: {what}; fetch or copy it again")


def _arguments(cursor: _Cursor) -> tuple[int, Ngrams]:
    """Read the settings of the training; return the dimension and the n-grams."""
    path = cursor.path
    magic, version, N, *_, model, buckets, shortest, longest, _, _ = cursor.take(
        _ARGUMENTS, "its beginning"
    )
    if magic != MAGIC:
        raise ModelFileError(
            f"{path} does not begin as fastText's .bin does; give another file, or say what format "
            "it has"
        )
    if version not in VERSIONS:
        raise ModelFileError(
            f"{path} has version {version} of fastText's format, but versions "
            f"{' and '.join(map(str, VERSIONS))} are read; write it with a newer fastText"
        )
    if model not in UNSUPERVISED:
        raise ModelFileError(
            f"{path} is a classifier (a supervised model) of fastText, not one of word vectors; "
            "give a model of fasttext cbow or fasttext skipgram"
        )
    if not 1 <= N <= MOST_DIMENSIONS or buckets < 0 or longest > LONGEST:
        raise _damage(
            path,
            f"it says dimension {N}, {buckets} buckets and n-grams of up to {longest} characters, "
            f"but there must be 1 to {MOST_DIMENSIONS}, 0 or more, and up to {LONGEST}",
        )
    if longest < max(shortest, 1):
        return N, Ngrams(0, 0, buckets)
    if not buckets:
        raise _damage(path, f"it has n-grams of up to {longest} characters, but no bucket for them")
    return N, Ngrams(max(shortest, 0), longest, buckets)


def _dictionary(cursor: _Cursor) -> tuple[list[bytes], Counts]:
    """Read the words and their counts."""
    path = cursor.path
    entries, V, labels, _, pruned = cursor.take(_SIZES, "its dictionary")
    if pruned != UNPRUNED:
        raise _quantised(path)
    if entries != V or V < 0 or labels:
        raise _damage(
            path,
            f"its dictionary has {entries} entries, {V} words and {labels} labels, but must have "
            "words alone",
        )
    cursor.check(V * (1 + _ENTRY.size), f"a dictionary of {V} words")
    words: list[bytes] = []
    counts = np.zeros(V, np.int64)
    block, at = cursor.data[cursor.at : cursor.at + BLOCK].tobytes(), 0
    while len(words) < V:
        end = block.find(b"\0", at)
        if end < 0 or end + 1 + _ENTRY.size > len(block):
            if at == 0:
                raise _damage(path, f"word {len(words) + 1} of its dictionary does not end")
            cursor.at += at
            block, at = cursor.data[cursor.at : cursor.at + BLOCK].tobytes(), 0
            continue
        counts[len(words)], kind = _ENTRY.unpack_from(block, end + 1)
        if kind:
            raise _damage(path, f"entry {len(words) + 1} of its dictionary is not a word")
        words.append(block[at:end])
        at = end + 1 + _ENTRY.size
    cursor.at += at
    return words, counts


def _matrix(cursor: _Cursor, name: str, N: int) -> npt.NDArray[np.float32]:
    """Read a matrix of rows of N numbers, which stays in the file."""
    path = cursor.path
    what = f"its {name} matrix"
    quantised, V, columns = cursor.take(_SHAPE, f"the shape of {what}")
    if quantised:
        raise _quantised(path)
    if columns != N or V < 0:
        raise _damage(path, f"{what} has the shape ({V}, {columns}), but must have {N} columns")
    cursor.check(4 * V * N, f"{what} of shape ({V}, {N})")
    rows = np.ndarray((V, N), "<f4", cursor.data, cursor.at)
    cursor.at += 4 * V * N
    return rows


def _quantised(path: Path) -> ModelFileError:
    """Create the error about a file that was made smaller."""
    return ModelFileError(
        f"{path} is quantised, as fasttext quantize makes models smaller, and holds no vectors of "
        "words as they were; give the .bin that it was made of"
    )


FORMAT: Final = Format(
    name="fasttext-bin",
    title="fastText .bin",
    recognise=recognise,
    read=read,
    write=write,
    counts=True,
    subwords=True,
)
