"""The smallest example of the course: V = 5 words, N = 3 hidden units, one example."""

import numpy as np
import pytest
from scipy.sparse import csc_array

from cbow.network import (
    Parameters,
    backward,
    cbow_network,
    central_differences,
    cost,
    forward,
    mistaken_gradients,
)

NETWORK = cbow_network("relu")
PARAMETERS = Parameters(
    np.array(
        [
            [0.41687358, 0.08854191, -0.23495225, 0.28320538, 0.41800106],
            [0.32735501, 0.22795148, -0.23951958, 0.4117634, -0.23924344],
            [0.26637602, -0.23846886, -0.37770863, -0.11399446, 0.34008124],
        ]
    ),
    np.array([[0.09688219], [0.29239497], [-0.27364426]]),
    np.array(
        [
            [-0.22182064, -0.43008631, 0.13310965],
            [0.08476603, 0.08123194, 0.1772054],
            [0.1871551, -0.06107263, -0.1790735],
            [0.07055222, -0.02015138, 0.36107434],
            [0.33480474, -0.39423389, -0.43959196],
        ]
    ),
    np.array([[0.0352008], [-0.36393384], [-0.12775555], [-0.34802326], [-0.07017815]]),
)
X = csc_array(np.array([[0.25], [0.25], [0], [0.5], [0]]))
Y = np.array([2])


@pytest.fixture
def pass_():
    return forward(NETWORK, PARAMETERS, X)


def test_hidden_layer(pass_):
    np.testing.assert_allclose(pass_.Z1[:, 0], [0.3648, 0.6371, -0.3237], atol=5e-5)


def test_cost(pass_):
    assert cost(NETWORK, pass_, Y) == pytest.approx(1.465015, abs=5e-7)


def test_right_gradient(pass_):
    gradients = backward(NETWORK, PARAMETERS, pass_, Y)
    np.testing.assert_allclose(gradients.db1[:, 0], [-0.0859, -0.1031, 0], atol=5e-5)
    numeric = central_differences(
        lambda: cost(NETWORK, forward(NETWORK, PARAMETERS, X), Y), PARAMETERS.b1, 1e-4
    )
    np.testing.assert_allclose(gradients.db1, numeric, atol=1e-11)


def test_mistaken_gradient(pass_):
    """It moves the one unit that did not fire, and leaves the two that did."""
    right = backward(NETWORK, PARAMETERS, pass_, Y)
    mistaken = mistaken_gradients(NETWORK, PARAMETERS, pass_, Y)
    np.testing.assert_allclose(mistaken.db1[:, 0], [0, 0, 0.1705], atol=5e-5)
    np.testing.assert_allclose(mistaken.dW1, mistaken.db1 @ X.toarray().T)
    np.testing.assert_array_equal(mistaken.dW2, right.dW2)
    np.testing.assert_array_equal(mistaken.db2, right.db2)


def test_the_arriving_gradient(pass_):
    dZ2 = pass_.Yhat - np.eye(5)[:, Y]
    l1 = PARAMETERS.W2.T @ dZ2
    np.testing.assert_allclose(l1[:, 0], [-0.0859, -0.1031, 0.1705], atol=5e-5)
