"""The mathematics of an evaluation: cosines of word pairs, answers to analogies, how sure both are.

**Word pairs.** How cosines correlate with scores:

    ρ = Σ r s / √(Σ r² Σ s²)

r and s are the ranks of x and y less their mean (n + 1) / 2; equal values share the mean of their
ranks (Spearman 1904). The bootstrap draws n items out of n with replacement, again and again, and
computes ρ each time (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3).

**Analogies.** a is to b as c is to what? With A, B, C the cosines of a word x with a, b and c, and
Â = (1 + A) / 2 and so on, from 0 to 1, the answer is the word x of the largest

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

from cbow.evaluation import METHODS
from cbow.system.arrays import Doubles, Floats, Ids
from cbow.vectors.nearest import EPSILON, ROWS, cosmul, in_range, product_scores, slack, unit

#: The share of resamples that an interval holds.
CONFIDENCE: Final = 0.95

#: Items drawn at once.
DRAWN: Final = 2**20

#: Cosines held at once, of the words of questions with all words (64 MiB in float32).
COSINES: Final = 2**24

#: Scores of so many words at most are computed anew. Where more may be the largest, the vectors
#: hardly tell words apart; then the quick scores decide, or it would take hours.
CLOSE: Final = 1000


# Word pairs ----------------------------------------------------------------------------------


class Interval(NamedTuple):
    """Where the middle 95 % of the resamples lie."""

    low: float
    high: float
    resamples: int  #: those that had a correlation


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
    cosines = np.empty(len(rows))
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        with np.errstate(invalid="ignore"):  # inf / inf is NaN, and is told
            a, b = (in_range(matrix[ids]) for ids in rows[part].T)  # (ROWS, N)
            lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))  # (ROWS,)
            cosines[part] = (a * b).sum(axis=1) / np.where(lengths == 0, 1, lengths)
    return cosines


def spearman(x: Doubles, y: Doubles) -> Doubles:
    """Compute Spearman's ρ along the last axis, (..., n); NaN where all x or all y are equal."""
    middle = (x.shape[-1] + 1) / 2
    return _correlation(ranks(x) - middle, ranks(y) - middle)


def ranks(x: Doubles) -> Doubles:
    """Rank the values along the last axis, (..., n), from 1; equal ones share their mean rank.

    Where a value is NaN, so are all ranks of its row.
    """
    order = np.argsort(x, axis=-1)
    ordered, place = np.take_along_axis(x, order, axis=-1), np.arange(x.shape[-1])
    edge = np.ones((*x.shape[:-1], 1), bool)
    differs = ordered[..., 1:] != ordered[..., :-1]
    # The first and the last place of the equal values that each is one of.
    begins, ends = (np.concatenate(parts, axis=-1) for parts in ((edge, differs), (differs, edge)))
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=-1)
    last = np.where(ends, place, x.shape[-1])[..., ::-1]
    last = np.minimum.accumulate(last, axis=-1)[..., ::-1]
    ranked = np.empty(x.shape)
    np.put_along_axis(ranked, order, (first + last) / 2 + 1, axis=-1)
    ranked[np.isnan(x).any(axis=-1)] = np.nan
    return ranked


def pearson(x: Doubles, y: Doubles) -> float:
    """Compute Pearson's correlation, (n,); NaN if all x or all y are equal."""
    r, s = (in_range(values - values.mean()) for values in (in_range(x), in_range(y)))
    return float(_correlation(r, s))


def _correlation(r: Doubles, s: Doubles) -> Doubles:
    """Divide Σ r s by √(Σ r² Σ s²), of values with mean 0, along the last axis."""
    with np.errstate(invalid="ignore"):
        ratio: Doubles = (r * s).sum(axis=-1) / np.sqrt((r * r).sum(axis=-1) * (s * s).sum(axis=-1))
    return ratio


def resampled_spearman(X: Doubles, y: Doubles, resamples: int, seed: int) -> Doubles:
    """Compute Spearman's ρ of each row of X with y, all in the same resamples.

    Parameters
    ----------
    X : ndarray, (k, n)
    y : ndarray, (n,)
    resamples, seed : int

    Returns
    -------
    ndarray, (k, resamples)
        NaN where a resample has no correlation.
    """
    rng, n = np.random.default_rng(seed), len(y)
    rho, step = np.empty((len(X), resamples)), max(1, DRAWN // max(1, n))
    for start in range(0, resamples, step):
        part = slice(start, min(start + step, resamples))
        draws = rng.integers(n, size=(part.stop - start, n))  # (R, n)
        rho[:, part] = spearman(X[:, draws], y[draws])
    return rho


def interval(values: Doubles) -> Interval | None:
    """Return the percentile interval of resampled values, (R,); None if none is a number."""
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(numbers, [tail, 1 - tail])
    return Interval(float(low), float(high), len(numbers))


def sign_probability(differences: Doubles) -> float | None:
    """Return how rarely resampled differences, (R,), fall on the far side of 0.

        p = 2 (1 + min(#{d ≤ 0}, #{d ≥ 0})) / (R + 1),    at most 1

    None if none of them is a number.
    """
    d = differences[~np.isnan(differences)]
    if not len(d):
        return None
    fewer = min(np.count_nonzero(d <= 0), np.count_nonzero(d >= 0))
    return min(1.0, 2 * (1 + fewer) / (len(d) + 1))


# Analogies -----------------------------------------------------------------------------------


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
