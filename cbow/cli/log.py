"""Keeping a machine-readable log of a training run."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from cbow.files import check_writable, explain_output_errors
from cbow.text import Progress, TokenAccount
from cbow.training import Epoch, Observer, Plan, Step


class JSONLog(Observer):
    """Writes one JSON object per epoch, and two before the first: the account and the plan.

    Parameters
    ----------
    path : str
        A file, or ``"-"`` for standard output.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.file: TextIO | None = sys.stdout if path == "-" else None
        if self.file is None:
            check_writable(self.path)
        self.began = time.monotonic()

    def encoded(self, account: TokenAccount) -> None:
        """Log the account of the tokens."""
        self._write("account", account.to_dict())

    def planned(self, plan: Plan) -> None:
        """Log the plan and its baselines."""
        values = plan._asdict()
        values["baselines"] = vars(plan.baselines)
        self._write("plan", values)
        self.began = time.monotonic()

    def finished_epoch(self, epoch: Epoch) -> None:
        """Log an epoch, with the seconds since training began."""
        seconds = round(time.monotonic() - self.began, 3)
        self._write("epoch", {**epoch.to_dict(), "seconds": seconds})

    def close(self) -> None:
        """Close the file."""
        if self.file is not None and self.file is not sys.stdout:
            self.file.close()

    def _write(self, event: str, values: dict[str, Any]) -> None:
        line = json.dumps({"event": event, **values}, allow_nan=False)
        with explain_output_errors(self.path):
            if self.file is None:  # opened late: a corpus that cannot be read spares the old log
                self.file = self.path.open("w", encoding="utf-8")
            print(line, file=self.file, flush=True)


class Several(Observer):
    """Passes everything on to several observers."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers

    def reading(self, progress: Progress) -> None:
        """Pass on."""
        for observer in self.observers:
            observer.reading(progress)

    def encoded(self, account: TokenAccount) -> None:
        """Pass on."""
        for observer in self.observers:
            observer.encoded(account)

    def planned(self, plan: Plan) -> None:
        """Pass on."""
        for observer in self.observers:
            observer.planned(plan)

    def stepped(self, step: Step) -> None:
        """Pass on."""
        for observer in self.observers:
            observer.stepped(step)

    def finished_epoch(self, epoch: Epoch) -> None:
        """Pass on."""
        for observer in self.observers:
            observer.finished_epoch(epoch)
