"""Reading and writing safetensors files: named arrays and a little text, memory-mapped.

    8 bytes     length L of the header, little-endian
    L bytes     JSON: {"__metadata__": {name: text}, name: {"dtype", "shape", "data_offsets"}, ...}
    the rest    the arrays, end to end; data_offsets count from here

The reader trusts nothing: every length is held against the size of the file before it is used,
so a damaged file gives a sentence, never a crash. Specification:
https://huggingface.co/docs/safetensors

Bytes and meaning are those of the library of that name, to which the tests hold both directions.
The library itself does less than is promised here: ``safe_open`` copies every array that numpy asks
for, and needs a file system that can map files; ``save_file`` makes a file that only its owner may
read, puts it in the place of whatever has the name, even a device, and hides why the disk rejected
it.

A file of this package, one whose metadata have the entry ``cbow``, has checksums too, in the entry
``sha256``: JSON of the SHA-256, as hexadecimal digits, of each array and of the other entries.

    {"arrays": {name: digits, ...}, "metadata": digits}
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn

import numpy as np

from cbow.errors import ModelFileError, shown
from cbow.system.arrays import Array
from cbow.system.files import check_regular, mapped, naming, replacing, to_read

#: The kinds of number, by their names in the header. The arrays lie in the file in this order, the
#: widest numbers first, which leaves every array aligned.
DTYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}

#: No header is longer than this, by the specification.
LONGEST_HEADER: Final = 100_000_000

#: The arrays begin at a multiple of this many bytes; spaces fill the header up.
ALIGNMENT: Final = 8

#: No array that is read has more dimensions than this.
MOST_DIMENSIONS: Final = 8

#: The entry of the metadata that holds the checksums.
CHECKSUMS: Final = "sha256"

#: Files of so many bytes at most are checked whenever they are opened, which takes 3 to 9 ms.
SMALL: Final = 2**22

#: Any file is checked.
ALL: Final = 2**63

#: What may lie in the place of any file that was fetched: how it begins, what it is, what to do.
IN_PLACE: Final = (
    (
        rb"version https://git-lfs\.github\.com/spec/",
        "it is what Git LFS puts in the place of a large file",
        "fetch the file itself: git lfs pull",
    ),
    (
        rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|\?xml)\b)",
        "it is a page of the web, as servers send in place of a file that they do not have",
        "fetch the file itself, and look at its address",
    ),
)


class Contents(NamedTuple):
    """What a safetensors file holds."""

    tensors: dict[str, Array]
    metadata: dict[str, str]


class _Place(NamedTuple):
    """Where one array lies among the data; places sort by where they start."""

    start: int
    end: int
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """Write arrays and texts to one file, which appears whole or not at all.

    Parameters
    ----------
    path : path-like
        The file to create or replace.
    tensors : mapping of str to ndarray
        The arrays, of a kind in `DTYPES`; one that is not in C order is copied.
    metadata : mapping of str to str
        Texts.

    Raises
    ------
    ModelFileError
        If an array holds another kind of number.
    OutputError
        If the file cannot be written.
    """
    names = {dtype: kind for kind, dtype in DTYPES.items()}
    arrays: list[tuple[str, str, Array]] = []
    for name, array in tensors.items():
        dtype = array.dtype.newbyteorder("<")
        if dtype not in names:
            raise ModelFileError(
                f"the array {name} holds {array.dtype}, but must hold one of "
                f"{', '.join(map(str, names))}; convert it"
            )
        arrays.append((name, names[dtype], np.asarray(array, dtype, order="C")))
    arrays.sort(key=lambda each: (list(DTYPES).index(each[1]), each[0]))
    texts = dict(metadata)
    if "cbow" in texts:
        written = {name: array for name, _, array in arrays}
        texts[CHECKSUMS] = json.dumps(_checksums(written, texts), sort_keys=True)
    header: dict[str, Any] = {"__metadata__": texts}
    end = 0
    for name, kind, array in arrays:
        start, end = end, end + array.nbytes
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, array in arrays:
            file.write(array.data)


def read(path: str | os.PathLike[str], check: int = 0) -> Contents:
    """Open a file; the arrays stay on disk until they are used, where files can be mapped.

    Parameters
    ----------
    path : path-like
        A safetensors file. It must not be changed in place while an array is in use; replacing
        it by another file, as `write` does, is safe.
    check : int
        Read a file of so many bytes at most to its end and hold it against its checksums, if it
        has any: `SMALL`, `ALL`, or 0 for none.

    Returns
    -------
    Contents
        The arrays, read-only and memory-mapped where the file system can do that, and the texts.

    Raises
    ------
    ModelFileError
        If the file cannot be opened, is not a sound safetensors file, or differs from its
        checksums.
    """
    path = to_read(path)
    check_regular(path)
    with naming(path, "model"), path.open("rb") as file:
        contents = _contents(file)
    if check:
        check_unchanged(path, contents, check)
    return contents


def check_unchanged(path: Path, contents: Contents, most: int = ALL) -> None:
    """Hold a file of at most so many bytes against its checksums, if it has any.

    Raises
    ------
    ModelFileError
        If it differs from them.
    """
    with naming(path, "model"):
        if path.stat().st_size <= most:
            same = verified(contents) or {}
            changed = [name for name, unchanged in same.items() if not unchanged]
            if changed:
                raise _damage(
                    "it was changed after it was written, for the checksum of "
                    f"{shown(', '.join(changed))} differs"
                )


def verified(contents: Contents) -> dict[str, bool] | None:
    """Return which parts are as they were written: each array, and ``metadata``.

    Returns
    -------
    dict of str to bool, or None
        None if there are no checksums: the file is of another program, or of an early cbow.
    """
    tensors, metadata = contents
    if CHECKSUMS not in metadata:
        return None
    now = _checksums(tensors, metadata)
    try:
        then = strict_json(metadata[CHECKSUMS])
        arrays, texts = dict(then["arrays"]), then["metadata"]
    except (ValueError, TypeError, KeyError):
        arrays, texts = {}, None
    names = [*tensors, *(name for name in arrays if name not in tensors)]
    same = {name: now["arrays"].get(name) == arrays.get(name) for name in names}
    return {**same, "metadata": now["metadata"] == texts}


def _checksums(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Compute the checksums of arrays in C order and of all texts but the checksums."""
    texts = {name: text for name, text in metadata.items() if name != CHECKSUMS}
    return {
        "arrays": {
            name: hashlib.sha256(a.reshape(-1).data).hexdigest() for name, a in tensors.items()
        },
        "metadata": hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest(),
    }


def strict_json(text: str | bytes) -> Any:
    """Parse JSON by its standard, which has no NaN, no infinity and no name given twice.

    Raises
    ------
    ValueError
        If `text` is anything else, or nested absurdly deep.
    """

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Make a table of pairs with distinct names."""
        together = dict(pairs)
        if len(together) < len(pairs):
            raise ValueError("a name occurs twice")
        return together

    def reject(constant: str) -> NoReturn:
        """Reject NaN and infinity."""
        raise ValueError(f"{constant} is no number")

    def finite(digits: str) -> float:
        """Read a number that a float can hold."""
        number = float(digits)
        if not math.isfinite(number):
            raise ValueError(f"{shown(digits)} is too large")
        return number

    try:
        return json.loads(
            text, object_pairs_hook=distinct, parse_constant=reject, parse_float=finite
        )
    except RecursionError:
        raise ValueError("nested too deep") from None


def _damage(
    fault: str, remedy: str = "give a whole file, as cbow-train or cbow-convert writes it"
) -> ModelFileError:
    """Create the error about a file, without its name, which `naming` puts before it."""
    return ModelFileError(f"{fault}; {remedy}")


def _contents(file: BinaryIO) -> Contents:
    """Check the file from its first byte to its last, then map it."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, LONGEST_HEADER):
        file.seek(0)
        head = file.read(100)
        for begin, what, remedy in IN_PLACE:
            if re.match(begin, head):
                raise _damage(what, remedy)
        raise _damage("it does not begin like a safetensors file, or its end is missing")
    try:
        header = strict_json(file.read(length).decode("utf-8"))
    except ValueError as error:  # of which UnicodeDecodeError is a kind
        raise _damage(f"its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise _damage("its header is not a table of arrays")
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise _damage("its metadata are not a table of texts")
    places = sorted(_place(name, entry, size) for name, entry in header.items())
    reached = 0
    for place in places:  # the arrays cover the data from end to end, none over another
        if place.start != reached:
            raise _damage(f"the array {shown(place.name)} is not where the one before it ends")
        reached = place.end
    if reached != size - 8 - length:
        raise _damage(f"its arrays take {reached} bytes, but it holds {size - 8 - length}")
    data = mapped(file, np.uint8)[8 + length :]
    return Contents(
        {
            name: data[start:end].view(dtype).reshape(shape)
            for start, end, name, dtype, shape in places
        },
        texts,
    )


def _place(name: str, entry: Any, size: int) -> _Place:
    """Check one entry of the header: its kind of number, and that shape and offsets agree."""
    try:
        kind, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, end]
    except (TypeError, KeyError, ValueError):
        raise _damage(f"its header does not describe the array {shown(name)}") from None
    if not isinstance(kind, str) or kind not in DTYPES:
        raise _damage(f"the array {shown(name)} holds numbers of the kind {shown(kind)}")
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise _damage(
            f"shape and offsets of the array {shown(name)} are not all whole numbers of 0 or more"
        )
    if max(numbers) > size:
        raise _damage(f"the array {shown(name)} is larger than the file")
    if len(shape) > MOST_DIMENSIONS or end - start != math.prod(shape) * DTYPES[kind].itemsize:
        raise _damage(f"the array {shown(name)} does not fill its place")
    return _Place(start, end, name, DTYPES[kind], tuple(shape))
