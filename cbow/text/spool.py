"""The text on disk as numbers, first provisional, then by the ids of the vocabulary.

One pass over the text gives every word the next free number when it is first seen; the frequent
words are known only at its end. A second pass, over the file of those numbers, puts vocabulary ids
in their place and leaves out the rest. Memory holds the distinct words and some pieces of text.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.errors import OutputError
from cbow.text.numbering import LINE_END

#: Numbers handled at a time in the second pass.
CHUNK: Final = 2**18

#: Stands for words that are left out.
DROPPED: Final = -2


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an OSError into an `OutputError` about `folder`, of which its user has not heard yet."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what = f"the temporary folder {folder} is full; free some space there"
        else:
            reason = error.strerror or error
            what = f"the temporary folder {folder} cannot be used ({reason}); mend it"
        raise OutputError(
            f"{what}, or name another place with the environment variable TMPDIR"
        ) from error


class Spool(AbstractContextManager["Spool"]):
    """The provisional file: numbers of words, and `LINE_END` where lines end.

    A context: the file is removed at its end.

    Parameters
    ----------
    path : Path
        Where to put the file.

    Attributes
    ----------
    tokens, lines : int
        How many have been added.
    paired : bool
        Whether a line has two tokens.
    blank : int
        Lines without a token, as long as none has two.

    Raises
    ------
    OutputError
        From here and from the methods, if a file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path.parent):
            self._file = path.open("w+b")
        self.tokens = self.lines = self.blank = 0
        self.paired = False
        self._last = LINE_END

    def __exit__(self, *_: object) -> None:
        with _explained(self._path.parent):
            try:
                self._file.close()
            finally:
                self._path.unlink(missing_ok=True)

    def add(self, numbers: npt.NDArray[np.int32]) -> None:
        """Append the numbers of words, and LINE_END where lines end; int32 (words + line ends,)."""
        lines = int(np.count_nonzero(numbers == LINE_END))
        self.lines += lines
        self.tokens += len(numbers) - lines
        if not self.paired and len(numbers):
            ends = np.append(self._last, numbers) == LINE_END  # (numbers + 1,)
            self.paired = bool((~ends[1:] & ~ends[:-1]).any())
            self.blank += int((ends[1:] & ends[:-1]).sum())
            self._last = int(numbers[-1])
        with _explained(self._path.parent):
            self._file.write(numbers.data)

    def write(self, ids_of: npt.NDArray[np.int32], ids_path: Path, line_starts_path: Path) -> int:
        """Turn the file into the kept tokens, and write where their lines start.

        Parameters
        ----------
        ids_of : ndarray of int32, shape (distinct words + 1,)
            For each number the vocabulary id or DROPPED, and LINE_END at the end.
        ids_path : Path
            Where to put the vocabulary ids, int32 (T,).
        line_starts_path : Path
            Receives the first place of each line with a kept token, and T; int64 (L+1,).

        Returns
        -------
        int
            T, the number of kept tokens.
        """
        kept = start = 0
        with _explained(ids_path.parent):
            self._file.flush()
            # In place: what is written never overtakes what is read, and no second file is needed.
            with self._path.open("r+b") as ids, line_starts_path.open("wb") as line_starts:
                line_starts.write(np.zeros(1, np.int64).data)
                for chunk in self._chunks():
                    codes = ids_of[chunk]  # (numbers,)
                    others = np.flatnonzero(codes < 0)  # (line ends and dropped words,)
                    # before the i-th of them, all but i are kept
                    ends = kept + (others - np.arange(len(others)))[codes[others] == LINE_END]
                    # a line without a kept token ends where the one before it ended: left out
                    ends = ends[np.diff(ends, prepend=start) > 0]  # (new starts,)
                    line_starts.write(ends.data)
                    start = int(ends[-1]) if len(ends) else start
                    ids.write(np.delete(codes, others).data)
                    kept += len(codes) - len(others)
                ids.truncate()
            self._file.close()
            self._path.replace(ids_path)
        return kept

    def _chunks(self) -> Iterator[npt.NDArray[np.int32]]:
        """Read the file again from its start."""
        self._file.seek(0)
        size = CHUNK * np.dtype(np.int32).itemsize
        while block := self._file.read(size):
            yield np.frombuffer(block, np.int32)
