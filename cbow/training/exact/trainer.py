"""Learning an epoch under the exact softmax: shuffled batches, one step each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cbow.network import Gradients, Network, Parameters
from cbow.training.composed import Composed
from cbow.training.exact.optimizers import PARALLEL_OPTIMIZERS
from cbow.training.exact.step import Workspace, batch_gradients, batch_loss
from cbow.training.examples import Batch, ExampleSource, Tally
from cbow.training.objective import B1_RATE
from cbow.training.state import Portion, RateOf, State


class BatchTrainer:
    """Learns from shuffled batches; a portion is one step. See `cbow.training.state.Trainer`.

    Parameters
    ----------
    network : Network
    composed : Composed
        The parameters of the features of its words are changed in place.
    source : ExampleSource
    batch : int
        Examples per step, about.
    optimizer : str
    pool : Executor
        Runs the shards of a batch.
    """

    keep_every = 100

    def __init__(
        self,
        network: Network,
        composed: Composed,
        source: ExampleSource,
        batch: int,
        optimizer: str,
        pool: Executor,
    ) -> None:
        self.parameters = composed.of_features
        self.composed = composed
        self.workspace = Workspace(network, composed.parameters)
        self.source = source
        self.batch = batch
        self.make_optimizer = PARALLEL_OPTIMIZERS[optimizer]
        self.optimizer = self.make_optimizer(self.parameters, pool)
        self.pool = pool

    def compile(self) -> None:
        """Compile the kernels, or fetch them from their cache, by looking at one example."""
        one = np.zeros(1, np.int32)
        batch = Batch(one, np.arange(2), one)
        batch_gradients(self.workspace, batch, self.pool)
        batch_loss(self.workspace, batch, self.pool)
        few = [np.zeros(1, array.dtype) for array in self.parameters]
        spare = self.make_optimizer(Parameters(*few), self.pool)  # another, as a step changes it
        spare.update(Parameters(*few), Gradients(*few), 0.0)

    def portions(self, state: State, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the batches of an epoch that `state` does not have yet."""
        state.tally = Tally()  # the batches that are skipped are counted again
        before, skipped = 0.0, state.portions
        for batch, share in self.source.epoch(state.epoch, self.batch, state.tally):
            if skipped:
                skipped, before = skipped - 1, share
                continue
            self.composed.compose()
            step = batch_gradients(self.workspace, batch, self.pool)
            if math.isfinite(step.J):
                rate = rate_of(before)
                with np.errstate(over="ignore", invalid="ignore"):  # seen in the next loss
                    state.measures.add(step, len(batch.y))
                    gradients = self.composed.gradients(step.gradients)
                    self.optimizer.update(
                        self.parameters, gradients, (rate, B1_RATE * rate, rate, rate)
                    )
                state.portions += 1
                state.rate, before = rate, share
            yield Portion(share, step.J, 1)

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name."""
        return self.optimizer.arrays()
