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
from pathlib import Path
from typing import Final

import numpy as np

from cbow.errors import ModelFileError, shown
from cbow.system import safetensors_file
from cbow.system.files import naming
from cbow.vectors.formats.base import (
    Account,
    Contents,
    Format,
    Options,
    Source,
    check_counts,
    is_table,
)
from cbow.vectors.words import PackedWords, encode_words

VECTORS_VERSION: Final = 1

_NAMES: Final = {"vectors", "words", "word_ends"}
_KIND: Final = "file of vectors"


def recognise(source: Source) -> bool:
    """Return whether a file is one of vectors, of any version."""
    if not source.like_safetensors:
        return False
    try:
        content = safetensors_file.strict_json(source.safetensors.metadata["cbow"])
        return "vectors_version" in content
    except (KeyError, TypeError, ValueError):
        return False


def read(source: Source, options: Options) -> Contents:
    """Open a file; words, vectors and counts stay on disk until they are used.

    Raises
    ------
    ModelFileError
        If it is not such a file, or damaged, or of a later version of cbow.
    """
    path, (tensors, metadata) = source.path, source.safetensors
    safetensors_file.check_unchanged(path, source.safetensors, safetensors_file.SMALL)
    with naming(path, _KIND):
        try:
            version = safetensors_file.strict_json(metadata["cbow"])["vectors_version"]
        except (KeyError, TypeError, ValueError):
            raise ModelFileError(
                "its metadata do not say so; give a file that cbow-convert or WordVectors.save "
                "wrote"
            ) from None
        if type(version) is not int or version < 1:
            raise ModelFileError("its metadata are damaged; fetch or write it again")
        if version > VECTORS_VERSION:
            raise ModelFileError(
                f"it has version {shown(version)}, but this cbow knows versions up to "
                f"{VECTORS_VERSION}; open it with a newer cbow"
            )
        if set(tensors) - {"counts"} != _NAMES:
            raise ModelFileError(
                f"it holds the arrays {shown(sorted(tensors))}, but must hold "
                f"{', '.join(sorted(_NAMES))}; fetch or write it again"
            )
        vectors, V = tensors["vectors"], tensors["word_ends"].size
        real = vectors.dtype in (np.float32, np.float64)
        if not real or not is_table(vectors) or len(vectors) != V:
            raise ModelFileError(
                f"vectors is {vectors.dtype} of shape {vectors.shape}, but must be float32 or "
                f"float64 with a row of numbers for each of {V} words; fetch or write it again"
            )
        for name, dtype in (("words", np.uint8), ("word_ends", np.int64)):
            if tensors[name].dtype != dtype or tensors[name].ndim != 1:
                raise ModelFileError(
                    f"{name} is {tensors[name].dtype} of shape {tensors[name].shape}, but must be "
                    f"one row of {np.dtype(dtype)}; fetch or write it again"
                )
        where = f"{path} is not a usable {_KIND}: "
        words = PackedWords(tensors["words"], tensors["word_ends"], where)
        counts = tensors.get("counts")
        if counts is not None:
            counts = check_counts(counts, V)
    return Contents(words, vectors, counts, Account(rows=V))


def write(path: Path, contents: Contents) -> None:
    """Write a file. Equal vectors give equal bytes."""
    letters, ends = encode_words(contents.words)
    tensors = {"vectors": contents.matrix, "words": letters, "word_ends": ends}
    if contents.counts is not None:
        tensors["counts"] = contents.counts.astype(np.int64, copy=False)
    version = json.dumps({"vectors_version": VECTORS_VERSION})
    safetensors_file.write(path, tensors, {"cbow": version})


FORMAT: Final = Format(
    name="safetensors",
    title="cbow vectors",
    recognise=recognise,
    read=read,
    write=write,
    ending=".safetensors",
    counts=True,
    checksums=True,
)
