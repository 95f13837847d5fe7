"""A rough copy of many rows, a byte for each entry, in which to search first.

To find the nearest of a million rows is to read all of them, and the time is that of reading. The
unit rows rounded to a byte an entry, u = m + s c + e, m their mean and c from -127 to 127, are a
quarter of float32. q·m is the same for all rows. By Cauchy and Schwarz q·(u - m) differs from s q·c
by |e| at most, and |e| of the worst row is known: what falls behind by more than twice that is not
among the nearest. The few others are looked at as they are. So the answer is exact.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.system.processors import processors, thread_pool
from cbow.vectors import rough_kernels as kernels
from cbow.vectors.nearest import Doubles, Floats, Found, Ids, chosen, exact_cosines, nearest, slack

#: If more than one of so many rows cannot be told from the nearest, all are looked at as they are.
SHARE: Final = 64

#: Entries from which on all processors go through them; for fewer, to start a thread takes longer.
SIDE_BY_SIDE: Final = 2**25

Singles = npt.NDArray[np.float32]


class Rough:
    """Rows of a matrix, rounded.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `cbow.vectors.nearest.inverse_lengths`, without NaN.
    """

    @np.errstate(under="ignore")
    def __init__(self, matrix: Floats, inverse: Floats) -> None:
        V, N = matrix.shape
        blocks, padded = -(-V // kernels.B), -(-N // kernels.TOGETHER) * kernels.TOGETHER
        self._matrix = matrix
        self._inverse = inverse
        self._codes = np.zeros((blocks, padded, kernels.B), np.int8)
        self._scales = np.zeros((blocks, kernels.B), np.float32)
        mean = inverse @ matrix / V  # (N,), of the unit rows; any m would do

        def round_off(part: tuple[int, int]) -> float:
            worst: float = kernels.round_off(matrix, inverse, mean, part, self._codes, self._scales)
            return worst

        with thread_pool(processors()) as (pool, _):
            worst = max(pool.map(round_off, _parts(0, blocks)))
        #: For the cosines of a query, (blocks, B): as many as there were queries at the same time.
        self._rooms: list[Singles] = []
        # The slack is once for the sums and once for what is lost when |e| itself is computed.
        self._slack = float(np.sqrt(worst)) + 2 * slack(np.float32, N)

    def nearest(self, query: Doubles, hidden: Ids, topn: int, rows: range) -> Found:
        """Find the rows of largest cosine: the same as by `cbow.vectors.nearest.nearest`."""
        ids = self.candidates(query, topn + len(hidden), rows)
        if ids is None:
            return nearest(self._matrix, self._inverse, query, hidden, topn, rows)
        return chosen(ids, exact_cosines(self._matrix, self._inverse, query, ids), hidden, topn)

    @np.errstate(under="ignore")
    def candidates(self, query: Doubles, k: int, rows: range) -> Ids | None:
        """Find the rows that may be among the k nearest, rising; None if they are too many."""
        B, (blocks, padded, _) = kernels.B, self._codes.shape
        first, behind = -(-rows.start // B), rows.stop // B  # whole blocks
        if 2 * k > behind - first:  # they would leave too many
            return None
        q = np.zeros(padded, np.float32)  # (N',)
        q[: len(query)] = query
        # Memory that is fresh each time would take as long as a fifth of the search.
        room = self._rooms.pop() if self._rooms else np.empty((blocks, B), np.float32)
        maxima = np.empty(blocks, np.float32)
        span = rows.start // B, -(-rows.stop // B)
        self._compute(q, span, room, maxima)
        whole = maxima[first:behind]
        t = np.partition(whole, len(whole) - k)[len(whole) - k] - 2 * self._slack
        hot = span[0] + np.flatnonzero(maxima[span[0] : span[1]] >= t)
        ids = np.empty(len(hot) * B, np.intp)
        n = kernels.rows_above(room, (rows.start, rows.stop), hot, t, ids)
        self._rooms.append(room)
        return ids[:n] if n * SHARE <= len(rows) else None

    def _compute(self, q: Singles, span: tuple[int, int], room: Singles, maxima: Singles) -> None:
        """Compute the rough cosines of some blocks, side by side if they are many."""

        def work(part: tuple[int, int]) -> None:
            kernels.rough_cosines(self._codes, self._scales, q, part, room, maxima)

        if (span[1] - span[0]) * self._codes[0].size < SIDE_BY_SIDE:
            work(span)
            return
        with thread_pool(processors()) as (pool, _):
            list(pool.map(work, _parts(*span)))


def _parts(start: int, stop: int) -> list[tuple[int, int]]:
    """Cut a range of blocks into a part for each processor."""
    edges = np.linspace(start, stop, processors() + 1).astype(int).tolist()
    return list(pairwise(edges))
