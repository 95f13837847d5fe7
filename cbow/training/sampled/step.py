"""One step: K blocks against the same parameters, then what they found, row by row.

The gradients of the blocks are computed by any thread. Every row of W1ᵀ and W2 is changed by one
thread, its owner, which goes through the blocks in their order: the additions to a row happen in
the same order for any number of threads, and so the results are the same to the last bit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cbow.network import Parameters
from cbow.system.compiled import compiled
from cbow.training.barrier import wait_for_all
from cbow.training.kernels import Tables, tables_of
from cbow.training.sampled.blocks import Keys, Text, Window, read_block
from cbow.training.sampled.hidden import (
    difference_sums,
    hidden_gradient,
    hidden_layer,
    prefix_sums,
)
from cbow.training.sampled.noise import Noise
from cbow.training.sampled.output import (
    add_targets,
    draw_candidates,
    gather,
    softmax_loss,
    sum_of_rows,
    target_logits,
)

Array = NDArray[Any]


class Unit(NamedTuple):
    """What a hidden unit does with its Z1, and what the output layer takes off it."""

    slope: Any  #: of the activation below 0
    centre: Any  #: c, see `centred`


class Rates(NamedTuple):
    """Learning rates of one step, times the sum (not the mean) of its examples' gradients."""

    W1: Array  #: (steps,)
    b1: Array
    W2: Array
    b2: Array


class Work(NamedTuple):
    """What all steps of a portion share."""

    text: Text
    keys: Keys
    window: Window
    bounds: NDArray[np.int64]  #: (blocks + 1,) block b is text.ids[bounds[b]:bounds[b + 1]]
    tables: Tables  #: are changed
    unit: Unit
    noise: Noise
    rooms: Room  #: of K blocks
    rates: Rates  #: of each step


class Room(NamedTuple):
    """What one block computes, and room to do so; in `rooms`, every array has a row for each of K.

    M is the most tokens a block can have with its margins.
    """

    ids: NDArray[np.int32]  #: (M,) tokens
    left: NDArray[np.int32]  #: (M,)
    right: NDArray[np.int32]  #: (M,)
    account: NDArray[np.int64]  #: (3,) tokens held out, subsampled, isolated
    size: NDArray[np.int64]  #: (2,) n tokens with the margins, m examples
    places: NDArray[np.int32]  #: (M,) the token of each example
    y: NDArray[np.int32]  #: (M,) its word
    candidates: NDArray[np.int32]  #: (S,)
    P: Array  #: (M + 1, N) prefix sums; then dH of the examples
    H: Array  #: (M, N) hidden layer
    L: Array  #: (M, S) logits of candidates, then dZ2
    top: Array  #: (M,)
    target: Array  #: (M,) logit of the target, then dZ2
    C: Array  #: (S, N) rows of W2 of the candidates, then their gradients
    bC: Array  #: (S,) biases of the candidates, then their gradients
    G: Array  #: (M + 1, N) gradients of the rows of W1ᵀ
    db1: Array  #: (N,)
    fired: Array  #: (N,) examples on which each unit was above 0
    total: NDArray[np.float64]  #: (M,) sums of exponentials
    loss: NDArray[np.float64]  #: (1,) nats, summed


def make_rooms(K: int, longest: int, margin: int, shape: tuple[int, int], dtype: DTypeLike) -> Room:
    """Allocate the room of K blocks of at most `longest` tokens, for `shape` = (N, S)."""
    (N, S), M = shape, longest + 2 * margin

    def whole(*shape: int, dtype: DTypeLike = np.int32) -> NDArray[Any]:
        """Allocate numbers of another kind than those of the parameters."""
        return np.zeros((K, *shape), dtype)

    def real(*shape: int) -> Array:
        """Allocate numbers of the kind of the parameters."""
        return np.zeros((K, *shape), dtype)

    return Room(
        ids=whole(M), left=whole(M), right=whole(M), account=whole(3, dtype=np.int64),
        size=whole(2, dtype=np.int64), places=whole(M), y=whole(M), candidates=whole(S),
        P=real(M + 1, N), H=real(M, N), L=real(M, S), top=real(M),
        target=real(M), C=real(S, N), bC=real(S), G=real(M + 1, N), db1=real(N),
        fired=real(N), total=whole(M, dtype=np.float64), loss=whole(1, dtype=np.float64),
    )  # fmt: skip


@compiled
def room_of(rooms: Any, k: Any) -> Any:
    """Return the room of block k."""
    return Room(
        rooms.ids[k], rooms.left[k], rooms.right[k], rooms.account[k], rooms.size[k],
        rooms.places[k], rooms.y[k], rooms.candidates[k], rooms.P[k], rooms.H[k], rooms.L[k],
        rooms.top[k], rooms.target[k], rooms.C[k], rooms.bC[k], rooms.G[k],
        rooms.db1[k], rooms.fired[k], rooms.total[k], rooms.loss[k],
    )  # fmt: skip


@compiled
def block_forward(tables: Any, unit: Any, first: Any, last: Any, n: Any, room: Any) -> Any:
    """Compute the hidden layer of every token that has a context; give their number m."""
    m = 0
    for j in range(first, last):
        if room.right[j] - room.left[j] > 1:
            room.places[m] = j
            room.y[m] = room.ids[j]
            m += 1
    room.account[2] = last - first - m
    prefix_sums(tables.W1T, room.ids, n, room.P)
    hidden_layer(room.P, tables, unit, room, room.places, room.H[:m])
    return m


@compiled
def block_output(tables: Any, noise: Any, m: Any, room: Any) -> None:
    """Ask for the targets among the candidates; leave dH, and the gradients of the candidates.

        Z2 = C H + bC        dC = dZ2 Hᵀ        dbC = dZ2 1        dH = Cᵀ dZ2 + dZ2_y W2_y

    H stands for H - c. All with examples as rows, so the products are of the transposed.
    """
    H, L, C, bC, dH = room.H[:m], room.L[:m], room.C, room.bC, room.P[:m]
    candidates, y, target = room.candidates, room.y[:m], room.target[:m]
    gather(tables.W2, candidates, C)  # (S, N)
    for s in range(len(candidates)):
        bC[s] = tables.b2[candidates[s]] - noise.correction[candidates[s]]
    np.dot(H, C.T, L)  # (m, S)
    target_logits(tables.W2, tables.b2, noise.correction, y, H, target)
    room.loss[0] = softmax_loss(L, bC, candidates, y, target, room.top[:m], room.total[:m])
    np.dot(L, C, dH)  # (m, N)
    np.dot(L.T, H, C)  # (S, N)
    sum_of_rows(L, bC)
    add_targets(tables.W2, y, target, dH)


@compiled
def block_backward(unit: Any, m: Any, n: Any, room: Any) -> None:
    """Take dH back to db1 and the rows of W1ᵀ."""
    D = room.P[:m]
    hidden_gradient(D, room.H[:m], unit, room.db1, room.fired)
    difference_sums(D, room, room.places, n, room.G)


@compiled
def block_gradients(work: Any, b: Any, room: Any) -> None:
    """Compute the loss and the gradients of block b; its candidates are in the room."""
    tables, unit = work.tables, work.unit
    start, stop = work.bounds[b], work.bounds[b + 1]
    first, last, n = read_block(work.text, work.keys, work.window, start, stop, room)
    m = block_forward(tables, unit, first, last, n, room)
    room.size[0] = n
    room.size[1] = m
    room.loss[0] = 0
    if m:
        block_output(tables, work.noise, m, room)
        block_backward(unit, m, n, room)


@compiled
def change_row(table: Any, word: Any, rate: Any, gradients: Any, i: Any) -> None:
    """θ ← θ - α g for one row."""
    for k in range(table.shape[1]):
        table[word, k] -= rate * gradients[i, k]


@compiled
def is_owner(thread: Any, threads: Any, word: Any) -> Any:
    """Whether a thread owns the rows of a word."""
    return np.uint32(word) % np.uint32(threads) == np.uint32(thread)


@compiled
def apply_block(tables: Any, room: Any, thread: Any, threads: Any, rates: Any, step: Any) -> None:
    """Change the rows that a thread owns by what one block found."""
    n, m = room.size
    for j in range(n):
        if is_owner(thread, threads, room.ids[j]):
            change_row(tables.W1T, room.ids[j], rates.W1[step], room.G, j)
    for i in range(m):
        word = room.y[i]
        if is_owner(thread, threads, word):
            change_row(tables.W2, word, rates.W2[step] * room.target[i], room.H, i)
            tables.b2[word] -= rates.b2[step] * room.target[i]
    for s in range(len(room.candidates)):
        word = room.candidates[s]
        if is_owner(thread, threads, word):
            change_row(tables.W2, word, rates.W2[step], room.C, s)
            tables.b2[word] -= rates.b2[step] * room.bC[s]
    if thread == 0:
        for k in range(len(room.db1)):
            tables.b1[k] -= rates.b1[step] * room.db1[k]


@compiled
def run_steps(work: Any, order: Any, thread: Any, reached: Any, sums: Any) -> None:
    """Make one step after the other: what one of the threads does.

    Parameters
    ----------
    work : Work
    order : (steps * K,) int64
        The blocks of each step; -1 for none.
    thread : int
    reached : (threads, 8) int64
        For `wait_for_all`; zeros at the start.
    sums : (6 + N,) float64
        Thread 0 adds: loss, examples, tokens held out, subsampled, isolated, all; active units.
    """
    rooms = work.rooms
    threads, K, S = len(reached), rooms.ids.shape[0], rooms.candidates.shape[1]
    for step in range(len(order) // K):
        for k in range(thread, K, threads):
            b = order[step * K + k]
            if b >= 0:
                room = room_of(rooms, k)
                draw_candidates(work.noise, work.keys.candidates, b * S, room.candidates)
                block_gradients(work, b, room)
        if not wait_for_all(thread, reached, 2 * step + 1):
            return
        for k in range(K):
            b = order[step * K + k]
            if b >= 0 and rooms.size[k, 1] > 0:
                apply_block(work.tables, room_of(rooms, k), thread, threads, work.rates, step)
            if b >= 0 and thread == 0:
                add_up(rooms, k, work.bounds[b + 1] - work.bounds[b], sums)
        if not wait_for_all(thread, reached, 2 * step + 2):
            return


@compiled
def add_up(rooms: Any, k: Any, tokens: Any, sums: Any) -> None:
    """Add the loss and the account of block k to the sums."""
    sums[0] += rooms.loss[k, 0]
    sums[1] += rooms.size[k, 1]
    for i in range(3):
        sums[2 + i] += rooms.account[k, i]
    sums[5] += tokens
    if rooms.size[k, 1] > 0:
        for j in range(rooms.fired.shape[1]):
            sums[6 + j] += rooms.fired[k, j]


@contextlib.contextmanager
def centred(parameters: Parameters, centre: float) -> Iterator[Tables]:
    """Return the parameters as tables, while the output layer is a centred one.

        Z2 = W2 H + b2 = W2 (H - c) + (b2 + W2 c)

    The function is the same, whatever c. But in the coordinates W2 and b2 + W2 c the gradient of W2
    is dZ2 (H - c)ᵀ: without what all units have in common, it points at what words differ in
    (LeCun, Bottou, Orr & Müller 1998, "Efficient backprop", section 4.3, on inputs of mean 0).

    Parameters
    ----------
    parameters : Parameters
        Their b2 is b2 + W2 c inside the block, and b2 again after it.
    centre : float
        c, the same for every unit.
    """
    tables = tables_of(parameters)
    c = tables.W2.dtype.type(centre)
    tables.b2[:] += c * tables.W2.sum(axis=1)
    yield tables
    tables.b2[:] -= c * tables.W2.sum(axis=1)
