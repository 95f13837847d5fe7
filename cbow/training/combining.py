r"""The rule by which what several workers learned in a round becomes one set of parameters.

Every worker k of n starts from the same row θ and leaves it at θ + d[k]. The changes are combined
*by agreement*::

    s = Σ_k d[k]        θ ← θ + s / max(1, |s|² / Σ_k |d[k]|²)

The divisor is |s|² = Σ_k |d[k]|² + 2 Σ_{j<k} d[j]ᵀd[k] beside its first term. It is 1 where the
changes are orthogonal: they then say different things, and all of them count, as if one worker had
learned from one shard after the other. It is n where all changes are equal: each worker has pulled
the row to the same place, and to add them up would go n times as far. Between the two it falls with
the cosines; where the changes cancel, they are added. Rare words, which few workers meet, keep all
that was learned of them, and the rows of frequent words are averaged. A sum would diverge, and a
mean would divide by n what only one worker has seen. (Maleki et al. 2020, "Scaling distributed
training with adaptive summation", arXiv 2006.02924, subtract from two gradients half of what they
share, in pairs; here it is one divisor for all n, in O(n) for each row.)

A row is judged by itself, but rows share directions that no row alone shows; three of these are set
by what one worker would have kept to:

- *The mean row of W1ᵀ*, weighted by how often each word is met, r: all rows together move the
  hidden layer. The small common part of many changes is lost in each row's own, so it is added up
  n times. Here the mean moves as far as it does in the workers on average::

      r W1ᵀ ← r W1ᵀ + (1/n) Σ_k r d[k]        for which all rows are shifted alike

- *The mean row of W2*, and the mean of b2: softmax does not see them, and its gradients over all
  words have the sum 0. Steps leave both where they are, and so must this: the mean row of W2 stays
  0, as it is at the start, the mean of b2 what it was.

Each b2 is a row of one number. b1 is moved by every example, so its changes are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.system.arrays import Array
from cbow.training.kernels import Tables


class Change(NamedTuple):
    """What a round left of the parameters: of the tables with many numbers the rows that differ."""

    W1T_rows: NDArray[np.int32]  #: (n1,) rows of W1ᵀ, rising
    W1T: Array  #: (n1, N)
    b1: Array  #: (N,)
    W2_rows: NDArray[np.int32]  #: (n2,) rows of W2, rising
    W2: Array  #: (n2, N)
    b2: Array  #: (V,)

    @property
    def nbytes(self) -> int:
        """How many bytes it takes to send."""
        return sum(array.nbytes for array in self)


def changed(before: Tables, after: Tables) -> Change:
    """Return what a round has made of the parameters."""
    W1T_rows, W2_rows = (
        np.flatnonzero((old != new).any(axis=1)).astype(np.int32)
        for old, new in ((before.W1T, after.W1T), (before.W2, after.W2))
    )
    return Change(
        W1T_rows, after.W1T[W1T_rows], after.b1, W2_rows, after.W2[W2_rows], after.b2
    )  # fmt: skip


@np.errstate(over="ignore", invalid="ignore")
def combine(tables: Tables, changes: Sequence[Change], weights: Array) -> Tables:
    """Return the parameters after a round of n workers.

    Sums are added up in the order of the workers: another order gives other bytes, and the same
    numbers but for rounding.

    Parameters
    ----------
    tables : Tables
        Those that every worker started from. The rows of W2 have the mean 0.
    changes : sequence of Change
        Of each worker. What a single one has learned is taken as it is.
    weights : (rows of W1ᵀ,)
        r: the share that each row has in the average context, with sum 1.

    Returns
    -------
    Tables
        New arrays.
    """
    n = len(changes)
    if n == 1:
        (one,) = changes
        W1T, W2 = tables.W1T.copy(), tables.W2.copy()
        W1T[one.W1T_rows], W2[one.W2_rows] = one.W1T, one.W2
        return Tables(W1T, one.b1, W2, one.b2)

    W1T = by_agreement(tables.W1T, [(each.W1T_rows, each.W1T) for each in changes])
    W2 = by_agreement(tables.W2, [(each.W2_rows, each.W2) for each in changes])
    every = np.arange(len(tables.b2))
    b2 = by_agreement(tables.b2[:, None], [(every, each.b2[:, None]) for each in changes])[:, 0]
    b1 = tables.b1 + sum(each.b1 - tables.b1 for each in changes) / W1T.dtype.type(n)

    r = weights.astype(W1T.dtype)  # (rows of W1ᵀ,)
    mean = sum(r[i] @ (rows - tables.W1T[i]) for i, rows, *_ in changes) / W1T.dtype.type(n)  # (N,)
    W1T -= r @ (W1T - tables.W1T) - mean
    W2 -= W2.mean(axis=0, dtype=np.float64).astype(W2.dtype)
    b2 -= b2.dtype.type(b2.mean(dtype=np.float64) - tables.b2.mean(dtype=np.float64))
    return Tables(W1T, b1, W2, b2)


@np.errstate(over="ignore", invalid="ignore")  # a number that is none shows in the loss
def by_agreement(table: Array, changes: Sequence[tuple[NDArray[np.integer], Array]]) -> Array:
    """Return θ + s / max(1, |s|² / Σ |d|²) for each row θ of a table.

    Parameters
    ----------
    table : (R, N)
    changes : sequence of (ids, rows)
        Of each worker: the rows that it changed, and what it left there.
    """
    s = np.zeros_like(table)  # (R, N)
    squares = np.zeros(len(table))  # (R,), Σ |d|²
    for i, rows in changes:
        d = rows - table[i]
        s[i] += d
        squares[i] += np.einsum("ij,ij->i", d, d)
    agreement = np.einsum("ij,ij->i", s, s) / np.where(squares > 0, squares, 1)
    s /= np.maximum(1, agreement).astype(table.dtype)[:, None]
    s += table
    return s
