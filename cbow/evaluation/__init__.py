"""Word vectors scored: word pairs, analogies, and two models held against each other.

The names below are loaded when they are first used: the help of a command needs no numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbow.evaluation.results import (
        AnalogiesResult,
        Comparison,
        Evaluation,
        PairsResult,
        compare,
    )
    from cbow.evaluation.rules import Rules
    from cbow.evaluation.scoring import Prepared, evaluate, prepare, score
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

_HOME = {
    **dict.fromkeys(
        ["AnalogiesResult", "Comparison", "Evaluation", "PairsResult", "compare"], "results"
    ),
    **dict.fromkeys(["Prepared", "evaluate", "prepare", "score"], "scoring"),
    **dict.fromkeys(["Analogies", "Pairs", "read_analogies", "read_pairs", "read_set"], "sets"),
    "Rules": "rules",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cbow.evaluation' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"cbow.evaluation.{_HOME[name]}"), name)
    globals()[name] = value
    return value
