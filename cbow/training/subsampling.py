"""Thinning out frequent words, and the distribution of the words that are left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def keep_probability(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Return the probability with which each occurrence of a word is kept.

    With f the share of the word in the text and t = `sample`::

        keep = min(1, (√(f/t) + 1) · t/f)

    This is the rule of the word2vec program. The paper it belongs to prints the other form
    1 - √(t/f) for the probability of leaving out (Mikolov et al. 2013, "Distributed
    representations of words and phrases", section 2.3).

    Parameters
    ----------
    counts : (V,) int64
        Occurrences of each word.
    sample : float
        t, a share of the text; 0 keeps every occurrence.

    Returns
    -------
    (V,) float64
    """
    if sample == 0:
        return np.ones(len(counts))
    f = counts / counts.sum()
    ratio = sample / np.maximum(f, np.finfo(np.float64).tiny)
    keep: NDArray[np.float64] = np.minimum(1.0, np.sqrt(ratio) + ratio)
    return keep


def target_distribution(
    counts: NDArray[np.int64], keep: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each word among the targets the network is asked for.

    Subsampling changes which words the network must predict, so the unigram baseline has to be
    that of the thinned text: against the whole text every model would look better than it is.

    Parameters
    ----------
    counts : (V,) int64
    keep : (V,) float64
        From `keep_probability`.

    Returns
    -------
    (V,) float64
        Positive where the count is, with sum 1.
    """
    weight = counts * keep
    share: NDArray[np.float64] = weight / weight.sum()
    return share


def entropy(p: NDArray[np.float64]) -> float:
    """H = -Σ p log p in nats, with 0 log 0 = 0."""
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())
