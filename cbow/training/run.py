"""`train`: from a text to a model."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.config import Config
from cbow.errors import CorpusError, DivergenceError, Interrupted, OutputError
from cbow.model import Model
from cbow.network import Parameters, cbow_network, initialise
from cbow.processors import processors
from cbow.text import Corpus, EncodedCorpus, encode_corpus
from cbow.training.batches import BatchTrainer
from cbow.training.exact import Workspace
from cbow.training.examples import ExampleSource
from cbow.training.loop import Loop, Stop
from cbow.training.losses import Losses, ProbeLosses
from cbow.training.objective import Objective, choose_objective, usual_rate
from cbow.training.observer import Baselines, Epoch, Observer, Plan
from cbow.training.state import Trainer
from cbow.training.subsampling import entropy, target_distribution
from cbow.training.threads import Interrupts, interrupts, single_threaded_blas

#: Seconds within which kernels come out of their cache.
QUICK: Final = 1.0


def train(
    corpus: Corpus,
    config: Config | None = None,
    *,
    tokenizer: str | Callable[[str], Iterable[str]] | None = None,
    observer: Observer | None = None,
    **settings: Any,
) -> Model:
    """Train CBOW embeddings on a text.

    Parameters
    ----------
    corpus : path, list of paths or iterable
        A file (also .gz, .bz2, .xz, .zst), a glob, a folder, ``"-"`` for standard input,
        ``"nltk:brown"`` for a corpus of NLTK, a list of these; or any iterable of strings (lines
        of text) or of lists of words. It is read once.
    config : Config, optional
        The settings; those given by name replace its values.
    tokenizer : str or callable, optional
        The name of a tokenizer, or a function that cuts a line into words.
    observer : Observer, optional
        Hears of the progress.
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
        If a setting is outside its range.
    CorpusError
        If the text cannot be read or nothing can be learned from it.
    DivergenceError
        If the loss becomes infinite or not a number. Its ``.model`` is the last good state.
    Interrupted
        On Ctrl-C while training. Its ``.model`` is the state at that moment.

    Examples
    --------
    >>> lines = ["the king rules the land", "the queen rules the land"] * 50
    >>> model = train(lines, dimension=8, epochs=3, sample=0)
    >>> sorted(model.vocabulary)
    ['king', 'land', 'queen', 'rules', 'the']
    """
    config = config or Config()
    function = None
    if isinstance(tokenizer, str):
        settings["tokenizer"] = tokenizer
    elif tokenizer is not None:
        settings["tokenizer"], function = "custom", tokenizer
    config = config.replace(settings)
    observer = observer or Observer()
    with _temporary_folder() as folder:
        encoded = encode_corpus(
            corpus, config, folder=folder, tokenizer=function, progress=observer.reading
        )
        observer.encoded(encoded.account)
        return _train(encoded, config, observer)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Make a folder for the encoded corpus, and remove it at the end."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="cbow-")
    except OSError as error:
        raise OutputError(
            f"no temporary folder can be made ({error.strerror or error}); free some space, or "
            "name another place with the environment variable TMPDIR"
        ) from error
    with folder as name:
        yield Path(name)


def _train(corpus: EncodedCorpus, config: Config, observer: Observer) -> Model:
    """Train on an encoded corpus; raise if that ended early."""
    source = ExampleSource(corpus, config.window, config.sample, config.heldout, config.seed)
    threads = config.threads or processors()
    objective = choose_objective(config, source, threads)
    p = target_distribution(corpus.vocabulary.counts, source.keep)  # (V,)
    log_p = np.log(p)
    heldout = _heldout_unigram(source, log_p, objective.batch) if config.heldout else None
    baselines = Baselines(math.log(len(p)), entropy(p), heldout)
    parameters = initialise(
        len(p), config.dimension, config.seed, log_unigram=log_p, b1_start=objective.b1_start
    )
    size = sum(array.size for array in parameters)
    plan = Plan(
        len(p), size, len(corpus.ids), objective.batch, baselines, objective.name, objective.reason
    )
    observer.planned(plan)
    with workers(threads) as pool, interrupts() as asked:
        asked.deferred = True
        job = Job(config, objective, source, parameters, pool, threads, asked)
        trainer, losses = job.trainer(observer), job.losses()
        loop = Loop(config, trainer, losses, objective.rate, len(corpus.ids), observer)
        stop = loop.run(asked)
    report = _report(corpus, plan, loop.state.finished, stop)
    model = Model(config, corpus.vocabulary, loop.parameters, report)
    if stop:
        raise _explained(stop, model, objective)
    return model


@contextlib.contextmanager
def workers(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Provide threads, each of which does its own matrix products."""
    import scipy.linalg  # noqa: F401  BLAS of the kernels: the limit holds for what is loaded

    with single_threaded_blas(), ThreadPoolExecutor(threads) as pool:
        yield pool


class Job(NamedTuple):
    """What is to be trained, and with what."""

    config: Config
    objective: Objective
    source: ExampleSource
    parameters: Parameters
    pool: ThreadPoolExecutor
    threads: int
    interrupts: Interrupts

    def trainer(self, observer: Observer) -> Trainer:
        """Make the trainer of the objective; compile its kernels if they are not."""
        batch = self.objective.batch
        if self.objective.name == "exact":
            return BatchTrainer(
                cbow_network(self.config.activation), self.parameters, self.source, batch,
                self.objective.optimizer, self.pool,
            )  # fmt: skip
        from cbow.training.sampled.trainer import SampledTrainer  # here, because numba is slow

        trainer = SampledTrainer(
            self.config, self.parameters, self.source, batch, self.pool, self.threads
        )
        compiled = self.pool.submit(trainer.compile)
        if not wait([compiled], timeout=QUICK).done:
            observer.compiling()
        compiled.result()
        return trainer

    def losses(self) -> Losses:
        """Make what measures the losses of the objective."""
        kind = Losses if self.objective.name == "exact" else ProbeLosses
        workspace = Workspace(cbow_network(self.config.activation), self.parameters)
        return kind(workspace, self.source, self.objective.batch, self.pool, self.interrupts)


def _report(
    corpus: EncodedCorpus, plan: Plan, epochs: list[Epoch], stop: Stop | None
) -> dict[str, Any]:
    """Put what was counted and measured into plain numbers, without times."""
    return {
        "account": corpus.account.to_dict(),
        "objective": plan.objective,
        "batch": plan.batch,
        "baselines": dataclasses.asdict(plan.baselines),
        "epochs": [epoch.to_dict() for epoch in epochs],
        "stopped": stop.to_dict() if stop else None,
    }


def _heldout_unigram(source: ExampleSource, log_p: NDArray[np.float64], batch: int) -> float:
    """Loss of the word frequencies on the held-out lines; see that there are such lines."""
    total, examples = 0.0, 0
    for drawn in source.heldout_batches(batch):
        total -= float(log_p[drawn.y].sum())
        examples += len(drawn.y)
    if not examples:
        lines = len(source.corpus.line_starts) - 1
        raise CorpusError(
            f"heldout {source.heldout:g} of {lines} lines keeps back no line with two words or "
            "more; expected at least one; raise it, or set it to 0"
        )
    return total / examples


def _explained(stop: Stop, model: Model, objective: Objective) -> DivergenceError | Interrupted:
    """Put into a sentence why training ended early, and what to do."""
    config = model.config
    where = f"after {stop.step} steps, in epoch {stop.epoch} of {config.epochs}"
    if stop.reason == "interrupted":
        return Interrupted(f"interrupted {where}", model)
    lower = min(objective.rate / 10, usual_rate(objective.name, objective.optimizer))
    return DivergenceError(
        f"{stop.found} {where}, with learning rate {objective.rate:g}; train again with "
        f"{lower:g} or less (the state after {stop.kept_step} steps is kept)",
        model,
    )
