"""The batches of the course, in the three ways in which its assignment made them.

A word in the middle, a *centre*, is its place in the text. The centres start at place C, the number
of words on each side, and end C words before the end; windows cross sentences. A batch is m
centres.

A  (2020, 2021)          m copies of the first centre, each time: a slip emptied the wrong list
B  (2022 to mid-2023)    m copies of one centre, in the next batch of the next one
C  (current)             m centres in a row; the one between two batches is left out
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow import network

Ints = npt.NDArray[np.integer[Any]]

WINDOW = 2  # C


class Corpus(NamedTuple):
    """A text as numbers."""

    ids: Ints  # (T,)
    words: list[str]  # V, in the order of the alphabet: words[ids[t]] is token t


class Batch(NamedTuple):
    """What the network is shown in one iteration."""

    X: Any  # (V, m) sparse: the counts of the four words around, divided by four
    y: Ints  # (m,)


def encode(tokens: list[str]) -> Corpus:
    """Return each word its number in the order of the alphabet; none is too rare."""
    words = sorted(set(tokens))
    ids = {word: id_ for id_, word in enumerate(words)}
    return Corpus(np.array([ids[token] for token in tokens]), words)


def centres(length: int) -> Ints:
    """Return the places in a text of `length` tokens that have a whole window."""
    return np.arange(WINDOW, length - WINDOW)


def copies_of_the_first(places: Ints, m: int) -> Iterator[Ints]:
    """Batching A, without end."""
    return repeat(np.full(m, places[0]))


def copies_of_each(places: Ints, m: int) -> Iterator[Ints]:
    """Batching B, once through the text."""
    return (np.full(m, place) for place in places)


def distinct(places: Ints, m: int) -> Iterator[Ints]:
    """Batching C, once through the text. A batch is handed out only when one more centre came."""
    return (places[first : first + m] for first in range(0, len(places) - m, m + 1))


BATCHINGS = {"A": copies_of_the_first, "B": copies_of_each, "C": distinct}


def batches(corpus: Corpus, batching: str, m: int) -> Iterator[Batch]:
    """Yield batches of m examples; a batch of m copies as one example.

    Cost and gradients are means over the examples, and the mean over m copies is that of one.
    """
    for places in BATCHINGS[batching](centres(len(corpus.ids)), m):
        copies = (places == places[0]).all()
        yield batch(corpus, places[:1] if copies else places)


def batch(corpus: Corpus, places: Ints) -> Batch:
    """Look up the words at m places, and around them."""
    around = np.r_[-WINDOW:0, 1 : WINDOW + 1]  # (2C,)
    context = corpus.ids[places[:, None] + around]  # (m, 2C)
    ends = np.arange(len(places) + 1) * len(around)
    X = network.contexts(context.ravel(), ends, len(corpus.words), np.float64)
    return Batch(X, corpus.ids[places])
