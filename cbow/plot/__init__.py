"""Pictures: numbers in, the bytes of a PNG, SVG or PDF file out. Needs matplotlib.

The same numbers give the same bytes: no time, no version and no setting of the user's own
matplotlib gets into a picture, and none of its global settings is left changed. Here is what the
pictures share: paper, ink, fonts, and the bytes of a file.

matplotlib brings DejaVu Sans, which has the alphabets of Europe, Arabic and Hebrew. For other
letters the fonts of the machine are searched; a letter that none has is drawn as an escape.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cbow.errors import CBOWError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The endings of files, each with what matplotlib would write into it by itself.
ENDINGS: Final[Mapping[str, Mapping[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}

#: The colours of text, of what is behind the data, and of the finest lines.
INK, GREY, PALE = "#222222", "#767676", "#d8d8d8"

#: Colours of Okabe & Ito, "Color Universal Design" (2008), which colour-blind people can tell
#: apart: those of the eight that are dark enough for text on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", INK)

#: Inches; a screen shows them as 800 points across.
WIDTH: Final = 8.0

#: Dots per inch of a PNG: two for each point of that screen.
RESOLUTION: Final = 200

STYLE: Final[Mapping[str, Any]] = {
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.hashsalt": "cbow",  # else the names inside an SVG are random
}

#: The font that matplotlib brings.
BUILT_IN: Final = "DejaVu Sans"

#: Fonts that claim to have every letter, and show a box for each.
NO_LETTERS: Final = "last resort", "lastresort", "adobe blank"

#: A longer label is cut.
LONGEST: Final = 32


class Labels(NamedTuple):
    """Labels as they can be drawn."""

    texts: list[str]  #: as many as there were, in their order
    fonts: list[str]  #: names; a letter is taken from the first that has it
    lacking: list[str]  #: letters that no font has, shown as an escape such as ``\\u738b``
    cut: list[str]  #: the texts that are too long to be shown to their end


def check_matplotlib() -> None:
    """Check that matplotlib can be imported.

    Raises
    ------
    CBOWError
        If it cannot be imported.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise CBOWError(
            f"pictures need matplotlib, which cannot be imported ({error}); install it with: "
            "pip install matplotlib"
        ) from error


def render(draw: Callable[[Figure], None], height: float, ending: str) -> bytes:
    """Make a figure, let `draw` draw on it, and return the bytes of its file.

    Parameters
    ----------
    draw : callable
        Takes the empty figure.
    height : float
        Inches.
    ending : str
        One of `ENDINGS`.

    Returns
    -------
    bytes
        The same for the same drawing.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # "default" first, so that the user's own settings do not change these pictures.
    with matplotlib.style.context(["default", dict(STYLE)]):
        figure = Figure(figsize=(WIDTH, height), dpi=RESOLUTION)
        FigureCanvasAgg(figure)  # measures texts, whatever the format
        draw(figure)
        file = io.BytesIO()
        metadata: Any = dict(ENDINGS[ending])
        figure.savefig(file, format=ending[1:], metadata=metadata)
    return file.getvalue()


def percent(share: float) -> str:
    """Write a share as a whole percentage.

    Examples
    --------
    >>> percent(0.618)
    '62 %'
    """
    return f"{100 * share:.0f} %"


def legible(labels: Sequence[str]) -> Labels:
    """Find fonts for labels; replace letters that no font has by escapes.

    Parameters
    ----------
    labels : sequence of str
        Without control characters.
    """
    wanted = set().union(*labels)
    fonts = [BUILT_IN]
    wanted -= _letters(_path(BUILT_IN))
    for name, path in _installed() if wanted else ():
        if has := wanted & _letters(path):
            fonts.append(name)
            wanted -= has
    escapes = {char: char.encode("unicode_escape").decode() for char in wanted}
    shown = ["".join(escapes.get(char, char) for char in label) for label in labels]
    cut = [label[: LONGEST - 1] + "…" if len(label) > LONGEST else label for label in shown]
    changed = [short for short, label in zip(cut, shown, strict=True) if short != label]
    return Labels(cut, fonts, sorted(wanted), changed)


def _installed() -> Iterator[tuple[str, str]]:
    """Yield name and file of the regular fonts of this machine, in alphabetical order."""
    from matplotlib import font_manager

    plain = {
        font.name
        for font in font_manager.fontManager.ttflist
        if (font.style, font.weight, font.stretch) == ("normal", 400, "normal")
        and not font.name.lower().startswith(NO_LETTERS)
    }
    for name in sorted(plain):
        yield name, _path(name)


def _path(name: str) -> str:
    """Return the file that matplotlib would use for a font."""
    from matplotlib import font_manager

    return font_manager.findfont(font_manager.FontProperties(family=[name]))


def _letters(path: str) -> set[str]:
    """Return the letters of a font; none if its file is damaged."""
    from matplotlib import font_manager

    with contextlib.suppress(OSError, RuntimeError):
        return set(map(chr, font_manager.get_font(path).get_charmap()))
    return set()
