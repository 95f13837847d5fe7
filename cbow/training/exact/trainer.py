"""Learning an epoch under the exact softmax: shuffled batches, one step of an optimizer each.

The optimizers are those of `cbow.network`, a step in one pass over memory and shared out to
threads. It reads and writes up to seven numbers for each parameter and computes little. Formula by
formula, and alone, it takes as long as the gradients of a small batch. Each number is changed by
itself, so how many threads there are makes no difference to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from cbow.network import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    Gradients,
    Network,
    Optimizer,
    Parameters,
)
from cbow.network.optimizers import Rate, each
from cbow.system.arrays import Array
from cbow.system.threads import share_out
from cbow.training.composed import Composed
from cbow.training.defaults import B1_RATE
from cbow.training.exact.kernels import adagrad_step, adam_step, sgd_step
from cbow.training.exact.step import Workspace, batch_gradients, batch_loss
from cbow.training.examples import Batch, ExampleSource, Tally
from cbow.training.state import Portion, RateOf, State

#: Numbers per piece: enough that a piece takes longer than to hand it out.
PIECE: Final = 2**17

#: What changes some numbers of a parameter by the step of each optimizer, and its state by name.
STEPS: Final = {
    SGD: (sgd_step, ()),
    AdaGrad: (adagrad_step, ("G",)),
    Adam: (adam_step, ("m", "v")),
}


def update(
    optimizer: Optimizer,
    parameters: Parameters,
    gradients: Gradients,
    learning_rate: Rate,
    pool: Executor,
) -> None:
    """Do as ``optimizer.update`` by the threads of a pool, or by one if there is only a piece.

    Raises
    ------
    ValueError
        If the arrays do not lie in memory as those of the parameters do, together.
    """
    step, names = STEPS[type(optimizer)]
    if isinstance(optimizer, Adam):
        alphas = optimizer.next_rates(learning_rate)
    else:
        alphas = each(learning_rate, len(parameters))
    pieces = _pieces(alphas, parameters, gradients, *(getattr(optimizer, name) for name in names))
    if sum(theta.size for theta in parameters) > PIECE:
        share_out(pool, step, pieces)
    else:
        share_out(pool, lambda: [step(*piece) for piece in pieces], [()])


def _pieces(alphas: Sequence[float], *groups: Sequence[Array]) -> Iterator[list[Any]]:
    """Cut the arrays of one parameter after the other: θ, g and the state, and α in their dtype."""
    for alpha, *arrays in zip(alphas, *groups, strict=True):
        order: Literal["C", "F"] = "C" if arrays[0].flags.c_contiguous else "F"
        for array in arrays:
            if not array.flags[order]:  # a step would change a copy
                raise ValueError(
                    f"an array of shape {array.shape} does not lie in memory in {order} order, but "
                    "those of a step must lie like the parameter; pass contiguous arrays of one "
                    "memory order"
                )
        flat = [array.ravel(order="K") for array in arrays]  # views
        for start in range(0, len(flat[0]), PIECE):
            piece = [array[start : start + PIECE] for array in flat]
            yield [*piece, flat[0].dtype.type(alpha)]


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
        self.make_optimizer = OPTIMIZERS[optimizer]
        self.optimizer = self.make_optimizer(self.parameters)
        self.pool = pool

    def compile(self) -> None:
        """Compile the kernels, or fetch them from their cache, by looking at one example."""
        one = np.zeros(1, np.int32)
        batch = Batch(one, np.arange(2), one)
        batch_gradients(self.workspace, batch, self.pool)
        batch_loss(self.workspace, batch, self.pool)
        few = Parameters(*(np.zeros(1, array.dtype) for array in self.parameters))
        spare = self.make_optimizer(few)  # another, as a step changes it
        update(spare, few, Gradients(*few), 0.0, self.pool)

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
                    rates = rate, B1_RATE * rate, rate, rate
                    update(self.optimizer, self.parameters, gradients, rates, self.pool)
                state.portions += 1
                state.rate, before = rate, share
            yield Portion(share, step.J, 1)

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name."""
        return self.optimizer.arrays()
