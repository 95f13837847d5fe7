"""``cbow-nearest``: the words nearest to a word, or to a sum such as king - man + woman."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cbow.cli.common import DONE, FAILED, command_parser, complain, run, show, terminal_width
from cbow.cli.nearest_forms import FORMS, Answer, Form, short_names
from cbow.cli.opening import MODEL_HELP, add_opening_flags, open_vectors
from cbow.cli.prompt import session, typed
from cbow.errors import QueryError, UnknownWordError, shown
from cbow.system.lines import check_utf8, read_lines

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
  cbow-nearest a.safetensors king --with b.txt       two models side by side

+ and - are signs where they stand alone, white space around them; else they are part of a word.
The cosine is 1 for the same direction, 0 for no relation, -1 for the opposite.
At a terminal, Tab completes words, and the queries are kept in ~/.local/state/cbow.
"""


class Asked(NamedTuple):
    """What every query has in common."""

    models: list[tuple[str, WordVectors]]  #: with their names
    topn: int
    form: Form


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
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "queries",
        metavar="WORD",
        nargs="*",
        default=[],  # without it, argparse asks for a WORD where the MODEL is missing
        help="a word, or words with + and - between them; without any, standard input is read",
    )
    parser.add_argument(
        "--with",
        dest="others",
        metavar="MODEL",
        action="append",
        default=[],
        help="another model to ask the same; may be repeated",
    )
    parser.add_argument(
        "--topn", type=int, default=10, metavar="N", help="words to show (default: %(default)s)"
    )
    add_opening_flags(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--format",
        choices=FORMS,
        default="table",
        help="tsv: a line per word found: query, word, cosine, with the model behind the query if "
        "there are several; json: an object per query and model (default: %(default)s)",
    )
    forms.add_argument(
        "--json", dest="format", action="store_const", const="json", help="short for --format json"
    )
    return parser


def _body(arguments: argparse.Namespace) -> int:
    if arguments.topn < 1:
        raise QueryError(f"--topn is {arguments.topn}, but must be a whole number of 1 or more")
    paths = [arguments.model, *arguments.others]
    opened = [open_vectors(path, arguments) for path in paths]
    models = list(zip(short_names(paths), opened, strict=True))
    asked = Asked(models, arguments.topn, FORMS[arguments.format])
    if arguments.queries:
        return _answer_all(asked, _joined(arguments.queries))
    if sys.stdin is not None and sys.stdin.isatty():
        with session("nearest", lambda: dict.fromkeys(w for each in opened for w in each), paths):
            _answer_all(asked, _not_blank(typed()))
        return DONE
    return _answer_all(asked, _not_blank(_piped()))


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


def _piped() -> Iterator[str]:
    """Yield the lines of standard input; bytes that are no text become lone surrogates."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:  # none at all, or text as in a notebook
        stream = io.BytesIO(sys.stdin.read().encode() if sys.stdin else b"")
    return (line for _, line in read_lines(stream, "the standard input", strict=False))


def _answer_all(asked: Asked, queries: Iterable[str]) -> int:
    """Print the answers to each query; what has none is reported, and the next goes on."""
    code = DONE
    for query in (line.strip() for line in queries):
        answers = []
        for name, vectors in asked.models:
            try:
                answers.append(Answer(name, _answer(vectors, query, asked.topn)))
            except (QueryError, UnknownWordError) as error:
                complain(PROG, f"{name}: {error}" if len(asked.models) > 1 else error)
                code = FAILED
        if text := asked.form(query, answers, len(asked.models), terminal_width()):
            show(text)
    return code


def _answer(vectors: WordVectors, query: str, topn: int) -> list[Neighbour]:
    """Find the neighbours of a word or of a sum. What is a word as it stands is no sum."""
    from cbow.vectors import parse_expression

    check_utf8(query, f"the query {shown(query)}")
    if query in vectors:
        return vectors.most_similar(query, topn=topn)
    return vectors.most_similar(*parse_expression(query), topn=topn)
