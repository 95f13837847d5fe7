"""From the cost back to its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbow.network.activations import Activation
from cbow.network.forward import Pass
from cbow.network.parameters import Array, Gradients, Ids, Parameters

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def backward(
    parameters: Parameters,
    X: csc_array,
    y: Ids,
    pass_: Pass,
    activation: Activation,
    m: int | None = None,
) -> Gradients:
    """Differentiate J = -(1/m) Σ_i log Yhat[y_i, i] by every parameter.

        dZ2 = (Yhat - Y) / m              dW2 = dZ2 Hᵀ      db2 = dZ2 1
        dZ1 = (W2ᵀ dZ2) ⊙ g'(Z1)          dW1 = dZ1 Xᵀ      db1 = dZ1 1

    Parameters
    ----------
    parameters : Parameters
    X : (V, m) csc_array
    y : (m,) array of int
        Y as ids: column i of Y is 1 in row y[i].
    pass_ : Pass
        Of the same parameters, X and activation. It is only read.
    activation : Activation
        g and g'.
    m : int, optional
        The divisor, if X is a part of a larger batch of m examples: the gradients of the parts
        then add up to the gradient of the batch. The number of columns of X if not given.

    Returns
    -------
    Gradients
        Zeros for an empty batch.
    """
    W2, H, Z1 = parameters.W2, pass_.H, pass_.Z1
    dZ2 = output_error(pass_.Yhat, y, m)  # (V, m)
    dW2 = dZ2 @ H.T  # (V, N)
    db2 = dZ2.sum(axis=1, keepdims=True)  # (V, 1)
    dZ1 = (W2.T @ dZ2) * activation.dg(Z1)  # (N, m)
    return Gradients(*hidden_gradients(dZ1, X), dW2, db2)


def output_error(Yhat: Array, y: Ids, m: int | None = None) -> Array:
    """Give dZ2 = (Yhat - Y) / m, (V, m), without forming Y."""
    columns = Yhat.shape[1]
    m = m or columns or 1  # no example: all sums are 0, and stay 0
    dZ2: Array = Yhat / np.asarray(m, Yhat.dtype)  # (V, m)
    dZ2[y, np.arange(columns)] -= 1 / m
    return dZ2


def hidden_gradients(dZ1: Array, X: csc_array) -> tuple[Array, Array]:
    """Give dW1 = dZ1 Xᵀ, (N, V) in Fortran order, and db1 = dZ1 1, (N, 1)."""
    dW1 = (X @ dZ1.T).T  # (N, V), written transposed: scipy multiplies sparse by dense
    db1 = dZ1.sum(axis=1, keepdims=True)  # (N, 1)
    return dW1, db1
