"""What both objectives share: tables of parameters, exponentials with sums, random numbers.

Random numbers depend on what they are for, not on when they are drawn. Each is a hash of (seed,
purpose, epoch, position). Whoever computes it, in whatever order, in however many threads, gets the
same number: this is why the same seed gives the same bytes, and why any part of an epoch can be
computed again.

The hash is the output function of SplitMix64: Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators", OOPSLA, figure 17.
"""

from __future__ import annotations

import enum
from typing import Any, Final, NamedTuple

import numpy as np

from cbow.network import Gradients, Parameters
from cbow.system import operations
from cbow.system.arrays import Array
from cbow.system.compiled import compiled, inlined
from cbow.system.operations import exponential


class Tables(NamedTuple):
    """The parameters of CBOW, or their gradients, with a row for each word."""

    W1T: Array  #: (V, N)
    b1: Array  #: (N,)
    W2: Array  #: (V, N)
    b2: Array  #: (V,)


def tables_of(arrays: Parameters | Gradients) -> Tables:
    """Return the arrays of two layers as tables, without a copy."""
    W1, b1, W2, b2 = arrays
    return Tables(W1.T, b1[:, 0], W2, b2[:, 0])


@compiled
def exponentials_and_sums(L: Any, top: Any, total: Any) -> None:
    """E[i, s] = exp(L[i, s] - top[i]) in the place of L, and total[i] += Σ_s E[i, s].

    Parameters
    ----------
    L : (m, S) float32 or float64
        See `cbow.system.operations.exponential` for how exact it is.
    top : (m,) of the same dtype
        Not below any number of the row.
    total : (m,) float64
    """
    for i in range(L.shape[0]):
        for s in range(L.shape[1]):
            L[i, s] = exponential(L[i, s] - top[i])
        total[i] += operations.total(L[i])


GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Purpose(enum.IntEnum):
    """What a random number decides. The values are part of the result: never renumber them."""

    HELDOUT = 1
    SUBSAMPLE = 2
    RADIUS = 3
    ORDER_OF_BLOCKS = 4
    ORDER_OF_EXAMPLES = 5
    CANDIDATES = 6
    ORDER_IN_POOL = 7
    WORKER = 8


@inlined
def mix(z: Any) -> Any:
    """Scramble 64-bit numbers one to one, so that neighbours become unrelated.

    Like `uniform`, it takes an array in Python and a number in a kernel.
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> np.uint64:
    """Return the 64-bit key of one stream of random numbers."""
    key = np.zeros(1, np.uint64)  # an array wraps around without a warning
    for part in (seed, int(purpose), epoch):
        key = mix(key + np.uint64(part) + GOLDEN)
    return np.uint64(key[0])


@inlined
def uniform(key: Any, position: Any) -> Any:
    """Draw numbers of one stream, each uniform in [0, 1) with 53 random bits.

    Parameters
    ----------
    key : uint64
        From `stream`.
    position : integers
        Which numbers of the stream: positions of tokens, numbers of lines or of blocks.

    Returns
    -------
    float64
        One for each position.
    """
    z = mix(np.uint64(position) * GOLDEN + key)
    return np.float64(z >> np.uint64(11)) * 2.0**-53
