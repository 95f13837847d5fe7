"""What an engine is, the one that needs no other package, and what the others share."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import numpy as np

import cbow
from cbow.errors import ClusterError
from cbow.system.threads import processors

#: In place of the address of a cluster: workers one after another, in this process.
SERIAL: Final = "serial"

#: Seconds that a cluster, and then its processes for workers, are waited for.
PATIENCE: Final = 30

#: Seconds before each new try to have what is lost, in turn: that a machine is gone, a cluster
#: notices after some, and then starts what was there on another.
PAUSES: Final = (1.0, 15.0, 30.0)

Result = TypeVar("Result")


class Engine(Protocol):
    """Calls functions for workers.

    What they return stays where it came to be until it is fetched: an engine hands out a *handle*
    of it, which may stand for the value itself among the arguments of the next call, also in a list
    or a tuple of them. Whoever drops a handle drops the value.

    Attributes
    ----------
    workers : int
    threads : int
        How many each worker may use, if the user does not say so.
    """

    workers: int
    threads: int

    def share(self, value: Any) -> Any:
        """Return a handle of a value that is sent once, and not with every call."""

    def start(
        self, function: Callable[..., Any], arguments: Sequence[Sequence[Any]], parts: int = 1
    ) -> list[Any]:
        """Let ``function(k, *arguments[k])`` be called for each k, where worker k is.

        Parameters
        ----------
        function : callable
        arguments : sequence of sequences
            For no more than all workers.
        parts : int
            How many values the function returns, if more than one: each then has a handle.

        Returns
        -------
        list
            A handle for each k, or a list of them where there are parts.
        """

    def fetch(self, handles: Sequence[Any]) -> list[Any]:
        """Return the values of handles, or raise what a worker has raised.

        Raises
        ------
        ValueLostError
            If a value cannot be had any more, but workers are there again to make it anew.
        ClusterError
            If it cannot be had, and will not be.
        """

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in every process of workers that is left."""


class ValueLostError(ClusterError):
    """What a worker had is lost with its machine; others can make it again."""


def retried(attempt: Callable[[], Result]) -> Result:
    """Return what an attempt does; where it meets what is lost, wait and try again.

    Raises
    ------
    ClusterError
        If that does not help.
    """
    for pause in PAUSES:
        try:
            return attempt()
        except ValueLostError:
            time.sleep(pause)
    return attempt()


def call_all(engine: Engine, function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Return ``function(k, *arguments)`` for every worker k, in their order."""

    def attempt() -> list[Any]:
        """Send the arguments, and call."""
        sent = engine.share(arguments)
        return engine.fetch(engine.start(_call, [(function, sent)] * engine.workers))

    return retried(attempt)


def _call(k: int, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    return function(k, *arguments)


class Serial:
    """Workers one after another: the bytes are those of any engine, the time is not.

    A handle is the value itself.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.threads = processors()

    def share(self, value: Any) -> Any:
        """Return the value."""
        return value

    def start(
        self, function: Callable[..., Any], arguments: Sequence[Sequence[Any]], parts: int = 1
    ) -> list[Any]:
        """Return ``function(k, *arguments[k])`` for each k."""
        return [function(k, *some) for k, some in enumerate(arguments)]

    def fetch(self, handles: Sequence[Any]) -> list[Any]:
        """Return the values."""
        return list(handles)

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)``."""
        function(*arguments)


def versions() -> str:
    """Return the versions that the bytes depend on."""
    return f"cbow {cbow.__version__}, Python {platform.python_version()}, numpy {np.__version__}"


def check_versions(processes: Mapping[str, str]) -> None:
    """Raise `ClusterError` if a process, by its address, has other versions than this one."""
    here = versions()
    for address, there in processes.items():
        if there != here:
            raise ClusterError(
                f"the process at {address} has {there}, and here is {here}; install the same "
                "versions there, or the bytes would differ"
            )


def not_installed(workers: int, engine: str, package: str) -> ClusterError:
    """Return the error of an engine whose package is not there."""
    return ClusterError(
        f"{workers} workers need {engine}, which is not installed; run: pip install {package}, "
        f"or take --cluster {SERIAL}, which lets them work one after another"
    )


def died(process: object) -> ClusterError:
    """Return the error of a worker whose process dies whenever it is started anew."""
    return ClusterError(
        f"the process of a worker died again and again ({process}); see its log, whether its "
        "machine has memory enough, and resume from a checkpoint"
    )


def lost(reason: object) -> ClusterError:
    """Return the error of a cluster that is not there any more."""
    return ClusterError(
        f"the cluster is lost ({reason}); start it again, and resume from a checkpoint"
    )
