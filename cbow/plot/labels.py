"""Where labels go so that they can be read: plain geometry, nothing is drawn here.

A box is (left, bottom, right, top).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

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


def place(points: Array, sizes: Array, bounds: Array, gap: float) -> tuple[Array, Array]:
    """Place a label at each point such that they cover little of each other and of the points.

    Every label takes the best of some places around its point, one label after the other, until
    none finds a better one.

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
        Whether a label is next to its point; others want a line to it.
    """
    n = len(points)
    around, cost = _candidates(sizes, gap)  # (n, c, 4), (c,)
    around = around + np.tile(points, 2)[:, None, :]
    dots = np.hstack([points - HALO * gap, points + HALO * gap])  # (n, 4)
    fixed = np.empty(around.shape[:2])  # (n, c)
    for i, boxes in enumerate(around):  # (c, 4)
        covered = _overlap(boxes, np.delete(dots, i, axis=0)).sum(axis=1)  # (c,)
        outside = _area(boxes) - _overlap(boxes, bounds[None])[:, 0]  # (c,)
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


def _candidates(sizes: Array, gap: float) -> tuple[Array, Array]:
    """Return the boxes (n, c, 4) around a point at 0, and what each costs by itself (c,)."""
    middles = np.concatenate(
        [SIDES * (sizes[:, None, :] / 2 + ring * gap) for ring in RINGS], axis=1
    )  # (n, c, 2)
    half = sizes[:, None, :] / 2  # (n, 1, 2)
    rings, sides = np.divmod(np.arange(middles.shape[1]), len(SIDES))
    return np.concatenate([middles - half, middles + half], axis=2), (
        NEXT_RING * rings + NEXT_SIDE * sides
    )


def _overlap(a: Array, b: Array) -> Array:
    """Compute the area that each box of a (p, 4) shares with each of b (q, 4): (p, q)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])  # (p, q, 2)
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared: Array = np.clip(high - low, 0, None).prod(axis=2)  # (p, q)
    return shared


def _area(boxes: Array) -> Array:
    """Compute the area of boxes (p, 4): (p,)."""
    area: Array = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return area


def spread(wanted: Array, gap: float, low: float, high: float) -> Array:
    """Move positions on a line as little as possible so that they are `gap` apart.

    Minimises Σ (position - wanted)², in the order of the wanted positions. Without the gaps that
    is isotonic regression, solved by pooling neighbours that violate the order (Barlow et al.,
    "Statistical Inference under Order Restrictions", 1972).

    Parameters
    ----------
    wanted : ndarray, (k,)
    gap : float
    low, high : float
        Between which all shall be; where there is too little room, they go beyond `high`.

    Returns
    -------
    ndarray, (k,)
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))  # (k,)
    pools: list[tuple[float, int]] = []  # mean and number
    for value in wanted[order] - steps:
        mean, number = float(value), 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean = (mean * number + other * more) / (number + more)
            number += more
        pools.append((mean, number))
    flat = np.repeat([mean for mean, _ in pools], [number for _, number in pools])  # (k,)
    room = max(low, high - gap * (len(wanted) - 1))
    result = np.empty(len(wanted))
    result[order] = np.clip(flat, low, room) + steps
    return result
