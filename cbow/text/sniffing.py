"""What a source is, by its first bytes, and what its text looks like, by its first lines.

Bytes may be compressed, or no text at all: that is an error. A text may look like JSON lines, a
table or markup, or its words may not be separated by spaces: that is only told.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import json
import shlex
from typing import Final, NamedTuple

import regex

from cbow.errors import CorpusError, shown
from cbow.text.sources import STDIN, source_name
from cbow.text.tokenizers import words

#: Bytes needed to tell how a stream is compressed.
HEAD: Final = 10

#: Bytes at the start of a text that tell a binary file.
SNIFF: Final = 8192

#: Characters at the start of a text that tell what it looks like.
SAMPLE: Final = 2**15

_COMPRESSED: Final = {
    "gzip": (b"\x1f\x8b\x08",),
    "bz2": tuple(
        b"BZh%d%s" % (level, block)
        for level in range(1, 10)
        for block in (b"1AY&SY", b"\x17rE8P\x90")  # a first block, or the end at once
    ),
    "xz": (b"\xfd7zXZ\x00",),
    "zst": (b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % i for i in range(0x50, 0x60))),
}

#: First bytes of well-known binary files.
BINARY_MAGIC: Final = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"MZ", b"Rar!"),
    *(b"7z\xbc\xaf", b"SQLite format 3", b"\xca\xfe\xba\xbe", b"OggS", b"RIFF", b"ID3"),
)

# First bytes of a zip archive, and of an empty one.
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")

# What cbow.text.fields reads can still come from a place where nothing can be found by its number.
_COLUMN: Final = (
    "give the file itself, not packed and not through a pipe, and name a column: --field NAME"
)

# First bytes of what holds a text, or stands for one; what it is and what to do. FILE is its name.
_HOLDERS: Final = {
    b"\x04\x22\x4d\x18": ("an lz4 file", "lz4 -dc FILE"),
    b"\x02\x21\x4c\x18": ("an lz4 file", "lz4 -dc FILE"),
    **dict.fromkeys(  # with the size of its dictionary; "]" alone begins so in UTF-32
        (b"]" + (2**power).to_bytes(4, "little") for power in range(12, 28)),
        ("an lzma file", "xz -dc FILE"),
    ),
    b"LZIP\1": ("an lzip file", "lzip -dc FILE"),
    b"\x1f\x9d\x90": ("a file of compress", "gzip -dc FILE"),
    b"%PDF-": ("a PDF file", "pdftotext FILE -"),
    b"PAR1\x15": ("a Parquet file", _COLUMN),
    b"ARROW1\0\0": ("an Arrow file", _COLUMN),
    b"\xff\xff\xff\xff": ("an Arrow stream", _COLUMN),
    b"version https://git-lfs.github.com/spec/": (
        "a pointer that Git LFS keeps in place of a file",
        "fetch the file: git lfs pull",
    ),
}

# How tar is told that the archive it reads from a pipe is compressed.
_TAR_FLAGS: Final = {None: "-xO", "gzip": "-xzO", "bz2": "-xjO", "xz": "-xJO", "zst": "--zstd -xO"}

# A text may hold a few control characters; of random bytes an eighth are such.
_CONTROLS: Final = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)])) - set(
    "\b\t\n\v\f\r\x1b\x85"
)
_MANY_CONTROLS: Final = 16
_CONTROL_SHARE: Final = 0.1

# Lines, or rows, that must look alike before anything is said.
_LINES: Final = 5

# How an array of JSON objects begins.
_ARRAY: Final = regex.compile(r"\s*\[\s*\{\s*\"")

# Of markup: tags that close, and the share of the text that is tags.
_CLOSING: Final = 5
_TAG_SHARE: Final = 0.05
_TAG: Final = regex.compile(r"<[\p{L}/!?][^<>]*>")

# How a page begins, behind a declaration and comments.
_PAGE: Final = regex.compile(
    r"(\s|<\?[^<>]*>|<!--.*?-->)*+<(!doctype\s+html|html|head|body)\b", regex.I | regex.S
)

# Scripts that put no spaces between words; words of theirs that are cut are shorter than this.
_SPACELESS: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
_LONG_THERE: Final = 7
_LONG: Final = 30


def compression(head: bytes) -> str | None:
    """Tell from the first `HEAD` bytes how a stream is compressed; None if it is not."""
    return next((kind for kind, magic in _COMPRESSED.items() if head.startswith(magic)), None)


def check_text(head: bytes, kind: str | None, encoding: str, name: str) -> None:
    """Raise `CorpusError` if a text begins as an archive does, a program or a picture.

    Parameters
    ----------
    head : bytes
        The first `SNIFF` bytes or more, decompressed.
    kind : str or None
        How they were compressed.
    encoding : str
        What the text is decoded with.
    name : str
        What a message calls the source.
    """
    quoted, piped = shlex.quote(name), name == source_name(STDIN)
    for magic, (what, remedy) in _HOLDERS.items():
        if head.startswith(magic):
            if "FILE" in remedy:
                command = remedy.replace("FILE", "-" if piped else quoted)
                remedy = f"give the text that is in it: {command} | cbow-train -"
            raise CorpusError(f"{name} is {what}, and not a text; {remedy}")
    if head.startswith(_ZIP):
        unzip = "unzip it first" if piped else f"for example: unzip -p {quoted} | cbow-train -"
        raise CorpusError(
            f"{name} is a zip archive, as .docx, .odt and .epub files are, and not a text; "
            f"give the text that is in it, {unzip}"
        )
    # Each header of a tar archive, old or new, holds the sum of its 512 bytes, in octal digits at
    # 148; for the sum these eight bytes count as spaces.
    header = head[:512]
    digits = header[148:156].strip(b" \0")
    if len(header) == 512 and digits.isdigit() and set(digits) <= set(b"01234567"):
        others = header[:148] + b" " * 8 + header[156:]
        signed = sum(others) - 256 * sum(byte > 127 for byte in others)
        if int(digits, 8) in (sum(others), signed):
            tar = f"tar {_TAR_FLAGS[kind]}" if piped else f"tar -xOf {quoted}"
            raise CorpusError(
                f"{name} is a tar archive, and not a text; give the texts that are in it, for "
                f"example: {tar} | cbow-train -"
            )
    head, text, decodes = head[:SNIFF], "", False
    make = codecs.getincrementaldecoder(encoding)
    try:
        text, decodes = make("strict").decode(head), True
    except UnicodeError:
        with contextlib.suppress(UnicodeError):
            text = make("ignore").decode(head)
    controls = sum(map(text.count, _CONTROLS))
    many = controls >= _MANY_CONTROLS and controls > _CONTROL_SHARE * len(text)
    if many or (head.startswith(BINARY_MAGIC) and not decodes):
        raise CorpusError(
            f"{name} looks like a binary file; give a text file, or, if it is a text in "
            "another encoding such as utf-16, name that encoding / --encoding"
        )


def check_no_page(text: str, name: str) -> None:
    """Raise `CorpusError` if what a web server sent begins as a page."""
    if _PAGE.match(text):
        raise CorpusError(
            f"{name} answers with an HTML page, and not a text; give the address of the file "
            "itself, or save the page and take the text out of it"
        )


class Notice(NamedTuple):
    """What was noticed; of each `kind` one sentence is told for a corpus."""

    kind: str
    sentence: str


def notice(sample: str, name: str) -> Notice | None:
    """Say what the start of a text looks like, if not like a text with words; and what to do."""
    lines = [line for line in sample.split("\n")[:-1] if line.strip()]  # the last may be cut
    if fields := _json_fields(lines):
        kind, remedy = "JSON lines", "read one field of them"
    elif fields := _table_fields(lines):
        kind, remedy = "a table", "read one of its fields"
    if fields:
        return Notice(
            kind,
            f"{name} looks like {kind}, which is read as text, with names and numbers; {remedy} "
            f"with field / --field: {', '.join(map(shown, fields))}",
        )
    if _ARRAY.match(sample):
        return Notice(
            "a JSON array",
            f"{name} looks like a JSON array, which is read as text, with names and numbers; make "
            "JSON lines of it (jq -c '.[]' does so), and read one field with field / --field",
        )
    if _PAGE.match(sample):
        return Notice(
            "markup",
            f"{name} is an HTML page, whose tags and scripts are read as words; if it came in "
            "place of a text that you fetched, fetch that again from its own address, otherwise "
            "take the text out of the page first",
        )
    tags = _TAG.findall(sample)
    closing = sum(tag.startswith("</") or tag.endswith("/>") for tag in tags)
    if closing >= _CLOSING and sum(map(len, tags)) > _TAG_SHARE * len(sample):
        return Notice(
            "markup",
            f"{name} looks like markup (HTML or XML), whose tags are read as words; take the text "
            "out of it first",
        )
    lengths = list(map(len, words(sample)))
    spaceless = 2 * len(_SPACELESS.findall(sample)) > sum(lengths)
    if sum(lengths) > (_LONG_THERE if spaceless else _LONG) * max(len(lengths), _LINES):
        return Notice(
            "spaces",
            f"{name} has almost no spaces, so that whole clauses are read as words; cut it into "
            "words first (jieba does so for Chinese, MeCab for Japanese, PyThaiNLP for Thai), and "
            "give a text with spaces between them, lists of words, or a function as tokenizer",
        )
    return None


def _json_fields(lines: list[str]) -> list[str]:
    """Return the fields of JSON lines; none if these are something else."""
    try:
        rows = [json.loads(line) for line in lines[:_LINES] if line.startswith("{")]
    except (ValueError, RecursionError):
        return []
    return [*rows[0]] if len(rows) == _LINES else []


def _table_fields(lines: list[str]) -> list[str]:
    """Return the fields of CSV or TSV; none if these are not rows of as many cells, under names."""
    for separator, least in (("\t", 2), (";", 3), (",", 3)):
        header, *rows = csv.reader(lines or [""], delimiter=separator)
        names = len(set(header)) == len(header) >= least and all(
            n and n == n.strip() for n in header
        )
        same = {len(row) for row in rows[:-1]} == {len(header)}  # the last one may be cut, too
        if names and same and len(rows) >= _LINES and header not in rows:
            return header
    return []
