"""A network: what it computes, what it learns, and how both kinds of network start.

Layer l = 1 .. L has an activation g[l], weights W[l] (n[l], n[l-1]) and biases b[l] (n[l], 1).
For CBOW, L = 2:

    symbol   shape    memory order
    W1       (N, V)   Fortran, so that W1.T is the (V, N) look-up table without a copy
    b1       (N, 1)
    W2       (V, N)   C
    b2       (V, 1)

N is the dimension, V the size of the vocabulary. All arrays have one dtype, float32 or float64,
and it decides the precision of everything computed from them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import DTypeLike

from cbow.config import HIDDEN_ACTIVATIONS
from cbow.errors import ConfigError
from cbow.network.activations import ACTIVATIONS, Activation
from cbow.network.costs import COSTS, Cost
from cbow.system.arrays import Floats

#: W1 starts uniform in ±W1_SCALE / √N: large enough that units respond differently to one context,
#: and so begin to learn different things at once.
W1_SCALE: Final = 0.5

#: b1 starts here. Above 0, so that nearly every ReLU unit fires at the start and can learn; not
#: far above, or all units are alike.
B1_START: Final = 0.1

#: Rows of W1ᵀ that are drawn at a time.
TOGETHER: Final = 2**14


@dataclass(frozen=True)
class Network:
    """What a network of L layers computes, apart from the numbers that it learns.

    Attributes
    ----------
    activations : tuple of Activation
        g[1], ..., g[L]; the last is that of the output layer.
    cost : Cost

    Raises
    ------
    ConfigError
        If there is no layer, a hidden layer is softmax, or the cost does not fit the output layer.
    """

    activations: tuple[Activation, ...]
    cost: Cost

    def __post_init__(self) -> None:
        if not self.activations:
            raise ConfigError("the network has no layer, but needs one or more; name one")
        *hidden, output = (activation.name for activation in self.activations)
        if "softmax" in hidden:
            raise ConfigError(
                f"hidden layer {hidden.index('softmax') + 1} is softmax, which fits only the "
                f"output layer; use one of {', '.join(HIDDEN_ACTIVATIONS)} in a hidden layer"
            )
        if output not in self.cost.outputs:
            fitting = [name for name, cost in COSTS.items() if output in cost.outputs]
            raise ConfigError(
                f"the cost is {self.cost.name} and the output layer {output}, but {self.cost.name} "
                f"fits {', '.join(self.cost.outputs)}; use such an output, or the cost "
                f"{' or '.join(fitting)}"
            )

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.activations)

    @property
    def g(self) -> dict[int, Activation]:
        """g[l], for l = 1 .. L."""
        return dict(enumerate(self.activations, start=1))


def make_network(activations: Sequence[str], cost: str) -> Network:
    """Build a network from names.

    Parameters
    ----------
    activations : sequence of str
        The names of g[1], ..., g[L], of `ACTIVATIONS`.
    cost : str
        A name of `COSTS`.

    Raises
    ------
    ConfigError
        If a name is unknown, or the layers and the cost do not fit together.

    Examples
    --------
    >>> make_network(["relu", "relu", "sigmoid"], "logistic").depth
    3
    """
    layers = tuple(_named("activation", name, ACTIVATIONS) for name in activations)
    return Network(layers, _named("cost", cost, COSTS))


def cbow_network(activation: str = "relu") -> Network:
    """Build the network of CBOW: one hidden layer, softmax, cross-entropy."""
    return make_network([activation, "softmax"], "cross-entropy")


def _named(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """Look up a name in a registry."""
    if name not in known:
        raise ConfigError(f"the {what} is {name!r}, but must be one of {', '.join(known)}")
    return known[name]


class _ByLayer(tuple[Floats, ...]):
    """A matrix and a column for each layer, in a flat tuple, each also by its name.

    Parameters
    ----------
    *arrays : array
        A matrix (n[l], n[l-1]) and a column (n[l], 1) for each layer l = 1 .. L.

    Raises
    ------
    ConfigError
        If a matrix has no column beside it.
    """

    __slots__ = ()
    _prefix = ""

    def __new__(cls, *arrays: Floats) -> Self:
        if not arrays or len(arrays) % 2:
            W, b = f"{cls._prefix}W", f"{cls._prefix}b"
            raise ConfigError(
                f"there are {len(arrays)} arrays, but every layer has two, a matrix and a column; "
                f"pass {W}1, {b}1, {W}2, {b}2 and so on"
            )
        return super().__new__(cls, arrays)

    def __getnewargs__(self) -> tuple[Floats, ...]:  # or copies would be made of one array
        return tuple(self)

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self) // 2

    @property
    def names(self) -> list[str]:
        """The name of each array, in their order: W1, b1, W2, b2 ..."""
        layers = range(1, self.depth + 1)
        return [f"{self._prefix}{letter}{l}" for l in layers for letter in "Wb"]

    def __getattr__(self, name: str) -> Floats:
        """Return an array by its name."""
        if name not in self.names:
            raise AttributeError(f"there is no {name} among {', '.join(self.names)}")
        return self[self.names.index(name)]

    def _every_second(self, first: int) -> dict[int, Floats]:
        return dict(enumerate(self[first::2], start=1))


class Parameters(_ByLayer):
    """The weights and biases of a network; those of CBOW are ``Parameters(W1, b1, W2, b2)``.

    Each is an attribute: ``parameters.W1``. `W` and `b` hold them by layer.
    """

    __slots__ = ()

    @property
    def W(self) -> dict[int, Floats]:
        """W[l], (n[l], n[l-1]), for l = 1 .. L."""
        return self._every_second(0)

    @property
    def b(self) -> dict[int, Floats]:
        """b[l], (n[l], 1), for l = 1 .. L."""
        return self._every_second(1)


class Gradients(_ByLayer):
    """The derivatives of the cost J by each of the `Parameters`, in their shapes and orders.

    Each is an attribute: ``gradients.dW1``. `dW` and `db` hold them by layer.
    """

    __slots__ = ()
    _prefix = "d"

    @property
    def dW(self) -> dict[int, Floats]:
        """dJ/dW[l], (n[l], n[l-1]), for l = 1 .. L."""
        return self._every_second(0)

    @property
    def db(self) -> dict[int, Floats]:
        """dJ/db[l], (n[l], 1), for l = 1 .. L."""
        return self._every_second(1)


def initialise(
    vocabulary_size: int,
    dimension: int,
    seed: int,
    *,
    log_unigram: Floats | None = None,
    b1_start: float = B1_START,
    buckets: int = 0,
    dtype: DTypeLike = np.float32,
) -> Parameters:
    """Draw the parameters that training starts from.

    W2 = 0 and b2 = log p(word) make the first prediction the unigram distribution, whatever the
    context: the vectors need not learn how frequent each word is (the bias of Mnih & Teh 2012,
    "A fast and simple algorithm for training neural probabilistic language models").

    Parameters
    ----------
    vocabulary_size : int
        V.
    dimension : int
        N.
    seed : int
        The same seed gives the same W1; nothing else is random.
    log_unigram : (V,) array, optional
        The logarithm of each word's share of the text; 0 for every word if left out.
    b1_start : float
        Of every unit.
    buckets : int
        Of n-grams, whose columns W1 has behind those of the words; see `compose`.
        Those of the words are the same with any number of them.
    dtype : dtype
        float32 or float64. The float32 draw is the rounded float64 draw.
    """
    V, N = vocabulary_size, dimension
    random = np.random.Generator(np.random.PCG64(seed))
    edge = W1_SCALE / N**0.5
    table = np.empty((V + buckets, N), dtype)
    for start in range(0, len(table), TOGETHER):  # float64 of all of it would double the memory
        rows = table[start : start + TOGETHER]
        rows[...] = random.uniform(-edge, edge, size=rows.shape)
    b2 = np.zeros((V, 1), dtype)
    if log_unigram is not None:
        b2[:, 0] = log_unigram
    W1 = table.T  # (N, V + buckets) Fortran order
    b1 = np.full((N, 1), b1_start, dtype)
    W2 = np.zeros((V, N), dtype)
    return Parameters(W1, b1, W2, b2)


def initialise_dense(
    sizes: Sequence[int], seed: int, *, dtype: DTypeLike = np.float64
) -> Parameters:
    """Draw a network of dense layers: W[l] normal with variance 2 / n[l-1], b[l] = 0.

    The variance keeps the size of activations from layer to layer when half of the ReLU units fire
    (He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", section 2.2).

    Parameters
    ----------
    sizes : sequence of int
        n[0], n[1], ..., n[L]: the inputs, the units of each layer, the outputs.
    seed : int
    dtype : dtype
        float32 or float64.

    Raises
    ------
    ConfigError
        If `sizes` has fewer than two numbers, or one below 1.
    """
    check_sizes(sizes)
    random = np.random.Generator(np.random.PCG64(seed))
    arrays = []
    for before, n in itertools.pairwise(sizes):
        W = random.normal(scale=(2 / before) ** 0.5, size=(n, before))  # (n[l], n[l-1])
        arrays += [W.astype(dtype), np.zeros((n, 1), dtype)]
    return Parameters(*arrays)


def check_sizes(sizes: Sequence[int]) -> None:
    """Reject sizes that no layers can have."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise ConfigError(
            f"the layers are {','.join(map(str, sizes)) or 'none'}, but must be two numbers or "
            "more, each 1 or more: the inputs, the units of each hidden layer, the outputs; "
            "for example 4,5,3"
        )
