"""How quickly something goes on, and how long it will still take, by what was measured so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cbow.system.compiled import made_here

if TYPE_CHECKING:
    from cbow.training.observer import Plan, Step


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
