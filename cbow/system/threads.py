"""Processors, pools of threads, and work that is shared out to them."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

Job = TypeVar("Job")
Half = TypeVar("Half")

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


def in_order(
    work: Callable[[Job], Half],
    jobs: Iterable[Job],
    threads: int | None = None,
    *,
    then: Callable[[Half], Any] | None = None,
    ahead: int = 1,
) -> Iterator[Any]:
    """Yield ``then(work(job))`` for all jobs, in their order, using several threads.

    Parameters
    ----------
    work : callable
        Runs for several jobs at a time.
    jobs : iterable
        Iterated by the thread of the caller, some jobs ahead.
    threads : int, optional
        One for each processor if not given. One thread is that of the caller.
    then : callable, optional
        Runs for one job after the other, in their order, in a thread of its own; the results are
        those of `work` if it is not given.
    ahead : int
        Jobs that may wait for each thread; they take memory.

    Yields
    ------
    object
        The results. An error is raised in the place of its job, whether it arose in iterating over
        the jobs, in `work` or in `then`.
    """
    threads = threads or processors()
    if threads == 1:
        for job in jobs:
            half = work(job)
            yield then(half) if then else half
        return
    failure: Exception | None = None
    waiting: deque[Future[Any]] = deque()
    with contextlib.ExitStack() as stack:
        pool, started = stack.enter_context(thread_pool(threads - bool(then)))
        last = stack.enter_context(thread_pool(1))[0] if then else None
        try:
            iterator = iter(jobs)
            while True:
                try:
                    job = next(iterator)
                except StopIteration:
                    break
                except Exception as error:
                    failure = error  # its place is behind all that is waiting
                    break
                future = pool.submit(work, job)
                if then and last:
                    future = last.submit(lambda half: then(half.result()), future)
                waiting.append(future)
                if len(waiting) > ahead * (started + bool(then)):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for executor in filter(None, (pool, last)):
                executor.shutdown(wait=False, cancel_futures=True)
    if failure is not None:
        raise failure


def share_out(pool: Executor, work: Callable[..., Any], pieces: Iterable[Sequence[Any]]) -> None:
    """Let a pool do the work on every piece, and wait for all of them.

    numpy warns of no overflow in it: a loss shows that.

    Parameters
    ----------
    pool : Executor
    work : callable
        Called with the elements of a piece as its arguments.
    pieces : iterable of sequences
    """
    import numpy as np  # here: commands ask for the number of processors before they need it

    def one(piece: Sequence[Any]) -> None:
        """Do the work on a piece."""
        with np.errstate(over="ignore", invalid="ignore"):
            work(*piece)

    pieces = list(pieces)
    if len(pieces) == 1:  # to hand it out may take longer than the work
        one(pieces[0])
        return
    for _ in pool.map(one, pieces):
        pass


class _SingleThreadedBLAS:
    """The limit on BLAS, which holds for the whole process, and how many want it now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.setter: threading.Thread | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        from threadpoolctl import threadpool_limits  # here: most commands multiply nothing

        with self.lock:
            if self.users == 0:
                self.limit = threadpool_limits(1, user_api="blas").__enter__()
                self.setter = threading.current_thread()
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    self._give_back()

    def _give_back(self) -> None:
        """Lift the limit, also from another thread than the one that set it."""
        if self.setter is not threading.current_thread():
            from threadpoolctl import OpenBLASController

            # From threadpoolctl 3.8 on, a limit is changed only by the thread that set it.
            release = getattr(OpenBLASController, "clear_controlling_thread", None)
            if release:
                release(force=True)
        self.limit.__exit__(None, None, None)


#: Context manager: one thread inside each matrix product. BLAS adds in another order when it has
#: more, and the result would depend on their number. Trainings that overlap share the limit.
single_threaded_blas = _SingleThreadedBLAS()
