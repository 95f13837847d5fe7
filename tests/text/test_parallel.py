import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbow.text.parallel import in_order

THREADS = [1, 2, 3, 8]


def slow_when_even(n):
    if n % 2 == 0:
        time.sleep(0.001)
    return n


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("jobs", [0, 1, 2, 30])
def test_results_come_in_order(jobs, threads):
    seen = []  # `then` sees the jobs in order, too
    found = in_order(range(jobs), slow_when_even, lambda n: seen.append(n) or n * n, threads)
    assert list(found) == [n * n for n in range(jobs)]
    assert seen == list(range(jobs))


@pytest.mark.parametrize("threads", THREADS)
def test_jobs_are_found_by_the_caller_and_some_ahead_only(threads):
    asked = []

    def jobs():
        for n in range(50):
            asked.append((n, threading.current_thread()))
            yield n

    for result in in_order(jobs(), lambda n: n, lambda n: n, threads):
        assert len(asked) <= result + 2 + 2 * threads
    assert {thread for _, thread in asked} == {threading.current_thread()}


def test_one_thread_is_that_of_the_caller():
    found = in_order([1], lambda _: threading.current_thread(), lambda thread: thread, 1)
    assert list(found) == [threading.current_thread()]


def test_several_jobs_are_done_at_a_time():
    both = threading.Barrier(2, timeout=60)
    assert list(in_order([1, 2], lambda n: both.wait() >= 0, lambda done: done, 3)) == [True, True]


def test_the_second_half_is_done_beside_the_first():
    both = threading.Barrier(2, timeout=60)

    def first(n):
        return both.wait() >= 0 if n == 1 else None

    def then(half):
        return both.wait() >= 0 if half is None else half

    assert list(in_order([0, 1], first, then, 2)) == [True, True]


@settings(max_examples=40)
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
    found = in_order(jobs, lambda n: fail("first", n), lambda n: fail("then", n), threads)
    with pytest.raises(kind) as caught:
        results.extend(found)
    assert caught.value.args == (place,)
    assert results == list(range(place))


@pytest.mark.parametrize("threads", THREADS)
def test_whoever_stops_early_leaves_no_thread_behind(threads):
    before = threading.active_count()
    found = in_order(range(1000), slow_when_even, lambda n: n, threads)
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
        list(in_order(range(5), first, lambda _: 1 / 0, 2))
    assert began in ([0], [0, 1])


@pytest.mark.parametrize("threads", THREADS)
def test_an_interrupt_is_not_held_back(threads):
    def jobs():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_order(jobs(), lambda n: n, lambda n: n, threads))
