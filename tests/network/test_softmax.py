"""Softmax, small, huge and in blocks."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.network import softmax
from cbow.network import softmax as softmax_function
from cbow.network.softmax import BLOCK, softmax_and_normaliser

FINITE = {"allow_nan": False, "allow_infinity": False}
LOGITS = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e6, 1e6, **FINITE),
)


def test_by_hand():
    Z2 = np.log(np.array([[1.0, 2.0], [3.0, 2.0]]))
    np.testing.assert_allclose(softmax(Z2), [[0.25, 0.5], [0.75, 0.5]])


@given(LOGITS)
def test_equals_scipy(Z2):
    Yhat, logS = softmax_and_normaliser(Z2)
    np.testing.assert_allclose(Yhat, scipy.special.softmax(Z2, axis=0), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(logS, scipy.special.logsumexp(Z2, axis=0, keepdims=True), atol=1e-9)
    np.testing.assert_allclose(Yhat.sum(axis=0), 1)


@given(LOGITS, st.floats(-1e3, 1e3, **FINITE))
def test_a_constant_added_changes_nothing(Z2, constant):
    np.testing.assert_allclose(softmax(Z2 + constant), softmax(Z2), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_huge_logits_do_not_overflow(dtype, size):
    Z2 = np.array([[size, -size], [0, -size], [-size, 0]], dtype)
    np.testing.assert_array_equal(softmax(Z2), [[1, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("m", [0, 1, 2, 3, 7])
def test_blocks_do_not_show(order, m):
    V = BLOCK // 3 + 1  # two columns a block
    Z2 = np.asarray(np.random.default_rng(m).normal(size=(V, m)), order=order)
    before = Z2.copy()
    Yhat, logS = softmax_and_normaliser(Z2)
    np.testing.assert_allclose(Yhat, scipy.special.softmax(Z2, axis=0), rtol=1e-12)
    assert logS.shape == (1, m)
    np.testing.assert_allclose(logS[0], scipy.special.logsumexp(Z2, axis=0))
    np.testing.assert_array_equal(Z2, before)


def test_a_column_longer_than_a_block():
    Z2 = np.random.default_rng(0).normal(size=(BLOCK + 1, 2))
    np.testing.assert_allclose(softmax(Z2), scipy.special.softmax(Z2, axis=0), rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_stays(dtype):
    Yhat, logS = softmax_and_normaliser(np.zeros((3, 2), dtype))
    assert Yhat.dtype == logS.dtype == dtype


def test_into_an_array_that_is_there():
    Z2 = np.random.default_rng(0).normal(size=(4, 3))
    room = np.full_like(Z2, np.nan)
    Yhat, _ = softmax_and_normaliser(Z2, into=room)
    assert Yhat is room
    np.testing.assert_array_equal(Yhat, softmax_function(Z2))


def test_not_a_number_is_not_hidden():
    Yhat, logS = softmax_and_normaliser(np.array([[np.nan, 0.0], [0.0, 0.0]]))
    assert np.isnan(Yhat[:, 0]).all()
    assert np.isnan(logS[0, 0])
    np.testing.assert_allclose(Yhat[:, 1], 0.5)
