"""``cbow-explore``: a page to look at word vectors in the browser, written or served."""

from __future__ import annotations

import argparse
import contextlib
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbow.cli.common import DONE, command_parser, run, show, tell, visible
from cbow.cli.number_flags import Number, add_numbers, chosen_numbers
from cbow.cli.opening import MODEL_HELP, add_opening_flags, open_vectors
from cbow.cli.outputs import check_outputs, named, size, vector_files
from cbow.config import POSITIVE, Range
from cbow.errors import OutputError, shown
from cbow.system.files import expanded, name_of, replacing

if TYPE_CHECKING:
    from cbow.explore import Choices, Content
    from cbow.explore.serve import Server

PROG: Final = "cbow-explore"

EXAMPLES = """\
examples:
  cbow-explore corpus.safetensors                writes corpus.html
  cbow-explore corpus.safetensors --serve        serves the page to this machine alone
  cbow-explore old.safetensors new.safetensors   two models side by side: writes old-new.html
"""

#: What --layout takes; that each has a method is tested.
LAYOUTS: Final = ("auto", "pca", "tsne", "umap")

NUMBERS: Final = {
    "limit": Number(50_000, POSITIVE, "words in the page, the most frequent"),
    "map": Number(10_000, POSITIVE, "words on the map, the most frequent"),
    "seed": Number(
        1,
        Range(lambda x: 0 <= x < 2**32, "a whole number from 0 to 2^32 - 1"),
        "the same seed lays out the same map",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-explore`` and return its exit code."""
    return run(_explore, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG,
        "Make a page to look at word vectors: a map, neighbours, sums of words, two models.",
        EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "other", metavar="OTHER", nargs="?", default=None, help="another to compare it with"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the page to write, - for standard output (default: beside MODEL, ending in .html)",
    )
    parser.add_argument(
        "--serve",
        metavar="PORT",
        nargs="?",
        type=_port,
        const=0,
        help="serve the page to this machine until Ctrl-C (default: at any port that is free)",
    )
    parser.add_argument(
        "--open", action="store_true", help="open the page in the browser of this machine"
    )
    add_numbers(parser, NUMBERS)
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=LAYOUTS[0],
        help="how words are laid out; auto takes t-SNE or UMAP where it is installed "
        "(default: %(default)s)",
    )
    add_opening_flags(parser)
    return parser


def _port(text: str) -> int:
    """Read a port."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < 2**16:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{shown(text)} is not a port from 0 to 65535; put --serve after the name of the model"
    )


def _explore(arguments: argparse.Namespace) -> int:
    numbers = chosen_numbers(arguments, NUMBERS)
    limit, most, seed = (int(numbers[name]) for name in ("limit", "map", "seed"))
    names = [name for name in (arguments.model, arguments.other) if name is not None]
    sources = list(map(expanded, names))
    output = _checked_output(arguments, sources)
    # Imported here, so that --help is quick.
    from cbow.explore import Choices, collect, page
    from cbow.explore.serve import Server

    with contextlib.ExitStack() as stack:
        server = None  # a port that cannot be had is told before the work, not after it
        if arguments.serve is not None:
            server = stack.enter_context(Server(arguments.serve))
        choices = Choices(limit, min(limit, most), arguments.layout, seed)
        vectors = [open_vectors(name, arguments) for name in names]
        models = list(zip(display_names(sources), vectors, strict=True))
        for each in vectors:
            _tell_of_layout(len(each), choices)
        content = collect(models, choices)
        whole = page(content).encode("utf-8")
        _tell_of_content(content)
        if arguments.output == "-":
            _print(whole)
        elif output is not None:
            _write(output, whole)
        if server is not None:
            return _serve(server, whole, arguments.open)
    if arguments.open and output is not None:
        _open(output.absolute().as_uri())
    return DONE


def _checked_output(arguments: argparse.Namespace, sources: Sequence[Path]) -> Path | None:
    """See, before anything is read, where the page goes; None where no file is written."""
    name = arguments.output
    if name == "-":
        if arguments.serve is not None or arguments.open:
            raise OutputError(
                "-o - writes the page to the standard output, which no browser reads; leave out "
                "-o, or leave out --serve and --open"
            )
        return None
    if name is None:
        if arguments.serve is not None:
            return None
        output = default_page(sources)
        if _is_foreign(output):
            raise OutputError(
                f"{name_of(output)} is there already and is no page of {PROG}; give a name with -o"
            )
    else:
        output = named("-o", name)
    check_outputs([file for source in sources for file in vector_files(source)], [output])
    return output


def default_page(sources: Sequence[Path]) -> Path:
    """Name a page after its models, beside the first: ``a/old.txt.gz b/new.bin`` a/old-new.html.

    Examples
    --------
    >>> default_page([Path("a/old.txt.gz"), Path("b/new.bin")]).as_posix()
    'a/old-new.html'
    """
    return sources[0].parent / ("-".join(map(_stem, sources)) + ".html")


def display_names(sources: Sequence[Path]) -> list[str]:
    """Name the models for the eye: no longer than it takes to tell them apart.

    Examples
    --------
    >>> display_names([Path("a/old.txt.gz"), Path("b/new.bin")])
    ['old', 'new']
    >>> display_names([Path("a/old.txt"), Path("b/old.bin")])
    ['old.txt', 'old.bin']
    """
    names = [list(map(form, sources)) for form in (_stem, lambda source: source.name, str)]
    return next((each for each in names if len(set(each)) == len(each)), names[-1])


def _stem(source: Path) -> str:
    """Return the name of a file without its endings, of a folder also where it is written `.`."""
    name = source.resolve().name if source.name in ("", "..") else source.name
    return Path(name.removesuffix(".gz")).stem


def _is_foreign(path: Path) -> bool:
    """Whether a file is there that this command did not write."""
    from cbow.explore.page import GENERATOR

    if not path.is_file():
        return False
    with path.open("rb") as file:
        return GENERATOR.encode() not in file.read(1000)


def _tell_of_layout(V: int, choices: Choices) -> None:
    """Say what takes long before it begins."""
    from cbow.explore.layout import METHODS, choose

    n = min(V, choices.map)
    method = METHODS[choose(choices.layout, n)[0]]
    if method.module:
        tell(f"laying out {n:,} words by {method.name}; this takes a while")


def _tell_of_content(content: Content) -> None:
    """Say what is in the page, what is not, and how the map was made."""
    for part in content.parts:
        V, n = len(part.vectors), len(part.places)
        left = part.total - V
        words = "1 word" if V == 1 else f"all {V:,} words"
        if left:
            words = f"the first {V:,} of {part.total:,} words, {left:,} left out (--limit)"
        how = f"{part.layout.method} ({part.layout.remark})"
        tell(f"{visible(part.name)}: {words}; {n:,} on the map, by {how}")


def _print(page: bytes) -> None:
    """Write the page to standard output: always UTF-8, whatever a terminal there would want."""
    if sys.stdout is None:
        raise OutputError("the standard output is closed; open it, or send it to a file or a pipe")
    sys.stdout.flush()
    sys.stdout.buffer.write(page)
    sys.stdout.buffer.flush()


def _write(output: Path, page: bytes) -> None:
    """Write the page to a file, which appears whole or not at all."""
    with replacing(output) as temporary:
        temporary.write_bytes(page)
    tell(f"wrote {output} ({size(output)}); open it in a browser")


def _serve(server: Server, page: bytes, browser: bool) -> int:
    """Serve the page until Ctrl-C."""
    server.page = page
    show(server.address)
    tell("served to this machine alone; Ctrl-C ends it")
    if browser:
        _open(server.address)
    server.serve_forever()
    return DONE


def _open(address: str) -> None:
    """Open an address in the browser."""
    if not webbrowser.open(address):
        tell(f"no browser could be opened; open {address}")
