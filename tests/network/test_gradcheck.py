"""The gradient check: it must see a wrong gradient, and pass every right one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_network import COMBINATIONS, HIDDEN

from cbow.errors import ConfigError
from cbow.network import (
    GradientErrors,
    Gradients,
    backward,
    central_differences,
    check_gradients,
    draw_dense_problem,
    draw_problem,
    forward,
    gradients_with_dW,
    make_network,
    measure_activity,
    mistaken_gradients,
    output_gradient_with_AL,
)
from cbow.network import gradcheck as module
from cbow.network.gradcheck import SMALLEST, STEP, TOLERANCE, relative_error

SHAPE = 12, 5, 8
FIELDS = ["dW1", "db1", "dW2", "db2"]


def test_central_differences_of_a_polynomial_are_exact():
    x = np.array([[0.5, -1.0], [2.0, 0.0]])
    slopes = central_differences(lambda: float((x**4 + 3 * x).sum()), x, 0.1)
    np.testing.assert_allclose(slopes, 4 * x**3 + 3, rtol=1e-12)


def test_central_differences_are_of_fourth_order():
    x = np.array([1.0])
    errors = [
        abs(central_differences(lambda: float(np.exp(x[0])), x, h)[0] - np.e) for h in (0.2, 0.1)
    ]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)


def test_central_differences_put_the_array_back():
    x = np.random.default_rng(0).normal(size=(3, 4))
    before = x.copy()
    central_differences(lambda: float(x.sum()), x, STEP)
    np.testing.assert_array_equal(x, before)


def test_relative_error_by_hand():
    assert relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.5])) == 0.5 / 2.5
    assert relative_error(np.array([-4.0, 2.0]), np.array([1.0, 2.5])) == 5 / 4
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.array([2e-6]), np.array([1e-6])) == pytest.approx(1e-6 / SMALLEST)


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("seed", range(3))
def test_ours_are_right_and_the_mistaken_ones_are_not(name, seed):
    rows = check_gradients(draw_problem(SHAPE, 2, seed, name))
    assert [row.name for row in rows] == ["dW1", "db1", "dW2", "db2"]
    assert [row.shape for row in rows] == [(5, 12), (5, 1), (12, 5), (12, 1)]
    assert all(row.right and row.ours < TOLERANCE for row in rows)
    assert [row.mistaken_right for row in rows] == [False, False, True, True]
    assert rows[0].mistaken > 0.1
    assert rows[2].mistaken == rows[2].ours


@pytest.mark.slow
@given(
    shape=st.tuples(st.integers(2, 15), st.integers(1, 6), st.integers(1, 12)),
    window=st.integers(1, 4),
    seed=st.integers(0, 2**63 - 1),
    name=st.sampled_from(HIDDEN),
)
@settings(deadline=None, max_examples=30)
def test_ours_are_right_for_every_shape(shape, window, seed, name):
    rows = check_gradients(draw_problem(shape, window, seed, name))
    assert all(row.right for row in rows)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("factor", [1 + 1e-6, -1, 0, 1 / 8])
def test_a_wrong_gradient_is_seen(monkeypatch, field, factor):
    def broken(*arguments):
        right = backward(*arguments)
        return Gradients(
            *(g * (factor if name == field else 1) for name, g in zip(FIELDS, right, strict=True))
        )

    monkeypatch.setattr(module, "backward", broken)
    rows = check_gradients(draw_problem(SHAPE, 2, 1))
    assert [row.name for row in rows if not row.right] == [field]


@pytest.mark.parametrize("entry", [(0, 0), (4, 11)])
def test_one_wrong_number_is_seen(monkeypatch, entry):
    def broken(*arguments):
        right = backward(*arguments)
        right.dW1[entry] += 1e-8
        return right

    monkeypatch.setattr(module, "backward", broken)
    assert not check_gradients(draw_problem(SHAPE, 2, 1))[0].right


def test_not_a_number_is_wrong():
    assert not GradientErrors("dW1", (1, 1), float("nan"), 0.0, 0.0, None).right
    assert not GradientErrors("dW1", (1, 1), 0.0, float("nan"), 0.0, None).mistaken_right


class TestMistakes:
    """Formulas that circulate, by hand."""

    def setup_method(self):
        network, self.parameters, self.X, self.y, _ = draw_problem(SHAPE, 2, 3)
        pass_ = forward(network, self.parameters, self.X)
        self.given = network, self.parameters, pass_, self.y
        self.dZ2 = (pass_.Yhat - np.eye(12)[:, self.y]) / 8
        self.pass_ = pass_

    def assert_hidden(self, gradients, dZ1):
        np.testing.assert_allclose(gradients.dW1, dZ1 @ self.X.toarray().T, atol=1e-14)
        np.testing.assert_allclose(gradients.db1[:, 0], dZ1.sum(axis=1), atol=1e-14)
        right = backward(*self.given)
        np.testing.assert_array_equal(gradients.dW2, right.dW2)
        np.testing.assert_array_equal(gradients.db2, right.db2)

    def test_the_lecture(self):
        mistaken = mistaken_gradients(*self.given)
        self.assert_hidden(mistaken, np.maximum(0, self.parameters.W2.T @ self.dZ2))
        assert mistaken.dW1.min() >= 0
        assert mistaken.db1.min() >= 0

    def test_the_gradient_in_place_of_the_weights(self):
        dW2 = self.dZ2 @ self.pass_.H.T
        dZ1 = (dW2.T @ self.dZ2) * (self.pass_.Z1 > 0)
        self.assert_hidden(gradients_with_dW(*self.given), dZ1)

    def test_the_output_in_place_of_the_layer_before(self):
        slip = output_gradient_with_AL(*self.given)
        assert slip.shape == (12, 12)
        np.testing.assert_allclose(slip, self.dZ2 @ self.pass_.Yhat.T, atol=1e-14)

    def test_the_check_tells_where_each_is_wrong(self):
        rows = check_gradients(draw_problem(SHAPE, 2, 3))
        assert [row.with_dW < TOLERANCE for row in rows] == [False, False, True, True]
        assert [row.with_AL for row in rows] == [row.ours for row in rows[:2]] + [
            None,
            rows[3].ours,
        ]

    def test_where_the_last_two_layers_are_of_one_size_the_slip_has_a_number(self):
        network = make_network(["tanh", "identity"], "squared-error")
        rows = check_gradients(draw_dense_problem(network, (3, 4, 4), 8, 1))
        assert [row.with_AL is not None and row.with_AL > 0.1 for row in rows] == [
            False, False, True, False
        ]  # fmt: skip


class TestDense:
    """Dense layers of any depth."""

    @pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
    def test_every_combination_is_right(self, combination):
        sizes, hidden, output, cost = combination
        network = make_network([hidden] * (len(sizes) - 2) + [output], cost)
        problem = draw_dense_problem(network, sizes, 8, 1)
        rows = check_gradients(problem)
        assert [row.right for row in rows] == [True] * len(rows)
        assert len(rows) == 2 * network.depth
        pass_ = forward(network, problem.parameters, problem.X)
        for gradient in backward(network, problem.parameters, pass_, problem.Y):
            assert np.abs(gradient).max() > 1e-4  # the check is not vacuous

    def test_sizes_that_do_not_fit_the_network(self):
        network = make_network(["relu", "softmax"], "cross-entropy")
        with pytest.raises(ConfigError, match="4,3, which takes 1 activations, but there are 2"):
            draw_dense_problem(network, (4, 3), 8, 1)

    @pytest.mark.parametrize("seed", range(5))
    def test_no_unit_crosses_zero_at_any_step(self, seed):
        """Try them all: every parameter by two steps, up and down."""
        network = make_network(["relu", "relu", "relu"], "squared-error")
        _, parameters, X, _, _ = draw_dense_problem(network, (3, 6, 6, 4), 8, seed)
        signs = [Z > 0 for Z in forward(network, parameters, X).Z.values()]
        for array in parameters:
            for place in np.ndindex(array.shape):
                x = array[place]
                for h in (-2 * STEP, 2 * STEP):
                    array[place] = x + h
                    now = [Z > 0 for Z in forward(network, parameters, X).Z.values()]
                    for one, other in zip(signs, now, strict=True):
                        np.testing.assert_array_equal(one, other)
                array[place] = x

    def test_a_layer_that_was_all_dead_is_drawn_again(self):
        network = make_network(["relu"], "squared-error")
        for seed in range(20):
            _, parameters, X, _, _ = draw_dense_problem(network, (2, 1), 2, seed)
            assert (forward(network, parameters, X).Z1 > 0).any()

    def test_a_large_batch_ends(self):
        network = make_network(["relu"] * 3, "squared-error")
        assert draw_dense_problem(network, (20, 20, 20, 20), 1000, 1).redrawn > 100

    def test_targets(self):
        def drawn(output, cost):
            return draw_dense_problem(make_network([output], cost), (2, 3), 50, 1).Y

        assert set(drawn("softmax", "cross-entropy")) == {0, 1, 2}
        assert set(drawn("sigmoid", "logistic").ravel()) == {0.0, 1.0}
        assert drawn("tanh", "squared-error").shape == (3, 50)


class TestActivity:
    """Active and dead units."""

    def test_by_hand(self):
        problem = draw_problem(SHAPE, 2, 1)
        on = forward(problem.network, problem.parameters, problem.X).Z1 > 0
        (row,) = measure_activity(problem)
        assert (row.layer, row.units, row.active) == (1, 5, on.mean())
        assert row.dead == sum(not any(unit) for unit in on) == 2

    @pytest.mark.parametrize("name", ["leaky_relu", "sigmoid", "tanh", "identity"])
    def test_other_units_are_always_active(self, name):
        (row,) = measure_activity(draw_problem(SHAPE, 2, 1, name))
        assert (row.active, row.dead) == (1.0, 0)

    def test_one_row_for_each_hidden_layer(self):
        network = make_network(["relu", "tanh", "softmax"], "cross-entropy")
        rows = measure_activity(draw_dense_problem(network, (4, 6, 5, 3), 8, 1))
        assert [(row.layer, row.units) for row in rows] == [(1, 6), (2, 5)]
        assert rows[1].active == 1.0


def test_the_problem_is_left_as_it_was():
    problem = draw_problem(SHAPE, 2, 1)
    before = [array.copy() for array in problem.parameters]
    for array in problem.parameters:
        array.setflags(write=False)
    check_gradients(problem)
    for array, old in zip(problem.parameters, before, strict=True):
        np.testing.assert_array_equal(array, old)


class TestDraw:
    """The random network and batch."""

    def test_shapes_and_orders(self):
        _, (W1, b1, W2, b2), X, y, _ = draw_problem(SHAPE, 3, 1)
        assert [array.shape for array in (W1, b1, W2, b2, X, y)] == [
            (5, 12), (5, 1), (12, 5), (12, 1), (12, 8), (8,)
        ]  # fmt: skip
        assert W1.flags.f_contiguous
        assert {array.dtype for array in (W1, b1, W2, b2, X)} == {np.dtype(np.float64)}

    def test_the_softmax_does_not_saturate(self):
        problem = draw_problem((200, 400, 50), 2, 1)
        Yhat = forward(problem.network, problem.parameters, problem.X).Yhat
        assert np.median(Yhat.max(axis=0)) < 0.2

    def test_a_context_has_twice_the_window(self):
        X = draw_problem((1000, 2, 50), 3, 1).X
        np.testing.assert_allclose(X.sum(axis=0), 1)
        assert np.diff(X.indptr).tolist() == [6] * 50

    def test_same_seed_same_problem(self):
        one, other = draw_problem(SHAPE, 2, 4), draw_problem(SHAPE, 2, 4)
        np.testing.assert_array_equal(one.parameters.W1, other.parameters.W1)
        np.testing.assert_array_equal(one.X.toarray(), other.X.toarray())
        np.testing.assert_array_equal(one.Y, other.Y)
        assert not np.array_equal(one.Y, draw_problem(SHAPE, 2, 5).Y)

    @pytest.mark.parametrize("seed", range(5))
    def test_no_unit_is_near_its_kink(self, seed):
        """So many units that without drawing again hundreds would be."""
        problem = draw_problem((40, 300, 200), 2, seed)
        Z1 = forward(problem.network, problem.parameters, problem.X).Z1
        assert np.abs(Z1).min() > 2 * STEP
        assert problem.redrawn > 10

    def test_nothing_is_drawn_again_without_need(self):
        assert draw_problem(SHAPE, 2, 1).redrawn == 0
