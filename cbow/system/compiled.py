"""Kernels: functions on bare arrays that run as machine code, without Python's lock.

Where the machine code comes from, in this order:

1. The package brings the kernels that Python calls along as LLVM's assembly code, one file each in
   ``cbow/system/assembly``, made by ``scripts/make_kernels.py``. llvmlite makes machine code of it
   in a moment; numba is not even imported. It holds for the sources it was made of, for arguments
   of some types, and for the systems in `SYSTEMS`.
2. Else numba compiles the kernel, which takes seconds: see `cbow.system.jit`.

What a kernel computes must not depend on which of the two it was, on what else was compiled, when,
or for which processor. So no flag lets the compiler reorder a sum or fuse two operations: each
rounds as Python would. Where a sum has to be quick, `cbow.system.operations` writes its order down.

Machine code is kept for the next process in entries of our own, one file each::

    32 bytes    SHA-256 of the key and of all that follows
    the rest    the code

The key names the sources that the kernel is made of, the versions of what made the code, the types
of the arguments and the processor. An entry that is damaged, or is not ours, is as good as none.
Entries of earlier sources are removed. They are code: so they are read only where nobody else can
have written.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import lzma
import os
import platform
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

#: The package and the folder that it lies in.
PACKAGE: Final = Path(__file__).parents[1]
_ROOT: Final = PACKAGE.parent

#: Where the assembly code lies.
ASSEMBLY: Final = PACKAGE / "system" / "assembly"

#: The systems that the assembly code was tried on, as (sys.platform, machine).
SYSTEMS: Final = (("linux", "x86_64"),)

#: What the names of entries of this Python end with.
_ENDING: Final = f".{platform.python_implementation()}{platform.python_version()}.kernel".lower()

#: An import at the top of a module: the module or package, and the names out of it.
_IMPORT: Final = re.compile(r"^from (cbow[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)

#: Whether kernels stay Python functions.
JIT_DISABLED: Final = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")

#: Whether all kernels are to be compiled with numba, as scripts/make_kernels wants it.
FROM_NUMBA: Final = os.environ.get("CBOW_KERNELS") == "numba"

#: The kernels whose machine code this process had to make, for none was kept.
made_here: list[str] = []

#: Functions on arrays or numbers that kernels call too; see `inlined`.
inlined_functions: list[Callable[..., Any]] = []


def compiled(function: Callable[..., Any]) -> Any:
    """Make a kernel of a function: it is compiled when it is first called.

    With ``NUMBA_DISABLE_JIT=1`` it stays a Python function.
    """
    return function if JIT_DISABLED else Kernel(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let kernels call a function that Python calls as it is."""
    inlined_functions.append(function)
    return function


class Kernel:
    """A function that runs as machine code.

    Its arguments are arrays, numbers, and tuples of these. Python may call it, and other kernels,
    in which numba takes it for what `numba.njit` returns.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._codes: dict[str, Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Compute by machine code."""
        slots: list[int] = []
        types = "".join(flatten(argument, slots) for argument in arguments)
        code = self._codes.get(types)
        if code is None:
            code = self._codes[types] = self._brought_along(types) or self._by_numba
        return code(arguments, slots)

    @functools.cached_property
    def dispatcher(self) -> Any:
        """The kernel as numba compiles it."""
        from cbow.system.jit import dispatcher

        return dispatcher(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        return self.dispatcher._numba_type_

    def _by_numba(self, arguments: tuple[Any, ...], _: list[int]) -> Any:
        return self.dispatcher(*map(unpacked, arguments))

    def _brought_along(self, types: str) -> Callable[..., Any] | None:
        """Return the code that the package brings along for arguments of these types, if any."""
        if (sys.platform, platform.machine()) not in SYSTEMS or FROM_NUMBA:
            return None
        path = ASSEMBLY / f"{self.name}.ll.xz"
        if not path.exists():
            return None
        assembly = lzma.decompress(path.read_bytes()).decode("ascii")
        head = json.loads(assembly.partition("\n")[0].removeprefix("; "))
        module = self.py_func.__module__
        if head["types"] != types or (
            head["sources"] != sources_digest(module)
            and head["code"] != sources_digest(module, comments=False)
        ):
            return None
        from cbow.system.machine_code import machine_code

        with contextlib.suppress(RuntimeError):  # another LLVM than the one that wrote it
            return machine_code(self.name, sources_digest(module), assembly, head["returns"])
        return None


class Packed:
    """A tuple of arrays that goes to several kernels; its arrays must stay where they are."""

    def __init__(self, argument: tuple[Any, ...]) -> None:
        self.argument = argument
        self.slots: list[int] = []
        self.types = flatten(argument, self.slots)


def packed(argument: tuple[Any, ...]) -> Any:
    """Make ready, once, what goes to several kernels: to do it takes as long as a short kernel."""
    return argument if JIT_DISABLED else Packed(argument)


def unpacked(argument: Any) -> Any:
    """Return what `packed` was given."""
    return argument.argument if isinstance(argument, Packed) else argument


def flatten(argument: Any, slots: list[int]) -> str:
    """Append what numba's code takes for an argument, as 64-bit integers; return its types."""
    if isinstance(argument, np.ndarray):
        itemsize = argument.itemsize
        slots += (0, 0, argument.size, itemsize, argument.ctypes.data)
        slots += argument.shape
        slots += argument.strides
        flags = argument.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return f"{argument.dtype.str}{argument.ndim}{order if flags.aligned else 'unaligned'}"
    if isinstance(argument, Packed):
        slots += argument.slots
        return argument.types
    if isinstance(argument, tuple):
        return "(" + "".join([flatten(part, slots) for part in argument]) + ")"
    if isinstance(argument, bool | np.bool_):
        slots.append(int(argument))
        return "b"
    if isinstance(argument, int | np.signedinteger):
        slots.append(int(argument))
        return "i"
    if isinstance(argument, np.float32):
        slots.append(int(argument.view(np.uint32)))
        return "f"
    if isinstance(argument, float):
        slots.append(int(np.float64(argument).view(np.int64)))
        return "d"
    if isinstance(argument, np.uint64):
        slots.append(int(argument.view(np.int64)))
        return "u"
    return f"?{type(argument)}"


@functools.cache
def sources_digest(module: str, *, comments: bool = True) -> str:
    """Return the SHA-256 of the source of a module, of what compiles it, and of all they import.

    A kernel holds copies of those that it calls and of their constants. What is imported from
    elsewhere, inside a function, or for types alone, has no part in it.

    Parameters
    ----------
    module : str
    comments : bool
        False for the digest of the code alone, which takes longer: comments and docstrings may
        change.
    """
    digest = hashlib.sha256()
    reached, ahead = set(), [_file_of(module), _file_of("cbow.system.jit")]
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
        source = path.read_bytes()
        digest.update(hashlib.sha256(source if comments else _code_alone(source)).digest())
    return digest.hexdigest()


def _code_alone(source: bytes) -> bytes:
    """Return the code of a module without comments and docstrings, in a form of its own."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None
    return ast.dump(tree).encode()


def _file_of(module: str) -> Path:
    """Return the source file that a module of this package would have."""
    path = _ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def kept_entry(kernel: str, sources: str, key: str) -> bytes | None:
    """Return the code that is kept under a key; None if there is no sound entry."""
    if folder := cache_folder():
        content = _read_private(folder / _entry(kernel, sources, key))
        if content[:32] == _digest(key, content[32:]):
            return content[32:]
    return None


def keep_entry(kernel: str, sources: str, key: str, code: bytes) -> None:
    """Keep code for the next process, if a folder takes it."""
    if (folder := cache_folder()) is None:
        return
    temporary = folder / f"{secrets.token_hex(8)}.tmp"
    with contextlib.suppress(OSError):  # a full disk: it is made again next time
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(_digest(key, code) + code)
            os.replace(temporary, folder / _entry(kernel, sources, key))
        finally:
            temporary.unlink(missing_ok=True)
        _remove_old(folder)


def forget_entries(kernel: str) -> None:
    """Remove all entries of a kernel."""
    if folder := cache_folder():
        for entry in folder.glob(f"{kernel}-*{_ENDING}"):
            entry.unlink(missing_ok=True)


def _entry(kernel: str, sources: str, key: str) -> str:
    """Return the name of an entry: which kernel, of which sources, for what."""
    return f"{kernel}-{sources[:16]}-{hashlib.sha256(key.encode()).hexdigest()[:16]}{_ENDING}"


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
