"""What a training run tells whoever watches it: a progress bar, a log file, a notebook."""

from __future__ import annotations

import dataclasses
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cbow.errors import CorpusWarning, OutputError

if TYPE_CHECKING:
    from cbow.model import Model
    from cbow.text import Phrase, Progress, TokenAccount
    from cbow.training.defaults import Fitted
    from cbow.training.examples import Tally
    from cbow.training.state import Measures


def perplexity(loss: float) -> float:
    """exp(loss): among how many equally likely words a model of this loss is in doubt."""
    return math.exp(loss) if loss < math.log(sys.float_info.max) else math.inf


@dataclass(frozen=True)
class Baselines:
    """Losses, in nats per token, that need no training: a model should end below both.

    Attributes
    ----------
    uniform : float
        ln V, the loss of giving every word the same probability.
    unigram : float
        The entropy of the words the network is asked for (after subsampling): the loss of
        always giving each word its own frequency.
    heldout_unigram : float or None
        The loss of those frequencies on the held-out lines.
    """

    uniform: float
    unigram: float
    heldout_unigram: float | None = None


def figure(
    default: Any = dataclasses.MISSING,
    *,
    measured: bool = False,
    line: str | None = None,
) -> Any:
    """Declare a figure of `Epoch`: all that the report, checkpoints, log and progress go by.

    Parameters
    ----------
    default : number, optional
        For the epochs of files from before there was this figure.
    measured : bool
        `Measures` has it, under the same name.
    line : str, optional
        How it stands in the line that is shown after an epoch: a format for the epoch, 0.
    """
    return dataclasses.field(default=default, metadata={"measured": measured, "line": line})


@dataclass(frozen=True)
class Epoch:
    """What happened in one pass over the text. Each field is declared once, by `figure`.

    ``tokens = heldout + subsampled + isolated + examples``.

    Attributes
    ----------
    epoch : int
        Its number, from 1.
    loss : float
        Mean cross-entropy of the examples in nats per token, each measured just before the step
        that learns from it. For the sampled objective that of some examples after the epoch.
    heldout_loss : float or None
        The same on the held-out lines, after the epoch.
    tokens, heldout, subsampled, isolated, examples : int
        Tokens of the text; of them on held-out lines; left out as too frequent; with no other
        word left on their line; learned from.
    steps : int
        Updates of the parameters.
    learning_rate : float
        Of the last step.
    active : float
        Share of hidden units that let the gradient through (ReLU: that fired), over all examples.
    dead : int
        Hidden units that did so on no example of the epoch.
    gradient_norms : dict
        Euclidean norm of dW1, db1, dW2 and db2, mean over the steps; empty if sampled.
    candidate_loss : float or None
        For the sampled objective the mean loss among the candidates: what is learned from, but
        not to be compared with the others, which are about the whole vocabulary.
    """

    epoch: int = figure()
    loss: float = figure(line="loss {0.loss:.4f} nats per token, perplexity {0.perplexity:,.1f}")
    heldout_loss: float | None = figure(
        line="held out {0.heldout_loss:.4f}, {0.heldout_perplexity:,.1f}"
    )
    tokens: int = figure()
    heldout: int = figure()
    subsampled: int = figure()
    isolated: int = figure()
    examples: int = figure()
    steps: int = figure(measured=True)
    learning_rate: float = figure()
    active: float = figure(measured=True)
    dead: int = figure(measured=True)
    gradient_norms: Mapping[str, float] = figure(measured=True)
    candidate_loss: float | None = figure(None, measured=True)

    @classmethod
    def of(cls, measures: Measures, tally: Tally, **figures: Any) -> Epoch:
        """Sum up an epoch from its measures, its tally and the other figures by name."""
        measured = [each.name for each in dataclasses.fields(cls) if each.metadata["measured"]]
        return cls(**{name: getattr(measures, name) for name in measured}, **vars(tally), **figures)

    @property
    def perplexity(self) -> float:
        """exp(loss): among how many equally likely words the network is in doubt."""
        return perplexity(self.loss)

    @property
    def heldout_perplexity(self) -> float | None:
        """exp(heldout_loss)."""
        return None if self.heldout_loss is None else perplexity(self.heldout_loss)

    def line(self) -> str:
        """Return the figures that are shown after an epoch, in a line."""
        return "; ".join(
            each.metadata["line"].format(self)
            for each in dataclasses.fields(self)
            if each.metadata["line"] and getattr(self, each.name) is not None
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, for JSON; None for a number beyond all numbers."""
        more = {"perplexity": self.perplexity, "heldout_perplexity": self.heldout_perplexity}
        return {name: _finite(value) for name, value in {**asdict(self), **more}.items()}


def _finite(value: Any) -> Any:
    """Put None for infinity, for which JSON has no word; also in a table."""
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return None if value == math.inf else value


class Step(NamedTuple):
    """A portion of the work: one update of the parameters, or as many as take a moment."""

    epoch: int
    tokens_done: int  # of all epochs, counted in tokens of the text
    tokens_total: int
    loss: float  # of these examples, nats per token, as the objective has it


class Plan(NamedTuple):
    """What is about to be trained."""

    vocabulary_size: int
    parameters: int  # how many numbers are learned
    tokens: int  # of the text, kept words only
    baselines: Baselines
    fitted: Fitted  # the settings that depend on the text, and what was chosen for it
    loss_seconds: float = 0.0  # that the losses after an epoch take, by those of a batch
    ngrams: Mapping[str, Any] | None = None  # what became of them, if words are made of them
    workers: Mapping[str, Any] | None = None  # how many, their rounds in an epoch, and why

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, for JSON; the settings among the others."""
        own = {**self._asdict(), "baselines": vars(self.baselines)}
        del own["fitted"]
        return own | self.fitted._asdict()


class Resumed(NamedTuple):
    """Where an earlier training goes on."""

    epoch: int
    epochs: int  # how many there will be, the finished ones included
    tokens_done: int  # of all epochs, counted in tokens of the text
    finished: Sequence[Epoch]  # epochs that are over


class Observer:
    """Hears of every stage of a run. Override what you care for; the rest does nothing."""

    def dealt(self, workers: int, size: int) -> None:
        """Hear that workers begin to read, each its own part of so many bytes; then `encoded`."""

    def reading(self, progress: Progress) -> None:
        """Hear that a piece of the text was read."""

    def noticed(self, note: str) -> None:
        """Hear, while the text is read, that it looks like JSON, a table, or the like."""

    def placed(self, folder: Path, size: int) -> None:
        """Hear, while the text is read, where it goes encoded, and about how many bytes it takes.

        That is known of large texts whose size is known.
        """

    def joined(self, phrases: Sequence[Phrase]) -> None:
        """Hear, before `encoded`, which words were joined, if `phrases` asks for that.

        The one with the highest score comes first.
        """

    def encoded(self, account: TokenAccount) -> None:
        """Hear that the text is read to the end: every token accounted for."""

    def short_of_threads(self, started: int, threads: int) -> None:
        """Hear, before `planned`, that fewer threads are used; the result is the same."""

    def planned(self, plan: Plan) -> None:
        """Hear that training begins."""

    def resumed(self, resumed: Resumed) -> None:
        """Hear, after `planned`, that an earlier training goes on."""

    def compiling(self) -> None:
        """Hear, before `planned`, that kernels are compiled: once, but it takes a while."""

    def stepped(self, step: Step) -> None:
        """Hear of a portion of the work."""

    def finished_epoch(self, epoch: Epoch) -> None:
        """Hear that an epoch is over."""

    def learned(self, epoch: Epoch, model: Callable[[], Model]) -> None:
        """Hear, after `finished_epoch`, how to get at the model as it is now.

        Its parameters go on to change when this returns: use it, copy or save it, but do not keep
        it. Without a call it costs nothing.
        """

    def checkpointed(self, trouble: OutputError | None) -> None:
        """Hear that a checkpoint was written, or why not. Training goes on either way."""


class Warnings(Observer):
    """Warns of what is noticed, where nobody else listens."""

    def noticed(self, note: str) -> None:
        """Warn of what the text looks like."""
        warnings.warn(note, CorpusWarning, stacklevel=2)
