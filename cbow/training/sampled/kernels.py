"""The two layers for one block: what the kernels compute, on bare arrays with examples as rows.

The hidden layer, at a cost that no window changes: forward, the sum over a window is a difference
of two prefix sums; backward, each token's gradient is added where its window begins and taken off
where it ends, and one running sum turns that into the gradient of every row. gensim, fastText and
word2vec.c gather and scatter each row of each window.

The output layer, over the candidates and the target: logits, softmax with the loss, and what goes
back.
"""

from __future__ import annotations

import math
from typing import Any, Final

from cbow.system.compiled import compiled
from cbow.system.operations import add_up_rows, dot, exponential, largest, prefetch_rows
from cbow.training.kernels import exponentials_and_sums

#: Parts that the rows of W1ᵀ are dealt out to where words have several; each has one thread.
PARTS: Final = 4

#: A logit that counts for nothing: exp of it, less any other, is 0.
NOTHING: Final = -1e30


@compiled
def add_up_parts(
    W1T: Any, rows: Any, starts: Any, n: Any, first: Any, last: Any, other: Any, Q: Any
) -> None:
    """Add up the rows of n tokens in some parts: those of each part, then two parts, then two twos.

        Q[g, j] = Σ_p Σ_f W1T[f]        over the parts p of group g, and the rows f of token j in p

    `token_rows` adds up the groups in the same way. So every sum is
    ``(part 0 + part 1) + (part 2 + part 3)``, in however many groups.

    Parameters
    ----------
    W1T : (V + buckets, N) array
    rows : int32
        Rows of W1T, one token after the other.
    starts : (PARTS n + 1,) int32
        Where those of token j in part p start: ``starts[PARTS j + p]``.
    n : int
    first, last : int
        The parts, ``first ≤ p < last``: those of whole groups.
    other : (N,) array
        To work in.
    Q : (groups, n, N) array
        1, 2 or 4 groups, each of neighbouring parts. Those of these parts are filled.
    """
    size = PARTS // len(Q)
    for j in range(n):
        if j + 1 < n:
            after = PARTS * (j + 1)
            prefetch_rows(W1T, rows[starts[after + first] : starts[after + last]])
        for g in range(first // size, last // size):
            here, total = PARTS * j + size * g, Q[g, j]
            for k in range(len(total)):
                total[k] = other[k] = 0
            for p in range(size):
                some = rows[starts[here + p] : starts[here + p + 1]]
                add_up_rows(W1T, some, total if p < 2 else other)
            if size > 2:
                for k in range(len(total)):
                    total[k] += other[k]


@compiled
def token_rows(Q: Any, starts: Any, n: Any, R: Any) -> None:
    """R[j] = Σ_g Q[g, j] / the number of rows of token j, (n, N); see `add_up_parts`."""
    one = R.dtype.type(1)
    for j in range(n):
        share = one / R.dtype.type(starts[PARTS * (j + 1)] - starts[PARTS * j])
        for k in range(R.shape[1]):
            if len(Q) == 1:
                total = Q[0, j, k]
            elif len(Q) == 2:
                total = Q[0, j, k] + Q[1, j, k]
            else:
                total = (Q[0, j, k] + Q[1, j, k]) + (Q[2, j, k] + Q[3, j, k])
            R[j, k] = total * share


@compiled
def prefix_sums(R: Any, n: Any, P: Any) -> None:
    """P[j] = Σ_{i<j} R[i], (n + 1, N)."""
    for k in range(R.shape[1]):
        P[0, k] = 0
    for j in range(n):
        for k in range(R.shape[1]):
            P[j + 1, k] = P[j, k] + R[j, k]


@compiled
def hidden_layer(P: Any, R: Any, b1: Any, unit: Any, block: Any, places: Any, H: Any) -> None:
    """Compute the hidden layer of m examples.

        Z1    = (P[right] - P[left] - R[own place]) / (right - left - 1) + b1
        H     = Z1 where Z1 > 0, else slope Z1
        H - c = what the output layer gets

    Slope 0 is ReLU, 1 the identity, and what is between them leaky ReLU.

    Parameters
    ----------
    P : (n + 1, N) array
        From `prefix_sums`.
    R : (n, N) array
        From `token_rows`.
    b1 : (N,) array
    unit : Unit
        Has slope and c.
    block : Block
        Of it ``left`` and ``right``.
    places : (m,) int32
        The token in the middle of each example.
    H : (m, N) array
        Is filled with H - c.
    """
    c, slope = unit.centre, unit.slope
    zero, one = b1.dtype.type(0), b1.dtype.type(1)
    for i in range(H.shape[0]):
        j = places[i]
        a, b = block.left[j], block.right[j]
        share = one / b1.dtype.type(b - a - 1)  # 1/|context|
        for k in range(H.shape[1]):
            z = (P[b, k] - P[a, k] - R[j, k]) * share + b1[k]
            H[i, k] = z * (one if z > zero else slope) - c


@compiled
def hidden_gradient(D: Any, H: Any, unit: Any, db1: Any, fired: Any) -> None:
    """Turn dH of m examples into dZ1, in place, and sum it up.

        dZ1 = dH ⊙ g'(Z1)        db1 = dZ1 1

    Z1 > 0 where H > 0, that is, where H - c > -c.

    Parameters
    ----------
    D : (m, N) array
        dH, then dZ1.
    H : (m, N) array
        H - c.
    unit : Unit
        Has slope and c.
    db1, fired : (N,) arrays
        Are filled; `fired` with the number of examples on which each unit was above 0.
    """
    zero, one = H.dtype.type(0), H.dtype.type(1)
    c, slope = unit.centre, unit.slope
    for k in range(H.shape[1]):
        db1[k] = zero
        fired[k] = zero
    for i in range(H.shape[0]):
        for k in range(H.shape[1]):
            on = H[i, k] > -c
            d = D[i, k] * (one if on else slope)
            D[i, k] = d
            db1[k] += d
            fired[k] += one if on else zero


@compiled
def difference_sums(D: Any, block: Any, places: Any, n: Any, G: Any) -> None:
    """Spread the gradients of m windows over the n rows they are means of.

        G[j] = Σ_i [left_i ≤ j < right_i, j ≠ place_i] D[i] / |context i|

    Parameters
    ----------
    D : (m, N) array
        dZ1; is divided by |context|.
    block : Block
        Of it ``left`` and ``right`` of every token.
    places : (m,) int32
        The token in the middle of each window.
    n : int
    G : (n + 1, N) array
        Is filled.
    """
    N, one = D.shape[1], D.dtype.type(1)
    for j in range(n + 1):
        for k in range(N):
            G[j, k] = 0
    for i in range(D.shape[0]):
        a, b = block.left[places[i]], block.right[places[i]]
        share = one / D.dtype.type(b - a - 1)
        for k in range(N):
            d = D[i, k] * share
            D[i, k] = d
            G[a, k] += d
            G[b, k] -= d
    for j in range(1, n):
        for k in range(N):
            G[j, k] += G[j - 1, k]
    for i in range(D.shape[0]):
        j = places[i]
        for k in range(N):
            G[j, k] -= D[i, k]


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
        target[i] = exponential(target[i] - top[i])
        total[i] = target[i]
    exponentials_and_sums(L, top, total)
    for i in range(m):
        loss += math.log(total[i])
        share = L.dtype.type(1 / total[i])
        for s in range(S):
            L[i, s] *= share
        target[i] = target[i] * share - one
    return loss


@compiled
def limit_steps(L: Any, target: Any, H: Any, rate: Any) -> None:
    """Divide dZ2 of each example that would overshoot by the factor by which it would.

    A step along dW2 = dZ2 Hᵀ of an example moves its own logits by

        -α dZ2 |H|²

    where dZ2 = Yhat - Y: past what they are wrong by if α |H|² > 1. Text that says the same again
    and again is predicted ever better by ever longer H, until steps undo each other and grow. So,
    as the normalised filter of least mean squares does (Nagumo & Noda 1967, "A learning method for
    system identification"),

        dZ2[i] ← dZ2[i] / max(1, α |H[i]|²)

    Parameters
    ----------
    L : (m, S) array
        dZ2 of the candidates.
    target : (m,) array
        dZ2 of the targets.
    H : (m, N) array
        H - c.
    rate : float
        α, of W2.
    """
    one = L.dtype.type(1)
    for i in range(L.shape[0]):
        past = rate * dot(H[i], H[i])
        if past > one:
            share = one / past
            target[i] *= share
            for s in range(L.shape[1]):
                L[i, s] *= share


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
