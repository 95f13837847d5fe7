"""Cosines and the nearest rows: the answer is the same in every way, the time is not.

    cos(q, r) = q·r / (|q| |r|),    0 where a row is zero

A search has two steps. The first computes all cosines in a quick way, each wrong by at most a known
`slack`, and keeps the rows that may be among the nearest. The second computes the cosines of those
few in float64, each in the same way whichever other rows there are. So the answer depends neither
on the quick way, nor on the number of threads, nor on what else is asked at the same time.

The matrix is never copied at unit length: one number per row, 1/|r|, does the same. The arguments
have the same names everywhere:

    matrix      (V, N), a vector per row
    inverse     (V,), 1/|r| of each row, from `inverse_lengths`, without NaN
    query       (N,), of length 1; queries are (Q, N)
    excluded    rows that are not to be found, each once; of several queries, a list for each
    topn        how many rows to find; all there are if there are fewer
    rows        a range, the rows among which to search

**Quick ways.** One query goes through all rows (`nearest`). Many queries of a large matrix, one
after the other, pay for a rough copy of it (`cbow.vectors.rough`). A batch goes through the matrix
a tile of rows at a time (`candidates`): a tile's cosines S (R, Q) are a matrix product that stays
in the processor's cache. Of B rows next to each other the largest cosine with each query is taken,
(R/B, Q). The k-th largest t of all those so far bounds the k-th largest cosine from below, so only
where the largest reaches t are the cosines themselves looked at: in the first tile often, later
hardly ever.

**3CosMul** multiplies cosines, moved to the range from 0 to 1, where a sum of vectors adds them:

                Π_p (1 + cos(p, r)) / 2
    score(r) = -------------------------        p: words that count for r, n: those against it
               Π_n (1 + cos(n, r)) / 2 + ε

(Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations",
equation 4 and footnote 7.) One large cosine cannot outweigh the others as it can in a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.system.arrays import Doubles, Floats, Ids

if TYPE_CHECKING:
    from cbow.vectors.rough import RoughCopy

#: Rows converted to float64 at once: enough to be fast, little to hold.
ROWS: Final = 4096

#: The same where the rows are used several times, and stay in the processor's cache.
FEW_ROWS: Final = 256

#: Neighbouring cosines of which only the largest is compared first, by `may_be_largest`.
BLOCK: Final = 128

#: Keeps 3CosMul from dividing by zero. This is gensim's value; the paper has 0.001. The two differ
#: only where the cosine with a negative word is nearly -1.
EPSILON: Final = 1e-6

#: Queries from which on a batch is quicker than one after the other.
MANY: Final = 16

#: Entries of a matrix from which on a rough copy is of use.
LARGE: Final = 2**22

#: Entries read by queries one after the other before the rough copy is made: to make it, and to
#: load the compiler for it, takes about as long.
PATIENCE: Final = 2**30

#: Rows of a tile, and those of which the largest cosine is taken together.
R: Final = 2048
B: Final = 32

#: Queries that a thread answers at a time, at most: the more, the better for the product.
QUERIES: Final = 512

#: As many as a tile has blocks: with more to be found, the first tile would rule nothing out.
LARGEST_K: Final = R // B

#: Candidates kept for a query, on average. More of them are equal, or nearly: then it is better to
#: answer one query after the other.
MOST: Final = 4 * R


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
    """Compute 1/|r| for every row r, and 0 for a row of zeros or of next to nothing, (V,).

    It is in the dtype of `matrix`, and NaN where a row is not finite, or so long that its products
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
    """Compute the cosines with all rows, (V,), up to the `slack` of the matrix's dtype."""
    result: Floats = matrix @ query.astype(matrix.dtype)  # (V,)
    result *= inverse
    return result


@np.errstate(under="ignore")
def exact_cosines(
    matrix: Floats, inverse: Floats, queries: Doubles, ids: Ids, which: Ids | None = None
) -> Doubles:
    """Compute cosines with n rows in float64, each by itself, (n,).

    Rows that are equal get equal cosines, and a row gets the same whichever others are asked for.

    Parameters
    ----------
    matrix, inverse
    queries : ndarray, (N,) or (Q, N)
    ids : ndarray of int, (n,)
        The rows.
    which : ndarray of int, (n,), optional
        Of several queries, the one for each row.
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
    matrix: Floats,
    inverse: Floats,
    query: Doubles,
    excluded: Ids,
    topn: int,
    rows: range,
    ids: Ids | None = None,
) -> Hits:
    """Find the rows of largest cosine, among `ids`, rising, if a quicker way has found these."""
    if ids is None:
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


@np.errstate(under="ignore")
def nearest_to_each(
    matrix: Floats,
    inverse: Floats,
    queries: Doubles,
    excluded: Sequence[Ids],
    topn: int,
    rows: range,
) -> list[Hits]:
    """Find the rows of largest cosine for each query: the same as `nearest`, but quicker."""
    # Here, for one query does without.
    from cbow.system.threads import processors, single_threaded_blas, thread_pool

    V, threads = len(matrix), processors()
    size = min(QUERIES, -(-len(queries) // threads))

    def answer(start: int) -> list[Hits]:
        """Answer the queries of one thread."""
        mine, out = queries[start : start + size], excluded[start : start + size]
        k = topn + max(map(len, out))
        near = None
        if k <= min(LARGEST_K, len(rows)):
            near = candidates(matrix, inverse, mine, k, rows)
        if near is None:
            each = zip(mine, out, strict=True)
            return [nearest(matrix, inverse, query, own, topn, rows) for query, own in each]
        places = np.concatenate([query * V + ids for query, ids in enumerate(out)])
        kept = ~np.isin(near.queries * V + near.ids, places)
        ids, which = near.ids[kept], near.queries[kept]
        cosines = exact_cosines(matrix, inverse, mine, ids, which)
        order = np.lexsort((ids, -cosines, which))
        ids, cosines = ids[order], cosines[order]
        edges = np.searchsorted(which[order], np.arange(len(mine) + 1)).tolist()  # (Q + 1,)
        cuts = [slice(a, min(a + topn, b)) for a, b in pairwise(edges)]
        return [Hits(ids[cut], cosines[cut]) for cut in cuts]

    starts = range(0, len(queries), size)
    with single_threaded_blas(), thread_pool(threads) as (pool, _):
        return [hits for part in pool.map(answer, starts) for hits in part]


class Candidates(NamedTuple):
    """Rows that may be among the nearest to queries, with their cosines."""

    ids: Ids  #: (n,), rows of the matrix
    queries: Ids  #: (n,), rows of the queries
    cosines: npt.NDArray[np.float32]  #: (n,), up to the slack of float32


def candidates(
    matrix: Floats, inverse: Floats, queries: Doubles, k: int, rows: range
) -> Candidates | None:
    """Find the rows that may be among the k nearest to each query; None if they are too many."""
    N, Q = matrix.shape[1], len(queries)
    doubt = 2 * slack(np.float32, N)
    QT = np.ascontiguousarray(queries.T, np.float32)  # (N, Q)
    unit_rows, buffer = np.empty((R, N), np.float32), np.empty((R, Q), np.float32)
    highest = np.full((k, Q), -np.inf, np.float32)  # (k, Q), of the blocks so far
    kept, size = [], 0
    for start in range(rows.start, rows.stop, R):
        tile = slice(start, min(start + R, rows.stop))
        n = tile.stop - start
        blocks = -(-n // B)
        U = np.multiply(matrix[tile], inverse[tile, None], out=unit_rows[:n])  # (n, N)
        np.matmul(U, QT, out=buffer[:n])
        buffer[n : blocks * B] = -np.inf  # no rows
        S = buffer[: blocks * B].reshape(blocks, B, Q)
        block_maxima = S.max(axis=1)  # (blocks, Q)
        highest = np.partition(np.concatenate((highest, block_maxima)), blocks, axis=0)[blocks:]
        t = np.maximum(highest[0] - doubt, -2)  # (Q,), at first with all rows but none of no row
        block, query = np.nonzero(block_maxima >= t)  # (hot,)
        cosines = S[block, :, query]  # (hot, B)
        hot, place = np.nonzero(cosines >= t[query, None])  # (n,)
        kept.append(Candidates(start + block[hot] * B + place, query[hot], cosines[hot, place]))
        size += len(hot)
        if size > MOST * Q:
            return None
    together = Candidates(*map(np.concatenate, zip(*kept, strict=True)))
    last = together.cosines >= t[together.queries]
    return Candidates(*(each[last] for each in together))


class Search:
    """Finds the nearest rows of a matrix in the quickest way, and keeps a rough copy if it pays."""

    def __init__(self, matrix: Floats, inverse: Floats) -> None:
        self._matrix = matrix
        self._inverse = inverse
        self._entries_read = 0
        self._rough: RoughCopy | None = None

    def __call__(
        self, queries: Doubles, excluded: Sequence[Ids], topn: int, rows: range
    ) -> list[Hits]:
        """Find the rows of largest cosine for each query."""
        matrix, inverse = self._matrix, self._inverse
        if not topn or not rows:
            return [Hits(np.empty(0, np.intp), np.empty(0)) for _ in queries]
        if len(queries) >= MANY:
            return nearest_to_each(matrix, inverse, queries, excluded, topn, rows)
        hits = []
        for query, own in zip(queries, excluded, strict=True):
            if self._rough is None and matrix.size >= LARGE:
                if self._entries_read >= PATIENCE:
                    from cbow.vectors.rough import RoughCopy  # it loads the compiler

                    self._rough = RoughCopy(matrix, inverse, slack(np.float32, matrix.shape[1]))
                self._entries_read += len(rows) * matrix.shape[1]
            ids = None
            if self._rough is not None:
                ids = self._rough.candidates(query, topn + len(own), rows)
            hits.append(nearest(matrix, inverse, query, own, topn, rows, ids))
        return hits


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
    """Find the rows of largest score by 3CosMul; the hits have scores in the place of cosines.

    Parameters
    ----------
    matrix, inverse, excluded, topn, rows
    terms : ndarray, (T, N)
        Of length 1, the positive ones first.
    positive : int
        How many terms are positive.
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
