"""Word pairs: cosines, how they correlate with scores, and how sure that is.

    ρ = Σ r s / √(Σ r² Σ s²)

r and s are the ranks of x and y less their mean (n + 1) / 2; equal values share the mean of their
ranks (Spearman 1904). The bootstrap draws n items out of n with replacement, again and again, and
computes ρ each time (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cbow.system.arrays import Doubles, Floats, Ids
from cbow.vectors.nearest import ROWS, in_range

#: The share of resamples that an interval holds.
CONFIDENCE: Final = 0.95

#: Items drawn at once.
DRAWN: Final = 2**20


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
