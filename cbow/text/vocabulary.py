"""The words a model knows, each with its id and its count; and what became of every token.

The account adds up: nothing is left out in silence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cbow.errors import ConfigError, CorpusError, counted, shown


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
        words, counts = tuple(words), np.asarray(counts)
        if counts.shape != (len(words),):
            raise CorpusError(
                f"a vocabulary of {len(words)} words has counts of shape {counts.shape}; "
                "give one count for each word"
            )
        if words and counts.dtype.kind not in "iu":
            raise CorpusError(f"the counts are of type {counts.dtype}; give whole numbers")
        counts = counts.astype(np.int64)  # (V,), a copy: nobody else can write to it
        if (counts < 0).any():
            raise CorpusError("a count is negative; give counts of 0 or more")
        if (counts[1:] > counts[:-1]).any():
            raise CorpusError("the counts rise; give the words in order of falling count")
        counts.flags.writeable = False
        for word in words:
            if not isinstance(word, str) or not word:
                raise CorpusError(
                    f"{shown(word)} is not a word; give texts of one character or more"
                )
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
            raise CorpusError(f"the word {shown(repeated)} is there twice; give each word once")
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "_ids", ids)

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


@dataclass(frozen=True)
class TokenAccount:
    """Count of tokens read and of what was done with them.

    Raises
    ------
    CorpusError
        If a number is negative, or ``read != kept + rare + beyond + empty + stop + joined``.

    Examples
    --------
    >>> account = TokenAccount(lines=2, read=10, kept=7, rare=3)
    >>> for sentence in account.sentences():
    ...     print(sentence)
    2 lines, 10 tokens read, 7 kept
    3 tokens left out: their words occur fewer than min_count times
    """

    lines: int = 0  #: lines of text read, blank ones included
    read: int = 0  #: tokens the tokenizer returned
    kept: int = 0  #: tokens in the encoded corpus
    rare: int = 0  #: tokens of words that occur fewer than ``min_count`` times
    beyond: int = 0  #: tokens of words outside the ``max_vocabulary`` most frequent, and not rare
    empty: int = 0  #: empty strings the tokenizer returned
    replaced: int = 0  #: times U+FFFD replaced bytes that cannot be decoded
    cut: int = 0  #: runs of characters without white space cut: too long to read at once
    skipped_files: int = 0  #: files of folders not read for their name, and what is no regular file
    stop: int = 0  #: tokens of words left out as ``stop_words``, and not rare
    absent: int = 0  #: words of ``keep_words`` that the text does not have
    fieldless: int = 0  #: rows without a text in the ``field``, which were not read
    joined: int = 0  #: tokens joined to the one before them, in ``phrases``

    def __post_init__(self) -> None:
        if min(self.to_dict().values()) < 0:
            raise CorpusError(f"{self!r} holds a negative number; give numbers of 0 or more")
        left_out = self.rare + self.beyond + self.empty + self.stop
        if self.read != self.kept + left_out + self.joined:
            raise CorpusError(
                f"{self!r} does not add up; read must equal kept + rare + beyond + empty + stop + "
                "joined"
            )

    def to_dict(self) -> dict[str, int]:
        """Return the numbers by name, ready for JSON."""
        return dataclasses.asdict(self)

    def sentences(self) -> list[str]:
        """Return the account in lines to print; what did not happen is left out."""
        first = f"{counted(self.lines, 'line')}, {counted(self.read, 'token')} read"
        others = [
            (self.joined, "token", "joined to the token before, in phrases"),
            (self.rare, "token", "left out: their words occur fewer than min_count times"),
            (self.beyond, "token", "left out: their words are beyond max_vocabulary"),
            (self.empty, "token", "left out: the tokenizer returned empty strings"),
            (self.stop, "token", "left out: their words are among stop_words"),
            (self.absent, "word", "of keep_words not found in the text"),
            (self.fieldless, "row", "not read: the field is not there, or holds no text"),
            (self.replaced, "replacement", "made: bytes that cannot be decoded became U+FFFD"),
            (self.cut, "run", "of characters without white space cut: too long to read at once"),
            (
                self.skipped_files,
                "file",
                "not read: the name does not end in .txt, or it is a pipe or a device",
            ),
        ]
        return [f"{first}, {self.kept:,} kept"] + [
            f"{counted(n, noun)} {what}" for n, noun, what in others if n
        ]
