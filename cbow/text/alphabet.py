r"""What every character is to a tokenizer, as a table that compiled code can look into.

The tables are made by asking the readable rules of `cbow.text.tokenizers` about each of the
0x110000 code points, so they hold what Python and the `regex` library know, and nothing else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from cbow.text import tokenizers
from cbow.text.tokenizers import APOSTROPHE, JOINERS, LineTokenizer, cased_words, words

#: What a character is to a tokenizer: all but the first as `cbow.text.tokenizers` has it.
SEPARATOR: Final = 0
LETTER: Final = 1
MARK: Final = 2
JOINER: Final = 3
FORMAT: Final = 4
QUOTE: Final = 5  # the apostrophe

#: Bits of a table's entry that hold the kind.
KIND_BITS: Final = 3

_CODES: Final = sys.maxunicode + 1
_PAGE: Final = 2**12  # code points asked about at a time
_HALVES: Final = "surrogatepass"  # half a character is a code point, too

# The only letter whose lower case depends on others: ς at the end of a word and σ elsewhere.
_SIGMA: Final = "Σ"


class Alphabet(NamedTuple):
    """The characters as a tokenizer sees them; read-only.

    Attributes
    ----------
    plain : ndarray of uint8, shape (256,)
        What to write for a byte that is a letter by itself; 0 for other bytes.
    characters : ndarray of int32, shape (0x110000,)
        For each code point ``written << 3 | kind``: the code point to write, and its kind.
    """

    plain: npt.NDArray[np.uint8]
    characters: npt.NDArray[np.int32]


class Rule(NamedTuple):
    """A tokenizer that compiled code can follow.

    Attributes
    ----------
    alphabet : Alphabet
        Its characters.
    special : str
        Characters that no table can hold, since their lower case is not one character, always
        the same. A stretch between blanks that has one is left to `tokenizer`.
    tokenizer : callable
        The readable rule.
    """

    alphabet: Alphabet
    special: str
    tokenizer: LineTokenizer


def _word_rule(tokenizer: LineTokenizer, write: Callable[[str], tuple[str, str]]) -> Rule:
    """Return the rule of `words` or `cased_words`, which write characters as `write` does."""
    kinds = {
        LETTER: tokenizers.LETTER,
        MARK: tokenizers.MARK,
        FORMAT: tokenizers.FORMAT,
    }
    runs = {kind: regex.compile(f"(?V1){one}+") for kind, one in kinds.items()}
    characters, special = _characters(runs, write, regex.compile(r"[\p{L}\p{M}\p{N}\p{Cf}]"))
    for joiner in JOINERS:
        characters[ord(joiner)] |= JOINER
    characters[ord("'")] |= QUOTE
    characters[ord(APOSTROPHE)] = characters[ord("'")]
    return Rule(_alphabet(characters), special, tokenizer)


def _whitespace_rule() -> Rule:
    """Return the rule of `str.split`: all that is not white space, as it is."""
    characters, special = _characters({LETTER: re.compile(r"\S+")}, _as_it_is, re.compile(r"\S"))
    return Rule(_alphabet(characters), special, str.split)


def _characters(
    runs: Mapping[int, Any], write: Callable[[str], tuple[str, str]], any_kind: Any
) -> tuple[npt.NDArray[np.int32], str]:
    """Make the table of all characters, page by page, and name those it cannot hold.

    Pages without a match of `any_kind`, which are most, have nothing but separators.
    """
    entries, special = np.empty(_CODES, np.int32), ""
    for start in range(0, _CODES, _PAGE):
        text = np.arange(start, start + _PAGE, dtype="<u4").tobytes().decode("utf-32-le", _HALVES)
        written, found = write(text)
        special += found
        page = entries[start : start + _PAGE]
        page[:] = np.frombuffer(written.encode("utf-32-le", _HALVES), "<u4")
        page <<= KIND_BITS
        for kind, run in runs.items() if any_kind.search(written) else ():
            for match in run.finditer(written):
                page[match.start() : match.end()] |= kind
    return entries, special


def _as_it_is(text: str) -> tuple[str, str]:
    return text, ""


def _lower(text: str) -> tuple[str, str]:
    """Make distinct characters lower case, but for those that are special; name those."""
    lower = text.lower()
    if len(lower) == len(text) and _SIGMA not in text:
        return lower, ""
    special = "".join(c for c in text if len(c.lower()) != 1 or c == _SIGMA)
    return "".join(c if c in special else c.lower() for c in text), special


def _alphabet(characters: npt.NDArray[np.int32]) -> Alphabet:
    """Pick out of all characters those of one byte, and freeze both tables."""
    plain = np.zeros(256, np.uint8)
    ascii_ = characters[:128]
    kinds = ascii_ & (1 << KIND_BITS) - 1
    plain[:128] = np.where(kinds == LETTER, ascii_ >> KIND_BITS, 0)
    plain.flags.writeable = characters.flags.writeable = False
    return Alphabet(plain, characters)


#: How to make the rule of those tokenizers that compiled code can follow.
RULES: Final[dict[Any, Callable[[], Rule]]] = {
    words: lambda: _word_rule(words, _lower),
    cased_words: lambda: _word_rule(cased_words, _as_it_is),
    str.split: _whitespace_rule,
}
