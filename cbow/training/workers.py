"""What a worker does, wherever it runs: count its shard, encode it, learn a round, measure a loss.

Every function here takes the number k of the worker and all that its result depends on. What a
worker keeps, it keeps to be quick: if its process dies, another one reads the shard again and
returns the same bytes. No engine is known here; see `cbow.training.engines`.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from cbow.config import Config
from cbow.errors import ClusterError, CorpusError
from cbow.network import Parameters, cbow_network
from cbow.system.arrays import Counts, Doubles
from cbow.system.interrupts import Interrupts
from cbow.system.threads import processors, single_threaded_blas, thread_pool
from cbow.text import EncodedCorpus, Sources, TokenAccount, Tokenizer, Vocabulary
from cbow.text.encoded import CountedText, Seen, ids_in, working_folder
from cbow.training.combining import (
    Change,
    Piece,
    Sums,
    changed,
    combine_rows,
    joined,
    keep_means,
    part_of,
)
from cbow.training.composed import Composed, features_for
from cbow.training.defaults import SAMPLED_B1_START, Fitted
from cbow.training.examples import ExampleSource
from cbow.training.kernels import Purpose, Tables, stream
from cbow.training.losses import Losses, unigram_sums
from cbow.training.sampled.step import move_centre
from cbow.training.sampled.trainer import Learned, SampledTrainer
from cbow.training.state import RateOf


class Shards(NamedTuple):
    """A text that is dealt out."""

    run: str  #: a name that no other training has
    config: Config
    tokenizer: Tokenizer | None  #: in place of that of the configuration
    sources: Sequence[Sources]  #: of each worker


class Task(NamedTuple):
    """What the workers learn."""

    shards: Shards
    vocabulary: Vocabulary
    fingerprints: Sequence[str]  #: of the encoded shards
    config: Config  #: with the settings that depend on the text
    fitted: Fitted
    rounds: int  #: of an epoch
    dtype: np.dtype[Any]  #: of the parameters
    probe: int  #: examples whose exact loss stands for the rest


class Counted(NamedTuple):
    """What a worker found in its shard."""

    words: list[str]  #: the distinct ones
    counts: Counts
    seen: Seen
    notices: list[str]  #: sentences on what it looks like


class Encoded(NamedTuple):
    """What a worker has kept of its shard."""

    tokens: int
    lines: int
    fingerprint: str


class Shard:
    """A shard as ids on the disk of its worker, and what learns from it.

    Parameters
    ----------
    k : int
    shards : Shards

    Attributes
    ----------
    counted : Counted
    tokens : int or None
        That are kept, once it is encoded.
    trainer : SampledTrainer
        Once it is prepared, if there are tokens.
    """

    def __init__(self, k: int, shards: Shards) -> None:
        notices: list[str] = []
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(working_folder(shards.config.work_folder))
            self.text = stack.enter_context(
                CountedText(shards.sources[k], shards.config, folder, shards.tokenizer)
            )
            self.text.count(None, notices.append)
            threads = shards.config.threads or processors()
            self.pool, self.threads = stack.enter_context(thread_pool(threads))
            self.stack = stack.pop_all()
        numbering = self.text.numbering
        numbers = np.flatnonzero(numbering.counts())
        words, counts = numbering.words(numbers), numbering.counts()[numbers]
        self.counted = Counted(words, counts, self.text.seen, notices)
        self.tokens: int | None = None
        self.trainer: SampledTrainer | None = None

    def encode(self, vocabulary: Vocabulary) -> Encoded:
        """Write the tokens by the ids of the vocabulary of all shards."""
        ids, line_starts = self.text.write(ids_in(vocabulary, self.text.numbering))
        self.tokens = len(ids)
        self.corpus = EncodedCorpus(ids, line_starts, vocabulary, TokenAccount())
        self.stack.callback(self.corpus.close)
        del self.text, self.counted  # they know every word
        return Encoded(len(ids), len(line_starts) - 1, self.corpus.fingerprint())

    def prepare(self, k: int, task: Task) -> None:
        """Make what learns from the shard; of parameters it knows nothing but the dtype."""
        config, fitted = task.config.replace({"seed": seed_of(task.config.seed, k)}), task.fitted
        source = ExampleSource(
            self.corpus, fitted.window, fitted.sample, config.heldout, config.seed
        )
        self.trainer = SampledTrainer(
            config, fitted, Parameters(*[np.empty((0, 0), task.dtype)] * 4), source,
            features_for(config, task.vocabulary.words)[1], self.pool, self.threads, task.rounds,
        )  # fmt: skip


#: The shards that this process has read, by the run and the number of the worker.
_kept: Final[dict[tuple[str, int], Shard]] = {}

#: How many calls for each training are under way in this process, and which trainings are over.
_under_way: Final[Counter[str]] = Counter()
_over: Final[set[str]] = set()
_lock: Final = threading.Lock()


def parameters_of(tables: Tables) -> Parameters:
    """Return tables as the arrays of two layers, without a copy."""
    W1T, b1, W2, b2 = tables
    return Parameters(W1T.T, b1[:, None], W2, b2[:, None])


def seed_of(seed: int, k: int) -> int:
    """Return the seed of a worker; that of the first is that of the training."""
    return int(stream(seed, Purpose.WORKER, k) >> np.uint64(1)) if k else seed


@contextlib.contextmanager
def _keeping(run: str) -> Iterator[None]:
    """Keep the shards of a training inside the block, even if it is over meanwhile.

    Raises
    ------
    ClusterError
        If it is over already, which nobody waits to hear.
    """
    with _lock:
        if run in _over:
            raise ClusterError("the training is over; start another one")
        _under_way[run] += 1
    try:
        yield
    finally:
        with _lock:
            _under_way[run] -= 1
        _let_go(run)


def count(k: int, shards: Shards) -> Counted:
    """Read a shard, and count its words."""
    with _keeping(shards.run):
        shard = _kept[shards.run, k] = Shard(k, shards)
        return shard.counted


def encode(k: int, shards: Shards, vocabulary: Vocabulary) -> Encoded:
    """Encode a shard that was counted."""
    with _keeping(shards.run):
        shard = _kept.get((shards.run, k))
        if shard is None or shard.tokens is not None:  # another process counted it, or died here
            count(k, shards)
        return _kept[shards.run, k].encode(vocabulary)


@contextlib.contextmanager
def _ready(k: int, task: Task) -> Iterator[SampledTrainer | None]:
    """Yield what learns from a shard; None if there is nothing to learn from.

    Raises
    ------
    CorpusError
        If the shard had to be read again, and is another one now.
    """
    with _keeping(task.shards.run):
        shard = _kept.get((task.shards.run, k))
        if shard is None or shard.tokens is None:
            if encode(k, task.shards, task.vocabulary).fingerprint != task.fingerprints[k]:
                raise CorpusError(
                    f"the text of worker {k + 1}, {task.shards.sources[k].name}, was read again "
                    "after its process had died, and is not what it was; give the text as it was, "
                    "and resume from a checkpoint, or train anew"
                )
            shard = _kept[task.shards.run, k]
        if shard.trainer is None and shard.tokens:
            shard.prepare(k, task)
        with single_threaded_blas(), np.errstate(under="ignore"):
            yield shard.trainer


def learn(
    k: int, task: Task, pieces: Sequence[Piece], rate_of: RateOf, epoch: int, portion: int
) -> tuple[Change | Learned | None, ...]:
    """Learn a portion of an epoch of a shard, from the parameters that all workers start from.

    Returns
    -------
    Change
        What it has made of each piece of the parameters; None if the shard is empty.
    Learned
        As the last; None if the shard is empty.
    """
    p = len(pieces)
    with _ready(k, task) as trainer:
        if trainer is None:
            return (None,) * (p + 1)
        tables = joined([piece.tables for piece in pieces])
        move_centre(tables, SAMPLED_B1_START)
        learned = trainer.learn(tables, epoch, portion, rate_of)
        changes = [changed(piece.tables, part_of(tables, o, p)) for o, piece in enumerate(pieces)]
        return *changes, learned


def combine(o: int, piece: Piece, changes: Sequence[Change]) -> tuple[Tables, Sums]:
    """Combine what workers have made of a piece, whose output layer they had centred."""
    with single_threaded_blas():
        return combine_rows(Piece(_moved(piece.tables, SAMPLED_B1_START), piece.r), changes)


def settle(o: int, piece: Piece, combined: Tables, sums: Sequence[Sums]) -> Piece:
    """Return a piece as the next round begins with it: `keep_means`, and no longer centred."""
    return Piece(_moved(keep_means(combined, sums), -SAMPLED_B1_START), piece.r)


def _moved(tables: Tables, c: float) -> Tables:
    """Return tables after `move_centre`; no task may change what another one returned."""
    tables = tables._replace(b2=tables.b2.copy())
    move_centre(tables, c)
    return tables


def measure(
    k: int, task: Task, pieces: Sequence[Piece], batches: int, heldout: bool
) -> tuple[float, int]:
    """Return the exact loss of so many batches of a shard, and their examples: `Losses.sums`."""
    if not batches:
        return 0.0, 0
    with _ready(k, task) as trainer:
        if trainer is None:
            return 0.0, 0
        network = cbow_network(task.config.activation)
        parameters = parameters_of(joined([piece.tables for piece in pieces]))
        composed = Composed(parameters, trainer.features)
        losses = Losses(network, composed, trainer.source, trainer.pool, Interrupts(), task.probe)
        return losses.sums(batches, heldout=heldout)


def measure_unigram(k: int, task: Task, log_p: Doubles) -> tuple[float, int]:
    """Return the loss of the word frequencies on the held-out lines: `unigram_sums`."""
    with _ready(k, task) as trainer:
        if trainer is None:
            return 0.0, 0
        return unigram_sums(trainer.source, log_p, task.fitted.batch)


def forget(run: str) -> None:
    """Let go of the shards of a training that is over, and of their files.

    Where a call is under way, as Dask lets others go on after the error of one, that is done when
    it ends.
    """
    with _lock:
        _over.add(run)
    _let_go(run)


def _let_go(run: str) -> None:
    """Close the shards of a training if it is over, and no call for it is under way."""
    with _lock:
        if run not in _over or _under_way[run]:
            return
        del _under_way[run]
        shards = [_kept.pop(key) for key in [*_kept] if key[0] == run]
    for shard in shards:
        shard.stack.close()
