"""Rank correlation, its bootstrap, and shares with their intervals, held against scipy."""

import warnings

import naive_evaluation as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cbow.evaluation import correlation
from cbow.evaluation.accuracy import accuracy, mcnemar

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
    """What scipy finds; it warns where there is no correlation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*samples).statistic


@given(arrays.arrays(float, st.integers(1, 12), elements=VALUES), st.data())
def test_ranks_of_items_that_count_several_times(x, data):
    w = data.draw(arrays.arrays(np.intp, (3, len(x)), elements=st.integers(0, 3)))
    for ranks, times in zip(correlation.midranks(x, w), w, strict=True):
        values = np.repeat(x, times).tolist()
        assert np.repeat(ranks, times).tolist() == [naive.midrank(v, values) for v in values]


@given(SAMPLES)
def test_spearman_is_that_of_scipy(samples):
    x, y = samples
    np.testing.assert_allclose(
        correlation.spearman(x, y), [quietly(stats.spearmanr, x, y)], atol=1e-12
    )


@given(SAMPLES, st.integers(0, 2**63 - 1))
def test_spearman_of_resamples_is_that_of_scipy(samples, seed):
    x, y = samples
    drawn = correlation.resampled_spearman(np.array([x, y[::-1]]), y, 4, seed)
    assert drawn.shape == (2, 4)
    [w] = correlation.resample(len(x), 4, seed)
    assert (w.sum(axis=1) == len(x)).all()
    for i, times in enumerate(w):
        ours = [drawn[0, i], drawn[1, i]]
        repeated = [np.repeat(each, times) for each in (x, y[::-1], y)]
        scipys = [quietly(stats.spearmanr, each, repeated[2]) for each in repeated[:2]]
        np.testing.assert_allclose(ours, scipys, atol=1e-12)


def test_equal_order_is_exactly_one():
    x = np.random.default_rng(1).standard_normal(999)
    assert correlation.spearman(x, x**3).tolist() == [1.0]
    assert correlation.spearman(x, -x).tolist() == [-1.0]


@pytest.mark.parametrize("scale", [1, 1e-300, 1e300, 1.7e308])
def test_pearson_is_that_of_scipy(scale):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (2, 30))
    assert correlation.pearson(scale * x, y) == pytest.approx(stats.pearsonr(x, y).statistic)


def test_no_correlation_where_all_are_equal():
    x, y = np.array([1.0, 2, 3]), np.full(3, 0.1)
    for samples in ((x, y), (y, x), (y, y)):
        assert np.isnan(correlation.pearson(*samples))
        assert np.isnan(correlation.spearman(*samples)).all()
    assert correlation.defined(float("nan")) is None
    assert correlation.defined(np.float64(0.5)) == 0.5


def test_the_same_seed_draws_the_same(monkeypatch):
    whole = np.concatenate(list(correlation.resample(7, 50, seed=3)))
    assert whole.shape == (50, 7)
    assert (whole.sum(axis=1) == 7).all()
    monkeypatch.setattr(correlation, "AT_ONCE", 30)
    pieces = list(correlation.resample(7, 50, seed=3))
    assert {len(piece) for piece in pieces} == {4, 2}
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert (np.concatenate(list(correlation.resample(7, 50, seed=4))) != whole).any()
    assert list(correlation.resample(7, 0, seed=3)) == []


def test_the_bootstrap_is_that_of_scipy():
    """Not the same draws, so the ends agree as far as 9,999 resamples fix them."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 11, 60).astype(float)
    x1, x2 = y + rng.normal(0, 3, 60), y + rng.normal(0, 6, 60)

    def rho(x, y):
        return stats.spearmanr(x, y).statistic

    def difference(x1, x2, y):
        return rho(x1, y) - rho(x2, y)

    drawn = correlation.resampled_spearman(np.array([x1, x2]), y, 9999, 1)
    for ours, statistic, samples in (
        (drawn[0], rho, (x1, y)),
        (drawn[0] - drawn[1], difference, (x1, x2, y)),
    ):
        expected = stats.bootstrap(
            samples, statistic, paired=True, vectorized=False, method="percentile",
            n_resamples=999, rng=np.random.default_rng(1),
        ).confidence_interval  # fmt: skip
        low, high, resamples = correlation.interval(ours)
        assert resamples == 9999
        assert [low, high] == pytest.approx(list(expected), abs=0.03)


def test_the_interval_covers_the_truth():
    """Of 300 samples of two normal variables, some 95 % of the intervals hold their ρ."""
    rng = np.random.default_rng(6)
    r = 0.5
    rho = 6 / np.pi * np.arcsin(r / 2)  # Spearman's of a normal pair with correlation r
    held = 0
    for seed in range(300):
        x = rng.standard_normal(80)
        y = r * x + np.sqrt(1 - r**2) * rng.standard_normal(80)
        drawn = correlation.resampled_spearman(x[None], y, 300, seed)
        low, high, _ = correlation.interval(drawn[0])
        held += low <= rho <= high
    assert 0.90 < held / 300 < 0.98


def test_resamples_without_a_correlation_are_left_out_and_counted():
    values = np.array([np.nan, *np.linspace(0, 1, 41), np.nan])
    low, high, resamples = correlation.interval(values)
    assert (low, high, resamples) == (pytest.approx(0.025), pytest.approx(0.975), 41)
    assert correlation.interval(np.array([np.nan])) is None
    assert correlation.interval(np.array([])) is None
    assert correlation.sign_probability(np.array([np.nan])) is None
    assert correlation.sign_probability(np.array([np.nan, 1, 2, 3])) == 2 / 4


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1.0] * 99, 0.02), ([-1.0] * 99, 0.02), ([1.0] * 98 + [0.0], 0.04), ([-1.0, 1.0], 1.0)],
)
def test_the_probability_of_the_other_sign(differences, p):
    assert correlation.sign_probability(np.array(differences)) == pytest.approx(p)


@given(st.integers(0, 300), st.integers(0, 300))
def test_shares_have_wilsons_interval(right, wrong):
    found = accuracy(right, right + wrong)
    if right + wrong == 0:
        assert found == (0, 0, None, None, None)
        return
    test = stats.binomtest(right, right + wrong)
    expected = test.proportion_ci(method="wilson")
    assert found.share == test.statistic
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=1e-12)
    assert 0 <= found.low <= found.share <= found.high <= 1


@pytest.mark.parametrize(
    ("table", "p"),
    # Fisher's tables of the binomial: 2 P(X ≤ k), X of n throws of a coin
    [((0, 0), 1.0), ((3, 3), 1.0), ((0, 5), 2 / 32), ((1, 7), 2 * 9 / 256), ((7, 1), 18 / 256)],
)
def test_mcnemar(table, p):
    assert mcnemar(*table) == pytest.approx(p)
