"""From a corpus of any form to word ids on disk, in one pass over the text."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.config import Config
from cbow.errors import CorpusError, shown
from cbow.system.mapping import mapped
from cbow.text.account import TokenAccount
from cbow.text.alphabet import RULES
from cbow.text.batches import Batch, Lines, bytes_total, element_batches, source_parts
from cbow.text.fields import FieldReader
from cbow.text.notices import SAMPLE, notice
from cbow.text.numbered import Numberer
from cbow.text.numbering import EMPTY, LINE_END, Numbering
from cbow.text.pieces import Cutter
from cbow.text.reading import TextReader
from cbow.text.sources import Corpus, Sources, find_sources, source_name
from cbow.text.spool import DROPPED, Spool
from cbow.text.tokenizers import LineTokenizer, Tokenizer, line_tokenizer, normalised
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
    noticed: Callable[[str], None] | None = None,
) -> EncodedCorpus:
    """Read a text once, choose its vocabulary, and write its tokens as ids to disk.

    Parameters
    ----------
    corpus : str, path, list of those, or iterable
        A file, folder, glob, ``"-"`` (standard input) or ``"nltk:NAME"``, or a list of such; or an
        iterable of texts (str) and lines of tokens (list of str).
    config : Config
        Its settings about the text are used, from tokenizer to max_vocabulary, and threads.
    folder : Path
        Where the encoded corpus is written; the caller removes it.
    tokenizer : callable, optional
        Takes a line and returns its tokens, in place of ``config.tokenizer``.
    progress : callable, optional
        Called after every part of the text, of a million characters at most.
    noticed : callable, optional
        Called with a sentence if the text looks like none that `tokenizer` should get: like JSON
        lines, a table or markup, or a script without spaces.

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
    cut = line_tokenizer(config.tokenizer if tokenizer is None else tokenizer, config.keep_case)
    sources = find_sources(corpus)
    reader = TextReader(config.encoding, config.errors)
    field = None if config.field is None else FieldReader(config.field)
    reading = _Reading(corpus, sources, Cutter(), reader, field, config.normalise, cut)
    told: set[str] = set()

    def look(text: str, name: str) -> None:
        """Tell what a source looks like, unless another one looked like it before."""
        if not noticed or tokenizer is not None:
            return  # what a function of the user's should get is not known
        if (seen := notice(text[:SAMPLE], name)) and seen.kind not in told:
            told.add(seen.kind)
            noticed(seen.sentence)

    numberer = Numberer(cut, config.threads)
    with Spool(folder / _PROVISIONAL) as spool:
        total = bytes_total(sources) if sources else None
        for numbers, bytes_done in numberer.number(reading.batches(look)):
            spool.add(numbers)
            if progress:
                progress(Progress(spool.tokens, bytes_done, total))
        numbering = numberer.numbering
        listed = _spellings(config.keep_words, config, cut)
        keep = frozenset().union(*listed)
        stop = frozenset().union(*_spellings(config.stop_words, config, cut))
        choice = _choose(numbering, config.min_count, config.max_vocabulary, keep, stop)
        _check_learnable(reading, spool, numbering, choice, config, stop)
        kept = spool.write(choice.ids_of, folder / _IDS, folder / _LINE_STARTS)
    empty = int(numbering.counts()[EMPTY])
    line_starts = _mapped(folder / _LINE_STARTS, np.int64)
    if len(line_starts) == kept + 1:
        raise CorpusError(_no_pair(reading, spool))
    return EncodedCorpus(
        ids=_mapped(folder / _IDS, np.int32),
        line_starts=line_starts,
        vocabulary=choice.vocabulary,
        account=TokenAccount(
            lines=spool.lines,
            read=spool.tokens,
            kept=kept,
            rare=choice.rare,
            beyond=spool.tokens - kept - choice.rare - choice.stop - empty,
            empty=empty,
            stop=choice.stop,
            absent=sum(not any(map(choice.vocabulary.__contains__, each)) for each in listed),
            replaced=reader.replaced,
            cut=reading.cutter.cut,
            skipped_files=sources.skipped if sources else 0,
            fieldless=field.without if field else 0,
        ),
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
    field: FieldReader | None
    form: str
    tokenizer: LineTokenizer

    @property
    def name(self) -> str:
        return self.sources.name if self.sources else "the text"

    def batches(self, look: Callable[[str, str], None]) -> Iterator[tuple[Batch, int]]:
        """Yield the corpus in batches, each with the number of bytes read so far.

        `look` is called with the first text of each source, and the name of that.
        """
        for batch in self._batches(look):
            if self.form == "none":  # a call for each token would take longer than the rest
                pass
            elif isinstance(batch, str):
                batch = normalised(batch, self.form, self.tokenizer)
            else:
                tokens = [normalised(token, self.form) for token in batch.tokens]
                batch = Lines(tokens, batch.ends)
            yield batch, self.reader.bytes_read

    def _batches(self, look: Callable[[str, str], None]) -> Iterator[Batch]:
        if self.sources is None:
            batches = element_batches(self.corpus, self.cutter, self.field)
            named: Iterable[tuple[Iterator[Batch], str]] = [(batches, self.name)]
        else:
            parts = source_parts(self.sources, self.reader, self.field)
            pieces = map(self.cutter.pieces, parts)
            named = zip(pieces, map(source_name, self.sources.items), strict=True)
        for batches, name in named:
            for i, batch in enumerate(batches):
                if i == 0 and isinstance(batch, str):
                    look(batch, name)
                yield batch


class _Choice(NamedTuple):
    """The vocabulary, and what it leaves out."""

    vocabulary: Vocabulary
    ids_of: npt.NDArray[np.int32]  #: for each number its id or DROPPED, then LINE_END
    rare: int  #: tokens
    stop: int  #: tokens


def _spellings(words: Iterable[str] | None, config: Config, cut: LineTokenizer) -> list[Set[str]]:
    """Return for each word of a list how it may stand among the tokens.

    That is as it is, for lists of tokens, or as the tokenizer returns it, if that is one word.
    """
    spellings: list[Set[str]] = []
    for word in words or ():
        cut_word = []
        if cut in RULES:  # a function of the user's gets lines of the text, and nothing else
            cut_word = cut(normalised(word, config.normalise, cut))
        spellings.append({normalised(word, config.normalise), *cut_word[: len(cut_word) == 1]})
    return spellings


def _choose(
    numbering: Numbering,
    min_count: int,
    max_vocabulary: int | None,
    keep: Set[str],
    stop: Set[str],
) -> _Choice:
    """Choose the vocabulary, and say which id takes the place of which number."""
    counts = numbering.counts()  # (distinct words,)
    numbers = np.flatnonzero(counts >= (1 if keep else min_count))  # words to keep may be rare
    numbers = numbers[numbers != EMPTY]  # (candidates,)
    words = numbering.words(numbers)
    count_of = dict(zip(words, counts[numbers].tolist(), strict=True))
    stopped = sum(n for w in stop & count_of.keys() if (n := count_of.pop(w)) >= min_count)
    vocabulary = Vocabulary.from_counts(count_of, min_count, max_vocabulary, keep)
    ids = {word: i for i, word in enumerate(vocabulary)}
    ids_of = np.full(len(counts) + 1, DROPPED, np.int32)
    ids_of[numbers] = [ids.get(word, DROPPED) for word in words]
    ids_of[LINE_END] = LINE_END
    rare = np.where((ids_of[:-1] == DROPPED) & (counts < min_count), counts, 0)
    rare[EMPTY] = 0
    return _Choice(vocabulary, ids_of, int(rare.sum()), stopped)


def _check_learnable(
    reading: _Reading,
    spool: Spool,
    numbering: Numbering,
    choice: _Choice,
    config: Config,
    stop: Set[str],
) -> None:
    """Raise unless two words are left to learn from."""
    name, vocabulary = reading.name, choice.vocabulary
    if spool.lines == 0:
        raise CorpusError(f"{name} is empty; give a text with words in it")
    counts = np.delete(numbering.counts(), EMPTY)  # (distinct words,)
    if len(counts) == 0:
        raise CorpusError(
            f"{name} holds no word, lines read: {spool.lines:,}; "
            "give a text with words in it, or choose another tokenizer / --tokenizer"
        )
    shorter = "shorten stop_words / --stop-words"
    if len(vocabulary) == 0:
        top = _choose(numbering, 1, 2, frozenset(), stop).vocabulary
        if choice.stop or not top:
            raise CorpusError(
                f"every word of {name} that occurs {config.min_count} times is among stop_words; "
                f"{shorter}, or give more text"
            )
        raise CorpusError(
            f"every word of {name} occurs fewer than {config.min_count} times, the most frequent, "
            f"{shown(top.word(0))}, only {top.counts[0]}; give more text or lower "
            f"min_count / --min-count to {top.counts[-1]}"
        )
    if len(vocabulary) == 1:
        remedies = ["raise max_vocabulary / --max-vocabulary"] if config.max_vocabulary == 1 else []
        if choice.stop:
            remedies.append(shorter)
        if np.count_nonzero(counts >= config.min_count) < 2:
            lower = " or lower min_count / --min-count" if len(counts) > 1 else ""
            remedies.append(f"give more text{lower}")
        raise CorpusError(
            f"only one word of {name} is left, {shown(vocabulary.word(0))}, and one word has no "
            f"context; {' and '.join(remedies)}"
        )


def _no_pair(reading: _Reading, spool: Spool) -> str:
    """Say that each word stands alone on its line, and what to do, which depends on the reason."""
    context = "and the context of a word is the rest of its line"
    if spool.paired:
        return (
            f"no line of {reading.name} holds two of the words that are left, {context}; give more "
            "text, lower min_count / --min-count, or raise max_vocabulary / --max-vocabulary"
        )
    if reading.sources is None:
        remedy = "give each sentence as one str or one list of words: of a list of words, [words]"
    else:
        join = "awk -v RS= '{$1=$1}1'" if spool.blank else "tr '\\n' ' '"
        remedy = (
            "join the lines to sentences"
            f"{', which blank lines part' if spool.blank else ''}, for example: "
            f"{join} < FILE | cbow-train -"
        )
    return f"no line of {reading.name} holds two words, {context}; {remedy}"
