"""``cbow-explain``: every number of one step of the network, on a few words of the user's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cbow.cli.common import DONE, command_parser, json_line, run, show, tell, terminal_width
from cbow.cli.number_flags import Number, add_numbers, chosen_numbers
from cbow.cli.outputs import check_outputs, corpus_files, named
from cbow.config import HIDDEN_ACTIVATIONS, POSITIVE, SEED, Config, Range
from cbow.errors import CorpusError
from cbow.system.files import expanded, replacing

PROG = "cbow-explain"

EXAMPLES = """\
examples:
  cbow-explain                                 on a sentence of its own
  cbow-explain the king and the queen          on your words
  cbow-explain --file poem.txt --window 1      on a short text, its lines kept apart
  cbow-explain --html page.html the king and the queen
"""

#: The text if none is given. Short enough for its tables to be 80 columns wide, and one context
#: holds words twice.
SENTENCE: Final = "The dog sees the cat, and the cat runs."

#: Characters read at most; the words in them are far too many already.
LONGEST_TEXT: Final = 10_000

#: Columns when the output is no terminal and COLUMNS is not set.
COLUMNS: Final = 80


NUMBERS: Final = {
    "window": Number(2, POSITIVE, "words of context on each side"),
    "dimension": Number(
        3, Range(lambda x: 1 <= x <= 20, "a whole number from 1 to 20"), "hidden units"
    ),
    "seed": Number(1, SEED, "the same seed draws the same parameters"),
    "learning_rate": Number(
        0.5, Range(lambda x: 0 < x <= 1000, "a number above 0, 1000 at most"), "size of the step"
    ),
    "digits": Number(
        3, Range(lambda x: 1 <= x <= 10, "a whole number from 1 to 10"), "decimals to show"
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-explain`` and return its exit code."""
    return run(_explain, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG,
        "Show every number of one forward pass, one backward pass and one step of the network, on "
        "a few words.",
        EXAMPLES,
    )
    parser.add_argument(
        "words",
        metavar="WORD",
        nargs="*",
        default=[],
        help=f"the text, one line; - reads standard input (default: {SENTENCE!r})",
    )
    parser.add_argument("--file", metavar="FILE", help="read the text from a file instead")
    add_numbers(parser, NUMBERS)
    parser.add_argument(
        "--activation",
        choices=HIDDEN_ACTIVATIONS,
        default=HIDDEN_ACTIVATIONS[0],
        help=f"activation of the hidden layer (default: {HIDDEN_ACTIVATIONS[0]})",
    )
    for name in ("encoding", "errors"):
        entry = Config.__dataclass_fields__[name]
        parser.add_argument(
            f"--{name}",
            default=entry.default,
            choices=entry.metadata.get("choices"),
            metavar=None if "choices" in entry.metadata else "NAME",
            help=f"{entry.metadata['help']} (default: {entry.default})",
        )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", metavar="FILE", help="write a page for the browser instead")
    form.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _explain(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help is quick.
    from cbow.explain import Settings, as_json, explain, page, work_out
    from cbow.text import tokenize
    from cbow.text.tokenizers import split_lines

    numbers: dict[str, Any] = chosen_numbers(arguments, NUMBERS)
    digits = numbers.pop("digits")
    settings = Settings(activation=arguments.activation, **numbers)
    source = _source(arguments)
    if arguments.html is not None:
        _check_page(arguments.html, source)
    text = _typed(arguments.words) if source is None else _read(source, arguments)
    worked = work_out([tokenize(line) for line in split_lines(text)], settings)
    if arguments.json:
        show(json_line(as_json(worked)))
    elif arguments.html is not None:
        _write(expanded(arguments.html), page(explain(worked, digits)))
    else:
        from cbow.cli.explain_terminal import as_text

        show(as_text(explain(worked, digits), terminal_width() or COLUMNS))
    return DONE


def _source(arguments: argparse.Namespace) -> str | Path | None:
    """Find where the text is read from; None if the words stand on the command line."""
    words, file = arguments.words, arguments.file
    if words and file is not None:
        raise CorpusError(
            "both words and --file are given, but the text must come from one; leave out the other"
        )
    if "-" in words and len(words) > 1:
        raise CorpusError(
            "- stands for the standard input and must be alone, but there are other words; "
            "leave out one or the other"
        )
    if file == "":
        raise CorpusError("the name after --file is empty; give the name of a text file")
    if words == ["-"] or file == "-":
        return "-"
    return None if file is None else Path(file)


def _check_page(name: str, source: str | Path | None) -> None:
    """Refuse, before anything is read, a page that cannot be written or would destroy the text."""
    page = named("--html", name)
    check_outputs([] if source is None else corpus_files([source]), [page])


def _typed(words: Sequence[str]) -> str:
    """Return the text on the command line, or a sentence of our own if there is none."""
    text = " ".join(words) if words else SENTENCE
    _check_length(text)
    if any("\ud800" <= char <= "\udfff" for char in text):  # so Python keeps bytes it cannot read
        raise CorpusError("the words hold bytes that are no text; give them in UTF-8")
    return text


def _read(source: str | Path, arguments: argparse.Namespace) -> str:
    """Read a text, compressed or not; stop where it is too long."""
    from cbow.text import find_sources
    from cbow.text.reading import TextReader

    reader = TextReader(arguments.encoding, arguments.errors)
    text = ""
    for parts in reader.texts(find_sources(source)):
        for part in parts:
            text += part
            _check_length(text)
    if reader.replaced:
        tell(f"bytes that are no text, replaced: {reader.replaced}")
    return text


def _check_length(text: str) -> None:
    """Refuse a text that is far too long before it is cut into words."""
    if len(text) > LONGEST_TEXT:
        raise CorpusError(
            f"the text has more than {LONGEST_TEXT:,} characters, far too many words to show; "
            "give a sentence or two"
        )


def _write(path: Path, page: str) -> None:
    """Write the page as a whole, and say so."""
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    tell(f"wrote {path}; open it in a browser")
