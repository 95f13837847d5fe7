"""Sums of words as people write them: ``king - man + woman``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cbow.errors import QueryError, shown

_PIECE: Final = re.compile(r"\S+")
_SIGNS: Final = ("+", "-")


class Expression(NamedTuple):
    """The words that are added and those that are taken away, as `most_similar` wants them."""

    positive: list[str]
    negative: list[str]


def parse_expression(text: str) -> Expression:
    """Take a sum of words apart.

    Parameters
    ----------
    text : str
        Words with ``+`` or ``-`` between them, white space around each; a sign may also come
        first, with white space behind it. What does not stand alone is part of its word, as in
        ``well-known`` and ``-ness``.

    Returns
    -------
    Expression
        The words that are added and those that are taken away, in order.

    Raises
    ------
    QueryError
        If a word or a sign is missing. The message says where.

    Examples
    --------
    >>> parse_expression("king - man + well-known")
    Expression(positive=['king', 'well-known'], negative=['man'])
    >>> parse_expression("- man + -ness")
    Expression(positive=['-ness'], negative=['man'])
    """
    if not text.strip():
        raise QueryError("the query is empty; give a word, or words with + and - between them")
    sides: dict[str, list[str]] = {"+": [], "-": []}
    sign: str | None = "+"
    for number, match in enumerate(_PIECE.finditer(text)):
        place, piece = match.start() + 1, match.group()
        if piece in _SIGNS and (sign is None or number == 0):
            sign = piece
        elif piece in _SIGNS:
            raise QueryError(
                f"in {shown(text)}, character {place} is {shown(piece)}, but must begin a word"
            )
        elif sign is None:
            raise QueryError(
                f"in {shown(text)}, character {place} begins {shown(piece)}, but must be + or -; "
                "put a sign between words, with white space around it"
            )
        else:
            sides[sign].append(piece)
            sign = None
    if sign is not None:
        raise QueryError(f"{shown(text)} ends where a word must follow; add the word")
    return Expression(sides["+"], sides["-"])
