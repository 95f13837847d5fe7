"""One step: K blocks against the same parameters, then their gradients, row by row.

The gradients of the blocks are computed by any thread. Every row of W1ᵀ and W2 is changed by one
thread, its owner, which goes through the blocks in their order: the additions to a row happen in
the same order for any number of threads, and so the results are the same to the last bit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cbow.system.arrays import Array, Longs
from cbow.system.compiled import compiled
from cbow.system.operations import add_to_rows, fence, give_way, prefetch_rows, product, rest
from cbow.text.ngrams import Features
from cbow.training.examples import Block, Sampling, read_block
from cbow.training.kernels import Tables
from cbow.training.sampled.kernels import (
    add_targets,
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


class Buffers(NamedTuple):
    """The arrays that one block is computed in.

    `make_buffers` makes a row of each for K blocks, but of R, P, L, top and total one for each
    thread: nobody needs them once the block is done, and what a thread writes over and over stays
    in its cache. M is the most tokens that a block can have with its margins.
    """

    block: Block  #: its tokens and windows
    n: NDArray[np.int64]  #: (1,) tokens with the margins
    places: NDArray[np.int32]  #: (M,) the token of each example
    y: NDArray[np.int32]  #: (M,) its word
    candidates: NDArray[np.int32]  #: (S,)
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
    features: Features  #: of each word: rows of W1ᵀ
    unit: Unit
    noise: Noise
    candidates_key: np.uint64  #: the stream of random numbers that candidates are drawn by
    buffers: Buffers  #: of K blocks
    rates: Rates
    owned: NDArray[np.int32]  #: (threads, 2, the most features of a word), see `make_owned`


def make_sums(N: int, dtype: DTypeLike = np.float64, K: tuple[int, ...] = ()) -> Sums:
    """Return sums that are 0; with K = (blocks,) a row of them for each block."""
    loss, fired = np.zeros((*K, 1)), np.zeros((*K, N), dtype)
    tokens, heldout, subsampled, isolated, examples = np.zeros((5, *K, 1), np.int64)
    return Sums(loss, tokens, heldout, subsampled, isolated, examples, fired)


def make_buffers(
    K: int, threads: int, longest: int, margin: int, shape: tuple[int, int], dtype: DTypeLike
) -> Buffers:
    """Allocate the buffers of K blocks of at most `longest` tokens, for `shape` = (N, S)."""
    (N, S), M = shape, longest + 2 * margin

    def integers(*shape: int, kind: DTypeLike = np.int32) -> NDArray[Any]:
        return np.zeros((K, *shape), kind)

    def real(*shape: int, count: int = K) -> Array:
        return np.zeros((count, *shape), dtype)

    return Buffers(
        Block(integers(M), integers(M, kind=np.int64), integers(M), integers(M)),
        n=integers(1, kind=np.int64), places=integers(M), y=integers(M), candidates=integers(S),
        R=real(M, N, count=threads), P=real(M + 1, N, count=threads), H=real(M, N),
        L=real(M, S, count=threads), top=real(M, count=threads),
        total=np.zeros((threads, M)), target=real(M), C=real(S, N), bC=real(S), G=real(M + 1, N),
        db1=real(N), sums=make_sums(N, dtype, (K,)),
    )  # fmt: skip


def make_owned(threads: int, features: Features) -> NDArray[np.int32]:
    """Allocate room for the features of a token, and of the next, that each thread owns."""
    return np.zeros((threads, 2, int(np.diff(features.indptr).max())), np.int32)


@compiled
def buffers_of(buffers: Any, k: Any, thread: Any) -> Any:
    """Return the buffers of block k, which a thread computes."""
    block, sums = buffers.block, buffers.sums
    return Buffers(
        Block(block.ids[k], block.positions[k], block.left[k], block.right[k]),
        buffers.n[k], buffers.places[k], buffers.y[k], buffers.candidates[k],
        buffers.R[thread], buffers.P[thread], buffers.H[k], buffers.L[thread],
        buffers.top[thread], buffers.total[thread], buffers.target[k], buffers.C[k],
        buffers.bC[k], buffers.G[k], buffers.db1[k],
        Sums(
            sums.loss[k], sums.tokens[k], sums.heldout[k], sums.subsampled[k], sums.isolated[k],
            sums.examples[k], sums.fired[k],
        ),
    )  # fmt: skip


@compiled
def block_forward(
    tables: Any, features: Any, unit: Any, first: Any, last: Any, n: Any, own: Any
) -> Any:
    """Compute the hidden layer of every token that has a context; return their number m."""
    block, m = own.block, 0
    for j in range(first, last):
        if block.right[j] - block.left[j] > 1:
            own.places[m] = j
            own.y[m] = block.ids[j]
            m += 1
    token_rows(tables.W1T, features, block.ids, n, own.R)
    prefix_sums(own.R, n, own.P)
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
    tables, unit, block, sums = work.tables, work.unit, own.block, own.sums
    start, stop = work.bounds[b], work.bounds[b + 1]
    first, last, n, heldout, subsampled = read_block(work.sampling, start, stop, block)
    m = block_forward(tables, work.features, unit, first, last, n, own)
    own.n[0] = n
    sums.loss[0] = 0
    sums.tokens[0] = stop - start
    sums.heldout[0] = heldout
    sums.subsampled[0] = subsampled
    sums.isolated[0] = last - first - m
    sums.examples[0] = m
    if m:
        block_output(tables, work.noise, rate, m, own)
        dZ1 = own.P[:m]
        hidden_gradient(dZ1, own.H[:m], unit, own.db1, sums.fired)
        difference_sums(dZ1, block, own.places, n, own.G)


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
def owned_features(features: Any, word: Any, thread: Any, threads: Any, owned: Any) -> Any:
    """Write down those features of a word whose rows a thread owns; return their number."""
    count = 0
    for place in range(features.indptr[word], features.indptr[word + 1]):
        owned[count] = features.indices[place]
        count += is_owner(thread, threads, owned[count])  # a branch would be guessed wrong often
    return count


@compiled
def apply_block(work: Any, own: Any, thread: Any, threads: Any, step: Any) -> None:
    """Change the rows that a thread owns by the gradients of one block."""
    tables, features, rates = work.tables, work.features, work.rates
    ids, n, m = own.block.ids, own.n[0], own.sums.examples[0]
    owned = work.owned[thread]  # of one token, and of the next
    ahead = owned_features(features, ids[0], thread, threads, owned[0])
    for j in range(n):
        here = owned[j % 2, :ahead]
        if j + 1 < n:
            after = owned[(j + 1) % 2]
            ahead = owned_features(features, ids[j + 1], thread, threads, after)
            prefetch_rows(tables.W1T, after[:ahead])
        size = features.indptr[ids[j] + 1] - features.indptr[ids[j]]
        add_to_rows(tables.W1T, here, -(rates.W1[step] / rates.W1.dtype.type(size)), own.G[j])
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
    for step in range(len(order) // K):
        for k in range(thread, K, threads):
            b = order[step * K + k]
            if b >= 0:
                own = buffers_of(buffers, k, thread)
                draw_candidates(work.noise, work.candidates_key, b * S, own.candidates)
                block_gradients(work, b, work.rates.W2[step], own)
        if not wait_for_all(thread, reached, 2 * step + 1):
            return
        for k in range(K):
            if order[step * K + k] >= 0:
                own = buffers_of(buffers, k, thread)
                if own.sums.examples[0] > 0:
                    apply_block(work, own, thread, threads, step)
                if thread == 0:
                    add_up(own.sums, sums)
        if not wait_for_all(thread, reached, 2 * step + 2):
            return


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
