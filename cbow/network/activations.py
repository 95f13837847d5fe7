"""The activations g and their derivatives g'. All but softmax go element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from cbow.errors import ConfigError
from cbow.system.arrays import Floats

#: The slope of leaky ReLU below 0 (Maas, Hannun & Ng 2013).
LEAK: Final = 0.01


class Activation(NamedTuple):
    """A function and its derivative; both take Z (n, m) and return (n, m) of the same dtype."""

    name: str
    g: Callable[[Floats], Floats]
    dg: Callable[[Floats], Floats]
    slope: float | None = None  #: below 0, of a g that is straight there and z above; else None

    @property
    def kinked(self) -> bool:
        """Whether g has a kink at 0, where it has no derivative."""
        return self.slope not in (None, 1)


def relu(Z: Floats) -> Floats:
    """g(z) = max(0, z)."""
    return np.maximum(Z, 0)


def drelu(Z: Floats) -> Floats:
    """g'(z) = [z > 0]: 1 where the unit fired, else 0; so g'(0) = 0, as in PyTorch."""
    return (Z > 0).astype(Z.dtype)


def leaky_relu(Z: Floats) -> Floats:
    """g(z) = z where z > 0, else LEAK z."""
    return np.where(Z > 0, Z, LEAK * Z)


def dleaky_relu(Z: Floats) -> Floats:
    """g'(z) = 1 where z > 0, else LEAK."""
    return np.where(Z > 0, 1, LEAK).astype(Z.dtype)


def sigmoid(Z: Floats) -> Floats:
    """g(z) = 1 / (1 + exp(-z)), by way of tanh, which cannot overflow."""
    return (1 + np.tanh(Z / 2)) / 2


def dsigmoid(Z: Floats) -> Floats:
    """g'(z) = g(z) (1 - g(z))."""
    A = sigmoid(Z)
    return A * (1 - A)


def tanh(Z: Floats) -> Floats:
    """g(z) = tanh(z)."""
    return np.tanh(Z)


def dtanh(Z: Floats) -> Floats:
    """g'(z) = 1 - tanh(z)²."""
    return 1 - np.tanh(Z) ** 2


def identity(Z: Floats) -> Floats:
    """g(z) = z, the linear network of word2vec."""
    return Z


def didentity(Z: Floats) -> Floats:
    """g'(z) = 1."""
    return np.ones_like(Z)


def softmax(Z: Floats) -> Floats:
    """g(z)_k = exp(z_k) / Σ_j exp(z_j), column by column: each column sums to 1.

    The column's maximum is subtracted before exp, which changes nothing and lets no exponent exceed
    0 (Goodfellow, Bengio & Courville 2016, section 4.1).
    """
    E: Floats = Z - Z.max(axis=0)  # (n, m)
    np.exp(E, out=E)
    E /= E.sum(axis=0)
    return E


def dsoftmax(Z: Floats) -> Floats:
    """Raise an error: each output depends on all of its column, so no g'(z) exists.

    Raises
    ------
    ConfigError
        Always.
    """
    raise ConfigError(
        "softmax has no derivative element by element; use it in the output layer, with the cost "
        "cross-entropy, where dZ = A - Y"
    )


#: Every activation by its name; `cbow.config` names them too.
ACTIVATIONS: Final[Mapping[str, Activation]] = {
    activation.name: activation
    for activation in (
        Activation("relu", relu, drelu, slope=0.0),
        Activation("leaky_relu", leaky_relu, dleaky_relu, slope=LEAK),
        Activation("sigmoid", sigmoid, dsigmoid),
        Activation("tanh", tanh, dtanh),
        Activation("identity", identity, didentity, slope=1.0),
        Activation("softmax", softmax, dsoftmax),
    )
}
