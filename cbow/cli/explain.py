"""``cbow-explain``: every number of one step of the network, on a few words of the user's."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbow.cli.arguments import (
    Option,
    add_options,
    check_outputs,
    chosen,
    number,
    output_path,
    settings,
    write_output,
)
from cbow.cli.common import (
    DONE,
    command_parser,
    json_line,
    padded,
    run,
    show,
    tell,
    terminal_width,
    visible,
    width,
    wrapped,
)
from cbow.cli.start import COMMANDS
from cbow.config import HIDDEN_ACTIVATIONS, POSITIVE, SEED, Config, Range
from cbow.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbow.explain import Explanation, Section, Table

PROG: Final = "cbow-explain"

EXAMPLES = """\
examples:
  cbow-explain                                 on a sentence of its own
  cbow-explain the king and the queen          on your words
  cbow-explain --file poem.txt --window 1      on a short text, line by line
  cbow-explain --ngrams 3,3 the king           on words that are made of parts
  cbow-explain --html page.html the king and the queen
"""

#: The default text. Its tables fit into 80 columns, and one context holds a word twice.
SENTENCE: Final = "The dog sees the cat, and the cat runs."

#: Characters read at most; the words in them are far too many already.
LONGEST_TEXT: Final = 10_000

#: Columns when the output is no terminal and COLUMNS is not set.
COLUMNS: Final = 80

#: Begins the lines that say what to notice.
NOTICE: Final = "> "

OPTIONS: Final = {
    "window": number(2, POSITIVE, "words of context on each side"),
    "dimension": number(
        3, Range(lambda x: 1 <= x <= 20, "a whole number from 1 to 20"), "hidden units"
    ),
    "seed": number(1, SEED, "the same seed draws the same parameters"),
    "learning_rate": number(
        0.5, Range(lambda x: 0 < x <= 1000, "a number above 0, 1000 at most"), "size of the step"
    ),
    "digits": number(
        3, Range(lambda x: 1 <= x <= 10, "a whole number from 1 to 10"), "decimals to show"
    ),
    "activation": Option(
        str, HIDDEN_ACTIVATIONS[0], "activation of the hidden layer", choices=HIDDEN_ACTIVATIONS
    ),
    **settings("encoding", "errors"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-explain`` and return its exit code."""
    return run(_explain, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        PROG,
        f"{COMMANDS['explain']} The step has a forward pass, a backward pass and an update.",
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
    add_options(parser, OPTIONS)
    parser.add_argument(
        "--ngrams",
        metavar="N,N",
        help="make the words of n-grams of so many characters, as 3,3; see cbow-train "
        "(default: none)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", metavar="FILE", help="write a page for the browser instead")
    form.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _explain(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help is quick.
    from cbow.explain import Settings, as_json, explain, page, work_out
    from cbow.text import find_sources, tokenize
    from cbow.text.tokenizers import split_lines

    options = chosen(arguments, OPTIONS)
    options["ngrams"] = Config(ngrams=arguments.ngrams).ngrams
    settings = Settings(**{name: options[name] for name in Settings._fields})
    source, html = _source(arguments), None
    if arguments.html is not None:  # checked before anything is read
        html = output_path("--html", arguments.html)
        check_outputs([] if source is None else find_sources(source).files, [html])
    if source is None:
        text = " ".join(arguments.words) if arguments.words else SENTENCE
        _check_length(text)
        if any("\ud800" <= char <= "\udfff" for char in text):  # Python's form of undecodable bytes
            raise CorpusError("the words hold bytes that are not UTF-8; give them in UTF-8")
    else:
        text = _read(source, options["encoding"], options["errors"])
    worked = work_out([tokenize(line) for line in split_lines(text)], settings)
    if arguments.json:
        show(json_line(as_json(worked)))
    elif html is not None:
        write_output(html, page(explain(worked, options["digits"])).encode("utf-8"))
        tell(f"wrote {html}; open it in a browser")
    else:
        show(as_text(explain(worked, options["digits"]), terminal_width() or COLUMNS))
    return DONE


def _source(arguments: argparse.Namespace) -> str | Path | None:
    """Return where to read the text from; None if the words stand on the command line."""
    words, file = arguments.words, arguments.file
    if words and file is not None:
        raise CorpusError(
            "both words and --file are given, but there can be only one text; leave out the other"
        )
    if "-" in words and len(words) > 1:
        raise CorpusError(
            "- stands for standard input and must be alone, but there are other words; leave out "
            "one or the other"
        )
    if file == "":
        raise CorpusError("the name after --file is empty; give the name of a text file")
    if words == ["-"] or file == "-":
        return "-"
    return None if file is None else Path(file)


def _read(source: str | Path, encoding: str, errors: str) -> str:
    """Read a text, compressed or not; stop as soon as it is too long."""
    from cbow.text import find_sources
    from cbow.text.reading import TextReader

    reader = TextReader(encoding, errors)
    text = ""
    for parts in reader.texts(find_sources(source)):
        for part in parts:
            text += part
            _check_length(text)
    if reader.replaced:
        tell(f"undecodable bytes, replaced: {reader.replaced}")
    return text


def _check_length(text: str) -> None:
    """Reject a text that is far too long before it is cut into words."""
    if len(text) > LONGEST_TEXT:
        raise CorpusError(
            f"the text has more than {LONGEST_TEXT:,} characters, far too many words to show; "
            "give a sentence or two"
        )


# --- the explanation as plain text ----------------------------------------------------------------


def as_text(explanation: Explanation, columns: int) -> str:
    """Set an explanation in lines of at most `columns`.

    Parameters
    ----------
    explanation : Explanation
    columns : int
        Wider tables are split into blocks of columns, one below the other. Only a word or an
        equation that is wider by itself sticks out.

    Returns
    -------
    str
        Without a final newline. Control characters are shown as escapes.
    """
    parts = [_heading(explanation.title, "=")]
    parts += [wrapped(text, columns) for text in explanation.introduction]
    for n, section in enumerate(explanation.sections, start=1):
        parts += _section(n, section, explanation.digits, columns)
    return "\n\n".join(parts)


def _section(n: int, section: Section, digits: int, columns: int) -> Iterator[str]:
    """Yield the paragraphs of section n."""
    yield "\n" + _heading(f"{n}. {section.title}", "-")
    yield wrapped(visible(section.purpose), columns)
    for table in section.tables:
        yield _table(table, digits, columns)
    for text in section.notice:
        lines = wrapped(visible(text), max(columns - len(NOTICE), 1)).split("\n")
        yield "\n".join(NOTICE + line for line in lines)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _table(table: Table, digits: int, columns: int) -> str:
    """Set a table: its equation and caption, then its numbers in blocks."""
    from cbow.explain.explanation import MARK, blocks

    caption = ": ".join(filter(None, (table.name, table.caption)))
    if table.marked:
        caption += f"; {MARK} {table.mark}"
    parts = [wrapped(text, columns) for text in (table.equation, caption) if text]
    rows = (tuple(visible(c) if isinstance(c, str) else c for c in row) for row in table.rows)
    shown = table._replace(columns=tuple(map(visible, table.columns)), rows=tuple(rows))
    grids = []
    for block in blocks(shown, digits, columns, width):
        lines = [block.header, *block.rows]
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        if sum(widths) + block.gap * (len(widths) - 1) > columns:  # even of a single column
            heading = block.header[1]
            grids.append(
                "\n".join(f"{name}, {heading}: {cell}".rstrip() for name, cell in block.rows)
            )
        else:
            gap = " " * block.gap
            cells = (map(padded, line, widths, block.align) for line in lines)
            grids.append("\n".join(gap.join(line).rstrip() for line in cells))
    return "\n".join(parts) + "\n" + "\n\n".join(grids)
