"""The gradient check: it must see a wrong gradient, and pass every right one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbow.network import (
    ACTIVATIONS,
    GradientErrors,
    Gradients,
    backward,
    central_differences,
    check_gradients,
    draw_problem,
    forward,
    mistaken_gradients,
)
from cbow.network import gradcheck as module
from cbow.network.gradcheck import SMALLEST, STEP, TOLERANCE, relative_error

SHAPE = 12, 5, 8


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


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(10))
def test_ours_are_right_and_the_mistaken_ones_are_not(name, seed):
    rows = check_gradients(draw_problem(SHAPE, 2, seed), ACTIVATIONS[name])
    assert [row.name for row in rows] == ["dW1", "db1", "dW2", "db2"]
    assert [row.shape for row in rows] == [(5, 12), (5, 1), (12, 5), (12, 1)]
    assert all(row.right and row.ours < TOLERANCE for row in rows)
    assert [row.mistaken_right for row in rows] == [False, False, True, True]
    assert rows[0].mistaken > 0.1
    assert rows[2].mistaken == rows[2].ours


@given(
    shape=st.tuples(st.integers(2, 15), st.integers(1, 6), st.integers(1, 12)),
    window=st.integers(1, 4),
    seed=st.integers(0, 2**63 - 1),
    name=st.sampled_from(list(ACTIVATIONS)),
)
@settings(deadline=None, max_examples=30)
def test_ours_are_right_for_every_shape(shape, window, seed, name):
    rows = check_gradients(draw_problem(shape, window, seed), ACTIVATIONS[name])
    assert all(row.right for row in rows)


@pytest.mark.parametrize("field", Gradients._fields)
@pytest.mark.parametrize("factor", [1 + 1e-6, -1, 0, 1 / 8])
def test_a_wrong_gradient_is_seen(monkeypatch, field, factor):
    def broken(*arguments):
        right = backward(*arguments)
        return right._replace(**{field: getattr(right, field) * factor})

    monkeypatch.setattr(module, "backward", broken)
    rows = check_gradients(draw_problem(SHAPE, 2, 1), ACTIVATIONS["relu"])
    assert [row.name for row in rows if not row.right] == [field]


@pytest.mark.parametrize("entry", [(0, 0), (4, 11)])
def test_one_wrong_number_is_seen(monkeypatch, entry):
    def broken(*arguments):
        right = backward(*arguments)
        right.dW1[entry] += 1e-8
        return right

    monkeypatch.setattr(module, "backward", broken)
    assert not check_gradients(draw_problem(SHAPE, 2, 1), ACTIVATIONS["relu"])[0].right


def test_not_a_number_is_wrong():
    assert not GradientErrors("dW1", (1, 1), float("nan"), 0.0).right
    assert not GradientErrors("dW1", (1, 1), 0.0, float("nan")).mistaken_right


def test_the_mistaken_formula():
    parameters, X, y, _ = problem = draw_problem(SHAPE, 2, 3)
    pass_ = forward(parameters, X, ACTIVATIONS["relu"])
    right = backward(parameters, X, y, pass_, ACTIVATIONS["relu"])
    mistaken = mistaken_gradients(parameters, X, y, pass_, right)
    dZ2 = (pass_.Yhat - np.eye(12)[:, y]) / 8
    dZ1 = np.maximum(0, problem.parameters.W2.T @ dZ2)
    np.testing.assert_allclose(mistaken.dW1, dZ1 @ X.toarray().T, atol=1e-14)
    np.testing.assert_allclose(mistaken.db1[:, 0], dZ1.sum(axis=1), atol=1e-14)
    assert mistaken.dW1.min() >= 0
    assert mistaken.db1.min() >= 0


def test_the_problem_is_left_as_it_was():
    problem = draw_problem(SHAPE, 2, 1)
    before = [array.copy() for array in problem.parameters]
    for array in problem.parameters:
        array.setflags(write=False)
    check_gradients(problem, ACTIVATIONS["relu"])
    for array, old in zip(problem.parameters, before, strict=True):
        np.testing.assert_array_equal(array, old)


class TestDraw:
    """The random network and batch."""

    def test_shapes_and_orders(self):
        (W1, b1, W2, b2), X, y, _ = draw_problem(SHAPE, 3, 1)
        assert [array.shape for array in (W1, b1, W2, b2, X, y)] == [
            (5, 12), (5, 1), (12, 5), (12, 1), (12, 8), (8,)
        ]  # fmt: skip
        assert W1.flags.f_contiguous
        assert {array.dtype for array in (W1, b1, W2, b2, X)} == {np.dtype(np.float64)}

    def test_the_softmax_does_not_saturate(self):
        problem = draw_problem((200, 400, 50), 2, 1)
        Yhat = forward(problem.parameters, problem.X, ACTIVATIONS["relu"]).Yhat
        assert np.median(Yhat.max(axis=0)) < 0.2

    def test_a_context_has_twice_the_window(self):
        X = draw_problem((1000, 2, 50), 3, 1).X
        np.testing.assert_allclose(X.sum(axis=0), 1)
        assert np.diff(X.indptr).tolist() == [6] * 50

    def test_same_seed_same_problem(self):
        one, other = draw_problem(SHAPE, 2, 4), draw_problem(SHAPE, 2, 4)
        np.testing.assert_array_equal(one.parameters.W1, other.parameters.W1)
        np.testing.assert_array_equal(one.X.toarray(), other.X.toarray())
        np.testing.assert_array_equal(one.y, other.y)
        assert not np.array_equal(one.y, draw_problem(SHAPE, 2, 5).y)

    @pytest.mark.parametrize("seed", range(5))
    def test_no_unit_is_near_its_kink(self, seed):
        """So many units that without drawing again hundreds would be."""
        problem = draw_problem((40, 300, 200), 2, seed)
        Z1 = forward(problem.parameters, problem.X, ACTIVATIONS["relu"]).Z1
        assert np.abs(Z1).min() > 2 * STEP
        assert problem.redrawn > 10

    def test_nothing_is_drawn_again_without_need(self):
        assert draw_problem(SHAPE, 2, 1).redrawn == 0
