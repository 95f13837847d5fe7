"""The losses that are reported: of an epoch, and of lines the network has not seen."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from cbow.errors import CorpusError
from cbow.network import Network
from cbow.system.arrays import Doubles
from cbow.system.interrupts import Interrupts
from cbow.training.composed import Composed
from cbow.training.exact.step import Workspace, batch_loss
from cbow.training.examples import Batch, ExampleSource, Tally
from cbow.training.state import State

#: Examples that stand for the rest where the exact loss of all would take longer than to train: at
#: least and at most, and between them as many as take this share of the time of an epoch.
PROBE: Final = (512, 4096)
SHARE: Final = 0.02

#: Examples measured at a time.
TOGETHER: Final = 1024


def probe_size(V: int, examples: float, candidates: int) -> int:
    """Return how many examples stand for the rest under the sampled objective.

    The loss of an example takes one product with the V rows of W2; to learn from it three, with
    those of S candidates. So p of m examples take p V / 3 m S of the time of an epoch.

    Parameters
    ----------
    V : int
    examples : float
        m, of an epoch.
    candidates : int
        S.
    """
    least, most = PROBE
    return min(most, max(least, round(SHARE * 3 * examples * candidates / V)))


class Measuring(Protocol):
    """Measures the exact loss, nats per token."""

    def of_epoch(self, state: State) -> float:
        """Return the loss of an epoch: that of its batches, or of some examples after it."""

    def heldout(self) -> float | None:
        """Return the loss of the held-out lines; None if none are held out."""

    def heldout_unigram(self, log_p: Doubles, batch: int) -> float | None:
        """Return the loss of the word frequencies on the held-out lines, None if there are none.

        It is added up by `batch` examples, about.

        Raises
        ------
        CorpusError
            If these have no example.
        """

    def measured_seconds(self) -> float:
        """Return how long about the losses after an epoch take."""


@dataclass(eq=False)
class Losses:
    """Measures the exact loss, nats per token; see `Measuring`."""

    network: Network
    composed: Composed
    source: ExampleSource
    pool: Executor
    interrupts: Interrupts  #: asked whether to stop
    #: How many examples, about, stand for the rest: for the sampled objective, whose own loss is
    #: another, and for which the loss of all would take long. None: all of them.
    probe: int | None = None

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.network, self.composed.parameters)
        self.together = min(TOGETHER, self.probe or TOGETHER)
        self.batches = None if self.probe is None else -(-self.probe // self.together)

    def of_epoch(self, state: State) -> float:
        """Return the loss of an epoch: that of its batches, or of some examples after it."""
        if self.batches is None:
            return state.measures.loss
        return mean(*self.sums(self.batches))

    def heldout(self) -> float | None:
        """Return the loss of the held-out lines; None if none are held out."""
        if self.source.heldout == 0:
            return None
        return mean(*self.sums(self.batches, heldout=True))

    def heldout_unigram(self, log_p: Doubles, batch: int) -> float | None:
        """Return the loss of the word frequencies on the held-out lines."""
        if self.source.heldout == 0:
            return None
        lines = len(self.source.corpus.line_starts) - 1
        return heldout_mean(unigram_sums(self.source, log_p, batch), self.source.heldout, lines)

    def sums(self, batches: int | None, *, heldout: bool = False) -> tuple[float, int]:
        """Return the loss of the first so many batches, or of all, and their examples."""
        total, examples = 0.0, 0
        self.composed.compose()
        drawn = self.source.heldout_batches(self.together) if heldout else self._probe()
        for batch in islice(drawn, batches):
            if self.interrupts.asked():
                break
            total += batch_loss(self.workspace, batch, self.pool) * len(batch.y)
            examples += len(batch.y)
        return total, examples

    def measured_seconds(self) -> float:
        """Measure, by one batch of each kind, how long about the losses after an epoch take.

        This loads the kernels, too, so that no loss waits for them.
        """
        kinds: list[tuple[Iterator[Batch], float]] = []
        if self.batches is not None:
            kinds.append((self._probe(), self.batches))
        if self.source.heldout:
            examples = len(self.source.corpus.ids) * self.source.share_kept() * self.source.heldout
            count = min(examples / self.together, self.batches or math.inf)
            kinds.append((self.source.heldout_batches(self.together), count))
        seconds = 0.0
        for batches, count in kinds:
            began = time.monotonic()
            self.composed.compose()
            for batch in islice(batches, 1):
                composed_and_read = time.monotonic() - began
                batch_loss(self.workspace, batch, self.pool)
                began = time.monotonic()
                batch_loss(self.workspace, batch, self.pool)
                seconds += composed_and_read + count * (time.monotonic() - began)
        return seconds

    def _probe(self) -> Iterator[Batch]:
        """Yield examples: after each epoch the same, so that the losses can be compared."""
        return (batch for batch, _ in self.source.epoch(1, self.together, Tally()))


def mean(total: float, examples: int) -> float:
    """Return the mean loss of some examples; 0 if there are none."""
    return total / max(1, examples)


def unigram_sums(source: ExampleSource, log_p: Doubles, batch: int) -> tuple[float, int]:
    """Return the loss of the word frequencies on the held-out lines, and their examples."""
    total, examples = 0.0, 0
    for drawn in source.heldout_batches(batch):
        total -= float(log_p[drawn.y].sum())
        examples += len(drawn.y)
    return total, examples


def heldout_mean(sums: tuple[float, int], heldout: float, lines: int) -> float:
    """Return the mean of `unigram_sums`.

    Raises
    ------
    CorpusError
        If so many lines have no held-out example.
    """
    if sums[1] == 0:
        raise CorpusError(
            f"heldout {heldout:g} of {lines} lines keeps back no line with two words or "
            "more; expected at least one; raise it, or set it to 0"
        )
    return mean(*sums)
