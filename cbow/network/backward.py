"""From the cost back to its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cbow.network.costs import Targets, check_targets
from cbow.network.forward import Pass
from cbow.network.parameters import Gradients, Network, Parameters
from cbow.system.arrays import Floats

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def backward(network: Network, parameters: Parameters, pass_: Pass, Y: Targets) -> Gradients:
    """Differentiate the cost J by every parameter.

        dZ[L]   = (1/m) dloss/dZ[L]       for CBOW     dZ2 = (Yhat - Y) / m
        dZ[l-1] = (W[l]ᵀ dZ[l]) ⊙ g'(Z[l-1])           dZ1 = (W2ᵀ dZ2) ⊙ g'(Z1)
        dW[l]   = dZ[l] A[l-1]ᵀ                        dW2 = dZ2 Hᵀ    dW1 = dZ1 Xᵀ
        db[l]   = dZ[l] 1                              db2 = dZ2 1     db1 = dZ1 1

    The recursion is that of Rumelhart, Hinton & Williams 1986.

    Parameters
    ----------
    network : Network
    parameters : Parameters
    pass_ : Pass
        Of the same network and parameters. It is only read.
    Y : (m,) array of int, or (n[L], m) array
        As for `cost`.

    Returns
    -------
    Gradients
        Zeros for an empty batch.

    Raises
    ------
    ConfigError
        As for `cost`.
    """
    return gradients(pass_, deltas(network, parameters, pass_, Y))


def deltas(
    network: Network,
    parameters: Parameters,
    pass_: Pass,
    Y: Targets,
    recursion: Callable[[int, Floats], Floats] | None = None,
) -> dict[int, Floats]:
    """Return dZ[l] = dJ/dZ[l], (n[l], m), for l = L .. 1; the literature calls them δ.

    Parameters
    ----------
    network, parameters, pass_, Y
        As for `backward`.
    recursion : callable, optional
        ``recursion(l, dZ[l])`` returns dZ[l-1] in place of (W[l]ᵀ dZ[l]) ⊙ g'(Z[l-1]), to show what
        a mistaken formula leads to.

    Raises
    ------
    ConfigError
        As for `cost`.
    """
    W, (Z, A), g, L = parameters.W, pass_, network.g, network.depth
    check_targets(network.cost, A[L], Y)
    m = Y.shape[-1] or 1  # no example: all sums are 0, and stay 0
    dZ: dict[int, Floats] = {L: network.cost.derivative(Z[L], A[L], Y, g[L]) / m}  # (n[L], m)
    for l in range(L, 1, -1):
        if recursion is None:
            dZ[l - 1] = (W[l].T @ dZ[l]) * g[l - 1].dg(Z[l - 1])  # (n[l-1], m)
        else:
            dZ[l - 1] = recursion(l, dZ[l])
    return dZ


def gradients(pass_: Pass, dZ: dict[int, Floats]) -> Gradients:
    """Return dW[l] = dZ[l] A[l-1]ᵀ, (n[l], n[l-1]), and db[l] = dZ[l] 1, (n[l], 1)."""
    A = pass_.A
    arrays = []
    for l in range(1, pass_.depth + 1):
        dW = dZ[l] @ A[l - 1].T  # (n[l], n[l-1]); in Fortran order where A[0] = X is sparse
        db = dZ[l].sum(axis=1, keepdims=True)  # (n[l], 1)
        arrays += [dW, db]
    return Gradients(*arrays)


def feature_gradients(gradients: Gradients, F: csc_array) -> Gradients:
    """Return the gradients by W1, b1, W2, b2 from those by W1 F, b1, W2, b2; see `compose`.

    Parameters
    ----------
    gradients : Gradients
        Of the network for whole words: dW1 is (N, V).
    F : (V + buckets, V) csc_array
    """
    dW1, *others = gradients
    return Gradients((F @ dW1.T).T, *others)  # (N, V + buckets), in Fortran order


def active(network: Network, pass_: Pass, layer: int = 1) -> NDArray[np.bool_]:
    """Return where each unit of a hidden layer lets a gradient through: [g'(Z[l]) ≠ 0].

    A ReLU unit is active on the examples where it fires, Z > 0. A unit that is active on no example
    is dead: no step changes what it gets. Units of the other activations are always active, except
    where the derivative is too small to be told from 0.

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
    return np.not_equal(network.g[layer].dg(pass_.Z[layer]), 0)
