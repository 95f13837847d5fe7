"""The model file, format 1: a safetensors file of these arrays. ``docs/format.md`` has the bytes.

    W1T (V, N), b1 (N,), W2 (V, N), b2 (V,)    float32 or float64; W1T is W1 transposed, so that
                                               the vector of a word is one piece of the file
    counts (V,)                                int64
    words                                      uint8, the UTF-8 of all words, end to end
    word_ends (V,)                             int64, where each word ends among them

Its metadata have one entry, ``cbow``: JSON with ``format_version``, ``config`` and ``report``.
Equal models give equal bytes, so nothing is written that is not part of the result: no time, no
path, no number of threads.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow import safetensors_file
from cbow.config import Config
from cbow.errors import ConfigError, ModelFileError
from cbow.vectors.nearest import Floats

FORMAT_VERSION: Final = 1

_NAMES: Final = {"W1T", "b1", "W2", "b2", "counts", "words", "word_ends"}

Integers = npt.NDArray[np.int64]


class Stored(NamedTuple):
    """A model as it lies in its file."""

    config: Config
    report: dict[str, Any]
    words: Sequence[str]
    counts: Integers  #: (V,)
    W1T: Floats  #: (V, N)
    b1: Floats  #: (N,)
    W2: Floats  #: (V, N)
    b2: Floats  #: (V,)


def write(path: str | os.PathLike[str], model: Stored) -> None:
    """Write a model to one file, which appears whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    ModelFileError
        If the report cannot be written as JSON.
    """
    letters, ends = encode_words(model.words)
    tensors = {
        "W1T": model.W1T,
        "b1": model.b1,
        "W2": model.W2,
        "b2": model.b2,
        "counts": model.counts,
        "words": letters,
        "word_ends": ends,
    }
    safetensors_file.write(path, tensors, {"cbow": _to_json(model.config, model.report)})


def read(path: str | os.PathLike[str]) -> Stored:
    """Open a model; its parameters are read-only and stay on disk until they are used.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a later version of cbow.
    """
    tensors, metadata = safetensors_file.read(path)
    try:
        config, report = _from_json(metadata)
        _check_tensors(tensors, config.dimension)
        words = decode_words(tensors["words"], tensors["word_ends"])
        _check_vocabulary(words, tensors["counts"])
    except (ConfigError, ModelFileError) as error:
        raise ModelFileError(f"{Path(path)} is not a usable model: {error}") from error
    arrays = {name: tensors[name] for name in ("counts", "W1T", "b1", "W2", "b2")}
    return Stored(config, report, words, **arrays)


def encode_words(words: Sequence[str]) -> tuple[npt.NDArray[np.uint8], Integers]:
    """Join words into one array of bytes.

    Returns
    -------
    letters : ndarray of uint8
        The UTF-8 of all words, end to end.
    ends : ndarray of int64, (V,)
        Where each word ends.
    """
    encoded = [word.encode() for word in words]
    ends = np.cumsum([len(word) for word in encoded], dtype=np.int64)  # (V,)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def decode_words(letters: npt.NDArray[np.uint8], ends: Integers) -> list[str]:
    """Cut bytes into words: the inverse of `encode_words`.

    Raises
    ------
    ModelFileError
        If the ends do not rise from above 0 to the number of bytes, or a word is not UTF-8.
    """
    edges = np.concatenate(([0], ends))  # (V + 1,)
    if not (edges[1:] > edges[:-1]).all() or edges[-1] != len(letters):
        raise ModelFileError("its words do not follow one another; fetch or train it again")
    whole, places = letters.tobytes(), edges.tolist()
    try:
        return [whole[start:end].decode() for start, end in pairwise(places)]
    except UnicodeDecodeError:
        raise ModelFileError("its words are not UTF-8; fetch or train it again") from None


def _check_vocabulary(words: Sequence[str], counts: Integers) -> None:
    """Check that no word comes twice and that the counts can be counts, in their order."""
    if len(set(words)) < len(words):
        repeated = next(word for word, times in Counter(words).items() if times > 1)
        raise ModelFileError(
            f"it is damaged, for it holds the word {repeated!r} more than once; "
            "fetch or train it again"
        )
    if (counts < 0).any() or (counts[1:] > counts[:-1]).any():
        raise ModelFileError(
            "it is damaged, for its counts are not falling numbers of 0 or more; "
            "fetch or train it again"
        )


def _to_json(config: Config, report: Mapping[str, Any]) -> str:
    """Write configuration and report in the one form that equal values have."""
    content = {"format_version": FORMAT_VERSION, "config": config.to_dict(), "report": report}
    try:
        return json.dumps(content, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"the report of the model is no JSON ({error}); put only text, finite numbers, lists "
            "and tables into it"
        ) from None


def _from_json(metadata: Mapping[str, str]) -> tuple[Config, dict[str, Any]]:
    """Read configuration and report."""
    if "cbow" not in metadata:
        raise ModelFileError(
            "it is a safetensors file of another program; give one that cbow-train wrote"
        )
    damaged = ModelFileError("its metadata are damaged; fetch or train it again")
    try:
        content = safetensors_file.strict_json(metadata["cbow"])
    except ValueError:
        raise damaged from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if type(version) is not int or version < 1:
        raise damaged
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"it has format {version}, but this cbow knows formats up to {FORMAT_VERSION}; upgrade "
            "it with: python -m pip install --upgrade cbow"
        )
    settings, report = content.get("config"), content.get("report")
    if not isinstance(settings, dict) or not isinstance(report, dict):
        raise damaged
    return Config.from_dict(settings), report


def _check_tensors(tensors: Mapping[str, npt.NDArray[Any]], N: int) -> None:
    """Check that every array is there, of its kind, and of the shape that the others imply."""
    if set(tensors) != _NAMES:
        raise ModelFileError(
            f"it holds the arrays {', '.join(sorted(tensors)) or 'none'}, but must hold "
            f"{', '.join(sorted(_NAMES))}; fetch or train it again"
        )
    V, real = tensors["counts"].size, tensors["W1T"].dtype
    if real not in (np.float32, np.float64):
        raise ModelFileError(f"W1T is {real}, but must be float32 or float64; train it again")
    whole = np.dtype(np.int64)
    expected: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "W1T": (real, (V, N)),
        "b1": (real, (N,)),
        "W2": (real, (V, N)),
        "b2": (real, (V,)),
        "counts": (whole, (V,)),
        "words": (np.dtype(np.uint8), (tensors["words"].size,)),
        "word_ends": (whole, (V,)),
    }
    for name, (dtype, shape) in expected.items():
        array = tensors[name]
        if array.dtype != dtype or array.shape != shape:
            raise ModelFileError(
                f"{name} is {array.dtype} of shape {array.shape}, but must be {dtype} of shape "
                f"{shape}; fetch or train it again"
            )
