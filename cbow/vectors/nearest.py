"""Cosines and the nearest rows: pure functions of arrays.

    cos(q, r) = q·r / (|q| |r|),    0 where a row is zero

A search has two steps. The first computes all cosines in a quick way, each wrong by at most a known
`slack`, and keeps the rows that may be among the nearest. The second computes the cosines of those
few in float64, each in the same way whichever other rows there are. So the answer depends neither
on the quick way, nor on the number of threads, nor on what else is asked at the same time.

The matrix is never copied at unit length: one number per row, 1/|r|, does the same.

3CosMul multiplies cosines, moved to the range from 0 to 1, where a sum of vectors adds them:

                Π_p (1 + cos(p, r)) / 2
    score(r) = -------------------------        p: words that count for r, n: those against it
               Π_n (1 + cos(n, r)) / 2 + ε

(Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations",
equation 4 and footnote 7.) One large cosine cannot outweigh the others as it can in a sum.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.system.arrays import Doubles, Floats, Ids

#: Rows converted to float64 at once: enough to be fast, little to hold.
ROWS: Final = 4096

#: The same where the rows are used several times, and stay in the processor's cache.
FEW_ROWS: Final = 256

#: Neighbouring cosines of which only the largest is compared first, by `may_be_largest`.
BLOCK: Final = 128

#: Keeps 3CosMul from dividing by zero. This is gensim's value; the paper has 0.001. The two differ
#: only where the cosine with a negative word is nearly -1.
EPSILON: Final = 1e-6


class Hits(NamedTuple):
    """The rows nearest to a query."""

    ids: Ids  #: (n,)
    cosines: Floats  #: (n,), falling; equals in the order of the rows


def in_range(vectors: Floats) -> Doubles:
    """Copy vectors, the last axis of an array (..., N), so that no square overflows or vanishes.

    In float64 the squares of float32 do neither. Other vectors are divided by their largest number.
    """
    wide: Doubles = np.array(vectors, np.float64, order="C")  # (..., N)
    if vectors.dtype != np.float32:
        largest = np.abs(wide).max(axis=-1, initial=0, keepdims=True)  # (..., 1)
        largest[largest == 0] = 1
        wide /= largest
    return wide


@np.errstate(under="ignore")
def unit(vectors: Floats) -> Doubles:
    """Scale vectors, the last axis of an array (..., N), to length 1; zero stays zero."""
    wide = in_range(vectors)  # (..., N)
    lengths = np.sqrt(np.einsum("...i,...i->...", wide, wide))[..., None]  # (..., 1)
    wide /= np.where(lengths == 0, 1, lengths)
    return wide


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
        few = ids[part]  # (n,)
        rows = matrix[few].astype(np.float64)  # (n, N)
        rows *= inverse[few, None]  # about 1 long, so that no square overflows
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
    few, blocks = scores, len(scores) // BLOCK
    if 2 * k <= blocks:  # with fewer blocks, t would be far too small
        few = scores[: blocks * BLOCK].reshape(blocks, BLOCK).max(axis=1)  # (blocks,)
    t = np.partition(few, len(few) - k)[len(few) - k]
    return np.flatnonzero(scores >= t - 2 * slack)


def nearest(
    matrix: Floats, inverse: Floats, query: Doubles, excluded: Ids, topn: int, rows: range
) -> Hits:
    """Find the rows of largest cosine.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    query : ndarray, (N,)
        Of length 1.
    excluded : ndarray of int
        Rows that are not to be found, each once.
    topn : int
        How many to find; all there are if there are fewer.
    rows : range
        The rows among which to search, one next to the other.
    """
    part = slice(rows.start, rows.stop)
    scores = cosines(matrix[part], inverse[part], query)  # (len(rows),)
    k = min(topn + len(excluded), len(rows))
    ids = rows.start + may_be_largest(scores, k, slack(matrix.dtype, matrix.shape[1]))
    return select(ids, exact_cosines(matrix, inverse, query, ids), excluded, topn)


def select(ids: Ids, scores: Floats, excluded: Ids, topn: int) -> Hits:
    """Select the largest scores of candidates, in the order of their rows, without the excluded."""
    order = np.argsort(-scores, kind="stable")[: topn + len(excluded)]
    candidates, out = ids[order].tolist(), set(excluded.tolist())  # quicker than np.isin for a few
    order = order[[row not in out for row in candidates]][:topn]
    return Hits(ids[order], scores[order])


def cosmul(above: Floats, below: Floats) -> Floats:
    """Return the scores of 3CosMul from the products above and below the line, (n,) and (n,)."""
    score: Floats = above / (below + EPSILON)
    return score


def product_scores(cosines: Doubles, positive: int, error: float = 0) -> Floats:
    """Compute the scores of 3CosMul from cosines.

    Parameters
    ----------
    cosines : ndarray, (n, T)
        Of n rows with each term, the positive ones first.
    positive : int
        How many terms are positive.
    error : float
        Return the largest scores that cosines wrong by so much allow; the least if it is negative.

    Returns
    -------
    ndarray, (n,)
    """
    signs = np.where(np.arange(cosines.shape[1]) < positive, error, -error)  # (T,)
    factors = np.maximum(1 + cosines + signs, 0) / 2  # (n, T)
    above, below = factors[:, :positive].prod(axis=1), factors[:, positive:].prod(axis=1)
    return cosmul(above, below)


@np.errstate(under="ignore")
def largest_products(
    matrix: Floats,
    inverse: Floats,
    terms: Doubles,
    positive: int,
    excluded: Ids,
    topn: int,
    rows: range,
) -> Hits:
    """Find the rows of largest score by 3CosMul.

    Parameters
    ----------
    matrix, inverse, excluded, topn, rows
        As in `nearest`.
    terms : ndarray, (T, N)
        Of length 1, the positive ones first.
    positive : int
        How many terms are positive.

    Returns
    -------
    Hits
        With scores in the place of cosines.
    """
    k = min(topn + len(excluded), len(rows))
    if not k:
        return Hits(np.empty(0, np.intp), np.empty(0))
    error = slack(matrix.dtype, matrix.shape[1])
    least, most = np.empty(len(rows)), np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        tile = slice(part.start, part.stop)
        # (n, T), each wrong by `error` at most
        quick = (matrix[tile] @ terms.T.astype(matrix.dtype)) * inverse[tile, None]
        wide = quick.astype(np.float64)
        least[start : start + ROWS] = product_scores(wide, positive, -error)
        most[start : start + ROWS] = product_scores(wide, positive, error)
    t = np.partition(least, len(rows) - k)[len(rows) - k]
    ids = rows.start + np.flatnonzero(most >= t)
    each = [exact_cosines(matrix, inverse, term, ids) for term in terms]  # T of (n,)
    return select(ids, product_scores(np.stack(each, axis=1), positive), excluded, topn)
