"""A worked example seen as tables and sentences: axes, headings, numbers, wording."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.explain.explanation import Table, number, quoted
from cbow.explain.worked import Worked
from cbow.network.activations import LEAK


class Wording(NamedTuple):
    """What is said of an activation.

    Attributes
    ----------
    H : str
        The equation of its output.
    slopes : str
        The name of its derivative at Z1.
    slopes_are : str
        What that derivative is.
    purpose : str
        What the activation does, a sentence.
    """

    H: str
    slopes: str
    slopes_are: str
    purpose: str


WORDING: Final = {
    "relu": Wording(
        "H = max(0, Z1)",
        "[Z1 > 0]",
        "the mask: 1 where the unit fires, 0 where it does not",
        "ReLU passes on what is above 0 and makes 0 of the rest: the unit fires or it does not.",
    ),
    "leaky_relu": Wording(
        f"H = Z1 where Z1 > 0, else {LEAK:g} Z1",
        "g'(Z1)",
        f"the slope: 1 where the unit fires, {LEAK:g} where it does not",
        f"Leaky ReLU passes on what is above 0, where the unit fires, and {LEAK:g} of the rest.",
    ),
    "sigmoid": Wording(
        "H = 1 / (1 + exp(-Z1))",
        "g'(Z1)",
        "the slope, H (1 - H): largest where Z1 is near 0",
        "The sigmoid squeezes the sum between 0 and 1.",
    ),
    "tanh": Wording(
        "H = tanh(Z1)",
        "g'(Z1)",
        "the slope, 1 - H²: largest where Z1 is near 0",
        "The hyperbolic tangent squeezes the sum between -1 and 1.",
    ),
    "identity": Wording(
        "H = Z1",
        "g'(Z1)",
        "the slope: 1 everywhere",
        "The identity passes the sum on as it is: the linear network of word2vec.",
    ),
}


class Axis(NamedTuple):
    """What the rows or the columns of an array are."""

    name: str
    rows: tuple[str, ...]  #: names beside rows, under the name of the axis
    columns: tuple[str, ...]  #: headings above columns


class View(NamedTuple):
    """A worked example, and the decimals its numbers are shown with."""

    worked: Worked
    digits: int

    def say(self, value: Any) -> str:
        """Write a number for a sentence."""
        return number(float(value), self.digits)

    @property
    def words(self) -> Axis:
        """The V words."""
        words = self.worked.vocabulary.words
        return Axis("word", words, words)

    @property
    def units(self) -> Axis:
        """The N units, from 1."""
        names = tuple(str(k + 1) for k in range(self.worked.settings.dimension))
        return Axis("unit", names, tuple(f"unit {name}" for name in names))

    @property
    def examples(self) -> Axis:
        """The m examples, from 1, each with its target."""
        names = tuple(f"{i + 1} {each.target}" for i, each in enumerate(self.worked.examples))
        return Axis("example", names, names)

    def example(self, i: int) -> str:
        """Name an example, for a sentence."""
        return f"example {i + 1} ({quoted(self.worked.examples[i].target)})"

    @property
    def wording(self) -> Wording:
        """What is said of the activation."""
        return WORDING[self.worked.settings.activation]

    @property
    def relu(self) -> bool:
        """Whether the activation is ReLU."""
        return self.worked.settings.activation == "relu"

    @property
    def targets(self) -> frozenset[tuple[int, int]]:
        """The places (y_i, i) in an array (V, m)."""
        return frozenset((int(word), i) for i, word in enumerate(self.worked.y))


def matrix(
    name: str, caption: str, array: NDArray[Any], axes: tuple[Axis, Axis], **more: Any
) -> Table:
    """Return the table of a matrix with `axes` for its rows and columns; `more` goes to `Table`."""
    rows, columns = axes
    shape = f"({len(array)}, {len(array.T)})"
    cells = ((label, *row) for label, row in zip(rows.rows, array.tolist(), strict=True))
    return Table(f"{name} {shape}", caption, (rows.name, *columns.columns), tuple(cells), **more)


def column(
    name: str, caption: str, array: NDArray[Any], rows: Axis, heading: str = "", **more: Any
) -> Table:
    """Return the table of a column, a bias or its gradient, headed by its name by default."""
    return matrix(name, caption, array, (rows, Axis("", (), (heading or name,))), **more)


def slopes(view: View) -> Table:
    """Return the table of g'(Z1), (N, m); the mask of ReLU in whole numbers."""
    array = view.worked.slopes.astype(int) if view.relu else view.worked.slopes
    axes = view.units, view.examples
    return matrix(view.wording.slopes, view.wording.slopes_are, array, axes)


def places(mask: NDArray[np.bool_]) -> frozenset[tuple[int, int]]:
    """Return where a mask is true."""
    return frozenset((int(i), int(j)) for i, j in np.argwhere(mask))


def first(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first place where a mask is true."""
    i, j = np.argwhere(mask)[0]
    return int(i), int(j)
