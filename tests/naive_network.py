"""The network written out one number at a time, as slowly and plainly as it can be."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cbow.network import Parameters, contexts


class Example(NamedTuple):
    """A random network and batch, dense and sparse."""

    parameters: Parameters
    X: object  # csc (V, m)
    y: np.ndarray  # (m,)


def example(V=11, N=4, m=6, dtype=np.float64, seed=0, size=1.0):
    """Draw a network with every parameter different from 0, and contexts of 1 to 5 words."""
    random = np.random.default_rng(seed)
    parameters = Parameters(
        W1=np.asfortranarray(size * random.normal(size=(N, V))).astype(dtype, order="F"),
        b1=(size * random.normal(size=(N, 1))).astype(dtype),
        W2=(size * random.normal(size=(V, N))).astype(dtype),
        b2=(size * random.normal(size=(V, 1))).astype(dtype),
    )
    lengths = random.integers(1, 6, size=m)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    X = contexts(random.integers(V, size=indptr[-1]), indptr, V, dtype)
    return Example(parameters, X, random.integers(V, size=m))


def g(name, z):
    """One activation of one number."""
    if name == "identity":
        return z
    return z if z > 0 else (0.01 * z if name == "leaky_relu" else 0.0)


def dg(name, z):
    """Its derivative."""
    if name == "identity":
        return 1.0
    return 1.0 if z > 0 else (0.01 if name == "leaky_relu" else 0.0)


def losses_and_gradients(example, name):
    """Loop over examples, words and units; give (losses, dW1, db1, dW2, db2) of the mean."""
    (W1, b1, W2, b2), X, y = example
    X = X.toarray()
    V, m = X.shape
    N = len(b1)
    dW1, db1 = np.zeros((N, V)), np.zeros((N, 1))
    dW2, db2 = np.zeros((V, N)), np.zeros((V, 1))
    losses = []
    for i in range(m):
        z1 = [float(b1[j, 0]) + sum(W1[j, k] * X[k, i] for k in range(V)) for j in range(N)]
        h = [g(name, z) for z in z1]
        z2 = [float(b2[k, 0]) + sum(W2[k, j] * h[j] for j in range(N)) for k in range(V)]
        S = sum(math.exp(z) for z in z2)
        losses.append(math.log(S) - z2[y[i]])
        dz2 = [(math.exp(z2[k]) / S - (k == y[i])) / m for k in range(V)]
        for k in range(V):
            db2[k, 0] += dz2[k]
            for j in range(N):
                dW2[k, j] += dz2[k] * h[j]
        for j in range(N):
            dz1 = sum(W2[k, j] * dz2[k] for k in range(V)) * dg(name, z1[j])
            db1[j, 0] += dz1
            for k in range(V):
                dW1[j, k] += dz1 * X[k, i]
    return losses, dW1, db1, dW2, db2
