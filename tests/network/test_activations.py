"""The activations and their derivatives."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.special

from cbow import config
from cbow.network import ACTIVATIONS
from cbow.network.activations import LEAK

Z = np.array([[-2.0, -0.5, 0.0, 0.5, 3.0]])


ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]


def test_every_activation_of_the_settings_is_there():
    assert set(ACTIVATIONS) >= set(config.ACTIVATIONS)
    assert all(activation.name == name for name, activation in ACTIVATIONS.items())


@pytest.mark.parametrize(
    ("name", "g", "dg"),
    [
        ("relu", [0, 0, 0, 0.5, 3], [0, 0, 0, 1, 1]),
        ("leaky_relu", [-0.02, -0.005, 0, 0.5, 3], [LEAK, LEAK, LEAK, 1, 1]),
        ("identity", [-2, -0.5, 0, 0.5, 3], [1, 1, 1, 1, 1]),
        (
            "sigmoid",
            [0.11920292, 0.37754067, 0.5, 0.62245933, 0.95257413],
            [0.10499359, 0.23500371, 0.25, 0.23500371, 0.04517666],
        ),
        (
            "tanh",
            [-0.96402758, -0.46211716, 0, 0.46211716, 0.99505475],
            [0.07065082, 0.78644773, 1, 0.78644773, 0.00986604],
        ),
    ],
)
def test_values_by_hand(name, g, dg):
    np.testing.assert_allclose(ACTIVATIONS[name].g(Z), [g], rtol=1e-6)
    np.testing.assert_allclose(ACTIVATIONS[name].dg(Z), [dg], rtol=1e-6)


def test_the_derivative_of_relu_at_zero_is_zero():
    np.testing.assert_array_equal(ACTIVATIONS["relu"].dg(np.array([[0.0, -0.0]])), [[0, 0]])


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_memory_order_stay(name, dtype):
    Z = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4))).astype(dtype, order="F")
    before = Z.copy()
    for f in (ACTIVATIONS[name].g, ACTIVATIONS[name].dg):
        assert f(Z).dtype == dtype
        assert f(Z).flags.f_contiguous
    np.testing.assert_array_equal(Z, before)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_derivative_is_the_slope(name):
    activation, h = ACTIVATIONS[name], 1e-6
    away = Z[Z != 0][None]
    slope = (activation.g(away + h) - activation.g(away - h)) / (2 * h)
    np.testing.assert_allclose(activation.dg(away), slope, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_not_a_number_stays_not_a_number(name):
    assert np.isnan(ACTIVATIONS[name].g(np.array([[np.nan]]))).all()


def test_sigmoid_equals_scipy_and_does_not_overflow():
    Z = np.array([np.linspace(-1000, 1000, 41)])
    np.testing.assert_allclose(ACTIVATIONS["sigmoid"].g(Z), scipy.special.expit(Z), atol=1e-16)
    assert np.isfinite(ACTIVATIONS["sigmoid"].dg(Z)).all()


def test_the_slope_is_that_of_autograd():
    Z = np.random.default_rng(0).normal(size=(5, 7))
    g = {"sigmoid": lambda z: 1 / (1 + anp.exp(-z)), "tanh": anp.tanh}
    for name, f in g.items():
        np.testing.assert_allclose(
            ACTIVATIONS[name].dg(Z), autograd.elementwise_grad(f)(Z), rtol=1e-10
        )
