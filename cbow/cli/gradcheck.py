"""``cbow-gradcheck``: check the gradients of the network, and show where a known mistake fails."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cbow.cli.common import (
    DONE,
    FAILED,
    command_parser,
    json_line,
    run,
    show,
    table,
    terminal_width,
)
from cbow.config import ACTIVATIONS, POSITIVE, SEED, Range
from cbow.errors import ConfigError

if TYPE_CHECKING:
    from cbow.network import GradientErrors

EXAMPLES = """\
examples:
  cbow-gradcheck
  cbow-gradcheck --activation leaky_relu --dimension 20 --seed 7
  cbow-gradcheck --json
"""

#: Parameters times batch times window at most: little memory, and minutes rather than hours.
LARGEST: Final = 500_000

#: With more evaluations of the cost than this, say how many there will be.
MANY: Final = 20_000

TWO: Final = Range(lambda x: x >= 2, "a whole number of 2 or more")


class Flag(NamedTuple):
    """A whole number the user may choose."""

    default: int
    allowed: Range
    help: str


FLAGS: Final = {
    "dimension": Flag(5, POSITIVE, "hidden units"),
    "vocabulary": Flag(12, TWO, "words"),
    "batch": Flag(8, POSITIVE, "examples"),
    "window": Flag(2, POSITIVE, "words on each side of the middle"),
    "seed": Flag(1, SEED, "the same seed draws the same network and batch"),
}


@dataclasses.dataclass(frozen=True)
class Report:
    """What was checked, and what came out."""

    settings: dict[str, Any]
    redrawn: int
    rows: list[GradientErrors]

    @property
    def right(self) -> bool:
        """Whether all four of our gradients agree with the differences of the cost."""
        return all(row.right for row in self.rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-gradcheck`` and return its exit code: 0 if our gradients are right, else 1."""
    return run(_gradcheck, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "cbow-gradcheck",
        "Compare the gradients of a small random network with differences of its cost.",
        EXAMPLES,
    )
    for name, flag in FLAGS.items():
        text = f"{flag.help} (default: {flag.default})"
        parser.add_argument(f"--{name}", type=int, metavar="N", default=flag.default, help=text)
    parser.add_argument(
        "--activation",
        choices=ACTIVATIONS,
        default=ACTIVATIONS[0],
        help=f"activation of the hidden layer (default: {ACTIVATIONS[0]})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    return parser


def _gradcheck(arguments: argparse.Namespace) -> int:
    settings = {name: getattr(arguments, name) for name in (*FLAGS, "activation")}
    _check(settings)
    report = _measure(settings)
    show(_as_json(report) if arguments.json else _as_text(report, terminal_width()))
    return DONE if report.right else FAILED


def _check(settings: dict[str, Any]) -> None:
    """Refuse what is out of range or would take hours; announce what takes long."""
    for name, flag in FLAGS.items():
        if not flag.allowed.accepts(settings[name]):
            raise ConfigError(f"{name} is {settings[name]}, but must be {flag.allowed.expected}")
    V, N, m = (settings[name] for name in ("vocabulary", "dimension", "batch"))
    parameters = 2 * V * N + N + V
    size = parameters * m * settings["window"]
    if size > LARGEST:
        raise ConfigError(
            f"parameters times batch times window is {size:,}, but must be {LARGEST:,} at most, "
            "because the cost is computed anew four times for each parameter; choose a smaller "
            "--vocabulary, --dimension, --batch or --window"
        )
    if 4 * parameters > MANY:
        print(f"computing the cost {4 * parameters:,} times", file=sys.stderr, flush=True)


def _measure(settings: dict[str, Any]) -> Report:
    """Draw the network and the batch, and check the gradients."""
    from cbow import network  # imported here, so that --help is quick

    activation = network.ACTIVATIONS[settings["activation"]]
    shape = settings["vocabulary"], settings["dimension"], settings["batch"]
    problem = network.draw_problem(shape, settings["window"], settings["seed"])
    return Report(settings, problem.redrawn, network.check_gradients(problem, activation))


def _as_json(report: Report) -> str:
    """Write the report as one JSON object."""
    from cbow.network.gradcheck import TOLERANCE

    gradients = [
        {**row._asdict(), "right": row.right, "mistaken_right": row.mistaken_right}
        for row in report.rows
    ]
    return json_line(
        {
            "settings": report.settings,
            "redrawn": report.redrawn,
            "tolerance": TOLERANCE,
            "gradients": gradients,
            "right": report.right,
        }
    )


def _as_text(report: Report, columns: int | None) -> str:
    """Write the report as a table between paragraphs, `columns` wide."""
    cells = [
        (
            row.name,
            "x".join(map(str, row.shape)),
            _cell(row.ours, row.right),
            _cell(row.mistaken, row.mistaken_right),
        )
        for row in report.rows
    ]
    grid = table(("grad", "size", "ours", "mistaken"), cells, "<><<", columns)
    before, after = _wrapped(_opening(report), columns), _closing(report)
    return "\n\n".join([before, grid, *(_wrapped(line, columns) for line in after)])


def _cell(error: float, right: bool) -> str:
    """Write an error and its verdict."""
    return f"{error:.1e} {'right' if right else 'wrong'}"


def _wrapped(text: str, columns: int | None) -> str:
    """Break `text` between words into lines of at most `columns`; one line if that is None."""
    if columns is None:
        return text
    return textwrap.fill(text, columns, break_long_words=False, break_on_hyphens=False)


def _opening(report: Report) -> str:
    """Say what was checked against what."""
    from cbow.network.gradcheck import TOLERANCE

    s = report.settings
    again = f" Units too near 0, drawn again: {report.redrawn}." if report.redrawn else ""
    return (
        f"{s['vocabulary']} words, {s['dimension']} hidden units ({s['activation']}), "
        f"{s['batch']} examples, seed {s['seed']}.{again} Errors are the largest difference from "
        f"central differences of the cost, relative to the largest entry; right is below "
        f"{TOLERANCE:.0e}."
    )


def _closing(report: Report) -> list[str]:
    """Give the verdict on ours, and say what the mistaken formula is and why it fails."""
    relu = report.settings["activation"] == "relu"
    failed = [row.name for row in report.rows if not row.right]
    ours = f"Ours: {', '.join(failed)} wrong." if failed else "Ours: all four right."
    mistaken = (
        "Mistaken: dZ1 = max(0, W2.T @ dZ2), as taught in a well-known course until mid-2023, in "
        "place of dZ1 = (W2.T @ dZ2) * (Z1 > 0)."
    )
    if not relu:
        mistaken += " It is shown in its ReLU form; here the right factor is g'(Z1)."
    why = "It masks by the sign of the arriving gradient instead of by the unit that fired."
    if all(row.mistaken_right for row in report.rows):
        why += " In this draw both masks agree by chance; a larger --batch tells them apart."
    else:
        why = "It fails because it" + why.removeprefix("It")
    return [ours, mistaken, why]
