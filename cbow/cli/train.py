"""``cbow-train``: from a text to a file of embeddings."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.common import DONE, FAILED, INTERRUPTED, command_parser, complain, run, visible
from cbow.cli.flags import add_settings, given_settings
from cbow.config import Config
from cbow.errors import CorpusError, DivergenceError, Interrupted, OutputError
from cbow.files import check_writable

if TYPE_CHECKING:
    from cbow.model import Model

#: A loss above this share of the word frequencies' is hardly better than theirs.
LITTLE: Final = 0.98

#: Signals that end a session, where the system has them.
END_OF_SESSION: Final = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]

EXAMPLES = """\
examples:
  cbow-train corpus.txt                          writes corpus.safetensors
  cbow-train books/ -o books.safetensors         every .txt file in a folder
  xz -dc corpus.txt.xz | cbow-train - --dimension 200
  cbow-nearest corpus.safetensors king           what to do next
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-train`` and return its exit code."""
    return run(_train, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("cbow-train", "Train CBOW word embeddings on a text.", EXAMPLES)
    parser.add_argument(
        "corpus",
        nargs="+",
        metavar="CORPUS",
        help="a file (plain, .gz, .bz2, .xz, .zst), a glob, a folder, nltk:NAME, or - for stdin",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to write the model (default: the name of the corpus with .safetensors, in "
        "the current folder)",
    )
    parser.add_argument(
        "--log-json", metavar="FILE", help="write the account and every epoch as JSON lines"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_settings(parser)
    return parser


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help is quick.
    from cbow.cli.log import JSONLog, Several
    from cbow.cli.progress import Display, clock
    from cbow.training import Observer, interrupts, train

    config = Config.from_dict(given_settings(arguments))
    sources = _sources(arguments.corpus)
    name = arguments.output
    output = Path(default_output(arguments.corpus[0]) if name is None else _named("-o", name))
    check_outputs(sources, [output, *_log_file(arguments)])
    display = None if arguments.quiet else Display(config.epochs)
    log = None if arguments.log_json is None else JSONLog(arguments.log_json)
    observers: list[Observer] = [each for each in (display, log) if each]
    began = time.monotonic()
    failure: BaseException | None = None
    # Ctrl-C waits from the first step until the model is saved; so does the end of a session.
    with interrupts(*END_OF_SESSION):
        try:
            model = train(sources, config, observer=Several(*observers))
        except (DivergenceError, Interrupted) as stopped:
            failure, model, output = stopped, stopped.model, _beside(output)
        finally:
            if display:
                display.close()
        if failure:
            complain("cbow-train", failure)
        output, trouble = save_somewhere(model, output)
    if trouble:
        complain("cbow-train", trouble)
        failure = failure or trouble
    arguments.quiet &= failure is None  # where the model is, everybody wants to know
    _tell(f"saved {output} ({_size(output)}) after {clock(time.monotonic() - began)}", arguments)
    if not failure:
        if hint := _hint(model.report):
            _tell(hint, arguments)
        _tell("next: " + next_command(output, list(model.vocabulary)), arguments)
    if log and (lost := log.close()):
        complain("cbow-train", lost)
        failure = failure or lost
    return _exit_code(failure)


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
                elsewhere = _beside(folder / output.name)
                model.save(elsewhere)
                return elsewhere, trouble
        raise
    return output, None


def _exit_code(failure: BaseException | None) -> int:
    """Give the exit code of a run that ended early, or did not."""
    if failure is None:
        return DONE
    return INTERRUPTED if isinstance(failure, Interrupted) else FAILED


def _tell(line: str, arguments: argparse.Namespace) -> None:
    """Print a line on standard error unless the user wants quiet or nobody can read it."""
    if not arguments.quiet:
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)


def _hint(report: dict[str, Any]) -> str | None:
    """Say so if the network learned next to nothing from context."""
    last, base = report["epochs"][-1], report["baselines"]
    loss, baseline = last["loss"], base["unigram"]
    if last["heldout_loss"] is not None:
        loss, baseline = last["heldout_loss"], base["heldout_unigram"]
    if loss < LITTLE * baseline:
        return None
    return (
        f"hint: the loss {loss:.4f} is hardly below {baseline:.4f} (word frequencies): give more "
        "text, more epochs (--epochs 20), or keep more of the frequent words (--sample 0.001)"
    )


def next_command(output: Path, words: list[str]) -> str:
    """Give a command that asks for a word: neither the likes of "the" nor a rare one."""
    plain = [word for word in words if word.isalpha()] or words
    word = plain[min(200, len(plain) // 10)]
    name = f"./{output}" if str(output).startswith("-") else str(output)
    return f"cbow-nearest {shlex.quote(name)} {shlex.quote(visible(word))}"


def _named(flag: str, name: str) -> str:
    """Refuse a name that is none: an empty one, or the sign for a stream that is not offered."""
    if name in ("", "-"):
        raise OutputError(f"{flag} is {name!r}; give the name of a file to write")
    return name


def _log_file(arguments: argparse.Namespace) -> list[Path]:
    """Give the log's file, if it is one."""
    if arguments.log_json in (None, "-"):
        return []
    return [Path(_named("--log-json", arguments.log_json))]


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
            if _same(output, other):
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


def _sources(names: Sequence[str]) -> list[str | Path]:
    """Make paths of what is neither standard input nor an NLTK corpus: none of it is text."""
    if "" in names:
        raise CorpusError("the name of a corpus is empty; give a file, a folder, nltk:NAME or -")
    return [n if n == "-" or n.startswith("nltk:") else Path(n) for n in names]


def default_output(corpus: str) -> str:
    """Name the model after its corpus: ``texts/corpus.txt.gz`` gives ``corpus.safetensors``."""
    if corpus == "-":
        return "stdin.safetensors"
    name = Path(corpus.removeprefix("nltk:")).name
    for ending in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(ending)
    stem = "".join(char for char in name.removesuffix(".txt") if char not in "*?[]").strip(".")
    return f"{stem or 'cbow'}.safetensors"


def _same(one: str | Path, other: str | Path) -> bool:
    """Whether two names are those of one file."""
    one, other = Path(one), Path(other)
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.absolute() == other.absolute()


def _beside(output: Path) -> Path:
    """Where to put a training that ended early: never over what an earlier run left."""
    endings = ["", ".partial", *(f".partial-{n}" for n in range(2, 1000))]
    names = (output.with_name(output.stem + ending + output.suffix) for ending in endings)
    return next(name for name in names if not name.exists())


def _size(path: Path) -> str:
    """Write the size of a file in megabytes."""
    return f"{path.stat().st_size / 1e6:,.1f} MB"
