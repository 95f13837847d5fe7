"""The loop: epochs, the falling learning rate, the loss, and when to stop early."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.model import Model
from cbow.network import Parameters, linear_decay
from cbow.system.interrupts import Interrupts
from cbow.training.checkpoint import Checkpoints
from cbow.training.defaults import Fitted
from cbow.training.examples import Tally
from cbow.training.losses import Measuring
from cbow.training.observer import Epoch, Observer, Step
from cbow.training.state import State, Trainer, copy, is_finite

BROKEN: Final = "a parameter became infinite or not a number"

#: A loss this many times ln V, that of a guess among all words, never came down to it again in any
#: run that was seen; with a rate or a batch that is too large it may stay finite for ever. With few
#: words it may: at least so many nats.
RUINED: Final = 4.0
RUINED_NATS: Final = 20.0

#: Examples whose mean loss is not an accident of a few.
ENOUGH: Final = 4096


@dataclass
class Stop:
    """Why and where the loop ended before its last epoch."""

    reason: str  # "diverged", "interrupted", "lost" or "patience"
    found: str  # in words
    epoch: int
    step: int  # steps made
    kept_step: int  # steps made by the parameters that are kept

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, for JSON."""
        return dict(vars(self))


@dataclass(eq=False)
class Loop:
    """Trains parameters, epoch after epoch."""

    config: Config
    fitted: Fitted  #: has the epochs and the learning rate at the start
    trainer: Trainer
    losses: Measuring
    tokens: int  #: of the text, to tell the observer
    observer: Observer
    state: State  #: where to begin; the trainer's parameters are those of this state

    def __post_init__(self) -> None:
        self.good, self.good_step = copy(self.trainer.parameters), self.state.steps
        self.diverged = False

    @property
    def parameters(self) -> Parameters:
        """Those of the trainer; after a divergence the last that are known to be finite."""
        return self.good if self.diverged else self.trainer.parameters

    def run(
        self, interrupts: Interrupts, model: Callable[[], Model], checkpoints: Checkpoints | None
    ) -> Stop | None:
        """Train all epochs, or until the loss is ruined or no longer falls, or Ctrl-C comes.

        Parameters
        ----------
        interrupts : Interrupts
            Is asked after each portion whether to stop.
        model : callable
            Returns the model as it is, for the observer.
        checkpoints : Checkpoints, optional
            Are written after portions, when it is time.

        Returns
        -------
        Stop or None
            Why it ended early. `parameters` and ``state.finished`` are the result either way.
        """
        state, trainer = self.state, self.trainer
        while state.epoch <= self.fitted.epochs:
            if stop := self._patience_is_over():
                return stop
            if interrupts.asked():
                return self._stop("interrupted", "Ctrl-C")
            done = state.epoch - 1 - state.before
            rate_of = functools.partial(
                decayed, self.fitted.learning_rate, done, self.fitted.epochs - state.before
            )
            for portion in trainer.portions(state, rate_of):
                if not math.isfinite(portion.loss):
                    return self._diverged(f"the loss became {portion.loss:g}")
                state.steps += portion.steps
                state.share = portion.share
                enough = state.measures.examples >= ENOUGH
                if enough and (ruin := self._ruin(state.measures.loss)):
                    return self._diverged(ruin)
                tokens = (state.epoch - 1 + portion.share) * self.tokens
                self.observer.stepped(
                    Step(state.epoch, round(tokens), self.fitted.epochs * self.tokens, portion.loss)
                )
                if state.portions % trainer.keep_every == 0:
                    if not is_finite(trainer.parameters):  # which a finite loss does not exclude
                        return self._diverged(BROKEN)
                    for kept, array in zip(self.good, trainer.parameters, strict=True):
                        np.copyto(kept, array)  # in place: a third copy may not fit into memory
                    self.good_step = state.steps
                if interrupts.asked():
                    return self._stop("interrupted", "Ctrl-C")
                if checkpoints:
                    checkpoints.write_if_due(state)
            if state.tally.examples == 0:
                raise CorpusError(_nothing_to_learn(state.tally, self.fitted.sample))
            loss, heldout = self.losses.of_epoch(state), self.losses.heldout()
            if interrupts.asked():  # the losses may be of fewer examples
                return self._stop("interrupted", "Ctrl-C")
            if not is_finite(trainer.parameters) or not math.isfinite(loss + (heldout or 0.0)):
                return self._diverged(BROKEN)
            if ruin := self._ruin(loss):
                return self._diverged(ruin)
            record = Epoch.of(
                state.measures, state.tally,
                epoch=state.epoch, loss=loss, heldout_loss=heldout, learning_rate=state.rate,
            )  # fmt: skip
            state.finish(record, self.config.dimension)
            self.observer.finished_epoch(record)
            self.observer.learned(record, model)
        return None

    def _ruin(self, loss: float) -> str | None:
        """Say so if a mean loss, though finite, is far above that of a guess among all words."""
        V = len(self.good.W2)
        if loss <= max(RUINED * math.log(V), RUINED_NATS):
            return None
        guess = f"a guess among all {V:,} words has {math.log(V):.3g}"
        return f"the loss became {loss:.4g} nats, and {guess},"

    def _patience_is_over(self) -> Stop | None:
        """Stop if the least held-out loss lies too far back."""
        patience, state = self.config.patience, self.state
        losses = [each.heldout_loss for each in state.finished if each.epoch > state.before]
        if patience is None or since_least(losses) < patience:
            return None
        reason = f"the held-out loss has not fallen for {patience} epoch{'s' * (patience > 1)}"
        return Stop("patience", reason, state.epoch - 1, state.steps, state.steps)

    def _stop(self, reason: str, found: str) -> Stop:
        """Stop in the middle of an epoch."""
        steps = self.state.steps
        return Stop(reason, found, self.state.epoch, steps, steps)

    def _diverged(self, found: str) -> Stop:
        """Stop, and go back to the last parameters that are known to be finite."""
        self.diverged = True
        return Stop("diverged", found, self.state.epoch, self.state.steps, self.good_step)


def decayed(rate: float, done: int, epochs: int, share: float) -> float:
    """Return what a rate has fallen to after `done` of all epochs and a share of the next."""
    return linear_decay(rate, (done + share) / epochs)


def since_least(losses: Sequence[float | None]) -> int:
    """Count the losses after the least of them, after the first such if it comes again."""
    known = [loss for loss in losses if loss is not None]
    return len(known) - 1 - known.index(min(known)) if known else 0


def _nothing_to_learn(tally: Tally, sample: float) -> str:
    """Explain why an epoch had no example, and which of the reasons to mend."""
    remedy = "put more than one word on a line"
    if tally.subsampled:
        remedy = "set sample to 0"
    elif 2 * tally.heldout > tally.tokens:
        remedy = "lower heldout"
    return (
        f"no example was found in {tally.tokens} tokens: {tally.heldout} are held out, "
        f"{tally.subsampled} were left out as frequent (sample {sample:g}) and "
        f"{tally.isolated} stand alone on their line; expected words beside other words; {remedy}"
    )
