"""The package's own file of vectors: a safetensors file, opened in milliseconds.

    vectors (V, N)      float32 or float64
    words               uint8, the UTF-8 of all words, end to end
    word_ends (V,)      int64, where each word ends among them
    counts (V,)         int64; left out if they are not known

Its metadata have the entry ``cbow``: JSON with ``vectors_version``; and checksums, see
`cbow.system.safetensors_file`, by which small files are checked when they are opened. The arrays
of others stay on disk until they are used, so numbers that are not finite and words that are not
UTF-8 are told when they are met, not when the file is opened. (A model of ``cbow-train`` is another
file: it holds the network.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError, shown
from cbow.system import safetensors_file
from cbow.vectors.formats.base import Account, Contents
from cbow.vectors.formats.checks import check_counts, is_table
from cbow.vectors.nearest import Floats
from cbow.vectors.packed import PackedWords, encode_words

VECTORS_VERSION: Final = 1

_NAMES: Final = {"vectors", "words", "word_ends"}


def read(path: Path, *, errors: str = "strict") -> Contents:
    """Open a file; words, vectors and counts stay on disk until they are used.

    Parameters
    ----------
    path : Path
    errors : {"strict", "replace"}
        Has no meaning here: this package writes only UTF-8.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged, or of a later version of cbow.
    """
    tensors, metadata = safetensors_file.read(path, check=safetensors_file.SMALL)
    where = f"{path} is not a usable file of vectors: "
    try:
        _check_version(metadata)
        V = _check_arrays(tensors)
        words = PackedWords(tensors["words"], tensors["word_ends"], where)
    except ModelFileError as error:
        raise ModelFileError(f"{where}{error}") from None
    counts = tensors.get("counts")
    if counts is not None:
        counts = check_counts(path, counts, V)
    return Contents(words, tensors["vectors"], counts, Account(rows=V))


def write(
    path: Path,
    words: Sequence[str],
    matrix: Floats,
    counts: npt.NDArray[np.integer[Any]] | None = None,
) -> None:
    """Write a file. Equal vectors give equal bytes.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    letters, ends = encode_words(words)
    tensors = {"vectors": matrix, "words": letters, "word_ends": ends}
    if counts is not None:
        tensors["counts"] = counts.astype(np.int64, copy=False)
    version = json.dumps({"vectors_version": VECTORS_VERSION})
    safetensors_file.write(path, tensors, {"cbow": version})


def is_native(metadata: Mapping[str, str]) -> bool:
    """Whether a safetensors file with these metadata is a file of vectors, of any version."""
    try:
        return "vectors_version" in safetensors_file.strict_json(metadata["cbow"])
    except (KeyError, TypeError, ValueError):
        return False


def _check_version(metadata: Mapping[str, str]) -> None:
    """Refuse metadata whose version is none, or newer than this package."""
    if not is_native(metadata):
        raise ModelFileError(
            "its metadata do not say so; give a file that cbow-convert or WordVectors.save wrote"
        )
    version = safetensors_file.strict_json(metadata["cbow"])["vectors_version"]
    if type(version) is not int or version < 1:
        raise ModelFileError("its metadata are damaged; fetch or write it again")
    if version > VECTORS_VERSION:
        raise ModelFileError(
            f"it has version {shown(version)}, but this cbow knows versions up to "
            f"{VECTORS_VERSION}; open it with a newer cbow"
        )


def _check_arrays(tensors: Mapping[str, npt.NDArray[Any]]) -> int:
    """Check that every array is there, of its kind and shape; give the number of words."""
    if set(tensors) - {"counts"} != _NAMES:
        raise ModelFileError(
            f"it holds the arrays {shown(sorted(tensors))}, but must hold "
            f"{', '.join(sorted(_NAMES))}; fetch or write it again"
        )
    vectors, V = tensors["vectors"], tensors["word_ends"].size
    real = vectors.dtype in (np.float32, np.float64)
    if not real or not is_table(vectors) or len(vectors) != V:
        raise ModelFileError(
            f"vectors is {vectors.dtype} of shape {vectors.shape}, but must be float32 or float64 "
            f"with a row of numbers for each of {V} words; fetch or write it again"
        )
    for name, dtype in (("words", np.uint8), ("word_ends", np.int64)):
        if tensors[name].dtype != dtype or tensors[name].ndim != 1:
            raise ModelFileError(
                f"{name} is {tensors[name].dtype} of shape {tensors[name].shape}, but must be one "
                f"row of {np.dtype(dtype)}; fetch or write it again"
            )
    return V
