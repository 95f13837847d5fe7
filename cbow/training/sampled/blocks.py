"""From a block of the text to its kept tokens and their windows.

Every decision depends on the position of its token alone, as in `cbow.training.examples`, of whose
examples these are: a block can be read by any thread, at any time. Windows reach over the ends of
the block, into a margin of kept tokens on both sides, but never over the end of a line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from cbow.system.compiled import compiled
from cbow.training import randomness

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX2: Final = np.uint64(0x94D049BB133111EB)


class Text(NamedTuple):
    """The encoded corpus, and what decides which of its tokens are kept."""

    ids: NDArray[np.int32]  #: (T,)
    line_starts: NDArray[np.int64]  #: (L + 1,) line i is ids[line_starts[i]:line_starts[i + 1]]
    keep: NDArray[np.float64]  #: (V,) probability of keeping an occurrence of each word
    heldout: float  #: share of the lines that are kept back


class Window(NamedTuple):
    """How far a context reaches."""

    radius: int  #: C: the radius of each window is drawn from 1 to C
    margin: int  #: beyond which no window reaches: C, or less where no line is as long


class Keys(NamedTuple):
    """The streams of random numbers of an epoch; see `cbow.training.randomness.stream`."""

    heldout: np.uint64
    subsample: np.uint64
    radius: np.uint64
    candidates: np.uint64


def uniform(key: Any, position: Any) -> Any:
    """Return one number of a stream, in [0, 1); see `cbow.training.randomness.uniform`."""
    return randomness.uniform(int(key), np.array([position]))[0]


@overload(uniform)
def _uniform_overload(key: Any, position: Any) -> Callable[[Any, Any], Any]:
    def uniform(key: Any, position: Any) -> Any:
        z = np.uint64(position) * _GOLDEN + key
        z = (z ^ (z >> np.uint64(30))) * _MIX1
        z = (z ^ (z >> np.uint64(27))) * _MIX2
        return np.float64((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53

    return uniform


@compiled
def is_kept(text: Any, keys: Any, position: Any) -> Any:
    """Whether this epoch keeps an occurrence of a word."""
    return uniform(keys.subsample, position) < text.keep[text.ids[position]]


@compiled
def margin_before(text: Any, keys: Any, margin: Any, start: Any, room: Any) -> Any:
    """Read the kept tokens before `start` on its line, at most `margin`; return their number."""
    line = np.searchsorted(text.line_starts, start, side="right") - 1
    n, position = 0, start - 1
    while position >= text.line_starts[line] and n < margin:
        if is_kept(text, keys, position):
            n += 1
            room.ids[margin - n] = text.ids[position]
        position -= 1
    for j in range(n):
        room.ids[j] = room.ids[margin - n + j]
    return n


@compiled
def read_block(text: Any, keys: Any, window: Any, start: Any, stop: Any, room: Any) -> Any:
    """Read the kept tokens of a block and of its margins, and find the windows of the block's.

    Parameters
    ----------
    text : Text
    keys : Keys
    window : Window
    start, stop : int
        The block is ``text.ids[start:stop]``, not empty.
    room : Room
        Of it ``ids``, ``left``, ``right`` and ``account`` are filled: the window of token j is
        left[j] ≤ i < right[j], i ≠ j. M must be stop - start + 2 margins at least.

    Returns
    -------
    first, last, n : int
        The kept tokens of the block are first .. last-1, those with the margins 0 .. n-1.
    """
    ids, starts = text.ids, text.line_starts
    room.account[:] = 0
    line = np.searchsorted(starts, start, side="right") - 1
    end = starts[line + 1]
    out = uniform(keys.heldout, line) < text.heldout
    first = 0 if out else margin_before(text, keys, window.margin, start, room)
    n = first
    begin = 0  # the first of the tokens on the line
    for position in range(start, stop):
        if position >= end:
            close_line(room, max(begin, first), n, n)
            begin = n
            while position >= end:
                line += 1
                end = starts[line + 1]
            out = uniform(keys.heldout, line) < text.heldout
        if out:
            room.account[0] += 1
        elif is_kept(text, keys, position):
            radius = 1 + int(uniform(keys.radius, position) * window.radius)
            radius = min(radius, window.margin)
            room.ids[n] = ids[position]
            room.left[n] = max(begin, n - radius)
            room.right[n] = n + radius + 1
            n += 1
        else:
            room.account[1] += 1
    last, position = n, stop
    while position < end and n - last < window.margin and not out:
        if is_kept(text, keys, position):
            room.ids[n] = ids[position]
            n += 1
        position += 1
    close_line(room, max(begin, first), last, n)
    return first, last, n


@compiled
def close_line(room: Any, begin: Any, stop: Any, end: Any) -> None:
    """Let no window of the tokens begin .. stop-1 reach beyond the end of their line."""
    for j in range(begin, stop):
        room.right[j] = min(room.right[j], end)
