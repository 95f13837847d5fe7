"""Random numbers that depend on what they are for, not on when they are drawn.

Each number is a hash of (seed, purpose, epoch, position). Whoever computes it, in whatever
order, in however many threads, gets the same number: this is why the same seed gives the same
bytes, and why any part of an epoch can be computed again.

The hash is the output function of SplitMix64: Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators", OOPSLA, figure 17.
"""

from __future__ import annotations

import enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


class Purpose(enum.IntEnum):
    """What a random number decides. The values are part of the result: never renumber them."""

    HELDOUT = 1
    SUBSAMPLE = 2
    RADIUS = 3
    ORDER_OF_BLOCKS = 4
    ORDER_OF_EXAMPLES = 5
    CANDIDATES = 6
    ORDER_IN_POOL = 7


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers one to one, so that neighbours become unrelated."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> int:
    """Return the 64-bit key of one stream of random numbers."""
    key = 0
    for part in (seed, int(purpose), epoch):
        key = int(_mix(np.array([(key + part + _GOLDEN) & _MASK], dtype=np.uint64))[0])
    return key


def uniform(key: int, positions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw the numbers of one stream at the given positions.

    Parameters
    ----------
    key : int
        From `stream`.
    positions : (n,) integers
        Which numbers of the stream: token positions, line numbers, block numbers.

    Returns
    -------
    (n,) float64
        Uniform in [0, 1), with 53 random bits.
    """
    z = positions.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(key)
    return (_mix(z) >> np.uint64(11)).astype(np.float64) * 2.0**-53
