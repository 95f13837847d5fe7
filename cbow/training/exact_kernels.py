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
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

# numba's matrix products are those of scipy's BLAS: once loaded, it heeds a limit set later.
import scipy.linalg.cython_blas  # noqa: F401
from numpy.typing import NDArray

from cbow.system.compiled import compiled
from cbow.system.lanes import largest
from cbow.training.exponential import exponentials_and_sums

Array: TypeAlias = NDArray[Any]

#: Below every logit.
LEAST: Final = float(np.finfo(np.float32).min)


class Room(NamedTuple):
    """What is computed for m examples, in B blocks of words, and R ranges, each of some blocks."""

    words: int  #: in a block
    Z1: Array  #: (m, N)
    H: Array  #: (m, N)
    E: Array  #: (m V,) one block after the other, each (m, words)
    scale: Array  #: (B, m); before `finish_gradients`, shift
    top: Array  #: (R, m) largest logit of a range
    total: NDArray[np.float64]  #: (R, m) Σ exp(Z2 - top) over a range
    target: Array  #: (m,) Z2[y_i, i]
    dH: Array  #: (R, m, N) Σ exp(Z2 - top) W2 over a range; then dH[0] is all of it
    dZ1: Array  #: (m, N)
    loss: NDArray[np.float64]  #: (m,) -log Yhat[y_i, i]


class Running(NamedTuple):
    """What is known of some examples after some blocks of words."""

    target: Array  #: (m,) logit of the target, if it came by
    top: Array  #: (m,) largest logit
    total: NDArray[np.float64]  #: (m,) Σ exp(Z2 - top)
    fall: Array  #: (m,) exp(top before the last block - top)


@compiled
def hidden_sums(tables: Any, batch: Any, room: Any, shard: Any) -> None:
    """Z1 = W1 X + b1 for the examples of a shard."""
    Z1, N = room.Z1, len(tables.b1)
    for i in range(shard[0], shard[1]):
        for k in range(N):
            Z1[i, k] = 0
        for place in range(batch.indptr[i], batch.indptr[i + 1]):
            word = batch.indices[place]
            for k in range(N):
                Z1[i, k] += tables.W1T[word, k]
        share = Z1.dtype.type(1 / max(1, batch.indptr[i + 1] - batch.indptr[i]))
        for k in range(N):
            Z1[i, k] = Z1[i, k] * share + tables.b1[k]


@compiled
def begin(room: Any, shard: Any, r: Any, fall: Any) -> Any:
    """Return what is known of a shard before the first block of range r."""
    i, j = shard
    room.top[r, i:j] = LEAST
    room.total[r, i:j] = 0
    return Running(room.target[i:j], room.top[r, i:j], room.total[r, i:j], fall)


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
def range_loss(tables: Any, batch: Any, room: Any, shard: Any, r: Any, blocks: Any) -> None:
    """Go through a range of words, numbered r, for the examples of a shard."""
    i, j = shard
    W2, words = tables.W2, room.words
    shift, fall = np.empty(j - i, W2.dtype), np.empty(j - i, W2.dtype)
    tile = np.empty((j - i) * words, W2.dtype)
    running = begin(room, shard, r, fall)
    for block in range(blocks[0], blocks[1]):
        first, last = block * words, min(len(W2), (block + 1) * words)
        L = tile[: (j - i) * (last - first)].reshape(j - i, last - first)
        np.dot(room.H[i:j], W2[first:last].T, L)
        tile_softmax(L, tables.b2[first:last], batch.y[i:j], first, running, shift)


@compiled
def range_gradients(tables: Any, batch: Any, room: Any, shard: Any, r: Any, blocks: Any) -> None:
    """Do as `range_loss`; keep E, and sum up E W2, which dH comes from."""
    i, j = shard
    W2, words, m = tables.W2, room.words, len(room.H)
    dH, fall = room.dH[r, i:j], np.empty(j - i, W2.dtype)
    more = np.empty_like(dH)
    dH[:] = 0
    running = begin(room, shard, r, fall)
    for block in range(blocks[0], blocks[1]):
        first, last = block * words, min(len(W2), (block + 1) * words)
        L = room.E[m * first : m * last].reshape(m, last - first)[i:j]
        np.dot(room.H[i:j], W2[first:last].T, L)
        shift = room.scale[block, i:j]
        tile_softmax(L, tables.b2[first:last], batch.y[i:j], first, running, shift)
        np.dot(L, W2[first:last], more)
        for e in range(j - i):
            for k in range(dH.shape[1]):
                dH[e, k] = dH[e, k] * fall[e] + more[e, k]


@compiled
def top_and_total(room: Any, i: Any) -> Any:
    """Return the largest logit of example i, and S[i], over all ranges."""
    top = np.float64(room.top[0, i])
    for r in range(1, len(room.top)):
        top = max(top, np.float64(room.top[r, i]))
    S = 0.0
    for r in range(len(room.top)):
        S += room.total[r, i] * math.exp(room.top[r, i] - top)
    return top, S


@compiled
def finish_losses(room: Any, shard: Any) -> None:
    """loss[i] = log S[i] + top[i] - Z2[y_i, i] for the examples of a shard."""
    for i in range(shard[0], shard[1]):
        top, S = top_and_total(room, i)
        room.loss[i] = math.log(S) + top - room.target[i]


@compiled
def finish_gradients(tables: Any, batch: Any, m: Any, room: Any, shard: Any) -> None:
    """Do as `finish_losses`; give scale and dH = W2ᵀ (Yhat - Y) / m, with m that of all parts."""
    W2, dH = tables.W2, room.dH
    one = W2.dtype.type(1 / m)
    for i in range(shard[0], shard[1]):
        top, S = top_and_total(room, i)
        room.loss[i] = math.log(S) + top - room.target[i]
        for block in range(len(room.scale)):
            room.scale[block, i] = math.exp(room.scale[block, i] - top) / (m * S)
        for r in range(len(dH)):
            share = W2.dtype.type(math.exp(room.top[r, i] - top) / (m * S))
            for k in range(W2.shape[1]):
                dH[r, i, k] *= share
                if r > 0:
                    dH[0, i, k] += dH[r, i, k]
        for k in range(W2.shape[1]):
            dH[0, i, k] -= one * W2[batch.y[i], k]


@compiled
def word_gradients(batch: Any, m: Any, room: Any, blocks: Any, add: Any, gradients: Any) -> None:
    """Set the rows of some blocks of words in dW2, db2 and dW1, or add to them.

    dW2 = (E ⊙ scale) Hᵀ - Y Hᵀ / m        db2 = (E ⊙ scale) 1 - Y 1 / m        dW1 = dZ1 Xᵀ
    """
    first, last = blocks[0] * room.words, min(len(gradients.W2), blocks[1] * room.words)
    if not add:
        gradients.W1T[first:last] = 0
    output_products(room, blocks, add, gradients)
    subtract_targets(batch.y, m, room.H, first, last, gradients)
    add_contexts(batch, room.dZ1, first, last, gradients.W1T)


@compiled
def output_products(room: Any, blocks: Any, add: Any, gradients: Any) -> None:
    """dW2 = E (scale ⊙ H)ᵀ, db2 = E scale, or add that to them."""
    m, N = room.H.shape
    scaled = np.empty_like(room.H)
    dW2, db2 = np.empty((room.words, N), scaled.dtype), np.empty(room.words, scaled.dtype)
    for block in range(blocks[0], blocks[1]):
        first, last = block * room.words, min(len(gradients.W2), (block + 1) * room.words)
        scale = room.scale[block]
        for i in range(m):
            for k in range(N):
                scaled[i, k] = scale[i] * room.H[i, k]
        E = room.E[m * first : m * last].reshape(m, last - first)
        if add:
            np.dot(E.T, scaled, dW2[: last - first])
            np.dot(E.T, scale, db2[: last - first])
            gradients.W2[first:last] += dW2[: last - first]
            gradients.b2[first:last] += db2[: last - first]
        else:
            np.dot(E.T, scaled, gradients.W2[first:last])
            np.dot(E.T, scale, gradients.b2[first:last])


@compiled
def subtract_targets(y: Any, m: Any, H: Any, first: Any, last: Any, gradients: Any) -> None:
    """dW2 -= Y Hᵀ / m, db2 -= Y 1 / m for the words from `first` to below `last`."""
    one = H.dtype.type(1 / m)
    for i in range(len(y)):
        if first <= y[i] < last:
            gradients.b2[y[i]] -= one
            for k in range(H.shape[1]):
                gradients.W2[y[i], k] -= one * H[i, k]


@compiled
def add_contexts(batch: Any, dZ1: Any, first: Any, last: Any, dW1T: Any) -> None:
    """dW1 += dZ1 Xᵀ for the words from `first` to below `last`."""
    for i in range(len(dZ1)):
        share = dZ1.dtype.type(1 / max(1, batch.indptr[i + 1] - batch.indptr[i]))
        for place in range(batch.indptr[i], batch.indptr[i + 1]):
            word = batch.indices[place]
            if first <= word < last:
                for k in range(dZ1.shape[1]):
                    dW1T[word, k] += share * dZ1[i, k]
