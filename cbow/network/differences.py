"""Derivatives without a formula: move a number a little, and see what that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from cbow.network.parameters import Array

#: The step h balances rounding, eps / h, against the error of the formula, h⁴.
STEP: Final = float(np.finfo(np.float64).eps ** (1 / 5))


def central_differences(f: Callable[[], float], array: Array, h: float) -> Array:
    """Differentiate f by every number of `array`, without any formula for the gradient.

        f'(x) ≈ (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h

    The fourth-order formula (Fornberg 1988, table 1). The usual (f(x+h) - f(x-h)) / 2h
    is not precise enough: its best step is eps^(1/3), and rounding then costs 1e-8 of a gradient
    in a batch of 64, as much as a right gradient is allowed.

    Parameters
    ----------
    f : callable
        Reads `array`, returns a float.
    array : float64 array
        Changed and put back, one number at a time.
    h : float
        The step.

    Returns
    -------
    array
        In the shape of `array`.
    """
    slopes = np.empty_like(array)
    for place in np.ndindex(array.shape):
        x = array[place]
        at = {}
        for steps in (-2, -1, 1, 2):
            array[place] = x + steps * h
            at[steps] = f()
        array[place] = x
        slopes[place] = (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)
    return slopes
