"""Files of word vectors, whatever tool wrote them: a module for each format, with its bytes.

A file is recognised by its content when it is read, and by its name when it is written. What is
commonly mistaken for a file of vectors is named, with what to do.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cbow.errors import ConfigError, ModelFileError, OutputError, VectorsWarning, shown
from cbow.system import safetensors_file
from cbow.system.arrays import Counts, Floats
from cbow.system.files import expanded, finish_replacing, name_of, to_read
from cbow.vectors.embeddings import Subwords, check_subwords
from cbow.vectors.formats import (
    fasttext_bin,
    model2vec,
    native,
    npz,
    projector,
    text,
    word2vec_binary,
)
from cbow.vectors.formats.base import (
    ERRORS,
    Account,
    Contents,
    Format,
    Options,
    Source,
    check_parts,
)
from cbow.vectors.formats.base import shown as shown_short

__all__ = [
    "ENDINGS",
    "ERRORS",
    "FORMATS",
    "Account",
    "Contents",
    "Format",
    "Source",
    "named",
    "read",
    "recognise",
    "write",
]

#: The formats by their names, in the order in which a file is held against them.
FORMATS: Final[Mapping[str, Format]] = {
    form.name: form
    for form in (
        model2vec.FORMAT,
        fasttext_bin.FORMAT,
        native.VECTORS,
        native.MODEL,
        npz.FORMAT,
        projector.FORMAT,
        text.WORD2VEC,
        word2vec_binary.FORMAT,
        text.FASTTEXT,
        text.GLOVE,
    )
}

#: The formats that names stand for, by how they end.
ENDINGS: Final = {form.ending: form for form in FORMATS.values() if form.ending}

#: How files begin that are not read: what they are, and what to do.
STRANGERS: Final = [
    (re.compile(start), sentence)
    for start, sentence in (
        *((start, f"{what}; {remedy}") for start, what, remedy in safetensors_file.IN_PLACE),
        (
            rb"\x80[\x02-\x05]",
            "it looks like a Python pickle, such as gensim's .model and .kv, and to open one runs "
            "the code in it; where you trust it, open it in gensim and write it with "
            "save_word2vec_format(FILE, binary=True)",
        ),
        (
            rb"\x93NUMPY",
            "it is a numpy array without words; write both with np.savez(FILE, words=words, "
            "vectors=vectors)",
        ),
        (rb"\x89HDF", "it is an HDF5 file; write its words and vectors as .npz"),
        (rb"SQLite format 3\0", "it is an SQLite database; write its vectors as word2vec text"),
        (rb"FiFu\0", "it is a finalfusion file; convert it with finalfusion-utils"),
        (
            rb"PAR1|ARROW1|FEA1",
            "it is a table of Apache Parquet or Arrow; write its words and vectors as .npz",
        ),
        (
            rb"(?s:.{257})ustar(?:\x0000|  \0)",
            "it is an archive of tar; unpack it, and give a file of it: tar -xf FILE",
        ),
        (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07", "it is an archive; unpack it, and give a file of it"),
        (rb"BZh[1-9]1AY&SY", "it is packed with bzip2; unpack it: bunzip2 -k FILE"),
        (rb"\xfd7zXZ\0", "it is packed with xz; unpack it: unxz -k FILE"),
        (rb"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it: unzstd FILE"),
        (
            rb"\xff\xfe\0\0|\0\0\xfe\xff",
            "it is text in UTF-32; write it in UTF-8: iconv -f UTF-32 -t UTF-8 FILE",
        ),
        (
            rb"\xff\xfe|\xfe\xff",
            "it is text in UTF-16; write it in UTF-8: iconv -f UTF-16 -t UTF-8 FILE",
        ),
    )
]


def recognise(path: str | os.PathLike[str] | Source) -> str:
    """Return the name of the format of a file, by its content.

    Parameters
    ----------
    path : path-like or Source
        A source keeps what was read of the file, so that to read it then opens it no second time.

    Returns
    -------
    str
        A name of `FORMATS`; ``model`` also for a safetensors file of another program, of which
        reading it tells.

    Raises
    ------
    ModelFileError
        If it cannot be read, or is nothing that this package reads.
    """
    source = path if isinstance(path, Source) else Source(to_read(path))
    finish_replacing(source.path, projector.metadata_beside(source.path))
    if not source.like_safetensors:  # whose first bytes, a length, may look like any of them
        for start, sentence in STRANGERS:
            if start.match(source.head):
                raise ModelFileError(f"{source.path} cannot be read: {sentence}")
        if not source.is_folder and not source.head.strip():
            raise ModelFileError(f"{source.path} is empty; give a file of vectors")
    for name, form in FORMATS.items():
        if form.recognise(source):
            if source.packed and not form.packed:
                raise ModelFileError(
                    f"{source.path} cannot be read: it is packed with gzip; unpack it: gunzip -k"
                )
            return name
    raise ModelFileError(
        f"{source.path} is in no format that cbow reads: it begins with "
        f"{shown_short(source.lines[0])}, but should begin with the number of words and that of "
        "dimensions, or with a word and its numbers; give another file, or the format (--from)"
    )


def read(
    path: str | os.PathLike[str] | Source, format: str | None = None, **options: Any
) -> Contents:
    """Read words and vectors.

    Parameters
    ----------
    path : path-like or Source
        A file or, for model2vec, a folder.
    format : str, optional
        A name of `FORMATS`; by default the content tells.
    **options
        See `Options`: errors, on_bad_rows, max_expansion, embedding.

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
    source = path if isinstance(path, Source) else Source(to_read(path))
    chosen = Options(**options)
    form = _format(recognise(source) if format is None else format)
    finish_replacing(source.path, projector.metadata_beside(source.path))
    try:
        return form.read(source, chosen)
    except MemoryError:
        raise ModelFileError(
            f"{source.path} needs more memory than there is; end other programs, or convert it on "
            "a larger machine with cbow-convert, to a part with --limit or to .safetensors, which "
            "is opened without being read"
        ) from None


def named(name: str) -> str:
    """Return the name of the format in which a file of this name is written.

    Raises
    ------
    OutputError
        If the name does not say.
    """
    if name.endswith(("/", "\\")) or os.path.isdir(name):
        return model2vec.FORMAT.name
    plain = name.lower().removesuffix(".gz")
    form = ENDINGS.get(Path(plain).suffix)
    if form is None or (plain != name.lower() and not form.packed):
        packed = " or ".join(f"{end}.gz" for end, each in ENDINGS.items() if each.packed)
        raise OutputError(
            f"the name {name_of(name)} does not say what format to write; let it end in "
            f"{', '.join(ENDINGS)}, in {packed}, or in / for a folder, or give the format (--to)"
        )
    return form.name


def write(
    path: str | os.PathLike[str],
    words: Sequence[str],
    matrix: Floats,
    counts: Counts | None = None,
    format: str | None = None,
    subwords: Subwords | None = None,
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
    subwords : Subwords, optional
        The n-grams that vectors of other words are made from; left out, with a warning, where the
        format has no place for them.

    Raises
    ------
    ModelFileError
        If words, matrix and counts do not fit each other, a number is not finite, or the format
        cannot hold a word.
    ConfigError
        If there is no format of that name, or it holds more than vectors.
    OutputError
        If the name does not tell the format, or the file cannot be written.

    Warns
    -----
    VectorsWarning
        If numbers had to be rounded, or n-grams are left out.
    """
    form = _format(named(os.path.expanduser(path)) if format is None else format)
    if form.write is None:
        raise ConfigError(
            f"a {form.title} is more than vectors, which are all there is to write; choose another "
            "format, such as safetensors"
        )
    check_parts(words, matrix, counts)
    if form.subwords:
        check_subwords(subwords, matrix.shape[1])
    form.write(expanded(path), Contents(words, matrix, counts, Account(len(words)), subwords))
    if subwords is not None and not form.subwords:
        warnings.warn(
            f"the n-grams are left out, so that only the {len(words):,} words have vectors: "
            f"{form.title} has no place for them, but {fasttext_bin.FORMAT.name} has",
            VectorsWarning,
            stacklevel=2,
        )


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise ConfigError(f"there is no format {shown(name)}; choose one of {', '.join(FORMATS)}")
    return FORMATS[name]
