r"""Compiled code: from the UTF-8 bytes of a text to the numbers of its words.

In between, a text is a row of int64 numbers, its *chunks*. A chunk holds up to seven bytes behind a
leading 1. A word is as many full chunks as it fills and one that is not full: where a word ends can
be seen, and most words are one chunk. A line end is the chunk 0::

    the king<LF>magnificently
    1 74 68 65 | 1 6b 69 6e 67 | 0 | 1 6d 61 67 6e 69 66 69 | 1 63 65 6e 74 6c 79      (hexadecimal)

A word is what `cbow.text.tokenizers` says. What each character is, and what is written for it,
stands in an `Alphabet`.

No number reaches 2^63, so that without the compiler this is Python that does the same. Below the
kernels stands what takes text and words to them and back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.system.compiled import JIT_DISABLED, compiled
from cbow.text.numbering import LINE_END, Numbering, Numbers, utf8
from cbow.text.tokenizers import (
    FORMAT,
    KIND_BITS,
    LETTER,
    MARK,
    QUOTE,
    SEPARATOR,
    Alphabet,
    Rule,
)

#: Whether there is a compiler: NUMBA_DISABLE_JIT=1 switches it off.
COMPILED: Final = not JIT_DISABLED

CHUNK_BYTES: Final = 7  # in a full chunk
NO_BYTES: Final = 1  # a word ends here that fills its other chunks, or that is empty
LINE_END_CHUNK: Final = 0
FULL: Final = NO_BYTES << 8 * CHUNK_BYTES  # a chunk is full if it is no smaller

_KINDS = (1 << KIND_BITS) - 1
_NEWLINE = ord("\n")

# Slots of a table at first; their number doubles whenever half are taken.
_SLOTS: Final = 2**12

# Ends a word among bytes; UTF-8 has no such byte.
_WORD_END: Final = b"\xff"

#: Chunks of words and line ends.
Row = npt.NDArray[np.int64]


class Words(NamedTuple):
    """Distinct words, numbered by first appearance, in a hash table with linear probing.

    A hash only says where to look; two words are the same if all their chunks are.
    """

    # (a power of two, 2): first chunk of a word and its number, or zeros; half or more are free
    slots: npt.NDArray[np.int64]
    chunks: npt.NDArray[np.int64]  #: the words end to end
    starts: npt.NDArray[np.int64]  #: (slots / 2 + 1,), where in `chunks` each begins, and the next
    counts: npt.NDArray[np.int64]  #: (slots / 2,), how often each occurred


@compiled
def _push(chunks: Any, end: Any, chunk: Any, byte: Any) -> Any:
    """Add a byte to the chunk that is to stand at `end`; return the next such place and chunk."""
    chunk = chunk << 8 | byte
    if chunk >= FULL:
        chunks[end] = chunk
        return end + 1, np.int64(NO_BYTES)
    return end, chunk


@compiled
def _push_character(chunks: Any, end: Any, chunk: Any, c: Any) -> Any:
    """Add the UTF-8 bytes of code point c."""
    if c < 0x80:
        return _push(chunks, end, chunk, c)
    if c < 0x800:
        end, chunk = _push(chunks, end, chunk, 0xC0 | c >> 6)
    else:
        if c < 0x10000:
            end, chunk = _push(chunks, end, chunk, 0xE0 | c >> 12)
        else:
            end, chunk = _push(chunks, end, chunk, 0xF0 | c >> 18)
            end, chunk = _push(chunks, end, chunk, 0x80 | c >> 12 & 0x3F)
        end, chunk = _push(chunks, end, chunk, 0x80 | c >> 6 & 0x3F)
    return _push(chunks, end, chunk, 0x80 | c & 0x3F)


@compiled
def _character(text: Any, i: Any) -> Any:
    """Read the code point at byte i of valid UTF-8; return it and the place behind it."""
    c = np.int64(text[i])
    if c < 0x80:
        return c, i + 1
    if c < 0xE0:
        behind, c = i + 2, c & 0x1F
    elif c < 0xF0:
        behind, c = i + 3, c & 0x0F
    else:
        behind, c = i + 4, c & 0x07
    for k in range(i + 1, behind):
        c = c << 6 | np.int64(text[k]) & 0x3F
    return c, behind


@compiled
def _continued(text: Any, i: Any, characters: Any) -> Any:
    """Find where a word with a joiner or apostrophe at byte i goes on; 0 if it ends there."""
    quoted = False
    while True:
        c, behind = _character(text, i)
        kind = characters[c] & _KINDS
        if kind == LETTER or (kind == MARK and not quoted):
            return i
        if kind == SEPARATOR or (kind == QUOTE and quoted):
            return 0
        quoted = quoted or kind == QUOTE
        i = behind


@compiled
def cut(text: Any, alphabet: Any, chunks: Any) -> Any:
    r"""Cut a text, valid UTF-8 that ends in ``\n``, into words; return how many chunks there are.

    `chunks`, at least as long as the text, receives the words and the line ends. The last ``\n``
    counts for none.
    """
    plain, characters = alphabet
    i = end = 0
    while True:
        begin, chunk = i, np.int64(NO_BYTES)
        goes_on = 0  # joiners, apostrophes and marks up to here belong to the word
        while True:
            byte = np.int64(plain[text[i]])
            while byte:  # most of the time is spent here
                end, chunk = _push(chunks, end, chunk, byte)
                i += 1
                byte = np.int64(plain[text[i]])
            c, behind = _character(text, i)
            kind = characters[c] & _KINDS
            if kind == SEPARATOR:
                break
            if kind != LETTER:
                if i == begin:  # belongs to what separates
                    begin = i = behind
                    continue
                if kind == FORMAT:
                    i = behind
                    continue
                if kind != MARK and i >= goes_on:
                    goes_on = _continued(text, i, characters)
                    if not goes_on:
                        break
            end, chunk = _push_character(chunks, end, chunk, np.int64(characters[c]) >> KIND_BITS)
            i = behind
        if i > begin:
            chunks[end] = chunk
            end += 1
        i = behind
        if c == _NEWLINE:
            if i == len(text):
                return end
            chunks[end] = LINE_END_CHUNK
            end += 1


@compiled
def pack(text: Any, ends: Any, chunks: Any) -> Any:
    """Write words, which lie end to end in `text`, as chunks; return how many there are.

    `ends` has where each word ends. `chunks` has room for as many as there are bytes and words.
    """
    i = place = 0
    for end in ends:
        chunk = np.int64(NO_BYTES)
        while i < end:
            place, chunk = _push(chunks, place, chunk, np.int64(text[i]))
            i += 1
        chunks[place] = chunk
        place += 1
    return place


@compiled
def _mixed(h: Any, chunk: Any) -> Any:
    """Mix a chunk into a hash below 2^31; the sum stays below 2^62."""
    mixed = h * 0x2545F491 + (chunk & 0xFFFFFFF) * 0x27D4EB2F + (chunk >> 28) * 0x165667B1
    return (mixed ^ mixed >> 31) & 0x7FFFFFFF


@compiled
def _same(a: Any, i: Any, b: Any, j: Any) -> Any:
    """Tell whether the word at place i of row a is the one at place j of row b."""
    while a[i] == b[j]:
        if a[i] < FULL:
            return True
        i += 1
        j += 1
    return False


@compiled
def number(row: Any, i: Any, words: Any, distinct: Any, numbers: Any) -> Any:
    """Find the numbers of the words of a row from place i on, and count them.

    `numbers` receives them, and LINE_END for line ends. There are `distinct` words so far, and
    there is room in their `chunks` for the row.

    Returns
    -------
    i, distinct, written : int
        Where to go on when there are more slots, or the length of the row if all is done; how many
        words there are; how many numbers.
    """
    slots, chunks, starts, counts = words
    written = 0
    while i < len(row):
        first = row[i]
        i += 1
        if first == LINE_END_CHUNK:
            numbers[written] = LINE_END
            written += 1
            continue
        h, behind = _mixed(0, first), i
        while row[behind - 1] >= FULL:
            h = _mixed(h, row[behind])
            behind += 1
        slot = h & len(slots) - 1
        while slots[slot, 0]:
            w = slots[slot, 1]
            if slots[slot, 0] == first and (first < FULL or _same(chunks, starts[w] + 1, row, i)):
                break
            slot = slot + 1 & len(slots) - 1
        else:
            if distinct == len(counts):
                return i - 1, distinct, written
            w = distinct
            slots[slot, 0] = first
            slots[slot, 1] = w
            end = starts[w]
            for k in range(i - 1, behind):
                chunks[end] = row[k]
                end += 1
            distinct += 1
            starts[distinct] = end
        counts[w] += 1
        numbers[written] = w
        written += 1
        i = behind
    return i, distinct, written


@compiled
def spread(words: Any, distinct: Any) -> Any:
    """Put all words into the slots, which are free."""
    slots, chunks, starts, _ = words
    for w in range(distinct):
        h = np.int64(0)
        for k in range(starts[w], starts[w + 1]):
            h = _mixed(h, chunks[k])
        slot = h & len(slots) - 1
        while slots[slot, 0]:
            slot = slot + 1 & len(slots) - 1
        slots[slot, 0] = chunks[starts[w]]
        slots[slot, 1] = w


def as_bytes(text: str, rule: Rule) -> bytes:
    r"""Return a text as UTF-8, and a ``\n`` more, in a form that the tables suffice for."""
    text += "\n"
    if any(c in text for c in rule.special):
        text = "\n".join(_plain(line, rule) for line in text.split("\n"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # no harm, unless in a word
        for line in text.split("\n"):
            for word in rule.tokenizer(line):
                utf8(word)
        return text.encode("utf-8", "surrogatepass")


def _plain(line: str, rule: Rule) -> str:
    """Replace each stretch between blanks that has a special character by its words.

    The words of the line stay the same: a word has itself for its only word, and no blank lets the
    lower case of a character depend on what is behind it.
    """
    parts, done = [], 0
    for special in re.finditer(f"[{rule.special}]", line):
        start = max(done, line.rfind(" ", done, special.start()))
        end = line.find(" ", special.end())  # done, if this stretch has had one before
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
    """Write the tokens and line ends of `Lines` as a row."""
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
        self.add(begun.words(np.arange(len(counts))))
        self._words.counts[: len(counts)] = counts

    def number(self, row: Row) -> Numbers:
        """Return the numbers of the words of a row, and count them."""
        numbers = np.empty(len(row), np.int32)
        used = self._words.starts[self._distinct]
        if len(self._words.chunks) < used + len(row):
            larger = np.empty(2 * used + len(row), np.int64)
            larger[:used] = self._words.chunks[:used]
            self._words = self._words._replace(chunks=larger)
        place = written = 0
        while True:
            place, self._distinct, more = number(
                row, place, self._words, self._distinct, numbers[written:]
            )
            written += more
            if place == len(row):
                return numbers[:written]
            slots, chunks, starts, counts = self._words
            free = np.zeros(len(counts), np.int64)
            self._words = Words(
                np.zeros((2 * len(slots), 2), np.int64),
                chunks,
                np.concatenate([starts, free]),
                np.concatenate([counts, free]),
            )
            spread(self._words, self._distinct)

    def add(self, words: Sequence[str]) -> Numbers:
        """Return the numbers of words, new ones of those that are new, and count each once."""
        return self.number(row_of_tokens(words, []))

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
