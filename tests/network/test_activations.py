"""The activations and their derivatives; softmax, small and huge."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow import config
from cbow.config import HIDDEN_ACTIVATIONS
from cbow.network import ACTIVATIONS, COSTS, OPTIMIZERS, softmax
from cbow.network.activations import LEAK

Z = np.array([[-2.0, -0.5, 0.0, 0.5, 3.0]])
FINITE = {"allow_nan": False, "allow_infinity": False}
LOGITS = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e6, 1e6, **FINITE),
)


def test_the_registries_hold_what_the_settings_name():
    assert {*HIDDEN_ACTIVATIONS, "softmax"} == set(ACTIVATIONS)
    assert set(config.ACTIVATIONS) <= set(HIDDEN_ACTIVATIONS)
    assert set(config.OPTIMIZERS) == set(OPTIMIZERS)
    assert list(config.COSTS) == list(COSTS)
    assert all(set(cost.outputs) <= set(ACTIVATIONS) for cost in COSTS.values())
    for registry in (ACTIVATIONS, COSTS, OPTIMIZERS):
        assert all(entry.name == name for name, entry in registry.items())


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_the_slope_below_0_is_that_of_the_derivative(name):
    activation, below = ACTIVATIONS[name], np.array([[-2.0, -0.5]])
    if activation.slope is None:
        assert not np.allclose(activation.g(2 * below), 2 * activation.g(below))
        assert not activation.kinked
    else:
        np.testing.assert_allclose(activation.g(below), activation.slope * below)
        assert activation.kinked is (activation.slope != 1)


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


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_memory_order_stay(name, dtype):
    Z = np.asfortranarray(np.random.default_rng(0).normal(size=(3, 4))).astype(dtype, order="F")
    before = Z.copy()
    for f in (ACTIVATIONS[name].g, ACTIVATIONS[name].dg):
        assert f(Z).dtype == dtype
        assert f(Z).flags.f_contiguous
    np.testing.assert_array_equal(Z, before)


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
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


def test_softmax_by_hand():
    Z2 = np.log(np.array([[1.0, 2.0], [3.0, 2.0]]))
    np.testing.assert_allclose(softmax(Z2), [[0.25, 0.5], [0.75, 0.5]])


@given(LOGITS, st.floats(-1e3, 1e3, **FINITE))
def test_a_constant_added_to_softmax_changes_nothing(Z2, constant):
    np.testing.assert_allclose(softmax(Z2 + constant), softmax(Z2), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_huge_logits_do_not_overflow(dtype, size):
    Z2 = np.array([[size, -size], [0, -size], [-size, 0]], dtype)
    np.testing.assert_array_equal(softmax(Z2), [[1, 0], [0, 0], [0, 1]])


@pytest.mark.slow
@given(LOGITS)
def test_softmax_and_its_loss_equal_scipy(Z2):
    Yhat = softmax(Z2)
    np.testing.assert_allclose(Yhat, scipy.special.softmax(Z2, axis=0), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(Yhat.sum(axis=0), 1)
    for k in range(len(Z2)):
        losses = COSTS["cross-entropy"].losses(Z2, Yhat, np.full(Z2.shape[1], k))
        np.testing.assert_allclose(losses, scipy.special.logsumexp(Z2, axis=0) - Z2[k], atol=1e-9)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [0, 1, 7])
def test_softmax_of_many_words_keeps_its_argument_dtype_and_order(order, dtype, m):
    drawn = np.random.default_rng(m).normal(size=(100_000, m))
    Z2 = np.asarray(drawn, dtype, order=order)
    before = Z2.copy()
    Yhat = softmax(Z2)
    np.testing.assert_allclose(Yhat, scipy.special.softmax(drawn, axis=0), rtol=1e-4)
    assert Yhat.dtype == dtype
    assert Yhat.flags.f_contiguous == Z2.flags.f_contiguous
    np.testing.assert_array_equal(Z2, before)


def test_not_a_number_makes_its_column_so_and_no_other():
    Z2 = np.array([[np.nan, 0.0], [0.0, 0.0]])
    Yhat = softmax(Z2)
    assert np.isnan(Yhat[:, 0]).all()
    np.testing.assert_allclose(Yhat[:, 1], 0.5)
    assert np.isnan(COSTS["cross-entropy"].losses(Z2, Yhat, np.array([1, 1]))).tolist() == [
        True,
        False,
    ]
