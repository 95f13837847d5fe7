"""Files of word vectors, whatever tool wrote them: a module for each format, with its bytes.

A file is recognised by its content when it is read, and by its name when it is written.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from cbow.config import BAD_ROWS, MAX_EXPANSION
from cbow.errors import ConfigError, ModelFileError, shown
from cbow.system.files import check_folder_writable, check_writable, expanded, to_read
from cbow.vectors.formats import model2vec
from cbow.vectors.formats.base import Account, Contents
from cbow.vectors.formats.checks import check_parts
from cbow.vectors.formats.recognise import MODEL, named, recognise
from cbow.vectors.nearest import Floats

__all__ = [
    "ERRORS",
    "FORMATS",
    "MODEL",
    "Account",
    "Contents",
    "Format",
    "check_place",
    "inputs_of",
    "named",
    "outputs_of",
    "read",
    "recognise",
    "write",
]

#: What may be done about words that are not UTF-8: refuse them, or put U+FFFD for bad bytes.
ERRORS: Final = "strict", "replace"


class Format(NamedTuple):
    """What distinguishes a format."""

    title: str  #: what to call it in a sentence
    module: str  #: where it is read and written
    counts: bool  #: whether it has a place for counts


#: The formats by the names that `read` and `write` take.
FORMATS: Final[Mapping[str, Format]] = {
    "word2vec-text": Format("word2vec text", "word2vec_text", counts=False),
    "word2vec-binary": Format("word2vec binary", "word2vec_binary", counts=False),
    "fasttext": Format("fastText .vec", "fasttext", counts=False),
    "glove": Format("GloVe text", "glove", counts=False),
    "projector": Format("Embedding Projector", "projector", counts=True),
    "npz": Format("numpy .npz", "npz", counts=True),
    "safetensors": Format("cbow vectors", "native", counts=True),
    "model2vec": Format("model2vec", "model2vec", counts=False),
}


class _Codec(Protocol):
    """What the module of a format offers."""

    def read(self, path: Path, **rules: Any) -> Contents: ...

    def write(
        self,
        path: Path,
        words: Sequence[str],
        matrix: Floats,
        counts: npt.NDArray[np.integer[Any]] | None = ...,
    ) -> None: ...


def read(
    path: str | os.PathLike[str],
    format: str | None = None,
    errors: str = "strict",
    on_bad_rows: str = "raise",
    max_expansion: float = MAX_EXPANSION,
) -> Contents:
    """Read words and vectors.

    Parameters
    ----------
    path : path-like
        A file or, for model2vec, a folder.
    format : str, optional
        A name of `FORMATS`; by default the content tells.
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is refused, or kept with U+FFFD for its bad bytes.
    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is refused, or left out and counted.
    max_expansion : float
        How many times its size on disk a file may become where it is packed; `math.inf` for no
        limit.

    Returns
    -------
    Contents
        The account in it says what is not there as it stood in the file.

    Raises
    ------
    ModelFileError
        If the file cannot be read, is in no such format, is damaged, or would take more memory
        than it may or there is.
    ConfigError
        If there is no format of that name, or another argument is something else.
    """
    path = to_read(path)
    for argument, value, known in (
        ("errors", errors, ERRORS),
        ("on_bad_rows", on_bad_rows, BAD_ROWS),
    ):
        if value not in known:
            raise ConfigError(
                f"{argument} is {shown(value)}, but must be one of {', '.join(known)}"
            )
    if not (isinstance(max_expansion, int | float) and max_expansion >= 1):
        raise ConfigError(
            f"max_expansion is {shown(max_expansion)}, but must be a number of 1 or more, or inf "
            "for no limit"
        )
    name = recognise(path) if format is None else format
    if name == MODEL:
        raise ModelFileError(
            f"{path} is no file of vectors alone, but a model or a safetensors file of another "
            "program; open a model with cbow.load_vectors"
        )
    rules = {"errors": errors, "on_bad_rows": on_bad_rows, "max_expansion": max_expansion}
    if name == "safetensors":  # nothing of it is read or unpacked when it is opened
        rules = {"errors": errors}
    try:
        return _codec(name).read(path, **rules)
    except MemoryError:
        raise ModelFileError(
            f"{path} needs more memory than there is; end other programs, or convert it on a "
            "larger machine with cbow-convert, to a part with --limit or to .safetensors, which is "
            "opened without being read"
        ) from None


def write(
    path: str | os.PathLike[str],
    words: Sequence[str],
    matrix: Floats,
    counts: npt.NDArray[np.integer[Any]] | None = None,
    format: str | None = None,
) -> None:
    """Write words and vectors; what was there under that name is replaced when all is written.

    Parameters
    ----------
    path : path-like
        A file or, for model2vec, a folder.
    words : sequence of str
        V distinct words.
    matrix : ndarray of float32 or float64, (V, N)
    counts : ndarray of int, (V,), optional
        How often each word occurs; left out where the format has no place for counts.
    format : str, optional
        A name of `FORMATS`; by default the ending of `path` tells.

    Raises
    ------
    ModelFileError
        If words, matrix and counts do not fit each other, a number is not finite, or the format
        cannot hold a word.
    ConfigError
        If there is no format of that name.
    OutputError
        If the name does not tell the format, or the file cannot be written.

    Warns
    -----
    VectorsWarning
        If numbers had to be rounded.
    """
    codec = _codec(named(os.path.expanduser(path)) if format is None else format)
    check_parts(words, matrix, counts)
    codec.write(expanded(path), words, matrix, counts)


def inputs_of(path: Path, name: str) -> list[Path]:
    """List what is read with `path`, itself among them, in a format of `FORMATS` or `MODEL`."""
    if name == "projector":
        from cbow.vectors.formats.projector import metadata_of

        return [path, metadata_of(path) or path]
    if name == "model2vec":
        folder = model2vec.inside(path) or path
        return [path, folder, *(folder / member for member in model2vec.MEMBERS)]
    return [path]


def outputs_of(path: Path, name: str) -> list[Path]:
    """List what is written with `path`, itself among them, in a format of `FORMATS`."""
    if name == "projector":
        from cbow.vectors.formats.projector import metadata_beside

        return [path, metadata_beside(path)]
    if name == "model2vec":
        return [path, *(path / member for member in model2vec.MEMBERS)]
    return [path]


def check_place(path: Path, name: str) -> None:
    """Raise `OutputError` now if `path` could not be written later in a format of `FORMATS`."""
    if name == "model2vec":
        check_folder_writable(path, model2vec.MEMBERS)
    else:
        for each in outputs_of(path, name):
            check_writable(each)


def _codec(name: str) -> _Codec:
    """Import the module of a format."""
    if name not in FORMATS:
        raise ConfigError(f"there is no format {shown(name)}; choose one of {', '.join(FORMATS)}")
    return cast(_Codec, importlib.import_module(f"{__name__}.{FORMATS[name].module}"))
