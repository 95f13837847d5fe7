"""Where workers run: one after another in this process, or in those of a Dask or a Ray cluster.

An engine calls functions of `cbow.training.workers`, and knows nothing of what they do.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from cbow.config import Config
from cbow.training.engines.dask_engine import on_dask
from cbow.training.engines.engine import SERIAL, Engine, Result, Serial, call_all, retried
from cbow.training.engines.ray_engine import LOCAL, on_ray


def engine_for(config: Config) -> AbstractContextManager[Engine]:
    """Start the engine that a configuration asks for; stop it at the end.

    ``ray`` is a Ray of our own, ``ray:ADDRESS`` one that runs, and ``ray://ADDRESS`` one that is
    reached through its Ray Client; any other address is that of a Dask scheduler.

    Raises
    ------
    ClusterError
        If it cannot be started or reached.
    """
    cluster, workers = config.cluster, config.workers
    if cluster == SERIAL:
        return nullcontext(Serial(workers))
    if cluster is not None and f"{cluster}:".startswith("ray:"):
        is_client = cluster.startswith("ray://")
        return on_ray(cluster if is_client else cluster[len("ray:") :] or LOCAL, workers)
    return on_dask(cluster, workers)


__all__ = ["SERIAL", "Engine", "Result", "Serial", "call_all", "engine_for", "retried"]
