"""``cbow-nearest``: the words nearest to a word, or to a sum such as king - man + woman."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cbow.cli.common import (
    DONE,
    FAILED,
    command_parser,
    complain,
    json_line,
    run,
    show,
    table,
    visible,
)
from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS
from cbow.errors import QueryError, UnknownWordError

if TYPE_CHECKING:
    from cbow.vectors import WordVectors
    from cbow.vectors.word_vectors import Neighbour

PROG = "cbow-nearest"

EXAMPLES = """\
examples:
  cbow-nearest corpus.safetensors king queen         each of two words
  cbow-nearest corpus.safetensors king - man + woman a sum of words
  cbow-nearest corpus.safetensors                    asks, or reads a query per line
  cbow-nearest corpus.safetensors -- -ness           a word that begins with -

+ and - are signs where they stand alone, white space around them; else they are part of a word.
The cosine is 1 for the same direction, 0 for no relation, -1 for the opposite.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; see ``cbow-nearest --help``.

    Returns
    -------
    int
        0 if every query was answered, 1 if not, 2 for wrong usage, 130 after Ctrl-C.
    """
    return run(_body, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG, "Show the words nearest to a word or to a sum of words.", EXAMPLES
    )
    parser.add_argument("model", metavar="MODEL", help="a file that cbow-train wrote")
    parser.add_argument(
        "queries",
        metavar="WORD",
        nargs="*",
        default=[],  # without it, argparse asks for a WORD where the MODEL is missing
        help="a word, or words with + and - between them; without any, standard input is read",
    )
    parser.add_argument(
        "--topn", type=int, default=10, metavar="N", help="words to show (default: %(default)s)"
    )
    parser.add_argument(
        "--embedding",
        choices=EMBEDDINGS,
        default=DEFAULT_EMBEDDING,
        help="rows of W1, of W2, or their mean (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object per query")
    return parser


def _body(arguments: argparse.Namespace) -> int:
    from cbow.model import load_vectors  # here, so that --help comes at once

    if arguments.topn < 1:
        raise QueryError(f"--topn is {arguments.topn}, but must be a whole number of 1 or more")
    vectors = load_vectors(arguments.model, arguments.embedding)
    form = _as_json if arguments.json else _as_table
    if arguments.queries:
        return _answer_all(vectors, _joined(arguments.queries), arguments.topn, form)
    if sys.stdin is not None and sys.stdin.isatty():
        _answer_all(vectors, _not_blank(_typed()), arguments.topn, form)
        return DONE
    return _answer_all(vectors, _not_blank(_piped()), arguments.topn, form)


def _joined(words: Sequence[str]) -> Sequence[str]:
    """Make one query of ``king - man + woman`` without quotes, else one of each argument."""
    if not {"+", "-"}.intersection(words):
        return words
    if not all(map(str.strip, words)):  # joined, `"" - king` would be `- king`
        raise QueryError("a word of the sum is empty; write it out, or leave it out with its sign")
    return [" ".join(words)]


def _not_blank(lines: Iterable[str]) -> Iterator[str]:
    """Leave out the lines on which nothing is asked."""
    return (line for line in lines if line.strip())


def _typed() -> Iterator[str]:
    """Ask for one query after the other until Ctrl-D."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # editing and history for `input`
    with contextlib.suppress(EOFError):
        while True:
            yield _ask()
    print(file=sys.stderr)


def _ask() -> str:
    """Prompt for a line; never onto standard output when that is no terminal."""
    if sys.stdout.isatty():
        return input("> ")
    print("> ", end="", file=sys.stderr, flush=True)
    return input()


def _piped() -> Iterator[str]:
    """Give the lines of standard input. Bytes that are no text make an unknown word, no crash."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    yield from sys.stdin or ()


def _answer_all(
    vectors: WordVectors,
    queries: Iterable[str],
    topn: int,
    form: Callable[[str, list[Neighbour]], str],
) -> int:
    """Print the answer to each query; one that has none is reported, and the next goes on."""
    code = DONE
    for query in (line.strip() for line in queries):
        try:
            neighbours = _answer(vectors, query, topn)
        except (QueryError, UnknownWordError) as error:
            complain(PROG, error)
            code = FAILED
        else:
            show(form(query, neighbours))
    return code


def _answer(vectors: WordVectors, query: str, topn: int) -> list[Neighbour]:
    """Find the neighbours of a word or of a sum. What is a word as it stands is no sum."""
    from cbow.vectors import parse_expression

    if query in vectors:
        return vectors.most_similar(query, topn=topn)
    return vectors.most_similar(*parse_expression(query), topn=topn)


def _as_json(query: str, neighbours: list[Neighbour]) -> str:
    found = [{"word": word, "cosine": cosine} for word, cosine in neighbours]
    return json_line({"query": query, "neighbours": found})


def _as_table(query: str, neighbours: list[Neighbour]) -> str:
    rows = [(visible(word), f"{cosine:.4f}") for word, cosine in neighbours]
    return table((visible(query), "cosine"), rows, "<>") + "\n"
