"""Compile kernels with numba, and keep the machine code for the next process.

What a kernel computes must not depend on what else was compiled, when, or for which processor. So
no flag lets the compiler reorder a sum or fuse two operations: each rounds as Python would. Where
a sum has to be quick, `cbow.training.lanes` writes its order down.

The machine code is kept in entries of our own, one file each, instead of numba's index. Each is

    32 bytes    SHA-256 of the key and of all that follows
    the rest    what numba says of the code, and the code

and its key names the sources that the kernel is made of, the versions of Python, numba and
llvmlite, the types of the arguments and the processor. An entry that is damaged, or is not ours, is
as good as none: the kernel is compiled again. Entries of earlier sources are removed. numba writes
its part with pickle; so entries are read only where nobody else can have written.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import llvmlite
import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_nb: Any = numba  # some of its versions have types
_rebuild: Any = CompileResult._rebuild
_dumps: Any = dumps

#: The package and the folder that it lies in.
PACKAGE: Final = Path(__file__).parents[1]
_ROOT: Final = PACKAGE.parent

#: What the names of entries of this Python end with.
_ENDING: Final = f".{platform.python_implementation()}{platform.python_version()}.kernel".lower()

#: An import at the top of a module: the module or package, and the names out of it.
_IMPORT: Final = re.compile(r"^from (cbow[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


def compiled(function: Callable[..., Any], *signature: Any) -> Any:
    """Compile a function on bare arrays to run without Python's lock.

    With ``NUMBA_DISABLE_JIT=1`` it stays a Python function.

    Parameters
    ----------
    function : callable
    *signature : numba types, optional
        Compile for these arguments at once; else when it is first called.
    """
    kernel = _nb.njit(nogil=True, error_model="numpy")(function)
    if kernel is function:
        return function
    if function.__module__.startswith("cbow.") and function.__closure__ is None:
        # The key tells nothing of other sources, nor of what a closure holds.
        kernel._cache = KernelCache(function)
    if signature:
        kernel.compile(signature)
        kernel.disable_compile()
    return kernel


class KernelCache(_Cache):
    """The entries of one kernel, as numba's dispatcher asks for them.

    Attributes
    ----------
    compiled : list of str
        The kernels for which this process has found no entry.
    """

    compiled: ClassVar[list[str]] = []

    def __init__(self, function: Callable[..., Any]) -> None:
        self._module = function.__module__
        self._name = f"{function.__module__}.{function.__qualname__}"

    @property
    def cache_path(self) -> str | None:
        """The folder of the entries; None if there is none."""
        return str(folder) if (folder := cache_folder()) else None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None if there is no sound entry."""
        target_context.refresh()
        if folder := cache_folder():
            key = self._key(sig, target_context.codegen())
            content = _read_private(folder / self._entry(key))
            if content[:32] == _digest(key, content[32:]):
                with contextlib.suppress(Exception):  # whatever numba meets: it is compiled again
                    return _rebuild(target_context, *pickle.loads(content[32:]))
        self.compiled.append(self._name)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, if a folder takes it."""
        folder = cache_folder()
        if folder is None or data.library.has_dynamic_globals:
            return
        key = self._key(sig, data.codegen)
        content = _dumps(data._reduce())
        temporary = folder / f"{secrets.token_hex(8)}.tmp"
        with contextlib.suppress(OSError):  # a full disk: it is compiled again next time
            try:
                handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with open(handle, "wb") as file:
                    file.write(_digest(key, content) + content)
                os.replace(temporary, folder / self._entry(key))
            finally:
                temporary.unlink(missing_ok=True)
            _remove_old(folder)

    def enable(self) -> None:
        """Do nothing: it always is."""

    def disable(self) -> None:
        """Do nothing: see `enable`."""

    def flush(self) -> None:
        """Remove all entries of the kernel."""
        if folder := cache_folder():
            for entry in folder.glob(f"{self._name}-*{_ENDING}"):
                entry.unlink(missing_ok=True)

    def _key(self, sig: Any, codegen: Any) -> str:
        versions = (platform.python_version(), numba.__version__, llvmlite.__version__)
        return repr((self._name, sources_digest(self._module), versions, str(sig),
                     codegen.magic_tuple()))  # fmt: skip

    def _entry(self, key: str) -> str:
        """Return the name of an entry: which kernel, of which sources, for what."""
        what = hashlib.sha256(key.encode()).hexdigest()[:16]
        return f"{self._name}-{sources_digest(self._module)[:16]}-{what}{_ENDING}"


@functools.cache
def sources_digest(module: str) -> str:
    """Return the SHA-256 of the source of a module and of all it imports from this package.

    A kernel holds copies of those that it calls and of their constants. What is imported inside a
    function, or for types alone, has no part in it.
    """
    digest = hashlib.sha256()
    reached, ahead = set(), [_file_of(module)]
    while ahead:
        path = ahead.pop()
        if path in reached:
            continue
        reached.add(path)
        for package, names in _IMPORT.findall(path.read_text("utf-8")):
            modules = [f"{package}.{name}" for name in re.findall(r"\w+", names)]
            within = {path for path in map(_file_of, modules) if path.exists()}
            ahead += sorted(within or {_file_of(package)})
    for path in sorted(reached):
        digest.update(f"{path.relative_to(_ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _file_of(module: str) -> Path:
    """Return the source file that a module of this package would have."""
    path = _ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder of the entries, which is made if it must be; None if no place takes one.

    That is one in ``NUMBA_CACHE_DIR`` if that is set; else one beside the package's own compiled
    files, or one among the user's caches. But for the second, it is named for the package's place.
    """
    for folder in _places():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(folder.lstat()) and os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                return folder
    return None


def _places() -> Iterator[Path]:
    """Yield the places to try, the best first."""
    place = hashlib.sha256(os.fsencode(PACKAGE)).hexdigest()[:16]
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen, f"cbow-kernels-{place}")
        return
    yield PACKAGE / "__pycache__" / "kernels"
    caches = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or "~/.cache"
    caches = os.path.expanduser(caches)
    if os.path.isabs(caches):  # "~" stays where nobody has a home
        yield Path(caches, "cbow", f"kernels-{place}")


def _is_private(status: os.stat_result) -> bool:
    """Whether a file or folder is the user's own, and nobody else can write it."""
    if not hasattr(os, "geteuid"):  # Windows: a user's folders are the user's
        return True
    kind = stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)  # no link to elsewhere
    return kind and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _read_private(path: Path) -> bytes:
    """Return the content of a file that nobody else can have written; nothing if it is another."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if _is_private(os.fstat(file.fileno())):
            return file.read()
    return b""


def _digest(key: str, content: bytes) -> bytes:
    """Return 32 bytes by which an entry is known to be sound, and the one for that key."""
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + content).digest()


@functools.cache  # once in a process
def _remove_old(folder: Path) -> None:
    """Remove the entries whose sources are no longer as they were."""
    for entry in folder.glob(f"*-*-*{_ENDING}"):
        name, sources, _ = entry.name.removesuffix(_ENDING).rsplit("-", 2)
        module = name
        while "." in module and not _file_of(module).exists():
            module = module.rpartition(".")[0]
        if sources_digest(module)[:16] != sources:
            entry.unlink(missing_ok=True)
