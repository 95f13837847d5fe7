"""The loop: epochs, the falling learning rate, the loss, and when to stop early."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.network import Parameters, linear_decay
from cbow.system.interrupts import Interrupts
from cbow.training.examples import Tally
from cbow.training.losses import Losses
from cbow.training.measures import Measures
from cbow.training.observer import Epoch, Observer, Step
from cbow.training.state import (
    DivergedError,
    EpochState,
    Portion,
    State,
    Trainer,
    copy,
    is_finite,
)


@dataclass
class GoodState:
    """The latest parameters known to be finite, and how many steps had been made."""

    parameters: Parameters
    step: int = 0


@dataclass
class Stop:
    """Why and where the loop ended before its last epoch."""

    reason: str  # "diverged", "interrupted" or "patience"
    found: str  # in words
    epoch: int
    step: int  # steps made
    kept_step: int  # steps made by the parameters that are kept

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, for JSON."""
        return dict(vars(self))


class _StoppedError(Exception):
    """Ends the loop."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop


class Loop:
    """Trains parameters, epoch after epoch.

    Parameters
    ----------
    config : Config
    trainer : Trainer
    losses : Losses
    rate : float
        The learning rate at the start.
    tokens : int
        Of the text, to tell the observer.
    observer : Observer
    """

    def __init__(
        self,
        config: Config,
        trainer: Trainer,
        losses: Losses,
        rate: float,
        tokens: int,
        observer: Observer,
    ) -> None:
        self.config = config
        self.trainer = trainer
        self.losses = losses
        self.rate = rate
        self.tokens = tokens
        self.observer = observer
        self.state = State(self._new_epoch(1))
        self.good = GoodState(copy(trainer.parameters))
        self.parameters = trainer.parameters

    def go_on(self, state: State) -> None:
        """Take up the state of an earlier training, whose parameters the trainer has already."""
        self.state = state
        self.good.step = state.steps

    def run(
        self,
        interrupts: Interrupts,
        after_portion: Callable[[State], None] = lambda state: None,
        after_epoch: Callable[[Epoch], None] = lambda epoch: None,
    ) -> Stop | None:
        """Train all epochs, or until the loss is no number, no longer falls, or the user stops it.

        Parameters
        ----------
        interrupts : Interrupts
            Is asked after each portion whether to stop.
        after_portion : callable
            Is given the state after each portion, to save it.
        after_epoch : callable
            Is given the record of each epoch.

        Returns
        -------
        Stop or None
            Why it ended early. ``loop.parameters`` and ``loop.state.finished`` are what there is.
        """
        try:
            while self.state.epoch.epoch <= self.config.epochs:
                self._stop_if_it_falls_no_longer()
                record = self._epoch(interrupts, after_portion)
                self.state.finished.append(record)
                self.state.epoch = self._new_epoch(record.epoch + 1)
                self.observer.finished_epoch(record)
                after_epoch(record)
        except _StoppedError as stopped:
            if stopped.stop.reason == "diverged":
                self.parameters = self.good.parameters
            return stopped.stop
        return None

    def _new_epoch(self, epoch: int) -> EpochState:
        return EpochState(epoch, Measures(self.config.dimension), rate=self.rate)

    def _epoch(self, interrupts: Interrupts, after_portion: Callable[[State], None]) -> Epoch:
        """Train what is left of an epoch."""
        state = self.state.epoch
        self._stop_if_asked(interrupts)
        try:
            for portion in self.trainer.portions(state, self._rate_of):
                self.state.steps += portion.steps
                state.share = portion.share
                self._tell(portion)
                if state.portions % self.trainer.keep_every == 0:
                    self._keep()
                self._stop_if_asked(interrupts)
                after_portion(self.state)
        except DivergedError as error:
            raise _StoppedError(self._diverged(str(error))) from error
        if state.tally.examples == 0:
            raise CorpusError(_nothing_to_learn(state.tally, self.config))
        loss, heldout = self.losses.of_epoch(state), self.losses.heldout()
        self._stop_if_asked(interrupts)
        if not is_finite(self.trainer.parameters) or not math.isfinite(loss + (heldout or 0.0)):
            raise _StoppedError(self._diverged("a parameter became infinite or not a number"))
        return self._record(state, loss, heldout)

    def _rate_of(self, share: float) -> float:
        """Return the learning rate after a share of the epoch under way."""
        before = self.state.before
        done = self.state.epoch.epoch - 1 - before + share
        return linear_decay(self.rate, done / (self.config.epochs - before))

    def _record(self, state: EpochState, loss: float, heldout: float | None) -> Epoch:
        """Sum up an epoch."""
        measures = state.measures
        return Epoch(
            epoch=state.epoch,
            loss=loss,
            heldout_loss=heldout,
            steps=measures.steps,
            learning_rate=state.rate,
            active=measures.active,
            dead=measures.dead,
            gradient_norms=measures.gradient_norms,
            candidate_loss=measures.candidate_loss,
            **vars(state.tally),
        )

    def _tell(self, portion: Portion) -> None:
        """Tell the observer of a portion."""
        epoch = self.state.epoch.epoch
        done = (epoch - 1 + portion.share) * self.tokens
        self.observer.stepped(
            Step(epoch, round(done), self.config.epochs * self.tokens, portion.loss)
        )

    def _keep(self) -> None:
        """Copy the parameters if they are finite, which a finite loss does not prove."""
        if not is_finite(self.trainer.parameters):
            raise _StoppedError(self._diverged("a parameter became infinite or not a number"))
        self.good = GoodState(copy(self.trainer.parameters), self.state.steps)

    def _stop_if_asked(self, interrupts: Interrupts) -> None:
        if interrupts.asked():
            steps = self.state.steps
            raise _StoppedError(Stop("interrupted", "Ctrl-C", self.state.epoch.epoch, steps, steps))

    def _stop_if_it_falls_no_longer(self) -> None:
        """Heed `patience`: the least held-out loss must not lie too far back."""
        patience, steps = self.config.patience, self.state.steps
        before = self.state.before
        losses = [each.heldout_loss for each in self.state.finished if each.epoch > before]
        if patience is not None and since_least(losses) >= patience:
            found = f"the held-out loss has not fallen for {patience} epoch{'s' * (patience > 1)}"
            last = self.state.epoch.epoch - 1
            raise _StoppedError(Stop("patience", found, last, steps, steps))

    def _diverged(self, found: str) -> Stop:
        epoch, steps = self.state.epoch.epoch, self.state.steps
        return Stop("diverged", found, epoch, steps, self.good.step)


def since_least(losses: Sequence[float | None]) -> int:
    """Count the losses after the least of them, after the first such if it comes again."""
    known = [loss for loss in losses if loss is not None]
    return len(known) - 1 - known.index(min(known)) if known else 0


def _nothing_to_learn(tally: Tally, config: Config) -> str:
    """Say why an epoch had no example, and which of the reasons to mend."""
    remedy = "put more than one word on a line"
    if tally.subsampled:
        remedy = "set sample to 0"
    elif 2 * tally.heldout > tally.tokens:
        remedy = "lower heldout"
    return (
        f"no example was found in {tally.tokens} tokens: {tally.heldout} are held out, "
        f"{tally.subsampled} were left out as frequent (sample {config.sample:g}) and "
        f"{tally.isolated} stand alone on their line; expected words beside other words; {remedy}"
    )
