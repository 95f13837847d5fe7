#!/usr/bin/env python3
"""Damage files of word vectors at random, and see what their readers make of it.

    scripts/fuzz_formats.py [NAME ...] [--runs 10000] [--seed 1] [--keep FOLDER]

NAME is a reader of the table below, by default each in turn. Every run takes a sound file, damages
it in some places, and reads it. A reader must give sound contents (distinct words, finite numbers,
as many rows) or raise ModelFileError with a sentence, within a limit of memory. Readers that treat
large files in another way must say the same both ways. Whatever else happens is reported with the
number of the run, which makes it come again, and the file is copied to FOLDER if one is given; the
exit status is then 1.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from cbow.errors import ModelFileError
from cbow.vectors import formats
from cbow.vectors.formats import Contents

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"

#: Memory that a run may take beyond what the program has at its start.
LIMIT = 2**31

#: What settings make a reader of text treat small files as it treats large ones.
COMPILED = {
    "cbow.vectors.formats.text.PIECE": 64,
    "cbow.vectors.formats.text.COMPILED": 0,
}


class Reader(NamedTuple):
    """What is tried: a format, sound files of it, and other settings that must not matter."""

    format: str
    files: list[str]  #: in tests/golden; one of them is damaged
    packed: bool = False  #: whether the files are damaged within gzip
    settings: Mapping[str, Any] = MappingProxyType({})
    whole: str | None = None  #: what is read if it is not the file itself: all `files` are parts
    lazy: bool = False  #: whether words and numbers are looked at only when they are used


READERS = {
    "word2vec-text": Reader(
        "word2vec-text",
        ["word2vec_c.txt", "word2vec_c_cut.txt", "gensim.txt", "glove_header.txt"],
        settings=COMPILED,
    ),
    "word2vec-text.gz": Reader("word2vec-text", ["gensim.txt"], packed=True),
    "fasttext": Reader("fasttext", ["fasttext.vec"], settings=COMPILED),
    "glove": Reader("glove", ["glove.txt"], settings=COMPILED),
    "word2vec-binary": Reader(
        "word2vec-binary",
        ["word2vec_c.bin", "word2vec_c_cut.bin", "gensim.bin"],
        settings={"cbow.vectors.formats.word2vec_binary.BLOCK": 50},
    ),
    "word2vec-binary.gz": Reader("word2vec-binary", ["gensim.bin"], packed=True),
    "fasttext-bin": Reader("fasttext-bin", ["fasttext.bin"]),
    "projector": Reader(
        "projector", ["gensim_tensor.tsv", "gensim_metadata.tsv"], whole="gensim_tensor.tsv"
    ),
    "npz": Reader("npz", ["numpy.npz", "numpy_packed.npz"]),
    "safetensors": Reader("safetensors", ["cbow.safetensors"], lazy=True),
    **{
        folder: Reader(
            "model2vec", [f"{folder}/model.safetensors", f"{folder}/tokenizer.json"], whole=folder
        )
        for folder in ("model2vec", "model2vec_clusters", "model2vec_half", "model2vec_bytes")
    },
}

#: What is put into files: what readers look for, and numbers at their limits.
TOKENS = [
    *(bytes([byte]) for byte in b"\n \t\r\0\v\x1c\x85\xa0\xc3\xff.e+-"),
    *b"-1 0 1 2 5 13 999999999999 1000000000000000000 18446744073709551616".split(),
    *b"nan inf -Infinity 1e39 -1e999 1e-999 3.4028235677973366e38 0x1p3 1_0 <unk>".split(),
    *[b"1.00000005960464477539062", b"9" * 400, b"w" * 400, bytes(64), b"  ", b"\n\n"],
    *[b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xa8", b"\xc3\xa9", b"\x1f\x8b\x08"],
    *[b"13 5\n", b"the 1 2 3 4 5\n", b"a b 1 2 3 4 5\n"],
]


def damaged(data: bytes, source: random.Random) -> bytes:
    """Damage a file in one to six places."""
    for _ in range(source.choice((1, 1, 1, 2, 3, 6))):
        i, j = sorted((source.randint(0, len(data)), source.randint(0, len(data))))
        put = source.choice([b"", source.randbytes(1), source.choice(TOKENS), data[i:j]])
        gone = source.choice([0, len(put), source.randint(0, 8), j - i, len(data)])
        data = data[:i] + put + data[i + gone :]
    return data


def outcome(read: Callable[..., Contents], path: Path, rules: Mapping[str, str], lazy: bool) -> Any:
    """Read a file; give what must not depend on how, or the sentence of the refusal."""
    try:
        words, matrix, counts, account, _ = read(path, **rules)
        words = list(words)
    except ModelFileError as error:
        said = str(error)
        if "\n" in said or len(said) > 1000 or str(path.parent) not in said:
            raise AssertionError(f"no sentence: {said[:2000]!r}") from error
        return said
    sound = (
        len(words) == len(matrix)
        and matrix.ndim == 2
        and (lazy or (len(set(words)) == len(words) and np.isfinite(matrix).all()))
        and all(words)
        and account.rows >= len(words)
        and (counts is None or counts.shape == (len(words),))
    )
    if not sound:
        raise AssertionError("what was read is not sound")
    return words, matrix.shape, matrix.tobytes(), account


def one_run(reader: Reader, seed: str, folder: Path) -> None:
    """Damage a file and read it in each way."""
    source = random.Random(seed)
    name = source.choice(reader.files)
    data = damaged((GOLDEN / name).read_bytes(), source)
    if reader.packed:
        data = gzip.compress(data, mtime=0)
        data = damaged(data, source) if source.random() < 0.5 else data
    for part in reader.files if reader.whole else [name]:
        place = folder / part
        place.parent.mkdir(exist_ok=True)
        place.unlink(missing_ok=True)  # an old mapping keeps the old file
        place.write_bytes(data if part == name else (GOLDEN / part).read_bytes())
    path = folder / (reader.whole or name)
    read = functools.partial(formats.read, format=reader.format)
    rules = {"errors": source.choice(("strict", "replace"))}
    if not reader.lazy:
        rules["on_bad_rows"] = source.choice(("raise", "skip"))
    found = outcome(read, path, rules, reader.lazy)
    if reader.settings:
        patches = [mock.patch(name, value) for name, value in reader.settings.items()]
        for patch in patches:
            patch.start()
        try:
            again = outcome(read, path, rules, reader.lazy)
        finally:
            mock.patch.stopall()
        if again != found:
            raise AssertionError(f"read in another way it is another: {found!r} {again!r}"[:2000])


def runs(name: str, count: int, seed: int, keep: Path | None) -> Iterator[str]:
    """Make so many runs with a reader; yield what was found."""
    with tempfile.TemporaryDirectory() as folder:
        for run in range(count):
            try:
                one_run(READERS[name], f"{seed} {name} {run}", Path(folder))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                if keep:
                    shutil.copytree(folder, keep / f"{name}-{seed}-{run}", dirs_exist_ok=True)
                yield f"{name}, run {run}: {''.join(traceback.format_exception(error))}"


def main() -> int:
    """Run what is asked for; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(READERS)}")
    parser.add_argument("--runs", type=int, default=10_000, help="for each reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for files that something was found with")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(READERS)
    if unknown:
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(
        resource.RLIMIT_AS, (size + LIMIT, resource.getrlimit(resource.RLIMIT_AS)[1])
    )
    found = 0
    for name in arguments.names or READERS:
        started = time.perf_counter()
        for report in runs(name, arguments.runs, arguments.seed, arguments.keep):
            print(report, file=sys.stderr)
            found += 1
        seconds = time.perf_counter() - started
        print(f"{name}: {arguments.runs} runs in {seconds:.0f} s")
    print(f"found: {found}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
