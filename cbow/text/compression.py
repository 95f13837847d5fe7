"""Bytes out of a stream that may be compressed; the content decides, not the name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from cbow.errors import CorpusError

#: Bytes read at a time.
BLOCK: Final = 2**15

#: Bytes needed to tell how a stream is compressed.
HEAD: Final = 10

_MAGIC: Final = {
    "gzip": (b"\x1f\x8b\x08",),
    "bz2": tuple(
        b"BZh%d%s" % (level, block)
        for level in range(1, 10)
        for block in (b"1AY&SY", b"\x17rE8P\x90")  # a first block, or the end at once
    ),
    "xz": (b"\xfd7zXZ\x00",),
    "zst": (b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % i for i in range(0x50, 0x60))),
}

# Bytes of zstd handed over at a time: its blocks can be 2^15 times smaller than their content, and
# the decompressor puts no limit to its output.
_ZSTD_BITE: Final = 512


class _DamagedError(Exception):
    """What a decompressor said about data it cannot read."""


def compression(head: bytes) -> str | None:
    """Tell from the first `HEAD` bytes how a stream is compressed; None if it is not."""
    return next((kind for kind, magic in _MAGIC.items() if head.startswith(magic)), None)


def decompressed(stream: BinaryIO, kind: str | None, name: str) -> Iterator[bytes]:
    """Yield the content of a stream in blocks of at most some megabytes, none empty.

    Parameters
    ----------
    stream : binary file
        Positioned at its start.
    kind : {"gzip", "bz2", "xz", "zst"} or None
        As `compression` told.
    name : str
        How to call the stream in a message.

    Raises
    ------
    CorpusError
        If the stream is cut short or damaged.
    """
    blocks = {"gzip": _gzip, "bz2": _bz2, "xz": _xz, "zst": _zst, None: _plain}[kind](stream)
    while True:
        try:
            block = next(blocks, None)
        except EOFError:
            raise CorpusError(
                f"{name} is cut short: its {kind} data stop in the middle; fetch or copy it again"
            ) from None
        except (OSError, lzma.LZMAError, zlib.error, _DamagedError) as error:
            raise CorpusError(
                f"{name} is damaged: it is no proper {kind} data ({error}); fetch or copy it again"
            ) from None
        if block is None:
            return
        yield block


def _blocks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    return iter(lambda: read(BLOCK), b"")


def _plain(stream: BinaryIO) -> Iterator[bytes]:
    return _blocks(stream.read)


def _gzip(stream: BinaryIO) -> Iterator[bytes]:
    return _blocks(gzip.GzipFile(fileobj=stream, mode="rb").read)


def _bz2(stream: BinaryIO) -> Iterator[bytes]:
    return _one_after_another(stream, bz2.BZ2Decompressor)


def _xz(stream: BinaryIO) -> Iterator[bytes]:
    return _one_after_another(stream, lzma.LZMADecompressor)


def _one_after_another(
    stream: BinaryIO, make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    """Decompress all that a file holds; BZ2File and LZMAFile ignore what is damaged at its end."""
    data = stream.read(BLOCK)
    while data:
        decompressor = make()
        while not decompressor.eof:
            if decompressor.needs_input:
                data = data or stream.read(BLOCK)
                if not data:
                    raise EOFError
            if block := decompressor.decompress(data, BLOCK):
                yield block
            data = b""
        data = decompressor.unused_data.lstrip(b"\0")  # xz pads with zeros
        while not data and (more := stream.read(BLOCK)):
            data = more.lstrip(b"\0")


def _zst(stream: BinaryIO) -> Iterator[bytes]:
    """Decompress frame after frame; the library's own reader would not tell a frame cut short."""
    import zstandard

    make = zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj
    frame, started = make(), False
    while bite := stream.read(_ZSTD_BITE):
        while bite:
            try:
                block = frame.decompress(bite)
            except zstandard.ZstdError as error:
                raise _DamagedError(error) from None
            started, bite = True, b""
            if frame.eof:
                bite = frame.unused_data
                frame, started = make(), False
            if block:
                yield block
    if started:
        raise EOFError
