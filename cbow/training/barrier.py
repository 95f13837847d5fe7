"""How the threads of the hot kernels wait for each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba.core import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from cbow.system.compiled import compiled


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
    def give_way() -> None:
        _yield_processor()

    return give_way


#: The point that a thread has reached which failed, or never began.
ABANDONED: Final = 2**63 - 1


@compiled
def wait_for_all(thread: int, reached: NDArray[np.int64], point: int) -> bool:
    """Wait until every thread has reached a point; say whether there is any use in going on.

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

    Returns
    -------
    bool
        False if a thread is at `ABANDONED`. This one is then, too.
    """
    fence()
    reached[thread, 0] = point
    for other in range(len(reached)):
        while reached[other, 0] < point:
            give_way()
            fence()
        if reached[other, 0] == ABANDONED:
            reached[thread, 0] = ABANDONED  # so that nobody waits for this one either
            return False
    fence()
    return True
