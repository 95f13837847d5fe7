"""The activations g and their derivatives g'. All but softmax go element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from cbow.errors import ConfigError
from cbow.network.parameters import Array
from cbow.network.softmax import softmax

#: The slope of leaky ReLU below 0 (Maas, Hannun & Ng 2013).
LEAK: Final = 0.01


class Activation(NamedTuple):
    """A function and its derivative; both take Z (n, m) and return (n, m) of the same dtype."""

    name: str
    g: Callable[[Array], Array]
    dg: Callable[[Array], Array]


def relu(Z: Array) -> Array:
    """g(z) = max(0, z)."""
    return np.maximum(Z, 0)


def drelu(Z: Array) -> Array:
    """g'(z) = [z > 0]: 1 where the unit fired, else 0; so g'(0) = 0, as in PyTorch."""
    return (Z > 0).astype(Z.dtype)


def leaky_relu(Z: Array) -> Array:
    """g(z) = z where z > 0, else LEAK z."""
    return np.where(Z > 0, Z, LEAK * Z)


def dleaky_relu(Z: Array) -> Array:
    """g'(z) = 1 where z > 0, else LEAK."""
    return np.where(Z > 0, 1, LEAK).astype(Z.dtype)


def sigmoid(Z: Array) -> Array:
    """g(z) = 1 / (1 + exp(-z)), by way of tanh, which cannot overflow."""
    return (1 + np.tanh(Z / 2)) / 2


def dsigmoid(Z: Array) -> Array:
    """g'(z) = g(z) (1 - g(z))."""
    A = sigmoid(Z)
    return A * (1 - A)


def tanh(Z: Array) -> Array:
    """g(z) = tanh(z)."""
    return np.tanh(Z)


def dtanh(Z: Array) -> Array:
    """g'(z) = 1 - tanh(z)²."""
    return 1 - np.tanh(Z) ** 2


def identity(Z: Array) -> Array:
    """g(z) = z, the linear network of word2vec."""
    return Z


def didentity(Z: Array) -> Array:
    """g'(z) = 1."""
    return np.ones_like(Z)


def dsoftmax(Z: Array) -> Array:
    """Refuse: every output of softmax depends on all of the column, so no g'(z) exists.

    Raises
    ------
    ConfigError
        Always.
    """
    raise ConfigError(
        "softmax has no derivative element by element; use it in the output layer, with the cost "
        "cross-entropy, where dZ = A - Y"
    )


#: Every activation by its name.
ACTIVATIONS: Final[Mapping[str, Activation]] = {
    "relu": Activation("relu", relu, drelu),
    "leaky_relu": Activation("leaky_relu", leaky_relu, dleaky_relu),
    "sigmoid": Activation("sigmoid", sigmoid, dsigmoid),
    "tanh": Activation("tanh", tanh, dtanh),
    "identity": Activation("identity", identity, didentity),
    "softmax": Activation("softmax", softmax, dsoftmax),
}
