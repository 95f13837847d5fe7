"""The package's own files, opened in milliseconds: a model, and vectors alone; both safetensors.

**A model**, which ``cbow-train`` writes. ``docs/format.md`` has the bytes.

    W1T (V, N), b1 (N,), W2 (V, N), b2 (V,)    float32 or float64; W1T is W1 transposed, so that
                                               the vector of a word is one piece of the file
    counts (V,)                                int64
    words                                      uint8, the UTF-8 of all words, end to end
    word_ends (V,)                             int64, where each word ends among them
    joint (V, N)                               of the kind of W1T: the vectors by default, which
                                               are computed from W1T and W2 when a model is saved,
                                               so that nobody who opens it computes them again

That is format 2. Where words are made of n-grams it is 3: W1T is (V + buckets, N), and there is

    joint_to (N, N)                            takes the mean of the n-grams of a word, rows of W1T
                                               from V on, to joint vectors

Format 1 is the same as 2 without ``joint``; so are checkpoints, and all are read.
Its metadata have one entry, ``cbow``: JSON with ``format_version``, ``config`` and ``report``.
Equal models give equal bytes, so nothing is written that is not part of the result: no time, no
path, no number of threads.

Read as a file of vectors, it holds those of every kind that `cbow.vectors.embeddings` computes.

**Vectors**, which ``cbow-convert`` and `WordVectors.save` write:

    vectors (V, N)      float32 or float64
    words               uint8, the UTF-8 of all words, end to end
    word_ends (V,)      int64, where each word ends among them
    counts (V,)         int64; left out if they are not known

Its metadata have the entry ``cbow``: JSON with ``vectors_version``.

Both have checksums, see `cbow.system.safetensors_file`, by which small files are checked when they
are opened. The arrays of others stay on disk until they are used, so numbers that are not finite
and words that are not UTF-8 are told when they are met, not when the file is opened.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.config import Config
from cbow.errors import ModelFileError, shown
from cbow.system import safetensors_file
from cbow.system.arrays import Floats, Longs
from cbow.system.files import naming, to_read
from cbow.text.ngrams import Ngrams, features_of
from cbow.vectors.embeddings import (
    WEIGHT_BESIDE_NGRAMS,
    Subwords,
    check_kind,
    composed_rows,
    embed,
    fitted,
    joint_vectors,
)
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

FORMAT_VERSION: Final = 3

#: That of models whose words are not made of n-grams: earlier versions of cbow read them, too.
WITHOUT_NGRAMS: Final = 2

VECTORS_VERSION: Final = 1

_NAMES: Final = {"W1T", "b1", "W2", "b2", "counts", "words", "word_ends"}
_NAMES_OF_VECTORS: Final = {"vectors", "words", "word_ends"}


# --- models ---------------------------------------------------------------------------------------


class Stored(NamedTuple):
    """A model as it lies in its file."""

    config: Config
    report: dict[str, Any]
    words: Sequence[str]
    counts: Longs  #: (V,)
    W1T: Floats  #: (V, N), or (V + buckets, N) if words are made of n-grams
    b1: Floats  #: (N,)
    W2: Floats  #: (V, N)
    b2: Floats  #: (V,)
    joint: Floats | None = None  #: (V, N)
    joint_to: Floats | None = None  #: (N, N), if words are made of n-grams

    @property
    def ngrams(self) -> Ngrams | None:
        """Which n-grams words are made of; None if they are not."""
        return Ngrams.of(self.config)


def write_model(path: str | os.PathLike[str], model: Stored) -> None:
    """Write a model to one file, which appears whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    ModelFileError
        If the report cannot be written as JSON.
    """
    version = FORMAT_VERSION if model.ngrams else WITHOUT_NGRAMS
    content = {"format_version": version, **settings_and_report(model)}
    safetensors_file.write(path, arrays_of(model), to_metadata(content))


def read_model(path: str | os.PathLike[str]) -> Stored:
    """Open a model; its parameters are read-only and stay on disk until they are used.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, of another kind or of a later version of cbow.
    """
    return _stored(Source(to_read(path)))


def _stored(source: Source) -> Stored:
    path, (tensors, metadata) = source.path, source.safetensors
    safetensors_file.check_unchanged(path, source.safetensors, safetensors_file.SMALL)
    with naming(path, "model"):
        content = from_metadata(metadata)
        if "checkpoint_version" in content:
            raise ModelFileError(
                "it is the checkpoint of a training that is not over; go on with it: cbow-train "
                "--resume FILE"
            )
        check_version(content, "format_version", FORMAT_VERSION)
        return restored(tensors, content, f"{path} is not a usable model: ")


def _vectors_of_model(source: Source, options: Options) -> Contents:
    """Return the vectors of a model, of the kind that the options name."""
    model, kind = _stored(source), options.embedding
    if kind == "joint" and model.joint is not None:
        matrix, to = model.joint, model.joint_to
    else:
        matrix, to = embedded(model, kind)
    account = Account(rows=len(model.words))
    return Contents(model.words, matrix, model.counts, account, subwords(model, to))


def embedded(model: Stored, kind: str) -> tuple[Floats, Floats | None]:
    """Return the vectors of a kind, computed anew, (V, N).

    See `cbow.vectors.embeddings.embed`. If words are made of n-grams, input vectors are the means
    of their features; and joint vectors are of the means of the n-grams alone, for the words
    themselves know less of similarity than W2, and unknown words have only n-grams.

    Returns
    -------
    vectors : (V, N) array
    to : (N, N) array or None
        What takes means of n-grams to these vectors; None if they are such already.
    """
    if model.ngrams is None:
        return embed(model.W1T, model.W2, kind), None
    check_kind(kind)
    E, G = composed_rows(model.W1T, features_of(model.words, model.ngrams))  # (V, N)
    if kind == "input":
        return E, None
    if kind == "joint":
        vectors = joint_vectors(G, model.W2, weight=WEIGHT_BESIDE_NGRAMS)
    else:
        vectors = embed(E, model.W2, kind)
    return vectors, fitted(G, vectors)


def subwords(model: Stored, to: Floats | None) -> Subwords | None:
    """Return what vectors of unknown words are made of; None without n-grams."""
    if model.ngrams is None:
        return None
    return Subwords(model.ngrams, model.W1T[len(model.words) :], to)


def arrays_of(model: Stored) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a model by their names in the file."""
    letters, ends = encode_words(model.words)
    derived = {"joint": model.joint, "joint_to": model.joint_to}
    return {
        **{name: array for name, array in derived.items() if array is not None},
        "W1T": model.W1T,
        "b1": model.b1,
        "W2": model.W2,
        "b2": model.b2,
        "counts": model.counts,
        "words": letters,
        "word_ends": ends,
    }


def settings_and_report(model: Stored) -> dict[str, Any]:
    """Return the rest of a model by its names in the metadata."""
    return {"config": model.config.to_dict(), "report": model.report}


def restored(
    tensors: Mapping[str, npt.NDArray[Any]], content: Mapping[str, Any], where: str = ""
) -> Stored:
    """Put a model together again: the inverse of `arrays_of` and `settings_and_report`.

    The words stay packed: what is wrong with them is told when they are used, behind `where`.

    Raises
    ------
    ModelFileError, ConfigError
        If something is missing, or does not fit the rest.
    """
    settings, report = content.get("config"), content.get("report")
    if not isinstance(settings, dict) or not isinstance(report, dict):
        raise damaged_metadata()
    config = Config.from_dict(settings)
    if config.ngrams and not config.buckets:
        raise ModelFileError(
            "its words are made of n-grams, but it does not say how many buckets these have; fetch "
            "or train it again"
        )
    _check_tensors(tensors, config.dimension, config.buckets or 0)
    words = PackedWords(tensors["words"], tensors["word_ends"], where)
    counts = tensors["counts"]
    if (counts < 0).any() or (counts[1:] > counts[:-1]).any():
        raise ModelFileError(
            "it is damaged, for its counts are not falling numbers of 0 or more; "
            "fetch or train it again"
        )
    arrays = {name: tensors[name] for name in ("counts", "W1T", "b1", "W2", "b2")}
    joint, joint_to = tensors.get("joint"), tensors.get("joint_to")
    return Stored(config, report, words, **arrays, joint=joint, joint_to=joint_to)


def to_metadata(content: Mapping[str, Any]) -> dict[str, str]:
    """Write metadata in the one form that equal values have.

    Raises
    ------
    ModelFileError
        If they cannot be written as JSON.
    """
    try:
        return {"cbow": json.dumps(content, sort_keys=True, allow_nan=False)}
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"the report of the model is no JSON ({error}); put only text, finite numbers, lists "
            "and tables into it"
        ) from None


def from_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Read metadata: the inverse of `to_metadata`.

    Raises
    ------
    ModelFileError
        If they are of another program, or damaged.
    """
    if "cbow" not in metadata:
        raise ModelFileError(
            "it is a safetensors file of another program; give one that cbow-train wrote"
        )
    try:
        content = safetensors_file.strict_json(metadata["cbow"])
    except ValueError:
        raise damaged_metadata() from None
    if not isinstance(content, dict):
        raise damaged_metadata()
    return content


def check_version(content: Mapping[str, Any], name: str, newest: int) -> None:
    """Reject metadata whose version is not one, or newer than this package."""
    version = content.get(name)
    if type(version) is not int or version < 1:
        raise damaged_metadata()
    if version > newest:
        raise ModelFileError(
            f"it has format {shown(version)}, but this cbow knows formats up to {newest}; open it "
            "with a newer cbow"
        )


def damaged_metadata() -> ModelFileError:
    """Create the error about metadata that are not as this package writes them."""
    return ModelFileError("its metadata are damaged; fetch or train it again")


def _check_tensors(tensors: Mapping[str, npt.NDArray[Any]], N: int, buckets: int) -> None:
    """Check that every array is there, of its kind, and of the shape that the others imply."""
    derived = {"joint", "joint_to"} if buckets else {"joint"}  # all of them or none
    if set(tensors) not in (_NAMES, _NAMES | derived):
        raise ModelFileError(
            f"it holds the arrays {shown(sorted(tensors))}, but must hold "
            f"{', '.join(sorted(_NAMES))}, and may hold {' and '.join(sorted(derived))}; fetch or "
            "train it again"
        )
    V, real = tensors["counts"].size, tensors["W1T"].dtype
    if real not in (np.float32, np.float64):
        raise ModelFileError(f"W1T is {real}, but must be float32 or float64; train it again")
    integer = np.dtype(np.int64)
    expected: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        "W1T": (real, (V + buckets, N)),
        "b1": (real, (N,)),
        "W2": (real, (V, N)),
        "b2": (real, (V,)),
        "counts": (integer, (V,)),
        "words": (np.dtype(np.uint8), (tensors["words"].size,)),
        "word_ends": (integer, (V,)),
    }
    shapes = {"joint": (V, N), "joint_to": (N, N)}
    expected.update((name, (real, shapes[name])) for name in shapes if name in tensors)
    for name, (dtype, shape) in expected.items():
        array = tensors[name]
        if array.dtype != dtype or array.shape != shape:
            raise ModelFileError(
                f"{name} is {array.dtype} of shape {array.shape}, but must be {dtype} of shape "
                f"{shape}; fetch or train it again"
            )


# --- vectors alone --------------------------------------------------------------------------------


def _holds_vectors(source: Source) -> bool:
    """Return whether a file is one of vectors, of any version."""
    if not source.like_safetensors:
        return False
    try:
        content = safetensors_file.strict_json(source.safetensors.metadata["cbow"])
        return "vectors_version" in content
    except (KeyError, TypeError, ValueError):
        return False


def _vectors(source: Source, options: Options) -> Contents:
    """Open a file; words, vectors and counts stay on disk until they are used."""
    path, (tensors, metadata) = source.path, source.safetensors
    safetensors_file.check_unchanged(path, source.safetensors, safetensors_file.SMALL)
    with naming(path, "file of vectors"):
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
        if set(tensors) - {"counts"} != _NAMES_OF_VECTORS:
            raise ModelFileError(
                f"it holds the arrays {shown(sorted(tensors))}, but must hold "
                f"{', '.join(sorted(_NAMES_OF_VECTORS))}; fetch or write it again"
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
        where = f"{path} is not a usable file of vectors: "
        words = PackedWords(tensors["words"], tensors["word_ends"], where)
        counts = tensors.get("counts")
        if counts is not None:
            counts = check_counts(counts, V)
    return Contents(words, vectors, counts, Account(rows=V))


def _write_vectors(path: Path, contents: Contents) -> None:
    """Write a file. Equal vectors give equal bytes."""
    letters, ends = encode_words(contents.words)
    tensors = {"vectors": contents.matrix, "words": letters, "word_ends": ends}
    if contents.counts is not None:
        tensors["counts"] = contents.counts.astype(np.int64, copy=False)
    version = json.dumps({"vectors_version": VECTORS_VERSION})
    safetensors_file.write(path, tensors, {"cbow": version})


MODEL: Final = Format(
    name="model",
    title="cbow model",
    recognise=lambda source: source.like_safetensors,  # reading tells of those of other programs
    read=_vectors_of_model,
    write=None,
    counts=True,
    kinds=True,
    checksums=True,
)

VECTORS: Final = Format(
    name="safetensors",
    title="cbow vectors",
    recognise=_holds_vectors,
    read=_vectors,
    write=_write_vectors,
    ending=".safetensors",
    counts=True,
    checksums=True,
)
