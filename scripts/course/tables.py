"""The tables: each figure of ours beside the published one, both as they are printed."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from cbow import network

from . import published, runs
from .batches import Corpus, batches, encode
from .published import Era, Longer
from .runs import GRADIENTS, NETWORK, Step

Progress = Callable[[str], None]


class Figure(NamedTuple):
    """A number, or a few words."""

    row: str
    column: str  # empty in a table of one column
    ours: str
    known: str  # empty if nobody gave it

    @property
    def differs(self) -> bool:
        """Whether a single digit does."""
        return bool(self.known) and self.ours != self.known


class Table(NamedTuple):
    """Figures that belong together."""

    title: str
    rows: str  # what they are
    figures: list[Figure]
    published: tuple[str, ...] = ()  # the columns whose known figures the course itself printed


def tables(tokens: Sequence[str], progress: Progress) -> Iterator[Table]:
    """Compute every table from the tokens of the text, one after the other."""
    corpus = encode(list(tokens))
    yield text_table(tokens, corpus)
    yield example_table()
    yield initial_table(corpus)
    for era in published.ERAS:
        yield era_table(corpus, era, progress)
    yield longer_table(corpus, progress)


def text_table(tokens: Sequence[str], corpus: Corpus) -> Table:
    """Count the tokens."""
    counts, opening = Counter(tokens), published.OPENING.split()
    ours = tokens[: len(opening)]
    king = corpus.words.index("king") if "king" in counts else "none"
    rows = [
        ("tokens", len(tokens), published.TOKENS),
        ("different ones, V", len(corpus.words), published.VOCABULARY),
        ("id of king", king, published.KING),
    ]
    rows += [
        (f'count of "{word}"', counts[word], known) for word, known in published.FREQUENT.items()
    ]
    for first in range(0, len(opening), 4):
        part = slice(first, first + 4)
        rows.append((f"from token {first}", " ".join(ours[part]), " ".join(opening[part])))
    figures = [Figure(row, "", str(found), str(known)) for row, found, known in rows]
    return Table("The text, in the tokens of NLTK 3.5", "figure", figures, ("",))


def example_table() -> Table:
    """Go once through the smallest network, forward and backward."""
    W1, W2 = np.array(published.EXAMPLE_W1), np.array(published.EXAMPLE_W2)
    b1, b2 = (np.array([b]).T for b in (published.EXAMPLE_B1, published.EXAMPLE_B2))
    parameters = network.Parameters(W1, b1, W2, b2)
    context = np.array(published.EXAMPLE_CONTEXT)
    X = network.contexts(context, np.array([0, len(context)]), len(W2), np.float64)
    y = np.array([published.EXAMPLE_WORD])

    def J() -> float:
        return network.cost(NETWORK, network.forward(NETWORK, parameters, X), y)

    pass_ = network.forward(NETWORK, parameters, X)
    dZ2 = network.deltas(NETWORK, parameters, pass_, y)[2]
    ours = {
        "cost": f"{J():.6f}",
        "z1": _digits(pass_.Z1),
        "l1": _digits(W2.T @ dZ2),
        "db1, numeric": _digits(network.central_differences(J, parameters.b1, 1e-4)),
    }
    for name, gradient in GRADIENTS.items():
        ours[f"db1, {name}"] = _digits(gradient(NETWORK, parameters, pass_, y).db1)
    figures = [Figure(row, "", ours[row], known) for row, known in published.EXAMPLE.items()]
    return Table("The smallest example, V = 5 and N = 3", "figure", figures)


def _digits(column: np.ndarray) -> str:
    """Write a column in a row, with four decimals each."""
    return " ".join(f"{number:z.4f}" for number in column.ravel())


def initial_table(corpus: Corpus) -> Table:
    """Compute the cost of four examples before any step."""
    figures = []
    for era in published.ERAS:
        start = runs.course_start(len(corpus.words), runs.INITIAL_SEED)
        examples = batches(corpus, era.batching, m=4)
        first = next(runs.train(examples, start, era.gradient, runs.course_rate))
        figures.append(Figure(era.years, "", f"{_cost(first, era):.4f}", era.initial))
    return Table("Initial cost, of four examples", "years", figures, ("",))


def era_table(corpus: Corpus, era: Era, progress: Progress) -> Table:
    """Train as in one era, with either gradient."""
    figures = []
    for gradient, known in era.costs.items():
        progress(f"{era.years}: {runs.ITERATIONS} iterations, {gradient} gradient")
        start = runs.course_start(len(corpus.words))
        examples = islice(batches(corpus, era.batching, runs.BATCH_SIZE), runs.ITERATIONS)
        steps = runs.train(examples, start, gradient, runs.course_rate)
        for iteration, cost in enumerate((_cost(step, era) for step in steps), start=1):
            if iteration % 10 == 0:
                theirs = known.get(iteration, "")
                figures.append(Figure(f"{iteration}", gradient, f"{cost:.6f}", theirs))
    title = f"{era.years}: batching {era.batching}, {era.gradient} gradient taught"
    return Table(title, "iteration", figures, (era.gradient,))


def _cost(step: Step, era: Era) -> float:
    """Return the cost as it was defined then."""
    return step.cost + (step.extra_term if era.extra_term else 0)


def longer_table(corpus: Corpus, progress: Progress) -> Table:
    """Train for longer, from two starts."""
    figures = []
    for run in published.LONGER:
        row = f"{run.start} start, {run.gradient}"
        progress(f"{row}: {published.LONGER_ITERATIONS} iterations")
        cost, dead = _longer(corpus, run)
        figures.append(Figure(row, "cost", f"{cost:.3f}", run.cost))
        figures.append(Figure(row, "dead units", f"{dead} of {runs.DIMENSION}", run.dead))
    last, all_ = published.LONGER_MEAN_OF, published.LONGER_ITERATIONS
    return Table(f"Longer runs, batching C: the last {last} of {all_} iterations", "run", figures)


def _longer(corpus: Corpus, run: Longer) -> tuple[float, int]:
    """Return the mean cost, and the units that never fired, of the last iterations."""
    start = {"course": runs.course_start, "centred": runs.centred_start}[run.start]
    examples = islice(batches(corpus, "C", runs.BATCH_SIZE), published.LONGER_ITERATIONS)
    steps = runs.train(examples, start(len(corpus.words)), run.gradient, lambda _: run.rate)
    seen = deque(((step.cost, step.firing) for step in steps), maxlen=published.LONGER_MEAN_OF)
    costs, firing = zip(*seen, strict=True)
    return float(np.mean(costs)), int((~np.any(firing, axis=0)).sum())
