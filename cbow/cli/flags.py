"""Command-line flags made from `cbow.config.Config`, so that each setting is declared once."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from pathlib import Path
from typing import Any, Final

from cbow.config import Config
from cbow.errors import CorpusError, shown

# What the help calls the value of a flag.
_METAVARS: Final[dict[type, str]] = {int: "N", float: "X", str: "NAME", tuple: "FILE"}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting, with its help, its choices and its default."""
    group = parser.add_argument_group("settings")
    for entry in dataclasses.fields(Config):
        kind, choices = entry.metadata["kind"], entry.metadata.get("choices")
        value: dict[str, Any] = {
            "type": str if kind is tuple else kind,
            "choices": choices,
            "metavar": None if choices else _METAVARS.get(kind),
        }
        group.add_argument(
            flag(entry.name),
            dest=entry.name,
            default=argparse.SUPPRESS,
            help=f"{entry.metadata['help']}{'; FILE has one a line' if kind is tuple else ''} "
            f"(default: {default_text(entry)})".replace("%", "%%"),
            **{"action": "store_true"} if kind is bool else value,
        )


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that stand on the command line, by name; lists of words are read.

    Raises
    ------
    CorpusError
        If a list of words cannot be read, or a line of it holds more than one.
    """
    names = {entry.name for entry in dataclasses.fields(Config)}
    settings = {name: value for name, value in vars(arguments).items() if name in names}
    for name, path in word_lists(arguments).items():
        settings[name] = _read_words(path, settings.get("encoding", Config.encoding))
    return settings


def word_lists(arguments: argparse.Namespace) -> dict[str, Path]:
    """Return the files of words that the command line names, by the name of their setting."""
    names = [entry.name for entry in dataclasses.fields(Config) if entry.metadata["kind"] is tuple]
    return {name: Path(getattr(arguments, name)) for name in names if hasattr(arguments, name)}


def _read_words(path: Path, encoding: str) -> list[str]:
    """Read a file with one word a line; blank lines do not count."""
    from cbow.text import find_sources
    from cbow.text.reading import TextReader

    try:
        sources = find_sources(path)
    except CorpusError as error:
        raise CorpusError(f"{error}, and give a file with one word a line") from None
    parts = itertools.chain(*TextReader(encoding).texts(sources))
    words = [line.strip() for line in "".join(parts).split("\n")]
    for number, word in enumerate(words, 1):
        if len(word.split()) > 1:
            raise CorpusError(
                f"line {number} of {path} holds more than one word: {shown(word)}; give a "
                "file with one word a line"
            )
    return [word for word in words if word]


def flag(name: str) -> str:
    """Return the flag of a setting: ``min_count`` has ``--min-count``."""
    return "--" + name.replace("_", "-")


def default_text(entry: dataclasses.Field[Any]) -> str:
    """Write the default of a setting as a person reads it."""
    if entry.default is None:
        return str(entry.metadata["unset"])
    if isinstance(entry.default, bool):
        return "yes" if entry.default else "no"
    return f"{entry.default:g}" if isinstance(entry.default, float) else str(entry.default)


def settings_table() -> str:
    """Write the table of all settings in Markdown, for ``docs/settings.md``."""
    rows = ["| setting | flag | default | range | meaning |", "|---|---|---|---|---|"]
    for entry in dataclasses.fields(Config):
        allowed = entry.metadata["allowed"]
        symbol = entry.metadata.get("symbol")
        name = f"`{entry.name}`" + (f" ({symbol})" if symbol else "")
        expected = allowed.expected if allowed else "text"
        if "choices" in entry.metadata:
            expected = f"one of {', '.join(entry.metadata['choices'])}"
        cells = (name, f"`{flag(entry.name)}`", default_text(entry), expected)
        rows.append("| " + " | ".join((*cells, entry.metadata["help"])) + " |")
    return "\n".join(rows)
