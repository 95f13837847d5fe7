"""How kernels are compiled, and that what is kept of them is sound, ours and up to date."""

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cbow.system import compiled as module
from cbow.system import jit
from cbow.system.compiled import Kernel, cache_folder, sources_digest
from cbow.system.jit import KernelCache

#: A package of one kernel that calls another, which has a constant from a third module.
SOURCES = {
    "__init__.py": "",
    "inner.py": """
from cbow.system.compiled import compiled
from cbow.numbers import FACTOR

@compiled
def inner(x):
    return FACTOR * x
""",
    "numbers.py": "FACTOR = 2.0\n",
    "outer.py": """
from cbow.system.compiled import (
    compiled,
)
from cbow.inner import inner

@compiled
def outer(x):
    return inner(x) + 1
""",
}

SCRIPT = """
from cbow.outer import outer
from cbow.system.compiled import made_here
print(outer(10.0), *made_here)
"""


@pytest.fixture
def package(tmp_path):
    """Return a folder that holds a small package named cbow."""
    folder = tmp_path / "site" / "cbow"
    (folder / "system").mkdir(parents=True)
    for name in ("arrays", "compiled", "jit", "machine_code", "operations"):
        shutil.copy(Path(module.__file__).with_name(f"{name}.py"), folder / "system")
    for name, source in SOURCES.items():
        (folder / name).write_text(source)
    return folder


def run(package, cache=None):
    """Call the kernel in a fresh process; return what it printed, as words."""
    settings = {"NUMBA_DISABLE_JIT": "0", "PYTHONPATH": str(package.parent)}
    if cache:
        settings["NUMBA_CACHE_DIR"] = str(cache)
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=package.parent,
        env={**kept, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


BOTH = ["cbow.outer.outer", "cbow.inner.inner"]


@pytest.mark.slow
def test_what_is_kept_is_used_until_a_source_changes(package):
    """Beside the package, where numba itself would keep it; only the sources of a kernel matter."""
    assert run(package) == ["21.0", *BOTH]
    folder = package / "__pycache__" / "kernels"
    assert len(list(folder.iterdir())) == 2
    assert run(package) == ["21.0"]
    (package / "numbers.py").write_text("FACTOR = 3.0\n")
    assert run(package) == ["31.0", *BOTH]
    assert len(list(folder.iterdir())) == 2  # nothing of the earlier source is left
    outer = package / "outer.py"
    outer.write_text(outer.read_text().replace("+ 1", "+ 2"))
    assert run(package) == ["32.0", "cbow.outer.outer"]
    (package / "another.py").write_text("")
    assert run(package) == ["32.0"]


@pytest.mark.slow
def test_damaged_entries_only_mean_compiling_again(package, tmp_path):
    cache = tmp_path / "cache"
    assert run(package, cache) == ["21.0", *BOTH]
    one, other = cache.rglob("*.kernel")
    content = one.read_bytes()
    one.write_bytes(other.read_bytes()[:-1])
    other.write_bytes(content)  # under the name of another
    assert run(package, cache) == ["21.0", *BOTH]
    assert run(package, cache) == ["21.0"]


@pytest.mark.slow
def test_two_processes_may_compile_at_once(package, tmp_path):
    with ThreadPoolExecutor(2) as threads:
        every = [threads.submit(run, package, tmp_path / "cache") for _ in range(2)]
        assert [each.result()[0] for each in every] == ["21.0"] * 2
    assert run(package, tmp_path / "cache") == ["21.0"]
    assert len(list((tmp_path / "cache").rglob("*"))) == 3  # the folder and two entries


@pytest.fixture
def places(monkeypatch, tmp_path):
    """Let the package lie where nothing can be written; return the home of the user."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "package").write_text("a file")
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "package")
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    cache_folder.cache_clear()
    yield home
    cache_folder.cache_clear()


def test_else_the_code_is_kept_among_the_caches_of_the_user(places, monkeypatch):
    folder = cache_folder()
    assert folder.parent == places / ".cache" / "cbow"
    monkeypatch.setenv("XDG_CACHE_HOME", str(places / "caches"))
    cache_folder.cache_clear()
    assert cache_folder() == places / "caches" / "cbow" / folder.name
    assert KernelCache(len).cache_path == str(cache_folder())


def test_without_a_home_no_folder_named_tilde_appears(places, monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert cache_folder() is None
    assert KernelCache(len).cache_path is None
    assert not Path("~").exists()


def test_a_link_to_elsewhere_is_not_used(places):
    elsewhere = places / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder = cache_folder()
    folder.rmdir()
    folder.symlink_to(elsewhere)
    cache_folder.cache_clear()
    assert cache_folder() is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners and modes")
def test_a_folder_that_others_can_write_is_not_used(places):
    folder = cache_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    cache_folder.cache_clear()
    assert cache_folder() is None


def test_where_there_are_no_owners_a_folder_is_the_users(places, monkeypatch):
    folder = cache_folder()
    folder.chmod(0o777)
    monkeypatch.delattr(os, "geteuid")
    cache_folder.cache_clear()
    assert cache_folder() == folder


def flipped(place):
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = {
    "empty": lambda content: b"",
    "cut in the digest": lambda content: content[:20],
    "without content": lambda content: content[:32],
    "cut": lambda content: content[:-5],
    "a bit of the digest": flipped(3),
    "a bit of the code": flipped(40),
    "the last bit": flipped(-1),
    "other bytes": lambda content: b"\0" * len(content),
    "longer": lambda content: content + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_as_good_as_none(places, damage):
    kernel = ("cbow.errors.f", sources_digest("cbow.errors"))
    module.keep_entry(*kernel, "key", b"some machine code")
    (entry,) = cache_folder().iterdir()
    assert module.kept_entry(*kernel, "key") == b"some machine code"
    entry.write_bytes(DAMAGES[damage](entry.read_bytes()))
    assert module.kept_entry(*kernel, "key") is None


def test_an_entry_under_the_name_of_another_is_not_used(places):
    kernel = ("cbow.errors.f", sources_digest("cbow.errors"))
    for key in ("one", "other"):
        module.keep_entry(*kernel, key, key.encode())
    one, other = cache_folder().iterdir()
    one.replace(other)
    assert module.kept_entry(*kernel, "one") is module.kept_entry(*kernel, "other") is None


@pytest.mark.parametrize("kept", [0, 1])
def test_the_folder_may_be_removed_meanwhile(places, kept):
    """After it was chosen, and after an entry was kept."""
    kernel = ("cbow.errors.f", sources_digest("cbow.errors"))
    for number in range(kept):
        module.keep_entry(*kernel, str(number), b"code")
    shutil.rmtree(cache_folder())
    module.keep_entry(*kernel, "key", b"code")
    assert module.kept_entry(*kernel, "key") is None
    assert not cache_folder().exists()
    cache_folder.cache_clear()
    module.keep_entry(*kernel, "key", b"code")
    assert module.kept_entry(*kernel, "key") == b"code"


class Library:
    """The part of numba's code library that saving looks at."""

    has_dynamic_globals = False


class Result:
    """The part of numba's compile result that saving looks at."""

    library = Library()
    codegen = type("Codegen", (), {"magic_tuple": staticmethod(lambda: ("x86",))})

    def _reduce(self):
        return ("code",)


class Target:
    """The part of numba's target context that loading looks at."""

    def refresh(self):
        pass

    def codegen(self):
        return Result.codegen


@pytest.fixture
def kernel(places):
    """Return the cache of a kernel of the package, in an empty folder."""
    module.made_here.clear()
    module._remove_old.cache_clear()
    cache = KernelCache(module.compiled)
    cache.disable()
    cache.enable()
    yield cache
    module._remove_old.cache_clear()
    module.made_here.clear()


def test_flush_removes_the_entries_of_a_kernel(kernel):
    kernel.save_overload(("int64",), Result())
    kernel.save_overload(("float64",), Result())
    other = cache_folder() / "other.kernel"
    other.write_bytes(b"")
    assert len(list(cache_folder().iterdir())) == 3
    kernel.flush()
    assert list(cache_folder().iterdir()) == [other]


def test_code_that_numba_cannot_use_is_as_good_as_none(kernel, monkeypatch):
    def rebuild(*_):
        raise AttributeError("another version")

    monkeypatch.setattr(jit, "_rebuild", rebuild)
    kernel.save_overload(("int64",), Result())
    assert kernel.load_overload(("int64",), Target()) is None
    assert module.made_here == ["cbow.system.compiled.compiled"]
    monkeypatch.setattr(jit, "_rebuild", lambda target, code: code)
    assert kernel.load_overload(("int64",), Target()) == "code"


def test_a_full_disk_and_addresses_in_the_code_keep_nothing(kernel, monkeypatch):
    class Dynamic(Result):
        library = type("Library", (), {"has_dynamic_globals": True})

    kernel.save_overload(("int64",), Dynamic())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    kernel.save_overload(("int64",), Result())
    assert list(cache_folder().iterdir()) == []


def test_what_others_could_have_written_is_as_good_as_none(kernel, monkeypatch):
    monkeypatch.setattr(jit, "_rebuild", lambda target, code: code)
    kernel.save_overload(("int64",), Result())
    (entry,) = cache_folder().iterdir()
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    entry.chmod(0o620)
    assert kernel.load_overload(("int64",), Target()) is None
    entry.chmod(0o600)
    assert kernel.load_overload(("int64",), Target()) == "code"


def test_without_a_folder_nothing_is_loaded_or_saved(kernel, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "package" / "a file is no folder"))
    cache_folder.cache_clear()
    kernel.save_overload(("int64",), Result())
    assert kernel.load_overload(("int64",), Target()) is None
    assert module.made_here == ["cbow.system.compiled.compiled"]
    of_somebody = tmp_path / f"cbow.system.compiled.compiled-0-0{module._ENDING}"
    of_somebody.write_bytes(b"")
    kernel.flush()  # nothing in the current folder
    assert of_somebody.exists()


def test_entries_of_modules_that_are_gone_are_removed(kernel):
    gone = cache_folder() / f"cbow.gone.kernel-{16 * '0'}-{16 * '0'}{module._ENDING}"
    foreign = cache_folder() / "foreign.txt"
    for path in (gone, foreign):
        path.write_bytes(b"")
    module._remove_old(cache_folder())
    assert list(cache_folder().iterdir()) == [foreign]


def test_kernels_from_elsewhere_and_with_closures_are_not_kept():
    factor = 3

    def closure(x):
        return factor * x

    def elsewhere(x):
        return x

    closure.__module__ = "cbow.training.exact"
    for function in (closure, elsewhere):
        cache = getattr(jit.dispatcher(function), "_cache", None)  # none in Python
        assert not isinstance(cache, KernelCache)


def test_what_is_wrong_with_the_code_itself_is_told(monkeypatch):
    def njit(**_):
        raise TypeError("no such type")

    monkeypatch.setattr(jit._nb, "njit", njit)
    with pytest.raises(TypeError, match="no such type"):
        Kernel(len)(3)


def test_no_kernel_lets_the_compiler_reorder_or_fuse():
    """What made results depend on what else had been compiled."""
    for path in module.PACKAGE.rglob("*.py"):
        assert "fastmath" not in path.read_text("utf-8"), path


def test_the_sources_of_a_kernel_are_those_that_python_would_import():
    """The reading of imports by pattern misses none at the top of a module."""
    import ast

    reached = set()

    def visit(name):
        path = module._file_of(name)
        if path in reached:
            return
        reached.add(path)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module.startswith("cbow"):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    visit(inner if module._file_of(inner).exists() else node.module)

    read = []
    original = Path.read_bytes

    def read_bytes(path):
        read.append(path)
        return original(path)

    sources_digest.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", read_bytes)
        sources_digest("cbow.training.sampled.step")
    sources_digest.cache_clear()
    visit("cbow.training.sampled.step")
    assert reached <= set(read)
    names = {path.stem for path in read}
    assert {
        "step",
        "kernels",
        "noise",
        "examples",
        "operations",
    } <= names
    assert not {"run", "file", "model", "encoded"} & names  # editing those compiles nothing
