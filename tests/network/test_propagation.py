"""Forward, cost and backward: against loops, autograd and central differences."""

import copy
import pickle
import re

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_network import (
    COMBINATIONS,
    HIDDEN,
    Example,
    dense_example,
    example,
    losses_and_gradients,
)

from cbow.errors import ConfigError
from cbow.network import (
    ACTIVATIONS,
    COSTS,
    Gradients,
    Network,
    Parameters,
    backward,
    cbow_network,
    central_differences,
    contexts,
    cost,
    deltas,
    forward,
    make_network,
)

SEEDS = range(5)
CBOW = pytest.mark.parametrize("name", HIDDEN)
ANY = pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
PARAMETERS = Parameters(np.eye(3), np.zeros((3, 1)))


def cost_and_gradients(given):
    network, parameters, X, Y = given
    pass_ = forward(network, parameters, X)
    return cost(network, pass_, Y), backward(network, parameters, pass_, Y)


def differentiable_cost(arrays, network, X, Y):
    """The network as one function for autograd: dense arrays, no shortcut for any pair."""
    g = {
        "relu": lambda Z: Z * (Z > 0),
        "leaky_relu": lambda Z: Z * anp.where(Z > 0, 1.0, 0.01),
        "sigmoid": lambda Z: 1 / (1 + anp.exp(-Z)),
        "tanh": anp.tanh,
        "identity": lambda Z: Z,
        "softmax": lambda Z: anp.exp(Z) / anp.sum(anp.exp(Z), axis=0),
    }
    A = X
    for l, activation in enumerate(network.activations):
        A = g[activation.name](anp.dot(arrays[2 * l], A) + arrays[2 * l + 1])
    m = X.shape[1]
    if network.cost.name == "cross-entropy":
        return -anp.sum(anp.log(A[Y, anp.arange(m)])) / m
    if network.cost.name == "logistic":
        return -anp.sum(Y * anp.log(A) + (1 - Y) * anp.log(1 - A)) / m
    return anp.sum((A - Y) ** 2) / 2 / m


def assert_equal_to_the_loops(drawn):
    J, gradients = cost_and_gradients(drawn)
    losses, expected = losses_and_gradients(drawn)
    assert pytest.approx(np.mean(losses), abs=1e-12) == J
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def assert_equal_to_autograd(drawn):
    network, parameters, X, Y = drawn
    X = X.toarray() if hasattr(X, "toarray") else X
    J, gradients = cost_and_gradients(drawn)
    arrays = [np.array(array) for array in parameters]
    assert pytest.approx(differentiable_cost(arrays, network, X, Y), abs=1e-10) == J
    theirs = autograd.grad(differentiable_cost)(arrays, network, X, Y)
    for one, other in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_every_combination_is_here():
    assert {(output, cost) for _, _, output, cost in COMBINATIONS} == {
        (output, name) for name, cost in COSTS.items() for output in cost.outputs
    }
    assert {name for _, name, _, _ in COMBINATIONS} == set(ACTIVATIONS) - {"softmax"}


class TestAnyDepth:
    """Dense layers, every hidden activation with every output and cost."""

    @ANY
    def test_equals_the_loops(self, combination):
        assert_equal_to_the_loops(dense_example(*combination))

    @ANY
    def test_equals_autograd(self, combination):
        assert_equal_to_autograd(dense_example(*combination, m=9, seed=1))

    def test_three_layers_of_relu_units_with_their_update_rules(self):
        """Input, hidden, output; ReLU in both; the squared error; written out by hand."""
        drawn = dense_example((4, 5, 3), "relu", "relu", "squared-error", m=7, seed=2)
        _, (W1, b1, W2, b2), X, Y = drawn
        Z1 = W1 @ X + b1
        A1 = np.maximum(0, Z1)
        Z2 = W2 @ A1 + b2
        dZ2 = (np.maximum(0, Z2) - Y) * (Z2 > 0) / 7
        dZ1 = (W2.T @ dZ2) * (Z1 > 0)
        J, gradients = cost_and_gradients(drawn)
        assert pytest.approx(((np.maximum(0, Z2) - Y) ** 2).sum() / 14) == J
        assert np.abs(dZ1).max() > 0.01
        for ours, theirs in zip(
            gradients,
            (dZ1 @ X.T, dZ1.sum(1, keepdims=True), dZ2 @ A1.T, dZ2.sum(1, keepdims=True)),
            strict=True,
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-14)

    def test_the_deltas_of_all_layers(self):
        drawn = dense_example((4, 6, 5, 3), "tanh", "softmax", "cross-entropy")
        network, parameters, X, Y = drawn
        pass_ = forward(network, parameters, X)
        dZ = deltas(network, parameters, pass_, Y)
        assert {l: array.shape for l, array in dZ.items()} == {3: (3, 6), 2: (5, 6), 1: (6, 6)}
        np.testing.assert_allclose(dZ[3], (pass_.Yhat - np.eye(3)[:, Y]) / 6, atol=1e-15)
        gradients = backward(network, parameters, pass_, Y)
        np.testing.assert_allclose(gradients.db[2], dZ[2].sum(axis=1, keepdims=True))

    @pytest.mark.parametrize(("output", "cost_name"), [("softmax", "cross-entropy"), ("sigmoid", "logistic")])  # fmt: skip  # noqa: E501
    def test_an_output_that_is_sure_and_wrong_has_a_finite_cost(self, output, cost_name):
        network = make_network([output], cost_name)
        parameters = Parameters(np.eye(2), np.zeros((2, 1)))
        X = np.array([[5000.0], [-5000.0]])
        Y = np.array([1]) if output == "softmax" else np.array([[0.0], [1.0]])
        assert cost(network, forward(network, parameters, X), Y) == 10000
        assert all(np.isfinite(g).all() for g in cost_and_gradients(Example(network, parameters, X, Y))[1])  # fmt: skip  # noqa: E501


class TestFit:
    """Networks and parameters that cannot be."""

    def test_softmax_in_a_hidden_layer(self):
        with pytest.raises(ConfigError, match="hidden layer 2 is softmax, which fits only the out"):
            make_network(["relu", "softmax", "softmax"], "cross-entropy")

    def test_a_cost_that_does_not_fit(self):
        with pytest.raises(
            ConfigError,
            match="the cost is logistic and the output layer softmax, but logistic fits sigmoid; "
            "use such an output, or the cost cross-entropy",
        ):
            make_network(["relu", "softmax"], "logistic")
        with pytest.raises(ConfigError, match="or the cost logistic or squared-error"):
            make_network(["sigmoid"], "cross-entropy")

    def test_no_layer(self):
        with pytest.raises(ConfigError, match="no layer"):
            Network((), COSTS["logistic"])

    @pytest.mark.parametrize(("activation", "cost_name"), [("elu", "logistic"), ("relu", "mse")])
    def test_unknown_names(self, activation, cost_name):
        with pytest.raises(ConfigError, match="but must be one of"):
            make_network([activation], cost_name)

    def test_softmax_has_no_derivative_of_its_own(self):
        with pytest.raises(ConfigError, match="use it in the output layer"):
            ACTIVATIONS["softmax"].dg(np.zeros((2, 2)))

    def test_too_few_layers_of_parameters(self):
        _, parameters, X, _ = example()
        with pytest.raises(ConfigError, match="parameters of 2 layers for a network of 1"):
            forward(make_network(["softmax"], "cross-entropy"), parameters, X)

    @pytest.mark.parametrize("broken", range(4))
    def test_parameters_that_do_not_follow_each_other(self, broken):
        network, parameters, X, _ = example()
        arrays = list(parameters)
        arrays[broken] = np.zeros((3, 7))
        with pytest.raises(ConfigError, match=r"must be \(n, "):
            forward(network, Parameters(*arrays), X)

    @pytest.mark.parametrize(
        ("output", "cost_name", "Y", "fits"),
        [
            (
                "softmax",
                "cross-entropy",
                np.eye(3),
                "an id for each example; pass",
            ),
            ("softmax", "cross-entropy", np.arange(2), "(3,)"),
            ("relu", "squared-error", np.arange(3), "a number for each output of each example"),
            ("sigmoid", "logistic", np.ones((1, 3)), "(3, 3)"),
        ],
    )
    @pytest.mark.parametrize("of", [cost, lambda *given: deltas(given[0], PARAMETERS, *given[1:])])
    def test_targets_of_another_shape(self, of, output, cost_name, Y, fits):
        network = make_network([output], cost_name)
        with pytest.raises(ConfigError, match=f"^the targets have the shape .*{re.escape(fits)}"):
            of(network, forward(network, PARAMETERS, np.eye(3)), Y)


class TestContainers:
    """Parameters and gradients by layer and by name."""

    def test_by_name_and_by_layer(self):
        arrays = [np.full((1, 1), i) for i in range(6)]
        parameters, gradients = Parameters(*arrays), Gradients(*arrays)
        assert parameters.names == ["W1", "b1", "W2", "b2", "W3", "b3"]
        assert gradients.names == ["dW1", "db1", "dW2", "db2", "dW3", "db3"]
        assert parameters.depth == 3
        assert parameters.W3 is parameters.W[3] is arrays[4]
        assert parameters.b1 is parameters.b[1] is arrays[1]
        assert gradients.dW2 is gradients.dW[2] is arrays[2]
        assert gradients.db3 is gradients.db[3] is arrays[5]

    def test_a_name_that_is_none(self):
        with pytest.raises(AttributeError, match="there is no W3 among W1, b1, W2, b2"):
            _ = example().parameters.W3

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_half_a_layer(self, count):
        with pytest.raises(ConfigError, match=f"there are {count} arrays, but every layer has t"):
            Parameters(*[np.zeros((1, 1))] * count)

    @pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])  # fmt: skip  # noqa: E501
    def test_copies(self, again):
        parameters = example().parameters
        other = again(parameters)
        assert type(other) is Parameters
        for one, two in zip(parameters, other, strict=True):
            np.testing.assert_array_equal(one, two)


class TestCBOW:
    """Two layers, sparse contexts, softmax and cross-entropy."""

    @CBOW
    @pytest.mark.parametrize("seed", SEEDS)
    def test_equals_the_loops(self, name, seed):
        assert_equal_to_the_loops(example(seed=seed, activation=name))

    @CBOW
    @pytest.mark.parametrize("seed", SEEDS)
    def test_equals_autograd(self, name, seed):
        assert_equal_to_autograd(example(V=40, N=9, m=21, seed=seed, activation=name))

    @CBOW
    @pytest.mark.parametrize("seed", SEEDS)
    def test_equals_central_differences(self, name, seed):
        network, parameters, X, y = drawn = example(seed=seed, activation=name)
        assert np.abs(forward(network, parameters, X).Z1).min() > 1e-3  # no kink near
        _, gradients = cost_and_gradients(drawn)
        for ours, array in zip(gradients, parameters, strict=True):
            numeric = central_differences(
                lambda: cost(network, forward(network, parameters, X), y), array, 1e-4
            )
            assert np.abs(ours - numeric).max() < 1e-8 * np.abs(numeric).max()

    @CBOW
    def test_it_is_the_dense_network_of_two_layers(self, name):
        network, parameters, X, y = drawn = example(activation=name)
        dense = Example(network, parameters, X.toarray(), y)
        J, gradients = cost_and_gradients(drawn)
        other, others = cost_and_gradients(dense)
        assert pytest.approx(other, abs=1e-14) == J
        for one, two in zip(gradients, others, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-14)

    @CBOW
    def test_what_a_pass_holds(self, name):
        network, (W1, b1, W2, b2), X, _ = drawn = example(activation=name)
        pass_ = forward(network, drawn.parameters, X)
        np.testing.assert_allclose(pass_.Z1, W1 @ X.toarray() + b1)
        np.testing.assert_allclose(pass_.H, ACTIVATIONS[name].g(pass_.Z1))
        np.testing.assert_allclose(pass_.Z2, W2 @ pass_.H + b2)
        np.testing.assert_allclose(pass_.Yhat, ACTIVATIONS["softmax"].g(pass_.Z2))
        np.testing.assert_allclose(pass_.Yhat.sum(axis=0), 1)
        assert pass_.A[0] is X
        assert pass_.depth == 2
        for array in (pass_.Z1, pass_.H, pass_.Z2, pass_.Yhat):
            assert array.flags.f_contiguous

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @CBOW
    def test_dtypes_shapes_and_memory_orders(self, name, dtype):
        network, parameters, X, y = example(dtype=dtype, activation=name)
        pass_ = forward(network, parameters, X)
        gradients = backward(network, parameters, pass_, y)
        arrays = (pass_.Z1, pass_.H, pass_.Z2, pass_.Yhat, *gradients)
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}
        for ours, array in zip(gradients, parameters, strict=True):
            assert ours.shape == array.shape
            assert ours.flags.f_contiguous == array.flags.f_contiguous
            assert ours.flags.c_contiguous == array.flags.c_contiguous
        assert isinstance(cost(network, pass_, y), float)

    @CBOW
    def test_float32_is_near_float64(self, name):
        double = example(V=200, N=30, m=64, size=0.5, activation=name)
        single = Example(
            double.network,
            Parameters(*(array.astype(np.float32, order="K") for array in double.parameters)),
            double.X.astype(np.float32),
            double.Y,
        )
        loss32, g32 = cost_and_gradients(single)
        loss64, g64 = cost_and_gradients(double)
        assert loss32 == pytest.approx(loss64, rel=1e-5)
        for one, other in zip(g32, g64, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())

    @CBOW
    def test_memory_order_does_not_matter(self, name):
        network, (W1, b1, W2, b2), X, y = drawn = example(activation=name)
        turned = Parameters(np.ascontiguousarray(W1), b1, np.asfortranarray(W2), b2)
        J, gradients = cost_and_gradients(drawn)
        other, others = cost_and_gradients(Example(network, turned, X, y))
        assert pytest.approx(other, abs=1e-12) == J
        for one, two in zip(gradients, others, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-13)

    @CBOW
    def test_nothing_given_is_changed(self, name):
        network, parameters, X, y = example(activation=name)
        pass_ = forward(network, parameters, X)
        arrays = (*parameters, *pass_.Z.values(), pass_.H, pass_.Yhat, X.data, X.indices, y)
        before = [array.copy() for array in arrays]
        for array in arrays:
            array.setflags(write=False)
        cost(network, pass_, y)
        backward(network, parameters, pass_, y)
        forward(network, parameters, X)
        for array, old in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, old)

    @CBOW
    def test_a_batch_of_one(self, name):
        assert_equal_to_the_loops(example(m=1, activation=name))

    def test_an_empty_batch_costs_nothing_and_moves_nothing(self):
        network, parameters, _, _ = example()
        none = np.array([], np.int64)
        pass_ = forward(network, parameters, contexts(none, np.array([0]), 11, np.float64))
        assert cost(network, pass_, none) == 0.0
        gradients = backward(network, parameters, pass_, none)
        for gradient, array in zip(gradients, parameters, strict=True):
            np.testing.assert_array_equal(gradient, np.zeros_like(array))

    @given(cut=st.integers(0, 6), name=st.sampled_from(HIDDEN))
    @settings(deadline=None)
    def test_the_gradients_of_parts_add_up(self, cut, name):
        network, parameters, X, y = drawn = example(m=6, activation=name)
        J, whole = cost_and_gradients(drawn)
        total, sums = 0.0, Gradients(*(np.zeros_like(array) for array in parameters))
        for part in (slice(0, cut), slice(cut, 6)):
            pass_ = forward(network, parameters, X[:, part])
            total += cost(network, pass_, y[part]) * len(y[part]) / 6
            gradients = backward(network, parameters, pass_, y[part])
            for one, more in zip(sums, gradients, strict=True):
                one += more * len(y[part]) / 6
        assert total == pytest.approx(J, abs=1e-13)
        for one, other in zip(sums, whole, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-14)

    def test_a_word_without_influence_has_no_gradient(self):
        drawn = example()
        unseen = np.setdiff1d(np.arange(11), drawn.X.indices)
        assert len(unseen)
        _, gradients = cost_and_gradients(drawn)
        np.testing.assert_array_equal(gradients.dW1[:, unseen], 0)

    def test_a_unit_exactly_at_zero_gets_no_gradient(self):
        drawn = example()
        drawn.parameters.W1[0] = 0
        drawn.parameters.b1[0] = 0
        _, gradients = cost_and_gradients(drawn)
        np.testing.assert_array_equal(gradients.dW1[0], 0)
        assert gradients.db1[0] == 0
        np.testing.assert_array_equal(gradients.dW2[:, 0], 0)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_huge_logits_keep_cost_and_gradients_finite(self, dtype):
        drawn = example(dtype=dtype)
        drawn.parameters.b2[:, 0] = np.linspace(-1e4, 1e4, 11)
        J, gradients = cost_and_gradients(drawn._replace(Y=np.zeros_like(drawn.Y)))
        assert pytest.approx(2e4, rel=0.01) == J
        assert all(np.isfinite(gradient).all() for gradient in gradients)

    def test_the_cost_is_averaged_in_float64(self):
        network, parameters, X, y = example(m=5000, dtype=np.float32)
        pass_ = forward(network, parameters, X)
        losses = network.cost.losses(pass_.Z2, pass_.Yhat, y)
        assert cost(network, pass_, y) == float(losses.astype(np.float64).sum() / 5000)

    def test_the_default_network(self):
        assert [g.name for g in cbow_network().activations] == ["relu", "softmax"]
        assert cbow_network().cost is COSTS["cross-entropy"]
