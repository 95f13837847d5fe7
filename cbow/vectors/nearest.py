"""Cosines and the nearest rows: pure functions of arrays.

    cos(q, r) = q·r / (|q| |r|),    0 where a row is zero

A search has two steps. The first computes all cosines in a quick way, each wrong by at most a known
`slack`, and keeps the rows that may be among the nearest. The second computes the cosines of those
few in float64, each in the same way whichever other rows there are. So the answer depends neither
on the quick way, nor on the number of threads, nor on what else is asked at the same time.

The matrix is never copied at unit length: one number per row, 1/|r|, does the same.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Doubles = npt.NDArray[np.float64]
Ids = npt.NDArray[np.intp]

#: Rows that are handled at once in float64: enough to be fast, little to hold.
ROWS: Final = 4096

#: The same where the rows are looked at several times, and stay in the processor's cache.
FEW_ROWS: Final = 256

#: Neighbouring cosines of which only the largest is looked at first, by `may_be_largest`.
BLOCK: Final = 128


class Found(NamedTuple):
    """The rows that are nearest to a query."""

    ids: Ids  #: (n,)
    cosines: Doubles  #: (n,), falling; equals in the order of the rows


@np.errstate(under="ignore")
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


@np.errstate(under="ignore")
def unit(vectors: Floats) -> Doubles:
    """Scale vectors, the last axis of an array (..., N), to length 1; zero stays zero."""
    wide: Doubles = np.array(vectors, np.float64)  # (..., N)
    if vectors.dtype == np.float64:  # of which squares overflow or vanish
        largest = np.abs(wide).max(axis=-1, initial=0, keepdims=True)  # (..., 1)
        largest[largest == 0] = 1
        wide /= largest
    lengths = np.sqrt(np.add.reduce(wide * wide, axis=-1, keepdims=True))  # (..., 1)
    lengths[lengths == 0] = 1
    wide /= lengths
    return wide


def slack(dtype: npt.DTypeLike, N: int) -> float:
    """Bound the error of a cosine that is computed in a floating-point type.

    In whatever order it is added up, a sum of N products is wrong by at most N u Σ |q_i r_i| and
    terms of second order, u half the distance from 1 to the next number, and that sum is at most
    |q| |r| (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, 2002, section
    3.1). As much again is for products below the normal numbers, the rest for the rounding of q, of
    1/|r| and of the product with it.
    """
    return (2 * N + 16) * float(np.finfo(dtype).eps) / 2


@np.errstate(under="ignore")
def cosines(matrix: Floats, inverse: Floats, query: Doubles) -> Floats:
    """Compute the cosine of a query with every row, up to the `slack` of the matrix's dtype.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`.
    query : ndarray, (N,)
        Of length 1.

    Returns
    -------
    ndarray, (V,)
    """
    result: Floats = matrix @ query.astype(matrix.dtype)  # (V,)
    result *= inverse
    return result


@np.errstate(under="ignore")
def exact_cosines(
    matrix: Floats, inverse: Floats, queries: Doubles, ids: Ids, which: Ids | None = None
) -> Doubles:
    """Compute cosines with some rows in float64, each by itself.

    Rows that are equal get equal cosines, and a row gets the same whichever others are asked for.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`.
    queries : ndarray, (N,) or (Q, N)
        Of length 1.
    ids : ndarray of int, (n,)
        The rows.
    which : ndarray of int, (n,), optional
        Of several queries, the one for each row.

    Returns
    -------
    ndarray, (n,)
    """
    result = np.empty(len(ids))
    for start in range(0, len(ids), FEW_ROWS):
        part = slice(start, start + FEW_ROWS)
        these = ids[part]  # (n,)
        rows = matrix[these].astype(np.float64)  # (n, N)
        rows *= inverse[these, None]  # about 1 long, so that no square overflows
        lengths = np.sqrt(np.add.reduce(rows * rows, axis=1))  # (n,)
        lengths[lengths == 0] = 1
        rows *= queries if which is None else queries[which[part]]
        result[part] = np.add.reduce(rows, axis=1) / lengths
    return result


def may_be_largest(scores: Floats, k: int, slack: float) -> Ids:
    """Find the scores that may be among the k largest if each is wrong by at most `slack`.

    The scores are cut into blocks. k blocks have a maximum no smaller than the k-th largest maximum
    t, so k scores at least are no smaller than t. Each score that is below t by more than twice the
    slack then has k above it for certain.

    Parameters
    ----------
    scores : ndarray, (V,)
        No NaN among them.
    k : int
        From 1 to V.
    slack : float

    Returns
    -------
    ndarray of int
        Their positions, rising; k at least.
    """
    few, whole = scores, len(scores) // BLOCK
    if 2 * k <= whole:  # with fewer blocks, t would be far too small
        few = scores[: whole * BLOCK].reshape(whole, BLOCK).max(axis=1)  # (whole,)
    t = np.partition(few, len(few) - k)[len(few) - k]
    return np.flatnonzero(scores >= t - 2 * slack)


def nearest(
    matrix: Floats, inverse: Floats, query: Doubles, hidden: Ids, topn: int, rows: range
) -> Found:
    """Find the rows of largest cosine.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    query : ndarray, (N,)
        Of length 1.
    hidden : ndarray of int
        Rows that are not to be found, each once.
    topn : int
        How many to find; all there are if there are fewer.
    rows : range
        The rows among which to search, one next to the other.
    """
    part = slice(rows.start, rows.stop)
    scores = cosines(matrix[part], inverse[part], query)  # (len(rows),)
    k = min(topn + len(hidden), len(rows))
    ids = rows.start + may_be_largest(scores, k, slack(matrix.dtype, matrix.shape[1]))
    return chosen(ids, exact_cosines(matrix, inverse, query, ids), hidden, topn)


def chosen(ids: Ids, cosines: Doubles, hidden: Ids, topn: int) -> Found:
    """Choose the largest cosines among candidates, in the order of their rows, but none hidden."""
    order = np.argsort(-cosines, kind="stable")[: topn + len(hidden)]
    found, without = ids[order], set(hidden.tolist())  # quicker than np.isin for a few
    order = order[[row not in without for row in found.tolist()]][:topn]
    return Found(ids[order], cosines[order])
