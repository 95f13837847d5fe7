"""How the words nearest to a query are printed: as a table, as lines with tabs, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cbow.cli.common import json_line, table, visible, width

if TYPE_CHECKING:
    from cbow.vectors.word_vectors import Neighbour


class Answer(NamedTuple):
    """What one model says to a query."""

    model: str  #: its name
    neighbours: list[Neighbour]


#: Prints the answers of one model or more to a query. The number is that of the models asked, some
#: of which may have no answer; the columns are those of the terminal, None if any number will do.
Form = Callable[[str, Sequence[Answer], int, int | None], str]


def as_json(query: str, answers: Sequence[Answer], models: int, columns: int | None) -> str:
    """Print a JSON object for each model; it is named if there are several."""
    lines = []
    for model, neighbours in answers:
        found = [{"word": word, "cosine": cosine} for word, cosine in neighbours]
        named = {"query": query, "model": model} if models > 1 else {"query": query}
        lines.append(json_line({**named, "neighbours": found}))
    return "\n".join(lines)


def as_tsv(query: str, answers: Sequence[Answer], models: int, columns: int | None) -> str:
    """Print a line for each neighbour: the query, the model if there are several, word, cosine."""
    return "\n".join(
        "\t".join(
            [visible(query), *([visible(model)] if models > 1 else []), visible(word), f"{c:.6f}"]
        )
        for model, neighbours in answers
        for word, c in neighbours
    )


def as_table(query: str, answers: Sequence[Answer], models: int, columns: int | None) -> str:
    """Print a table; several models side by side if there is room, else one below the other."""
    if models == 1:
        return "".join(_column(visible(query), answer) + "\n" for answer in answers)
    if not answers:
        return ""
    parts = [_column(visible(answer.model), answer) for answer in answers]
    side_by_side = _beside(parts)
    wide = columns is not None and max(map(width, side_by_side.splitlines())) > columns
    return f"{visible(query)}\n" + ("\n\n".join(parts) if wide else side_by_side) + "\n"


def _column(title: str, answer: Answer) -> str:
    """Set the answer of one model."""
    rows = [(visible(word), f"{cosine:.4f}") for word, cosine in answer.neighbours]
    return table((title, "cosine"), rows, "<>")


def _beside(parts: Sequence[str]) -> str:
    """Set tables beside each other."""
    columns = [part.splitlines() for part in parts]
    rows = [tuple(row) for row in zip_longest(*columns, fillvalue="")]
    header, *rest = rows
    return table(header, rest, "<" * len(parts))


#: The forms by the names that ``--format`` takes.
FORMS: Final[Mapping[str, Form]] = {"table": as_table, "tsv": as_tsv, "json": as_json}


def short_names(paths: Sequence[str]) -> list[str]:
    """Name models by their files, or by the whole paths if two files have the same name.

    Examples
    --------
    >>> short_names(["a/x.txt", "b/y.txt"])
    ['x.txt', 'y.txt']
    >>> short_names(["a/x.txt", "b/x.txt"])
    ['a/x.txt', 'b/x.txt']
    """
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else list(paths)
