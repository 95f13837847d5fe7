"""Vectors scored by word pairs and by analogies, and two models held against each other.

Words are looked up once (`prepare`); then vectors of the same words can be scored again and again
(`Prepared.score`), as after every epoch of a training run.

Two models are compared on the pairs, or the questions, that count for both. Word pairs: the
difference of Spearman's ρ, with the interval of a bootstrap that draws the same pairs for both.
Analogies: McNemar's exact test of the questions that one alone answered rightly.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import numpy as np

from cbow.errors import QueryError
from cbow.evaluation import Rules
from cbow.evaluation.measures import (
    Accuracy,
    Interval,
    accuracy,
    answers,
    interval,
    mcnemar,
    pair_cosines,
    pearson,
    resampled_spearman,
    sign_probability,
    spearman,
)
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
from cbow.system.arrays import Doubles, Floats, Ids
from cbow.vectors.nearest import inverse_lengths
from cbow.vectors.query import described
from cbow.vectors.words import find_rows, find_variants

if TYPE_CHECKING:
    from cbow.vectors import WordVectors

Set = TypeVar("Set", Pairs, Analogies)

#: Columns and lines of the ``repr`` of an evaluation, at most.
COLUMNS: Final = 80
LINES: Final = 12

#: A word pair with its score, or a question.
Row: TypeAlias = Sequence[Any]


@dataclass(frozen=True, eq=False)
class PairsResult:
    """How well cosines agree with one file of word pairs.

    Attributes
    ----------
    set : Pairs
        n pairs.
    known : ndarray of bool, (n,)
        Whether the model has both words.
    cosines : ndarray, (n,)
        NaN for pairs that are left out.
    spearman, pearson : float or None
        None if all scores, or all cosines, are equal.
    interval : Interval or None
        Of Spearman's ρ; None without resamples, or if none of them has a correlation.
    """

    set: Pairs
    known: Flags
    cosines: Doubles
    spearman: float | None
    pearson: float | None
    interval: Interval | None

    def __repr__(self) -> str:
        figure = "no correlation"
        if self.spearman is not None:
            figure = f"Spearman {self.spearman:z.3f}"
        if self.interval is not None:
            figure += f" ({self.interval.low:z.3f} to {self.interval.high:z.3f})"
        return _line(self.set.file, figure, self.known, "pairs")

    @property
    def counted(self) -> Flags:
        """Whether a pair has a part in the correlation, (n,)."""
        return ~np.isnan(self.cosines)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by its name, for JSON."""
        return {
            **_coverage(self.set.file, self.known, self.counted),
            "spearman": self.spearman,
            "interval": None if self.interval is None else self.interval._asdict(),
            "pearson": self.pearson,
            "score_column": self.set.column,
            "lines_skipped": self.set.skipped._asdict(),
        }


@dataclass(frozen=True, eq=False)
class AnalogiesResult:
    """How one file of analogies was answered.

    Attributes
    ----------
    set : Analogies
        n questions.
    known : ndarray of bool, (n,)
        Whether all four words are among those that the questions are restricted to.
    counted : ndarray of bool, (n,)
        Whether a question has a part in the share of right answers.
    right : mapping of str to ndarray of bool, (n,)
        By method: whether the answer was right.
    """

    set: Analogies
    known: Flags
    counted: Flags
    right: Mapping[str, Flags]

    def __repr__(self) -> str:
        shares = {method: self.accuracy(method).share or 0.0 for method in self.right}
        figures = (f"{method} {100 * share:.1f} %" for method, share in shares.items())
        return _line(self.set.file, ", ".join(figures), self.known, "questions")

    def accuracy(self, method: str, section: int | None = None) -> Accuracy:
        """Return the share of right answers by a method, of all questions or a section's."""
        counted = self.counted & self.members(section)
        return accuracy(int((self.right[method] & counted).sum()), int(counted.sum()))

    def to_dict(self, section: int | None = None) -> dict[str, Any]:
        """Return every number by its name, for JSON: of all questions, or of those of a section."""
        members = self.members(section)
        name = self.set.file if section is None else self.set.sections[section]
        numbers: dict[str, Any] = _coverage(name, self.known[members], self.counted[members])
        for method in self.right:
            numbers[method] = self.accuracy(method, section).to_dict()
        if section is not None:
            return {"section": numbers.pop("file"), **numbers}
        numbers["lines_skipped"] = self.set.skipped._asdict()
        numbers["sections"] = [self.to_dict(each) for each in range(len(self.set.sections))]
        return numbers

    def members(self, section: int | None) -> Flags:
        """Return which questions are those of a section, (n,); all if it is None."""
        if section is None:
            return np.ones(len(self.known), bool)
        members: Flags = self.set.section_of == section
        return members


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of one model.

    Attributes
    ----------
    words, dimension : int
        Of the model: V and N.
    rules : Rules
    pairs : tuple of PairsResult
    analogies : tuple of AnalogiesResult
        One for each file, in order.
    """

    words: int
    dimension: int
    rules: Rules
    pairs: tuple[PairsResult, ...]
    analogies: tuple[AnalogiesResult, ...]

    def __repr__(self) -> str:
        results = [*map(repr, self.pairs), *map(repr, self.analogies)]
        more = len(results) - (LINES - 1)
        if more > 0:
            results[LINES - 2 :] = [f"... and {more + 1} more"]
        head = f"Evaluation of {self.words:,} words, {self.dimension} dimensions"
        return "\n  ".join([head, *results])

    def summary(self) -> dict[str, float | None]:
        """Return one number for each file: Spearman's ρ, or the share right by the first method."""
        method = self.rules.methods[0]
        numbers = {result.set.file: result.spearman for result in self.pairs}
        return numbers | {
            result.set.file: result.accuracy(method).share for result in self.analogies
        }

    def to_dict(self) -> dict[str, Any]:
        """Return every number by its name, for JSON; no cosines and no single answers."""
        return {
            "words": self.words,
            "dimension": self.dimension,
            "rules": asdict(self.rules),
            "pairs": [result.to_dict() for result in self.pairs],
            "analogies": [result.to_dict() for result in self.analogies],
        }


def _line(file: str, figures: str, known: Flags, items: str) -> str:
    """Return a line about a file, of whose name it has the end if all of it is too long."""
    text = f": {figures}, {int(known.sum()):,} of {len(known):,} {items}"
    room = COLUMNS - len("  ") - len(text)  # in a list of results, which is indented
    name = file if len(file) <= room else f"...{file[len(file) - room + 3 :]}"
    return f"{name}{text}"


def _coverage(file: str, known: Flags, counted: Flags) -> dict[str, Any]:
    """Count the items of a set, those whose words the model has, and those that count."""
    n, found = len(known), int(known.sum())
    return {
        "file": file,
        "asked": n,
        "found": found,
        "coverage": found / n if n else None,
        "counted": int(counted.sum()),
    }


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


@dataclass(frozen=True)
class Comparison:
    """Two models by one file.

    Attributes
    ----------
    file : str
    measure : str
        ``Spearman``, ``3CosAdd`` or ``3CosMul``.
    test : str
        How `p` was found.
    common : int
        Pairs or questions that count for both models.
    first, second : float or None
        ρ, or the share of right answers, on these; None where it cannot be told.
    interval : Interval or None
        Of first - second; only for word pairs, and only with resamples.
    p : float or None
        How likely so large a difference is by chance, both directions alike.
    only : tuple of int, or None
        Questions that the first alone, and that the second alone, answered rightly.
    """

    file: str
    measure: str
    test: str
    common: int
    first: float | None
    second: float | None
    interval: Interval | None
    p: float | None
    only: tuple[int, int] | None

    @property
    def difference(self) -> float | None:
        """First less second."""
        if self.first is None or self.second is None:
            return None
        return self.first - self.second

    def to_dict(self) -> dict[str, Any]:
        """Return every number by its name, for JSON."""
        return {
            **{name: getattr(self, name) for name in ("file", "measure", "test", "common")},
            **{name: getattr(self, name) for name in ("first", "second", "difference", "p")},
            "interval": None if self.interval is None else self.interval._asdict(),
            "right_only": None if self.only is None else list(self.only),
        }


@np.errstate(under="ignore")
def compare(first: Evaluation, second: Evaluation) -> list[Comparison]:
    """Compare two models that were scored by the same sets and rules.

    Returns
    -------
    list of Comparison
        One for each file of word pairs, one for each file of analogies and each method.

    Raises
    ------
    QueryError
        If the sets or the rules are not the same.
    """
    of_first, of_second = (
        [(each.set.words, each.set.scores.tolist()) for each in model.pairs]
        + [(each.set.words, None) for each in model.analogies]
        for model in (first, second)
    )
    if first.rules != second.rules or of_first != of_second:
        raise QueryError(
            "two models can be compared if both were scored by the same sets and rules; evaluate "
            "both in the same way"
        )
    comparisons = []
    for a, b in zip(first.pairs, second.pairs, strict=True):
        common = a.counted & b.counted  # (n,)
        n, y = int(common.sum()), a.set.scores[common]
        X = np.array([a.cosines[common], b.cosines[common]])  # (2, common)
        rho = [defined(spearman(x, y)) for x in X] if n else [None, None]
        resamples = 0 if None in rho else first.rules.resamples
        drawn = resampled_spearman(X, y, resamples, first.rules.seed)  # (2, R)
        d = drawn[0] - drawn[1]  # (R,)
        comparisons.append(Comparison(
            a.set.file, "Spearman", "paired bootstrap", n, rho[0], rho[1], interval(d),
            sign_probability(d), None,
        ))  # fmt: skip
    for c, d in zip(first.analogies, second.analogies, strict=True):
        common = c.counted & d.counted  # (n,)
        n = int(common.sum())
        for method in c.right:
            one, other = c.right[method] & common, d.right[method] & common  # (n,)
            only = int((one & ~other).sum()), int((other & ~one).sum())
            shares = [int(right.sum()) / n if n else None for right in (one, other)]
            comparisons.append(Comparison(
                c.set.file, method, "McNemar, exact", n, shares[0], shares[1], None,
                mcnemar(*only) if n else None, only,
            ))  # fmt: skip
    return comparisons


def defined(value: Any) -> float | None:
    """Return a number as float, and None for NaN."""
    return None if np.isnan(value) else float(value)
