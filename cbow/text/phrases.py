r"""Phrases: two words that stand together more often than by chance are joined to one, new_york.

With the counts n of words and of pairs of neighbours on a line, the number V of distinct words and
distinct pairs, and shares p = n / tokens of the text, the score of a pair is ::

    counts   (n(ab) - min_count) V / (n(a) n(b))      Mikolov et al. 2013, arXiv 1310.4546
    npmi     log(p(ab) / (p(a) p(b))) / -log p(ab)    Bouma 2009, normalised mutual information

A pair is joined wherever it stands, from left to right, if its score is above a threshold: where
both pairs of a b c are, a_b c comes out. A further pass counts what has come out, and joins that.

All this works on the numbers of words in the provisional file. A pair is the number
a 2\ :sup:`32` + b; sorted, equal pairs lie side by side. The pairs are dealt out to shares that are
counted one after another, so that memory never holds them all.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.config import PHRASE_THRESHOLDS, Config
from cbow.system.threads import in_order, processors
from cbow.text.numbering import EMPTY, LINE_END, Numbering, Numbers

if TYPE_CHECKING:
    from cbow.text.encoded import Spool

#: Stands between the words of a phrase.
DELIMITER: Final = "_"

# How many phrases stand for all.
_BEST: Final = 30

# Pairs of a share, about: as many shares as that takes, up to the most. For each the text is read.
_SHARE: Final = 2**21
_MOST_SHARES: Final = 64

# Shares counted at a time, at most, for they take memory.
_AT_A_TIME: Final = 4

Counts = npt.NDArray[np.int64]


class Phrase(NamedTuple):
    """Words that were joined to one."""

    word: str  #: what it has become
    score: float  #: how far it is from chance; the highest, if it came about in several ways
    times: int  #: how often it was joined


def best_of(phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Return how many there are, the highest scores and the most frequent, ready for JSON."""
    frequent = sorted(phrases, key=lambda phrase: (-phrase.times, phrase.word))
    return {
        "found": len(phrases),
        "best": [phrase._asdict() for phrase in phrases[:_BEST]],
        "most_frequent": [phrase._asdict() for phrase in frequent[:_BEST]],
    }


def join_known(words: Sequence[str], known: Container[str], passes: int) -> list[str]:
    """Return a line with its words joined to phrases that are known, from left to right.

    The longest that some passes can have made is taken; a shorter one may be in no vocabulary
    because it always is part of it.

    Examples
    --------
    >>> join_known(["in", "new", "york", "city"], {"new_york", "new_york_city"}, passes=2)
    ['in', 'new_york_city']
    """
    line, i = [], 0
    while i < len(words):
        for size in range(min(2**passes, len(words) - i), 1, -1):
            word = DELIMITER.join(words[i : i + size])
            if word in known:
                break
        else:
            word, size = words[i], 1
        line.append(word)
        i += size
    return line


class Pairs(NamedTuple):
    """Distinct pairs of neighbours, in rising order."""

    keys: npt.NDArray[np.int64]  #: (pairs,), a 2^32 + b
    counts: Counts  #: (pairs,)

    @property
    def first(self) -> npt.NDArray[np.int64]:
        """The numbers of the words a."""
        return self.keys >> 32

    @property
    def second(self) -> npt.NDArray[np.int64]:
        """The numbers of the words b."""
        return self.keys & 0xFFFFFFFF


def join_phrases(spool: Spool, numbering: Numbering, config: Config) -> list[Phrase]:
    """Join pairs of words in the provisional file, in ``config.phrases`` passes.

    The new words get numbers, and the counts of `numbering` become those of the joined text.

    Returns
    -------
    list of Phrase
        What was joined, by falling score.
    """
    found: dict[str, Phrase] = {}
    for _ in range(config.phrases):
        joined = _pass(spool, numbering, config)
        for word, score, times in joined:
            _, highest, before = found.get(word, Phrase(word, score, 0))
            found[word] = Phrase(word, max(score, highest), before + times)
        if not joined:
            break
    return sorted(found.values(), key=lambda phrase: (-phrase.score, phrase.word))


def _pass(spool: Spool, numbering: Numbering, config: Config) -> list[Phrase]:
    """Count, score and join the pairs once."""
    counts = numbering.counts()
    pairs, distinct = _count(spool, int(counts.sum()), config)
    scores = _scores(pairs, distinct, counts, config)
    threshold = config.phrase_threshold or PHRASE_THRESHOLDS[config.phrase_score]
    chosen = scores > threshold
    pairs, scores = Pairs(*(each[chosen] for each in pairs)), scores[chosen]
    if not len(scores):
        return []
    parts = np.unique([pairs.first, pairs.second])
    words = dict(zip(parts.tolist(), numbering.words(parts), strict=True))
    phrases = [
        words[a] + DELIMITER + words[b]
        for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    numbers = numbering.add(phrases)  # two pairs may spell one word, which the text may have
    times = np.zeros(len(phrases), np.int64)
    spool.replace(_joined(spool.blocks(), pairs, numbers, times, len(numbering.counts())))
    counts = numbering.counts()
    np.add.at(counts, numbers, times - 1)  # each has been counted once
    np.subtract.at(counts, pairs.first, times)
    np.subtract.at(counts, pairs.second, times)
    return [
        Phrase(*each)
        for each in zip(phrases, scores.tolist(), times.tolist(), strict=True)
        if each[-1]
    ]


def _count(spool: Spool, tokens: int, config: Config) -> tuple[Pairs, int]:
    """Return the pairs that are not rare, and how many distinct pairs there are with the others.

    Line ends and empty strings are no words, and part them.
    """
    shares = 1
    while shares * _SHARE < tokens and shares < _MOST_SHARES:
        shares *= 2

    def count(share: int) -> tuple[Pairs, int]:
        """Count the pairs of a share."""
        parts: list[npt.NDArray[np.int64]] = []
        last = np.array([LINE_END], np.int32)
        for block in spool.blocks():
            numbers = np.concatenate([last, block])
            a, b, last = numbers[:-1], numbers[1:], numbers[-1:]
            at = np.flatnonzero((a > EMPTY) & (b > EMPTY) & (a + b & shares - 1 == share))
            parts.append(_keys(a[at], b[at]))
        keys, counts = np.unique(np.concatenate(parts), return_counts=True)
        frequent = counts >= config.min_count
        return Pairs(keys[frequent], counts[frequent]), len(keys)

    threads = min(config.threads or processors(), _AT_A_TIME)
    counted = list(in_order(count, range(shares), threads))
    keys, counts = (np.concatenate(each) for each in zip(*(p for p, _ in counted), strict=True))
    order = np.argsort(keys)
    return Pairs(keys[order], counts[order]), sum(distinct for _, distinct in counted)


def _keys(a: Numbers, b: Numbers) -> npt.NDArray[np.int64]:
    """Return pairs as one number each."""
    return a.astype(np.int64) << 32 | b


def _scores(pairs: Pairs, distinct: int, counts: Counts, config: Config) -> npt.NDArray[np.float64]:
    """Return the score of each pair, to the last bit as in plain Python, or gensim."""
    a, b, ab = counts[pairs.first], counts[pairs.second], pairs.counts
    if config.phrase_score == "counts":
        V = int(np.count_nonzero(counts[EMPTY + 1 :])) + distinct
        return (ab - config.min_count) / (a * b) * V
    tokens = int(counts[EMPTY + 1 :].sum())
    pa, pb, pab = a / tokens, b / tokens, ab / tokens
    # numpy's logarithm is not the same to the bit on all processors
    logs = [map(math.log, each.tolist()) for each in (pab / (pa * pb), pab)]
    return np.array([upper / -lower for upper, lower in zip(*logs, strict=True)])


def _joined(
    blocks: Iterable[Numbers], pairs: Pairs, new: Numbers, times: Counts, distinct: int
) -> Iterator[Numbers]:
    """Yield a text with some pairs joined; add to `times` how often each was.

    Parameters
    ----------
    blocks : iterable of ndarray of int32
        The text as numbers, and LINE_END.
    pairs : Pairs
        What is joined; not none.
    new : ndarray of int32, shape (pairs,)
        The number of the word that each becomes.
    times : ndarray of int64, shape (pairs,)
    distinct : int
        A number above all those in the text.
    """
    is_first, is_second = np.zeros((2, distinct + 1), bool)  # the last place is for line ends
    is_first[pairs.first] = is_second[pairs.second] = True
    held = np.empty(0, np.int32)  # the last number may begin a pair, whose end comes next
    for block in blocks:
        numbers = np.concatenate([held, block])
        at = np.flatnonzero(is_first[numbers[:-1]] & is_second[numbers[1:]])
        keys = _keys(numbers[at], numbers[at + 1])
        which = np.minimum(np.searchsorted(pairs.keys, keys), len(pairs.keys) - 1)
        is_pair = pairs.keys[which] == keys
        at, which = at[is_pair], which[is_pair]
        # Of a run of pairs that overlap, the first is joined, the third, and so on.
        places = np.arange(len(at))
        runs = np.maximum.accumulate(np.where(np.diff(at, prepend=-2) > 1, places, 0))
        is_joined = (places - runs) % 2 == 0
        at, which = at[is_joined], which[is_joined]
        times += np.bincount(which, minlength=len(times))
        numbers[at] = new[which]
        is_over = len(at) > 0 and at[-1] + 2 == len(numbers)
        numbers = np.delete(numbers, at + 1)
        end = len(numbers) if is_over else -1
        held = numbers[end:]
        yield numbers[:end]
    yield held
