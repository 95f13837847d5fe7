"""The same seed gives the same bytes, whatever was compiled, where, and in which process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("train_and_hash.py")


def run(cache, *arguments, **settings):
    """Train in a fresh process; return hashes by configuration, and the kernels it compiled."""
    usual = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment = {
        **usual,
        "NUMBA_DISABLE_JIT": "0",
        "NUMBA_CACHE_DIR": str(cache),
        **settings,
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    return result["hashes"], result["compiled"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="ends a child as SIGKILL would")
@pytest.mark.slow
def test_bytes_do_not_depend_on_where_the_code_comes_from(tmp_path):
    nowhere, cache = tmp_path / "file", tmp_path / "cache"
    nowhere.write_text("no folder can be made here")
    # As for the plainest processor of the kind: without vector and fused instructions.
    plainest = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    brought_along, _ = run(cache, "all", "stop", tmp_path)
    assert len(brought_along) == 18
    assert len(set(brought_along.values())) == 6  # each objective and activation its own
    for name, value in brought_along.items():  # any number of threads
        assert value == brought_along[name[:-1] + "1"]
    one_of_each = {name: brought_along[f"{name} relu 1"] for name in ("sampled", "exact")}

    warm, made = run(cache, "few", "resume", tmp_path)
    assert made == []
    assert {name: warm[f"{name} relu 1"] for name in one_of_each} == one_of_each
    assert {name: warm[f"{name} resumed"] for name in one_of_each} == one_of_each

    uncached, made = run(nowhere / "cache", "few", **plainest)
    assert len(made) >= 8
    assert {name: uncached[f"{name} relu 1"] for name in one_of_each} == one_of_each


@pytest.mark.slow
def test_bytes_do_not_depend_on_what_numba_compiled_when(tmp_path):
    """All of them, those of some modules, or none in one process; it is what is brought along."""
    brought_along, _ = run(tmp_path, "few")
    for entry in tmp_path.rglob("*.kernel"):
        entry.unlink()
    cold, compiled = run(tmp_path, "few", CBOW_KERNELS="numba")
    assert cold == brought_along
    modules = sorted({name.rpartition(".")[0] for name in compiled})
    for some in (modules[1::2], []):
        for entry in tmp_path.rglob("*.kernel"):
            if entry.name.split("-")[0].rpartition(".")[0] in some:
                entry.unlink()
        hashes, compiled = run(tmp_path, "few", CBOW_KERNELS="numba")
        assert hashes == cold, some
        assert {name.rpartition(".")[0] for name in compiled} <= set(some)
