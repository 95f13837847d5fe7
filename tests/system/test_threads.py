"""How many processors there are, and threads where the system starts fewer than are asked for."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits

import cbow
from cbow.system import threads as module
from cbow.system.threads import (
    cgroup_quota,
    in_order,
    processors,
    share_out,
    single_threaded_blas,
    thread_pool,
)
from cbow.training import Observer


@pytest.fixture
def no_quota(monkeypatch):
    monkeypatch.setattr(module, "cgroup_quota", lambda: None)


def test_as_many_as_this_process_may_use(monkeypatch, no_quota):
    monkeypatch.delattr("os.process_cpu_count", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert processors() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert processors() == 4
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert processors() == 1
    monkeypatch.setattr("os.process_cpu_count", lambda: 2, raising=False)
    assert processors() == 2


@pytest.mark.parametrize(("quota", "expected"), [(1, 1), (7, 7), (8, 8), (9, 8), (None, 8)])
def test_no_more_than_the_quota(monkeypatch, quota, expected):
    monkeypatch.setattr("os.process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(module, "cgroup_quota", lambda: quota)
    assert processors() == expected


V2, V1 = "0::/a/b\n", "12:pids:/a\n4:cpu,cpuacct:/a/b\n0::/a/b\n"
CPU = "sys/fs/cgroup/cpu,cpuacct"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (None, {}, None),  # not Linux
        (V2, {}, None),
        (V2, {"sys/fs/cgroup/a/b/cpu.max": "max 100000"}, None),
        (V2, {"sys/fs/cgroup/a/b/cpu.max": "200000 100000"}, 2),
        (V2, {"sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, 2),
        (V2, {"sys/fs/cgroup/a/b/cpu.max": "1000 100000"}, 1),
        (V2, {"sys/fs/cgroup/a/cpu.max": "300000 100000"}, 3),  # of the group around it
        (
            V2,
            {
                "sys/fs/cgroup/a/b/cpu.max": "400000 100000",
                "sys/fs/cgroup/a/cpu.max": "300000 100000",
            },
            3,
        ),
        (V2, {"sys/fs/cgroup/cpu.max": "50000 25000"}, 2),  # as a container sees it
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "50000 25000"}, 2),
        ("0::/../..\n", {"sys/fs/cgroup/cpu.max": "50000 25000"}, 2),  # of a sibling's namespace
        ("0::/a:b\n", {"sys/fs/cgroup/a:b/cpu.max": "50000 25000"}, 2),
        (V2, {"sys/fs/cgroup/cpu.max": "nonsense"}, None),
        (V2, {"sys/fs/cgroup/cpu.max": "1 0"}, None),
        (V2, {"cpu.max": "100000 100000", "sys/cpu.max": "100000 100000"}, None),
        (V1, {f"{CPU}/a/b/cpu.cfs_quota_us": "-1", f"{CPU}/a/b/cpu.cfs_period_us": "1000"}, None),
        (V1, {f"{CPU}/a/b/cpu.cfs_quota_us": "2500", f"{CPU}/a/b/cpu.cfs_period_us": "1000"}, 3),
        (V1, {f"{CPU}/cpu.cfs_quota_us": "500", f"{CPU}/cpu.cfs_period_us": "1000"}, 1),
        (V1, {f"{CPU}/cpu.cfs_quota_us": "500"}, None),
    ],
)
def test_the_quota_of_a_cgroup_counts(tmp_path, groups, files, expected):
    if groups is not None:
        files = {**files, "proc/self/cgroup": groups}
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert cgroup_quota(tmp_path) == expected


@pytest.fixture
def threads_end(monkeypatch):
    """Let the system start no more than some threads at a time for pools, and nothing else."""

    def limit(most):
        real = threading.Thread.start

        def start(self):
            pools = sum("ThreadPoolExecutor" in each.name for each in threading.enumerate())
            if "ThreadPoolExecutor" not in self.name or pools >= most:
                raise RuntimeError("can't start new thread")
            real(self)

        monkeypatch.setattr(threading.Thread, "start", start)

    return limit


def test_the_threads_of_a_pool_run_from_the_start():
    with thread_pool(3) as (pool, started):
        assert started == 3
        together = threading.Barrier(3, timeout=60)
        futures = [pool.submit(together.wait) for _ in range(3)]
        assert {future.result() for future in futures} == {0, 1, 2}


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_fewer_threads_than_are_asked_for(threads_end, most):
    threads_end(most)
    with thread_pool(3) as (pool, started):
        assert started == max(1, most)
        together = threading.Barrier(started, timeout=60)
        assert list(pool.map(lambda _: together.wait() >= 0, range(started))) == [True] * started
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result()


def test_no_more_threads_than_are_of_use(monkeypatch):
    monkeypatch.setattr(module, "MOST_THREADS", 2)
    with thread_pool(2**31 - 1) as (_, started):
        assert started == 2


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_work_gets_done_by_fewer_threads(threads_end, most):
    threads_end(most)
    squares = [n * n for n in range(30)]
    assert list(in_order(lambda n: n, range(30), 8, then=lambda n: n * n)) == squares
    assert list(in_order(lambda n: n * n, range(30), 8)) == squares


class Listener(Observer):
    def __init__(self):
        self.short = []

    def short_of_threads(self, started, threads):
        self.short.append((started, threads))


LINES = ["old king rules land", "old queen rules land", "dog eats hay", "cat eats fish"] * 60
SMALL = {
    "exact": {"objective": "exact", "batch": 64},
    "sampled": {"objective": "sampled", "candidates": 4, "block": 8, "batch": 64},
}


def test_threads_beyond_the_most_are_told_of_too(monkeypatch):
    monkeypatch.setattr(module, "MOST_THREADS", 2)
    listener = Listener()
    cbow.train(LINES, dimension=4, epochs=1, sample=0, threads=5, observer=listener)
    assert listener.short == [(2, 5)]


@pytest.mark.parametrize("objective", SMALL)
@pytest.mark.parametrize("most", [0, 1, 3, 4])
def test_training_with_fewer_threads_is_told_and_has_the_same_result(threads_end, objective, most):
    settings = {"dimension": 8, "epochs": 1, "sample": 0.0, "heldout": 0.1, **SMALL[objective]}
    expected = cbow.train(LINES, threads=1, **settings)
    threads_end(most)
    listener = Listener()
    model = cbow.train(LINES, threads=4, observer=listener, **settings)
    assert listener.short == ([] if most == 4 else [(max(1, most), 4)])
    for array, other in zip(model.parameters, expected.parameters, strict=True):
        np.testing.assert_array_equal(array, other)


LIMITED = """
import os, resource, tempfile
import cbow
from cbow.training import Observer

class Listener(Observer):
    def short_of_threads(self, started, threads):
        print(started, threads)

def train():
    lines = ["old king rules land", "dog eats hay"] * 100
    return cbow.train(
        lines, dimension=4, epochs=1, sample=0, threads=4, observer=Listener(), **{SETTINGS}
    )

expected = train()  # loads and compiles all there is
if os.getuid() == 0:
    os.setuid(65534)  # root has no limit
    tempfile.tempdir = "/tmp"  # that of the tests is root's own
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
assert (train().parameters.W1 == expected.parameters.W1).all()
"""


@pytest.mark.slow
@pytest.mark.parametrize("objective", SMALL)
def test_a_limit_on_processes(objective):
    """The real thing, as by ``ulimit -u``."""
    pytest.importorskip("resource")
    code = LIMITED.replace("{SETTINGS}", repr(SMALL[objective]))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stderr, done.stdout, done.returncode) == ("", "1 4\n", 0)


# work in order

THREADS = [1, 2, 3, 8]


def slow_when_even(n):
    if n % 2 == 0:
        time.sleep(0.001)
    return n


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("jobs", [0, 1, 2, 30])
def test_results_come_in_order(jobs, threads):
    seen = []  # `then` sees the jobs in order, too
    found = in_order(slow_when_even, range(jobs), threads, then=lambda n: seen.append(n) or n * n)
    assert list(found) == [n * n for n in range(jobs)]
    assert seen == list(range(jobs))


@pytest.mark.parametrize("threads", THREADS)
def test_jobs_are_found_by_the_caller_and_some_ahead_only(threads):
    asked = []

    def jobs():
        for n in range(50):
            asked.append((n, threading.current_thread()))
            yield n

    for result in in_order(lambda n: n, jobs(), threads):
        assert len(asked) <= result + 2 + 2 * threads
    assert {thread for _, thread in asked} == {threading.current_thread()}


def test_one_thread_is_that_of_the_caller():
    found = in_order(lambda _: threading.current_thread(), [1], 1)
    assert list(found) == [threading.current_thread()]


def test_several_jobs_are_done_at_a_time():
    both = threading.Barrier(2, timeout=60)
    assert list(in_order(lambda n: both.wait() >= 0, [1, 2], 2)) == [True, True]


def test_the_second_half_is_done_beside_the_first():
    both = threading.Barrier(2, timeout=60)

    def first(n):
        return both.wait() >= 0 if n == 1 else None

    def then(half):
        return both.wait() >= 0 if half is None else half

    assert list(in_order(first, [0, 1], 2, then=then)) == [True, True]


@given(
    st.sampled_from(THREADS),
    st.sampled_from(["job", "first", "then"]),
    st.integers(0, 12),
    st.sampled_from([ValueError, KeyError]),
)
def test_an_error_comes_in_its_place(threads, where, place, kind):
    def fail(here, n):
        if here == where and n == place:
            raise kind(n)
        return n

    results = []
    jobs = (fail("job", n) for n in range(20))
    found = in_order(lambda n: fail("first", n), jobs, threads, then=lambda n: fail("then", n))
    with pytest.raises(kind) as caught:
        results.extend(found)
    assert caught.value.args == (place,)
    assert results == list(range(place))


@pytest.mark.parametrize("threads", THREADS)
def test_whoever_stops_early_leaves_no_thread_behind(threads):
    before = threading.active_count()
    found = in_order(slow_when_even, range(1000), threads)
    assert next(found) == 0
    found.close()
    assert threading.active_count() == before


def test_what_waits_behind_an_error_is_not_done():
    began = []
    never = threading.Event()

    def first(n):
        began.append(n)
        if n == 1:
            never.wait(0.2)

    with pytest.raises(ZeroDivisionError):
        list(in_order(first, range(5), 2, then=lambda _: 1 / 0))
    assert began in ([0], [0, 1])


@pytest.mark.parametrize("threads", THREADS)
def test_an_interrupt_is_not_held_back(threads):
    def jobs():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_order(lambda n: n, jobs(), threads))


# one thread inside a matrix product


def blas_threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_blas_has_one_thread_until_the_last_training_is_over():
    with threadpool_limits(2, user_api="blas"):
        with single_threaded_blas():
            assert blas_threads() == {1}
            with single_threaded_blas():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def test_trainings_that_overlap_leave_blas_as_it_was():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with single_threaded_blas():
            inside.set()
            leave.wait()

    with threadpool_limits(2, user_api="blas"):
        thread = threading.Thread(target=other)
        with single_threaded_blas():
            thread.start()
            inside.wait()
        assert blas_threads() == {1}  # the other one still needs it
        leave.set()
        thread.join()
        assert blas_threads() == {2}


def test_an_older_threadpoolctl_has_no_owner_to_clear(monkeypatch):
    monkeypatch.delattr(OpenBLASController, "clear_controlling_thread", raising=False)
    limiter = module._SingleThreadedBLAS()
    with limiter():
        limiter.setter = None  # as if another thread had set it
    assert limiter.users == 0


def test_one_piece_is_done_by_the_thread_that_hands_it_out():
    seen = []
    with ThreadPoolExecutor(2) as pool:
        share_out(pool, lambda name: seen.append((name, threading.get_ident())), [("only",)])
    assert seen == [("only", threading.get_ident())]
