"""The explanation as one self-contained page: no script, no network, no other file."""

from __future__ import annotations

import importlib.resources
import sys
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from cbow.explain.explanation import MARK, Block, Cell, Explanation, Section, Table, blocks, number

#: Characters across a table at most, which fit on paper; a wider one is split.
WIDEST: Final = 80

#: Forbids the browser to fetch anything, whatever the page holds.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"

#: How to read the shades; the terminal has none.
SHADES: Final = (
    "Blue is above 0 and orange below, the stronger the larger within its table. Hatched is "
    "exactly 0."
)


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
            *_paragraphs((*explanation.introduction, SHADES)),
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
        yield from _paragraphs(section.notice)
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


def _paragraphs(texts: Sequence[str]) -> Iterator[str]:
    return (f"<p>{escape(text)}</p>" for text in texts)
