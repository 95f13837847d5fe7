"""How a gradient becomes a step: SGD, AdaGrad, Adam, each as its paper prints it.

An optimizer changes the parameters in place and keeps its state in plain attributes that have the
shapes of the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np

from cbow.errors import ConfigError
from cbow.network.parameters import Gradients, Parameters
from cbow.system.arrays import Array

#: One learning rate for all parameters, or one for each of them, in their order.
Rate: TypeAlias = float | Sequence[float]

#: The learning rate never falls below this share of its start.
FLOOR: Final = 1e-4


class Optimizer(Protocol):
    """What every optimizer does."""

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""

    def arrays(self) -> dict[str, Array]:
        """Return the state by name: arrays to be saved, or filled with what was saved."""


class SGD:
    """Plain gradient descent (Robbins & Monro 1951): θ ← θ - α g."""

    name: Final = "sgd"

    def __init__(self, parameters: Parameters) -> None:
        pass

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        alphas = each(learning_rate, len(parameters))
        for theta, g, alpha in zip(parameters, gradients, alphas, strict=True):
            theta -= alpha * g

    def arrays(self) -> dict[str, Array]:
        """Return the state by name: none."""
        return {}


class AdaGrad:
    """Steps that shrink where gradients were large (Duchi, Hazan & Singer 2011, figure 1).

        G ← G + g²
        θ ← θ - α g / (δ + √G)

    Parameters
    ----------
    parameters : Parameters
        The state ``G`` has their shapes.
    """

    name: Final = "adagrad"
    DELTA: Final = 1e-10

    def __init__(self, parameters: Parameters) -> None:
        self.G = zeros_like(parameters)

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        alphas = each(learning_rate, len(parameters))
        for theta, g, G, alpha in zip(parameters, gradients, self.G, alphas, strict=True):
            G += g**2
            theta -= alpha * g / (self.DELTA + np.sqrt(G))

    def arrays(self) -> dict[str, Array]:
        """Return the state by name: G of each parameter."""
        return {f"G_{name}": G for name, G in zip(self.G.names, self.G, strict=True)}


class Adam:
    """Adaptive moments (Kingma & Ba 2015, algorithm 1, in the order of section 2's last line).

        t ← t + 1
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        αₜ = α √(1 - β₂ᵗ) / (1 - β₁ᵗ)
        θ ← θ - αₜ m / (√v + ε̂)

    Parameters
    ----------
    parameters : Parameters
        The state, ``m`` and ``v``, has their shapes.
    """

    name: Final = "adam"
    BETA1: Final = 0.9
    BETA2: Final = 0.999
    EPSILON: Final = 1e-8

    def __init__(self, parameters: Parameters) -> None:
        self.t = np.zeros((), np.int64)  # an array, to be changed in place
        self.m = zeros_like(parameters)
        self.v = zeros_like(parameters)

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        alphas = self.next_rates(learning_rate)
        for theta, g, m, v, alpha in zip(
            parameters, gradients, self.m, self.v, alphas, strict=True
        ):
            m[:] = self.BETA1 * m + (1 - self.BETA1) * g
            v[:] = self.BETA2 * v + (1 - self.BETA2) * g**2
            theta -= alpha * m / (np.sqrt(v) + self.EPSILON)

    def next_rates(self, learning_rate: Rate) -> Sequence[float]:
        """Let a step begin, t ← t + 1, and return αₜ of each parameter."""
        self.t += 1
        t = int(self.t)
        correction = (1 - self.BETA2**t) ** 0.5 / (1 - self.BETA1**t)
        return [alpha * correction for alpha in each(learning_rate, len(self.m))]

    def arrays(self) -> dict[str, Array]:
        """Return the state by name: t, and m and v of each parameter."""
        m = {f"m_{name}": array for name, array in zip(self.m.names, self.m, strict=True)}
        v = {f"v_{name}": array for name, array in zip(self.v.names, self.v, strict=True)}
        return {"t": self.t, **m, **v}


#: Every optimizer by its name.
OPTIMIZERS: Final[Mapping[str, Callable[[Parameters], Optimizer]]] = {
    optimizer.name: optimizer for optimizer in (SGD, AdaGrad, Adam)
}


def make_optimizer(name: str, parameters: Parameters) -> Optimizer:
    """Build the optimizer of that name, with fresh state for `parameters`.

    Raises
    ------
    ConfigError
        If there is no optimizer of that name.
    """
    if name not in OPTIMIZERS:
        raise ConfigError(f"optimizer is {name!r}, but must be one of {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[name](parameters)


def each(learning_rate: Rate, count: int) -> Sequence[float]:
    """Return the learning rate of each of `count` arrays."""
    return learning_rate if isinstance(learning_rate, Sequence) else [learning_rate] * count


def linear_decay(rate: float, progress: float) -> float:
    """Return the learning rate after a share `progress` (0 to 1) of the training.

    It falls in a straight line from `rate`, and never below `FLOOR` times `rate`.
    """
    return rate * max(1 - progress, FLOOR)


def zeros_like(parameters: Parameters) -> Parameters:
    """Return zeros in the shapes, memory orders and dtype of `parameters`."""
    return Parameters(*(np.zeros_like(array) for array in parameters))
