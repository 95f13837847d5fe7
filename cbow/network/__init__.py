"""The network as mathematics: arrays in, arrays out. ``docs/network.md`` explains it."""

from cbow.network.activations import ACTIVATIONS, Activation
from cbow.network.backward import backward
from cbow.network.forward import Pass, cost, forward
from cbow.network.gradcheck import (
    GradientErrors,
    Problem,
    central_differences,
    check_gradients,
    draw_problem,
    mistaken_gradients,
)
from cbow.network.optimizers import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    Optimizer,
    linear_decay,
    make_optimizer,
)
from cbow.network.parameters import Gradients, Parameters, initialise
from cbow.network.softmax import cross_entropy, softmax
from cbow.network.sparse import contexts

__all__ = [
    "ACTIVATIONS",
    "OPTIMIZERS",
    "SGD",
    "Activation",
    "AdaGrad",
    "Adam",
    "GradientErrors",
    "Gradients",
    "Optimizer",
    "Parameters",
    "Pass",
    "Problem",
    "backward",
    "central_differences",
    "check_gradients",
    "contexts",
    "cost",
    "cross_entropy",
    "draw_problem",
    "forward",
    "initialise",
    "linear_decay",
    "make_optimizer",
    "mistaken_gradients",
    "softmax",
]
