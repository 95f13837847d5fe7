"""Random numbers that depend on what they are for, not on when they are drawn.

Each number is a hash of (seed, purpose, epoch, position). Whoever computes it, in whatever
order, in however many threads, gets the same number: this is why the same seed gives the same
bytes, and why any part of an epoch can be computed again.

The hash is the output function of SplitMix64: Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators", OOPSLA, figure 17.
"""

from __future__ import annotations

import enum
from typing import Any, Final

import numpy as np

from cbow.system.compiled import inlined

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
