r"""The pair of files that TensorFlow's Embedding Projector loads: numbers, and words beside them.

    NAME.tsv            V times: N numbers with tabs between, and a line feed
    NAME_metadata.tsv   V times: a word and a line feed;
                        or, with counts, first "word\tcount\n", then V times a word, a tab, a count

The Projector takes the first line of the second file for names of columns if there is more than one
column, and only then; so does this reader. It looks for NAME_metadata.tsv, then, as other tools
name them, for the name with ``metadata`` in place of ``tensor``, ``tensors`` or ``vectors`` at its
end, then for metadata.tsv. The words are in the column ``word``, else in the first, the counts in
the column ``count``. A word holds no tab and no line end. Numbers are those of
`cbow.vectors.formats.text`; they are read as float32.
https://projector.tensorflow.org ("Load data") has the rules.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.system.arrays import Singles
from cbow.system.files import check_regular, replacing_together
from cbow.vectors.formats.base import (
    BOM,
    ROWS,
    SKIP,
    BadRow,
    Contents,
    Format,
    Options,
    Source,
    check_counts,
    checked,
    explained,
    shown,
)
from cbow.vectors.formats.text import PIECE, RowError, Rows, is_float, number_rows, read_piece

#: Columns that are looked for.
WORD, COUNT = b"word", b"count"

_TENSOR: Final = re.compile("(tensors?|vectors)$")
_WHOLE: Final = re.compile(rb"\s*[+-]?\d{1,18}\s*")


def metadata_beside(path: Path) -> Path:
    """Name the file of words that is written beside one of numbers."""
    return path.parent / f"{path.stem}_metadata{path.suffix}"  # "." and "/" have no name


def metadata_of(path: Path) -> Path | None:
    """Find the file of words beside one of numbers; None if there is none."""
    other = path.parent / f"{_TENSOR.sub('metadata', path.stem)}{path.suffix}"
    for each in (metadata_beside(path), other, path.parent / f"metadata{path.suffix}"):
        if each != path and os.path.exists(each):
            return each
    return None


def recognise(source: Source) -> bool:
    """Return whether the first two lines are numbers with tabs between."""
    rows = [line.split(b"\t") for line in source.lines[:2] if line]
    return all(is_float(field) for row in rows for field in row)


def read(source: Source, options: Options) -> Contents:
    """Read a pair; the path is that of the numbers. Bad rows are left out of both files."""
    path = source.path
    check_regular(path)
    beside = metadata_of(path)
    if beside is None:
        raise ModelFileError(
            f"{path} holds numbers without words, as the Embedding Projector has them, but there "
            f"is no {metadata_beside(path)} with the words; put it there"
        )
    words, counts = _words(beside)
    if not words:
        raise ModelFileError(f"{beside} has names of columns, but no words; give another file")
    matrix, bad = _numbers(path, len(words), beside, skip=options.on_bad_rows == "skip")
    if counts is not None:
        counts = check_counts(counts, len(words), f"{beside}: ")
    if bad:
        kept = np.delete(np.arange(len(words)), [each.row - 1 for each in bad])
        words = [words[row] for row in kept.tolist()]
        counts = None if counts is None else counts[kept]
    contents = checked(path, options, words, matrix, counts, bad)
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        contents.account.unended = int(file.read(1) != b"\n")
    return contents


def write(path: Path, contents: Contents) -> None:
    """Write a pair, of a word or more without tabs and line ends; both files appear, or none."""
    words, matrix, counts = contents[:3]
    if not len(words):
        raise ModelFileError("there are no words, and the Embedding Projector needs one")
    for word in words:
        if "\t" in word or "\n" in word or "\r" in word:
            raise ModelFileError(
                f"the word {shown(word)} holds a tab or a line end, which the Embedding Projector "
                "takes for the end of a word; write another format, such as .npz or .safetensors"
            )
    spelled = [word.encode() for word in words]
    if spelled[0].startswith(BOM):
        raise ModelFileError(
            f"the first word, {shown(words[0])}, begins with U+FEFF, which would be taken for a "
            "byte order mark; rename it, or write another format"
        )
    if counts is not None:
        rows = zip(spelled, counts.tolist(), strict=True)
        spelled = [b"%s\t%s" % (WORD, COUNT), *(b"%s\t%d" % row for row in rows)]
    with replacing_together([path, metadata_beside(path)]) as (numbers, beside):
        beside.write_bytes(b"\n".join(spelled) + b"\n")
        with numbers.open("wb") as file:
            for start in range(0, len(matrix), ROWS):
                file.write(b"\n".join(number_rows(matrix[start : start + ROWS], b"\t")) + b"\n")


def _words(path: Path) -> tuple[list[bytes], npt.NDArray[np.int64] | None]:
    """Read the words, and the counts if there is a column of them."""
    check_regular(path)
    with explained(path):
        content = path.read_bytes().removeprefix(BOM)
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if b"\t" not in lines[0]:
        return lines, None
    names, *rows = [line.split(b"\t") for line in lines]
    odd = next((row for row, fields in enumerate(rows, 2) if len(fields) != len(names)), None)
    if odd is not None:
        raise ModelFileError(
            f"{path}, line {odd}: there must be {len(names)} columns, as the first line names "
            "them; correct it, or give another file"
        )
    column = names.index(WORD) if WORD in names else 0
    words = [fields[column] for fields in rows]
    if COUNT not in names:
        return words, None
    column = names.index(COUNT)
    for line, fields in enumerate(rows, 2):
        if not _WHOLE.fullmatch(fields[column]):
            raise ModelFileError(
                f"{path}, line {line}: the column {COUNT.decode()} must hold whole numbers, but "
                f"there is {shown(fields[column])}; correct it, or leave the column out"
            )
    return words, np.array([int(fields[column]) for fields in rows], np.int64)


def _numbers(path: Path, words: int, beside: Path, *, skip: bool) -> tuple[Singles, list[BadRow]]:
    """Read a row of numbers for each word but those of the bad rows, (V, N)."""
    from cbow.system.threads import in_order  # here, for the file of a model is read without

    bad: list[BadRow] = []
    with explained(path), path.open("rb") as file:
        begin = len(BOM) if file.read(len(BOM)) == BOM else 0
        file.seek(begin)
        N = 1 + file.readline().rstrip().count(b"\t")
        file.seek(begin)
        blocks = iter(lambda: file.readlines(PIECE), [])
        short = words * 2 * N > path.stat().st_size + 1  # a digit and a tab or line end each
        matrix = np.empty((0 if short else words, N), np.float32)
        rows = 0
        try:
            for part in in_order(lambda lines: _parsed(lines, N, skip), blocks):
                fault = f"it does not hold {N} finite numbers"
                bad += (BadRow(rows + each.row + 1, fault) for each in part.bad)
                good = rows - (len(bad) - len(part.bad))  # before
                rows += len(part.words) + len(part.bad)
                if rows <= len(matrix):
                    matrix[good : good + len(part.words)] = part.numbers
        except RowError as error:
            raise ModelFileError(
                f"{path}, row {rows + error.row + 1}: it does not hold {N} finite numbers with "
                f"tabs between, as the first row does; correct it, fetch or copy the file again, "
                f"{SKIP}"
            ) from None
    if rows != words:
        raise ModelFileError(
            f"{path} has {rows} rows, but {beside} {words} words; give a pair of files that were "
            "written together"
        )
    return matrix[: rows - len(bad)], bad


def _parsed(lines: list[bytes], N: int, skip: bool) -> Rows:
    """Read rows of N numbers, as rows of a word and N numbers."""
    end = b"" if lines[-1].endswith(b"\n") else b"\n"
    words, numbers, bad = read_piece(b"_\t" + b"_\t".join(lines) + end, N, skip)
    if all(word == b"_" for word in words):
        return Rows(words, numbers, bad)
    before = {each.row for each in bad}
    rows = [row for row in range(len(lines)) if row not in before]  # of the words
    odd = [at for at, word in enumerate(words) if word != b"_"]
    more = [RowError("there is a word", "remove it", rows[at]) for at in odd]
    if not skip:
        raise more[0]
    kept = np.delete(np.arange(len(words)), odd)
    return Rows([words[at] for at in kept.tolist()], numbers[kept], [*bad, *more])


FORMAT: Final = Format(
    name="projector",
    title="Embedding Projector",
    recognise=recognise,
    read=read,
    write=write,
    ending=".tsv",
    counts=True,
    inputs=lambda path: [path, metadata_of(path) or path],
    outputs=lambda path: [path, metadata_beside(path)],
)
