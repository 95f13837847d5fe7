"""Draw how units die under a mistaken gradient and live under the right one.

Two networks learn the book of ``corpora/`` from one start, with the same batches: one by the right
gradient, one by ``dZ1 = max(0, W2ᵀ dZ2)``. Their start and rate are those of a well-known course:
every parameter uniform between 0 and 1, 50 units, batches of 128, a learning rate of 0.03. Prints
the numbers of the figure, and writes it as an SVG that holds them too.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from cbow import network
from cbow.cli.common import DONE, command_parser, run, show, table
from cbow.errors import CorpusError
from cbow.system.files import check_writable, replacing
from cbow.text import Vocabulary, tokenize
from cbow.training.examples import Windows, context_positions

ROOT: Final = Path(__file__).parents[1]
BOOK: Final = ROOT / "corpora" / "alder.txt"
FIGURE: Final = ROOT / "docs" / "dead_units.svg"

UNITS, RADIUS, BATCH, RATE, SEED = 50, 2, 128, 0.03, 1
ITERATIONS, EVERY = 700, 10  # steps, and steps between two measurements
MEASURED = 2_000  # examples the cost is measured on, the same every time
STOP = 150  # the iteration at which the course stops
SHOWN = (0, 50, STOP, *range(200, ITERATIONS + 1, 100))  # iterations that are printed

FORMULAS: Final = {"mistaken": network.mistaken_gradients, "right": network.backward}
Formula = Callable[..., network.Gradients]


class Examples(NamedTuple):
    """A text as the network sees it."""

    X: csc_array  #: (V, m) contexts
    y: npt.NDArray[np.int64]  #: (m,) the words in the middle

    def take(self, chosen: npt.NDArray[np.int64]) -> Examples:
        """Return the chosen examples, in that order."""
        return Examples(self.X[:, chosen], self.y[chosen])


class Moment(NamedTuple):
    """The state of a network after some iterations."""

    iteration: int
    living: int  #: units that fire in at least one context of the text
    firing: float  #: share of all units in all contexts that fire
    cost: float  #: nats per word


def read_examples(path: Path) -> Examples:
    """Make every word of a text an example, with its neighbours on the same line as context."""
    try:
        lines = [tokenize(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror}); put it back") from error
    vocabulary = Vocabulary.from_counts(Counter(word for line in lines for word in line))
    y = np.array([vocabulary[word] for line in lines for word in line])  # (m,)
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])  # (m,)
    centre = np.arange(len(y))
    left = np.maximum(np.searchsorted(line_of, line_of, side="left"), centre - RADIUS)
    right = np.minimum(np.searchsorted(line_of, line_of, side="right"), centre + RADIUS + 1)
    positions, indptr = context_positions(Windows(centre, left, right))
    return Examples(network.contexts(y[positions], indptr, len(vocabulary), np.float64), y)


def draw_start(vocabulary_size: int, seed: int) -> network.Parameters:
    """Draw every parameter uniform between 0 and 1, as the course does: each unit fires always."""
    V, N = vocabulary_size, UNITS
    uniform = np.random.Generator(np.random.PCG64(seed)).uniform
    W1, b1 = uniform(size=(V, N)).T, uniform(size=(N, 1))  # (N, V), (N, 1)
    W2, b2 = uniform(size=(V, N)), uniform(size=(V, 1))  # (V, N), (V, 1)
    return network.Parameters(W1, b1, W2, b2)


def draw_order(examples: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw the order in which examples are taken, the same for every formula."""
    return np.random.Generator(np.random.PCG64(seed + 1)).permutation(examples)


def follow(formula: Formula, text: Examples, iterations: int, seed: int = SEED) -> list[Moment]:
    """Learn by one formula for the gradients, and look at the network every `EVERY` iterations."""
    V, m = text.X.shape
    parameters = draw_start(V, seed)
    order = draw_order(m, seed)  # (m,)
    measured, net = text.take(order[:MEASURED]), network.cbow_network()
    moments = []
    for t in range(iterations + 1):
        if t % EVERY == 0:
            moments.append(look(net, parameters, text, measured, t))
        X, y = text.take(order[np.arange(t * BATCH, (t + 1) * BATCH) % m])  # (V, BATCH), (BATCH,)
        pass_ = network.forward(net, parameters, X)
        for theta, g in zip(parameters, formula(net, parameters, pass_, y), strict=True):
            theta -= RATE * g
    return moments


def look(
    net: network.Network, parameters: network.Parameters, text: Examples, measured: Examples, t: int
) -> Moment:
    """Count the units that fire in the whole text, and measure the cost on a part of it."""
    fires = (text.X.T @ parameters.W1.T).T + parameters.b1 > 0  # (N, m)
    J = network.cost(net, network.forward(net, parameters, measured.X), measured.y)
    return Moment(t, int(fires.any(axis=1).sum()), float(fires.mean()), J)


def baselines(text: Examples) -> dict[str, float]:
    """Return the cost of knowing nothing, and that of knowing only how frequent words are."""
    shares = np.bincount(text.y) / len(text.y)  # (V,)
    return {
        "uniform": float(np.log(len(shares))),
        "word frequencies": float(-(shares * np.log(shares)).sum()),
    }


def cost_without_hidden_layer(text: Examples, seed: int = SEED) -> float:
    """Return the cost at the start, in nats per word, if no unit fires: Yhat = softmax(b2)."""
    V, m = text.X.shape
    b2 = draw_start(V, seed).b2  # (V, 1)
    y = text.y[draw_order(m, seed)[:MEASURED]]
    return float(np.log(np.exp(b2).sum()) - b2[y].mean())


def numbers(curves: dict[str, list[Moment]]) -> str:
    """Set the moments of `SHOWN` in a table."""
    rows = []
    for a, b in zip(curves["mistaken"], curves["right"], strict=True):
        if a.iteration in SHOWN:
            row = f"{a.iteration} {a.living} {b.living} {a.firing:.1%} {b.firing:.1%}"
            rows.append(f"{row} {a.cost:.3f} {b.cost:.3f}".split())
    header = ("iteration", "living: mistaken", "right", "firing: mistaken", "right")
    return table((*header, "cost: mistaken", "right"), rows, ">>>>>>>")


# --- the figure -----------------------------------------------------------------------------------

COLOURS: Final = {"mistaken": "#c44e00", "right": "#0063a6"}  # told apart by all kinds of eyes
GREY: Final = "#555"
LEFT, RIGHT = 64, 600  # pixels of the first and the last iteration
BESIDE: Final = RIGHT + 14  # where the name of a line starts
PANELS: Final = {
    "living": (80, 240, 0, UNITS),
    "cost": (316, 530, 5, 9.1),
}  # top, bottom, low, high


def place(panel: str, t: float, value: float) -> tuple[float, float]:
    """Turn an iteration and a value into pixels."""
    top, bottom, low, high = PANELS[panel]
    x = LEFT + (RIGHT - LEFT) * t / ITERATIONS
    return round(x, 1), round(bottom - (bottom - top) * (value - low) / (high - low), 1)


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Draw a straight line."""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>'


def text_at(x: float, y: float, words: str, style: str = "") -> str:
    """Write words that start at x, and stand on y."""
    return f'<text x="{x}" y="{y}" {style}>{words}</text>'


def axes(panel: str, title: str, ticks: Sequence[int]) -> list[str]:
    """Draw the frame of a panel: its title, and a thin line with a number at each tick."""
    top, bottom, _, _ = PANELS[panel]
    marks = [text_at(LEFT, top - 14, title, 'font-weight="bold"')]
    for value in ticks:
        x, y = place(panel, 0, value)
        marks.append(line(x, y, RIGHT, y, 'stroke="#ddd"'))
        marks.append(text_at(x - 8, y + 5, str(value), 'text-anchor="end"'))
    for t in range(0, ITERATIONS + 1, 100):
        marks.append(text_at(place(panel, t, 0)[0], bottom + 20, str(t), 'text-anchor="middle"'))
    return marks


def curve(name: str, panel: str, moments: list[Moment]) -> list[str]:
    """Draw one line of a panel, with its name beside its end."""
    points = [place(panel, at.iteration, getattr(at, panel)) for at in moments]
    path, colour = " ".join(f"{x},{y}" for x, y in points), COLOURS[name]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="3"/>',
        text_at(
            BESIDE, points[-1][1] + 5, f"{name} formula", f'fill="{colour}" font-weight="bold"'
        ),
    ]


def draw(curves: dict[str, list[Moment]], levels: dict[str, float]) -> str:
    """Return the figure as SVG, with its numbers in the description."""
    title = "Units die under the mistaken formula, and the cost rises again"
    marks = [text_at(LEFT, 30, title, 'font-size="18" font-weight="bold"')]
    marks += axes("living", f"Living units, of {UNITS}", range(0, UNITS + 1, 10))
    marks += axes("cost", "Cost, nats per word", range(5, 10))
    marks.append(text_at((LEFT + RIGHT) // 2, 572, "iterations", 'text-anchor="middle"'))
    for name, level in levels.items():
        x, y = place("cost", 0, level)
        marks.append(line(x, y, RIGHT, y, f'stroke="{GREY}" stroke-dasharray="2 4"'))
        marks.append(text_at(BESIDE, y + 5, name, f'fill="{GREY}"'))
    for panel, (top, bottom, _, _) in PANELS.items():
        x, _ = place(panel, STOP, 0)
        marks.append(line(x, top, x, bottom, f'stroke="{GREY}"'))
        for name, moments in curves.items():
            marks += curve(name, panel, moments)
    then = ", ".join(f"{name} {at[STOP // EVERY].cost:.3f}" for name, at in curves.items())
    marks.append(text_at(*place("cost", STOP + 8, 8.6), f"iteration {STOP}: {then}"))
    lines = "\n".join(marks)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 590" role="img" \
font-family="Helvetica, Arial, sans-serif" font-size="15" fill="#222">
<title>{title}</title>
<desc>
{numbers(curves)}
</desc>
<rect width="800" height="590" rx="8" fill="#fff"/>
{lines}
</svg>
"""


def body(arguments: argparse.Namespace) -> int:
    """Learn twice, print the numbers and write the figure."""
    check_writable(arguments.output)
    text = read_examples(BOOK)
    curves = {name: follow(formula, text, ITERATIONS) for name, formula in FORMULAS.items()}
    levels = baselines(text)
    show(numbers(curves))
    printed = levels | {"the start without its hidden layer": cost_without_hidden_layer(text)}
    show("\n".join(f"{name}: {level:.3f}" for name, level in printed.items()))
    with replacing(arguments.output) as temporary:
        temporary.write_text(draw(curves, levels), encoding="utf-8", newline="\n")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = command_parser("draw_dead_units.py", "Draw docs/dead_units.svg and print its numbers.")
    where = "file for the figure (default: docs/dead_units.svg)"
    parser.add_argument("--output", metavar="FILE", type=Path, default=FIGURE, help=where)
    return run(body, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
