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

None of this needs all rows in one place. The parameters are cut into *pieces*, every p-th row of
each table, that workers combine one each. Of what all rows share a piece knows its part of the sums
(`Sums`, some N numbers), and only these are known to all::

    combine_rows    the rule for each row of a piece        keep_means    the rest, given all sums
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.system.arrays import Array, Doubles
from cbow.training.kernels import Tables


class Piece(NamedTuple):
    """Every p-th row of the parameters."""

    tables: Tables  #: b1 is in all pieces
    r: Array  #: (rows of W1T,) the share that each has in the average context


class Change(NamedTuple):
    """What a round left of a piece: of the tables with many numbers the rows that differ."""

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


class Sums(NamedTuple):
    """What the combined rows of a piece add to what all rows share."""

    workers: int  #: n
    moved: Array  #: (N,) Σ_k r d[k] of W1ᵀ
    went: Array  #: (N,) r times what became of that
    W2: Doubles  #: (N,) sum of the rows
    b2: float  #: sum of what became of b2
    before: float  #: sum of b2 before
    V: int  #: rows of W2


def part_of(tables: Tables, o: int, p: int) -> Tables:
    """Return the rows o, o + p, o + 2p, ... of tables, without a copy."""
    W1T, b1, W2, b2 = tables
    return Tables(W1T[o::p], b1, W2[o::p], b2[o::p])


def cut(tables: Tables, r: Array, p: int) -> list[Piece]:
    """Return p pieces of parameters.

    Parameters
    ----------
    tables : Tables
    r : (rows of W1ᵀ,)
        The share that each row has in the average context, with sum 1.
    p : int
    """
    r = r.astype(tables.W1T.dtype)
    return [
        Piece(Tables(*(array.copy() for array in part_of(tables, o, p))), r[o::p].copy())
        for o in range(p)
    ]


def joined(parts: Sequence[Tables]) -> Tables:
    """Return the tables, new arrays, that were cut into parts."""
    p = len(parts)
    W1T, W2, b2 = (
        np.empty((sum(map(len, each)), *each[0].shape[1:]), each[0].dtype)
        for each in ([part.W1T for part in parts], [part.W2 for part in parts],
                     [part.b2 for part in parts])
    )  # fmt: skip
    tables = Tables(W1T, parts[0].b1.copy(), W2, b2)
    for o, part in enumerate(parts):
        W1T[o::p], W2[o::p], b2[o::p] = part.W1T, part.W2, part.b2
    return tables


def changed(before: Tables, after: Tables) -> Change:
    """Return what a round has made of the parameters of a piece."""
    W1T_rows, W2_rows = (
        np.flatnonzero((old != new).any(axis=1)).astype(np.int32)
        for old, new in ((before.W1T, after.W1T), (before.W2, after.W2))
    )
    return Change(
        W1T_rows, after.W1T[W1T_rows], after.b1, W2_rows, after.W2[W2_rows], after.b2.copy()
    )  # fmt: skip


@np.errstate(over="ignore", invalid="ignore")
def combine_rows(piece: Piece, changes: Sequence[Change]) -> tuple[Tables, Sums]:
    """Return the rows of a piece after a round of n workers, and what `keep_means` asks of them.

    Sums are added up in the order of the workers: another order gives other bytes, and the same
    numbers but for rounding.

    Parameters
    ----------
    piece : Piece
        That every worker started from.
    changes : sequence of Change
        Of each worker. What a single one has learned is taken as it is.

    Returns
    -------
    Tables
        New arrays.
    Sums
    """
    (old, r), n = piece, len(changes)
    if n == 1:
        (one,) = changes
        W1T, W2, b1, b2 = old.W1T.copy(), old.W2.copy(), one.b1, one.b2.copy()
        W1T[one.W1T_rows], W2[one.W2_rows] = one.W1T, one.W2
    else:
        W1T = by_agreement(old.W1T, [(each.W1T_rows, each.W1T) for each in changes])
        W2 = by_agreement(old.W2, [(each.W2_rows, each.W2) for each in changes])
        every = np.arange(len(old.b2))
        b2 = by_agreement(old.b2[:, None], [(every, each.b2[:, None]) for each in changes])[:, 0]
        b1 = old.b1 + sum(each.b1 - old.b1 for each in changes) / W1T.dtype.type(n)
    moved = sum((r[i] @ (rows - old.W1T[i]) for i, rows, *_ in changes), np.zeros_like(b1))
    return Tables(W1T, b1, W2, b2), Sums(
        n, moved, r @ (W1T - old.W1T), W2.sum(axis=0, dtype=np.float64),
        float(b2.sum(dtype=np.float64)), float(old.b2.sum(dtype=np.float64)), len(W2),
    )  # fmt: skip


@np.errstate(over="ignore", invalid="ignore")
def keep_means(tables: Tables, sums: Sequence[Sums]) -> Tables:
    """Return tables whose mean rows of W1ᵀ and W2, and whose mean of b2, are where they should.

    Parameters
    ----------
    tables : Tables
        Of a piece, from `combine_rows`.
    sums : sequence of Sums
        Of all pieces.
    """
    n, V = sums[0].workers, sum(each.V for each in sums)
    if n == 1:
        return tables
    (W1T, b1, W2, b2), dtype = tables, tables.W1T.dtype
    moved, went, mean = (
        functools.reduce(np.add, (getattr(each, name) for each in sums))
        for name in ("moved", "went", "W2")
    )  # (N,)
    after, before = (sum(getattr(each, name) for each in sums) for name in ("b2", "before"))
    return Tables(
        W1T - (went - moved / dtype.type(n)), b1, W2 - (mean / V).astype(dtype),
        b2 - dtype.type(after / V - before / V),
    )  # fmt: skip


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
