"""The losses that are reported: of an epoch, and of lines the network has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from cbow.training.exact import Workspace, batch_loss
from cbow.training.examples import Batch, ExampleSource, Tally
from cbow.training.state import EpochState
from cbow.training.threads import Interrupts

#: Examples that stand for the rest where the exact loss of all would take longer than to train.
PROBE: Final = 4096


class Losses:
    """Measures the exact loss on held-out lines; that of an epoch is known from its batches.

    Parameters
    ----------
    workspace : Workspace
    source : ExampleSource
    batch : int
        Examples measured at a time.
    pool : Executor
    interrupts : Interrupts
        Asked whether to stop.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: ExampleSource,
        batch: int,
        pool: Executor,
        interrupts: Interrupts,
    ) -> None:
        self.workspace = workspace
        self.source = source
        self.batch = batch
        self.pool = pool
        self.interrupts = interrupts

    def of_epoch(self, state: EpochState) -> float:
        """Give the loss of the examples learned from, nats per token."""
        return state.measures.loss

    def heldout(self) -> float | None:
        """Give the loss of the held-out lines, nats per token; None if none are held out."""
        if self.source.heldout == 0:
            return None
        return self._mean(self.source.heldout_batches(self.batch))

    def _mean(self, batches: Iterable[Batch]) -> float:
        """Average the loss over the examples of some batches."""
        total, examples = 0.0, 0
        for batch in batches:
            if self.interrupts.asked():
                break
            total += batch_loss(self.workspace, batch, self.pool) * len(batch.y)
            examples += len(batch.y)
        return total / max(1, examples)


class ProbeLosses(Losses):
    """Measures both on `PROBE` examples: for the sampled objective, whose own loss is another."""

    def of_epoch(self, state: EpochState) -> float:
        """Give the exact loss of some examples of the epoch, as the network is after it."""
        epoch = self.source.epoch(state.epoch, self._columns, Tally())
        return self._mean(self._probe(batch for batch, _ in epoch))

    def heldout(self) -> float | None:
        """Give the loss of some examples of the held-out lines; None if none are held out."""
        if self.source.heldout == 0:
            return None
        return self._mean(self._probe(self.source.heldout_batches(self._columns)))

    @property
    def _columns(self) -> int:
        """How many examples to measure at a time."""
        return min(self.batch, PROBE)

    def _probe(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Give the first `PROBE` examples, about."""
        return islice(batches, -(-PROBE // self._columns))
