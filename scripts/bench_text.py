#!/usr/bin/env python3
"""Time how a text becomes numbers, beside gensim and plain Python; print JSON lines.

    scripts/bench_text.py CORPUS [--runs 3] [--threads N] [--only NAME ...]

CORPUS is a text file, best one that is not compressed. Each run is a process of its own, and the
programs take turns, so that a busy machine slows all of them. What they do:

cbow              tokenise, count and encode with the default tokenizer: ids on disk, vocabulary
cbow-readable     the same without compiled code (NUMBA_DISABLE_JIT=1)
cbow-whitespace   as the first, tokens between white space, case kept: the tokens of all below
cbow-phrases      as the second, with the words of phrases joined in one pass (--phrases 1)
gensim            the vocabulary pass: build_vocab over LineSentence; counts only
gensim-phrases    Phrases over LineSentence, frozen, then the vocabulary pass over the joined text
python            collections.Counter over line.split(); counts only

The first line tells of the machine, then come a line for each run and one of medians for each
program. `seconds` and `mb_per_second` are of the work alone; `loading_seconds` are what the program
takes to import its libraries and load or compile its code, once in a process. `peak_mb` is the most
memory of the process, `loaded_mb` what it had before the work. MB are 10^6 bytes. Give it an idle
machine, or look at `cpu_seconds`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MIN_COUNT = 5

# corpus, threads -> tokens read, words kept
Work = Callable[[str, int | None], tuple[int, int]]


def cbow(tokenizer: str, phrases: int = 0) -> Work:
    """Load all that encoding needs; return how to encode."""
    import cbow.text.kernels  # noqa: F401  # what encode_corpus would load in its midst
    from cbow.config import Config
    from cbow.text import encode_corpus

    def work(corpus: str, threads: int | None) -> tuple[int, int]:
        config = Config(min_count=MIN_COUNT, tokenizer=tokenizer, threads=threads, phrases=phrases)
        with tempfile.TemporaryDirectory() as folder:
            encoded = encode_corpus(Path(corpus), config, folder=Path(folder))
            return encoded.account.read, len(encoded.vocabulary)

    return work


def gensim(phrases: bool = False) -> Work:
    """Load gensim; return how it counts."""
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence, Word2Vec

    def work(corpus: str, threads: int | None) -> tuple[int, int]:
        lines = LineSentence(corpus)
        model = Word2Vec(min_count=MIN_COUNT, vector_size=1)
        if not phrases:
            model.build_vocab(lines)
            return model.corpus_total_words, len(model.wv)
        found = Phrases(lines, min_count=MIN_COUNT)
        model.build_vocab(found.freeze()[lines])
        return found.corpus_word_count, len(model.wv)

    return work


def python() -> Work:
    """Return how to count in plain Python."""

    def work(corpus: str, threads: int | None) -> tuple[int, int]:
        counts: Counter[str] = Counter()
        with open(corpus, encoding="utf-8") as lines:
            for line in lines:
                counts.update(line.split())
        return counts.total(), sum(count >= MIN_COUNT for count in counts.values())

    return work


PROGRAMS: dict[str, tuple[Callable[[], Work], dict[str, str]]] = {
    "cbow": (lambda: cbow("word"), {}),
    "cbow-whitespace": (lambda: cbow("whitespace"), {}),
    "cbow-readable": (lambda: cbow("word"), {"NUMBA_DISABLE_JIT": "1"}),
    "cbow-phrases": (lambda: cbow("whitespace", phrases=1), {}),
    "gensim": (gensim, {}),
    "gensim-phrases": (lambda: gensim(phrases=True), {}),
    "python": (python, {}),
}


def main() -> int:
    """Parse the command line and run what it asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of cbow; one per processor if not set")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--here", choices=PROGRAMS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        show(one_run(given.here, given.corpus, given.threads))
        return 0
    names = given.only
    if {"gensim", "gensim-phrases"} & {*names} and not importlib.util.find_spec("gensim"):
        print("gensim is not installed (pip install gensim); left out", file=sys.stderr)
        names = [name for name in names if not name.startswith("gensim")]
    show(machine(given.corpus))
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(given.runs):
        for name in names:
            runs[name].append(in_a_process(name, given))
            show(runs[name][-1])
    for name, found in runs.items():
        show({"median": name, "runs": len(found), **medians(found)})
    return 0


def one_run(name: str, corpus: str, threads: int | None) -> dict[str, Any]:
    """Let a program do its work once in this process."""
    prepare, _ = PROGRAMS[name]
    begin = time.perf_counter()
    work = prepare()
    loading = time.perf_counter() - begin
    loaded = peak_mb()
    cpu, begin = time.process_time(), time.perf_counter()
    tokens, vocabulary = work(corpus, threads)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    megabytes = Path(corpus).stat().st_size / 1e6
    return {
        "program": name,
        "mb_per_second": round(megabytes / seconds, 1),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "loading_seconds": round(loading, 3),
        "mb_per_second_with_loading": round(megabytes / (seconds + loading), 1),
        "peak_mb": peak_mb(),
        "loaded_mb": loaded,
        "tokens": tokens,
        "vocabulary": vocabulary,
    }


def peak_mb() -> float:
    """Return the most memory this process has had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def in_a_process(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run a program in a process of its own."""
    command = [sys.executable, __file__, given.corpus, "--here", name]
    if given.threads:
        command += ["--threads", str(given.threads)]
    environment = os.environ | PROGRAMS[name][1]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of every number of some runs."""
    numbers = {name: [run[name] for run in runs] for name in runs[0] if name != "program"}
    return {name: statistics.median(values) for name, values in numbers.items()}


def machine(corpus: str) -> dict[str, Any]:
    """Describe what was measured, on what."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    packages = ("cbow", "numpy", "numba", "regex", "gensim")
    found = {distribution.name for distribution in importlib.metadata.distributions()}
    return {
        "command": sys.argv,
        "corpus_mb": round(Path(corpus).stat().st_size / 1e6, 2),
        "machine": models[0] if models else platform.processor(),
        "processors": len(os.sched_getaffinity(0)) if models else os.cpu_count(),
        "system": platform.platform(),
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in packages if name in found},
        "environment": {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("OPENBLAS_", "OMP_", "NUMBA_", "MALLOC_"))
        },
        "date": time.strftime("%Y-%m-%d"),
    }


def show(line: dict[str, Any]) -> None:
    """Print a JSON line at once."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
