#!/usr/bin/env python3
"""Measure what a large text costs on one machine: time, memory and disk; print JSON lines.

    scripts/bench_large.py MB [MB ...] [--words 8000000] [--cbow FLAGS] [--folder FOLDER]

A text of so many MB (10^6 bytes) is drawn at random: lines of twenty words of five letters, the
r-th of which has a probability proportional to 1/r (Zipf's law). So the number of distinct words
grows with the text, as it does in real ones. Then `cbow-train TEXT FLAGS` (by default `--epochs 1`)
trains on it.

The first line tells of the machine; then comes a line for each text: its tokens, the vocabulary,
the parameters in MB, and for each stage (`account`: the text is read and encoded; `plan`: all is
ready to learn; `epoch`: an epoch is learned and its loss measured; `end`: the model is saved) the
seconds since the beginning and the most memory so far, and in the end the processor seconds, the
most disk that was taken by temporary files, and the size of the model.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from bench_first_run import UNSET, machine

#: Words that are drawn at a time, those of a line, and letters of each.
DRAWN, LINE, LETTERS = 2_000_000, 20, 5

#: Seconds between two looks at the process.
LOOK = 0.1


def main() -> None:
    """Run everything and print."""
    arguments = parse()
    print(
        json.dumps(machine() | {"command": shlex.join(["scripts/bench_large.py", *sys.argv[1:]])})
    )
    for size in arguments.MB:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            text = Path(folder, "text.txt")
            tokens = write(text, size, arguments.words)
            print(json.dumps({"MB": size, "tokens": tokens} | train(text, arguments)), flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("MB", nargs="+", type=int, help="size of a text")
    parser.add_argument("--words", type=int, default=8_000_000, help="most words of a text")
    parser.add_argument("--cbow", default="--epochs 1", metavar="FLAGS", help="for cbow-train")
    parser.add_argument("--folder", type=Path, help="where the text and all else is written")
    return parser.parse_args()


def write(path: Path, size: int, words: int) -> int:
    """Write a text of `size` MB; return its number of words."""
    rng = np.random.default_rng(1)
    digits = np.arange(words)[:, None] // 26 ** np.arange(LETTERS) % 26
    spelled = np.full((words, LETTERS + 1), ord(" "), np.uint8)
    spelled[:, :LETTERS] = ord("a") + digits
    cumulative = np.cumsum(1 / np.arange(1, words + 1))
    tokens = size * 10**6 // (LETTERS + 1) // LINE * LINE
    with path.open("wb") as file:
        for start in range(0, tokens, DRAWN):
            u = rng.random(min(DRAWN, tokens - start)) * cumulative[-1]
            line = spelled[np.searchsorted(cumulative, u)].reshape(-1, LINE, LETTERS + 1)
            line[:, -1, -1] = ord("\n")
            file.write(line.tobytes())
    return tokens


def train(text: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train on a text and look at the process while it runs."""
    folder = text.parent
    log, model, temporary = folder / "log", folder / "model.safetensors", folder / "temporary"
    temporary.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in UNSET}
    command = [
        sys.executable, "-m", "cbow", "train", str(text), "-o", str(model), "--quiet",
        "--log-json", str(log), *shlex.split(arguments.cbow),
    ]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment | {"TMPDIR": str(temporary)})
    seen: dict[str, Any] = {}
    stages: dict[str, Any] = {}
    disk = memory = 0
    while True:
        memory = max(memory, most_memory(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        disk = max(disk, sum(taken(file) for file in temporary.rglob("*")))
        for event in events[len(stages) :]:
            name = event["event"] + (f" {event['epoch']}" if "epoch" in event else "")
            stages[name] = moment(began, memory)
            seen |= event
        if pid:
            process.returncode = status  # it is known, so that nobody waits for it
            break
        time.sleep(LOOK)
    if status:
        sys.exit(f"{command} ended with {status}")
    stages["end"] = moment(began, usage.ru_maxrss)
    return {
        "vocabulary": seen["vocabulary_size"],
        "parameters_MB": round(4 * seen["parameters"] / 1e6),
        "stages": stages,
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "temporary_MB": round(disk / 1e6),
        "model_MB": round(model.stat().st_size / 1e6),
    }


def taken(file: Path) -> int:
    """Return the size of a file, 0 if it is gone."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def most_memory(pid: int) -> int:
    """Return the most memory of a process so far, in KiB; 0 if it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def moment(began: float, memory: int) -> dict[str, float]:
    """Return the seconds since the beginning, and KiB as MB."""
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "peak_MB": round(memory * 1024 / 1e6),
    }


if __name__ == "__main__":
    main()
