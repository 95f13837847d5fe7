"""Cosines of pairs, their correlation with scores and its bootstrap, held against scipy."""

import warnings

import naive_evaluation as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cbow.evaluation import measures
from cbow.evaluation.scoring import defined

VALUES = st.one_of(
    st.sampled_from([-1.0, 0.0, -0.0, 0.5, 2.0]),
    st.floats(-1e300, 1e300, allow_nan=False),
)
SAMPLES = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        arrays.arrays(float, n, elements=VALUES), arrays.arrays(float, n, elements=VALUES)
    )
)


def quietly(function, *samples):
    """What scipy finds; it warns where there is no similarity."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*samples).statistic


@pytest.mark.slow
@given(SAMPLES)
def test_spearman_is_that_of_scipy_and_of_plain_loops(samples):
    x, y = samples
    ours = measures.spearman(x, y)
    np.testing.assert_allclose(ours, quietly(stats.spearmanr, x, y), atol=1e-12)
    ranks = [[naive.midrank(value, each) for value in each] for each in (x.tolist(), y.tolist())]
    np.testing.assert_allclose(ours, quietly(stats.pearsonr, *ranks), atol=1e-12)


@given(
    arrays.arrays(
        float,
        arrays.array_shapes(max_dims=3, min_side=0, max_side=6),
        elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, np.inf, np.nan]),
    )
)
def test_ranks_are_those_of_scipy(x):
    np.testing.assert_array_equal(measures.ranks(x), stats.rankdata(x, axis=-1))


@pytest.mark.slow
@given(SAMPLES, st.integers(0, 2**63 - 1))
def test_resamples_are_those_of_scipy(samples, seed):
    """The same seed draws the same as `scipy.stats.bootstrap` does."""
    x, y = samples
    drawn = measures.resampled_spearman(np.array([x, y[::-1]]), y, 4, seed)
    assert drawn.shape == (2, 4)
    for ours, each in zip(drawn, (x, y[::-1]), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = stats.bootstrap(
                (each, y), lambda x, y: stats.spearmanr(x, y).statistic, paired=True,
                vectorized=False, method="percentile", n_resamples=4,
                rng=np.random.default_rng(seed),
            )  # fmt: skip
        np.testing.assert_allclose(ours, theirs.bootstrap_distribution, atol=1e-12)


def test_equal_order_is_exactly_one():
    x = np.random.default_rng(1).standard_normal(999)
    assert measures.spearman(x, x**3) == 1
    assert measures.spearman(x, -x) == -1


@pytest.mark.parametrize("scale", [1, 1e-300, 1e300, 1.7e308])
def test_pearson_is_that_of_scipy(scale):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (2, 30))
    assert measures.pearson(scale * x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


def test_no_correlation_where_all_are_equal():
    x, y = np.array([1.0, 2, 3]), np.full(3, 0.1)
    for samples in ((x, y), (y, x), (y, y)):
        assert np.isnan(measures.pearson(*samples))
        assert np.isnan(measures.spearman(*samples))
    assert defined(float("nan")) is None
    assert defined(np.float64(0.5)) == 0.5


def test_the_same_seed_draws_the_same(monkeypatch):
    x, y = np.random.default_rng(4).standard_normal((2, 7))

    def drawn(resamples, seed):
        return measures.resampled_spearman(x[None], y, resamples, seed).tolist()

    at_once = drawn(50, 3)
    assert at_once != drawn(50, 4)
    monkeypatch.setattr(measures, "DRAWN", 30)  # 4 resamples at a time
    assert drawn(50, 3) == at_once
    assert drawn(0, 3) == [[]]


@pytest.mark.slow
def test_the_interval_is_that_of_scipy():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 11, 60).astype(float)
    x1, x2 = y + rng.normal(0, 3, 60), y + rng.normal(0, 6, 60)

    def difference(x1, x2, y):
        return stats.spearmanr(x1, y).statistic - stats.spearmanr(x2, y).statistic

    expected = stats.bootstrap(
        (x1, x2, y), difference, paired=True, vectorized=False, method="percentile",
        n_resamples=999, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    drawn = measures.resampled_spearman(np.array([x1, x2]), y, 999, 1)
    low, high, resamples = measures.interval(drawn[0] - drawn[1])
    assert resamples == 999
    assert [low, high] == pytest.approx(list(expected), abs=1e-12)


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    """Of 300 samples of two normal variables, some 95 % of the intervals hold their ρ."""
    rng = np.random.default_rng(6)
    r = 0.5
    rho = 6 / np.pi * np.arcsin(r / 2)  # Spearman's of a normal pair with correlation r
    held = 0
    for seed in range(300):
        x = rng.standard_normal(80)
        y = r * x + np.sqrt(1 - r**2) * rng.standard_normal(80)
        drawn = measures.resampled_spearman(x[None], y, 300, seed)
        low, high, _ = measures.interval(drawn[0])
        held += low <= rho <= high
    assert 0.90 < held / 300 < 0.98


def test_resamples_without_a_correlation_are_left_out_and_counted():
    values = np.array([np.nan, *np.linspace(0, 1, 41), np.nan])
    low, high, resamples = measures.interval(values)
    assert (low, high, resamples) == (pytest.approx(0.025), pytest.approx(0.975), 41)
    assert measures.interval(np.array([np.nan])) is None
    assert measures.interval(np.array([])) is None
    assert measures.sign_probability(np.array([np.nan])) is None
    assert measures.sign_probability(np.array([np.nan, 1, 2, 3])) == 2 / 4


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1.0] * 99, 0.02), ([-1.0] * 99, 0.02), ([1.0] * 98 + [0.0], 0.04), ([-1.0, 1.0], 1.0)],
)
def test_the_probability_of_the_other_sign(differences, p):
    assert measures.sign_probability(np.array(differences)) == pytest.approx(p)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_of_pairs(dtype, monkeypatch):
    rng = np.random.default_rng(2)
    matrix = rng.standard_normal((30, 5)).astype(dtype)
    matrix[3] = 0
    matrix[4] *= np.sqrt(np.finfo(dtype).max)
    matrix[5] *= np.finfo(dtype).tiny
    rows = rng.integers(0, 30, (70, 2))
    rows[:6] = [[3, 1], [3, 3], [4, 4], [5, 5], [4, 5], [9, 9]]
    found = measures.pair_cosines(matrix, rows)
    assert found[:6].tolist() == [0, 0, 1, 1, found[4], 1]
    wide = matrix.astype(np.longdouble)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    wide /= np.where(largest == 0, 1, largest)
    a, b = wide[rows[:, 0]], wide[rows[:, 1]]
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    expected = np.divide((a * b).sum(axis=1), lengths, where=lengths > 0, out=0 * lengths)
    np.testing.assert_allclose(found, expected.astype(float), atol=1e-14)
    monkeypatch.setattr(measures, "ROWS", 16)
    np.testing.assert_array_equal(measures.pair_cosines(matrix, rows), found)
    assert measures.pair_cosines(matrix, rows[:0]).shape == (0,)
