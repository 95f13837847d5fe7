"""What became of every token of a text, so that nothing is left out in silence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from cbow.errors import CorpusError


@dataclass(frozen=True)
class TokenAccount:
    """Count of tokens read and of what was done with them.

    Attributes
    ----------
    lines : int
        Lines of text read, blank ones included.
    read : int
        Tokens the tokenizer returned: ``read == kept + rare + beyond + empty + stop``.
    kept : int
        Tokens in the encoded corpus.
    rare : int
        Tokens of words that occur fewer than ``min_count`` times.
    beyond : int
        Tokens of words frequent enough, but outside the ``max_vocabulary`` most frequent.
    empty : int
        Empty strings the tokenizer returned.
    replaced : int
        Times U+FFFD was put in place of bytes that are no text (``errors="replace"``).
    cut : int
        Stretches without white space that were longer than a piece of reading and so were cut.
    skipped_files : int
        Files of a folder that were not read because their names do not end in ``.txt``.
    stop : int
        Tokens of words that are left out as ``stop_words``, and not rare.
    absent : int
        Words of ``keep_words`` that the text does not have.
    fieldless : int
        Rows without a text in the ``field``, which were not read.

    Raises
    ------
    CorpusError
        If a number is negative or the sum does not come out.

    Examples
    --------
    >>> account = TokenAccount(lines=2, read=10, kept=7, rare=3)
    >>> for sentence in account.sentences():
    ...     print(sentence)
    2 lines, 10 tokens read, 7 kept
    3 tokens left out: their words occur fewer than min_count times
    """

    lines: int = 0
    read: int = 0
    kept: int = 0
    rare: int = 0
    beyond: int = 0
    empty: int = 0
    replaced: int = 0
    cut: int = 0
    skipped_files: int = 0
    stop: int = 0
    absent: int = 0
    fieldless: int = 0

    def __post_init__(self) -> None:
        if min(self.to_dict().values()) < 0:
            raise CorpusError(f"{self!r} holds a negative number; give numbers of 0 or more")
        if self.read != self.kept + self.rare + self.beyond + self.empty + self.stop:
            raise CorpusError(
                f"{self!r} does not add up; read must equal kept + rare + beyond + empty + stop"
            )

    def to_dict(self) -> dict[str, int]:
        """Return the numbers by name, ready for JSON."""
        return dataclasses.asdict(self)

    def sentences(self) -> list[str]:
        """Say the account in lines to print; what did not happen is left out."""
        first = f"{_many(self.lines, 'line')}, {_many(self.read, 'token')} read, {self.kept:,} kept"
        others = [
            (self.rare, "token", "left out: their words occur fewer than min_count times"),
            (self.beyond, "token", "left out: their words are beyond max_vocabulary"),
            (self.empty, "token", "left out: the tokenizer returned empty strings"),
            (self.stop, "token", "left out: their words are among stop_words"),
            (self.absent, "word", "of keep_words not found in the text"),
            (self.fieldless, "row", "not read: the field is not there, or holds no text"),
            (self.replaced, "replacement", "made: bytes that are no text became U+FFFD"),
            (self.cut, "stretch", "of text without white space cut: too long to read whole"),
            (self.skipped_files, "file", "of the folder not read: the name does not end in .txt"),
        ]
        return [first] + [f"{_many(n, noun)} {what}" for n, noun, what in others if n]


def _many(number: int, noun: str) -> str:
    """Write a number with its noun, in the plural where it must be."""
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{number:,} {noun if number == 1 else plural}"
