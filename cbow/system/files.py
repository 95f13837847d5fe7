"""Files: opened, mapped, and read by lines; written so that no reader ever sees half of one.

Every file is written under a temporary name in its own folder, flushed to the disk and renamed.
A crash, a full disk or Ctrl-C leaves the old file as it was.

A new file is as open to others as the umask says. One that replaces another keeps its mode and,
where the system allows it, its owner; until then nobody else can read it.

    .cbow-CRC-HEX.tmp      a file or folder that is being written, locked by whoever writes it: one
                           whose lock is free was left by a process that died, and the next that
                           writes into the folder removes it
    .cbow-CRC.new          several files, or a folder, that are complete and about to be renamed:
                           `finish_replacing` does so if the process that began it died
    .cbow-CRC-HEX.old.tmp  what they replace, in case a rename fails

CRC is that of the name of the file to come. HEX begins with that of the machine's name, for some
drives keep locks from other machines, and is random behind it.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import mmap
import os
import platform
import re
import shlex
import shutil
import stat
import sys
import time
import warnings
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final

from cbow.errors import (
    LONGEST_SHOWN,
    ConfigError,
    ModelFileError,
    OutputError,
    OutputWarning,
    QueryError,
    shown,
)

if TYPE_CHECKING:
    import numpy.typing as npt

#: None on Windows, where what dead processes left stays.
fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None

#: What the names of streams that are open begin with: links to files they must not replace.
_STREAMS: Final = ("/dev/std", "/dev/fd/", "/proc/")

#: The address of something elsewhere: its kind, of two letters at least, and the rest.
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.+)", re.DOTALL)

#: Kinds of address that curl fetches.
_FETCHED: Final = ("http", "https", "ftp")

#: What to do about a file that cannot be opened, where its name and permissions are right.
_REMEDIES: Final[dict[int | None, str]] = {
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE),
        "let go of files and models that are not used any more, or raise the limit (ulimit -n)",
    ),
    errno.ENOMEM: "end other programs, or raise the limit (ulimit -v)",
    errno.EISDIR: "give the name of a file",
    **dict.fromkeys((errno.EIO, errno.ESTALE), "check the drive, and try again"),
}

#: What mmap says where files cannot be mapped, such as on some network drives and mounts of FUSE.
_NO_MAPPING: Final = (
    errno.ENODEV, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES,
    errno.EPERM,
)  # fmt: skip

#: Lets go of the file itself, of which there may be only so many open; older Pythons cannot.
_UNTRACKED: Final[Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}

#: Characters of a line at most. A longer one does not belong to such a text; memory stays bounded.
LONGEST_LINE: Final = 2**16

#: The byte order marks of UTF-16, as bytes that are not UTF-8 are decoded.
_UTF_16: Final = ("\udcff\udcfe", "\udcfe\udcff")

#: Links that lead on from a name, before they are taken to lead in a circle.
_MOST_LINKS: Final = 40

_TEMPORARY: Final = re.compile(r"\.cbow-[0-9a-f]{8}-([0-9a-f]{8})[0-9a-f]{8}(\.old)?\.tmp")

_MACHINE: Final = f"{zlib.crc32(platform.node().encode()):08x}"

#: Where a lock tells nothing, what is as many seconds old has been left by a process that died.
_DAY: Final = 24 * 60 * 60

#: Seconds to wait for a lock that is held for the time of some renames.
_PATIENCE: Final = 10.0

#: What fsync says on drives that have none, such as some network drives.
_NO_FSYNC: Final = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with the home folder in place of a ``~`` at its start.

    Where the home folder is not known, the name stays as it is.
    """
    return Path(os.path.expanduser(path))


def to_read(path: str | os.PathLike[str]) -> Path:
    """Return `expanded` of the name of a file of vectors to read.

    Raises
    ------
    ModelFileError
        If it is empty, which would stand for the current folder, or not a name at all.
    """
    if not isinstance(path, str | os.PathLike):
        raise ModelFileError(
            f"{shown(path)} is a {type(path).__name__}, but must be the name of a file; give one"
        )
    if not os.fspath(path):
        raise ModelFileError("the name of the file is empty; give that of a file to read")
    return expanded(path)


def unopened(path: str | os.PathLike[str], error: OSError | ValueError) -> str:
    """Say why a file that is read cannot be opened, and what to do."""
    address = _ADDRESS.match(str(path))
    if address and isinstance(error, FileNotFoundError):
        scheme, place = address.groups()  # of two slashes, `Path` keeps one
        fetch = f": curl -LO {shlex.quote(f'{scheme}://{place}')}" if scheme in _FETCHED else ""
        return (
            f"{name_of(f'{scheme}://{place}')} is an address; fetch it first, and give the name of "
            f"the file{fetch}"
        )
    reason = getattr(error, "strerror", None) or error
    remedy = _REMEDIES.get(getattr(error, "errno", None), "check its name and permissions")
    return f"{name_of(path)} cannot be opened ({reason}); {remedy}"


def check_regular(path: Path) -> None:
    """Reject anything but a file before it is opened: to open a pipe would wait for its writer.

    Raises
    ------
    ModelFileError
        If there is nothing of this name, or another thing.
    """
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ModelFileError(unopened(path, error)) from error
    raise ModelFileError(f"{path} is not a regular file; give the name of one")


def mapped(file: BinaryIO, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the content of a file that is not empty, read-only, (n,).

    It stays on disk until it is used, but where the file system cannot map files.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    import numpy as np  # here: the help of a command needs none

    size = os.fstat(file.fileno()).st_size
    try:
        pages = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ, **_UNTRACKED)
    except OSError as error:
        if error.errno not in _NO_MAPPING:
            raise
        file.seek(0)
        array = np.fromfile(file, dtype)  # (n,)
        array.flags.writeable = False
        return array
    return np.ndarray(size // np.dtype(dtype).itemsize, dtype, pages)  # (n,)


def read_lines(stream: IO[bytes], name: str, *, strict: bool = True) -> Iterator[tuple[int, str]]:
    r"""Yield the number and text of each line, as it arrives, without its line end.

    The text is UTF-8, as editors and spreadsheets of any system write it: a byte order mark at its
    start is dropped, and lines end in ``\n``, ``\r\n`` or ``\r``.

    Parameters
    ----------
    stream : binary file
        It stays open.
    name : str
        What messages call it.
    strict : bool
        Reject bytes that are not UTF-8; otherwise each becomes a lone surrogate (PEP 383).

    Raises
    ------
    QueryError
        If a line is longer than `LONGEST_LINE` or not UTF-8, or all are UTF-16.

    Examples
    --------
    >>> list(read_lines(io.BytesIO(b"\xef\xbb\xbfking\r\nqueen "), "the file"))
    [(1, 'king'), (2, 'queen ')]
    """
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape")
    try:
        for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE + 1), ""), 1):
            if len(line) > LONGEST_LINE:
                raise QueryError(
                    f"{name}, line {number} is longer than {LONGEST_LINE:,} characters, but should "
                    "hold a few words; give a text of short lines"
                )
            if number == 1 and line.startswith(_UTF_16) and "\0" in line:
                raise QueryError(
                    f"{name} is UTF-16; give UTF-8, converted with iconv -f UTF-16 -t UTF-8"
                )
            if strict:
                check_utf8(line, f"{name}, line {number}")
            yield number, line.rstrip("\n")
    finally:
        text.detach()


def check_utf8(line: str, name: str) -> None:
    """Raise `QueryError` if a line has bytes that could not be decoded."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        place = len(line[: error.start].encode()) + 1
        raise QueryError(
            f"{name} is not UTF-8 at its byte {place}; give text in UTF-8, converted if need be, "
            "for example with iconv -t UTF-8"
        ) from None


@contextlib.contextmanager
def naming(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Put the name of a file that is read before what is wrong with it.

    Whatever reads it raises a `ModelFileError`, or `ConfigError`, of what is wrong and what to do.

    Parameters
    ----------
    path : path-like
    kind : str
        What the file should be.

    Raises
    ------
    ModelFileError
        With the name of the file.
    """
    try:
        yield
    except (ConfigError, ModelFileError) as error:
        raise ModelFileError(f"{Path(path)} is not a usable {kind}: {error}") from error
    except OSError as error:
        raise ModelFileError(unopened(path, error)) from error


def same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Return whether two names lead to one file, by links too, or will when it is there."""
    one, other = expanded(one), expanded(other)
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        pass
    return _resolved(one) == _resolved(other)


def _resolved(path: Path) -> Path:
    """Return the absolute path behind all links."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # no current folder, or a name that no file can have
        return path


def name_of(path: object) -> str:
    """Return a name for a message: as it is, unless it is too long."""
    name = str(path)
    return name if len(name) <= LONGEST_SHOWN else shown(name)


@contextlib.contextmanager
def explain_output_errors(path: Path) -> Iterator[None]:
    """Turn an OSError about `path` into an `OutputError` that says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        name, file, folder = map(name_of, (path, path.name, path.parent))
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            reason = (
                f"the disk is full: {name} could not be written; free some space or write elsewhere"
            )
        elif error.errno == errno.ENOENT and (address := _ADDRESS.fullmatch(str(path))):
            reason = (
                f"{name_of('{}://{}'.format(*address.groups()))} is an address, but files are "
                "written on this machine; give the name of a file, and copy it there afterwards"
            )
        elif error.errno == errno.ENOENT:
            reason = f"the folder {folder} does not exist; create it or write {file} elsewhere"
        elif error.errno == errno.ENOTDIR:
            reason = f"{folder} is not a folder; write {file} into one"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = f"the folder {folder} is read-only for you; write {file} elsewhere"
        else:
            reason = f"{name} could not be written ({error.strerror or error}); write it elsewhere"
        raise OutputError(reason) from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary file beside `path`; on success flush it and rename it to `path`.

    Parameters
    ----------
    path : path-like
        The file to create or to replace as a whole.

    Yields
    ------
    Path
        An empty file in the same folder. Write the whole content there.

    Raises
    ------
    OutputError
        If `path` is a folder or a device or must not be written, or the disk is full, read-only
        or not there.

    Warns
    -----
    OutputWarning
        If the drive cannot flush files, or if dead processes left something, which is removed.
    """
    target = _checked(path)
    with explain_output_errors(target), _temporary(target) as temporary:
        yield temporary
        _flush(temporary)
        _take_after(temporary, target)
        os.replace(temporary, target)
        _flush_folder(target.parent)


@contextlib.contextmanager
def replacing_together(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield a temporary file beside each of `paths`; on success all appear, else none.

    Parameters
    ----------
    paths : sequence of Path
        Files to create or to replace; `finish_replacing` must be given them in the same order.

    Yields
    ------
    list of Path
        Empty files. Write a whole content to each.

    Raises
    ------
    OutputError, OutputWarning
        As `replacing` does.
    """
    targets = [_checked(path) for path in paths]
    with explain_output_errors(targets[0]), contextlib.ExitStack() as stack:
        temporary = [stack.enter_context(_temporary(target)) for target in targets]
        yield temporary
        for each, target in zip(temporary, targets, strict=True):
            _flush(each)
            _take_after(each, target)
        _move_all(temporary, targets)


@contextlib.contextmanager
def replacing_folder(path: Path, members: Collection[str]) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success flush its files and rename it to `path`.

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
        If `path` is a file, a folder that holds something else or one that must not be written,
        or if the disk is full, read-only or not there.

    Warns
    -----
    OutputWarning
        As `replacing` does.
    """
    target = _checked_folder(path, members)
    with explain_output_errors(target), _temporary(target, folder=True) as temporary:
        try:
            yield temporary
            for each in temporary.iterdir():
                _flush(each)
                _take_after(each, target / each.name)
            _take_after(temporary, target)
            _move_all([temporary], [target])
        except OutputError as error:  # about a file in it, by a name that nobody has given
            raise (error.__cause__ or error) from None


@contextlib.contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder in `parent`, which only its owner can enter; remove it at the end.

    Raises
    ------
    OSError
        If it cannot be made.

    Warns
    -----
    OutputWarning
        If dead processes left such folders, which are removed, or if this one cannot be removed.
    """
    with _temporary(parent / "corpus", folder=True, private=True) as folder:
        yield folder
    if os.path.lexists(folder):
        warnings.warn(
            f"the temporary folder {name_of(folder)} cannot be removed and is left; remove it",
            OutputWarning,
            stacklevel=2,
        )


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `OutputError` now if `path` could not be written later: try it with an empty file."""
    target = _checked(path)
    with explain_output_errors(target), _temporary(target) as probe:
        _flush(probe)


def check_folder_writable(path: Path, members: Collection[str]) -> None:
    """Raise `OutputError` now if `replacing_folder` could not write `path` later."""
    target = _checked_folder(path, members)
    with explain_output_errors(target), _temporary(target) as probe:
        _flush(probe)


def finish_replacing(*paths: Path) -> None:
    """Finish what a process that was killed while it replaced `paths` together has begun.

    Parameters
    ----------
    *paths : Path
        As `replacing_together` was given them; of `replacing_folder` the one.

    Raises
    ------
    OutputError
        If they cannot be renamed.

    Warns
    -----
    OutputWarning
        If there was something to finish.
    """
    targets = [_resolved(path) for path in paths]
    if not os.path.lexists(_ready(targets[0])):  # all but always
        return
    try:
        with _locked(targets[0].parent, _PATIENCE):
            _finish(targets)
    except OSError as error:
        raise OutputError(
            f"{name_of(paths[0])} was being replaced when a process was killed, and what is left, "
            f"{_ready(targets[0]).name}, cannot be put in its place ({error.strerror or error}); "
            "let somebody open it who may write there"
        ) from error


def _checked(path: str | os.PathLike[str]) -> Path:
    """Return the file that `path` leads to; reject what a file must not replace."""
    target = expanded(path)
    _check_name(target)
    if os.fspath(path).endswith(("/", os.sep)):
        raise OutputError(f"{name_of(path)} names a folder; give the name of a file to write")
    with explain_output_errors(target):
        for _ in range(_MOST_LINKS):
            place = os.path.join(os.path.realpath(target.parent), target.name)
            if place.startswith(_STREAMS):  # a link to a file that somebody else writes
                raise OutputError(
                    f"{name_of(path)} is an open stream; give the name of a file to write"
                )
            if not os.path.islink(place):
                break
            # what it points to is replaced, not the link
            target = Path(os.path.dirname(place), os.readlink(place))
        else:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if target.exists():
            if not target.is_file():
                kind = "a folder" if target.is_dir() else "not a regular file"
                raise OutputError(f"{name_of(target)} is {kind}; give the name of a file to write")
            _check_mode(target)
    return target


def _checked_folder(path: Path, members: Collection[str]) -> Path:
    """Return the folder that `path` leads to; reject what it must not replace."""
    target = expanded(path)
    _check_name(target)
    target = target.absolute()  # "." has a name then
    with explain_output_errors(target):
        if target.is_dir():
            target = target.resolve()
            others = sorted({each.name for each in target.iterdir()}.difference(members))
            if others:
                raise OutputError(
                    f"the folder {name_of(path)} holds {name_of(others[0])}, which would be lost; "
                    "give the name of a new folder"
                )
            for each in (target, *target.iterdir()):
                if each.exists():  # else it is a link to nowhere
                    _check_mode(each)
        elif os.path.lexists(target):  # a link to nowhere too
            raise OutputError(
                f"{name_of(path)} is not a folder; give the name of a folder to write"
            )
    return target


def _check_name(target: Path) -> None:
    if "\0" in str(target):
        raise OutputError(f"the name {shown(str(target))} holds a NUL; give a name without one")


def _check_mode(target: Path) -> None:
    """Reject a file that its owner has made read-only; root, who may all, looks at the mode."""
    mode = target.stat().st_mode
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise OutputError(
            f"{name_of(target)} is read-only (mode {stat.S_IMODE(mode):o}) and is not replaced; "
            "make it writable, or write elsewhere"
        )


def _stem(target: Path) -> str:
    """Return how temporary names for `target` begin: short, for its own may be of any length."""
    return f".cbow-{zlib.crc32(os.fsencode(target.name)):08x}"


def _ready(target: Path) -> Path:
    """Return the name of what is complete and about to be renamed to `target`."""
    return target.with_name(f"{_stem(target)}.new")


@contextlib.contextmanager
def _temporary(target: Path, folder: bool = False, private: bool = False) -> Iterator[Path]:
    """Yield a new temporary file or folder beside `target`, locked; remove it if it is still there.

    Others can enter or read it as the umask says; nobody can if `target` is there, whose mode it
    takes only when it is complete, or if it is `private`.
    """
    _sweep(target.parent)
    private = private or target.exists()
    while True:
        path = target.with_name(f"{_stem(target)}-{_MACHINE}{os.urandom(4).hex()}.tmp")
        if folder:
            path.mkdir(0o700 if private else 0o777)
        else:
            new = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            os.close(os.open(path, new, 0o600 if private else 0o666))
        with _locked(path, _PATIENCE):
            if not os.path.lexists(path):  # taken for a leftover before it was locked
                continue
            try:
                yield path
            finally:
                _remove(path)
        return


def _remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def _locked(path: Path, wait: float = 0) -> Iterator[bool | None]:
    """Lock a file or folder, until its process ends at the latest, and yield whether it could be.

    False if another process holds it, None if there are no locks here.
    """
    handle, locked = None, None
    try:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        end = time.monotonic() + wait
        while handle is not None and locked is None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                locked = True
            except BlockingIOError:
                if time.monotonic() >= end:
                    locked = False
                else:
                    time.sleep(0.01)
            except OSError:  # some network drives have none
                break
        yield locked
    finally:
        if handle is not None:
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove the temporary files and folders of this user whose processes have died."""
    if fcntl is None:
        return
    removed = 0
    with contextlib.suppress(OSError):  # a folder that is not there, or that cannot be listed
        for name in os.listdir(folder):
            temporary = _TEMPORARY.fullmatch(name)
            if temporary is None:
                continue
            path = folder / name
            with contextlib.suppress(OSError), _locked(path) as dead:  # it may vanish meanwhile
                entry = path.lstat()
                ours = entry.st_uid == os.geteuid()
                if dead is None or (dead and temporary[1] != _MACHINE):
                    dead = time.time() - entry.st_ctime > _DAY
                if ours and dead and stat.S_IFMT(entry.st_mode) in (stat.S_IFREG, stat.S_IFDIR):
                    # An empty one may have been made this moment, by a thread that has not locked
                    # it yet and makes another: nothing of it is told.
                    size = sum(
                        each.lstat().st_size
                        for each in (path, *path.rglob("*"))
                        if not each.is_dir()
                    )
                    _remove(path)
                    removed += 0 if os.path.lexists(path) else size
    if removed:
        warnings.warn(
            f"removed from the folder {name_of(folder)}: {removed:,} bytes of temporary files that "
            "processes which were killed had left",
            OutputWarning,
            stacklevel=2,
        )


def _take_after(new: Path, target: Path) -> None:
    """Let a file or folder have the mode of what it replaces, and its owner where that can be."""
    try:
        old = target.stat()
    except FileNotFoundError:
        return
    # The owner first: nobody whom the mode lets in may be of the wrong group meanwhile.
    for owner in (old.st_uid, -1):
        with contextlib.suppress(OSError, AttributeError):  # only root may; Windows cannot
            os.chown(new, owner, old.st_gid)
            break
    with contextlib.suppress(OSError):  # some network drives keep no modes
        os.chmod(new, stat.S_IMODE(old.st_mode))


def _move_all(temporary: Sequence[Path], targets: Sequence[Path]) -> None:
    """Rename every temporary to its target; if one cannot be, leave all as it was.

    All get the name `_ready` first. Once the first has it, the last to get it, the rest is certain:
    a process that is killed before leaves the old, one that is killed later what `finish_replacing`
    turns into the new.
    """
    ready = [_ready(target) for target in targets]
    with _locked(_resolved(targets[0].parent), _PATIENCE):  # who else does it here waits
        _finish(targets)
        old = []
        with contextlib.ExitStack() as undo:

            def move(one: Path, other: Path) -> None:
                """Rename one to the other, and back if not all can be."""
                os.replace(one, other)
                undo.callback(os.replace, other, one)

            for one, other in reversed(list(zip(temporary, ready, strict=True))):
                move(one, other)
            for each, name, target in reversed(list(zip(ready, temporary, targets, strict=True))):
                if os.path.lexists(target):
                    old.append(name.with_suffix(".old.tmp"))
                    move(target, old[-1])
                move(each, target)
            undo.pop_all()
    for each in old:
        _remove(each)
    _flush_folder(targets[0].parent)


def _finish(targets: Sequence[Path]) -> None:
    """Do what is left to do of `_move_all`, or undo what was prepared for it."""
    ready = [_ready(target) for target in targets]
    left = [pair for pair in zip(ready, targets, strict=True) if os.path.lexists(pair[0])]
    # What is newer than that has been put there since, and is what its user wants.
    if not os.path.lexists(ready[0]) or any(_changed(new) < _changed(old) for new, old in left):
        for new, _ in left:
            _remove(new)
        return
    for new, target in reversed(left):
        if target.is_dir():  # which nothing can be renamed to
            aside = target.with_name(f"{_stem(target)}-{_MACHINE}{os.urandom(4).hex()}.old.tmp")
            os.replace(target, aside)
            os.replace(new, target)
            _remove(aside)
        else:
            os.replace(new, target)
    warnings.warn(
        f"{name_of(targets[0])}: a process was killed while it replaced this; it is the new one "
        "now",
        OutputWarning,
        stacklevel=2,
    )


def _changed(path: Path) -> float:
    """Return when a file, or what is in a folder, was last changed; 0 if it is not there."""
    if not os.path.lexists(path):
        return 0
    return max(each.lstat().st_mtime_ns for each in (path, *path.rglob("*")))


def _flush(path: Path) -> None:
    """Force what was written to a file onto the disk.

    Warns
    -----
    OutputWarning
        If the drive cannot do that.
    """
    try:
        _sync(path)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
        temporary = _TEMPORARY.fullmatch(path.parent.name)
        folder = path.parent.parent if temporary else path.parent
        warnings.warn(
            f"the drive of the folder {name_of(folder)} cannot force a file onto the disk "
            f"({error.strerror or error}); it is written all the same, but may be lost if the "
            "power fails soon",
            OutputWarning,
            stacklevel=1,  # one place for all, so that it is told once
        )


def _flush_folder(folder: Path) -> None:
    """Force the names in a folder onto the disk, where the file system can."""
    with contextlib.suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    """Call fsync for a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
