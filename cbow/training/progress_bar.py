"""A progress bar for whoever trains from Python, in a notebook or at a terminal."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from cbow.text import Progress, TokenAccount
from cbow.training.observer import Epoch, Plan, Resumed, Step, Warnings
from cbow.training.pace import Pace

#: tqdm's format without its speed and time left, which go by the last steps: the note has them.
TRAINING: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt}{postfix}"


class ProgressBar(Warnings):
    """Shows a bar while a text is read, and one while it is trained on.

    The bars are those of `tqdm.auto`: widgets in a notebook that has ipywidgets, text elsewhere, on
    standard error. The loss in the bar is that of the last epoch, beside what the word frequencies
    alone give. Like no observer at all, it warns of what a text looks like.

    Examples
    --------
    >>> import cbow
    >>> from cbow.training import ProgressBar
    >>> text = ["old king", "old queen"] * 40
    >>> model = cbow.train(text, dimension=4, epochs=2, sample=0, observer=ProgressBar())
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._pace: Pace  # once a training is planned
        self._loss = ""  # of the last epoch, beside its baseline
        self._baseline = 0.0

    def reading(self, progress: Progress) -> None:
        """Show how much of the text has been read."""
        self._advance("reading", progress.bytes_done, progress.bytes_total, unit="B")

    def encoded(self, account: TokenAccount) -> None:
        """Finish the first bar."""
        self._close()

    def planned(self, plan: Plan) -> None:
        """Begin to measure."""
        self._pace, self._loss, self._baseline = Pace(plan), "", plan.baselines.unigram

    def resumed(self, resumed: Resumed) -> None:
        """Measure from where training continues."""
        self._pace.resume(resumed.tokens_done)

    def stepped(self, step: Step) -> None:
        """Show how far the training is, and how quick."""
        self._pace.step(step)
        note = self._loss + self._pace.line(step)
        label = f"training, epoch {step.epoch}"
        self._advance(label, step.tokens_done, step.tokens_total, note.removeprefix(", "))

    def finished_epoch(self, epoch: Epoch) -> None:
        """Show the loss of the epoch."""
        self._loss = f"loss {epoch.loss:.3f}, word frequencies {self._baseline:.3f}"
        with contextlib.suppress(Exception):
            self._bar.set_postfix_str(self._loss)
            if self._bar.n >= self._bar.total:
                self._close()

    def _advance(
        self, label: str, done: int, total: int | None, note: str = "", unit: str = " tokens"
    ) -> None:
        """Move the bar to `done`; draw it first if there is none, or one of an earlier run."""
        with contextlib.suppress(Exception):  # no bar is worth losing a training
            if self._bar is None or self._bar.total != total:
                from tqdm.auto import tqdm

                self._close()
                self._bar = tqdm(
                    total=total,
                    initial=done,
                    unit=unit,
                    unit_scale=True,
                    bar_format=None if unit == "B" else TRAINING,
                )
            self._bar.set_description_str(label, refresh=False)
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        """Leave the bar as it is; the next is another."""
        with contextlib.suppress(Exception):
            self._bar.close()
        self._bar = None
