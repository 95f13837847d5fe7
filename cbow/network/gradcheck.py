"""Are the gradients right? Compare them with differences of the cost itself.

The mistaken formula of a well-known lecture is compared too, so that one sees where it fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cbow.network.activations import Activation
from cbow.network.backward import backward, hidden_gradients, output_error
from cbow.network.forward import Pass, cost, forward
from cbow.network.parameters import Array, Gradients, Ids, Parameters
from cbow.network.sparse import contexts

if TYPE_CHECKING:
    from scipy.sparse import csc_array

#: A gradient is right if its relative error is below this.
TOLERANCE: Final = 1e-8

#: Gradients smaller than this throughout are compared as if they were this large: rounding in the
#: cost, eps / STEP, hides anything smaller.
SMALLEST: Final = 1e-4

#: The step h balances rounding, eps / h, against the error of the formula, h⁴.
STEP: Final = float(np.finfo(np.float64).eps ** (1 / 5))


class Problem(NamedTuple):
    """A small network, float64, and a batch to check it on."""

    parameters: Parameters
    X: csc_array  #: (V, m)
    y: Ids  #: (m,)
    redrawn: int  #: biases drawn again, because the unit was too near 0


class GradientErrors(NamedTuple):
    """How far one gradient is from the differences of the cost; see `relative_error`."""

    name: str
    shape: tuple[int, ...]
    ours: float
    mistaken: float

    @property
    def right(self) -> bool:
        """Whether our gradient agrees."""
        return self.ours < TOLERANCE

    @property
    def mistaken_right(self) -> bool:
        """Whether the gradient by the mistaken formula agrees."""
        return self.mistaken < TOLERANCE


def draw_problem(shape: tuple[int, int, int], window: int, seed: int) -> Problem:
    """Draw a network and a batch at random, such that differences of the cost can be trusted.

    ReLU has no derivative at 0. A difference over a step that carries a unit across 0 mixes two
    slopes and says nothing about either, so a unit that comes within two steps of 0 in any
    example has its bias drawn again.

    Parameters
    ----------
    shape : (int, int, int)
        V, N and m.
    window : int
        Words on each side of the middle; a context has twice as many, drawn with repetition.
    seed : int

    Returns
    -------
    Problem
        With normal W1, b1 and b2, and W2 smaller by √N, so that the softmax does not saturate.
    """
    V, N, m = shape
    random = np.random.Generator(np.random.PCG64(seed))
    X = contexts(
        random.integers(V, size=2 * window * m), np.arange(m + 1) * 2 * window, V, np.float64
    )  # (V, m)
    y = random.integers(V, size=m)  # (m,)
    W1 = random.normal(size=(V, N)).T  # (N, V)
    b1 = random.normal(size=(N, 1))  # (N, 1)
    Z1 = (X.T @ W1.T).T + b1  # (N, m)
    redrawn = 0
    while (near := np.abs(Z1).min(axis=1) <= 2 * STEP).any():
        again = random.normal(size=(near.sum(), 1))
        Z1[near] += again - b1[near]
        b1[near] = again
        redrawn += len(again)
    W2 = random.normal(size=(V, N)) / N**0.5  # (V, N)
    b2 = random.normal(size=(V, 1))  # (V, 1)
    return Problem(Parameters(W1, b1, W2, b2), X, y, redrawn)


def check_gradients(problem: Problem, activation: Activation) -> list[GradientErrors]:
    """Measure the relative error of dW1, db1, dW2 and db2, ours and by the mistaken formula.

    Parameters
    ----------
    problem : Problem
        It is left as it was.
    activation : Activation
        The mistaken formula does not depend on it: it is always the one for ReLU.

    Returns
    -------
    list of GradientErrors
        In the order of `Gradients`.
    """
    X, y = problem.X, problem.y
    parameters = Parameters(*(array.copy(order="K") for array in problem.parameters))
    pass_ = forward(parameters, X, activation)
    ours = backward(parameters, X, y, pass_, activation)
    mistaken = mistaken_gradients(parameters, X, y, pass_, ours)

    def J() -> float:
        return cost(forward(parameters, X, activation), y)

    rows = []
    for name, array, one, other in zip(Gradients._fields, parameters, ours, mistaken, strict=True):
        numeric = central_differences(J, array, STEP)
        errors = relative_error(one, numeric), relative_error(other, numeric)
        rows.append(GradientErrors(name, array.shape, *errors))
    return rows


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


def relative_error(gradient: Array, numeric: Array) -> float:
    """Give max|gradient - numeric| / max(max|gradient|, max|numeric|, SMALLEST)."""
    largest = max(np.abs(gradient).max(), np.abs(numeric).max(), SMALLEST)
    return float(np.abs(gradient - numeric).max() / largest)


def mistaken_gradients(
    parameters: Parameters, X: csc_array, y: Ids, pass_: Pass, right: Gradients
) -> Gradients:
    """Give the gradients of a ReLU network as a well-known course taught them until mid-2023.

        dZ1 = max(0, W2ᵀ dZ2)             in place of   (W2ᵀ dZ2) ⊙ [Z1 > 0]

    It masks by the sign of the arriving gradient instead of by the unit that fired. dW1 and db1
    come out wrong, and never negative: W1 and b1 can only fall, so units die.

    Parameters
    ----------
    parameters, X, y, pass_
        As for `backward`.
    right : Gradients
        From `backward`. Its dW2 and db2, which were always right, are handed on.

    Returns
    -------
    Gradients
    """
    dZ2 = output_error(pass_.Yhat, y)  # (V, m)
    dZ1 = np.maximum(0, parameters.W2.T @ dZ2)  # (N, m)
    dW1, db1 = hidden_gradients(dZ1, X)
    return right._replace(dW1=dW1, db1=db1)
