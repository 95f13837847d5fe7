"""Workers in processes of a cluster: the same bytes, whoever dies; nothing stays behind."""

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import cbow
from cbow.config import Config
from cbow.errors import ClusterError, CorpusError
from cbow.system.threads import processors
from cbow.training import engines, rounds


class KilledError(Exception):
    last_worker = SimpleNamespace(address="tcp://somewhere:1")


class CancelledError(Exception):
    pass


class Client:
    """Does at once what it is asked to, in this process; `alive` are its processes."""

    def __init__(self, address=None, timeout=None):
        if address == "tcp://nowhere:1":
            raise OSError("timed out")
        self.alive = {"one": 2, "two": 2}
        self.calls, self.versions, self.failure = [], {}, None
        Client.latest = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def wait_for_workers(self, n, timeout):
        if not self.alive:
            raise TimeoutError("no workers")

    def nthreads(self):
        return dict(self.alive)

    def submit(self, function, *arguments, pure, workers=None, allow_other_workers=False):
        if workers:
            self.calls.append(workers[0])
        if self.failure:
            return self.failure
        return function(*arguments)

    def gather(self, futures):
        for future in futures:
            if isinstance(future, Exception):
                raise future
        return futures

    def run(self, function, *arguments, on_error="raise"):
        return {each: self.versions.get(each, function(*arguments)) for each in self.alive}


def divmod_of(k, numbers, by):
    return divmod(numbers[k], by)


@pytest.fixture
def fake(monkeypatch):
    """Put packages in the place of Dask's that start no process."""

    class LocalCluster:
        def __init__(self, **settings):
            assert settings["host"] == "127.0.0.1"
            assert settings["dashboard_address"].startswith("127.0.0.1:")
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
            self.scheduler_address = "tcp://127.0.0.1:1"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    class Settings:
        def __init__(self, settings):
            pass

        __enter__ = __exit__ = lambda self, *_: None

    distributed = SimpleNamespace(
        Client=Client, LocalCluster=LocalCluster, KilledWorker=KilledError,
        client=SimpleNamespace(FutureCancelledError=CancelledError),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "distributed", distributed)
    monkeypatch.setitem(sys.modules, "dask", SimpleNamespace(config=SimpleNamespace(set=Settings)))


class TestDask:
    """What is asked of Dask, and what is made of its answers."""

    def test_workers_keep_their_process_while_it_is_there(self, fake):
        with engines.engine_for(Config(workers=4)) as engine:
            assert engine.threads == 1
            client = Client.latest
            assert engines.call_all(engine, pow, 2) == [0, 1, 4, 9]
            assert engines.call_all(engine, pow, 2) == [0, 1, 4, 9]
            assert client.calls == ["one", "two", "one", "two"] * 2
            client.alive = {"two": 2, "three": 2}
            engines.call_all(engine, pow, 2)
            assert client.calls[8:] == ["three", "two", "three", "two"]
            engine.everywhere(print)
        assert client.closed

    def test_parts_stay_where_the_whole_is(self, fake):
        with engines.engine_for(Config(workers=3)) as engine:
            numbers = engine.share([6, 7, 8])
            made = engine.start(divmod_of, [(numbers, 2), (numbers, 3)], 2)
            assert Client.latest.calls == ["one", "two", "one", "one", "two", "two"]
            assert engine.fetch([made[0][0], made[1][0], made[1][1]]) == [3, 2, 1]

    def test_ctrl_c_is_for_the_first_process_of_a_command(self, fake):
        """While the others start it is blocked, which they inherit; then no more."""
        with engines.engine_for(Config(workers=2)):
            assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    @pytest.mark.parametrize(
        ("failure", "message"),
        [
            (KilledError(), r"died again and again \(tcp://somewhere:1\); see its log"),
            (CancelledError("lost-it"), r"the cluster is lost \(lost-it\); start it again"),
            (OSError("broken"), r"the cluster is lost \(broken\)"),
        ],
    )
    def test_what_cannot_be_had_is_told(self, fake, failure, message):
        with engines.engine_for(Config(workers=2)) as engine:
            Client.latest.failure = failure
            with pytest.raises(ClusterError, match=message):
                engines.call_all(engine, pow, 2)

    def test_errors_of_workers_are_theirs(self, fake):
        with engines.engine_for(Config(workers=2)) as engine:
            Client.latest.failure = CorpusError("it is empty")
            with pytest.raises(CorpusError, match="it is empty"):
                engines.call_all(engine, pow, 2)

    def test_all_processes_are_gone(self, fake):
        with engines.engine_for(Config(workers=2)) as engine:
            Client.latest.alive = {}
            with pytest.raises(ClusterError, match="the cluster is lost"):
                engines.call_all(engine, pow, 2)

    def test_other_versions_there(self, fake, monkeypatch):
        run = Client.run
        monkeypatch.setattr(Client, "run", lambda *a, **b: {**run(*a, **b), "two": "cbow 0.0.1"})
        with (
            pytest.raises(ClusterError, match=r"process at two has cbow 0.0.1, and here is cbow"),
            engines.engine_for(Config(workers=2)),
        ):
            pass

    def test_nobody_is_there(self, fake):
        config = Config(workers=2, cluster="tcp://nowhere:1")
        with (
            pytest.raises(
                ClusterError, match=r"no Dask cluster with a worker at 'tcp://nowhere:1'"
            ),
            engines.engine_for(config),
        ):
            pass

    def test_processes_that_do_not_start(self, fake, monkeypatch):
        def fail(**_):
            raise RuntimeError("Nanny failed to start.")

        monkeypatch.setattr(sys.modules["distributed"], "LocalCluster", fail)
        with (
            pytest.raises(ClusterError, match=r"started for workers \(Nanny failed .*__main__"),
            engines.engine_for(Config(workers=2)),
        ):
            pass

    def test_without_dask(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "dask", None)
        with (
            pytest.raises(ClusterError, match="2 workers need Dask, which is not installed; run: "),
            engines.engine_for(Config(workers=2)),
        ):
            pass


# With Dask and Ray themselves.

needs_dask = pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="needs Dask")
needs_ray = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs Ray")
with_each = pytest.mark.parametrize(
    "cluster", [pytest.param(None, marks=needs_dask), pytest.param("ray", marks=needs_ray)]
)

SETTINGS = {
    "objective": "sampled", "candidates": 8, "dimension": 8, "epochs": 2, "min_count": 1,
    "workers": 3, "rounds": 4,
}  # fmt: skip


@pytest.fixture
def text(tmp_path):
    words = np.random.default_rng(5).zipf(1.3, 20000) % 90
    lines = (" ".join(f"w{i}" for i in words[k : k + 30]) for k in range(0, len(words), 30))
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def below():
    """The processes that a cluster consists of, and those of them in which workers run."""
    import psutil

    named = {each: " ".join(each.cmdline()) for each in psutil.Process().children(recursive=True)}
    cluster = [each for each, name in named.items() if "resource_tracker" not in name]
    return cluster, [
        each for each in cluster if "spawn_main" in named[each] or "ray::Process" in named[each]
    ]


def listening():
    """The addresses on which this process and those below it listen."""
    import psutil

    return {
        connection.laddr.ip.removeprefix("::ffff:")
        for process in [psutil.Process(), *below()[0]]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def hears_ctrl_c(pid):
    """Whether a process is of the same group as this one, and does not block SIGINT."""
    if os.getpgid(pid) != os.getpgid(0):
        return False
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (blocked,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigBlk"))
    return not blocked >> (signal.SIGINT - 1) & 1


@with_each
@pytest.mark.slow
@pytest.mark.parametrize("rows", ["few", "many"])
def test_two_processes_one_killed_in_the_middle(text, tmp_path, monkeypatch, cluster, rows):
    """Few rows are here after every round; of many, some are lost with the process."""
    if rows == "many":
        monkeypatch.setattr(rounds, "FEW_ROWS", 0)
    serial = cbow.train(text, **SETTINGS, cluster="serial")
    seen, steps = {}, []

    class Killer(cbow.training.Observer):
        def stepped(self, step):
            steps.append(step)
            if len(steps) == 3:
                everyone, workers = below()
                seen["listening"] = listening()
                seen["hear Ctrl-C"] = [each for each in everyone if hears_ctrl_c(each.pid)]
                seen["killed"] = workers[0]
                seen["killed"].kill()

    model = cbow.train(text, **SETTINGS, cluster=cluster, observer=Killer())
    for one, other in zip(model.parameters, serial.parameters, strict=True):
        assert one.tobytes() == other.tobytes()
    assert model.report == serial.report
    assert not seen["killed"].is_running()
    assert seen["listening"] == {"127.0.0.1"}
    assert seen["hear Ctrl-C"] == []
    assert below()[0] == []


@with_each
@pytest.mark.slow
def test_a_command_that_is_killed_leaves_no_process(text, tmp_path, cluster):
    import psutil

    code = f"""
        import os, signal, cbow, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_engines import below
        class Dies(cbow.training.Observer):
            def stepped(self, step):
                everyone, workers = below()
                print(len(workers), *(each.pid for each in everyone), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
        if __name__ == "__main__":
            cbow.train({str(text)!r}, **{SETTINGS!r}, cluster={cluster!r}, observer=Dies())
    """
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    workers, *pids = map(int, done.stdout.split())
    assert workers == min(3, processors()), done.stderr
    _, left = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], 30)
    assert left == []


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("victim", ["raylet", "drive("])
def test_a_ray_that_is_lost(text, victim):
    """What is lost is told, where Ray itself ends the process that has joined it."""
    killed = []

    class Killer(cbow.training.Observer):
        def stepped(self, step):
            if not killed:
                named = {each: " ".join(each.cmdline()[:3]) for each in below()[0]}
                killed.extend(each for each, name in named.items() if victim in name)
                killed[0].kill()

    with pytest.raises(cbow.training.WorkersLostError, match="the cluster is lost") as lost:
        cbow.train(text, **SETTINGS, cluster="ray", observer=Killer())
    assert lost.value.model.report["stopped"]["reason"] == "lost"
    assert below()[0] == []


@needs_ray
@pytest.mark.slow
def test_a_ray_that_is_not_there():
    with (
        pytest.raises(
            ClusterError, match=r"no Ray with a processor at 'nowhere' \(Invalid address"
        ),
        engines.engine_for(Config(workers=2, cluster="ray:nowhere")),
    ):
        pass
