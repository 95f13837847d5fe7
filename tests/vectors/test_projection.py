"""Principal components, against the eigenvectors of the covariance matrix."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cbow.errors import QueryError
from cbow.vectors.embeddings import principal_components


def drawn(seed, n, N, rank=None, dtype=np.float64):
    """Vectors about a mean far from 0, with variances that differ."""
    rng = np.random.default_rng(seed)
    rank = rank or N
    rows = rng.standard_normal((n, rank)) * 2.0 ** -np.arange(rank) @ rng.standard_normal((rank, N))
    return (rows + 10 * rng.standard_normal(N)).astype(dtype)


def by_eigenvalues(rows):
    """Variances and axes by the covariance matrix, the largest first."""
    values, axes = scipy.linalg.eigh(np.cov(rows, rowvar=False, dtype=np.float64))
    return values[::-1], axes[:, ::-1].T


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "N"), [(10, 4), (4, 10), (7, 7), (3, 2), (40, 6)])
def test_they_are_the_eigenvectors_of_the_covariance(seed, n, N):
    rows = drawn(seed, n, N)
    values, axes = by_eigenvalues(rows)
    coordinates, components, shares = principal_components(rows)
    K = min(n - 1, N)
    assert coordinates.shape == (n, K)
    assert components.shape == (K, N)
    np.testing.assert_allclose(shares, values[:K] / values.sum(), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(coordinates.var(axis=0, ddof=1), values[:K], rtol=1e-6)
    np.testing.assert_allclose(np.abs((components * axes[:K]).sum(axis=1)), 1, rtol=1e-6)


def numbers(low=-1e3, high=1e3):
    return st.floats(low, high, allow_subnormal=False)


matrices = st.tuples(st.integers(1, 8), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=numbers())
)


@given(matrices)
def test_what_holds_for_any_vectors(rows):
    coordinates, components, shares = principal_components(rows)
    K = len(shares)
    size = np.abs(rows).max(initial=1)
    assert min(len(rows) - 1, rows.shape[1]) >= K
    np.testing.assert_allclose(components @ components.T, np.eye(K), atol=1e-9)
    np.testing.assert_allclose(coordinates.mean(axis=0), np.zeros(K), atol=1e-9 * size)
    # All components together give the vectors back, so none was left out.
    np.testing.assert_allclose(rows.mean(axis=0) + coordinates @ components, rows, atol=1e-9 * size)
    assert (np.diff(shares) <= 1e-12).all()
    assert sum(shares) == pytest.approx(1 if K else 0)


@given(matrices)
def test_the_largest_entry_of_a_component_is_positive(rows):
    for component in principal_components(rows).components:
        largest = np.abs(component).max()
        first = next(x for x in component if abs(x) >= largest * (1 - 1e-6))
        assert first > 0


@pytest.mark.parametrize("seed", range(5))
def test_neither_order_nor_opposite_vectors_turn_the_picture(seed):
    rows = drawn(seed, 9, 5)
    order = np.random.default_rng(seed).permutation(9)
    one, other, opposite = map(principal_components, (rows, rows[order], -rows))
    np.testing.assert_allclose(one.components, other.components, atol=1e-9)
    np.testing.assert_allclose(one.coordinates[order], other.coordinates, atol=1e-9)
    np.testing.assert_allclose(one.components, opposite.components, atol=1e-9)
    np.testing.assert_allclose(one.coordinates, -opposite.coordinates, atol=1e-9)


def test_among_entries_as_large_the_first_is_positive():
    # Rounding alone decides which of the two is larger.
    for tiny in (-1e-9, 0, 1e-9):
        rows = np.array([[0, 0.0], [-1 - tiny, 1], [1 + tiny, -1]])
        [component] = principal_components(rows).components
        np.testing.assert_allclose(component, [0.5**0.5, -(0.5**0.5)], atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_there_are_as_many_as_the_rank(rank, dtype):
    # Whole numbers, so that the vectors lie exactly in their subspace in float32 too.
    rng = np.random.default_rng(rank)
    rows = rng.integers(-9, 9, (8, rank)) @ rng.integers(-9, 9, (rank, 5)) + 100
    assert len(principal_components(rows.astype(dtype)).shares) == rank


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, 1e-310])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_equal_vectors_have_none(value, n):
    coordinates, components, shares = principal_components(np.full((n, 3), value))
    assert coordinates.shape == (n, 0)
    assert components.shape == (0, 3)
    assert shares.shape == (0,)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e20, 1e300])
def test_tiny_and_huge_vectors(scale):
    rows = drawn(1, 6, 4)
    one, other = principal_components(rows), principal_components(rows * scale)
    np.testing.assert_allclose(other.shares, one.shares, rtol=1e-9)
    np.testing.assert_allclose(other.coordinates / scale, one.coordinates, atol=1e-9)


def test_float32_is_computed_in_float64():
    rows = drawn(2, 6, 4, dtype=np.float32)
    one, other = principal_components(rows), principal_components(rows.astype(np.float64))
    assert one.coordinates.dtype == np.float64
    np.testing.assert_array_equal(one.coordinates, other.coordinates)


def test_the_vectors_are_left_alone():
    rows = drawn(3, 5, 3)
    rows.flags.writeable = False
    principal_components(rows)


@pytest.mark.parametrize(
    "rows",
    [np.empty((0, 3)), np.empty((3, 0)), np.array([[1, np.nan]]), np.array([[np.inf, 1], [2, 3]])],
)
def test_what_cannot_be_projected(rows):
    with pytest.raises(QueryError, match="must be finite numbers, one or more; leave others out"):
        principal_components(rows)
