"""How far two models agree about a word: the neighbours that it has in both.

    shared(w) = |A_k(w) ∩ B_k(w)|

A_k(w) are the k nearest of the words that both models have. No rotation of the spaces is needed.

Gonen, Jawahar, Seddah & Goldberg 2020, "Simple, Interpretable and Stable Method for Detecting Words
with Usage Change across Corpora", ACL 2020, section 3.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.vectors import WordVectors

#: Neighbours that are compared. Of few words a tenth, for k of k + 1 words are always shared.
NEIGHBOURS: Final = 25

#: Words whose neighbours are looked for at once.
BATCH: Final = 1000


class Moved(NamedTuple):
    """What two models have in common."""

    words: list[str]  #: n words that were compared, the most frequent of `common`
    shared: npt.NDArray[np.int64]  #: (n,), neighbours in both models, of k
    neighbours: int  #: k
    common: int  #: words that both models have


def compare(A: WordVectors, B: WordVectors, most: int) -> Moved:
    """Count the neighbours that words have in both models.

    Parameters
    ----------
    A, B : WordVectors
    most : int
        Words to compare, those that come first in A. Every common word may be a neighbour.

    Returns
    -------
    Moved
        Words whose vector is zero in one of the models have no neighbours, and no part in this.
    """
    words = [word for word in A if word in B and A[word].any() and B[word].any()]
    k = min(NEIGHBOURS, (len(words) + 9) // 10, max(0, len(words) - 1))
    asked = words[:most] if k else []
    shared = np.zeros(len(asked), np.int64)  # (n,)
    sides = [WordVectors(words, each[words]) for each in (A, B)] if k else []
    for start in range(0, len(asked), BATCH):
        batch = [[word] for word in asked[start : start + BATCH]]
        in_A, in_B = (side.most_similar(batch, topn=k) for side in sides)
        for i, (ours, theirs) in enumerate(zip(in_A, in_B, strict=True), start):
            shared[i] = len({word for word, _ in ours} & {word for word, _ in theirs})
    return Moved(asked, shared, k, len(words))
