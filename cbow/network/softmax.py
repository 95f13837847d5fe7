"""Softmax, computed so that it cannot overflow."""

from __future__ import annotations

from typing import Final

import numpy as np

from cbow.network.parameters import Array

#: Numbers handled at a time: they stay in the processor's cache from the maximum to the division.
BLOCK: Final = 2**17


def softmax(Z2: Array) -> Array:
    """Turn logits into probabilities, column by column.

        Yhat[k, i] = exp(Z2[k, i]) / Σ_j exp(Z2[j, i])

    Parameters
    ----------
    Z2 : (V, m) array
        Of whatever layer is the last; CBOW's is the second.

    Returns
    -------
    (V, m) array
        Each column sums to 1.
    """
    return softmax_and_normaliser(Z2)[0]


def softmax_and_normaliser(Z2: Array, into: Array | None = None) -> tuple[Array, Array]:
    """Compute `softmax` and the logarithm of what it divides by.

        logS[i]    = log Σ_j exp(Z2[j, i])
        Yhat[k, i] = exp(Z2[k, i] - logS[i])

    The column's maximum is subtracted before exp, which changes neither and lets no exponent
    exceed 0 (Goodfellow, Bengio & Courville 2016, section 4.1).

    Parameters
    ----------
    Z2 : (V, m) array
        Fastest in Fortran order.
    into : (V, m) array, optional
        Where to put Yhat; a fresh array if not given.

    Returns
    -------
    Yhat : (V, m) array
    logS : (1, m) array
    """
    V, m = Z2.shape
    Yhat = np.empty_like(Z2) if into is None else into  # (V, m)
    ones = np.ones(V, Z2.dtype)  # (V,)
    logS = np.empty((1, m), Z2.dtype)  # (1, m)
    width = max(1, BLOCK // V)
    for start in range(0, m, width):
        block = slice(start, start + width)
        top = Z2[:, block].max(axis=0)  # (width,)
        E = np.subtract(Z2[:, block], top, out=Yhat[:, block])  # (V, width)
        np.exp(E, out=E)
        S = ones @ E  # (width,) between 1 and V
        E *= 1 / S
        logS[0, block] = top + np.log(S)
    return Yhat, logS
