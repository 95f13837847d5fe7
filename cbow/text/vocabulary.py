"""The words a model knows, each with its id and its count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np
import numpy.typing as npt

from cbow.errors import ConfigError, CorpusError, shown


class Vocabulary:
    """Words in order of falling count; a word's id is its place in that order.

    Parameters
    ----------
    words : sequence of str
        V distinct words, none empty, each of which can be written as UTF-8.
    counts : array_like of int, shape (V,)
        How often each word occurs, falling.

    Attributes
    ----------
    words : tuple of str
        The words; ``words[i]`` has id i.
    counts : ndarray of int64, shape (V,)
        Their counts, read-only.

    Raises
    ------
    CorpusError
        If words and counts do not fit together as described.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_counts({"king": 3, "the": 9, "queen": 3})
    >>> vocabulary.words
    ('the', 'king', 'queen')
    >>> vocabulary["king"], vocabulary.word(0), "duke" in vocabulary
    (1, 'the', False)
    """

    __slots__ = ("_ids", "counts", "words")

    words: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    _ids: dict[str, int]

    def __init__(self, words: Sequence[str], counts: npt.ArrayLike) -> None:
        words = tuple(words)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "counts", _checked_counts(counts, len(words)))
        object.__setattr__(self, "_ids", _checked_ids(words))

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, int],
        min_count: int = 1,
        max_vocabulary: int | None = None,
        keep: Set[str] = frozenset(),
    ) -> Vocabulary:
        """Choose and order the words: falling count, ties in order of code points.

        Parameters
        ----------
        counts : mapping of str to int
            How often each word occurs.
        min_count : int
            Words that occur less often are left out.
        max_vocabulary : int, optional
            Only so many are taken, from the top; None takes all.
        keep : set of str
            Words that are taken first, however rare; more than `max_vocabulary` if they are.

        Raises
        ------
        ConfigError
            If `max_vocabulary` is below 1.
        CorpusError
            If a word or a count cannot be in a vocabulary.
        """
        if max_vocabulary is not None and max_vocabulary < 1:
            raise ConfigError(
                f"max_vocabulary is {shown(max_vocabulary)}, but must be a whole number of 1 or "
                "more"
            )
        words = sorted(word for word, n in counts.items() if n >= min_count or word in keep)
        sizes = np.array([counts[word] for word in words])  # (V,)
        order = np.argsort(-sizes, kind="stable")  # (V,)
        if max_vocabulary is not None:
            first = np.array([words[i] in keep for i in order.tolist()], bool)  # (V,)
            order = order[first | (np.cumsum(~first) <= max_vocabulary - first.sum())]
        return cls([words[i] for i in order.tolist()], sizes[order])

    def word(self, id: int) -> str:
        """Return the word that has this id."""
        return self.words[id]

    def __getitem__(self, word: str) -> int:
        return self._ids[word]

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.words == other.words and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash(self.words)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a vocabulary cannot be changed; build another one to set {name}")

    def __reduce__(self) -> tuple[type[Vocabulary], tuple[tuple[str, ...], object]]:
        return Vocabulary, (self.words, self.counts)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words, {int(self.counts.sum())} tokens)"


def _checked_counts(counts: npt.ArrayLike, words: int) -> npt.NDArray[np.int64]:
    """Return `counts` as a read-only int64 array of its own, or say what is wrong with them."""
    given = np.asarray(counts)
    if given.shape != (words,):
        raise CorpusError(
            f"a vocabulary of {words} words has counts of shape {given.shape}; "
            "give one count for each word"
        )
    if words and given.dtype.kind not in "iu":
        raise CorpusError(f"the counts are of type {given.dtype}; give whole numbers")
    checked = given.astype(np.int64)  # (V,), a copy: nobody else can write to it
    if (checked < 0).any():
        raise CorpusError("a count is negative; give counts of 0 or more")
    if (checked[1:] > checked[:-1]).any():
        raise CorpusError("the counts rise; give the words in order of falling count")
    checked.flags.writeable = False
    return checked


def _checked_ids(words: tuple[str, ...]) -> dict[str, int]:
    """Return each word its id, or say which word cannot be in a vocabulary."""
    for word in words:
        if not isinstance(word, str) or not word:
            raise CorpusError(f"{shown(word)} is no word; give texts of one character or more")
    try:
        "".join(words).encode("utf-8")
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"a word holds {error.object[error.start]!r}, half of a character, which cannot be "
            "written as UTF-8; repair the text it comes from"
        ) from None
    ids = {word: i for i, word in enumerate(words)}
    if len(ids) != len(words):
        repeated = next(word for i, word in enumerate(words) if ids[word] != i)
        raise CorpusError(f"the word {shown(repeated)} is given twice; give each word once")
    return ids
