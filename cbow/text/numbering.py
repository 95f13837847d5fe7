"""From pieces of a corpus to the numbers of its words, by readable or by compiled code.

Every distinct word gets the next free number when it is first seen. Which words are frequent, and
so belong to the vocabulary, is known only at the end of the text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from cbow.errors import CorpusError, shown
from cbow.system.threads import in_order, processors
from cbow.text.tokenizers import FOLLOWED, LineTokenizer, Rule, rule_of

#: The number of the empty string, which a tokenizer may return but which is no word.
EMPTY: Final = 0

#: Stands among the numbers where a line ends. As an index it means the last place of a table.
LINE_END: Final = -1

#: Characters of text up to which readable code is faster: to load compiled code takes a while.
FEW: Final = 2**19

PORTION: Final = 2**17  # characters that compiled code gets at a time

#: The numbers of words, and LINE_END where a line ends.
Numbers = npt.NDArray[np.int32]

Job = TypeVar("Job")
Half = TypeVar("Half")
Result = TypeVar("Result")


class Lines(NamedTuple):
    """Tokens of some lines, end to end: a list for each line keeps the garbage collector busy.

    Tokens after the last line end belong to a line that the next piece goes on with.
    """

    tokens: list[str]
    ends: list[int]  #: for each line end, how many of the tokens come before it

    def end_line(self) -> None:
        """End a line here."""
        self.ends.append(len(self.tokens))


Piece = str | Lines
r"""A piece of text, whose lines end in ``\n``, or lines that are tokens already."""


class Numbering(Protocol):
    """Knows the distinct words by their numbers, the empty string among them."""

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how often each occurred, int64 (distinct words,); it may be changed in place."""

    def words(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Return the words of some numbers, which rise."""

    def add(self, words: Sequence[str]) -> Numbers:
        """Return the numbers of words, new ones of those that are new, and count each once."""


class _Numbers(dict[str, int]):
    """Gives each word the next free number when it is first looked up."""

    def __missing__(self, word: str) -> int:
        utf8(word)
        number = self[word] = len(self)
        return number


class TokenNumbering:
    """Numbers the tokens of lines with a dict: the readable code."""

    def __init__(self) -> None:
        self._numbers = _Numbers({"": EMPTY})
        self._counts = np.zeros(2**10, np.int64)  # longer than the words are many

    def number(self, tokens: Sequence[str], ends: Sequence[int]) -> Numbers:
        """Return the numbers of the tokens of `Lines`, and count them."""
        numbers = np.fromiter(
            map(self._numbers.__getitem__, tokens), np.int32, len(tokens)
        )  # (tokens,)
        distinct = len(self._numbers)
        if distinct > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros(distinct, np.int64)])
        np.add.at(self._counts, numbers, 1)
        return np.insert(numbers, np.array(ends, np.int64), LINE_END)  # (tokens + line ends,)

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how often each word occurred, int64 (distinct words,)."""
        return self._counts[: len(self._numbers)]

    def words(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Return the words of some numbers."""
        words = list(self._numbers)
        return [words[number] for number in numbers.tolist()]

    def add(self, words: Sequence[str]) -> Numbers:
        """Return the numbers of words, new ones of those that are new, and count each once."""
        return self.number(words, [])


def utf8(word: str) -> bytes:
    """Return a word as UTF-8; raise `CorpusError` if it holds half of a character."""
    try:
        return word.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"the word {shown(word)} holds {word[error.start]!r}, half of a character, which "
            "cannot be written as UTF-8; repair the text it comes from"
        ) from None


class Numberer:
    """Numbers the words of a corpus, piece by piece.

    Once there is more than a little text, compiled code takes the place of readable code, if it can
    follow the tokenizer. The numbers are the same.

    Parameters
    ----------
    tokenizer : callable
        Cuts lines into tokens.
    threads : int or None
        How many threads compiled code may use; None for one per processor.
    """

    numbering: Numbering  #: knows the words so far

    def __init__(self, tokenizer: LineTokenizer, threads: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._threads = threads or processors()
        self._tokens = self.numbering = TokenNumbering()

    def number(self, pieces: Iterable[tuple[Piece, int]]) -> Iterator[tuple[Numbers, int]]:
        """Yield the numbers of pieces, large ones in parts, with the int that came with a piece."""
        pieces = iter(pieces)
        characters = 0
        for piece, mark in pieces:
            if isinstance(piece, str):
                characters += len(piece)
                if characters > FEW and self._tokenizer in FOLLOWED:
                    from cbow.text import kernels

                    if kernels.COMPILED:  # as Python they would be slow
                        rest = itertools.chain([(piece, mark)], pieces)
                        yield from self._compiled(rest, rule_of(self._tokenizer))
                        return
                *lines, rest_of_line = piece.split("\n")
                piece = Lines([], [])
                for line in lines:
                    piece.tokens.extend(self._tokenizer(line) if line else ())
                    piece.end_line()
                piece.tokens.extend(self._tokenizer(rest_of_line) if rest_of_line else ())
            yield self._tokens.number(*piece), mark

    def _compiled(
        self, pieces: Iterable[tuple[Piece, int]], rule: Rule
    ) -> Iterator[tuple[Numbers, int]]:
        """Yield the numbers of pieces by compiled code."""
        from cbow.text.kernels import Row, WordTable, as_bytes, row_of_text, row_of_tokens

        self.numbering = table = WordTable(self._tokens)

        def parts() -> Iterator[tuple[bytes | Lines, int]]:
            """Yield what each call of a kernel gets."""
            for piece, mark in pieces:
                if isinstance(piece, str):
                    for portion in portions(piece, PORTION):
                        yield as_bytes(portion, rule), mark
                else:
                    yield piece, mark

        def cut(part: tuple[bytes | Lines, int]) -> tuple[Row, int]:
            """Find the words, in any thread."""
            text, mark = part
            if isinstance(text, bytes):
                return row_of_text(text, rule.alphabet), mark
            return row_of_tokens(*text), mark

        def number(cut: tuple[Row, int]) -> tuple[Numbers, int]:
            """Return their numbers, part after part."""
            row, mark = cut
            return table.number(row), mark

        return in_order(cut, parts(), self._threads, then=number, ahead=2)


def portions(text: str, size: int) -> Iterator[str]:
    r"""Cut a text behind blanks and ``\n`` into portions of `size` characters or less.

    A stretch longer than that is in one portion with all that follows.
    """
    start = 0
    while len(text) - start > size:
        stop = start + size
        end = 1 + max(text.rfind("\n", start, stop), text.rfind(" ", start, stop))
        if not end:
            break
        yield text[start:end]
        start = end
    yield text[start:]
