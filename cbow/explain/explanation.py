"""What an explanation consists of, sections of text and tables; and it as a page.

The page is one self-contained file: no script, no network, no other file.
"""

from __future__ import annotations

import importlib.resources
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
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

#: Characters across a table at most, which fit on paper; a wider one is split.
WIDEST: Final = 80

#: Forbids the browser to fetch anything, whatever the page holds.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"

#: How to read the shades; the terminal has none.
SHADES: Final = (
    "Blue is above 0 and orange below, the stronger the larger within its table. Hatched is "
    "exactly 0."
)


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


# A page.


def page(explanation: Explanation) -> str:
    """Write the page.

    Returns
    -------
    str
        HTML, to be saved as UTF-8. Everything that comes from `explanation` is escaped.
    """
    title = escape(explanation.title)
    sections = list(enumerate(explanation.sections, start=1))
    css = importlib.resources.files("cbow.explain").joinpath("page.css").read_text("utf-8")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>\n{css}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#section-1">To the first section</a>',
            "<header>",
            f"<h1>{title}</h1>",
            *(f"<p>{escape(text)}</p>" for text in (*explanation.introduction, SHADES)),
            "</header>",
            '<nav aria-label="Sections">',
            "<ol>",
            *(f'<li><a href="#section-{n}">{escape(each.title)}</a></li>' for n, each in sections),
            "</ol>",
            "</nav>",
            "<main>",
            *(line for n, each in sections for line in _section(n, each, explanation)),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(n: int, section: Section, explanation: Explanation) -> Iterator[str]:
    """Write section n."""
    yield f'<section id="section-{n}" aria-labelledby="title-{n}">'
    yield f'<h2 id="title-{n}"><span class="count">{n}</span> {escape(section.title)}</h2>'
    yield f"<p>{escape(section.purpose)}</p>"
    yield '<div class="tables">'
    for i, table in enumerate(section.tables, start=1):
        yield from _figure(f"table-{n}-{i}", table, explanation.digits)
    yield "</div>"
    if section.notice:
        yield '<div class="notice">'
        yield "<h3>Notice</h3>"
        yield from (f"<p>{escape(text)}</p>" for text in section.notice)
        yield "</div>"
    if n < len(explanation.sections):
        following = escape(explanation.sections[n].title)
        yield f'<p class="next"><a href="#section-{n + 1}">Next: {following}</a></p>'
    yield "</section>"


def _figure(name: str, table: Table, digits: int) -> Iterator[str]:
    """Write a table with its equation above it and its meaning below."""
    yield "<figure>"
    if table.equation:
        yield f'<p class="equation">{escape(table.equation)}</p>'
    text = bool(table.align)  # its lines break between words, so it need not be split
    parts = list(blocks(table, digits, sys.maxsize if text else WIDEST))
    largest = 0.0
    if not table.plain:
        largest = max(abs(float(cell)) for row in table.rows for cell in row[1:])
    for i, block in enumerate(parts, start=1):
        # On a narrow screen the box scrolls; tabindex lets the keyboard do so.
        yield f'<div class="box" role="group" tabindex="0" aria-labelledby="{name}-{i}">'
        yield '<table class="text">' if text else "<table>"
        columns = f", part {i} of {len(parts)}" if len(parts) > 1 else ""
        yield f'<caption id="{name}-{i}">{escape(table.name)}{columns}</caption>'
        yield from _rows(table, block, digits, largest)
        yield "</table>"
        yield "</div>"
    legend = [table.caption] if table.caption else []
    if table.marked:
        legend.append(f"{MARK} {table.mark}")
    if legend:
        yield f"<figcaption>{escape('; '.join(legend))}</figcaption>"
    yield "</figure>"


def _rows(table: Table, block: Block, digits: int, largest: float) -> Iterator[str]:
    """Write the columns of a table that are in a block."""

    def cell(value: Cell, marked: bool) -> str:
        """Write a number, shaded by its sign and size; the sign can also be read."""
        size = float(value)
        kind = "zero" if not size else "below" if size < 0 else "above"
        shade = f' style="--share:{abs(size) / largest:.2f}"' if size else ""
        text = number(value, digits)
        if marked:
            kind += " marked"
            text += f'<span class="mark">{MARK}</span>'
        return f'<td class="{kind}"{shade}>{text}</td>'

    chosen = range(block.first, block.first + len(block.header) - 1)
    corner, *others = table.columns
    sides = ["" if side == ">" else ' class="text"' for side in block.align[1:]]
    head = f'<th scope="col">{_isolated(corner)}</th>' if corner else "<td></td>"
    for j, side in zip(chosen, sides, strict=True):
        head += f'<th scope="col"{side}>{_isolated(others[j])}</th>'
    yield f"<thead>\n<tr>{head}</tr>\n</thead>"
    yield "<tbody>"
    for i, (name, *row) in enumerate(table.rows):
        line = f'<th scope="row">{_isolated(str(name))}</th>'
        for j, side in zip(chosen, sides, strict=True):
            if table.plain:
                line += f"<td{side}>{_isolated(str(row[j]))}</td>"
            else:
                line += cell(row[j], (i, j) in table.marked)
        yield f"<tr>{line}</tr>"
    yield "</tbody>"


def _isolated(text: str) -> str:
    """Keep a word written from right to left from reversing the text around it."""
    if text.isascii():
        return escape(text)
    return " ".join(f"<bdi>{escape(word)}</bdi>" for word in text.split(" "))
