"""What compiled code does to text and words, between str and arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.text.alphabet import Alphabet, Rule
from cbow.text.kernels import CHUNK_BYTES, FULL, LINE_END_CHUNK, Words, cut, number, pack, spread
from cbow.text.numbering import Numbering, utf8

#: Chunks of words and line ends, as `cbow.text.kernels` has them.
Row = npt.NDArray[np.int64]

# Slots of a table at first; their number doubles whenever half are taken.
_SLOTS: Final = 2**12

# Ends a word among bytes; UTF-8 has no such byte.
_WORD_END: Final = b"\xff"


def as_bytes(text: str, rule: Rule) -> bytes:
    r"""Write a text as UTF-8, and a ``\n`` more; words without a place in tables, as they are read.

    Raises
    ------
    CorpusError
        If a word holds half of a character.
    """
    text += "\n"
    if _has_special(text, rule):
        lines = text.split("\n")
        text = "\n".join(_plain(line, rule) if _has_special(line, rule) else line for line in lines)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # no harm, unless in a word
        for line in text.split("\n"):
            for word in rule.tokenizer(line):
                utf8(word)
        return text.encode("utf-8", "surrogatepass")


def _has_special(text: str, rule: Rule) -> bool:
    return any(c in text for c in rule.special)


def _plain(line: str, rule: Rule) -> str:
    """Put in place of each stretch between blanks that has a special character its words.

    The words of the line stay the same: a word has itself for its only word, and no blank lets the
    lower case of a character depend on what is behind it.
    """
    parts, done = [], 0
    for found in re.finditer(f"[{rule.special}]", line):
        start = max(done, line.rfind(" ", done, found.start()))
        end = line.find(" ", found.end())  # done, if this stretch has had one before
        end = len(line) if end < 0 else end
        parts += [line[done:start], *rule.tokenizer(line[start:end])]
        done = end
    return " ".join([*parts, line[done:]])


def row_of_text(data: bytes, alphabet: Alphabet) -> Row:
    """Cut a text, which `as_bytes` wrote, into words."""
    text = np.frombuffer(data, np.uint8)
    chunks = np.empty(len(text), np.int64)
    return chunks[: cut(text, alphabet, chunks)].copy()


def row_of_tokens(tokens: Sequence[str], ends: Sequence[int]) -> Row:
    """Write tokens as a row, and line ends behind so many of them as `ends` has it.

    Raises
    ------
    CorpusError
        If a token holds half of a character.
    """
    data = [utf8(token) for token in tokens]
    sizes = np.array([len(word) for word in data], np.int64)  # (tokens,)
    text = np.frombuffer(b"".join(data), np.uint8)
    chunks = np.empty(len(text) + len(data), np.int64)
    row = chunks[: pack(text, np.cumsum(sizes), chunks)]
    places = np.concatenate([[0], np.cumsum(1 + sizes // CHUNK_BYTES)])  # (tokens + 1,)
    return np.insert(row, places[np.array(ends, np.int64)], LINE_END_CHUNK)


class WordTable:
    """Numbers words as `TokenNumbering` does, and goes on where one left off.

    Parameters
    ----------
    begun : Numbering
        Its words keep their numbers and counts.
    slots : int
        Slots of the table at first, a power of two.
    """

    def __init__(self, begun: Numbering, slots: int = _SLOTS) -> None:
        self._distinct = 0
        self._words = Words(
            slots=np.zeros((slots, 2), np.int64),
            chunks=np.empty(0, np.int64),
            starts=np.zeros(slots // 2 + 1, np.int64),
            counts=np.zeros(slots // 2, np.int64),
        )
        counts = begun.counts()
        self.number(row_of_tokens(begun.words(np.arange(len(counts))), []))
        self._words.counts[: len(counts)] = counts

    def number(self, row: Row) -> npt.NDArray[np.int32]:
        """Return the numbers of the words of a row, and count them.

        Returns
        -------
        ndarray of int32, shape (words + line ends,)
            Their numbers, with LINE_END where a line ends.
        """
        numbers = np.empty(len(row), np.int32)
        self._make_room(len(row))
        place = written = 0
        while True:
            place, self._distinct, more = number(
                row, place, self._words, self._distinct, numbers[written:]
            )
            written += more
            if place == len(row):
                return numbers[:written]
            self._double()

    def _make_room(self, size: int) -> None:
        """Make room for so many chunks more."""
        used = self._words.starts[self._distinct]
        if len(self._words.chunks) < used + size:
            chunks = np.empty(2 * used + size, np.int64)
            chunks[:used] = self._words.chunks[:used]
            self._words = self._words._replace(chunks=chunks)

    def _double(self) -> None:
        """Make the table twice as large."""
        slots, chunks, starts, counts = self._words
        free = np.zeros(len(counts), np.int64)
        self._words = Words(
            np.zeros((2 * len(slots), 2), np.int64),
            chunks,
            np.concatenate([starts, free]),
            np.concatenate([counts, free]),
        )
        spread(self._words, self._distinct)

    def counts(self) -> npt.NDArray[np.int64]:
        """Return how often each word occurred, int64 (distinct words,)."""
        return self._words.counts[: self._distinct]

    def words(self, numbers: npt.NDArray[np.int64]) -> list[str]:
        """Return the words of some numbers, which rise."""
        starts = self._words.starts[: self._distinct + 1]
        wanted = np.zeros(self._distinct, bool)
        wanted[numbers] = True
        chunks = self._words.chunks[: starts[-1]]
        chunks = chunks[np.repeat(wanted, np.diff(starts))]  # (chunks of the wanted words,)
        # The last chunk of a word is not full: there is space for a mark.
        is_last = chunks < FULL
        chunks[is_last] = chunks[is_last] << 8 | _WORD_END[0]
        columns = chunks.astype(">i8").view(np.uint8).reshape(-1, 1 + CHUNK_BYTES)
        behind_one = np.logical_or.accumulate(columns[:, :-1] != 0, axis=1)  # (chunks, 7)
        data = columns[:, 1:][behind_one].tobytes()
        return [word.decode("utf-8") for word in data.split(_WORD_END)[:-1]]
