"""Word vectors scored: word pairs, analogies, and two models held against each other."""

from cbow.evaluation.results import (
    AnalogiesResult,
    Comparison,
    Evaluation,
    PairsResult,
    Rules,
    compare,
)
from cbow.evaluation.scoring import Prepared, evaluate, prepare
from cbow.evaluation.sets import (
    Analogies,
    Pairs,
    read_analogies,
    read_pairs,
    read_set,
)

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
]
