"""From the encoded corpus to examples: which tokens are kept, which are context, which are targets.

The text is taken in small blocks of consecutive tokens. Every random decision depends on the
position of its token alone, and the windows of a block reach into a margin on both sides of it: the
examples are the same wherever blocks begin, and any thread can read any block at any time. What
becomes of a token is written once, in `read_block`, for both objectives.

To shuffle a text that may be larger than memory, an epoch takes blocks from random places, many at
a time, and shuffles the examples of those: a batch holds words from all over the text, not from one
chapter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.system.compiled import compiled
from cbow.training.kernels import Purpose, stream, uniform

if TYPE_CHECKING:
    from cbow.text import EncodedCorpus

#: Tokens per block: many beside the window, so that margins cost little.
BLOCK: Final = 2**12

#: Blocks that are shuffled together: enough to mix well, few enough to need some ten megabytes.
POOL: Final = 64


class Batch(NamedTuple):
    """m examples, as token ids: contexts one after the other, and the word in the middle."""

    indices: NDArray[np.int32]  # (nnz,) words of all contexts
    indptr: NDArray[np.int64]  # (m + 1,) context i is indices[indptr[i]:indptr[i + 1]]
    y: NDArray[np.int32]  # (m,) the targets


@dataclass
class Tally:
    """Where the tokens of an epoch went; ``tokens`` is the sum of the others."""

    tokens: int = 0
    heldout: int = 0
    subsampled: int = 0
    isolated: int = 0
    examples: int = 0

    def add(self, other: Tally) -> None:
        """Add the tokens of another part of the epoch."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


# What becomes of a token.


class Sampling(NamedTuple):
    """All that decides which tokens of an epoch are kept, and how far their windows reach."""

    ids: NDArray[np.int32]  #: (T,) the text
    line_starts: NDArray[np.int64]  #: (L + 1,) line i is ids[line_starts[i]:line_starts[i + 1]]
    keep: NDArray[np.float64]  #: (V,) probability of keeping an occurrence of each word
    heldout: float  #: share of the lines that are held out
    take_heldout: bool  #: take those lines and leave the others, instead of the other way round
    window: int  #: C: the radius of each window is drawn from 1 to C
    margin: int  #: beyond which no window reaches: C, or less where no line is as long
    heldout_key: np.uint64  #: the streams of random numbers; see `cbow.training.kernels`
    subsample_key: np.uint64
    radius_key: np.uint64


class Block(NamedTuple):
    """The kept tokens of a block and its margins, at most M, and the windows of the block's own.

    The window of token j is left[j] ≤ i < right[j], i ≠ j.
    """

    ids: NDArray[np.int32]  #: (M,)
    positions: NDArray[np.int64]  #: (M,) in the text, of the tokens of the block itself
    left: NDArray[np.int32]  #: (M,)
    right: NDArray[np.int32]  #: (M,)


class Extent(NamedTuple):
    """What `read_block` found: first .. last-1 are the block's own tokens among 0 .. n-1."""

    first: int
    last: int
    n: int
    heldout: int  #: tokens of the block that are left out with their line
    subsampled: int  #: tokens of the block that are left out as frequent


@compiled
def is_left_out(sampling: Any, line: Any) -> Any:
    """Whether this epoch leaves out a line."""
    held_out = uniform(sampling.heldout_key, line) < sampling.heldout
    return held_out != sampling.take_heldout


@compiled
def is_kept(sampling: Any, position: Any) -> Any:
    """Whether this epoch keeps an occurrence of a word."""
    word = sampling.ids[position]
    return uniform(sampling.subsample_key, position) < sampling.keep[word]


@compiled
def read_margin_before(sampling: Any, start: Any, block: Any) -> Any:
    """Read the kept tokens before `start` on its line, at most a margin; return their number."""
    starts, margin = sampling.line_starts, sampling.margin
    line = np.searchsorted(starts, start, side="right") - 1
    n, position = 0, start - 1
    while position >= starts[line] and n < margin:
        if is_kept(sampling, position):
            n += 1
            block.ids[margin - n] = sampling.ids[position]
        position -= 1
    for j in range(n):
        block.ids[j] = block.ids[margin - n + j]
    return n


@compiled
def close_line(block: Any, begin: Any, stop: Any, end: Any) -> None:
    """Let no window of the tokens begin .. stop-1 reach beyond the end of their line."""
    for j in range(begin, stop):
        block.right[j] = min(block.right[j], end)


@compiled
def read_block(sampling: Any, start: Any, stop: Any, block: Any) -> Any:
    """Read the kept tokens of a block and of its margins, and the windows of the block's own.

    Parameters
    ----------
    sampling : Sampling
    start, stop : int
        The block is ``ids[start:stop]``, not empty.
    block : Block
        Is filled. M must be stop - start + 2 margins at least.

    Returns
    -------
    Extent
    """
    starts, margin = sampling.line_starts, sampling.margin
    heldout, subsampled = 0, 0
    line = np.searchsorted(starts, start, side="right") - 1
    end = starts[line + 1]
    left_out = is_left_out(sampling, line)
    first = 0 if left_out else read_margin_before(sampling, start, block)
    n = first
    begin = 0  # the first of the tokens on the line
    for position in range(start, stop):
        if position >= end:
            close_line(block, max(begin, first), n, n)
            begin = n
            while position >= end:
                line += 1
                end = starts[line + 1]
            left_out = is_left_out(sampling, line)
        if left_out:
            heldout += 1
        elif is_kept(sampling, position):
            radius = 1 + int(uniform(sampling.radius_key, position) * sampling.window)
            radius = min(radius, margin)
            block.ids[n] = sampling.ids[position]
            block.positions[n] = position
            block.left[n] = max(begin, n - radius)
            block.right[n] = n + radius + 1
            n += 1
        else:
            subsampled += 1
    last, position = n, stop
    while position < end and n - last < margin and not left_out:
        if is_kept(sampling, position):
            block.ids[n] = sampling.ids[position]
            n += 1
        position += 1
    close_line(block, max(begin, first), last, n)
    return Extent(first, last, n, heldout, subsampled)


def keep_probability(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Return the probability with which each occurrence of a word is kept.

    With f the share of the word in the text and t = `sample`::

        keep = min(1, (√(f/t) + 1) · t/f)

    This is the rule of the word2vec program. The paper it belongs to prints the other form
    1 - √(t/f) for the probability of leaving out (Mikolov et al. 2013, "Distributed
    representations of words and phrases", section 2.3).

    Parameters
    ----------
    counts : (V,) int64
        Occurrences of each word.
    sample : float
        t, a share of the text; 0 keeps every occurrence.

    Returns
    -------
    (V,) float64
    """
    if sample == 0:
        return np.ones(len(counts))
    f = counts / counts.sum()
    ratio = sample / np.maximum(f, np.finfo(np.float64).tiny)
    keep: NDArray[np.float64] = np.minimum(1.0, np.sqrt(ratio) + ratio)
    return keep


def target_distribution(
    counts: NDArray[np.int64], keep: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each word among the targets.

    Subsampling changes which words the network must predict, so the unigram baseline has to be
    that of the thinned text: against the full text every model would look better than it is.

    Parameters
    ----------
    counts : (V,) int64
    keep : (V,) float64
        From `keep_probability`.

    Returns
    -------
    (V,) float64
        Positive where the count is, with sum 1.
    """
    weight = counts * keep
    share: NDArray[np.float64] = weight / weight.sum()
    return share


def share_kept(counts: NDArray[np.int64], keep: NDArray[np.float64]) -> float:
    """Return the share of the tokens that is expected to be kept, with `keep_probability`."""
    return float((counts * keep).sum() / counts.sum())


def entropy(p: NDArray[np.float64]) -> float:
    """H = -Σ p log p in nats, with 0 log 0 = 0."""
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())


# Examples, shuffled, in batches.


class Windows(NamedTuple):
    """Windows over some tokens: the tokens left ≤ j < right without j = centre."""

    centre: NDArray[np.int64]  # (n,)
    left: NDArray[np.int64]  # (n,)
    right: NDArray[np.int64]  # (n,)

    def take(self, chosen: NDArray[np.int64]) -> Windows:
        """Return the windows of the chosen rows, in that order."""
        return Windows(self.centre[chosen], self.left[chosen], self.right[chosen])


def context_positions(windows: Windows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the tokens of every window one after the other.

    Parameters
    ----------
    windows : Windows
        n windows.

    Returns
    -------
    positions : (nnz,) integers
        Token positions, from left to right within each window.
    indptr : (n + 1,) integers
        Window i is ``positions[indptr[i]:indptr[i + 1]]``.
    """
    size = windows.right - windows.left - 1
    indptr = np.concatenate(([0], np.cumsum(size)))
    # Count up from each window's left edge, and step over the centre once it is reached.
    positions = np.arange(indptr[-1]) + np.repeat(windows.left - indptr[:-1], size)
    positions += positions >= np.repeat(windows.centre, size)
    return positions, indptr


@dataclass(eq=False)
class ExampleSource:
    """Draws the examples of any epoch from a corpus."""

    corpus: EncodedCorpus
    window: int  #: the largest radius
    sample: float  #: see `keep_probability`
    heldout: float  #: share of the lines that are held out
    seed: int

    def __post_init__(self) -> None:
        self.keep = keep_probability(self.corpus.vocabulary.counts, self.sample)  # (V,)
        self.margin = min(self.window, int(np.diff(self.corpus.line_starts).max()))

    def sampling(self, epoch: int, *, heldout: bool = False) -> Sampling:
        """Return what decides about the tokens of an epoch; see `epoch`."""
        return Sampling(
            self.corpus.ids, np.asarray(self.corpus.line_starts), self.keep,
            float(self.heldout), heldout, self.window, self.margin,
            stream(self.seed, Purpose.HELDOUT),
            stream(self.seed, Purpose.SUBSAMPLE, epoch),
            stream(self.seed, Purpose.RADIUS, epoch),
        )  # fmt: skip

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
        # `POOL` blocks are shuffled together, or as many as fill two batches.
        together = max(POOL, math.ceil(2 * batch / (BLOCK * self.share_kept())))
        order = stream(self.seed, Purpose.ORDER_OF_EXAMPLES, epoch)
        sampling = self.sampling(epoch, heldout=heldout)
        pools = np.array_split(drawn, -(-blocks // together))
        for done, pool in enumerate(pools):
            ids, positions, windows = self._read_pool(
                sampling, [(bounds[b], bounds[b + 1]) for b in pool], tally
            )
            self.corpus.release()
            shuffled = np.argsort(uniform(order, positions))
            parts = max(1, round(len(shuffled) / batch))
            for i, chosen in enumerate(np.array_split(shuffled, parts)):
                if len(chosen):
                    these = windows.take(chosen)
                    context, indptr = context_positions(these)
                    share = (done + (i + 1) / parts) / len(pools)
                    yield Batch(ids[context], indptr, ids[these.centre]), share

    def _read_pool(
        self, sampling: Sampling, bounds: list[tuple[int, int]], tally: Tally
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], Windows]:
        """Read some blocks: their tokens, the positions of the targets, and their windows."""
        M = max(stop - start for start, stop in bounds) + 2 * self.margin
        block = Block(
            np.empty(M, np.int32), np.empty(M, np.int64), np.empty(M, np.int32),
            np.empty(M, np.int32),
        )  # fmt: skip
        ids, positions, edges, read = [], [], [], 0
        for start, stop in bounds:
            with np.errstate(over="ignore"):  # random numbers wrap around, if nothing is compiled
                first, last, n, heldout, subsampled = read_block(sampling, start, stop, block)
            left, right = block.left[first:last], block.right[first:last]
            centre = first + np.flatnonzero(right - left > 1)  # of tokens that have a context
            tally.add(
                Tally(stop - start, heldout, subsampled, last - first - len(centre), len(centre))
            )
            ids.append(block.ids[:n].copy())
            positions.append(block.positions[centre])
            edges.append(read + np.stack([centre, block.left[centre], block.right[centre]]))
            read += n
        return np.concatenate(ids), np.concatenate(positions), Windows(*np.hstack(edges))

    def compile(self) -> None:
        """Compile what reads blocks, or fetch it from its cache, by reading one token."""
        self._read_pool(self.sampling(0), [(0, 1)], Tally())

    def heldout_batches(self, batch: int) -> Iterator[Batch]:
        """Yield the held-out examples: always the same draw, so that losses can be compared."""
        for drawn, _ in self.epoch(0, batch, Tally(), heldout=True):
            yield drawn

    def share_kept(self) -> float:
        """Return the share of the tokens that subsampling is expected to leave."""
        return share_kept(self.corpus.vocabulary.counts, self.keep)
