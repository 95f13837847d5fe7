"""Files opened and written as bytes, through gzip where there is gzip."""

from __future__ import annotations

import contextlib
import gzip
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from cbow.errors import ModelFileError
from cbow.files import replacing

#: How a gzip file begins.
GZIP: Final = b"\x1f\x8b\x08"

#: How hard gzip tries. With digits 9 takes nine times as long as 4, and saves one byte in fifteen.
_LEVEL: Final = 4


class Opened(NamedTuple):
    """A file that is being read."""

    stream: IO[bytes]  #: its content, unpacked
    size: int | None  #: the bytes of it; None where only unpacking all of it would tell


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a file, unpacked if its content is gzip, and explain what goes wrong while it is open.

    Raises
    ------
    ModelFileError
        If it is no regular file, or cannot be read or unpacked.
    """
    check_regular(path)
    with explained(path), path.open("rb") as file:
        if file.peek(len(GZIP)).startswith(GZIP):
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                yield Opened(cast(IO[bytes], unpacked), None)
        else:
            yield Opened(file, path.stat().st_size)


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
    reason = getattr(error, "strerror", None) or error
    return ModelFileError(f"{path} cannot be opened ({reason}); check its name and permissions")


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
