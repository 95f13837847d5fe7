"""Learning an epoch by candidates: which blocks, in which order, at which rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import Config
from cbow.network import Parameters
from cbow.network.activations import ACTIVATIONS
from cbow.system.processors import share_out
from cbow.training.barrier import ABANDONED
from cbow.training.examples import ExampleSource, Tally
from cbow.training.kernels import Tables, tables_of
from cbow.training.objective import B1_RATE, SAMPLED_B1_START
from cbow.training.randomness import Purpose, stream, uniform
from cbow.training.sampled.blocks import Keys, Text, Window
from cbow.training.sampled.noise import make_noise
from cbow.training.sampled.step import Rates, Unit, Work, centred, make_rooms, run_steps
from cbow.training.state import DivergedError, EpochState, Portion, RateOf

#: Tokens of text that lie together, and how many such stretches from random places make a pool.
#: The blocks of a pool are shuffled; a pool is one portion of the work.
STRETCH: Final = 2**12
POOL: Final = 128

#: The learning rate of W1 beside that of W2: its gradient is divided by the size of each context.
W1_RATE: Final = 4.0


class Geometry(NamedTuple):
    """How a text is cut up."""

    bounds: NDArray[np.int64]  #: (blocks + 1,) block b is the tokens bounds[b]:bounds[b + 1]
    per_stretch: int  #: blocks that lie together
    blocks_per_step: int  #: K


def cut_up(tokens: int, share_kept: float, block: int, batch: int) -> Geometry:
    """Cut a text into blocks of equal size, of which `block` tokens are kept on average.

    Parameters
    ----------
    tokens : int
        Of the text.
    share_kept : float
        By subsampling, on average.
    block : int
        Kept tokens of a block.
    batch : int
        Kept tokens of a step.
    """
    blocks = max(1, round(tokens * share_kept / block))
    bounds = np.linspace(0, tokens, blocks + 1).astype(np.int64)
    return Geometry(
        np.unique(bounds),  # fewer blocks if some would be empty
        max(1, round(STRETCH * share_kept / block)),
        min(blocks, max(1, round(batch / block))),
    )


class SampledTrainer:
    """Learns from blocks of text; a portion is a pool of them. See `cbow.training.state.Trainer`.

    Parameters
    ----------
    config : Config
    parameters : Parameters
        Are changed in place.
    source : ExampleSource
    batch : int
        Kept tokens of a step, about.
    pool : Executor
        Has `threads` threads.
    threads : int
    """

    keep_every = 64

    def __init__(
        self,
        config: Config,
        parameters: Parameters,
        source: ExampleSource,
        batch: int,
        pool: Executor,
        threads: int,
    ) -> None:
        dtype = parameters.W2.dtype
        corpus = source.corpus
        self.config = config
        self.parameters = parameters
        self.source = source
        self.pool = pool
        self.geometry = cut_up(len(corpus.ids), source.share_kept(), config.block, batch)
        self.text = Text(
            corpus.ids, np.asarray(corpus.line_starts), source.keep, float(source.heldout)
        )
        self.noise = make_noise(corpus.vocabulary.counts, config.candidates, dtype)
        longest_line = int(np.diff(self.text.line_starts).max())
        self.window = Window(config.window, min(config.window, longest_line))
        self.rooms = make_rooms(
            self.geometry.blocks_per_step,
            int(np.diff(self.geometry.bounds).max()),
            self.window.margin,
            (config.dimension, config.candidates),
            dtype,
        )
        slope, centre = ACTIVATIONS[config.activation].slope, SAMPLED_B1_START
        self.unit = Unit(dtype.type(slope), dtype.type(centre))
        self.threads = min(threads, self.geometry.blocks_per_step)

    def portions(self, state: EpochState, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the pools of an epoch that `state` does not have yet."""
        keys = self.keys(state.epoch)
        pools = self.pools(state.epoch)
        done = sum(len(order) for order in pools[: state.portions])
        blocks = len(self.geometry.bounds) - 1
        for order in pools[state.portions :]:
            steps = -(-len(order) // self.geometry.blocks_per_step)
            shares = (done + len(order) * np.arange(steps) / steps) / blocks
            rates = [rate_of(share) for share in shares.tolist()]
            sums = self.learn(order, keys, rates)
            self.source.corpus.release()
            loss, examples = float(sums[0]), int(sums[1])
            if not math.isfinite(loss):
                raise DivergedError(f"the loss became {loss:g}")
            self._count(state, sums, steps)
            done += len(order)
            state.portions += 1
            state.rate = rates[-1]
            yield Portion(done / blocks, loss / max(1, examples), steps)

    def keys(self, epoch: int) -> Keys:
        """Return the streams of random numbers of an epoch."""
        seed = self.config.seed
        return Keys(
            np.uint64(stream(seed, Purpose.HELDOUT)),
            np.uint64(stream(seed, Purpose.SUBSAMPLE, epoch)),
            np.uint64(stream(seed, Purpose.RADIUS, epoch)),
            np.uint64(stream(seed, Purpose.CANDIDATES, epoch)),
        )

    def pools(self, epoch: int) -> list[NDArray[np.int64]]:
        """Put the blocks into pools, in the order in which an epoch learns them."""
        blocks, together = len(self.geometry.bounds) - 1, self.geometry.per_stretch
        stretches = -(-blocks // together)
        order = stream(self.config.seed, Purpose.ORDER_OF_BLOCKS, epoch)
        drawn = np.argsort(uniform(order, np.arange(stretches)))
        shuffle = stream(self.config.seed, Purpose.ORDER_IN_POOL, epoch)
        pools = []
        for some in np.array_split(drawn, -(-stretches // POOL)):
            all_of = (some[:, None] * together + np.arange(together)).ravel()
            these = all_of[all_of < blocks]
            pools.append(these[np.argsort(uniform(shuffle, these))])
        return pools

    def learn(
        self, order: NDArray[np.int64], keys: Keys, rates: list[float]
    ) -> NDArray[np.float64]:
        """Make the steps of a pool, and give the sums of `run_steps`."""
        with centred(self.parameters, self.unit.centre) as tables:
            return self._run(tables, order, keys, rates)

    def compile(self) -> None:
        """Compile the kernels, or fetch them from their cache, by learning from no blocks."""
        self._run(tables_of(self.parameters), np.empty(0, np.int64), self.keys(0), [])

    def _run(
        self, tables: Tables, order: NDArray[np.int64], keys: Keys, rates: list[float]
    ) -> NDArray[np.float64]:
        """Let all threads make the steps."""
        padded = np.concatenate([order, np.full(-len(order) % self.geometry.blocks_per_step, -1)])
        reached = np.zeros((self.threads, 8), np.int64)
        sums = np.zeros(6 + self.config.dimension)
        work = self._work(tables, keys, rates)

        def steps(thread: int) -> None:
            try:
                run_steps(work, padded, thread, reached, sums)
            except BaseException:
                reached[thread, 0] = ABANDONED  # the others wait for it
                raise

        try:
            share_out(self.pool, steps, ((thread,) for thread in range(self.threads)))
        except BaseException:
            reached[:, 0] = ABANDONED  # by those too that were never handed out
            raise
        return sums

    def _work(self, tables: Tables, keys: Keys, rates: list[float]) -> Work:
        """Return what the steps of a portion share, with the rates of each step."""
        with np.errstate(over="ignore"):  # an infinite rate shows in the loss
            alpha = np.array(rates, tables.W2.dtype)  # (steps,)
        factors = (W1_RATE, B1_RATE, 1.0, 1.0)
        return Work(
            self.text, keys, self.window, self.geometry.bounds, tables, self.unit,
            self.noise, self.rooms, Rates(*(alpha * alpha.dtype.type(x) for x in factors)),
        )  # fmt: skip

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name: plain gradient descent has none."""
        return {}

    def _count(self, state: EpochState, sums: NDArray[Any], steps: int) -> None:
        """Add what the kernels counted to the state of the epoch."""
        examples, heldout, subsampled, isolated, tokens = sums[1:6].astype(np.int64).tolist()
        state.tally.add(Tally(tokens, heldout, subsampled, isolated, examples))
        fired = sums[6:].astype(np.int64)
        if self.unit.slope > 0:  # a unit below 0 passes its gradient on, too
            fired[:] = examples
        state.measures.add_sampled(float(sums[0]), examples, steps, fired)
