"""The loss and the gradients of a batch under the exact softmax, in parallel.

The mathematics is that of `cbow.network`; this is the quick way, in four rounds of pieces:

    for each shard of examples                       Z1
    for each shard of examples and range of words    exp(Z2), tile by tile; parts of S and dH
    for each shard of examples                       S, the loss, dH
    for each stripe of words                         dW2, db2, dW1

Pieces are cut in the same way for any number of threads, and each number is added up by one of
them: the same additions happen in the same order, and the result is the same to the last bit.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from cbow.network import Gradients, Network, Parameters
from cbow.network.forward import check_ids
from cbow.system.arrays import Array
from cbow.system.compiled import packed
from cbow.system.threads import share_out
from cbow.training.exact import kernels
from cbow.training.exact.kernels import Buffers, Scratch
from cbow.training.examples import Batch
from cbow.training.kernels import tables_of
from cbow.training.state import StepResult

#: From a number, to below another.
Piece: TypeAlias = tuple[int, int]

#: Words per block at most, and examples per shard: enough for fast matrix products, few enough that
#: a tile of them stays in the cache, and that there are shards to share out.
WORDS: Final = 512
SHARD: Final = 256

#: Blocks of words per range at most, so that there are ranges to share out; and ranges at most, for
#: each sums up a dH of its own. Blocks per stripe at most, where nothing is summed up.
RANGE: Final = 4
RANGES: Final = 16
STRIPE: Final = 2

#: Examples whose exponentials are kept at a time, and the most numbers these may be; but one shard
#: is always kept in full. More make no product faster.
EXAMPLES: Final = 1024
KEPT: Final = 2**25


@dataclass(frozen=True)
class Workspace:
    """What a step needs: the network, its parameters, and memory to work in.

    Memory is kept from step to step: fresh memory costs more than the softmax.
    """

    network: Network
    parameters: Parameters
    kept: dict[str, Array] = field(default_factory=dict)

    def memory(self, name: str, *shape: int, dtype: DTypeLike | None = None) -> Array:
        """Return memory for an array, over what that name stood for before."""
        size = math.prod(shape)
        if name not in self.kept or len(self.kept[name]) < size:
            self.kept.pop(name, None)  # give back before taking more
            self.kept[name] = np.empty(size, dtype or self.parameters.W2.dtype)
        return self.kept[name][:size].reshape(shape)

    def buffers(self, m: int, *, for_gradients: bool) -> Buffers:
        """Return the buffers for m examples; for the loss alone they are small."""
        V, N = self.parameters.W2.shape
        R, n = len(ranges(V)), m if for_gradients else 0
        return Buffers(
            words=WORDS,
            share=self.memory("share", m),
            Z1=self.memory("Z1", m, N),
            H=self.memory("H", m, N),
            E=self.memory("E", n * V),
            scale=self.memory("scale", blocks(V), n),
            top=self.memory("top", R, m),
            total=self.memory("total", R, m, dtype=np.float64),
            target=self.memory("target", m),
            dH=self.memory("dH", R, n, N),
            dZ1=self.memory("dZ1", n, N),
            loss=self.memory("loss", m, dtype=np.float64),
        )

    def gradients(self) -> Gradients:
        """Return memory for the gradients, in the memory orders of the parameters."""
        V, N = self.parameters.W2.shape
        dW1T, dW2 = self.memory("dW1", V, N), self.memory("dW2", V, N)
        return Gradients(dW1T.T, self.memory("db1", N, 1), dW2, self.memory("db2", V, 1))


def batch_loss(workspace: Workspace, batch: Batch, pool: Executor) -> float:
    """J of a batch in nats per token, by forward propagation alone.

    Raises
    ------
    ValueError
        If the batch is empty or does not fit together, or an id is outside the vocabulary.
    """
    J = 0.0
    for part in parts(workspace, batch):
        buffers = _forward(workspace, part, pool, for_gradients=False)
        share_out(pool, kernels.finish_losses, ((buffers, shard) for shard in shards(part)))
        J += float(buffers.loss.sum()) / len(batch.y)
    return J


def batch_gradients(workspace: Workspace, batch: Batch, pool: Executor) -> StepResult:
    """J of a batch, and its gradients with respect to all four parameters.

    Parameters
    ----------
    workspace : Workspace
    batch : Batch
        m examples.
    pool : Executor
        Runs the pieces.

    Returns
    -------
    StepResult
        Its gradients lie in the workspace; the next call writes over them.

    Raises
    ------
    ValueError
        If the batch is empty or does not fit together, or an id is outside the vocabulary.
    """
    m, gradients = len(batch.y), workspace.gradients()
    tables, rows = tables_of(workspace.parameters), tables_of(gradients)
    packed_tables, packed_rows = packed(tables), packed(rows)
    stripes = cut(blocks(len(rows.W2)), STRIPE)
    J, fired = 0.0, np.zeros(len(rows.b1), np.int64)
    rows.b1[:] = 0
    for number, part in enumerate(parts(workspace, batch)):
        buffers = _forward(workspace, part, pool, for_gradients=True)
        of_part = packed(part), m, packed(buffers)
        finish = ((packed_tables, *of_part, shard) for shard in shards(part))
        share_out(pool, kernels.finish_gradients, finish)
        slopes = workspace.network.g[1].dg(buffers.Z1)  # (n, N)
        np.multiply(buffers.dH[0], slopes, out=buffers.dZ1)
        add = number > 0
        pieces = ((*of_part, stripe, add, packed_rows) for stripe in stripes)
        share_out(pool, with_scratch(kernels.word_gradients, buffers, len(part.y)), pieces)
        rows.b1[:] += buffers.dZ1.sum(axis=0)
        fired += np.count_nonzero(slopes, axis=0)
        J += float(buffers.loss.sum()) / m
    return StepResult(J, gradients, fired)


def _forward(workspace: Workspace, part: Batch, pool: Executor, *, for_gradients: bool) -> Buffers:
    """Compute H, and go through all words once."""
    tables = tables_of(workspace.parameters)
    buffers = workspace.buffers(len(part.y), for_gradients=for_gradients)
    inputs = packed(tables), packed(part), packed(buffers)
    share_out(pool, kernels.hidden_sums, ((*inputs, shard) for shard in shards(part)))
    buffers.H[:] = workspace.network.g[1].g(buffers.Z1)
    pieces = (
        (*inputs, shard, r, range_)
        for r, range_ in enumerate(ranges(len(tables.W2)))
        for shard in shards(part)
    )
    kernel = kernels.range_gradients if for_gradients else kernels.range_loss
    share_out(pool, with_scratch(kernel, buffers, SHARD), pieces)
    return buffers


def with_scratch(kernel: Callable[..., None], buffers: Buffers, m: int) -> Callable[..., None]:
    """Hand a kernel memory for what it writes and forgets, for m examples, as its last argument."""
    N, dtype = buffers.H.shape[1], buffers.H.dtype

    def work(*piece: Any) -> None:
        """Call the kernel."""

        def empty(*shape: int) -> Array:
            """Take memory."""
            return np.empty(shape, dtype)

        kernel(*piece, Scratch(
            empty(m), empty(m), empty(m * WORDS), empty(m, N), empty(m, N), empty(WORDS, N)
        ))  # fmt: skip

    return work


def parts(workspace: Workspace, batch: Batch) -> Iterator[Batch]:
    """Cut a batch into parts whose exponentials are kept at a time.

    First reject what would make kernels read and write outside the arrays, or divide by 0.
    """
    V = len(workspace.parameters.W2)
    for ids in (batch.indices, batch.y):
        check_ids(ids, V)
    m, ends = len(batch.y), len(batch.indptr)
    if m == 0 or ends != m + 1 or batch.indptr[-1] != len(batch.indices):
        raise ValueError(
            f"a batch has {m} targets, {ends} bounds of contexts and {len(batch.indices)} words in "
            "them, but must have 1 target or more, one bound more than targets, and as many words "
            "as the last bound says; pass one context for each target"
        )
    for start, stop in cut(m, max(SHARD, min(EXAMPLES, KEPT // V))):
        yield batch._replace(indptr=batch.indptr[start : stop + 1], y=batch.y[start:stop])


def shards(part: Batch) -> tuple[Piece, ...]:
    """Cut examples into shards."""
    return cut(len(part.y), SHARD)


def ranges(V: int) -> tuple[Piece, ...]:
    """Cut the blocks of V words into ranges."""
    return cut(blocks(V), max(RANGE, -(-blocks(V) // RANGES)))


def blocks(V: int) -> int:
    """Return the number of blocks of V words."""
    return -(-V // WORDS)


@functools.cache  # a step asks for the same ones six times
def cut(n: int, most: int) -> tuple[Piece, ...]:
    """Cut 0 .. n into pieces of equal size, as few as `most`, their largest size, allows."""
    bounds = np.linspace(0, n, -(-n // most) + 1).astype(int).tolist()
    return tuple(itertools.pairwise(bounds))
