"""Where a query points: the weighted sum of its terms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np

from cbow.errors import QueryError
from cbow.vectors.nearest import Doubles

EPS: Final = float(np.finfo(np.float64).eps)

#: What is wrong with a sum.
INFINITE: Final = "adds up to infinity; give smaller weights or vectors"
NO_DIRECTION: Final = (
    "adds up to zero, which has no direction, so that no word is nearer than another; ask for "
    "another sum"
)


@np.errstate(under="ignore")
def directions(vectors: Doubles, weights: Sequence[float], sizes: Sequence[int]) -> Doubles:
    """Add up the weighted terms of each query and scale the sums to length 1.

    Parameters
    ----------
    vectors : ndarray, (terms, N)
        Those of all queries, one after the other.
    weights : sequence of float, (terms,)
    sizes : sequence of int, (Q,)
        How many terms each query has: 1 or more.

    Returns
    -------
    ndarray, (Q, N)

    Raises
    ------
    QueryError
        If a sum is zero or infinite.
    """
    starts = [0, *accumulate(sizes[:-1])]  # (Q,)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = np.asarray(weights, np.float64)[:, None] * vectors  # (terms, N)
        totals = np.add.reduceat(parts, starts, axis=0)  # (Q, N)
    # What does not come out exactly, as in a + b - a - b, leaves rounding errors of this size.
    largest = np.maximum.reduceat(np.abs(parts).max(axis=1, initial=0), starts)  # (Q,)
    rounding = np.square(sizes) * EPS * largest  # (Q,)
    highest = np.abs(totals).max(axis=1, initial=0)  # (Q,)
    sound = (rounding < highest) & (highest < np.inf)  # (Q,), not with NaN either
    if not sound.all():
        first = int(sound.argmin())
        number = f"query {first + 1}" if len(sound) > 1 else "the query"
        raise QueryError(
            f"{number} {NO_DIRECTION if np.isfinite(totals[first]).all() else INFINITE}"
        )
    totals /= highest[:, None]  # whose squares neither overflow nor vanish
    totals /= np.sqrt(np.add.reduce(totals * totals, axis=1, keepdims=True))
    return totals
