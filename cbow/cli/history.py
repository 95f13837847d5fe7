"""Reading what ``cbow-train`` tells of its epochs: in the model itself, or in its log."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cbow.errors import ModelFileError, QueryError, shown
from cbow.system.files import name_of, unopened
from cbow.system.safetensors_file import LONGEST_HEADER, strict_json

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cbow.plot.loss import History

#: No line of a log is as long, in bytes.
LONGEST_LINE: Final = 2**20


class _Entry(NamedTuple):
    """Something told, and where."""

    place: str
    values: dict[str, Any]


class _DamageError(Exception):
    """What is wrong with a file, without its name."""


def read_history(path: Path) -> History:
    """Read the loss of every epoch.

    Parameters
    ----------
    path : Path
        A model, or a log that ``cbow-train --log-json`` wrote; its first bytes tell which.

    Returns
    -------
    History

    Raises
    ------
    ModelFileError
        If the file cannot be opened, is neither or is damaged.
    QueryError
        If it tells of no epoch.
    """
    try:
        with _opened(path) as file:
            # A model begins with the length of its header; text makes a far larger number.
            start = file.peek(8)[:8].ljust(8, b"\xff")
            is_log = int.from_bytes(start, "little") > LONGEST_HEADER
            epochs, baselines = _told_by_log(file) if is_log else _told_by_model(path)
        if epochs:
            return _history(epochs, baselines)
    except _DamageError as error:
        raise ModelFileError(f"{name_of(path)} {error}") from None
    raise QueryError(
        f"{name_of(path)} tells of no epoch, and a curve wants one or more; wait for the first to "
        "end, or give the model or log of another run"
    )


def _opened(path: Path) -> BufferedReader:
    """Open a file for reading."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ModelFileError(unopened(path, error)) from error


def _told_by_model(path: Path) -> tuple[list[_Entry], _Entry]:
    """Return the epochs of a model's report, and the baselines."""
    from cbow.vectors.formats import model as file

    report = file.read(path).report
    epochs, baselines = report.get("epochs", []), report.get("baselines", {})
    if not isinstance(epochs, list) or not all(isinstance(e, dict) for e in [*epochs, baselines]):
        raise _DamageError(
            "has a report in which epochs or baselines are not as cbow-train writes them; give "
            "the log of the run, or train again"
        )
    entries = [_Entry(f"epoch {number} of its report", e) for number, e in enumerate(epochs, 1)]
    return entries, _Entry("its report", baselines)


def _told_by_log(file: BufferedReader) -> tuple[list[_Entry], _Entry]:
    """Return the epochs of a log, and the baselines. Events of other kinds are not for a curve."""
    events = list(_events(file))
    epochs = [entry for entry in events if entry.values["event"] == "epoch"]
    plans = [entry for entry in events if entry.values["event"] == "plan"]
    if epochs and len(plans) != 1:
        raise _DamageError(
            f"holds the plans of {len(plans)} runs, but must hold that of one; give the whole log "
            "of one run"
        )
    baselines = plans[0].values.get("baselines") if plans else None
    return epochs, _Entry("its plan", baselines if isinstance(baselines, dict) else {})


def _events(file: BufferedReader) -> Iterator[_Entry]:
    """Read a log line by line."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        try:
            event = strict_json(line)
        except ValueError:  # of which UnicodeDecodeError is a kind
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            if number == 1:
                raise _DamageError(
                    "is neither a model nor a log, for it does not begin like one; give a file "
                    "that cbow-train wrote, as -o or as --log-json"
                )
            raise _DamageError(
                f"is damaged in line {number}, which is not one whole JSON object with an event; "
                "delete that line, or log the run again"
            )
        yield _Entry(f"line {number}", event)
    if not number:
        raise _DamageError(
            "is empty; give a model or a log of cbow-train, once it has begun to train"
        )


def _history(epochs: list[_Entry], baselines: _Entry) -> History:
    """Put the numbers of all epochs into arrays."""
    from cbow.plot.loss import History

    numbers = _series(epochs, "epoch", needed=True)
    for (place, _), one, next_ in zip(epochs[1:], numbers, numbers[1:], strict=False):
        if next_ <= one:
            raise _DamageError(
                f"tells in {place} of epoch {next_:g} after epoch {one:g}; give the file of one run"
            )
    norms = [_Entry(place, _table(place, values, "gradient_norms")) for place, values in epochs]
    names = sorted({name for _, values in norms for name in values})
    return History(
        epochs=numbers,
        loss=_series(epochs, "loss", needed=True),
        heldout_loss=_series(epochs, "heldout_loss"),
        active=_series(epochs, "active"),
        gradient_norms={name: _series(norms, name) for name in names},
        uniform=_number(baselines, "uniform", needed=True),
        unigram=_number(baselines, "unigram", needed=True),
        heldout_unigram=_number(baselines, "heldout_unigram"),
    )


def _series(entries: list[_Entry], key: str, needed: bool = False) -> npt.NDArray[np.float64]:
    """Return one number of each entry."""
    import numpy as np

    return np.array([_number(entry, key, needed) for entry in entries])


def _number(entry: _Entry, key: str, needed: bool = False) -> float:
    """Return a number of an entry; NaN if it has none and needs none."""
    value: Any = entry.values.get(key)
    if value is None and not needed:
        return math.nan
    # `abs`: a whole number may have any number of digits, and no float is as large.
    if type(value) not in (int, float) or abs(value) > 1e300:
        raise _DamageError(
            f"has in {entry.place} {shown(value)} for {key}, but must have a number; give a file "
            "that cbow-train wrote"
        )
    return float(value)


def _table(place: str, values: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a table of numbers of an entry; an empty one if it has none."""
    table = values.get(key)
    if table is not None and not isinstance(table, dict):
        raise _DamageError(
            f"has in {place} {shown(table)} for {key}, but must have a table of numbers; give a "
            "file that cbow-train wrote"
        )
    return table or {}
