"""The training of the course: plain gradient descent in float64 on the network of `cbow.network`.

Of the formulas only one stands here, a term that the cost had in 2020.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow import network

from .batches import Batch

NETWORK = network.cbow_network("relu")
GRADIENTS = {"mistaken": network.mistaken_gradients, "right": network.backward}

DIMENSION = 50  # N
BATCH_SIZE = 128  # m
ITERATIONS = 150
SEED, INITIAL_SEED = 282, 1
RATE, DECAY, DECAY_EVERY = 0.03, 0.66, 100


class Step(NamedTuple):
    """One iteration, before its step."""

    pass_: network.Pass
    y: npt.NDArray[np.integer[Any]]  # (m,)

    @property
    def cost(self) -> float:
        """The cross-entropy."""
        return network.cost(NETWORK, self.pass_, self.y)

    @property
    def extra_term(self) -> float:
        """What the cost of 2020 had beside the cross-entropy: -(1/m) Σ (1 - y) log(1 - ŷ)."""
        wrong = self.pass_.Yhat.copy()  # (V, m)
        wrong[self.y, np.arange(len(self.y))] = 0
        return float(-np.log1p(-wrong).sum() / len(self.y))

    @property
    def firing(self) -> npt.NDArray[np.bool_]:
        """Whether each unit fired on any example, (N,)."""
        return network.active(NETWORK, self.pass_).any(axis=1)


def train(
    batches: Iterable[Batch],
    parameters: network.Parameters,
    gradient: str,
    rate: Callable[[int], float],
) -> Iterator[Step]:
    """Yield a step for each batch, and take it.

    Parameters
    ----------
    batches : iterable of Batch
    parameters : Parameters
        They are changed.
    gradient : str
        A name of `GRADIENTS`.
    rate : callable
        The learning rate of iteration 0, 1, 2 ...
    """
    sgd = network.SGD(parameters)
    for iteration, (X, y) in enumerate(batches):
        pass_ = network.forward(NETWORK, parameters, X)
        yield Step(pass_, y)
        gradients = GRADIENTS[gradient](NETWORK, parameters, pass_, y)
        sgd.update(parameters, gradients, rate(iteration))


def course_rate(iteration: int) -> float:
    """Return the learning rate of the course: less every hundred iterations."""
    return RATE * DECAY ** (iteration // DECAY_EVERY)


def course_start(vocabulary: int, seed: int = SEED) -> network.Parameters:
    """Draw parameters as the course does: all between 0 and 1, in the order W1, W2, b1, b2."""
    V, N = vocabulary, DIMENSION
    random = np.random.RandomState(seed)  # draws what numpy.random.seed and rand do
    W1, W2 = random.rand(N, V), random.rand(V, N)
    b1, b2 = random.rand(N, 1), random.rand(V, 1)
    return network.Parameters(np.asfortranarray(W1), b1, W2, b2)


def centred_start(vocabulary: int, seed: int = SEED) -> network.Parameters:
    """Return the same weights, moved and shrunk to within 0.2 of 0, and biases of 0."""
    W1, b1, W2, b2 = course_start(vocabulary, seed)
    return network.Parameters(0.4 * W1 - 0.2, 0 * b1, 0.4 * W2 - 0.2, 0 * b2)
