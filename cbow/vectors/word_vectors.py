"""Words and their vectors: look them up, compare them, find the nearest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, overload

import numpy as np
import numpy.typing as npt

from cbow.errors import (
    TRAIN_AGAIN,
    CBOWError,
    ModelFileError,
    QueryError,
    UnknownWordError,
    counted,
    shown,
)
from cbow.other_names import VECTORS, explaining
from cbow.system.arrays import Array, Doubles, Floats, Ids
from cbow.vectors import nearest
from cbow.vectors.embeddings import Subwords, check_subwords
from cbow.vectors.nearest import Hits, Search
from cbow.vectors.query import (
    Key,
    Keys,
    Queries,
    Query,
    Vector,
    as_words,
    check_integer,
    described,
    directions,
    keys_of,
    pair_up,
    terms,
)
from cbow.vectors.words import PackedWords, spelled_like

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

#: A word and its cosine.
Neighbour: TypeAlias = tuple[str, float]

_Key = TypeVar("_Key", bound=Key)
_Default = TypeVar("_Default")

#: Words that are looked up one by one among packed ones, before a dictionary of all is made.
LOOKUPS: Final = 8

#: The most frequent words, among which the table for a notebook looks for the nearest: all of a
#: large file would have to be read.
FREQUENT: Final = 10_000


@explaining("WordVectors", VECTORS)
class WordVectors:
    """Words with a vector each.

    Every method raises `UnknownWordError` for a word that is not in the vocabulary, unless its
    vector can be made from n-grams, and `QueryError` for what is neither a word nor a vector, or
    for a vector that is not finite.

    Parameters
    ----------
    words : sequence of str
        V distinct words, the most frequent first.
    matrix : ndarray of float32 or float64, (V, N)
        Row i is the vector of word i. It is not copied.
    counts : ndarray of int, (V,), optional
        How often each word occurs in the training text.
    subwords : Subwords, optional
        The n-grams that vectors of other words are made from.

    Raises
    ------
    ModelFileError
        If the words are not str or not distinct, or the shapes do not agree. `PackedWords` are
        not read before they are needed; of these it is raised when all are looked at.

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
        subwords: Subwords | None = None,
    ) -> None:
        self._words: PackedWords | tuple[str, ...] = (
            words if isinstance(words, PackedWords) else _as_str(words)
        )
        self._lookups = 0
        self._matrix = _read_only(matrix)
        self._counts = None if counts is None else _read_only(counts)
        self._subwords = subwords
        V = len(self._words)
        if self._matrix.ndim != 2 or self._matrix.dtype not in (np.float32, np.float64):
            raise ModelFileError(
                f"the matrix is {self._matrix.dtype} with {self._matrix.ndim} dimensions; "
                "give float32 or float64 with a row per word"
            )
        if len(self._matrix) != V:
            raise ModelFileError(
                f"there are {V} words, but {len(self._matrix)} rows; give a row for each word"
            )
        if self._counts is not None and self._counts.shape != (V,):
            raise ModelFileError(
                f"there are {V} words, but counts of shape {self._counts.shape}; give one for "
                "each word"
            )
        check_subwords(subwords, self.dimension)
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
    def subwords(self) -> Subwords | None:
        """The n-grams that vectors of other words are made from; None without any."""
        return self._subwords

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

    def has_vector(self, word: str) -> bool:
        """Return whether a word has a vector: it is in the vocabulary, or has n-grams here."""
        return self._place(self._word(word)) is not None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} words, {self.dimension} dimensions)"

    def _repr_html_(self) -> str:
        """Return a table for a notebook: words from the most frequent on, with their nearest."""
        frequent = min(len(self), FREQUENT)
        few = WordVectors(self._words[:frequent], self._matrix[:frequent])
        rows: list[list[object]] = []
        for rank in sorted({round(x) for x in np.geomspace(1, frequent, 6)} if frequent else ()):
            word = few.words[rank - 1]
            try:
                near = ", ".join(other for other, _ in few.most_similar(word, topn=3))
            except QueryError as error:
                near = str(error)
            count = "" if self._counts is None else f"{self._counts[rank - 1]:,}"
            rows.append([f"{rank:,}", word, count, near])
        among = f" of the {FREQUENT:,} most frequent" if frequent < len(self) else ""
        return html_table(repr(self), ["rank", "word", "count", f"nearest{among}"], rows)

    def __getitem__(self, word: str | Sequence[str]) -> Floats:
        """Return the vector of a word, (N,), or those of several, one per row."""
        if isinstance(word, str) or not isinstance(word, Iterable):
            row = self._row(self._word(word))
            known = row is not None
            vector: Floats = self._matrix[row] if known else self._rows_of([word])[0]  # (N,)
            return vector
        return self._rows_of([self._word(each) for each in word])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Return `matrix`, without a copy where numpy asks for none: it is read-only then."""
        return np.array(self._matrix, dtype, copy=copy)

    def get(self, word: str, default: _Default | None = None) -> Floats | _Default | None:
        """Return the vector of a word, (N,), or a default if it has none; see `has_vector`."""
        return self[word] if self.has_vector(word) else default

    def get_vector(self, word: str, norm: bool = False) -> Floats:
        """Return the vector of a word, (N,); with `norm` scaled to length 1, or zero if it is."""
        vector = self[word]
        return self._units([word])[0].astype(vector.dtype) if norm else vector

    def get_mean_vector(
        self,
        words: Query,
        weights: Iterable[float] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = False,
    ) -> Floats:
        """Return the weighted mean of vectors, Σ w v / Σ |w|, as gensim does.

        Parameters
        ----------
        words : list of words or vectors
            A pair (word, weight) brings its own weight.
        weights : list of float, optional
            One for each of `words`; by default each counts 1.
        pre_normalize : bool
            Scale the vectors of words to length 1 first. Other vectors count as they are.
        post_normalize : bool
            Scale the mean to length 1.
        ignore_missing : bool
            Leave out words that have no vector, which are an error by default (in gensim they are
            left out by default).

        Returns
        -------
        ndarray, (N,)
            In the dtype of `matrix`. Zeros if every word is left out or has weight 0.

        Raises
        ------
        QueryError
            If there is no word, there are more or fewer weights than words, or the mean is
            not finite.
        """
        keys = keys_of(words)
        if weights is not None:
            weights = list(weights)
            if len(weights) != len(keys):
                raise QueryError(
                    f"there are {counted(len(keys), 'word')}, but {counted(len(weights), 'weight')}"
                    "; give a weight for each word"
                )
            keys = list(zip(keys, weights, strict=True))
        known = [
            (key, weight)
            for key, weight in terms(keys, None)
            if not (ignore_missing and isinstance(key, str) and not self.has_vector(key))
        ]
        keys = [key for key, _ in known]
        vectors = self._vectors(keys, self._locate(keys))  # (len(keys), N)
        if pre_normalize:
            words_of = [i for i, key in enumerate(keys) if isinstance(key, str)]
            vectors[words_of] = nearest.unit(vectors[words_of])
        with np.errstate(all="ignore"):  # what overflows is reported below
            w = np.array([weight for _, weight in known])  # (len(keys),)
            mean = w @ vectors / (np.abs(w).sum() or 1)  # (N,)
            mean = (nearest.unit(mean) if post_normalize else mean).astype(self._matrix.dtype)
        if not np.isfinite(mean).all():
            raise QueryError("the mean is not finite; give smaller weights or vectors")
        return mean

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
        """Find the words whose vectors point most nearly in the direction of the query.

        The direction is the mean of the terms' vectors, each word's scaled to length 1; an array
        counts as it is. The words of the query are left out (Mikolov,
        Yih, Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations"). A word
        that is not in the vocabulary, a misspelled one for example, is made from its n-grams where
        there are `subwords`.

        Parameters
        ----------
        positive : word, vector, list of these, or list of lists, optional
            What counts with weight 1. A pair (word, weight) brings its own weight. A list of
            lists is many queries, answered together and much faster than one by one. An array of
            words is a list of them.
        negative : the same, optional
            What counts with weight -1. A pair keeps the sign of its own weight.
        topn : int
            How many words to return; all there are if there are fewer.
        clip_start, clip_end : int, optional
            Search only among the words from this place of the vocabulary to before that one.
        restrict_vocab : int, optional
            Search only among so many words, the most frequent ones.

        Returns
        -------
        list of (word, cosine)
            Nearest first; equals by falling frequency. For many queries, a list of such lists.

        Raises
        ------
        QueryError
            If the query is empty, or adds up to zero.
        """
        check_integer("topn", topn, 0)
        rows = self._range(clip_start, clip_end, restrict_vocab)
        pairs, many = pair_up(positive, negative)
        queries = [terms(*pair) for pair in pairs]
        search = self._search  # first: it rejects vectors that are not finite
        keys = [key for query in queries for key, _ in query]
        weights = [weight for query in queries for _, weight in query]
        sizes = [len(query) for query in queries]
        ids = self._locate(keys)
        sums = directions(self._terms(keys, ids), weights, sizes)  # (Q, N)
        neighbours = self._named(search(sums, _words_of_each(ids, sizes), topn, rows))
        return neighbours if many else neighbours[0]

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
        """Find words as `most_similar` does, but by a product of cosines instead of a sum.

        This is 3CosMul (Levy and Goldberg 2014); `cbow.vectors.nearest` has the formula.

        Parameters
        ----------
        positive : word, vector, list of these, or list of lists
            What counts for a word. There are no weights.
        negative : the same, optional
            What counts against it.
        topn : int
            How many words to return; all there are if there are fewer.
        restrict_vocab : int, optional
            Search only among so many words, the most frequent ones.

        Returns
        -------
        list of (word, score)
            The largest first; equals by falling frequency. For many queries, a list of such lists.

        Raises
        ------
        QueryError
            If nothing is positive, or a term is zero or has a weight.
        """
        check_integer("topn", topn, 0)
        rows = self._range(0, None, restrict_vocab)
        pairs, many = pair_up(positive, negative)
        hits = []
        for plus, minus in pairs:
            query = terms(plus, None)
            T = len(query)
            query += [] if minus is None else terms(None, minus)
            if any(weight != (1 if i < T else -1) for i, (_, weight) in enumerate(query)):
                raise QueryError("a product has no weights; give words or vectors alone")
            inverse = self._inverse  # first: it rejects vectors that are not finite
            keys = [key for key, _ in query]
            ids = self._locate(keys)
            units = nearest.unit(self._vectors(keys, ids))  # (terms, N)
            if not units.any(axis=1).all():
                raise QueryError(
                    "a term of the query is zero, which has no direction; leave it out"
                )
            [own] = _words_of_each(ids, [len(ids)])
            hits.append(nearest.largest_products(self._matrix, inverse, units, T, own, topn, rows))
        neighbours = self._named(hits)
        return neighbours if many else neighbours[0]

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
        QueryError
            If the lists are not equally long.
        """
        a, b = as_words(a), as_words(b)
        if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
            result: Doubles = (self._units(a) * self._units(b)).sum(axis=1)  # (len(a),)
            return result
        if isinstance(a, list) or isinstance(b, list):
            raise QueryError(
                "one side is a list and the other is not, or the lists are not equally long; give "
                "two words, or two lists of the same length"
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
        """Compute the cosine between the means of two sets of vectors, which are not scaled.

        Parameters
        ----------
        a, b : list of words or vectors, or list of lists
            A pair (word, weight) brings its weight. Two lists of lists, equally long, are many
            queries.

        Returns
        -------
        float
            For lists of lists an ndarray of float64, one cosine for each pair of sets.

        Raises
        ------
        QueryError
            If a set is empty, or adds up to zero.
        """
        pairs, many = pair_up(a, b)
        sides = [terms(side, None) for pair in pairs for side in pair]  # a, b, a, b ...
        keys = [key for side in sides for key, _ in side]
        weights = [weight for side in sides for _, weight in side]
        vectors = self._vectors(keys, self._locate(keys))
        means = directions(vectors, weights, [len(side) for side in sides])  # (2 Q, N)
        result: Doubles = (means[::2] * means[1::2]).sum(axis=1)  # (Q,)
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
        """
        word_or_vector = as_words(word_or_vector)
        many = isinstance(word_or_vector, list)
        keys = word_or_vector if isinstance(word_or_vector, list) else [word_or_vector]
        inverse = self._inverse  # first: it rejects vectors that are not finite
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
        QueryError
            If `a` is zero.
        """
        return [self._words[row] for row in self._closer(a, b)]

    def rank(self, a: Key, b: str) -> int:
        """Return the place of `b` among the words nearest to `a`: 1 if no other is nearer.

        Parameters
        ----------
        a : word or vector
        b : word

        Raises
        ------
        QueryError
            If `a` is zero.
        """
        return len(self._closer(a, b)) + 1

    @np.errstate(under="ignore")
    def most_similar_to_given(self, word: Key, words: Sequence[_Key]) -> _Key:
        """Choose from several words the one nearest to a word, the first of equals.

        Raises
        ------
        QueryError
            If there is none to choose from.
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

    @np.errstate(under="ignore")
    def doesnt_match(self, words: Sequence[str] | Sequence[list[str]]) -> str | list[str]:
        """Choose the word that does not belong to the others: the one furthest from their mean.

        The mean is that of the vectors at length 1, the word itself included.

        Parameters
        ----------
        words : list of three words or more, or list of such lists

        Returns
        -------
        str
            The first of words that are equally far. For a list of lists, a word for each.

        Raises
        ------
        QueryError
            If there are fewer than three words, or their mean is zero.
        """
        pairs, many = pair_up(words, None)
        odd = []
        for group, _ in pairs:
            named = [self._word(key) for key, _ in terms(group, None)]
            if len(named) < 3:
                raise QueryError(
                    f"of {counted(len(named), 'word')} none is the odd one out; give a list of "
                    "three words or more"
                )
            units = self._units(named)  # (n, N)
            mean = directions(units, [1] * len(named), [len(named)])[0]  # (N,)
            odd.append(named[int((units * mean).sum(axis=1).argmin())])
        return odd if many else odd[0]

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write words, vectors and counts to a file; see `cbow.vectors.formats.write`.

        Parameters
        ----------
        path : str or PathLike
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

        write(path, self._words, self._matrix, self._counts, format, self._subwords)

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

    def _each(
        self, keys: Sequence[Key], topn: int, restrict_vocab: int | None
    ) -> list[list[Neighbour]]:
        """Find the words nearest to each key."""
        queries = [[key] for key in keys]
        if not queries:  # which would be one query, and empty
            return []
        return self.most_similar(queries, topn=topn, restrict_vocab=restrict_vocab)

    def _closer(self, a: Key, b: str) -> Ids:
        """Find the rows that are nearer to `a` than `b` is; that of `a` is none of them."""
        matrix, inverse = self._matrix, self._inverse
        own, other = self._locate([a]), np.array([self._id(b)])  # (1,), (1,)
        query = directions(self._terms([a], own), [1], [1])[0]  # (N,)
        limit = nearest.exact_cosines(matrix, inverse, query, other)[0]
        slack = nearest.slack(matrix.dtype, self.dimension)
        cosines = nearest.cosines(matrix, inverse, query)  # (V,), wrong by `slack` at most
        closer = cosines > limit - slack
        doubtful = np.flatnonzero(closer & (cosines <= limit + slack))
        closer[doubtful] = nearest.exact_cosines(matrix, inverse, query, doubtful) > limit
        closer[own[0] : own[0] + 1] = False  # the word itself; of a vector, -1 : 0 is nothing
        return np.flatnonzero(closer)

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each word; packed words are all decoded for it, when it is first needed."""
        if isinstance(self._words, PackedWords):
            rows = self._words.places()
            self._words = tuple(rows)  # decoded by now, so that no word is decoded again
            return rows
        return dict(zip(self._words, range(len(self._words)), strict=True))

    def _row(self, word: str) -> int | None:
        """Return the row of a word, None if it is not there."""
        if "_rows" not in self.__dict__ and self._lookups < LOOKUPS:
            self._lookups += 1
            try:
                return self._words.index(word)
            except ValueError:
                return None
        return self._rows.get(word)

    def _place(self, word: str) -> int | None:
        """Return the row of a word, -1 if its vector can be made, None if there is none."""
        row = self._row(word)
        if row is None and self._subwords is not None and self._subwords.has(word):
            return -1
        return row

    def _word(self, word: object) -> str:
        """Raise `QueryError` if something is not a word."""
        if not isinstance(word, str):
            raise QueryError(f"{shown(word)} is not a word; ask for words by their spelling")
        return word

    def _id(self, word: str) -> int:
        """Return the row of a word, which must be there."""
        row = self._row(self._word(word))
        if row is None:
            raise UnknownWordError(word, lambda: spelled_like(word, self._rows))
        return row

    def _locate(self, keys: Sequence[Key]) -> Ids:
        """Return the rows of words, (len(keys),).

        It is -1 for a word that is made from n-grams, and for a vector, which is checked.
        """
        ids = np.full(len(keys), -1, np.intp)
        for i, key in enumerate(keys):
            if isinstance(key, str):
                row = self._place(key)
                ids[i] = self._id(key) if row is None else row  # which raises
                continue
            if not isinstance(key, np.ndarray):
                raise QueryError(
                    f"{described(key)} is neither a word nor a vector; give one of these"
                )
            numbers = key.dtype.kind in "fiu"
            if not numbers or key.shape != (self.dimension,) or not np.isfinite(key).all():
                raise QueryError(
                    f"the query holds a vector of shape {key.shape}, but must hold "
                    f"{self.dimension} finite numbers; give vectors of the same dimension as the "
                    "words'"
                )
        return ids

    def _rows_of(self, words: Sequence[str]) -> Floats:
        """Return the vectors of words in the dtype of `matrix`, (len(words), N)."""
        ids = self._locate(words)  # (len(words),)
        rows: Floats = self._matrix[ids]  # (len(words), N)
        made = np.flatnonzero(ids < 0)
        if self._subwords is not None and len(made):
            rows[made] = self._subwords.vectors([words[i] for i in made.tolist()])
        return rows

    def _vectors(self, keys: Sequence[Key], ids: Ids) -> Doubles:
        """Return the vectors of keys that have been located, (len(keys), N)."""
        vectors = np.empty((len(keys), self.dimension))
        vectors[ids >= 0] = self._matrix[ids[ids >= 0]]
        made = []
        for i in np.flatnonzero(ids < 0).tolist():
            key = keys[i]
            if isinstance(key, str):
                made.append(i)
            else:
                vectors[i] = key
        if made:
            vectors[made] = self._rows_of([str(keys[i]) for i in made])
        finite = np.isfinite(vectors).all(axis=1)  # (len(keys),)
        if not finite.all():  # it is a word's: other vectors have been checked
            raise _not_finite("a vector", str(keys[int(finite.argmin())]))
        return vectors

    def _terms(self, keys: Sequence[Key], ids: Ids) -> Doubles:
        """Return the vectors of words at length 1, other vectors as they are, (len(keys), N).

        That all words are finite has been checked by then.
        """
        if ids.min() >= 0:  # the usual case, and quicker
            return nearest.unit(self._matrix[ids])
        vectors = self._vectors(keys, ids)  # (len(keys), N)
        words = [i for i, key in enumerate(keys) if isinstance(key, str)]
        vectors[words] = nearest.unit(vectors[words].astype(self._matrix.dtype))
        return vectors

    def _units(self, keys: Sequence[Key]) -> Doubles:
        """Return the vectors of keys at length 1, (len(keys), N)."""
        return nearest.unit(self._vectors(keys, self._locate(keys)))

    @cached_property
    def _inverse(self) -> Floats:
        """One over the length of each row, (V,): computed at the first search, then kept."""
        inverse = nearest.inverse_lengths(self._matrix)
        broken = np.flatnonzero(np.isnan(inverse))
        if len(broken):
            raise _not_finite(
                f"the vectors of {counted(len(broken), 'word')}", self._words[broken[0]]
            )
        return inverse

    @cached_property
    def _search(self) -> Search:
        """Finds the nearest rows, and keeps what it has computed for the next search."""
        return Search(self._matrix, self._inverse)

    def _range(self, start: int, end: int | None, restricted: int | None) -> range:
        """Return the rows in which to search."""
        check_integer("clip_start", start, 0)
        if end is not None:
            check_integer("clip_end", end, 0)
        if restricted is not None:
            check_integer("restrict_vocab", restricted, 1)
            if start or end is not None:
                raise QueryError(
                    "restrict_vocab is given and so is clip_start or clip_end; give only one"
                )
            end = restricted
        return range(len(self))[start:end]

    def _named(self, hits: Sequence[Hits]) -> list[list[Neighbour]]:
        """Put words in the place of their rows."""
        words = self._words
        return [
            list(zip([words[row] for row in ids.tolist()], scores.tolist(), strict=True))
            for ids, scores in hits
        ]


def _not_finite(where: str, word: str) -> QueryError:
    """Create the error about a model whose training went wrong."""
    return QueryError(
        f"the model holds numbers that are not finite, or far too large, in {where}, the first "
        f"{shown(word)}; {TRAIN_AGAIN}"
    )


def _as_str(words: Iterable[str]) -> tuple[str, ...]:
    """Return words as str, which numpy's own are not quite."""
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise ModelFileError(f"the words are {described(words)}; give a list of str")
    words = tuple(words)
    if set(map(type, words)) <= {str}:  # all but always, and seen sooner than word by word
        return words
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise ModelFileError(
                f"word {row} of the words is {described(word)}, but must be str; convert or decode "
                "it"
            )
    return tuple(map(str, words))


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """View an array so that nobody changes it through this view."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _words_of_each(ids: Ids, sizes: Sequence[int]) -> list[Ids]:
    """Return the rows of the words of each query, each once."""
    listed, ends = ids.tolist(), np.cumsum(sizes).tolist()
    return [
        np.array(sorted({row for row in listed[end - size : end] if row >= 0}), np.intp)
        for size, end in zip(sizes, ends, strict=True)
    ]


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a small table for a notebook, its texts escaped.

    Examples
    --------
    >>> html_table("a < b", [], [])
    '<table><caption>a &lt; b</caption><tbody></tbody></table>'
    """
    from html import escape  # here, for it takes a while to load

    def row(kind: str, cells: Sequence[object], style: str = "") -> str:
        return f"<tr>{''.join(f'<{kind}{style}>{escape(str(x))}</{kind}>' for x in cells)}</tr>"

    body = "".join(row("td", cells, ' style="text-align: left"') for cells in rows)
    top = f"<thead>{row('th', head)}</thead>" if head else ""
    return f"<table><caption>{escape(caption)}</caption>{top}<tbody>{body}</tbody></table>"
