"""How words are spelled: looked up in other letter case, and those alike but for a slip.

A word is looked up as it is spelled, else in other letter case. Only case is folded, letter for
letter, so that no word becomes another: *King* is *king*, but *maße* is not *masse*, and Turkish
*sınır* is not *sinir*. Upper-casing, as gensim does it, makes one word of each of these pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from cbow.system.arrays import Ids

#: Nothing is suggested for a longer word, which is no slip of the pen.
_LONGEST: Final = 40


def folded(word: str) -> str:
    """Return a word in small letters, final sigma as any other sigma.

    Examples
    --------
    >>> folded("MAẞE"), folded("masse"), folded("SINIR"), folded("sınır"), folded("ΟΔΟΣ")
    ('maße', 'masse', 'sinir', 'sınır', 'οδοσ')
    """
    return word.lower().replace("ς", "σ")


def find_rows(vocabulary: Iterable[str], items: Sequence[Sequence[str]], fold: bool) -> Ids:
    """Find the row of each word, (n, k); -1 for a word that is not there.

    Parameters
    ----------
    vocabulary : iterable of str
        V distinct words, the most frequent first.
    items : sequence of n sequences of k words
    fold : bool
        Where a word is not there as it is spelled, take the first, that is the most frequent, that
        differs from it in nothing but case.

    Examples
    --------
    >>> find_rows(["The", "king", "the"], [("the", "THE"), ("KING", "queen")], fold=True).tolist()
    [[2, 0], [1, -1]]
    """
    exact = dict.fromkeys((word for words in items for word in words), -1)
    alike = dict.fromkeys(map(folded, exact), -1) if fold else {}
    for row, word in enumerate(vocabulary):
        if word in exact:
            exact[word] = row
        if fold and alike.get(key := folded(word)) == -1:
            alike[key] = row
    if fold:
        exact = {word: alike[folded(word)] if row < 0 else row for word, row in exact.items()}
    return np.array([[exact[word] for word in words] for words in items], np.intp)


def in_other_case(words: Sequence[str], vocabulary: Sequence[str]) -> dict[str, str]:
    """Find words that a vocabulary has in other letter case alone.

    Parameters
    ----------
    words : sequence of str
    vocabulary : sequence of str
        The most frequent first; all of it is read.

    Returns
    -------
    dict of str to str
        For each of these words: the most frequent that differs from it in nothing but case.

    Examples
    --------
    >>> in_other_case(["King", "the", "nobody"], ["the", "king", "KING"])
    {'King': 'king'}
    """
    rows = find_rows(vocabulary, [words], fold=True)[0].tolist()
    found = {word: vocabulary[row] for word, row in zip(words, rows, strict=True) if row >= 0}
    return {word: other for word, other in found.items() if other != word}


def find_variants(vocabulary: Iterable[str]) -> Mapping[int, Ids]:
    """Find words that differ in nothing but case.

    Returns
    -------
    mapping of int to ndarray of int
        For each row whose word has such others: all their rows and its own, in order.

    Examples
    --------
    >>> find_variants(["the", "king", "The"])
    {0: array([0, 2]), 2: array([0, 2])}
    """
    groups: dict[str, list[int]] = {}
    for row, word in enumerate(vocabulary):
        groups.setdefault(folded(word), []).append(row)
    return {
        row: np.array(group, np.intp)
        for group in groups.values()
        if len(group) > 1
        for row in group
    }


def spelled_like(word: str, words: Collection[str], most: int = 3) -> list[str]:
    """Find words spelled like a word: in other letter case, or a third of the letters away.

    Letters are inserted, left out, changed, or swapped with their neighbour (optimal string
    alignment); one such slip is allowed in short words too.

    Parameters
    ----------
    word : str
    words : collection of str
        The most frequent first; quick to tell whether a word is among them, as a dictionary is.
    most : int
        How many to return at most.

    Returns
    -------
    list of str
        Those in other letter case first, then by the number of slips; equals by frequency. Never
        `word` itself.
    """
    if not 0 < len(word) <= _LONGEST:
        return []
    from rapidfuzz.distance import OSA  # here, for only messages need it
    from rapidfuzz.process import extract

    recased = (word.lower(), word.casefold(), word.upper(), word.capitalize())
    near = extract(
        word.lower(), list(words), scorer=OSA.distance, score_cutoff=max(1, len(word) // 3),
        limit=most + 1,
    )  # fmt: skip
    alike = [*(each for each in recased if each in words), *(each for each, *_ in near)]
    return [each for each in dict.fromkeys(alike) if each != word][:most]
