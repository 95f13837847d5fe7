"""Work on many pieces in several threads, with the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from cbow.system.processors import processors, thread_pool

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Piece], Result], pieces: Iterable[Piece], threads: int | None = None
) -> Iterator[Result]:
    """Yield ``work(piece)`` for every piece, in their order.

    Parameters
    ----------
    work : callable
    pieces : iterable
        Asked for a piece when one is needed: few are held at a time.
    threads : int, optional
        As many as processors if not given.

    Yields
    ------
    object
        The results. What a piece raises comes in its place; what `pieces` raises, at once.
    """
    waiting: deque[Future[Result]] = deque()
    with thread_pool(threads or processors()) as (pool, started):
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > started:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
