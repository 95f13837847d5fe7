"""Small random networks and batches, such that differences of their cost can be trusted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from cbow.errors import ConfigError
from cbow.network.architecture import Network, cbow_network
from cbow.network.costs import Targets
from cbow.network.differences import STEP
from cbow.network.forward import Inputs, forward
from cbow.network.parameters import Array, Parameters, check_sizes
from cbow.network.sparse import contexts

#: Activations with a kink at 0, where they have no derivative.
KINKED: Final = ("relu", "leaky_relu")


class Problem(NamedTuple):
    """A small network, float64, and a batch to check it on."""

    network: Network
    parameters: Parameters
    X: Inputs  #: (n[0], m)
    Y: Targets  #: ids (m,), or (n[L], m)
    redrawn: int  #: biases drawn again: of units too near 0, or of a layer that was all dead


def draw_problem(
    shape: tuple[int, int, int], window: int, seed: int, activation: str = "relu"
) -> Problem:
    """Draw a CBOW network and a batch at random, such that differences of the cost can be trusted.

    Parameters
    ----------
    shape : (int, int, int)
        V, N and m.
    window : int
        Words on each side of the middle; a context has twice as many, drawn with repetition.
    seed : int
    activation : str
        Of the hidden layer.

    Returns
    -------
    Problem
        With normal W1, b1 and b2, and W2 smaller by √N, so that the softmax does not saturate.
    """
    V, N, m = shape
    random = np.random.Generator(np.random.PCG64(seed))
    X = contexts(
        random.integers(V, size=2 * window * m), np.arange(m + 1) * 2 * window, V, np.float64
    )  # (V, m)
    y = random.integers(V, size=m)  # (m,)
    network = cbow_network(activation)
    W1 = random.normal(size=(V, N)).T  # (N, V)
    b1 = random.normal(size=(N, 1))  # (N, 1)
    W2 = random.normal(size=(V, N)) / N**0.5  # (V, N)
    b2 = random.normal(size=(V, 1))  # (V, 1)
    parameters = Parameters(W1, b1, W2, b2)
    redrawn = _keep_away(network, parameters, X.toarray(), random)
    return Problem(network, parameters, X, y, redrawn)


def draw_dense_problem(network: Network, sizes: Sequence[int], m: int, seed: int) -> Problem:
    """Draw a network of dense layers and a batch, such that differences can be trusted.

    Parameters
    ----------
    network : Network
    sizes : sequence of int
        n[0], ..., n[L]: the inputs, the units of each layer, the outputs.
    m : int
        Examples.
    seed : int

    Returns
    -------
    Problem
        With normal inputs and biases, and weights smaller by √n[l-1]. The targets are ids for
        cross-entropy, 0 and 1 for logistic, and normal numbers for the squared error.

    Raises
    ------
    ConfigError
        If the sizes do not fit the network.
    """
    check_sizes(sizes)
    if len(sizes) != network.depth + 1:
        raise ConfigError(
            f"the layers are {','.join(map(str, sizes))}, which takes {len(sizes) - 1} "
            f"activations, but there are {network.depth}; give one for each layer after the inputs"
        )
    random = np.random.Generator(np.random.PCG64(seed))
    X = random.normal(size=(sizes[0], m))  # (n[0], m)
    Y = _draw_targets(network.cost.name, sizes[-1], m, random)
    arrays = []
    for before, n in itertools.pairwise(sizes):
        arrays += [random.normal(size=(n, before)) / before**0.5, random.normal(size=(n, 1))]
    parameters = Parameters(*arrays)
    return Problem(network, parameters, X, Y, _keep_away(network, parameters, X, random))


def _draw_targets(cost: str, n: int, m: int, random: np.random.Generator) -> Targets:
    """Draw what should come out: ids (m,), or 0 and 1 or normal numbers (n, m)."""
    if cost == "cross-entropy":
        return random.integers(n, size=m)
    if cost == "logistic":
        return random.integers(2, size=(n, m)).astype(float)
    return random.normal(size=(n, m))


def _keep_away(
    network: Network, parameters: Parameters, X: Array, random: np.random.Generator
) -> int:
    """Draw biases again until differences tell something; count how often.

    ReLU has no derivative at 0. A difference over a step that carries a unit across 0 mixes two
    slopes and says nothing about either. So no unit may come nearer to 0, in any example, than two
    steps of any parameter can move it. They move Z[l] by 2h max(1, |A[l-1]|) if the parameter is
    in layer l, and by no more than |W[l]| times the movement of Z[l-1] if it is in an earlier one.

    Nor may a whole layer of ReLU be dead: all gradients would be 0, and a check of them vacuous.
    """
    W, b = parameters.W, parameters.b
    moved, redrawn = 0.0, 0
    for l, activation in network.g.items():
        A = forward(network, parameters, X).A[l - 1]  # (n[l-1], m)
        own = 2 * STEP * max(1.0, float(np.abs(A).max()))
        moved = max(own, moved * float(np.abs(W[l]).sum(axis=1).max()))
        WA, spread = W[l] @ A, 1.0  # (n[l], m)
        while activation.name in KINKED:
            Z = WA + b[l]  # (n[l], m)
            near = np.abs(Z).min(axis=1) <= moved  # (n[l],)
            if not (Z > 0).any():
                near[:] = True
            if not near.any():
                break
            b[l][near] = random.normal(scale=spread, size=(near.sum(), 1))
            spread *= 1.02  # in a large batch only units far from 0 on one side are free of it
            redrawn += int(near.sum())
    return redrawn
