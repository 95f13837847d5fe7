"""Every distinct word gets a number when it is first seen: readable code, with a dict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from cbow.errors import CorpusError, shown

#: The number of the empty string, which a tokenizer may return but which is no word.
EMPTY: Final = 0

#: Stands among the numbers where a line ends. As an index it means the last place of a table.
LINE_END: Final = -1


class Numbering(Protocol):
    """Knows the distinct words by their numbers, the empty string among them."""

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how often each occurred, int64 (distinct words,)."""
        ...

    def words(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Return the words of some numbers, which rise."""
        ...


class _Numbers(dict[str, int]):
    """Gives each word the next free number when it is first asked for."""

    def __missing__(self, word: str) -> int:
        utf8(word)
        number = self[word] = len(self)
        return number


class TokenNumbering:
    """Numbers the tokens of lines."""

    def __init__(self) -> None:
        self._numbers = _Numbers({"": EMPTY})
        self._counts = np.zeros(2**10, np.int64)  # longer than the words are many

    def number(self, tokens: Sequence[str], ends: Sequence[int]) -> npt.NDArray[np.int32]:
        """Return the numbers of tokens, and count them.

        Parameters
        ----------
        tokens : sequence of str
            Tokens of any number of lines.
        ends : sequence of int
            For each line end, how many of the tokens come before it.

        Returns
        -------
        ndarray of int32, shape (tokens + line ends,)
            Their numbers, with LINE_END where a line ends.

        Raises
        ------
        CorpusError
            If a token cannot be written as UTF-8.
        """
        numbers = np.fromiter(
            map(self._numbers.__getitem__, tokens), np.int32, len(tokens)
        )  # (tokens,)
        distinct = len(self._numbers)
        if distinct > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros(distinct, np.int64)])
        np.add.at(self._counts, numbers, 1)
        return np.insert(numbers, np.array(ends, np.int64), LINE_END)

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how often each word occurred, int64 (distinct words,)."""
        return self._counts[: len(self._numbers)]

    def words(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Return the words of some numbers."""
        words = list(self._numbers)
        return [words[number] for number in numbers.tolist()]


def utf8(word: str) -> bytes:
    """Write a word as UTF-8; raise `CorpusError` if it holds half of a character."""
    try:
        return word.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"the word {shown(word)} holds {word[error.start]!r}, half of a character, which "
            "cannot be written as UTF-8; repair the text it comes from"
        ) from None
