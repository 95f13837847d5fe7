"""The rows nearest to each of many queries, a tile of rows at a time.

A tile's cosines S (R, Q) are a matrix product that stays in the processor's cache. Of B rows next
to each other the largest cosine with each query is taken, (R/B, Q). The k-th largest t of all those
so far bounds the k-th largest cosine from below, so only where the largest reaches t are the
cosines themselves looked at: in the first tile often, later hardly ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.system.blas import single_threaded_blas
from cbow.system.processors import processors, thread_pool
from cbow.vectors.nearest import Doubles, Floats, Found, Ids, exact_cosines, nearest, slack

Singles = npt.NDArray[np.float32]

#: Rows of a tile, and those of which the largest cosine is taken together.
R: Final = 2048
B: Final = 32

#: Queries that a thread answers at a time, at most: the more, the better for the product.
QUERIES: Final = 512

#: As many as a tile has blocks: with more to be found, the first tile would rule nothing out.
LARGEST_K: Final = R // B

#: Candidates kept for a query, on average. More of them are equal, or nearly: then it is better to
#: ask one query after the other.
MOST: Final = 4 * R


class Pairs(NamedTuple):
    """Cosines of rows with queries."""

    ids: Ids  #: (n,), rows of the matrix
    queries: Ids  #: (n,), rows of the queries
    cosines: Singles  #: (n,), up to the slack of float32


@np.errstate(under="ignore")
def nearest_to_each(
    matrix: Floats,
    inverse: Floats,
    queries: Doubles,
    hidden: Sequence[Ids],
    topn: int,
    rows: range,
) -> list[Found]:
    """Find the rows of largest cosine for each query: the same as by `nearest`, but quicker.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `inverse_lengths`, without NaN.
    queries : ndarray, (Q, N)
        Rows of length 1.
    hidden : sequence of Q arrays of int
        Rows that are not to be found, each once.
    topn : int
        How many to find; all there are if there are fewer.
    rows : range
        The rows among which to search, one next to the other.
    """
    threads = processors()
    size = min(QUERIES, -(-len(queries) // threads))

    def answer(start: int) -> list[Found]:
        part = slice(start, start + size)
        return _answer(matrix, inverse, queries[part], hidden[part], topn, rows)

    starts = range(0, len(queries), size)
    with single_threaded_blas(), thread_pool(threads) as (pool, _):
        return [found for part in pool.map(answer, starts) for found in part]


def _answer(
    matrix: Floats,
    inverse: Floats,
    queries: Doubles,
    hidden: Sequence[Ids],
    topn: int,
    rows: range,
) -> list[Found]:
    """Answer the queries of one thread."""
    k = topn + max(map(len, hidden))
    pairs = None
    if k <= min(LARGEST_K, len(rows)):
        pairs = candidates(matrix, inverse, queries, k, rows)
    if pairs is None:
        each = zip(queries, hidden, strict=True)
        return [nearest(matrix, inverse, query, own, topn, rows) for query, own in each]
    return _sorted_out(matrix, inverse, queries, hidden, topn, pairs)


def candidates(
    matrix: Floats, inverse: Floats, queries: Doubles, k: int, rows: range
) -> Pairs | None:
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
    unit_rows, room = np.empty((R, N), np.float32), np.empty((R, Q), np.float32)
    highest = np.full((k, Q), -np.inf, np.float32)  # (k, Q), of the blocks so far
    kept, size = [], 0
    for start in range(rows.start, rows.stop, R):
        tile = slice(start, min(start + R, rows.stop))
        n = tile.stop - start
        blocks = -(-n // B)
        U = np.multiply(matrix[tile], inverse[tile, None], out=unit_rows[:n])  # (n, N)
        np.matmul(U, QT, out=room[:n])
        room[n : blocks * B] = -np.inf  # no rows
        S = room[: blocks * B].reshape(blocks, B, Q)
        block_maxima = S.max(axis=1)  # (blocks, Q)
        highest = np.partition(np.concatenate((highest, block_maxima)), blocks, axis=0)[blocks:]
        t = np.maximum(highest[0] - doubt, -2)  # (Q,), at first with all rows but none of no row
        block, query = np.nonzero(block_maxima >= t)  # (hot,)
        cosines = S[block, :, query]  # (hot, B)
        hot, place = np.nonzero(cosines >= t[query, None])  # (n,)
        kept.append(Pairs(start + block[hot] * B + place, query[hot], cosines[hot, place]))
        size += len(hot)
        if size > MOST * Q:
            return None
    together = Pairs(*map(np.concatenate, zip(*kept, strict=True)))
    last = together.cosines >= t[together.queries]
    return Pairs(*(each[last] for each in together))


def _sorted_out(
    matrix: Floats,
    inverse: Floats,
    queries: Doubles,
    hidden: Sequence[Ids],
    topn: int,
    pairs: Pairs,
) -> list[Found]:
    """Choose for each query the largest cosines among candidates."""
    V, Q = len(matrix), len(queries)
    own = np.concatenate([query * V + ids for query, ids in enumerate(hidden)])
    shown = ~np.isin(pairs.queries * V + pairs.ids, own)
    ids, query = pairs.ids[shown], pairs.queries[shown]
    cosines = exact_cosines(matrix, inverse, queries, ids, query)
    order = np.lexsort((ids, -cosines, query))
    ids, cosines = ids[order], cosines[order]
    edges = np.searchsorted(query[order], np.arange(Q + 1)).tolist()  # (Q + 1,)
    cuts = [slice(a, min(a + topn, b)) for a, b in pairwise(edges)]
    return [Found(ids[cut], cosines[cut]) for cut in cuts]
