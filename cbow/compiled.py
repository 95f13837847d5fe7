"""How numba compiles kernels here, and keeps what it compiled.

Compiling is paid once where a folder for it can be written. Whatever is wrong with that folder, a
full disk, a damaged file, code kept by another version of this package, only means compiling again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numba

_nb: Any = numba  # some of its versions have types


def compiled(function: Callable[..., Any], *signature: Any, fastmath: Collection[str] = ()) -> Any:
    """Compile a function on bare arrays to run without Python's lock.

    With ``NUMBA_DISABLE_JIT=1`` it stays a Python function.

    Parameters
    ----------
    function : callable
    *signature : numba types, optional
        Compile for these arguments at once; else when it is first called.
    fastmath : collection of str
        What the compiler may assume of floating-point numbers.
    """
    given = [signature] if signature else []
    settings = {"nogil": True, "fastmath": set(fastmath), "error_model": "numpy"}
    try:
        kept = _nb.njit(*given, cache=True, **settings)(function)
        _forget_if_unreadable(kept)
    except Exception:  # whatever numba meets
        return _nb.njit(*given, **settings)(function)
    return kept


def _forget_if_unreadable(kernel: Any) -> None:
    """Forget what was kept of a kernel if numba cannot read it: at its first call it would raise.

    Its index names the classes of arguments; after an upgrade they may stand elsewhere.
    """
    cache = getattr(kernel, "_cache", None)  # none in a Python function
    if cache is None:
        return
    try:
        cache._cache_file._load_index()
    except Exception:
        cache.flush()
