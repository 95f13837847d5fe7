"""Sets of word pairs and of analogies, read line by line, and their words in a vocabulary.

Word pairs:  ``word word score``, one pair a line, with or without more columns.
Analogies:   ``: section`` and, below it, ``a b c d``: a is to b as c is to d.

Fields are separated by tabs, and then may hold spaces, or by white space; in a file of pairs also
by semicolons or commas, as its first line tells. Lines that begin with ``#`` or ``//`` are
comments. A file of pairs may begin with a line of names; `_Layout` has how the columns are told.
What is skipped is counted; any other line that does not fit is an error.

The words of a set are looked up as they are spelled, else in other letter case; see
`cbow.vectors.words`.
"""

from __future__ import annotations

import csv
import math
import numbers
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from cbow.errors import QueryError, counted, shown
from cbow.system.arrays import Ids
from cbow.system.files import expanded, read_lines, unopened

#: What a comment begins with.
COMMENTS: Final = ("#", "//")

#: What the name of a section begins with.
SECTION: Final = ":"

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

#: What may stand between fields, in the order in which it is tried; None is any white space.
_SEPARATORS: Final = ("\t", ";", ",", None)

#: Names of the two columns of words, such as ``word1``, ``Word 2`` and ``w_a``.
_WORD: Final = re.compile(
    r"(word|w|term|token|lemma|noun|verb|adj|item|concept|wort|mot|palabra|parola)[ _-]*[12ab]",
    re.IGNORECASE,
)

#: Names of the column of scores, the best first; and of one that only says how far scores vary.
_SCORES: Final = (
    re.compile(r"\bsim", re.I),
    re.compile(
        r"score|rating|mean(?!ing)|average|avg|human|gold|relatedness|judge?ment|value", re.I
    ),
)
_SPREAD: Final = re.compile(r"(\b|_)(sd|std|stdev|stddev|dev|deviation|var|variance)(\b|_)", re.I)

StrPath: TypeAlias = str | os.PathLike[str]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Skipped(NamedTuple):
    """Lines that were skipped."""

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
    column: str | None = None  #: that of the scores, where the file has more than three

    def __repr__(self) -> str:
        return f"Pairs({shown(self.file)}, {counted(len(self.words), 'pair')})"


@dataclass(frozen=True, eq=False)
class Analogies:
    """n questions, a is to b as c is to d."""

    file: str
    words: tuple[tuple[str, ...], ...]  #: n times four words
    sections: tuple[str, ...]  #: their names, in the order of the file
    section_of: npt.NDArray[np.intp]  #: (n,), the section of each question
    skipped: Skipped

    def __repr__(self) -> str:
        return f"Analogies({shown(self.file)}, {counted(len(self.words), 'question')})"


def read_set(path: StrPath) -> Pairs | Analogies:
    """Read a file of either kind: its first line that is neither blank nor a comment tells.

    It holds analogies if that line names a section, or has four fields, separated by tabs or white
    space and not names of columns, of which the last is not a number; else word pairs.

    Raises
    ------
    QueryError
        As `read_pairs` and `read_analogies` raise it.
    """
    lines = _lines(path)  # read once, for it may be a pipe
    head: list[tuple[int, str]] = []
    for number, line in lines:
        head.append((number, line))
        text = line.strip()
        if text and not text.startswith(COMMENTS):
            fields, layout = _fields(text, 4), _layout(text)
            names = layout is not None and (
                layout.separator in (";", ",") or any(map(_WORD.fullmatch, layout.names))
            )
            question = bool(fields) and not names and _is_nan(fields[3], None)
            if text.startswith(SECTION) or question:
                return _analogies(path, chain(head, lines))
            break
    return _pairs(path, chain(head, lines))


def read_pairs(path: StrPath) -> Pairs:
    """Read a file of word pairs.

    Raises
    ------
    QueryError
        If the file cannot be read, is not UTF-8 or holds no pair, or a line is not a pair. The
        message names the line.
    """
    return _pairs(path, _lines(path))


class _Layout(NamedTuple):
    """How the lines of a file of word pairs are divided.

    The first line tells. It is a line of names if two of its fields name columns of words, or if no
    field behind the first two has a digit. The words are in the columns so named, else in the first
    two. The score is in the first column whose name begins with *sim*, else in the first that is
    named as `_SCORES` has it, else, and where there are no names, in the first column of numbers.
    """

    separator: str | None
    columns: int  #: of a line, at most
    words: tuple[int, int]
    score: int | None  #: None until a line with numbers tells
    names: tuple[str, ...]  #: of the columns, if they have names

    @property
    def column(self) -> str | None:
        """The column of the scores, for a person; None if it is the third of three."""
        if self.score is None or (self.score, self.columns) == (2, 3):
            return None
        return self.names[self.score] if self.names else f"number {self.score + 1}"


def _layout(line: str) -> _Layout | None:
    """Return the layout that a first line tells; None if it is not a line of such a file."""
    for separator in _SEPARATORS:
        fields = _split(line, separator)
        named = [i for i, field in enumerate(fields) if _WORD.fullmatch(field)]
        first, second = words = (named[0], named[1]) if len(named) == 2 else (0, 1)
        if len(fields) < 3 or not (fields[first] and fields[second]):
            continue
        behind = fields[2:]
        # Of fields with white space between, more than three may be words of several parts.
        divided = separator is not None or len(fields) == 3
        if (len(named) == 2 and (first > 0 or _is_nan(behind[0], separator))) or (
            divided and all(map(_names_a_column, behind))
        ):
            named_scores = (
                i
                for kind in _SCORES
                for i, name in enumerate(fields)
                if i not in words and kind.search(name) and not _SPREAD.search(name)
            )
            score = next(named_scores, None)
            return _Layout(separator, len(fields), words, score, tuple(fields))
        score = _first_number(fields, words, separator)
        if score is not None and (divided or not any(_is_nan(each, None) for each in behind)):
            return _Layout(separator, len(fields), words, score, ())
    return None


def _first_number(fields: list[str], words: tuple[int, int], separator: str | None) -> int | None:
    """Return the first field that is a number and not a word, if one is."""
    numbers = (i for i, f in enumerate(fields) if i not in words and not _is_nan(f, separator))
    return next(numbers, None)


def pairs_of(rows: Iterable[Any]) -> Pairs:
    """Return word pairs in memory, each (word, word, score), as `read_pairs` does those of a file.

    Raises
    ------
    QueryError
        If one is something else. The message counts from 0, as a list does.
    """
    words, scores = [], []
    for number, row in enumerate(rows):
        *pair, score = _row(row, 3, f"pair {number}", "(word, word, score)", words=2)
        if isinstance(score, bool | np.bool_) or not isinstance(score, numbers.Real):
            score = math.nan
        if not math.isfinite(score):
            raise QueryError(
                f"pair {number} is {shown(row)}, but its score must be a finite number such as 7.5"
            )
        words.append(tuple(pair))
        scores.append(float(score))
    return Pairs("the pairs", tuple(words), np.array(scores), Skipped())


def analogies_of(rows: Iterable[Any]) -> Analogies:
    """Return questions in memory, each (a, b, c, d), as `read_analogies` does those of a file.

    Raises
    ------
    QueryError
        If one is something else. The message counts from 0, as a list does.
    """
    form = "(a, b, c, d)"
    words = tuple(_row(row, 4, f"question {i}", form, words=4) for i, row in enumerate(rows))
    return Analogies("the analogies", words, ("",), np.zeros(len(words), np.intp), Skipped())


def _row(row: Any, fields: int, name: str, form: str, words: int) -> tuple[Any, ...]:
    """Return a pair or question as a tuple, whose first fields are words."""
    parts = tuple(row) if isinstance(row, Iterable) and not isinstance(row, str | bytes) else ()
    if len(parts) != fields or not all(isinstance(word, str) for word in parts[:words]):
        raise QueryError(f"{name} is {shown(row)}, but must be {form}")
    return (*map(str, parts[:words]), *parts[words:])


def _pairs(path: StrPath, lines: Iterable[tuple[int, str]]) -> Pairs:
    """Read the lines of a file of word pairs."""
    words: list[tuple[str, ...]] = []
    scores = []
    comments = blank = headers = 0
    layout: _Layout | None = None
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith(COMMENTS):
            blank += not text
            comments += bool(text)
            continue
        if layout is None:
            layout = _layout(line) or _Layout(None, 3, (0, 1), 2, ())
            behind = _split(line, ",")[2:]
            plain = layout.separator == "," and not layout.names and layout.columns == 4
            if plain and all(map(str.isdigit, behind)):  # word,word,7,5 may mean 7.5
                raise QueryError(
                    f"{path}, line {number} has {shown(','.join(behind))} for a score, which may "
                    "be one number or two; write it with a point, put semicolons between the "
                    "fields, or put a line of names first, such as word1,word2,score,number"
                )
            if layout.names:
                headers += 1
                continue
        fields = _fields_of_pair(path, number, line, layout)
        column = layout.score
        if column is None:
            first = _first_number(fields, layout.words, layout.separator)
            column = 2 if first is None else first
            layout = layout._replace(score=column)
        score = _number(fields[column], layout.separator)
        if not math.isfinite(score):
            raise QueryError(
                f"{path}, line {number} has {shown(fields[column])} for a score, but must have a "
                "finite number such as 7.5; correct the line, or put # before it"
            )
        words.append(tuple(fields[i] for i in layout.words))
        scores.append(score)
    if layout is None or not words:
        raise QueryError(f"{path} holds no word pair; give a file with lines: word word score")
    skipped = Skipped(comments, blank, headers)
    return Pairs(str(path), tuple(words), np.array(scores), skipped, layout.column)


def _fields_of_pair(path: StrPath, number: int, line: str, layout: _Layout) -> list[str]:
    """Divide a line as the first line was; three fields may be separated by tabs or white space."""
    either = layout.columns == 3 and layout.separator in ("\t", None)
    needed = 1 + max(*layout.words, layout.score or 2)
    for separator in ("\t", None) if either else (layout.separator,):
        fields = _split(line, separator)
        if needed <= len(fields) <= layout.columns and all(fields[i] for i in layout.words):
            return fields
    expected = (
        "a word pair has 3: word word score"
        if layout.columns == 3
        else f"the first line of the file has {layout.columns}"
    )
    raise _misfit(path, number, line.split() if either else fields, expected)


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
        line = line.strip()
        if not line:
            blank += 1
        elif line.startswith(COMMENTS):
            comments += 1
        elif line.startswith(SECTION):
            sections.append(line.lstrip(SECTION).strip())
        else:
            fields = _fields(line, 4)
            if not fields:
                raise _misfit(
                    path, number, line.split(), "a question has 4: a is to b as c is to d"
                )
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
    """Yield number and text of each line."""
    try:
        with expanded(path).open("rb") as file:
            yield from read_lines(file, str(path))
    except (OSError, ValueError) as error:
        if isinstance(error, QueryError):
            raise
        raise QueryError(unopened(path, error)) from None


def _split(line: str, separator: str | None) -> list[str]:
    """Cut a line into fields, of which the last is not empty."""
    if separator is None:
        return line.split()
    if '"' in line and separator != "\t":  # as spreadsheets quote
        fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    else:
        fields = line.split(separator)
    fields = [field.strip() for field in fields]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _fields(line: str, n: int) -> list[str]:
    """Cut a line into n fields, at tabs if that gives n, else at white space; [] if neither."""
    for fields in (_split(line, "\t"), line.split()):
        if len(fields) == n and all(fields):
            return fields
    return []


def _misfit(path: StrPath, number: int, fields: list[str], expected: str) -> QueryError:
    """Say that a line has the wrong number of fields."""
    return QueryError(
        f"{path}, line {number} has {counted(len(fields), 'field')}, but {expected}; correct the "
        "line, or put # before it"
    )


def _names_a_column(field: str) -> bool:
    """Whether this is neither a number nor meant as one."""
    try:
        float(field)
    except ValueError:
        return not any(char.isdigit() for char in field)
    return False


def _number(field: str, separator: str | None) -> float:
    """Return the number that a field is, else NaN; between semicolons it may have a comma."""
    if separator == ";":
        field = field.replace(",", ".")
    return float(field) if _NUMBER.fullmatch(field) else math.nan


def _is_nan(field: str, separator: str | None) -> bool:
    """Whether a field is not a number."""
    return math.isnan(_number(field, separator))


def all_known(rows: Ids) -> Flags:
    """Return which items, (n, k), have all their words in the vocabulary, (n,)."""
    known: Flags = (rows >= 0).min(axis=1)
    return known
