"""Words and their vectors: look them up, compare them, find the nearest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError, QueryError, UnknownWordError
from cbow.vectors import nearest, spelling
from cbow.vectors.nearest import Floats
from cbow.vectors.query import Key, Queries, Query, questions, terms

#: A word and its cosine.
Neighbour: TypeAlias = tuple[str, float]


class WordVectors:
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
        If the words are not distinct, or the shapes do not agree.

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

    def __init__(
        self,
        words: Sequence[str],
        matrix: Floats,
        counts: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self._words = tuple(words)
        self._ids = dict(zip(self._words, range(len(self._words)), strict=True))
        self._matrix = _read_only(matrix)
        self._counts = None if counts is None else _read_only(counts)
        self._check()

    def _check(self) -> None:
        """Hold words, matrix and counts against each other."""
        V = len(self._words)
        if len(self._ids) != V:
            raise ModelFileError(
                f"of {V} words only {len(self._ids)} are distinct; give each word once"
            )
        if self._matrix.ndim != 2 or self._matrix.dtype not in (np.float32, np.float64):
            raise ModelFileError(
                f"the matrix is {self._matrix.dtype} with {self._matrix.ndim} dimensions; "
                "give float32 or float64 with a row per word"
            )
        if len(self._matrix) != V:
            raise ModelFileError(f"there are {V} words, but {len(self._matrix)} rows; give as many")
        if self._counts is not None and self._counts.shape != (V,):
            raise ModelFileError(f"there are {V} words, but counts of shape {self._counts.shape}")

    @property
    def words(self) -> tuple[str, ...]:
        """The V words, the most frequent first."""
        return self._words

    @property
    def ids(self) -> Mapping[str, int]:
        """The row of each word."""
        return MappingProxyType(self._ids)

    @property
    def matrix(self) -> Floats:
        """The vectors, (V, N), read-only."""
        return self._matrix

    @property
    def counts(self) -> npt.NDArray[np.integer[Any]] | None:
        """How often each word occurs in the training text, (V,); None if not known."""
        return self._counts

    @property
    def dimension(self) -> int:
        """Numbers per word, N."""
        return int(self._matrix.shape[1])

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._ids

    def __repr__(self) -> str:
        return f"WordVectors({len(self)} words, {self.dimension} dimensions)"

    def __getitem__(self, word: str | Sequence[str]) -> Floats:
        """Give the vector of a word, (N,), or those of several, one per row.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If something is no word.
        """
        if isinstance(word, str) or not isinstance(word, Iterable):
            row: Floats = self._matrix[self._id(word)]  # (N,)
            return row
        return self._matrix[np.array([self._id(each) for each in word], np.intp)]

    def similarity(self, a: Key, b: Key) -> float:
        """Compute the cosine of the angle between two words, from -1 to 1; 0 if one is zero.

        Raises
        ------
        UnknownWordError
            If a word is not there.
        QueryError
            If a vector holds a number that is not finite.
        """
        return float(self._unit(a) @ self._unit(b))

    @overload
    def most_similar(
        self, positive: Query | None = None, negative: Query | None = None, topn: int = 10
    ) -> list[Neighbour]: ...
    @overload
    def most_similar(
        self, positive: Queries, negative: Queries | None = None, topn: int = 10
    ) -> list[list[Neighbour]]: ...

    def most_similar(
        self,
        positive: Query | Queries | None = None,
        negative: Query | Queries | None = None,
        topn: int = 10,
    ) -> list[Neighbour] | list[list[Neighbour]]:
        """Find the words whose vectors point most nearly where the words of the query point.

        The direction is the mean of the terms' vectors, each word's scaled to length 1; a vector
        that is given as an array counts as it is. The words of the query are left out (Mikolov,
        Yih, Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations").

        Parameters
        ----------
        positive : word, vector, list of these, or list of lists, optional
            What counts with weight 1. A pair (word, weight) brings its own weight. A list of
            lists is many queries, answered together and much faster than one by one.
        negative : the same, optional
            What counts with weight -1. A pair keeps the sign of its own weight.
        topn : int
            How many words to give; all there are if there are fewer.

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
        if isinstance(topn, bool) or not isinstance(topn, int | np.integer) or topn < 0:
            raise QueryError(f"topn is {topn!r}, but must be a whole number of 0 or more")
        pairs, many = questions(positive, negative)
        answers = self._search([terms(*pair) for pair in pairs], topn)
        return answers if many else answers[0]

    def _search(self, asked: list[list[tuple[Key, float]]], topn: int) -> list[list[Neighbour]]:
        """Answer each query, a list of keys and weights."""
        inverse = self._inverse  # (V,), first: it refuses vectors with which nothing can be done
        directions = np.array([self._direction(each) for each in asked])  # (Q, N)
        own = [
            np.unique([self._id(key) for key, _ in each if isinstance(key, str)]).astype(np.intp)
            for each in asked
        ]
        found = nearest.nearest(self._matrix, inverse, directions, own, topn)
        return [
            [(self._words[row], float(cosine)) for row, cosine in zip(ids, cosines, strict=True)]
            for ids, cosines in found
        ]

    def _direction(self, asked: list[tuple[Key, float]]) -> npt.NDArray[np.float64]:
        """Add up the weighted terms and scale the sum to length 1, (N,)."""
        vectors = [
            self._unit(key) if isinstance(key, str) else np.asarray(self._vector(key), np.float64)
            for key, _ in asked
        ]
        weights = np.array([[weight] for _, weight in asked])  # (terms, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = weights * vectors  # (terms, N)
            total = parts.sum(axis=0)  # (N,)
        if not np.isfinite(total).all():
            raise QueryError("the query adds up to infinity; give smaller weights or vectors")
        # What does not come out exactly, as in a + b - a - b, leaves rounding errors of this size.
        rounding = len(parts) ** 2 * np.finfo(np.float64).eps * np.abs(parts).max(initial=0)
        if np.abs(total).max(initial=0) <= rounding:
            raise QueryError(
                "the query adds up to zero, which has no direction, so that no word is nearer than "
                "another; ask for another sum"
            )
        return nearest.unit(total)

    @cached_property
    def _inverse(self) -> Floats:
        """One over the length of each row, (V,): computed at the first search, then kept."""
        inverse = nearest.inverse_lengths(self._matrix)
        broken = np.flatnonzero(np.isnan(inverse))
        if len(broken):
            raise _not_finite(f"the vectors of {len(broken)} words", self._words[broken[0]])
        return inverse

    def _unit(self, key: Key) -> npt.NDArray[np.float64]:
        """Give the vector of a word, or the one that is given, at length 1, (N,)."""
        vector = self._vector(key)
        if not np.isfinite(vector).all():  # a word's: those that are given have been checked
            raise _not_finite("a vector", str(key))
        return nearest.unit(vector)

    def _id(self, word: str) -> int:
        """Give the row of a word."""
        if not isinstance(word, str):
            raise QueryError(f"{word!r} is not a word; ask for words by their spelling")
        try:
            return self._ids[word]
        except KeyError:
            raise UnknownWordError(
                word, lambda: spelling.alike(word, self._words, self._ids)
            ) from None

    def _vector(self, key: Key) -> Floats:
        """Give the vector (N,) of a word, or check the one that is given."""
        if isinstance(key, str):
            return self[key]
        numbers = key.dtype.kind in "fiu"
        if not numbers or key.shape != (self.dimension,) or not np.isfinite(key).all():
            raise QueryError(
                f"the query holds a vector of shape {key.shape}, but must hold {self.dimension} "
                "finite numbers; give vectors of the dimension that the words' have"
            )
        return key


def _not_finite(where: str, word: str) -> QueryError:
    """Create the error about a model whose training went wrong."""
    return QueryError(
        f"the model holds numbers that are not finite, or far too large, in {where}, the first "
        f"{word!r}; train it again with a smaller learning rate"
    )


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View an array so that nobody changes it through this view."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
