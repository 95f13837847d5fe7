"""Words spelled like a given one, quickly even among a million.

Looking at every word would take a second. Instead (1) the other ways to write the same letters
large and small and (2) everything one slip of the pen away are looked up, as in Norvig, "How to
Write a Spelling Corrector"; (3) only the most frequent words are compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from itertools import islice
from typing import Final

#: Words compared letter by letter, the most frequent ones.
COMPARED: Final = 2000

#: Longer than this, a word is no slip of the pen.
LONGEST: Final = 40


def alike(word: str, words: Sequence[str], ids: Mapping[str, int], most: int = 3) -> list[str]:
    """Find words spelled like `word`.

    Parameters
    ----------
    word : str
        A word that may not be known.
    words : sequence of str
        The words there are, the most frequent first.
    ids : mapping of str to int
        Their positions in `words`.
    most : int
        How many to give at most.

    Returns
    -------
    list of str
        Best first: the same but for capitals, then by likeness, then by frequency.
    """
    if not 0 < len(word) <= LONGEST:
        return []
    common = list(islice(words, COMPARED))
    letters = sorted(set(word.lower()).union(*common))
    found = {near for near in _recased(word) if near in ids}
    found.update(near for near in _one_edit(word.lower(), letters) if near in ids)
    found.update(get_close_matches(word.lower(), common, n=most))
    found.discard(word)
    return sorted(found, key=lambda near: (-_likeness(word, near), ids[near]))[:most]


def _recased(word: str) -> Iterator[str]:
    """Yield the word in small letters, capitals and with a capital first."""
    yield from (word.lower(), word.casefold(), word.upper(), word.capitalize())


def _one_edit(word: str, letters: Collection[str]) -> Iterator[str]:
    """Yield every string one letter less, more or other, or with two neighbours swapped."""
    for place in range(len(word) + 1):
        left, right = word[:place], word[place:]
        yield left + right[1:]
        yield left + right[1:2] + right[:1] + right[2:]
        for letter in letters:
            yield left + letter + right
            yield left + letter + right[1:]


def _likeness(a: str, b: str) -> float:
    """Return 1 for the same letters, 0 for none in common."""
    return SequenceMatcher(None, a.casefold(), b.casefold()).ratio()
