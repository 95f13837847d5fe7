"""``cbow-nearest``: the words nearest to a word, or to a sum such as king - man + woman."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbow.cli.arguments import MODEL_HELP, OPENING, add_options, open_vectors
from cbow.cli.common import (
    DONE,
    FAILED,
    command_parser,
    complain,
    json_line,
    run,
    show,
    table,
    tell,
    terminal_width,
    visible,
    width,
)
from cbow.cli.start import COMMANDS
from cbow.errors import QueryError, UnknownWordError, shown
from cbow.system.files import check_utf8, expanded, name_of, read_lines, same

if TYPE_CHECKING:
    from cbow.vectors import WordVectors
    from cbow.vectors.word_vectors import Neighbour

PROG: Final = "cbow-nearest"

FORMATS: Final = ("table", "tsv", "json")

#: Lines of history that are kept.
LONGEST_HISTORY: Final = 1000

EXAMPLES = """\
examples:
  cbow-nearest corpus.safetensors king queen         each of two words
  cbow-nearest corpus.safetensors king - man + woman a sum of words
  cbow-nearest corpus.safetensors                    prompts, or reads stdin
  cbow-nearest corpus.safetensors -- -ness           a word that begins with -
  cbow-nearest a.safetensors king --with b.txt       two models side by side

+ and - are signs if they stand alone, between spaces; otherwise they are part
of a word. The cosine is 1 for the same direction, 0 for no relation, -1 for
the opposite. A query stands on a line of its own, at the prompt or in a file.
At a terminal, Tab completes words; queries are kept in ~/.local/state/cbow.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-nearest`` and return its exit code: 0 if every query was answered, 1 if not."""
    return run(_nearest, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(PROG, COMMANDS["nearest"], EXAMPLES)
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
        help="another model for the same queries; may be repeated",
    )
    parser.add_argument(
        "--topn", type=int, default=10, metavar="N", help="words to show (default: %(default)s)"
    )
    add_options(parser, OPENING)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--format",
        choices=FORMATS,
        default="table",
        help="tsv: a line per neighbour with query, word and cosine, and the model after the query "
        "if there are several; json: an object per query and model (default: %(default)s)",
    )
    forms.add_argument(
        "--json", dest="format", action="store_const", const="json", help="short for --format json"
    )
    return parser


def _nearest(arguments: argparse.Namespace) -> int:
    if arguments.topn < 1:
        raise QueryError(f"--topn is {arguments.topn}, but must be a whole number of 1 or more")
    paths = [arguments.model, *arguments.others]
    vectors = [open_vectors(path, arguments) for path in paths]
    models = list(zip(short_names(paths), vectors, strict=True))

    def answer(queries: Iterable[str]) -> int:
        """Print the answers to each query; report one that has none, and go on."""
        code = DONE
        for query in (line.strip() for line in queries):
            answers = []
            for name, each in models:
                prefix = f"{name}: " if len(models) > 1 else ""
                try:
                    answers.append((name, _neighbours(each, query, arguments.topn, prefix)))
                except (QueryError, UnknownWordError) as error:
                    complain(PROG, f"{prefix}{error}")
                    code = FAILED
            text = written(query, answers, len(models), arguments.format, terminal_width())
            if text:
                show(text)
        return code

    if arguments.queries:
        return answer(_joined(arguments.queries))
    if sys.stdin is not None and sys.stdin.isatty():
        with session("nearest", lambda: dict.fromkeys(w for each in vectors for w in each), paths):
            answer(line for line in typed() if line.strip())
        return DONE
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:  # no standard input at all, or one of text as in a notebook
        stream = io.BytesIO(sys.stdin.read().encode() if sys.stdin else b"")
    lines = read_lines(stream, "the standard input", strict=False)  # bad bytes: lone surrogates
    return answer(line for _, line in lines if line.strip())


def _joined(words: Sequence[str]) -> Sequence[str]:
    """Join ``king - man + woman`` without quotes into one query; else each word is one."""
    if not {"+", "-"}.intersection(words):
        return words
    if not all(map(str.strip, words)):  # joined, `"" - king` would be `- king`
        raise QueryError("a word of the sum is empty; write it out, or leave it out with its sign")
    return [" ".join(words)]


def _neighbours(vectors: WordVectors, query: str, topn: int, prefix: str) -> list[Neighbour]:
    """Return the neighbours of a word or of a sum; a query that is a word is no sum.

    A word that is not there as it is spelled is looked up in other letter case. Of that a note
    tells, with `prefix` in front; and another of a word whose vector is made from n-grams.
    """
    from cbow.vectors import parse_expression
    from cbow.vectors.words import in_other_case

    def as_there(words: list[str]) -> list[str]:
        """Return words as the vocabulary spells them, if it has them."""
        unknown = [word for word in words if word not in vectors]
        spelled = in_other_case(unknown, vectors.words) if unknown else {}
        for word, other in spelled.items():
            tell(f"{prefix}{other} is taken for {word}, which is not in the vocabulary")
        return [spelled.get(word, word) for word in words]

    check_utf8(query, f"the query {shown(query)}")
    word = query
    if query not in vectors and not {"+", "-"}.intersection(query.split()):
        (word,) = as_there([query])
    if word in vectors:
        return vectors.most_similar(word, topn=topn)
    positive, negative = map(as_there, parse_expression(query))
    for each in dict.fromkeys([*positive, *negative]):
        if each not in vectors and vectors.has_vector(each):
            tell(f"{prefix}{each} is not in the vocabulary; its vector is made from n-grams")
    return vectors.most_similar(positive, negative, topn=topn)


# --- printing the answers -------------------------------------------------------------------------


def short_names(paths: Sequence[str]) -> list[str]:
    """Name models by their files, or by the full paths if two files have the same name.

    Examples
    --------
    >>> short_names(["a/x.txt", "b/y.txt"])
    ['x.txt', 'y.txt']
    >>> short_names(["a/x.txt", "b/x.txt"])
    ['a/x.txt', 'b/x.txt']
    """
    names = [Path(path).name for path in paths]
    return names if len(set(names)) == len(names) else list(paths)


def written(
    query: str,
    answers: Sequence[tuple[str, list[Neighbour]]],
    models: int,
    form: str,
    columns: int | None,
) -> str:
    """Write the answers to a query.

    Parameters
    ----------
    query : str
    answers : sequence of (str, list of Neighbour)
        Of the models that have one, by their names.
    models : int
        How many there are. If several, each answer says whose it is.
    form : str
        One of `FORMATS`. Several tables stand side by side if there is room, else one below the
        other.
    columns : int, optional
        The width of the terminal; None if any width will do.
    """
    several = models > 1
    if form == "json":
        lines = []
        for model, neighbours in answers:
            named = {"query": query, "model": model} if several else {"query": query}
            words = [{"word": word, "cosine": cosine} for word, cosine in neighbours]
            lines.append(json_line({**named, "neighbours": words}))
        return "\n".join(lines)
    if form == "tsv":
        return "\n".join(
            "\t".join([visible(query), *[visible(model)][:several], visible(word), f"{cosine:.6f}"])
            for model, neighbours in answers
            for word, cosine in neighbours
        )
    tables = [
        table(
            (visible(model if several else query), "cosine"),
            [(visible(word), f"{cosine:.4f}") for word, cosine in neighbours],
            "<>",
        )
        for model, neighbours in answers
    ]
    if not several:
        return "".join(each + "\n" for each in tables)
    if not tables:
        return ""
    header, *rows = zip_longest(*(each.splitlines() for each in tables), fillvalue="")
    side_by_side = table(header, rows, "<" * len(tables))
    wide = columns is not None and max(map(width, side_by_side.splitlines())) > columns
    return f"{visible(query)}\n" + ("\n\n".join(tables) if wide else side_by_side) + "\n"


# --- asking at a terminal -------------------------------------------------------------------------


@contextlib.contextmanager
def session(
    name: str, words: Callable[[], Iterable[str]], models: Sequence[str] = ()
) -> Iterator[None]:
    """Keep a history and complete words while lines are typed, by readline if there is one.

    Parameters
    ----------
    name : str
        Of the history, which each command has for itself.
    words : callable
        Returns the words that Tab completes, the most frequent first.
    models : sequence of str
        Files that are read, in which no history is kept.
    """
    try:
        import readline
    except ImportError:
        yield
        return
    path = history_file(name)
    if path and any(same(path, model) for model in models):
        tell(f"note: no history is kept, because its place {name_of(path)} is that of a model")
        path = None
    with contextlib.suppress(OSError):
        if path:
            readline.read_history_file(path)
    before = readline.get_current_history_length()
    readline.set_history_length(LONGEST_HISTORY)
    readline.set_completer(completer(words))
    readline.set_completer_delims(" \t\n")
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
        typed_lines = readline.get_current_history_length() - before
        if path and typed_lines > 0:
            with contextlib.suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600)
                # Only the new lines: other sessions may have the file open too.
                readline.append_history_file(typed_lines, path)
        readline.clear_history()


def history_file(name: str) -> Path | None:
    """Return the path of a history, by the XDG base directories; None without a home."""
    state_home = os.environ.get("XDG_STATE_HOME", "")
    state = Path(state_home) if os.path.isabs(state_home) else expanded("~/.local/state")
    return state / "cbow" / f"{name}_history" if state.is_absolute() else None


def completer(words: Callable[[], Iterable[str]]) -> Callable[[str, int], str | None]:
    """Return a completer for readline: the state-th word that begins with a text, then None.

    Words that would control the terminal are left out.
    """
    matches: list[str] = []

    def complete(text: str, state: int) -> str | None:
        if state == 0:
            matches[:] = [
                word for word in words() if text and word.startswith(text) and visible(word) == word
            ]
        return matches[state] if state < len(matches) else None

    return complete


def typed() -> Iterator[str]:
    """Prompt for one line after the other until Ctrl-D, never on standard output if piped."""
    with contextlib.suppress(EOFError):
        while True:
            if sys.stdout.isatty():
                yield input("> ")
            else:
                print("> ", end="", file=sys.stderr, flush=True)
                yield input()
    print(file=sys.stderr)
