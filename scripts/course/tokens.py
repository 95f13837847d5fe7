r"""The tokens of the course: those that NLTK 3.5 found in its text, found without NLTK.

The course puts a period for each of ``,!?;-``, takes NLTK's word tokens, keeps those that are
letters only or a period, and lowers them. Later versions of NLTK split otherwise, so the published
numbers need the rules of 3.5. Here is the part of them that decides what is kept, in code of our
own:

- A period stands apart only at the end of a sentence. Elsewhere it stays with its word, and both
  are lost: ``ill.`` is not letters only.
- Two periods and more are no period, and are lost.
- A quote and what follows it leave the word before a space, but not before a line end, and not
  before a period within the sentence: ``lov'd him`` leaves ``lov``, ``lov'd`` at the end of a line
  leaves nothing.
- ``'tis`` leaves ``is`` after a space, but not at the start of a line within a sentence.

A sentence ends at every period before white space or one of ``'")]}([{:*@``. NLTK makes exceptions,
by what its model of English learned from newspapers: after a lone letter (``O. pardon``), a number,
and an abbreviation (``no ill. To``, by which newspapers mean Illinois). There it depends on the
next word, and on how newspapers write that, whether the sentence ends. For the text of the course
the words are few: they are the three lists below, taken from what NLTK 3.5 with its model does at
each such place of it. For another text they would be others. The other rules are not tied to this
text, but may differ from NLTK's in runs of several quotes or colons.
"""

import re
from collections.abc import Iterator

#: Newspapers' abbreviations: Illinois, Wednesday, the letter of a name.
ABBREVIATIONS = frozenset({"ill", "v", "wed"})
#: Begin a sentence after a lone letter, with a capital: newspapers have them without one, too.
AFTER_LETTER = frozenset({"first", "scene", "than", "to", "your"})
#: Begin a sentence after an abbreviation, with a capital: newspapers have it mostly there.
AFTER_ABBREVIATION = frozenset({"so", "this", "tired"})

_STOPS = re.compile("[,!?;-]")
_CANDIDATE = re.compile(r"""\S*\.(?=['")\]}(\[{:*@]|\s+(?=\S)(?P<next>\w*))""")
_DOUBTFUL = re.compile(
    r"""(?:^|["`(){}\[\]:*@&#])(?P<word>[^\W\d]|\d[\d.]*|ill|wed)\.$""", re.IGNORECASE
)
_CLOSERS = re.compile(r"""\s*['")\]}]+(?=\s|$)""")

# Done to a sentence in this order. What is never kept may be lost on the way.
_RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r'(?:^|(?<=[ (\[{<]))"', " ` "),  # opens a quotation, so no period before it is the last
        (r"'(?![dmst])(?=\w\b)", "' "),  # the quote of 'a and 'i, not of 'd 'm 's 't
        (r"""(?<=[^.])\.(?=[])}>"' ]*\s*$)""", " . "),  # the end of the sentence
        (r"(?<=[^' ])'(?= )", " '"),
        (r":(?!\d)", " "),
        (r"""\.\.+|[][(){}<>"`*@#$%&]""", " "),
        (r"(?<=[^' ])(?='[dms]?(?![^ ]))", " "),
        (r"(?<=[^' ])(?=(?:'ll|'re|'ve|n't)(?![^ ]))", " "),
        (r"\bcannot\b", " can not "),
        (r"\bgotta\b", " got ta "),
        (r"\bgonna\b", " gon na "),
        (r"\bwanna(?!\S)", " wan na "),
        (r"\bgimme\b", " gim me "),
        (r"\blemme\b", " lem me "),
        (r"\bd'ye\b", " d 'ye "),
        (r"(?<![^ ])'tis\b", " 't is "),
        (r"(?<![^ ])'twas\b", " 't was "),
    )
]


def tokens(text: str) -> list[str]:
    """Split a text as the course does.

    Parameters
    ----------
    text : str
        As it is in the file: line ends matter.

    Returns
    -------
    list of str
        Words in lower case, and periods.
    """
    return [
        piece
        for sentence in sentences(_STOPS.sub(".", text))
        for piece in _pieces(sentence)
        if piece.isalpha() or piece == "."
    ]


def sentences(text: str) -> Iterator[str]:
    """Split a text that has no other stop than the period into sentences."""
    start = 0
    for candidate in _CANDIDATE.finditer(text):
        if _ends_sentence(candidate[0], candidate["next"] or ""):
            closers = _CLOSERS.match(text, candidate.end())
            end = closers.end() if closers else candidate.end()
            yield text[start:end].strip()
            start = end
    yield text[start:].strip()


def _ends_sentence(run: str, following: str) -> bool:
    """Tell whether the period at the end of `run` ends a sentence before a word, or a mark."""
    doubtful = _DOUBTFUL.search(run)
    if not doubtful:
        return True
    word, after = doubtful["word"].lower(), following.lower()
    capital = following[:1].isupper()
    if word in ABBREVIATIONS:
        return capital and len(word) > 1 and after in AFTER_ABBREVIATION
    if capital:
        return word[0].isdigit() or after in AFTER_LETTER
    return not following[:1].islower()


def _pieces(sentence: str) -> list[str]:
    """Split a sentence into words, periods, and what is left of the punctuation."""
    sentence = sentence.lower()
    for pattern, replacement in _RULES:
        sentence = pattern.sub(replacement, sentence)
    return sentence.split()
