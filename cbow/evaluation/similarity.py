"""Cosines of pairs of words: a pure function of arrays."""

from __future__ import annotations

import numpy as np

from cbow.evaluation.correlation import Doubles
from cbow.evaluation.lookup import Ids
from cbow.vectors.nearest import ROWS, Floats


def pair_cosines(matrix: Floats, rows: Ids) -> Doubles:
    """Compute the cosine of each pair, a·b / √(a·a b·b): exactly 1 for a word with itself.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    rows : ndarray of int, (n, 2)

    Returns
    -------
    ndarray of float64, (n,)
        0 where a vector is zero, NaN where one is not finite.
    """
    result = np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        a, b = (_scaled(matrix[ids]) for ids in rows[start : start + ROWS].T)  # (ROWS, N)
        lengths = np.sqrt(_dot(a, a) * _dot(b, b))  # (ROWS,)
        result[start : start + ROWS] = _dot(a, b) / np.where(lengths == 0, 1, lengths)
    return result


def _scaled(rows: Floats) -> Doubles:
    """Make the largest entry of each row 1, so that no square overflows or vanishes."""
    wide = rows.astype(np.float64)  # (n, N)
    largest = np.abs(wide).max(axis=1, initial=0, keepdims=True)  # (n, 1)
    with np.errstate(invalid="ignore"):  # inf / inf is NaN, and is told
        wide /= np.where(largest == 0, 1, largest)
    return wide


def _dot(a: Doubles, b: Doubles) -> Doubles:
    """Multiply row by row, (n, N) and (n, N), to (n,)."""
    product: Doubles = (a * b).sum(axis=1)
    return product
