"""Forward, cost and backward: against loops, autograd and central differences."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_network import Example, example, losses_and_gradients

from cbow.network import (
    ACTIVATIONS,
    Gradients,
    Parameters,
    backward,
    central_differences,
    contexts,
    cost,
    forward,
)

NAMES = list(ACTIVATIONS)
SEEDS = range(5)


def cost_and_gradients(given, name):
    parameters, X, y = given
    pass_ = forward(parameters, X, ACTIVATIONS[name])
    return cost(pass_, y), backward(parameters, X, y, pass_, ACTIVATIONS[name])


def dense_cost(name, W1, b1, W2, b2, X, y):
    """The network as one differentiable function of dense arrays."""
    Z1 = anp.dot(W1, X) + b1
    H = {
        "relu": lambda Z: Z * (Z > 0),
        "leaky_relu": lambda Z: Z * anp.where(Z > 0, 1.0, 0.01),
        "identity": lambda Z: Z,
    }[name](Z1)
    Z2 = anp.dot(W2, H) + b2
    top = anp.max(Z2, axis=0)
    log_normaliser = top + anp.log(anp.sum(anp.exp(Z2 - top), axis=0))
    return anp.mean(log_normaliser - Z2[y, anp.arange(len(y))])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_loops(name, seed):
    drawn = example(seed=seed)
    loss, gradients = cost_and_gradients(drawn, name)
    losses, *expected = losses_and_gradients(drawn, name)
    assert loss == pytest.approx(np.mean(losses), abs=1e-12)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_autograd(name, seed):
    parameters, X, y = drawn = example(V=40, N=9, m=21, seed=seed)
    loss, gradients = cost_and_gradients(drawn, name)
    rest = X.toarray(), y
    assert loss == pytest.approx(dense_cost(name, *parameters, *rest), abs=1e-10)
    for i, ours in enumerate(gradients, start=1):
        theirs = autograd.grad(dense_cost, i)(name, *parameters, *rest)
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_central_differences(name, seed):
    parameters, X, y = drawn = example(seed=seed)
    activation = ACTIVATIONS[name]
    assert np.abs(forward(parameters, X, activation).Z1).min() > 1e-3  # no kink near
    _, gradients = cost_and_gradients(drawn, name)
    for ours, array in zip(gradients, parameters, strict=True):
        numeric = central_differences(
            lambda: cost(forward(parameters, X, activation), y), array, 1e-4
        )
        assert np.abs(ours - numeric).max() < 1e-8 * np.abs(numeric).max()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_pass_holds(name):
    (W1, b1, W2, b2), X, _ = drawn = example()
    Z1, H, Z2, logS, Yhat = forward(drawn.parameters, X, ACTIVATIONS[name])
    np.testing.assert_allclose(Z1, W1 @ X.toarray() + b1)
    np.testing.assert_allclose(H, ACTIVATIONS[name].g(Z1))
    np.testing.assert_allclose(Z2, W2 @ H + b2)
    np.testing.assert_allclose(np.exp(Z2 - logS), Yhat)
    np.testing.assert_allclose(Yhat.sum(axis=0), 1)
    for array in (Z1, H, Z2, Yhat):
        assert array.flags.f_contiguous


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_dtypes_shapes_and_memory_orders(name, dtype):
    parameters, X, y = example(dtype=dtype)
    pass_ = forward(parameters, X, ACTIVATIONS[name])
    gradients = backward(parameters, X, y, pass_, ACTIVATIONS[name])
    assert {array.dtype for array in (*pass_, *gradients)} == {np.dtype(dtype)}
    for ours, array in zip(gradients, parameters, strict=True):
        assert ours.shape == array.shape
        assert ours.flags.f_contiguous == array.flags.f_contiguous
        assert ours.flags.c_contiguous == array.flags.c_contiguous
    assert isinstance(cost(pass_, y), float)


@pytest.mark.parametrize("name", NAMES)
def test_float32_is_near_float64(name):
    double = example(V=200, N=30, m=64, size=0.5)
    single = Example(
        Parameters(*(array.astype(np.float32, order="K") for array in double.parameters)),
        double.X.astype(np.float32),
        double.y,
    )
    loss32, g32 = cost_and_gradients(single, name)
    loss64, g64 = cost_and_gradients(double, name)
    assert loss32 == pytest.approx(loss64, rel=1e-5)
    for one, other in zip(g32, g64, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("name", NAMES)
def test_memory_order_does_not_matter(name):
    parameters, X, y = example()
    turned = Parameters(
        W1=np.ascontiguousarray(parameters.W1),
        b1=parameters.b1,
        W2=np.asfortranarray(parameters.W2),
        b2=parameters.b2,
    )
    loss, gradients = cost_and_gradients(Example(parameters, X, y), name)
    other_loss, others = cost_and_gradients(Example(turned, X, y), name)
    assert loss == pytest.approx(other_loss, abs=1e-12)
    for one, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_given_is_changed(name):
    drawn = example()
    parameters, X, y = drawn
    pass_ = forward(parameters, X, ACTIVATIONS[name])
    arrays = (*parameters, *pass_, X.data, X.indices, X.indptr, y)
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    cost(pass_, y)
    backward(parameters, X, y, pass_, ACTIVATIONS[name])
    forward(parameters, X, ACTIVATIONS[name])
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one(name):
    drawn = example(m=1)
    loss, gradients = cost_and_gradients(drawn, name)
    losses, *expected = losses_and_gradients(drawn, name)
    assert loss == pytest.approx(losses[0], abs=1e-13)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-13)


@pytest.mark.parametrize("m", [None, 4])
def test_an_empty_batch_costs_nothing_and_moves_nothing(m):
    parameters = example().parameters
    none = np.array([], np.int64)
    X = contexts(none, np.array([0]), 11, np.float64)
    activation = ACTIVATIONS["relu"]
    pass_ = forward(parameters, X, activation)
    assert cost(pass_, none) == 0.0
    for gradient, array in zip(
        backward(parameters, X, none, pass_, activation, m), parameters, strict=True
    ):
        np.testing.assert_array_equal(gradient, np.zeros_like(array))


@given(cut=st.integers(0, 6), name=st.sampled_from(NAMES))
@settings(deadline=None)
def test_the_gradients_of_parts_add_up(cut, name):
    parameters, X, y = drawn = example(m=6)
    activation = ACTIVATIONS[name]
    loss, whole = cost_and_gradients(drawn, name)
    total, sums = 0.0, Gradients(*(np.zeros_like(array) for array in parameters))
    for part in (slice(0, cut), slice(cut, 6)):
        pass_ = forward(parameters, X[:, part], activation)
        total += cost(pass_, y[part]) * len(y[part]) / 6
        gradients = backward(parameters, X[:, part], y[part], pass_, activation, m=6)
        for one, more in zip(sums, gradients, strict=True):
            one += more
    assert total == pytest.approx(loss, abs=1e-13)
    for one, other in zip(sums, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-14)


def test_a_word_without_influence_has_no_gradient():
    _parameters, X, _y = drawn = example()
    unseen = np.setdiff1d(np.arange(11), X.indices)
    assert len(unseen)
    _, gradients = cost_and_gradients(drawn, "relu")
    np.testing.assert_array_equal(gradients.dW1[:, unseen], 0)


def test_a_unit_exactly_at_zero_gets_no_gradient():
    parameters, _X, _y = drawn = example()
    parameters.W1[0] = 0
    parameters.b1[0] = 0
    _, gradients = cost_and_gradients(drawn, "relu")
    np.testing.assert_array_equal(gradients.dW1[0], 0)
    assert gradients.db1[0] == 0
    np.testing.assert_array_equal(gradients.dW2[:, 0], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_keep_cost_and_gradients_finite(dtype):
    parameters, X, y = example(dtype=dtype)
    parameters.b2[:, 0] = np.linspace(-1e4, 1e4, 11)
    loss, gradients = cost_and_gradients(Example(parameters, X, np.zeros_like(y)), "relu")
    assert loss == pytest.approx(2e4, rel=0.01)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_cost_is_averaged_in_float64():
    parameters, X, y = example(m=5000, dtype=np.float32)
    pass_ = forward(parameters, X, ACTIVATIONS["relu"])
    losses = pass_.logS[0] - pass_.Z2[y, np.arange(5000)]
    assert cost(pass_, y) == float(losses.astype(np.float64).sum() / 5000)


class TestInto:
    """Reusing the memory of an earlier pass."""

    relu = ACTIVATIONS["relu"]

    @pytest.mark.parametrize("columns", [6, 7, 20])
    def test_memory_is_reused_and_the_numbers_are_the_same(self, columns):
        parameters, X, _y = example()
        other = example(seed=1, m=columns)
        old = forward(other.parameters, other.X, self.relu)
        new = forward(parameters, X, self.relu, into=old)
        assert np.shares_memory(new.Z2, old.Z2)
        assert np.shares_memory(new.Yhat, old.Yhat)
        for one, fresh in zip(new, forward(parameters, X, self.relu), strict=True):
            np.testing.assert_array_equal(one, fresh)

    @pytest.mark.parametrize("other", [{"m": 5}, {"V": 12}, {"dtype": np.float32}])
    def test_memory_that_does_not_fit_is_left_alone(self, other):
        parameters, X, _y = example()
        drawn = example(**other)
        old = forward(drawn.parameters, drawn.X, self.relu)
        before = old.Z2.copy()
        new = forward(parameters, X, self.relu, into=old)
        assert new.Yhat.dtype == np.float64
        assert not np.shares_memory(new.Z2, old.Z2)
        np.testing.assert_array_equal(old.Z2, before)
