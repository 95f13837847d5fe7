"""Exponentials and their sums, against numpy."""

import math

import numpy as np
import pytest

from cbow.system.compiled import compiled
from cbow.training.kernels import exponentials_and_sums

pytestmark = pytest.mark.kernels


@compiled
def called_by_a_kernel(L, top, total):
    exponentials_and_sums(L, top, total)


@pytest.mark.parametrize("function", [exponentials_and_sums, called_by_a_kernel])
@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 2e-7), (np.float64, 4e-16)])
def test_exponentials_are_near_those_of_numpy(function, dtype, error):
    """Near for the size of x: it is rounded before it is an exponent."""
    x = -np.geomspace(1e-6, 85, 300).astype(dtype).reshape(3, 100)  # to about 2^-123
    top, total = np.array([0, 1, -3], dtype), np.array([0.0, 5.0, 0.0])
    E = x + top[:, None]
    expected = np.exp(E.astype(np.float64) - top[:, None])
    function(E, top, total)
    sums = E.sum(axis=1, dtype=np.float64)
    assert E.dtype == dtype
    assert (np.abs(E / expected - 1) <= error * (1 - x)).all()
    np.testing.assert_allclose(total, sums + np.array([0, 5, 0]), rtol=1e-6)


def test_float32_ends_at_the_least_normal_number():
    E = np.array([[-87, -88, -1e4, -3e38, -np.inf, 0]], np.float32)
    with np.errstate(over="ignore"):
        exponentials_and_sums(E, np.zeros(1, np.float32), np.zeros(1))
    assert E[0, 0] == pytest.approx(math.exp(-87), rel=1e-5)
    assert E[0, 1:].tolist() == [2.0**-126] * 4 + [1.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wrong", [np.nan, -np.nan])
def test_not_a_number_stays(dtype, wrong):
    E, total = np.array([[0, wrong, -1], [0, 0, 0]], dtype), np.zeros(2)
    exponentials_and_sums(E, np.zeros(2, dtype), total)
    assert np.isnan(E).tolist() == [[False, True, False], [False, False, False]]
    assert np.isnan(total[0])
    assert total[1] == 3


def test_each_precision_has_its_own_way():
    """In float64 the plain exp, to the last bit; in float32 not below 2^-126."""
    for dtype in (np.float32, np.float64):
        E = np.array([[-100.0, -0.5]], dtype)
        exponentials_and_sums(E, np.zeros(1, dtype), np.zeros(1))
        assert bool(E[0, 0] == math.exp(-100)) is (dtype is np.float64)
        assert bool(E[0, 0] == 2.0**-126) is (dtype is np.float32)
