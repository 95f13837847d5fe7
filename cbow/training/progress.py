"""How quickly a training goes on, how long it will still take, and a bar that shows it."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final

from cbow.system.compiled import made_here
from cbow.text import Progress, TokenAccount
from cbow.training.observer import Epoch, Plan, Resumed, Step, Warnings

#: tqdm's format without its speed and time left, which go by the last steps: the note has them.
TRAINING: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt}{postfix}"


class Rate:
    """How much is done in a second. Time in which machine code is made does not count.

    Parameters
    ----------
    done : int
        Where it begins, now.

    Attributes
    ----------
    amount : int
        What was done in the time that counts.
    seconds : float
        That time.
    """

    def __init__(self, done: int = 0) -> None:
        self.amount, self.seconds = 0, 0.0
        self._done, self._now, self._made = done, time.monotonic(), len(made_here)

    def reach(self, done: int) -> None:
        """Count what was done since the last call, and its time."""
        amount, seconds = self.skip(done)
        self.amount += amount
        self.seconds += seconds

    def skip(self, done: int) -> tuple[int, float]:
        """Return both without counting them; zeros if machine code was made meanwhile."""
        now, made = time.monotonic(), len(made_here)
        amount, seconds = done - self._done, now - self._now
        if made != self._made:
            amount, seconds = 0, 0.0
        self._done, self._now, self._made = done, now, made
        return amount, seconds

    @property
    def per_second(self) -> float | None:
        """How much is done in a second; None as long as nothing is known of it."""
        return self.amount / self.seconds if self.amount and self.seconds else None


class Pace:
    """How quickly a training goes on.

    Two things take time, and are counted apart: to learn from tokens; and what comes after each
    epoch, the losses and whatever an observer does. Until that was seen once, it is what the plan
    says that the losses take.

    Parameters
    ----------
    plan : Plan
        Of a training that begins now.

    Attributes
    ----------
    learning : Rate
        Of the tokens.
    """

    def __init__(self, plan: Plan) -> None:
        self.learning = Rate()
        self._plan = plan
        self._epoch = 0
        self._after: list[float] = []  # seconds after each epoch

    def resume(self, tokens_done: int) -> None:
        """Begin where an earlier training ended, now."""
        self.learning = Rate(tokens_done)

    def step(self, step: Step) -> None:
        """Count a portion of the work."""
        speed = self.learning.per_second
        if speed and step.epoch != self._epoch:  # with it comes what came after the last epoch
            tokens, seconds = self.learning.skip(step.tokens_done)
            if seconds:
                # Both took as long as they do, and what came after it all the rest; or, if that
                # would have been longer, both were quicker.
                learned = tokens / speed
                learned *= min(1.0, seconds / (learned + self._after_an_epoch()))
                self.learning.amount += tokens
                self.learning.seconds += learned
                self._after.append(seconds - learned)
        else:
            self.learning.reach(step.tokens_done)
        self._epoch = step.epoch

    def seconds_left(self, step: Step) -> float | None:
        """Return how long it will take from a step to the end; None if nothing was measured."""
        speed = self.learning.per_second
        if speed is None:
            return None
        epochs = step.tokens_total // self._plan.tokens
        to_learn = step.tokens_total - step.tokens_done
        return to_learn / speed + (epochs - step.epoch + 1) * self._after_an_epoch()

    def _after_an_epoch(self) -> float:
        """Return how many seconds pass between two epochs."""
        return sum(self._after) / len(self._after) if self._after else self._plan.loss_seconds

    def line(self, step: Step) -> str:
        """Return what is shown of the pace: tokens a second, and the time left."""
        left = self.seconds_left(step)
        if left is None:
            return ""
        return f", {self.learning.per_second:,.0f} tokens/s, {clock(left)} left"


def clock(seconds: float) -> str:
    """Write a duration for people: ``45 s``, ``3:05``, ``2:03:04``."""
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    minutes, s = divmod(rounded, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{s:02}" if hours else f"{minutes}:{s:02}"


class ProgressBar(Warnings):
    """Shows a bar while a text is read and one while it is trained on, to who trains from Python.

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
