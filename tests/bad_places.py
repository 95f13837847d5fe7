"""What tables of bad input share: folders and disks that refuse, and what lies in a folder."""

import errno
import os
from pathlib import Path

from cbow.system import files


def nothing(monkeypatch):
    """Leave the folder as it is."""


def read_only(monkeypatch):
    """Let no file be made."""

    open_it = os.open

    def refuse(path, flags, *mode, **settings):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_it(path, flags, *mode, **settings)

    monkeypatch.setattr(os, "open", refuse)


def full_disk(old):
    """Fill the disk, on which an old file is."""

    def fill(monkeypatch):
        Path(old).write_bytes(b"the old one")

        def full(handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(files.os, "fsync", full)

    return fill


def contents():
    """Return the bytes of every file here."""
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
