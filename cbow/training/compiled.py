"""How the hot kernels are compiled, and how their threads wait for each other.

Kernels are plain functions on bare arrays: with ``NUMBA_DISABLE_JIT=1`` they run as Python. They
are compiled when first called and kept in numba's cache, so that this time is paid once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

#: What the compiler may assume of floating-point numbers: it may reorder sums and fuse products
#: (always in the same way, so results stay the same), but not-a-number and infinity keep their
#: meaning.
FASTMATH: Final = {"nsz", "arcp", "contract", "afn", "reassoc"}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function to run without Python's lock.

    The code is kept where numba keeps it, or lives as long as the process if no folder for it can
    be written.
    """
    settings: dict[str, Any] = {"nogil": True, "fastmath": FASTMATH, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # numba's way to say that no cache folder can be written
        return numba.njit(**settings)(function)


def fence() -> None:
    """Let no load or store pass this point; in Python, its lock sees to that."""


def give_way() -> None:
    """Offer the processor to another thread."""
    time.sleep(0)


@intrinsic
def _compiled_fence(typing_context: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


_yield_processor = types.ExternalFunction(
    "sched_yield" if os.name == "posix" else "SwitchToThread", types.int32()
)


@overload(fence)
def _fence_overload() -> Callable[[], None]:
    return lambda: _compiled_fence()  # type: ignore[call-arg]


@overload(give_way)
def _give_way_overload() -> Callable[[], None]:
    def compiled() -> None:
        _yield_processor()

    return compiled


@kernel
def wait_for_all(thread: int, reached: NDArray[np.int64], point: int) -> None:
    """Wait until every thread has reached a point.

    Each thread writes only its own number, so nothing needs to be counted atomically. A thread that
    waits offers its processor to others: with more threads than processors all still get on.

    Parameters
    ----------
    thread : int
        Which one calls.
    reached : (threads, 8) int64
        Column 0 has the number of the last point that each thread reached; the rest keeps the
        numbers on cache lines of their own.
    point : int
        The number of this point, above that of the last.
    """
    fence()
    reached[thread, 0] = point
    for other in range(len(reached)):
        while reached[other, 0] < point:
            give_way()
            fence()
    fence()
