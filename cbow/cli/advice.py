"""What to do after a training: a hint where little was learned, a word that is worth asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cbow.system.threads import single_threaded_blas
from cbow.training.defaults import MOST_SAMPLE, usual_rate
from cbow.vectors.nearest import inverse_lengths

if TYPE_CHECKING:
    from cbow.config import Config
    from cbow.vectors import WordVectors

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
    last, base = report["epochs"][-1], report["baselines"]
    loss, baseline, where = last["loss"], base["unigram"], ""
    if last["heldout_loss"] is not None:
        loss, baseline = last["heldout_loss"], base["heldout_unigram"]
        where = " on held-out lines"
    if loss < LITTLE * baseline:
        return []
    if last["loss"] < LITTLE * base["unigram"]:  # and yet not on held-out lines
        losses = [epoch["heldout_loss"] for epoch in report["epochs"]]
        least = losses.index(min(losses)) + 1
        fewer = f", or fewer epochs (--epochs {least})" if least < len(losses) else ""
        advice = f"the text is learned by heart: give more text{fewer}"
    else:
        advice = ", or ".join([*_remedies(config, report), "give more text"])
    below = "hardly below" if loss < baseline else "not below"
    return [
        f"hint: the loss{where}, {loss:.4f}, is {below} {baseline:.4f} (word frequencies); {advice}"
    ]


def _remedies(config: Config, report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would help a network that learned next to nothing of its own text."""
    epochs = report["epochs"]
    last = epochs[-1]
    sampled = report["objective"] == "sampled"
    usual = usual_rate(report["objective"], config.optimizer or ("sgd" if sampled else "adam"))
    rate = config.learning_rate or usual
    if not usual / UNUSUAL <= rate <= usual * UNUSUAL:
        yield f"take a usual learning rate (--learning-rate {usual:g}, not {rate:g})"
    sample = config.sample or 0.0
    more = min(MOST_SAMPLE, 10 * sample)
    if more > sample and 2 * last["subsampled"] > last["tokens"] - last["heldout"]:
        yield f"keep more of the frequent words (--sample {more:g})"
    if len(epochs) == 1 or last["loss"] < epochs[-2]["loss"]:  # it still falls
        yield f"train for more epochs (--epochs {4 * len(epochs)})"


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
