"""How many processors there are to work with, and threads to use them."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

#: Threads of a pool, at most: more would only wait for processors.
MOST_THREADS: Final = 1024


def processors() -> int:
    """Return how many processors this process may use, by its affinity and its cgroup's quota."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        allowed = os.process_cpu_count()
    elif hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count()
    return min(allowed or 1, cgroup_quota() or allowed or 1)


@functools.cache
def cgroup_quota(root: Path = Path("/")) -> int | None:
    """Return how many processors a container may keep busy; None if there is no such limit.

    A quota of one and a half processors counts as two.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):  # not Linux
        return None
    quotas = []
    for line in groups:
        _, kinds, path = line.split(":", 2)
        if kinds and "cpu" not in kinds.split(","):
            continue
        mount = root / "sys/fs/cgroup" / kinds
        place = mount / path.strip("/")
        # Inside a container its own group may be mounted in the place of the outermost.
        for group in (place, *(each for each in place.parents if each.is_relative_to(mount))):
            with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
                if kinds:
                    quota = int((group / "cpu.cfs_quota_us").read_text())  # -1 for none
                    period = int((group / "cpu.cfs_period_us").read_text())
                else:
                    quota, period = map(int, (group / "cpu.max").read_text().split())  # or max
                quotas.append(-(-quota // period))
    return min((quota for quota in quotas if quota > 0), default=None)


class _Caller(Executor):
    """Does all work in the thread that hands it out."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def thread_pool(threads: int) -> Iterator[tuple[Executor, int]]:
    """Provide a pool of threads that all run from the start, so that they can wait for each other.

    Parameters
    ----------
    threads : int
        How many; `MOST_THREADS` if it is more.

    Yields
    ------
    Executor
        The pool. If not even one thread can be started, all is done by the thread of the caller.
    int
        How many threads there are: fewer where the system starts no more, as with ``ulimit -u`` or
        ``pids.max``.
    """
    threads = min(threads, MOST_THREADS)
    while threads:
        with ThreadPoolExecutor(threads) as pool:
            started = _start_all(pool, threads)
            if started == threads:
                yield pool, threads
                return
        threads = started
    yield _Caller(), 1


def _start_all(pool: ThreadPoolExecutor, threads: int) -> int:
    """Start the threads of a pool, which would begin when they are needed; return how many do."""
    everybody = threading.Event()
    try:
        for started in range(threads):
            try:
                pool.submit(everybody.wait)  # idle threads would be taken first
            except RuntimeError:  # can't start new thread
                return started
    finally:
        everybody.set()
    return threads


def share_out(pool: Executor, work: Callable[..., None], pieces: Iterable[Sequence[Any]]) -> None:
    """Let a pool do the work on every piece, and wait for all of them.

    numpy warns of no overflow in it: a loss shows that.

    Parameters
    ----------
    pool : Executor
    work : callable
        Called with the elements of a piece as its arguments.
    pieces : iterable of sequences
    """
    import numpy as np  # here, since commands ask for the number of processors before they need it

    def one(piece: Sequence[Any]) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            work(*piece)

    for _ in pool.map(one, pieces):
        pass
