"""From a text to a trained model: windows, batches, steps, epochs."""

from cbow.system.interrupts import interrupts
from cbow.training.earlier import resume
from cbow.training.observer import Baselines, Epoch, Observer, Plan, Resumed, Step
from cbow.training.run import train

__all__ = [
    "Baselines",
    "Epoch",
    "Observer",
    "Plan",
    "Resumed",
    "Step",
    "interrupts",
    "resume",
    "train",
]
