"""The four arrays the network learns, the container of their gradients, and how they start.

    symbol   shape    memory order
    W1       (N, V)   Fortran, so that W1.T is the (V, N) look-up table without a copy
    b1       (N, 1)
    W2       (V, N)   C
    b2       (V, 1)

N is the dimension, V the size of the vocabulary. All four have one dtype, float32 or float64,
and it decides the precision of everything computed from them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: A float32 or float64 array.
Array: TypeAlias = NDArray[np.floating[Any]]
#: Ids of words.
Ids: TypeAlias = NDArray[np.integer[Any]]

#: W1 starts uniform in ±W1_SCALE / √N: large enough that units respond differently to one context,
#: and so begin to learn different things at once.
W1_SCALE: Final = 0.5

#: b1 starts here. Above 0, so that nearly every ReLU unit fires at the start and can learn; not
#: far above, or all units are alike.
B1_START: Final = 0.1


class Parameters(NamedTuple):
    """The weights and biases of the network."""

    W1: Array  #: (N, V) Fortran order
    b1: Array  #: (N, 1)
    W2: Array  #: (V, N) C order
    b2: Array  #: (V, 1)


class Gradients(NamedTuple):
    """The derivatives of the cost J by each of the `Parameters`, in their shapes and orders."""

    dW1: Array  #: (N, V) Fortran order
    db1: Array  #: (N, 1)
    dW2: Array  #: (V, N) C order
    db2: Array  #: (V, 1)


def initialise(
    vocabulary_size: int,
    dimension: int,
    seed: int,
    *,
    log_unigram: Array | None = None,
    dtype: DTypeLike = np.float32,
) -> Parameters:
    """Draw the parameters training starts from.

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
        The logarithm of each word's share of the text; 0 for every word if not given.
    dtype : dtype
        float32 or float64. The float32 draw is the rounded float64 draw.
    """
    V, N = vocabulary_size, dimension
    random = np.random.Generator(np.random.PCG64(seed))
    edge = W1_SCALE / N**0.5
    table = random.uniform(-edge, edge, size=(V, N)).astype(dtype)  # (V, N)
    b2 = np.zeros((V, 1), dtype)
    if log_unigram is not None:
        b2[:, 0] = log_unigram
    return Parameters(
        W1=table.T,  # (N, V) Fortran order
        b1=np.full((N, 1), B1_START, dtype),
        W2=np.zeros((V, N), dtype),
        b2=b2,
    )
