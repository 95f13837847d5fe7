"""Subsampling: the formula by hand, and the distribution that is left."""

import math

import naive_training as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cbow.training.subsampling import entropy, keep_probability, target_distribution

counts_lists = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)


@given(counts_lists, st.just(0.0) | st.floats(1e-12, 0.99))
def test_equals_the_plain_twin(counts, sample):
    ours = keep_probability(np.array(counts), sample)
    theirs = [naive.keep_probability(c, sum(counts), sample) for c in counts]
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_by_hand():
    # f = 0.04, t = 0.01: √(f/t) + 1 = 3, times t/f = 1/4
    assert keep_probability(np.array([4, 96]), 0.01)[0] == pytest.approx(0.75)


def test_zero_keeps_all():
    assert keep_probability(np.array([10, 1]), 0.0).tolist() == [1, 1]


@given(counts_lists, st.floats(1e-6, 0.5))
def test_rarer_words_are_kept_at_least_as_often(counts, sample):
    keep = keep_probability(np.array(sorted(counts)), sample)
    assert ((keep > 0) & (keep <= 1)).all()
    assert (np.diff(keep) <= 1e-15).all()


def test_target_distribution_is_count_times_chance():
    p = target_distribution(np.array([6, 2, 2]), np.array([0.5, 1.0, 0.5]))
    assert p == pytest.approx([0.5, 1 / 3, 1 / 6])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50).filter(lambda p: sum(p) > 1e-3))
def test_entropy_equals_scipy(weights):
    p = np.array(weights) / sum(weights)
    assert entropy(p) == pytest.approx(stats.entropy(p), abs=1e-12)


def test_entropy_of_equal_words_is_ln_v():
    assert entropy(np.full(7, 1 / 7)) == pytest.approx(math.log(7))
