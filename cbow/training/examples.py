"""From the encoded corpus to batches of examples: which words are context, which are asked for.

The text is taken in small blocks of consecutive tokens. Blocks overlap by a margin of context on
both sides, and every random decision depends on the position of its token alone: the examples are
the same wherever the blocks begin. To shuffle a text that may be larger than memory, an epoch
takes blocks from random places, many at a time, and shuffles the examples of those: a batch holds
words from all over the text, not from one chapter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import LARGEST_BATCH, SMALLEST_BATCH, STEPS_PER_EPOCH
from cbow.text import EncodedCorpus
from cbow.training.randomness import Purpose, stream, uniform
from cbow.training.subsampling import keep_probability
from cbow.training.windows import Windows, context_positions, windows

#: Tokens per block: many beside the window, so that margins cost little.
BLOCK: Final = 2**12

#: Blocks that are shuffled together: enough to mix well, few enough to need some ten megabytes.
POOL: Final = 64


class Batch(NamedTuple):
    """m examples, as token ids: contexts one after the other, and the word in the middle."""

    indices: NDArray[np.int32]  # (nnz,) words of all contexts
    indptr: NDArray[np.int64]  # (m + 1,) context i is indices[indptr[i]:indptr[i + 1]]
    y: NDArray[np.int32]  # (m,) the words asked for


@dataclass
class Tally:
    """Where the tokens of an epoch went; ``tokens`` is the sum of the others."""

    tokens: int = 0
    heldout: int = 0
    subsampled: int = 0
    isolated: int = 0
    examples: int = 0

    def add(self, other: Tally) -> None:
        """Count the tokens of one more block."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class _Run(NamedTuple):
    """Kept tokens that follow each other, from a part of the corpus."""

    positions: NDArray[np.int64]  # (n,) in the corpus
    ids: NDArray[np.int32]  # (n,)
    lines: NDArray[np.int64]  # (n,)


_NO_IDS = np.empty(0, np.int64)
_NO_TOKENS = _Run(_NO_IDS, _NO_IDS.astype(np.int32), _NO_IDS)
_NO_WINDOWS = Windows(_NO_IDS, _NO_IDS, _NO_IDS)


class ExampleSource:
    """Draws the examples of any epoch from a corpus.

    Parameters
    ----------
    corpus : EncodedCorpus
    window : int
        The largest radius.
    sample : float
        See `keep_probability`.
    heldout : float
        Share of the lines that are kept back.
    seed : int
    """

    def __init__(
        self, corpus: EncodedCorpus, window: int, sample: float, heldout: float, seed: int
    ) -> None:
        self.corpus = corpus
        self.window = window
        self.keep = keep_probability(corpus.vocabulary.counts, sample)  # (V,)
        self.heldout = heldout
        self.seed = seed

    def epoch(
        self, epoch: int, batch: int, tally: Tally, *, heldout: bool = False
    ) -> Iterator[tuple[Batch, float]]:
        """Yield the batches of one epoch.

        Parameters
        ----------
        epoch : int
            Its number, from 1; 0 is the draw of the held-out examples.
        batch : int
            Examples per batch, about: those that are shuffled together are cut into equal batches.
        tally : Tally
            Counts the tokens as they are used.
        heldout : bool
            Take the held-out lines and leave the others, instead of the other way round.

        Yields
        ------
        Batch
        float
            The share of the epoch that is done once this batch is used.
        """
        tokens = len(self.corpus.ids)
        blocks = max(1, -(-tokens // BLOCK))
        bounds = np.linspace(0, tokens, blocks + 1).astype(np.int64).tolist()
        drawn = np.argsort(
            uniform(stream(self.seed, Purpose.ORDER_OF_BLOCKS, epoch), np.arange(blocks))
        )
        order = stream(self.seed, Purpose.ORDER_OF_EXAMPLES, epoch)
        pools = np.array_split(drawn, -(-blocks // self._blocks_together(batch)))
        for done, pool in enumerate(pools):
            these, run = _pooled(
                [self._block(bounds[b], bounds[b + 1], epoch, tally, heldout) for b in pool]
            )
            self.corpus.release()
            shuffled = np.argsort(uniform(order, run.positions[these.centre]))
            parts = max(1, round(len(shuffled) / batch))
            for i, chosen in enumerate(np.array_split(shuffled, parts)):
                if len(chosen):
                    share = (done + (i + 1) / parts) / len(pools)
                    yield _batch(run.ids, these.take(chosen)), share

    def heldout_batches(self, batch: int) -> Iterator[Batch]:
        """Yield the held-out examples: always the same draw, so that losses can be compared."""
        for drawn, _ in self.epoch(0, batch, Tally(), heldout=True):
            yield drawn

    def batch_size(self, given: int | None) -> int:
        """Return the batch size: the one given, or one that makes enough steps of a small text."""
        if given is not None:
            return given
        examples = len(self.corpus.ids) * self.share_kept() * (1 - self.heldout)
        return min(LARGEST_BATCH, max(SMALLEST_BATCH, round(examples / STEPS_PER_EPOCH)))

    def share_kept(self) -> float:
        """Return the share of the tokens that subsampling is expected to leave."""
        counts = self.corpus.vocabulary.counts
        return float((counts * self.keep).sum() / counts.sum())

    def _blocks_together(self, batch: int) -> int:
        """How many blocks to shuffle together: `POOL`, or as many as fill two batches."""
        return max(POOL, math.ceil(2 * batch / (BLOCK * self.share_kept())))

    def _block(
        self, start: int, stop: int, epoch: int, tally: Tally, heldout: bool
    ) -> tuple[Windows, _Run]:
        """Return the windows of the tokens from `start` to `stop`, and the run they lie in."""
        inside, counted = self._kept(start, stop, epoch, heldout)
        if not len(inside.ids):
            tally.add(counted)
            return _NO_WINDOWS, inside
        # Only a token on the line that the edge cuts can need what lies beyond it.
        first_line, last_line = int(inside.lines[0]), int(inside.lines[-1])
        run = _joined(
            self._margin(start, -1, first_line, epoch, heldout),
            inside,
            self._margin(stop, +1, last_line, epoch, heldout),
        )
        draw = uniform(stream(self.seed, Purpose.RADIUS, epoch), run.positions)
        radius = 1 + (draw * self.window).astype(np.int64)
        first = np.searchsorted(run.positions, start)
        these = windows(run.lines, radius).take(np.arange(first, first + len(inside.ids)))
        together = these.take(these.size > 0)
        counted.examples = len(together.centre)
        counted.isolated = len(inside.ids) - counted.examples
        tally.add(counted)
        return together, run

    def _kept(self, start: int, stop: int, epoch: int, heldout: bool) -> tuple[_Run, Tally]:
        """Return the tokens from `start` to `stop` that this epoch keeps, and count the others."""
        ids = np.asarray(self.corpus.ids[start:stop])
        positions = np.arange(start, stop)
        lines = np.searchsorted(self.corpus.line_starts, positions, side="right") - 1
        kept_back = (
            uniform(stream(self.seed, Purpose.HELDOUT), lines.astype(np.int64)) < self.heldout
        )
        ours = kept_back if heldout else ~kept_back
        chance = uniform(stream(self.seed, Purpose.SUBSAMPLE, epoch), positions)
        frequent = chance >= self.keep[ids]
        chosen = ours & ~frequent
        counted = Tally(
            tokens=len(ids),
            heldout=int(np.count_nonzero(~ours)),
            subsampled=int(np.count_nonzero(ours & frequent)),
        )
        return _Run(positions[chosen], ids[chosen], lines[chosen]), counted

    def _margin(self, edge: int, direction: int, line: int, epoch: int, heldout: bool) -> _Run:
        """Return the kept tokens of a line that lie beyond the edge of a block.

        Looks further and further until a whole window of them is found, or the line ends.
        """
        starts = self.corpus.line_starts
        limit = int(starts[line + 1] if direction > 0 else starts[line])
        reach, run = 4 * self.window, _NO_TOKENS
        while len(run.ids) < self.window and (limit - edge) * direction > 0:
            far = min(limit, edge + reach) if direction > 0 else max(limit, edge - reach)
            more, _ = self._kept(min(edge, far), max(edge, far), epoch, heldout)
            run = _joined(run, more) if direction > 0 else _joined(more, run)
            edge, reach = far, 2 * reach
        return run


def _joined(*runs: _Run) -> _Run:
    """Put runs that follow each other in the corpus into one."""
    return _Run(*(np.concatenate(parts) for parts in zip(*runs, strict=True)))


def _pooled(blocks: list[tuple[Windows, _Run]]) -> tuple[Windows, _Run]:
    """Put the windows of several blocks, each counted from its own run, into one."""
    offsets = np.cumsum([0] + [len(run.ids) for _, run in blocks[:-1]])
    moved = [
        [edge + offset for edge in these]
        for (these, _), offset in zip(blocks, offsets, strict=True)
    ]
    together = Windows(*(np.concatenate(edges) for edges in zip(*moved, strict=True)))
    return together, _joined(*(run for _, run in blocks))


def _batch(ids: NDArray[np.int32], these: Windows) -> Batch:
    """Turn windows over `ids` into a batch."""
    positions, indptr = context_positions(these)
    return Batch(ids[positions], indptr, ids[these.centre])
