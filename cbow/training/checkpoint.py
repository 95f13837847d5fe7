"""Checkpoints: what a training must know to go on, in one file, and when it is written.

The file is a safetensors file with the arrays of a model, as `cbow.vectors.formats.native` has
them, and those of the optimizer as ``optimizer.NAME``. Its metadata have one entry, ``cbow``: JSON
with

    checkpoint_version   2
    config, report       as in a model: the settings, and what happened in the epochs that are over
    corpus               the names of the text (null if it cannot be read again), its fingerprint
    state                the epoch under way: what is done of it, and what was measured
    every                seconds between two checkpoints

In version 1 the settings were those that were given, and the entry ``objective`` had those that the
objective was chosen to have.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cbow.errors import ConfigError, ModelFileError, OutputError
from cbow.model import Model
from cbow.system import safetensors_file
from cbow.system.files import expanded, name_of, naming, same
from cbow.text import Corpus, find_sources
from cbow.training.examples import Tally
from cbow.training.observer import Epoch, Observer
from cbow.training.state import Measures, State, is_finite
from cbow.vectors.formats import native as file

CHECKPOINT_VERSION: Final = 2

#: The kind of file, in messages.
KIND: Final = "checkpoint"

#: Before the names of the arrays of the optimizer.
OPTIMIZER: Final = "optimizer."


class Checkpoint(NamedTuple):
    """A training to go on with: one that is not over, or a finished model for more epochs."""

    model: Model  #: as it is; its report tells of the epochs that are over
    state: State
    optimizer: Mapping[str, NDArray[Any]] | None = None  #: None: it begins afresh
    fingerprint: str | None = None  #: of the text; None: that of a finished model is not known
    sources: list[str] | None = None  #: names of the text; None if it cannot be read again
    every: float | None = None  #: seconds between two checkpoints


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint to one file, which appears whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    state, stored = checkpoint.state, checkpoint.model.stored()
    optimizer = checkpoint.optimizer or {}
    content = {
        "checkpoint_version": CHECKPOINT_VERSION,
        **file.settings_and_report(stored),
        "corpus": {"sources": checkpoint.sources, "fingerprint": checkpoint.fingerprint},
        "state": {
            "steps": state.steps,
            "epoch": state.epoch,
            "portions": state.portions,
            "rate": state.rate,
            "share": state.share,
            "tally": vars(state.tally),
            "measures": _replaced(state.measures.to_dict(), math.inf, None),
        },
        "every": checkpoint.every,
    }
    arrays = {OPTIMIZER + name: as_stored(array) for name, array in optimizer.items()}
    safetensors_file.write(path, {**file.arrays_of(stored), **arrays}, file.to_metadata(content))


def read(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, or a finished model; hold it against its checksums, if it has any.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a later version of cbow.
    """
    tensors, metadata = safetensors_file.read(path, check=safetensors_file.ALL)
    with naming(path, KIND):
        content = file.from_metadata(metadata)
    if "format_version" in content:
        model = Model.from_stored(file.read_model(path))
        with naming(path, "model"):
            state = _state_after(model)
        settings = {name: model.report[name] for name in ("objective", "batch")}
        return Checkpoint(_with_settings(model, settings), state)
    with naming(path, KIND):
        file.check_version(content, "checkpoint_version", CHECKPOINT_VERSION)
        optimizer = {
            name.removeprefix(OPTIMIZER): tensors[name]
            for name in tensors
            if name.startswith(OPTIMIZER)
        }
        parameters = {name: tensors[name] for name in tensors if not name.startswith(OPTIMIZER)}
        model = Model.from_stored(file.restored(parameters, content))
        if not fits(content, _CONTENT):
            raise file.damaged_metadata()
        model = _with_settings(model, content.get("objective", {}))
        state = _state_within(model, content["state"])
        return Checkpoint(
            model, state, optimizer,
            content["corpus"]["fingerprint"], content["corpus"]["sources"], content["every"],
        )  # fmt: skip


def _with_settings(model: Model, settings: Mapping[str, Any]) -> Model:
    """Put into the settings what earlier versions had chosen and wrote elsewhere.

    Raises
    ------
    ConfigError
        If these are not settings.
    """
    return dataclasses.replace(model, config=model.config.replace(settings))


def _state_within(model: Model, content: dict[str, Any]) -> State:
    """Return the state that a checkpoint holds; the finished epochs are in the model's report."""
    epochs = [build(Epoch, epoch) for epoch in model.report["epochs"]]
    restarts = list(model.report["restarts"])
    last = max([0, *restarts, *(epoch.epoch for epoch in epochs)])
    if not (
        last < content["epoch"] <= (model.config.epochs or 0)
        and len(content["measures"]["fired"]) == model.config.dimension
    ):
        raise file.damaged_metadata()
    measures = Measures.from_dict(_replaced(content["measures"], None, math.inf))
    tally = build(Tally, content["tally"])
    plain = {name: content[name] for name in ("epoch", "portions", "rate", "share", "steps")}
    return State(measures=measures, tally=tally, finished=epochs, restarts=restarts, **plain)


def _state_after(model: Model) -> State:
    """Return the state in which a model leaves off: before an epoch that is yet to come.

    Raises
    ------
    ModelFileError
        If its report is not that of a training.
    """
    if not fits(model.report, {**_REPORT, "stopped": maybe({"epoch": count})}):
        raise ModelFileError(
            "its report is not that of a training; give a model that cbow-train wrote, as it wrote "
            "it"
        )
    epochs = [build(Epoch, epoch) for epoch in model.report["epochs"]]
    stopped = model.report["stopped"]
    # An epoch that was interrupted has used up its random numbers.
    last = max(stopped["epoch"] if stopped else 0, epochs[-1].epoch if epochs else 0)
    return State(
        last + 1,
        Measures(model.config.dimension),
        finished=epochs,
        steps=sum(epoch.steps for epoch in epochs),
        restarts=[*model.report["restarts"], last],
    )


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in C order as it lies in the file: one in Fortran order is transposed."""
    return array if array.flags.c_contiguous else array.T


def fill(arrays: Mapping[str, NDArray[Any]], saved: Mapping[str, NDArray[Any]]) -> None:
    """Fill the arrays of an optimizer with what was saved of them.

    Raises
    ------
    ModelFileError
        If they differ in names, shapes or kinds of number.
    """

    def listed(kinds: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
        """List names, kinds of number and shapes, for the message."""
        each = (f"{name} {dtype} {shape}" for name, (shape, dtype) in sorted(kinds.items()))
        return ", ".join(each) or "none"

    needed = {name: (as_stored(array).shape, array.dtype) for name, array in arrays.items()}
    present = {name: (array.shape, array.dtype) for name, array in saved.items()}
    if present != needed:
        raise ModelFileError(
            f"the optimizer of the checkpoint has the arrays {listed(present)}, but must have "
            f"{listed(needed)}; go on with the version of cbow that wrote it, or train anew"
        )
    for name, array in arrays.items():
        as_stored(array)[...] = saved[name]


def _replaced(value: Any, old: Any, new: Any) -> Any:
    """Replace a number everywhere in tables: a sum may be infinite, for which JSON has no word."""
    if isinstance(value, dict):
        return {name: _replaced(each, old, new) for name, each in value.items()}
    return new if value is old or value == old else value


# Where checkpoints are written, and when.


class Saving(NamedTuple):
    """Where checkpoints are written, how often, and what they name as their text."""

    path: Path
    every: float  #: seconds
    sources: list[str] | None  #: None if the text cannot be read again


def new_saving(
    path: str | os.PathLike[str] | None,
    every: float | None,
    corpus: Corpus | None,
    before: Saving | None = None,
) -> Saving | None:
    """Return where checkpoints are written, and how often; None if they are not.

    Parameters
    ----------
    path, every, corpus
        As for `cbow.resume`; what is None stays as it was before.
    before : Saving, optional

    Raises
    ------
    ConfigError
        If only one of path and interval is known, or the interval is not a number of seconds.
    OutputError
        If the path is that of a file of the text.
    """
    if before is None:
        if path is None and every is None:
            return None
        if path is None or every is None:
            raise ConfigError(
                f"checkpoint is {path!r} and checkpoint_every {every!r}, but one needs the other; "
                "give both, or neither"
            )
        before = Saving(Path(), 0.0, None)
    if path is not None:
        for file_read in find_sources(() if corpus is None else corpus).files:
            if same(path, file_read):
                raise OutputError(
                    f"the checkpoint {name_of(path)} would be written over {name_of(file_read)}, "
                    "which is read; give it another name"
                )
        before = before._replace(path=expanded(path))
    if every is not None:
        if not (isinstance(every, int | float) and 0 <= every < math.inf):
            raise ConfigError(f"checkpoint_every is {every!r}, but must be seconds, 0 or more")
        before = before._replace(every=float(every))
    return before if corpus is None else before._replace(sources=find_sources(corpus).names)


@dataclasses.dataclass(eq=False)
class Checkpoints:
    """Writes the checkpoints of one training."""

    saving: Saving
    make: Callable[[State], Checkpoint]
    observer: Observer  #: hears of each, and of those that cannot be written: that ends no training

    def __post_init__(self) -> None:
        self.latest = time.monotonic()

    def write_if_due(self, state: State) -> None:
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


# What is read from JSON, held against the form it must have.

#: A table of forms by name, a list of one form, or a function that says yes or no.
Form = Any

T = TypeVar("T")


class Optional(NamedTuple):
    """The form of an entry that may be missing, as files of earlier versions lack it."""

    form: Form


def fits(value: Any, form: Form) -> bool:
    """Whether a value has a form; a table may have entries beyond those of its form."""
    if isinstance(form, Mapping):
        return isinstance(value, dict) and all(
            fits(value[name], each.form if isinstance(each, Optional) else each)
            if name in value
            else isinstance(each, Optional)
            for name, each in form.items()
        )
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(each, form[0]) for each in value)
    return bool(form(value))


def count(value: Any) -> bool:
    """Whether it is a number of things that 64 bits can count."""
    return type(value) is int and 0 <= value < 2**63


def number(value: Any) -> bool:
    """Whether it is a finite number that a float can hold."""
    return type(value) in (int, float) and abs(value) < 2**1023 and math.isfinite(value)


def yes_or_no(value: Any) -> bool:
    """Whether it is True or False."""
    return isinstance(value, bool)


def text(value: Any) -> bool:
    """Whether it is text."""
    return isinstance(value, str)


def maybe(form: Form) -> Callable[[Any], bool]:
    """Allow None beside a form."""
    return lambda value: value is None or fits(value, form)


def table_of(form: Form) -> Callable[[Any], bool]:
    """Ask for a table, with any names, whose values all have one form."""
    return lambda value: isinstance(value, dict) and all(fits(v, form) for v in value.values())


_KINDS: Final[Mapping[str, Form]] = {
    "int": count,
    "float": number,
    "bool": yes_or_no,
    "list": [count],
    "dict": table_of(maybe(number)),
    "float | None": maybe(number),
    "Mapping[str, float]": table_of(maybe(number)),
}


def build(kind: Callable[..., T], table: Mapping[str, Any]) -> T:
    """Make an object of a dataclass from a table that has its fields, and may have others."""
    names = [entry.name for entry in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: table[name] for name in names if name in table})


def fields_of(kind: Any) -> dict[str, Form]:
    """Return the form of a dataclass of numbers, from the types and defaults of its fields."""
    forms = {entry.name: _KINDS[str(entry.type)] for entry in dataclasses.fields(kind)}
    defaults = {e.name for e in dataclasses.fields(kind) if e.default is not dataclasses.MISSING}
    return {name: Optional(form) if name in defaults else form for name, form in forms.items()}


_REPORT: Final = {
    "account": {"read": count, "kept": count},
    "objective": text,
    "batch": count,
    "epochs": [fields_of(Epoch)],
    "restarts": [count],
}

_CONTENT: Final = {
    "report": _REPORT,
    "corpus": {"sources": maybe([text]), "fingerprint": text},
    "objective": Optional(
        {"objective": text, "optimizer": text, "learning_rate": number, "batch": count}
    ),
    "state": {
        "steps": count,
        "epoch": count,
        "portions": count,
        "rate": number,
        "share": number,
        "tally": dict.fromkeys(vars(Tally()), count),
        "measures": {n: _KINDS[type(v).__name__] for n, v in Measures(1).to_dict().items()},
    },
    "every": number,
}
