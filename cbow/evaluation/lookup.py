"""Where the words of a set are in a vocabulary: as they are spelled, else in other letter case.

Only case is folded, letter for letter, so that no word becomes another: *King* is *king*, but
*maße* is not *masse*, and Turkish *sınır* is not *sinir*. Upper-casing, as gensim does it, makes
one word of each of these pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def folded(word: str) -> str:
    """Return a word in small letters, final sigma as any other sigma.

    Examples
    --------
    >>> folded("MAẞE"), folded("masse"), folded("SINIR"), folded("sınır"), folded("ΟΔΟΣ")
    ('maße', 'masse', 'sinir', 'sınır', 'οδοσ')
    """
    return word.lower().replace("ς", "σ")


def find_rows(vocabulary: Iterable[str], asked: Sequence[Sequence[str]], fold: bool) -> Ids:
    """Find the row of each word, (n, k); -1 for a word that is not there.

    Parameters
    ----------
    vocabulary : iterable of str
        V distinct words, the most frequent first.
    asked : sequence of n sequences of k words
    fold : bool
        Take a word that is not there as it is spelled for the first, that is the most frequent,
        word that differs from it in nothing but case.

    Examples
    --------
    >>> find_rows(["The", "king", "the"], [("the", "THE"), ("KING", "queen")], fold=True).tolist()
    [[2, 0], [1, -1]]
    """
    exact = dict.fromkeys((word for words in asked for word in words), -1)
    alike = dict.fromkeys(map(folded, exact), -1) if fold else {}
    for row, word in enumerate(vocabulary):
        if word in exact:
            exact[word] = row
        if fold and alike.get(key := folded(word)) == -1:
            alike[key] = row
    if fold:
        exact = {word: alike[folded(word)] if row < 0 else row for word, row in exact.items()}
    return np.array([[exact[word] for word in words] for words in asked], np.intp)


def all_known(rows: Ids) -> Flags:
    """Tell which items, (n, k), have all their words in the vocabulary, (n,)."""
    known: Flags = (rows >= 0).min(axis=1)
    return known


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
