#!/usr/bin/env python3
"""Hold the time that a training is said to take against the time it takes; print JSON lines.

    scripts/bench_estimates.py RUN ...      RUN is a text with settings: corpus.txt,epochs=3

The first line tells of the machine, then comes one for each run: `steps_seconds` of training were
measured when it was said that the rest takes `estimate` seconds, and it took `took`; the same from
the point where a tenth of the tokens was learned. Null where the training was over before. To save
the model is not part of it. A machine whose load changes meanwhile proves nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import cbow
from cbow.cli.progress import MEASURED_SECONDS
from cbow.training import Epoch, Observer, Plan, Step
from cbow.training.progress import Pace


class Watch(Observer):
    """Keeps what is estimated after the first second and at a tenth, and when training ended."""

    def planned(self, plan: Plan) -> None:
        """Begin to measure."""
        self.plan, self.pace = plan, Pace(plan)
        self.began = self.ended = time.monotonic()
        self.first: tuple[float, float] | None = None  # when, seconds left
        self.tenth: tuple[float, float] | None = None

    def stepped(self, step: Step) -> None:
        """Take down what is estimated."""
        self.pace.step(step)
        left = self.pace.seconds_left(step)
        if left is None or step.tokens_done == step.tokens_total:
            return
        now = time.monotonic()
        if self.first is None and self.pace.learning.seconds >= MEASURED_SECONDS:
            self.first = now, left
        if self.tenth is None and 10 * step.tokens_done >= step.tokens_total:
            self.tenth = now, left

    def finished_epoch(self, epoch: Epoch) -> None:
        """Take down the time."""
        self.ended = time.monotonic()

    def compared(self, said: tuple[float, float] | None) -> dict[str, float] | None:
        """Return an estimate beside the time it took."""
        if said is None:
            return None
        now, left = said
        took = self.ended - now
        return {
            "steps_seconds": round(now - self.began, 2),
            "estimate": round(left, 2),
            "took": round(took, 2),
            "ratio": round(left / took, 2),
        }


def main() -> None:
    """Train all, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a text, then ,setting=value ...")
    arguments = parser.parse_args()
    print(json.dumps(machine()), flush=True)
    for run in arguments.runs:
        text, *given = run.split(",")
        watch = Watch()
        model = cbow.train(text, observer=watch, **dict(map(setting, given)))
        line = {
            "run": ",".join([Path(text).name, *given]),
            "objective": model.report["objective"],
            "epochs": len(model.report["epochs"]),
            "tokens": watch.plan.tokens,
            "training": round(watch.ended - watch.began, 2),
            "after_a_second": watch.compared(watch.first),
            "at_a_tenth": watch.compared(watch.tenth),
            "load": os.getloadavg()[0],
        }
        print(json.dumps(line), flush=True)


def setting(written: str) -> tuple[str, Any]:
    """Read ``name=value``."""
    name, _, value = written.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def machine() -> dict[str, Any]:
    """Tell where and with what this runs."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "command": " ".join(["scripts/bench_estimates.py", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": models[0] if models else platform.processor(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in ("cbow", "numpy")},
        "environment": {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS")},
    }


if __name__ == "__main__":
    main()
