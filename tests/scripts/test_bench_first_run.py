import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def lines_of(script, *arguments):
    command = [sys.executable, SCRIPTS / script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_first_and_later_runs(tmp_path):
    corpus = tmp_path / "a.txt"
    corpus.write_text("the king and the queen\n" * 100)
    machine, *lines = lines_of(
        "bench_first_run.py", corpus, "--runs", "1", "--commands", "nearest", "--word", "queen"
    )
    assert machine["versions"]["numpy"]
    assert [(line["command"], line["run"]) for line in lines] == [
        ("cbow-train", "first"), ("cbow-train", "all"),
        ("cbow-nearest", "first"), ("cbow-nearest", "later"), ("cbow-nearest", "all"),
    ]  # fmt: skip
    assert all(line["text"] == "a.txt" for line in lines)
    assert lines[1]["seconds"]["later"] is None
    one, other, both = lines[2:]
    for name in ("processor_seconds", "seconds", "peak_MB"):
        assert both[name] == {"first": one[name], "later": [other[name]] * 3}
        assert one[name] > 0


@pytest.mark.slow
def test_estimates_beside_what_it_took(tmp_path):
    corpus = tmp_path / "a.txt"
    corpus.write_text("the king and the queen\n" * 100)
    run = f"{corpus},epochs=20,sample=0,objective=exact,dimension=4"
    machine, line = lines_of("bench_estimates.py", run)
    assert machine["command"].startswith("scripts/bench_estimates.py ")
    assert line["run"] == "a.txt,epochs=20,sample=0,objective=exact,dimension=4"
    assert (line["objective"], line["epochs"], line["tokens"]) == ("exact", 20, 500)
    assert line["at_a_tenth"]["estimate"] >= 0
