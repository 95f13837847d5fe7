"""The kernels of the exact softmax by themselves."""

import math

import numpy as np
import pytest

from cbow.training.exact.kernels import Running, tile_softmax

pytestmark = pytest.mark.kernels


@pytest.mark.slow
def test_a_softmax_block_by_block_is_a_softmax():
    """Worked by hand: logits log 1 to log 6 of one example, in two blocks; the target is log 5.

    First the largest is log 3: the total is (1 + 2 + 3) / 3. Then it is log 6: 21 / 6.
    """
    running = Running(*(np.zeros(1) for _ in range(4)))
    running.top[:] = -1e300
    b, shift, y = np.log([1.0, 2.0, 3.0]), np.zeros(1), np.array([4])
    L = np.zeros((1, 3))
    tile_softmax(L, b, y, 0, running, shift)
    np.testing.assert_allclose(L, [[1 / 3, 2 / 3, 1]])
    assert running.target[0] == 0
    assert shift[0] == running.top[0] == pytest.approx(math.log(3))
    assert running.total[0] == pytest.approx(2)
    assert running.fall[0] == 0
    L = np.log([[4.0, 5.0, 6.0]])
    tile_softmax(L, np.zeros(3), y, 3, running, shift)
    np.testing.assert_allclose(L, [[4 / 6, 5 / 6, 1]])
    assert running.target[0] == pytest.approx(math.log(5))
    assert shift[0] == running.top[0] == pytest.approx(math.log(6))
    assert running.total[0] == pytest.approx(21 / 6)
    assert running.fall[0] == pytest.approx(3 / 6)
