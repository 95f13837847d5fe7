"""`train`: from a text to a model."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cbow.config import Config
from cbow.errors import ConfigError, OutputError, shown
from cbow.model import Model
from cbow.system.files import temporary_folder
from cbow.text import Corpus, EncodedCorpus, Tokenizer, encode_corpus
from cbow.training.learn import Task, learn
from cbow.training.observer import Observer, Warnings
from cbow.training.saving import make_saving


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
        A file (also .gz, .bz2, .xz, .zst), a glob, a folder, ``"-"`` for standard input,
        ``"nltk:brown"`` for a corpus of NLTK, a list of these; or any iterable of strings (lines
        of text) or of lists of words. It is read once.
    config : Config, optional
        The settings; those given by name replace its values.
    tokenizer : str or callable, optional
        The name of a tokenizer, or a function that cuts a line into words.
    observer : Observer, optional
        Hears of the progress. Without one, what the text looks like is told as a `CorpusWarning`.
    checkpoint : path-like, optional
        A file to go on from with `resume` if the training is interrupted or killed. It replaces
        one that is there, and stays: delete it when the model is saved.
    checkpoint_every : float, optional
        Seconds between two checkpoints, at least.
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
        If the loss becomes infinite or not a number. Its ``.model`` is the last good state.
    Interrupted
        On Ctrl-C while training. Its ``.model`` is the state at that moment.
    OutputError
        If there is no room for the encoded text. That a checkpoint cannot be written ends no
        training; the observer hears of it.

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
    observer = observer or Warnings()
    saving = make_saving(checkpoint, checkpoint_every, corpus)
    with encoded(corpus, config, function, observer) as text:
        return learn(Task(text, config, observer, saving))


def with_tokenizer(
    settings: Mapping[str, Any], tokenizer: str | Tokenizer | None
) -> tuple[dict[str, Any], Tokenizer | None]:
    """Put the name of the tokenizer among the settings; give the function if it is one."""
    if tokenizer is None:
        return dict(settings), None
    if isinstance(tokenizer, str):
        return {**settings, "tokenizer": tokenizer}, None
    return {**settings, "tokenizer": "custom"}, tokenizer


@contextlib.contextmanager
def encoded(
    corpus: Corpus, config: Config, tokenizer: Tokenizer | None, observer: Observer
) -> Iterator[EncodedCorpus]:
    """Read a text, and keep it encoded for the while."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary_folder(Path(tempfile.gettempdir())))
        except OSError as error:
            raise OutputError(
                f"no temporary folder can be made ({error.strerror or error}); free some space, or "
                "name another place with the environment variable TMPDIR"
            ) from error
        text = encode_corpus(
            corpus,
            config,
            folder=folder,
            tokenizer=tokenizer,
            progress=observer.reading,
            noticed=observer.noticed,
        )
        stack.callback(text.close)
        observer.encoded(text.account)
        yield text
