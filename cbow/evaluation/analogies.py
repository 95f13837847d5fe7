"""Analogies: a is to b as c is to what? And how sure the share of right answers is.

With A, B, C the cosines of a word x with a, b and c, and Â = (1 + A) / 2 and so on, from 0 to 1,
the answer is the word x of the largest

    3CosAdd    B - A + C              (Mikolov, Yih, Zweig 2013)
    3CosMul    B̂ Ĉ / (Â + ε)          (Levy & Goldberg 2014; `cbow.vectors.nearest` has ε)

a, b and c themselves are no answers. Among equals the first word, the most frequent, is the answer.
As in `cbow.vectors.nearest`, scores are computed in a quick way first; what may be the largest is
computed anew in float64, word by word, so that the answer does not depend on the processor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

from cbow.evaluation.rules import METHODS
from cbow.evaluation.similarity import CONFIDENCE
from cbow.system.arrays import Floats, Ids
from cbow.vectors.nearest import EPSILON, cosmul, product_scores, slack, unit

#: Cosines held at once, of the words of questions with all words (64 MiB in float32).
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
        Rows that are no answers to a question with a word, if not its own; see `find_variants`.

    Returns
    -------
    ndarray of int, (n,)
        Row numbers; -1 where every word is one of the question.
    """
    best = np.empty(len(questions), np.intp)
    error = slack(matrix.dtype, matrix.shape[1])  # of a cosine
    for block in _blocks(questions, max(3, COSINES // max(1, len(matrix)))):
        words, places = np.unique(questions[block], return_inverse=True)  # (D,), (block, 3)
        directions = unit(matrix[words])  # (D, N)
        S: Floats = directions.astype(matrix.dtype) @ matrix.T  # (D, V)
        S *= inverse
        lowest = S.min(axis=1).tolist()  # (D,)
        factors = _factors(method, S)
        for i, abc in enumerate(places.reshape(-1, 3), block.start):
            scores = _score(method, *(factors[word] for word in abc))  # (V,)
            for word in questions[i].tolist():
                scores[variants.get(word, word)] = -np.inf
            top = float(scores.max())
            near = np.flatnonzero(scores >= top - _reach(method, top, lowest[abc[0]], error))
            near = near[scores[near] > -np.inf]
            if len(near) > CLOSE and method != METHODS[0]:  # as where a word is opposite to a
                cosines = S[abc[[1, 2, 0]][:, None], near].T.astype(np.float64)  # (near, 3)
                certain = product_scores(cosines, 2, -error).max()
                near = near[product_scores(cosines, 2, error) >= certain]
            if 1 < len(near) <= CLOSE:
                rows = unit(matrix[near])  # (near, N)
                exact = ((rows * each).sum(axis=1) for each in directions[abc])  # 3 times (near,)
                best[i] = near[_score(method, *(_factors(method, A) for A in exact)).argmax()]
            else:
                best[i] = scores.argmax() if len(near) else -1
    return best


def _blocks(questions: Ids, limit: int) -> Iterator[slice]:
    """Cut the questions into runs in which no more than `limit` distinct words occur."""
    start, words = 0, set[int]()
    for i, question in enumerate(questions.tolist()):
        if len(words.union(question)) > limit:
            yield slice(start, i)
            start, words = i, set()
        words.update(question)
    yield slice(start, len(questions))


def _factors(method: str, S: Floats) -> Floats:
    """Return cosines as the method takes them."""
    return S if method == METHODS[0] else (1 + S) / 2


def _score(method: str, A: Floats, B: Floats, C: Floats) -> Floats:
    """Score every word by its factors with a, b and c, (V,) each."""
    return B - A + C if method == METHODS[0] else cosmul(B * C, A)


def _reach(method: str, top: float, lowest: float, error: float) -> float:
    """Bound how far below the largest quick score, `top`, that of the true answer may be.

    Twice the error of a score, and half as much again or more for rounding. Of the quotient it is
    (B̂ + Ĉ + B̂ Ĉ / (Â + ε)) / (Â + ε) times that of Â, B̂ and Ĉ, half of that of a cosine; `lowest`
    is the lowest cosine with a.
    """
    if method == METHODS[0]:
        return 9 * error
    return 2 * (2 + top) * error / (max((1 + lowest) / 2 - error, 0.0) + EPSILON)


class Accuracy(NamedTuple):
    """How many questions were answered rightly, with Wilson's interval of the share."""

    right: int
    counted: int
    share: float | None  #: right / counted; None where nothing was counted, as are the ends
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, int | float | None]:
        """Return every number by its name, for JSON."""
        return {**self._asdict()}


def accuracy(right: int, counted: int) -> Accuracy:
    """Return the share of right answers and the 95 % interval of Wilson (1927).

        (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n),    z = 1.96

    It takes the questions for independent. Those of one section share words, so the truth is wider.

    Examples
    --------
    >>> accuracy(8, 10)._asdict()["share"], round(accuracy(8, 10).low, 4)
    (0.8, 0.4902)
    """
    if counted == 0:
        return Accuracy(right, counted, None, None, None)
    z, n, p = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), counted, right / counted
    middle = p + z**2 / (2 * n)
    reach = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * reach) / (1 + z**2 / n) for side in (-1, 1))
    # At 0 and n the interval ends there, but for rounding.
    return Accuracy(right, counted, p, low if right else 0.0, high if right < n else 1.0)


def mcnemar(only_first: int, only_second: int) -> float:
    """Test whether two answer alike often, from the questions that one alone answered rightly.

    Returns
    -------
    float
        How likely so uneven a split is if each side of it is as likely as the other: the exact
        two-sided p of McNemar (1947). 1 where the two never differ.
    """
    if only_first + only_second == 0:
        return 1.0
    from scipy.stats import binomtest  # here, for it takes long to import

    return float(binomtest(only_first, only_first + only_second).pvalue)
