r"""Pieces of text of bounded size, so that a line of any length fits into memory.

The pieces laid end to end are the text: every line ends in ``\n``, and a piece that does not end in
``\n`` is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Characters in a piece at most.
PIECE = 2**20


class Cutter:
    """Cut a stream of text at line ends, else at white space, else where a piece is full.

    Parameters
    ----------
    size : int
        Characters in a piece at most.

    Attributes
    ----------
    cut : int
        Stretches without white space, longer than a piece, that had to be cut.
    """

    def __init__(self, size: int = PIECE) -> None:
        self.size = size
        self.cut = 0

    def pieces(self, chunks: Iterable[str]) -> Iterator[str]:
        r"""Yield the text of `chunks`, whose lines end in ``\n``, in pieces.

        Parameters
        ----------
        chunks : iterable of str
            The text in parts of any size.

        Yields
        ------
        str
            At least one and at most `size` characters.
        """
        text, within = "", False  # within: the text goes on amid a stretch that has been cut
        for chunk in chunks:
            text += chunk
            start = 0
            while len(text) - start > self.size:
                end = self._end(text, start)
                stuck = end == start
                if stuck:
                    end = start + self.size
                    self.cut += not within
                within = stuck
                yield text[start:end]
                start = end
            text = text[start:]
        if text:
            yield text

    def _end(self, text: str, start: int) -> int:
        """Find where the piece that begins at `start` may end; `start` itself if nowhere."""
        stop = start + self.size
        line_end = text.rfind("\n", start, stop)
        if line_end >= 0:
            return line_end + 1
        if text[stop].isspace():  # the stretch fits exactly
            return stop
        return stop - _unbroken_end(text[start:stop])


def _unbroken_end(text: str) -> int:
    """Count the characters after the last white space; `text` is not empty."""
    return 0 if text[-1].isspace() else len(text.rsplit(None, 1)[-1])
