"""From the inputs to the outputs, and to the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from cbow.errors import ConfigError
from cbow.network.architecture import Network
from cbow.network.costs import Targets, check_targets
from cbow.network.parameters import Array, Parameters
from cbow.network.softmax import softmax_and_normaliser

if TYPE_CHECKING:
    from scipy.sparse import csc_array

#: X: a dense array (n[0], m), or sparse contexts (V, m).
Inputs: TypeAlias = "Array | csc_array"


class Pass(NamedTuple):
    """What a forward pass computes and the backward pass needs again. Columns are examples.

    All but A[0] = X lie in Fortran order: a column, an example, lies together.
    """

    Z: dict[int, Array]  #: Z[l] (n[l], m), for l = 1 .. L
    A: dict[int, Array]  #: A[l] (n[l], m), for l = 0 .. L
    logS: Array  #: (1, m) log Σ exp(Z[L]), column by column, of a softmax output; else (0, m)

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.Z)

    @property
    def Z1(self) -> Array:
        """Z[1], (N, m), the hidden layer of CBOW before its activation."""
        return self.Z[1]

    @property
    def H(self) -> Array:
        """A[1], (N, m), the hidden layer of CBOW."""
        return self.A[1]

    @property
    def Z2(self) -> Array:
        """Z[2], (V, m), the logits of CBOW."""
        return self.Z[2]

    @property
    def Yhat(self) -> Array:
        """A[L], (n[L], m), the output."""
        return self.A[self.depth]


def forward(network: Network, parameters: Parameters, X: Inputs, into: Pass | None = None) -> Pass:
    """Compute each layer from the one before.

        A[0] = X        Z[l] = W[l] A[l-1] + b[l]        A[l] = g[l](Z[l])

    For CBOW:

        Z1 = W1 X + b1        H    = g(Z1)
        Z2 = W2 H + b2        Yhat = softmax(Z2)

    Parameters
    ----------
    network : Network
        Of L layers.
    parameters : Parameters
    X : (n[0], m) array or csc_array
        For CBOW the averaged contexts, from `contexts`.
    into : Pass, optional
        An earlier pass that is not needed any more. If its output is softmax, of the same size
        and dtype, and has m columns or more, Z[L] and A[L] are written over it: fresh memory of
        that size costs more than the softmax.

    Returns
    -------
    Pass

    Raises
    ------
    ConfigError
        If the parameters are not those of L layers that follow each other and X.
    """
    _check(network, parameters, X)
    W, b, g, L = parameters.W, parameters.b, network.g, network.depth
    Z, A, logS = {}, {0: X}, np.empty((0, X.shape[1]), W[L].dtype)
    Zroom, Aroom = _room(len(W[L]), X.shape[1], W[L].dtype, into)
    for l in range(1, L + 1):
        Z[l] = _affine(W[l], A[l - 1], b[l], Zroom if l == L else None)  # (n[l], m)
        if g[l].name == "softmax":
            A[l], logS = softmax_and_normaliser(Z[l], into=Aroom)  # (V, m), (1, m)
        else:
            A[l] = g[l].g(Z[l])  # (n[l], m)
    return Pass(Z, A, logS)


def _affine(W: Array, A: Inputs, b: Array, into: Array | None) -> Array:
    """Z = W A + b, (n[l], m).

    The product is written transposed, so that a column of it, an example, lies together.
    """
    if into is None:
        Z: Array = (A.T @ W.T).T
    else:
        Z = np.matmul(A.T, W.T, out=into.T).T
    Z += b
    return Z


def _room(
    n: int, m: int, dtype: np.dtype[Any], into: Pass | None
) -> tuple[Array | None, Array | None]:
    """Return the memory of an earlier output layer if it fits."""
    if into is None or not len(into.logS):
        return None, None
    Z, A = into.Z[into.depth], into.Yhat
    if len(Z) != n or Z.shape[1] < m or Z.dtype != dtype:
        return None, None
    return Z[:, :m], A[:, :m]


def _check(network: Network, parameters: Parameters, X: Inputs) -> None:
    """Refuse parameters that do not fit the network, each other, or X."""
    if parameters.depth != network.depth:
        raise ConfigError(
            f"there are parameters of {parameters.depth} layers for a network of {network.depth}; "
            "give as many activations as layers"
        )
    before = X.shape[0]
    for l, W in parameters.W.items():
        b = parameters.b[l]
        if W.shape[1] != before or b.shape != (len(W), 1):
            raise ConfigError(
                f"W{l} is {W.shape} and b{l} {b.shape}, but layer {l} gets {before} numbers an "
                f"example, so W{l} must be (n, {before}) and b{l} (n, 1)"
            )
        before = len(W)


def cost(network: Network, pass_: Pass, Y: Targets) -> float:
    """Average the losses over the batch.

        J = (1/m) Σ_i loss_i             for CBOW     J = -(1/m) Σ_i log Yhat[y_i, i]

    Parameters
    ----------
    network : Network
    pass_ : Pass
    Y : (m,) array of int, or (n[L], m) array
        Ids for cross-entropy, each standing for a one-hot column; for the others the outputs that
        were wanted.

    Returns
    -------
    float
        For CBOW in nats per word; summed in float64; 0.0 for an empty batch.

    Raises
    ------
    ConfigError
        If the shape of the targets does not fit the cost and the output.
    """
    check_targets(network.cost, pass_, Y)
    if Y.shape[-1] == 0:
        return 0.0
    return float(np.mean(network.cost.losses(pass_, Y), dtype=np.float64))
