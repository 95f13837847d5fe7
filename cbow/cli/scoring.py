"""``cbow-train --evaluate FILE``: the vectors scored after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cbow.cli.common import complain, visible
from cbow.cli.evaluate_report import tell_of_reading
from cbow.errors import CBOWError
from cbow.evaluation import AnalogiesResult, Evaluation, PairsResult, Prepared, Rules, prepare
from cbow.evaluation.sets import read_set
from cbow.model import Model
from cbow.training import Epoch, Observer

#: The cheap part of an evaluation: one method, no intervals.
RULES = Rules(methods=("3CosAdd",), resamples=0)


class Scoring(Observer):
    """Scores the vectors of each epoch by files of word pairs and of analogies.

    What goes wrong while training is told once, ends the scoring, and costs no training.

    Parameters
    ----------
    files : sequence of str
        Of either kind, told apart by their content.
    heard : sequence of callable
        Each is given the number of an epoch and its `Evaluation`.

    Raises
    ------
    QueryError
        If a file is not there, or does not hold what it should.
    """

    def __init__(
        self, files: Sequence[str], heard: Sequence[Callable[[int, Evaluation], None]]
    ) -> None:
        self.sets = [read_set(file) for file in files]
        for each in self.sets:
            tell_of_reading(each)
        self.heard = heard
        self.prepared: Prepared | None = None
        self.trouble: CBOWError | None = None

    def learned(self, epoch: Epoch, model: Callable[[], Model]) -> None:
        """Score the vectors as they are."""
        if self.trouble:
            return
        try:
            evaluation = self._score(model())
        except CBOWError as error:
            self.trouble = error
            complain("cbow-train", f"no scores, but training goes on: {error}")
            return
        for hear in self.heard:
            hear(epoch.epoch, evaluation)

    def _score(self, model: Model) -> Evaluation:
        """Score the vectors of the default kind; look the words up the first time."""
        vectors = model.vectors
        self.prepared = self.prepared or prepare(vectors.words, self.sets, RULES)
        return self.prepared.score(vectors.matrix)


def in_a_line(evaluation: Evaluation) -> str:
    """Write the scores in a line, each with how much of its file was asked."""
    return "; ".join(_scores(evaluation))


def _scores(evaluation: Evaluation) -> Iterator[str]:
    """Write the score of each file."""
    results: list[PairsResult | AnalogiesResult] = [*evaluation.pairs, *evaluation.analogies]
    for result in results:
        counted, asked = int(result.counted.sum()), len(result.counted)
        name = visible(Path(result.set.file).name)
        if isinstance(result, PairsResult):
            score = "none" if result.spearman is None else f"{result.spearman:.4f}"
            yield f"{name} Spearman {score} ({counted:,} of {asked:,} pairs)"
        else:
            share = 100 * (result.accuracy(RULES.methods[0]).share or 0)
            yield f"{name} {share:.1f} % right ({counted:,} of {asked:,} questions)"
