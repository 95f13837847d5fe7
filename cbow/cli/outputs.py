"""Where results go: names, what must not be written over, and a place when the first fails."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cbow.errors import ModelFileError, OutputError, shown
from cbow.system.files import check_writable, expanded, name_of, same

if TYPE_CHECKING:
    from cbow.model import Model


def default_output(corpus: str) -> str:
    """Name the model after its corpus: ``texts/corpus.txt.gz`` gives ``corpus.safetensors``."""
    if corpus in ("-", "/dev/stdin") or re.fullmatch(r"(/dev|/proc/(self|\d+))/fd/\d+", corpus):
        return "stdin.safetensors"
    name = Path(corpus.removeprefix("nltk:")).name
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    stem = "".join(char for char in name.removesuffix(".txt") if char not in "*?[]").strip(".")
    return f"{stem or 'cbow'}.safetensors"


def named(flag: str, name: str, folder: bool = False) -> Path:
    """Return the path that a flag names; refuse an empty name and that of a stream.

    That of a folder, with a slash at its end, is refused too unless it may be one.

    Raises
    ------
    OutputError
        If `name` is one of them.
    """
    if name in ("", "-") or (name.endswith(("/", os.sep)) and not folder):
        raise OutputError(f"{flag} is {shown(name)}; give the name of a file to write")
    return expanded(name)


def check_outputs(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Refuse, before anything is read, outputs that would destroy something or cannot be written.

    Parameters
    ----------
    inputs : iterable of path
        Every file that the command reads; `corpus_files` and `vector_files` list those behind one
        name. That behind the standard input is added.
    outputs : sequence of Path
        Every file that it writes.

    Raises
    ------
    OutputError
        If an output is one of the inputs or another output, by whatever name, or cannot be written.
    """
    guard(inputs, outputs)
    for output in outputs:
        check_writable(output)


def guard(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Refuse outputs that would destroy something; see `check_outputs`."""
    inputs = [*inputs, *_file_on_stdin()]
    for i, output in enumerate(outputs):
        others = [(other, ", which is read") for other in inputs]
        others += [(other, "") for other in outputs[:i]]
        for other, which in others:
            if same(output, other):
                raise OutputError(
                    f"{name_of(output)} would be written over {name_of(other)}{which}; give the "
                    "output another name"
                )


def check_ending(output: Path) -> None:
    """Refuse a name for a model that ends as those of other formats do.

    Raises
    ------
    OutputError
        If it does.
    """
    from cbow.vectors.formats import ENDINGS

    ending = output.suffix.lower()
    if ending == ".gz" or (ending in ENDINGS and ENDINGS[ending].name != "safetensors"):
        model = f"{output.name.split('.')[0]}.safetensors"
        raise OutputError(
            f"-o is {name_of(output)}, but a model is a .safetensors file; give it a name that "
            f"ends so, and convert it: cbow-convert {name_of(model)} {name_of(output)}"
        )


def corpus_files(sources: Sequence[str | Path]) -> list[Path]:
    """List the files of a corpus.

    Raises
    ------
    CorpusError
        If a source is not there.
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


def _file_on_stdin() -> list[Path]:
    """Return the file that standard input is redirected from, where the system can tell."""
    try:
        path = Path(f"/dev/fd/{sys.stdin.fileno()}")
    except (OSError, ValueError, AttributeError):  # no stdin, or one that is no real file
        return []
    return [path] if path.is_file() else []


def save_somewhere(model: Model, output: Path) -> tuple[Path, OutputError | None]:
    """Save a model; if its place has failed since the start, elsewhere rather than not at all.

    Returns
    -------
    Path
        Where the model is.
    OutputError or None
        Why it is not at `output`.

    Raises
    ------
    OutputError
        If it can be saved neither there nor here, in the temporary folder or at home.
    """
    try:
        model.save(output)
    except OutputError as trouble:
        places: list[Callable[[], str | Path]] = [Path, tempfile.gettempdir, lambda: expanded("~")]
        for place in places:
            with contextlib.suppress(OSError):  # there may be none
                elsewhere = beside(Path(place(), output.name))
                model.save(elsewhere)
                return elsewhere, trouble
        raise
    return output, None


def beside(output: Path) -> Path:
    """Where to put a training that ended early: never over what an earlier run left."""
    endings = ["", ".partial", *(f".partial-{n}" for n in range(2, 1000))]
    names = (output.with_name(output.stem + ending + output.suffix) for ending in endings)
    return next(name for name in names if not name.exists())


def size(path: Path) -> str:
    """Write the size of a file in megabytes."""
    return f"{path.stat().st_size / 1e6:,.1f} MB"
