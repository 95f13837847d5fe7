"""One forward pass, one backward pass and one step, worked out on a few words.

Everything that `cbow.explain.sections` shows is computed here, by the functions of `cbow.network`.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow import network
from cbow.errors import CorpusError
from cbow.network.gradcheck import STEP
from cbow.system.arrays import Floats
from cbow.text import Vocabulary

#: With more than this, the tables are too large to read.
MOST_TOKENS: Final = 40
MOST_WORDS: Final = 30
MOST_NGRAMS: Final = 80
LONGEST_WORD: Final = 40

#: The standard deviation of the biases at the start. Larger ones would decide alone whether a unit
#: fires, whatever the context.
BIAS_SCALE: Final = 0.25

#: Parameters are drawn with so many decimals that they can be printed as they are.
DECIMALS: Final = 2

#: No unit starts nearer to 0: whether it fires would depend on rounding, and measuring the
#: gradient, which moves it by 2 `STEP`, would carry it across.
NEAR: Final = 0.002


class Settings(NamedTuple):
    """The settings that the user chooses."""

    window: int
    dimension: int
    activation: str
    seed: int
    learning_rate: float
    ngrams: tuple[int, int] | None = None  #: characters of the shortest and the longest, if any


class Example(NamedTuple):
    """A target and its context, as words."""

    before: tuple[str, ...]
    target: str
    after: tuple[str, ...]

    @property
    def context(self) -> tuple[str, ...]:
        """The words around the target, from left to right."""
        return self.before + self.after


class AfterStep(NamedTuple):
    """The outcome of one step of gradient descent."""

    parameters: network.Parameters
    cost: float


class Worked(NamedTuple):
    """A worked example. All arrays are float64; V words, P n-grams, N units, m examples."""

    settings: Settings
    lines: Sequence[Sequence[str]]  #: the tokens of each line
    alone: tuple[int, ...]  #: tokens, from 0, that are alone on their line
    vocabulary: Vocabulary
    ngrams: tuple[str, ...]  #: the P distinct ones of all words, by where they first stand
    features: tuple[tuple[int, ...], ...]  #: of each word: its id, and V + those of its n-grams
    examples: tuple[Example, ...]
    X: Floats  #: (V + P, m)
    y: NDArray[np.int64]  #: (m,)
    parameters: network.Parameters
    pass_: network.Pass
    losses: Floats  #: (m,)
    cost: float
    dZ: dict[int, Any]  #: dZ[2] (V, m), dZ[1] (N, m)
    slopes: Floats  #: (N, m) g'(Z1)
    gradients: network.Gradients
    mistaken: network.Gradients
    measured_db1: Floats  #: (N, 1) from the cost alone, without a formula
    after: AfterStep
    after_mistaken: AfterStep

    @property
    def arriving(self) -> Floats:
        """W2ᵀ dZ2, (N, m): what arrives at each hidden unit."""
        arriving: Floats = self.parameters.W2.T @ self.dZ[2]
        return arriving

    @property
    def mistaken_dZ1(self) -> Floats:
        """max(0, W2ᵀ dZ2), (N, m)."""
        return np.maximum(0, self.arriving)


def work_out(lines: Sequence[Sequence[str]], settings: Settings) -> Worked:
    """Compute everything from the tokens of a few lines.

    Parameters
    ----------
    lines : sequence of sequences of str
        The tokens of each line; windows never cross the end of a line.
    settings : Settings

    Returns
    -------
    Worked
        The same for the same words and settings.

    Raises
    ------
    CorpusError
        If there is nothing to learn from, or too much to show.
    ConfigError
        If the activation is unknown.
    """
    vocabulary = _vocabulary(lines)
    ngrams, features = _features(vocabulary.words, settings.ngrams)
    examples = tuple(each for each in contexts(lines, settings.window) if each.context)
    if not examples:
        raise CorpusError(
            "every line of the text holds a single word, which has no context; "
            "put two words or more on a line"
        )
    sizes = [len(line) for line in lines for _ in line]  # of the line of each token
    net = network.cbow_network(settings.activation)
    indices = np.array([vocabulary[word] for each in examples for word in each.context])
    indptr = np.cumsum([0, *(len(each.context) for each in examples)])  # (m + 1,)
    F = network.contexts(
        np.concatenate(features),
        np.cumsum([0, *map(len, features)]),
        len(vocabulary) + len(ngrams),
        np.float64,
    )  # (V + P, V)
    X = network.contexts(indices, indptr, len(vocabulary), np.float64, F).toarray()  # to be shown
    y = np.array([vocabulary[each.target] for each in examples])  # (m,)
    parameters = draw(X, len(vocabulary), settings.dimension, settings.seed)
    pass_ = network.forward(net, parameters, X)
    dZ = network.deltas(net, parameters, pass_, y)
    gradients = network.backward(net, parameters, pass_, y)
    mistaken = network.mistaken_gradients(net, parameters, pass_, y)

    def J(these: network.Parameters) -> float:
        """Return the cost under some parameters."""
        return network.cost(net, network.forward(net, these, X), y)

    def copy() -> network.Parameters:
        """Copy the parameters."""
        return network.Parameters(*(array.copy() for array in parameters))

    def step(along: network.Gradients) -> AfterStep:
        """Make a step from the parameters."""
        new = copy()
        network.SGD(new).update(new, along, settings.learning_rate)
        return AfterStep(new, J(new))

    probe = copy()
    return Worked(
        settings=settings,
        lines=lines,
        alone=tuple(i for i, size in enumerate(sizes) if size == 1),
        vocabulary=vocabulary,
        ngrams=ngrams,
        features=features,
        examples=examples,
        X=X,
        y=y,
        parameters=parameters,
        pass_=pass_,
        losses=np.asarray(net.cost.losses(pass_.Z2, pass_.Yhat, y), np.float64),
        cost=network.cost(net, pass_, y),
        dZ=dZ,
        slopes=np.asarray(net.g[1].dg(pass_.Z1), np.float64),
        gradients=gradients,
        mistaken=mistaken,
        measured_db1=network.central_differences(lambda: J(probe), probe.b1, STEP),
        after=step(gradients),
        after_mistaken=step(mistaken),
    )


def contexts(lines: Sequence[Sequence[str]], window: int) -> Iterator[Example]:
    """Yield every token with its neighbours: up to `window` words on each side, on its own line."""
    for line in lines:
        for i, target in enumerate(line):
            before, after = line[max(0, i - window) : i], line[i + 1 : i + 1 + window]
            yield Example(tuple(before), target, tuple(after))


def _features(
    words: Sequence[str], sizes: tuple[int, int] | None
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return the distinct n-grams of words, and the features of each word; see `Worked`.

    As in training (`cbow.text.ngrams`), but each n-gram has a row of its own, for there are few.
    """
    if sizes is None:
        return (), tuple((w,) for w in range(len(words)))
    shortest, longest = sizes
    numbers: dict[str, int] = {}
    features = []
    for w, word in enumerate(words):
        marked = f"<{word}>"
        parts = [
            marked[start:stop]
            for start in range(len(marked))
            for stop in range(start + shortest, min(start + longest, len(marked)) + 1)
        ]
        kept = [part for part in parts if part not in ("<", ">")]
        features.append(
            (w, *(len(words) + numbers.setdefault(part, len(numbers)) for part in kept))
        )
    if len(numbers) > MOST_NGRAMS:
        raise CorpusError(
            f"the words have {len(numbers):,} distinct n-grams, but {MOST_NGRAMS} at most can be "
            "shown; give fewer words, or n-grams of fewer sizes, such as --ngrams 3,3"
        )
    return tuple(numbers), tuple(features)


def draw(X: Floats, vocabulary_size: int, dimension: int, seed: int) -> network.Parameters:
    """Draw parameters to learn with, of both signs and with `DECIMALS` decimals.

    Training starts from W2 = 0, where no gradient reaches the hidden layer in the first step and
    nothing could be shown. Here every array is normal, so that units fire for some examples and not
    for others.

    Parameters
    ----------
    X : (V, m) array, or (V + P, m) with n-grams
        The contexts. They matter only where a unit starts too `NEAR` and its bias is redrawn.
    vocabulary_size : int
        V.
    dimension : int
        N.
    seed : int
    """
    V, N = vocabulary_size, dimension
    random = np.random.Generator(np.random.PCG64(seed))

    def normal(rows: int, columns: int, scale: float) -> Floats:
        """Draw an array that can be printed as it is."""
        drawn: Floats = random.normal(scale=scale, size=(rows, columns)).round(DECIMALS)
        return drawn

    W1 = normal(N, len(X), 1)  # (N, V), or (N, V + P)
    b1 = normal(N, 1, BIAS_SCALE)  # (N, 1)
    W2 = normal(V, N, 1)  # (V, N)
    b2 = normal(V, 1, BIAS_SCALE)  # (V, 1)
    while (near := (np.abs(W1 @ X + b1) < NEAR).any(axis=1)).any():
        b1[near] = normal(int(near.sum()), 1, BIAS_SCALE)
    return network.Parameters(W1, b1, W2, b2)


def _vocabulary(lines: Sequence[Sequence[str]]) -> Vocabulary:
    """Give each word an id; reject a text with nothing to learn from, or too much to show."""
    counts = collections.Counter(word for line in lines for word in line)
    if not counts:
        raise CorpusError("the text holds no words; give a few, such as: the king and the queen")
    long = next((word for word in counts if len(word) > LONGEST_WORD), None)
    if long is not None:
        raise CorpusError(
            f"the word {long!r:.30}... has {len(long):,} characters, but {LONGEST_WORD} at most "
            "fit into a table; give shorter words"
        )
    for what, size, most in (
        ("tokens", counts.total(), MOST_TOKENS),
        ("distinct words", len(counts), MOST_WORDS),
    ):
        if size > most:
            raise CorpusError(
                f"the text holds {size:,} {what}, but {most} at most can be shown; "
                "give a shorter text"
            )
    if len(counts) == 1:
        raise CorpusError(
            f"the text holds one distinct word, {next(iter(counts))!r}, which leaves nothing to "
            "guess; give two different words or more"
        )
    return Vocabulary.from_counts(counts)


def as_json(worked: Worked) -> dict[str, Any]:
    """Return a worked example as numbers, words and lists of them, for JSON.

    Returns
    -------
    dict
        Numbers are not rounded. ``arrays`` holds lists of rows, or of numbers, by name.
    """
    parameters, pass_ = worked.parameters, worked.pass_
    arrays = {
        "X": worked.X,
        **dict(zip(parameters.names, parameters, strict=True)),
        "Z1": pass_.Z1,
        "slopes": worked.slopes,
        "H": pass_.H,
        "Z2": pass_.Z2,
        "Yhat": pass_.Yhat,
        "losses": worked.losses,
        "dZ2": worked.dZ[2],
        "arriving": worked.arriving,
        "dZ1": worked.dZ[1],
        **dict(zip(worked.gradients.names, worked.gradients, strict=True)),
        "measured_db1": worked.measured_db1,
        "mistaken_dZ1": worked.mistaken_dZ1,
        "mistaken_dW1": worked.mistaken.dW1,
        "mistaken_db1": worked.mistaken.db1,
    }

    def after(step: AfterStep) -> dict[str, Any]:
        """Return the outcome of a step."""
        named = zip(step.parameters.names, step.parameters, strict=True)
        return {"cost": step.cost, "arrays": {name: array.tolist() for name, array in named}}

    return {
        "settings": worked.settings._asdict(),
        "lines": [list(line) for line in worked.lines],
        "words": list(worked.vocabulary.words),
        "ngrams": list(worked.ngrams),
        "features": [list(each) for each in worked.features],
        "counts": worked.vocabulary.counts.tolist(),
        "examples": [{"target": e.target, "context": list(e.context)} for e in worked.examples],
        "targets": worked.y.tolist(),
        "arrays": {name: array.tolist() for name, array in arrays.items()},
        "cost": worked.cost,
        "after": after(worked.after),
        "after_mistaken": after(worked.after_mistaken),
    }
