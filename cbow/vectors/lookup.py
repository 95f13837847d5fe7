"""Words with a vector each: what is there, and what stands where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError, QueryError, UnknownWordError, counted, shown
from cbow.vectors import nearest, spelling
from cbow.vectors.nearest import Doubles, Floats, Ids
from cbow.vectors.packed import PackedWords
from cbow.vectors.query import Key, kind_of

#: Words that are sought one by one among packed ones, before the table of all is made.
SOUGHT: Final = 8


class Lookup:
    """Words with a vector each, without any query; see `WordVectors`."""

    def __init__(
        self,
        words: Sequence[str],
        matrix: Floats,
        counts: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self._words: PackedWords | tuple[str, ...] = (
            words if isinstance(words, PackedWords) else _plain(words)
        )
        self._sought = 0
        self._matrix = _read_only(matrix)
        self._counts = None if counts is None else _read_only(counts)
        self._check()

    def _check(self) -> None:
        """Hold words, matrix and counts against each other."""
        V = len(self._words)
        if self._matrix.ndim != 2 or self._matrix.dtype not in (np.float32, np.float64):
            raise ModelFileError(
                f"the matrix is {self._matrix.dtype} with {self._matrix.ndim} dimensions; "
                "give float32 or float64 with a row per word"
            )
        if len(self._matrix) != V:
            raise ModelFileError(f"there are {V} words, but {len(self._matrix)} rows; give as many")
        if self._counts is not None and self._counts.shape != (V,):
            raise ModelFileError(f"there are {V} words, but counts of shape {self._counts.shape}")
        if isinstance(self._words, tuple) and len(self._rows) != V:
            raise ModelFileError(
                f"of {V} words only {len(self._rows)} are distinct; give each word once"
            )

    @property
    def words(self) -> Sequence[str]:
        """The V words, the most frequent first. Those of a file are decoded as they are used."""
        return self._words

    @property
    def ids(self) -> Mapping[str, int]:
        """The row of each word."""
        return MappingProxyType(self._rows)

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
        return isinstance(word, str) and self._row(word) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} words, {self.dimension} dimensions)"

    def __getitem__(self, word: str | Sequence[str]) -> Floats:
        """Return the vector of a word, (N,), or those of several, one per row.

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
        return self._matrix[self._ids(word)]

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each word: of packed ones, which are all decoded for it, made when needed."""
        if isinstance(self._words, PackedWords):
            rows = self._words.places()
            self._words = tuple(rows)  # decoded by now, so that no word is decoded again
            return rows
        return dict(zip(self._words, range(len(self._words)), strict=True))

    def _row(self, word: str) -> int | None:
        """Return the row of a word, None if it is not there."""
        if "_rows" not in self.__dict__ and self._sought < SOUGHT:
            self._sought += 1
            try:
                return self._words.index(word)
            except ValueError:
                return None
        return self._rows.get(word)

    def _word(self, word: object) -> str:
        """Refuse what is no word."""
        if not isinstance(word, str):
            raise QueryError(f"{shown(word)} is not a word; ask for words by their spelling")
        return word

    def _id(self, word: str) -> int:
        """Return the row of a word."""
        row = self._row(self._word(word))
        if row is None:
            raise UnknownWordError(word, lambda: spelling.alike(word, self._words, self._rows))
        return row

    def _ids(self, words: Iterable[str]) -> Ids:
        """Return the rows of words."""
        return np.array([self._id(word) for word in words], np.intp)

    @cached_property
    def _inverse(self) -> Floats:
        """One over the length of each row, (V,): computed at the first search, then kept."""
        inverse = nearest.inverse_lengths(self._matrix)
        broken = np.flatnonzero(np.isnan(inverse))
        if len(broken):
            raise not_finite(
                f"the vectors of {counted(len(broken), 'word')}", self._words[broken[0]]
            )
        return inverse

    def _located(self, keys: Sequence[Key]) -> Ids:
        """Return the rows of words, and -1 for a vector, which is checked, (len(keys),)."""
        return np.array([self._place(key) for key in keys], np.intp)

    def _place(self, key: Key) -> int:
        """Return the row of a word, and -1 for a vector, which is checked."""
        if isinstance(key, str):
            return self._id(key)
        self._check_vector(key)
        return -1

    def _check_vector(self, vector: object) -> None:
        """Refuse what is no vector, and one with which nothing can be asked."""
        if not isinstance(vector, np.ndarray):
            raise QueryError(f"{kind_of(vector)} is neither a word nor a vector; give one of these")
        numbers = vector.dtype.kind in "fiu"
        if not numbers or vector.shape != (self.dimension,) or not np.isfinite(vector).all():
            raise QueryError(
                f"the query holds a vector of shape {vector.shape}, but must hold {self.dimension} "
                "finite numbers; give vectors of the dimension that the words' have"
            )

    def _vectors(self, keys: Sequence[Key], ids: Ids) -> Doubles:
        """Return the vectors of keys that have been located, (len(keys), N)."""
        vectors = np.empty((len(keys), self.dimension))
        words = ids >= 0  # (len(keys),)
        vectors[words] = self._matrix[ids[words]]
        for i in np.flatnonzero(~words).tolist():
            vectors[i] = keys[i]
        finite = np.isfinite(vectors)  # (len(keys), N)
        if not finite.all():  # a word's are not: those that are given have been checked
            raise not_finite("a vector", str(keys[int(finite.all(axis=1).argmin())]))
        return vectors

    def _terms(self, keys: Sequence[Key], ids: Ids) -> Doubles:
        """Return the vectors of words at length 1, those that are given as they are.

        That words are finite has been seen by then, with all the others.
        """
        if ids.min() >= 0:  # the usual case, and quicker
            return nearest.unit(self._matrix[ids])
        vectors = self._vectors(keys, ids)  # (len(keys), N)
        words = ids >= 0  # (len(keys),)
        vectors[words] = nearest.unit(self._matrix[ids[words]])
        return vectors

    def _units(self, keys: Sequence[Key]) -> Doubles:
        """Return the vectors of words, or those that are given, at length 1, (len(keys), N)."""
        return nearest.unit(self._vectors(keys, self._located(keys)))


def _plain(words: Iterable[str]) -> tuple[str, ...]:
    """Return words as str, which numpy's own are not quite; refuse what is no word."""
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise ModelFileError(f"the words are {kind_of(words)}; give a list of str")
    words = tuple(words)
    if set(map(type, words)) <= {str}:  # all but always, and seen sooner than word by word
        return words
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise ModelFileError(
                f"word {row} of the words is {kind_of(word)}, but must be str; convert or decode it"
            )
    return tuple(map(str, words))


def not_finite(where: str, word: str) -> QueryError:
    """Create the error about a model whose training went wrong."""
    return QueryError(
        f"the model holds numbers that are not finite, or far too large, in {where}, the first "
        f"{shown(word)}; train it again with a smaller learning rate"
    )


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View an array so that nobody changes it through this view."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
