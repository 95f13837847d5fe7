"""Results of an evaluation, and two models held against each other.

Two models are compared on the pairs, or the questions, that count for both. Word pairs: the
difference of Spearman's ρ, with the interval of a bootstrap that draws the same pairs for both.
Analogies: McNemar's exact test of the questions that one alone answered rightly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from cbow.errors import QueryError
from cbow.evaluation import Rules
from cbow.evaluation.measures import (
    Accuracy,
    Interval,
    accuracy,
    interval,
    mcnemar,
    resampled_spearman,
    sign_probability,
    spearman,
)
from cbow.evaluation.sets import Analogies, Flags, Pairs
from cbow.system.arrays import Doubles

#: Columns and lines of the ``repr`` of an evaluation, at most.
COLUMNS: Final = 80
LINES: Final = 12


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
    if first.rules != second.rules or _sets(first) != _sets(second):
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


def _sets(evaluation: Evaluation) -> list[Any]:
    """Return the words and scores of all sets."""
    pairs = [(result.set.words, result.set.scores.tolist()) for result in evaluation.pairs]
    return [*pairs, *(result.set.words for result in evaluation.analogies)]


def defined(value: Any) -> float | None:
    """Return a number as float, and None for NaN."""
    return None if np.isnan(value) else float(value)
