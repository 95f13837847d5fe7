"""Rank correlation, and how far it would have come out otherwise: pure functions of arrays.

    ρ = Σ w r s / √(Σ w r² Σ w s²)

r and s are the ranks of x and y less their mean (n + 1) / 2; equal values share the mean of their
ranks (Spearman 1904). w says how often an item counts: 1 each, or in a resample of the bootstrap,
n draws out of n with replacement, as often as it was drawn (Efron & Tibshirani, "An Introduction to
the Bootstrap", 1993, section 13.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.intp]

#: The share of resamples that an interval holds.
CONFIDENCE: Final = 0.95

#: Weights drawn at once.
AT_ONCE: Final = 2**20


class Interval(NamedTuple):
    """Where the middle 95 % of the resamples lie."""

    low: float
    high: float
    resamples: int  #: those that had a correlation


def midranks(x: Doubles, w: Counts) -> Doubles:
    """Rank values, of which each counts several times; equal ones share their mean rank.

    Parameters
    ----------
    x : ndarray, (n,)
    w : ndarray of int, (R, n)
        R ways to weight them.

    Returns
    -------
    ndarray, (R, n)

    Examples
    --------
    >>> midranks(np.array([5.0, 7, 5, 9]), np.array([[1, 1, 1, 1], [2, 0, 1, 1]])).tolist()
    [[1.5, 3.0, 1.5, 4.0], [2.0, 3.5, 2.0, 4.0]]
    """
    order = np.argsort(x, kind="stable")  # (n,)
    rising = x[order]
    first = np.flatnonzero(np.append(True, rising[1:] != rising[:-1]))  # (g,), of distinct values
    group = np.empty(len(x), np.intp)
    group[order] = np.repeat(np.arange(len(first)), np.diff(first, append=len(x)))  # (n,)
    size = np.add.reduceat(w[:, order], first, axis=1)  # (R, g)
    below = np.cumsum(size, axis=1) - size  # (R, g)
    ranks: Doubles = (below + (size + 1) / 2)[:, group]  # (R, n)
    return ranks


def spearman(x: Doubles, y: Doubles, w: Counts | None = None) -> Doubles:
    """Compute Spearman's ρ.

    Parameters
    ----------
    x, y : ndarray, (n,)
    w : ndarray of int, (R, n), optional
        How often each item counts, n in all; by default once, and R = 1.

    Returns
    -------
    ndarray, (R,)
        NaN where all x or all y are equal.
    """
    n = len(x)
    if w is None:
        w = np.ones((1, n), np.intp)
    r, s = (midranks(values, w) - (n + 1) / 2 for values in (x, y))  # (R, n)
    with np.errstate(invalid="ignore"):
        rho: Doubles = _sum(w * r * s) / np.sqrt(_sum(w * r * r) * _sum(w * s * s))  # (R,)
    return rho


def pearson(x: Doubles, y: Doubles) -> float:
    """Compute Pearson's correlation; NaN if all x or all y are equal."""
    if (x == x[0]).all() or (y == y[0]).all():
        return float("nan")
    r, s = _centred(x), _centred(y)  # (n,)
    return float(_sum(r * s) / np.sqrt(_sum(r * r) * _sum(s * s)))


def _centred(x: Doubles) -> Doubles:
    """Take away the mean, and make the largest entry 1, so that no square overflows or vanishes."""
    x = x / np.abs(x).max()
    x = x - x.mean()
    centred: Doubles = x / np.abs(x).max()
    return centred


def defined(value: float) -> float | None:
    """Return None for what is no number."""
    return None if np.isnan(value) else float(value)


def resample(n: int, resamples: int, seed: int) -> Iterator[Counts]:
    """Draw n out of n with replacement, again and again.

    Yields
    ------
    ndarray of int, (R, n)
        How often each item was drawn; `resamples` rows in all.
    """
    rng = np.random.default_rng(seed)
    step = max(1, AT_ONCE // max(1, n))
    for start in range(0, resamples, step):
        R = min(step, resamples - start)
        drawn = rng.integers(n, size=(R, n)) + n * np.arange(R)[:, None]  # (R, n)
        yield np.bincount(drawn.ravel(), minlength=R * n).reshape(R, n)


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
    parts = [
        np.array([spearman(x, y, w) for x in X])  # (k, R)
        for w in resample(len(y), resamples, seed)
    ]
    return np.concatenate([np.empty((len(X), 0)), *parts], axis=1)


def interval(values: Doubles) -> Interval | None:
    """Return the percentile interval of resampled values, (R,); None if none is a number."""
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(numbers, [tail, 1 - tail])
    return Interval(float(low), float(high), len(numbers))


def sign_probability(differences: Doubles) -> float | None:
    """Tell how rarely resampled differences, (R,), fall on the far side of 0, both sides alike.

        p = 2 (1 + min(#{d ≤ 0}, #{d ≥ 0})) / (R + 1),    at most 1

    None if none of them is a number.
    """
    d = differences[~np.isnan(differences)]
    if not len(d):
        return None
    fewer = min(np.count_nonzero(d <= 0), np.count_nonzero(d >= 0))
    return min(1.0, 2 * (1 + fewer) / (len(d) + 1))


def _sum(values: Doubles) -> Doubles:
    """Add up along the last axis."""
    total: Doubles = values.sum(axis=-1)
    return total
