"""Small texts, a line for each item: queries, word pairs, analogies."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Final

from cbow.errors import QueryError

#: Characters of a line at most. A longer one does not belong to such a text; memory stays bounded.
LONGEST: Final = 2**16

#: The byte order marks of UTF-16, as bytes that are not UTF-8 are decoded.
_UTF_16: Final = ("\udcff\udcfe", "\udcfe\udcff")


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
        If a line is longer than `LONGEST` or not UTF-8, or all are UTF-16.

    Examples
    --------
    >>> list(read_lines(io.BytesIO(b"\xef\xbb\xbfking\r\nqueen "), "the file"))
    [(1, 'king'), (2, 'queen ')]
    """
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape")
    try:
        for number, line in enumerate(iter(lambda: text.readline(LONGEST + 1), ""), 1):
            if len(line) > LONGEST:
                raise QueryError(
                    f"{name}, line {number} is longer than {LONGEST:,} characters, but should hold "
                    "a few words; give a text of short lines"
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
