"""Telling the format of a file: by its content when it is read, by its name when it is written.

What is commonly mistaken for a file of vectors is named, with what to do.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Final

from cbow.errors import ModelFileError, OutputError
from cbow.system import safetensors_file
from cbow.system.files import finish_replacing, name_of
from cbow.vectors.formats import model2vec, native
from cbow.vectors.formats.base import shown
from cbow.vectors.formats.projector import metadata_beside
from cbow.vectors.formats.streams import GZIP, check_regular, explained, opened
from cbow.vectors.formats.text_rows import numbers_in

#: A trained model of cbow-train, which is no format of vectors, but holds vectors.
MODEL: Final = "model"

#: Bytes at the start of a file that are looked at.
HEAD: Final = 2**16

#: How files begin that are not read: what they are, and what to do.
STRANGERS: Final = [
    (re.compile(start), sentence)
    for start, sentence in (
        *((start, f"{what}; {remedy}") for start, what, remedy in safetensors_file.IN_PLACE),
        (
            rb"\xba\x16\x4f\x2f",
            "it is a model of fastText, which makes vectors out of parts of words; give the .vec "
            "file that fastText wrote beside it",
        ),
        (
            rb"\x80[\x02-\x05]",
            "it looks like a Python pickle, such as gensim's .model and .kv, and to open one runs "
            "the code in it; where you trust it, open it in gensim and write it with "
            "save_word2vec_format(FILE, binary=True)",
        ),
        (
            rb"\x93NUMPY",
            "it is a numpy array without words; write both with np.savez(FILE, words=words, "
            "vectors=vectors)",
        ),
        (rb"\x89HDF", "it is an HDF5 file; write its words and vectors as .npz"),
        (rb"SQLite format 3\0", "it is an SQLite database; write its vectors as word2vec text"),
        (rb"FiFu\0", "it is a finalfusion file; convert it with finalfusion-utils"),
        (
            rb"PAR1|ARROW1|FEA1",
            "it is a table of Apache Parquet or Arrow; write its words and vectors as .npz",
        ),
        (
            rb"(?s:.{257})ustar(?:\x0000|  \0)",
            "it is an archive of tar; unpack it, and give a file of it: tar -xf FILE",
        ),
        (
            rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07",
            "it is an archive; unpack it, and give a file of it",
        ),
        (rb"BZh[1-9]1AY&SY", "it is packed with bzip2; unpack it: bunzip2 -k FILE"),
        (rb"\xfd7zXZ\0", "it is packed with xz; unpack it: unxz -k FILE"),
        (rb"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it: unzstd FILE"),
        (
            rb"\xff\xfe\0\0|\0\0\xfe\xff",
            "it is text in UTF-32; write it in UTF-8: iconv -f UTF-32 -t UTF-8 FILE",
        ),
        (
            rb"\xff\xfe|\xfe\xff",
            "it is text in UTF-16; write it in UTF-8: iconv -f UTF-16 -t UTF-8 FILE",
        ),
    )
]

#: How names end for each format, the first that fits.
ENDINGS: Final = {
    ".txt": "word2vec-text",
    ".vec": "fasttext",
    ".bin": "word2vec-binary",
    ".npz": "npz",
    ".tsv": "projector",
    ".safetensors": "safetensors",
}

#: Formats of which a file whose name ends in .gz is packed.
PACKED: Final = {"word2vec-text", "fasttext", "glove", "word2vec-binary"}

_HEADER: Final = re.compile(rb"\s*[+-]?\d{1,30}[ \t]+([+-]?\d{1,30})\s*")
_LONGER_HEADER: Final = re.compile(rb"\s*\d{1,30}[ \t]+(\d{1,30})(?:[ \t]+\d{1,30})+\s*")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def recognise(path: Path) -> str:
    """Tell the format of a file by its content.

    Returns
    -------
    str
        A name of `cbow.vectors.formats.FORMATS`, or `MODEL` for a safetensors file that holds no
        vectors as this package writes them.

    Raises
    ------
    ModelFileError
        If it cannot be read, or is nothing that this package reads.
    """
    finish_replacing(path, metadata_beside(path))
    if os.path.isdir(path):  # which, unlike the method, raises nothing
        return _folder(path)
    check_regular(path)
    with explained(path), path.open("rb") as file:
        head = file.read(HEAD)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= safetensors_file.LONGEST_HEADER:
        return _safetensors(path)  # before the strangers: the length may look like any of them
    _refuse_strangers(path, head)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "npz"
    if not head.startswith(GZIP):
        return _with_lines(path, head)
    with opened(path, math.inf) as unpacked:
        head = unpacked.stream.read(HEAD)
    _refuse_strangers(path, head)
    found = _with_lines(path, head)
    if found not in PACKED:
        raise ModelFileError(f"{path} cannot be read: it is packed with gzip; unpack it: gunzip -k")
    return found


def named(name: str) -> str:
    """Tell the format to write from the name of the file.

    Raises
    ------
    OutputError
        If the name does not say.
    """
    if name.endswith(("/", "\\")) or os.path.isdir(name):
        return "model2vec"
    plain = name.lower().removesuffix(".gz")
    found = ENDINGS.get(Path(plain).suffix)
    if found is None or (plain != name.lower() and found not in PACKED):
        packed = " or ".join(f"{end}.gz" for end, kind in ENDINGS.items() if kind in PACKED)
        raise OutputError(
            f"the name {name_of(name)} does not say what format to write; let it end in "
            f"{', '.join(ENDINGS)}, in {packed}, or in / for a folder, or give the format (--to)"
        )
    return found


def _refuse_strangers(path: Path, head: bytes) -> None:
    """Name what is commonly mistaken for a file of vectors."""
    for start, sentence in STRANGERS:
        if start.match(head):
            raise ModelFileError(f"{path} cannot be read: {sentence}")


def _folder(path: Path) -> str:
    """Tell what a folder holds."""
    if model2vec.inside(path):
        return "model2vec"
    if (path / "vocab" / "vectors").exists():
        raise ModelFileError(
            f"{path} cannot be read: it is a pipeline of spaCy; write its vectors as .npz"
        )
    raise ModelFileError(
        f"{path} is a folder without model.safetensors and tokenizer.json; give a file, or a "
        "folder that model2vec wrote"
    )


def _safetensors(path: Path) -> str:
    """Tell what a safetensors file holds."""
    tensors, metadata = safetensors_file.read(path)
    if native.is_native(metadata):
        return "safetensors"
    if "cbow" not in metadata and not set(tensors).isdisjoint(model2vec.MATRICES):
        raise ModelFileError(
            f"{path} holds vectors without words, as a folder of model2vec does; give the folder "
            f"{path.parent}, which must hold tokenizer.json too"
        )
    return MODEL


def _with_lines(path: Path, head: bytes) -> str:
    """Tell a format that begins with a line of text."""
    if not head.strip():
        raise ModelFileError(f"{path} is empty; give a file of vectors")
    if len(head) == HEAD:  # it may end within a number
        head = head.rsplit(None, 1)[0]
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)
    if _is_projector(lines[:2]):
        return "projector"
    header = _HEADER.fullmatch(lines[0])
    if header:
        text = _is_text(b"\n".join(lines[1:]), int(header[1]))
        return "word2vec-text" if text else "word2vec-binary"
    longer = _LONGER_HEADER.fullmatch(lines[0])
    if longer and numbers_in(lines[0]) != int(longer[1]) == numbers_in(b"".join(lines[1:2])):
        raise ModelFileError(
            f"{path} begins with {shown(lines[0].strip())}, but a header has two numbers, of words "
            "and of dimensions; leave out the others, so that it is word2vec text"
        )
    if not _CONTROL.search(lines[0]) and _is_glove(lines):
        return "glove"
    raise ModelFileError(
        f"{path} is in no format that cbow reads: it begins with {shown(lines[0])}, but should "
        "begin with the number of words and that of dimensions, or with a word and its numbers; "
        "give another file, or the format (--from)"
    )


def _is_projector(lines: list[bytes]) -> bool:
    """Whether the first lines are numbers with tabs between."""
    rows = [line.split(b"\t") for line in lines if line]
    return all(_numbers(row) == len(row) for row in rows)


def _is_glove(lines: list[bytes]) -> bool:
    """Whether the first line is a word and numbers; that of a book may well be ``Chapter 1``."""
    N = numbers_in(lines[0])
    return N > 1 or (N == 1 and (len(lines) < 3 or numbers_in(lines[1]) > 0))


def _is_text(rows: bytes, N: int) -> bool:
    """Whether rows of N dimensions are text, be it with mistakes in it."""
    line, end, _ = rows.partition(b"\n")
    fields = line.split()
    if fields and 2 * _numbers(fields) >= (N if end else len(fields)):
        return True
    try:
        rows.decode()
    except UnicodeDecodeError as error:
        if error.end < len(rows):  # else only the head ends within a character
            return False
    return not _CONTROL.search(rows)


def _numbers(fields: list[bytes]) -> int:
    """Count the fields that are numbers."""
    return sum(map(_is_number, fields))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
