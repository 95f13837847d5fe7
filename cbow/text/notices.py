"""What a text looks like that is no plain text, or whose words are not parted by spaces."""

from __future__ import annotations

import csv
import json
from typing import Final, NamedTuple

import regex

from cbow.errors import shown
from cbow.text.tokenizers import words

#: Characters at the start of a source that are looked at.
SAMPLE: Final = 2**15

# Lines, or rows, that must look alike before anything is said.
_LINES: Final = 5

# Of markup: tags that close, and the share of the text that is tags.
_CLOSING: Final = 5
_TAG_SHARE: Final = 0.05
_TAG: Final = regex.compile(r"<[\p{L}/!?][^<>]*>")

# Scripts that put no spaces between words; words of theirs that are cut are shorter than this.
_SPACELESS: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
_LONG_THERE: Final = 7
_LONG: Final = 30


class Notice(NamedTuple):
    """What was noticed: the same `kind` is told once for a corpus."""

    kind: str
    sentence: str


def notice(sample: str, name: str) -> Notice | None:
    """Say what the start of a text looks like, if not like a text with words; and what to do.

    Parameters
    ----------
    sample : str
        Up to `SAMPLE` characters.
    name : str
        What the source is called.
    """
    lines = [line for line in sample.split("\n")[:-1] if line.strip()]  # the last may be cut
    if fields := _json_fields(lines):
        what, remedy = "JSON lines", "read one field of them"
    elif fields := _table_fields(lines):
        what, remedy = "a table", "read one of its fields"
    elif _is_markup(sample):
        return Notice(
            "markup",
            f"{name} looks like markup (HTML or XML), whose tags are read as words; take the text "
            "out of it first",
        )
    elif _without_spaces(sample):
        return Notice(
            "spaces",
            f"{name} has almost no spaces, so that whole clauses are read as words; cut it into "
            "words first (jieba does so for Chinese, MeCab for Japanese, PyThaiNLP for Thai), and "
            "give a text with spaces between them, lists of words, or a function as tokenizer",
        )
    else:
        return None
    return Notice(
        what,
        f"{name} looks like {what}, which is read as text, with names and numbers; {remedy} with "
        f"field / --field: {', '.join(map(shown, fields))}",
    )


def _json_fields(lines: list[str]) -> list[str]:
    """Return the fields of JSON lines; none if these are no JSON lines."""
    try:
        rows = [json.loads(line) for line in lines[:_LINES] if line.startswith("{")]
    except (ValueError, RecursionError):
        return []
    return [*rows[0]] if len(rows) == _LINES else []


def _table_fields(lines: list[str]) -> list[str]:
    """Return the fields of CSV or TSV; none if these are no rows of as many cells, under names."""
    for separator, least in (("\t", 2), (";", 3), (",", 3)):
        header, *rows = csv.reader(lines or [""], delimiter=separator)
        names = len(set(header)) == len(header) >= least and all(
            n and n == n.strip() for n in header
        )
        same = {len(row) for row in rows[:-1]} == {len(header)}  # the last one may be cut, too
        if names and same and len(rows) >= _LINES and header not in rows:
            return header
    return []


def _is_markup(sample: str) -> bool:
    tags = _TAG.findall(sample)
    closing = sum(tag.startswith("</") or tag.endswith("/>") for tag in tags)
    return closing >= _CLOSING and sum(map(len, tags)) > _TAG_SHARE * len(sample)


def _without_spaces(sample: str) -> bool:
    long = list(map(len, words(sample)))
    spaceless = len(_SPACELESS.findall(sample))
    least = _LONG_THERE if 2 * spaceless > sum(long) else _LONG
    return sum(long) > least * max(len(long), _LINES)
