"""``cbow-explore``: a page to look at word vectors in the browser."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cbow.cli.arguments import (
    MODEL_HELP,
    OPENING,
    Option,
    add_options,
    check_outputs,
    chosen,
    number,
    open_vectors,
    output_path,
    size,
    vector_files,
    write_output,
)
from cbow.cli.common import DONE, check_stdout, command_parser, run, tell, visible
from cbow.cli.start import COMMANDS
from cbow.config import POSITIVE, Range
from cbow.errors import OutputError
from cbow.system.files import expanded, name_of

PROG: Final = "cbow-explore"

EXAMPLES = """\
examples:
  cbow-explore corpus.safetensors               writes corpus.html
  cbow-explore corpus.safetensors --open        and opens it in the browser
  cbow-explore old.safetensors new.safetensors  both, side by side: old-new.html
"""

OPTIONS: Final = {
    "limit": number(50_000, POSITIVE, "words in the page, the most frequent"),
    "map": number(10_000, POSITIVE, "words on the map, the most frequent"),
    "seed": number(
        1,
        Range(lambda x: 0 <= x < 2**32, "a whole number from 0 to 2^32 - 1"),
        "the same seed lays out the same map",
    ),
    "layout": Option(
        str,
        "auto",
        "how words are laid out; auto takes t-SNE or UMAP if it is installed",
        choices=("auto", "pca", "tsne", "umap"),  # a test compares them with the methods
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-explore`` and return its exit code."""
    return run(_explore, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG,
        f"{COMMANDS['explore']} It has a map, neighbours, sums of words, and can show two models.",
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
        "--open", action="store_true", help="open the page in the browser of this machine"
    )
    add_options(parser, OPTIONS)
    add_options(parser, OPENING)
    return parser


def _explore(arguments: argparse.Namespace) -> int:
    options = chosen(arguments, OPTIONS)
    names = [name for name in (arguments.model, arguments.other) if name is not None]
    sources = list(map(expanded, names))
    output = _page_path(arguments, sources)
    # Imported here, so that --help is quick.
    from cbow.explore import Choices, page, page_data
    from cbow.explore.layout import METHODS, choose

    limit, most = options["limit"], min(options["limit"], options["map"])
    choices = Choices(limit, most, options["layout"], options["seed"])
    vectors = [open_vectors(name, arguments) for name in names]
    for each in vectors:  # announced before it begins
        n = min(len(each), choices.map)
        method = METHODS[choose(choices.layout, n)[0]]
        if method.module:
            tell(f"laying out {n:,} words by {method.name}; this takes a while")
    data = page_data(list(zip(display_names(sources), vectors, strict=True)), choices)
    written = page(data).encode("utf-8")
    for model in data.models:
        V, n = len(model.vectors), len(model.places)
        words = "1 word" if V == 1 else f"all {V:,} words"
        if model.total > V:
            left = model.total - V
            words = f"the first {V:,} of {model.total:,} words, {left:,} left out (--limit)"
        how = f"{model.layout.method} ({model.layout.remark})"
        tell(f"{visible(model.name)}: {words}; {n:,} on the map, by {how}")
    if output is None:  # always UTF-8, whatever the encoding of a terminal there
        check_stdout()
        sys.stdout.flush()
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
        return DONE
    write_output(output, written)
    tell(f"wrote {output} ({size(output)}); open it in a browser")
    if arguments.open:
        address = output.absolute().as_uri()
        try:
            opened = webbrowser.open(address)
        except (webbrowser.Error, OSError):  # as for a BROWSER that is not there
            opened = False
        tell(f"opened {address}" if opened else f"note: no browser could be opened; open {address}")
    return DONE


def _page_path(arguments: argparse.Namespace, sources: Sequence[Path]) -> Path | None:
    """Return where the page goes, None for standard output; checked before anything is read."""
    if arguments.output == "-":
        if arguments.open:
            raise OutputError(
                "-o - writes the page to standard output, where no browser can open it; leave out "
                "-o or --open"
            )
        return None
    if arguments.output is not None:
        output = output_path("-o", arguments.output)
    else:
        from cbow.explore.page import GENERATOR

        output = default_page(sources)
        if output.is_file():
            with output.open("rb") as file:
                ours = GENERATOR.encode() in file.read(1000)
            if not ours:
                raise OutputError(
                    f"{name_of(output)} exists and is no page of {PROG}; give a name with -o"
                )
    check_outputs([file for source in sources for file in vector_files(source)], [output])
    return output


def default_page(sources: Sequence[Path]) -> Path:
    """Name a page after its models, beside the first.

    Examples
    --------
    >>> default_page([Path("a/old.txt.gz"), Path("b/new.bin")]).as_posix()
    'a/old-new.html'
    """
    return sources[0].parent / ("-".join(map(_stem, sources)) + ".html")


def display_names(sources: Sequence[Path]) -> list[str]:
    """Name models for the eye, no longer than it takes to tell them apart.

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
    """Return the name of a file without its endings, and of a folder even if it is written `.`."""
    name = source.resolve().name if source.name in ("", "..") else source.name
    return Path(name.removesuffix(".gz")).stem
