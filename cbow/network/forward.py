"""From contexts to probabilities, and to the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbow.network.activations import Activation
from cbow.network.parameters import Array, Ids, Parameters
from cbow.network.softmax import cross_entropy, softmax_and_normaliser

if TYPE_CHECKING:
    from scipy.sparse import csc_array


class Pass(NamedTuple):
    """What a forward pass computes and the backward pass needs again. Columns are examples."""

    Z1: Array  #: (N, m) Fortran order
    H: Array  #: (N, m) Fortran order
    Z2: Array  #: (V, m) Fortran order
    logS: Array  #: (1, m) log Σ exp(Z2), column by column
    Yhat: Array  #: (V, m) Fortran order


def forward(
    parameters: Parameters, X: csc_array, activation: Activation, into: Pass | None = None
) -> Pass:
    """Predict the distribution of the middle word from its averaged context.

        Z1   = W1 X + b1        H    = g(Z1)
        Z2   = W2 H + b2        Yhat = softmax(Z2)

    Parameters
    ----------
    parameters : Parameters
    X : (V, m) csc_array
        Averaged contexts, from `contexts`.
    activation : Activation
        g.
    into : Pass, optional
        An earlier pass that is not needed any more. If it is of the same V and dtype and has m
        columns or more, its Z2 and Yhat are overwritten: fresh memory of that size costs more
        than the softmax.

    Returns
    -------
    Pass
        Z1, H, Z2, logS and Yhat.
    """
    W1, b1, W2, b2 = parameters
    # Each product is written transposed, so that a column of its result, an example, lies together.
    Z1 = (X.T @ W1.T).T  # (N, m)
    Z1 += b1
    H = activation.g(Z1)  # (N, m)
    Z2, Yhat = _outputs(W2.shape[0], H, into)  # (V, m), (V, m) not yet filled
    np.matmul(H.T, W2.T, out=Z2.T)
    Z2 += b2
    _, logS = softmax_and_normaliser(Z2, into=Yhat)  # (1, m)
    return Pass(Z1, H, Z2, logS, Yhat)


def _outputs(V: int, H: Array, into: Pass | None) -> tuple[Array, Array]:
    """Give room for Z2 and Yhat: that of the earlier pass if it fits, else fresh memory."""
    m = H.shape[1]
    if into and len(into.Z2) == V and into.Z2.shape[1] >= m and into.Z2.dtype == H.dtype:
        return into.Z2[:, :m], into.Yhat[:, :m]
    return np.empty((m, V), H.dtype).T, np.empty((m, V), H.dtype).T


def cost(pass_: Pass, y: Ids) -> float:
    """Average the cross-entropy over the batch.

        J = -(1/m) Σ_i log Yhat[y_i, i]

    Parameters
    ----------
    pass_ : Pass
    y : (m,) array of int
        The words that stood in the middle.

    Returns
    -------
    float
        Nats per word, summed in float64; 0.0 for an empty batch.
    """
    if len(y) == 0:
        return 0.0
    return float(np.mean(cross_entropy(pass_.Z2, pass_.logS, y), dtype=np.float64))
