"""Work in several threads, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Final, TypeVar

from cbow.system.processors import thread_pool

Job = TypeVar("Job")
Half = TypeVar("Half")
Result = TypeVar("Result")

# Jobs that may wait for each thread; they take memory.
_AHEAD: Final = 2


def in_order(
    jobs: Iterable[Job],
    first: Callable[[Job], Half],
    then: Callable[[Half], Result],
    threads: int,
) -> Iterator[Result]:
    """Yield ``then(first(job))`` for all jobs, in their order, by several threads.

    Parameters
    ----------
    jobs : iterable
        Asked for jobs by the thread of the caller, some jobs ahead.
    first : callable
        Done for several jobs at a time.
    then : callable
        Done for one job after the other, in their order, by one thread.
    threads : int
        One does it all; more share the work.

    Yields
    ------
    object
        The results. An error comes in the place of its job, be it met in finding or in doing it.
    """
    if threads == 1:
        for job in jobs:
            yield then(first(job))
        return
    failure: Exception | None = None
    waiting: deque[Future[Result]] = deque()
    with thread_pool(threads - 1) as (pool, started), thread_pool(1) as (last, _):
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
                waiting.append(last.submit(_finish, pool.submit(first, job), then))
                if len(waiting) > _AHEAD * (started + 1):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for executor in (pool, last):
                executor.shutdown(wait=False, cancel_futures=True)
    if failure is not None:
        raise failure


def _finish(half: Future[Half], then: Callable[[Half], Result]) -> Result:
    """Wait for the first half of a job, and do the rest."""
    return then(half.result())
