"""The provisional file: the text as numbers of words, until it is known which words are kept."""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import OutputError
from cbow.system.files import expanded, temporary_folder
from cbow.text.numbering import LINE_END, Numbers

#: What to do about a folder that cannot be used.
ELSEWHERE: Final = "name another folder with work_folder / --work-folder"

#: Numbers handled at a time.
CHUNK: Final = 2**18


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn an OSError into an `OutputError` about `folder`, which is not known to its user yet."""
    try:
        yield
    except OutputError:  # from a block within this one
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what = f"the temporary folder {folder} is full; free some space there"
        else:
            reason = error.strerror or error
            what = f"the temporary folder {folder} cannot be used ({reason}); mend it"
        raise OutputError(f"{what}, or {ELSEWHERE}") from error


@contextlib.contextmanager
def working_folder(name: str | None) -> Iterator[Path]:
    """Yield a temporary folder for a text, in the one that was named or that of the system.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            place = expanded(name or tempfile.gettempdir())
            folder = stack.enter_context(temporary_folder(place))
        except OSError as error:
            where = f" in {name}" if name else ""
            raise OutputError(
                f"no temporary folder can be made{where} ({error.strerror or error}); free some "
                f"space, or {ELSEWHERE}"
            ) from error
        yield folder


def check_room(folder: Path, needed: int) -> None:
    """Raise `OutputError` if `folder` has not so many bytes free."""
    with _explained(folder):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"the encoded text needs about {needed / 1e9:,.2f} GB more in {folder}, but only "
            f"{free / 1e9:,.2f} GB are free there; free some space, or {ELSEWHERE}"
        )


class Spool(AbstractContextManager["Spool"]):
    """The provisional file: numbers of words, and `LINE_END` where lines end.

    A context, which removes the file at its end. That it cannot be written is an `OutputError`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path.parent):
            self._file = path.open("w+b")
        self.tokens = self.lines = 0  #: that have been added
        self.blank = 0  #: lines without a token, as long as none has two
        self.paired = False  #: whether a line has two tokens
        self._last = LINE_END

    def __exit__(self, *_: object) -> None:
        with _explained(self._path.parent):
            try:
                self._file.close()
            finally:
                self._path.unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes it takes, and with it, at its end, the places where lines start."""
        numbers = self.tokens + self.lines
        return numbers * np.dtype(np.int32).itemsize + self.lines * np.dtype(np.int64).itemsize

    def add(self, numbers: Numbers) -> None:
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

    def blocks(self) -> Iterator[Numbers]:
        """Yield all numbers in blocks of `CHUNK`; several threads may do so at a time."""
        with _explained(self._path.parent):
            self._file.flush()
            with self._path.open("rb") as file:
                while block := file.read(CHUNK * np.dtype(np.int32).itemsize):
                    yield np.frombuffer(block, np.int32)

    def replace(self, blocks: Iterable[Numbers]) -> None:
        """Put other numbers in the place of all; they may be made of `blocks`, but get no more.

        What is written never overtakes what is read, and no second file is needed.
        """
        with _explained(self._path.parent), self._path.open("r+b") as file:
            for block in blocks:
                file.write(block.data)
            file.truncate()

    def write(
        self, ids_of: npt.NDArray[np.int32], ids_path: Path, line_starts_path: Path
    ) -> tuple[int, int]:
        """Turn the file into the ids of the T kept tokens; write where the L lines with one start.

        Parameters
        ----------
        ids_of : ndarray of int32, shape (distinct words + 1,)
            For each number the vocabulary id, or less than 0 for a word that is left out, and
            LINE_END at the end.
        ids_path, line_starts_path : Path
            Where to put the ids, int32 (T,), and the first place of each line, and T, int64 (L+1,).

        Returns
        -------
        T, L : int
        """
        kept = lines = start = 0

        def ids(line_starts: BinaryIO) -> Iterator[Numbers]:
            """Yield the ids, and write where lines start."""
            nonlocal kept, lines, start
            for block in self.blocks():
                codes = ids_of[block]  # (numbers,)
                others = np.flatnonzero(codes < 0)  # (line ends and dropped words,)
                # before the i-th of them, all but i are kept
                ends = kept + (others - np.arange(len(others)))[codes[others] == LINE_END]
                # a line without a kept token ends where the one before it ended: left out
                ends = ends[np.diff(ends, prepend=start) > 0]  # (new starts,)
                line_starts.write(ends.data)
                lines += len(ends)
                start = int(ends[-1]) if len(ends) else start
                kept += len(codes) - len(others)
                yield np.delete(codes, others)

        with _explained(ids_path.parent):
            with line_starts_path.open("wb") as line_starts:
                line_starts.write(np.zeros(1, np.int64).data)
                self.replace(ids(line_starts))
            self._file.close()
            self._path.replace(ids_path)
        return kept, lines
