"""The text of a corpus that NLTK has installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cbow.errors import CorpusError, shown


def nltk_text(name: str) -> Iterator[str]:
    r"""Yield the text of ``nltk.corpus.NAME`` in parts.

    A plain corpus gives its files as they are, one part each. A tagged or bracketed corpus gives
    its sentences, words joined with spaces, a line each.

    Parameters
    ----------
    name : str
        Such as ``"brown"`` or ``"gutenberg"``.

    Raises
    ------
    CorpusError
        If NLTK knows no such corpus, has not installed it, or it holds no running text.
    """
    reader = _reader(name)
    try:
        yield from _parts(reader, name)
    except LookupError as error:
        needed = re.search(r"nltk\.download\('([^']+)'\)", str(error))
        raise CorpusError(
            f"the NLTK corpus {shown(name)} is not installed, or not whole; "
            f"run: python -m nltk.downloader {needed[1] if needed else name}"
        ) from None
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"a file of the NLTK corpus {shown(name)} cannot be decoded ({error}); "
            f"fetch it again: python -m nltk.downloader --force {name}"
        ) from None


def _reader(name: str) -> Any:
    """Find the corpus reader of that name."""
    import nltk.corpus
    from nltk.corpus.reader import CorpusReader
    from nltk.corpus.util import LazyCorpusLoader

    reader = getattr(nltk.corpus, name, None)
    if not isinstance(reader, LazyCorpusLoader | CorpusReader):
        raise CorpusError(
            f"NLTK has no corpus named {shown(name)}; give one of https://www.nltk.org/nltk_data, "
            "such as nltk:brown, nltk:gutenberg or nltk:reuters"
        )
    return reader


def _parts(reader: Any, name: str) -> Iterator[str]:
    """Yield the text of a reader, by file or by sentence."""
    from nltk.corpus.reader import PlaintextCorpusReader

    files = reader.fileids()  # loads the corpus, so that its class is known
    if isinstance(reader, PlaintextCorpusReader):
        for file in files:
            yield reader.raw(file) + "\n"
    elif hasattr(reader, "sents"):
        for sentence in reader.sents():
            yield " ".join(sentence) + "\n"
    else:
        raise CorpusError(
            f"the NLTK corpus {shown(name)} holds no running text; "
            "give one that does, such as nltk:brown"
        )
