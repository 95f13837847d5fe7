"""The same seed gives the same bytes, whatever was compiled, where, and in which process."""

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("train_and_hash.py")


def run(cache, *arguments, **settings):
    """Train in a fresh process; return hashes by configuration, and the kernels it compiled."""
    environment = {
        **os.environ,
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


def entries_by_module(cache):
    """Return the entries of the cache, by the module whose kernels they are."""
    modules = collections.defaultdict(list)
    for entry in cache.rglob("*.kernel"):
        modules[entry.name.split("-")[0].rpartition(".")[0]].append(entry)
    return modules


@pytest.mark.skipif(not hasattr(os, "fork"), reason="ends a child as SIGKILL would")
@pytest.mark.slow
def test_bytes_do_not_depend_on_what_was_compiled_when(tmp_path):
    nowhere, cache = tmp_path / "file", tmp_path / "cache"
    nowhere.write_text("no folder can be made here")
    # As for the plainest processor of the kind: without vector and fused instructions.
    plainest = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    uncached, compiled = run(nowhere / "cache", "all", "stop", tmp_path, **plainest)
    assert len(compiled) > 30
    cold, compiled_again = run(cache, "all")
    assert sorted(compiled_again) == sorted(compiled)
    warm, not_compiled = run(cache, "all", "resume", tmp_path)
    assert not_compiled == []
    resumed = {objective: warm.pop(f"{objective} resumed") for objective in ("sampled", "exact")}
    assert uncached == cold == warm
    assert len(warm) == 18
    one_of_each = {name: warm[name] for name in ("sampled relu 1", "exact relu 1")}
    assert resumed == {name.split()[0]: value for name, value in one_of_each.items()}
    for name in warm:  # any number of threads
        assert warm[name] == warm[name[:-1] + "1"]
    assert len(set(warm.values())) == 6  # each objective and activation its own
    for module, entries in entries_by_module(cache).items():
        kept = {entry: entry.read_bytes() for entry in entries}
        for entry in kept:
            entry.unlink()
        hashes, compiled = run(cache, "few")
        assert hashes == one_of_each, module
        for entry, content in kept.items():
            entry.write_bytes(content)
            entry.chmod(0o600)
        assert {name.rpartition(".")[0] for name in compiled} <= {module}
