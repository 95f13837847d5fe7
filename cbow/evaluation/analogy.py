"""Analogies: a is to b as c is to what? Pure functions of arrays.

With A, B, C the cosines of a word x with a, b and c, and Â = (1 + A) / 2 and so on, from 0 to 1,
the answer is the word x of the largest

    3CosAdd    B - A + C              (Mikolov, Yih, Zweig 2013)
    3CosMul    B̂ Ĉ / (Â + ε)          (Levy & Goldberg 2014, equation 4 and footnote 7; ε = 0.001)

a, b and c themselves are no answers. Among equals the first word, the most frequent, is the answer.
As in `cbow.vectors.nearest`, scores are computed in a quick way first; what may be the largest is
computed anew in float64, word by word, so that the answer does not hang on the processor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from cbow.evaluation.correlation import Doubles
from cbow.evaluation.lookup import Ids
from cbow.evaluation.rules import METHODS
from cbow.vectors.nearest import Floats, slack, unit

ADD = METHODS[0]

#: Keeps 3CosMul from dividing by zero.
EPSILON: Final = 0.001

#: Cosines held at once, of the words asked about with all words (64 MiB in float32).
COSINES: Final = 2**24

#: Scores of so many words at most are computed anew. Where more may be the largest, the vectors
#: hardly tell words apart; then the quick scores decide, or it would take hours.
CLOSE: Final = 1000


def answers(
    matrix: Floats, inverse: Floats, questions: Ids, method: str, variants: Mapping[int, Ids]
) -> Ids:
    """Answer every question.

    Parameters
    ----------
    matrix : ndarray, (V, N)
        The vectors of the words that may be answers.
    inverse : ndarray, (V,)
        From `cbow.vectors.nearest.inverse_lengths`, without NaN.
    questions : ndarray of int, (n, 3)
        The rows of a, b and c.
    method : {"3CosAdd", "3CosMul"}
    variants : mapping of int to ndarray of int
        Rows that are no answers where a word is asked about, if not its own; see `find_variants`.

    Returns
    -------
    ndarray of int, (n,)
        Row numbers; -1 where every word is one of the question.
    """
    found = np.empty(len(questions), np.intp)
    error = slack(matrix.dtype, matrix.shape[1])  # of a cosine
    for block in _blocks(questions, max(3, COSINES // max(1, len(matrix)))):
        words, places = np.unique(questions[block], return_inverse=True)  # (D,), (block, 3)
        directions = unit(matrix[words])  # (D, N)
        S: Floats = directions.astype(matrix.dtype) @ matrix.T  # (D, V)
        S *= inverse
        S = _scaled(method, S)
        least = S.min(axis=1).tolist()  # (D,)
        for i, abc in enumerate(places.reshape(-1, 3), block.start):
            scores = _score(method, *(S[word] for word in abc))  # (V,)
            for word in questions[i].tolist():
                scores[variants.get(word, word)] = -np.inf
            top = float(scores.max())
            near = np.flatnonzero(scores >= top - _reach(method, top, least[abc[0]], error))
            found[i] = _first(method, scores, near, matrix, directions[abc])
    return found


def _blocks(questions: Ids, limit: int) -> Iterator[slice]:
    """Cut the questions into runs in which no more than `limit` distinct words occur."""
    start, words = 0, set[int]()
    for i, question in enumerate(questions.tolist()):
        if len(words.union(question)) > limit:
            yield slice(start, i)
            start, words = i, set()
        words.update(question)
    yield slice(start, len(questions))


def _scaled(method: str, S: Floats) -> Floats:
    """Return cosines as the method wants them."""
    return S if method == ADD else (1 + S) / 2


def _score(method: str, A: Floats, B: Floats, C: Floats) -> Floats:
    """Score every word by its scaled cosines with a, b and c, (V,) each."""
    return B - A + C if method == ADD else B * C / (A + EPSILON)


def _reach(method: str, top: float, least: float, error: float) -> float:
    """Bound how far below the largest quick score, `top`, that of the true answer may be.

    Twice the error of a score, and half as much again or more for rounding. Of the quotient it is
    (B̂ + Ĉ + B̂ Ĉ / (Â + ε)) / (Â + ε) times that of Â, B̂ and Ĉ, half of that of a cosine.
    """
    if method == ADD:
        return 9 * error
    return 2 * (2 + top) * error / (max(least, 0.0) + EPSILON)


def _first(method: str, scores: Floats, near: Ids, matrix: Floats, directions: Doubles) -> int:
    """Find the largest score among those near it; -1 if no word may be the answer.

    Parameters
    ----------
    scores : ndarray, (V,)
        Computed in the quick way; minus infinity for words of the question.
    near : ndarray of int
        The rows that may have the largest.
    matrix : ndarray, (V, N)
    directions : ndarray, (3, N)
        Of a, b and c.
    """
    near = near[scores[near] > -np.inf]
    if not len(near):
        return -1
    if not 1 < len(near) <= CLOSE:
        return int(scores.argmax())
    rows = unit(matrix[near])  # (near, N)
    exact = (_scaled(method, (rows * each).sum(axis=1)) for each in directions)  # 3 times (near,)
    return int(near[_score(method, *exact).argmax()])
