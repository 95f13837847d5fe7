"""How many threads there are, and what they must not do to each other or to the result."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from types import FrameType
from typing import Any

import numpy as np


class Interrupts:
    """What Ctrl-C does: raise KeyboardInterrupt at once, or wait to be asked about.

    Attributes
    ----------
    deferred : bool
        Once set, the first Ctrl-C is only noted; a second one raises.
    """

    def __init__(self) -> None:
        self.deferred = False
        self._asked = threading.Event()

    def asked(self) -> bool:
        """Whether Ctrl-C was pressed since it is deferred."""
        return self._asked.is_set()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if not self.deferred or self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()


@contextlib.contextmanager
def interrupts(*more: signal.Signals) -> Iterator[Interrupts]:
    """Take Ctrl-C over, and give it back at the end.

    Inside another such block the outer one goes on: so a command can hold Ctrl-C back from the
    first step until the model is saved. Where Ctrl-C means something else already (a job in the
    background ignores it), or outside the main thread, it is left alone.

    Parameters
    ----------
    *more : Signals
        Other signals to treat like Ctrl-C, such as SIGTERM.
    """
    current = signal.getsignal(signal.SIGINT)
    if isinstance(current, Interrupts):
        yield current
        return
    ours = Interrupts()
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {}
    try:
        for number in (signal.SIGINT, *more) if in_main_thread else ():
            if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
                before[number] = signal.signal(number, ours)
        yield ours
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def share_out(pool: Executor, work: Callable[..., None], pieces: Iterable[Sequence[Any]]) -> None:
    """Let the pool do the work on every piece, and wait for all.

    Overflow gives no warning: the loss shows it.

    Parameters
    ----------
    pool : Executor
    work : callable
        Gets the parts of a piece as its arguments.
    pieces : iterable of sequences
    """

    def one(piece: Sequence[Any]) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            work(*piece)

    for _ in pool.map(one, pieces):
        pass
