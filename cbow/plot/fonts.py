"""Text that a picture can show: fonts for every script there is a font for, escapes for the rest.

matplotlib brings DejaVu Sans, which has the alphabets of Europe, Arabic and Hebrew. For other
letters the fonts of the machine are looked through.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

BUILT_IN: Final = "DejaVu Sans"

#: Fonts that claim to have every letter, and show a box for each.
NO_LETTERS: Final = "last resort", "lastresort", "adobe blank"

#: A longer label is cut.
LONGEST: Final = 32


class Text(NamedTuple):
    """Labels as they can be drawn."""

    labels: list[str]  #: as many as were given, in their order
    fonts: list[str]  #: names; a letter is taken from the first that has it
    lacking: list[str]  #: letters that no font has, shown as an escape such as ``\\u738b``
    cut: list[str]  #: those of them that are too long to be shown to their end


def legible(labels: Sequence[str]) -> Text:
    """Find fonts for labels; replace the letters that none has.

    Parameters
    ----------
    labels : sequence of str
        Without control characters.

    Returns
    -------
    Text
    """
    wanted = set().union(*labels)
    fonts = [BUILT_IN]
    wanted -= _letters(_path(BUILT_IN))
    for name, path in _installed() if wanted else ():
        if found := wanted & _letters(path):
            fonts.append(name)
            wanted -= found
    shown = [
        "".join(_escape(char) if char in wanted else char for char in label) for label in labels
    ]
    cut = [label[: LONGEST - 1] + "…" if len(label) > LONGEST else label for label in shown]
    changed = [short for short, label in zip(cut, shown, strict=True) if short != label]
    return Text(cut, fonts, sorted(wanted), changed)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _installed() -> Iterator[tuple[str, str]]:
    """Yield name and file of the plain fonts of this machine, in the order of the alphabet."""
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
    """Return the file that a drawing would take for a font."""
    from matplotlib import font_manager

    return font_manager.findfont(font_manager.FontProperties(family=[name]))


def _letters(path: str) -> set[str]:
    """Return the letters a font has; none if its file is damaged."""
    from matplotlib import font_manager

    with contextlib.suppress(OSError, RuntimeError):
        return set(map(chr, font_manager.get_font(path).get_charmap()))
    return set()
