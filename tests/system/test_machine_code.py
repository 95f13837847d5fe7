"""The code that the package brings along is of the kernels as they are; it can be missing."""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from cbow.system import compiled as module
from cbow.system import machine_code as machine_code_module
from cbow.system.compiled import ASSEMBLY, SYSTEMS, Kernel, sources_digest

FILES = sorted(ASSEMBLY.glob("*.ll.xz"))

brought_along = pytest.mark.skipif(
    (sys.platform, module.platform.machine()) not in SYSTEMS or module.JIT_DISABLED,
    reason="numba compiles all kernels here",
)


def head_of(file):
    return json.loads(lzma.decompress(file.read_bytes()).split(b"\n")[0][2:])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_code_is_of_the_kernels_as_they_are(file):
    name, head = file.name.removesuffix(".ll.xz").rpartition(".")[0], head_of(file)
    assert (
        head["sources"] == sources_digest(name)
        or head["code"] == sources_digest(name, comments=False)
    ), "run scripts/make_kernels.py"  # fmt: skip


def test_the_code_calls_nothing_but_mathematics():
    called = {name for file in FILES for name in head_of(file)["calls"]}
    assert called <= {"cbow_sgemm", "sched_yield", "sqrtf", "usleep"}


SCRIPT = """
import sys
import numpy as np
import cbow
from cbow.text import numbering
from cbow.vectors import WordVectors
from cbow.vectors.formats import text

numbering.FEW, text.COMPILED = 0, 0
words = np.random.default_rng(5).zipf(1.3, 6000) % 3000
lines = [" ".join(f"w{i}" for i in words[k : k + 30]) for k in range(0, len(words), 30)]
for objective in ("sampled", "exact"):
    model = cbow.train(
        lines, objective=objective, min_count=1, epochs=1, dimension=8, candidates=8, heldout=0.1
    )
model.vectors.save("v.txt")
vectors = cbow.load_vectors("v.txt")
from cbow.vectors.rough import RoughCopy
from cbow.vectors.nearest import inverse_lengths
matrix = np.random.default_rng(1).standard_normal((30_000, 8), np.float32)
RoughCopy(matrix, inverse_lengths(matrix), 0.0).candidates(np.ones(8), 2, range(30_000))
print("numba" in sys.modules)
"""


@pytest.mark.slow
@brought_along
@pytest.mark.parametrize("cached", [False, True])
def test_nothing_is_compiled_by_numba(tmp_path, cached):
    cache = tmp_path / "cache" if cached else Path(os.devnull)
    for _ in range(1 + cached):
        settings = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ASSEMBLY.parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=tmp_path, env={**os.environ, **settings},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
    kept = list(cache.rglob("*.kernel")) if cached else []
    assert len(kept) >= 15 * cached


def first(number):
    """A kernel as Python; nothing in the tests below lets numba compile it."""
    return "compiled by numba", number


first.__module__ = MODULE = "cbow.errors"  # code belongs to sources of the package


def bring_along(folder, types, returns, status=0, **other):
    """Write code that returns its first argument, and the status."""
    digests = {"sources": sources_digest(MODULE), "code": ""}
    head = {"types": types, "returns": returns, **digests, **other}
    code = f"""; {json.dumps(head)}
define i32 @cbow_entry(ptr %row) {{
  %value = load i64, ptr %row
  %room = getelementptr i64, ptr %row, i64 {len(types.strip("()"))}
  store i64 %value, ptr %room
  ret i32 {status}
}}
"""
    (folder / f"{MODULE}.first.ll.xz").write_bytes(lzma.compress(code.encode()))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return the folder of the code, for this system; numba is not asked."""
    monkeypatch.setattr(module, "SYSTEMS", [(sys.platform, module.platform.machine())])
    monkeypatch.setattr(module, "FROM_NUMBA", False)
    monkeypatch.setattr(module, "ASSEMBLY", tmp_path)
    monkeypatch.setattr(Kernel, "dispatcher", property(lambda kernel: kernel.py_func))
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.devnull)
    module.cache_folder.cache_clear()
    yield tmp_path
    module.cache_folder.cache_clear()


@pytest.mark.parametrize(
    ("argument", "types", "letter"),
    [
        (3, "i", "i"), (np.int64(-3), "i", "i"), (np.int32(3), "i", "i"), (True, "b", "i"),
        (np.uint64(7), "u", "i"), (0.1, "d", "d"), (np.float64(-0.1), "d", "d"), ((4,), "(i)", "i"),
    ],
)  # fmt: skip
def test_numbers_go_to_the_code_and_come_back(folder, argument, types, letter):
    bring_along(folder, types, letter)
    (number,) = argument if isinstance(argument, tuple) else (argument,)
    assert Kernel(first)(argument) == number


def test_a_float32_is_its_bits(folder):
    bring_along(folder, "f", "i")
    assert Kernel(first)(np.float32(1.5)) == np.float32(1.5).view(np.int32)


def test_a_kernel_may_return_nothing(folder):
    bring_along(folder, "i", "")
    assert Kernel(first)(1) is None


def test_several_numbers_are_a_tuple(folder):
    bring_along(folder, "ii", "id")
    assert Kernel(first)(5, 0) == (5, 0.0)


def test_where_no_code_fits_numba_compiles(folder, monkeypatch):
    by_numba = ("compiled by numba", 1)
    assert Kernel(first)(1) == by_numba  # there is none
    bring_along(folder, "d", "d")
    assert Kernel(first)(1) == by_numba  # of other types
    assert Kernel(first)(np.float16(1)) == by_numba  # of types that none is for
    bring_along(folder, "i", "i", sources="of yesterday")
    assert Kernel(first)(1) == by_numba
    code = sources_digest(MODULE, comments=False)
    bring_along(folder, "i", "i", sources="with other comments", code=code)
    assert Kernel(first)(1) == 1
    bring_along(folder, "i", "i")
    assert Kernel(first)(1) == 1
    monkeypatch.setattr(module, "FROM_NUMBA", True)
    assert Kernel(first)(1) == by_numba
    monkeypatch.setattr(module, "FROM_NUMBA", False)
    monkeypatch.setattr(module, "SYSTEMS", [("plan9", "vax")])
    assert Kernel(first)(1) == by_numba


def test_an_llvm_that_cannot_read_the_code_leaves_it_to_numba(folder, monkeypatch):
    def parse_assembly(_):
        raise RuntimeError("expected type")

    bring_along(folder, "i", "i")
    monkeypatch.setattr(llvm, "parse_assembly", parse_assembly)
    assert Kernel(first)(1) == ("compiled by numba", 1)


def test_a_status_is_an_error(folder):
    bring_along(folder, "i", "i", status=1)
    with pytest.raises(RuntimeError, match=r"cbow.errors.first ended with status 1"):
        Kernel(first)(1)


def test_the_processor_can_be_named(monkeypatch):
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    assert machine_code_module._processor() == ("generic", "")
    monkeypatch.delenv("NUMBA_CPU_NAME")
    monkeypatch.delenv("NUMBA_CPU_FEATURES")
    assert machine_code_module._processor()[0] == llvm.get_host_cpu_name()


def test_comments_are_no_code():
    def code(text):
        return module._code_alone(text.encode())

    plain = code("def f(x):\n    return x + 1\n")
    assert code("def f(x):  # of x\n\n    return (x + 1)\n") == plain
    told, otherwise = (code(f'def f(x):\n    """{t}"""\n    return x\n') for t in ("One.", "Two."))
    assert told == otherwise
    assert code("def f(x):\n    return x + 2\n") != plain
