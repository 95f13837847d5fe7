"""What ``cbow-train`` tells: while it trains, and what to do next.

What hears of a training run is an observer: bars on a terminal, plain lines anywhere else
(`Display`), JSON lines for programs (`JSONLog`), the vectors scored after every epoch (`Scores`).
After it come a hint where little was learned, and a word that is worth asking.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import numpy as np

from cbow.cli.common import complain, discard, visible
from cbow.errors import CBOWError, OutputError, counted
from cbow.system.files import expanded, explain_output_errors
from cbow.system.threads import MOST_THREADS, single_threaded_blas
from cbow.text import Phrase, Progress, TokenAccount
from cbow.text.phrases import best_of
from cbow.text.remote import RemoteFolder
from cbow.training import Epoch, Observer, Plan, Resumed, Step
from cbow.training.defaults import MOST_SAMPLE, usual_rate
from cbow.training.progress import Pace, Rate, clock
from cbow.vectors.nearest import inverse_lengths

if TYPE_CHECKING:
    from tqdm import tqdm

    from cbow.config import Config
    from cbow.evaluation import Evaluation, Prepared
    from cbow.model import Model
    from cbow.vectors import WordVectors

#: Seconds between two plain lines.
QUIET_SECONDS: Final = 10.0

#: Seconds of training that are measured before it is said how long it will take.
MEASURED_SECONDS: Final = 1.0

#: A loss above this share of that of the word frequencies is hardly better than theirs.
LITTLE: Final = 0.98

#: How many times larger or smaller than the usual a learning rate is worth a remark.
UNUSUAL: Final = 5

#: Words are proposed from the middle: of so high a frequency rank at most, where the vocabulary is
#: large; and so high at least.
FIRST: Final = 150
LAST: Final = 1000

#: Neighbours are looked for among so many words, the most frequent.
AMONG: Final = 5000

#: The nearest of a word's neighbours, and those behind from which they should stand out.
NEAREST: Final = 5
BEHIND: Final = 45

#: How many words stand out most; the most frequent of them is proposed.
BEST: Final = 20

#: Letters of a word that is no "thou" or "few": short words are mostly the grammar of a text.
LONG: Final = 5

#: Words whose neighbours are looked for at a time.
ROWS: Final = 128


class _Nowhere(io.StringIO):
    """Stands in for a standard error that is closed."""

    def write(self, text: str) -> int:
        """Drop the text."""
        return len(text)


class Display(Observer):
    """Shows on standard error what happens.

    Parameters
    ----------
    stream : TextIO, optional
        Where to write: bars if it is a terminal, else lines.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.epochs = 0  # of the whole training, once it is planned
        self.stream: TextIO = stream or sys.stderr or _Nowhere()
        self.terminal = self.stream.isatty()
        self.bar: tqdm[Any] | None = None
        self.told = time.monotonic()
        self.tokens: Rate | None = None  # of reading, and the bytes
        self.bytes: Rate | None = None
        self.pace: Pace  # of training, once it is planned
        self.announced = False  # how long it will take
        self.loss = 0.0
        self.measure = "loss"  # what the running loss is called

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

    def dealt(self, workers: int, size: int) -> None:
        """Print who reads; how far they are is not known here."""
        each = "each its part of " if workers > 1 else ""
        self.say(f"reading: {counted(workers, 'worker')}, {each}{size / 1e6:,.1f} MB ...")

    def reading(self, progress: Progress) -> None:
        """Show how much of the text has been read."""
        tokens, done, total = progress
        if self.tokens is None or self.bytes is None:  # what came before was no reading
            self.tokens, self.bytes = Rate(tokens), Rate(done)
        self.tokens.reach(tokens)
        self.bytes.reach(done)
        line = f"reading{_share(done, total)}: {tokens:,} tokens"
        if self.tokens.per_second:
            line += f", {self.tokens.per_second:,.0f} tokens/s"
        if total and self.bytes.per_second:
            line += f", {clock((total - done) / self.bytes.per_second)} left"
        self._advance(line, done, total)

    def noticed(self, note: str) -> None:
        """Print what the text looks like."""
        self.say(f"note: {visible(note)}")

    def placed(self, folder: Path, size: int) -> None:
        """Print where the encoded text goes, and how much room it takes."""
        self.say(
            f"encoded text: about {size / 1e9:,.2f} GB in {visible(str(folder))} until the end of "
            "the training (--work-folder names another place)"
        )

    def joined(self, phrases: Sequence[Phrase]) -> None:
        """Print how many phrases there are, and the most frequent."""
        self.close()
        best = best_of(phrases)
        words = [visible(each["word"]) for each in best["most_frequent"][:10]]
        line = f"{counted(best['found'], 'phrase')} found"
        self.say(f"{line}, the most frequent {', '.join(words)}" if words else line)

    def encoded(self, account: TokenAccount) -> None:
        """Print the account of the tokens."""
        self.close()
        for line in account.sentences():
            self.say(line)

    def short_of_threads(self, started: int, threads: int) -> None:
        """Print how many there are, and what may limit them."""
        self.say(
            f"note: {started} of {threads} threads are used ({MOST_THREADS:,} at most; ulimit -u "
            "or pids.max may allow fewer); the result is the same"
        )

    def planned(self, plan: Plan) -> None:
        """Print what was chosen, what is to be trained, and the baselines of its loss."""
        base, self.epochs = plan.baselines, plan.fitted.epochs
        if plan.fitted.chosen:
            self.say(plan.fitted.chosen)
        self.say(
            f"training: {plan.vocabulary_size:,} words, {plan.parameters:,} parameters, "
            f"{counted(self.epochs, 'epoch')} of {plan.tokens:,} tokens, "
            f"batches of {plan.fitted.batch:,}, {plan.fitted.objective} objective"
        )
        if plan.ngrams:
            n = plan.ngrams
            line = f"n-grams: {n['buckets']:,} buckets, {100 * n['sharing']:.0f} % share one"
            if n["left_out"]:
                line += f"; {n['left_out']:,} left out, too far behind in long words"
            self.say(line)
        if plan.workers:
            self.say("rounds: {rounds:,} an epoch ({reason})".format(**plan.workers))
        line = f"baselines: {base.uniform:.4f} nats (uniform), "
        line += f"{base.unigram:.4f} (word frequencies)"
        if base.heldout_unigram is not None:
            line += f", {base.heldout_unigram:.4f} (word frequencies, held out)"
        self.say(line)
        if plan.fitted.objective == "sampled":
            self.measure = "loss among candidates"
        self.pace, self.told = Pace(plan), time.monotonic()

    def compiling(self) -> None:
        """Print what takes so long the first time."""
        self.say("compiling the kernels; they are kept for next time ...")

    def resumed(self, resumed: Resumed) -> None:
        """Print where training continues."""
        self.pace.resume(resumed.tokens_done)
        self.say(f"resuming in epoch {resumed.epoch}/{resumed.epochs}")

    def stepped(self, step: Step) -> None:
        """Show how far the training is, the loss, the speed and the time left."""
        weight = 0.02 if self.loss else 1.0
        self.loss += weight * (step.loss - self.loss)  # the last fifty steps or so
        done, total = step.tokens_done, step.tokens_total
        line = f"training{_share(done, total)} (epoch {step.epoch}/{self.epochs}): "
        line += f"{self.measure} {self.loss:.4f}"
        self.pace.step(step)
        line += self.pace.line(step)
        measured, left = self.pace.learning.seconds, self.pace.seconds_left(step)
        if left and measured >= MEASURED_SECONDS and done < total and not self.announced:
            self.announced = True
            self.say(f"time left: about {clock(left)}, by the first {measured:.1f} s")
        self._advance(line, done, total)

    def finished_epoch(self, epoch: Epoch) -> None:
        """Print the losses of the epoch."""
        self.say(f"epoch {epoch.epoch}/{self.epochs}: {epoch.line()}")
        if epoch.epoch == self.epochs:
            self.close()

    def scored(self, epoch: int, evaluation: Evaluation) -> None:
        """Print the scores of the vectors after an epoch."""
        self.say(f"epoch {epoch}/{self.epochs}: {scores_line(evaluation)}")

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            with self._drawing():
                self.bar.close()
            self.bar = None

    def _advance(self, line: str, done: int, total: int | None) -> None:
        """Show a line: before a bar that is moved to `done`, or by itself if it is time for one."""
        if not self.terminal:
            now = time.monotonic()
            if now - self.told >= QUIET_SECONDS:
                self.told = now
                self.say(line)
            return
        with self._drawing():
            if self.bar is None:
                from tqdm import tqdm

                self.bar = tqdm(
                    desc=line,
                    total=total,
                    initial=done,
                    leave=False,
                    file=self.stream,
                    dynamic_ncols=True,
                    bar_format="{desc} {bar}",
                )
            self.bar.set_description_str(line, refresh=False)
            self.bar.update(done - self.bar.n)

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Continue with plain lines if a bar cannot be drawn.

        The cause may be environment variables TQDM_..., which tqdm reads as it is imported, or a
        terminal that is gone. No failure to show progress is worth losing a training.
        """
        try:
            yield
        except Exception:
            if self.bar is not None:
                self.bar.disable = True  # so that it does not close itself
            self.bar, self.terminal = None, False


def _share(done: int, total: int | None) -> str:
    """Write done/total as a percentage, or nothing if the total is unknown."""
    return f" {100 * done / total:.0f} %" if total else ""


class JSONLog(Observer):
    """Writes one JSON object per epoch, and before the first the phrases, the account and the plan.

    A log that can no longer be written ends, but the training goes on; `close` returns the error.

    Parameters
    ----------
    path : str
        A file, or ``"-"`` for standard output. A file is opened when there is something to
        write, so that a corpus that cannot be read does not cost the old log.
    """

    def __init__(self, path: str) -> None:
        self.path = expanded(path)
        self.file: TextIO | None = sys.stdout if path == "-" else None
        self.lost: OSError | None = None
        self.began = time.monotonic()

    def noticed(self, note: str) -> None:
        """Log what the text looks like."""
        self._write("note", {"note": note})

    def placed(self, folder: Path, size: int) -> None:
        """Log where the encoded text goes, and how many bytes it takes."""
        self._write("placed", {"folder": str(folder), "bytes": size})

    def joined(self, phrases: Sequence[Phrase]) -> None:
        """Log how many phrases there are, the best and the most frequent."""
        self._write("phrases", best_of(phrases))

    def encoded(self, account: TokenAccount) -> None:
        """Log the account of the tokens."""
        self._write("account", account.to_dict())

    def planned(self, plan: Plan) -> None:
        """Log the plan and its baselines."""
        self._write("plan", plan.to_dict())
        self.began = time.monotonic()

    def resumed(self, resumed: Resumed) -> None:
        """Log the epochs before, so that the log is complete; their seconds are unknown."""
        for epoch in resumed.finished:
            self._write("epoch", {**epoch.to_dict(), "seconds": None})

    def finished_epoch(self, epoch: Epoch) -> None:
        """Log an epoch, with the seconds since training began."""
        seconds = round(time.monotonic() - self.began, 3)
        self._write("epoch", {**epoch.to_dict(), "seconds": seconds})

    def scored(self, epoch: int, evaluation: Evaluation) -> None:
        """Log the scores of the vectors after an epoch."""
        self._write("scores", {"epoch": epoch, **evaluation.to_dict()})

    def close(self) -> OSError | None:
        """Close the file, and return the error that ended the log, if any.

        A reader that stops early, as ``head`` does, is no error.
        """
        if self.file is not None and self.file is not sys.stdout:
            with contextlib.suppress(OSError):
                self.file.close()
        return None if isinstance(self.lost, BrokenPipeError) else self.lost

    def _write(self, event: str, values: dict[str, Any]) -> None:
        """Write a line, unless an earlier one could not be written."""
        if self.lost:
            return
        line = json.dumps({"event": event, **values}, allow_nan=False)
        try:
            with explain_output_errors(self.path):
                self.file = self.file or self.path.open("w", encoding="utf-8")
                print(line, file=self.file, flush=True)
        except OutputError as error:
            cause = error.__cause__
            self.lost = cause if isinstance(cause, BrokenPipeError) else error
            if self.file is sys.stdout:
                discard(sys.stdout)


class Scores(Observer):
    """Scores the vectors of each epoch by files of word pairs and of analogies.

    An error while training is reported once and ends the scoring, but not the training.

    Parameters
    ----------
    files : sequence of str
        Of either kind; their content tells which.
    listeners : sequence of callable
        Each is called with the number of an epoch and its `Evaluation`.

    Raises
    ------
    QueryError
        If a file does not exist, or does not hold what it should.
    """

    def __init__(
        self, files: Sequence[str], listeners: Sequence[Callable[[int, Evaluation], None]]
    ) -> None:
        from cbow.cli.evaluate import tell_of_reading
        from cbow.evaluation.sets import read_set

        self.sets = [read_set(file) for file in files]
        for each in self.sets:
            tell_of_reading(each)
        self.listeners = listeners
        self.prepared: Prepared | None = None
        self.error: CBOWError | None = None

    def learned(self, epoch: Epoch, model: Callable[[], Model]) -> None:
        """Score the vectors as they are; look the words up the first time."""
        from cbow.evaluation import Rules, prepare

        if self.error:
            return
        # The cheap part of an evaluation: one method, no intervals.
        rules = Rules(methods=("3CosAdd",), resamples=0)
        try:
            vectors = model().vectors
            self.prepared = self.prepared or prepare(vectors.words, self.sets, rules)
            evaluation = self.prepared.score(vectors.matrix)
        except CBOWError as error:
            self.error = error
            complain("cbow-train", f"no scores, but training goes on: {error}")
            return
        for listener in self.listeners:
            listener(epoch.epoch, evaluation)


def scores_line(evaluation: Evaluation) -> str:
    """Write the score of each file, with how much of the file could be used, in one line."""
    scores = []
    for pairs in evaluation.pairs:
        used, size = int(pairs.counted.sum()), len(pairs.counted)
        score = "none" if pairs.spearman is None else f"{pairs.spearman:.4f}"
        name = visible(Path(pairs.set.file).name)
        scores.append(f"{name} Spearman {score} ({used:,} of {size:,} pairs)")
    for analogies in evaluation.analogies:
        used, size = int(analogies.counted.sum()), len(analogies.counted)
        [method] = analogies.right
        share = 100 * (analogies.accuracy(method).share or 0)
        name = visible(Path(analogies.set.file).name)
        scores.append(f"{name} {share:.1f} % right ({used:,} of {size:,} questions)")
    return "; ".join(scores)


class Complaints(Observer):
    """Reports at once, even with ``--quiet``, errors that do not end the training."""

    def checkpointed(self, trouble: OutputError | None) -> None:
        """Report a checkpoint that could not be written."""
        if trouble:
            complain("cbow-train", f"no checkpoint, but training goes on: {trouble}")


class Copies(Observer):
    """Copies the checkpoint to where it outlives this machine.

    Parameters
    ----------
    folder : RemoteFolder
    checkpoint : Path
    """

    def __init__(self, folder: RemoteFolder, checkpoint: Path) -> None:
        self.folder = folder
        self.checkpoint = checkpoint

    def checkpointed(self, trouble: OutputError | None) -> None:
        """Copy a checkpoint that was written; report it if that fails."""
        if trouble is None:
            try:
                self.folder.copy(self.checkpoint)
            except OutputError as error:
                complain("cbow-train", f"no copy of the checkpoint, but training goes on: {error}")


class Several(Observer):
    """Passes everything on to several observers."""

    def __init__(self, *observers: Observer) -> None:
        self.observers = observers


def _passing_on(event: str) -> Callable[..., None]:
    """Make the method that passes an event on."""

    def pass_on(self: Several, *what: Any) -> None:
        """Pass on."""
        for observer in self.observers:
            getattr(observer, event)(*what)

    return pass_on


for _event in (name for name in vars(Observer) if not name.startswith("_")):
    setattr(Several, _event, _passing_on(_event))


# --- what to do next ------------------------------------------------------------------------------


def hint(config: Config, report: Mapping[str, Any]) -> list[str]:
    """Say so if the network learned next to nothing from context, and what would help.

    Parameters
    ----------
    config : Config
        The settings that were used: nothing is advised that was done.
    report : dict
        Of the model.

    Returns
    -------
    list of str
        A line, or none if enough was learned.
    """
    epochs, base = report["epochs"], report["baselines"]
    last = epochs[-1]
    loss, baseline, where = last["loss"], base["unigram"], ""
    if last["heldout_loss"] is not None:
        loss, baseline = last["heldout_loss"], base["heldout_unigram"]
        where = " on held-out lines"
    if loss < LITTLE * baseline:
        return []
    if last["loss"] < LITTLE * base["unigram"]:  # and yet not on held-out lines
        losses = [epoch["heldout_loss"] for epoch in epochs]
        least = losses.index(min(losses)) + 1
        fewer = f", or fewer epochs (--epochs {least})" if least < len(losses) else ""
        advice = f"the text is learned by heart: give more text{fewer}"
    else:
        remedies = []
        sampled = report["objective"] == "sampled"
        usual = usual_rate(report["objective"], config.optimizer or ("sgd" if sampled else "adam"))
        rate = config.learning_rate or usual
        if not usual / UNUSUAL <= rate <= usual * UNUSUAL:
            remedies.append(f"take a usual learning rate (--learning-rate {usual:g}, not {rate:g})")
        sample = config.sample or 0.0
        more = min(MOST_SAMPLE, 10 * sample)
        if more > sample and 2 * last["subsampled"] > last["tokens"] - last["heldout"]:
            remedies.append(f"keep more of the frequent words (--sample {more:g})")
        if len(epochs) == 1 or last["loss"] < epochs[-2]["loss"]:  # it still falls
            remedies.append(f"train for more epochs (--epochs {4 * len(epochs)})")
        advice = ", or ".join([*remedies, "give more text"])
    below = "hardly below" if loss < baseline else "not below"
    return [
        f"hint: the loss{where}, {loss:.4f}, is {below} {baseline:.4f} (word frequencies); {advice}"
    ]


def word_to_ask(vectors: WordVectors) -> str:
    """Return a word whose neighbours show something: frequent, but not of the grammar.

    A word stands out by what its nearest neighbours have more in common with it than those behind
    them. Of the `BEST` such words of the middle the most frequent is returned.

    Parameters
    ----------
    vectors : WordVectors
        By falling frequency.
    """
    words: list[str] = list(vectors)
    V = len(words)
    middle = range(min(FIRST, V // 8), min(LAST, V // 2))
    plain = [i for i in middle if words[i].isalpha()]
    long = [i for i in plain if len(words[i]) >= LONG]
    asked = long if len(long) >= BEST else plain
    if len(asked) < BEST:  # next to no vocabulary
        return next((word for word in words if word.isalpha()), words[0])
    near = np.asarray(vectors.matrix[:AMONG], np.float32)  # (R, N)
    unit = near * inverse_lengths(near)[:, None]
    behind = len(unit) - NEAREST
    stand_out: list[float] = []
    for start in range(0, len(asked), ROWS):
        ids = np.array(asked[start : start + ROWS])  # (n,)
        with single_threaded_blas():
            cosines = unit[ids] @ unit.T  # (n, R)
        cosines[np.arange(len(ids)), ids] = -1  # a word is no neighbour of its own
        cosines.partition((behind - BEHIND, behind), axis=1)
        means = cosines[:, behind:].mean(axis=1), cosines[:, behind - BEHIND : behind].mean(axis=1)
        stand_out += (means[0] - means[1]).tolist()
    best = np.argsort(-np.array(stand_out), kind="stable")[:BEST]
    return words[asked[int(best.min())]]
