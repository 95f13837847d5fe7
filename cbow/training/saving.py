"""Where checkpoints are written, and when."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cbow.errors import ConfigError, OutputError
from cbow.system.files import expanded, name_of, same
from cbow.text import Corpus, find_sources
from cbow.training.checkpoint import Checkpoint, write
from cbow.training.observer import Observer
from cbow.training.state import State, is_finite


class Saving(NamedTuple):
    """Where checkpoints are written, and how often."""

    path: Path
    every: float  #: seconds
    names: list[str] | None  #: of the text; None if it cannot be read again


def make_saving(
    path: str | os.PathLike[str] | None, every: float | None, corpus: Corpus
) -> Saving | None:
    """Say where checkpoints are written, and how often; None if they are not.

    Raises
    ------
    ConfigError
        If only one of both is given, or the interval is no number of seconds.
    OutputError
        If the path is that of a file of the text.
    """
    if path is None and every is None:
        return None
    if path is None or every is None:
        raise ConfigError(
            f"checkpoint is {path!r} and checkpoint_every {every!r}, but one needs the other; give "
            "both, or neither"
        )
    return Saving(checked_path(path, corpus), checked_interval(every), names_of(corpus))


def checked_path(path: str | os.PathLike[str], corpus: Corpus) -> Path:
    """Return where checkpoints are written; refuse a file of the text."""
    for file in find_sources(corpus).files:
        if same(path, file):
            raise OutputError(
                f"the checkpoint {name_of(path)} would be written over {name_of(file)}, which is "
                "read; give it another name"
            )
    return expanded(path)


def checked_interval(every: float) -> float:
    """Return an interval, or refuse it."""
    if not (isinstance(every, int | float) and 0 <= every < math.inf):
        raise ConfigError(f"checkpoint_every is {every!r}, but must be seconds, 0 or more")
    return float(every)


def names_of(corpus: Corpus) -> list[str] | None:
    """Return the absolute names of a text's files; None if it cannot be read again."""
    return find_sources(corpus).names


class Checkpoints:
    """Writes the checkpoints of one training.

    Parameters
    ----------
    saving : Saving
    make : callable
        Gives the checkpoint of a state.
    observer : Observer
        Hears of each, and of those that could not be written: that ends no training.
    """

    def __init__(
        self, saving: Saving, make: Callable[[State], Checkpoint], observer: Observer
    ) -> None:
        self.saving = saving
        self.make = make
        self.observer = observer
        self.latest = time.monotonic()

    def after_portion(self, state: State) -> None:
        """Write a checkpoint if it is time."""
        if time.monotonic() - self.latest >= self.saving.every:
            self.write(state)

    def write(self, state: State) -> None:
        """Write a checkpoint, unless there is nothing to go on with."""
        checkpoint = self.make(state)
        if not is_finite(checkpoint.model.parameters):
            return  # the loop is about to find out
        try:
            write(self.saving.path, checkpoint)
        except OutputError as trouble:
            self.observer.checkpointed(trouble)
        else:
            self.observer.checkpointed(None)
        self.latest = time.monotonic()


class NoCheckpoints:
    """Writes none."""

    def after_portion(self, state: State) -> None:
        """Do nothing."""

    def write(self, state: State) -> None:
        """Do nothing."""
