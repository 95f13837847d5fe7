"""Words and their vectors: look them up, compare them, find the nearest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, overload

import numpy as np

from cbow.errors import CBOWError, QueryError
from cbow.vectors import nearest
from cbow.vectors.comparisons import Comparisons
from cbow.vectors.directions import directions
from cbow.vectors.nearest import Found, Ids
from cbow.vectors.products import largest_products
from cbow.vectors.query import (
    Key,
    Queries,
    Query,
    Vector,
    as_words,
    check_whole,
    questions,
    terms,
)

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

#: A word and its cosine.
Neighbour: TypeAlias = tuple[str, float]


class WordVectors(Comparisons):
    """Words with a vector each.

    Parameters
    ----------
    words : sequence of str
        V distinct words, the most frequent first.
    matrix : ndarray of float32 or float64, (V, N)
        Row i is the vector of word i. It is not copied.
    counts : ndarray of int, (V,), optional
        How often each word occurs in the training text.

    Raises
    ------
    ModelFileError
        If the words are not str or not distinct, or the shapes do not agree. Of `PackedWords`,
        which are not read before they are needed, this is told when all are looked at.

    Examples
    --------
    >>> import numpy as np
    >>> matrix = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> vectors = WordVectors(["king", "queen", "apple"], matrix)
    >>> vectors["queen"]
    array([0.8, 0.6])
    >>> vectors[["king", "apple"]].shape
    (2, 2)
    >>> round(vectors.similarity("king", "queen"), 6)
    0.8
    >>> [word for word, cosine in vectors.most_similar("king")]
    ['queen', 'apple']
    """

    @overload
    def most_similar(
        self,
        positive: Query | None = None,
        negative: Query | None = None,
        topn: int = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> list[Neighbour]: ...
    @overload
    def most_similar(
        self,
        positive: Queries,
        negative: Queries | None = None,
        topn: int = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> list[list[Neighbour]]: ...

    def most_similar(
        self,
        positive: Query | Queries | None = None,
        negative: Query | Queries | None = None,
        topn: int = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find the words whose vectors point most nearly where the words of the query point.

        The direction is the mean of the terms' vectors, each word's scaled to length 1; a vector
        that is given as an array counts as it is. The words of the query are left out (Mikolov,
        Yih, Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations").

        Parameters
        ----------
        positive : word, vector, list of these, or list of lists, optional
            What counts with weight 1. A pair (word, weight) brings its own weight. A list of
            lists is many queries, answered together and much faster than one by one. An array of
            words is a list of them.
        negative : the same, optional
            What counts with weight -1. A pair keeps the sign of its own weight.
        topn : int
            How many words to give; all there are if there are fewer.
        clip_start, clip_end : int, optional
            Only words from this place of the vocabulary to before that one are found.
        restrict_vocab : int, optional
            Only so many words are found, the most frequent ones; all there are if there are fewer.

        Returns
        -------
        list of (word, cosine)
            Nearest first; equals by falling frequency. For many queries, a list of such lists.

        Raises
        ------
        QueryError
            If the query is empty, adds up to zero or makes no sense, or if a word has numbers that
            are not finite.
        UnknownWordError
            If a word is not there.
        """
        check_whole("topn", topn, 0)
        rows = self._clipped(clip_start, clip_end, restrict_vocab)
        pairs, many = questions(positive, negative)
        asked = [terms(*pair) for pair in pairs]
        search = self._search  # first: it refuses vectors with which nothing can be done
        keys = [key for each in asked for key, _ in each]
        weights = [weight for each in asked for _, weight in each]
        sizes = [len(each) for each in asked]
        ids = self._located(keys)
        queries = directions(self._terms(keys, ids), weights, sizes)  # (Q, N)
        found = search(queries, _own(ids, sizes), topn, rows)
        return self._named(found) if many else self._named(found)[0]

    @overload
    def most_similar_cosmul(
        self,
        positive: Query,
        negative: Query | None = None,
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Neighbour]: ...
    @overload
    def most_similar_cosmul(
        self,
        positive: Queries,
        negative: Queries | None = None,
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[list[Neighbour]]: ...

    def most_similar_cosmul(
        self,
        positive: Query | Queries,
        negative: Query | Queries | None = None,
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find words as `most_similar` does, but by a product of cosines in the place of a sum.

        See `cbow.vectors.products` for the formula (Levy and Goldberg 2014).

        Parameters
        ----------
        positive : word, vector, list of these, or list of lists
            What counts for a word. There are no weights.
        negative : the same, optional
            What counts against it.
        topn : int
            How many words to give; all there are if there are fewer.
        restrict_vocab : int, optional
            Only so many words are found, the most frequent ones; all there are if there are fewer.

        Returns
        -------
        list of (word, score)
            The largest first; equals by falling frequency. For many queries, a list of such lists.

        Raises
        ------
        QueryError
            If nothing is positive, a term is zero or has a weight, or a word has numbers that are
            not finite.
        UnknownWordError
            If a word is not there.
        """
        check_whole("topn", topn, 0)
        rows = self._clipped(0, None, restrict_vocab)
        pairs, many = questions(positive, negative)
        found = [self._largest_products(*pair, topn, rows) for pair in pairs]
        return self._named(found) if many else self._named(found)[0]

    def _largest_products(
        self, positive: Query | None, negative: Query | None, topn: int, rows: range
    ) -> Found:
        """Answer one query by a product."""
        plus = terms(positive, None)
        minus = [] if negative is None else terms(None, negative)
        if any(weight != 1 for _, weight in plus) or any(weight != -1 for _, weight in minus):
            raise QueryError("a product has no weights; give words or vectors alone")
        inverse = self._inverse  # first: it refuses vectors with which nothing can be done
        keys = [key for key, _ in plus + minus]
        ids = self._located(keys)
        units = nearest.unit(self._vectors(keys, ids))  # (T, N)
        if not units.any(axis=1).all():
            raise QueryError("a term of the query is zero, which has no direction; leave it out")
        [own] = _own(ids, [len(ids)])
        return largest_products(self._matrix, inverse, units, len(plus), own, topn, rows)

    @overload
    def similar_by_word(
        self, word: str, topn: int = 10, restrict_vocab: int | None = None
    ) -> list[Neighbour]: ...
    @overload
    def similar_by_word(
        self, word: list[str], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[list[Neighbour]]: ...

    def similar_by_word(
        self, word: str | list[str], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find the words nearest to a word, or to each word of a list; see `most_similar`."""
        word = as_words(word)
        if isinstance(word, list):
            return self._each([self._word(each) for each in word], topn, restrict_vocab)
        return self.most_similar(self._word(word), topn=topn, restrict_vocab=restrict_vocab)

    @overload
    def similar_by_vector(
        self, vector: Vector, topn: int = 10, restrict_vocab: int | None = None
    ) -> list[Neighbour]: ...
    @overload
    def similar_by_vector(
        self, vector: list[Vector], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[list[Neighbour]]: ...

    def similar_by_vector(
        self, vector: Vector | list[Vector], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find the words nearest to a vector (N,), or to each of a list; see `most_similar`.

        No word is left out: that of which it is the vector comes first.
        """
        if isinstance(vector, list):
            return self._each(vector, topn, restrict_vocab)
        return self.most_similar(vector, topn=topn, restrict_vocab=restrict_vocab)

    def _each(
        self, keys: Sequence[Key], topn: int, restrict_vocab: int | None
    ) -> list[list[Neighbour]]:
        """Answer a query of one key each."""
        if not keys:
            return []
        batch = [[key] for key in keys]
        return self.most_similar(batch, topn=topn, restrict_vocab=restrict_vocab)

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write words, vectors and counts to a file; see `cbow.vectors.formats.write`.

        Parameters
        ----------
        path : path-like
        format : str, optional
            By default the ending of `path` tells: ``.safetensors`` keeps everything.

        Raises
        ------
        OutputError
            If the file cannot be written, or its name does not tell the format.
        ModelFileError
            If the format cannot hold the vectors.
        ConfigError
            If there is no such format.
        """
        from cbow.vectors.formats import write

        write(path, self._words, self._matrix, self._counts, format)

    def to_gensim(self) -> KeyedVectors:
        """Return a copy of these words and vectors as gensim has them, with the counts.

        Raises
        ------
        CBOWError
            If gensim cannot be imported.
        """
        try:
            from gensim.models import KeyedVectors
        except ImportError as error:
            raise CBOWError(
                f"gensim cannot be imported ({error}); install it with: pip install gensim"
            ) from error
        keyed = KeyedVectors(self.dimension, dtype=self._matrix.dtype)
        keyed.add_vectors(list(self._words), self._matrix)
        for row, count in enumerate(() if self._counts is None else self._counts.tolist()):
            keyed.set_vecattr(row, "count", count)
        return keyed

    def _clipped(self, start: int, end: int | None, restricted: int | None) -> range:
        """Return the rows in which to search."""
        check_whole("clip_start", start, 0)
        if end is not None:
            check_whole("clip_end", end, 0)
        if restricted is not None:
            check_whole("restrict_vocab", restricted, 1)
            if start or end is not None:
                raise QueryError(
                    "restrict_vocab is given and so is clip_start or clip_end; give only one"
                )
            end = restricted
        return range(len(self))[start:end]

    def _named(self, found: Sequence[Found]) -> list[list[Neighbour]]:
        """Put words in the place of their rows."""
        words = self._words
        return [
            list(zip([words[row] for row in ids.tolist()], cosines.tolist(), strict=True))
            for ids, cosines in found
        ]


def _own(ids: Ids, sizes: Sequence[int]) -> list[Ids]:
    """Return the rows of the words of each query, each once."""
    listed, behind = ids.tolist(), np.cumsum(sizes).tolist()
    return [
        np.array(sorted({row for row in listed[end - size : end] if row >= 0}), np.intp)
        for size, end in zip(sizes, behind, strict=True)
    ]
