"""The loss and the gradients of a batch under the exact softmax, in parallel.

A batch is always cut into the same shards, whatever the number of threads; each shard runs
forward and backward by itself, and the shards are added in order. So the same additions happen
in the same order, and the result is the same to the last bit.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from cbow.network import (
    Network,
    Parameters,
    Pass,
    active,
    backward,
    contexts,
    cost,
    forward,
)
from cbow.training.examples import Batch
from cbow.training.measures import StepResult

if TYPE_CHECKING:
    from scipy.sparse import csc_array

#: Examples per shard at most: enough for fast matrix products, few enough to share out a batch.
SHARD: Final = 256


class _Room(threading.local):
    """The largest pass of each thread so far: the next one is written over it."""

    largest: Pass | None = None


@dataclass(frozen=True)
class Workspace:
    """What a step needs: the network, its parameters, and memory to work in."""

    network: Network
    parameters: Parameters
    room: _Room = field(default_factory=_Room)

    def forward(self, X: csc_array) -> Pass:
        """Run `cbow.network.forward`; the result lasts until this thread calls it again."""
        state = forward(self.network, self.parameters, X, into=self.room.largest)
        if self.room.largest is None or X.shape[1] > self.room.largest.Z2.shape[1]:
            self.room.largest = state
        return state


def batch_loss(workspace: Workspace, batch: Batch, pool: Executor) -> float:
    """J of a batch in nats per token, by forward propagation alone."""
    m = len(batch.y)
    return sum(pool.map(lambda shard: _loss(workspace, shard, m), _shards(batch)))


def batch_gradients(workspace: Workspace, batch: Batch, pool: Executor) -> StepResult:
    """J of a batch, and its gradients with respect to all four parameters.

    Parameters
    ----------
    workspace : Workspace
    batch : Batch
        m examples.
    pool : Executor
        Runs the shards.

    Returns
    -------
    StepResult
    """
    m = len(batch.y)
    results = pool.map(lambda shard: _gradients(workspace, shard, m), _shards(batch))
    J, total, fired = next(results)
    for part in results:
        J += part.J
        fired += part.fired
        for d, more in zip(total, part.gradients, strict=True):
            d += more
    return StepResult(J, total, fired)


def _shards(batch: Batch) -> Iterator[Batch]:
    """Cut a batch into as few shards as may be, of equal size."""
    m = len(batch.y)
    bounds = np.linspace(0, m, -(-m // SHARD) + 1).astype(np.intp)
    for start, stop in itertools.pairwise(bounds):
        indptr = batch.indptr[start : stop + 1]
        indices = batch.indices[indptr[0] : indptr[-1]]
        yield Batch(indices, indptr - indptr[0], batch.y[start:stop])


def _loss(workspace: Workspace, shard: Batch, m: int) -> float:
    """Give the part of J that comes from one shard of a batch of m."""
    with _overflow_shows_in_the_loss():
        pass_ = workspace.forward(_contexts(workspace, shard))
        return cost(workspace.network, pass_, shard.y) * (len(shard.y) / m)


def _gradients(workspace: Workspace, shard: Batch, m: int) -> StepResult:
    """Give the parts of J and of its gradients that come from one shard of a batch of m."""
    network, parameters = workspace.network, workspace.parameters
    with _overflow_shows_in_the_loss():
        pass_ = workspace.forward(_contexts(workspace, shard))
        J = cost(network, pass_, shard.y) * (len(shard.y) / m)
        gradients = backward(network, parameters, pass_, shard.y, m)
    return StepResult(J, gradients, active(network, pass_).sum(axis=1))


def _contexts(workspace: Workspace, shard: Batch) -> csc_array:
    """Build X of a shard."""
    W2 = workspace.parameters.W2
    return contexts(shard.indices, shard.indptr, len(W2), W2.dtype)


def _overflow_shows_in_the_loss() -> np.errstate:
    """Let numbers overflow without a warning: the loop looks at the loss after every step."""
    return np.errstate(over="ignore", invalid="ignore")
