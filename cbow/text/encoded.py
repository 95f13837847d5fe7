"""From a corpus of any form to word ids on disk, in one pass over the text.

The pass gives every word the next free number when it is first seen and writes the numbers to a
file; the frequent words are known only at its end. There pairs of words are joined, if `phrases`
asks for it. A last pass, over that file and in place, puts vocabulary ids in their place and leaves
out the rest. Memory holds the distinct words and some pieces of text.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.config import Config
from cbow.errors import CorpusError, OutputError, shown
from cbow.system.files import expanded, mapped, temporary_folder
from cbow.text.numbering import EMPTY, LINE_END, Numberer, Numbering, Numbers
from cbow.text.phrases import DELIMITER, Phrase, join_phrases
from cbow.text.reading import CorpusReader
from cbow.text.sniffing import SAMPLE, notice
from cbow.text.sources import Corpus, Sources, find_sources
from cbow.text.tokenizers import FOLLOWED, LineTokenizer, Tokenizer, line_tokenizer, normalised
from cbow.text.vocabulary import TokenAccount, Vocabulary

#: What to do about a folder that cannot be used.
ELSEWHERE: Final = "name another folder with work_folder / --work-folder"

#: Numbers handled at a time.
CHUNK: Final = 2**18

#: Stands for words that are left out.
DROPPED: Final = -2

# Tokens whose fingerprint is taken at a time.
_PIECE: Final = 2**20

_IDS: Final = "ids.int32"
_LINE_STARTS: Final = "line_starts.int64"
_PROVISIONAL: Final = "provisional.int32"

# Bytes of a text from which it is reckoned how much room it will take.
_SAMPLE: Final = 2**24


class Progress(NamedTuple):
    """How far the reading has come."""

    tokens: int  #: read so far
    bytes_done: int  #: read from files and the standard input, as they come, compressed or not
    bytes_total: int | None  #: None where nobody knows: standard input, iterables, NLTK


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A text as vocabulary ids, memory-mapped where the file system can do that.

    Line i is ``ids[line_starts[i]:line_starts[i+1]]``; lines without a kept token are left out.
    """

    ids: npt.NDArray[np.int32]  #: (T,), the kept tokens in text order
    line_starts: npt.NDArray[np.int64]  #: (L+1,)
    vocabulary: Vocabulary  #: the V words the ids stand for
    account: TokenAccount  #: what became of every token
    phrases: Sequence[Phrase] = ()  #: the words that were joined, by falling score

    @property
    def tokens(self) -> int:
        """T, how many tokens are kept."""
        return len(self.ids)

    def fingerprint(self) -> str:
        """Return SHA-256 of the ids and of the line starts, by which the text is recognised."""
        digest = hashlib.sha256()
        for array in (self.ids, self.line_starts):
            digest.update(len(array).to_bytes(8, "little"))
            for start in range(0, len(array), _PIECE):
                digest.update(array[start : start + _PIECE].data)
            self.release()
        return digest.hexdigest()

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
    placed: Callable[[Path, int], None] | None = None,
) -> EncodedCorpus:
    """Read a text once, choose its vocabulary, and write its tokens as ids to disk.

    Parameters
    ----------
    corpus : str, path, list of those, or iterable
        A file, folder, glob, address, ``"-"`` (standard input) or ``"nltk:NAME"``, or a list of
        such; or an iterable of texts (str) and lines of tokens (list of str).
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
    placed : callable, optional
        Called with `folder` and about how many bytes will be written there, if the size of the text
        is known: when the first 16 MB are read.

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
        If `folder` cannot be written to, or has too little room: of a text whose size is known this
        is noticed when the first 16 MB are read.
    """
    sources = find_sources(corpus)
    with CountedText(sources, config, folder, tokenizer) as text:
        text.count(progress, noticed, placed)
        phrases = join_phrases(text.spool, text.numbering, config)
        chosen = choose(text.numbering, text.seen, sources, config, text.cut, phrases)
        ids, line_starts = text.write(chosen.ids_of)
    chosen.check(len(ids), len(line_starts) - 1)
    return EncodedCorpus(ids, line_starts, chosen.vocabulary, chosen.account, phrases)


class Seen(NamedTuple):
    """What was seen of a text when it was read, beside its words."""

    lines: int
    tokens: int  #: the empty ones included
    blank: int  #: lines without a token, as long as none has two
    paired: bool  #: whether a line has two tokens
    replaced: int  #: times U+FFFD replaced bytes
    cut: int  #: runs of characters
    fieldless: int  #: rows without the field


class CountedText(AbstractContextManager["CountedText"]):
    """A text that is read once: its words numbered and counted, their numbers in a file.

    A context, which removes that file at its end.

    Parameters
    ----------
    sources : Sources
    config : Config
    folder : Path
    tokenizer : callable, optional
        As for `encode_corpus`.
    """

    def __init__(
        self, sources: Sources, config: Config, folder: Path, tokenizer: Tokenizer | None = None
    ) -> None:
        self.sources = sources
        self.cut = line_tokenizer(
            config.tokenizer if tokenizer is None else tokenizer, config.keep_case
        )
        self.spool = Spool(folder / _PROVISIONAL)
        self._config = config
        self._folder = folder
        self._is_known = tokenizer is None  # what a function of the user's should get is not
        self._numberer = Numberer(self.cut, config.threads)

    def __exit__(self, *error: Any) -> None:
        self.spool.__exit__(*error)

    def count(
        self,
        progress: Callable[[Progress], None] | None = None,
        noticed: Callable[[str], None] | None = None,
        placed: Callable[[Path, int], None] | None = None,
    ) -> None:
        """Read the text; the arguments are those of `encode_corpus`."""
        told: set[str] = set()
        tell = noticed if self._is_known else None  # no `self` in `look`: it would keep all words

        def look(text: str, name: str) -> None:
            """Tell what a source looks like, unless another one looked like it before."""
            if tell and (seen := notice(text[:SAMPLE], name)) and seen.kind not in told:
                told.add(seen.kind)
                tell(seen.sentence)

        self._pieces = CorpusReader(self.sources, self._config, self.cut, look)
        total = self.sources.size
        mark, reckoned = 0, False  # bytes read; whether it is known how much room they take
        for numbers, bytes_done in self._numberer.number(self._pieces):
            if total is not None and bytes_done > mark >= _SAMPLE and not reckoned:
                size, reckoned = round(self.spool.size * total / mark), True
                if placed:
                    placed(self._folder, size)
                check_room(self._folder, size - self.spool.size)
            mark = bytes_done  # of a piece, whose numbers may come in parts
            self.spool.add(numbers)
            if progress:
                progress(Progress(self.spool.tokens, bytes_done, total))

    @property
    def numbering(self) -> Numbering:
        """What knows the words, and how often each was seen."""
        return self._numberer.numbering

    @property
    def seen(self) -> Seen:
        """What else was seen."""
        spool, pieces = self.spool, self._pieces
        return Seen(
            spool.lines, spool.tokens, spool.blank, spool.paired,
            pieces.reader.replaced, pieces.cutter.cut, pieces.field.without if pieces.field else 0,
        )  # fmt: skip

    def write(self, ids_of: npt.NDArray[np.int32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Write the tokens as ids, and return `EncodedCorpus.ids` and `line_starts`.

        Parameters
        ----------
        ids_of : (distinct words + 1,) int32
            For each number the id or DROPPED, then LINE_END.
        """
        ids_path, line_starts_path = self._folder / _IDS, self._folder / _LINE_STARTS
        kept = self.spool.write(ids_of, ids_path, line_starts_path)
        if not kept:  # an empty file cannot be mapped
            return np.empty(0, np.int32), np.zeros(1, np.int64)
        with ids_path.open("rb") as file, line_starts_path.open("rb") as starts_file:
            return mapped(file, np.int32), mapped(starts_file, np.int64)  # (T,), (L+1,)


class Choice(NamedTuple):
    """The vocabulary of a text, and what it leaves out."""

    vocabulary: Vocabulary
    ids_of: npt.NDArray[np.int32]  #: for each number its id or DROPPED, then LINE_END
    account: TokenAccount
    unlearnable: Callable[[], str]  #: says why nothing can be learned, if nothing can

    def check(self, kept: int, lines: int) -> None:
        """Raise `CorpusError` if nothing can be learned from `kept` tokens on so many lines."""
        if len(self.vocabulary) < 2 or lines == kept:  # or each line holds one word
            raise CorpusError(self.unlearnable())


def choose(
    numbering: Numbering,
    seen: Seen,
    sources: Sources,
    config: Config,
    cut: LineTokenizer,
    phrases: Sequence[Phrase] = (),
) -> Choice:
    """Choose the vocabulary of a text that has been read, and account for every token.

    Parameters
    ----------
    numbering : Numbering
        Its words with their counts, after `phrases` were joined.
    seen : Seen
    sources : Sources
    config : Config
    cut : callable
        The tokenizer.
    phrases : sequence of Phrase
    """
    listed = spellings(config.keep_words, config, cut)
    stop = frozenset().union(*spellings(config.stop_words, config, cut))
    vocabulary, ids_of, rare, stopped = _choose(
        numbering, config.min_count, config.max_vocabulary, frozenset().union(*listed), stop
    )
    joined = sum(phrase.times for phrase in phrases)
    kept, empty = int(vocabulary.counts.sum()), int(numbering.counts()[EMPTY])
    account = TokenAccount(
        lines=seen.lines,
        read=seen.tokens,
        kept=kept,
        rare=rare,
        beyond=seen.tokens - joined - kept - rare - stopped - empty,
        empty=empty,
        stop=stopped,
        joined=joined,
        absent=sum(not any(map(vocabulary.__contains__, each)) for each in listed),
        replaced=seen.replaced,
        cut=seen.cut,
        skipped_files=sources.skipped,
        fieldless=seen.fieldless,
    )
    unlearnable = partial(_unlearnable, sources, seen, numbering, vocabulary, stopped, config, stop)
    return Choice(vocabulary, ids_of, account, unlearnable)


def ids_in(vocabulary: Vocabulary, numbering: Numbering) -> npt.NDArray[np.int32]:
    """Return `Choice.ids_of` for the numbers of another text than the vocabulary was chosen by."""
    numbers = np.arange(len(numbering.counts()))
    ids = {word: i for i, word in enumerate(vocabulary)}
    return np.array(
        [*(ids.get(word, DROPPED) for word in numbering.words(numbers)), LINE_END], np.int32
    )


def spellings(words: Iterable[str] | None, config: Config, cut: LineTokenizer) -> list[Set[str]]:
    """Return for each word of a list how it may stand among the tokens.

    That is as it is, for lists of tokens, or as the tokenizer returns it, if that is one word, or
    may become one.
    """
    listed: list[Set[str]] = []
    for word in words or ():
        cut_word = []
        if cut in FOLLOWED:  # a function of the user's gets lines of the text, and nothing else
            cut_word = cut(normalised(word, config.normalise, cut))
            if config.phrases:
                cut_word = [DELIMITER.join(cut_word)]
        listed.append({normalised(word, config.normalise), *cut_word[: len(cut_word) == 1]})
    return listed


def _choose(
    numbering: Numbering,
    min_count: int,
    max_vocabulary: int | None,
    keep: Set[str],
    stop: Set[str],
) -> tuple[Vocabulary, npt.NDArray[np.int32], int, int]:
    """Choose the vocabulary, and say which id takes the place of which number.

    Returns
    -------
    Vocabulary
    (distinct words + 1,) int32
        See `Choice.ids_of`.
    int, int
        How many tokens are left out as rare, and as `stop`.
    """
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
    return vocabulary, ids_of, int(rare.sum()), stopped


def _unlearnable(
    sources: Sources,
    seen: Seen,
    numbering: Numbering,
    vocabulary: Vocabulary,
    stopped: int,
    config: Config,
    stop: Set[str],
) -> str:
    """Say why nothing can be learned from a text, and what to do, which depends on the reason."""
    name = sources.name
    if seen.lines == 0:
        return f"{name} is empty; give a text with words in it"
    counts = np.delete(numbering.counts(), EMPTY)
    counts = counts[counts > 0]  # (distinct words,), without those of which nothing is left
    if len(counts) == 0:
        return (
            f"{name} holds no word, lines read: {seen.lines:,}; "
            "give a text with words in it, or choose another tokenizer / --tokenizer"
        )
    shorter = "shorten stop_words / --stop-words"
    joined = seen.tokens > numbering.counts().sum()
    fewer = "raise phrase_threshold / --phrase-threshold, so that fewer words are joined"
    if len(vocabulary) == 0:
        top = _choose(numbering, 1, 2, frozenset(), stop)[0]
        if stopped or not top:
            return (
                f"every word of {name} that occurs {config.min_count} times is among stop_words; "
                f"{shorter}, or give more text"
            )
        return (
            f"every word of {name} occurs fewer than {config.min_count} times, the most frequent, "
            f"{shown(top.word(0))}, only {top.counts[0]}; give more text or lower "
            f"min_count / --min-count to {top.counts[-1]}"
        )
    if len(vocabulary) == 1:
        remedies = ["raise max_vocabulary / --max-vocabulary"] if config.max_vocabulary == 1 else []
        if stopped:
            remedies.append(shorter)
        if joined:
            remedies.append(fewer)
        if np.count_nonzero(counts >= config.min_count) < 2:
            lower = " or lower min_count / --min-count" if len(counts) > 1 else ""
            remedies.append(f"give more text{lower}")
        return (
            f"only one word of {name} is left, {shown(vocabulary.word(0))}, and one word has no "
            f"context; {' and '.join(remedies)}"
        )
    context = "and the context of a word is the rest of its line"
    if seen.paired:
        return (
            f"no line of {name} holds two of the words that are left, {context}; give more "
            "text, lower min_count / --min-count, or raise max_vocabulary / --max-vocabulary"
            f"{f', or {fewer}' if joined else ''}"
        )
    if not sources.items:
        remedy = "give each sentence as one str or one list of words: of a list of words, [words]"
    elif seen.blank:
        remedy = (
            "join the lines to sentences, which blank lines separate, for example: "
            "awk -v RS= '{$1=$1}1' < FILE | cbow-train -"
        )
    else:
        remedy = "join the lines to sentences, for example: tr '\\n' ' ' < FILE | cbow-train -"
    return f"no line of {name} holds two words, {context}; {remedy}"


# The provisional file, and its folder.


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an OSError into an `OutputError` about `folder`, which is not known to its user yet."""
    try:
        yield
    except OutputError:  # from a block within this one
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what = f"the temporary folder {folder} is full; free some space there"
        else:
            reason = error.strerror or error
            what = f"the temporary folder {folder} cannot be used ({reason}); mend it"
        raise OutputError(f"{what}, or {ELSEWHERE}") from error


@contextlib.contextmanager
def working_folder(name: str | None) -> Iterator[Path]:
    """Yield a temporary folder for a text, in the one that was named or that of the system.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            place = expanded(name or tempfile.gettempdir())
            folder = stack.enter_context(temporary_folder(place))
        except OSError as error:
            where = f" in {name}" if name else ""
            raise OutputError(
                f"no temporary folder can be made{where} ({error.strerror or error}); free some "
                f"space, or {ELSEWHERE}"
            ) from error
        yield folder


def check_room(folder: Path, needed: int) -> None:
    """Raise `OutputError` if `folder` has not so many bytes free."""
    with _explained(folder):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"the encoded text needs about {needed / 1e9:,.2f} GB more in {folder}, but only "
            f"{free / 1e9:,.2f} GB are free there; free some space, or {ELSEWHERE}"
        )


class Spool(AbstractContextManager["Spool"]):
    """The provisional file: numbers of words, and `LINE_END` where lines end.

    A context, which removes the file at its end. That it cannot be written is an `OutputError`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path.parent):
            self._file = path.open("w+b")
        self.tokens = self.lines = 0  #: that have been added
        self.blank = 0  #: lines without a token, as long as none has two
        self.paired = False  #: whether a line has two tokens
        self._last = LINE_END

    def __exit__(self, *_: object) -> None:
        with _explained(self._path.parent):
            try:
                self._file.close()
            finally:
                self._path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes it takes, and with it, at its end, the places where lines start."""
        numbers = self.tokens + self.lines
        return numbers * np.dtype(np.int32).itemsize + self.lines * np.dtype(np.int64).itemsize

    def add(self, numbers: Numbers) -> None:
        """Append the numbers of words, and LINE_END where lines end; int32 (words + line ends,)."""
        lines = int(np.count_nonzero(numbers == LINE_END))
        self.lines += lines
        self.tokens += len(numbers) - lines
        if not self.paired and len(numbers):
            ends = np.append(self._last, numbers) == LINE_END  # (numbers + 1,)
            self.paired = bool((~ends[1:] & ~ends[:-1]).any())
            self.blank += int((ends[1:] & ends[:-1]).sum())
            self._last = int(numbers[-1])
        with _explained(self._path.parent):
            self._file.write(numbers.data)

    def blocks(self) -> Iterator[Numbers]:
        """Yield all numbers in blocks of `CHUNK`; several threads may do so at a time."""
        with _explained(self._path.parent):
            self._file.flush()
            with self._path.open("rb") as file:
                while block := file.read(CHUNK * np.dtype(np.int32).itemsize):
                    yield np.frombuffer(block, np.int32)

    def replace(self, blocks: Iterable[Numbers]) -> None:
        """Put other numbers in the place of all; they may be made of `blocks`, but get no more.

        What is written never overtakes what is read, and no second file is needed.
        """
        with _explained(self._path.parent), self._path.open("r+b") as file:
            for block in blocks:
                file.write(block.data)
            file.truncate()

    def write(self, ids_of: npt.NDArray[np.int32], ids_path: Path, line_starts_path: Path) -> int:
        """Turn the file into the ids of the T kept tokens; write where the L lines with one start.

        Parameters
        ----------
        ids_of : ndarray of int32, shape (distinct words + 1,)
            For each number the vocabulary id, or less than 0 for a word that is left out, and
            LINE_END at the end.
        ids_path, line_starts_path : Path
            Where to put the ids, int32 (T,), and the first place of each line, and T, int64 (L+1,).

        Returns
        -------
        int
            T.
        """
        kept = start = 0

        def ids(line_starts: BinaryIO) -> Iterator[Numbers]:
            """Yield the ids, and write where lines start."""
            nonlocal kept, start
            for block in self.blocks():
                codes = ids_of[block]  # (numbers,)
                others = np.flatnonzero(codes < 0)  # (line ends and dropped words,)
                # before the i-th of them, all but i are kept
                ends = kept + (others - np.arange(len(others)))[codes[others] == LINE_END]
                # a line without a kept token ends where the one before it ended: left out
                ends = ends[np.diff(ends, prepend=start) > 0]  # (new starts,)
                line_starts.write(ends.data)
                start = int(ends[-1]) if len(ends) else start
                kept += len(codes) - len(others)
                yield np.delete(codes, others)

        with _explained(ids_path.parent):
            with line_starts_path.open("wb") as line_starts:
                line_starts.write(np.zeros(1, np.int64).data)
                self.replace(ids(line_starts))
            self._file.close()
            self._path.replace(ids_path)
        return kept
