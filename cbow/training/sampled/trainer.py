"""Learning an epoch by candidates: which blocks, in which order, at which rate."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import Config
from cbow.network import Parameters
from cbow.network.activations import ACTIVATIONS
from cbow.system.arrays import Longs
from cbow.system.threads import share_out
from cbow.text.ngrams import Features
from cbow.training.composed import in_parts
from cbow.training.defaults import B1_RATE, SAMPLED_B1_START, Fitted
from cbow.training.examples import ExampleSource, Tally
from cbow.training.kernels import Purpose, Tables, stream, tables_of, uniform
from cbow.training.sampled.noise import make_noise
from cbow.training.sampled.step import (
    ABANDONED,
    Rates,
    Sums,
    Unit,
    Work,
    centred,
    make_buffers,
    make_sums,
    run_steps,
)
from cbow.training.state import Portion, RateOf, State

#: Tokens of text that lie together, and how many such stretches from random places make a pool.
#: The blocks of a pool are shuffled; a pool is one portion of the work.
STRETCH: Final = 2**12
POOL: Final = 128

#: The learning rate of W1 beside that of W2: its gradient is divided by the size of each context,
#: and where words are made of n-grams, by the number of these as well.
W1_RATE: Final = 4.0
NGRAMS_W1_RATE: Final = 64.0


class Geometry(NamedTuple):
    """How a text is cut up."""

    bounds: NDArray[np.int64]  #: (blocks + 1,) block b is the tokens bounds[b]:bounds[b + 1]
    per_stretch: int  #: blocks that lie together
    blocks_per_step: int  #: K
    pools: int  #: of an epoch


def cut_up(
    tokens: int, share_kept: float, block: int, batch: int, pools: int | None = None
) -> Geometry:
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
    pools : int, optional
        Of an epoch. Stretches are then so short that there is one for each, as far as there are
        blocks.
    """
    blocks = max(1, round(tokens * share_kept / block))
    # fewer if some would be empty
    bounds = np.unique(np.linspace(0, tokens, blocks + 1).astype(np.int64))
    per_stretch = max(1, round(STRETCH * share_kept / block))
    if pools is not None:
        per_stretch = max(1, min(per_stretch, (len(bounds) - 1) // pools))
    stretches = -(-(len(bounds) - 1) // per_stretch)
    return Geometry(
        bounds,
        per_stretch,
        min(blocks, max(1, round(batch / block))),
        -(-stretches // POOL) if pools is None else pools,
    )


class Learned(NamedTuple):
    """What came of a portion, beside the parameters."""

    loss: float  #: nats, summed over the examples
    tally: Tally
    fired: Longs  #: (N,) examples on which each unit passed the gradient on
    steps: int
    rate: float  #: of the last step

    def add_to(self, state: State, share: float) -> Portion:
        """Add it to the state of the epoch, of which a share is done, if the loss is finite."""
        examples = self.tally.examples
        if math.isfinite(self.loss):
            state.tally.add(self.tally)
            state.measures.add_sampled(self.loss, examples, self.steps, self.fired)
            state.portions += 1
            state.rate = self.rate
        return Portion(share, self.loss / max(1, examples), self.steps)


class SampledTrainer:
    """Learns from blocks of text; a portion is a pool of them. See `cbow.training.state.Trainer`.

    Parameters
    ----------
    config : Config
    fitted : Fitted
        Of it the batch, kept tokens of a step, and the candidates.
    parameters : Parameters
        Are changed in place.
    source : ExampleSource
    features : Features
        What the vector of each word is the mean of.
    pool : Executor
        Has `threads` threads.
    threads : int
    pools : int, optional
        Of an epoch; as many as `POOL` asks for if not given.
    """

    keep_every = 64

    def __init__(
        self,
        config: Config,
        fitted: Fitted,
        parameters: Parameters,
        source: ExampleSource,
        features: Features,
        pool: Executor,
        threads: int,
        pools: int | None = None,
    ) -> None:
        dtype = parameters.W2.dtype
        corpus = source.corpus
        self.config = config
        self.parameters = parameters
        self.source = source
        self.features = features
        self.pool = pool
        self.geometry = cut_up(
            len(corpus.ids), source.share_kept(), config.block, fitted.batch, pools
        )
        self.noise = make_noise(corpus.vocabulary.counts, fitted.candidates, dtype)
        most = int(np.diff(features.indptr).max())  # features of a word
        self.in_parts = in_parts(features) if most > 1 else features
        self.buffers = make_buffers(
            self.geometry.blocks_per_step,
            min(threads, self.geometry.blocks_per_step),
            int(np.diff(self.geometry.bounds).max()),
            source.margin,
            (config.dimension, fitted.candidates),
            dtype,
            most,
        )
        slope, centre = ACTIVATIONS[config.activation].slope, SAMPLED_B1_START
        self.unit = Unit(dtype.type(slope), dtype.type(centre))
        self.threads = min(threads, self.geometry.blocks_per_step)
        self._pools_of = functools.lru_cache(maxsize=1)(self.pools)  # a portion takes one of them

    def portions(self, state: State, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the pools of an epoch that `state` does not have yet."""
        pools = self.pools(state.epoch)
        blocks, done = len(self.geometry.bounds) - 1, sum(map(len, pools[: state.portions]))
        for pool in range(state.portions, len(pools)):
            with centred(tables_of(self.parameters), self.unit.centre) as tables:
                learned = self.learn(tables, state.epoch, pool, rate_of)
            done += len(pools[pool])
            yield learned.add_to(state, done / blocks)

    def learn(self, tables: Tables, epoch: int, pool: int, rate_of: RateOf) -> Learned:
        """Learn one pool of an epoch.

        Parameters
        ----------
        tables : Tables
            Are changed in place. What they become depends on them and on the other arguments alone.
        epoch, pool : int
        rate_of : callable
        """
        pools = self._pools_of(epoch)
        order, done = pools[pool], sum(map(len, pools[:pool]))
        blocks = len(self.geometry.bounds) - 1
        steps = -(-len(order) // self.geometry.blocks_per_step)
        shares = (done + len(order) * np.arange(steps) / max(1, steps)) / blocks
        rates = [rate_of(share) for share in shares.tolist()]
        sums = self._run(tables, order, epoch, rates)
        self.source.corpus.release()
        tally = Tally(**{name: int(getattr(sums, name)[0]) for name in vars(Tally())})
        fired = sums.fired.astype(np.int64)
        if self.unit.slope > 0:  # a unit below 0 passes its gradient on, too
            fired[:] = tally.examples
        rate = rates[-1] if rates else 0.0
        return Learned(float(sums.loss[0]), tally, fired, steps, rate)

    def pools(self, epoch: int) -> list[NDArray[np.int64]]:
        """Put the blocks into pools, in the order in which an epoch learns them."""
        blocks, together = len(self.geometry.bounds) - 1, self.geometry.per_stretch
        stretches = -(-blocks // together)
        order = stream(self.config.seed, Purpose.ORDER_OF_BLOCKS, epoch)
        drawn = np.argsort(uniform(order, np.arange(stretches)))
        shuffle = stream(self.config.seed, Purpose.ORDER_IN_POOL, epoch)
        pools = []
        for some in np.array_split(drawn, self.geometry.pools):
            all_of = (some[:, None] * together + np.arange(together)).ravel()
            these = all_of[all_of < blocks]
            pools.append(these[np.argsort(uniform(shuffle, these))])
        return pools

    def compile(self) -> None:
        """Compile the kernels, or fetch them from their cache, by learning from no blocks."""
        self._run(tables_of(self.parameters), np.empty(0, np.int64), 0, [])

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays of the optimizer by name: plain gradient descent has none."""
        return {}

    def _run(
        self, tables: Tables, order: NDArray[np.int64], epoch: int, rates: list[float]
    ) -> Sums:
        """Let all threads make the steps of a pool, each at its rate."""
        w1_rate = NGRAMS_W1_RATE if self.config.ngrams else W1_RATE
        with np.errstate(over="ignore"):  # an infinite rate shows in the loss
            alpha = np.array(rates, tables.W2.dtype)  # (steps,)
            of_tables = Rates(*(alpha * alpha.dtype.type(x) for x in (w1_rate, B1_RATE, 1.0, 1.0)))
        work = Work(
            self.source.sampling(epoch), self.geometry.bounds, tables, self.in_parts,
            self.unit, self.noise,
            stream(self.config.seed, Purpose.CANDIDATES, epoch), self.buffers,
            of_tables,
        )  # fmt: skip
        padded = np.concatenate([order, np.full(-len(order) % self.geometry.blocks_per_step, -1)])
        reached = np.zeros((self.threads, 8), np.int64)
        sums = make_sums(self.config.dimension)

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
