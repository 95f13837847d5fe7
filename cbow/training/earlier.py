"""`resume`: go on with a training that was stopped, or with one that is over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cbow.config import Config
from cbow.errors import ConfigError, CorpusError, shown
from cbow.model import Model
from cbow.system.files import naming, to_read
from cbow.text import Corpus, EncodedCorpus, TokenAccount, Tokenizer
from cbow.text.sources import NLTK
from cbow.training import checkpoint as checkpoints
from cbow.training.checkpoint import Checkpoint, fingerprint
from cbow.training.learn import Start, Task, learn
from cbow.training.observer import Observer, Warnings
from cbow.training.run import encoded, with_tokenizer
from cbow.training.saving import (
    Saving,
    checked_interval,
    checked_path,
    make_saving,
    names_of,
)


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

    From a checkpoint, the model will be the same to the byte as if nothing had happened. From a
    finished model, it is trained for more epochs, with a learning rate that falls anew.

    Parameters
    ----------
    path : path-like
        A checkpoint of `train`, or a model with which to make more epochs.
    corpus : path, list of paths or iterable, optional
        The text. A checkpoint knows the names of its files; an iterable or standard input has to
        be given again, and so has the text of a finished model. It must be the same text.
    tokenizer : str or callable, optional
        A function that cut the lines into words has to be given again.
    observer : Observer, optional
        Hears of the progress.
    checkpoint : path-like, optional
        Where to write checkpoints; those of a checkpoint replace it if nothing is given.
    checkpoint_every : float, optional
        Seconds between two checkpoints; as before if nothing is given.
    **settings
        ``threads``, which may change; ``epochs`` for a finished model, the number of those to
        come. Any other setting must be as it was.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        If the file is no checkpoint and no model, or is damaged.
    ConfigError
        If a setting differs from that of the earlier training.
    CorpusError
        If the text differs from that of the earlier training, or cannot be read.
    DivergenceError, Interrupted, OutputError
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
    earlier = read_earlier(path, settings)
    earlier = earlier.saved_to(checkpoint, checkpoint_every, corpus)
    return go_on(earlier, corpus, function, observer or Warnings())


class Earlier(NamedTuple):
    """A training to go on with."""

    path: Path
    model: Model  #: as far as it came
    config: Config  #: of what is to come
    start: Start
    saving: Saving | None
    fingerprint: str | None  #: of the text, if it is known

    def saved_to(
        self,
        checkpoint: str | os.PathLike[str] | None,
        every: float | None,
        corpus: Corpus | None,
    ) -> Earlier:
        """Write checkpoints elsewhere, or more often, or with other names of the text."""
        if self.saving is None:
            return self._replace(saving=make_saving(checkpoint, every, corpus or ()))
        path, interval, names = self.saving
        return self._replace(
            saving=Saving(
                path if checkpoint is None else checked_path(checkpoint, corpus or ()),
                interval if every is None else checked_interval(every),
                names if corpus is None else names_of(corpus),
            )
        )


def read_earlier(path: str | os.PathLike[str], settings: Mapping[str, Any]) -> Earlier:
    """Read a checkpoint or a model, and hold the settings against it.

    Raises
    ------
    ModelFileError
        If it is neither, or damaged.
    ConfigError
        If a setting differs from what it says.
    """
    path = to_read(path)
    saved = checkpoints.read(path)
    if isinstance(saved, Checkpoint):
        config = _same_settings(path, saved.model.config, settings, free=("threads",))
        start = Start(saved.model.parameters, saved.state, saved.objective, saved.optimizer)
        saving = Saving(path, saved.every, saved.corpus.sources)
        return Earlier(path, saved.model, config, start, saving, saved.corpus.fingerprint)
    config = _same_settings(path, saved.config, settings, free=("threads", "epochs"))
    if "epochs" not in settings:
        raise ConfigError(
            f"{path} is a finished model, and epochs is not given; say with epochs / --epochs how "
            "many more to train"
        )
    with naming(path, "model"):
        state = checkpoints.state_after(saved)
    objective = {name: saved.report[name] for name in ("objective", "batch")}
    config = config.replace({"epochs": state.before + config.epochs})
    return Earlier(path, saved, config, Start(saved.parameters, state, objective), None, None)


def go_on(
    earlier: Earlier, corpus: Corpus | None, tokenizer: Tokenizer | None, observer: Observer
) -> Model:
    """Read the text again, see that it is the same, and train."""
    config = earlier.config
    if config.tokenizer == "custom" and tokenizer is None:
        raise ConfigError(
            f"{earlier.path} was trained with a tokenizer of its own, which no file holds; give it "
            "again: cbow.resume(..., tokenizer=...)"
        )
    if corpus is None:
        corpus = sources_of(earlier)
    with encoded(corpus, config, tokenizer, observer) as text:
        _check_text(earlier, text)
        return learn(Task(text, config, observer, earlier.saving, earlier.start))


def sources_of(earlier: Earlier) -> list[str | Path]:
    """Return the names of the text, as far as they are known.

    Raises
    ------
    CorpusError
        If they are not.
    """
    names = earlier.saving.names if earlier.saving else None
    if names is None:
        raise CorpusError(
            f"{earlier.path} does not say where its text is; give the text again, as corpus=... or "
            "as CORPUS"
        )
    return [name if name.startswith(NLTK) else Path(name) for name in names]


def _same_settings(
    path: Path, config: Config, settings: Mapping[str, Any], free: tuple[str, ...]
) -> Config:
    """Return the configuration with new values of the free settings; refuse those of others."""
    given = config.replace(settings)
    for name in settings:
        found, expected = getattr(given, name), getattr(config, name)
        if name not in free and found != expected:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(
                f"{name} is {_readable(found)}, but {path} was trained with "
                f"{_readable(expected)}; leave {name} / {flag} out, or train "
                "anew"
            )
    return given


def _readable(value: Any) -> Any:
    """Return the value of a setting as a message shows it."""
    return "the default" if value is None else shown(value) if isinstance(value, tuple) else value


def _check_text(earlier: Earlier, text: EncodedCorpus) -> None:
    """Refuse another text; for a finished model one with other words or counts."""
    model, path = earlier.model, earlier.path
    account = TokenAccount().to_dict() | model.report["account"]  # older files have fewer numbers
    known = earlier.fingerprint is not None
    if text.vocabulary == model.vocabulary and not (
        known and (text.account.to_dict() != account or fingerprint(text) != earlier.fingerprint)
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
