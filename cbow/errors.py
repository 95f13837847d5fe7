"""The exceptions of cbow: one tree, so that ``except cbow.CBOWError`` catches every error.

Each message is one sentence in three parts: what was found, what was expected, what to do.
A command prints it after ``cbow-train: error:`` and exits with 1; no traceback is shown.

    CBOWError
    ├── ConfigError        a setting outside its range           (also a ValueError)
    ├── CorpusError        text that cannot be read or trained on (also a ValueError)
    ├── ModelFileError     a file that is not a usable model      (also a ValueError)
    ├── OutputError        a file that cannot be written          (also an OSError)
    ├── QueryError         a query that makes no sense            (also a ValueError)
    ├── UnknownWordError   a word the model does not know         (also a KeyError)
    ├── ClusterError       workers that cannot be had            (also a ConnectionError)
    └── DivergenceError    the loss became infinite or NaN        (also an ArithmeticError)

    Interrupted            Ctrl-C while training; a KeyboardInterrupt, not a CBOWError
    VectorsWarning         a file of vectors is not used exactly as it is; a UserWarning
    CorpusWarning          a text should be prepared before it is read; a UserWarning
    OutputWarning          something about the place of an output file; a UserWarning

DivergenceError and Interrupted carry a model, ``.model``: they are defined in `cbow.training`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

#: What to do about a model whose numbers overflowed.
TRAIN_AGAIN: Final = "train it again with a smaller learning rate"

#: The most characters of a value that a message shows.
LONGEST_SHOWN: Final = 200


def shown(value: object, most: int = LONGEST_SHOWN) -> str:
    """Return the ``repr`` of a value for a message, at most its first `most` characters.

    Names, words and headers of files may be of any length; a message must not be.

    Examples
    --------
    >>> shown("king"), shown("x" * 1000, most=8)
    ("'king'", "'xxxx...")
    """
    if isinstance(value, str | bytes):
        value = value[:most]
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def counted(n: int, thing: str) -> str:
    """Return a number with what it counts, a word that takes an s for the plural.

    Examples
    --------
    >>> counted(1, "word"), counted(2000, "word")
    ('1 word', '2,000 words')
    """
    return f"{n:,} {thing}{'s' * (n != 1)}"


class CBOWError(Exception):
    """Base of every error that cbow raises on purpose."""


class ConfigError(CBOWError, ValueError):
    """A setting has a value outside its range."""


class CorpusError(CBOWError, ValueError):
    """The text cannot be read, or nothing can be learned from it."""


class ModelFileError(CBOWError, ValueError):
    """The file is not a model that this version can open."""


class OutputError(CBOWError, OSError):
    """A file cannot be written."""


class ClusterError(CBOWError, ConnectionError):
    """Workers cannot be started or reached, or are lost."""


class QueryError(CBOWError, ValueError):
    """A query cannot be answered as it was put."""


class UnknownWordError(CBOWError, KeyError):
    """A word is not in the vocabulary.

    Parameters
    ----------
    word : str
        The word that was asked for.
    suggest : callable, optional
        Gives words of the vocabulary spelled alike. Called when the message is first shown, so
        that ``try: vectors[word] except KeyError`` stays cheap.
    """

    def __init__(self, word: str, suggest: Callable[[], Sequence[str]] | None = None) -> None:
        super().__init__(word)
        self.word = word
        self._suggest = suggest

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.word,)  # what suggests holds the whole vocabulary

    @property
    def suggestions(self) -> list[str]:
        """Words of the vocabulary that are spelled alike, best first."""
        return list(self._suggest()) if self._suggest else []

    def __str__(self) -> str:
        near = self.suggestions
        if near:
            words = ", ".join(near)
            return f"the word {shown(self.word)} is not in the vocabulary; did you mean {words}?"
        return (
            f"the word {shown(self.word)} is not in the vocabulary, and no word of it is spelled "
            "alike; ask for a word that occurs in the training text at least min_count times"
        )


class VectorsWarning(UserWarning):
    """Something of a file of vectors is left out or rounded as it is read or written."""


class CorpusWarning(UserWarning):
    """A text looks as if it should be prepared before it is read."""


class OutputWarning(UserWarning):
    """The drive of a file cannot flush it, or something that a killed process left was cleared."""
