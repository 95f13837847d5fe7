"""A corpus in batches of about a piece: text still to be cut into tokens, or lines of tokens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from cbow.errors import CorpusError, shown
from cbow.text.fields import FieldReader, column_names
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


def source_parts(
    sources: Sources, reader: TextReader, field: FieldReader | None = None
) -> Iterator[Iterator[str]]:
    """Yield for each source its text in parts; of rows the texts in one field."""
    for item in sources.items:
        if isinstance(item, Path):
            parts = _file_parts(item, reader)
        elif item == STDIN:
            parts = reader.read(_standard_input(), source_name(item))
        else:
            parts = ending_lines(nltk_text(item.removeprefix(NLTK)))
        yield field.text(parts, source_name(item)) if field else parts


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
    check_readable(f"/dev/fd/{descriptor}", source_name(STDIN))
    return stream


def check_corpus(corpus: object) -> Iterable[Any]:
    """Return what holds texts; a table or mapping would give the names of its columns for texts.

    Raises
    ------
    CorpusError
        If `corpus` is not iterable, or is bytes, a mapping or a table.
    """
    name = f"the corpus is of type {type(corpus).__name__}"
    names = column_names(corpus)
    if isinstance(corpus, Mapping):
        first = f", such as corpus[{shown(names[0])}]" if names else ""
        raise CorpusError(
            f"{name}, whose keys would be taken for texts; give the texts in it: corpus.values(), "
            f"or what is under one key{first}"
        )
    if names is not None:
        first = f"corpus[{shown(names[0])}]" if names else "corpus[:, 0]"
        raise CorpusError(
            f"{name}, a table, whose columns would be taken for texts; give the column that holds "
            f"the texts, such as {first}"
        )
    scalar = isinstance(corpus, bytes | bytearray) or getattr(corpus, "ndim", 1) == 0
    if scalar or not isinstance(corpus, Iterable):
        raise CorpusError(f"{name}; give a list of texts (str), or of lists of words")
    return corpus


def element_batches(
    corpus: Any, cutter: Cutter, field: FieldReader | None = None
) -> Iterator[Batch]:
    """Turn an iterable of texts and of lists of tokens into batches.

    Parameters
    ----------
    corpus : iterable
        A str is a text of one or more lines; a list or tuple of str or of int is one line of
        tokens.
    cutter : Cutter
        Cuts long texts.
    field : FieldReader, optional
        Takes the elements out of a table or of rows.

    Raises
    ------
    CorpusError
        If the corpus is none, or an element is neither; the message then names its position, from
        0, and its type.
    """
    if field is None or column_names(corpus) is None:
        corpus = check_corpus(corpus)
    for group in _grouped(field.elements(corpus) if field else corpus):
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
            tokens = checked_tokens(element, f"element {position} of the corpus")
            lines.tokens.extend(tokens)
            lines.end_line()
            size += sum(map(len, tokens)) + 1
    if texts or lines.ends:
        yield _joined(texts) if texts else lines


def _joined(texts: list[str]) -> str:
    r"""Join texts into one; each ends its last line."""
    ended = (text if text.endswith(("\n", "\r")) else text + "\n" for text in texts)
    return unify_line_ends("".join(ended))


def checked_tokens(element: object, what: str) -> Sequence[str]:
    """Return the tokens of a line; whole numbers are written in digits, as ``"17"``.

    Raises
    ------
    CorpusError
        If `element` is no list of tokens. The message calls it `what`.
    """
    expected = "a str (a text), or a list of str or of int (the tokens of a line)"
    if isinstance(element, Mapping):
        row = f"row[{shown(next(iter(element)))}]" if element else "row[NAME]"
        raise CorpusError(
            f"{what} is of type {type(element).__name__}, as the rows of a table are; give the "
            f"texts in them: ({row} for row in corpus)"
        )
    if not isinstance(element, list | tuple):
        raise CorpusError(
            f"{what} is of type {type(element).__name__}: {shown(element)}; give {expected}"
        )
    if all(isinstance(token, str) for token in element):
        return element
    for token in element:
        if isinstance(token, bool) or not isinstance(token, str | int | np.integer):
            raise CorpusError(
                f"{what} holds a token of type {type(token).__name__}: {shown(token)}; "
                f"give {expected}"
            )
    return [str(token) for token in element]
