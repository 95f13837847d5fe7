"""The losses that are reported: of an epoch, and of lines the network has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from cbow.system.interrupts import Interrupts
from cbow.training.exact.step import Workspace, batch_loss
from cbow.training.examples import Batch, ExampleSource, Tally
from cbow.training.state import State

#: Examples that stand for the rest where the exact loss of all would take longer than to train.
PROBE: Final = 4096

#: Examples measured at a time.
TOGETHER: Final = 1024


class Losses:
    """Measures the exact loss, nats per token.

    Parameters
    ----------
    workspace : Workspace
    source : ExampleSource
    pool : Executor
    interrupts : Interrupts
        Asked whether to stop.
    probe : int, optional
        How many examples, about, stand for the rest: for the sampled objective, whose own loss is
        another, and for which the loss of all would take long. All of them if not given.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: ExampleSource,
        pool: Executor,
        interrupts: Interrupts,
        probe: int | None = None,
    ) -> None:
        self.workspace = workspace
        self.source = source
        self.pool = pool
        self.interrupts = interrupts
        self.batches = None if probe is None else -(-probe // TOGETHER)

    def of_epoch(self, state: State) -> float:
        """Return the loss of an epoch: that of its batches, or of some examples after it."""
        if self.batches is None:
            return state.measures.loss
        return self._mean(batch for batch, _ in self.source.epoch(state.epoch, TOGETHER, Tally()))

    def heldout(self) -> float | None:
        """Return the loss of the held-out lines; None if none are held out."""
        if self.source.heldout == 0:
            return None
        return self._mean(self.source.heldout_batches(TOGETHER))

    def _mean(self, batches: Iterator[Batch]) -> float:
        """Average the loss over the examples of some batches."""
        total, examples = 0.0, 0
        for batch in islice(batches, self.batches):
            if self.interrupts.asked():
                break
            total += batch_loss(self.workspace, batch, self.pool) * len(batch.y)
            examples += len(batch.y)
        return total / max(1, examples)
