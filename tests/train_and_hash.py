"""Run in a process of its own by test_same_bytes: trains small models, prints a hash of each.

    python train_and_hash.py all|few [stop FOLDER | resume FOLDER]

``all``: both objectives, three activations, 1 to 3 threads; ``few``: one of each objective. With
``stop``, one more training of each objective is ended in the middle as by SIGKILL, in a child with
the kernels that this process compiled, and leaves a checkpoint in FOLDER; ``resume`` goes on there.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np

import cbow
from cbow.system.compiled import made_here
from cbow.training import Observer

OBJECTIVES = {
    "sampled": {
        "objective": "sampled",
        "candidates": 8,
        "block": 32,
        "batch": 64,
        "learning_rate": 0.12,  # high enough for units to stop firing
    },
    "exact": {"objective": "exact", "batch": 64, "optimizer": "adam"},
}
COMMON = {"dimension": 20, "epochs": 2, "sample": 0, "min_count": 1, "seed": 7}


def lines():
    """Words of a Zipf-like distribution, enough for several portions of an epoch."""
    words = np.random.default_rng(5).zipf(1.3, 6000) % 90
    return [" ".join(f"w{i}" for i in words[k : k + 30]) for k in range(0, len(words), 30)]


def hash_of(model):
    """Return a hash of the parameters, and see that something was learned."""
    assert all(np.isfinite(array).all() for array in model.parameters)
    return hashlib.sha256(b"".join(array.tobytes() for array in model.parameters)).hexdigest()[:16]


class DiesInTheMiddle(Observer):
    """Ends the process after a checkpoint in the second epoch."""

    epoch = 0

    def finished_epoch(self, epoch):
        self.epoch = epoch.epoch

    def checkpointed(self, trouble):
        assert trouble is None
        if self.epoch == 1:
            os._exit(9)


def train_and_die(objective, text, path):
    """Leave a checkpoint of the second epoch."""
    child = os.fork()
    if child == 0:
        cbow.train(
            str(text), **COMMON, **OBJECTIVES[objective], threads=2, activation="relu",
            checkpoint=path, checkpoint_every=0, observer=DiesInTheMiddle(),
        )  # fmt: skip
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert path.exists()


def main(which, action="", folder=""):
    """Train and print."""
    hashes = {}
    text = lines()
    for objective, settings in OBJECTIVES.items():
        for activation in ("relu", "leaky_relu", "identity")[: None if which == "all" else 1]:
            for threads in (1, 2, 3)[: None if which == "all" else 1]:
                model = cbow.train(
                    text, **COMMON, **settings, activation=activation, threads=threads
                )
                hashes[f"{objective} {activation} {threads}"] = hash_of(model)
        if action == "stop":
            file = Path(folder, "text.txt")
            file.write_text("\n".join(text) + "\n")
            train_and_die(objective, file, Path(folder, f"{objective}.checkpoint"))
        if action == "resume":
            resumed = cbow.resume(Path(folder, f"{objective}.checkpoint"))
            hashes[f"{objective} resumed"] = hash_of(resumed)
    print(json.dumps({"hashes": hashes, "compiled": made_here}))


if __name__ == "__main__":
    main(*sys.argv[1:])
