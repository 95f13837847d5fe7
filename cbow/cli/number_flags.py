"""Numbers that a command takes, each with its default, its range and its help in one place."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NamedTuple

from cbow.cli.flags import flag
from cbow.config import Range
from cbow.errors import ConfigError


class Number(NamedTuple):
    """A number the user may choose."""

    default: int | float
    allowed: Range
    help: str


def add_numbers(parser: argparse.ArgumentParser, numbers: Mapping[str, Number]) -> None:
    """Add a flag for each number. Its value is None if it is not given."""
    for name, number in numbers.items():
        parser.add_argument(
            flag(name),
            type=type(number.default),
            metavar="N" if isinstance(number.default, int) else "X",
            help=f"{number.help}, {number.allowed.expected} (default: {number.default})",
        )


def chosen_numbers(
    arguments: argparse.Namespace, numbers: Mapping[str, Number]
) -> dict[str, int | float]:
    """Return each number, its default where it was not given.

    Raises
    ------
    ConfigError
        If one is outside its range.
    """
    chosen: dict[str, int | float] = {}
    for name, number in numbers.items():
        given = getattr(arguments, name)
        value = number.default if given is None else given
        if not number.allowed.accepts(value):
            raise ConfigError(f"{name} is {value}, but must be {number.allowed.expected}")
        chosen[name] = value
    return chosen
