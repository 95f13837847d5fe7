"""The picture of words: where their vectors lie along two principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.plot.canvas import COLOURS, GREY, INK, PALE, percent, render
from cbow.plot.fonts import Text
from cbow.plot.labels import place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches.
HEIGHT: Final = 6.0

#: The part of the figure that the axes take: left, bottom, width, height.
AXES: Final = 0.06, 0.08, 0.92, 0.90

#: Free room around the points, as a share of the axes.
MARGIN: Final = 0.1

#: Points between a dot and its label.
GAP: Final = 5.0


class Map(NamedTuple):
    """Places of words along two components."""

    points: npt.NDArray[np.float64]  #: (n, 2)
    components: tuple[int, int]  #: their numbers, from 1
    shares: tuple[float, float]  #: of the variance


def words_picture(words: Map, text: Text, ending: str) -> bytes:
    """Draw words as labelled dots; a unit is as long on one axis as on the other.

    Parameters
    ----------
    words : Map
        n words.
    text : Text
        Their n labels.
    ending : str
        A key of `cbow.plot.canvas.ENDINGS`.

    Returns
    -------
    bytes
        A file of this kind.
    """
    # The axes have no numbers, and matplotlib cannot tell very small ones from 0.
    words = words._replace(points=words.points / np.abs(words.points).max())

    def draw(figure: Figure) -> None:
        ax = figure.add_axes(AXES)
        _frame(ax, words)
        ax.scatter(words.points[:, 0], words.points[:, 1], s=24, color=COLOURS[0], zorder=3)
        _label(figure, ax, words.points, text)

    return render(draw, HEIGHT, ending)


def _frame(ax: Axes, words: Map) -> None:
    """Set limits with equal units, name the axes, mark the mean of the words."""
    low, high = words.points.min(axis=0), words.points.max(axis=0)  # (2,)
    box = ax.get_window_extent()
    size = np.array([box.width, box.height])
    unit = ((high - low) / size).max() / (1 - 2 * MARGIN)  # of a pixel
    left, bottom = (low + high - unit * size) / 2
    right, top = (low + high + unit * size) / 2
    ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    ax.axhline(0, color=PALE, linewidth=0.8)
    ax.axvline(0, color=PALE, linewidth=0.8)
    ax.spines[:].set_visible(False)
    (one, other), (much, less) = words.components, words.shares
    ax.set_xlabel(f"component {one} ({percent(much)} of the variance)")
    ax.set_ylabel(f"component {other} ({percent(less)} of the variance)")


def _label(figure: Figure, ax: Axes, points: npt.NDArray[np.float64], text: Text) -> None:
    """Write each word beside its dot, with a line to it where it had to go farther."""
    gap = GAP * figure.dpi / 72  # pixels
    texts = [ax.text(0, 0, label, ha="center", va="center", zorder=4) for label in text.labels]
    for label in texts:  # parse_math: a word such as $x_1$ is a word, no formula
        label.set(parse_math=False, family=text.fonts, color=INK)
    sizes = np.array([each.get_window_extent().size for each in texts])  # (n, 2)
    bounds = np.array(ax.get_window_extent().extents)  # (4,)
    dots = ax.transData.transform(points)  # (n, 2), pixels
    boxes, near = place(dots, sizes, bounds, gap)  # (n, 4), (n,)
    to_data = ax.transData.inverted().transform
    for label, middle in zip(texts, to_data((boxes[:, :2] + boxes[:, 2:]) / 2), strict=True):
        label.set_position(middle)
    ends = to_data(np.clip(dots, boxes[:, :2], boxes[:, 2:]))  # (n, 2), on the edge of the label
    for end, point, beside in zip(ends, points, near, strict=True):
        if not beside:
            ax.plot(*zip(end, point, strict=True), color=GREY, linewidth=0.6, zorder=2)
