"""``cbow-train``: from a text to a file of embeddings."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cbow.cli.common import DONE, FAILED, INTERRUPTED, command_parser, complain, run
from cbow.cli.flags import add_settings, given_settings
from cbow.config import Config
from cbow.errors import Interrupted, OutputError, TrainingStopped
from cbow.files import check_writable

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
    from cbow.training import Observer, train

    config = Config.from_dict(given_settings(arguments))
    output = Path(arguments.output or default_output(arguments.corpus[0]))
    logs = [arguments.log_json] if arguments.log_json not in (None, "-") else []
    _refuse_overwriting([output, *logs], arguments.corpus)
    check_writable(output)
    display = Display(config.epochs)
    observers: list[Observer] = [] if arguments.quiet else [display]
    log = JSONLog(arguments.log_json) if arguments.log_json else None
    observers += [log] if log else []
    began = time.monotonic()
    code = DONE
    try:
        model = train(_sources(arguments.corpus), config, observer=Several(*observers))
    except TrainingStopped as stopped:
        display.close()
        complain("cbow-train", stopped)
        model, output = stopped.model, _beside(output)
        code = INTERRUPTED if isinstance(stopped, Interrupted) else FAILED
    finally:
        display.close()
        if log:
            log.close()
    model.save(output)
    if not arguments.quiet or code:
        seconds = clock(time.monotonic() - began)
        print(f"saved {output} ({_size(output)}) after {seconds}", file=sys.stderr)
    if not arguments.quiet:
        # Neither "the" nor a rare word: one with something to say.
        word = shlex.quote(model.vocabulary.word(min(200, len(model.vocabulary) // 10)))
        print(f"next: cbow-nearest {shlex.quote(str(output))} {word}", file=sys.stderr)
    return code


def _sources(names: Sequence[str]) -> list[str | Path]:
    """Make paths of what is neither standard input nor an NLTK corpus: none of it is text."""
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


def _refuse_overwriting(outputs: Sequence[str | Path], corpus: Sequence[str]) -> None:
    """Refuse to write over a file of the corpus, or over another output."""
    for i, output in enumerate(outputs):
        for other in (*corpus, *outputs[:i]):
            if _same(output, other):
                raise OutputError(
                    f"{output} would be written over {other}; give the output another name"
                )


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
