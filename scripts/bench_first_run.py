#!/usr/bin/env python3
"""Measure what each command costs on a new machine and from then on; print JSON lines.

    scripts/bench_first_run.py corpora/alder.txt CORPUS ... [--runs 3] [--epochs N]

For each text: cbow-train, and with its model cbow-nearest, cbow-evaluate, cbow-convert and
cbow-explore. The first run of each finds no machine code that an earlier one has kept; the later
runs find that of the first. (Python's own bytecode is there, as pip leaves it.) Beside them gensim,
which keeps nothing: it imports, reads the text with its words between spaces, trains as it does
when it is told nothing but the file (and the epochs), and saves. --commands NAME ... measures
fewer.

The first line tells of the machine, then come a line for each run and one for each command: its
first run, and of the later ones the median, the least and the most. `processor_seconds` are those
of all threads, `seconds` those of the clock, `peak_MB` the most memory of the process; MB are 10^6
bytes. A busy machine makes all of them longer but the last.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CORPORA = Path(__file__).parents[1] / "corpora"

#: The commands with their arguments, in a folder that has the text and, from the first on, a model.
COMMANDS = {
    "train": ["text.txt", "-o", "text.safetensors", "--quiet"],
    "nearest": ["text.safetensors", "{word}"],
    "evaluate": [
        "text.safetensors", "--pairs", str(CORPORA / "pairs.txt"),
        "--analogies", str(CORPORA / "analogies.txt"),
    ],
    "convert": ["text.safetensors", "out.txt"],
    "explore": ["text.safetensors", "-o", "page.html"],
}  # fmt: skip

#: A text as gensim takes it.
WORDS = """
import sys, cbow
with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w") as target:
    for line in source:
        print(*cbow.tokenize(line), file=target)
"""

GENSIM = """
import json, sys
from gensim.models import Word2Vec
Word2Vec(corpus_file=sys.argv[1], **json.loads(sys.argv[3])).save(sys.argv[2])
"""

#: Variables that are unset for the runs: on some machines they halve the speed of numpy.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def main() -> None:
    """Run everything and print."""
    arguments = parse()
    print(json.dumps(machine()), flush=True)
    for text in arguments.texts:
        with tempfile.TemporaryDirectory() as folder:
            measure_text(text, Path(folder), arguments)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", nargs="+", type=Path, metavar="CORPUS", help="a text file")
    parser.add_argument("--runs", type=int, default=3, help="later runs of each (default: 3)")
    parser.add_argument(
        "--epochs", type=int, help="of cbow-train and gensim (default: as many as each chooses)"
    )
    parser.add_argument("--word", default="king", help="what is asked for (default: king)")
    parser.add_argument(
        "--commands", nargs="+", choices=[*COMMANDS, "gensim"], default=[*COMMANDS, "gensim"],
        metavar="NAME", help="measure only these (train runs once in any case)",
    )  # fmt: skip
    return parser.parse_args()


def measure_text(text: Path, folder: Path, arguments: argparse.Namespace) -> None:
    """Measure the commands on a text, in a folder of its own."""
    (folder / "text.txt").symlink_to(text.resolve())
    about = {"text": text.name, "text_MB": round(text.stat().st_size / 1e6, 2)}
    epochs = {"epochs": arguments.epochs} if arguments.epochs else {}
    about |= epochs
    for name, flags in COMMANDS.items():
        if name not in arguments.commands and name != "train":
            continue
        code = f"import sys; from cbow.cli.start import {name}; sys.exit({name}())"
        command = [sys.executable, "-c", code, *(f.format(word=arguments.word) for f in flags)]
        if name == "train" and epochs:
            command += ["--epochs", str(arguments.epochs)]
        caches = {"NUMBA_CACHE_DIR": str(folder / f"caches-{name}")}
        runs = arguments.runs if name in arguments.commands else 0
        report({**about, "command": f"cbow-{name}"}, command, folder, caches, 1 + runs)
    if "gensim" in arguments.commands:
        subprocess.run([sys.executable, "-c", WORDS, text, folder / "words.txt"], check=True)
        command = [
            sys.executable, "-c", GENSIM, "words.txt", "gensim.model", json.dumps(epochs)
        ]  # fmt: skip
        report({**about, "command": "gensim"}, command, folder, {}, arguments.runs)


def report(
    about: dict[str, Any], command: list[str], folder: Path, variables: dict[str, str], times: int
) -> None:
    """Run a command some times, and print what each run took and all of them together."""
    runs = []
    for number in range(times):
        kind = "first" if variables and not number else "later"
        runs.append({**about, "run": kind, **measure(command, folder, variables)})
        print(json.dumps(runs[-1]), flush=True)
    summary: dict[str, Any] = {**about, "run": "all"}
    for name in ("processor_seconds", "seconds", "peak_MB"):
        later = [run[name] for run in runs if run["run"] == "later"]
        first = [run[name] for run in runs if run["run"] == "first"]
        summary[name] = {
            "first": first[0] if first else None,
            "later": [round(f(later), 2) for f in (statistics.median, min, max)] if later else None,
        }
    print(json.dumps(summary), flush=True)


def measure(command: list[str], folder: Path, variables: dict[str, str]) -> dict[str, float]:
    """Return what a process took. It has more memory than this one, whose memory counts, too."""
    environment = {k: v for k, v in os.environ.items() if k not in UNSET} | variables
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = status  # it is known, so that nobody waits for it
        if status:
            said.seek(0)
            sys.exit(f"{command} ended with {status}: {said.read().decode()}")
    return {
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "seconds": round(seconds, 2),
        "peak_MB": round(usage.ru_maxrss * 1024 / 1e6),
    }


def machine() -> dict[str, Any]:
    """Tell where and with what this runs."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    packages = ("cbow", "gensim", "llvmlite", "numba", "numpy", "scipy")
    found = {distribution.name for distribution in importlib.metadata.distributions()}
    return {
        "command": " ".join(["scripts/bench_first_run.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": models[0] if models else platform.processor(),
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {n: importlib.metadata.version(n) for n in packages if n in found},
        "unset": list(UNSET),
    }


if __name__ == "__main__":
    main()
