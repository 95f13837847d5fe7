"""What is asked of Ray, and what is made of its answers; `test_engines` has Ray itself."""

import functools
import os
import pickle
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from cbow.config import Config
from cbow.errors import ClusterError, CorpusError
from cbow.system.threads import processors
from cbow.training import engines
from cbow.training.engines import engine, ray_engine


class RayError(Exception):
    pass


class TaskError(RayError):
    def __init__(self, cause):
        super().__init__(f"Traceback\n  {cause}")
        self.cause = cause


class ActorError(RayError):
    pass


class UnavailableError(ActorError):
    pass


class LostError(RayError):
    pass


class FakeRay:
    """Does at once what it is asked to, in this process."""

    exceptions = SimpleNamespace(
        RayError=RayError,
        RayTaskError=TaskError,
        RayActorError=ActorError,
        OutOfMemoryError=MemoryError,
        ActorUnavailableError=UnavailableError,
        ObjectLostError=LostError,
    )
    cloudpickle = pickle

    def __init__(self):
        self.cpus = {"one": 2, "two": 3, "gone": 9}
        self.places, self.calls, self.failure = [], [], None
        self.words = b""  # that its process ends with
        self.joined, self.down, self.waiting = {}, threading.Event(), False
        self.turn, self.unavailable = False, 0  # how many calls meet nobody

    def init(self, address, **settings):
        self.joined = {"address": address, **settings}
        if address == "nowhere":
            raise ConnectionError("nobody\n  answers")
        if address == "silent":
            sys.exit(3)
        if address == "slow":
            self.down.wait(10)

    def shutdown(self):
        self.down.set()

    def nodes(self):
        return [
            {
                "NodeID": name, "NodeManagerAddress": f"at {name}", "Alive": name != "gone",
                "Resources": {"CPU": float(n)} if n else {},
            }
            for name, n in self.cpus.items()
        ]  # fmt: skip

    def remote(self, **options):
        self.options = options

        def kind(cls):
            def start(scheduling_strategy):
                node, i = scheduling_strategy, len(self.places)
                self.places.append(node)
                return SimpleNamespace(remote=lambda: self.actor(cls(), i))

            return SimpleNamespace(options=start)

        return kind

    def actor(self, process, i):
        def remote(function, arguments, numbers=(), *values, num_returns=1):
            if numbers:
                self.calls.append(i)
                if self.unavailable:
                    self.unavailable -= 1
                    return UnavailableError("not now")
                if self.failure:
                    return self.failure
            failed = [value for value in values if isinstance(value, Exception)]
            if failed:
                return [TaskError(failed[0])] * num_returns if num_returns > 1 else failed[0]
            try:
                return process.call(function, arguments, numbers, *values)
            except CorpusError as error:
                return TaskError(error)

        def options(num_returns):
            return SimpleNamespace(remote=functools.partial(remote, num_returns=num_returns))

        return SimpleNamespace(call=SimpleNamespace(remote=remote, options=options))

    def put(self, value):
        return value

    def wait(self, calls, num_returns=1, timeout=None):
        self.turn = not self.turn
        return ([], calls) if self.waiting or self.turn else (calls, [])

    def get(self, value):
        if isinstance(value, BaseException):
            raise value
        return value


class Driver:
    """Runs the program of a process in a thread."""

    def __init__(self, command, stdin, stdout, stderr, env, start_new_session):
        assert start_new_session
        Driver.latest, self.environment = self, env
        self.killed, self.stuck, self.code = False, False, 0
        self.pipes, self.program = (os.dup(stdin), os.dup(stdout)), command[-1]
        self.said = os.dup(stderr.fileno())
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        stdout = self.pipes[1]
        try:
            exec(self.program, {"drive": None})
        except SystemExit as end:
            self.code = end.code
            os.write(self.said, sys.modules["ray"].words)
        finally:
            os.close(stdout)
            os.close(self.said)

    def wait(self, timeout=None):
        if self.stuck and timeout is not None:
            raise subprocess.TimeoutExpired("ray", timeout)
        self.thread.join()
        return self.code

    def kill(self):
        self.killed = True
        sys.modules["ray"].down.set()


@pytest.fixture
def ray(monkeypatch):
    """Put a package in the place of Ray's that starts no process."""
    fake, drive = FakeRay(), ray_engine.drive

    def drive_in_thread(*arguments):
        drive(*arguments, *Driver.latest.pipes)

    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: node)
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    monkeypatch.setattr(ray_engine, "drive", drive_in_thread)
    monkeypatch.setattr(ray_engine, "PATIENCE", 5)
    monkeypatch.setattr(engine, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(ray_engine.subprocess, "Popen", Driver)
    return fake


def started(cluster="ray", workers=2):
    return engines.engine_for(Config(workers=workers, cluster=cluster))


def test_a_ray_of_our_own(ray):
    with started(workers=4) as of:
        assert ray.joined["address"] == "local"
        assert ray.joined["num_cpus"] == min(4, processors())
        assert ray.joined["include_dashboard"] is False
        assert os.path.isdir(ray.joined["_temp_dir"])
        assert Driver.latest.environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
        assert len(Driver.latest.environment["RAY_AUTH_TOKEN"]) == 64
        assert engines.call_all(of, pow, 2) == [0, 1, 4, 9]
        assert not ray.down.is_set()
    assert ray.down.is_set()
    assert not os.path.exists(ray.joined["_temp_dir"])


@pytest.mark.parametrize(
    ("cluster", "address"),
    [
        ("ray:", "local"),
        ("ray:local", "local"),
        ("ray:auto", "auto"),
        ("ray:head:6379", "head:6379"),
        ("ray://head:10001", "ray://head:10001"),
    ],
)
def test_addresses(ray, cluster, address):
    with started(cluster):
        assert ray.joined["address"] == address
        assert ("_temp_dir" in ray.joined) == (address == "local")
        assert ("RAY_AUTH_TOKEN" in Driver.latest.environment) == (address == "local")


def test_actors_are_spread_and_keep_their_workers(ray):
    with started("ray:auto", workers=4) as of:
        assert of.threads == 1
        assert ray.places == ["one", "two", "one", "two"]
        assert ray.options == {"num_cpus": 0, "max_restarts": -1, "max_task_retries": 3}
        ray.calls.clear()
        assert engines.call_all(of, pow, 2) == engines.call_all(of, pow, 2) == [0, 1, 4, 9]
        assert ray.calls == [0, 1, 2, 3] * 2
    ray.places.clear()
    with started("ray:auto", workers=7) as of:
        assert ray.places == ["one", "two", "one", "two", "two"]
        ray.calls.clear()
        engines.call_all(of, pow, 2)
        assert ray.calls == [0, 1, 2, 3, 4, 0, 1]


def test_everywhere_asks_each_actor(ray):
    seen.clear()
    with started("ray:auto", workers=3) as of:
        of.everywhere(note, "forget")
        assert engines.call_all(of, pow, 1) == [0, 1, 2]
        assert seen == ["forget"] * 3


seen = []


def note(*what):
    seen.extend(what)


def complain(k):
    raise CorpusError("it is empty")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ActorError("gone\n  at last"), r"died again and again \(gone at last\); see its log"),
        (MemoryError("full"), r"died again and again \(full\)"),
        (ActorError("Its owner has died"), r"the cluster is lost \(Its owner has died\)"),
        (RayError("the raylet"), r"the cluster is lost \(the raylet\); start it again"),
        (OSError("broken"), r"the cluster is lost \(broken\)"),
    ],
)
def test_what_cannot_be_had_is_told(ray, failure, message):
    with started() as of:
        ray.failure = failure
        with pytest.raises(ClusterError, match=message):
            engines.call_all(of, pow, 2)


def test_parts_and_what_is_among_arguments(ray):
    with started(workers=3) as of:
        numbers, by = of.share([6, 7, 8]), of.share(2)
        made = of.start(divmod_of, [(numbers, [by, 9]), (numbers, (3, by))], 2)
        assert of.fetch([made[0][0], made[1][0], made[1][1]]) == [3, 2, 1]
        assert ray.calls[-2:] == [0, 1]
        (twice,) = of.start(plus, [(made[0][0],)])
        assert of.fetch([twice]) == [3]


def divmod_of(k, numbers, by):
    return divmod(numbers[k], by[0])


def plus(k, number):
    return k + number


def test_what_nobody_has_any_more_is_let_go_of(ray, monkeypatch):
    kept = []
    submit = ray_engine._submit

    def submitted(actors, values, *request):
        submit(actors, values, *request)
        kept.append(len(values))

    monkeypatch.setattr(ray_engine, "_submit", submitted)
    with started() as of:
        for number in range(5):
            handle = of.share(number)
            assert of.fetch([handle]) == [number]
    assert kept == [1, 2, 2, 2, 2]  # the last is dropped when the next is there


@pytest.mark.parametrize(
    "failure",
    [LostError("on a node that died"), TaskError(UnavailableError("not now"))],
)
def test_what_is_lost_with_a_machine_can_be_made_again(ray, failure):
    with started() as of:
        ray.failure = failure
        with pytest.raises(engine.ValueLostError, match=r"died again and again \((on a|not)"):
            of.fetch(of.start(pow, [(of.share(2),)]))


def test_an_actor_whose_machine_is_lost_is_met_again(ray):
    with started() as of:
        ray.unavailable = 4
        assert engines.call_all(of, pow, 1) == [0, 1]
        ray.unavailable = 6
        with pytest.raises(ClusterError, match=r"died again and again \(not now\)"):
            engines.call_all(of, pow, 1)


def test_errors_of_workers_are_theirs_and_it_goes_on(ray):
    with started() as of:
        with pytest.raises(CorpusError, match="it is empty"):
            engines.call_all(of, complain)
        assert engines.call_all(of, pow, 1) == [0, 1]


def test_the_driver_is_gone(ray):
    with started() as of:
        ray.failure = SystemExit(1)  # what Ray does at will
        with pytest.raises(
            ClusterError, match=r"lost \(Ray ended its process with exit code 1\); start"
        ):
            engines.call_all(of, pow, 2)
        with pytest.raises(ClusterError, match="lost"):
            engines.call_all(of, pow, 2)
        of.everywhere(print)


def test_its_last_words_are_told(ray):
    ray.words = b"[2026] I: all is well\n\x1b[31mThe program will terminate\n\n"
    with pytest.raises(ClusterError, match=r"exit code 3, '\\x1b\[31mThe"), started("ray:silent"):
        pass


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ("ray:nowhere", r"no Ray with a processor at 'nowhere' \(nobody answers\); start one"),
        ("ray:silent", r"no Ray with a processor at 'silent' \(Ray ended .* exit code 3"),
        ("ray:slow", r"no Ray with a processor at 'slow' \(no answer in 0.1 seconds\)"),
    ],
)
def test_nobody_is_there(ray, monkeypatch, cluster, message):
    if cluster == "ray:slow":
        monkeypatch.setattr(ray_engine, "PATIENCE", 0.1)
    with pytest.raises(ClusterError, match=message), started(cluster):
        pass
    assert ray.down.is_set()


def test_no_processors(ray):
    ray.cpus = {"one": 0}
    with pytest.raises(ClusterError, match=r"'auto' \(no machine of it has"), started("ray:auto"):
        pass
    with pytest.raises(ClusterError, match=r"no Ray can be started here \(no machine"), started():
        pass


def test_other_versions_there(ray, monkeypatch):
    monkeypatch.setattr(ray_engine, "versions", lambda: "cbow 0.0.1")
    with (
        pytest.raises(ClusterError, match=r"process at at one has cbow 0\.0\.1, and here is cbow"),
        started("ray:auto"),
    ):
        pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            TaskError("ModuleNotFoundError: No module named 'cbow'"),
            r"cannot be loaded \(No module named 'cbow'\); install the same versions",
        ),
        (RayError("gone"), r"no Ray with a processor at 'auto' \(gone\)"),
    ],
)
def test_nothing_there_but_ray(ray, monkeypatch, error, message):
    get = ray.get
    monkeypatch.setattr(ray, "get", lambda value: get(error))
    with pytest.raises(ClusterError, match=message), started("ray:auto"):
        pass


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(ClusterError, match="2 workers need Ray, which is not installed; run: pip"),
        started(),
    ):
        pass


def test_a_driver_that_does_not_end_is_killed(ray):
    with started():
        Driver.latest.stuck = True
    assert Driver.latest.killed


def test_nobody_waits_for_an_answer(ray, monkeypatch):
    """After Ctrl-C: what is asked next is done, and then it ends."""
    seen.clear()
    with started() as of:
        ray.waiting = True
        of._ask("fetch", [of.share(2)])
        of.everywhere(note, "forget")
    assert seen == ["forget"] * 2


def test_nobody_reads_an_answer(ray):
    seen.clear()
    with started() as of:
        of.answers.close()
        of._ask("fetch", [of.share(2)])
        of.everywhere(note, "forget")
    assert seen == ["forget"] * 2
