"""Words: how they lie in files, how they are looked up, and which are spelled alike.

**Packed.** Words lie end to end in one array of bytes, as files keep them; a word is decoded when
it is needed. A million words lie in a memory-mapped file like this, and nothing of them is read
before it is needed.

**Spelled.** A word is looked up as it is spelled, else in other letter case. Only case is folded,
letter for letter, so that no word becomes another: *King* is *king*, but *maße* is not *masse*, and
Turkish *sınır* is not *sinir*. Upper-casing, as gensim does it, makes one word of each of these
pairs.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError, shown
from cbow.system.arrays import Ids, Longs

Letters = npt.NDArray[np.uint8]

#: Words decoded at a time when all are gone through.
DECODED: Final = 2**16

#: Nothing is suggested for a longer word, which is no slip of the pen.
_LONGEST: Final = 40


class PackedWords(Sequence[str]):
    """Words that are decoded when they are needed.

    Parameters
    ----------
    letters : ndarray of uint8
        The UTF-8 of all words, end to end. It is not copied.
    ends : ndarray of int64, (V,)
        Where each word ends. It is not copied.
    where : str
        Begins the message if they later turn out to be wrong: ``"words.bin is not usable: "``.

    Raises
    ------
    ModelFileError
        If the ends do not rise from above 0 to the number of bytes; later, when a word
        is decoded that is not UTF-8, or when `places` finds one twice.

    Examples
    --------
    >>> words = PackedWords(*encode_words(["king", "naïve", "queen"]))
    >>> len(words), words[1], words[1:], words.index("queen")
    (3, 'naïve', ('naïve', 'queen'), 2)
    """

    __slots__ = ("_ends", "_letters", "_where")

    __hash__ = None  # type: ignore[assignment]  # equal to tuples and lists, which differ in theirs

    def __init__(self, letters: Letters, ends: Longs, where: str = "") -> None:
        self._letters = letters
        self._ends = ends
        self._where = where
        first, last = (ends[0], ends[-1]) if len(ends) else (1, 0)
        if first <= 0 or last != len(letters) or not (ends[1:] > ends[:-1]).all():
            raise ModelFileError("its words do not follow one another; fetch or train it again")

    def _wrong(self, what: str) -> ModelFileError:
        """Create the error about a file that was damaged."""
        return ModelFileError(f"{self._where}{what}; fetch or train it again")

    @property
    def letters(self) -> Letters:
        """The UTF-8 of all words, end to end."""
        return self._letters

    @property
    def ends(self) -> Longs:
        """Where each word ends, (V,)."""
        return self._ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        """Return a word, or some of them as a tuple."""
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step == 1:
                return tuple(self._decoded(start, max(start, stop)))
            return tuple(self[i] for i in range(start, stop, step))
        i = range(len(self))[place]
        return self._decoded(i, i + 1)[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), DECODED):
            yield from self._decoded(start, min(start + DECODED, len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedWords):
            return np.array_equal(self._ends, other.ends) and np.array_equal(
                self._letters, other.letters
            )
        if isinstance(other, tuple | list):
            return len(self) == len(other) and all(map(operator.eq, self, other))
        return NotImplemented

    def __repr__(self) -> str:
        return f"PackedWords({len(self)} words)"

    def __contains__(self, word: object) -> bool:
        return len(self._places_of(word)) > 0

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        """Find the first place of a word, as `tuple.index` does.

        It takes some milliseconds for a million words, and decodes none of them; to look up more
        than a few words, make a dictionary.

        Raises
        ------
        ValueError
            If the word is not there.
        """
        inside = range(*slice(start, stop).indices(len(self)))
        for place in self._places_of(value):
            if place in inside:
                return int(place)
        raise ValueError(f"{value!r} is not among the words")

    def places(self) -> dict[str, int]:
        """Return the place of each word, all of which are decoded.

        Raises
        ------
        ModelFileError
            If a word comes twice, or one is not UTF-8.
        """
        places = dict(zip(self, range(len(self)), strict=True))
        if len(places) < len(self):
            repeated = next(word for place, word in enumerate(self) if places[word] != place)
            raise self._wrong(
                f"it is damaged, for it holds the word {shown(repeated)} more than once"
            )
        return places

    def _places_of(self, word: object) -> npt.NDArray[np.intp]:
        """Find every place of a word: those of its length, then letter by letter those alike."""
        try:
            letters = word.encode() if isinstance(word, str) else b""
        except UnicodeEncodeError:  # half a surrogate pair, which is not in UTF-8
            letters = b""
        ends, n = self._ends, len(letters)
        alike = 1 + np.flatnonzero(ends[1:] - ends[:-1] == n)
        if len(ends) and ends[0] == n:
            alike = np.concatenate(([0], alike))
        for back, letter in enumerate(reversed(letters), 1):  # ends tell words apart sooner
            alike = alike[self._letters[ends[alike] - back] == letter]
        return alike

    def _decoded(self, start: int, stop: int) -> list[str]:
        """Decode the words from one place to another."""
        first = int(self._ends[start - 1]) if start else 0
        edges = [first, *self._ends[start:stop].tolist()]
        data = self._letters[first : edges[-1]].tobytes()
        try:
            if data.isascii():  # then characters are bytes, and to decode once is quicker
                text = data.decode()
                return [text[a - first : b - first] for a, b in pairwise(edges)]
            return [data[a - first : b - first].decode() for a, b in pairwise(edges)]
        except UnicodeDecodeError:
            raise self._wrong("its words are not UTF-8") from None


def encode_words(words: Sequence[str]) -> tuple[Letters, Longs]:
    """Join words into one array of bytes.

    Returns
    -------
    letters : ndarray of uint8
        The UTF-8 of all words, end to end.
    ends : ndarray of int64, (V,)
        Where each word ends.
    """
    if isinstance(words, PackedWords):
        return words.letters, words.ends
    encoded = [word.encode() for word in words]
    ends = np.cumsum([len(word) for word in encoded], dtype=np.int64)  # (V,)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def distinct(words: Sequence[str]) -> Sequence[str]:
    """Return words; packed ones are decoded, and must be distinct.

    Raises
    ------
    ModelFileError
        See `PackedWords.places`.
    """
    return tuple(words.places()) if isinstance(words, PackedWords) else words


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
