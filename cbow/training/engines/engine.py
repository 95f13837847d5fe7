"""What an engine is, the one that needs no other package, and what the others share."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np

import cbow
from cbow.errors import ClusterError
from cbow.system.threads import processors

#: In place of the address of a cluster: workers one after another, in this process.
SERIAL: Final = "serial"

#: Seconds that a cluster, and then its processes for workers, are waited for.
PATIENCE: Final = 30


class Engine(Protocol):
    """Calls functions for workers.

    Attributes
    ----------
    threads : int
        How many each worker may use, if the user does not say so.
    """

    threads: int

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return ``function(k, *arguments)`` for every worker k, in their order.

        Raises
        ------
        ClusterError
            If that cannot be had any more.
        """

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in every process of workers that is left."""


class Serial:
    """Workers one after another: the bytes are those of any engine, the time is not.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.threads = processors()

    def each(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return ``function(k, *arguments)`` for every worker k, in their order."""
        return [function(k, *arguments) for k in range(self.workers)]

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)``."""
        function(*arguments)


def call(function: Callable[..., Any], k: int, arguments: tuple[Any, ...]) -> Any:
    """Call a function for worker k: what is sent to a process of a cluster."""
    return function(k, *arguments)


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
