"""Vectors scored by word pairs and by analogies.

Words are looked up once (`prepare`); then vectors of the same words can be scored again and again
(`Prepared.score`), as after every epoch of a training run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from cbow.errors import QueryError
from cbow.evaluation import Rules
from cbow.evaluation.measures import (
    answers,
    interval,
    pair_cosines,
    pearson,
    resampled_spearman,
    spearman,
)
from cbow.evaluation.results import AnalogiesResult, Evaluation, PairsResult, defined
from cbow.evaluation.sets import (
    Analogies,
    Flags,
    Pairs,
    StrPath,
    all_known,
    analogies_of,
    pairs_of,
    read_analogies,
    read_pairs,
)
from cbow.system.arrays import Floats, Ids
from cbow.vectors.nearest import inverse_lengths
from cbow.vectors.query import described
from cbow.vectors.words import find_rows, find_variants

if TYPE_CHECKING:
    from cbow.vectors import WordVectors

Set = TypeVar("Set", Pairs, Analogies)

#: A word pair with its score, or a question.
Row: TypeAlias = Sequence[Any]


def evaluate(
    vectors: WordVectors,
    pairs: StrPath | Pairs | Iterable[StrPath | Pairs | Row] | None = None,
    analogies: StrPath | Analogies | Iterable[StrPath | Analogies | Row] | None = None,
    **rules: Any,
) -> Evaluation:
    """Score word vectors by word pairs and analogies, of files or in memory.

    Parameters
    ----------
    vectors : WordVectors
    pairs : str or PathLike, iterable of these, or iterable of tuples, optional
        Files of lines ``word word score``, or what `read_pairs` returned; or one set, as tuples
        (word, word, score).
    analogies : str or PathLike, iterable of these, or iterable of tuples, optional
        Files of lines ``: section`` and ``a b c d``, or what `read_analogies` returned; or one
        set, as tuples (a, b, c, d).
    **rules
        See `Rules`: restrict, oov, fold, methods, resamples, seed.

    Returns
    -------
    Evaluation
        A result for each file or set, in order.

    Raises
    ------
    QueryError
        If there are no vectors or no set, a set does not hold what it should or hardly any of its
        words are known, or the vectors are not finite.
    ConfigError
        If a rule is outside its range.
    """
    if not hasattr(vectors, "matrix"):
        raise QueryError(
            f"{type(vectors).__name__} is not word vectors; give those of a model, model.vectors, "
            "or what cbow.load_vectors returns"
        )
    chosen = Rules(**rules)
    sets: list[Pairs | Analogies] = [
        *_sets(pairs, "pairs", Pairs, read_pairs, pairs_of),
        *_sets(analogies, "analogies", Analogies, read_analogies, analogies_of),
    ]
    return score(vectors, sets, chosen)


def score(vectors: WordVectors, sets: Sequence[Pairs | Analogies], rules: Rules) -> Evaluation:
    """Score word vectors by sets; with ``oov="ngrams"`` make vectors for unknown words of pairs.

    Raises
    ------
    QueryError
        As `evaluate` does.
    """
    words, subwords = vectors.words, vectors.subwords
    if rules.oov != "ngrams":
        return prepare(words, sets, rules).score(vectors.matrix)
    if subwords is None:
        raise QueryError(
            "oov is ngrams, but the vectors have no n-grams to make words of; train with ngrams "
            "(--ngrams 3,6), or set oov (--oov) to skip or zero"
        )
    lacking: set[str] = set()
    for pairs in (each for each in sets if isinstance(each, Pairs)):
        rows = find_rows(words, pairs.words, rules.fold)  # (n, 2)
        lacking.update(pairs.words[i][j] for i, j in np.argwhere(rows < 0).tolist())
    made = sorted(filter(subwords.has, lacking))
    matrix = np.concatenate([vectors.matrix, subwords.vectors(made).astype(vectors.matrix.dtype)])
    among_known = replace(rules, restrict=min(rules.restrict, len(words)))
    evaluation = prepare([*words, *made], sets, among_known).score(matrix)
    return replace(evaluation, words=len(words), rules=rules)


def _sets(
    source: Any,
    name: str,
    kind: type[Set],
    read: Callable[[StrPath], Set],
    in_memory: Callable[[Iterable[Any]], Set],
) -> list[Set]:
    """Return the sets that an argument names or holds."""
    if isinstance(source, str | os.PathLike | kind):
        source = [source]
    # Iterated over, a table or mapping would give names of columns, or keys.
    plain = isinstance(source, Iterable) and not hasattr(source, "keys")
    items = list(source) if plain else []
    if source is None or (plain and not items):
        return []
    if items and all(isinstance(each, str | os.PathLike | kind) for each in items):
        return [each if isinstance(each, kind) else read(each) for each in items]
    if items and not any(isinstance(each, str | os.PathLike | Pairs | Analogies) for each in items):
        return [in_memory(items)]
    raise QueryError(
        f"{name} is {described(source)}, but must be a file name, a list of these, or a list "
        "of tuples " + ("(word, word, score)" if kind is Pairs else "(a, b, c, d)")
    )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Sets whose words have been looked up in one vocabulary; made by `prepare`.

    Attributes
    ----------
    words : sequence of str
        V of them.
    rules : Rules
    pairs : tuple of (Pairs, rows)
        The rows of their words, (n, 2), -1 for one that the vocabulary lacks.
    analogies : tuple of (Analogies, rows)
        The same, (n, 4), among the words that the questions are restricted to.
    variants : mapping of int to ndarray of int
        See `find_variants`.
    """

    words: Sequence[str]
    rules: Rules
    pairs: tuple[tuple[Pairs, Ids], ...]
    analogies: tuple[tuple[Analogies, Ids], ...]
    variants: Mapping[int, Ids]

    @np.errstate(under="ignore")
    def score(self, matrix: Floats) -> Evaluation:
        """Score vectors, (V, N), a row for each word.

        Raises
        ------
        QueryError
            If there is not a row for each word, or a vector that is needed is not finite.
        """
        V = len(self.words)
        if matrix.ndim != 2 or len(matrix) != V:
            raise QueryError(
                f"the matrix has the shape {matrix.shape}, but must have {V} rows, one for each "
                "word that was looked up"
            )
        of_pairs = []
        for pairs, rows in self.pairs:  # (n, 2)
            known = all_known(rows)  # (n,)
            cosines = np.full(len(rows), 0.0 if self.rules.oov == "zero" else np.nan)  # (n,)
            cosines[known] = pair_cosines(matrix, rows[known])
            broken = np.flatnonzero(known & np.isnan(cosines))
            if len(broken):
                raise _not_finite(" or ".join(map(repr, pairs.words[broken[0]])))
            counts = ~np.isnan(cosines)  # (n,)
            x, y = cosines[counts], pairs.scores[counts]
            drawn = resampled_spearman(x[None], y, self.rules.resamples, self.rules.seed)  # (1, R)
            rho, r = defined(spearman(x, y)), defined(pearson(x, y))
            of_pairs.append(PairsResult(pairs, known, cosines, rho, r, interval(drawn[0])))
        top = matrix[: self.rules.restrict if self.analogies else 0]  # (restrict, N)
        inverse = inverse_lengths(top)  # (restrict,)
        broken = np.flatnonzero(np.isnan(inverse))
        if len(broken):
            raise _not_finite(repr(self.words[broken[0]]))
        first = np.arange(len(top))  # (restrict,), of the words that differ only in case
        for row, spellings in self.variants.items():
            first[row] = spellings[0]
        of_analogies = []
        for analogies, rows in self.analogies:  # (n, 4)
            known = all_known(rows)  # (n,)
            right = {}
            for method in self.rules.methods:  # an answer in other letter case is right
                best = answers(top, inverse, rows[known, :3], method, self.variants)  # (known,)
                right[method] = np.zeros(len(rows), bool)
                right[method][known] = (best >= 0) & (first[best] == first[rows[known, 3]])
            counted: Flags = known | (self.rules.oov == "zero")
            of_analogies.append(AnalogiesResult(analogies, known, counted, right))
        results = tuple(of_pairs), tuple(of_analogies)
        return Evaluation(V, matrix.shape[1], self.rules, *results)


def prepare(
    words: Sequence[str], sets: Sequence[Pairs | Analogies], rules: Rules | None = None
) -> Prepared:
    """Look up the words of sets in a vocabulary, once for any number of matrices.

    Parameters
    ----------
    words : sequence of str
        The vocabulary, the most frequent word first.
    sets : sequence of Pairs and Analogies
        From `read_set`, for example.
    rules : Rules, optional

    Raises
    ------
    QueryError
        If there is no set, the vocabulary has fewer than two pairs of one, or no question.
    """
    if not sets:
        raise QueryError("there is nothing to score by; give files of word pairs or of analogies")
    rules = rules or Rules()
    top = list(islice(words, rules.restrict))
    pairs, analogies = [], []
    for each in sets:
        rows = find_rows(words if isinstance(each, Pairs) else top, each.words, rules.fold)
        known = int(all_known(rows).sum())
        if isinstance(each, Pairs):
            if known < 2:
                raise QueryError(
                    f"{each.file}: of its word pairs, {len(rows):,} in all, the model has the "
                    f"words of {known}, but a correlation takes 2 or more; give pairs in the "
                    "language of the model"
                )
            pairs.append((each, rows))
        else:
            if not known:
                raise QueryError(
                    f"{each.file}: of its questions, {len(rows):,} in all, none has its four words "
                    f"among the first {len(top):,} of the model; give questions in its language, "
                    "or increase restrict"
                )
            analogies.append((each, rows))
    variants = find_variants(top) if analogies and rules.fold else {}
    return Prepared(words, rules, tuple(pairs), tuple(analogies), variants)


def _not_finite(words: str) -> QueryError:
    """Create the error about a model whose training went wrong."""
    return QueryError(
        f"the vector of {words} holds numbers that are not finite, or far too large; correct the "
        "vectors, or train the model again with a smaller learning rate"
    )
