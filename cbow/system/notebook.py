"""A small table for a notebook, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, its texts escaped.

    Examples
    --------
    >>> table("a < b", [], [])
    '<table><caption>a &lt; b</caption><tbody></tbody></table>'
    """
    from html import escape  # here, for it takes a while to load

    def row(kind: str, cells: Sequence[object], style: str = "") -> str:
        return f"<tr>{''.join(f'<{kind}{style}>{escape(str(x))}</{kind}>' for x in cells)}</tr>"

    body = "".join(row("td", cells, ' style="text-align: left"') for cells in rows)
    top = f"<thead>{row('th', head)}</thead>" if head else ""
    return f"<table><caption>{escape(caption)}</caption>{top}<tbody>{body}</tbody></table>"
