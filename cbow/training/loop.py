"""The loop: epochs, steps, the falling learning rate, the loss, and when to stop early."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.network import Optimizer, Parameters, cbow_network, linear_decay, make_optimizer
from cbow.training.exact import Workspace, batch_gradients, batch_loss
from cbow.training.examples import ExampleSource, Tally
from cbow.training.measures import Measures
from cbow.training.observer import Epoch, Observer, Step
from cbow.training.threads import Interrupts

#: Steps of b1 are so much smaller than those of the others. Every example moves it, and a unit
#: whose b1 falls far below 0 never fires again; measured in docs/training.md.
B1_RATE: Final = 0.01

#: Steps between two copies of the parameters to go back to when the loss is no number any more.
KEEP_EVERY: Final = 100


@dataclass
class GoodState:
    """The latest parameters known to be finite, and how many steps had been made."""

    parameters: Parameters
    step: int = 0


@dataclass
class Stop:
    """Why and where the loop ended before its last epoch."""

    reason: str  # "diverged" or "interrupted"
    found: str  # in words
    epoch: int
    step: int  # steps made
    kept_step: int  # steps made by the parameters that are kept

    def to_dict(self) -> dict[str, Any]:
        """Give everything by name, for JSON."""
        return dict(vars(self))


@dataclass
class Outcome:
    """What the loop leaves behind."""

    parameters: Parameters
    epochs: list[Epoch] = field(default_factory=list)
    stop: Stop | None = None


class Loop:
    """Trains parameters on the examples of a source.

    Parameters
    ----------
    config : Config
    source : ExampleSource
    parameters : Parameters
        Changed in place.
    pool : Executor
        Runs the shards of a batch.
    observer : Observer
    interrupts : Interrupts
        Is asked before each step whether to stop.
    """

    def __init__(
        self,
        config: Config,
        source: ExampleSource,
        parameters: Parameters,
        pool: Executor,
        observer: Observer,
        interrupts: Interrupts,
    ) -> None:
        self.config = config
        self.batch = source.batch_size(config.batch)
        self.source = source
        self.workspace = Workspace(cbow_network(config.activation), parameters)
        self.pool = pool
        self.observer = observer
        self.interrupts = interrupts
        self.optimizer: Optimizer = make_optimizer(config.optimizer, parameters)
        self.good = GoodState(_copy(parameters))
        self.steps = 0  # made
        self.done = 0.0  # share of all epochs

    @property
    def parameters(self) -> Parameters:
        """The parameters as they are now."""
        return self.workspace.parameters

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return linear_decay(self.config.rate, self.done)

    def run(self) -> Outcome:
        """Train all epochs, or until the loss is no number or the user stops it."""
        outcome = Outcome(self.parameters)
        for epoch in range(1, self.config.epochs + 1):
            record = self._epoch(epoch)
            if isinstance(record, Stop):
                outcome.stop = record
                if record.reason == "diverged":
                    outcome.parameters = self.good.parameters
                break
            outcome.epochs.append(record)
            self.observer.finished_epoch(record)
        return outcome

    def heldout_loss(self) -> float | None:
        """Mean loss of the held-out lines in nats per token; None if none are held out."""
        if self.config.heldout == 0:
            return None
        total, examples = 0.0, 0
        for batch in self.source.heldout_batches(self.batch):
            if self.interrupts.asked():
                break
            total += batch_loss(self.workspace, batch, self.pool) * len(batch.y)
            examples += len(batch.y)
        return total / max(1, examples)

    def _epoch(self, epoch: int) -> Epoch | Stop:
        """Train one epoch."""
        tally, measures, rate = Tally(), Measures(self.config.dimension), self.rate
        for batch, share in self.source.epoch(epoch, self.batch, tally):
            if self.interrupts.asked():
                return self._interrupted(epoch)
            step = batch_gradients(self.workspace, batch, self.pool)
            if not math.isfinite(step.J):
                return self._diverged(epoch, f"the loss became {step.J:g}")
            if self.steps % KEEP_EVERY == 0 and not self._keep():
                return self._diverged(epoch, "a parameter became infinite or not a number")
            rate = self.rate
            rates = rate, B1_RATE * rate, rate, rate
            with np.errstate(over="ignore", invalid="ignore"):  # seen in the next loss
                measures.add(step, len(batch.y))
                self.optimizer.update(self.parameters, step.gradients, rates)
            self.steps += 1
            self.done = (epoch - 1 + share) / self.config.epochs
            self._tell(epoch, step.J)
        if tally.examples == 0:
            raise CorpusError(_nothing_to_learn(tally, self.config))
        heldout = self.heldout_loss()
        if self.interrupts.asked():
            return self._interrupted(epoch)
        if not _is_finite(self.parameters) or not math.isfinite(heldout or 0.0):
            return self._diverged(epoch, "a parameter became infinite or not a number")
        return Epoch(
            epoch=epoch,
            loss=measures.loss,
            heldout_loss=heldout,
            steps=measures.steps,
            learning_rate=rate,
            active=measures.active,
            dead=measures.dead,
            gradient_norms=measures.gradient_norms,
            **vars(tally),
        )

    def _tell(self, epoch: int, J: float) -> None:
        """Tell the observer of a step."""
        tokens = self.config.epochs * len(self.source.corpus.ids)
        self.observer.stepped(Step(epoch, round(self.done * tokens), tokens, J))

    def _keep(self) -> bool:
        """Copy the parameters if they are finite, which a finite loss does not prove."""
        if not _is_finite(self.parameters):
            return False
        self.good = GoodState(_copy(self.parameters), self.steps)
        return True

    def _interrupted(self, epoch: int) -> Stop:
        return Stop("interrupted", "Ctrl-C", epoch, self.steps, self.steps)

    def _diverged(self, epoch: int, found: str) -> Stop:
        return Stop("diverged", found, epoch, self.steps, self.good.step)


def _is_finite(parameters: Parameters) -> bool:
    """Whether every parameter is a finite number."""
    return all(bool(np.isfinite(array).all()) for array in parameters)


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


def _copy(parameters: Parameters) -> Parameters:
    """Copy parameters with the memory order of each array."""
    return Parameters(*(array.copy(order="K") for array in parameters))
