"""From a text to a trained model: windows, batches, steps, epochs.

The names below are loaded when they are first used: what reads a log needs no compiler.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cbow.system.interrupts import interrupts
    from cbow.training.observer import Baselines, Epoch, Observer, Plan, Resumed, Step
    from cbow.training.progress import ProgressBar
    from cbow.training.run import DivergenceError, Interrupted, WorkersLostError, resume, train

__all__ = [
    "Baselines",
    "DivergenceError",
    "Epoch",
    "Interrupted",
    "Observer",
    "Plan",
    "ProgressBar",
    "Resumed",
    "Step",
    "WorkersLostError",
    "interrupts",
    "resume",
    "train",
]

_HOME = {
    **dict.fromkeys(
        ["DivergenceError", "Interrupted", "WorkersLostError", "resume", "train"],
        "cbow.training.run",
    ),
    "ProgressBar": "cbow.training.progress",
    "interrupts": "cbow.system.interrupts",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cbow.training' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME.get(name, "cbow.training.observer")), name)
    globals()[name] = value
    return value
