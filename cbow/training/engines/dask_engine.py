"""Workers as tasks of a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
import operator
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from typing import Any

from cbow.errors import CBOWError, ClusterError, shown
from cbow.system.threads import processors
from cbow.training.engines.engine import (
    PATIENCE,
    SERIAL,
    check_versions,
    died,
    lost,
    not_installed,
    versions,
)


@contextlib.contextmanager
def on_dask(address: str | None, workers: int) -> Iterator[Dask]:
    """Start workers in processes of this machine, or reach the scheduler at an address.

    Raises
    ------
    ClusterError
        If that cannot be done.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise not_installed(workers, "Dask", "distributed") from None
    settings = {
        "distributed.admin.large-graph-warning-threshold": "1 PiB",  # parameters are large
        "distributed.scheduler.work-stealing": False,  # a shard is where it was read
    }
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        if address is None:
            # Ctrl-C goes to all processes of a terminal, but is for this one alone: those that are
            # started while it is blocked never hear of it. (The tracker would unblock it.)
            resource_tracker.ensure_running()
            before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            try:
                local: Any = distributed.LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=min(workers, processors()), threads_per_worker=1,
                    host="127.0.0.1", dashboard_address="127.0.0.1:0", memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )  # fmt: skip
            except (RuntimeError, OSError) as error:
                raise ClusterError(
                    f"no processes can be started for workers ({error}); in a script call "
                    'cbow.train under if __name__ == "__main__":, for each of them loads the '
                    f"script; or take --cluster {SERIAL}"
                ) from None
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            address = stack.enter_context(local).scheduler_address
        try:
            client: Any = distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout=PATIENCE
            )
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError, too
            raise ClusterError(
                f"there is no Dask cluster with a worker at {shown(address)} ({error}); start "
                "one: dask scheduler, and on each machine dask worker ADDRESS"
            ) from None
        yield Dask(client, workers)


class Dask:
    """Workers as tasks of a Dask cluster.

    What a task needs comes with it, so that Dask can make it again where a process has died. A
    worker goes back to the process that has read its shard, as long as there is one.

    Parameters
    ----------
    client : distributed.Client
    workers : int

    Raises
    ------
    ClusterError
        If a process has other versions than this one.
    """

    def __init__(self, client: Any, workers: int) -> None:
        self.client = client
        self.workers = workers
        self.homes: dict[int, str] = {}  # the address of the process of each worker
        self.threads = max(1, sum(client.nthreads().values()) // workers)
        check_versions(client.run(versions))

    def share(self, value: Any) -> Any:
        """Return a future of a value, which can be had again if it is lost.

        Scattered data could not.
        """
        return self.client.submit(_itself, value, pure=False)

    def start(
        self, function: Callable[..., Any], arguments: Sequence[Sequence[Any]], parts: int = 1
    ) -> list[Any]:
        """Return futures of ``function(k, *arguments[k])`` for each k, and of its parts."""
        try:
            self._find_homes()
        except (TimeoutError, OSError) as error:
            raise lost(error) from None

        def at_home(k: int, function: Callable[..., Any], *arguments: Any) -> Any:
            return self.client.submit(
                function, *arguments, pure=False, workers=[self.homes[k]], allow_other_workers=True
            )

        futures = [at_home(k, function, k, *some) for k, some in enumerate(arguments)]
        if parts == 1:
            return futures
        return [
            [at_home(k, operator.getitem, future, part) for part in range(parts)]
            for k, future in enumerate(futures)
        ]

    def fetch(self, handles: Sequence[Any]) -> list[Any]:
        """Return the results of futures."""
        import distributed

        try:
            return list(self.client.gather(list(handles)))
        except CBOWError:  # of a worker
            raise
        except distributed.KilledWorker as error:
            raise died(error.last_worker.address) from None
        except (distributed.client.FutureCancelledError, TimeoutError, OSError) as error:
            raise lost(error) from None

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in every process that is left."""
        self.client.run(function, *arguments, on_error="ignore")

    def _find_homes(self) -> None:
        """Give each worker a process: the one it had, if it is there, else that with fewest."""
        self.client.wait_for_workers(1, timeout=PATIENCE)
        alive = sorted(self.client.nthreads())
        homes = {k: home for k, home in self.homes.items() if home in alive}
        for k in range(self.workers):
            if k not in homes:
                taken = list(homes.values())
                homes[k] = min(alive, key=taken.count)
        self.homes = homes


def _itself(value: Any) -> Any:
    return value
