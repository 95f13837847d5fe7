"""The output layer over candidates: logits, softmax with the loss, and what goes back."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from cbow.system.compiled import compiled
from cbow.system.lanes import dot, largest
from cbow.training.kernels import exponentials_and_sums
from cbow.training.sampled.blocks import uniform

#: A logit that counts for nothing: exp of it, less any other, is 0.
NOTHING: Final = -1e30


@compiled
def target_logits(W2: Any, b2: Any, correction: Any, y: Any, H: Any, target: Any) -> None:
    """target[i] = W2[y_i] H[i] + b2[y_i] - correction[y_i]."""
    for i in range(H.shape[0]):
        target[i] = dot(W2[y[i]], H[i]) + b2[y[i]] - correction[y[i]]


@compiled
def add_biases(L: Any, b: Any, candidates: Any, y: Any) -> None:
    """L[i, s] += b[s], but let no candidate count that is the target itself."""
    nothing = L.dtype.type(NOTHING)
    for i in range(L.shape[0]):
        word = y[i]
        for s in range(L.shape[1]):
            L[i, s] = nothing if candidates[s] == word else L[i, s] + b[s]


@compiled
def softmax_loss(L: Any, b: Any, candidates: Any, y: Any, target: Any, top: Any, total: Any) -> Any:
    """Turn the logits of m examples into what the cost sends back; return the loss.

        Z2        = L + b
        Yhat      = softmax over the candidates and the target
        L[i, s]   ← Yhat of candidate s               which is dZ2
        target[i] ← Yhat of the target, less 1        which is dZ2
        loss      = -Σ_i log Yhat of the target

    A candidate that is the target itself counts once, as the target.

    Parameters
    ----------
    L : (m, S) array
        Logits of the candidates, less their biases.
    b : (S,) array
        The biases, less the corrections.
    candidates : (S,) int32
    y : (m,) int32
        The word in the middle of each example.
    target : (m,) array
        Its logit.
    top : (m,) array
        To work in.
    total : (m,) float64
        To work in.

    Returns
    -------
    float
        In nats, summed over the examples in float64.
    """
    m, S = L.shape
    add_biases(L, b, candidates, y)
    loss, one = 0.0, L.dtype.type(1)
    for i in range(m):
        top[i] = max(target[i], largest(L[i]))
        loss += top[i] - target[i]
        total[i] = 0
    exponentials_and_sums(target.reshape(m, 1), top, total)
    exponentials_and_sums(L, top, total)
    for i in range(m):
        loss += math.log(total[i])
        share = L.dtype.type(1 / total[i])
        for s in range(S):
            L[i, s] *= share
        target[i] = target[i] * share - one
    return loss


@compiled
def gather(table: Any, ids: Any, rows: Any) -> None:
    """rows[s] = table[ids[s]], (S, N)."""
    for s in range(len(ids)):
        word = ids[s]
        for k in range(table.shape[1]):
            rows[s, k] = table[word, k]


@compiled
def sum_of_rows(L: Any, b: Any) -> None:
    """b[s] = Σ_i L[i, s]."""
    for s in range(len(b)):
        b[s] = 0
    for i in range(L.shape[0]):
        for s in range(L.shape[1]):
            b[s] += L[i, s]


@compiled
def add_targets(W2: Any, y: Any, dZ2: Any, dH: Any) -> None:
    """dH[i] += dZ2[i] W2[y_i]."""
    for i in range(dH.shape[0]):
        word = y[i]
        for k in range(dH.shape[1]):
            dH[i, k] += dZ2[i] * W2[word, k]


@compiled
def draw_candidates(noise: Any, key: Any, first: Any, candidates: Any) -> None:
    """Draw words from the noise distribution by the alias method (Walker 1977, section 2).

    Parameters
    ----------
    noise : Noise
    key : uint64
        The stream.
    first : int
        The number in the stream of the first draw.
    candidates : (S,) int32
        Is filled.
    """
    V = len(noise.threshold)
    for s in range(len(candidates)):
        u = uniform(key, first + s) * V
        word = np.int32(u)
        candidates[s] = word if u - word < noise.threshold[word] else noise.alias[word]
