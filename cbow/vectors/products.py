"""3CosMul: the rows whose cosines with several words give the largest product.

                Π_p (1 + cos(p, r)) / 2
    score(r) = -------------------------        p: words that count for r, n: those against it
               Π_n (1 + cos(n, r)) / 2 + ε

Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word Representations",
equation 4 and footnote 7. One large cosine cannot outweigh the others as it can in a sum.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cbow.vectors.nearest import Doubles, Floats, Found, Ids, chosen, exact_cosines, slack

#: It keeps the denominator from 0. The paper has 0.001, gensim this.
EPSILON: Final = 1e-6

#: Rows handled at a time.
ROWS: Final = 2**14


def score(cosines: Doubles, positive: int, doubt: float = 0) -> Doubles:
    """Combine cosines.

    Parameters
    ----------
    cosines : ndarray, (n, T)
        Of n rows with each term, the positive ones first.
    positive : int
        How many terms are positive.
    doubt : float
        The largest score is given for cosines that are wrong by so much; the least if it is
        negative.

    Returns
    -------
    ndarray, (n,)
    """
    signs = np.where(np.arange(cosines.shape[1]) < positive, doubt, -doubt)  # (T,)
    factors = np.maximum(1 + cosines + signs, 0) / 2  # (n, T)
    above, below = factors[:, :positive].prod(axis=1), factors[:, positive:].prod(axis=1)
    result: Doubles = above / (below + EPSILON)
    return result


@np.errstate(under="ignore")
def largest_products(
    matrix: Floats,
    inverse: Floats,
    terms: Doubles,
    positive: int,
    hidden: Ids,
    topn: int,
    rows: range,
) -> Found:
    """Find the rows of largest score.

    Parameters
    ----------
    matrix : ndarray, (V, N)
    inverse : ndarray, (V,)
        From `cbow.vectors.nearest.inverse_lengths`, without NaN.
    terms : ndarray, (T, N)
        Of length 1, the positive ones first.
    positive : int
        How many terms are positive.
    hidden : ndarray of int
        Rows that are not to be found, each once.
    topn : int
        How many to find; all there are if there are fewer.
    rows : range
        The rows among which to search, one next to the other.

    Returns
    -------
    Found
        With scores in the place of cosines.
    """
    k = min(topn + len(hidden), len(rows))
    if not k:
        return Found(np.empty(0, np.intp), np.empty(0))
    doubt = slack(matrix.dtype, matrix.shape[1])
    least, most = np.empty(len(rows)), np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        these = slice(part.start, part.stop)
        # (n, T), each wrong by `doubt` at most
        rough = (matrix[these] @ terms.T.astype(matrix.dtype)) * inverse[these, None]
        cosines = rough.astype(np.float64)
        least[start : start + ROWS] = score(cosines, positive, -doubt)
        most[start : start + ROWS] = score(cosines, positive, doubt)
    t = np.partition(least, len(rows) - k)[len(rows) - k]
    ids = rows.start + np.flatnonzero(most >= t)
    each = [exact_cosines(matrix, inverse, term, ids) for term in terms]  # T of (n,)
    return chosen(ids, score(np.stack(each, axis=1), positive), hidden, topn)
