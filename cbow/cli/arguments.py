"""What commands take: options, each declared once, and files, of which no output destroys another.

An option has its type, default, range and help; those of a training run derive from
`cbow.config.Config`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS, MAX_EXPANSION, Config, Range
from cbow.errors import ConfigError, CorpusError, ModelFileError, OutputError, shown
from cbow.system.files import check_writable, expanded, name_of, replacing, same

if TYPE_CHECKING:
    from cbow.vectors import WordVectors

# What the help calls the value of an option.
_METAVARS: Final[dict[type, str]] = {int: "N", float: "X", str: "NAME", tuple: "FILE"}


class Option(NamedTuple):
    """An option with a default."""

    kind: type  #: bool: it takes no value; tuple: a file with one word a line
    default: Any
    help: str
    allowed: Range | None = None  #: checked by `chosen`
    choices: Sequence[str] | None = None
    unset: str = ""  #: the default as people read it, where that is None


def number(default: int | float, allowed: Range, help: str) -> Option:
    """Declare a number whose range is part of its help."""
    return Option(type(default), default, f"{help}, {allowed.expected}", allowed)


def settings(*names: str) -> dict[str, Option]:
    """Return the settings of a training run with these names, by default all of them.

    Their ranges are left to `Config`, which also checks what fits together.
    """
    fields = {entry.name: entry for entry in dataclasses.fields(Config)}
    options = {}
    for name in names or fields:
        entry = fields[name]
        kind, more = entry.metadata["kind"], "; FILE has one a line"
        options[name] = Option(
            kind,
            entry.default,
            entry.metadata["help"] + (more if kind is tuple else ""),
            choices=entry.metadata.get("choices"),
            unset=str(entry.metadata.get("unset", "")),
        )
    return options


def add_options(parser: Any, options: Mapping[str, Option]) -> None:
    """Add options to a parser or a group of one.

    An option that is not on the command line leaves no attribute behind: `passed` tells it from one
    that has its default, and `chosen` fills the default in.
    """
    for name, option in options.items():
        value: dict[str, Any] = {
            "type": str if option.kind is tuple else option.kind,
            "choices": option.choices,
            "metavar": None if option.choices else _METAVARS.get(option.kind),
        }
        parser.add_argument(
            flag(name),
            dest=name,
            default=argparse.SUPPRESS,
            help=f"{option.help} (default: {default_text(option)})".replace("%", "%%"),
            **{"action": "store_true"} if option.kind is bool else value,
        )


def passed(arguments: argparse.Namespace, options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the options that are on the command line, by name."""
    return {name: value for name, value in vars(arguments).items() if name in options}


def chosen(arguments: argparse.Namespace, options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the value of each option, its default where it is not on the command line.

    Raise `ConfigError` if one is outside its range.
    """
    values = {name: option.default for name, option in options.items()} | passed(arguments, options)
    for name, value in values.items():
        allowed = options[name].allowed
        if allowed is not None and not allowed.accepts(value):
            raise ConfigError(f"{name} is {value}, but must be {allowed.expected}")
    return values


def passed_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a training run that are on the command line; read lists of words.

    Raises
    ------
    CorpusError
        If a list of words cannot be read, or a line of it holds more than one.
    """
    values = passed(arguments, settings())
    for name, path in word_lists(arguments).items():
        from cbow.text import find_sources  # here, so that --help is quick
        from cbow.text.reading import TextReader

        try:
            sources = find_sources(path)
        except CorpusError as error:
            raise CorpusError(f"{error}, and give a file with one word a line") from None
        reader = TextReader(values.get("encoding", Config.encoding))
        text = "".join(itertools.chain(*reader.texts(sources)))
        values[name] = [word for line in text.split("\n") if (word := line.strip())]
        for number, line in enumerate(text.split("\n"), 1):
            if len(line.split()) > 1:
                raise CorpusError(
                    f"line {number} of {path} holds more than one word: {shown(line.strip())}; "
                    "give a file with one word a line"
                )
    return values


def word_lists(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return the files of words on the command line, by the name of their setting."""
    lists = {name: option for name, option in settings().items() if option.kind is tuple}
    return {name: Path(path) for name, path in passed(arguments, lists).items()}


def flag(name: str) -> str:
    """Return the flag of an option: ``min_count`` has ``--min-count``."""
    return "--" + name.replace("_", "-")


def default_text(option: Option) -> str:
    """Write the default of an option as people read it."""
    if option.default is None:
        return option.unset
    if isinstance(option.default, bool):
        return "yes" if option.default else "no"
    return f"{option.default:g}" if isinstance(option.default, float) else str(option.default)


# --- files ----------------------------------------------------------------------------------------

#: What the help of a command says of the files it opens.
MODEL_HELP: Final = "a file that cbow-train wrote, or vectors in any format that cbow-convert reads"

#: Which vectors of a file are opened, and how; for `open_vectors`.
OPENING: Final = {
    "embedding": Option(
        str, DEFAULT_EMBEDDING, "which vectors of a model of cbow-train", choices=EMBEDDINGS
    ),
    "errors": Option(
        str,
        "strict",
        "what to do about words that are not UTF-8: stop, or put U+FFFD for their bad bytes",
        choices=("strict", "replace"),
    ),
    "skip_bad_rows": Option(
        bool, False, "skip, count and name rows that cannot be read, rather than stop"
    ),
    "max_expansion": Option(
        float,
        MAX_EXPANSION,
        "how many times its size on disk a compressed file may become, inf for no limit",
    ),
}


def reading_rules(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options `OPENING` as `cbow.load_vectors` takes them."""
    rules = chosen(arguments, OPENING)
    rules["on_bad_rows"] = "skip" if rules.pop("skip_bad_rows") else "raise"
    return rules


def open_vectors(path: str, arguments: argparse.Namespace) -> WordVectors:
    """Open vectors, with the options `OPENING`, as `cbow.load_vectors` does.

    `cbow.cli.common.run` says on standard error what is not used as it stands in the file.
    """
    from cbow.model import load_vectors  # here, so that --help is quick

    return load_vectors(path, **reading_rules(arguments))


def output_path(flag: str, name: str, folder: bool = False) -> Path:
    """Return the path named by a flag; raise `OutputError` if the name is empty or a stream's.

    So it does for a name with a slash at its end, unless it may be that of a folder.
    """
    if name in ("", "-") or (name.endswith(("/", os.sep)) and not folder):
        raise OutputError(f"{flag} is {shown(name)}; give the name of a file to write")
    return expanded(name)


def check_outputs(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Check, before anything is read, that outputs destroy nothing and can be written.

    Parameters
    ----------
    inputs : iterable of path
        Every file that the command reads; `vector_files` lists those behind one name. The file
        behind standard input is added.
    outputs : sequence of Path
        Every file that it writes.

    Raises
    ------
    OutputError
        If an output is one of the inputs or another output, by whatever name, or cannot be written.
    """
    check_distinct(inputs, outputs)
    for output in outputs:
        check_writable(output)


def check_distinct(inputs: Iterable[str | Path], outputs: Sequence[Path]) -> None:
    """Check that no output is an input or another output; see `check_outputs`."""
    inputs = list(inputs)
    # Without standard input, or with one that is no real file, there is nothing to protect.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stdin = Path(f"/dev/fd/{sys.stdin.fileno()}")  # where the system can tell
        inputs += [stdin] if stdin.is_file() else []
    for i, output in enumerate(outputs):
        others = [(other, ", which is read") for other in inputs]
        others += [(other, "") for other in outputs[:i]]
        for other, which in others:
            if same(output, other):
                raise OutputError(
                    f"{name_of(output)} would be written over {name_of(other)}{which}; give the "
                    "output another name"
                )


def vector_files(path: str | Path) -> list[Path]:
    """List the files that are read with a model or a file of vectors, itself among them."""
    from cbow.vectors import formats

    path = expanded(path)
    try:
        return formats.FORMATS[formats.recognise(path)].inputs(path)
    except ModelFileError:  # told when it is opened
        return [path]


def write_output(output: Path, data: bytes) -> None:
    """Write a file, which appears complete or not at all."""
    with replacing(output) as temporary:
        temporary.write_bytes(data)


def size(path: Path) -> str:
    """Write the size of a file in megabytes."""
    return f"{path.stat().st_size / 1e6:,.1f} MB"
