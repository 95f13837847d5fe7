"""Print the cost tables of a well-known CBOW assignment beside ours, and compare every digit.

The network is that of week 4 of the second course of the DeepLearning.AI specialization in natural
language processing. ``docs/course.md`` tells what was taught when, and what the tables show.

    python scripts/reproduce_course.py SHAKESPEARE.TXT

The text comes with the assignment and is not in this repository. Results go to standard output, the
progress to standard error. The exit code is 0 if every digit is equal, else 1.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course.source import read
from course.tables import Figure, Table, tables
from course.tokens import tokens

from cbow.cli.common import (
    DONE,
    FAILED,
    command_parser,
    json_line,
    run,
    show,
    table,
    terminal_width,
    wrapped,
)
from cbow.system.threads import single_threaded_blas

LEGEND = (
    "Published: the course printed it. Known: computed elsewhere, independently of this script."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return its exit code."""
    return run(_reproduce, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "reproduce_course.py",
        "Print the published cost tables of the CBOW assignment beside ours.",
    )
    parser.add_argument("text", type=Path, metavar="SHAKESPEARE.TXT", help="the course's text")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no tables")
    return parser


def _reproduce(arguments: argparse.Namespace) -> int:
    text, width, done = read(arguments.text), terminal_width(), []
    with single_threaded_blas():  # or the last bits would depend on how many there are
        for each in tables(tokens(text), _progress):
            done.append(each)
            if not arguments.json:
                show(_as_text(each, width) + "\n")
    different = [figure for figure in _known(done) if figure.differs]
    if arguments.json:
        show(_as_json(done))
    else:
        for line in (LEGEND, _verdict(len(_known(done)), different)):
            show(wrapped(line, width))
    return FAILED if different else DONE


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _known(done: list[Table]) -> list[Figure]:
    """Return the figures there is something to compare with."""
    return [figure for each in done for figure in each.figures if figure.known]


def _as_text(each: Table, width: int | None) -> str:
    """Set our figures beside the known ones, a pair of columns for each column of the table."""
    columns = list(dict.fromkeys(figure.column for figure in each.figures))
    header, cells = [each.rows], {}
    for column in columns:
        header += [column or "ours", "published" if column in each.published else "known"]
    for figure in each.figures:
        known = f"{figure.known} differs" if figure.differs else figure.known
        cells.setdefault(figure.row, [figure.row]).extend([figure.ours, known])
    grid = table(header, list(cells.values()), "<" + ">>" * len(columns), width)
    return f"{wrapped(each.title, width)}\n{grid}"


def _as_json(done: list[Table]) -> str:
    """Write all tables as one JSON object."""
    shown = [
        {
            "title": each.title,
            "figures": [
                {
                    **figure._asdict(),
                    "published": bool(figure.known) and figure.column in each.published,
                    "differs": figure.differs,
                }
                for figure in each.figures
            ],
        }
        for each in done
    ]
    known = _known(done)
    different = sum(figure.differs for figure in known)
    return json_line({"tables": shown, "compared": len(known), "different": different})


def _verdict(compared: int, different: list[Figure]) -> str:
    """Say whether every digit is equal."""
    if not different:
        return f"All {compared} figures are equal, in every digit."
    names = "; ".join(f"{figure.row} {figure.column}".strip() for figure in different)
    return f"{len(different)} of {compared} figures differ: {names}."


if __name__ == "__main__":
    sys.exit(main())
