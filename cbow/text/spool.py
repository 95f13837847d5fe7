"""The text on disk as numbers, first provisional, then by the ids of the vocabulary.

One pass over the text gives every word the next free number when it is first seen; the frequent
words are known only at its end. A second pass, over the file of those numbers, puts vocabulary ids
in their place and leaves out the rest. Memory holds the distinct words and one piece of text.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.errors import CorpusError, OutputError
from cbow.text.vocabulary import Vocabulary

#: The number of the empty string, which a tokenizer may return but which is no word.
EMPTY: Final = 0

#: Stands in the file where a line ends. As an index it means the last place of a table.
LINE_END: Final = -1

#: Numbers handled at a time in the second pass.
CHUNK: Final = 2**20

_DROPPED: Final = -2


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


class Numbering(dict[str, int]):
    """Gives each word the next free number when it is first asked for."""

    def __init__(self) -> None:
        super().__init__({"": EMPTY})

    def __missing__(self, word: str) -> int:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError as error:
            raise CorpusError(
                f"the word {word!r:.80} holds {word[error.start]!r}, half of a character, which "
                "cannot be written as UTF-8; repair the text it comes from"
            ) from None
        number = self[word] = len(self)
        return number


class Spool(AbstractContextManager["Spool"]):
    """The provisional file: numbers of words, and `LINE_END` where lines end.

    A context: the file is removed at its end.

    Parameters
    ----------
    path : Path
        Where to put the file.

    Attributes
    ----------
    numbering : Numbering
        The distinct words, by first appearance.
    counts : ndarray of int64
        How often each occurs; longer than `numbering`.
    tokens, lines : int
        How many have been added.

    Raises
    ------
    OutputError
        From here and from the methods, if a file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path.parent):
            self._file = path.open("w+b")
        self.numbering = Numbering()
        self.counts = np.zeros(2**16, np.int64)
        self.tokens = 0
        self.lines = 0

    def __exit__(self, *_: object) -> None:
        with _explained(self._path.parent):
            try:
                self._file.close()
            finally:
                self._path.unlink()

    def add(self, tokens: Sequence[str], ends: Sequence[int]) -> None:
        """Append tokens and line ends.

        Parameters
        ----------
        tokens : sequence of str
            Tokens of any number of lines.
        ends : sequence of int
            For each line end, how many of these tokens come before it.
        """
        numbers = np.fromiter(
            map(self.numbering.__getitem__, tokens), np.int32, len(tokens)
        )  # (tokens,)
        self._count(numbers)
        self.tokens += len(numbers)
        self.lines += len(ends)
        with _explained(self._path.parent):
            self._file.write(np.insert(numbers, np.array(ends, np.int64), LINE_END).data)

    def _count(self, numbers: npt.NDArray[np.int32]) -> None:
        """Add the numbers of one call to the counts."""
        distinct = len(self.numbering)
        if distinct > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(distinct, np.int64)])
        np.add.at(self.counts, numbers, 1)

    def words(self) -> dict[str, int]:
        """Give every word, without the empty string, and its count."""
        counts = dict(zip(self.numbering, self.counts[: len(self.numbering)].tolist(), strict=True))
        del counts[""]
        return counts

    def write(self, vocabulary: Vocabulary, ids_path: Path, line_starts_path: Path) -> int:
        """Write the kept tokens and where their lines start; return how many tokens are kept.

        Parameters
        ----------
        vocabulary : Vocabulary
            The words to keep.
        ids_path : Path
            Receives the vocabulary ids, int32 (T,).
        line_starts_path : Path
            Receives the first place of each line with a kept token, and T; int64 (L+1,).
        """
        table = self._table(vocabulary)
        kept = 0
        with (
            _explained(ids_path.parent),
            ids_path.open("wb") as ids,
            line_starts_path.open("wb") as line_starts,
        ):
            starts = np.zeros(1, np.int64)
            line_starts.write(starts.data)
            for chunk in self._chunks():
                codes = table[chunk]  # (numbers,)
                is_kept = codes >= 0  # (numbers,)
                ids.write(codes[is_kept].data)
                ends = kept + np.cumsum(is_kept)[codes == LINE_END]  # (line ends in the chunk,)
                # a line without a kept token ends where the one before it ended, and is left out
                starts = np.unique(np.append(starts[-1:], ends))  # (new starts + 1,)
                line_starts.write(starts[1:].data)
                kept += int(np.count_nonzero(is_kept))
        return kept

    def _table(self, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
        """Map each provisional number to its vocabulary id, `_DROPPED` or `LINE_END`."""
        table = np.full(len(self.numbering) + 1, _DROPPED, np.int32)
        numbers = np.fromiter(map(self.numbering.__getitem__, vocabulary), np.int64)  # (V,)
        table[numbers] = np.arange(len(vocabulary), dtype=np.int32)
        table[LINE_END] = LINE_END
        return table

    def _chunks(self) -> Iterator[npt.NDArray[np.int32]]:
        """Read the file again from its start."""
        self._file.seek(0)
        size = CHUNK * np.dtype(np.int32).itemsize
        while block := self._file.read(size):
            yield np.frombuffer(block, np.int32)
