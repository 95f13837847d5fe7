"""Right and wrong answers: how sure a share is, and whether two shares differ."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from cbow.evaluation.correlation import CONFIDENCE


class Accuracy(NamedTuple):
    """How many questions were answered rightly, with Wilson's interval of the share."""

    right: int
    counted: int
    share: float | None  #: right / counted; None where nothing was counted, as are the ends
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, int | float | None]:
        """Return every number by its name, for JSON."""
        return {**self._asdict()}


def accuracy(right: int, counted: int) -> Accuracy:
    """Return the share of right answers and the 95 % interval of Wilson (1927).

        (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n),    z = 1.96

    It takes the questions for independent. Those of one section share words, so the truth is wider.

    Examples
    --------
    >>> accuracy(8, 10)._asdict()["share"], round(accuracy(8, 10).low, 4)
    (0.8, 0.4902)
    """
    if counted == 0:
        return Accuracy(right, counted, None, None, None)
    z, n, p = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), counted, right / counted
    middle = p + z**2 / (2 * n)
    reach = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * reach) / (1 + z**2 / n) for side in (-1, 1))
    # At 0 and n the interval ends there, but for rounding.
    return Accuracy(right, counted, p, low if right else 0.0, high if right < n else 1.0)


def mcnemar(only_first: int, only_second: int) -> float:
    """Test whether two answer alike often, from the questions that one alone answered rightly.

    Returns
    -------
    float
        How likely so uneven a split is if each side of it is as likely as the other: the exact
        two-sided p of McNemar (1947). 1 where the two never differ.
    """
    if only_first + only_second == 0:
        return 1.0
    from scipy.stats import binomtest  # here, for it takes long to import

    return float(binomtest(only_first, only_first + only_second).pvalue)
