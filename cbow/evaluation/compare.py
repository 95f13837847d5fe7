"""Two models by the same sets: whether one is better, or chance would do.

Both are held against each other on the pairs, or the questions, that count for both.

Word pairs: the difference of Spearman's ρ, with the interval of a bootstrap that draws the same
pairs for both. Analogies: McNemar's exact test of the questions that one alone answered rightly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cbow.errors import QueryError
from cbow.evaluation.accuracy import mcnemar
from cbow.evaluation.correlation import (
    Interval,
    defined,
    interval,
    resampled_spearman,
    sign_probability,
    spearman,
)
from cbow.evaluation.results import AnalogiesResult, Evaluation, PairsResult
from cbow.evaluation.rules import Rules


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
        Of first - second; only for word pairs, and only if resamples were asked for.
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
    if first.rules != second.rules or _asked(first) != _asked(second):
        raise QueryError(
            "two models can be compared if both were scored by the same sets and rules; evaluate "
            "both in the same way"
        )
    found = [
        _compare_pairs(*results, first.rules)
        for results in zip(first.pairs, second.pairs, strict=True)
    ]
    for results in zip(first.analogies, second.analogies, strict=True):
        found.extend(_compare_analogies(*results))
    return found


def _asked(evaluation: Evaluation) -> list[Any]:
    """Return what was asked, and what would have been right."""
    pairs = [(result.asked.words, result.asked.scores.tolist()) for result in evaluation.pairs]
    return [*pairs, *(result.asked.words for result in evaluation.analogies)]


def _compare_pairs(first: PairsResult, second: PairsResult, rules: Rules) -> Comparison:
    """Draw the pairs that count for both again and again, the same for both."""
    common = first.counted & second.counted  # (n,)
    file, n, y = first.asked.file, int(common.sum()), first.asked.scores[common]
    X = np.array([first.cosines[common], second.cosines[common]])  # (2, common)
    rho = [defined(spearman(x, y)[0]) for x in X] if n else [None, None]
    resamples = 0 if None in rho else rules.resamples
    drawn = resampled_spearman(X, y, resamples, rules.seed)  # (2, R)
    d = drawn[0] - drawn[1]  # (R,)
    return Comparison(
        file, "Spearman", "paired bootstrap", n, rho[0], rho[1], interval(d), sign_probability(d),
        None,
    )  # fmt: skip


def _compare_analogies(first: AnalogiesResult, second: AnalogiesResult) -> Iterator[Comparison]:
    """Count the questions that one alone answered rightly, method by method."""
    common = first.counted & second.counted  # (n,)
    file, n = first.asked.file, int(common.sum())
    for method in first.right:
        a, b = first.right[method] & common, second.right[method] & common
        only = int((a & ~b).sum()), int((b & ~a).sum())
        first_share, second_share = (int(right.sum()) / n if n else None for right in (a, b))
        p = mcnemar(*only) if n else None
        yield Comparison(
            file, method, "McNemar, exact", n, first_share, second_share, None, p, only
        )
