"""Character n-grams: the parts that words are made of, and which bucket each falls into.

They are fastText's, so that its files and ours hold the same. A word stands between ``<`` and
``>``; its n-grams are all stretches of `shortest` to `longest` characters of that, but for ``<``
and ``>`` alone. The bucket of each is what its hash, FNV-1a of its UTF-8 bytes, leaves as a
remainder; many n-grams may share one.

A character is a code point. To keep a letter and its marks together (grapheme clusters) would
change nothing where letters are single code points, as in composed German or Turkish. In Hindi it
would: of the 18 n-grams of 3 to 6 in "हिन्दी", 14 cut a letter from its signs. But nothing else
that reads files of fastText would find n-grams of such letters, and the 4 whole ones are here, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cbow.config import Config

#: The word that fastText puts at line ends; it has no n-grams.
END_OF_LINE: Final = b"</s>"

#: N-grams that start behind so many characters of a word in ``<`` and ``>`` are left out.
CHARACTERS: Final = 1_000

#: Most buckets that are suggested; fastText has 2,000,000 unless told otherwise.
MOST_BUCKETS: Final = 2**21

_WORDS: Final = 2**13  # hashed at a time

# FNV-1a of 32 bits.
_BASIS: Final = np.uint32(2_166_136_261)
_PRIME: Final = np.uint32(16_777_619)


#: A word, or the bytes of its UTF-8.
Word: TypeAlias = str | bytes


class Ngrams(NamedTuple):
    """Which n-grams words have, and how many buckets these fall into."""

    shortest: int  #: characters
    longest: int
    buckets: int

    @classmethod
    def of(cls, config: Config) -> Ngrams | None:
        """Return those that a configuration tells; None if it has none, or no number of buckets."""
        if config.ngrams is None or config.buckets is None:
            return None
        return cls(*config.ngrams, config.buckets)


class Features(NamedTuple):
    """The features of V words: those of word w are ``indices[indptr[w] : indptr[w + 1]]``.

    The first is the word itself, w; the others are V plus the bucket of each of its n-grams. A
    bucket may stand there repeatedly.
    """

    indptr: npt.NDArray[np.int64]  #: (V + 1,)
    indices: npt.NDArray[np.int32]


def ngram_ids(word: str, ngrams: Ngrams) -> npt.NDArray[np.int64]:
    """Return the buckets of the n-grams of a word, by where these start, the shortest first.

    >>> ngram_ids("a", Ngrams(1, 3, 101)).tolist()  # <a, <a>, a, a>
    [20, 98, 10, 35]
    """
    return ngrams_of([word], ngrams).indices.astype(np.int64)


def features_of(
    words: Sequence[Word], ngrams: Ngrams, characters: int | None = CHARACTERS
) -> Features:
    """Return the features of words, the first of which is word 0; for `characters` see below."""
    V = len(words)
    starts, buckets = ngrams_of(words, ngrams, characters)
    indptr = starts + np.arange(V + 1)
    indices = np.empty(indptr[-1], np.int32)
    is_word = np.zeros(len(indices), bool)
    is_word[indptr[:-1]] = True
    indices[is_word] = np.arange(V)
    indices[~is_word] = buckets + V
    return Features(indptr, indices)


def ngrams_of(
    words: Sequence[Word], ngrams: Ngrams, characters: int | None = CHARACTERS
) -> Features:
    """Return the buckets of the n-grams of words; the words themselves are not among them.

    Parameters
    ----------
    words : sequence of str, or of the bytes of their UTF-8
    ngrams : Ngrams
    characters : int, optional
        N-grams that start behind so many characters of a word are left out; None: none are.
    """
    counts, buckets = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    for hashes, each in _hashed(words, ngrams.shortest, ngrams.longest, characters):
        counts.append(each)
        buckets.append((hashes.astype(np.int64) % ngrams.buckets).astype(np.int32))
    indptr = np.zeros(len(words) + 1, np.int64)
    np.cumsum(np.concatenate(counts), out=indptr[1:])
    return Features(indptr, np.concatenate(buckets))


def left_out(words: Sequence[str], ngrams: Ngrams) -> int:
    """Return how many n-grams of words are left out, for they start too far behind."""
    count = 0
    for word in words:
        behind = len(word) + len("<>") - CHARACTERS  # characters where none may start
        if behind > 0:
            for n in range(max(ngrams.shortest, 1), ngrams.longest + 1):
                count += max(behind - n + 1, 0) - (n == 1)  # ">" alone is none
    return count


def suggested_buckets(words: Sequence[str], shortest: int, longest: int) -> int:
    """Return a number of buckets that fits words: a power of two, one for each n-gram or more."""
    distinct = len(_distinct(words, shortest, longest))
    return min(1 << max(distinct - 1, 0).bit_length(), MOST_BUCKETS)


def collisions(words: Sequence[str], ngrams: Ngrams) -> float:
    """Return the share of distinct n-grams that share their bucket with another; 0 without any.

    Two with the same hash, one pair in 4 billion, count for one.
    """
    hashes = _distinct(words, ngrams.shortest, ngrams.longest)
    buckets = np.sort(hashes.astype(np.int64) % ngrams.buckets)
    same = np.diff(buckets) == 0
    shared = np.append(same, False) | np.append(False, same)  # with the next, with the one before
    return float(shared[: len(hashes)].sum() / max(len(hashes), 1))


def _distinct(words: Sequence[str], shortest: int, longest: int) -> npt.NDArray[np.uint32]:
    """Return the distinct hashes of the n-grams of words."""
    parts = [np.empty(0, np.uint32)]
    parts += [_without_repeats(hashes) for hashes, _ in _hashed(words, shortest, longest)]
    return _without_repeats(np.concatenate(parts))


def _without_repeats(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return hashes in order, each once; `np.unique` takes ten times as long."""
    hashes = np.sort(hashes)
    return hashes[np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))]


def _hashed(
    words: Sequence[Word], shortest: int, longest: int, characters: int | None = CHARACTERS
) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]]:
    """Yield, for some words at a time, the hashes of their n-grams and how many each word has."""
    most = sys.maxsize if characters is None else characters
    for start in range(0, len(words), _WORDS):
        parts = [
            word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word
            for word in words[start : start + _WORDS]
        ]
        # A character has 4 bytes at most, so that none is missed that an n-gram may reach.
        parts = [
            b"<%b>" % word[: 4 * (most + longest)] if word != END_OF_LINE else b"" for word in parts
        ]
        # FNV-1a as fastText has it takes bytes as signed: those from 128 on fill the upper bits.
        data = np.frombuffer(b"".join(parts), np.int8)
        is_start = data >= -64  # (bytes,); the others continue a character
        starts = np.flatnonzero(is_start)  # (characters,)
        data = np.append(data, 0).astype(np.uint32)
        bytes_of = np.diff(starts, append=len(data) - 1)  # (characters,)

        of_words = np.cumsum([0, *map(len, parts)])  # (words + 1,), where each begins, in bytes
        edges = np.append(0, np.cumsum(is_start))[of_words]  # the same in characters
        sizes = np.diff(edges)
        here = np.arange(len(starts))
        place = here - np.repeat(edges[:-1], sizes)  # in the word, from 0
        left = np.repeat(edges[1:], sizes) - here  # characters of the word from here on
        lowest = np.where((place == 0) | (left == 1), max(shortest, 2), max(shortest, 1))
        counts = np.clip(np.minimum(left, longest) - lowest + 1, 0, None)  # n-grams that start here
        counts[place >= most] = 0
        total = np.append(
            0, np.cumsum(counts)
        )  # (characters + 1,), where those from here are to lie

        hashes = np.empty(total[-1], np.uint32)
        live = np.flatnonzero(counts)  # where n-grams of n characters start
        hashed = np.full(len(live), _BASIS)
        for n in range(1, longest + 1):
            longer = left[live] >= n
            live, hashed = live[longer], hashed[longer]
            added = live + n - 1  # the last character of each n-gram
            k = 0
            while len(more := np.flatnonzero(bytes_of[added] > k)):
                hashed[more] = (hashed[more] ^ data[starts[added[more]] + k]) * _PRIME
                k += 1
            kept = np.flatnonzero(lowest[live] <= n)
            hashes[total[live[kept]] + n - lowest[live[kept]]] = hashed[kept]
        yield hashes, np.diff(total[edges])
