"""The picture of words along two principal components, and where its labels go.

A box is (left, bottom, right, top).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cbow.plot import COLOURS, GREY, INK, PALE, Labels, percent, render
from cbow.system.arrays import Doubles

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

#: Sides of a point where a label may stand, the preferred first.
SIDES: Final = np.array(
    [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], np.float64
)

#: How far from the point, in multiples of the gap.
RINGS: Final = (1.0, 2.5, 5.0, 8.0, 12.0)

#: Room around every other point, in gaps: a word beside it would seem to be its label.
HALO: Final = 1.5

#: What it costs to leave the bounds and to cover another label, against covering a point.
OUTSIDE, COVERED = 10.0, 4.0

#: Square gaps of overlap that are as bad as the next side, and as the next ring.
NEXT_SIDE, NEXT_RING = 0.1, 1.5

#: Rounds in which each label may move; the cost falls in each, so that it settles long before.
ROUNDS: Final = 50


class Projection(NamedTuple):
    """Words along two components."""

    points: Doubles  #: (n, 2)
    components: tuple[int, int]  #: their numbers, from 1
    shares: tuple[float, float]  #: of the variance


def words_picture(words: Projection, labels: Labels, ending: str) -> bytes:
    """Draw words as labelled dots; a unit is as long on one axis as on the other.

    Parameters
    ----------
    words : Projection
        n words.
    labels : Labels
        Their n labels.
    ending : str
        A key of `cbow.plot.ENDINGS`.

    Returns
    -------
    bytes
        A file of this kind.
    """
    # The axes have no numbers, and matplotlib cannot tell very small coordinates from 0.
    points = words.points / np.abs(words.points).max()  # (n, 2)

    def draw(figure: Figure) -> None:
        ax = figure.add_axes(AXES)
        # Equal units on both axes, and lines through the mean of the words.
        low, high = points.min(axis=0), points.max(axis=0)  # (2,)
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
        ax.scatter(points[:, 0], points[:, 1], s=24, color=COLOURS[0], zorder=3)
        _label(figure, ax, points, labels)

    return render(draw, HEIGHT, ending)


def _label(figure: Figure, ax: Axes, points: Doubles, labels: Labels) -> None:
    """Write each word beside its dot, with a line between them where it had to go farther."""
    gap = GAP * figure.dpi / 72  # pixels
    texts = [ax.text(0, 0, label, ha="center", va="center", zorder=4) for label in labels.texts]
    for label in texts:  # parse_math: a word such as $x_1$ is a word, no formula
        label.set(parse_math=False, family=labels.fonts, color=INK)
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


def place(points: Doubles, sizes: Doubles, bounds: Doubles, gap: float) -> tuple[Doubles, Doubles]:
    """Place a label at each point so that they cover little of each other and of the points.

    Every label takes the best of some places around its point, one label after the other, until
    none finds a better one. All are shown: this is a picture, which nobody can zoom into.

    Parameters
    ----------
    points : ndarray, (n, 2)
    sizes : ndarray, (n, 2)
        Width and height of each label.
    bounds : ndarray, (4,)
        The box to stay in.
    gap : float
        Between a point and its label.

    Returns
    -------
    boxes : ndarray, (n, 4)
        Where the labels are.
    near : ndarray of bool, (n,)
        Whether a label is next to its point; the others need a line to it.
    """
    n = len(points)
    around, cost = _candidates(sizes, gap)  # (n, c, 4), (c,)
    around = around + np.tile(points, 2)[:, None, :]
    dots = np.hstack([points - HALO * gap, points + HALO * gap])  # (n, 4)
    fixed = np.empty(around.shape[:2])  # (n, c)
    for i, boxes in enumerate(around):  # (c, 4)
        covered = _overlap(boxes, np.delete(dots, i, axis=0)).sum(axis=1)  # (c,)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)  # (c,)
        outside = area - _overlap(boxes, bounds[None])[:, 0]  # (c,)
        fixed[i] = cost + (covered + OUTSIDE * outside) / gap**2
    chosen = fixed.argmin(axis=1)  # (n,)
    boxes = around[np.arange(n), chosen]  # (n, 4)
    for _ in range(ROUNDS):
        before = chosen.copy()
        for i in range(n):
            others = np.delete(boxes, i, axis=0)  # (n - 1, 4)
            total = fixed[i] + COVERED * _overlap(around[i], others).sum(axis=1) / gap**2
            if total.min() < total[chosen[i]]:
                chosen[i] = total.argmin()
                boxes[i] = around[i, chosen[i]]
        if (chosen == before).all():
            break
    return boxes, chosen < len(SIDES)


def _candidates(sizes: Doubles, gap: float) -> tuple[Doubles, Doubles]:
    """Return the boxes (n, c, 4) around a point at 0, and what each costs by itself (c,)."""
    middles = np.concatenate(
        [SIDES * (sizes[:, None, :] / 2 + ring * gap) for ring in RINGS], axis=1
    )  # (n, c, 2)
    half = sizes[:, None, :] / 2  # (n, 1, 2)
    rings, sides = np.divmod(np.arange(middles.shape[1]), len(SIDES))
    return np.concatenate([middles - half, middles + half], axis=2), (
        NEXT_RING * rings + NEXT_SIDE * sides
    )


def _overlap(a: Doubles, b: Doubles) -> Doubles:
    """Compute the area that each box of a (p, 4) shares with each of b (q, 4): (p, q)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])  # (p, q, 2)
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared: Doubles = np.clip(high - low, 0, None).prod(axis=2)  # (p, q)
    return shared
