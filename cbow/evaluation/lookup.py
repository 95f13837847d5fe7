"""Where the words of a set are in a vocabulary, letters large and small alike if so wished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def find_rows(vocabulary: Iterable[str], asked: Sequence[Sequence[str]], fold: bool) -> Ids:
    """Find the row of each word; of spellings that are taken for one, the first row.

    Parameters
    ----------
    vocabulary : iterable of str
        V words.
    asked : sequence of n sequences of k words
    fold : bool
        Compare the words in capitals.

    Returns
    -------
    ndarray of int, (n, k)
        -1 for a word that is not there.

    Examples
    --------
    >>> find_rows(["The", "king", "the"], [("the", "queen")], fold=True).tolist()
    [[0, -1]]
    """
    key = str.upper if fold else str
    wanted = {key(word) for words in asked for word in words}
    rows: dict[str, int] = {}
    for row, word in enumerate(vocabulary):
        folded = key(word)
        if folded in wanted:
            rows.setdefault(folded, row)
    return np.array([[rows.get(key(word), -1) for word in words] for words in asked], np.intp)


def all_known(rows: Ids) -> Flags:
    """Tell which items, (n, k), have all their words in the vocabulary, (n,)."""
    known: Flags = (rows >= 0).min(axis=1)
    return known


def find_variants(vocabulary: Iterable[str]) -> Mapping[int, Ids]:
    """Find words that differ in nothing but letters large and small.

    Returns
    -------
    mapping of int to ndarray of int
        For each word that has others: its first row, and all its rows in order.

    Examples
    --------
    >>> find_variants(["the", "king", "The"])
    {0: array([0, 2])}
    """
    rows: dict[str, list[int]] = {}
    for row, word in enumerate(vocabulary):
        rows.setdefault(word.upper(), []).append(row)
    return {group[0]: np.array(group, np.intp) for group in rows.values() if len(group) > 1}
