"""From the cost back to its gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbow.network.activations import Activation
from cbow.network.forward import Pass
from cbow.network.parameters import Array, Gradients, Ids, Parameters
from cbow.network.sparse import one_hot

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

    dZ2 is not formed. Y has a single 1 in each column, so each product is taken with Yhat and with
    Y apart, which spares a fresh (V, m) array; and 1/m is put on the smaller factor.

    Parameters
    ----------
    parameters : Parameters
    X : (V, m) csc_array
    y : (m,) array of int
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
    Yhat = pass_.Yhat  # (V, m)
    V, columns = Yhat.shape
    m = m or columns or 1  # no example: all sums are 0, and stay 0
    Y = one_hot(y, V, Yhat.dtype)  # (V, m)
    ones = np.ones((columns, 1), Yhat.dtype)  # (m, 1)
    H = pass_.H / m  # (N, m)
    dW2 = Yhat @ H.T  # (V, N)
    dW2 -= Y @ H.T
    db2 = (Yhat @ ones - Y @ ones) / m  # (V, 1)
    dZ1 = arriving(parameters.W2, Yhat, y) / m  # (N, m)
    dZ1 *= activation.dg(pass_.Z1)
    return Gradients(*input_gradients(dZ1, X), dW2, db2)


def arriving(W2: Array, Yhat: Array, y: Ids) -> Array:
    """Carry the error back through W2: W2ᵀ (Yhat - Y), as (N, m) in Fortran order."""
    return (Yhat.T @ W2 - W2[y]).T


def input_gradients(dZ1: Array, X: csc_array) -> tuple[Array, Array]:
    """Give dW1 = dZ1 Xᵀ (N, V) in Fortran order and db1 = dZ1 1 (N, 1)."""
    return (X @ dZ1.T).T, dZ1.sum(axis=1, keepdims=True)
