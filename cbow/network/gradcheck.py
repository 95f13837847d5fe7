"""Are the gradients right? Compare them with differences of the cost itself.

Formulas that circulate and are wrong are compared too, to show where they fail. Each is the right
recursion with one line changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cbow.errors import ConfigError
from cbow.network.backward import active, backward, deltas, gradients
from cbow.network.costs import Targets
from cbow.network.forward import Inputs, Pass, contexts, cost, forward
from cbow.network.parameters import Gradients, Network, Parameters, cbow_network, check_sizes
from cbow.system.arrays import Floats

if TYPE_CHECKING:
    from scipy.sparse import csc_array

#: The step h balances rounding, eps / h, against the error of the formula, h⁴.
STEP: Final = float(np.finfo(np.float64).eps ** (1 / 5))

#: A gradient is right if its relative error is below this.
TOLERANCE: Final = 1e-8

#: Gradients smaller than this throughout are compared as if they were this large: rounding in the
#: cost, eps / STEP, hides anything smaller.
SMALLEST: Final = 1e-4


def central_differences(f: Callable[[], float], array: Floats, h: float) -> Floats:
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


class Problem(NamedTuple):
    """A small network, float64, and a batch to check it on."""

    network: Network
    parameters: Parameters
    X: Inputs  #: (n[0], m)
    Y: Targets  #: ids (m,), or (n[L], m)
    redrawn: int  #: biases drawn again: of units too near 0, or of a layer that was all dead


def draw_problem(
    shape: tuple[int, int, int],
    window: int,
    seed: int,
    activation: str = "relu",
    features: csc_array | None = None,
) -> Problem:
    """Draw a CBOW network and a batch at random, such that differences of the cost can be trusted.

    Parameters
    ----------
    shape : (int, int, int)
        V, N and m.
    window : int
        Words on each side of the middle; a context has twice as many, drawn with repetition.
    seed : int
    activation : str
        Of the hidden layer.
    features : (V + buckets, V) csc_array, optional
        F, if words are made of parts; see `compose`.

    Returns
    -------
    Problem
        With normal W1, b1 and b2, and W2 smaller by √N, so that the softmax does not saturate.
    """
    V, N, m = shape
    random = np.random.Generator(np.random.PCG64(seed))
    X = contexts(
        random.integers(V, size=2 * window * m), np.arange(m + 1) * 2 * window, V, np.float64,
        features,
    )  # (V, m), or (V + buckets, m)  # fmt: skip
    y = random.integers(V, size=m)  # (m,)
    network = cbow_network(activation)
    W1 = random.normal(size=(X.shape[0], N)).T  # (N, V), or (N, V + buckets)
    b1 = random.normal(size=(N, 1))  # (N, 1)
    W2 = random.normal(size=(V, N)) / N**0.5  # (V, N)
    b2 = random.normal(size=(V, 1))  # (V, 1)
    parameters = Parameters(W1, b1, W2, b2)
    redrawn = _keep_away(network, parameters, X.toarray(), random)
    return Problem(network, parameters, X, y, redrawn)


def draw_dense_problem(network: Network, sizes: Sequence[int], m: int, seed: int) -> Problem:
    """Draw a network of dense layers and a batch, such that differences can be trusted.

    Parameters
    ----------
    network : Network
    sizes : sequence of int
        n[0], ..., n[L]: the inputs, the units of each layer, the outputs.
    m : int
        Examples.
    seed : int

    Returns
    -------
    Problem
        With normal inputs and biases, and weights smaller by √n[l-1]. The targets are ids for
        cross-entropy, 0 and 1 for logistic, and normal numbers for the squared error.

    Raises
    ------
    ConfigError
        If the sizes do not fit the network.
    """
    check_sizes(sizes)
    if len(sizes) != network.depth + 1:
        raise ConfigError(
            f"the layers are {','.join(map(str, sizes))}, which takes {len(sizes) - 1} "
            f"activations, but there are {network.depth}; name one for each layer after the inputs"
        )
    random = np.random.Generator(np.random.PCG64(seed))
    X = random.normal(size=(sizes[0], m))  # (n[0], m)
    Y: Targets
    if network.cost.name == "cross-entropy":
        Y = random.integers(sizes[-1], size=m)  # (m,)
    elif network.cost.name == "logistic":
        Y = random.integers(2, size=(sizes[-1], m)).astype(float)  # (n[L], m)
    else:
        Y = random.normal(size=(sizes[-1], m))  # (n[L], m)
    arrays = []
    for before, n in itertools.pairwise(sizes):
        arrays += [random.normal(size=(n, before)) / before**0.5, random.normal(size=(n, 1))]
    parameters = Parameters(*arrays)
    return Problem(network, parameters, X, Y, _keep_away(network, parameters, X, random))


def _keep_away(
    network: Network, parameters: Parameters, X: Floats, random: np.random.Generator
) -> int:
    """Draw biases again until differences tell something; count how often.

    ReLU has no derivative at 0. A difference over a step that carries a unit across 0 mixes two
    slopes and says nothing about either. So no unit may come nearer to 0, in any example, than two
    steps of any parameter can move it. They move Z[l] by 2h max(1, |A[l-1]|) if the parameter is
    in layer l, and by no more than |W[l]| times the movement of Z[l-1] if it is in an earlier one.

    Nor may all units of a ReLU layer be dead: all gradients would be 0, and a check vacuous.
    """
    W, b = parameters.W, parameters.b
    moved, redrawn = 0.0, 0
    for l, activation in network.g.items():
        A = forward(network, parameters, X).A[l - 1]  # (n[l-1], m)
        own = 2 * STEP * max(1.0, float(np.abs(A).max()))
        moved = max(own, moved * float(np.abs(W[l]).sum(axis=1).max()))
        WA, spread = W[l] @ A, 1.0  # (n[l], m)
        while activation.kinked:
            Z = WA + b[l]  # (n[l], m)
            near = np.abs(Z).min(axis=1) <= moved  # (n[l],)
            if not (Z > 0).any():
                near[:] = True
            if not near.any():
                break
            b[l][near] = random.normal(scale=spread, size=(near.sum(), 1))
            spread *= 1.02  # in a large batch only units far from 0 on one side are free of it
            redrawn += int(near.sum())
    return redrawn


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
    dZ = deltas(network, parameters, pass_, Y, lambda l, dZ: np.maximum(0, W[l].T @ dZ))
    return gradients(pass_, dZ)


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
        """Return (dW[l]ᵀ dZ[l]) ⊙ g'(Z[l-1])."""
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


class GradientErrors(NamedTuple):
    """How far one gradient is from the differences of the cost; see `relative_error`.

    Attributes
    ----------
    name : str
        dW1, db1, ...
    shape : tuple of int
    ours : float
        By `backward`.
    mistaken : float
        By `mistaken_gradients`, the formula of a lecture.
    with_dW : float
        By `gradients_with_dW`, a slip of lecture notes.
    with_AL : float or None
        By `output_gradient_with_AL`, another slip; None where its shape is not that of the weights.
        It is about dW[L] only; the other gradients are ours.
    """

    name: str
    shape: tuple[int, ...]
    ours: float
    mistaken: float
    with_dW: float
    with_AL: float | None

    @property
    def right(self) -> bool:
        """Whether our gradient agrees."""
        return self.ours < TOLERANCE

    @property
    def mistaken_right(self) -> bool:
        """Whether the gradient by the mistaken formula agrees."""
        return self.mistaken < TOLERANCE


def check_gradients(problem: Problem) -> list[GradientErrors]:
    """Measure the relative error of every gradient, ours and by formulas that are wrong.

    Parameters
    ----------
    problem : Problem
        It is left as it was.

    Returns
    -------
    list of GradientErrors
        In the order of `Gradients`.
    """
    network, _, X, Y, _ = problem
    parameters = Parameters(*(array.copy(order="K") for array in problem.parameters))
    state = network, parameters, forward(network, parameters, X), Y
    ours = backward(*state)
    mistaken, with_dW = mistaken_gradients(*state), gradients_with_dW(*state)
    with_AL = list(ours)
    with_AL[-2] = output_gradient_with_AL(*state)

    rows = []
    for i, (name, array) in enumerate(zip(ours.names, parameters, strict=True)):
        numeric = central_differences(
            lambda: cost(network, forward(network, parameters, X), Y), array, STEP
        )
        fits = with_AL[i].shape == numeric.shape
        rows.append(
            GradientErrors(
                name,
                array.shape,
                relative_error(ours[i], numeric),
                relative_error(mistaken[i], numeric),
                relative_error(with_dW[i], numeric),
                relative_error(with_AL[i], numeric) if fits else None,
            )
        )
    return rows


def relative_error(gradient: Floats, numeric: Floats) -> float:
    """Return max|gradient - numeric| / max(max|gradient|, max|numeric|, SMALLEST)."""
    largest = max(np.abs(gradient).max(), np.abs(numeric).max(), SMALLEST)
    return float(np.abs(gradient - numeric).max() / largest)


class Activity(NamedTuple):
    """How many units of a hidden layer let the gradient through; see `active`."""

    layer: int
    units: int
    active: float  #: share of all units on all examples
    dead: int  #: units that are active on no example


def measure_activity(problem: Problem) -> list[Activity]:
    """Count the active and the dead units of each hidden layer."""
    network = problem.network
    pass_ = forward(network, problem.parameters, problem.X)
    rows = []
    for l in range(1, network.depth):
        on = active(network, pass_, l)  # (n[l], m)
        rows.append(Activity(l, len(on), float(on.mean()), int((~on.any(axis=1)).sum())))
    return rows
