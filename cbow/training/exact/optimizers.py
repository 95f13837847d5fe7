"""The optimizers of `cbow.network`, a step in one pass over memory and shared out to threads.

A step reads and writes up to seven numbers for each parameter and computes little. Formula by
formula, and alone, it takes as long as the gradients of a small batch. Each number is changed by
itself, so how many threads there are makes no difference to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Final, Literal

import numpy as np

from cbow.network import SGD, AdaGrad, Adam, Gradients, Optimizer, Parameters
from cbow.network.optimizers import Rate, each
from cbow.system.arrays import Array
from cbow.system.compiled import compiled
from cbow.system.threads import share_out

#: Numbers per piece: enough that a piece takes longer than to hand it out.
PIECE: Final = 2**17

DELTA: Final = AdaGrad.DELTA
BETA1: Final = Adam.BETA1
BETA2: Final = Adam.BETA2
EPSILON: Final = Adam.EPSILON


class ParallelSGD(SGD):
    """`cbow.network.SGD` by the threads of a pool."""

    def __init__(self, parameters: Parameters, pool: Executor) -> None:
        super().__init__(parameters)
        self.pool = pool

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        alphas = each(learning_rate, len(parameters))
        _change(self.pool, _sgd, alphas, parameters, gradients)


class ParallelAdaGrad(AdaGrad):
    """`cbow.network.AdaGrad` by the threads of a pool."""

    def __init__(self, parameters: Parameters, pool: Executor) -> None:
        super().__init__(parameters)
        self.pool = pool

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        alphas = each(learning_rate, len(parameters))
        _change(self.pool, _adagrad, alphas, parameters, gradients, self.G)


class ParallelAdam(Adam):
    """`cbow.network.Adam` by the threads of a pool."""

    def __init__(self, parameters: Parameters, pool: Executor) -> None:
        super().__init__(parameters)
        self.pool = pool

    def update(self, parameters: Parameters, gradients: Gradients, learning_rate: Rate) -> None:
        """Change `parameters` in place by one step."""
        self.t += 1
        t = int(self.t)
        correction = (1 - BETA2**t) ** 0.5 / (1 - BETA1**t)
        alphas = [alpha * correction for alpha in each(learning_rate, len(parameters))]
        _change(self.pool, _adam, alphas, parameters, gradients, self.m, self.v)


#: Those of `cbow.network.OPTIMIZERS`, by the same names.
PARALLEL_OPTIMIZERS: Final[Mapping[str, Callable[[Parameters, Executor], Optimizer]]] = {
    optimizer.name: optimizer for optimizer in (ParallelSGD, ParallelAdaGrad, ParallelAdam)
}


def _change(
    pool: Executor, step: Callable[..., None], alphas: Sequence[float], *groups: Sequence[Array]
) -> None:
    """Make a step by the threads of a pool, or by this one if there is no more than a piece."""
    if sum(theta.size for theta in groups[0]) > PIECE:
        share_out(pool, step, _pieces(alphas, *groups))
        return

    def all_of_it() -> None:
        for piece in _pieces(alphas, *groups):
            step(*piece)

    share_out(pool, all_of_it, [()])


def _pieces(alphas: Sequence[float], *groups: Sequence[Array]) -> Iterator[list[Any]]:
    """Cut the arrays of one parameter after the other: θ, g and the state, and α in their dtype."""
    for alpha, *arrays in zip(alphas, *groups, strict=True):
        order: Literal["C", "F"] = "C" if arrays[0].flags.c_contiguous else "F"
        flat = [_flat(array, order) for array in arrays]
        for start in range(0, len(flat[0]), PIECE):
            piece = [array[start : start + PIECE] for array in flat]
            yield [*piece, flat[0].dtype.type(alpha)]


def _flat(array: Array, order: Literal["C", "F"]) -> Array:
    """View an array as one row of numbers.

    Raises
    ------
    ValueError
        If it does not lie together in that order: a step would change a copy.
    """
    if not array.flags[order]:
        raise ValueError(
            f"an array of shape {array.shape} does not lie in memory in {order} order, but those "
            "of a step must lie like the parameter; pass contiguous arrays of one memory order"
        )
    return array.ravel(order="K")


@compiled
def _sgd(theta: Any, g: Any, alpha: Any) -> None:
    for i in range(len(theta)):
        theta[i] -= alpha * g[i]


@compiled
def _adagrad(theta: Any, g: Any, G: Any, alpha: Any) -> None:
    delta = theta.dtype.type(DELTA)
    for i in range(len(theta)):
        G[i] += g[i] * g[i]
        theta[i] -= alpha * g[i] / (delta + np.sqrt(G[i]))


@compiled
def _adam(theta: Any, g: Any, m: Any, v: Any, alpha: Any) -> None:
    beta1, rest1 = theta.dtype.type(BETA1), theta.dtype.type(1 - BETA1)
    beta2, rest2 = theta.dtype.type(BETA2), theta.dtype.type(1 - BETA2)
    epsilon = theta.dtype.type(EPSILON)
    for i in range(len(theta)):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
        theta[i] -= alpha * m[i] / (np.sqrt(v[i]) + epsilon)
