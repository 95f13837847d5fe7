"""The hidden layer for a block of consecutive tokens, at a cost that no window changes.

Forward, the sum over a window is a difference of two prefix sums. Backward, each token's gradient
is added where its window begins and taken off where it ends, and one running sum turns that into
the gradient of every row. gensim, fastText and word2vec.c gather and scatter each row of each
window.
"""

from __future__ import annotations

from typing import Any

from cbow.system.compiled import compiled


@compiled
def prefix_sums(W1T: Any, ids: Any, n: Any, P: Any) -> None:
    """P[j] = Σ_{i<j} W1T[ids[i]], (n + 1, N)."""
    for k in range(W1T.shape[1]):
        P[0, k] = 0
    for j in range(n):
        word = ids[j]
        for k in range(W1T.shape[1]):
            P[j + 1, k] = P[j, k] + W1T[word, k]


@compiled
def hidden_layer(P: Any, tables: Any, unit: Any, room: Any, places: Any, H: Any) -> None:
    """Compute the hidden layer of m examples.

        Z1    = (P[right] - P[left] - W1T[own word]) / (right - left - 1) + b1
        H     = Z1 where Z1 > 0, else slope Z1
        H - c = what the output layer gets

    Slope 0 is ReLU, 1 the identity, and what is between them leaky ReLU.

    Parameters
    ----------
    P : (n + 1, N) array
        From `prefix_sums`.
    tables : Tables
    unit : Unit
        Has slope and c.
    room : Room
        Of it ``ids``, ``left`` and ``right``.
    places : (m,) int32
        The token in the middle of each example.
    H : (m, N) array
        Is filled with H - c.
    """
    W1T, b1, c, slope = tables.W1T, tables.b1, unit.centre, unit.slope
    zero, one = b1.dtype.type(0), b1.dtype.type(1)
    for i in range(H.shape[0]):
        j = places[i]
        a, b, word = room.left[j], room.right[j], room.ids[j]
        share = one / b1.dtype.type(b - a - 1)  # 1/|context|
        for k in range(H.shape[1]):
            z = (P[b, k] - P[a, k] - W1T[word, k]) * share + b1[k]
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
def difference_sums(D: Any, room: Any, places: Any, n: Any, G: Any) -> None:
    """Spread the gradients of m windows over the n rows they are means of.

        G[j] = Σ_i [left_i ≤ j < right_i, j ≠ place_i] D[i] / |context i|

    Parameters
    ----------
    D : (m, N) array
        dZ1; is divided by |context|.
    room : Room
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
        a, b = room.left[places[i]], room.right[places[i]]
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
