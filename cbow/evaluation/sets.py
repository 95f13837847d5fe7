"""Files of word pairs and of analogies, line by line.

Word pairs:  ``word word score``, one pair a line.
Analogies:   ``: section`` and, below it, ``a b c d``: a is to b as c is to d.

Fields stand apart by tabs, and then may hold spaces, or by white space. Lines that begin with ``#``
or ``//`` are comments. In a file of pairs the first line may be a header: three fields, the last
without a digit. What is passed over is counted; any other line that does not fit is an error.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from cbow.errors import QueryError
from cbow.files import expanded

#: Bytes of a line at most. A longer one is no line of such a file; memory stays bounded.
LONGEST: Final = 2**16

#: With what a comment begins.
COMMENTS: Final = ("#", "//")

#: With what the name of a section begins.
SECTION: Final = ":"

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

StrPath: TypeAlias = str | os.PathLike[str]


class Skipped(NamedTuple):
    """Lines that were passed over."""

    comments: int = 0
    blank: int = 0
    headers: int = 0


@dataclass(frozen=True, eq=False)
class Pairs:
    """n pairs of words, and how alike people find them."""

    file: str
    words: tuple[tuple[str, ...], ...]  #: n times two words
    scores: npt.NDArray[np.float64]  #: (n,)
    skipped: Skipped


@dataclass(frozen=True, eq=False)
class Analogies:
    """n questions, a is to b as c is to d."""

    file: str
    words: tuple[tuple[str, ...], ...]  #: n times four words
    sections: tuple[str, ...]  #: their names, in the order of the file
    section_of: npt.NDArray[np.intp]  #: (n,), the section of each question
    skipped: Skipped


def read_set(path: StrPath) -> Pairs | Analogies:
    """Read a file of either kind, as its first line tells that is neither blank nor a comment.

    It holds analogies if that line names a section, or has four fields and no number for the last;
    else word pairs.

    Raises
    ------
    QueryError
        As `read_pairs` and `read_analogies` raise it.
    """
    lines = _lines(path)  # read once, for it may be a pipe
    head: list[tuple[int, str]] = []
    for number, line in lines:
        head.append((number, line))
        if line and not line.startswith(COMMENTS):
            if _is_of_analogies(line):
                return _analogies(path, chain(head, lines))
            break
    return _pairs(path, chain(head, lines))


def read_pairs(path: StrPath) -> Pairs:
    """Read a file of word pairs.

    Raises
    ------
    QueryError
        If the file cannot be read, is not UTF-8, holds no pair, or a line is no pair. The message
        names the line.
    """
    return _pairs(path, _lines(path))


def _pairs(path: StrPath, lines: Iterable[tuple[int, str]]) -> Pairs:
    """Read the lines of a file of word pairs."""
    words: list[tuple[str, ...]] = []
    scores = []
    comments = blank = headers = 0
    for number, line in lines:
        if not line:
            blank += 1
            continue
        if line.startswith(COMMENTS):
            comments += 1
            continue
        fields = _fields(line, 3)
        if fields and not words and not headers and _names_a_column(fields[2]):
            headers += 1
            continue
        if not fields:
            raise _misfit(path, number, line, "a word pair has 3: word word score")
        words.append(tuple(fields[:2]))
        scores.append(_score(path, number, fields[2]))
    if not words:
        raise QueryError(f"{path} holds no word pair; give a file with lines: word word score")
    return Pairs(str(path), tuple(words), np.array(scores), Skipped(comments, blank, headers))


def read_analogies(path: StrPath) -> Analogies:
    """Read a file of analogies. Questions above the first section are in one without a name.

    Raises
    ------
    QueryError
        If the file cannot be read, is not UTF-8, holds no question, or a line is neither a
        question nor the name of a section. The message names the line.
    """
    return _analogies(path, _lines(path))


def _analogies(path: StrPath, lines: Iterable[tuple[int, str]]) -> Analogies:
    """Read the lines of a file of analogies."""
    words, sections, section_of = [], [], []
    comments = blank = 0
    for number, line in lines:
        if not line:
            blank += 1
        elif line.startswith(COMMENTS):
            comments += 1
        elif line.startswith(SECTION):
            sections.append(line.lstrip(SECTION).strip())
        else:
            fields = _fields(line, 4)
            if not fields:
                raise _misfit(path, number, line, "a question has 4: a is to b as c is to d")
            if not sections:
                sections.append("")
            words.append(tuple(fields))
            section_of.append(len(sections) - 1)
    if not words:
        raise QueryError(f"{path} holds no question; give a file with lines: a b c d")
    return Analogies(
        str(path), tuple(words), tuple(sections), np.array(section_of, np.intp),
        Skipped(comments, blank),
    )  # fmt: skip


def _lines(path: StrPath) -> Iterator[tuple[int, str]]:
    """Give the number and the text of each line, without white space at its ends."""
    try:
        with expanded(path).open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), b""), 1):
                yield number, _text(path, number, line)
    except (OSError, ValueError) as error:
        if isinstance(error, QueryError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise QueryError(
            f"{path} cannot be read ({reason}); check the name, and that it is a file"
        ) from None


def _text(path: StrPath, number: int, line: bytes) -> str:
    """Decode a line."""
    if len(line) > LONGEST:
        raise QueryError(
            f"{path}, line {number} is longer than {LONGEST:,} bytes, but should hold a few words; "
            "give a file of word pairs or analogies"
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError(
            f"{path}, line {number} is not UTF-8 at its byte {error.start + 1}; give a text file "
            "of word pairs or analogies, converted if need be, for example with iconv -t UTF-8"
        ) from None
    return (text.removeprefix("\ufeff") if number == 1 else text).strip()


def _fields(line: str, n: int) -> list[str]:
    """Cut a line into n fields, at tabs if that gives n, else at white space; [] if neither."""
    for fields in ([field.strip() for field in line.split("\t")], line.split()):
        if len(fields) == n and all(fields):
            return fields
    return []


def _is_of_analogies(line: str) -> bool:
    """Whether a line names a section or asks a question."""
    fields = _fields(line, 4)
    return line.startswith(SECTION) or (bool(fields) and not _NUMBER.fullmatch(fields[3]))


def _misfit(path: StrPath, number: int, line: str, expected: str) -> QueryError:
    """Say that a line has the wrong number of fields."""
    found = len(line.split())
    return QueryError(
        f"{path}, line {number} has {found} field{'s' * (found != 1)}, but {expected}; mend the "
        "line, or put # before it"
    )


def _names_a_column(field: str) -> bool:
    """Whether this is no number, nor one that was meant as one."""
    try:
        float(field)
    except ValueError:
        return not any(char.isdigit() for char in field)
    return False


def _score(path: StrPath, number: int, field: str) -> float:
    """Read a score."""
    score = float(field) if _NUMBER.fullmatch(field) else math.nan
    if not math.isfinite(score):
        raise QueryError(
            f"{path}, line {number} has {field!r} for a score, but must have a finite number such "
            "as 7.5; mend the line, or put # before it"
        )
    return score
