"""The network written out one number at a time, as slowly and plainly as it can be."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np

from cbow.network import COSTS, Network, Parameters, cbow_network, contexts, make_network

HIDDEN = ["relu", "leaky_relu", "sigmoid", "tanh", "identity"]
SIZES = [(4, 5, 3), (4, 6, 5, 3), (3, 4, 2, 4, 4), (3, 2)]
#: Every hidden activation with every output that a cost fits, for several depths.
COMBINATIONS = [
    (sizes, hidden, output, cost)
    for cost in COSTS
    for output in COSTS[cost].outputs
    for hidden in HIDDEN
    for sizes in SIZES
    if len(sizes) > 2 or hidden == "relu"
]


class Example(NamedTuple):
    """A network with random parameters, and a batch."""

    network: Network
    parameters: Parameters
    X: object  # (n[0], m), dense or sparse
    Y: np.ndarray  # ids (m,), or (n[L], m)


def example(V=11, N=4, m=6, dtype=np.float64, seed=0, size=1.0, activation="relu"):
    """Draw a CBOW network, no parameter 0, and contexts of 1 to 5 words."""
    random = np.random.default_rng(seed)
    parameters = Parameters(
        np.asfortranarray(size * random.normal(size=(N, V))).astype(dtype, order="F"),
        (size * random.normal(size=(N, 1))).astype(dtype),
        (size * random.normal(size=(V, N))).astype(dtype),
        (size * random.normal(size=(V, 1))).astype(dtype),
    )
    lengths = random.integers(1, 6, size=m)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    X = contexts(random.integers(V, size=indptr[-1]), indptr, V, dtype)
    return Example(cbow_network(activation), parameters, X, random.integers(V, size=m))


def dense_example(sizes, hidden, output, cost, m=6, seed=0):
    """Draw a network of dense layers and what should come out of it."""
    random = np.random.default_rng(seed)
    arrays = []
    for before, n in itertools.pairwise(sizes):
        arrays += [random.normal(size=(n, before)) / before**0.5, random.normal(size=(n, 1))]
    Y = {
        "cross-entropy": random.integers(sizes[-1], size=m),
        "logistic": random.random(size=(sizes[-1], m)),
        "squared-error": random.normal(size=(sizes[-1], m)),
    }[cost]
    network = make_network([hidden] * (len(sizes) - 2) + [output], cost)
    return Example(network, Parameters(*arrays), random.normal(size=(sizes[0], m)), Y)


def g(name, z):
    """One activation of one number."""
    return {
        "identity": lambda: z,
        "relu": lambda: max(0.0, z),
        "leaky_relu": lambda: z if z > 0 else 0.01 * z,
        "sigmoid": lambda: 1 / (1 + math.exp(-z)),
        "tanh": lambda: math.tanh(z),
    }[name]()


def dg(name, z):
    """Its derivative."""
    return {
        "identity": lambda: 1.0,
        "relu": lambda: 1.0 if z > 0 else 0.0,
        "leaky_relu": lambda: 1.0 if z > 0 else 0.01,
        "sigmoid": lambda: math.exp(-z) / (1 + math.exp(-z)) ** 2,
        "tanh": lambda: 1 / math.cosh(z) ** 2,
    }[name]()


def outputs(name, z):
    """The output layer of one example: softmax takes all of its numbers together."""
    if name == "softmax":
        S = sum(math.exp(value) for value in z)
        return [math.exp(value) / S for value in z]
    return [g(name, value) for value in z]


def loss(cost, a, y):
    """The loss of one example."""
    if cost == "cross-entropy":
        return -sum(t * math.log(p) for t, p in zip(y, a, strict=True) if t)
    if cost == "logistic":
        return -sum(t * math.log(p) + (1 - t) * math.log(1 - p) for t, p in zip(y, a, strict=True))
    return sum((p - t) ** 2 for t, p in zip(y, a, strict=True)) / 2


def output_slope(cost, name, a, z, y):
    """Its derivative by each z of the output layer, without any shortcut."""
    n = len(a)
    if cost == "cross-entropy":  # through the Jacobian of softmax: a_k ([k = j] - a_j)
        da = [-t / p for t, p in zip(y, a, strict=True)]
        return [sum(da[k] * a[k] * ((k == j) - a[j]) for k in range(n)) for j in range(n)]
    if cost == "logistic":
        da = [-t / p + (1 - t) / (1 - p) for t, p in zip(y, a, strict=True)]
    else:
        da = [p - t for t, p in zip(y, a, strict=True)]
    return [da[k] * dg(name, z[k]) for k in range(n)]


def losses_and_gradients(example):
    """Loop over examples, layers and units; give the losses and the gradients of their mean."""
    network, parameters, X, Y = example
    X = np.asarray(X.todense()) if hasattr(X, "todense") else X
    m = X.shape[1]
    names = [activation.name for activation in network.activations]
    L, W, b = len(names), parameters.W, parameters.b
    totals = [np.zeros(array.shape) for array in parameters]
    losses = []
    for i in range(m):
        a, z = {0: list(X[:, i])}, {}
        for l in range(1, L + 1):
            rows, columns = W[l].shape
            z[l] = [
                float(b[l][j, 0]) + sum(W[l][j, k] * a[l - 1][k] for k in range(columns))
                for j in range(rows)
            ]
            a[l] = (outputs if l == L else lambda name, z: [g(name, v) for v in z])(
                names[l - 1], z[l]
            )
        y = [float(k == Y[i]) for k in range(len(a[L]))] if Y.ndim == 1 else list(Y[:, i])
        losses.append(loss(network.cost.name, a[L], y))
        dz = [d / m for d in output_slope(network.cost.name, names[-1], a[L], z[L], y)]
        for l in range(L, 0, -1):
            for j, d in enumerate(dz):
                totals[2 * l - 1][j, 0] += d
                for k, value in enumerate(a[l - 1]):
                    totals[2 * l - 2][j, k] += d * value
            if l > 1:
                dz = [
                    sum(W[l][j, k] * dz[j] for j in range(len(dz))) * dg(names[l - 2], z[l - 1][k])
                    for k in range(len(a[l - 1]))
                ]
    return losses, totals
