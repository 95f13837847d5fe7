r"""From a corpus of any form to pieces of text: decompression, decoding, line ends, NLTK's corpora.

A piece is text yet to be cut into tokens, or lines of tokens. It has a bounded size, so that a line
of any length fits into memory. Pieces of text laid end to end are the text: every line ends in
``\n``, and a piece that does not end in ``\n`` is continued by the next one.
"""

from __future__ import annotations

import bz2
import codecs
import functools
import io
import itertools
import lzma
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from cbow.config import Config
from cbow.errors import ConfigError, CorpusError, shown
from cbow.text.fields import MAGIC, ColumnFile, FieldReader, column_names, columnar
from cbow.text.numbering import Lines, Piece
from cbow.text.remote import Remote
from cbow.text.sniffing import HEAD, SNIFF, check_no_page, check_text, compression
from cbow.text.sources import (
    NLTK,
    STDIN,
    Part,
    Sources,
    check_readable,
    check_texts,
    opened,
    source_name,
)
from cbow.text.tokenizers import LineTokenizer, normalised, unify_line_ends, without_marks

#: Bytes read at a time, and decompressed at a time but of zstd.
BLOCK: Final = 2**15

# Bytes of zstd decompressed at a time: its blocks can be 2^15 times smaller than what is in them,
# and the decompressor puts no limit to its output.
_ZSTD_BITE: Final = 512


#: Characters in a piece at most.
PIECE: Final = 2**20

# Elements at the start of a corpus that must all look like names of files to be taken for such.
_FIRST: Final = 3


class _Replacements(threading.local):
    """How often `_replace` was called in this thread."""

    count = 0


_replacements = _Replacements()


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """Do as the codec error handler "replace" does, and count."""
    _replacements.count += 1
    return codecs.replace_errors(error)


_COUNTED_REPLACE: Final = "cbow.replace"
codecs.register_error(_COUNTED_REPLACE, _replace)


class TextReader:
    """Reads sources and streams of bytes as text, and counts what it had to replace.

    Parameters
    ----------
    encoding : str
        Character encoding of the text.
    errors : {"strict", "replace"}
        What to do with bytes that cannot be decoded.

    Attributes
    ----------
    replaced, bytes_read : int
        Replacements made and bytes read so far, as they come, compressed or not.
    """

    def __init__(self, encoding: str = "utf-8", errors: str = "strict") -> None:
        try:
            b"a".decode(encoding, "ignore")
            codecs.getincrementaldecoder(encoding)
        except UnicodeError:
            pass  # it exists; whether it fits the text is seen when that is read
        except (LookupError, ValueError):
            raise ConfigError(
                f"encoding is {shown(encoding)}, which is not known; "
                "give a known one, such as utf-8, utf-16, latin-1, cp1252 or gb18030"
            ) from None
        self.encoding = encoding
        self.errors = errors
        self.replaced = 0
        self.bytes_read = 0

    def texts(self, sources: Sources, field: FieldReader | None = None) -> Iterator[Iterator[str]]:
        r"""Yield for each source its text in parts; of rows the texts in one field.

        The lines end in ``\n``, the last one of each source too.
        """
        for item in sources.items:
            if isinstance(item, Path | Part | Remote):
                yield self._file(item, field)
                continue
            if item == STDIN:
                parts = self.read(_standard_input(), source_name(item))
            else:
                parts = ending_lines(nltk_text(item.removeprefix(NLTK)))
            yield field.text(parts, source_name(item)) if field else parts

    def _file(self, item: Path | Part | Remote, field: FieldReader | None) -> Iterator[str]:
        """Yield the text of a file in parts, or of its rows the texts in one field."""
        name = source_name(item)
        try:
            file = opened(item)
        except OSError as error:
            raise CorpusError(
                f"{name} cannot be opened ({error.strerror}); check its permissions"
            ) from None
        with file:
            try:
                cut = isinstance(item, Part) or not file.seekable()
                kind = None if cut else columnar(file.peek(MAGIC))
            except OSError as error:
                raise _unreadable(name, error) from None
            if kind is None:
                parts = self.read(file, name)
                source = item.file if isinstance(item, Part) and not item.start else item
                if isinstance(source, Remote) and source.from_web:
                    first = next(parts, "")
                    check_no_page(first, name)
                    parts = itertools.chain([first], parts)
                yield from field.text(parts, name) if field else parts
                return
        with opened(item, whole=False) as file:
            columns = ColumnFile(file, kind, name)
            if field is None:
                listed = ", ".join(map(shown, columns.names))
                raise CorpusError(
                    f"{name} is a file of {kind}, and not a text; read one of its columns with "
                    f"field / --field: {listed}"
                )
            yield from field.column(self._values(columns, field.field), columns.names, name)

    def _values(self, columns: ColumnFile, field: str) -> Iterator[Any]:
        """Yield the values in a column, and count how much of the file has been read."""
        before = self.bytes_read
        for values, share in columns.column(field):
            self.bytes_read = before + round(share * columns.size)
            yield from values

    def read(self, stream: BinaryIO, name: str) -> Iterator[str]:
        r"""Yield the text of a stream in parts; its lines end in ``\n``, the last one too.

        It may be compressed, and need not be seekable. A message calls it `name`.

        Raises
        ------
        CorpusError
            If the stream is damaged, binary, or holds bytes that cannot be decoded.
        """
        return ending_lines(self._decoded(self._blocks(stream, name), name))

    def _blocks(self, stream: BinaryIO, name: str) -> Iterator[bytes]:
        """Yield a stream as it comes, and count."""
        while True:
            try:
                block = stream.read(BLOCK)
            except OSError as error:
                raise _unreadable(name, error) from None
            if not block:
                return
            self.bytes_read += len(block)
            yield block

    def _decoded(self, blocks: Iterator[bytes], name: str) -> Iterator[str]:
        """Decompress and decode block by block."""
        head = _head(blocks, HEAD)  # a pipe yields what has arrived, maybe one byte
        kind = compression(head)
        blocks = decompressed(itertools.chain([head], blocks), kind, name)
        head = _head(blocks, SNIFF)
        check_text(head, kind, self.encoding, name)
        decoder = codecs.getincrementaldecoder(self.encoding)(
            "strict" if self.errors == "strict" else _COUNTED_REPLACE
        )
        decoded = 0  # bytes
        for block in itertools.chain([head], blocks, [b""]):  # the empty one is the end
            before = _replacements.count
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                said = f"{name} is not {self.encoding} text"
                if not isinstance(error, UnicodeDecodeError) or "BOM" in error.reason:
                    # Such as utf-16 without its byte order mark: replacing would not help.
                    raise CorpusError(
                        f"{said} from byte {decoded} on ({error}); name its encoding / --encoding, "
                        "such as utf-8"
                    ) from None
                # The decoder may have kept bytes of an earlier block, so count from the end.
                place = decoded + len(block) - len(error.object) + error.start
                raise CorpusError(
                    f"{said} at byte {place} ({error.object[error.start : error.start + 1].hex()} "
                    "hex); name its encoding / --encoding, or have such bytes replaced and counted "
                    "with errors='replace' / --errors replace"
                ) from None
            self.replaced += _replacements.count - before
            decoded += len(block)
            yield text


def _unreadable(name: str, error: OSError) -> CorpusError:
    return CorpusError(f"{name} cannot be read ({error.strerror}); check the file and the disk")


def _head(blocks: Iterator[bytes], size: int) -> bytes:
    """Join the first blocks until they are of that size or more."""
    head = b""
    while len(head) < size and (block := next(blocks, b"")):
        head += block
    return head


def decompressed(blocks: Iterator[bytes], kind: str | None, name: str) -> Iterator[bytes]:
    """Yield what is in compressed data in blocks of at most some megabytes, none empty.

    If there are several streams one after another, all are read, and nothing behind them is
    ignored, as the library's own readers of bz2, xz and zstd would do.
    """
    damage: type[Exception]
    limit: tuple[int, ...] = (BLOCK,)
    padding = b"\0"
    if kind is None:
        yield from filter(None, blocks)
        return
    if kind == "gzip":
        make: Any = functools.partial(zlib.decompressobj, wbits=31)
        damage = zlib.error
    elif kind == "bz2":
        make, damage = bz2.BZ2Decompressor, OSError
    elif kind == "xz":
        make, damage = lzma.LZMADecompressor, lzma.LZMAError
    else:
        import zstandard

        make = zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj
        damage, limit, padding = zstandard.ZstdError, (), b""
        blocks = (
            block[i : i + _ZSTD_BITE] for block in blocks for i in range(0, len(block), _ZSTD_BITE)
        )
    data = b""  # read, but not handed to a decompressor
    while True:
        data = data.lstrip(padding)
        while not data:
            if not (data := next(blocks, b"")):
                return
            data = data.lstrip(padding)
        stream = make()
        while not stream.eof:
            if getattr(stream, "needs_input", True):
                data = data or next(blocks, b"")
                if not data:
                    raise CorpusError(
                        f"{name} is cut short: its {kind} data stop in the middle; fetch or copy "
                        "it again"
                    )
            try:
                block = stream.decompress(data, *limit)
            except damage as error:
                raise CorpusError(
                    f"{name} is damaged: its {kind} data are not valid ({error}); fetch or copy "
                    "it again"
                ) from None
            data = getattr(stream, "unconsumed_tail", b"")  # of zlib: the others keep it
            if block:
                yield block
        data = stream.unused_data


def ending_lines(parts: Iterable[str]) -> Iterator[str]:
    r"""Write every line end of a text in parts as ``\n``, and end its last line.

    A byte order mark at the start of a line is dropped: there it comes from a file that was
    appended to another.
    """
    decoder, last = io.IncrementalNewlineDecoder(None, translate=True), "\n"
    for part in parts:
        text = decoder.decode(part)
        text = without_marks(text, last)
        last = text[-1:] or last
        yield text
    rest = decoder.decode("", final=True)  # "\n" if the text ends in \r
    yield rest or "\n" * (last != "\n")


def _standard_input() -> BinaryIO:
    """Return the standard input as a stream of bytes."""
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise CorpusError("the standard input is closed; pipe a text into it or name a file")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # not a file of the system, as in a notebook
        return stream
    check_readable(f"/dev/fd/{descriptor}", source_name(STDIN))
    return stream


def nltk_text(name: str) -> Iterator[str]:
    """Yield the text of ``nltk.corpus.NAME`` in parts.

    That is, of a plain corpus its files as they are, one part each; of a tagged or bracketed corpus
    its sentences, words joined with spaces, a line each.

    Raises
    ------
    CorpusError
        If NLTK knows no such corpus, has not installed it, or it holds no running text.
    """
    import nltk.corpus
    from nltk.corpus.reader import CorpusReader, PlaintextCorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    reader = getattr(nltk.corpus, name, None)
    if not isinstance(reader, LazyCorpusLoader | CorpusReader):
        raise CorpusError(
            f"NLTK has no corpus named {shown(name)}; give one of https://www.nltk.org/nltk_data, "
            "such as nltk:brown, nltk:gutenberg or nltk:reuters"
        )
    try:
        files = reader.fileids()  # loads the corpus, so that its class is known
        if isinstance(reader, PlaintextCorpusReader):
            for file in files:
                yield reader.raw(file) + "\n"
        elif hasattr(reader, "sents"):
            for sentence in reader.sents():
                yield " ".join(sentence) + "\n"
        else:
            raise CorpusError(
                f"the NLTK corpus {shown(name)} holds no running text; "
                "give one that does, such as nltk:brown"
            )
    except LookupError as error:
        needed = re.search(r"nltk\.download\('([^']+)'\)", str(error))
        raise CorpusError(
            f"the NLTK corpus {shown(name)} is not installed, or only in part; "
            f"run: python -m nltk.downloader {needed[1] if needed else name}"
        ) from None
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"a file of the NLTK corpus {shown(name)} cannot be decoded ({error}); "
            f"fetch it again: python -m nltk.downloader --force {name}"
        ) from None


# Pieces.


class Cutter:
    """Cut a stream of text at line ends, else at white space, else where a piece is full.

    Parameters
    ----------
    size : int
        Characters in a piece at most; at least one is in it.

    Attributes
    ----------
    cut : int
        Runs of characters without white space, longer than a piece, that had to be cut.
    """

    def __init__(self, size: int = PIECE) -> None:
        self.size = size
        self.cut = 0

    def pieces(self, parts: Iterable[str]) -> Iterator[str]:
        r"""Yield a text, which comes in parts and whose lines end in ``\n``, in pieces."""
        text, within = "", False  # within: the text goes on amid a run that has been cut
        for part in parts:
            text += part
            start = 0
            while len(text) - start > self.size:
                stop = start + self.size
                if line_end := 1 + text.rfind("\n", start, stop):
                    end = line_end
                elif text[stop].isspace() or text[stop - 1].isspace():
                    end = stop  # the last run fits exactly
                else:
                    end = stop - len(text[start:stop].rsplit(None, 1)[-1])
                if stuck := end == start:  # it is all one run
                    end = stop
                    self.cut += not within
                within = stuck
                yield text[start:end]
                start = end
            text = text[start:]
        if text:
            yield text


class CorpusReader:
    """Reads a corpus in pieces, with the settings of a config, and counts what it had to do.

    `reader` knows how many bytes it read and replaced, `cutter` how many runs of characters it cut,
    `field`, if there is one, how many rows do not have it. `look` is called with the first text of
    each source, and its name. The `tokenizer` is the one that will cut the lines into tokens.
    """

    def __init__(
        self,
        sources: Sources,
        config: Config,
        tokenizer: LineTokenizer,
        look: Callable[[str, str], None],
    ) -> None:
        self.sources = sources
        self.reader = TextReader(config.encoding, config.errors)
        self.cutter = Cutter()
        self.field = None if config.field is None else FieldReader(config.field)
        self._form = config.normalise
        self._tokenizer = tokenizer
        self._look = look

    def __iter__(self) -> Iterator[tuple[Piece, int]]:
        """Yield the pieces, each with the number of bytes read so far."""
        if self.sources.items:
            texts = map(self.cutter.pieces, self.reader.texts(self.sources, self.field))
            named: Iterable[tuple[Iterator[Piece], str]] = zip(
                texts, map(source_name, self.sources.items), strict=True
            )
        else:
            elements = element_pieces(self.sources.texts, self.cutter, self.field)
            named = [(elements, self.sources.name)]
        for pieces, name in named:
            for i, piece in enumerate(pieces):
                if i == 0 and isinstance(piece, str):
                    self._look(piece, name)
                if self._form == "none":  # a call for each token would take longer than the rest
                    pass
                elif isinstance(piece, str):
                    piece = normalised(piece, self._form, self._tokenizer)
                else:
                    tokens = [normalised(token, self._form) for token in piece.tokens]
                    piece = Lines(tokens, piece.ends)
                yield piece, self.reader.bytes_read


def element_pieces(
    corpus: Any, cutter: Cutter, field: FieldReader | None = None
) -> Iterator[Piece]:
    """Turn an iterable of texts and of lists of tokens into pieces.

    A str is a text of one or more lines; a list or tuple of str or of int is one line of tokens.
    The elements are taken out of a table or of rows if there is a `field`.

    Raises
    ------
    CorpusError
        If the corpus is not iterable, or an element is neither; the message then names its
        position, from 0, and its type. Also if the first texts are names of files.
    """
    if field is None or column_names(corpus) is None:
        elements = iter(check_corpus(corpus))
        first = list(itertools.islice(elements, _FIRST))
        check_texts(first)
        corpus = itertools.chain(first, elements)
    for group in _grouped(field.elements(corpus) if field else corpus):
        if isinstance(group, str):
            yield from cutter.pieces([group])
        else:
            yield group


def _grouped(corpus: Iterable[Any]) -> Iterator[Piece]:
    """Put neighbouring elements of a kind together until they are about a piece."""
    texts: list[str] = []
    lines = Lines([], [])
    size = 0
    for position, element in enumerate(corpus):
        is_text = isinstance(element, str)
        if size >= PIECE or (lines.ends if is_text else texts):
            yield unify_line_ends("".join(texts)) if texts else lines
            texts, lines, size = [], Lines([], []), 0
        if is_text:  # each ends its last line
            texts.append(element if element.endswith(("\n", "\r")) else element + "\n")
            size += len(element) + 1
        else:
            tokens = checked_tokens(element, f"element {position} of the corpus")
            lines.tokens.extend(tokens)
            lines.end_line()
            size += sum(map(len, tokens)) + 1
    if texts or lines.ends:
        yield unify_line_ends("".join(texts)) if texts else lines


def check_corpus(corpus: object) -> Iterable[Any]:
    """Return what holds texts; a table or mapping would give the names of its columns for texts.

    Raises
    ------
    CorpusError
        If `corpus` is not iterable, or is bytes, a mapping or a table.
    """
    name = f"the corpus is of type {type(corpus).__name__}"
    names = column_names(corpus)
    if isinstance(corpus, Mapping):
        first = f", such as corpus[{shown(names[0])}]" if names else ""
        raise CorpusError(
            f"{name}, whose keys would be taken for texts; give the texts in it: corpus.values(), "
            f"or what is under one key{first}"
        )
    if names is not None:
        first = f"corpus[{shown(names[0])}]" if names else "corpus[:, 0]"
        raise CorpusError(
            f"{name}, a table, whose columns would be taken for texts; give the column that holds "
            f"the texts, such as {first}"
        )
    scalar = isinstance(corpus, bytes | bytearray) or getattr(corpus, "ndim", 1) == 0
    if scalar or not isinstance(corpus, Iterable):
        raise CorpusError(f"{name}; give a list of texts (str), or of lists of words")
    return corpus


def checked_tokens(element: object, name: str) -> Sequence[str]:
    """Return the tokens of a line; whole numbers are written in digits, as ``"17"``.

    Raises
    ------
    CorpusError
        If `element` is not a list of tokens. The message calls it `name`.
    """
    expected = "a str (a text), or a list of str or of int (the tokens of a line)"
    if isinstance(element, Mapping):
        row = f"row[{shown(next(iter(element)))}]" if element else "row[NAME]"
        raise CorpusError(
            f"{name} is of type {type(element).__name__}, as the rows of a table are; give the "
            f"texts in them: ({row} for row in corpus)"
        )
    if not isinstance(element, list | tuple):
        raise CorpusError(
            f"{name} is of type {type(element).__name__}: {shown(element)}; give {expected}"
        )
    if all(isinstance(token, str) for token in element):
        return element
    for token in element:
        if isinstance(token, bool) or not isinstance(token, str | int | np.integer):
            raise CorpusError(
                f"{name} holds a token of type {type(token).__name__}: {shown(token)}; "
                f"give {expected}"
            )
    return [str(token) for token in element]
