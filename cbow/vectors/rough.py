"""A rough copy of many rows, a byte for each entry, in which to search first.

To find the nearest of a million rows is to read all of them, and the time is that of reading. The
unit rows rounded to a byte an entry, u = m + s c + e, m their mean and c from -127 to 127, are a
quarter of float32. q·m is the same for all rows. By Cauchy and Schwarz q·(u - m) differs from s q·c
by |e| at most, and |e| of the worst row is known: what falls behind by more than twice that is not
among the nearest. The few others are looked at as they are. So the answer is exact.

Rows come in blocks of B. Within a block all first entries stand together, then all second ones and
so on: a query's entry is multiplied with B of them at once, and sums over a row need no shuffling.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from cbow.system.arrays import Doubles, Floats, Ids, Singles
from cbow.system.compiled import compiled
from cbow.system.operations import dot, largest
from cbow.system.threads import processors, thread_pool

#: Rows of a block.
B: Final = 512

#: Entries of a row that are multiplied before they are added to the sum.
TOGETHER: Final = 4

#: The largest whole number that an entry becomes.
LARGEST: Final = 127

#: If more than one of so many rows cannot be told from the nearest, all are looked at as they are.
SHARE: Final = 64

#: Entries from which on all processors go through them; for fewer, to start a thread takes longer.
SIDE_BY_SIDE: Final = 2**25


class RoughCopy:
    """Rows of a matrix, rounded.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        1/|r| of each row, without NaN.
    slack : float
        How far a cosine that is computed in float32 may be wrong.
    """

    @np.errstate(under="ignore")
    def __init__(self, matrix: Floats, inverse: Floats, slack: float) -> None:
        V, N = matrix.shape
        blocks, padded = -(-V // B), -(-N // TOGETHER) * TOGETHER
        self._codes = np.zeros((blocks, padded, B), np.int8)
        self._scales = np.zeros((blocks, B), np.float32)
        mean = inverse @ matrix / V  # (N,), of the unit rows; any m would do

        def round_part(part: tuple[int, int]) -> float:
            scratch = np.empty((3, N))
            worst: float = round_off(
                matrix, inverse, mean, part, self._codes, self._scales, scratch
            )
            return worst

        with thread_pool(processors()) as (pool, _):
            worst = max(pool.map(round_part, _parts(0, blocks)))
        #: For the cosines of a query, (blocks, B): as many as there were queries at the same time.
        self._buffers: list[Singles] = []
        # The slack is once for the sums and once for what is lost when |e| itself is computed.
        self._slack = float(np.sqrt(worst)) + 2 * slack

    @np.errstate(under="ignore")
    def candidates(self, query: Doubles, k: int, rows: range) -> Ids | None:
        """Find the rows that may be among the k nearest, rising; None if they are too many."""
        blocks, padded, _ = self._codes.shape
        first, behind = -(-rows.start // B), rows.stop // B  # full blocks
        if 2 * k > behind - first:  # they would leave too many
            return None
        q = np.zeros(padded, np.float32)  # (N',)
        q[: len(query)] = query
        # Memory that is fresh each time would take as long as a fifth of the search.
        cosines = self._buffers.pop() if self._buffers else np.empty((blocks, B), np.float32)
        maxima = np.empty(blocks, np.float32)

        def compute(part: tuple[int, int]) -> None:
            rough_cosines(self._codes, self._scales, q, part, cosines, maxima)

        start, stop = rows.start // B, -(-rows.stop // B)  # blocks
        if (stop - start) * self._codes[0].size < SIDE_BY_SIDE:
            compute((start, stop))
        else:
            with thread_pool(processors()) as (pool, _):
                list(pool.map(compute, _parts(start, stop)))
        full = maxima[first:behind]
        t = np.partition(full, len(full) - k)[len(full) - k] - 2 * self._slack
        hot = start + np.flatnonzero(maxima[start:stop] >= t)
        ids = np.empty(len(hot) * B, np.intp)
        n = rows_above(cosines, (rows.start, rows.stop), hot, t, ids)
        self._buffers.append(cosines)
        return ids[:n] if n * SHARE <= len(rows) else None


def _parts(start: int, stop: int) -> list[tuple[int, int]]:
    """Cut a range of blocks into a part for each processor."""
    edges = np.linspace(start, stop, processors() + 1).astype(int).tolist()
    return list(pairwise(edges))


@compiled
def round_off(
    matrix: Any, inverse: Any, mean: Any, part: Any, codes: Any, scales: Any, scratch: Any
) -> Any:
    """Round the unit rows of some blocks: u ≈ mean + scale · code.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        1/|r| of each row.
    mean : ndarray, (N,)
    part : (int, int)
        From which block to which; only the last one may lack rows.
    codes : ndarray of int8, (blocks, N', B)
        Receives the rounded entries; N' is N or more. What lacks of rows and entries is not
        written.
    scales : ndarray of float32, (blocks, B)
        Receives a factor for each row.
    scratch : ndarray, (3, N)
        To work in.

    Returns
    -------
    float
        The largest |u - mean - scale · code|² of a row.
    """
    N = matrix.shape[1]
    rest, size, error = scratch[0], scratch[1], scratch[2]
    worst = 0.0
    for b in range(*part):
        for j in range(min(B, len(matrix) - b * B)):
            row = b * B + j
            for d in range(N):
                rest[d] = matrix[row, d] * inverse[row] - mean[d]
                size[d] = abs(rest[d])
            scale = np.float32(largest(size) / LARGEST)
            scales[b, j] = scale
            per_unit = 1 / scale if scale > 0 else np.float32(0)
            for d in range(N):
                code = min(max(np.rint(rest[d] * per_unit), -LARGEST), LARGEST)
                codes[b, d, j] = np.int8(code)
                error[d] = rest[d] - scale * code
            worst = max(worst, dot(error, error))
    return worst


@compiled
def rough_cosines(
    codes: Any, scales: Any, query: Any, blocks: Any, cosines: Any, maxima: Any
) -> Any:
    """Compute the cosines of a query with rounded rows, all less that with the mean.

    Parameters
    ----------
    codes, scales : ndarray
        From `round_off`.
    query : ndarray of float32, (N',)
        With zeros up to the entries that codes have.
    blocks : (int, int)
        From which block to which.
    cosines : ndarray of float32, (blocks, B)
        Receives them.
    maxima : ndarray of float32, (blocks,)
        Receives the largest of each block.
    """
    for b in range(*blocks):
        sums = cosines[b]  # (B,)
        sums[:] = 0
        for d in range(0, len(query), TOGETHER):
            q0, q1, q2, q3 = query[d], query[d + 1], query[d + 2], query[d + 3]
            c0, c1, c2, c3 = codes[b, d], codes[b, d + 1], codes[b, d + 2], codes[b, d + 3]
            for j in range(B):
                sums[j] += (
                    q0 * np.float32(c0[j]) + q1 * np.float32(c1[j])
                    + q2 * np.float32(c2[j]) + q3 * np.float32(c3[j])
                )  # fmt: skip
        for j in range(B):
            sums[j] *= scales[b, j]
        maxima[b] = largest(sums)


@compiled
def rows_above(cosines: Any, rows: Any, hot: Any, t: Any, ids: Any) -> Any:
    """Find the rows of some blocks whose rough cosine is t or more.

    Parameters
    ----------
    cosines : ndarray of float32, (blocks, B)
    rows : (int, int)
        From which row to which.
    hot : ndarray of int
        The blocks, rising.
    t : float
    ids : ndarray of int, (len(hot) · B,)
        Receives the rows.

    Returns
    -------
    int
        How many they are.
    """
    start, stop = rows
    n = 0
    for b in hot:
        for j in range(max(start - b * B, 0), min(stop - b * B, B)):
            if cosines[b, j] >= t:
                ids[n] = b * B + j
                n += 1
    return n
