"""The loop: epochs, steps, the falling learning rate, the loss, and when to stop early."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.network import ACTIVATIONS, Optimizer, Parameters, linear_decay, make_optimizer
from cbow.training.exact import Network, batch_gradients, batch_loss
from cbow.training.examples import ExampleSource, Tally
from cbow.training.observer import Epoch, Observer, Step

#: Steps between two copies of the parameters to go back to when the loss is no number any more.
KEEP_EVERY: Final = 100


@dataclass
class GoodState:
    """The latest parameters known to be finite."""

    parameters: Parameters
    step: int = 0


@dataclass
class Stop:
    """Why and where the loop ended before its last epoch."""

    reason: str  # "diverged" or "interrupted"
    epoch: int
    step: int
    loss: float
    kept_step: int  # the parameters are those before this step

    def to_dict(self) -> dict[str, Any]:
        """Give everything but the loss, which may be no number, for JSON."""
        return {name: value for name, value in vars(self).items() if name != "loss"}


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
    """

    def __init__(
        self,
        config: Config,
        source: ExampleSource,
        parameters: Parameters,
        pool: Executor,
        observer: Observer,
    ) -> None:
        self.config = config
        self.source = source
        self.network = Network(parameters, ACTIVATIONS[config.activation])
        self.pool = pool
        self.observer = observer
        self.optimizer: Optimizer = make_optimizer(config.optimizer, parameters)
        self.good = GoodState(_copy(parameters))
        self.steps = 0

    def run(self) -> Outcome:
        """Train all epochs, or until the loss is no number or the user stops it."""
        outcome = Outcome(self.network.parameters)
        with _interrupts() as stopped:
            for epoch in range(1, self.config.epochs + 1):
                record = self._epoch(epoch, stopped)
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
        for batch, _ in self.source.epoch(0, self.config.batch, Tally(), heldout=True):
            total += batch_loss(self.network, batch, self.pool) * len(batch.y)
            examples += len(batch.y)
        return total / examples

    def _epoch(self, epoch: int, stopped: Callable[[], bool]) -> Epoch | Stop:
        """Train one epoch."""
        config, tally, total, first = self.config, Tally(), 0.0, self.steps
        rate, tokens = config.rate, len(self.source.corpus.ids)
        for batch, share in self.source.epoch(epoch, config.batch, tally):
            if stopped():
                return Stop("interrupted", epoch, self.steps, math.nan, self.steps)
            J, gradients = batch_gradients(self.network, batch, self.pool)
            self.steps += 1
            if not math.isfinite(J) or not self._keep_good_state():
                return Stop("diverged", epoch, self.steps, J, self.good.step)
            self.optimizer.update(self.network.parameters, gradients, rate)
            total += J * len(batch.y)
            done = (epoch - 1 + share) / config.epochs
            rate = linear_decay(config.rate, done)
            self.observer.stepped(
                Step(epoch, round(done * config.epochs * tokens), config.epochs * tokens, J)
            )
        if tally.examples == 0:
            raise CorpusError(_nothing_to_learn(tally, config))
        heldout = self.heldout_loss()
        if not self._is_finite() or not math.isfinite(heldout or 0.0):
            return Stop("diverged", epoch, self.steps, math.nan, self.good.step)
        return Epoch(
            epoch=epoch,
            loss=total / tally.examples,
            heldout_loss=heldout,
            steps=self.steps - first,
            learning_rate=rate,
            **vars(tally),
        )

    def _keep_good_state(self) -> bool:
        """Copy the parameters now and then; say no if they are not finite although the loss was."""
        if self.steps % KEEP_EVERY != 1:
            return True
        if not self._is_finite():
            return False
        self.good = GoodState(_copy(self.network.parameters), self.steps)
        return True

    def _is_finite(self) -> bool:
        """Whether every parameter is a finite number."""
        return all(bool(np.isfinite(array).all()) for array in self.network.parameters)


def _nothing_to_learn(tally: Tally, config: Config) -> str:
    """Say why an epoch had no example."""
    return (
        f"no example was found in {tally.tokens} tokens: {tally.heldout} are held out, "
        f"{tally.thinned} were thinned out as frequent (sample {config.sample:g}) and "
        f"{tally.lonely} stand alone on their line; expected words with other words beside them; "
        "put more than one word on a line, or set sample to 0"
    )


def _copy(parameters: Parameters) -> Parameters:
    """Copy parameters with the memory order of each array."""
    return Parameters(*(array.copy(order="K") for array in parameters))


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag that is looked at between two steps.

    A second Ctrl-C is an ordinary KeyboardInterrupt. Where Ctrl-C means something else already
    (a job in the background ignores it), or outside the main thread, it is left alone.
    """
    asked = threading.Event()
    ordinary = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ordinary or threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
