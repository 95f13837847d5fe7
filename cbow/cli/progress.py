"""Showing the progress of a training run: bars on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, TextIO

from cbow.cli.common import visible
from cbow.errors import counted
from cbow.system.threads import MOST_THREADS
from cbow.text import Progress, TokenAccount
from cbow.training import Epoch, Observer, Plan, Resumed, Step

if TYPE_CHECKING:
    from tqdm import tqdm

    from cbow.evaluation import Evaluation

#: Seconds between two plain lines.
QUIET_SECONDS: Final = 10.0


class _Nowhere(io.StringIO):
    """Stands for a standard error that is closed."""

    def write(self, text: str) -> int:
        """Forget the text."""
        return len(text)


class Display(Observer):
    """Writes what happens to stderr.

    Parameters
    ----------
    epochs : int
        How many there will be.
    stream : TextIO
        Where to write: bars if it is a terminal, lines if not.
    """

    def __init__(self, epochs: int, stream: TextIO | None = None) -> None:
        self.epochs = epochs
        self.stream: TextIO = stream or sys.stderr or _Nowhere()
        self.terminal = self.stream.isatty()
        self.bar: tqdm[Any] | None = None
        self.began = self.told = time.monotonic()
        self.loss = 0.0
        self.measure = "loss"  # what the running number is
        self.before = 0  # tokens of an earlier training, which have cost no time of this one

    def say(self, line: str) -> None:
        """Write one line, above the bar if there is one."""
        with self._drawing():
            if self.bar is not None:
                self.bar.clear()
        with contextlib.suppress(OSError, ValueError):
            print(line, file=self.stream, flush=True)
        with self._drawing():
            if self.bar is not None:
                self.bar.refresh()

    def reading(self, progress: Progress) -> None:
        """Show how much of the text is read."""
        if self.terminal:
            self._advance("reading", progress.bytes_done, progress.bytes_total, "B")
        elif self._due():
            part = _share(progress.bytes_done, progress.bytes_total)
            rate = progress.tokens / max(1e-9, time.monotonic() - self.began)
            self.say(f"reading{part}: {progress.tokens:,} tokens, {rate:,.0f} tokens/s")

    def noticed(self, note: str) -> None:
        """Print what the text looks like."""
        self.say(f"note: {visible(note)}")

    def encoded(self, account: TokenAccount) -> None:
        """Print the account of the tokens."""
        self.close()
        for line in account.sentences():
            self.say(line)

    def short_of_threads(self, started: int, threads: int) -> None:
        """Tell how many there are, and what may limit them."""
        self.say(
            f"note: {started} of {threads} threads are used ({MOST_THREADS:,} at most; ulimit -u "
            "or pids.max may allow fewer); the result is the same"
        )

    def planned(self, plan: Plan) -> None:
        """Print what is about to be trained, and the losses to judge it by."""
        base = plan.baselines
        self.say(
            f"training: {plan.vocabulary_size:,} words, {plan.parameters:,} parameters, "
            f"{counted(self.epochs, 'epoch')} of {plan.tokens:,} tokens, batches of {plan.batch:,}"
        )
        self.say(f"objective: {plan.objective}; {plan.reason}")
        line = f"to be beaten: {base.uniform:.4f} nats (all words alike), {base.unigram:.4f} "
        line += "(word frequencies)"
        if base.heldout_unigram is not None:
            line += f", {base.heldout_unigram:.4f} (the same on the held-out lines)"
        self.say(line)
        if plan.objective == "sampled":
            self.measure = "loss among candidates"
        self.began = self.told = time.monotonic()

    def compiling(self) -> None:
        """Say what takes so long, this once."""
        self.say("compiling the kernels; this is kept for next time ...")

    def resumed(self, resumed: Resumed) -> None:
        """Print where training goes on."""
        self.before = resumed.tokens_done
        self.say(f"going on in epoch {resumed.epoch}/{resumed.epochs}")

    def stepped(self, step: Step) -> None:
        """Show the speed, the loss and the time left."""
        weight = 0.02 if self.loss else 1.0
        self.loss += weight * (step.loss - self.loss)  # the last fifty steps or so
        if self.terminal:
            label = f"epoch {step.epoch}/{self.epochs}"
            note = f"{self.measure} {self.loss:.4f}"
            self._advance(label, step.tokens_done, step.tokens_total, " tokens", note)
        elif self._due():
            seconds = max(1e-9, time.monotonic() - self.began)
            rate = (step.tokens_done - self.before) / seconds
            left = (step.tokens_total - step.tokens_done) / max(rate, 1e-9)
            part = _share(step.tokens_done, step.tokens_total)
            self.say(
                f"epoch {step.epoch}/{self.epochs}{part}: {self.measure} {self.loss:.4f}, "
                f"{rate:,.0f} tokens/s, {clock(left)} left"
            )

    def finished_epoch(self, epoch: Epoch) -> None:
        """Print the losses of the epoch."""
        self.say(f"epoch {epoch.epoch}/{self.epochs}: {epoch.line()}")
        if epoch.epoch == self.epochs:
            self.close()

    def scored(self, epoch: int, evaluation: Evaluation) -> None:
        """Print the scores of the vectors after an epoch."""
        from cbow.cli.scoring import in_a_line  # here: few ask for scores

        self.say(f"epoch {epoch}/{self.epochs}: {in_a_line(evaluation)}")

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            with self._drawing():
                self.bar.close()
            self.bar = None

    def _advance(self, label: str, done: int, total: int | None, unit: str, note: str = "") -> None:
        """Move the bar to `done`; draw it first if there is none."""
        with self._drawing():
            if self.bar is None:
                from tqdm import tqdm

                self.bar = tqdm(
                    desc=label,
                    total=total,
                    initial=self.before,
                    unit=unit,
                    unit_scale=True,
                    leave=False,
                    file=self.stream,
                    dynamic_ncols=True,
                    bar_format=_bar_format(total),
                )
            self.bar.set_description_str(label, refresh=False)
            self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(done - self.bar.n)

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Go on with plain lines where there can be no bar.

        Variables TQDM_... of the environment may cause that, already when tqdm is imported, or a
        terminal that is gone: what is shown is worth less than what is computed.
        """
        try:
            yield
        except Exception:
            if self.bar is not None:
                self.bar.disable = True  # so that it does not close itself
            self.bar, self.terminal = None, False

    def _due(self) -> bool:
        """Whether it is time for another plain line."""
        now = time.monotonic()
        if now - self.told < QUIET_SECONDS:
            return False
        self.told = now
        return True


def _bar_format(total: int | None) -> str | None:
    """Say in which order tqdm shows things: the numbers first, the bar in what room is left."""
    if total is None:
        return None
    return "{desc} {percentage:.0f} %{postfix}, {rate_fmt}, {remaining} left {bar}"


def clock(seconds: float) -> str:
    """Write a duration as people read it: ``45 s``, ``3:05``, ``2:03:04``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, s = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{s:02}" if hours else f"{minutes}:{s:02}"


def _share(done: int, total: int | None) -> str:
    """Write done/total as per cent, or nothing if the total is not known."""
    return f" {100 * done / total:.0f} %" if total else ""
