"""Sums and maxima by lanes: compiled code against the plain one, bit by bit, and against numpy."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.system import operations
from cbow.system.compiled import JIT_DISABLED, compiled

pytestmark = pytest.mark.kernels


@compiled
def compiled_total(a):
    return operations.total(a)


@compiled
def compiled_dot(a, b):
    return operations.dot(a, b)


@compiled
def compiled_largest(a):
    return operations.largest(a)


@compiled
def compiled_fma(a, b, c):
    return operations.fma(a, b, c)


DTYPES = st.sampled_from([np.float32, np.float64])


def rows(dtype):
    """Return arrays of any length around the number of lanes, and any numbers."""
    return arrays.arrays(dtype, st.integers(0, 3 * operations.LANES + 1))


def pairs(dtype):
    """Return two arrays of the same length."""
    return rows(dtype).flatmap(lambda a: st.tuples(st.just(a), arrays.arrays(dtype, len(a))))


def same_bits(one, other, dtype):
    """Whether two results are the same number, or both none."""
    one, other = dtype(one), dtype(other)
    return bool(np.isnan(one) and np.isnan(other)) or one.tobytes() == other.tobytes()


@pytest.mark.slow
@given(DTYPES.flatmap(rows))
def test_compiled_sums_are_the_plain_ones(a):
    with np.errstate(all="ignore"):
        assert same_bits(compiled_total(a), operations.total(a), a.dtype.type)


@pytest.mark.slow
@given(DTYPES.flatmap(pairs))
def test_compiled_products_are_the_plain_ones(both):
    a, b = both
    with np.errstate(all="ignore"):
        assert same_bits(compiled_dot(a, b), operations.dot(a, b), a.dtype.type)


@pytest.mark.slow
@given(DTYPES.flatmap(rows))
def test_compiled_maxima_are_the_plain_ones(a):
    found, plain = compiled_largest(a), operations.largest(a)
    assert found == plain  # of 0 and -0 either
    numbers = a[~np.isnan(a)]
    assert found == (numbers.max() if len(numbers) else -math.inf)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 31, 32, 100, 1000])
@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_sums_are_near_those_of_numpy(n, dtype, error):
    a, b = np.random.default_rng(n).normal(size=(2, n)).astype(dtype)
    assert compiled_total(a) == pytest.approx(math.fsum(a), abs=error)
    assert compiled_dot(a, b) == pytest.approx(math.fsum(a.astype(float) * b), abs=error)
    assert compiled_largest(a) == max(a, default=-math.inf)


def test_the_order_is_the_one_that_is_told():
    """Of 18 numbers, two in the first lane and one in the last fill no lane."""
    big = 2.0**24  # in float32, to which 1 cannot be added
    a = np.zeros(18, np.float32)
    a[0], a[8], a[16], a[17] = big, -big, 1, 1
    assert operations.total(a) == compiled_total(a) == 2  # lanes 0 and 8 meet first, then the rest
    a[8], a[17] = 0, -big
    assert operations.total(a) == compiled_total(a) == 0  # 2^24 + 1, rounded, - 2^24


@given(*3 * [st.floats(-1e6, 1e6, width=32)])
@example(1 + 2.0**-23, 1 + 2.0**-23, -1.0)
def test_a_product_and_a_sum_are_rounded_once(a, b, c):
    found = compiled_fma(np.float32(a), np.float32(b), np.float32(c))
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    error = abs(Fraction(float(found)) - exact)
    for direction in (-np.inf, np.inf):
        beside = np.nextafter(np.float32(found), np.float32(direction))
        assert error <= abs(Fraction(float(beside)) - exact)
    plain = operations.fma(np.float32(a), np.float32(b), np.float32(c))
    assert plain == pytest.approx(found, rel=1.2e-7, abs=1e-44)


@pytest.mark.skipif(not hasattr(compiled_dot, "overloads"), reason="plain Python takes any")
@pytest.mark.parametrize(
    "wrong",
    [
        (np.zeros(4), np.zeros(4, np.float32)),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.zeros(8)[::2], np.zeros(8)[::2]),
    ],
)
def test_other_arrays_do_not_compile(wrong):
    with pytest.raises(Exception, match="rows of one type that lie together"):
        compiled_dot(*wrong)


@compiled
def compiled_add_up_rows(table, ids, out):
    operations.add_up_rows(table, ids, out)


@compiled
def compiled_add_to_rows(table, ids, x, row):
    operations.add_to_rows(table, ids, x[0], row)


@given(DTYPES, st.lists(st.integers(0, 6), max_size=9), st.integers(1, 140), st.integers(0, 9))
def test_compiled_sums_over_rows_are_the_plain_ones(dtype, ids, n, seed):
    rng = np.random.default_rng(seed)
    table, row = rng.normal(size=(7, n)).astype(dtype), rng.normal(size=n).astype(dtype)
    ids, x = np.array(ids, np.int32), np.array([-0.3], dtype)

    found, plain = row.copy(), row.copy()
    operations.add_up_rows(table, ids, plain)
    compiled_add_up_rows(table, ids, found)
    assert found.tobytes() == plain.tobytes()
    np.testing.assert_allclose(found, row + table[ids].astype(float).sum(axis=0), atol=1e-5)

    found, plain = table.copy(), table.copy()
    operations.add_to_rows(plain, ids, x[0], row)
    compiled_add_to_rows(found, ids, x, row)
    assert found.tobytes() == plain.tobytes()
    counts = np.bincount(ids, minlength=7)[:, None]
    np.testing.assert_allclose(found, table + float(x[0]) * counts * row, atol=1e-5)


@compiled
def compiled_product(A, B, out):
    operations.product(A, B, out)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("orders", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 1, 1), (2, 1, 7)])
def test_products_are_those_of_numpy(dtype, orders, shape):
    m, k, n = shape
    rng = np.random.default_rng(1)
    A = rng.standard_normal((m, k)).astype(dtype, order=orders[0])
    B = rng.standard_normal((k, n)).astype(dtype, order=orders[1])
    out, plain = np.full((2, m, n), np.nan, dtype)
    compiled_product(A, B, out)
    operations.product(A, B, plain)
    np.testing.assert_allclose(out, A.astype(float) @ B.astype(float), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(plain, out, rtol=1e-5, atol=1e-6)


@compiled
def compiled_matrix(a, out):
    M = operations.as_matrix(a, 2, 3)
    for i in range(2):
        for j in range(3):
            out[i, j] = M[i, j]


def test_numbers_in_a_row_are_a_matrix():
    a, out = np.arange(8.0), np.empty((2, 3))
    compiled_matrix(a, out)
    assert out.tolist() == operations.as_matrix(a, 2, 3).tolist() == [[0, 1, 2], [3, 4, 5]]


@compiled
def compiled_exponential(x, out):
    out[0] = operations.exponential(x[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [0.0, -0.3, -1.0, -50.0])
def test_compiled_exponentials_are_the_plain_ones(dtype, x):
    x, out = np.array([x], dtype), np.empty(1, dtype)
    compiled_exponential(x, out)
    np.testing.assert_allclose(out[0], math.exp(x[0]), rtol=1e-5 if dtype is np.float32 else 1e-15)
    np.testing.assert_allclose(out[0], operations.exponential(x[0]), rtol=3e-7)


@compiled
def compiled_prefetch_rows(table, ids):
    operations.prefetch_rows(table, ids)
    operations.prefetch(ids, 1)


@pytest.mark.parametrize("n", [1, 16, 17, 100])
def test_fetching_rows_changes_nothing(n):
    table = np.arange(3.0 * n).reshape(3, n)
    compiled_prefetch_rows(table, np.array([2, 0], np.int32))
    np.testing.assert_array_equal(table.ravel(), range(3 * n))


@compiled
def compiled_waiting(a):
    operations.fence()
    operations.give_way()
    operations.rest()
    a[0] += 1


def test_threads_can_wait():
    a = np.zeros(1)
    compiled_waiting(a)
    assert a[0] == 1


@pytest.mark.skipif(JIT_DISABLED, reason="numpy takes them")
def test_what_does_not_lie_together_is_no_operand():
    apart, matrix = np.zeros(6)[::2], np.zeros((4, 4))
    with pytest.raises(TypeError, match="expected rows of one type that lie together"):
        compiled_total(apart)
    ids, table = np.zeros(2, np.int32), np.zeros((3, 6))
    with pytest.raises(TypeError, match="expected a table by rows and ids that lie together"):
        compiled_add_up_rows(table.T, ids, np.zeros(3))
    with pytest.raises(TypeError, match="expected rows of one type that lie together"):
        compiled_add_up_rows(table, ids, np.zeros(6, np.float32))
    with pytest.raises(TypeError, match="expected matrices that lie together"):
        compiled_product(matrix[:, ::2], matrix[:2], matrix)
