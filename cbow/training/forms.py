"""Holding what was read from JSON against the form it must have."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

#: A table of forms by name, a list of one form, or a function that says yes or no.
Form = Any

T = TypeVar("T")


def fits(value: Any, form: Form) -> bool:
    """Whether a value has a form; a table may hold more than is asked for."""
    if isinstance(form, Mapping):
        return isinstance(value, dict) and all(
            name in value and fits(value[name], form[name]) for name in form
        )
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(each, form[0]) for each in value)
    return bool(form(value))


def whole(value: Any) -> bool:
    """Whether it is a number of things that 64 bits can count."""
    return type(value) is int and 0 <= value < 2**63


def number(value: Any) -> bool:
    """Whether it is a finite number that a float can hold."""
    return type(value) in (int, float) and abs(value) < 2**1023 and math.isfinite(value)


def text(value: Any) -> bool:
    """Whether it is text."""
    return isinstance(value, str)


def maybe(form: Form) -> Callable[[Any], bool]:
    """Allow None beside a form."""
    return lambda value: value is None or fits(value, form)


def table_of(form: Form) -> Callable[[Any], bool]:
    """Ask for a table, with any names, whose values all have one form."""
    return lambda value: isinstance(value, dict) and all(fits(v, form) for v in value.values())


_KINDS: Final[Mapping[str, Form]] = {
    "int": whole,
    "float": number,
    "float | None": maybe(number),
    "dict[str, float]": table_of(maybe(number)),
}


def build(kind: Callable[..., T], table: Mapping[str, Any]) -> T:
    """Make an object of a dataclass from a table that has, besides others, its fields."""
    names = [entry.name for entry in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: table[name] for name in names})


def fields_of(kind: Any) -> dict[str, Form]:
    """Return the form of a dataclass of numbers, from the types of its fields."""
    return {entry.name: _KINDS[str(entry.type)] for entry in dataclasses.fields(kind)}
