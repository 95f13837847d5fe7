"""Vectors for words that are in no vocabulary: the mean of the vectors of their n-grams.

vector(w) = 1/|G| Σ_{g in G} rows[g] to        G: the buckets of the n-grams of w, (|G|,)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from cbow.errors import ModelFileError
from cbow.system.arrays import Doubles, Floats
from cbow.text.ngrams import Features, Ngrams, ngram_ids, ngrams_of

#: Rows of a word that are added up at a time.
ROWS: Final = 4096


class Subwords(NamedTuple):
    """What vectors of unknown words are made of."""

    ngrams: Ngrams
    rows: Floats  #: (buckets, n), a vector for each bucket; it may lie in a file
    to: Floats | None = None  #: (n, N), from these vectors to those of words; None: they are such

    def has(self, word: str) -> bool:
        """Return whether a word has n-grams."""
        return len(ngram_ids(word, self.ngrams)) > 0

    def vectors(self, words: Sequence[str]) -> Doubles:
        """Return the vectors of words, (len(words), N); zeros for one that has no n-grams."""
        features = ngrams_of(words, self.ngrams)
        sizes = np.diff(features.indptr)  # (len(words),)
        means = sums(self.rows, features) / np.maximum(sizes, 1)[:, None]  # (len(words), n)
        return means if self.to is None else means @ self.to


def check_subwords(subwords: Subwords | None, N: int) -> None:
    """Raise `ModelFileError` if n-grams do not fit vectors of N numbers; None fits any."""
    if subwords is None:
        return
    buckets, rows, to = subwords.ngrams.buckets, subwords.rows, subwords.to
    shapes: list[tuple[int, ...]] = [rows.shape, *([] if to is None else [to.shape])]
    n = shapes[0][-1] if shapes[0] else 0
    if shapes != ([(buckets, N)] if to is None else [(buckets, n), (n, N)]):
        raise ModelFileError(
            f"the vectors of n-grams have the shapes {', '.join(map(str, shapes))}, which do not "
            f"lead from {buckets} buckets to {N} numbers; give a row for each bucket"
        )


@np.errstate(all="ignore")  # what is not finite is told when it is used
def sums(rows: Floats, features: Features) -> Doubles:
    """Return the sum of the rows of each word's features, (W, n); zeros for a word without any.

    Parameters
    ----------
    rows : ndarray, (R, n)
        It may lie in a file, and need not be aligned; only what is needed is read.
    features : Features
        Of W words.
    """
    indptr, indices = features
    total = np.zeros((len(indptr) - 1, rows.shape[1]))
    for w, (start, end) in enumerate(pairwise(indptr.tolist())):  # quicker than all at once
        for first in range(start, end, ROWS):
            ids = indices[first : min(first + ROWS, end)]
            total[w] += rows[ids].sum(axis=0, dtype=np.float64)
    return total
