"""The explanation of ``cbow-explain`` as plain text, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cbow.cli.common import padded, visible, width, wrapped
from cbow.explain import Explanation, Step, Table
from cbow.explain.content import MARK, Block, blocks

#: Begins the lines that say what to notice.
NOTICE: Final = "> "


def as_text(explanation: Explanation, columns: int) -> str:
    """Set an explanation in lines of at most `columns`.

    Parameters
    ----------
    explanation : Explanation
    columns : int
        Wider tables are set in blocks of columns, below each other. Only a word or an equation
        that is wider by itself stands out.

    Returns
    -------
    str
        Without a line end at its end. Control characters are shown as escapes.
    """
    parts = [
        _heading(explanation.title, "="),
        *(wrapped(text, columns) for text in explanation.introduction),
    ]
    for n, step in enumerate(explanation.steps, start=1):
        parts += _step(n, step, explanation.digits, columns)
    return "\n\n".join(parts)


def _step(n: int, step: Step, digits: int, columns: int) -> Iterator[str]:
    """Yield the paragraphs of step n."""
    yield "\n" + _heading(f"{n}. {step.title}", "-")
    yield wrapped(visible(step.purpose), columns)
    for table in step.tables:
        yield _table(table, digits, columns)
    for text in step.notice:
        lines = wrapped(visible(text), max(columns - len(NOTICE), 1)).split("\n")
        yield "\n".join(NOTICE + line for line in lines)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _table(table: Table, digits: int, columns: int) -> str:
    """Set a table: its equation and caption, then its numbers in blocks."""
    caption = ": ".join(filter(None, (table.name, table.caption)))
    if table.marked:
        caption += f"; {MARK} {table.mark}"
    head = [wrapped(text, columns) for text in (table.equation, caption) if text]
    grids = [_grid(block, columns) for block in blocks(_shown(table), digits, columns, width)]
    return "\n".join(head) + "\n" + "\n\n".join(grids)


def _shown(table: Table) -> Table:
    """Show the control characters of words as escapes."""
    rows = (tuple(visible(c) if isinstance(c, str) else c for c in row) for row in table.rows)
    return table._replace(columns=tuple(map(visible, table.columns)), rows=tuple(rows))


def _grid(block: Block, columns: int) -> str:
    """Set a block in columns; as a list, if not even one column fits."""
    lines = [block.header, *block.rows]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    if sum(widths) + block.gap * (len(widths) - 1) > columns:
        return "\n".join(f"{name}, {block.header[1]}: {cell}".rstrip() for name, cell in block.rows)
    gap = " " * block.gap
    return "\n".join(gap.join(map(padded, line, widths, block.align)).rstrip() for line in lines)
