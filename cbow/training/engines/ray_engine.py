"""Workers in the actors of a Ray cluster.

Ray ends the process that has joined a cluster, by ``_exit`` and without an exception, when the
cluster is lost; it tries for minutes to join one that is not there, and takes over signals. So that
is done by a process of its own, `drive`, which is told through a pipe what to call and answers
through another one. Where it ends, the pipe does.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import IO, Any, Final

from cbow.errors import LONGEST_SHOWN, CBOWError, ClusterError, shown
from cbow.system.threads import processors
from cbow.training.engines.engine import (
    PATIENCE,
    SERIAL,
    ValueLostError,
    check_versions,
    died,
    lost,
    not_installed,
    versions,
)

#: In place of the address of a Ray: one of our own, on this machine.
LOCAL: Final = "local"

#: Bytes of shared memory that it keeps parameters and results in; what is more, it puts on disk.
OBJECT_STORE: Final = 2**30

#: Its environment: it listens on the loopback interface alone, answers nobody who lacks a secret,
#: tells nobody that it was used, and leaves the priority of its processes alone.
_ENVIRONMENT: Final = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}

#: Where its files are: the names of sockets must be short, which TMPDIR need not be.
_PLACE: Final = "/tmp"

#: How often a task is made again whose process has died.
_AGAIN: Final = 3

#: Seconds that the processes of a Ray of our own are waited for: a busy machine is slow.
_STARTING: Final = 120

#: Seconds that the driver is waited for at its end, before it is killed.
_ENDING: Final = 15


@contextlib.contextmanager
def on_ray(address: str, workers: int) -> Iterator[Ray]:
    """Start a Ray on this machine if the address is `LOCAL`, or join the one at an address.

    Raises
    ------
    ClusterError
        If that cannot be done.
    """
    try:
        import ray  # noqa: F401
    except ImportError:
        raise not_installed(workers, "Ray", "ray") from None
    environment = dict(os.environ)
    with contextlib.ExitStack() as stack:
        folder = None
        if address == LOCAL:
            environment |= {**_ENVIRONMENT, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
            folder = stack.enter_context(
                tempfile.TemporaryDirectory("", "cbow-ray-", _PLACE, ignore_cleanup_errors=True)
            )
        # Modules are found there as they are here, also those beside a script.
        program = (
            f"import sys; sys.path[:], sys.argv[:] = {[*map(str, sys.path)]}, {sys.argv}; "
            f"from {__name__} import drive; drive({address!r}, {workers}, {folder!r})"
        )
        said = stack.enter_context(tempfile.TemporaryFile())
        asked, requests = Pipe(duplex=False)
        answers, answered = Pipe(duplex=False)
        with asked, answered:
            driver = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=asked.fileno(), stdout=answered.fileno(), stderr=said,
                env=environment, start_new_session=True,  # where no Ctrl-C reaches it
            )  # fmt: skip
        stack.callback(_end, driver)
        stack.enter_context(answers)
        stack.enter_context(requests)
        yield Ray(driver, said, requests, answers, address, workers)


def _end(driver: subprocess.Popen[bytes]) -> None:
    """Wait until the driver ends, as it does when the pipes are closed; else kill it."""
    try:
        driver.wait(_ENDING)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()


class Ray:
    """Workers in the actors of a Ray, as seen from the process that trains.

    Parameters
    ----------
    driver : Popen
        Runs `drive`.
    said : file
        What it prints.
    requests, answers : Connection
        To it, and from it.
    address : str
    workers : int

    Raises
    ------
    ClusterError
        If there is no such Ray, or one of its processes has other versions than this one.
    """

    def __init__(
        self, driver: subprocess.Popen[bytes], said: IO[bytes],
        requests: Connection, answers: Connection, address: str, workers: int,
    ) -> None:  # fmt: skip
        self.driver = driver
        self.said = said
        self.requests = requests
        self.answers = answers
        self.workers = workers
        self.numbers = itertools.count()  # of handles
        self.dropped: list[int] = []  # numbers of those that nobody has any more
        patience = _STARTING if address == LOCAL else PATIENCE
        for _ in range(2):  # it has joined; its actors are there, with so many threads for each
            if not answers.poll(patience):
                driver.kill()
                raise _not_there(address, f"no answer in {patience} seconds")
            self.threads = self._answer(functools.partial(_not_there, address))

    def share(self, value: Any) -> Any:
        """Return a handle of a value that Ray sends once to each machine."""
        handle = self._handle()
        self._ask("share", handle, value)
        return handle

    def start(
        self, function: Callable[..., Any], arguments: Sequence[Sequence[Any]], parts: int = 1
    ) -> list[Any]:
        """Return handles of ``function(k, *arguments[k])`` for each k, and of its parts."""
        handles = [[self._handle() for _ in range(parts)] for _ in arguments]
        self._ask("start", handles, function, arguments)
        return handles if parts > 1 else [handle for (handle,) in handles]

    def fetch(self, handles: Sequence[Any]) -> list[Any]:
        """Return the values of handles."""
        self._ask("fetch", handles)
        return [self._answer(lost) for _ in handles]

    def everywhere(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Let ``function(*arguments)`` be called in every process that is left."""
        with contextlib.suppress(ClusterError):
            self._ask("everywhere", function, arguments)

    def _handle(self) -> _Handle:
        """Return a new handle, whose value is let go of when nobody has it any more."""
        handle = _Handle(next(self.numbers))
        weakref.finalize(handle, self.dropped.append, handle.number)
        return handle

    def _ask(self, *request: Any) -> None:
        from ray import cloudpickle

        dropped = [self.dropped.pop() for _ in range(len(self.dropped))]
        try:
            self.requests.send_bytes(cloudpickle.dumps((dropped, *request)))
        except OSError:
            raise lost(self._last_words()) from None

    def _answer(self, gone: Callable[[str], ClusterError]) -> Any:
        """Return what the driver answers, or raise it; if it has ended, what `gone` makes of it."""
        try:
            answer = self.answers.recv()
        except (EOFError, OSError):
            raise gone(self._last_words()) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _last_words(self) -> str:
        """Return what a driver said when it ended."""
        code = self.driver.wait()
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").split("\n")
        words = [shown(line.strip()) for line in lines if line.strip()]
        return ", ".join([f"Ray ended its process with exit code {code}", *words[-1:]])


def drive(address: str, workers: int, folder: str | None, stdin: int = 0, stdout: int = 1) -> None:
    """Join a Ray, and call functions in its actors, until nobody asks any more.

    Parameters
    ----------
    address : str
    workers : int
    folder : str, optional
        For the files of a Ray that is started here.
    stdin, stdout : int
        Descriptors of the pipes. A request has the numbers of handles that nobody has any more, its
        kind, and arguments as the methods of `Ray` send them. Only one to fetch is answered: by
        each value, an error as the last.
    """
    with contextlib.ExitStack() as stack:
        requests = stack.enter_context(Connection(stdin, writable=False))
        answers = stack.enter_context(Connection(os.dup(stdout), readable=False))
        os.dup2(2, stdout)  # what Ray prints is no answer
        import ray

        if folder:  # whoever made it may have been killed
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(ray.shutdown)
        # Raised where the process that asks has ended, or waits no more.
        stack.enter_context(contextlib.suppress(EOFError, OSError))
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        if folder:
            settings |= {
                "num_cpus": min(workers, processors()), "object_store_memory": OBJECT_STORE,
                "include_dashboard": False, "_temp_dir": folder,
            }  # fmt: skip
        try:
            ray.init(address, **settings)
            answers.send(None)
            actors, cpus = _actors(workers)
        except CBOWError as error:
            answers.send(error)
            return
        except Exception as error:
            answers.send(_not_there(address, _reason(error)))
            return
        answers.send(max(1, cpus // workers))
        values: dict[int, Any] = {}  # references to them, by the numbers of their handles
        while True:
            dropped, kind, *request = requests.recv()
            for number in dropped:
                values.pop(number, None)
            if kind == "fetch":
                with contextlib.suppress(BrokenPipeError):
                    for answer in _results([values[each.number] for each in request[0]], requests):
                        answers.send(answer)
            elif kind == "everywhere":
                calls = [actor.call.remote(*request) for actor in actors]
                ray.wait(calls, num_returns=len(calls), timeout=_ENDING)
            else:
                _submit(actors, values, kind, *request)


class _Handle:
    """Stands for a value that Ray has.

    Parameters
    ----------
    number : int
    """

    def __init__(self, number: int) -> None:
        self.number = number


class Process:
    """What an actor is: a process that calls functions."""

    def call(
        self, function: Callable[..., Any], arguments: Sequence[Any],
        numbers: Sequence[int] = (), *values: Any,
    ) -> Any:  # fmt: skip
        """Call a function with arguments in which handles stand for values, by their numbers."""
        known = dict(zip(numbers, values, strict=True))

        def filled(argument: Any) -> Any:
            """Put the value in the place of a handle."""
            if type(argument) in (list, tuple):
                return [filled(each) for each in argument]
            return known[argument.number] if isinstance(argument, _Handle) else argument

        return function(*filled(arguments))


def _actors(workers: int) -> tuple[list[Any], int]:
    """Start an actor for each worker, and at most one for each processor, spread over the nodes.

    Ray starts one again that has died, elsewhere if its node is lost, and calls again what it was
    to call. It takes no share of the processors, so that there is always a place for it.

    Returns
    -------
    list of actors
    int
        How many processors there are.

    Raises
    ------
    ClusterError
        If one has other versions than this process.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    places = sorted(
        (i, node["NodeID"], node["NodeManagerAddress"])
        for node in nodes
        for i in range(int(node["Resources"].get("CPU", 0)))
    )
    if not places:
        raise LookupError("no machine of it has processors to give")
    kind = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=_AGAIN)(Process)
    actors = [
        kind.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True)).remote()
        for _, node, _ in places[:workers]
    ]
    try:
        there = ray.get([actor.call.remote(versions, ()) for actor in actors])
    except ray.exceptions.RayError as error:
        if "ModuleNotFoundError" not in str(error):
            raise
        missing = _reason(error).rpartition("ModuleNotFoundError: ")[2]
        raise ClusterError(
            f"on a machine of the Ray this package cannot be loaded ({missing}); install the same "
            "versions there as here"
        ) from None
    check_versions(dict(zip((address for *_, address in places), there, strict=False)))
    return actors, len(places)


def _submit(actors: list[Any], values: dict[int, Any], kind: str, *request: Any) -> None:
    """Let Ray keep a value, or call a function for workers; keep references to what comes of it."""
    import ray

    if kind == "share":
        handle, value = request
        values[handle.number] = ray.put(value)
        return
    handles, function, arguments = request
    for k, (some, ones) in enumerate(zip(handles, arguments, strict=True)):
        numbers = [*_numbers(ones)]
        # As arguments of their own, so that Ray waits for them, and makes them again if lost.
        made = (
            actors[k % len(actors)]
            .call.options(num_returns=len(some))
            .remote(function, [k, *ones], numbers, *(values[number] for number in numbers))
        )
        for handle, value in zip(some, made if len(some) > 1 else [made], strict=True):
            values[handle.number] = value


def _numbers(arguments: Any) -> Iterator[int]:
    """Yield the numbers of the handles among arguments."""
    for argument in arguments:
        if type(argument) in (list, tuple):
            yield from _numbers(argument)
        elif isinstance(argument, _Handle):
            yield argument.number


def _results(calls: list[Any], requests: Connection) -> Iterator[Any]:
    """Yield the values that references refer to, an error as the last.

    It ends early if there is another request: then nobody waits for the rest.
    """
    import ray

    try:
        for call in calls:
            while not ray.wait([call], timeout=1)[0]:
                if requests.poll():
                    return
            yield ray.get(call)
    except Exception as error:
        yield _meaning(error)


def _meaning(error: Exception) -> Exception:
    """Return the error to raise where the training is."""
    from ray import exceptions

    if isinstance(error, exceptions.RayTaskError):  # of a worker, or of what it was to get
        cause: Exception = error.cause
        return _meaning(cause) if isinstance(cause, exceptions.RayError) else cause
    reason = _reason(error)
    if "owner has died" in str(error):
        # That is this process, as far as Ray knows: it lost sight of it, or was itself lost.
        return lost(reason)
    if isinstance(error, (exceptions.ActorUnavailableError, exceptions.ObjectLostError)):
        return ValueLostError(*died(reason).args)
    if isinstance(error, (exceptions.RayActorError, exceptions.OutOfMemoryError)):
        return died(reason)
    return lost(reason)


def _reason(error: Exception) -> str:
    """Return what Ray says of an error, the end of it, in one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= 2 * LONGEST_SHOWN else "..." + text[-2 * LONGEST_SHOWN :]


def _not_there(address: str, reason: object) -> ClusterError:
    """Return the error of a Ray that cannot be started or joined."""
    if address == LOCAL:
        return ClusterError(
            f"no Ray can be started here ({reason}); see that Ray itself works (ray start --head), "
            f"or take --cluster {SERIAL}"
        )
    return ClusterError(
        f"there is no Ray with a processor at {shown(address)} ({reason}); start one: ray start "
        "--head, and on each machine ray start --address=ADDRESS"
    )
