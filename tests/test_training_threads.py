"""What belongs to the whole process is shared with care: BLAS threads, signals, processors."""

import signal
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cbow import blas
from cbow.blas import single_threaded_blas
from cbow.training.threads import interrupts


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
    monkeypatch.delattr(blas.OpenBLASController, "clear_controlling_thread", raising=False)
    limiter = blas._SingleThreadedBLAS()
    with limiter():
        limiter.setter = None  # as if another thread had set it
    assert limiter.users == 0


@pytest.fixture
def ctrl_c():
    """Give Ctrl-C its usual meaning, which it lacks if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_raises_at_once_until_it_is_deferred(ctrl_c):
    with interrupts() as asked:
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
        assert not asked.asked()
        asked.deferred = True
        ctrl_c()
        assert asked.asked()
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_outer_block_goes_on_inside(ctrl_c):
    with interrupts() as outer:
        with interrupts() as inner:
            assert inner is outer
            inner.deferred = True
        ctrl_c()
        assert outer.asked()


def test_other_signals_are_treated_alike_and_given_back(ctrl_c):
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with interrupts(signal.SIGTERM) as asked:
            asked.deferred = True
            signal.raise_signal(signal.SIGTERM)
            assert asked.asked()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_means_something_else_is_left_alone(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts() as asked:
        ctrl_c()
        assert not asked.asked()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_outside_the_main_thread_nothing_is_touched(ctrl_c):
    seen = []

    def other():
        with interrupts() as asked:
            seen.append((asked.asked(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [(False, signal.default_int_handler)]
