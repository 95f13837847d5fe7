"""Files opened and written as bytes, through gzip where there is gzip."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from cbow.errors import ModelFileError
from cbow.system.files import replacing, unopened

#: How a gzip file begins.
GZIP: Final = b"\x1f\x8b\x08"

#: How hard gzip tries. With digits 9 takes nine times as long as 4, and saves one byte in fifteen.
_LEVEL: Final = 4


#: What unpacks to fewer bytes than this is never too much.
SMALL: Final = 2**25

#: No gzip data unpack to more times their size.
_DEFLATE: Final = 1032


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


def too_much(path: Path, what: str) -> ModelFileError:
    """Create the error about a file that would become too large."""
    return ModelFileError(
        f"{path} {what}, far more than its size on disk, as if made to fill the memory; if you "
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
        If it is no regular file, or cannot be read or unpacked, or unpacks to too much.
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
            f"{path} is damaged: it is no proper gzip data ({error}); fetch or copy it again"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from error


def check_regular(path: Path) -> None:
    """Refuse what is no file, before it is opened: to open a pipe would wait for its writer.

    Raises
    ------
    ModelFileError
        If there is nothing of this name, or another thing.
    """
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise unreadable(path, error) from error
    raise ModelFileError(f"{path} is not a regular file; give the name of one")


def unreadable(path: Path, error: OSError | ValueError) -> ModelFileError:
    """Say why a file cannot be opened."""
    return ModelFileError(unopened(path, error))


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
