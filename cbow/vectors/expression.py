"""Sums of words as people write them: ``king - man + woman``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cbow.errors import QueryError

# A sign stands alone, for words may hold - and + themselves; only the very first may lean on
# its word.
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
        Words with ``+`` or ``-`` between them, white space around each. A sign may also come
        first. Within a word, as in ``well-known``, ``-`` is part of it.

    Returns
    -------
    Expression
        The words with + and with -, in order.

    Raises
    ------
    QueryError
        If a word or a sign is missing. The message says where.

    Examples
    --------
    >>> parse_expression("king - man + well-known")
    Expression(positive=['king', 'well-known'], negative=['man'])
    >>> parse_expression("-man + king")
    Expression(positive=['king'], negative=['man'])
    """
    sides: dict[str, list[str]] = {"+": [], "-": []}
    sign: str | None = "+"
    for place, piece in _pieces(text):
        if piece in _SIGNS and (sign is None or place == 1):
            sign = piece
        elif piece in _SIGNS:
            raise QueryError(f"in {text!r}, character {place} is {piece!r}, but must begin a word")
        elif sign is None:
            raise QueryError(
                f"in {text!r}, character {place} begins {piece!r}, but must be + or -; "
                "put a sign between words, with white space around it"
            )
        else:
            sides[sign].append(piece)
            sign = None
    if sign is not None:
        raise QueryError(f"{text!r} ends where a word must follow; add the word")
    return Expression(sides["+"], sides["-"])


def _pieces(text: str) -> list[tuple[int, str]]:
    """Cut at white space; give each piece with its place, counted from 1."""
    pieces = [(match.start() + 1, match.group()) for match in _PIECE.finditer(text)]
    if pieces and len(pieces[0][1]) > 1 and pieces[0][1][0] in _SIGNS:
        place, first = pieces[0]
        pieces[:1] = [(place, first[0]), (place + 1, first[1:])]
    return pieces
