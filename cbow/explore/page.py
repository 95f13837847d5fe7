"""The page: one file of HTML that fetches nothing, with the words as data, never as markup.

Python prepares what the page only shows. What answers a person at the page is JavaScript: sums of
words, the search by spelling and the cosines, because nobody knows the question before, and the
labels of the map, because they depend on the zoom, the window and its fonts.
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
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.explore.data import ModelData, PageData, SharedNeighbours

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
