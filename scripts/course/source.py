"""The course's text, which is not in this repository."""

import hashlib
from pathlib import Path

from cbow.errors import CorpusError

from .published import SHA256, SIZE

REMEDY = (
    "give shakespeare.txt as it comes with the assignment of week 4 of the course, byte for byte"
)


def read(path: Path) -> str:
    """Read the file if it is the course's text.

    Raises
    ------
    CorpusError
        If there is no such file, it cannot be read, or it is another one.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file"
            raise CorpusError(f"{path} is {what}, but must be a file; {REMEDY}")
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            if found == SHA256:
                return file.read().decode("ascii")
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error.strerror}); {REMEDY}") from None
    raise CorpusError(
        f"{path} has {size:,} bytes and the sha256 sum {found}, but the course's text has {SIZE:,} "
        f"bytes and the sum {SHA256}; {REMEDY}"
    )
