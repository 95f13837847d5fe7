"""The files of a command: opening vectors, and outputs that destroy nothing."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.flags import Option, chosen
from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS, MAX_EXPANSION
from cbow.errors import ModelFileError, OutputError, shown
from cbow.system.files import check_writable, expanded, name_of, replacing, same

if TYPE_CHECKING:
    from cbow.vectors import WordVectors

#: What the help of a command says of the files it opens.
MODEL_HELP: Final = "a file that cbow-train wrote, or vectors in any format that cbow-convert reads"

#: Which vectors of a file are opened, and how; for `open_vectors`.
OPENING: Final = {
    "embedding": Option(
        str, DEFAULT_EMBEDDING, "which vectors of a model of cbow-train", choices=EMBEDDINGS
    ),
    "errors": Option(
        str,
        "strict",
        "what to do about words that are not UTF-8: stop, or put U+FFFD for their bad bytes",
        choices=("strict", "replace"),
    ),
    "skip_bad_rows": Option(
        bool, False, "skip, count and name rows that cannot be read, rather than stop"
    ),
    "max_expansion": Option(
        float,
        MAX_EXPANSION,
        "how many times its size on disk a compressed file may become, inf for no limit",
    ),
}


def reading_rules(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options `OPENING` as `cbow.load_vectors` takes them."""
    rules = chosen(arguments, OPENING)
    rules["on_bad_rows"] = "skip" if rules.pop("skip_bad_rows") else "raise"
    return rules


def open_vectors(path: str, arguments: argparse.Namespace) -> WordVectors:
    """Open vectors; `run` says on standard error what is not used as it stands in the file.

    Parameters
    ----------
    path : str
        As for `cbow.load_vectors`.
    arguments : argparse.Namespace
        With the options `OPENING`.

    Raises
    ------
    ModelFileError
        If the file cannot be used.
    """
    from cbow.model import load_vectors  # here, so that --help is quick

    return load_vectors(path, **reading_rules(arguments))


def output_path(flag: str, name: str, folder: bool = False) -> Path:
    """Return the path named by a flag; reject an empty name and that of a stream.

    A name with a slash at its end is rejected too unless it may be that of a folder.

    Raises
    ------
    OutputError
        If `name` is rejected.
    """
    if name in ("", "-") or (name.endswith(("/", os.sep)) and not folder):
        raise OutputError(f"{flag} is {shown(name)}; give the name of a file to write")
    return expanded(name)


def check_outputs(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Check, before anything is read, that outputs destroy nothing and can be written.

    Parameters
    ----------
    inputs : iterable of path
        Every file that the command reads; `corpus_files` and `vector_files` list those behind one
        name. The file behind standard input is added.
    outputs : sequence of Path
        Every file that it writes.

    Raises
    ------
    OutputError
        If an output is one of the inputs or another output, by whatever name, or cannot be written.
    """
    check_distinct(inputs, outputs)
    for output in outputs:
        check_writable(output)


def check_distinct(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Check that no output is an input or another output; see `check_outputs`."""
    inputs = list(inputs)
    # Without standard input, or with one that is no real file, there is nothing to protect.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stdin = Path(f"/dev/fd/{sys.stdin.fileno()}")  # where the system can tell
        inputs += [stdin] if stdin.is_file() else []
    for i, output in enumerate(outputs):
        others = [(other, ", which is read") for other in inputs]
        others += [(other, "") for other in outputs[:i]]
        for other, which in others:
            if same(output, other):
                raise OutputError(
                    f"{name_of(output)} would be written over {name_of(other)}{which}; give the "
                    "output another name"
                )


def corpus_files(sources: Sequence[str | Path]) -> list[Path]:
    """List the files of a corpus.

    Raises
    ------
    CorpusError
        If a source does not exist.
    """
    from cbow.text import find_sources

    return find_sources(list(sources)).files


def vector_files(path: str | Path) -> list[Path]:
    """List the files that are read with a model or a file of vectors, itself among them."""
    from cbow.vectors import formats

    path = expanded(path)
    try:
        return formats.FORMATS[formats.recognise(path)].inputs(path)
    except ModelFileError:  # told when it is opened
        return [path]


def write_output(output: Path, data: bytes) -> None:
    """Write a file, which appears complete or not at all."""
    with replacing(output) as temporary:
        temporary.write_bytes(data)


def size(path: Path) -> str:
    """Write the size of a file in megabytes."""
    return f"{path.stat().st_size / 1e6:,.1f} MB"
