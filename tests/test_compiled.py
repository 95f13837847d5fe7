"""How kernels are compiled, and what happens when the code cannot be kept."""

import os
import subprocess
import sys
import textwrap

import pytest

from cbow import compiled as module
from cbow.compiled import compiled


@pytest.mark.parametrize(
    "trouble", [RuntimeError("no locator available"), OSError(28, "disk full"), EOFError()]
)
@pytest.mark.parametrize("signature", [(), ("int64", "int64")])
def test_code_that_cannot_be_kept_is_compiled_all_the_same(monkeypatch, trouble, signature):
    asked = []

    def njit(*given, cache=False, **settings):
        asked.append((given, cache, settings))
        if cache:
            raise trouble
        return lambda function: function

    monkeypatch.setattr(module._nb, "njit", njit)
    assert compiled(len, *signature, fastmath={"nsz"}) is len
    settings = {"nogil": True, "fastmath": {"nsz"}, "error_model": "numpy"}
    given = (signature,) if signature else ()
    assert asked == [(given, True, settings), (given, False, settings)]


def test_what_is_wrong_with_the_code_itself_is_told(monkeypatch):
    def njit(*_, **__):
        raise TypeError("no such type")

    monkeypatch.setattr(module._nb, "njit", njit)
    with pytest.raises(TypeError, match="no such type"):
        compiled(len)


class Kept:
    """A kernel with an index that can be read, or not."""

    def __init__(self, readable):
        self.readable, self.flushed = readable, False
        self._cache = self._cache_file = self

    def _load_index(self):
        if not self.readable:
            raise AttributeError("Can't get attribute 'Noise' on a module")

    def flush(self):
        self.flushed = True


@pytest.mark.parametrize("readable", [True, False])
def test_an_index_of_another_version_is_forgotten(monkeypatch, readable):
    kept = Kept(readable)
    monkeypatch.setattr(module._nb, "njit", lambda **settings: lambda function: kept)
    assert compiled(len) is kept
    assert kept.flushed is not readable


SCRIPT = """
    import pathlib, sys
    import numpy as np
    from cbow.training.exponential import _largest64
    L = np.array([[1.0, 3.0]])
    top = np.zeros(1)
    _largest64(L, np.zeros(1), top)
    print(top[0], sum(_largest64.stats.cache_hits.values()))
"""


def test_a_damaged_index_on_disk_only_means_compiling_again(tmp_path):
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "NUMBA_CACHE_DIR": str(tmp_path)}

    def run():
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(SCRIPT)],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.split()

    assert run() == ["3.0", "0"]
    assert run() == ["3.0", "1"]  # kept
    for index in tmp_path.rglob("*.nbi"):
        stamp = index.read_bytes()[:40]
        index.write_bytes(stamp + b"damaged")
    assert run() == ["3.0", "0"]
    assert run() == ["3.0", "1"]
