"""One step: K blocks against the same parameters, then their gradients, row by row.

The gradients of the blocks are computed by any thread. Every row of W1ᵀ and W2 is changed by one
thread, its owner, which goes through the blocks in their order: the additions to a row happen in
the same order for any number of threads, and so the results are the same to the last bit.

Where a word has many rows of W1ᵀ, one for each of its n-grams, these are read by their owner alone,
too: it adds up those of every token of the step, and what goes to other processors are the sums.
For that, the rows are dealt out to a fixed number of parts, and each thread owns some of them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cbow.system.arrays import Array, Longs
from cbow.system.compiled import compiled, inlined
from cbow.system.operations import (
    add_to_rows,
    fence,
    give_way,
    prefetch,
    prefetch_rows,
    product,
    rest,
)
from cbow.text.ngrams import Features
from cbow.training.examples import Block, Extent, Sampling, read_block
from cbow.training.kernels import Tables
from cbow.training.sampled.kernels import (
    PARTS,
    add_targets,
    add_up_parts,
    difference_sums,
    gather,
    hidden_gradient,
    hidden_layer,
    limit_steps,
    prefix_sums,
    softmax_loss,
    sum_of_rows,
    target_logits,
    token_rows,
)
from cbow.training.sampled.noise import Noise, draw_candidates

#: An odd number near 2^32 divided by the golden ratio: neighbours become unrelated.
SCRAMBLE: Final = np.uint64(0x9E3779B1)


#: How many tokens ahead what is far away in memory is asked for.
AHEAD: Final = 8


class Unit(NamedTuple):
    """What a hidden unit does with its Z1, and what the output layer takes off it."""

    slope: Any  #: of the activation below 0
    centre: Any  #: c, see `centred`


class Rates(NamedTuple):
    """Learning rates of each step, times the sum (not the mean) of its examples' gradients."""

    W1: Array  #: (steps,)
    b1: Array
    W2: Array
    b2: Array


class Sums(NamedTuple):
    """What one block adds to the measures of the epoch, and the sums over the blocks of a portion.

    ``tokens = heldout + subsampled + isolated + examples``.
    """

    loss: NDArray[np.float64]  #: (1,) nats
    tokens: Longs  #: (1,)
    heldout: Longs  #: (1,)
    subsampled: Longs  #: (1,)
    isolated: Longs  #: (1,)
    examples: Longs  #: (1,)
    fired: Array  #: (N,) examples on which each unit was above 0


class Reading(NamedTuple):
    """What is read of a block of text."""

    block: Block  #: its tokens and windows
    extent: Longs  #: (5,) as `cbow.training.examples.Extent` has it
    rows: NDArray[np.int32]  #: those of all tokens one after the other, of each by parts
    starts: NDArray[np.int32]  #: (PARTS M + 1,) where those of token j in part p start: PARTS j + p


class Buffers(NamedTuple):
    """The arrays that one block is computed in.

    `make_buffers` makes a row of each for K blocks, but of R, P, L, top and total one for each
    thread: nobody needs them once the block is done, and what a thread writes over and over stays
    in its cache. What is read has two, for this step and the next. M is the most tokens that a
    block can have with its margins.
    """

    reading: Reading
    places: NDArray[np.int32]  #: (M,) the token of each example
    y: NDArray[np.int32]  #: (M,) its word
    candidates: NDArray[np.int32]  #: (S,)
    Q: Array  #: (groups, M, N) sums of the rows of a token in each group of parts
    R: Array  #: (M, N) rows of the tokens: the means of those of their features
    P: Array  #: (M + 1, N) prefix sums; then dH of the examples
    H: Array  #: (M, N) hidden layer
    L: Array  #: (M, S) logits of candidates, then dZ2
    top: Array  #: (M,)
    total: NDArray[np.float64]  #: (M,) sums of exponentials
    target: Array  #: (M,) logit of the target, then dZ2
    C: Array  #: (S, N) rows of W2 of the candidates, then their gradients
    bC: Array  #: (S,) biases of the candidates, then their gradients
    G: Array  #: (M + 1, N) gradients of the rows of W1ᵀ
    db1: Array  #: (N,)
    sums: Sums


class Work(NamedTuple):
    """What all steps of a portion share."""

    sampling: Sampling
    bounds: NDArray[np.int64]  #: (blocks + 1,) block b is the tokens bounds[b]:bounds[b + 1]
    tables: Tables  #: are changed
    features: Features  #: of each word, by parts where words have several; see `in_parts`
    unit: Unit
    noise: Noise
    candidates_key: np.uint64  #: the stream of random numbers that candidates are drawn by
    buffers: Buffers  #: of K blocks
    rates: Rates


def make_sums(N: int, dtype: DTypeLike = np.float64, K: tuple[int, ...] = ()) -> Sums:
    """Return sums that are 0; with K = (blocks,) a row of them for each block."""
    loss, fired = np.zeros((*K, 1)), np.zeros((*K, N), dtype)
    tokens, heldout, subsampled, isolated, examples = np.zeros((5, *K, 1), np.int64)
    return Sums(loss, tokens, heldout, subsampled, isolated, examples, fired)


def groups_of_parts(threads: int) -> int:
    """Return the least number of groups of neighbouring parts of which each thread can own one.

    It is a power of two. The fewer, the better: the sums of each group go through memory.
    """
    return min(PARTS, 1 << (threads - 1).bit_length())


def make_buffers(
    K: int, threads: int, longest: int, margin: int, shape: tuple[int, int], dtype: DTypeLike,
    most: int = 1,
) -> Buffers:  # fmt: skip
    """Allocate the buffers of K blocks of at most `longest` tokens, for `shape` = (N, S).

    With more than one feature of a word, at `most`, the rows of W1ᵀ are in parts.
    """
    (N, S), M = shape, longest + 2 * margin
    groups = groups_of_parts(threads) if most > 1 else 0

    def integers(*shape: int, kind: DTypeLike = np.int32) -> NDArray[Any]:
        return np.zeros(shape, kind)

    def real(*shape: int) -> Array:
        return np.zeros(shape, dtype)

    longs = functools.partial(integers, kind=np.int64)
    block = Block(integers(2, K, M), longs(2, K, M), integers(2, K, M), integers(2, K, M))
    rows = integers(2, K, M * most if groups else 0)
    starts = integers(2, K, M * PARTS + 1 if groups else 0)
    return Buffers(
        Reading(block, longs(2, K, len(Extent._fields)), rows, starts),
        places=integers(K, M), y=integers(K, M), candidates=integers(K, S),
        Q=real(K, groups, M, N), R=real(threads, M, N), P=real(threads, M + 1, N),
        H=real(K, M, N), L=real(threads, M, S), top=real(threads, M),
        total=np.zeros((threads, M)), target=real(K, M), C=real(K, S, N), bC=real(K, S),
        G=real(K, M + 1, N), db1=real(K, N), sums=make_sums(N, dtype, (K,)),
    )  # fmt: skip


@inlined
def reading_of(buffers: Any, step: Any, k: Any) -> Any:
    """Return where block k of a step is read to."""
    block, extent, rows, starts = buffers.reading
    at = step % 2
    return Reading(
        Block(block.ids[at, k], block.positions[at, k], block.left[at, k], block.right[at, k]),
        extent[at, k], rows[at, k], starts[at, k],
    )  # fmt: skip


@inlined
def buffers_of(buffers: Any, step: Any, k: Any, thread: Any) -> Any:
    """Return the buffers of block k of a step, which a thread computes."""
    sums = buffers.sums
    return Buffers(
        reading_of(buffers, step, k),
        buffers.places[k], buffers.y[k], buffers.candidates[k],
        buffers.Q[k], buffers.R[thread], buffers.P[thread], buffers.H[k], buffers.L[thread],
        buffers.top[thread], buffers.total[thread], buffers.target[k], buffers.C[k],
        buffers.bC[k], buffers.G[k], buffers.db1[k],
        Sums(
            sums.loss[k], sums.tokens[k], sums.heldout[k], sums.subsampled[k], sums.isolated[k],
            sums.examples[k], sums.fired[k],
        ),
    )  # fmt: skip


@compiled
def extent_of(reading: Any) -> Any:
    """Return the extent of what was read."""
    extent = reading.extent
    return Extent(extent[0], extent[1], extent[2], extent[3], extent[4])


@compiled
def read_ahead(work: Any, b: Any, reading: Any) -> None:
    """Read block b, and which rows its tokens have, if these are in parts."""
    found = read_block(work.sampling, work.bounds[b], work.bounds[b + 1], reading.block)
    for i in range(len(found)):
        reading.extent[i] = found[i]
    if len(reading.starts) > 0:
        list_rows(work.features, reading, found.n)


@compiled
def list_rows(features: Any, reading: Any, n: Any) -> None:
    """Copy the features of n tokens, so that whoever needs them has them one after the other."""
    indptr, indices = features
    ids, rows, starts = reading.block.ids, reading.rows, reading.starts
    starts[0] = 0
    for j in range(n):
        if j + AHEAD < n:
            prefetch(indptr, PARTS * ids[j + AHEAD])
        here, start = PARTS * ids[j], starts[PARTS * j]
        for p in range(1, PARTS + 1):
            starts[PARTS * j + p] = start + (indptr[here + p] - indptr[here])
    for j in range(n):
        if j + AHEAD < n:
            prefetch(indices, indptr[PARTS * ids[j + AHEAD]])
        here, start = indptr[PARTS * ids[j]], starts[PARTS * j]
        for i in range(starts[PARTS * (j + 1)] - start):
            rows[start + i] = indices[here + i]


@compiled
def block_forward(tables: Any, unit: Any, own: Any) -> Any:
    """Compute the hidden layer of every token that has a context; return their number m."""
    block, extent, m = own.reading.block, extent_of(own.reading), 0
    for j in range(extent.first, extent.last):
        if block.right[j] - block.left[j] > 1:
            own.places[m] = j
            own.y[m] = block.ids[j]
            m += 1
    if len(own.Q) > 0:
        token_rows(own.Q, own.reading.starts, extent.n, own.R)
    else:
        gather(tables.W1T, block.ids[: extent.n], own.R)
    prefix_sums(own.R, extent.n, own.P)
    hidden_layer(own.P, own.R, tables.b1, unit, block, own.places, own.H[:m])
    return m


@compiled
def block_output(tables: Any, noise: Any, rate: Any, m: Any, own: Any) -> None:
    """Predict the targets among the candidates; leave dH, and the gradients of the candidates.

        Z2 = C H + bC        dC = dZ2 Hᵀ        dbC = dZ2 1        dH = Cᵀ dZ2 + dZ2_y W2_y

    H stands for H - c. All with examples as rows, so the products are of the transposed.
    """
    H, L, C, bC, dH = own.H[:m], own.L[:m], own.C, own.bC, own.P[:m]
    candidates, y, target = own.candidates, own.y[:m], own.target[:m]
    gather(tables.W2, candidates, C)  # (S, N)
    for s in range(len(candidates)):
        bC[s] = tables.b2[candidates[s]] - noise.correction[candidates[s]]
    product(H, C.T, L)  # (m, S)
    target_logits(tables.W2, tables.b2, noise.correction, y, H, target)
    own.sums.loss[0] = softmax_loss(L, bC, candidates, y, target, own.top[:m], own.total[:m])
    limit_steps(L, target, H, rate)
    product(L, C, dH)  # (m, N)
    product(L.T, H, C)  # (S, N)
    sum_of_rows(L, bC)
    add_targets(tables.W2, y, target, dH)


@compiled
def block_gradients(work: Any, b: Any, rate: Any, own: Any) -> None:
    """Compute the loss and the gradients of block b, whose candidates are in its buffers.

    The gradients of an example are smaller where W2 would overshoot at its rate; see `limit_steps`.
    """
    tables, unit, sums = work.tables, work.unit, own.sums
    extent = extent_of(own.reading)
    m = block_forward(tables, unit, own)
    sums.loss[0] = 0
    sums.tokens[0] = work.bounds[b + 1] - work.bounds[b]
    sums.heldout[0] = extent.heldout
    sums.subsampled[0] = extent.subsampled
    sums.isolated[0] = extent.last - extent.first - m
    sums.examples[0] = m
    if m:
        block_output(tables, work.noise, rate, m, own)
        dZ1 = own.P[:m]
        hidden_gradient(dZ1, own.H[:m], unit, own.db1, sums.fired)
        difference_sums(dZ1, own.reading.block, own.places, extent.n, own.G)


@compiled
def change_row(table: Any, word: Any, rate: Any, gradients: Any, i: Any) -> None:
    """θ ← θ - α g for one row."""
    for k in range(table.shape[1]):
        table[word, k] -= rate * gradients[i, k]


@compiled
def is_owner(thread: Any, threads: Any, word: Any) -> Any:
    """Whether a thread owns the rows of a word: a hash in [0, 2^32) shares them out evenly.

    The product of a hash and a number of threads takes a fifth of the time that a remainder takes.
    """
    scrambled = (np.uint64(word) * SCRAMBLE) & np.uint64(0xFFFFFFFF)
    return (scrambled * np.uint64(threads)) >> np.uint64(32) == np.uint64(thread)


@compiled
def parts_of(thread: Any, threads: Any, groups: Any) -> Any:
    """Return the first part that a thread owns, and the one behind its last.

    They are those of one group or of several, or none if there are fewer groups than threads.
    """
    size = PARTS // groups
    return -(-thread * groups // threads) * size, -(-(thread + 1) * groups // threads) * size


@compiled
def add_up_own(tables: Any, own: Any, thread: Any, threads: Any) -> None:
    """Add up the rows that a thread owns, for each token of one block."""
    rows, starts, n = own.reading.rows, own.reading.starts, extent_of(own.reading).n
    first, last = parts_of(thread, threads, len(own.Q))
    add_up_parts(tables.W1T, rows, starts, n, first, last, own.P[0], own.Q)


@compiled
def change_parts(W1T: Any, reading: Any, G: Any, rate: Any, first: Any, last: Any) -> None:
    """W1T[f] ← W1T[f] - α G[j] / |F|, for every f in F, the rows of token j, in some parts.

    The parts are ``first ≤ p < last``.
    """
    rows, starts, n = reading.rows, reading.starts, extent_of(reading).n
    for j in range(n):
        if j + 1 < n:
            after = PARTS * (j + 1)
            prefetch_rows(W1T, rows[starts[after + first] : starts[after + last]])
        here = PARTS * j
        size = W1T.dtype.type(starts[here + PARTS] - starts[here])
        add_to_rows(W1T, rows[starts[here + first] : starts[here + last]], -(rate / size), G[j])


@compiled
def apply_block(work: Any, own: Any, thread: Any, threads: Any, step: Any) -> None:
    """Change the rows that a thread owns by the gradients of one block."""
    tables, rates, m = work.tables, work.rates, own.sums.examples[0]
    groups = len(own.Q)
    if groups > 0:
        first, last = parts_of(thread, threads, groups)
        change_parts(tables.W1T, own.reading, own.G, rates.W1[step], first, last)
    else:
        ids = own.reading.block.ids
        for j in range(extent_of(own.reading).n):
            if is_owner(thread, threads, ids[j]):
                change_row(tables.W1T, ids[j], rates.W1[step], own.G, j)
    for i in range(m):
        word = own.y[i]
        if is_owner(thread, threads, word):
            change_row(tables.W2, word, rates.W2[step] * own.target[i], own.H, i)
            tables.b2[word] -= rates.b2[step] * own.target[i]
    for s in range(len(own.candidates)):
        word = own.candidates[s]
        if is_owner(thread, threads, word):
            change_row(tables.W2, word, rates.W2[step], own.C, s)
            tables.b2[word] -= rates.b2[step] * own.bC[s]
    if thread == 0:
        for k in range(len(own.db1)):
            tables.b1[k] -= rates.b1[step] * own.db1[k]


@compiled
def add_up(own: Any, sums: Any) -> None:
    """Add the sums of one block."""
    sums.loss[0] += own.loss[0]
    sums.tokens[0] += own.tokens[0]
    sums.heldout[0] += own.heldout[0]
    sums.subsampled[0] += own.subsampled[0]
    sums.isolated[0] += own.isolated[0]
    sums.examples[0] += own.examples[0]
    if own.examples[0] > 0:  # else they are those of an earlier block
        for k in range(len(own.fired)):
            sums.fired[k] += own.fired[k]


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
    sums : Sums
        Thread 0 adds those of every block.
    """
    buffers = work.buffers
    threads, (K, S) = len(reached), buffers.candidates.shape
    for step in range(-1, len(order) // K):  # in step -1, the first one is made ready
        for k in range(thread, K, threads):
            b = block_at(order, K, step, k)
            if b >= 0:
                own = buffers_of(buffers, step, k, thread)
                draw_candidates(work.noise, work.candidates_key, b * S, own.candidates)
                block_gradients(work, b, work.rates.W2[step], own)
            b = block_at(order, K, step + 1, k)
            if b >= 0:
                read_ahead(work, b, reading_of(buffers, step + 1, k))
        if not wait_for_all(thread, reached, 2 * step + 3):
            return
        for k in range(K):
            if block_at(order, K, step, k) >= 0:
                own = buffers_of(buffers, step, k, thread)
                if own.sums.examples[0] > 0:
                    apply_block(work, own, thread, threads, step)
                if thread == 0:
                    add_up(own.sums, sums)
        if buffers.Q.shape[1] > 0:
            for k in range(K):
                if block_at(order, K, step + 1, k) >= 0:
                    own = buffers_of(buffers, step + 1, k, thread)
                    add_up_own(work.tables, own, thread, threads)
        if not wait_for_all(thread, reached, 2 * step + 4):
            return


@compiled
def block_at(order: Any, K: Any, step: Any, k: Any) -> Any:
    """Return block k of a step; -1 if there is none."""
    at = step * K + k
    return order[at] if 0 <= at < len(order) else -1


@contextlib.contextmanager
def centred(tables: Tables, centre: float) -> Iterator[Tables]:
    """Yield the parameters, while the output layer is a centred one.

        Z2 = W2 H + b2 = W2 (H - c) + (b2 + W2 c)

    The function is the same, whatever c. But in the coordinates W2 and b2 + W2 c the gradient of W2
    is dZ2 (H - c)ᵀ: without what all units have in common, it points at what words differ in
    (LeCun, Bottou, Orr & Müller 1998, "Efficient backprop", section 4.3, on inputs of mean 0).

    Parameters
    ----------
    tables : Tables
        Their b2 is b2 + W2 c inside the block, and b2 again after it.
    centre : float
        c, the same for every unit.
    """
    move_centre(tables, centre)
    yield tables
    move_centre(tables, -centre)


def move_centre(tables: Tables, c: float) -> None:
    """b2 ← b2 + W2 c, for which the output layer is centred at c more than before."""
    tables.b2[:] += tables.W2.dtype.type(c) * tables.W2.sum(axis=1)


# How the threads wait for each other.


#: The point that a thread has reached which failed, or never began.
ABANDONED: Final = 2**63 - 1

#: How often a thread that waits offers its processor before it rests: some half a millisecond,
#: which threads that have their processors do not wait for each other.
PATIENCE: Final = 1000


@compiled
def wait_for_all(thread: int, reached: NDArray[np.int64], point: int) -> bool:
    """Wait until every thread has reached a point; say whether there is any use in going on.

    Each thread writes only its own number, so nothing needs to be counted atomically. A thread that
    waits offers its processor to others: with more threads than processors all still get on. It
    rests where it waits for long, as it does where other programs are given the processor of
    another thread.

    Parameters
    ----------
    thread : int
        Which one calls.
    reached : (threads, 8) int64
        Column 0 has the number of the last point that each thread reached; the rest keeps the
        numbers on cache lines of their own.
    point : int
        The number of this point, above that of the last.

    Returns
    -------
    bool
        False if a thread is at `ABANDONED`. This one is then, too.
    """
    fence()
    reached[thread, 0] = point
    turns = 0
    for other in range(len(reached)):
        while reached[other, 0] < point:
            turns += 1
            if turns <= PATIENCE:
                give_way()
            else:
                rest()
            fence()
        if reached[other, 0] == ABANDONED:
            reached[thread, 0] = ABANDONED  # so that nobody waits for this one either
            return False
    fence()
    return True
