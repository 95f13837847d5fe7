"""Which units let a gradient through: active ones, and dead ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbow.network.architecture import Network
from cbow.network.forward import Pass


def active(network: Network, pass_: Pass, layer: int = 1) -> NDArray[np.bool_]:
    """Tell on which examples each unit of a hidden layer is active: [g'(Z[l]) ≠ 0].

    A ReLU unit is active where it fires, Z > 0; elsewhere no gradient passes. A unit that is active
    on no example is dead: nothing it gets is ever changed by a step. Units of the other
    activations are always active, but where a derivative is too small to be told from 0.

    Parameters
    ----------
    network : Network
    pass_ : Pass
    layer : int
        l, from 1 to L - 1.

    Returns
    -------
    (n[l], m) array of bool
    """
    slopes = network.g[layer].dg(pass_.Z[layer])  # (n[l], m)
    return np.not_equal(slopes, 0)
