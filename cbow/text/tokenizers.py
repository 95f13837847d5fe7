r"""From a line of text to its words.

A word of the tokenizer ``"word"`` begins with a letter or digit, and what attaches belongs to what
stands before it, as Unicode's rules for word boundaries (UAX 29) have it::

    L [L M]* ( Z+ [L M]+  |  Z* ' [M Z]* L [L M]* )*

in the text made lower case, with the apostrophe ’ (U+2019) written as ' and without F:

    L   letters and digits, \p{L} and \p{N}
    M   marks, \p{M}, among them the vowel signs of Hindi and its kin and the variation selectors
        of emoji; and the Hangul fillers, letters that cannot be seen
    Z   joiners that cannot be seen: U+180E, U+200C and U+200D, with which Mongolian, Persian and
        Sinhala spell; at the end of a word they are left out
    F   format characters, such as the soft hyphen, the word joiner, U+FEFF, marks of direction

All else separates. So a mark behind an emoji, a sign or a blank belongs to that, and to no word.

Compiled code follows the same rules with the help of tables, one entry for each of the 0x110000
code points. `rule_of` makes them by asking the readable rules, so they hold what Python and the
`regex` library know, and nothing else.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from cbow.config import NORMAL_FORMS, Config
from cbow.errors import ConfigError, CorpusError, shown

#: Cuts one line of text into words.
Tokenizer = Callable[[str], Iterable[str]]

LineTokenizer = Callable[[str], list[str]]

_APOSTROPHE: Final = "’"  # is written '

# Stands at the start of some files, and of a line where such a file was appended to another.
_BYTE_ORDER_MARK: Final = "\ufeff"
_MARKS: Final = re.compile(f"(?<=\n){_BYTE_ORDER_MARK}+")

_JOINERS: Final = "\u180e\u200c\u200d"  # Z of the rule

# The Arabic signs of the last line can be seen, and the zero width space separates.
_FILLERS: Final = r"\u115F\u1160\u3164\uFFA0"
_OTHERS: Final = r"\u200B\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\U000110BD\U000110CD"

# One character of each class of the rule, as the regex library writes it.
_L: Final = rf"[[\p{{L}}\p{{N}}]--[{_FILLERS}]]"
_M: Final = rf"[\p{{M}}{_FILLERS}]"
_F: Final = rf"[[\p{{Cf}}]--[{_JOINERS}{_OTHERS}]]"

# Of regex and re, regex: it knows \p{M}, and re with a class built from unicodedata took three
# times as long on 10 MB of English (3.3 s and 1.0 s).
_RUN: Final = r"[\p{L}\p{M}\p{N}]"  # L or M, in a form that is faster
_WORD: Final = regex.compile(
    f"(?V1){_L}{_RUN}*(?:[{_JOINERS}]+{_RUN}+|[{_JOINERS}]*'[{_M}{_JOINERS}]*{_L}{_RUN}*)*"
)
_FORMATS: Final = regex.compile(f"(?V1){_F}+")

# Turns all of ASCII but letters, digits and ' into white space.
_ASCII: Final = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "'")}


def words(line: str) -> list[str]:
    """Return the words of a line, as the head of this module defines them.

    Examples
    --------
    >>> words("The KING’S men -- 'twas 1066!")
    ['the', "king's", 'men', 'twas', '1066']
    """
    return cased_words(line.lower())  # which changes no apostrophe


def cased_words(line: str) -> list[str]:
    """Return the words of a line as `words` does, but with their capital letters.

    Examples
    --------
    >>> cased_words("The KING’S men")
    ['The', "KING'S", 'men']
    """
    line = line.replace(_APOSTROPHE, "'")
    if not line.isascii():
        return _WORD.findall(_without_formats(line))  # type: ignore[no-any-return]  # no types
    line = line.translate(_ASCII)  # finds the same words in a quarter of the time
    if "'" in line:  # one stays where it stands alone between two words
        line = f" {line} ".replace("''", "  ").replace(" '", "  ").replace("' ", "  ")
    return line.split()


def _without_formats(text: str) -> str:
    return text if text.isprintable() else _FORMATS.sub("", text)  # format characters are not


def normalised(text: str, form: str, tokenizer: LineTokenizer | None = None) -> str:
    """Return a text, or a word, in a normal form, such that the words of the text are in it too.

    What `words` and `cased_words` change, if one of them will cut the text, is changed here first,
    for it may make neighbours that compose: H̱ has no character of its own, but ẖ has one.
    """
    if form == "none" or text.isascii():
        return text
    name: Any = form.upper()
    text = unicodedata.normalize(name, text)
    if tokenizer in (words, cased_words):
        text = _without_formats(text.lower() if tokenizer is words else text)
        text = unicodedata.normalize(name, text)
    return text


def line_tokenizer(tokenizer: str | Tokenizer, keep_case: bool = False) -> LineTokenizer:
    """Return the tokenizer of a name, or a callable wrapped so that its results are checked.

    Raises
    ------
    ConfigError
        If there is no tokenizer of that name.
    """
    if callable(tokenizer):
        return functools.partial(_checked, tokenizer)
    if tokenizer == "word":
        return cased_words if keep_case else words
    if tokenizer == "whitespace":
        return str.split
    if tokenizer == "nltk":  # after the Penn Treebank; it keeps the case and needs no download
        from nltk.tokenize.destructive import NLTKWordTokenizer

        return NLTKWordTokenizer().tokenize  # type: ignore[no-any-return]
    if tokenizer == "custom":
        raise ConfigError(
            "tokenizer 'custom' stands for a function of yours; pass the function as tokenizer"
        )
    raise ConfigError(
        f"tokenizer is {shown(tokenizer)}, but must be 'word', 'whitespace', 'nltk' or a function"
    )


def tokenize(
    text: str,
    tokenizer: str | Tokenizer = Config.tokenizer,
    *,
    keep_case: bool = Config.keep_case,
    normalise: str = Config.normalise,
) -> list[str]:
    r"""Cut a text into words, line by line.

    Parameters
    ----------
    text : str
        Any text; its lines end in ``\n``, ``\r\n`` or ``\r``.
    tokenizer : {"word", "whitespace", "nltk"} or callable
        A callable takes a line and returns an iterable of str.
    keep_case : bool
        Whether "word" leaves capital letters as they are; the others do.
    normalise : {"none", "nfc", "nfkc"}
        Unicode's normal form to bring the text into first.

    Returns
    -------
    list of str
        The words of all lines, in order.

    Raises
    ------
    ConfigError
        If there is no tokenizer or normal form of that name.
    CorpusError
        If `text` is no str, or a callable returns anything but an iterable of str.

    Examples
    --------
    >>> tokenize("Long ago, in a kingdom;\nlong, long ago")
    ['long', 'ago', 'in', 'a', 'kingdom', 'long', 'long', 'ago']
    >>> tokenize("Long ago,", "whitespace")
    ['Long', 'ago,']
    """
    if not isinstance(text, str):
        raise CorpusError(f"the text is of type {type(text).__name__}; give a str")
    cut = line_tokenizer(tokenizer, keep_case)
    if normalise not in NORMAL_FORMS:
        raise ConfigError(
            f"normalise is {shown(normalise)}, but must be one of {', '.join(NORMAL_FORMS)}"
        )
    return [word for line in split_lines(normalised(text, normalise, cut)) for word in cut(line)]


def split_lines(text: str) -> list[str]:
    r"""Cut a text at ``\n``, ``\r\n`` and ``\r`` (str.splitlines cuts at eight others besides)."""
    return unify_line_ends(text).split("\n")


def unify_line_ends(text: str) -> str:
    r"""Return the text with every line end as ``\n``, and no byte order mark at a line start."""
    return without_marks(text.replace("\r\n", "\n").replace("\r", "\n"))


def without_marks(text: str, before: str = "\n") -> str:
    """Return the text, which follows `before`, without byte order marks at the starts of lines."""
    if _BYTE_ORDER_MARK not in text:
        return text
    return _MARKS.sub("", before + text)[len(before) :]


def _checked(tokenizer: Tokenizer, line: str) -> list[str]:
    """Call a tokenizer of the user's, and check what it returns."""
    returned = tokenizer(line)
    if isinstance(returned, str | bytes) or not isinstance(returned, Iterable):
        raise CorpusError(
            f"the tokenizer returned {type(returned).__name__} for a line; return a list of str"
        )
    tokens = list(returned)
    for token in tokens:
        if not isinstance(token, str):
            raise CorpusError(
                f"the tokenizer returned a token of type {type(token).__name__} for a line; "
                "return a list of str"
            )
    return tokens


#: What a character is to a tokenizer: L, M, Z and F of the rule above, and the apostrophe.
SEPARATOR: Final = 0
LETTER: Final = 1
MARK: Final = 2
JOINER: Final = 3
FORMAT: Final = 4
QUOTE: Final = 5

#: Bits of a table's entry that hold the kind.
KIND_BITS: Final = 3

#: The tokenizers that compiled code can follow.
FOLLOWED: Final[tuple[LineTokenizer, ...]] = (words, cased_words, str.split)

_CODES: Final = sys.maxunicode + 1
_PAGE: Final = 2**12  # code points looked at together
_HALVES: Final = "surrogatepass"  # half a character is a code point, too

# The only letter whose lower case depends on its neighbours: ς at the end of a word, σ elsewhere.
_SIGMA: Final = "Σ"


class Alphabet(NamedTuple):
    """The characters as a tokenizer sees them; read-only."""

    #: (256,), what to write for a byte that is a letter by itself; 0 for other bytes
    plain: npt.NDArray[np.uint8]
    #: (0x110000,), for each code point ``written << 3 | kind``: the code point to write, its kind
    characters: npt.NDArray[np.int32]


class Rule(NamedTuple):
    """A tokenizer that compiled code can follow."""

    alphabet: Alphabet
    #: Characters that no table can hold, since their lower case is not one character, always the
    #: same. A stretch between blanks that has one is left to the readable rule.
    special: str
    tokenizer: LineTokenizer  #: the readable rule


def rule_of(tokenizer: LineTokenizer) -> Rule:
    """Make the tables of one of the `FOLLOWED`, page by page."""
    runs: dict[int, Any] = {LETTER: re.compile(r"\S+")}
    any_kind: Any = runs[LETTER]  # most pages hold only separators, as one search tells
    if tokenizer is not str.split:
        kinds = {LETTER: _L, MARK: _M, FORMAT: _F}
        runs = {kind: regex.compile(f"(?V1){one}+") for kind, one in kinds.items()}
        any_kind = regex.compile(r"[\p{L}\p{M}\p{N}\p{Cf}]")
    characters, special = np.empty(_CODES, np.int32), ""
    for start in range(0, _CODES, _PAGE):
        text = np.arange(start, start + _PAGE, dtype="<u4").tobytes().decode("utf-32-le", _HALVES)
        if tokenizer is words:
            text, irregular = _lower(text)
            special += irregular
        page = characters[start : start + _PAGE]
        page[:] = np.frombuffer(text.encode("utf-32-le", _HALVES), "<u4")
        page <<= KIND_BITS
        for kind, run in runs.items() if any_kind.search(text) else ():
            for match in run.finditer(text):
                page[match.start() : match.end()] |= kind
    if tokenizer is not str.split:
        characters[list(map(ord, _JOINERS))] |= JOINER
        characters[ord("'")] |= QUOTE
        characters[ord(_APOSTROPHE)] = characters[ord("'")]
    plain = np.zeros(256, np.uint8)
    is_letter = characters[:128] & (1 << KIND_BITS) - 1 == LETTER
    plain[:128] = np.where(is_letter, characters[:128] >> KIND_BITS, 0)
    plain.flags.writeable = characters.flags.writeable = False
    return Rule(Alphabet(plain, characters), special, tokenizer)


def _lower(text: str) -> tuple[str, str]:
    """Make distinct characters lower case, except for special ones; return those, too."""
    lower = text.lower()
    if len(lower) == len(text) and _SIGMA not in text:
        return lower, ""
    special = "".join(c for c in text if len(c.lower()) != 1 or c == _SIGMA)
    return "".join(c if c in special else c.lower() for c in text), special
