"""Checkpoints: what a training must know to go on, in one file.

The file is a safetensors file with the arrays of a model, as `cbow.vectors.formats.model` has them,
and those of the optimizer as ``optimizer.NAME``. Its metadata have one entry, ``cbow``: JSON with

    checkpoint_version   1
    config, report       as in a model: the settings, and what happened in the epochs that are over
    corpus               the names of the text (null if it cannot be read again), its fingerprint
    objective            the settings that the objective was chosen to have
    state                the epoch under way: what is done of it, and what was measured
    every                seconds between two checkpoints
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.errors import ModelFileError
from cbow.model import Model
from cbow.system import safetensors_file
from cbow.system.files import naming
from cbow.text import EncodedCorpus
from cbow.training.examples import Tally
from cbow.training.forms import build, fields_of, fits, maybe, number, table_of, text, whole
from cbow.training.measures import Measures
from cbow.training.objective import Objective
from cbow.training.observer import Epoch
from cbow.training.state import EpochState, State
from cbow.vectors.formats import model as file

CHECKPOINT_VERSION: Final = 1

#: The kind of file, in messages.
KIND: Final = "checkpoint"

#: Before the names of the arrays of the optimizer.
OPTIMIZER: Final = "optimizer."

#: Tokens whose fingerprint is taken at a time.
PIECE: Final = 2**20

_REPORT: Final = {
    "account": {"read": whole, "kept": whole},
    "objective": text,
    "batch": whole,
    "epochs": [fields_of(Epoch)],
    "restarts": [whole],
}

_CONTENT: Final = {
    "report": _REPORT,
    "corpus": {"sources": maybe([text]), "fingerprint": text},
    "objective": {"objective": text, "optimizer": text, "learning_rate": number, "batch": whole},
    "state": {
        "steps": whole,
        "epoch": whole,
        "portions": whole,
        "rate": number,
        "share": number,
        "tally": fields_of(Tally),
        "measures": {
            "examples": whole,
            "steps": whole,
            "sampled": lambda value: isinstance(value, bool),
            "loss": number,
            "fired": [whole],
            "norms": table_of(maybe(number)),
        },
    },
    "every": number,
}


class CorpusRecord(NamedTuple):
    """How to read a text again, and how to know it."""

    sources: list[str] | None  #: its names; None if it cannot be read again
    fingerprint: str


class Checkpoint(NamedTuple):
    """A training that is not over."""

    model: Model  #: as it is; its report tells of the epochs that are over
    state: State
    optimizer: Mapping[str, NDArray[Any]]
    objective: Mapping[str, Any]  #: see `settings_of`
    corpus: CorpusRecord
    every: float  #: seconds between two checkpoints


def settings_of(objective: Objective) -> dict[str, Any]:
    """Return the settings with which the same objective would be chosen again."""
    return {
        "objective": objective.name,
        "optimizer": objective.optimizer,
        "learning_rate": objective.rate,
        "batch": objective.batch,
    }


def fingerprint(corpus: EncodedCorpus) -> str:
    """Return SHA-256 of the ids and of the line starts, by which an encoded text is known again."""
    digest = hashlib.sha256()
    for array in (corpus.ids, corpus.line_starts):
        digest.update(len(array).to_bytes(8, "little"))
        for start in range(0, len(array), PIECE):
            digest.update(array[start : start + PIECE].data)
        corpus.release()
    return digest.hexdigest()


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint to one file, which appears whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    stored = checkpoint.model.stored()
    arrays = {OPTIMIZER + name: as_stored(array) for name, array in checkpoint.optimizer.items()}
    content = {
        "checkpoint_version": CHECKPOINT_VERSION,
        **file.settings_and_report(stored),
        "corpus": checkpoint.corpus._asdict(),
        "objective": checkpoint.objective,
        "state": _state_to_json(checkpoint.state),
        "every": checkpoint.every,
    }
    safetensors_file.write(path, {**file.arrays_of(stored), **arrays}, file.to_metadata(content))


def read(path: str | os.PathLike[str]) -> Checkpoint | Model:
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
        return Model.from_stored(file.read(path))
    with naming(path, KIND):
        file.check_version(content, "checkpoint_version", CHECKPOINT_VERSION)
        return _restored(tensors, content)


def state_after(model: Model) -> State:
    """Return the state in which a model leaves off: before an epoch that is yet to come.

    Raises
    ------
    ModelFileError
        If its report is not that of a training.
    """
    form = {**_REPORT, "stopped": maybe({"epoch": whole})}
    if not fits(model.report, form):
        raise ModelFileError(
            "its report is not that of a training; give a model that cbow-train wrote, as it wrote "
            "it"
        )
    epochs = epochs_of(model.report)
    stopped = model.report["stopped"]
    # An epoch that was interrupted has used up its random numbers.
    last = max(stopped["epoch"] if stopped else 0, epochs[-1].epoch if epochs else 0)
    return State(
        EpochState(last + 1, Measures(model.config.dimension)),
        epochs,
        sum(epoch.steps for epoch in epochs),
        [*model.report["restarts"], last],
    )


def epochs_of(report: Mapping[str, Any]) -> list[Epoch]:
    """Return the epochs of a report."""
    return [build(Epoch, epoch) for epoch in report["epochs"]]


def as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in C order as it lies in the file: one in Fortran order is transposed."""
    return array if array.flags.c_contiguous else array.T


def fill(arrays: Mapping[str, NDArray[Any]], saved: Mapping[str, NDArray[Any]]) -> None:
    """Fill the arrays of an optimizer with what was saved of them.

    Raises
    ------
    ModelFileError
        If they are not of the same names, shapes and kinds of number.
    """
    kinds = {name: (as_stored(array).shape, array.dtype) for name, array in arrays.items()}
    found = {name: (array.shape, array.dtype) for name, array in saved.items()}
    if kinds != found:
        raise ModelFileError(
            f"the optimizer of the checkpoint has the arrays {_listed(found)}, but must have "
            f"{_listed(kinds)}; go on with the version of cbow that wrote it, or train anew"
        )
    for name, array in arrays.items():
        as_stored(array)[...] = saved[name]


def _listed(kinds: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
    """Write names and kinds of arrays as a person reads them."""
    listed = (f"{name} {dtype} {shape}" for name, (shape, dtype) in sorted(kinds.items()))
    return ", ".join(listed) or "none"


def _restored(tensors: Mapping[str, NDArray[Any]], content: Mapping[str, Any]) -> Checkpoint:
    """Put a checkpoint together again."""
    of_model, of_optimizer = {}, {}
    for name, array in tensors.items():
        if name.startswith(OPTIMIZER):
            of_optimizer[name.removeprefix(OPTIMIZER)] = array
        else:
            of_model[name] = array
    model = Model.from_stored(file.restored(of_model, content))
    if not fits(content, _CONTENT):
        raise file.damaged_metadata()
    model.config.replace(content["objective"])  # raises if these are no settings
    return Checkpoint(
        model,
        _state_from_json(content["state"], model),
        of_optimizer,
        content["objective"],
        CorpusRecord(content["corpus"]["sources"], content["corpus"]["fingerprint"]),
        content["every"],
    )


def _state_to_json(state: State) -> dict[str, Any]:
    """Return what is known of the epoch under way, as plain numbers."""
    epoch = state.epoch
    measures = epoch.measures.to_dict()
    # A sum may be infinite, for which JSON has no word.
    measures["norms"] = {n: x if np.isfinite(x) else None for n, x in measures["norms"].items()}
    return {
        **vars(epoch),
        "tally": vars(epoch.tally),
        "measures": measures,
        "steps": state.steps,
    }


def _state_from_json(content: dict[str, Any], model: Model) -> State:
    """Restore the state; the epochs that are over are in the report of the model."""
    measures, epochs = dict(content["measures"]), epochs_of(model.report)
    restarts = list(model.report["restarts"])
    last = max([0, *restarts, *(epoch.epoch for epoch in epochs)])
    if not (
        last < content["epoch"] <= model.config.epochs
        and len(measures["fired"]) == model.config.dimension
    ):
        raise file.damaged_metadata()
    measures["norms"] = {n: np.inf if x is None else x for n, x in measures["norms"].items()}
    parts = {"measures": Measures.from_dict(measures), "tally": build(Tally, content["tally"])}
    epoch = build(EpochState, {**content, **parts})
    return State(epoch, epochs, content["steps"], restarts)
