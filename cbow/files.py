"""Writing files so that no reader ever sees half of one.

Every file is written under a temporary name in its own folder, flushed to the disk and renamed.
A crash, a full disk or Ctrl-C leaves the old file as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from cbow.errors import OutputError

#: What the names of streams that are open begin with: links to files they must not replace.
_STREAMS: Final = ("/dev/std", "/dev/fd/", "/proc/")


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


@contextlib.contextmanager
def replacing_together(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a temporary path beside each of `paths`; on success all appear, else none.

    Parameters
    ----------
    paths : sequence of Path
        Files to create or to replace.

    Yields
    ------
    list of Path
        Names that do not exist yet. Write a whole file to each.

    Raises
    ------
    OutputError
        As `replacing` does.
    """
    named = [_names(path) for path in paths]
    with explain_output_errors(named[0][0]):
        try:
            yield [temporary for _, temporary in named]
            for _, temporary in named:
                _flush(temporary)
            _move_all([(temporary, target) for target, temporary in named])
        finally:
            for _, temporary in named:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: Path, members: Collection[str]) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success flush its files and rename it to `path`.

    Parameters
    ----------
    path : Path
        The folder to create, or to replace as a whole.
    members : collection of str
        Names of the files that will be in it. A folder that holds others is not replaced.

    Yields
    ------
    Path
        An empty folder.

    Raises
    ------
    OutputError
        If `path` is a file or a folder that holds something else, or if the disk is full,
        read-only or not there.
    """
    target, temporary = _folder_names(path, members)
    with explain_output_errors(target):
        try:
            temporary.mkdir()
            yield temporary
            for each in temporary.iterdir():
                _flush(each)
            _move_all([(temporary, target)])
        except OutputError as error:  # about a file in it, by a name that nobody has given
            raise (error.__cause__ or error) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `OutputError` now if `path` could not be written later: try it with an empty file."""
    target, probe = _names(path)
    _try(target, probe)


def check_folder_writable(path: Path, members: Collection[str]) -> None:
    """Raise `OutputError` now if `replacing_folder` could not write `path` later."""
    target, probe = _folder_names(path, members)
    _try(target, probe)


def _try(target: Path, probe: Path) -> None:
    """See that a file can be made beside `target`."""
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
    _check_name(target)
    if os.path.abspath(target).startswith(_STREAMS):  # a link to a file that somebody else writes
        raise OutputError(f"{target} is an open stream; give the name of a file to write")
    with explain_output_errors(target):
        if target.is_symlink():  # what it points to is replaced, not the link
            target = Path(os.path.realpath(target))
            if target.is_symlink():  # then it leads back to itself
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "not a regular file"
            raise OutputError(f"{target} is {kind}; give the name of a file to write")
    return target, target.with_name(f"{_temporary_stem(target)}{secrets.token_hex(8)}.tmp")


def _check_name(target: Path) -> None:
    if "\0" in str(target):
        raise OutputError(f"the name {str(target)!r} holds a NUL; give a name without one")


def _folder_names(path: Path, members: Collection[str]) -> tuple[Path, Path]:
    """Give the folder `path` and an unused name beside it; refuse what it must not replace."""
    _check_name(path)
    target = path.absolute()  # "." has a name then
    with explain_output_errors(target):
        if target.is_dir():
            target = target.resolve()
            others = sorted({each.name for each in target.iterdir()}.difference(members))
            if others:
                raise OutputError(
                    f"the folder {path} holds {others[0]}, which would be lost; give the name of a "
                    "new folder"
                )
        elif os.path.lexists(target):  # a link to nowhere too
            raise OutputError(f"{path} is not a folder; give the name of a folder to write")
    return target, target.with_name(f"{_temporary_stem(target)}{secrets.token_hex(8)}.tmp")


def _move_all(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename every first name to the second; if one cannot be, leave all as it was."""
    undo = contextlib.ExitStack()
    old = []
    with undo:
        for temporary, target in moves:
            aside = temporary.with_suffix(".old.tmp")
            if target.exists():
                os.rename(target, aside)
                undo.callback(os.rename, aside, target)
                old.append(aside)
            os.rename(temporary, target)
            undo.callback(os.rename, target, temporary)
        undo.pop_all()
    for aside in old:
        with contextlib.suppress(OSError):
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()
    with contextlib.suppress(OSError):  # not every file system lets a folder be flushed
        _flush(moves[-1][1].parent)


def _flush(path: Path) -> None:
    """Force what was written to `path`, a file or a folder, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
