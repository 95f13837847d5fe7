"""How the network starts."""

import numpy as np
import pytest

from cbow.errors import ConfigError
from cbow.network import cbow_network, contexts, forward, initialise, initialise_dense
from cbow.network.parameters import B1_START, W1_SCALE

V, N = 30, 7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_dtypes_and_memory_orders(dtype):
    W1, _b1, W2, _b2 = parameters = initialise(V, N, 1, dtype=dtype)
    assert [array.shape for array in parameters] == [(N, V), (N, 1), (V, N), (V, 1)]
    assert all(array.dtype == dtype for array in parameters)
    assert W1.flags.f_contiguous
    assert W1.T.flags.c_contiguous
    assert W2.flags.c_contiguous
    assert all(array.flags.writeable for array in parameters)


def test_float32_by_default():
    assert initialise(V, N, 1).W1.dtype == np.float32


def test_same_seed_same_numbers():
    for one, other in zip(initialise(V, N, 5), initialise(V, N, 5), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_other_numbers():
    assert not np.array_equal(initialise(V, N, 5).W1, initialise(V, N, 6).W1)


def test_the_numbers_of_a_seed_stay_the_same_for_ever():
    drawn = np.random.Generator(np.random.PCG64(3)).uniform(
        -W1_SCALE / 2**0.5, W1_SCALE / 2**0.5, size=(2, 2)
    )
    W1 = initialise(2, 2, 3, dtype=np.float64).W1
    np.testing.assert_array_equal(W1.T, drawn)


def test_global_random_state_is_left_alone():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    initialise(V, N, 1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_float32_is_the_rounded_float64():
    single, double = initialise(V, N, 2), initialise(V, N, 2, dtype=np.float64)
    np.testing.assert_array_equal(single.W1, double.W1.astype(np.float32))


def test_nearly_every_unit_fires_at_the_start():
    parameters = initialise(2000, 100, 1)
    ids = np.random.default_rng(0).integers(2000, size=10 * 500)
    X = contexts(ids, np.arange(501) * 10, 2000)
    fires = forward(cbow_network(), parameters, X).Z1 > 0  # (N, m)
    assert fires.mean() > 0.95
    assert fires.any(axis=1).all()
    assert parameters.b1.min() == parameters.b1.max() == np.float32(B1_START)


def test_units_differ():
    assert len(np.unique(initialise(V, N, 1).W1)) > N * V * 0.9


def test_the_first_prediction_is_the_unigram_distribution():
    shares = np.random.default_rng(0).dirichlet(np.ones(V))
    parameters = initialise(V, N, 1, log_unigram=np.log(shares), dtype=np.float64)
    X = contexts(np.array([1, 2, 3]), np.array([0, 2, 3]), V, np.float64)
    Yhat = forward(cbow_network(), parameters, X).Yhat
    np.testing.assert_allclose(Yhat, np.column_stack([shares, shares]), rtol=1e-12)


def test_without_shares_every_word_is_as_likely():
    parameters = initialise(V, N, 1)
    X = contexts(np.array([1]), np.array([0, 1]), V)
    Yhat = forward(cbow_network(), parameters, X).Yhat
    np.testing.assert_allclose(Yhat, 1 / V, rtol=1e-6)


class TestDense:
    """The start of a network of dense layers."""

    def test_shapes(self):
        parameters = initialise_dense([4, 5, 3], seed=1)
        assert [array.shape for array in parameters] == [(5, 4), (5, 1), (3, 5), (3, 1)]
        assert all(array.dtype == np.float64 for array in parameters)
        assert initialise_dense([2, 2], seed=1, dtype=np.float32).W1.dtype == np.float32

    def test_the_variance_is_that_of_he(self):
        W1, b1, _, _ = initialise_dense([400, 500, 2], seed=1)
        assert W1.std() == pytest.approx((2 / 400) ** 0.5, rel=0.01)
        assert abs(W1.mean()) < 1e-3
        assert not b1.any()

    def test_the_seed_decides(self):
        one, same, other = (initialise_dense([3, 2], seed=seed).W1 for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("sizes", [[], [4], [4, 0, 3], [-1, 2]])
    def test_sizes_that_cannot_be(self, sizes):
        with pytest.raises(ConfigError, match="but must be two numbers or more, each 1 or more"):
            initialise_dense(sizes, seed=1)


def test_drawn_in_pieces_as_in_one(monkeypatch):
    in_one = initialise(50, N, 4, buckets=9).W1
    monkeypatch.setattr("cbow.network.parameters.TOGETHER", 7)
    np.testing.assert_array_equal(initialise(50, N, 4, buckets=9).W1, in_one)
