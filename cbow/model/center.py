"""The missing word, predicted by the trained network itself.

    x    = mean of the one-hot vectors of the words around the gap    (V, 1)
    Z1   = W1 x + b1        H    = g(Z1)                              (N, 1)
    Z2   = W2 H + b2        Yhat = softmax(Z2)                        (V, 1)

The columns of a batch are answered together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from cbow.errors import TRAIN_AGAIN, QueryError, UnknownWordError, shown
from cbow.network import cbow_network, contexts, forward
from cbow.system.arrays import Floats, Ids
from cbow.vectors.nearest import may_be_largest
from cbow.vectors.query import check_integer, described
from cbow.vectors.spelling import spelled_like

if TYPE_CHECKING:
    from cbow.model.model import Model
    from cbow.network import Network, Parameters

#: A word and its probability.
Guess: TypeAlias = tuple[str, float]

#: Probabilities held at once for a batch of contexts (16 MiB in float32).
HELD: Final = 2**22


def predict_center(
    model: Model, context_words: Sequence[str] | Sequence[Sequence[str]], topn: int
) -> list[Guess] | list[list[Guess]]:
    """Do what `Model.predict_center` says."""
    check_integer("topn", topn, 0)
    vocabulary, ids = model.vocabulary, []
    lists, many = _lists(context_words)
    for words in lists:
        for word in words:
            if word not in vocabulary:
                raise UnknownWordError(word, partial(spelled_like, word, vocabulary))
        ids.append(np.array([vocabulary[word] for word in words], np.intp))
    network = cbow_network(model.config.activation)
    guesses = [
        [(vocabulary.word(id), float(p)) for id, p in zip(outputs, probabilities, strict=True)]
        for outputs, probabilities in most_probable(network, model.composed, ids, int(topn))
    ]
    return guesses if many else guesses[0]


def most_probable(
    network: Network, parameters: Parameters, context_ids: Sequence[Ids], topn: int
) -> list[tuple[Ids, Floats]]:
    """Find the outputs of largest probability for each context.

    Parameters
    ----------
    network : Network
        Whose output is softmax.
    parameters : Parameters
        W1 (N, V), b1 (N, 1), W2 (V, N), b2 (V, 1).
    context_ids : sequence of m arrays of int
        The ids of the words of each context, none empty; an id that comes twice counts twice.
    topn : int
        How many to find; all V if that is fewer.

    Returns
    -------
    list of m pairs of ndarray
        Ids and their probabilities, the largest first; equals by rising id.

    Raises
    ------
    QueryError
        If a probability is not a number.
    """
    V = len(parameters.W2)
    step, results = max(1, HELD // V), []
    for start in range(0, len(context_ids), step):
        block = context_ids[start : start + step]
        ends = np.cumsum([0, *map(len, block)])  # (m + 1,)
        X = contexts(np.concatenate(block), ends, V, parameters.W1.dtype)  # (V, m)
        with np.errstate(all="ignore"):  # the next line says what is wrong
            done = forward(network, parameters, X)
        if np.isnan(done.Yhat[0]).any():  # one that is not a number makes its whole column so
            raise QueryError(
                "the model holds numbers that are not finite, or far too large, so that it has no "
                f"probabilities; {TRAIN_AGAIN}"
            )
        for p in done.Yhat.T:  # (V,)
            ids = may_be_largest(p, min(topn, V), slack=0) if topn else np.empty(0, np.intp)
            ids = ids[np.argsort(-p[ids], kind="stable")[:topn]]
            results.append((ids, p[ids]))
    return results


def _lists(context_words: Iterable[str | Iterable[str]]) -> tuple[list[list[str]], bool]:
    """Return the words of each context, and whether they came as a list of lists."""
    gaps = _listed(context_words)
    single = [isinstance(each, str) for each in gaps]
    if all(single):
        return [_checked(gaps, "the context")], False
    if any(single):
        raise QueryError(
            f"of {len(gaps)} contexts {sum(single)} are single words; give words, or a list of "
            "words for each gap"
        )
    lists = [_listed(each) for each in gaps]
    return [_checked(words, f"context {i}") for i, words in enumerate(lists)], True


def _listed(words: object) -> list[str]:
    """Put a single word into a list, and the words of any other iterable."""
    if isinstance(words, str):
        return [words]
    if not isinstance(words, Iterable) or isinstance(words, bytes):
        raise QueryError(
            f"{described(words)} is not a context; give a list of the words around the gap, or a "
            "list of such lists"
        )
    return list(words)


def _checked(words: list[str], name: str) -> list[str]:
    """Reject a context without words, or with something else."""
    if not words:
        raise QueryError(f"{name} is empty; give at least one of the words around the gap")
    for word in words:
        if not isinstance(word, str):
            raise QueryError(
                f"{shown(word)} in {name} is not a word; ask for words by their spelling"
            )
    return words
