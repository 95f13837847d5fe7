r"""A corpus of any form in pieces of bounded size, so that a line of any length fits into memory.

A piece is text yet to be cut into tokens, or lines of tokens. Pieces of text laid end to end are
the text: every line ends in ``\n``, and a piece that does not end in ``\n`` is continued by the
next one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from cbow.config import Config
from cbow.errors import CorpusError, shown
from cbow.text.fields import FieldReader, column_names
from cbow.text.numbering import Lines, Piece
from cbow.text.reading import TextReader
from cbow.text.sources import Sources, check_texts, source_name
from cbow.text.tokenizers import LineTokenizer, normalised, unify_line_ends

#: Characters in a piece at most.
PIECE: Final = 2**20

# Elements at the start of a corpus that must all look like names of files to be taken for such.
_FIRST: Final = 3


class Cutter:
    """Cut a stream of text at line ends, else at white space, else where a piece is full.

    Parameters
    ----------
    size : int
        Characters in a piece at most; at least one is in it.

    Attributes
    ----------
    cut : int
        Runs of characters without white space, longer than a piece, that had to be cut.
    """

    def __init__(self, size: int = PIECE) -> None:
        self.size = size
        self.cut = 0

    def pieces(self, parts: Iterable[str]) -> Iterator[str]:
        r"""Yield a text, which comes in parts and whose lines end in ``\n``, in pieces."""
        text, within = "", False  # within: the text goes on amid a run that has been cut
        for part in parts:
            text += part
            start = 0
            while len(text) - start > self.size:
                stop = start + self.size
                if line_end := 1 + text.rfind("\n", start, stop):
                    end = line_end
                elif text[stop].isspace() or text[stop - 1].isspace():
                    end = stop  # the last run fits exactly
                else:
                    end = stop - len(text[start:stop].rsplit(None, 1)[-1])
                if stuck := end == start:  # it is all one run
                    end = stop
                    self.cut += not within
                within = stuck
                yield text[start:end]
                start = end
            text = text[start:]
        if text:
            yield text


class CorpusReader:
    """Reads a corpus in pieces, with the settings of a config, and counts what it had to do.

    `reader` knows how many bytes it read and replaced, `cutter` how many runs of characters it cut,
    `field`, if there is one, how many rows do not have it. `look` is called with the first text of
    each source, and its name. The `tokenizer` is the one that will cut the lines into tokens.
    """

    def __init__(
        self,
        sources: Sources,
        config: Config,
        tokenizer: LineTokenizer,
        look: Callable[[str, str], None],
    ) -> None:
        self.sources = sources
        self.reader = TextReader(config.encoding, config.errors)
        self.cutter = Cutter()
        self.field = None if config.field is None else FieldReader(config.field)
        self._form = config.normalise
        self._tokenizer = tokenizer
        self._look = look

    def __iter__(self) -> Iterator[tuple[Piece, int]]:
        """Yield the pieces, each with the number of bytes read so far."""
        if self.sources.items:
            texts = map(self.cutter.pieces, self.reader.texts(self.sources, self.field))
            named: Iterable[tuple[Iterator[Piece], str]] = zip(
                texts, map(source_name, self.sources.items), strict=True
            )
        else:
            elements = element_pieces(self.sources.texts, self.cutter, self.field)
            named = [(elements, self.sources.name)]
        for pieces, name in named:
            for i, piece in enumerate(pieces):
                if i == 0 and isinstance(piece, str):
                    self._look(piece, name)
                yield self._normalised(piece), self.reader.bytes_read

    def _normalised(self, piece: Piece) -> Piece:
        """Bring a piece into the normal form."""
        if self._form == "none":  # a call for each token would take longer than the rest
            return piece
        if isinstance(piece, str):
            return normalised(piece, self._form, self._tokenizer)
        return Lines([normalised(token, self._form) for token in piece.tokens], piece.ends)


def element_pieces(
    corpus: Any, cutter: Cutter, field: FieldReader | None = None
) -> Iterator[Piece]:
    """Turn an iterable of texts and of lists of tokens into pieces.

    A str is a text of one or more lines; a list or tuple of str or of int is one line of tokens.
    The elements are taken out of a table or of rows if there is a `field`.

    Raises
    ------
    CorpusError
        If the corpus is not iterable, or an element is neither; the message then names its
        position, from 0, and its type. Also if the first texts are names of files.
    """
    if field is None or column_names(corpus) is None:
        elements = iter(check_corpus(corpus))
        first = list(itertools.islice(elements, _FIRST))
        check_texts(first)
        corpus = itertools.chain(first, elements)
    for group in _grouped(field.elements(corpus) if field else corpus):
        if isinstance(group, str):
            yield from cutter.pieces([group])
        else:
            yield group


def _grouped(corpus: Iterable[Any]) -> Iterator[Piece]:
    """Put neighbouring elements of a kind together until they are about a piece."""
    texts: list[str] = []
    lines = Lines([], [])
    size = 0
    for position, element in enumerate(corpus):
        is_text = isinstance(element, str)
        if size >= PIECE or (lines.ends if is_text else texts):
            yield unify_line_ends("".join(texts)) if texts else lines
            texts, lines, size = [], Lines([], []), 0
        if is_text:  # each ends its last line
            texts.append(element if element.endswith(("\n", "\r")) else element + "\n")
            size += len(element) + 1
        else:
            tokens = checked_tokens(element, f"element {position} of the corpus")
            lines.tokens.extend(tokens)
            lines.end_line()
            size += sum(map(len, tokens)) + 1
    if texts or lines.ends:
        yield unify_line_ends("".join(texts)) if texts else lines


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


def checked_tokens(element: object, name: str) -> Sequence[str]:
    """Return the tokens of a line; whole numbers are written in digits, as ``"17"``.

    Raises
    ------
    CorpusError
        If `element` is not a list of tokens. The message calls it `name`.
    """
    expected = "a str (a text), or a list of str or of int (the tokens of a line)"
    if isinstance(element, Mapping):
        row = f"row[{shown(next(iter(element)))}]" if element else "row[NAME]"
        raise CorpusError(
            f"{name} is of type {type(element).__name__}, as the rows of a table are; give the "
            f"texts in them: ({row} for row in corpus)"
        )
    if not isinstance(element, list | tuple):
        raise CorpusError(
            f"{name} is of type {type(element).__name__}: {shown(element)}; give {expected}"
        )
    if all(isinstance(token, str) for token in element):
        return element
    for token in element:
        if isinstance(token, bool) or not isinstance(token, str | int | np.integer):
            raise CorpusError(
                f"{name} holds a token of type {type(token).__name__}: {shown(token)}; "
                f"give {expected}"
            )
    return [str(token) for token in element]
