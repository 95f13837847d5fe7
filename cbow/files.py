"""Writing files so that no reader ever sees half of one.

Every file is written under a temporary name in its own folder, flushed to the disk and renamed.
A crash, a full disk or Ctrl-C leaves the old file as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

from cbow.errors import OutputError


def _sentence(path: Path, error: OSError) -> str:
    """Say why `path` cannot be written, and what to do."""
    folder = path.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full: {path} could not be written; free some space or write elsewhere"
    if error.errno == errno.ENOENT:
        return f"the folder {folder} does not exist; create it or write {path.name} elsewhere"
    if error.errno == errno.ENOTDIR:
        return f"{folder} is not a folder; write {path.name} into one"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder {folder} is read-only for you; write {path.name} elsewhere"
    return f"{path} could not be written ({error.strerror or error}); write it elsewhere"


@contextlib.contextmanager
def explain_output_errors(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into an `OutputError` that says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(_sentence(path, error)) from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success flush it and rename it to `path`.

    Parameters
    ----------
    path : path-like
        The file to create or to replace as a whole.

    Yields
    ------
    Path
        A name in the same folder that does not exist yet. Write the whole file there.

    Raises
    ------
    OutputError
        If `path` is a folder or a device, or the disk is full, read-only or not there.
    """
    target, temporary = _names(path)
    with explain_output_errors(target):
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, target)
            with contextlib.suppress(OSError):  # not every file system lets a folder be flushed
                _flush(target.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `OutputError` now if `path` could not be written later: try it with an empty file."""
    target, probe = _names(path)
    with explain_output_errors(target):
        try:
            probe.touch(exist_ok=False)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed while they wrote `path` have left beside it.

    Only for a file that no other process writes at this moment.
    """
    target = Path(path)
    for left in target.parent.glob(f"{_temporary_stem(target)}*.tmp"):
        with contextlib.suppress(OSError):
            left.unlink()


def _temporary_stem(target: Path) -> str:
    """Give how temporary names for `target` begin: short, for the name may be of any length."""
    return f".cbow-{zlib.crc32(os.fsencode(target.name)):08x}-"


def _names(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Give the file `path` and an unused name beside it; refuse what a file cannot replace."""
    target = Path(path)
    if "\0" in str(target):
        raise OutputError(f"the name {str(target)!r} holds a NUL; give a name without one")
    with explain_output_errors(target):
        if target.is_symlink():  # what it points to is replaced, not the link
            target = target.resolve()
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "not a regular file"
            raise OutputError(f"{target} is {kind}; give the name of a file to write")
    return target, target.with_name(f"{_temporary_stem(target)}{secrets.token_hex(8)}.tmp")


def _flush(path: Path) -> None:
    """Force what was written to `path`, a file or a folder, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
