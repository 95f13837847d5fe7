"""From the cost back to its gradients."""

from __future__ import annotations

from collections.abc import Callable

from cbow.network.architecture import Network
from cbow.network.costs import Targets, check_targets
from cbow.network.forward import Pass
from cbow.network.parameters import Array, Gradients, Parameters


def backward(
    network: Network, parameters: Parameters, pass_: Pass, Y: Targets, m: int | None = None
) -> Gradients:
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
    m : int, optional
        The divisor, if X is a part of a larger batch of m examples: the gradients of the parts
        then add up to the gradient of the batch. The number of columns of X if not given.

    Returns
    -------
    Gradients
        Zeros for an empty batch.

    Raises
    ------
    ConfigError
        As for `cost`.
    """
    return gradients(pass_, errors(network, parameters, pass_, Y, m))


def errors(
    network: Network,
    parameters: Parameters,
    pass_: Pass,
    Y: Targets,
    m: int | None = None,
    hidden: Callable[[int, Array], Array] | None = None,
) -> dict[int, Array]:
    """Return dZ[l] = dJ/dZ[l], (n[l], m), for l = L .. 1.

    Parameters
    ----------
    network, parameters, pass_, Y, m
        As for `backward`.
    hidden : callable, optional
        ``hidden(l, dZ[l])`` gives dZ[l-1] in place of (W[l]ᵀ dZ[l]) ⊙ g'(Z[l-1]), to see what a
        mistaken formula gives.

    Raises
    ------
    ConfigError
        As for `cost`.
    """
    check_targets(network.cost, pass_, Y)
    W, Z, g, L = parameters.W, pass_.Z, network.g, network.depth

    def right(l: int, dZ: Array) -> Array:
        return (W[l].T @ dZ) * g[l - 1].dg(Z[l - 1])  # (n[l-1], m)

    m = m or Y.shape[-1] or 1  # no example: all sums are 0, and stay 0
    dZ = {L: network.cost.error(pass_, Y, g[L], m)}  # (n[L], m)
    for l in range(L, 1, -1):
        dZ[l - 1] = (hidden or right)(l, dZ[l])
    return dZ


def gradients(pass_: Pass, dZ: dict[int, Array]) -> Gradients:
    """Return dW[l] = dZ[l] A[l-1]ᵀ, (n[l], n[l-1]), and db[l] = dZ[l] 1, (n[l], 1)."""
    A = pass_.A
    arrays = []
    for l in range(1, pass_.depth + 1):
        dW = dZ[l] @ A[l - 1].T  # (n[l], n[l-1]); in Fortran order where A[0] = X is sparse
        db = dZ[l].sum(axis=1, keepdims=True)  # (n[l], 1)
        arrays += [dW, db]
    return Gradients(*arrays)
