"""From the batches of a corpus to the numbers of its words, by readable or by compiled code."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.system.processors import processors
from cbow.text.alphabet import RULES, Rule
from cbow.text.batches import Batch, Lines, tokenized
from cbow.text.numbering import Numbering, TokenNumbering
from cbow.text.parallel import in_order
from cbow.text.tokenizers import LineTokenizer

#: Characters of text up to which readable code is faster: to load compiled code takes a while.
FEW: Final = 2**19

#: Characters that compiled code is given at a time.
PORTION: Final = 2**17

#: The numbers of words, and LINE_END where a line ends.
Numbers = npt.NDArray[np.int32]


class Numberer:
    """Numbers the words of a corpus, batch by batch, by first appearance.

    Once there is more than a little text, compiled code takes the place of readable code, if it can
    follow the tokenizer. The numbers are the same.

    Parameters
    ----------
    tokenizer : callable
        Cuts lines into tokens.
    threads : int or None
        How many threads compiled code may use; None for one per processor.

    Attributes
    ----------
    numbering : Numbering
        Knows the words so far.
    """

    numbering: Numbering

    def __init__(self, tokenizer: LineTokenizer, threads: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._threads = threads or processors()
        self._tokens = self.numbering = TokenNumbering()

    def number(self, batches: Iterable[tuple[Batch, int]]) -> Iterator[tuple[Numbers, int]]:
        """Yield the numbers of batches; large ones in parts.

        Parameters
        ----------
        batches : iterable of (batch, int)
            The int comes back with all the numbers of its batch.
        """
        batches = iter(batches)
        characters = 0
        for batch, mark in batches:
            if isinstance(batch, str):
                characters += len(batch)
                if characters > FEW and (rule := _compiled_rule(self._tokenizer)):
                    yield from self._compiled(itertools.chain([(batch, mark)], batches), rule)
                    return
                batch = tokenized(batch, self._tokenizer)
            yield self._tokens.number(*batch), mark

    def _compiled(
        self, batches: Iterable[tuple[Batch, int]], rule: Rule
    ) -> Iterator[tuple[Numbers, int]]:
        """Do as `number` does, by compiled code."""
        from cbow.text.interning import Row, WordTable, as_bytes, row_of_text, row_of_tokens

        self.numbering = table = WordTable(self._tokens)

        def parts() -> Iterator[tuple[bytes | Lines, int]]:
            for batch, mark in batches:
                if isinstance(batch, str):
                    for portion in portions(batch, PORTION):
                        yield as_bytes(portion, rule), mark
                else:
                    yield batch, mark

        def cut(part: tuple[bytes | Lines, int]) -> tuple[Row, int]:
            what, mark = part
            if isinstance(what, bytes):
                return row_of_text(what, rule.alphabet), mark
            return row_of_tokens(*what), mark

        def number(cut: tuple[Row, int]) -> tuple[Numbers, int]:
            row, mark = cut
            return table.number(row), mark

        return in_order(parts(), cut, number, self._threads)


def _compiled_rule(tokenizer: LineTokenizer) -> Rule | None:
    """Return what compiled code must know to follow a tokenizer; None if it cannot do so."""
    if tokenizer not in RULES:
        return None
    from cbow.text import kernels

    return RULES[tokenizer]() if kernels.COMPILED else None  # as Python they would be slow


def portions(text: str, size: int) -> Iterator[str]:
    r"""Cut a text behind blanks and ``\n`` into portions of `size` characters or less.

    A stretch longer than that is in one portion with all that follows.
    """
    start = 0
    while len(text) - start > size:
        stop = start + size
        end = 1 + max(text.rfind("\n", start, stop), text.rfind(" ", start, stop))
        if not end:
            break
        yield text[start:end]
        start = end
    yield text[start:]
