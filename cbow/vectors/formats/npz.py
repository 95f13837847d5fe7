"""numpy's ``.npz``: a zip archive of arrays, written as ``np.savez`` writes them, without pickle.

    vectors.npy     (V, N) float32 or float64
    words.npy       uint8, the UTF-8 of all words, end to end
    word_ends.npy   (V,) int64, where each word ends among them
    counts.npy      (V,) int64; left out if they are not known

Archives of others are read too: ``words`` may be an array of texts (V,), ``vectors`` float16, and
the archive compressed. Equal vectors give equal bytes: the dates in the archive are fixed. Layout
of an array: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import contextlib
import math
import warnings
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.system.files import check_regular, naming, replacing
from cbow.vectors.formats.base import (
    ROWS,
    Contents,
    Format,
    Options,
    Source,
    check_counts,
    checked,
    is_table,
    most_bytes,
    shown,
    too_much,
)
from cbow.vectors.words import encode_words

#: Characters of what zipfile and numpy say: they quote the file.
MOST_SAID: Final = 99

#: Bytes read at a time.
BLOCK: Final = 2**20

#: What arrays may hold, by numpy's letters.
KINDS: Final = {"f": "floating-point numbers", "iu": "whole numbers"}

_NAMES = _WORDS, _ENDS, _VECTORS, _COUNTS = "words", "word_ends", "vectors", "counts"

_READERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class _Header(NamedTuple):
    """What stands before the numbers of an array."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def recognise(source: Source) -> bool:
    """Return whether a file begins like a zip archive."""
    return source.head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read(source: Source, options: Options) -> Contents:
    """Read an archive of words and vectors."""
    path = source.path
    check_regular(path)
    with naming(path, ".npz file"), _explained(), zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        names = {name.removesuffix(".npy") for name in members}
        if not {_WORDS, _VECTORS} <= names:
            listed = ", ".join(map(shown, sorted(names)[:9])) or "nothing"
            if names and not any(name.endswith(".npy") for name in members):
                raise ModelFileError(
                    f"it is a zip archive of {listed}; if vectors are in it, unpack it and give "
                    "their file"
                )
            raise _damage(f"it holds {listed}, but must hold the arrays {_VECTORS} and {_WORDS}")
        arrays = (archive.getinfo(f"{name}.npy") for name in _NAMES if name in names)
        size = sum(entry.file_size for entry in arrays)  # more than that is not read of them
        if size > most_bytes(path.stat().st_size, options.max_expansion):
            raise too_much("it", f"unpacks to {size} bytes")
        words = _words(archive) if _ENDS in names else _texts(archive)
        matrix = _array(archive, _VECTORS, "f")
        if matrix.dtype.itemsize > 8 or not is_table(matrix) or len(matrix) != len(words):
            raise _damage(
                f"{_VECTORS} is {_told(matrix.dtype, matrix.shape)}, but must be float32 or "
                f"float64 with a row of numbers for each of {len(words)} words"
            )
        if matrix.dtype.itemsize == 2:
            matrix = matrix.astype(np.float32)
        counts = _array(archive, _COUNTS, "iu") if _COUNTS in names else None
        if counts is not None:
            counts = check_counts(counts, len(words))
    return checked(path, options, words, matrix, counts)


def write(path: Path, contents: Contents) -> None:
    """Write an archive."""
    letters, ends = encode_words(contents.words)
    arrays: dict[str, npt.NDArray[Any]]
    arrays = {_VECTORS: contents.matrix, _WORDS: letters, _ENDS: ends}
    if contents.counts is not None:
        arrays[_COUNTS] = contents.counts.astype("<i8", copy=False)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same on every system
            kind = array.dtype.newbyteorder("<")
            header = {"descr": kind.str, "fortran_order": False, "shape": array.shape}
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, header)
                for start in range(0, len(array), ROWS):
                    file.write(array[start : start + ROWS].astype(kind, copy=False).tobytes())


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what zipfile and numpy raise into a sentence; they document only some of it."""
    try:
        yield
    except (ModelFileError, MemoryError, OSError):
        raise
    except Exception as error:
        said = str(error).partition("\n")[0][:MOST_SAID]
        raise _damage(f"it is not a sound zip archive ({said})") from None


def _damage(fault: str) -> ModelFileError:
    return ModelFileError(
        f"{fault}; give one that cbow-convert wrote, or np.savez(file, words=words, "
        "vectors=vectors)"
    )


def _words(archive: zipfile.ZipFile) -> list[bytes]:
    """Read V words that lie end to end."""
    together, ends = _array(archive, _WORDS, "iu"), _array(archive, _ENDS, "iu")
    if together.dtype != np.uint8:
        raise _damage(f"{_WORDS} is {together.dtype}, but beside {_ENDS} must be uint8")
    letters = together.tobytes()
    edges = [0, *ends.tolist()]
    if ends.ndim != 1 or edges[-1] != len(letters) or any(a > b for a, b in pairwise(edges)):
        raise _damage("its words do not follow one another")
    return [letters[start:end] for start, end in pairwise(edges)]


def _texts(archive: zipfile.ZipFile) -> list[bytes] | list[str]:
    """Read an array of texts, of which each takes the room of the longest."""
    with _member(archive, _WORDS) as (file, header):
        dtype, shape = header.dtype, header.shape
        if dtype.kind not in "US" or len(shape) != 1 or not dtype.itemsize:
            raise _damage(f"{_WORDS} is {_told(dtype, shape)}, but must be a text each")
        step = max(1, BLOCK // dtype.itemsize)
        texts: list[Any] = []
        while len(texts) < shape[0]:
            block = np.empty(min(step, shape[0] - len(texts)), dtype)
            _fill(file, block)
            texts += block.tolist()
    return texts


def _told(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    """Say what an array is; a header may make the names of its parts as long as it likes."""
    return f"{str(dtype)[:MOST_SAID]} of shape {str(shape)[:MOST_SAID]}"


def _array(archive: zipfile.ZipFile, name: str, kinds: str) -> npt.NDArray[Any]:
    """Read an array of numbers, in the machine's order of bytes."""
    with _member(archive, name) as (file, header):
        if header.dtype.kind not in kinds:
            raise _damage(
                f"{name} is {_told(header.dtype, header.shape)}, but must hold {KINDS[kinds]}"
            )
        array = np.empty(math.prod(header.shape), header.dtype)
        _fill(file, array)
    shaped = array.reshape(header.shape, order="F" if header.fortran else "C")
    return shaped.astype(header.dtype.newbyteorder("="), order="C", copy=False)


@contextlib.contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[IO[bytes], _Header]]:
    """Open an array behind its header; see that the file has room for what the header promises."""
    entry = archive.getinfo(f"{name}.npy")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version not in _READERS:
            raise _damage(f"it holds an array of version {version}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of headers that Python 2 wrote
            header = _Header(*_READERS[version](file))
        if header.dtype.hasobject:
            raise _damage(f"{name} holds Python objects; make numbers or texts of them")
        size = math.prod(header.shape) * header.dtype.itemsize
        if min(header.shape, default=0) < 0 or size != entry.file_size - file.tell():
            raise _damage(
                f"the shape {str(header.shape)[:MOST_SAID]} of {name} is not that of its numbers"
            )
        yield file, header


def _fill(file: IO[bytes], array: npt.NDArray[Any]) -> None:
    """Read as many bytes as the array has."""
    left = memoryview(array.view(np.uint8).data)
    while left:
        block = file.read(min(BLOCK, len(left)))
        if not block:
            raise EOFError("it is cut short")
        left[: len(block)] = block
        left = left[len(block) :]


FORMAT: Final = Format(
    name="npz",
    title="numpy .npz",
    recognise=recognise,
    read=read,
    write=write,
    ending=".npz",
    counts=True,
)
