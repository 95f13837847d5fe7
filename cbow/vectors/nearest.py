"""Cosines and the nearest rows: pure functions of arrays.

    cos(q, r) = q·r / (|q| |r|),    0 where a row is zero

The matrix is never copied at unit length: one number per row, 1/|r|, does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ids = npt.NDArray[np.intp]

#: Rows whose lengths are taken at once: enough to be fast, little to hold in float64.
ROWS: Final = 4096

#: Cosines held at once for a batch of queries (128 MiB in float32).
COSINES: Final = 2**25

#: Neighbouring cosines of which only the largest is looked at first, by `largest`.
BLOCK: Final = 512


def inverse_lengths(matrix: Floats) -> Floats:
    """Compute 1/|r| for every row r, and 0 for a row of zeros or of next to nothing.

    Parameters
    ----------
    matrix : ndarray, (V, N)

    Returns
    -------
    ndarray, (V,)
        In the dtype of `matrix`. NaN where a row is not finite, or so long that its products
        would not be.
    """
    limits = np.finfo(matrix.dtype)
    inverse = np.empty(len(matrix), matrix.dtype)  # (V,)
    for start in range(0, len(matrix), ROWS):
        rows = matrix[start : start + ROWS].astype(np.float64)  # (ROWS, N)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))  # (ROWS,)
        sound = lengths < np.sqrt(limits.max)
        # Below the normal numbers a row has no direction left, and 1/|r| may not be finite.
        lengths[lengths < limits.tiny] = np.inf
        inverse[start : start + ROWS] = np.where(sound, 1 / lengths, np.nan)
    return inverse


def unit(vector: Floats) -> npt.NDArray[np.float64]:
    """Scale a vector (N,) to length 1; zero stays zero."""
    wide = np.asarray(vector, np.float64)  # (N,)
    largest_entry = np.abs(wide).max(initial=0)
    if largest_entry == 0:
        return wide
    wide = wide / largest_entry  # whose squares neither overflow nor vanish
    result: npt.NDArray[np.float64] = wide / np.sqrt(wide @ wide)
    return result


def cosines(matrix: Floats, inverse: Floats, queries: Floats) -> Floats:
    """Compute the cosine of every query with every row.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`.
    queries : ndarray, (Q, N)
        Rows of length 1.

    Returns
    -------
    ndarray, (Q, V)
    """
    result: Floats = queries.astype(matrix.dtype) @ matrix.T  # (Q, V)
    result *= inverse
    return result


def largest(scores: Floats, k: int) -> Ids:
    """Find the k largest scores, the largest first; among equals the first comes first.

    The scores are cut into blocks. k blocks have a maximum no smaller than the k-th largest
    maximum t, so k scores at least are no smaller than t, and only those have to be sorted.

    Parameters
    ----------
    scores : ndarray, (V,)
        No NaN among them.
    k : int
        From 0 to V.

    Returns
    -------
    ndarray, (k,)
        Their positions.
    """
    whole = len(scores) // BLOCK
    if 0 < k <= whole:
        maxima = scores[: whole * BLOCK].reshape(whole, BLOCK).max(axis=1)  # (whole,)
        candidates = np.flatnonzero(scores >= np.partition(maxima, whole - k)[whole - k])
    else:
        candidates = np.arange(len(scores))
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order[:k]]


def nearest(
    matrix: Floats, inverse: Floats, queries: Floats, excluded: Sequence[Ids], topn: int
) -> list[tuple[Ids, Floats]]:
    """Find the rows of largest cosine for each query.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    queries : ndarray, (Q, N)
        Rows of length 1.
    excluded : sequence of Q arrays of int
        Rows that are not to be found, each once.
    topn : int
        How many to find; all there are if there are fewer.

    Returns
    -------
    list of Q pairs of ndarray
        Row numbers and their cosines, the largest first; equals in the order of the rows.
    """
    results = []
    step = max(1, COSINES // max(1, len(matrix)))
    for start in range(0, len(queries), step):
        scores = cosines(matrix, inverse, queries[start : start + step])  # (step, V)
        for row, hidden in zip(scores, excluded[start : start + step], strict=True):
            row[hidden] = -np.inf
            ids = largest(row, min(topn, len(row) - len(hidden)))
            results.append((ids, row[ids]))
    return results
