"""The network for whole words, kept beside the one whose words are made of parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cbow.config import Config
from cbow.network import Gradients, Parameters, compose, contexts, feature_gradients
from cbow.system.arrays import Longs
from cbow.text.ngrams import (
    Features,
    Ngrams,
    collisions,
    features_of,
    left_out,
    suggested_buckets,
)
from cbow.training.sampled.kernels import PARTS


def features_for(config: Config, words: Sequence[str]) -> tuple[Config, Features]:
    """Return the features of words, and the configuration with the number of buckets.

    Without n-grams every word is its own only feature, and there are no buckets.
    """
    if config.ngrams and config.buckets is None:
        config = config.replace({"buckets": suggested_buckets(words, *config.ngrams)})
    ngrams = Ngrams.of(config)
    return config, features_of(words, ngrams) if ngrams else themselves(len(words))


def ngrams_report(config: Config, words: Sequence[str]) -> dict[str, Any] | None:
    """Return what became of the n-grams of words, as JSON has it; None if there are none.

    ``sharing`` is the share of the distinct n-grams that are in one bucket with another, and
    ``left_out`` how many are not learned, for they begin too far behind in a word.
    """
    ngrams = Ngrams.of(config)
    if ngrams is None:
        return None
    return {
        "buckets": ngrams.buckets,
        "sharing": collisions(words, ngrams),
        "left_out": left_out(words, ngrams),
    }


def themselves(V: int) -> Features:
    """Return the features of words of which each is its own only one."""
    return Features(np.arange(V + 1), np.arange(V, dtype=np.int32))


def first_places(features: Features, rows: int) -> Longs:
    """Return the place in ``features.indices`` where each of the rows first stands.

    For a row that no word has, it is the number of places.
    """
    places = len(features.indices)
    first = np.full(rows, places)
    first[features.indices[::-1]] = np.arange(places)[::-1]  # the last remains
    return first


def parts_of_rows(features: Features, first: Longs) -> Longs:
    """Deal rows of W1ᵀ out to `PARTS` parts by their first places; return the part of each.

    The rows that a word is the first to have are of one part, and those of the next word of the
    next: so all parts have about as much to do, and what only a rare word has stays together.
    """
    word = np.searchsorted(features.indptr, first, side="right") - 1
    return word % PARTS


def in_parts(features: Features) -> Features:
    """Return features with those of each word in order by the parts that their rows are of.

    Those of word w in part p are ``indices[indptr[PARTS w + p] : indptr[PARTS w + p + 1]]``.
    """
    V, sizes = len(features.indptr) - 1, np.diff(features.indptr)
    part = parts_of_rows(features, first_places(features, int(features.indices.max()) + 1))
    place = PARTS * np.repeat(np.arange(V), sizes) + part[features.indices]
    indptr = np.append(0, np.cumsum(np.bincount(place, minlength=PARTS * V)))
    return Features(indptr, features.indices[np.argsort(place, kind="stable")])


class Rows:
    """Which order the rows of W1ᵀ are learned in: by parts, and then as words first have them.

    Words stand by falling frequency. So the rows that only a rare word has lie side by side, and
    those that many tokens have come first: fewer pages and cache lines hold what a token needs. And
    each thread, which owns some parts, has its own. In a file, and everywhere but in training, the
    row of an n-gram is V plus its bucket.

    Parameters
    ----------
    features : Features
    count : int
        Of rows, V + buckets.
    """

    def __init__(self, features: Features, count: int) -> None:
        first = first_places(features, count)
        self.order = np.lexsort((first, parts_of_rows(features, first)))  # (V + buckets,)
        number = np.empty(count, np.int32)
        number[self.order] = np.arange(count)
        self.features = Features(features.indptr, number[features.indices])

    def put_in_order(self, parameters: Parameters) -> None:
        """Put the columns of W1 into this order; this takes a copy, as training does."""
        table = parameters.W1.T  # (V + buckets, N)
        table[...] = table[self.order]

    def restored(self, parameters: Parameters) -> Parameters:
        """Return a copy of ordered parameters with the columns of W1 where they were."""
        W1, *others = parameters
        table = np.empty_like(W1.T)
        table[self.order] = W1.T
        return Parameters(table.T, *others)


class Composed:
    """Parameters for whole words, composed of those of their features.

    Where every word is its own and only feature, both are the same arrays, and nothing is done.

    Parameters
    ----------
    parameters : Parameters
        W1 is (N, V + buckets).
    features : Features

    Attributes
    ----------
    parameters : Parameters
        W1 is (N, V); as `compose` left it.
    """

    def __init__(self, parameters: Parameters, features: Features) -> None:
        self.of_features = self.parameters = parameters
        self.F = None
        if parameters.W1.shape[1] > len(parameters.W2):
            self.F = contexts(
                features.indices, features.indptr, parameters.W1.shape[1], parameters.W1.dtype
            )  # (V + buckets, V)
            self.parameters = compose(parameters, self.F)

    def compose(self) -> None:
        """Bring W1 up to date with the parameters of the features."""
        if self.F is not None:
            np.copyto(self.parameters.W1, compose(self.of_features, self.F).W1)

    def gradients(self, gradients: Gradients) -> Gradients:
        """Return the gradients by the parameters of the features from those for whole words."""
        return gradients if self.F is None else feature_gradients(gradients, self.F)
