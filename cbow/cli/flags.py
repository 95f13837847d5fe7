"""Command-line flags made from `cbow.config.Config`, so that each setting is declared once."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from cbow.config import Config


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting, with its help, its choices and its default."""
    group = parser.add_argument_group("settings")
    for entry in dataclasses.fields(Config):
        group.add_argument(
            flag(entry.name),
            dest=entry.name,
            type=entry.metadata["kind"],
            choices=entry.metadata.get("choices"),
            default=argparse.SUPPRESS,
            metavar=None if "choices" in entry.metadata else _metavar(entry.metadata["kind"]),
            help=f"{entry.metadata['help']} (default: {default_text(entry)})".replace("%", "%%"),
        )


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Give the settings that stand on the command line, by name."""
    names = {entry.name for entry in dataclasses.fields(Config)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def flag(name: str) -> str:
    """Give the flag of a setting: ``min_count`` has ``--min-count``."""
    return "--" + name.replace("_", "-")


def default_text(entry: dataclasses.Field[Any]) -> str:
    """Write the default of a setting as a person reads it."""
    if entry.default is None:
        return str(entry.metadata["unset"])
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


def _metavar(kind: type) -> str:
    """Name the value of a flag by its type."""
    return {int: "N", float: "X", str: "NAME"}[kind]
