"""Which way the nearest rows are found: the answer is the same, the time is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cbow.vectors.nearest import Doubles, Floats, Found, Ids, nearest

if TYPE_CHECKING:
    from cbow.vectors.rough import Rough

#: Queries from which on a batch is quicker than one after the other.
MANY: Final = 16

#: Entries of a matrix from which on a rough copy is of use.
LARGE: Final = 2**22

#: Entries gone through, by queries one after the other, before the rough copy is made: to make it,
#: and to load the compiler for it, takes about as long.
PATIENCE: Final = 2**30


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
        self._gone_through = 0
        self._rough: Rough | None = None

    def __call__(
        self, queries: Doubles, hidden: Sequence[Ids], topn: int, rows: range
    ) -> list[Found]:
        """Find the rows of largest cosine for each query.

        Parameters
        ----------
        queries : ndarray, (Q, N)
            Rows of length 1.
        hidden : sequence of Q arrays of int
            Rows that are not to be found, each once.
        topn : int
            How many to find; all there are if there are fewer.
        rows : range
            The rows among which to search, one next to the other.
        """
        if not topn or not rows:
            return [Found(np.empty(0, np.intp), np.empty(0)) for _ in queries]
        if len(queries) >= MANY:
            from cbow.vectors.batch import nearest_to_each  # it loads what one query needs not

            return nearest_to_each(self._matrix, self._inverse, queries, hidden, topn, rows)
        each = zip(queries, hidden, strict=True)
        return [self._nearest(query, own, topn, rows) for query, own in each]

    def _nearest(self, query: Doubles, hidden: Ids, topn: int, rows: range) -> Found:
        """Answer one query."""
        if self._matrix.size >= LARGE:
            if self._gone_through >= PATIENCE and self._rough is None:
                from cbow.vectors.rough import Rough  # it loads the compiler

                self._rough = Rough(self._matrix, self._inverse)
            if self._rough is not None:
                return self._rough.nearest(query, hidden, topn, rows)
            self._gone_through += len(rows) * self._matrix.shape[1]
        return nearest(self._matrix, self._inverse, query, hidden, topn, rows)
