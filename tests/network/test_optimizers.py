"""The optimizers, against arithmetic by hand, naive twins and problems with a known answer."""

import numpy as np
import pytest

from cbow.errors import ConfigError
from cbow.network import (
    OPTIMIZERS,
    SGD,
    AdaGrad,
    Adam,
    Gradients,
    Parameters,
    initialise,
    linear_decay,
    make_optimizer,
)
from cbow.network.optimizers import FLOOR


def constant(value, dtype=np.float64):
    return Parameters(*(np.full_like(array, value) for array in initialise(3, 2, 1, dtype=dtype)))


def as_gradients(parameters):
    return Gradients(*parameters)


def test_every_optimizer_is_made_by_its_name():
    assert isinstance(make_optimizer("adam", constant(0)), Adam)
    assert isinstance(make_optimizer("adagrad", constant(0)), AdaGrad)
    assert isinstance(make_optimizer("sgd", constant(0)), SGD)


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="optimizer is 'rmsprop', but must be one of sgd, adagr"):
        make_optimizer("rmsprop", constant(0))


def steps(name, gradients, rate):
    """Start all parameters at 1, apply constant gradients, give the value after each."""
    parameters = constant(1.0)
    optimizer = make_optimizer(name, parameters)
    values = []
    for g in gradients:
        optimizer.update(parameters, as_gradients(constant(g)), rate)
        assert len({float(x) for array in parameters for x in array.flat}) == 1
        values.append(parameters.W1[0, 0])
    return values


def test_sgd_by_hand():
    np.testing.assert_allclose(steps("sgd", [2.0, -1.0], 0.1), [0.8, 0.9])


def test_adagrad_by_hand():
    first = 1 - 0.1 * 3 / 3
    np.testing.assert_allclose(steps("adagrad", [3.0, 4.0], 0.1), [first, first - 0.1 * 4 / 5])


def test_adam_by_hand():
    a = 1 - 0.1 * 0.2 / (0.2 + 1e-8 / np.sqrt(0.001))  # both moments, corrected, are exact at t = 1
    m2 = (0.9 * 0.1 * 0.2 + 0.1 * -0.4) / (1 - 0.9**2)
    v2 = (0.999 * 0.001 * 0.04 + 0.001 * 0.16) / (1 - 0.999**2)
    b = a - 0.1 * m2 / (np.sqrt(v2) + 1e-8 / np.sqrt(1 - 0.999**2))
    np.testing.assert_allclose(steps("adam", [0.2, -0.4], 0.1), [a, b], rtol=1e-12)


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient():
    for g in (1e-3, 1.0, 1e6):
        np.testing.assert_allclose(steps("adam", [g], 0.01), [0.99], rtol=1e-5)


def naive_adam(theta, gradients, rate):
    """Algorithm 1 as printed, with ε put where section 2 moves it."""
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        rate_t = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        theta = theta - rate_t * m / (np.sqrt(v) + 1e-8)
    return theta


def naive_adagrad(theta, gradients, rate):
    G = 0.0
    for g in gradients:
        G = G + g**2
        theta = theta - rate * g / (np.sqrt(G) + 1e-10)
    return theta


def naive_sgd(theta, gradients, rate):
    return theta - rate * sum(gradients)


NAIVE = {"adam": naive_adam, "adagrad": naive_adagrad, "sgd": naive_sgd}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_equals_the_naive_twin(name):
    random = np.random.default_rng(0)
    parameters = initialise(7, 9, 1, dtype=np.float64)
    start = [array.copy() for array in parameters]
    gradients = [
        Gradients(*(random.normal(size=array.shape) for array in parameters)) for _ in range(4)
    ]
    optimizer = make_optimizer(name, parameters)
    for each in gradients:
        optimizer.update(parameters, each, 0.05)
    for i, array in enumerate(parameters):
        expected = NAIVE[name](start[i], [each[i] for each in gradients], 0.05)
        np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updates_in_place_and_keeps_the_dtype(name, dtype):
    parameters = constant(1, dtype)
    gradients = as_gradients(constant(0.5, dtype))
    before = [array.copy() for array in gradients]
    optimizer = make_optimizer(name, parameters)
    optimizer.update(parameters, gradients, 0.1)
    for array in parameters:
        assert array.dtype == dtype
        assert (array < 1).all()
    for array, old in zip(gradients, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("state", ["m", "v"])
def test_state_has_the_shape_order_and_dtype_of_the_parameters(state):
    parameters = initialise(5, 3, 1)
    for array, like in zip(getattr(Adam(parameters), state), parameters, strict=True):
        assert array.shape == like.shape
        assert array.dtype == like.dtype
        assert array.flags.f_contiguous == like.flags.f_contiguous
    for array in AdaGrad(parameters).G:
        np.testing.assert_array_equal(array, 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_optimizers_share_nothing(name):
    one, other = constant(1.0), constant(1.0)
    first, second = make_optimizer(name, one), make_optimizer(name, other)
    for _ in range(3):
        first.update(one, as_gradients(constant(1.0)), 0.1)
    second.update(other, as_gradients(constant(1.0)), 0.1)
    np.testing.assert_array_equal(other.W1, steps(name, [1.0], 0.1)[0])


@pytest.mark.parametrize(("name", "rate"), [("sgd", 0.1), ("adagrad", 1.0), ("adam", 0.1)])
def test_finds_the_bottom_of_a_quadratic(name, rate):
    random = np.random.default_rng(3)
    parameters = initialise(6, 4, 1, dtype=np.float64)
    target = [random.normal(size=array.shape) for array in parameters]
    slope = [random.uniform(0.5, 4, size=array.shape) for array in parameters]
    optimizer = make_optimizer(name, parameters)
    for step in range(600):
        gradients = Gradients(
            *(s * (p - t) for s, p, t in zip(slope, parameters, target, strict=True))
        )
        optimizer.update(parameters, gradients, linear_decay(rate, step / 600))
    for array, wanted in zip(parameters, target, strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_moves_nothing(name):
    assert steps(name, [0.0, 0.0], 0.1) == [1.0, 1.0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_not_a_number_is_not_hidden(name):
    assert np.isnan(steps(name, [1.0], 0.1)[0]) == np.False_
    parameters = constant(1.0)
    gradients = as_gradients(constant(1.0))
    gradients.dW2[1, 1] = np.nan
    make_optimizer(name, parameters).update(parameters, gradients, 0.1)
    assert np.isnan(parameters.W2).sum() == 1
    assert np.isnan(parameters.W2[1, 1])


def test_arrays_of_another_shape_are_refused():
    parameters = constant(1.0)
    with pytest.raises(ValueError, match=r"broadcast|operand"):
        SGD(parameters).update(parameters, as_gradients(initialise(4, 2, 1, dtype=np.float64)), 1)


@pytest.mark.parametrize(
    ("progress", "share"), [(0, 1), (0.25, 0.75), (0.5, 0.5), (1, FLOOR), (0.99999, FLOOR)]
)
def test_linear_decay(progress, share):
    assert linear_decay(0.2, progress) == pytest.approx(0.2 * share)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_goes_on_with_the_arrays_it_gave(name):
    def run(steps, optimizer, parameters):
        for i in steps:
            gradients = Gradients(*(np.cos(i + array) for array in parameters))
            optimizer.update(parameters, gradients, 0.1)

    start = Parameters(np.ones((3, 2)), np.zeros((3, 1)))
    whole = Parameters(*(array.copy() for array in start))
    optimizer = make_optimizer(name, whole)
    run(range(3), optimizer, whole)
    other = Parameters(*(array.copy() for array in whole))
    again = make_optimizer(name, other)
    for key, array in again.arrays().items():
        array[...] = optimizer.arrays()[key]
    run(range(3, 6), optimizer, whole)
    run(range(3, 6), again, other)
    for one, two in zip(whole, other, strict=True):
        np.testing.assert_array_equal(one, two)
