"""From bytes to text: decompression, the check for binary files, decoding, line ends."""

from __future__ import annotations

import codecs
import io
import shlex
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, cast

from cbow.errors import ConfigError, CorpusError, shown
from cbow.text.compression import HEAD, compression, decompressed
from cbow.text.sources import STDIN, source_name
from cbow.text.tokenizers import without_marks

#: Bytes at the start of a text by which a binary file is told.
SNIFF: Final = 8192

#: First bytes of well-known files that are no text.
BINARY_MAGIC: Final = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"\x7fELF", b"MZ", b"Rar!"),
    *(b"7z\xbc\xaf", b"SQLite format 3", b"\xca\xfe\xba\xbe", b"OggS", b"RIFF", b"ID3"),
)

#: First bytes of a zip archive, and of an empty one.
ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")

# How tar is told that the archive it reads from a pipe is compressed.
_TAR_FLAGS: Final = {None: "-xO", "gzip": "-xzO", "bz2": "-xjO", "xz": "-xJO", "zst": "--zstd -xO"}

# A text may hold a few control characters; of random bytes an eighth are such.
_CONTROLS: Final = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - set(
    "\b\t\n\v\f\r\x1b\x85"
)
_MANY_CONTROLS: Final = 16
_CONTROL_SHARE: Final = 0.1


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


def check_encoding(encoding: str) -> None:
    """Raise `ConfigError` if Python has no character encoding of that name."""
    try:
        b"a".decode(encoding, "ignore")
        codecs.getincrementaldecoder(encoding)
    except UnicodeError:
        return  # it exists; whether it fits the text is seen when that is read
    except (LookupError, ValueError):
        raise ConfigError(
            f"encoding is {shown(encoding)}, which is not known; "
            "give a known one, such as utf-8, utf-16, latin-1, cp1252 or gb18030"
        ) from None


class TextReader:
    """Reads streams of bytes as text, and counts what it had to replace.

    Parameters
    ----------
    encoding : str
        Character encoding of the text.
    errors : {"strict", "replace"}
        What to do with bytes that are no text.

    Attributes
    ----------
    replaced : int
        Replacements made so far, over all streams.
    bytes_read : int
        Bytes read so far, as they come, compressed or not.

    Raises
    ------
    ConfigError
        If the encoding is not known.
    """

    def __init__(self, encoding: str = "utf-8", errors: str = "strict") -> None:
        check_encoding(encoding)
        self.encoding = encoding
        self.errors = errors
        self.replaced = 0
        self.bytes_read = 0

    def read(self, stream: BinaryIO, name: str) -> Iterator[str]:
        r"""Yield the text of a stream in parts; its lines end in ``\n``, the last one too.

        Parameters
        ----------
        stream : binary file
            Compressed or not; it need not be seekable.
        name : str
            How to call the stream in a message.

        Raises
        ------
        CorpusError
            If the stream is damaged, binary, or holds bytes that are no text.
        """
        rejoined = _Rejoined(stream, self, name)
        kind = compression(rejoined.head)
        blocks = decompressed(cast(BinaryIO, io.BufferedReader(rejoined)), kind, name)
        return ending_lines(self._decoded(blocks, kind, name))

    def _decoded(self, blocks: Iterator[bytes], kind: str | None, name: str) -> Iterator[str]:
        """Decode block by block."""
        head = b""
        while len(head) < SNIFF and (block := next(blocks, b"")):
            head += block
        _refuse_archive(head, kind, name)
        self._refuse_binary(head[:SNIFF], name)
        decoder = codecs.getincrementaldecoder(self.encoding)(
            "strict" if self.errors == "strict" else _COUNTED_REPLACE
        )
        taken = len(head)  # bytes given to the decoder
        yield self._decode(decoder, head, taken, name)
        for block in blocks:
            taken += len(block)
            yield self._decode(decoder, block, taken, name)
        yield self._decode(decoder, b"", taken, name)

    def _decode(
        self, decoder: codecs.IncrementalDecoder, block: bytes, taken: int, name: str
    ) -> str:
        """Decode one block, the empty one being the end; `taken` bytes then have been decoded."""
        before = _replacements.count
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeError as error:
            start = taken - len(block)
            raise CorpusError(_no_text(error, start, taken, self.encoding, name)) from None
        self.replaced += _replacements.count - before
        return text

    def _refuse_binary(self, head: bytes, name: str) -> None:
        """Raise if the first bytes are no text and look like a program, a picture, an archive."""
        make = codecs.getincrementaldecoder(self.encoding)
        try:
            text, decodes = make("strict").decode(head), True
        except UnicodeError:
            decodes = False
            try:
                text = make("ignore").decode(head)
            except UnicodeError:
                text = ""
        controls = sum(map(text.count, _CONTROLS))
        many = controls >= _MANY_CONTROLS and controls > _CONTROL_SHARE * len(text)
        if many or (head.startswith(BINARY_MAGIC) and not decodes):
            raise CorpusError(
                f"{name} looks like a binary file; give a text file, or, if it is a text in "
                "another encoding such as utf-16, name that encoding / --encoding"
            )


def _refuse_archive(head: bytes, kind: str | None, name: str) -> None:
    """Raise if the first bytes, which came out of a stream compressed as `kind`, are an archive's.

    Of a tar archive, old or new, each header holds the sum of its 512 bytes, in octal digits at
    148; for the sum these eight bytes count as spaces.
    """
    shown, piped = shlex.quote(name), name == source_name(STDIN)
    if head.startswith(ZIP_MAGIC):
        unzip = "unzip it first" if piped else f"for example: unzip -p {shown} | cbow-train -"
        raise CorpusError(
            f"{name} is a zip archive, as .docx, .odt and .epub files are, and not a text; "
            f"give the text that is in it, {unzip}"
        )
    header = head[:512]
    digits = header[148:156].strip(b" \0")
    if len(header) == 512 and digits.isdigit() and set(digits) <= set(b"01234567"):
        others = header[:148] + b" " * 8 + header[156:]
        signed = sum(others) - 256 * sum(byte > 127 for byte in others)
        if int(digits, 8) in (sum(others), signed):
            tar = f"tar {_TAR_FLAGS[kind]}" if piped else f"tar -xOf {shown}"
            raise CorpusError(
                f"{name} is a tar archive, and not a text; give the texts that are in it, for "
                f"example: {tar} | cbow-train -"
            )


def _no_text(error: UnicodeError, start: int, taken: int, encoding: str, name: str) -> str:
    """Say where the bytes are that are no text; `start` to `taken` were decoded at once.

    Places are counted from 0 in the uncompressed stream.
    """
    if isinstance(error, UnicodeDecodeError) and "BOM" not in error.reason:
        # the decoder may have kept bytes of an earlier block: count from the end, which is known
        offset = taken - len(error.object) + error.start
        where = f"at byte {offset} ({error.object[error.start : error.start + 1].hex()} hex)"
        return (
            f"{name} is no {encoding} text {where}; name its encoding / --encoding, or have such "
            "bytes replaced and counted with errors='replace' / --errors replace"
        )
    # Such as utf-16 without its byte order mark: replacing would not help, and is not done.
    return (
        f"{name} is no {encoding} text from byte {start} on ({error}); "
        "name its encoding / --encoding, such as utf-8"
    )


def ending_lines(parts: Iterable[str]) -> Iterator[str]:
    r"""Write every line end of a text in parts as ``\n``, and end its last line.

    A byte order mark at the start of a line is dropped: there it comes from a file that was put
    behind another.
    """
    decoder, last = io.IncrementalNewlineDecoder(None, translate=True), "\n"
    for part in parts:
        text = decoder.decode(part)
        text = without_marks(text, last)
        last = text[-1:] or last
        yield text
    rest = decoder.decode("", final=True)  # "\n" if the text ends in \r
    yield rest or "\n" * (last != "\n")


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes have been looked at and are read again.

    Pipes give what has arrived, maybe one byte, so that a peek would not do.
    """

    def __init__(self, stream: BinaryIO, reader: TextReader, name: str) -> None:
        self._stream = stream
        self._name = name
        self._reader = reader
        self.head = b""
        while len(self.head) < HEAD and (more := self._next(HEAD - len(self.head))):
            self.head += more
        self._left = self.head

    def _next(self, size: int) -> bytes:
        """Read on in the stream, and count."""
        try:
            block = self._stream.read(size)
        except OSError as error:
            raise CorpusError(
                f"{self._name} cannot be read ({error.strerror}); check the file and the disk"
            ) from None
        self._reader.bytes_read += len(block)
        return block

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: Buffer
        block = self._left or self._next(len(buffer))
        taken = min(len(block), len(buffer))
        buffer[:taken] = block[:taken]
        self._left = block[taken:]
        return taken
