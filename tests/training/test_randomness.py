"""Counter-based random numbers: same place, same number; and they look random."""

import naive_training as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cbow.system.compiled import compiled
from cbow.training.kernels import Purpose, stream, uniform


@compiled
def in_a_kernel(key, position):
    return uniform(key, position)


seeds = st.integers(0, 2**63 - 1)


@given(seeds, st.sampled_from(Purpose), st.integers(0, 1000), st.integers(0, 2**62))
def test_equals_the_plain_twin(seed, purpose, epoch, position):
    key = stream(seed, purpose, epoch)
    assert key == naive.stream(seed, int(purpose), epoch)
    assert uniform(key, np.array([position]))[0] == naive.uniform(key, position)


@pytest.mark.slow
@given(seeds, st.sampled_from([0, 1, 10**9, 2**40, 2**62]))
def test_kernels_draw_the_same(seed, position):
    key = stream(seed, Purpose.RADIUS, 3)
    with np.errstate(over="ignore"):  # it wraps around, if nothing is compiled
        assert in_a_kernel(key, position) == naive.uniform(key, position)


def test_known_values_never_change():
    # A model file names its seed; these numbers are part of what the seed means.
    assert stream(1, Purpose.RADIUS, 1) == naive.stream(1, 3, 1)
    drawn = uniform(stream(1, Purpose.SUBSAMPLE, 1), np.arange(3))
    assert drawn.tolist() == [naive.uniform(naive.stream(1, 2, 1), i) for i in range(3)]
    assert [int(p) for p in Purpose] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_splitmix64_reference():
    # The first output of SplitMix64 started at 0 is published with many implementations.
    assert naive.mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


def test_any_part_can_be_drawn_alone():
    key = stream(7, Purpose.RADIUS, 3)
    whole = uniform(key, np.arange(1000))
    assert np.array_equal(uniform(key, np.arange(400, 500)), whole[400:500])


@pytest.mark.parametrize("purpose", list(Purpose))
def test_looks_uniform(purpose):
    drawn = uniform(stream(1, purpose, 1), np.arange(100_000))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert stats.kstest(drawn, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.02


def test_streams_are_unrelated():
    positions = np.arange(50_000)
    keys = [stream(s, p, e) for s in (1, 2) for p in Purpose for e in (0, 1)]
    drawn = np.array([uniform(key, positions) for key in keys])
    apart = np.corrcoef(drawn)[~np.eye(len(keys), dtype=bool)]
    assert len(set(keys)) == len(keys)
    assert np.abs(apart).max() < 0.03
