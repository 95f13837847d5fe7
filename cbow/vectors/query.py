"""What may be asked: a word, a vector, several with or without weights, or many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from cbow.errors import QueryError, shown

#: A vector of the dimension that the words' have, of any kind of number.
Vector: TypeAlias = npt.NDArray[Any]
#: A word, or a vector.
Key: TypeAlias = str | Vector
#: Words or vectors, one for each of many questions.
Keys: TypeAlias = list[str] | list[Vector] | list[Key]
#: A key, or a key with its weight.
Term: TypeAlias = Key | tuple[str, float] | tuple[Vector, float]
#: One question.
Query: TypeAlias = Key | Sequence[Term]
#: Many questions: a list of lists.
Queries: TypeAlias = Sequence[list[str]] | Sequence[list[Key]] | Sequence[list[Term]]


def questions(
    positive: Query | Queries | None, negative: Query | Queries | None
) -> tuple[list[tuple[Query | None, Query | None]], bool]:
    """Set the positive and the negative terms of each query side by side.

    Returns
    -------
    pairs : list of (positive, negative)
        One for each query.
    many : bool
        Whether a batch was asked, be it of one query.

    Raises
    ------
    QueryError
        If one is a batch and the other neither left out nor a batch of the same length.
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
            "positive and negative do not match; give both as a list of lists, equally long, or one"
        )
    return list(zip(plus, minus, strict=True)), True


def _lists(question: Query | Queries | None) -> Sequence[Query] | None:
    """Return the lists of a list of lists; None if it is no such thing."""
    if not isinstance(question, list | tuple):
        return None
    lists = [each for each in question if isinstance(each, list)]
    if 0 < len(lists) < len(question):
        raise QueryError(
            f"{len(lists)} of {len(question)} terms are lists; give words, or a list per query"
        )
    return lists or None


def terms(positive: Query | None, negative: Query | None) -> list[tuple[Key, float]]:
    """List what is asked for with its weights: 1 if positive, -1 if negative, or as given.

    Raises
    ------
    QueryError
        If nothing is asked for, or something is neither a word nor a vector.
    """
    together = [_term(each, 1.0) for each in _listed(positive)]
    together += [_term(each, -1.0) for each in _listed(negative)]
    if not together:
        raise QueryError("the query is empty; give at least one word")
    return together


def _listed(question: Query | None) -> Sequence[Term]:
    """Put a single word or vector into a list; the rows of a matrix are vectors."""
    if question is None:
        return []
    if isinstance(question, str | list | tuple | np.ndarray):
        return keys_of(question)
    raise QueryError(f"{kind_of(question)} is no query; give a word, a vector or a list of them")


def as_words(question: Any) -> Any:
    """Return an array of words, of whatever numpy type, as the list of them; all else as it is."""
    return question.tolist() if _holds_words(question) else question


def _holds_words(question: object) -> bool:
    return isinstance(question, np.ndarray) and question.dtype.kind in "UTO"


def keys_of(words: Any) -> list[Any]:
    """List words or vectors: a single one is itself the list, never its letters or numbers.

    Raises
    ------
    QueryError
        If it is neither a word nor a vector nor several.
    """
    words = as_words(words)
    if isinstance(words, str) or (isinstance(words, np.ndarray) and words.ndim < 2):
        return [words]
    if not isinstance(words, Iterable):
        raise QueryError(f"{kind_of(words)} is neither a word nor a vector; give these, or a list")
    return list(words)


def _term(term: Term, weight: float) -> tuple[Key, float]:
    """Take a key and its weight apart."""
    if isinstance(term, tuple):
        try:
            key, weight = term
            weight = float(weight)
        except (TypeError, ValueError):
            raise QueryError(
                f"{shown(term)} is no pair of a word and its weight; give one"
            ) from None
    else:
        key = term
    if not isinstance(key, str | np.ndarray):
        raise QueryError(f"{kind_of(key)} is neither a word nor a vector; give one of these")
    if not np.isfinite(weight):
        raise QueryError(f"the weight {weight} is not finite; give a finite number")
    return key, weight


def kind_of(thing: object) -> str:
    """Name what somebody gave by its type and value."""
    return f"{type(thing).__name__} {shown(thing)}"


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number of `least` or more.

    Raises
    ------
    QueryError
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:  # type: ignore[operator]  # a whole number by now
        raise QueryError(f"{name} is {shown(value)}, but must be a whole number of {least} or more")
