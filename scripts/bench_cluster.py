r"""Trains by several workers; prints the quality, bytes and seconds.

    python scripts/bench_cluster.py corpus.txt --workers 1 2 4 8 64 --seeds 1 2 3 \
        --pairs WS353.txt SimLex.txt --analogies questions.txt --epochs 3

By default (``--cluster serial``) the workers are simulated one after another: each does what it
would do on a machine of its own, by the same code, so that vectors, losses and bytes are those of a
cluster, and the seconds of each part are those of this machine; no network is in them. ``--cluster
dask`` and ``--cluster ray`` start processes on this machine, and an address reaches a cluster. One
worker is the ordinary training. A JSON line tells the machine, and one each run: *round_s* is the
mean of a round until all workers have learned, *here_MB* what of the parameters this process sends
and gets in a round, *sha256* that of the parameters, *processor_s* that of this process; for
simulated workers *down_MB* and *up_MB*, what one of them gets and sends, and *combine_s*,
the combining of all pieces. Scores are those of scripts/bench_train.py.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time

from bench_train import machine, score

import cbow
from cbow.training import engines, rounds, workers
from cbow.training.combining import Change, Piece


class Meter:
    """Counts seconds and bytes of the rounds of a run; stands in for its engine."""

    def __init__(self) -> None:
        self.learn = self.combine = self.began = 0.0
        self.up = self.down = self.here = self.learned = self.rounds = 0

    def share(self, value):
        """Let the engine share a value."""
        self.here += size(value)
        return self.engine.share(value)

    def start(self, function, arguments, parts=1):
        """Let the engine call a function for workers."""
        began = time.perf_counter()
        results = self.engine.start(function, arguments, parts)
        if function is workers.learn:
            self.began = began
            self.rounds += 1
            self.learned += len(results)
            self.down += sum(map(size, arguments[0][1])) * len(results)
            self.up += sum(size(change) for *changes, _ in results for change in changes)
        if function in (workers.combine, workers.settle):
            self.combine += time.perf_counter() - began
        return results

    def fetch(self, handles):
        """Let the engine fetch values."""
        values = self.engine.fetch(handles)
        self.here += sum(map(size, values))
        if self.began:
            self.learn += time.perf_counter() - self.began
            self.began = 0.0
        return values

    @contextlib.contextmanager
    def engine_for(self, config):
        """Start an engine, as `cbow.training.engines.engine_for` does."""
        with engines.engine_for(config) as self.engine:
            self.threads, self.everywhere = self.engine.threads, self.engine.everywhere
            self.workers = self.engine.workers
            yield self

    def __enter__(self):
        rounds.engine_for = self.engine_for
        return self

    def __exit__(self, *_: object) -> None:
        rounds.engine_for = engines.engine_for

    def figures(self) -> dict[str, float]:
        """Return the means."""
        figures = {
            "round_s": self.learn / self.rounds,
            "combine_s": self.combine / self.rounds,
            "here_MB": self.here / self.rounds / 1e6,
            "down_MB": self.down / self.learned / 1e6,
            "up_MB": self.up / self.learned / 1e6,
        }
        return {name: round(figure, 4) for name, figure in figures.items() if figure}


def size(value: object) -> int:
    """Return the bytes of the parameters in a value."""
    if isinstance(value, Piece):
        return sum(table.nbytes for table in value.tables)
    return value.nbytes if isinstance(value, Change) else 0


def main() -> None:
    """Run all, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", help="a text file")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8], help="(default: 1 8)")
    parser.add_argument(
        "--cluster", default="serial", help="serial, dask, ray, or an address (default: serial)"
    )
    parser.add_argument("--rounds", type=int, help="of an epoch (default: by the rule)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="(default: 1)")
    parser.add_argument("--epochs", type=int, help="(default: by the rule)")
    parser.add_argument("--learning-rate", type=float, help="(default: the usual one)")
    parser.add_argument("--pairs", nargs="*", default=[], help="files of: word word score")
    parser.add_argument("--analogies", help="a file of: a is to b as c is to d; a b c d")
    arguments = parser.parse_args()
    print(json.dumps(machine()), flush=True)
    for seed in arguments.seeds:
        for n in arguments.workers:
            print(json.dumps(run(arguments, n, seed)), flush=True)


def run(arguments: argparse.Namespace, n: int, seed: int) -> dict[str, object]:
    """Train once, and score."""
    cluster = arguments.cluster if n > 1 else "serial"
    began, processor = time.perf_counter(), time.process_time()
    with Meter() as meter:
        model = cbow.train(
            [arguments.corpus], workers=n, cluster=None if cluster == "dask" else cluster,
            rounds=arguments.rounds if n > 1 else None, seed=seed, epochs=arguments.epochs,
            learning_rate=arguments.learning_rate,
        )  # fmt: skip
    last = model.report["epochs"][-1]
    return {
        "workers": n, "rounds": model.report["workers"]["rounds"], "seed": seed,
        "epochs": last["epoch"], "learning_rate": model.config.learning_rate,
        "cluster": cluster,
        "sha256": hashlib.sha256(b"".join(a.tobytes() for a in model.parameters)).hexdigest()[:12],
        "loss": round(last["loss"], 4), "dead": last["dead"],
        "b1": [round(float(f(model.parameters.b1[:, 0])), 3) for f in (min, max)],
        "whole_s": round(time.perf_counter() - began, 1),
        "processor_s": round(time.process_time() - processor, 1),
        **meter.figures(), **score(arguments, model.vectors),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
