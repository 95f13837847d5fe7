"""Files behind addresses, such as ``s3://bucket/text.txt``, found, read and copied by fsspec.

A connection that is dropped is made again, and reading goes on at the byte where it was. What is
copied there appears as a whole, under its name, when all of it is there.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from cbow.errors import LONGEST_SHOWN, CorpusError, OutputError, shown
from cbow.system.files import replacing

#: Seconds before each new try to go on with a file, in turn; then it is an error.
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)

# Bytes that are fetched at a time, where the file system fetches blocks.
_BLOCK: Final = 2**23

# Schemes of web servers, which may answer with a page, and where only * is a pattern.
_WEB: Final = ("http", "https")

# Seconds without a byte after which a connection counts as dropped (https).
_SILENCE: Final = 60.0

# What tells whether a file is still the same, by the names that file systems have for it.
_VERSION: Final = (
    *("size", "ETag", "etag", "Last-Modified", "LastModified", "last_modified", "mtime"),
    *("updated", "created"),
)

# The scheme of an address; a path has made one / of its two. One letter would be a drive.
_ADDRESS: Final = re.compile(r"([a-z][a-z0-9+.-]+):(/+)(?=[^/\s]).+", re.IGNORECASE)


@dataclass(frozen=True)
class Remote:
    """A file behind an address."""

    url: str
    size: int | None  #: bytes; None where the server does not tell
    version: tuple[object, ...] = field(default=(), repr=False)  #: differs when it has changed

    def __str__(self) -> str:
        return self.url

    @property
    def from_web(self) -> bool:
        """Whether it comes from a web server, which may answer with a page instead."""
        return scheme(self.url) in _WEB

    def open(self, start: int = 0, *, whole: bool = True) -> io.BufferedReader:
        """Open it at byte `start`; `whole` says that it will be read from there to its end."""
        raw = _RemoteFile(self, whole)
        raw.seek(start)
        return io.BufferedReader(raw, 2**17)


def scheme(name: str) -> str | None:
    """Return the scheme of an address, in small letters; None of any other name.

    Examples
    --------
    >>> scheme("S3://bucket/a.txt"), scheme("C:/a.txt"), scheme("a text")
    ('s3', None, None)
    """
    address = _ADDRESS.fullmatch(name)
    return address[1].lower() if address else None


def find_remote(url: str, suffixes: tuple[str, ...]) -> tuple[list[Remote], int]:
    """Find the files that an address stands for: one, those in a folder, or that match a pattern.

    Parameters
    ----------
    url : str
        A pattern is as fsspec has it. With http only ``*`` is one.
    suffixes : tuple of str
        Endings of the files of a folder that are read.

    Returns
    -------
    list of Remote
        Sorted by address.
    int
        How many files of a folder are left out because of their names.

    Raises
    ------
    CorpusError
        If a package is missing, the place cannot be reached, or nothing is there.
    """
    fs, path = _file_system(url)
    pattern = "*" if scheme(url) in _WEB else "*?["
    with _explained(url):
        if any(sign in path for sign in pattern):
            infos = fs.glob(path, detail=True)
            found = {name: info for name, info in infos.items() if info["type"] != "directory"}
            left_out = 0
            if not found:
                raise CorpusError(f"no file matches {shown(url)}; check the pattern")
        else:
            info = fs.info(path)
            if info["type"] != "directory":
                return [Remote(url, info["size"], _version(info))], 0
            infos = fs.find(path, detail=True)
            below = {
                name: info
                for name, info in infos.items()
                if not any(part.startswith(".") for part in name[len(path) :].split("/"))
            }
            found = {name: i for name, i in below.items() if name.lower().endswith(suffixes)}
            left_out = len(below) - len(found)
            if not found:
                raise CorpusError(
                    f"the folder {url} holds no file ending in .txt (or .txt.gz, .txt.bz2, "
                    f".txt.xz, .txt.zst) but {left_out} other; name other files with a pattern: "
                    f"{shown(url.rstrip('/') + '/**')}"
                )
        chained = "".join(url.partition("::")[1:])  # what zip:// and the like are in
        files = []
        for name, info in sorted(found.items()):
            known = info if info["size"] is not None else fs.info(name)
            address = fs.unstrip_protocol(name) + chained
            files.append(Remote(address, known["size"], _version(known)))
        return files, left_out


class RemoteFolder:
    """A folder behind an address, which files are copied into.

    Parameters
    ----------
    url : str

    Raises
    ------
    OutputError
        If a package is missing, or nothing can be written there: it is tried.
    """

    def __init__(self, url: str) -> None:
        if scheme(url) is None:
            raise OutputError(
                f"{shown(url)} is no address of a folder; give one such as s3://bucket/models"
            )
        self.url = url.rstrip("/")
        try:
            self._fs, self._path = _file_system(self.url)
        except CorpusError as error:
            raise OutputError(str(error)) from error
        probe = f"{self._path}/.cbow-probe"
        with self._explained("write there"):
            self._fs.pipe_file(probe, b"cbow")
            self._fs.rm_file(probe)

    def copy(self, file: Path) -> str:
        """Copy a file there, in the place of an earlier one of its name; return its address."""
        name = f"{self._path}/{file.name}"
        with self._explained(f"copy {file.name} there"):
            self._fs.put_file(str(file), f"{name}.part")
            self._fs.mv(f"{name}.part", name)
        return f"{self.url}/{file.name}"

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._explained(f"remove {name} there"), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._path}/{name}")

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn whatever a file system raises into an `OutputError`."""
        try:
            yield
        except Exception as error:
            raise OutputError(
                f"{shown(self.url)} does not let us {what} ({_reason(error)}); check the address, "
                "the connection, and that you may write there"
            ) from error


def download(url: str, folder: Path) -> Path:
    """Copy the file behind an address into a folder; return its path there.

    Raises
    ------
    CorpusError
        If it is not a file, or cannot be read.
    OutputError
        If a file of its name is there already, or it cannot be written.
    """
    fs, path = _file_system(url)
    with _explained(url):
        info = fs.info(path)
    if info["type"] == "directory":
        raise CorpusError(f"{shown(url)} is a folder; give the address of a file")
    remote = Remote(url, info["size"], _version(info))
    target = folder / path.rpartition("/")[2]
    if target.exists():
        raise OutputError(
            f"{target} is there already, and {shown(url)} would be written over it; give the one "
            "here, or remove it"
        )
    with replacing(target) as temporary, temporary.open("wb") as file, remote.open() as there:
        shutil.copyfileobj(there, file, _BLOCK)
    return target


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise CorpusError(
            f"{shown(url)} is an address, which takes fsspec; install it: pip install "
            '"fsspec[http]"'
        ) from None
    try:
        with _explained(url):
            fs, path = url_to_fs(url)
    except ImportError as error:
        cause = error.__cause__
        missing = (cause.name if isinstance(cause, ImportError) else None) or "fsspec"
        package = missing.partition(".")[0]
        raise CorpusError(
            f"{shown(url)} is an address, which takes {package}; install it: pip install {package}"
        ) from None
    return fs, path


def _version(info: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what tells whether a file is still the same."""
    known = (info.get(name) for name in _VERSION)
    return tuple(each.timestamp() if isinstance(each, datetime) else each for each in known)


def _is_another(version: tuple[object, ...], now: tuple[object, ...]) -> bool:
    """Whether a file has changed: in what is known of both, for a list may tell less of each."""
    both = zip(version, now, strict=False)
    return any(None not in (old, new) and old != new for old, new in both)


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn whatever a file system raises into a `CorpusError`, but for a package that is missing.

    There is no common class: each has the exceptions of the library that it is made with.
    """
    try:
        yield
    except (CorpusError, ImportError):
        raise
    except Exception as error:
        _explain(url, error)


def _explain(url: str, error: Exception) -> NoReturn:
    """Raise the `CorpusError` that says what is wrong with an address."""
    unknown = re.fullmatch("Protocol not known: (.*)", str(error))
    if unknown:
        from fsspec import available_protocols

        known = sorted(available_protocols())
        close = difflib.get_close_matches(unknown[1], known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise CorpusError(
            f"{shown(url)} begins with {unknown[1]}, which is no known scheme of addresses{meant} "
            f"(known are {', '.join(known)})"
        ) from error
    # To fsspec a page is not found, too, if its server says something else, or cannot be reached.
    found_out = error.__cause__ is None or getattr(error.__cause__, "status", 0) in (404, 410)
    from_web = scheme(url) in _WEB
    if isinstance(error, FileNotFoundError) and (found_out or not from_web):
        raise CorpusError(f"there is nothing at {shown(url)}; check the address") from error
    raise CorpusError(
        f"{shown(url)} cannot be read ({_reason(error)}); check the address, the connection, and "
        "that you have access to it"
    ) from error


def _reason(error: Exception) -> str:
    """Return in a few words why something failed."""
    cause = error.__cause__ or error
    if hasattr(cause, "status"):  # of a web server
        return f"{cause.status} {getattr(cause, 'message', '')}".strip()
    lines = str(getattr(cause, "message", cause)).strip().splitlines() or [type(cause).__name__]
    return lines[0][:LONGEST_SHOWN]


def _is_final(error: Exception) -> bool:
    """Tell whether it would be of no use to try again."""
    status = getattr(error, "status", 500)
    if isinstance(status, int) and 400 <= status < 500:
        return status not in (408, 429)  # too slow, too many
    return isinstance(error, FileNotFoundError | PermissionError | ValueError)


class _RemoteFile(io.RawIOBase):
    """The bytes of a `Remote`, as a file."""

    def __init__(self, remote: Remote, whole: bool) -> None:
        super().__init__()
        self._remote = remote
        self._whole = whole
        self._fs, self._path = _file_system(remote.url)
        self._file: Any = None  # open, at the position
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return whether the size is known, by which parts can be asked for."""
        return self._remote.size is not None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._remote.size or 0}
        position = base[whence] + offset
        if position != self._position:
            if self._whole:
                self._drop()
            self._position = position
        return position

    def tell(self) -> int:
        """Return the number of the next byte."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; go on after a dropped connection.

        Raises
        ------
        CorpusError
            If that fails again and again, or the file has changed meanwhile.
        """
        url, size = self._remote.url, self._remote.size
        for pause in (*PAUSES, None):
            try:
                self._connect()
                data = self._file.read(len(buffer))
                end = self._position + len(data)
                if size is not None and end > size:
                    raise self._changed()
                if data or end == size or size is None:
                    buffer[: len(data)] = data
                    self._position = end
                    return len(data)
                reason = "no more bytes came"
            except CorpusError:
                raise
            except Exception as error:
                if _is_final(error):
                    _explain(url, error)
                reason = _reason(error)
            self._drop()
            if pause is not None:
                time.sleep(pause)
        of = "" if size is None else f" of {size:,}"
        raise CorpusError(
            f"{shown(url)} ends early, after {self._position:,}{of} bytes ({reason}; tried "
            f"{len(PAUSES) + 1} times); check the connection and the file, and start again"
        )

    def _connect(self) -> None:
        """Open the file at the position, if it is not open."""
        if self._file is not None:
            if not self._whole:
                self._file.seek(self._position)
            return
        position, size = self._position, self._remote.size
        if position:
            self._fs.invalidate_cache()
            if _is_another(self._remote.version, _version(self._fs.info(self._path))):
                raise self._changed()
        if self._whole and self._remote.from_web:
            # One request for all, where blocks would be requests of their own. Positions are those
            # of the bytes as they are kept, which a server that packs them on the way has not.
            from aiohttp import ClientTimeout

            headers = {**self._fs.kwargs.get("headers", {}), "Accept-Encoding": "identity"}
            if position and size is not None:
                headers["Range"] = f"bytes={position}-"
            self._file = self._fs.open(
                self._path,
                block_size=0,
                size=size or 1,  # or else it asks the server
                headers=headers,
                timeout=ClientTimeout(total=None, sock_connect=_SILENCE, sock_read=_SILENCE),
            )
            behind = position if self._file.r.status != 206 else 0
            while behind:  # the server sends all from the start
                skipped = self._file.read(min(behind, _BLOCK))
                if not skipped:
                    raise ConnectionError("no more bytes came")
                behind -= len(skipped)
        else:
            self._file = self._fs.open(self._path, "rb", block_size=_BLOCK)
            self._file.seek(position)

    def _changed(self) -> CorpusError:
        return CorpusError(
            f"{shown(self._remote.url)} has changed since it was first looked at; start again"
        )

    def _drop(self) -> None:
        """Close the connection, in whatever state it is."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(Exception):
                file.close()

    def close(self) -> None:
        """Close it."""
        self._drop()
        super().close()
