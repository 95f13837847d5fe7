"""What the page holds of a model: its words, their vectors in bytes, their places on the map."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.errors import QueryError
from cbow.explore.layout import Layout, Places, lay_out
from cbow.explore.moved import Moved, compare
from cbow.explore.quantised import quantise
from cbow.vectors import WordVectors
from cbow.vectors.nearest import inverse_lengths

#: Coordinates are whole numbers from minus this to this: 16 bits each.
LARGEST: Final = 32767


class Choices(NamedTuple):
    """What the user decides."""

    limit: int  #: words in the page, those of each model that come first
    map: int  #: words on the map
    layout: str  #: ``auto`` or a key of `cbow.explore.layout.METHODS`
    seed: int  #: of the layout


class Part(NamedTuple):
    """One model in the page."""

    name: str  #: as the page calls it
    vectors: WordVectors  #: the V words that are in the page
    total: int  #: words that the model has
    rows: npt.NDArray[np.int8]  #: (V, N)
    places: npt.NDArray[np.int16]  #: (n, 2), of the first n words
    layout: Layout


class Content(NamedTuple):
    """Everything that the page shows."""

    parts: list[Part]  #: one or two
    moved: Moved | None  #: if there are two


def collect(models: list[tuple[str, WordVectors]], choices: Choices) -> Content:
    """Bring together what the page shows.

    Parameters
    ----------
    models : list of (str, WordVectors)
        One or two, each with its name.
    choices : Choices

    Returns
    -------
    Content

    Raises
    ------
    QueryError
        If a model has no words, or numbers that are not finite.
    CBOWError
        If the library for the layout is not installed.
    """
    parts = [_part(name, vectors, choices) for name, vectors in models]
    if len(parts) == 1:
        return Content(parts, None)
    first, second = parts
    return Content(
        [first, _turned(second, first)], compare(first.vectors, second.vectors, choices.map)
    )


def _check(name: str, vectors: WordVectors) -> None:
    """Refuse what no page can be made of."""
    if not vectors.matrix.size:
        raise QueryError(f"{name} holds no vectors, and there is nothing to show; give another")
    broken = np.flatnonzero(np.isnan(inverse_lengths(vectors.matrix)))
    if len(broken):
        raise QueryError(
            f"{name} holds numbers that are not finite, or far too large, in the vectors of "
            f"{len(broken)} words, the first {vectors.words[broken[0]]!r}; train it again with a "
            "smaller learning rate"
        )


def _part(name: str, vectors: WordVectors, choices: Choices) -> Part:
    """Choose the words, round their vectors and lay out the first of them."""
    kept = first_words(vectors, choices.limit)
    _check(name, kept)
    layout = lay_out(kept.matrix[: choices.map], choices.layout, choices.seed)
    rows, places = quantise(kept.matrix), whole_numbers(layout.places)
    return Part(name, kept, len(vectors), rows, places, layout)


def first_words(vectors: WordVectors, limit: int) -> WordVectors:
    """Keep the most frequent words, or those that come first if nothing is known of that.

    Parameters
    ----------
    vectors : WordVectors
    limit : int
        How many to keep at most.

    Returns
    -------
    WordVectors
        In the order of their frequency; words that are as frequent in the order they had.
    """
    counts = vectors.counts
    if counts is None or (counts[1:] <= counts[:-1]).all():
        chosen = np.arange(min(limit, len(vectors)))
    else:
        chosen = np.argsort(counts.max() - counts, kind="stable")[:limit]
    return WordVectors(
        [vectors.words[i] for i in chosen.tolist()],
        vectors.matrix[chosen],
        None if counts is None else counts[chosen],
    )


def whole_numbers(places: Places) -> npt.NDArray[np.int16]:
    """Scale places to whole numbers, the largest coordinate to 32767 or -32767, (n, 2)."""
    largest = np.abs(places).max(initial=0) or 1.0
    rounded: npt.NDArray[np.int16] = np.rint(places / largest * LARGEST).astype(np.int16)
    return rounded


def _turned(part: Part, model: Part) -> Part:
    """Turn, mirror and shrink a map so that its words lie as nearly as can be as in `model`."""
    words = list(part.vectors.words[: len(part.places)])
    ids = model.vectors.ids
    pairs = [
        (i, ids[word]) for i, word in enumerate(words) if ids.get(word, LARGEST) < len(model.places)
    ]
    if not pairs:
        return part
    ours, theirs = np.array(pairs).T  # (common,), (common,)
    turned = part.layout.places @ rotation(part.layout.places[ours], model.layout.places[theirs])
    return part._replace(places=whole_numbers(turned))


def rotation(X: Places, Y: Places) -> Places:
    """Find the orthogonal R for which X R is nearest to Y, both centred and of equal size.

        R = argmin |X R - Y|² = U Vᵀ    with Xᵀ Y = U S Vᵀ

    Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem".

    Parameters
    ----------
    X, Y : ndarray, (n, 2)

    Returns
    -------
    ndarray, (2, 2)
    """
    U, _, Vt = np.linalg.svd((X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0)))
    R: Places = U @ Vt
    return R
