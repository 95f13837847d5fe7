"""The network as mathematics: arrays in, arrays out. ``docs/network.md`` explains it."""

from cbow.network.activations import ACTIVATIONS, Activation, softmax
from cbow.network.backward import active, backward, deltas, feature_gradients
from cbow.network.costs import COSTS, Cost
from cbow.network.forward import Pass, compose, contexts, cost, forward
from cbow.network.gradcheck import (
    Activity,
    GradientErrors,
    Problem,
    central_differences,
    check_gradients,
    draw_dense_problem,
    draw_problem,
    gradients_with_dW,
    measure_activity,
    mistaken_gradients,
    output_gradient_with_AL,
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
from cbow.network.parameters import (
    Gradients,
    Network,
    Parameters,
    cbow_network,
    initialise,
    initialise_dense,
    make_network,
)

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "OPTIMIZERS",
    "SGD",
    "Activation",
    "Activity",
    "AdaGrad",
    "Adam",
    "Cost",
    "GradientErrors",
    "Gradients",
    "Network",
    "Optimizer",
    "Parameters",
    "Pass",
    "Problem",
    "active",
    "backward",
    "cbow_network",
    "central_differences",
    "check_gradients",
    "compose",
    "contexts",
    "cost",
    "deltas",
    "draw_dense_problem",
    "draw_problem",
    "feature_gradients",
    "forward",
    "gradients_with_dW",
    "initialise",
    "initialise_dense",
    "linear_decay",
    "make_network",
    "make_optimizer",
    "measure_activity",
    "mistaken_gradients",
    "output_gradient_with_AL",
    "softmax",
]
