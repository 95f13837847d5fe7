"""Files opened and written as bytes, through gzip where there is gzip."""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from cbow.errors import ModelFileError
from cbow.system import safetensors_file
from cbow.system.files import check_regular, replacing, unopened

#: How a gzip file begins.
GZIP: Final = b"\x1f\x8b\x08"

#: How hard gzip tries. With digits 9 takes nine times as long as 4, and saves one byte in fifteen.
_LEVEL: Final = 4

#: What unpacks to fewer bytes than this is never too much.
SMALL: Final = 2**25

#: No gzip data unpack to more times their size.
_DEFLATE: Final = 1032

#: Bytes at the start of a file by which its format is recognised.
HEAD: Final = 2**16


class Source:
    """A file or folder to be read, with what was read of it to recognise its format.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(self.path)  # which, unlike the method, raises nothing

    @cached_property
    def packed(self) -> bool:
        """Whether its content is packed with gzip."""
        return self._begin.startswith(GZIP)

    @cached_property
    def head(self) -> bytes:
        """Its first bytes, unpacked."""
        head = self._begin
        if self.packed:
            with opened(self.path, math.inf) as unpacked:
                head = unpacked.stream.read(HEAD)
        return head

    @cached_property
    def lines(self) -> list[bytes]:
        """Its first line, its second, and the rest of its head."""
        head = self.head
        if len(head) == HEAD:  # it may end within a number
            head = head.rsplit(None, 1)[0]
        return head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)

    @cached_property
    def like_safetensors(self) -> bool:
        """Whether it begins like a safetensors file."""
        length = int.from_bytes(self._begin[:8], "little")
        return self._begin[8:9] == b"{" and length <= safetensors_file.LONGEST_HEADER

    @cached_property
    def safetensors(self) -> safetensors_file.Contents:
        """Its arrays, mapped, and its texts, not held against its checksums."""
        return safetensors_file.read(self.path)

    @cached_property
    def _begin(self) -> bytes:
        if self.is_folder:
            return b""
        check_regular(self.path)
        with explained(self.path), self.path.open("rb") as file:
            return file.read(HEAD)


class _Bounded:
    """A stream that ends with an error when more is read than may be.

    Parameters
    ----------
    path : Path
        For the error.
    stream : file of bytes
    most : float
        How many bytes may be read.
    """

    def __init__(self, path: Path, stream: IO[bytes], most: float) -> None:
        self._path = path
        self._stream = stream
        self._left = self._most = most

    def read(self, size: int) -> bytes:
        """Read up to so many bytes."""
        return self._counted(self._stream.read(size))

    def readline(self, size: int) -> bytes:
        """Read a line of up to so many bytes."""
        return self._counted(self._stream.readline(size))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise too_much(self._path, f"unpacks to more than {self._most:.0f} bytes")
        return data


def most_bytes(size: int, max_expansion: float) -> float:
    """Return how many bytes a file of this size may become."""
    return max(SMALL, size * max_expansion)


def too_much(name: object, what: str) -> ModelFileError:
    """Create the error about a file that would become too large."""
    return ModelFileError(
        f"{name} {what}, far more than its size on disk, as if made to fill the memory; if you "
        "trust it, let it become so many times its size with max_expansion=TIMES (--max-expansion "
        "TIMES)"
    )


class Opened(NamedTuple):
    """A file that is being read."""

    stream: IO[bytes]  #: its content, unpacked
    size: int | None  #: the bytes of it; None where only unpacking all of it would tell


@contextlib.contextmanager
def opened(path: Path, max_expansion: float) -> Iterator[Opened]:
    """Open a file, unpacked if its content is gzip, and explain what goes wrong while it is open.

    Parameters
    ----------
    path : Path
    max_expansion : float
        How many times the size of a packed file may be read of it.

    Raises
    ------
    ModelFileError
        If it is not a regular file, or cannot be read or unpacked, or unpacks to too much.
    """
    check_regular(path)
    with explained(path), path.open("rb") as file:
        size = path.stat().st_size
        if file.peek(len(GZIP)).startswith(GZIP):
            most = most_bytes(size, max_expansion)
            file.seek(-4, os.SEEK_END)
            last = int.from_bytes(file.read(4), "little")  # bytes of the content, unless damaged
            file.seek(0)
            if most < last <= _DEFLATE * size:
                raise too_much(path, f"unpacks to {last} bytes")
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                stream = _Bounded(path, cast(IO[bytes], unpacked), most)
                yield Opened(cast(IO[bytes], stream), None)
        else:
            yield Opened(file, size)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what Python raises about a file that is read into a `ModelFileError`."""
    try:
        yield
    except EOFError:
        raise ModelFileError(
            f"{path} is cut short: its gzip data stop in the middle; fetch or copy it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ModelFileError(
            f"{path} is damaged: it is not proper gzip data ({error}); fetch or copy it again"
        ) from None
    except OSError as error:
        raise ModelFileError(unopened(path, error)) from error


@contextlib.contextmanager
def created(path: Path) -> Iterator[IO[bytes]]:
    """Write a file, which appears whole or not at all; packed with gzip if its name says so.

    Equal content gives equal bytes: no name and no time are put into the gzip data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
                yield cast(IO[bytes], packed)
        else:
            yield file
