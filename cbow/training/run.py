"""`train` and `resume`: from a text to a model, in a new training or in one that goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from cbow.config import Config, checked
from cbow.errors import (
    CBOWError,
    ClusterError,
    ConfigError,
    CorpusError,
    counted,
    shown,
)
from cbow.model import Model
from cbow.network import cbow_network, initialise
from cbow.network.parameters import B1_START
from cbow.system import compiled
from cbow.system.files import to_read
from cbow.system.interrupts import interrupts
from cbow.system.threads import processors, single_threaded_blas, thread_pool
from cbow.text import Corpus, EncodedCorpus, TokenAccount, Tokenizer, encode_corpus, find_sources
from cbow.text.encoded import working_folder
from cbow.text.phrases import best_of
from cbow.text.sources import is_no_path
from cbow.training.checkpoint import (
    Checkpoint,
    Checkpoints,
    Saving,
    fill,
    new_saving,
    read,
)
from cbow.training.composed import Composed, Rows, features_for, ngrams_report
from cbow.training.defaults import SAMPLED_B1_START, check_objective, fit, usual_rate
from cbow.training.exact.trainer import BatchTrainer
from cbow.training.examples import (
    ExampleSource,
    entropy,
    keep_probability,
    share_kept,
    target_distribution,
)
from cbow.training.loop import Loop, Stop
from cbow.training.losses import Losses, Measuring, probe_size
from cbow.training.observer import Baselines, Observer, Plan, Resumed, Warnings
from cbow.training.rounds import RoundLosses, Rounds, ShardedCorpus, reason_for, sharded
from cbow.training.sampled.trainer import SampledTrainer
from cbow.training.state import Measures, State, Trainer, copy

#: Seconds within which kernels come out of their cache.
QUICK: Final = 1.0


class _EndedEarly(BaseException):
    """What both ways to end early carry.

    Parameters
    ----------
    message : str
        One sentence: what was seen, where, and what to do.
    model : Model
        The last good state, ready to be saved or used.
    """

    def __init__(self, message: str, model: Model) -> None:
        super().__init__(message)
        self.model = model

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.model)


class DivergenceError(_EndedEarly, CBOWError, ArithmeticError):
    """The loss became infinite, NaN or far larger than ln V; ``.model`` is the last good state."""


class WorkersLostError(_EndedEarly, ClusterError):
    """The workers were lost while they learned; ``.model`` is the state after the last round."""


class Interrupted(_EndedEarly, KeyboardInterrupt):
    """The user stopped the training with Ctrl-C; ``.model`` is the state at that moment.

    Not a `CBOWError`: whoever handles errors and goes on must not go on after Ctrl-C.
    """


def train(
    corpus: Corpus,
    config: Config | None = None,
    *,
    tokenizer: str | Tokenizer | None = None,
    observer: Observer | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float | None = None,
    **settings: Any,
) -> Model:
    """Train CBOW embeddings on a text.

    Parameters
    ----------
    corpus : path, list of paths or iterable
        A file (also .gz, .bz2, .xz, .zst), a glob, a folder, an address such as
        ``"s3://bucket/text.txt"``, ``"-"`` for standard input, ``"nltk:brown"`` for a corpus of
        NLTK, a list of these; or any iterable of strings (lines of text) or of lists of words. It
        is read once.
    config : Config, optional
        The settings; those given by name replace its values.
    tokenizer : str or callable, optional
        The name of a tokenizer, or a function that cuts a line into words.
    observer : Observer, optional
        Hears of the progress. Without one, notes on what the text looks like are issued as
        `CorpusWarning`.
    checkpoint : str or PathLike, optional
        A file to go on from with `resume` if the training is interrupted or killed. It replaces
        an existing one, and stays: delete it when the model is saved.
    checkpoint_every : float, optional
        The least number of seconds between two checkpoints.
    **settings
        Fields of `Config`: ``dimension=50, window=3, epochs=10``.

    Returns
    -------
    Model
        With ``model.vectors`` for queries, ``model.save(path)``, and ``model.report``: every
        token accounted for, the loss of every epoch and its baselines.

    Raises
    ------
    ConfigError
        If a setting is outside its range, or a checkpoint has no interval.
    CorpusError
        If the text cannot be read or nothing can be learned from it.
    DivergenceError
        If the loss becomes infinite or not a number, or four times that of a guess among all
        words. Its ``.model`` is the last good state.
    Interrupted
        On Ctrl-C while training. Its ``.model`` is the state at that moment.
    ClusterError
        If the settings `workers` and `cluster` ask for what cannot be had. Workers that are lost
        while training raise its `WorkersLostError`, whose ``.model`` is the state after the last
        round.
    OutputError
        If there is no space for the encoded text. A checkpoint that cannot be written does not end
        the training; the observer hears of it.

    Examples
    --------
    >>> lines = ["the king rules the land", "the queen rules the land"] * 50
    >>> model = train(lines, dimension=8, epochs=3, sample=0)
    >>> sorted(model.vocabulary)
    ['king', 'land', 'queen', 'rules', 'the']
    """
    if not isinstance(config, Config | None):
        raise ConfigError(
            f"config is {shown(config)}, but must be a Config; give settings by name, as in "
            "cbow.train(corpus, dimension=100)"
        )
    settings, function = with_tokenizer(settings, tokenizer)
    config = (config or Config()).replace(settings)
    corpus = find_sources(corpus)
    run = Run(config, new_saving(checkpoint, checkpoint_every, corpus))
    return run.train(corpus, function, observer or Warnings())


def resume(
    path: str | os.PathLike[str],
    *,
    corpus: Corpus | None = None,
    tokenizer: str | Tokenizer | None = None,
    observer: Observer | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float | None = None,
    **settings: Any,
) -> Model:
    """Go on with a training.

    From a checkpoint, the model will be the same to the byte as if nothing had happened. A finished
    model is trained for more epochs, with a learning rate that falls anew.

    Parameters
    ----------
    path : str or PathLike
        A checkpoint of `train`, or a model to train for more epochs.
    corpus : path, list of paths or iterable, optional
        The text. A checkpoint knows the names of its files; an iterable or standard input has to
        be given again, and so has the text of a finished model. It must be the same text.
    tokenizer : str or callable, optional
        A function that cut the lines into words has to be given again.
    observer : Observer, optional
        Hears of the progress.
    checkpoint : str or PathLike, optional
        Where to write checkpoints. By default, those of a checkpoint replace it.
    checkpoint_every : float, optional
        The least number of seconds between two checkpoints; by default as before.
    **settings
        ``threads``, ``cluster`` and ``work_folder``, which may change; ``epochs`` for a finished
        model, the number of those to come. Any other setting must be as it was.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        If the file is neither a checkpoint nor a model, or is damaged.
    ConfigError
        If a setting differs from that of the earlier training.
    CorpusError
        If the text differs from that of the earlier training, or cannot be read.
    DivergenceError, Interrupted, ClusterError, OutputError
        As `train` does.

    Examples
    --------
    >>> import cbow
    >>> text = ["old king", "old queen"] * 40
    >>> model = cbow.train(text, dimension=4, epochs=2, sample=0)
    >>> folder = getfixture("tmp_path")
    >>> model.save(folder / "m.safetensors")
    >>> more = cbow.resume(folder / "m.safetensors", corpus=text, epochs=3)
    >>> [epoch["epoch"] for epoch in more.report["epochs"]]
    [1, 2, 3, 4, 5]
    """
    settings, function = with_tokenizer(settings, tokenizer)
    run = run_from(path, settings).saved_to(checkpoint, checkpoint_every, corpus)
    return run.train(corpus, function, observer or Warnings())


def with_tokenizer(
    settings: Mapping[str, Any], tokenizer: str | Tokenizer | None
) -> tuple[dict[str, Any], Tokenizer | None]:
    """Put the name of the tokenizer among the settings; return the function if it is one."""
    if tokenizer is None:
        return dict(settings), None
    if isinstance(tokenizer, str):
        return {**settings, "tokenizer": tokenizer}, None
    return {**settings, "tokenizer": "custom"}, tokenizer


class Run(NamedTuple):
    """A training that is about to begin, or to go on."""

    config: Config  #: of what is to come
    saving: Saving | None  #: where checkpoints are written; None if they are not
    start: Checkpoint | None = None  #: what it goes on from
    path: Path = Path()  #: the file of that

    @property
    def is_more_epochs(self) -> bool:
        """Whether a finished model is to be trained for more epochs."""
        return self.start is not None and self.start.fingerprint is None

    def saved_to(
        self,
        checkpoint: str | os.PathLike[str] | None,
        every: float | None,
        corpus: Corpus | None,
    ) -> Run:
        """Write checkpoints elsewhere, or more often, or with other names of the text."""
        return self._replace(saving=new_saving(checkpoint, every, corpus, self.saving))

    def sources(self) -> list[str | Path]:
        """Return the names of the text, as far as the file to go on from knows them.

        Raises
        ------
        CorpusError
            If it does not.
        """
        names = self.saving.sources if self.saving else None
        if names is None:
            raise CorpusError(
                f"{self.path} does not say where its text is; give the text again, as corpus=... "
                "or as CORPUS"
            )
        return [name if is_no_path(name) else Path(name) for name in names]

    def train(
        self, corpus: Corpus | None, tokenizer: Tokenizer | None, observer: Observer
    ) -> Model:
        """Read the text and train; if it goes on, see that the text is the same."""
        if self.config.tokenizer == "custom" and tokenizer is None and self.start:
            raise ConfigError(
                f"{self.path} was trained with a tokenizer of its own, which no file holds; give "
                "it again: cbow.resume(..., tokenizer=...)"
            )
        corpus = self.sources() if corpus is None else corpus
        config = self.config
        reading = sharded if config.workers > 1 or config.cluster else encoded
        with reading(corpus, config, tokenizer, observer) as text:
            if self.start:
                _check_text(self.start, text, self.path)
            return _learn(self, text, observer)


def run_from(path: str | os.PathLike[str], settings: Mapping[str, Any]) -> Run:
    """Read a checkpoint or a model to go on with, and compare the settings with its own.

    Raises
    ------
    ModelFileError
        If it is neither, or damaged.
    ConfigError
        If a setting differs from what it says.
    """
    path = to_read(path)
    start = read(path)
    config = start.model.config
    run = Run(config, None, start, path)
    free = ("threads", "cluster", "work_folder", *(["epochs"] if run.is_more_epochs else []))
    for name, new in checked(settings).items():  # not all at once: two may not go together
        old = getattr(config, name)
        if name not in free and new != old:
            new, old = (
                "the default" if value is None else shown(value) if type(value) is tuple else value
                for value in (new, old)
            )
            raise ConfigError(
                f"{name} is {new}, but {path} was trained with {old}; leave {name} / "
                f"--{name.replace('_', '-')} out, or train anew"
            )
    run = run._replace(config=config.replace(settings))
    if start.every is not None:
        return run._replace(saving=Saving(path, start.every, start.sources))
    if settings.get("epochs") is None:
        raise ConfigError(
            f"{path} is a finished model, and epochs is not given; say with epochs / --epochs how "
            "many more to train"
        )
    epochs = start.state.before + settings["epochs"]
    return run._replace(config=run.config.replace({"epochs": epochs}))


@contextlib.contextmanager
def encoded(
    corpus: Corpus, config: Config, tokenizer: Tokenizer | None, observer: Observer
) -> Iterator[EncodedCorpus]:
    """Read a text, and keep it encoded in a folder for the duration of the block."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(working_folder(config.work_folder))
        text = encode_corpus(
            corpus,
            config,
            folder=folder,
            tokenizer=tokenizer,
            progress=observer.reading,
            noticed=observer.noticed,
            placed=observer.placed,
        )
        stack.callback(text.close)
        if config.phrases:
            observer.joined(text.phrases)
        observer.encoded(text.account)
        yield text


def _check_text(start: Checkpoint, text: EncodedCorpus | ShardedCorpus, path: Path) -> None:
    """Reject another text; for a finished model one with other words or counts."""
    model = start.model
    account = TokenAccount().to_dict() | model.report["account"]  # older files have fewer numbers
    if text.vocabulary == model.vocabulary and (
        start.fingerprint is None
        or (text.account.to_dict() == account and text.fingerprint() == start.fingerprint)
    ):
        return
    remedy = "give the text as it was, or train anew"
    if text.account.read != account["read"]:
        raise CorpusError(
            f"the corpus had {account['read']:,} tokens when {path} was written and has "
            f"{text.account.read:,} now; {remedy}"
        )
    if len(text.vocabulary) != len(model.vocabulary):
        raise CorpusError(
            f"the corpus had {len(model.vocabulary):,} words frequent enough when {path} was "
            f"written and has {len(text.vocabulary):,} now; {remedy}"
        )
    raise CorpusError(
        f"the corpus has as many tokens as when {path} was written, but its text differs; {remedy}"
    )


@np.errstate(under="ignore")
def _learn(run: Run, corpus: EncodedCorpus | ShardedCorpus, observer: Observer) -> Model:
    """Train on an encoded corpus; raise if that ended early."""
    start, tokens = run.start, corpus.tokens
    words = corpus.vocabulary.words
    config = run.config
    if isinstance(corpus, ShardedCorpus):  # whose workers have no other objective
        config = config.replace({"objective": "sampled"})
    fitted = fit(config, tokens, len(words))
    is_exact = fitted.objective == "exact"
    config, features = features_for(config.replace(fitted.settings()), words)
    check_objective(config, fitted.candidates, len(words))
    counts = corpus.vocabulary.counts
    keep = keep_probability(counts, fitted.sample)  # (V,)
    p = target_distribution(counts, keep)  # (V,)
    threads = config.threads or processors()
    if start is None:
        parameters = initialise(
            len(p), config.dimension, config.seed, log_unigram=np.log(p),
            b1_start=B1_START if is_exact else SAMPLED_B1_START, buckets=config.buckets or 0,
        )  # fmt: skip
        state = State(1, Measures(config.dimension))
    else:
        parameters, state = copy(start.model.parameters), start.state
    rows = None
    if config.ngrams and not is_exact and isinstance(corpus, EncodedCorpus):
        rows = Rows(features, parameters.W1.shape[1])
        features = rows.features
        rows.put_in_order(parameters)
    probe = probe_size(len(p), tokens * share_kept(counts, keep), fitted.candidates)

    with single_threaded_blas(), thread_pool(threads) as (pool, started), interrupts() as signals:
        signals.deferred = True
        if started < threads:
            observer.short_of_threads(started, threads)
        trainer: Trainer
        losses: Measuring
        with _telling_if_slow(observer.compiling):
            if isinstance(corpus, ShardedCorpus):
                task = corpus.task(config, fitted, parameters.W2.dtype, probe)
                trainer = Rounds(corpus.engine, task, parameters, features, p)
                losses = RoundLosses(corpus, trainer)
            else:
                network, composed = cbow_network(config.activation), Composed(parameters, features)
                source = ExampleSource(
                    corpus, fitted.window, fitted.sample, config.heldout, config.seed
                )
                if is_exact:
                    trainer = BatchTrainer(
                        network, composed, source, fitted.batch, fitted.optimizer, pool
                    )
                else:
                    trainer = SampledTrainer(
                        config, fitted, parameters, source, features, pool, started
                    )
                losses = Losses(
                    network, composed, source, pool, signals, None if is_exact else probe
                )
                source.compile()
            heldout = losses.heldout_unigram(np.log(p), fitted.batch)
            trainer.compile()
            loss_seconds = losses.measured_seconds()
        baselines = Baselines(math.log(len(p)), entropy(p), heldout)
        size = sum(array.size for array in parameters)
        ngrams = ngrams_report(config, words)
        workers = None
        if isinstance(corpus, ShardedCorpus):
            reason = reason_for(task.rounds, config)
            workers = {"workers": config.workers, "rounds": task.rounds, "reason": reason}
        plan = Plan(len(p), size, tokens, baselines, fitted, loss_seconds, ngrams, workers)
        observer.planned(plan)  # now, so that no clock counts the compiling
        loop = Loop(config, fitted, trainer, losses, tokens, observer, state)
        if start:
            if start.optimizer is not None:
                fill(trainer.optimizer_arrays(), start.optimizer)
            done = round((state.epoch - 1 + state.share) * tokens)
            observer.resumed(Resumed(state.epoch, fitted.epochs, done, list(state.finished)))

        def model(stop: Stop | None = None) -> Model:
            """Return the model as far as it is trained."""
            report: dict[str, Any] = {
                "account": corpus.account.to_dict(),
                "objective": fitted.objective,
                "batch": fitted.batch,
                "baselines": dataclasses.asdict(baselines),
                "epochs": [epoch.to_dict() for epoch in state.finished],
                "restarts": list(state.restarts),
                "stopped": stop.to_dict() if stop else None,
            }
            if isinstance(corpus, ShardedCorpus):
                report["workers"] = {
                    "rounds": task.rounds,
                    "tokens": [each.tokens for each in corpus.encoded],
                }
            if ngrams:
                report["ngrams"] = ngrams
            if config.phrases:
                report["phrases"] = best_of(corpus.phrases)
            restored = rows.restored(loop.parameters) if rows else loop.parameters
            return Model(config, corpus.vocabulary, restored, report)

        checkpoints = None
        if run.saving:
            _, every, sources = run.saving
            known = corpus.fingerprint()

            checkpoints = Checkpoints(
                run.saving,
                lambda state: Checkpoint(
                    model(), state, trainer.optimizer_arrays(), known, sources, every
                ),
                observer,
            )
        try:
            stop = loop.run(signals, model, checkpoints)
            if checkpoints and stop and stop.reason == "interrupted":
                checkpoints.write(state)
            learned = model(stop)
        except ClusterError as error:
            if checkpoints:
                checkpoints.write(state)
            stop = Stop("lost", str(error), state.epoch, state.steps, state.steps)
            raise WorkersLostError(str(error), model(stop)) from None

    if stop is None or stop.reason == "patience":
        return learned
    where = f"after {counted(stop.step, 'step')}, in epoch {stop.epoch} of {fitted.epochs}"
    if stop.reason == "interrupted":
        raise Interrupted(f"interrupted {where}", learned)
    batch = run.config.batch
    smaller = f", or with a batch smaller than {batch:,}" if batch else ""
    lower = min(fitted.learning_rate / 10, usual_rate(fitted.objective, fitted.optimizer))
    raise DivergenceError(
        f"{stop.found} {where}, with learning rate {fitted.learning_rate:g}; train again with "
        f"{lower:g} or less{smaller} (the state after {counted(stop.kept_step, 'step')} is kept)",
        learned,
    )


@contextlib.contextmanager
def _telling_if_slow(compiling: Callable[[], None]) -> Iterator[None]:
    """Tell the observer that kernels are compiled, if it takes long."""

    def tell() -> None:
        """Tell, unless kernels are only loaded, which a busy machine may be slow at."""
        if compiled.made_here:
            compiling()

    telling = threading.Timer(QUICK, tell)
    with contextlib.suppress(RuntimeError):  # no more threads: then nobody is told
        telling.start()
    try:
        yield
    finally:
        telling.cancel()
