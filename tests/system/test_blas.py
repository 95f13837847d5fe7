"""Trainings that limit BLAS to one thread do not get in each other's way."""

import threading

from threadpoolctl import threadpool_info, threadpool_limits

from cbow.system import blas
from cbow.system.blas import single_threaded_blas


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
