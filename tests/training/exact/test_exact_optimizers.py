"""The parallel optimizers: the steps of the plain ones, whatever the pieces and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cbow.network import OPTIMIZERS, Gradients, Parameters, initialise
from cbow.training.exact import trainer
from cbow.training.exact.trainer import STEPS, update

pytestmark = pytest.mark.kernels

V, N = 23, 3
RATES = 0.1, 0.001, 0.05, 0.2


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Cut few numbers into many pieces, the last of them not full."""
    monkeypatch.setattr(trainer, "PIECE", 10)


def start(dtype=np.float64):
    return initialise(V, N, 1, dtype=dtype)


def gradients(parameters, step=0):
    rng = np.random.default_rng(step)
    drawn = (rng.normal(size=theta.T.shape).astype(theta.dtype).T for theta in parameters)
    return Gradients(
        *(
            np.asarray(g, order="F" if theta.flags.f_contiguous else "C")
            for g, theta in zip(drawn, parameters, strict=True)
        )
    )


def after_steps(name, parameters, rate=RATES, pool=None):
    optimizer = OPTIMIZERS[name](parameters)
    for step in range(4):
        arguments = parameters, gradients(parameters, step), rate
        update(optimizer, *arguments, pool) if pool else optimizer.update(*arguments)
    return [*parameters, *optimizer.arrays().values()]


def test_every_optimizer_has_a_parallel_step():
    assert list(STEPS) == list(OPTIMIZERS.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("rate", [RATES, 0.1])
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_steps_are_those_of_the_plain_optimizer(name, rate, dtype, error):
    one, other = start(dtype), start(dtype)
    expected = after_steps(name, one, rate)
    with ThreadPoolExecutor(2) as pool:
        found = after_steps(name, other, rate, pool)
    for theirs, ours in zip(expected, found, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=error, atol=error)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_threads_make_no_difference(name):
    results = []
    for threads in (1, 2, 8):
        parameters = start(np.float32)
        with ThreadPoolExecutor(threads) as pool:
            arrays = after_steps(name, parameters, pool=pool)
        results.append([array.tobytes() for array in arrays])
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_few_numbers_are_not_handed_to_the_pool(name, monkeypatch):
    one, other = start(), start()
    expected = after_steps(name, one)
    monkeypatch.setattr(trainer, "PIECE", sum(theta.size for theta in other))
    pool = ThreadPoolExecutor(1)
    pool.shutdown()  # it takes nothing any more
    found = after_steps(name, other, pool=pool)
    for theirs, ours in zip(expected, found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_overflow_makes_no_noise(name):
    parameters = start(np.float32)
    huge = Gradients(*(np.full_like(theta, 1e30) for theta in parameters))
    with ThreadPoolExecutor(1) as pool:
        update(OPTIMIZERS[name](parameters), parameters, huge, 1e30, pool)
    assert not np.array_equal(parameters.W1, start(np.float32).W1)


def test_arrays_that_lie_otherwise_are_refused():
    """A step would change a copy, or mix the gradients of different numbers."""
    parameters = start()
    turned = Gradients(*(np.array(g, order="C") for g in gradients(parameters)))
    with ThreadPoolExecutor(1) as pool:
        sgd = OPTIMIZERS["sgd"](parameters)
        with pytest.raises(ValueError, match=r"shape \(3, 23\) does not lie in memory in F order"):
            update(sgd, parameters, turned, 0.1, pool)
        apart = Parameters(*(np.repeat(theta, 2, axis=1)[:, ::2] for theta in parameters))
        with pytest.raises(ValueError, match="pass contiguous arrays"):
            update(sgd, apart, gradients(parameters), 0.1, pool)
