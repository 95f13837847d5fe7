"""What an evaluation found: numbers to be shown, and the single answers behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cbow.evaluation.accuracy import Accuracy, accuracy
from cbow.evaluation.correlation import Doubles, Interval
from cbow.evaluation.lookup import Flags
from cbow.evaluation.rules import Rules
from cbow.evaluation.sets import Analogies, Pairs, Skipped


@dataclass(frozen=True, eq=False)
class PairsResult:
    """How well cosines agree with one file of word pairs.

    Attributes
    ----------
    asked : Pairs
        n pairs.
    known : ndarray of bool, (n,)
        Whether the model has both words.
    cosines : ndarray, (n,)
        NaN for pairs that are left out.
    spearman, pearson : float or None
        None if all scores, or all cosines, are equal.
    interval : Interval or None
        Of Spearman's ρ; None if it was not asked for, or has no correlation in any resample.
    """

    asked: Pairs
    known: Flags
    cosines: Doubles
    spearman: float | None
    pearson: float | None
    interval: Interval | None

    @property
    def counted(self) -> Flags:
        """Whether a pair has a part in the correlation, (n,)."""
        return ~np.isnan(self.cosines)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by its name, for JSON."""
        return {
            **_coverage(self.asked.file, self.known, self.counted),
            "spearman": self.spearman,
            "interval": None if self.interval is None else self.interval._asdict(),
            "pearson": self.pearson,
            "score_column": self.asked.column,
            "lines_skipped": _named(self.asked.skipped),
        }


@dataclass(frozen=True, eq=False)
class AnalogiesResult:
    """How one file of analogies was answered.

    Attributes
    ----------
    asked : Analogies
        n questions.
    known : ndarray of bool, (n,)
        Whether all four words are among those that the questions are restricted to.
    counted : ndarray of bool, (n,)
        Whether a question has a part in the share of right answers.
    right : mapping of str to ndarray of bool, (n,)
        By method: whether the answer was right.
    """

    asked: Analogies
    known: Flags
    counted: Flags
    right: Mapping[str, Flags]

    def accuracy(self, method: str, section: int | None = None) -> Accuracy:
        """Return the share of right answers by a method, of all questions or a section's."""
        counted = self.counted & self.members(section)
        return accuracy(int((self.right[method] & counted).sum()), int(counted.sum()))

    def to_dict(self, section: int | None = None) -> dict[str, Any]:
        """Return every number by its name, for JSON: of all questions, or of those of a section."""
        members = self.members(section)
        name = self.asked.file if section is None else self.asked.sections[section]
        numbers: dict[str, Any] = _coverage(name, self.known[members], self.counted[members])
        for method in self.right:
            numbers[method] = self.accuracy(method, section).to_dict()
        if section is not None:
            return {"section": numbers.pop("file"), **numbers}
        numbers["lines_skipped"] = _named(self.asked.skipped)
        numbers["sections"] = [self.to_dict(each) for each in range(len(self.asked.sections))]
        return numbers

    def members(self, section: int | None) -> Flags:
        """Tell which questions are those of a section, (n,); all if it is None."""
        if section is None:
            return np.ones(len(self.known), bool)
        members: Flags = self.asked.section_of == section
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

    def summary(self) -> dict[str, float | None]:
        """Return one number for each file: Spearman's ρ, or the share right by the first method."""
        method = self.rules.methods[0]
        numbers = {result.asked.file: result.spearman for result in self.pairs}
        return numbers | {
            result.asked.file: result.accuracy(method).share for result in self.analogies
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


def _coverage(file: str, known: Flags, counted: Flags) -> dict[str, Any]:
    """Count what was asked, what of it the model has the words for, and what counts."""
    asked, found = len(known), int(known.sum())
    return {
        "file": file,
        "asked": asked,
        "found": found,
        "coverage": found / asked if asked else None,
        "counted": int(counted.sum()),
    }


def _named(skipped: Skipped) -> dict[str, int]:
    return skipped._asdict()
