import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_text.py"


@pytest.mark.slow
def test_lines_of_the_benchmark(tmp_path):
    corpus = tmp_path / "a.txt"
    corpus.write_text("the king and the queen\n" * 100)
    done = subprocess.run(
        [sys.executable, SCRIPT, corpus, "--runs", "2", "--only", "cbow-readable", "python"],
        capture_output=True,
        text=True,
        check=True,
    )
    machine, *lines = map(json.loads, done.stdout.splitlines())
    assert machine["corpus_mb"] == 0.0
    assert machine["versions"]["numpy"]
    assert [line.get("program") for line in lines[:4]] == ["cbow-readable", "python"] * 2
    assert [line.get("median") for line in lines[4:]] == ["cbow-readable", "python"]
    for line in lines:
        assert line["tokens"] == 500
        assert line["vocabulary"] == 4
        assert line["seconds"] >= 0
        assert line["peak_mb"] >= line["loaded_mb"] > 0
