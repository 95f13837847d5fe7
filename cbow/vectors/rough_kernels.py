"""Compiled code: rows rounded to whole numbers of one byte, and cosines with them.

Rows come in blocks of B. Within a block all first entries stand together, then all second ones and
so on: a query's entry is multiplied with B of them at once, and sums over a row need no shuffling.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.system.compiled import compiled
from cbow.system.lanes import dot, largest

#: Rows of a block.
B: Final = 512

#: Entries of a row that are multiplied before they are added to the sum.
TOGETHER: Final = 4

#: The largest whole number that an entry becomes.
LARGEST: Final = 127

Codes = npt.NDArray[np.int8]
Singles = npt.NDArray[np.float32]


@compiled
def round_off(matrix, inverse, mean, part, codes, scales):  # type: ignore[no-untyped-def]
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

    Returns
    -------
    float
        The largest |u - mean - scale · code|² of a row.
    """
    N = matrix.shape[1]
    rest, error = np.empty(N), np.empty(N)
    worst = 0.0
    for b in range(*part):
        for j in range(min(B, len(matrix) - b * B)):
            row = b * B + j
            for d in range(N):
                rest[d] = matrix[row, d] * inverse[row] - mean[d]
            scale = np.float32(largest(np.abs(rest)) / LARGEST)
            scales[b, j] = scale
            per_unit = 1 / scale if scale > 0 else np.float32(0)
            for d in range(N):
                code = min(max(np.rint(rest[d] * per_unit), -LARGEST), LARGEST)
                codes[b, d, j] = np.int8(code)
                error[d] = rest[d] - scale * code
            worst = max(worst, dot(error, error))
    return worst


@compiled
def rough_cosines(codes, scales, query, blocks, cosines, maxima):  # type: ignore[no-untyped-def]
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
def rows_above(cosines, rows, hot, t, ids):  # type: ignore[no-untyped-def]
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
