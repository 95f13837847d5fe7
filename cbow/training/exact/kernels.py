"""The exact softmax, tile by tile: kernels that keep the logits in the processor's cache.

Everything lies with examples as rows, so these are the transposed matrices of `cbow.network`. The
words are cut into blocks. A tile, some examples by a block of words, is computed, turned into
exponentials and used for dH before it leaves the cache. What to divide by is known only after the
last block; so tiles keep exponentials, each with the shift of its block, and the rest is made good
where it costs N numbers an example, not V:

    E[k, i]    = exp(Z2[k, i] - shift[i])             shift[i]: the largest logit up to the block
    S[i]       = Σ_k exp(Z2[k, i] - top[i])           top[i]: the largest of all
    scale[i]   = exp(shift[i] - top[i]) / (m S[i])    one for each block
    Yhat / m   = E ⊙ scale

A running maximum lets one pass do (Milakov & Gimelshein 2018, "Online normalizer calculation for
softmax", algorithm 3).
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

# The products of kernels are those of scipy's BLAS: once loaded, it heeds a limit set later.
import scipy.linalg.cython_blas  # noqa: F401

from cbow.network import AdaGrad, Adam
from cbow.system.arrays import Array, Doubles
from cbow.system.compiled import compiled
from cbow.system.operations import as_matrix, largest, product
from cbow.training.kernels import exponentials_and_sums

#: Below every logit.
LEAST: Final = float(np.finfo(np.float32).min)

DELTA: Final = AdaGrad.DELTA
BETA1: Final = Adam.BETA1
BETA2: Final = Adam.BETA2
EPSILON: Final = Adam.EPSILON


class Buffers(NamedTuple):
    """What is computed for m examples, in B blocks of words, and R ranges, each of some blocks."""

    words: int  #: in a block
    share: Array  #: (m,) 1/|context|
    Z1: Array  #: (m, N)
    H: Array  #: (m, N)
    E: Array  #: (m V,) one block after the other, each (m, words)
    scale: Array  #: (B, m); before `finish_gradients`, shift
    top: Array  #: (R, m) largest logit of a range
    total: Doubles  #: (R, m) Σ exp(Z2 - top) over a range
    target: Array  #: (m,) Z2[y_i, i]
    dH: Array  #: (R, m, N) Σ exp(Z2 - top) W2 over a range; then dH[0] is all of it
    dZ1: Array  #: (m, N)
    loss: Doubles  #: (m,) -log Yhat[y_i, i]


class Scratch(NamedTuple):
    """What one piece of work writes and forgets."""

    shift: Array  #: (m,)
    fall: Array  #: (m,)
    tile: Array  #: (m words,) logits of a tile
    more: Array  #: (m, N) what a block adds to dH
    scaled: Array  #: (m, N) scale ⊙ H
    dW2: Array  #: (words, N) what some examples add to the rows of a block


class Running(NamedTuple):
    """What is known of some examples after some blocks of words."""

    target: Array  #: (m,) logit of the target, if it came by
    top: Array  #: (m,) largest logit
    total: Doubles  #: (m,) Σ exp(Z2 - top)
    fall: Array  #: (m,) exp(top before the last block - top)


@compiled
def weight(batch: Any, place: Any) -> Any:
    """Return how much the word at a place counts in the mean of its context: all count the same.

    Both Z1 = W1 X + b1 and dW1 = dZ1 Xᵀ take the entries of X from here.
    """
    return 1.0


@compiled
def hidden_sums(tables: Any, batch: Any, buffers: Any, shard: Any) -> None:
    """Z1 = W1 X + b1 for the examples of a shard."""
    Z1, N = buffers.Z1, len(tables.b1)
    for i in range(shard[0], shard[1]):
        total = 0.0
        for k in range(N):
            Z1[i, k] = 0
        for place in range(batch.indptr[i], batch.indptr[i + 1]):
            word = batch.indices[place]
            total += weight(batch, place)
            w = Z1.dtype.type(weight(batch, place))
            for k in range(N):
                Z1[i, k] += w * tables.W1T[word, k]
        share = Z1.dtype.type(1 / total if total > 0 else 0)
        buffers.share[i] = share
        for k in range(N):
            Z1[i, k] = Z1[i, k] * share + tables.b1[k]


@compiled
def begin(buffers: Any, shard: Any, r: Any, fall: Any) -> Any:
    """Return what is known of a shard before the first block of range r."""
    i, j = shard
    buffers.top[r, i:j] = LEAST
    buffers.total[r, i:j] = 0
    return Running(buffers.target[i:j], buffers.top[r, i:j], buffers.total[r, i:j], fall)


@compiled
def tile_softmax(L: Any, b: Any, y: Any, first: Any, running: Any, shift: Any) -> None:
    """Go on with the softmax of some examples over one more block of words.

    Parameters
    ----------
    L : (m, words)
        W2 H of the block; becomes E.
    b : (words,)
        b2 of the block.
    y : (m,)
        The targets.
    first : int
        The first word of the block.
    running : Running
        Is brought up to date.
    shift : (m,)
        Is filled.
    """
    target, top, total, fall = running
    for i in range(len(y)):
        for s in range(len(b)):
            L[i, s] += b[s]
        if first <= y[i] < first + len(b):
            target[i] = L[i, y[i] - first]
    for i in range(len(y)):
        shift[i] = max(top[i], largest(L[i]))
        fall[i] = math.exp(top[i] - shift[i])
        top[i] = shift[i]
        total[i] *= fall[i]
    exponentials_and_sums(L, shift, total)


@compiled
def range_loss(
    tables: Any, batch: Any, buffers: Any, shard: Any, r: Any, blocks: Any, scratch: Any
) -> None:
    """Go through a range of words, numbered r, for the examples of a shard."""
    i, j = shard
    W2, words = tables.W2, buffers.words
    running = begin(buffers, shard, r, scratch.fall[: j - i])
    shift = scratch.shift[: j - i]
    for block in range(blocks[0], blocks[1]):
        first, last = block * words, min(len(W2), (block + 1) * words)
        L = as_matrix(scratch.tile, j - i, last - first)
        product(buffers.H[i:j], W2[first:last].T, L)
        tile_softmax(L, tables.b2[first:last], batch.y[i:j], first, running, shift)


@compiled
def range_gradients(
    tables: Any, batch: Any, buffers: Any, shard: Any, r: Any, blocks: Any, scratch: Any
) -> None:
    """Do as `range_loss`; keep E, and sum up E W2, which dH comes from."""
    i, j = shard
    W2, words, m = tables.W2, buffers.words, len(buffers.H)
    dH, fall, more = buffers.dH[r, i:j], scratch.fall[: j - i], scratch.more[: j - i]
    dH[:] = 0
    running = begin(buffers, shard, r, fall)
    for block in range(blocks[0], blocks[1]):
        first, last = block * words, min(len(W2), (block + 1) * words)
        L = as_matrix(buffers.E[m * first : m * last], m, last - first)[i:j]
        product(buffers.H[i:j], W2[first:last].T, L)
        shift = buffers.scale[block, i:j]
        tile_softmax(L, tables.b2[first:last], batch.y[i:j], first, running, shift)
        product(L, W2[first:last], more)
        for e in range(j - i):
            for k in range(dH.shape[1]):
                dH[e, k] = dH[e, k] * fall[e] + more[e, k]


@compiled
def top_and_total(buffers: Any, i: Any) -> Any:
    """Return the largest logit of example i, and S[i], over all ranges."""
    top = np.float64(buffers.top[0, i])
    for r in range(1, len(buffers.top)):
        top = max(top, np.float64(buffers.top[r, i]))
    S = 0.0
    for r in range(len(buffers.top)):
        S += buffers.total[r, i] * math.exp(buffers.top[r, i] - top)
    return top, S


@compiled
def finish_losses(buffers: Any, shard: Any) -> None:
    """loss[i] = log S[i] + top[i] - Z2[y_i, i] for the examples of a shard."""
    for i in range(shard[0], shard[1]):
        top, S = top_and_total(buffers, i)
        buffers.loss[i] = math.log(S) + top - buffers.target[i]


@compiled
def finish_gradients(tables: Any, batch: Any, m: Any, buffers: Any, shard: Any) -> None:
    """Do as `finish_losses`; also set scale and dH = W2ᵀ (Yhat - Y) / m, m of all parts."""
    W2, dH = tables.W2, buffers.dH
    one = W2.dtype.type(1 / m)
    for i in range(shard[0], shard[1]):
        top, S = top_and_total(buffers, i)
        buffers.loss[i] = math.log(S) + top - buffers.target[i]
        for block in range(len(buffers.scale)):
            buffers.scale[block, i] = math.exp(buffers.scale[block, i] - top) / (m * S)
        for r in range(len(dH)):
            share = W2.dtype.type(math.exp(buffers.top[r, i] - top) / (m * S))
            for k in range(W2.shape[1]):
                dH[r, i, k] *= share
                if r > 0:
                    dH[0, i, k] += dH[r, i, k]
        for k in range(W2.shape[1]):
            dH[0, i, k] -= one * W2[batch.y[i], k]


@compiled
def word_gradients(
    batch: Any, m: Any, buffers: Any, blocks: Any, add: Any, gradients: Any, scratch: Any
) -> None:
    """Set the rows of some blocks of words in dW2, db2 and dW1, or add to them.

    dW2 = (E ⊙ scale) Hᵀ - Y Hᵀ / m        db2 = (E ⊙ scale) 1 - Y 1 / m        dW1 = dZ1 Xᵀ
    """
    H, dZ1, words, V = buffers.H, buffers.dZ1, buffers.words, len(gradients.W2)
    begin, end = blocks[0] * words, min(V, blocks[1] * words)
    output_products(buffers, blocks, add, gradients, scratch)
    one = H.dtype.type(1 / m)
    for i in range(len(batch.y)):
        y = batch.y[i]
        if begin <= y < end:
            gradients.b2[y] -= one
            for k in range(H.shape[1]):
                gradients.W2[y, k] -= one * H[i, k]
    if not add:
        gradients.W1T[begin:end] = 0
    for i in range(len(dZ1)):
        for place in range(batch.indptr[i], batch.indptr[i + 1]):
            word = batch.indices[place]
            if begin <= word < end:
                w = buffers.share[i] * H.dtype.type(weight(batch, place))
                for k in range(dZ1.shape[1]):
                    gradients.W1T[word, k] += w * dZ1[i, k]


@compiled
def output_products(buffers: Any, blocks: Any, add: Any, gradients: Any, scratch: Any) -> None:
    """dW2 = E (scale ⊙ H)ᵀ, db2 = E scale, or add that to them."""
    H, words, V = buffers.H, buffers.words, len(gradients.W2)
    m, N = H.shape
    scaled = scratch.scaled[:m]
    for block in range(blocks[0], blocks[1]):
        first, last = block * words, min(V, (block + 1) * words)
        scale = buffers.scale[block]
        for i in range(m):
            for k in range(N):
                scaled[i, k] = scale[i] * H[i, k]
        E = as_matrix(buffers.E[m * first : m * last], m, last - first)
        db2 = gradients.b2[first:last]
        if not add:
            db2[:] = 0
        for i in range(m):
            for s in range(last - first):
                db2[s] += E[i, s] * scale[i]
        if add:
            dW2 = scratch.dW2[: last - first]
            product(E.T, scaled, dW2)
            for s in range(last - first):
                for k in range(N):
                    gradients.W2[first + s, k] += dW2[s, k]
        else:
            product(E.T, scaled, gradients.W2[first:last])


# The steps of the optimizers of `cbow.network`, on some numbers of a parameter.


@compiled
def sgd_step(theta: Any, g: Any, alpha: Any) -> None:
    """θ ← θ - α g, number by number."""
    for i in range(len(theta)):
        theta[i] -= alpha * g[i]


@compiled
def adagrad_step(theta: Any, g: Any, G: Any, alpha: Any) -> None:
    """G ← G + g² and θ ← θ - α g / (δ + √G), number by number."""
    delta = theta.dtype.type(DELTA)
    for i in range(len(theta)):
        G[i] += g[i] * g[i]
        theta[i] -= alpha * g[i] / (delta + np.sqrt(G[i]))


@compiled
def adam_step(theta: Any, g: Any, m: Any, v: Any, alpha: Any) -> None:
    """M ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g² and θ ← θ - αₜ m / (√v + ε̂)."""
    beta1, rest1 = theta.dtype.type(BETA1), theta.dtype.type(1 - BETA1)
    beta2, rest2 = theta.dtype.type(BETA2), theta.dtype.type(1 - BETA2)
    epsilon = theta.dtype.type(EPSILON)
    for i in range(len(theta)):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * (g[i] * g[i])
        theta[i] -= alpha * m[i] / (np.sqrt(v[i]) + epsilon)
