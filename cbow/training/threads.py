"""Sharing work out to threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np


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
