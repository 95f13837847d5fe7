"""What an explanation consists of, however it is shown: sections of text and tables."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

#: Text, a whole number, or a number that is rounded when it is shown.
Cell: TypeAlias = str | int | float

#: A marked number is followed by this.
MARK: Final = "*"

#: Spaces between two columns of a table. Where something is marked, a mark or a space for one
#: comes before them.
GAP: Final = 2

# Invisible characters that keep a word written from right to left from turning what is around it.
_ISOLATE: Final = "\u2068"
_POP: Final = "\u2069"


class Table(NamedTuple):
    """A table, with the equation of its numbers.

    Attributes
    ----------
    name : str
        Such as ``"Z1"``.
    caption : str
        What it holds, in a few words.
    columns : tuple of str
        The headings; the first stands over the names of the rows.
    rows : tuple of tuples
        The name of the row, then a cell for each further column.
    equation : str
        Stands above the numbers; empty if there is none.
    marked : frozenset of (int, int)
        Row and column of the marked cells, each from 0 and without the headings.
    mark : str
        What the mark means.
    align : str
        ``<`` or ``>`` per column; if empty, all but the first column are aligned right.
    plain : bool
        The numbers are ids and counts, whose size and sign mean nothing.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    equation: str = ""
    marked: frozenset[tuple[int, int]] = frozenset()
    mark: str = ""
    align: str = ""
    plain: bool = False


class Section(NamedTuple):
    """A section of the explanation.

    Attributes
    ----------
    title : str
    purpose : str
        What this part of the computation is for.
    tables : tuple of Table
    notice : tuple of str
        What to notice in these very numbers, a sentence or two each.
    """

    title: str
    purpose: str
    tables: tuple[Table, ...]
    notice: tuple[str, ...] = ()


class Explanation(NamedTuple):
    """The entire explanation."""

    title: str
    introduction: tuple[str, ...]
    sections: tuple[Section, ...]
    digits: int  #: decimals to show


class Block(NamedTuple):
    """Some neighbouring columns of a table, as text."""

    first: int  #: of the columns, from 0, not counting the first, which every block has
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str  #: ``<`` or ``>`` per column
    gap: int  #: spaces between columns


def number(value: Cell, digits: int) -> str:
    """Write a cell: whole numbers and text as they are, others rounded to `digits` decimals.

    Only 0 itself is written 0, to tell where nothing flows from where little does.

    Examples
    --------
    >>> number(0.0, 3), number(0.0001, 3), number(-0.0001, 3), number(1, 3), number(1.0, 3)
    ('0', '0.000', '-0.000', '1', '1.000')
    """
    if not isinstance(value, float):
        return str(value)
    return "0" if value == 0 else f"{value:.{digits}f}"


def blocks(
    table: Table, digits: int, columns: int, width: Callable[[str], int] = len
) -> Iterator[Block]:
    """Cut a table into blocks of columns that fit into `columns`, each with the first column.

    Parameters
    ----------
    table : Table
    digits : int
        As for `number`.
    columns : int
        The width there is. A block has one column at least, even if that is too wide.
    width : callable
        Returns the width of a text.

    Yields
    ------
    Block
        From left to right.
    """
    lines = [list(table.columns)]
    lines += ([number(cell, digits) for cell in row] for row in table.rows)
    if table.marked:  # the other cells have a space for a mark
        for i, line in enumerate(lines, start=-1):
            marks = (MARK if (i, j) in table.marked else " " for j in range(len(line) - 1))
            line[1:] = map(str.__add__, line[1:], marks)
    first, *others = zip(*lines, strict=True)
    gap = GAP - bool(table.marked)
    side, *sides = list(table.align or "<" + ">" * len(others))
    sizes = [gap + max(map(width, column)) for column in others]
    room = columns - max(map(width, first))
    start = 0
    while start < len(others):
        stop, used = start + 1, sizes[start]
        while stop < len(others) and used + sizes[stop] <= room:
            used += sizes[stop]
            stop += 1
        header, *rows = zip(first, *others[start:stop], strict=True)
        yield Block(start, header, tuple(rows), side + "".join(sides[start:stop]), gap)
        start = stop


def quoted(word: str) -> str:
    """Put a word in quotation marks, for use in a sentence."""
    if any(unicodedata.bidirectional(char) in ("R", "AL") for char in word):
        word = _ISOLATE + word + _POP
    return f'"{word}"'


def listed(items: Sequence[object]) -> str:
    """Join with commas and "and".

    Examples
    --------
    >>> listed([1]), listed([1, 2]), listed([1, 2, 3])
    ('1', '1 and 2', '1, 2 and 3')
    """
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last
