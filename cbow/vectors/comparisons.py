"""Questions about words that are named: how alike two are, which does not belong to the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar, overload

import numpy as np

from cbow.errors import QueryError, counted
from cbow.vectors import nearest
from cbow.vectors.directions import directions
from cbow.vectors.lookup import Lookup
from cbow.vectors.nearest import Doubles, Floats, Ids
from cbow.vectors.query import (
    Key,
    Keys,
    Queries,
    Query,
    as_words,
    keys_of,
    questions,
    terms,
)
from cbow.vectors.search import Search

_Key = TypeVar("_Key", bound=Key)


class Comparisons(Lookup):
    """Words whose vectors can be compared; see `WordVectors`."""

    @overload
    def similarity(self, a: Key, b: Key) -> float: ...
    @overload
    def similarity(self, a: Keys, b: Keys) -> Doubles: ...

    @np.errstate(under="ignore")
    def similarity(self, a: Key | Keys, b: Key | Keys) -> float | Doubles:
        """Compute the cosine of the angle between two words, from -1 to 1; 0 if one is zero.

        Parameters
        ----------
        a, b : word or vector, or two lists of these, equally long

        Returns
        -------
        float
            For two lists an ndarray of float64, one cosine for each pair.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If a vector holds a number that is not finite, or the lists are not equally long.
        """
        a, b = as_words(a), as_words(b)
        if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            result: Doubles = (self._units(a) * self._units(b)).sum(axis=1)  # (len(a),)
            return result
        if isinstance(a, list) or isinstance(b, list):
            raise QueryError(
                "of two sides one is a list and the other is not, or not equally long; give two "
                "words, or two lists of as many"
            )
        return float(self.similarity([a], [b])[0])

    @overload
    def distance(self, a: Key, b: Key) -> float: ...
    @overload
    def distance(self, a: Keys, b: Keys) -> Doubles: ...

    def distance(self, a: Key | Keys, b: Key | Keys) -> float | Doubles:
        """Compute 1 - `similarity`, from 0 to 2."""
        return 1 - self.similarity(a, b)  # type: ignore[arg-type]  # overloads do not add up

    @overload
    def n_similarity(self, a: Query, b: Query) -> float: ...
    @overload
    def n_similarity(self, a: Queries, b: Queries) -> Doubles: ...

    @np.errstate(under="ignore")
    def n_similarity(self, a: Query | Queries, b: Query | Queries) -> float | Doubles:
        """Compute the cosine between the means of two sets of words, whose vectors stay as long.

        Parameters
        ----------
        a, b : list of words or vectors, or list of lists
            A pair (word, weight) brings its weight. Two lists of lists, equally long, are many
            questions.

        Returns
        -------
        float
            For lists of lists an ndarray of float64, one cosine for each pair of sets.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If a set is empty or adds up to zero, or a vector is not finite.
        """
        pairs, many = questions(a, b)
        sides = [terms(side, None) for pair in pairs for side in pair]  # a, b, a, b ...
        keys = [key for side in sides for key, _ in side]
        weights = [weight for side in sides for _, weight in side]
        vectors = self._vectors(keys, self._located(keys))
        ends = directions(vectors, weights, [len(side) for side in sides])  # (2 Q, N)
        result: Doubles = (ends[::2] * ends[1::2]).sum(axis=1)  # (Q,)
        return result if many else float(result[0])

    @np.errstate(under="ignore")
    def distances(
        self, word_or_vector: Key | Keys, other_words: Sequence[Key] | None = None
    ) -> Floats:
        """Compute 1 - cosine between a word and others.

        Parameters
        ----------
        word_or_vector : word or vector, or list of Q of these
        other_words : list of words or vectors, optional
            n of them; by default all V words, in their order. A single one is a list of one.

        Returns
        -------
        ndarray, (n,) or (V,)
            In the dtype of `matrix`. For a list, (Q, n) or (Q, V). With a zero vector it is 1.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If a vector is not finite.
        """
        word_or_vector = as_words(word_or_vector)
        many = isinstance(word_or_vector, list)
        keys = word_or_vector if isinstance(word_or_vector, list) else [word_or_vector]
        inverse = self._inverse  # first: it refuses vectors with which nothing can be done
        queries = self._units(keys)  # (Q, N)
        if other_words is None:
            result: Floats = queries.astype(self._matrix.dtype) @ self._matrix.T  # (Q, V)
            result *= inverse
        else:
            result = (queries @ self._units(keys_of(other_words)).T).astype(self._matrix.dtype)
        np.subtract(1, result, out=result)
        return result if many else result[0]

    def closer_than(self, a: Key, b: str) -> list[str]:
        """List the words that are nearer to `a` than `b` is, in the order of the vocabulary.

        Parameters
        ----------
        a : word or vector
        b : word

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If `a` is zero, or a vector is not finite.
        """
        return [self._words[row] for row in self._closer(a, b)]

    def rank(self, a: Key, b: str) -> int:
        """Tell the place of `b` among the words nearest to `a`: 1 if no other is nearer.

        Parameters
        ----------
        a : word or vector
        b : word

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If `a` is zero, or a vector is not finite.
        """
        return len(self._closer(a, b)) + 1

    def _closer(self, a: Key, b: str) -> Ids:
        """Find the rows that are nearer to `a` than `b` is; that of `a` is none of them."""
        matrix, inverse = self._matrix, self._inverse
        own, other = self._located([a]), self._ids([b])  # (1,), (1,)
        query = directions(self._terms([a], own), [1], [1])[0]  # (N,)
        limit = nearest.exact_cosines(matrix, inverse, query, other)[0]
        slack = nearest.slack(matrix.dtype, self.dimension)
        cosines = nearest.cosines(matrix, inverse, query)  # (V,), wrong by `slack` at most
        closer = cosines > limit - slack
        doubtful = np.flatnonzero(closer & (cosines <= limit + slack))
        closer[doubtful] = nearest.exact_cosines(matrix, inverse, query, doubtful) > limit
        closer[own[0] : own[0] + 1] = False  # the word itself; of a vector, -1 : 0 is nothing
        return np.flatnonzero(closer)

    @np.errstate(under="ignore")
    def most_similar_to_given(self, word: Key, words: Sequence[_Key]) -> _Key:
        """Choose from several words the one nearest to a word, the first of equals.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If there is none to choose from, or a vector is not finite.
        """
        keys: list[_Key] = keys_of(words)
        if not keys:
            raise QueryError("there is no word to choose from; give at least one")
        cosines = self._units(keys) @ self._units([word])[0]  # (len(keys),)
        return keys[int(cosines.argmax())]

    @overload
    def doesnt_match(self, words: Sequence[str]) -> str: ...
    @overload
    def doesnt_match(self, words: Sequence[list[str]]) -> list[str]: ...

    def doesnt_match(self, words: Sequence[str] | Sequence[list[str]]) -> str | list[str]:
        """Choose the word that does not belong to the others: the one furthest from their mean.

        The mean is that of the vectors at length 1, the word itself included.

        Parameters
        ----------
        words : list of three words or more, or list of such lists

        Returns
        -------
        str
            The first of words that are as far. For a list of lists, a word for each.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If there are fewer than three words, or their mean is zero.
        """
        pairs, many = questions(words, None)
        odd = [self._odd([key for key, _ in terms(each, None)]) for each, _ in pairs]
        return odd if many else odd[0]

    @np.errstate(under="ignore")
    def _odd(self, words: Sequence[Key]) -> str:
        """Choose the word that does not match."""
        named = [self._word(word) for word in words]
        if len(named) < 3:
            raise QueryError(
                f"of {counted(len(named), 'word')} none is the odd one out; give a list of three "
                "words or more"
            )
        units = self._units(named)  # (n, N)
        mean = directions(units, [1] * len(named), [len(named)])[0]  # (N,)
        return named[int((units * mean).sum(axis=1).argmin())]

    @cached_property
    def _search(self) -> Search:
        """Finds the nearest rows: with what the first search computes, which is then kept."""
        return Search(self._matrix, self._inverse)
