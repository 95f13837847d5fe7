"""Keeping a machine-readable log of a training run."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from cbow.cli.common import complain, discard
from cbow.errors import OutputError
from cbow.system.files import expanded, explain_output_errors
from cbow.text import TokenAccount
from cbow.training import Epoch, Observer, Plan, Resumed

if TYPE_CHECKING:
    from cbow.evaluation import Evaluation


class JSONLog(Observer):
    """Writes one JSON object per epoch, and two before the first: the account and the plan.

    A log that cannot be written any more ends, but not the training; `close` tells.

    Parameters
    ----------
    path : str
        A file, or ``"-"`` for standard output. A file is opened when there is something to
        write: a corpus that cannot be read spares the old log.
    """

    def __init__(self, path: str) -> None:
        self.path = expanded(path)
        self.file: TextIO | None = sys.stdout if path == "-" else None
        self.lost: OSError | None = None
        self.began = time.monotonic()

    def noticed(self, note: str) -> None:
        """Log what the text looks like."""
        self._write("note", {"note": note})

    def encoded(self, account: TokenAccount) -> None:
        """Log the account of the tokens."""
        self._write("account", account.to_dict())

    def planned(self, plan: Plan) -> None:
        """Log the plan and its baselines."""
        self._write("plan", {**plan._asdict(), "baselines": vars(plan.baselines)})
        self.began = time.monotonic()

    def resumed(self, resumed: Resumed) -> None:
        """Log the epochs that are over, so that the log is whole; their seconds are not known."""
        for epoch in resumed.finished:
            self._write("epoch", {**epoch.to_dict(), "seconds": None})

    def finished_epoch(self, epoch: Epoch) -> None:
        """Log an epoch, with the seconds since training began."""
        seconds = round(time.monotonic() - self.began, 3)
        self._write("epoch", {**epoch.to_dict(), "seconds": seconds})

    def scored(self, epoch: int, evaluation: Evaluation) -> None:
        """Log the scores of the vectors after an epoch."""
        self._write("scores", {"epoch": epoch, **evaluation.to_dict()})

    def close(self) -> OSError | None:
        """Close the file, and give the error that ended the log, if one did.

        That nobody reads standard output to its end, as with ``head``, is no error.
        """
        if self.file is not None and self.file is not sys.stdout:
            with contextlib.suppress(OSError):
                self.file.close()
        return None if isinstance(self.lost, BrokenPipeError) else self.lost

    def _open(self) -> TextIO:
        return self.path.open("w", encoding="utf-8")

    def _write(self, event: str, values: dict[str, Any]) -> None:
        """Write a line, unless an earlier one could not be written."""
        if self.lost:
            return
        line = json.dumps({"event": event, **values}, allow_nan=False)
        try:
            with explain_output_errors(self.path):
                self.file = self.file or self._open()
                print(line, file=self.file, flush=True)
        except OutputError as error:
            cause = error.__cause__
            self.lost = cause if isinstance(cause, BrokenPipeError) else error
            if self.file is sys.stdout:
                discard(sys.stdout)


class Complaints(Observer):
    """Says at once, also to who wants quiet, what goes wrong and does not end the training."""

    def checkpointed(self, trouble: OutputError | None) -> None:
        """Complain of a checkpoint that could not be written."""
        if trouble:
            complain("cbow-train", f"no checkpoint, but training goes on: {trouble}")


class Several(Observer):
    """Passes everything on to several observers."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers


def _passing_on(event: str) -> Callable[..., None]:
    """Make the method that passes an event on."""

    def pass_on(self: Several, *what: Any) -> None:
        """Pass on."""
        for observer in self.observers:
            getattr(observer, event)(*what)

    return pass_on


for _event in (name for name in vars(Observer) if not name.startswith("_")):
    setattr(Several, _event, _passing_on(_event))
