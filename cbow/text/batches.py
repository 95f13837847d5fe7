"""A corpus in batches of about a piece: text still to be cut into tokens, or lines of tokens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cbow.errors import CorpusError
from cbow.text.nltk_corpora import nltk_text
from cbow.text.pieces import PIECE, Cutter
from cbow.text.reading import TextReader, ending_lines
from cbow.text.sources import NLTK, STDIN, Sources, check_readable, source_name
from cbow.text.tokenizers import LineTokenizer, unify_line_ends


class Lines(NamedTuple):
    """Tokens of some lines, end to end: a list for each line keeps the garbage collector busy.

    Attributes
    ----------
    tokens : list of str
        The tokens.
    ends : list of int
        For each line end, how many of the tokens come before it. Tokens after the last line end
        belong to a line that the next such piece goes on with.
    """

    tokens: list[str]
    ends: list[int]

    def end_line(self) -> None:
        """Say that a line ends here."""
        self.ends.append(len(self.tokens))


Batch = str | Lines
r"""A piece of text, whose lines end in ``\n``, or lines that are tokens already."""


def tokenized(piece: str, tokenizer: LineTokenizer) -> Lines:
    r"""Cut a piece of text, whose lines end in ``\n``, into tokens."""
    found = Lines([], [])
    *whole, rest = piece.split("\n")
    for line in whole:
        if line:
            found.tokens.extend(tokenizer(line))
        found.end_line()
    if rest:
        found.tokens.extend(tokenizer(rest))
    return found


def source_parts(sources: Sources, reader: TextReader) -> Iterator[Iterator[str]]:
    """Yield for each source its text in parts."""
    for item in sources.items:
        if isinstance(item, Path):
            yield _file_parts(item, reader)
        elif item == STDIN:
            yield reader.read(_standard_input(), source_name(item))
        else:
            yield ending_lines(nltk_text(item.removeprefix(NLTK)))


def bytes_total(sources: Sources) -> int | None:
    """Add up the sizes of the files; None if something has no size beforehand."""
    total = 0
    for item in sources.items:
        if not isinstance(item, Path) or not item.is_file():
            return None
        total += item.stat().st_size
    return total


def _file_parts(path: Path, reader: TextReader) -> Iterator[str]:
    """Yield the text of a file in parts."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise CorpusError(
            f"{path} cannot be opened ({error.strerror}); check its permissions"
        ) from None
    with file:
        yield from reader.read(file, source_name(path))


def _standard_input() -> BinaryIO:
    """Return the standard input as a stream of bytes."""
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise CorpusError("the standard input is closed; pipe a text into it or name a file")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file of the system's, as in a notebook
        return stream
    check_readable(f"/dev/fd/{descriptor}")
    return stream


def element_batches(corpus: Iterable[Any], cutter: Cutter) -> Iterator[Batch]:
    """Turn an iterable of texts and of lists of tokens into batches.

    Parameters
    ----------
    corpus : iterable
        A str is a text of one or more lines; a list or tuple of str is one line of tokens.
    cutter : Cutter
        Cuts long texts.

    Raises
    ------
    CorpusError
        If an element is neither; the message names its position, from 0, and its type.
    """
    for group in _grouped(corpus):
        if isinstance(group, str):
            yield from cutter.pieces([group])
        else:
            yield group


def _grouped(corpus: Iterable[Any]) -> Iterator[Batch]:
    """Put neighbouring elements of a kind together until they are about a piece."""
    texts: list[str] = []
    lines = Lines([], [])
    size = 0
    for position, element in enumerate(corpus):
        is_text = isinstance(element, str)
        if size >= PIECE or (lines.ends if is_text else texts):
            yield _joined(texts) if texts else lines
            texts, lines, size = [], Lines([], []), 0
        if is_text:
            texts.append(element)
            size += len(element) + 1
        else:
            _check_tokens(element, position)
            lines.tokens.extend(element)
            lines.end_line()
            size += sum(map(len, element)) + 1
    if texts or lines.ends:
        yield _joined(texts) if texts else lines


def _joined(texts: list[str]) -> str:
    r"""Join texts into one; each ends its last line."""
    ended = (text if text.endswith(("\n", "\r")) else text + "\n" for text in texts)
    return unify_line_ends("".join(ended))


def _check_tokens(element: object, position: int) -> None:
    """Raise if an element that is no text is no list of tokens either."""
    what = "a str (a text) or a list of str (the tokens of a line)"
    if not isinstance(element, list | tuple):
        raise CorpusError(
            f"element {position} of the corpus is of type {type(element).__name__}; give {what}"
        )
    for token in element:
        if not isinstance(token, str):
            raise CorpusError(
                f"element {position} of the corpus holds a token of type {type(token).__name__}; "
                f"give {what}"
            )
