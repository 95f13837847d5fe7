"""The page: one file of HTML that fetches nothing, with the words as data, never as markup."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
from html import escape
from string import Template
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.explore.content import Content, Part
from cbow.explore.moved import Moved

#: The scripts, each of which may use those before it.
SCRIPTS: Final = (
    "vectors.js",
    "expression.js",
    "spelling.js",
    "elements.js",
    "completion.js",
    "view.js",
    "labels.js",
    "drawing.js",
    "gestures.js",
    "map.js",
    "answers.js",
    "moved.js",
    "page.js",
)

#: The styles, in the order of their say.
STYLES: Final = ("page.css", "answers.css", "map.css")

#: What the browser may do: run this script, use these styles; fetch nothing, send nothing.
POLICY: Final = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)

#: By which a page of ours is known, within its first few hundred bytes.
GENERATOR: Final = '<meta name="generator" content="cbow-explore">'

#: Inside a script element these would end it or begin another, or are no characters of UTF-8.
_UNSAFE: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def page(content: Content) -> str:
    """Write the page.

    Parameters
    ----------
    content : Content

    Returns
    -------
    str
        HTML, to be saved as UTF-8. The same content gives the same page.
    """
    style, script = "\n" + "".join(map(_file, STYLES)), "\n" + _script()
    policy = POLICY.format(script=_hash(script), style=_hash(style))
    return Template(_file("page.html")).substitute(
        generator=GENERATOR,
        policy=escape(policy),
        title=escape(title(content).encode("utf-8", "replace").decode("utf-8")),
        style=style,
        data=as_json(_data(content)),
        script=script,
    )


def title(content: Content) -> str:
    """Name the page after its models."""
    return "Words of " + " and ".join(part.name for part in content.parts)


def as_json(value: Any) -> str:
    r"""Write JSON that may stand in a script element.

    Examples
    --------
    >>> print(as_json(["</script>", "naïve"]))
    ["\u003c/script\u003e","naïve"]
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # All of them can only stand in strings, where an escape means the same.
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _script() -> str:
    """Join the scripts, in a scope of their own."""
    return "(() => {\n" + '"use strict";\n' + "".join(map(_file, SCRIPTS)) + "})();\n"


def _file(name: str) -> str:
    return importlib.resources.files("cbow.explore").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return the hash by which a policy names the text of an element."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _data(content: Content) -> dict[str, Any]:
    """Return the content as plain values."""
    return {
        "models": [_part(part) for part in content.parts],
        "moved": None if content.moved is None else _moved(content.moved),
    }


def _part(part: Part) -> dict[str, Any]:
    counts = part.vectors.counts
    return {
        "name": part.name,
        "total": part.total,
        "dimension": part.vectors.dimension,
        "words": list(part.vectors.words),
        "counts": None if counts is None else counts.tolist(),
        "rows": _base64(part.rows),
        "places": _base64(part.places.astype("<i2")),
        "method": part.layout.method,
        "remark": part.layout.remark,
    }


def _moved(moved: Moved) -> dict[str, Any]:
    return {
        "words": moved.words,
        "shared": moved.shared.tolist(),
        "neighbours": moved.neighbours,
        "common": moved.common,
    }


def _base64(array: npt.NDArray[np.integer[Any]]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
