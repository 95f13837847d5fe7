"""Opening vectors for a command, whatever wrote them."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

from cbow.cli.common import tell
from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS, MAX_EXPANSION
from cbow.errors import VectorsWarning

if TYPE_CHECKING:
    from cbow.vectors import WordVectors

#: What a command says of the files it opens.
MODEL_HELP = "a file that cbow-train wrote, or vectors in any format that cbow-convert reads"


def add_opening_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--embedding``, and how files of vectors are read."""
    parser.add_argument(
        "--embedding",
        choices=EMBEDDINGS,
        default=DEFAULT_EMBEDDING,
        help="which vectors of a model of cbow-train (default: %(default)s)",
    )
    parser.add_argument(
        "--errors",
        choices=("strict", "replace"),
        default="strict",
        help="refuse words that are not UTF-8, or put U+FFFD for their bad bytes (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_const",
        const="skip",
        default="raise",
        dest="on_bad_rows",
        help="leave out, count and name the rows of a file of vectors that cannot be read, in "
        "place of refusing it",
    )
    parser.add_argument(
        "--max-expansion",
        type=float,
        default=MAX_EXPANSION,
        metavar="TIMES",
        help="how many times its size on disk a packed file may become, inf for no limit (default: "
        "%(default)g)",
    )


def open_vectors(path: str, arguments: argparse.Namespace) -> WordVectors:
    """Open vectors; tell on standard error what is not as it stands in the file.

    Parameters
    ----------
    path : str
        As `cbow.load_vectors` takes it.
    arguments : argparse.Namespace
        What `add_opening_flags` added.

    Raises
    ------
    ModelFileError
        If the file cannot be used.
    """
    from cbow.model import load_vectors  # here, so that --help comes at once

    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", VectorsWarning)
        vectors = load_vectors(
            path,
            arguments.embedding,
            arguments.errors,
            arguments.on_bad_rows,
            arguments.max_expansion,
        )
    for note in notes:
        tell(f"note: {note.message}")
    return vectors
