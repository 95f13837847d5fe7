import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_large.py"


def test_lines_of_the_benchmark(tmp_path):
    flags = "--epochs 2 --dimension 4 --objective sampled --candidates 8"
    done = subprocess.run(
        [sys.executable, SCRIPT, "1", "--words", "99", "--cbow", flags, "--folder", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    machine, line = map(json.loads, done.stdout.splitlines())
    assert machine["command"].startswith("scripts/bench_large.py 1 --words 99")
    assert (line["tokens"], line["vocabulary"]) == (166_660, 99)
    names = ["account", "plan", "epoch 1", "epoch 2", "end"]
    assert [name for name in line["stages"] if name in names] == names
    peaks = [line["stages"][name]["peak_MB"] for name in names]
    assert peaks == sorted(peaks)
    assert list(tmp_path.iterdir()) == []
