"""A page to look at word vectors: its data, and the one file of HTML that fetches nothing.

Python prepares what the page only shows. What answers a person at the page is JavaScript: sums of
words, the search by spelling and the cosines, because nobody knows the question before, and the
labels of the map, because they depend on the zoom, the window and its fonts. Words are data in the
page, never markup.

A vector is kept in a byte per number, small enough for tens of thousands of words in a page:

    q = round(127 r / max |r|)        the direction of the row r, not its length
    cos(r, s) ≈ q·p / (|q| |p|)

max |r| is the scale of the row. It is not kept: a cosine does not depend on it. Let
e = 127 r / max |r| - q. No entry of e is larger than 1/2, so |e| ≤ √N / 2, and the angle between
r and q is at most

    arcsin(|e| max |r| / (127 |r|)) ≤ arcsin(√N max |r| / (254 |r|))

A cosine is wrong by no more than the two angles together.

How far two models agree about a word w is the number of neighbours that it has in both:

    shared(w) = |A_k(w) ∩ B_k(w)|

A_k(w) are the k nearest of the words that both models have. No rotation of the spaces is needed
(Gonen, Jawahar, Seddah & Goldberg 2020, "Simple, Interpretable and Stable Method for Detecting
Words with Usage Change across Corpora", ACL 2020, section 3).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import itertools
import json
import re
from html import escape
from string import Template
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.errors import TRAIN_AGAIN, QueryError
from cbow.explore.layout import Layout, lay_out
from cbow.system.arrays import Doubles, Floats
from cbow.vectors import WordVectors
from cbow.vectors.nearest import inverse_lengths

#: Coordinates are whole numbers from minus this to this: 16 bits each.
LARGEST_PLACE: Final = 32767

#: The largest entry of each row in bytes; -128 has no opposite and cannot be a scale.
LARGEST_ENTRY: Final = 127

#: Rows that are rounded at once, to need little memory.
ROWS: Final = 4096

#: Neighbours that are compared; a tenth of few words, because k of k + 1 words are always shared.
NEIGHBOURS: Final = 25

#: Words whose neighbours are searched at once.
BATCH: Final = 1000

#: The scripts, each of which may use those before it.
SCRIPTS: Final = ("words.js", "drawing.js", "map.js", "answers.js", "page.js")

#: The styles, the later with the last word.
STYLES: Final = ("page.css", "answers.css", "map.css")

#: Where examples of words are taken from, by frequency, and their least length: neither "the" nor
#: words that nobody knows.
EXAMPLES: Final = (150, 250, 400, 600, 850, 1200, 1600, 2100)
LONG_ENOUGH: Final = 5

#: Colours of words by the neighbours that two models share.
SHADES: Final = 4

#: What the browser may do: run this script, use these styles; fetch nothing, send nothing.
POLICY: Final = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)

#: Marks a page of ours, within its first few hundred bytes.
GENERATOR: Final = '<meta name="generator" content="cbow-explore">'

#: These would end a script element or begin another, or cannot be encoded in UTF-8.
_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


# --- what the page holds --------------------------------------------------------------------------


class Choices(NamedTuple):
    """What the user decides."""

    limit: int  #: words in the page, the most frequent of each model
    map: int  #: words on the map
    layout: str  #: ``auto`` or a key of `cbow.explore.layout.METHODS`
    seed: int  #: of the layout


class ModelData(NamedTuple):
    """One model in the page."""

    name: str  #: as the page calls it
    vectors: WordVectors  #: the V words that are in the page
    total: int  #: words that the model has
    rows: npt.NDArray[np.int8]  #: (V, N)
    places: npt.NDArray[np.int16]  #: (n, 2), of the first n words
    layout: Layout


class SharedNeighbours(NamedTuple):
    """How far two models agree about words."""

    words: list[str]  #: n words, the first of those that both models have
    shared: npt.NDArray[np.int64]  #: (n,), neighbours in both models, of k
    neighbours: int  #: k
    common: int  #: words that both models have


class PageData(NamedTuple):
    """Everything that a page shows."""

    models: list[ModelData]  #: one or two
    shared: SharedNeighbours | None  #: if there are two


def page_data(models: list[tuple[str, WordVectors]], choices: Choices) -> PageData:
    """Gather what the page shows.

    Parameters
    ----------
    models : list of (str, WordVectors)
        One or two, each with its name.
    choices : Choices

    Returns
    -------
    PageData
        The second map is turned, mirrored and shrunk so that its words lie as nearly as possible
        where they do on the first.

    Raises
    ------
    QueryError
        If a model has no words, or numbers that are not finite.
    CBOWError
        If the library for the layout is not installed.
    """
    parts = []
    for name, vectors in models:
        kept = first_words(vectors, choices.limit)
        if not kept.matrix.size:
            raise QueryError(f"{name} holds no vectors, so there is nothing to show; give another")
        broken = np.flatnonzero(np.isnan(inverse_lengths(kept.matrix)))
        if len(broken):
            raise QueryError(
                f"{name} holds numbers that are not finite, or far too large, in the vectors of "
                f"{len(broken)} words, the first {kept.words[broken[0]]!r}; {TRAIN_AGAIN}"
            )
        layout = lay_out(kept.matrix[: choices.map], choices.layout, choices.seed)
        rows, places = quantise(kept.matrix), whole_numbers(layout.places)
        parts.append(ModelData(name, kept, len(vectors), rows, places, layout))
    if len(parts) == 1:
        return PageData(parts, None)
    first, second = parts
    ids = first.vectors.ids
    pairs = [
        (i, ids[word])
        for i, word in enumerate(second.vectors.words[: len(second.places)])
        if ids.get(word, len(ids)) < len(first.places)
    ]
    if pairs:
        ours, theirs = np.array(pairs).T  # (common,), (common,)
        R = rotation(second.layout.places[ours], first.layout.places[theirs])  # (2, 2)
        second = second._replace(places=whole_numbers(second.layout.places @ R))
    shared = shared_neighbours(first.vectors, second.vectors, choices.map)
    return PageData([first, second], shared)


def first_words(vectors: WordVectors, limit: int) -> WordVectors:
    """Keep the most frequent words, or the first if there are no counts.

    Parameters
    ----------
    vectors : WordVectors
    limit : int
        How many to keep at most.

    Returns
    -------
    WordVectors
        In the order of their frequency; words of equal frequency keep their order.
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


def whole_numbers(places: Doubles) -> npt.NDArray[np.int16]:
    """Scale places to whole numbers, the largest coordinate to 32767 or -32767, (n, 2)."""
    largest = np.abs(places).max(initial=0) or 1.0
    rounded: npt.NDArray[np.int16] = np.rint(places / largest * LARGEST_PLACE).astype(np.int16)
    return rounded


def rotation(X: Doubles, Y: Doubles) -> Doubles:
    """Return the orthogonal R for which X R is nearest to Y, both centred.

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
    R: Doubles = U @ Vt
    return R


def quantise(matrix: Floats) -> npt.NDArray[np.int8]:
    """Round each row to whole numbers from -127 to 127, its largest entry to one of these two.

    Parameters
    ----------
    matrix : ndarray, (V, N)
        Finite numbers.

    Returns
    -------
    ndarray of int8, (V, N)
        A row of zeros, or of next to nothing, is 0: it has no direction, as in
        `cbow.vectors.nearest.inverse_lengths`.

    Examples
    --------
    >>> import numpy as np
    >>> quantise(np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]])).tolist()
    [[64, -127, 32], [0, 0, 0]]
    """
    tiny = np.finfo(matrix.dtype).tiny
    rounded = np.empty(matrix.shape, np.int8)  # (V, N)
    for start in range(0, len(matrix), ROWS):
        rows = matrix[start : start + ROWS].astype(np.float64)  # (ROWS, N)
        scale = np.abs(rows).max(axis=1, keepdims=True, initial=0)  # (ROWS, 1)
        scale[scale < tiny] = np.inf
        rounded[start : start + ROWS] = np.rint(rows / scale * LARGEST_ENTRY)
    return rounded


def shared_neighbours(A: WordVectors, B: WordVectors, most: int) -> SharedNeighbours:
    """Count the neighbours that words have in both models.

    Parameters
    ----------
    A, B : WordVectors
    most : int
        Words to compare, those that come first in A. Every common word may be a neighbour.

    Returns
    -------
    SharedNeighbours
        Without the words whose vector is zero in one of the models, which have no neighbours.
    """
    words = [word for word in A if word in B and A[word].any() and B[word].any()]
    k = min(NEIGHBOURS, (len(words) + 9) // 10, max(0, len(words) - 1))
    compared = words[:most] if k else []
    shared = np.zeros(len(compared), np.int64)  # (n,)
    sides = [WordVectors(words, each[words]) for each in (A, B)] if k else []
    for start in range(0, len(compared), BATCH):
        batch = [[word] for word in compared[start : start + BATCH]]
        in_A, in_B = (side.most_similar(batch, topn=k) for side in sides)
        for i, (ours, theirs) in enumerate(zip(in_A, in_B, strict=True), start):
            shared[i] = len({word for word, _ in ours} & {word for word, _ in theirs})
    return SharedNeighbours(compared, shared, k, len(words))


# --- the page -------------------------------------------------------------------------------------


def page(data: PageData) -> str:
    """Write the page.

    Returns
    -------
    str
        HTML, to be saved as UTF-8. The same data give the same page.
    """
    title = "Words of " + " and ".join(model.name for model in data.models)
    style = "\n" + "".join(map(_file, STYLES))
    # The scripts share a scope of their own.
    script = '\n(() => {\n"use strict";\n' + "".join(map(_file, SCRIPTS)) + "})();\n"
    shared, words = data.shared, data.models[0].vectors.words
    examples: list[str] = []  # that a visitor may begin with
    for start in EXAMPLES:
        long = (word for word in words[start : start + 50] if len(word) >= LONG_ENOUGH)
        examples += itertools.islice(long, 1)
    values: dict[str, Any] = {
        "models": [_model(model, shared) for model in data.models],
        "examples": examples if len(examples) > 2 else list(words[: len(EXAMPLES)]),
        "shared": None,
    }
    if shared is not None:
        k, mean = shared.neighbours, shared.shared.mean() if len(shared.words) else 0
        values["shared"] = {
            "words": shared.words,
            "shared": shared.shared.tolist(),
            "neighbours": k,
            "question": f"Of the {k} nearest words, how many are the same in both models? "
            f"{mean:.1f} on average; fewest of all:",
            "about": f"{shared.common:,} words are in both models; the neighbours of "
            f"{len(shared.words):,} are compared. Rare words move for want of text.",
        }
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    return Template(_file("page.html")).substitute(
        generator=GENERATOR,
        policy=escape(policy),
        title=escape(title.encode("utf-8", "replace").decode("utf-8")),
        style=style,
        data=as_json(values),
        script=script,
    )


def as_json(value: Any) -> str:
    r"""Write JSON that can be put into a script element.

    Examples
    --------
    >>> print(as_json(["</script>", "naïve"]))
    ["\u003c/script\u003e","naïve"]
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # They occur only in strings, where an escape means the same.
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _file(name: str) -> str:
    return importlib.resources.files("cbow.explore").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return the hash by which a policy identifies the text of an element."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _model(model: ModelData, shared: SharedNeighbours | None) -> dict[str, Any]:
    """Return one model as plain values."""
    counts, layout = model.vectors.counts, model.layout
    V, n = len(model.vectors), len(model.places)
    shades: list[int | None] | None = None
    if shared is not None:  # the colour of each word on the map, None for words not compared
        shades = [None] * n
        for word, both in zip(shared.words, shared.shared.tolist(), strict=True):
            if (i := model.vectors.ids[word]) < n:
                shades[i] = min(SHADES - 1, both * SHADES // shared.neighbours)
    has = f"The page has all of its {model.total:,} words."
    if model.total > V:
        has = (
            f"The page has the first {V:,} of its {model.total:,} words; {model.total - V:,} are "
            "left out."
        )
    on_map = "all of them" if n == V else f"the first {n:,}"
    return {
        "name": model.name,
        "total": model.total,
        "dimension": model.vectors.dimension,
        "words": list(model.vectors.words),
        "counts": None if counts is None else counts.tolist(),
        "rows": _base64(model.rows),
        "places": _base64(model.places.astype("<i2")),
        "shades": shades,
        "caption": f"{n:,} of {model.total:,} words, by {layout.method}",
        "about": f"has {model.vectors.dimension:,} numbers per word. {has} The map shows {on_map}, "
        f"laid out by {layout.method} ({layout.remark}).",
    }


def _base64(array: npt.NDArray[np.integer[Any]]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
