"""Queries: words, vectors, sums of these, and where a sum points.

A query is a word, a vector, or a list of these with or without weights; a list of lists is many
queries. People type one as ``king - man + woman``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from cbow.errors import QueryError, shown
from cbow.system.arrays import Doubles
from cbow.vectors.nearest import unit

#: A vector of the dimension of the words' vectors, of any kind of number.
Vector: TypeAlias = npt.NDArray[Any]
#: A word, or a vector.
Key: TypeAlias = str | Vector
#: Words or vectors, one for each of many queries.
Keys: TypeAlias = list[str] | list[Vector] | list[Key]
#: A key, or a key with its weight.
Term: TypeAlias = Key | tuple[str, float] | tuple[Vector, float]
#: One query.
Query: TypeAlias = Key | Sequence[Term]
#: Many queries: a list of lists.
Queries: TypeAlias = Sequence[list[str]] | Sequence[list[Key]] | Sequence[list[Term]]

_EPS: Final = float(np.finfo(np.float64).eps)


class Expression(NamedTuple):
    """The words that are added and those that are subtracted, as `most_similar` takes them."""

    positive: list[str]
    negative: list[str]


def parse_expression(text: str) -> Expression:
    """Parse a sum of words.

    Parameters
    ----------
    text : str
        Words with ``+`` or ``-`` between them, white space around each; a sign may also come
        first, with white space behind it. A sign that does not stand alone is part of its word, as
        in ``well-known`` and ``-ness``.

    Returns
    -------
    Expression
        The words that are added and those that are subtracted, in order.

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
    for number, match in enumerate(re.finditer(r"\S+", text)):
        place, piece = match.start() + 1, match.group()
        if piece in sides and (sign is None or number == 0):
            sign = piece
        elif piece in sides:
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


def pair_up(
    positive: Query | Queries | None, negative: Query | Queries | None
) -> tuple[list[tuple[Query | None, Query | None]], bool]:
    """Set the positive and the negative terms of each query side by side.

    Returns
    -------
    pairs : list of (positive, negative)
        One for each query.
    many : bool
        Whether they came as a list of lists, be it of one query.

    Raises
    ------
    QueryError
        If one is a list of lists and the other neither left out nor one of the same length.
    """
    positive, negative = as_words(positive), as_words(negative)
    plus, minus = _lists(positive), _lists(negative)
    if plus is None and minus is None:
        return [(cast("Query | None", positive), cast("Query | None", negative))], False
    if plus is not None and negative is None:
        return [(each, None) for each in plus], True
    if minus is not None and positive is None:
        return [(None, each) for each in minus], True
    if plus is None or minus is None or len(plus) != len(minus):
        raise QueryError(
            "positive and negative do not match; give one of them, or both as lists of lists of "
            "the same length"
        )
    return list(zip(plus, minus, strict=True)), True


def _lists(query: Query | Queries | None) -> Sequence[Query] | None:
    """Return the lists of a list of lists; None if it is not one."""
    if not isinstance(query, list | tuple):
        return None
    lists = [each for each in query if isinstance(each, list)]
    if 0 < len(lists) < len(query):
        raise QueryError(
            f"{len(lists)} of {len(query)} terms are lists; give words, or a list per query"
        )
    return lists or None


def terms(positive: Query | None, negative: Query | None) -> list[tuple[Key, float]]:
    """List the terms of a query with their weights: 1 if positive, -1 if negative, or their own.

    Raises
    ------
    QueryError
        If there is no term, or one is neither a word nor a vector.
    """
    weighted: list[tuple[Key, float]] = []
    for side, sign in ((positive, 1.0), (negative, -1.0)):
        if side is None:
            continue
        if not isinstance(side, str | list | tuple | np.ndarray):
            raise QueryError(
                f"{described(side)} is not a query; give a word, a vector or a list of them"
            )
        for term in keys_of(side):
            key, weight = term, sign
            if isinstance(term, tuple):
                try:
                    key, weight = term
                    weight = float(weight)
                except (TypeError, ValueError):
                    raise QueryError(
                        f"{shown(term)} is not a pair (word, weight); give such a pair, or a word"
                    ) from None
            if not isinstance(key, str | np.ndarray):
                raise QueryError(
                    f"{described(key)} is neither a word nor a vector; give one of these"
                )
            if not np.isfinite(weight):
                raise QueryError(f"the weight {weight} is not finite; give a finite number")
            weighted.append((key, weight))
    if not weighted:
        raise QueryError("the query is empty; give at least one word")
    return weighted


def as_words(query: Any) -> Any:
    """Return an array of words, of whatever numpy type, as a list; anything else as it is."""
    words = isinstance(query, np.ndarray) and query.dtype.kind in "UTO"
    return query.tolist() if words else query


def keys_of(words: Any) -> list[Any]:
    """List words or vectors: a single one is a list of one, never its letters or numbers.

    Raises
    ------
    QueryError
        If it is neither a word, nor a vector, nor several of these.
    """
    words = as_words(words)
    if isinstance(words, str) or (isinstance(words, np.ndarray) and words.ndim < 2):
        return [words]
    if not isinstance(words, Iterable):
        raise QueryError(
            f"{described(words)} is neither a word nor a vector; give these, or a list"
        )
    return list(words)


def described(value: object) -> str:
    """Name a value by its type and what it is."""
    return f"{type(value).__name__} {shown(value)}"


def check_integer(name: str, value: object, least: int) -> None:
    """Raise `QueryError` if a value is not an integer of `least` or more."""
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integer or value < least:  # type: ignore[operator]  # an integer by now
        raise QueryError(f"{name} is {shown(value)}, but must be a whole number of {least} or more")


@np.errstate(under="ignore")
def directions(vectors: Doubles, weights: Sequence[float], sizes: Sequence[int]) -> Doubles:
    """Add up the weighted terms of each query and scale the sums to length 1.

    Parameters
    ----------
    vectors : ndarray, (terms, N)
        Those of all queries, one after the other.
    weights : sequence of float, (terms,)
    sizes : sequence of int, (Q,)
        How many terms each query has: 1 or more.

    Returns
    -------
    ndarray, (Q, N)

    Raises
    ------
    QueryError
        If a sum is zero or infinite.
    """
    starts = [0, *accumulate(sizes[:-1])]  # (Q,)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = np.asarray(weights, np.float64)[:, None] * vectors  # (terms, N)
        totals = np.add.reduceat(parts, starts, axis=0)  # (Q, N)
    # What does not come out exactly, as in a + b - a - b, leaves rounding errors of this size.
    largest = np.maximum.reduceat(np.abs(parts).max(axis=1, initial=0), starts)  # (Q,)
    rounding = np.square(sizes) * _EPS * largest  # (Q,)
    highest = np.abs(totals).max(axis=1, initial=0)  # (Q,)
    sound = (rounding < highest) & (highest < np.inf)  # (Q,), not with NaN either
    if not sound.all():
        first = int(sound.argmin())
        number = f"query {first + 1}" if len(sound) > 1 else "the query"
        raise QueryError(
            f"{number} adds up to zero, which has no direction, so that no word is nearer than "
            "another; ask for another sum"
            if np.isfinite(totals[first]).all()
            else f"{number} adds up to infinity; give smaller weights or vectors"
        )
    return unit(totals)
