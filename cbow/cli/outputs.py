"""Where results go: names, what must not be written over, and a place when the first fails."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cbow.errors import OutputError
from cbow.files import check_writable

if TYPE_CHECKING:
    from cbow.model import Model


def default_output(corpus: str) -> str:
    """Name the model after its corpus: ``texts/corpus.txt.gz`` gives ``corpus.safetensors``."""
    if corpus == "-":
        return "stdin.safetensors"
    name = Path(corpus.removeprefix("nltk:")).name
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    stem = "".join(char for char in name.removesuffix(".txt") if char not in "*?[]").strip(".")
    return f"{stem or 'cbow'}.safetensors"


def named(flag: str, name: str) -> str:
    """Refuse a name that is none: an empty one, or the sign for a stream that is not offered."""
    if name in ("", "-"):
        raise OutputError(f"{flag} is {name!r}; give the name of a file to write")
    return name


def check_outputs(sources: Sequence[str | Path], outputs: Sequence[Path]) -> None:
    """Refuse, before anything is read, outputs that cannot be written or would destroy something.

    Raises
    ------
    CorpusError
        If a source is not there.
    OutputError
        If an output is a file of the corpus, or the other output, or cannot be written.
    """
    from cbow.text import find_sources

    found = find_sources(list(sources))
    corpus = [item for item in found.items if isinstance(item, Path)] if found else []
    if "-" in sources:
        corpus += _file_on_stdin()
    for i, output in enumerate(outputs):
        for other in (*corpus, *outputs[:i]):
            if same(output, other):
                raise OutputError(
                    f"{output} would be written over {other}; give the output another name"
                )
        check_writable(output)


def _file_on_stdin() -> list[Path]:
    """Give the file that standard input is redirected from, where the system can tell."""
    try:
        path = Path(f"/dev/fd/{sys.stdin.fileno()}")
    except (OSError, ValueError, AttributeError):  # no stdin, or one that is no real file
        return []
    return [path] if path.is_file() else []


def same(one: str | Path, other: str | Path) -> bool:
    """Whether two names are those of one file."""
    one, other = Path(one), Path(other)
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.absolute() == other.absolute()


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
        for folder in (Path(), Path(tempfile.gettempdir()), Path.home()):
            with contextlib.suppress(OutputError):
                elsewhere = beside(folder / output.name)
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
