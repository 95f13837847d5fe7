"""The same training by several workers: rounds, in which each learns a portion of its own shard.

In a round every worker starts from the same parameters and makes the steps of one portion of an
epoch of its shard, just as it would alone. Then their changes are combined
(`cbow.training.combining`), by the workers themselves. For the loop, a round is a portion like any
other: the falling rate, losses, checkpoints, resuming and Ctrl-C are those of one machine.

How many rounds an epoch has. The fewer, the farther workers drift apart between two: at 8 workers
and 17 million tokens 16 rounds cost a little quality, 4 much more (docs/cluster.md). The more, the
more is sent. So there are 16 at least, and up to 64 as long as a worker has a million tokens in
each: some seconds of work.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import Config
from cbow.errors import ClusterError, ConfigError
from cbow.network import Parameters
from cbow.system.arrays import Doubles
from cbow.text import Corpus, Phrase, TokenAccount, Tokenizer, Vocabulary, find_sources
from cbow.text.encoded import choose
from cbow.text.ngrams import Features
from cbow.text.shards import deal, merged, seen_together
from cbow.text.tokenizers import line_tokenizer
from cbow.training.combining import cut, part_of
from cbow.training.defaults import Fitted
from cbow.training.engines import Engine, Result, call_all, engine_for, retried
from cbow.training.examples import Tally, keep_probability, share_kept
from cbow.training.kernels import tables_of
from cbow.training.losses import TOGETHER, heldout_mean, mean
from cbow.training.observer import Observer
from cbow.training.sampled.trainer import Learned, cut_up
from cbow.training.state import Portion, RateOf, State
from cbow.training.workers import (
    Encoded,
    Shards,
    Task,
    combine,
    count,
    encode,
    forget,
    learn,
    measure,
    measure_unigram,
    settle,
)

#: Rows of W1ᵀ of a piece of the parameters, at least, and how many pieces there are at most.
PIECE: Final = 10_000
MOST_PIECES: Final = 16

#: Rows of W1ᵀ up to which the parameters come here after every round; of more, after every 16th.
FEW_ROWS: Final = 100_000

#: Rounds of an epoch, at least and at most, and the tokens of a worker that one more is worth.
FEWEST: Final = 16
MOST: Final = 64
TOKENS: Final = 2**20


def rounds_of(tokens: int, workers: int) -> int:
    """Return how many rounds an epoch has, if nothing else is said; see above.

    Examples
    --------
    >>> rounds_of(17_000_000, 8), rounds_of(300_000_000, 8), rounds_of(300_000_000, 4)
    (16, 35, 64)
    """
    return max(FEWEST, min(MOST, tokens // (workers * TOKENS)))


def reason_for(rounds: int, config: Config) -> str:
    """Say why an epoch has so many rounds.

    Examples
    --------
    >>> reason_for(16, Config(workers=8))
    'the fewest: a worker has less than a million tokens in each'
    """
    if config.rounds is not None:
        return "as rounds / --rounds says"
    if config.workers == 1:
        return "one worker, which does what is done without any"
    if rounds == MOST:
        return "the most: a worker has a million tokens or more in each"
    if rounds == FEWEST:
        return "the fewest: a worker has less than a million tokens in each"
    return "a worker has about a million tokens in each"


class ShardedCorpus(NamedTuple):
    """A text that workers have encoded, each its shard: what `EncodedCorpus` is on one machine."""

    engine: Engine
    shards: Shards
    vocabulary: Vocabulary
    account: TokenAccount
    encoded: Sequence[Encoded]  #: of each worker
    phrases: Sequence[Phrase] = ()

    @property
    def tokens(self) -> int:
        """How many tokens are kept."""
        return sum(each.tokens for each in self.encoded)

    @property
    def lines(self) -> int:
        """How many lines hold one of them."""
        return sum(each.lines for each in self.encoded)

    def task(self, config: Config, fitted: Fitted, dtype: np.dtype[Any], probe: int) -> Task:
        """Return what the workers learn, with the settings that depend on the text."""
        counts, rounds = self.vocabulary.counts, config.rounds
        blocks = max(1, self.tokens // config.block)
        if rounds is not None and rounds > blocks:
            raise ConfigError(
                f"rounds is {rounds:,}, but an epoch of this text has no more than {blocks:,} "
                f"blocks of {config.block} tokens to share out; give fewer, or leave rounds out"
            )
        if rounds is None and len(self.encoded) > 1:
            rounds = rounds_of(self.tokens, len(self.encoded))
        if rounds is None:  # one worker does what is done without any
            kept = share_kept(counts, keep_probability(counts, fitted.sample))
            rounds = cut_up(self.tokens, kept, config.block, fitted.batch).pools
        known = [each.fingerprint for each in self.encoded]
        return Task(self.shards, self.vocabulary, known, config, fitted, rounds, dtype, probe)

    def fingerprint(self) -> str:
        """Return SHA-256 of the fingerprints of the shards; of one shard, that of the text."""
        known = [each.fingerprint for each in self.encoded]
        return known[0] if len(known) == 1 else hashlib.sha256("".join(known).encode()).hexdigest()


@contextlib.contextmanager
def sharded(
    corpus: Corpus, config: Config, tokenizer: Tokenizer | None, observer: Observer
) -> Iterator[ShardedCorpus]:
    """Let workers read a text, and keep their shards for the duration of the block.

    Words and counts are those of one machine: each worker counts those of its shard, the counts are
    added up, and the vocabulary is chosen by them.

    Raises
    ------
    ConfigError
        If workers cannot do what is asked, or there is no engine for them.
    CorpusError
        As `encode_corpus` does, and for a text that is not in files.
    """
    if config.phrases:
        raise ConfigError(
            f"phrases is {config.phrases}, but workers is {config.workers}, and each counts only "
            "the pairs of its own shard; join phrases beforehand, or leave one of the two out"
        )
    if config.objective == "exact":
        raise ConfigError(
            f"objective is exact, but workers is {config.workers}, and they learn by candidates; "
            "set objective to sampled, or leave workers out"
        )
    sources = find_sources(corpus)
    with engine_for(config) as engine, contextlib.ExitStack() as stack:
        config = config.replace({"threads": config.threads or engine.threads})
        dealt = deal(sources, config.workers, config)
        shards = Shards(uuid.uuid4().hex, config, tokenizer, dealt)
        stack.callback(engine.everywhere, forget, shards.run)
        observer.dealt(config.workers, sources.size or 0)
        counted = call_all(engine, count, shards)
        numbering = merged((each.words, each.counts) for each in counted)
        cut = line_tokenizer(config.tokenizer if tokenizer is None else tokenizer, config.keep_case)
        chosen = choose(
            numbering, seen_together([each.seen for each in counted]), sources, config, cut
        )
        for notice in dict.fromkeys(notice for each in counted for notice in each.notices):
            observer.noticed(notice)
        encoded = call_all(engine, encode, shards, chosen.vocabulary)
        text = ShardedCorpus(engine, shards, chosen.vocabulary, chosen.account, encoded)
        chosen.check(text.tokens, text.lines)
        observer.encoded(text.account)
        yield text


class Shared(NamedTuple):
    """Handles of what all workers get."""

    task: Any
    pieces: list[Any]


class Rounds:
    """Learns an epoch round by round; see `cbow.training.state.Trainer`.

    The parameters are here or with the workers, in pieces (`cbow.training.combining`): a round goes
    from pieces to pieces, each worker gets them from those that have them, and nothing of that size
    passes here. They come here where `parameters` are asked for, and go out again with the next
    round. So what is lost with a machine can be made again, from where they were here last.

    Parameters
    ----------
    engine : Engine
    task : Task
    parameters : Parameters
        Are changed in place.
    features : Features
        What the vector of each word is the mean of.
    p : (V,)
        The share of each word among the targets, and so in the contexts.
    """

    def __init__(
        self,
        engine: Engine,
        task: Task,
        parameters: Parameters,
        features: Features,
        p: Doubles,
    ) -> None:
        self.engine = engine
        self.task = task
        # A row of W1ᵀ is met wherever a word is of which it is a feature.
        size = np.diff(features.indptr)  # (V,)
        self.weights = np.bincount(
            features.indices, np.repeat(p / size, size), len(parameters.W1.T)
        )  # (rows of W1ᵀ,)
        self.keep_every = 1 if len(self.weights) <= FEW_ROWS else FEWEST
        self._parameters = parameters
        self._task: Any = None  # a handle of it
        self._shared: Shared | None = None  # if the parameters are with the workers
        self._since: list[Callable[[Shared], Any]] = []  # rounds that `_parameters` lack
        self._state: State | None = None
        self._here: dict[str, Any] = {}  # the state that `_parameters` are of

    @property
    def parameters(self) -> Parameters:
        """The parameters after the last round; they are fetched if they are not here."""
        if self._since:
            pieces = self.with_pieces(lambda shared: self.engine.fetch(shared.pieces))
            for o, piece in enumerate(pieces):
                part = part_of(tables_of(self._parameters), o, len(pieces))
                for table, numbers in zip(part, piece.tables, strict=True):
                    table[...] = numbers
            self._since, self._shared = [], None
        return self._parameters

    def with_pieces(self, function: Callable[[Shared], Result]) -> Result:
        """Return what a function makes of the pieces of the parameters that the workers have.

        If some are lost with a machine, all are made again.

        Raises
        ------
        ClusterError
            If that does not help. State and parameters are then those that were here last.
        """

        def attempt() -> Result:
            """Send what is not there, and call."""
            try:
                if self._task is None:
                    self._task = self.engine.share(self.task)
                if self._shared is None:
                    p = min(self.engine.workers, MOST_PIECES, -(-len(self.weights) // PIECE))
                    pieces = cut(tables_of(self._parameters), self.weights, p)
                    self._shared = Shared(self._task, [self.engine.share(each) for each in pieces])
                    for learn_again in self._since:
                        learn_again(self._shared)
                return function(self._shared)
            except BaseException:
                self._task = self._shared = None
                raise

        try:
            return retried(attempt)
        except ClusterError:
            if self._since:
                vars(self._state).update(self._here)
                self._since = []
            raise

    def portions(self, state: State, rate_of: RateOf) -> Iterator[Portion]:
        """Learn the rounds of an epoch that `state` does not have yet."""
        self._state = state
        for portion in range(state.portions, self.task.rounds):
            if not self._since:
                self._here = copy.deepcopy(vars(state))
            learn = functools.partial(self._round, rate_of, state.epoch, portion)
            learned = self.with_pieces(learn)
            self._since.append(learn)
            yield learned.add_to(state, (portion + 1) / self.task.rounds)

    def _round(self, rate_of: RateOf, epoch: int, portion: int, shared: Shared) -> Learned:
        """Let all workers learn a portion, and combine what they have made of the pieces."""
        start, fetch = self.engine.start, self.engine.fetch
        task, pieces = shared
        arguments = (task, pieces, rate_of, epoch, portion)
        made = start(learn, [arguments] * self.engine.workers, len(pieces) + 1)
        tally, fired = Tally(), np.zeros(self.task.config.dimension, np.int64)
        loss, steps, rate = 0.0, 0, 0.0
        met = []  # the changes of each worker that met an example
        for (*changes, _), learned in zip(made, fetch([each[-1] for each in made]), strict=True):
            if learned is not None:
                met += [changes] if learned.tally.examples else []
                tally.add(learned.tally)
                fired += learned.fired
                loss, steps, rate = loss + learned.loss, steps + learned.steps, learned.rate or rate
        if met:
            of_pieces = [list(changes) for changes in zip(*met, strict=True)]
            combined = start(combine, list(zip(pieces, of_pieces, strict=True)), 2)
            sums = fetch([each[1] for each in combined])
            settled = [(o, each[0], sums) for o, each in zip(pieces, combined, strict=True)]
            self._shared = Shared(task, start(settle, settled))
        return Learned(loss, tally, fired, steps, rate)

    def compile(self) -> None:
        """Do nothing: workers compile what they need."""

    def optimizer_arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return no arrays: plain gradient descent has none."""
        return {}


class RoundLosses:
    """Measures the exact loss where the shards are; see `cbow.training.losses.Measuring`.

    Parameters
    ----------
    text : ShardedCorpus
    trainer : Rounds
        Its parameters are measured as they are when a loss is asked for.
    """

    def __init__(self, text: ShardedCorpus, trainer: Rounds) -> None:
        self.text = text
        self.trainer = trainer
        # The batches are dealt out, to the workers first that have most tokens.
        order = sorted(range(len(text.encoded)), key=lambda k: -text.encoded[k].tokens)
        probe = trainer.task.probe
        batches = -(-probe // min(TOGETHER, probe))
        self.batches = np.bincount(np.resize(order, batches), minlength=len(order)).tolist()

    def of_epoch(self, state: State) -> float:
        """Return the loss of some examples, after an epoch."""
        return mean(*self._sums(False))

    def heldout(self) -> float | None:
        """Return the loss of the held-out lines; None if none are held out."""
        if self.trainer.task.config.heldout == 0:
            return None
        return mean(*self._sums(True))

    def heldout_unigram(self, log_p: Doubles, batch: int) -> float | None:
        """Return the loss of the word frequencies on the held-out lines."""
        task = self.trainer.task
        heldout = task.config.heldout
        if heldout == 0:
            return None
        sums = call_all(self.text.engine, measure_unigram, task, log_p)
        return heldout_mean(added(sums), heldout, self.text.lines)

    def measured_seconds(self) -> float:
        """Return 0: how fast the workers are is not known beforehand."""
        return 0.0

    def _sums(self, heldout: bool) -> tuple[float, int]:
        """Return the losses and the examples of all workers, added up."""
        engine = self.text.engine

        def measured(shared: Shared) -> list[tuple[float, int]]:
            """Measure with the pieces of the parameters, which only those get who need them."""
            task, pieces = shared
            arguments = [(task, pieces if n else [], n, heldout) for n in self.batches]
            return engine.fetch(engine.start(measure, arguments))

        return added(self.trainer.with_pieces(measured))


def added(sums: Sequence[tuple[float, int]]) -> tuple[float, int]:
    """Add up losses and examples."""
    return sum(loss for loss, _ in sums), sum(examples for _, examples in sums)
