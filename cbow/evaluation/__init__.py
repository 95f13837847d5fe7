"""Word vectors scored: word pairs, analogies, and two models held against each other.

Only the rules are defined here; the other names are loaded when they are first used, so that the
help of a command needs no numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cbow.config import POSITIVE, SEED, Range
from cbow.errors import ConfigError, shown

if TYPE_CHECKING:
    from cbow.evaluation.scoring import (
        AnalogiesResult,
        Comparison,
        Evaluation,
        PairsResult,
        Prepared,
        compare,
        evaluate,
        prepare,
        score,
    )
    from cbow.evaluation.sets import Analogies, Pairs, read_analogies, read_pairs, read_set

__all__ = [
    "Analogies",
    "AnalogiesResult",
    "Comparison",
    "Evaluation",
    "Pairs",
    "PairsResult",
    "Prepared",
    "Rules",
    "compare",
    "evaluate",
    "prepare",
    "read_analogies",
    "read_pairs",
    "read_set",
    "score",
]

_OF_SETS = {"Analogies", "Pairs", "read_analogies", "read_pairs", "read_set"}

#: Ways to answer an analogy.
METHODS: Final = ("3CosAdd", "3CosMul")
#: What to do with an item of which the model lacks a word; see `Rules`.
OOV: Final = ("skip", "zero", "ngrams")

_ALLOWED: Final[Mapping[str, Range]] = {
    "restrict": POSITIVE,
    "resamples": Range(lambda x: 0 <= x < 2**31, "a whole number from 0 to 2^31 - 1"),
    "seed": SEED,
}


@dataclass(frozen=True)
class Rules:
    """The rules of an evaluation.

    Parameters
    ----------
    restrict : int
        Ask analogies about the first so many words of the model only: questions with another word
        are left out, and no other word is an answer. Models have their most frequent words first.
        Word pairs are looked up among all words.
    oov : {"skip", "zero", "ngrams"}
        Out-of-vocabulary policy. ``skip``: a pair or question with a word that the model lacks is
        left out, and counted. ``zero``: such a pair has the cosine 0, such a question is answered
        wrongly. ``ngrams``: the words of pairs are made from n-grams, which the model must have;
        other pairs and questions are left out.
    fold : bool
        Where the model lacks a word as it is spelled, take the most frequent that differs only in
        case: *king* for *KING*. An answer that differs from the right one only in case is right.
    methods : tuple of str
        Of ``3CosAdd`` and ``3CosMul``, those by which analogies are answered.
    resamples : int
        Resamples of the bootstrap behind each interval about word pairs; 0: no intervals.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> Rules(restrict=0)
    Traceback (most recent call last):
    ...
    cbow.errors.ConfigError: restrict is 0, but must be a whole number from 1 to 2^31 - 1
    """

    restrict: int = 30_000
    oov: str = OOV[0]
    fold: bool = True
    methods: tuple[str, ...] = METHODS
    resamples: int = 1000
    seed: int = 1

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not allowed.accepts(value):
                raise ConfigError(f"{name} is {shown(value)}, but must be {allowed.expected}")
        if self.oov not in OOV:
            raise ConfigError(f"oov is {shown(self.oov)}, but must be one of {', '.join(OOV)}")
        methods = self.methods
        if not (isinstance(methods, tuple) and methods and set(METHODS).issuperset(methods)):
            raise ConfigError(
                f"methods is {shown(methods)}, but must be a tuple of {' or '.join(METHODS)}, or "
                "of both"
            )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cbow.evaluation' has no attribute {name!r}")
    home = "sets" if name in _OF_SETS else "scoring"
    value = getattr(importlib.import_module(f"cbow.evaluation.{home}"), name)
    globals()[name] = value
    return value
