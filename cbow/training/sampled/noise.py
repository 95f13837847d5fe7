"""The distribution that candidates are drawn from, and the table to draw from it quickly."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cbow.system.arrays import Array
from cbow.system.compiled import compiled
from cbow.training.kernels import uniform

#: q is the word frequencies to this power: frequent words more often than others, but less so than
#: in the text (Mikolov et al. 2013, "Distributed representations of words and phrases", 2.2).
EXPONENT: Final = 0.75


class Noise(NamedTuple):
    """The distribution q that candidates are drawn from, as an alias table."""

    threshold: NDArray[np.float64]  #: (V,)
    alias: NDArray[np.int32]  #: (V,)
    correction: Array  #: (V,) log(S q(word)), taken off each logit


def make_noise(counts: NDArray[np.int64], candidates: int, dtype: DTypeLike) -> Noise:
    """Make the table for q ∝ counts^EXPONENT.

    Parameters
    ----------
    counts : (V,) int64
    candidates : int
        S.
    dtype : dtype
        That of the parameters.
    """
    q = counts.astype(np.float64) ** EXPONENT  # (V,)
    q /= q.sum()
    threshold, alias = alias_table(q)
    return Noise(threshold, alias, np.log(candidates * q).astype(dtype))


def alias_table(q: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Build the alias table of a distribution (Walker 1977; Vose 1991, "A linear algorithm").

    Choose one of V places, each as likely; with probability threshold[place] take that word, else
    alias[place]. What a word has too little of in its own place comes from one that has too much.

    Parameters
    ----------
    q : (V,) float64
        Probabilities.

    Returns
    -------
    threshold : (V,) float64
    alias : (V,) int32
    """
    V = len(q)
    mass = (q * V).tolist()  # 1 fills a place
    threshold, alias = [1.0] * V, list(range(V))
    small = [word for word in range(V) if mass[word] < 1]
    large = [word for word in range(V) if mass[word] >= 1]
    while small and large:
        poor, rich = small.pop(), large[-1]
        threshold[poor], alias[poor] = mass[poor], rich
        mass[rich] -= 1 - mass[poor]
        if mass[rich] < 1:
            small.append(large.pop())
    return np.array(threshold), np.array(alias, np.int32)


@compiled
def draw_candidates(noise: Any, key: Any, first: Any, candidates: Any) -> None:
    """Draw words from the noise distribution by the alias method (Walker 1977, section 2).

    Parameters
    ----------
    noise : Noise
    key : uint64
        The stream.
    first : int
        The number in the stream of the first draw.
    candidates : (S,) int32
        Is filled.
    """
    V = len(noise.threshold)
    for s in range(len(candidates)):
        u = uniform(key, first + s) * V
        word = np.int32(u)
        candidates[s] = word if u - word < noise.threshold[word] else noise.alias[word]
