"""Formulas for the gradients that circulate and are wrong, kept to be shown beside the right ones.

Each is the right recursion with one line changed.
"""

from __future__ import annotations

import numpy as np

from cbow.network.architecture import Network
from cbow.network.backward import deltas, gradients
from cbow.network.costs import Targets
from cbow.network.forward import Pass
from cbow.network.parameters import Gradients, Parameters
from cbow.system.arrays import Floats


def mistaken_gradients(
    network: Network, parameters: Parameters, pass_: Pass, Y: Targets
) -> Gradients:
    """Return the gradients of a ReLU network as a well-known course taught them until mid-2023.

        dZ[l-1] = max(0, W[l]ᵀ dZ[l])      in place of   (W[l]ᵀ dZ[l]) ⊙ [Z[l-1] > 0]

    It masks by the sign of the arriving gradient instead of by the unit that fired. In CBOW, where
    X is never negative, dW1 and db1 come out wrong and never negative: W1 and b1 can only fall, so
    units die. dW2 and db2 are right.

    Parameters
    ----------
    network, parameters, pass_, Y
        As for `backward`. The activations of hidden layers are taken for ReLU, whatever they are.
    """
    W = parameters.W

    def recursion(l: int, dZ: Floats) -> Floats:
        return np.maximum(0, W[l].T @ dZ)  # (n[l-1], m)

    return gradients(pass_, deltas(network, parameters, pass_, Y, recursion))


def gradients_with_dW(
    network: Network, parameters: Parameters, pass_: Pass, Y: Targets
) -> Gradients:
    """Return the gradients by a slip of lecture notes: dW[l] where W[l] belongs.

        dZ[l-1] = (dW[l]ᵀ dZ[l]) ⊙ g'(Z[l-1])      in place of   (W[l]ᵀ dZ[l]) ⊙ g'(Z[l-1])

    The shapes fit, so nothing complains. All but the last layer come out wrong.

    Parameters
    ----------
    network, parameters, pass_, Y
        As for `backward`.
    """
    A, Z, g = pass_.A, pass_.Z, network.g

    def recursion(l: int, dZ: Floats) -> Floats:
        dW = dZ @ A[l - 1].T  # (n[l], n[l-1])
        return (dW.T @ dZ) * g[l - 1].dg(Z[l - 1])  # (n[l-1], m)

    return gradients(pass_, deltas(network, parameters, pass_, Y, recursion))


def output_gradient_with_AL(
    network: Network, parameters: Parameters, pass_: Pass, Y: Targets
) -> Floats:
    """Return dW[L] by another slip of lecture notes: A[L] where A[L-1] belongs.

        dW[L] = dZ[L] A[L]ᵀ                in place of   dZ[L] A[L-1]ᵀ

    Parameters
    ----------
    network, parameters, pass_, Y
        As for `backward`.

    Returns
    -------
    (n[L], n[L]) array
        Not even the shape of W[L], unless the last two layers are of one size.
    """
    L = network.depth
    dZ = deltas(network, parameters, pass_, Y)
    return dZ[L] @ pass_.A[L].T
