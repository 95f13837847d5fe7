"""Context windows: which tokens stand around each token.

Everything here works on one run of tokens that are already thinned out (the window of a word
reaches over the words that were left out, as in word2vec), with the line that each belongs to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Windows(NamedTuple):
    """Windows of n centre tokens: the tokens left ≤ j < right without j = centre."""

    centre: Indices  # (n,)
    left: Indices  # (n,)
    right: Indices  # (n,)

    @property
    def size(self) -> Indices:
        """Number of context tokens of each window, (n,)."""
        return self.right - self.left - 1

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Windows:
        """Return the windows of the chosen rows, in that order."""
        return Windows(self.centre[chosen], self.left[chosen], self.right[chosen])


def windows(line: Indices, radius: Indices) -> Windows:
    """Find the window of every token: its radius to both sides, never across a line end.

    Parameters
    ----------
    line : (n,) integers
        The line of each token, never falling.
    radius : (n,) integers
        How far the window of each token reaches.

    Returns
    -------
    Windows
        One for each token, in order.
    """
    n = len(line)
    centre = np.arange(n)
    first = np.searchsorted(line, line, side="left")  # where the line of each token begins
    end = np.searchsorted(line, line, side="right")
    return Windows(centre, np.maximum(first, centre - radius), np.minimum(end, centre + radius + 1))


def context_positions(these: Windows) -> tuple[Indices, Indices]:
    """List the tokens of every window one after the other.

    Parameters
    ----------
    these : Windows
        n windows.

    Returns
    -------
    positions : (nnz,) integers
        Token positions, from left to right within each window.
    indptr : (n + 1,) integers
        Window i is ``positions[indptr[i]:indptr[i + 1]]``.
    """
    size = these.size
    indptr = np.concatenate(([0], np.cumsum(size)))
    # Count up from each window's left edge, and step over the centre once it is reached.
    positions = np.arange(indptr[-1]) + np.repeat(these.left - indptr[:-1], size)
    positions += positions >= np.repeat(these.centre, size)
    return positions, indptr
