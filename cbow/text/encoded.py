"""From a corpus of any form to word ids on disk, in one pass over the text."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.config import Config
from cbow.errors import CorpusError
from cbow.mapping import mapped
from cbow.text.account import TokenAccount
from cbow.text.batches import Batch, bytes_total, element_batches, source_parts
from cbow.text.numbered import Numberer
from cbow.text.numbering import EMPTY, LINE_END, Numbering
from cbow.text.pieces import Cutter
from cbow.text.reading import TextReader
from cbow.text.sources import Corpus, Sources, find_sources
from cbow.text.spool import DROPPED, Spool
from cbow.text.tokenizers import Tokenizer, line_tokenizer
from cbow.text.vocabulary import Vocabulary

_IDS: Final = "ids.int32"
_LINE_STARTS: Final = "line_starts.int64"
_PROVISIONAL: Final = "provisional.int32"


class Progress(NamedTuple):
    """How far the reading has come.

    Attributes
    ----------
    tokens : int
        Tokens read.
    bytes_done : int
        Bytes read from files and the standard input, as they come, compressed or not.
    bytes_total : int or None
        Bytes there are; None where nobody knows: standard input, iterables, NLTK.
    """

    tokens: int
    bytes_done: int
    bytes_total: int | None


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A text as vocabulary ids, memory-mapped where the file system can do that.

    Attributes
    ----------
    ids : ndarray of int32, shape (T,)
        The kept tokens in text order.
    line_starts : ndarray of int64, shape (L+1,)
        Line i is ``ids[line_starts[i]:line_starts[i+1]]``; lines without a kept token are left out.
    vocabulary : Vocabulary
        The V words the ids stand for.
    account : TokenAccount
        What became of every token.
    """

    ids: npt.NDArray[np.int32]
    line_starts: npt.NDArray[np.int64]
    vocabulary: Vocabulary
    account: TokenAccount

    def release(self) -> None:
        """Let go of the pages read so far, where the system can; they come back when needed.

        Without it, the memory of a process that walks through the arrays seems to grow with the
        text, although the system could take it back at any time.
        """
        for array in (self.ids, self.line_starts):
            pages: object = array.base
            if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                pages.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the files, for some file systems cannot remove one that is in use."""
        for name in ("ids", "line_starts"):
            object.__setattr__(self, name, getattr(self, name)[:0].copy())


def encode_corpus(
    corpus: Corpus,
    config: Config,
    *,
    folder: Path,
    tokenizer: Tokenizer | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> EncodedCorpus:
    """Read a text once, choose its vocabulary, and write its tokens as ids to disk.

    Parameters
    ----------
    corpus : str, path, list of those, or iterable
        A file, folder, glob, ``"-"`` (standard input) or ``"nltk:NAME"``, or a list of such; or an
        iterable of texts (str) and lines of tokens (list of str).
    config : Config
        Its tokenizer, encoding, errors, min_count, max_vocabulary and threads are used.
    folder : Path
        Where the encoded corpus is written; the caller removes it.
    tokenizer : callable, optional
        Takes a line and returns its tokens, in place of ``config.tokenizer``.
    progress : callable, optional
        Called after every part of the text, of a million characters at most.

    Returns
    -------
    EncodedCorpus
        Its arrays are mapped from `folder`.

    Raises
    ------
    CorpusError
        If the text cannot be read, or fewer than two distinct words are left.
    ConfigError
        If the tokenizer or the encoding is not known.
    OutputError
        If `folder` cannot be written to.
    """
    cut = line_tokenizer(config.tokenizer if tokenizer is None else tokenizer)
    sources = find_sources(corpus)
    reading = _Reading(corpus, sources, Cutter(), TextReader(config.encoding, config.errors))
    numberer = Numberer(cut, config.threads)
    with Spool(folder / _PROVISIONAL) as spool:
        total = bytes_total(sources) if sources else None
        for numbers, bytes_done in numberer.number(reading.batches()):
            spool.add(numbers)
            if progress:
                progress(Progress(spool.tokens, bytes_done, total))
        vocabulary, ids_of = _choose(numberer.numbering, config)
        _check_learnable(reading, spool, numberer.numbering, vocabulary, config)
        kept = spool.write(ids_of, folder / _IDS, folder / _LINE_STARTS)
    return EncodedCorpus(
        ids=_mapped(folder / _IDS, np.int32),
        line_starts=_mapped(folder / _LINE_STARTS, np.int64),
        vocabulary=vocabulary,
        account=_account(reading, spool, numberer.numbering.counts(), kept, config),
    )


def _mapped(path: Path, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    with path.open("rb") as file:
        return mapped(file, dtype)


class _Reading(NamedTuple):
    """A corpus with all that is needed to read it and that counts along the way."""

    corpus: Any
    sources: Sources | None
    cutter: Cutter
    reader: TextReader

    @property
    def name(self) -> str:
        return self.sources.name if self.sources else "the text"

    def batches(self) -> Iterator[tuple[Batch, int]]:
        """Yield the corpus in batches, each with the number of bytes read so far."""
        for batch in self._batches():
            yield batch, self.reader.bytes_read

    def _batches(self) -> Iterator[Batch]:
        if self.sources is None:
            if not isinstance(self.corpus, Iterable) or isinstance(self.corpus, bytes):
                raise CorpusError(
                    f"the corpus is of type {type(self.corpus).__name__}; "
                    "give a file name, a list of texts or an iterable of lists of tokens"
                )
            yield from element_batches(self.corpus, self.cutter)
            return
        for parts in source_parts(self.sources, self.reader):
            yield from self.cutter.pieces(parts)


def _choose(numbering: Numbering, config: Config) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
    """Choose the vocabulary, and say which id takes the place of which number."""
    counts = numbering.counts()  # (distinct words,)
    numbers = np.flatnonzero(counts >= config.min_count)  # (frequent words,)
    numbers = numbers[numbers != EMPTY]
    words = numbering.words(numbers)
    vocabulary = Vocabulary.from_counts(
        dict(zip(words, counts[numbers].tolist(), strict=True)),
        max_vocabulary=config.max_vocabulary,
    )
    ids = {word: i for i, word in enumerate(vocabulary)}
    ids_of = np.full(len(counts) + 1, DROPPED, np.int32)
    ids_of[numbers] = [ids.get(word, DROPPED) for word in words]
    ids_of[LINE_END] = LINE_END
    return vocabulary, ids_of


def _check_learnable(
    reading: _Reading, spool: Spool, numbering: Numbering, vocabulary: Vocabulary, config: Config
) -> None:
    """Raise unless two words are left to learn from."""
    name = reading.name
    if spool.lines == 0:
        raise CorpusError(f"{name} is empty; give a text with words in it")
    counts = np.delete(numbering.counts(), EMPTY)  # (distinct words,)
    if len(counts) == 0:
        raise CorpusError(
            f"{name} holds no word, lines read: {spool.lines:,}; "
            "give a text with words in it, or choose another tokenizer / --tokenizer"
        )
    if len(vocabulary) == 0:
        top, _ = _choose(numbering, config.replace({"min_count": 1, "max_vocabulary": 2}))
        raise CorpusError(
            f"every word of {name} occurs fewer than {config.min_count} times, the most frequent, "
            f"{top.word(0)!r:.60}, only {top.counts[0]}; give more text or lower "
            f"min_count / --min-count to {top.counts[-1]}"
        )
    if len(vocabulary) == 1:
        raise CorpusError(
            f"only one word of {name} is left, {vocabulary.word(0)!r:.60}, and one word has no "
            f"context; {_remedy(counts, config)}"
        )


def _remedy(counts: npt.NDArray[np.int64], config: Config) -> str:
    """Say how a second word would be left."""
    remedies = ["raise max_vocabulary / --max-vocabulary"] if config.max_vocabulary == 1 else []
    if np.count_nonzero(counts >= config.min_count) < 2:
        lower = " or lower min_count / --min-count" if len(counts) > 1 else ""
        remedies.append(f"give more text{lower}")
    return " and ".join(remedies)


def _account(
    reading: _Reading, spool: Spool, counts: npt.NDArray[np.int64], kept: int, config: Config
) -> TokenAccount:
    """Put together what became of every token."""
    empty = int(counts[EMPTY])
    words = np.delete(counts, EMPTY)  # (distinct words,)
    rare = int(words[words < config.min_count].sum())
    return TokenAccount(
        lines=spool.lines,
        read=spool.tokens,
        kept=kept,
        rare=rare,
        beyond=int(words.sum()) - rare - kept,
        empty=empty,
        replaced=reading.reader.replaced,
        cut=reading.cutter.cut,
        skipped_files=reading.sources.skipped if reading.sources else 0,
    )
