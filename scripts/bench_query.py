#!/usr/bin/env python3
"""Time loading of vectors and nearest words beside gensim; print JSON lines.

    scripts/bench_query.py [--words 46000 1000000] [--dimension 100] [--vectors FILE]
        [--queries 400] [--batch 1000] [--runs 7] [--loads 3] [--topn 10] [--only load query]
        [--processors N]

The vectors are drawn at random; --vectors takes those of a file instead, in any format that
cbow.load_vectors reads. Both programs get the same files and the same words to ask for, and each is
a process of its own. They take turns, in each run some queries each, so that a busy machine slows
both. A line tells of the machine; then, for each number of words, come

load    a line for each format: seconds from the call until the vectors are there, in a new process
        each time, and the most memory of it, with what was imported before. `native` is the file
        that each program writes for itself: safetensors, and gensim's save and load with mmap="r"
query   milliseconds: the first query, what one takes then (the median, one after the other, each
        another word), and a batch (gensim has none: it asks one after the other); the most memory
        of the process, with what the vectors alone take; and whether all words found are the same

`ratio` is gensim's median divided by ours. The first of the runs is left out, in which a program
may still prepare; `preparing_ms` is the longest query in it. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE
are shown and unset: where they do not fit the processor, they slow products down.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench_exact import REMEMBERED, UNSET, ask, blas, show, start_again_without_them

PROGRAMS = "cbow", "gensim"
FORMATS = {
    "native": ("vectors.safetensors", "vectors.kv"),
    "binary": "vectors.bin",
    "text": "vectors.txt",
}
SEED = 1


def main() -> int:
    """Parse the command line and run what it asks for."""
    given = parse()
    if given.here:
        WORK[given.here](given)
        return 0
    if any(name in os.environ for name in UNSET):
        start_again_without_them()
    if given.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.processors])
    show(machine())
    for words in [None] if given.vectors else given.words:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            size = prepare(Path(folder), words, given)
            for what, measure in (("load", loads), ("query", queries)):
                if what in given.only:
                    for line in measure(folder, given):
                        show({"measured": what, **size, **line, "load": os.getloadavg()[0]})
    return 0


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, nargs="+", default=[46_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--vectors", help="a file of vectors, in the place of random ones")
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--loads", type=int, default=3)
    parser.add_argument("--topn", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=["load", "query"], default=["load", "query"])
    parser.add_argument("--processors", type=int, help="use so many at most; by default all")
    parser.add_argument("--folder", help="where to write the files, which are removed at the end")
    parser.add_argument("--here", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--format", choices=FORMATS, help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(folder: Path, words: int | None, given: argparse.Namespace) -> dict[str, Any]:
    """Write the files, the last of them by gensim; give the size of the vectors."""
    from cbow import WordVectors, load_vectors

    if words is None:
        vectors = load_vectors(given.vectors)
    else:
        matrix = np.random.default_rng(SEED).standard_normal((words, given.dimension), np.float32)
        vectors = WordVectors([spelled(number) for number in range(words)], matrix)
    kinds = {"safetensors": "safetensors", "bin": "word2vec-binary", "txt": "word2vec-text"}
    if "load" not in given.only:
        del kinds["txt"]
    for ending, kind in kinds.items():
        vectors.save(folder / f"vectors.{ending}", kind)
    subprocess.run([*command("save", "gensim", given), "--folder", folder], check=True)
    chosen = np.random.default_rng(SEED).permutation(len(vectors))[: given.batch]
    (folder / "words.json").write_text(json.dumps([vectors.words[i] for i in chosen.tolist()]))
    return {"V": len(vectors), "N": vectors.dimension, "matrix_mb": mb(vectors.matrix.nbytes)}


def spelled(number: int) -> str:
    """Write a number in letters, at least three."""
    word = ""
    while number or len(word) < 3:
        number, letter = divmod(number, 26)
        word += chr(ord("a") + letter)
    return word


def loads(folder: str, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Load each format several times, in turn."""
    for format in FORMATS:
        found: dict[str, list[Any]] = {program: [] for program in PROGRAMS}
        for _ in range(given.loads):
            for program, each in found.items():
                with process("load", program, given, "--folder", folder, "--format", format) as one:
                    each.append(ask(one))
        line: dict[str, Any] = {"format": format}
        for program, each in found.items():
            seconds = [one["seconds"] for one in each]
            line[program] = {
                "seconds": round(statistics.median(seconds), 4),
                "least_seconds": round(min(seconds), 4),
                "peak_mb": each[-1]["peak_mb"],
                "before_mb": each[-1]["before_mb"],
            }
        yield line | {"ratio": ratio(line, "seconds")}


def queries(folder: str, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Let both programs answer, in turn."""
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(process("query", name, given, "--folder", folder))
            for name in PROGRAMS
        }
        first = {name: ask(one) for name, one in running.items()}
        runs: dict[str, list[Any]] = {name: [] for name in PROGRAMS}
        for _ in range(1 + given.runs):
            for name, one in running.items():
                runs[name].append(ask(one, "go on\n"))
        last = {}
        for name, one in running.items():
            one.stdin.close()
            last[name] = ask(one)
    ours, theirs = (last[name].pop("found") for name in PROGRAMS)
    lines: dict[str, Any] = {"first": {}, "one": {}, "batch": {}}
    for name in PROGRAMS:
        single = [ms for run in runs[name][1:] for ms in run["one"]]
        batches = [run["batch"] for run in runs[name][1:]]
        lines["first"][name] = {"ms": first[name]["ms"], "preparing_ms": max(runs[name][0]["one"])}
        lines["one"][name] = {"ms": round(statistics.median(single), 3), "least_ms": min(single)}
        lines["batch"][name] = {
            "ms": round(statistics.median(batches), 1),
            "least_ms": min(batches),
            "per_second": round(1000 * given.batch / statistics.median(batches)),
        }
    for what, line in lines.items():
        yield {"what": what, **line, "ratio": ratio(line, "ms")}
    yield {"what": "memory", **last, "same_words": ours == theirs}


def ratio(line: dict[str, Any], name: str) -> float:
    """Divide gensim's figure by ours."""
    return round(line["gensim"][name] / max(line["cbow"][name], 1e-9), 2)


def save(given: argparse.Namespace) -> None:
    """Be gensim, and write a file of its own."""
    folder = Path(given.folder)
    opened(given.program, "binary", folder).save(str(folder / "vectors.kv"))


def load(given: argparse.Namespace) -> None:
    """Be one of the programs, and load a file."""
    imported(given.program)
    before, begin = peak_mb(), time.perf_counter()
    vectors = opened(given.program, given.format, Path(given.folder))
    seconds = time.perf_counter() - begin
    show({"seconds": seconds, "peak_mb": peak_mb(), "before_mb": before, "words": len(vectors)})


def query(given: argparse.Namespace) -> None:
    """Be one of the programs, and answer the same queries for each line read."""
    folder = Path(given.folder)
    words = json.loads((folder / "words.json").read_text())
    imported(given.program)
    before = peak_mb()
    vectors = opened(given.program, "native", folder)

    def one(word: str) -> Any:
        return vectors.most_similar(word, topn=given.topn)

    def batch() -> Any:
        if given.program == "gensim":
            return [one(word) for word in words]
        return vectors.most_similar([[word] for word in words], topn=given.topn)

    ms, _ = milliseconds(lambda: one(words[0]))
    show({"ms": ms})
    answers: Any = []
    for _ in sys.stdin:
        singles = [milliseconds(lambda word=word: one(word))[0] for word in words[: given.queries]]
        ms, answers = milliseconds(batch)
        show({"one": singles, "batch": ms})
    found = [[word for word, _ in answer] for answer in answers]
    show({"found": found, "peak_mb": peak_mb(), "before_mb": before})


def imported(program: str) -> None:
    """Import what a program needs, so that it is not timed."""
    if program == "gensim":
        import gensim.models  # noqa: F401
    else:
        import cbow.model
        import cbow.vectors.formats  # noqa: F401


def opened(program: str, format: str, folder: Path) -> Any:
    """Load a file as each program does it."""
    if program == "gensim":
        from gensim.models import KeyedVectors

        if format == "native":
            return KeyedVectors.load(str(folder / "vectors.kv"), mmap="r")
        path = str(folder / FORMATS[format])
        return KeyedVectors.load_word2vec_format(path, binary=format == "binary")
    import cbow

    name = FORMATS[format]
    return cbow.load_vectors(folder / (name[0] if format == "native" else name))


def command(here: str, program: str, given: argparse.Namespace) -> list[str]:
    """Return the command line of a process."""
    numbers = ["--queries", given.queries, "--batch", given.batch, "--topn", given.topn]
    parts = [sys.executable, __file__, "--here", here, "--program", program, *numbers]
    return [str(part) for part in parts]


def process(here: str, program: str, given: argparse.Namespace, *more: str) -> Any:
    """Start a process."""
    return subprocess.Popen(
        [*command(here, program, given), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def milliseconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Time some work; give its result too."""
    begin = time.perf_counter()
    result = work()
    return round(1000 * (time.perf_counter() - begin), 3), result


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(mb(1024 * int(line.split()[1])) for line in lines if line.startswith("VmHWM"))


def mb(size: int) -> float:
    """Return bytes in millions."""
    return round(size / 1e6, 1)


def machine() -> dict[str, Any]:
    """Tell where and with what this runs."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "command": " ".join(["scripts/bench_query.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("cbow", "gensim", "numpy", "numba")},
        "unset": json.loads(os.environ.get(REMEMBERED, "{}")),
        "blas": blas(),
    }


WORK: dict[str, Callable[[argparse.Namespace], None]] = {"save": save, "load": load, "query": query}

if __name__ == "__main__":
    sys.exit(main())
