"""`train`: from a text to a model."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cbow.config import LEARNING_RATES, Config
from cbow.errors import CorpusError, DivergenceError, Interrupted, OutputError
from cbow.model import Model
from cbow.network import initialise
from cbow.text import Corpus, EncodedCorpus, encode_corpus
from cbow.training.examples import ExampleSource
from cbow.training.loop import Loop, Outcome, Stop
from cbow.training.observer import Baselines, Observer, Plan
from cbow.training.subsampling import entropy, target_distribution
from cbow.training.threads import interrupts, processors, single_threaded_blas


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
    p = target_distribution(corpus.vocabulary.counts, source.keep)  # (V,)
    log_p = np.log(p)
    batch = source.batch_size(config.batch)
    heldout = _heldout_unigram(source, log_p, batch) if config.heldout else None
    baselines = Baselines(math.log(len(p)), entropy(p), heldout)
    parameters = initialise(len(p), config.dimension, config.seed, log_unigram=log_p)
    size = sum(array.size for array in parameters)
    plan = Plan(len(p), size, len(corpus.ids), batch, baselines)
    observer.planned(plan)
    with (
        single_threaded_blas(),
        ThreadPoolExecutor(config.threads or processors()) as pool,
        interrupts() as asked,
    ):
        asked.deferred = True
        outcome = Loop(config, source, parameters, pool, observer, asked).run()
        report = _report(corpus, plan, outcome)
        model = Model(config, corpus.vocabulary, outcome.parameters, report)
        if outcome.stop:
            raise _explained(outcome.stop, model)
        return model


def _report(corpus: EncodedCorpus, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Put what was counted and measured into plain numbers, without times."""
    return {
        "account": corpus.account.to_dict(),
        "batch": plan.batch,
        "baselines": dataclasses.asdict(plan.baselines),
        "epochs": [epoch.to_dict() for epoch in outcome.epochs],
        "stopped": outcome.stop.to_dict() if outcome.stop else None,
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


def _explained(stop: Stop, model: Model) -> DivergenceError | Interrupted:
    """Put into a sentence why training ended early, and what to do."""
    config = model.config
    where = f"after {stop.step} steps, in epoch {stop.epoch} of {config.epochs}"
    if stop.reason == "interrupted":
        return Interrupted(f"interrupted {where}", model)
    lower = min(config.rate / 10, LEARNING_RATES[config.optimizer])
    return DivergenceError(
        f"{stop.found} {where}, with learning rate {config.rate:g}; train again with "
        f"{lower:g} or less (the state after {stop.kept_step} steps is kept)",
        model,
    )
