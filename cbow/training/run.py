"""`train`: from a text to a model."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cbow.config import Config
from cbow.errors import CorpusError, DivergenceError, Interrupted, TrainingStopped
from cbow.files import explain_output_errors
from cbow.model import Model
from cbow.network import initialise
from cbow.text import Corpus, EncodedCorpus, encode_corpus
from cbow.training.examples import ExampleSource, Tally
from cbow.training.loop import Loop, Stop
from cbow.training.observer import Baselines, Observer, Plan
from cbow.training.subsampling import entropy, target_distribution


def train(
    corpus: Corpus,
    config: Config | None = None,
    *,
    tokenizer: Callable[[str], Iterable[str]] | None = None,
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
    tokenizer : callable, optional
        Cuts a line into words, in place of the tokenizer named in the settings.
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
    if tokenizer is not None:
        settings["tokenizer"] = "custom"
    config = config.replace(settings)
    observer = observer or Observer()
    with (
        tempfile.TemporaryDirectory(prefix="cbow-") as folder,
        explain_output_errors(Path(folder, "corpus")),
    ):
        encoded = encode_corpus(
            corpus, config, folder=Path(folder), tokenizer=tokenizer, progress=observer.reading
        )
        observer.encoded(encoded.account)
        return _train(encoded, config, observer)


def _train(corpus: EncodedCorpus, config: Config, observer: Observer) -> Model:
    """Train on an encoded corpus; raise if that ended early."""
    source = ExampleSource(corpus, config.window, config.sample, config.heldout, config.seed)
    p = target_distribution(corpus.vocabulary.counts, source.keep)  # (V,)
    log_p = np.log(np.maximum(p, np.finfo(np.float64).tiny))
    baselines = Baselines(math.log(len(p)), entropy(p), _heldout_unigram(source, log_p, config))
    parameters = initialise(len(p), config.dimension, config.seed, log_unigram=log_p)
    size = sum(array.size for array in parameters)
    observer.planned(Plan(len(p), size, len(corpus.ids), baselines))
    # One thread inside each matrix product: BLAS adds in another order when it has more.
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(config.threads or processors()) as pool,
    ):
        outcome = Loop(config, source, parameters, pool, observer).run()
    report = {
        "account": corpus.account.to_dict(),
        "baselines": dataclasses.asdict(baselines),
        "epochs": [epoch.to_dict() for epoch in outcome.epochs],
        "stopped": outcome.stop.to_dict() if outcome.stop else None,
    }
    model = Model(config, corpus.vocabulary, outcome.parameters, report)
    if outcome.stop:
        raise _explained(outcome.stop, model)
    return model


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _heldout_unigram(
    source: ExampleSource, log_p: NDArray[np.float64], config: Config
) -> float | None:
    """Loss of the word frequencies on the held-out lines; see that there are such lines."""
    if config.heldout == 0:
        return None
    total, examples = 0.0, 0
    for batch, _ in source.epoch(0, config.batch, Tally(), heldout=True):
        total -= float(log_p[batch.y].sum())
        examples += len(batch.y)
    if not examples:
        lines = len(source.corpus.line_starts) - 1
        raise CorpusError(
            f"heldout {config.heldout:g} of {lines} lines keeps back no line with two words or "
            "more; expected at least one; raise it, or set it to 0"
        )
    return total / examples


def _explained(stop: Stop, model: Model) -> TrainingStopped:
    """Put into a sentence why training ended early, and what to do."""
    epochs = model.config.epochs
    if stop.reason == "interrupted":
        return Interrupted(
            f"interrupted after {stop.step} steps, in epoch {stop.epoch} of {epochs}", model
        )
    return DivergenceError(
        f"the loss became {stop.loss:g} at step {stop.step}, in epoch {stop.epoch} of {epochs}, "
        f"with learning rate {model.config.rate:g}; train again with a learning rate of "
        f"{model.config.rate / 10:g} or less (the state before step {stop.kept_step} is kept)",
        model,
    )
