"""From the arrays of a worked example to tables with headings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.explain.content import Table, number, quoted
from cbow.explain.wording import WORDING, Wording
from cbow.explain.worked import Worked


class Axis(NamedTuple):
    """What the rows or the columns of an array stand for."""

    name: str
    rows: tuple[str, ...]  #: names beside rows, under the name of the axis
    columns: tuple[str, ...]  #: headings above columns


class View(NamedTuple):
    """A worked example, and how its numbers are shown."""

    worked: Worked
    digits: int

    def say(self, value: Any) -> str:
        """Write a number into a sentence."""
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
        """Name an example in a sentence."""
        return f"example {i + 1} ({quoted(self.worked.examples[i].target)})"

    @property
    def wording(self) -> Wording:
        """What is said about the activation."""
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
    """Set a matrix; `axes` says what its rows and its columns are, `more` goes to `Table`."""
    rows, columns = axes
    shape = f"({len(array)}, {len(array.T)})"
    cells = ((label, *row) for label, row in zip(rows.rows, array.tolist(), strict=True))
    return Table(f"{name} {shape}", caption, (rows.name, *columns.columns), tuple(cells), **more)


def column(
    name: str, caption: str, array: NDArray[Any], rows: Axis, heading: str = "", **more: Any
) -> Table:
    """Set a column: a bias or its gradient, headed by its name if there is no other heading."""
    return matrix(name, caption, array, (rows, Axis("", (), (heading or name,))), **more)


def slopes(view: View) -> Table:
    """Set g'(Z1), (N, m); the mask of ReLU in whole numbers."""
    array = view.worked.slopes.astype(int) if view.relu else view.worked.slopes
    axes = view.units, view.examples
    return matrix(view.wording.slopes, view.wording.slopes_are, array, axes)


def places(mask: NDArray[np.bool_]) -> frozenset[tuple[int, int]]:
    """List where a mask is true."""
    return frozenset((int(i), int(j)) for i, j in np.argwhere(mask))


def first(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the first place where a mask is true."""
    i, j = np.argwhere(mask)[0]
    return int(i), int(j)
