"""Files in folders, and files that match a pattern.

Not by the library's ``glob``, which passes over a folder that it cannot list and follows a link
that leads back until the name is too long. Here each folder is entered once, whatever the number
of links that lead to it.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cbow.errors import CorpusError


class Entry(NamedTuple):
    """What a folder holds under one name."""

    path: str
    name: str
    is_folder: bool

    @property
    def hidden(self) -> bool:
        """Whether it is left out unless asked for by its dot."""
        return self.name.startswith(".")


def files_below(folder: str) -> list[Entry]:
    """List the files in a folder and the folders in it, without the hidden ones.

    Each folder is entered once; two links to one file are two entries.

    Raises
    ------
    CorpusError
        If a folder cannot be listed.
    """
    return [
        entry
        for place in _folders_below(folder)
        for entry in _entries(place)
        if not (entry.hidden or entry.is_folder)
    ]


def files_matching(pattern: str) -> list[str]:
    """List the files that match a pattern, sorted by path; each once, however many links match.

    Parameters
    ----------
    pattern : str
        As a shell has it: ``*``, ``?`` and ``[...]`` stand for parts of a name, and none for the
        dot of a hidden one; ``**`` stands for any number of folders.

    Raises
    ------
    CorpusError
        If a folder where files may match cannot be listed.
    """
    path = Path(pattern)
    parts = path.parts[len(path.anchor) > 0 :]
    if pattern.endswith(("/", os.sep)):  # nothing but folders match
        return []
    if parts[-1] == "**":  # at the end it stands for files, too
        parts += ("*",)
    found = [path.anchor]
    for part in parts:
        # Folders reached by two names hold the same: what matches below is found from either.
        found = distinct(match for folder in found for match in _matches(folder, part))
    return [name for name in found if not os.path.isdir(name)]


def _matches(folder: str, part: str) -> Iterable[str]:
    """Find what one part of a pattern stands for in a folder."""
    if part == "**":
        return _folders_below(folder)
    if not glob.has_magic(part):
        whole = os.path.join(folder, part)
        return [whole] if _is_there(whole) else []
    fits = [entry for entry in _entries(folder) if fnmatch.fnmatch(entry.name, part)]
    return [entry.path for entry in fits if part.startswith(".") or not entry.hidden]


def _folders_below(folder: str) -> Iterator[str]:
    """Yield a folder and those in it, at any depth, without the hidden ones; each once."""
    seen: set[str] = set()
    waiting = [folder]
    for place in waiting:  # grows on the way
        if (real := os.path.realpath(place)) in seen:
            continue
        seen.add(real)
        yield place
        waiting += [e.path for e in _entries(place) if e.is_folder and not e.hidden]


def _entries(folder: str) -> list[Entry]:
    """List what a folder holds, sorted by name; nothing if it is no folder."""
    try:
        with os.scandir(folder or ".") as scan:
            found = [(entry.name, _is_folder(entry)) for entry in scan]
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return []
        raise CorpusError(
            f"the folder {folder or '.'} cannot be listed ({error.strerror}); check its permissions"
        ) from None
    return [Entry(os.path.join(folder, name), name, is_folder) for name, is_folder in sorted(found)]


def _is_there(path: str) -> bool:
    """Tell whether there is something of this name, be it a link to nothing."""
    try:
        os.lstat(path)
    except PermissionError as error:
        raise CorpusError(
            f"{path} cannot be looked for ({error.strerror}); check the permissions of its folder"
        ) from None
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return False
    return True


def is_special(path: str) -> bool:
    """Tell a pipe, a socket or a device from a file; a link to nothing is none of them."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # to open it tells more
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell a folder, or a link to one, without looking into it."""
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False


def distinct(paths: Iterable[str]) -> list[str]:
    """Sort paths and keep one, the first, for each thing that there is."""
    first = {os.path.realpath(path): path for path in sorted(paths, reverse=True)}
    return sorted(first.values())
