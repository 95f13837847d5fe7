"""The activation g of the hidden layer and its derivative g', element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from cbow.network.parameters import Array

#: The slope of leaky ReLU below 0 (Maas, Hannun & Ng 2013).
LEAK: Final = 0.01


class Activation(NamedTuple):
    """A function and its derivative; both take Z (N, m) and return (N, m) of the same dtype."""

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


def identity(Z: Array) -> Array:
    """g(z) = z, the linear network of word2vec."""
    return Z


def didentity(Z: Array) -> Array:
    """g'(z) = 1."""
    return np.ones_like(Z)


#: Every activation by its name.
ACTIVATIONS: Final[Mapping[str, Activation]] = {
    "relu": Activation("relu", relu, drelu),
    "leaky_relu": Activation("leaky_relu", leaky_relu, dleaky_relu),
    "identity": Activation("identity", identity, didentity),
}
