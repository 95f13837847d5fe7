"""Three ways to find the nearest rows: the answer is the same, the time is not.

One query goes through all rows (`cbow.vectors.nearest`). Many queries of a large matrix pay for a
rough copy of it (`cbow.vectors.rough`). A batch goes through the matrix a tile of rows at a time:
a tile's cosines S (R, Q) are a matrix product that stays in the processor's cache. Of B rows next
to each other the largest cosine with each query is taken, (R/B, Q). The k-th largest t of all those
so far bounds the k-th largest cosine from below, so only where the largest reaches t are the
cosines themselves looked at: in the first tile often, later hardly ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.system.arrays import Doubles, Floats, Ids
from cbow.vectors.nearest import Hits, exact_cosines, nearest, slack

if TYPE_CHECKING:
    from cbow.vectors.rough import RoughCopy

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


class Search:
    """Finds the nearest rows of a matrix.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    """

    def __init__(self, matrix: Floats, inverse: Floats) -> None:
        self._matrix = matrix
        self._inverse = inverse
        self._entries_read = 0
        self._rough: RoughCopy | None = None

    def __call__(
        self, queries: Doubles, excluded: Sequence[Ids], topn: int, rows: range
    ) -> list[Hits]:
        """Find the rows of largest cosine for each query.

        Parameters
        ----------
        queries : ndarray, (Q, N)
            Rows of length 1.
        excluded : sequence of Q arrays of int
            Rows that are not to be found, each once.
        topn : int
            How many to find; all there are if there are fewer.
        rows : range
            The rows among which to search, one next to the other.
        """
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

                    self._rough = RoughCopy(matrix, inverse)
                self._entries_read += len(rows) * matrix.shape[1]
            if self._rough is None:
                hits.append(nearest(matrix, inverse, query, own, topn, rows))
            else:
                hits.append(self._rough.nearest(query, own, topn, rows))
        return hits


@np.errstate(under="ignore")
def nearest_to_each(
    matrix: Floats,
    inverse: Floats,
    queries: Doubles,
    excluded: Sequence[Ids],
    topn: int,
    rows: range,
) -> list[Hits]:
    """Find the rows of largest cosine for each query: the same as `nearest`, but quicker.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    queries, excluded, topn, rows
        As in `Search`.
    """
    from cbow.system.threads import (
        processors,
        single_threaded_blas,  # here, for one query does without
        thread_pool,
    )

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
    """Find the rows that may be among the k nearest to each query; None if they are too many.

    Parameters
    ----------
    matrix, inverse, queries, rows
        As in `nearest_to_each`.
    k : int
        At most the number of rows.
    """
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
