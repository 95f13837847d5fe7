"""How the threads of kernels wait for each other."""

import threading

import numpy as np
import pytest

from cbow.training import barrier


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_all_have_arrived(threads):
    reached, written, seen = np.zeros((threads, 8), np.int64), [0] * threads, []

    def run(thread):
        for point in range(1, 20):
            written[thread] = point
            barrier.wait_for_all(thread, reached, 2 * point - 1)
            seen.append(min(written) == max(written) == point)
            barrier.wait_for_all(thread, reached, 2 * point)

    workers = [threading.Thread(target=run, args=(t,)) for t in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [True] * 19 * threads
