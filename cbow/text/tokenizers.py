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
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final

import regex

from cbow.config import NORMAL_FORMS, Config
from cbow.errors import ConfigError, CorpusError, shown

#: Cuts one line of text into words.
Tokenizer = Callable[[str], Iterable[str]]

LineTokenizer = Callable[[str], list[str]]

#: Is written '.
APOSTROPHE: Final = "’"

#: Stands at the start of some files, and of a line where such a file was put behind another.
BYTE_ORDER_MARK: Final = "\ufeff"
_MARKS: Final = re.compile(f"(?<=\n){BYTE_ORDER_MARK}+")

#: Z of the rule.
JOINERS: Final = "\u180e\u200c\u200d"

# The Arabic signs of the last line can be seen, and the zero width space separates.
_FILLERS: Final = r"\u115F\u1160\u3164\uFFA0"
_OTHERS: Final = r"\u200B\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\U000110BD\U000110CD"

#: One character of each class of the rule, as the regex library writes it.
LETTER: Final = rf"[[\p{{L}}\p{{N}}]--[{_FILLERS}]]"
MARK: Final = rf"[\p{{M}}{_FILLERS}]"
FORMAT: Final = rf"[[\p{{Cf}}]--[{JOINERS}{_OTHERS}]]"

# Of regex and re, regex: it knows \p{M}, and re with a class built from unicodedata took three
# times as long on 10 MB of English (3.3 s and 1.0 s).
_RUN: Final = r"[\p{L}\p{M}\p{N}]"  # L or M, in a form that is faster
_WORD: Final = regex.compile(
    f"(?V1){LETTER}{_RUN}*(?:[{JOINERS}]+{_RUN}+|[{JOINERS}]*'[{MARK}{JOINERS}]*{LETTER}{_RUN}*)*"
)
_FORMATS: Final = regex.compile(f"(?V1){FORMAT}+")

# All of ASCII but letters, digits and ' made white space.
_ASCII = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "'")}


def words(line: str) -> list[str]:
    """Return the words of a line, as the head of this module defines them.

    Examples
    --------
    >>> words("The KING’S men -- 'twas 1066!")
    ['the', "king's", 'men', 'twas', '1066']
    """
    line = line.replace(APOSTROPHE, "'")
    if line.isascii():
        return _ascii_words(line.lower())
    return _found(line.lower())


def cased_words(line: str) -> list[str]:
    """Return the words of a line as `words` does, but with their capital letters.

    Examples
    --------
    >>> cased_words("The KING’S men")
    ['The', "KING'S", 'men']
    """
    line = line.replace(APOSTROPHE, "'")
    return _ascii_words(line) if line.isascii() else _found(line)


def _found(line: str) -> list[str]:
    """Find the words of a line that is lower case if it is to be."""
    return _WORD.findall(_without_formats(line))  # type: ignore[no-any-return]  # regex: no types


def _without_formats(text: str) -> str:
    return text if text.isprintable() else _FORMATS.sub("", text)  # format characters are not


def normalised(text: str, form: str, tokenizer: LineTokenizer | None = None) -> str:
    """Return a text, or a word, in a normal form, such that the words of the text are in it too.

    Parameters
    ----------
    text : str
        Any text.
    form : {"none", "nfc", "nfkc"}
        The normal form of Unicode.
    tokenizer : callable, optional
        What will cut the text. What `words` and `cased_words` make of it is made of it here, for
        that may leave neighbours that compose: H̱ has no character of its own, but ẖ has one.
    """
    if form == "none" or text.isascii():
        return text
    name: Any = form.upper()
    text = unicodedata.normalize(name, text)
    if tokenizer in (words, cased_words):
        text = _without_formats(text.lower() if tokenizer is words else text)
        text = unicodedata.normalize(name, text)
    return text


def _ascii_words(line: str) -> list[str]:
    """Find the words of a line without other characters: as `_WORD` does, in a quarter the time."""
    line = line.translate(_ASCII)
    if "'" in line:  # one stays where it stands alone between two words
        line = f" {line} ".replace("''", "  ").replace(" '", "  ").replace("' ", "  ")
    return line.split()


@functools.cache
def _nltk_words() -> LineTokenizer:
    """Make NLTK's tokenizer after the Penn Treebank; it keeps the case and needs no download."""
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer().tokenize  # type: ignore[no-any-return]


def line_tokenizer(tokenizer: str | Tokenizer, keep_case: bool = False) -> LineTokenizer:
    """Look up a tokenizer by name, or wrap a callable so that what it returns is checked.

    Parameters
    ----------
    tokenizer : {"word", "whitespace", "nltk"} or callable
        A callable takes a line and returns an iterable of str.
    keep_case : bool
        Whether "word" leaves capital letters as they are; the others do.

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
    if tokenizer == "nltk":
        return _nltk_words()
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
    """Return the text without byte order marks at the starts of lines; `before` is before it."""
    if BYTE_ORDER_MARK not in text:
        return text
    return _MARKS.sub("", before + text)[len(before) :]


def _checked(tokenizer: Tokenizer, line: str) -> list[str]:
    """Call a tokenizer that cbow does not know, and check what it returns."""
    found = tokenizer(line)
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise CorpusError(f"the tokenizer returned {_type(found)} for a line; return a list of str")
    tokens = list(found)
    for token in tokens:
        if not isinstance(token, str):
            raise CorpusError(
                f"the tokenizer returned a token of type {_type(token)} for a line; "
                "return a list of str"
            )
    return tokens


def _type(value: object) -> str:
    return type(value).__name__
