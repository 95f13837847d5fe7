"""``cbow-convert``: word vectors from one file format into another."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.arguments import OPENING, add_options, check_distinct, output_path, reading_rules
from cbow.cli.common import DONE, command_parser, json_line, run, show, table, tell
from cbow.cli.start import COMMANDS
from cbow.config import DEFAULT_EMBEDDING
from cbow.errors import ConfigError, ModelFileError, VectorsWarning, shown
from cbow.system.files import expanded

if TYPE_CHECKING:
    from cbow.vectors.formats import Contents

PROG: Final = "cbow-convert"

#: The formats, written here too so that --help is quick; the names that select them; what they are.
FORMATS: Final = {
    "word2vec-text": (".txt, .txt.gz", "gensim, spaCy and most others read it"),
    "word2vec-binary": (".bin, .bin.gz", "smaller and quicker, float32"),
    "fasttext": (".vec, .vec.gz", ""),
    "fasttext-bin": ("(--to fasttext-bin)", "fastText's own, with n-grams"),
    "glove": ("(--to glove)", "text without a header"),
    "projector": (".tsv", "OUT and OUT_metadata.tsv, for the browser"),
    "npz": (".npz", "numpy"),
    "safetensors": (".safetensors", "cbow's own: opens in milliseconds"),
    "model2vec": ("a name ending in /", ""),
}

_LINES: Final = (f"  {name:16}  {ends:15}  {what}" for name, (ends, what) in FORMATS.items())
EXAMPLES: Final = f"""\
formats, and the endings of OUT that select them:
{chr(10).join(map(str.rstrip, _LINES))}

examples:
  cbow-convert corpus.safetensors corpus.txt         a model, for other tools
  cbow-convert GoogleNews.bin.gz news.safetensors --limit 200000
  cbow-convert corpus.safetensors glove.txt.gz --to glove
  cbow-convert --check corpus.safetensors            checks every byte
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-convert`` and return its exit code."""
    return run(_convert, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(PROG, COMMANDS["convert"], EXAMPLES)
    parser.add_argument(
        "source",
        metavar="IN",
        help="a model of cbow-train, or vectors in any of the formats below, which its content "
        "shows",
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        nargs="?",
        help="the file or folder to write; its ending selects the format",
    )
    for flag, name, when in (
        ("--from", "source", "IN, if its content does not show it"),
        ("--to", "output", "OUT, if its ending does not select it"),
    ):
        parser.add_argument(
            flag,
            dest=f"{name}_format",
            choices=FORMATS,
            metavar="FORMAT",
            help=f"the format of {when}",
        )
    add_options(parser, OPENING)
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="write only the first N words, which are the most frequent in the files of all tools",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="read IN to its end, compare it with its checksums (files of cbow have them), and "
        "write nothing; the exit code is 1 if anything differs",
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    return parser


def _convert(arguments: argparse.Namespace) -> int:
    from cbow.vectors import formats  # here, so that --help is quick

    if arguments.check:
        return _check(arguments)
    if arguments.output is None:
        _parser().error("the following arguments are required: OUT")
    if arguments.limit is not None and arguments.limit < 1:
        raise ConfigError(f"--limit is {arguments.limit}, but must be a whole number of 1 or more")
    source, output = _source(arguments.source), output_path("OUT", arguments.output, True)
    written_as = arguments.output_format or formats.named(os.path.expanduser(arguments.output))
    read_as = arguments.source_format or formats.recognise(source)
    to_write = formats.FORMATS[written_as]
    for place in to_write.outputs(output):  # one may lie inside another
        check_distinct(formats.FORMATS[read_as].inputs(source), [place])
    to_write.check_place(output)
    contents, notes = _read(source, read_as, arguments)
    read = _described(source, read_as, contents)
    tell(f"read {source} ({_summary(read)})")
    if arguments.limit is not None and arguments.limit < len(contents.words):
        counts = contents.counts
        contents = contents._replace(
            words=contents.words[: arguments.limit],
            matrix=contents.matrix[: arguments.limit],
            counts=None if counts is None else counts[: arguments.limit],
        )
    notes += _write(output, written_as, contents)
    written = _described(output, written_as, contents)
    for note in notes:
        tell(f"note: {note}")
    beside = [each for each in to_write.outputs(output) if each.parent != output]
    tell(f"wrote {' and '.join(map(str, beside))} ({_summary(written)})")
    if arguments.json:
        account = contents.account.to_dict()
        show(json_line({"read": {**read, "account": account}, "written": written, "notes": notes}))
    return DONE


def _source(name: str) -> Path:
    if name in ("", "-"):
        raise ModelFileError(
            f"IN is {shown(name)}, but must be the name of a file, whose size and parts are "
            "checked before it is read; write the stream to a file first"
        )
    return expanded(name)


def _read(source: Path, name: str, arguments: argparse.Namespace) -> tuple[Contents, list[str]]:
    """Read the vectors; return notes on what is not used as it stands in the file."""
    from cbow.vectors import formats

    rules = reading_rules(arguments)
    contents = formats.read(source, name, **rules)
    notes, embedding = list(contents.account.notes()), rules["embedding"]
    if embedding != DEFAULT_EMBEDDING and not formats.FORMATS[name].kinds:
        notes.append(
            f"{source} holds only one kind of vectors, so --embedding {embedding} has no effect"
        )
    return contents, notes


def _check(arguments: argparse.Namespace) -> int:
    """Read a file to its end, and show which of its parts are as they were written."""
    from cbow.system import safetensors_file
    from cbow.vectors import formats

    if arguments.output is not None:
        raise ConfigError(
            f"--check writes nothing, but OUT is {shown(arguments.output)}; leave out one of them"
        )
    source = _source(arguments.source)
    name, state = arguments.source_format or formats.recognise(source), None
    ours = formats.FORMATS[name].checksums
    if ours:
        stored = safetensors_file.read(source)
        state = safetensors_file.verified(stored)
    if state is None:
        contents, notes = _read(source, name, arguments)
        words = len(list(contents.words))  # which decodes all of them
        for note in notes:
            tell(f"note: {note}")
        why = "an early cbow or another program wrote it" if ours else f"{name} has none"
        tell(f"{source} has no checksums, because {why}; it was read to its end: {words:,} words")
    elif not arguments.json:
        kinds = {part: f"{array.dtype} {array.shape}" for part, array in stored.tensors.items()}
        rows = [
            (part, kinds.get(part, ""), "right" if right else "WRONG")
            for part, right in state.items()
        ]
        show(table(("part", "kind", "checksum"), rows, "<<<"))
    if arguments.json:
        show(json_line({"path": str(source), "format": name, "checksums": state}))
    changed = [part for part, right in (state or {}).items() if not right]
    if changed:
        raise ModelFileError(
            f"{source} was changed after it was written: the checksum of "
            f"{shown(', '.join(changed))} differs; download or copy it again, or recreate it"
        )
    return DONE


def _write(output: Path, name: str, contents: Contents) -> list[str]:
    """Write the vectors; return notes on what could not be kept."""
    from cbow.vectors import formats

    words, matrix, counts, _, subwords = contents
    form = formats.FORMATS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VectorsWarning)
        formats.write(output, words, matrix, counts, name, subwords)
    notes = [str(each.message) for each in caught]
    if counts is not None and not form.counts:
        notes.append(f"the counts are left out: {form.title} has no place for them")
    return notes


def _described(path: Path, name: str, contents: Contents) -> dict[str, Any]:
    """Return what a file holds, for JSON."""
    V, N = contents.matrix.shape
    return {"path": str(path), "format": name, "words": V, "dimension": N}


def _summary(file: dict[str, Any]) -> str:
    """Write what a file holds, for people."""
    return f"{file['format']}; {file['words']:,} words, {file['dimension']} dimensions"
