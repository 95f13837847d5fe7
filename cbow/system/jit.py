"""Compile kernels with numba, and keep what it makes for the next process.

Only where the package brings no code along; see `cbow.system.compiled`.
"""

from __future__ import annotations

import contextlib
import operator
import pickle
import platform
from collections.abc import Callable
from typing import Any

import llvmlite
import numba
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.extending import register_jitable

from cbow.system import intrinsics  # noqa: F401  tells numba of them
from cbow.system.compiled import (
    cache_folder,
    forget_entries,
    inlined_functions,
    keep_entry,
    kept_entry,
    made_here,
    sources_digest,
)

_nb: Any = numba  # some of its versions have types
_rebuild: Any = CompileResult._rebuild
_dumps: Any = dumps
_library_of = operator.attrgetter("library")


def dispatcher(function: Callable[..., Any]) -> Any:
    """Return a function that numba compiles when it is called, by arguments of some types."""
    while inlined_functions:
        register_jitable(inlined_functions.pop())
    # Arrays are borrowed from the caller and none is made: nothing needs to be counted.
    kernel = _nb.njit(nogil=True, error_model="numpy", _nrt=False)(function)
    if function.__module__.startswith("cbow.") and function.__closure__ is None:
        # The key tells nothing of other sources, nor of what a closure holds.
        kernel._cache = KernelCache(function)
    return kernel


class KernelCache(_Cache):
    """The entries of one kernel, as numba's dispatcher asks for them."""

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
        key = self._key(sig, target_context.codegen())
        content = kept_entry(self._name, sources_digest(self._module), key)
        if content is not None:
            with contextlib.suppress(Exception):  # whatever numba meets: it is compiled again
                return _rebuild(target_context, *pickle.loads(content))
        made_here.append(self._name)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, if a folder takes it."""
        if not _library_of(data).has_dynamic_globals:
            key = self._key(sig, data.codegen)
            keep_entry(self._name, sources_digest(self._module), key, _dumps(data._reduce()))

    def enable(self) -> None:
        """Do nothing: it always is."""

    def disable(self) -> None:
        """Do nothing: see `enable`."""

    def flush(self) -> None:
        """Remove all entries of the kernel."""
        forget_entries(self._name)

    def _key(self, sig: Any, codegen: Any) -> str:
        versions = (platform.python_version(), numba.__version__, llvmlite.__version__)
        return repr((self._name, sources_digest(self._module), versions, str(sig),
                     codegen.magic_tuple()))  # fmt: skip
