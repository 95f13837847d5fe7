"""The kernels of the sampled objective, one by one, against plain numpy and plain loops."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from cbow.training.examples import Block
from cbow.training.kernels import Purpose, stream
from cbow.training.sampled import kernels
from cbow.training.sampled.noise import alias_table, draw_candidates, make_noise
from cbow.training.sampled.step import Unit

pytestmark = pytest.mark.kernels

DTYPES = [np.float32, np.float64]


class TestHidden:
    """Prefix sums forward, difference sums backward."""

    @staticmethod
    def problem(window, seed=0):
        rng = np.random.default_rng(seed)
        n, N, V = 14, 3, 6
        block = Block(*(np.zeros(n, t) for t in (np.int32, np.int64, np.int32, np.int32)))
        block.ids[:] = rng.integers(0, V, n)
        radius = rng.integers(1, window + 1, n)
        block.left[:] = np.maximum(0, np.arange(n) - radius)
        block.right[:] = np.minimum(n, np.arange(n) + radius + 1)
        places = np.flatnonzero(block.right - block.left > 1)[1:-1].astype(np.int32)
        return rng, block, places, rng.normal(size=(V, N))

    @pytest.mark.parametrize("window", [1, 2, 5, 20])
    @pytest.mark.parametrize("slope", [0.0, 0.01, 1.0])
    def test_means_of_windows(self, window, slope):
        rng, block, places, W1T = self.problem(window)
        b1, R = rng.normal(size=3), W1T[block.ids]
        P, H = np.empty((15, 3)), np.empty((len(places), 3))
        kernels.prefix_sums(R, 14, P)
        kernels.hidden_layer(P, R, b1, Unit(slope, 0.25), block, places, H)
        for h, j in zip(H + 0.25, places, strict=True):
            around = [*block.ids[block.left[j] : j], *block.ids[j + 1 : block.right[j]]]
            z = W1T[around].mean(axis=0) + b1
            np.testing.assert_allclose(h, np.where(z > 0, z, slope * z), atol=1e-13)

    @given(st.integers(0, 10**6), st.sampled_from([1, 3, 40]), st.sampled_from(DTYPES))
    def test_rows_of_tokens_are_means_in_however_many_groups(self, seed, N, dtype):
        rng = np.random.default_rng(seed)
        W1T, n = rng.normal(size=(7, N)).astype(dtype), 4
        sizes = rng.integers(0, 3, (n, kernels.PARTS))
        sizes[:, rng.integers(kernels.PARTS)] += 1  # no token has none
        starts = np.append(0, np.cumsum(sizes)).astype(np.int32)
        rows = rng.integers(0, 7, starts[-1]).astype(np.int32)
        expected = [
            W1T[some].mean(axis=0)
            for some in np.split(rows, starts[kernels.PARTS : -1 : kernels.PARTS])
        ]
        found = []
        for groups in (1, 2, 4):
            Q, R = np.full((groups, n, N), np.nan, dtype), np.full((n + 1, N), np.nan, dtype)
            size = kernels.PARTS // groups
            for g in rng.permutation(groups):  # whoever comes first
                first, last = size * g, size * (g + 1)
                kernels.add_up_parts(W1T, rows, starts, n, first, last, np.empty(N, dtype), Q)
            kernels.token_rows(Q, starts, n, R)
            np.testing.assert_allclose(R[:n], expected, atol=1e-6)
            assert np.isnan(R[n]).all()
            found.append(R.tobytes())
        assert len(set(found)) == 1

    @pytest.mark.parametrize("window", [1, 2, 5, 20])
    def test_gradients_of_windows(self, window):
        rng, block, places, _ = self.problem(window)
        D = rng.normal(size=(len(places), 3))
        expected = np.zeros((14, 3))
        for d, j in zip(D, places, strict=True):
            around = [i for i in range(block.left[j], block.right[j]) if i != j]
            expected[around] += d / len(around)
        G = np.full((15, 3), np.nan)
        kernels.difference_sums(D, block, places, 14, G)
        np.testing.assert_allclose(G[:14], expected, atol=1e-13)

    @pytest.mark.parametrize("slope", [0.0, 0.01, 1.0])
    @pytest.mark.parametrize("c", [0.0, 0.75])
    def test_the_mask(self, slope, c):
        rng = np.random.default_rng(0)
        H, D = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
        H[0, 0] = 0.0
        expected = D * np.where(H > 0, 1, slope)
        db1, fired = np.ones(3), np.ones(3)
        kernels.hidden_gradient(D, H - c, Unit(slope, c), db1, fired)
        np.testing.assert_allclose(D, expected)
        np.testing.assert_allclose(db1, expected.sum(axis=0))
        np.testing.assert_array_equal(fired, (H > 0).sum(axis=0))


class TestOutput:
    """Softmax over candidates and the target."""

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("scale", [1.0, 1000.0])
    def test_softmax_and_loss(self, dtype, scale):
        rng = np.random.default_rng(0)
        m, S = 7, 5
        L = (scale * rng.normal(size=(m, S))).astype(dtype)
        b = rng.normal(size=S).astype(dtype)
        target = (scale * rng.normal(size=m)).astype(dtype)
        candidates = np.array([3, 1, 4, 1, 5], np.int32)
        y = np.array([0, 1, 2, 3, 4, 5, 6], np.int32)
        full = np.column_stack([target, np.where(candidates == y[:, None], -np.inf, L + b)])
        Yhat = scipy.special.softmax(full.astype(np.float64), axis=1)
        nats = scipy.special.logsumexp(full.astype(np.float64), axis=1) - target
        loss = kernels.softmax_loss(L, b, candidates, y, target, np.empty(m, dtype), np.empty(m))
        close = 1e-12 if dtype == np.float64 else 1e-6
        assert loss == pytest.approx(nats.sum(), rel=close)
        np.testing.assert_allclose(L, Yhat[:, 1:], atol=close)
        np.testing.assert_allclose(target, Yhat[:, 0] - 1, atol=close)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_not_a_number_shows_in_the_loss(self, dtype):
        L = np.zeros((2, 3), dtype)
        L[1, 1] = np.nan
        loss = kernels.softmax_loss(
            L, np.zeros(3, dtype), np.arange(3, dtype=np.int32), np.array([7, 8], np.int32),
            np.zeros(2, dtype), np.empty(2, dtype), np.empty(2),
        )  # fmt: skip
        assert np.isnan(loss)

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_no_example_moves_its_own_logits_past_what_they_are_wrong_by(self, dtype):
        rng = np.random.default_rng(0)
        H = (rng.normal(size=(6, 4)) * np.array([[0.1, 0.5, 1, 2, 5, 0]]).T).astype(dtype)
        L, target = rng.normal(size=(6, 3)).astype(dtype), rng.normal(size=6).astype(dtype)
        past = [max(1.0, 0.3 * sum(x * x for x in row)) for row in H.astype(float).tolist()]
        assert past[0] == past[1] == past[5] == 1 < past[3]
        expected = [row / p for row, p in zip(L, past, strict=True)], target / past
        kernels.limit_steps(L, target, H, dtype(0.3))
        close = 1e-12 if dtype == np.float64 else 1e-5
        np.testing.assert_allclose(L, expected[0], rtol=close)
        np.testing.assert_allclose(target, expected[1], rtol=close)

    @pytest.mark.slow
    def test_small_kernels(self):
        rng = np.random.default_rng(0)
        table, b2, correction = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=6)
        H, y = rng.normal(size=(4, 3)), np.array([5, 0, 5, 2], np.int32)
        target = np.empty(4)
        kernels.target_logits(table, b2, correction, y, H, target)
        np.testing.assert_allclose(target, (table[y] * H).sum(axis=1) + (b2 - correction)[y])
        rows = np.empty((4, 3))
        kernels.gather(table, y, rows)
        np.testing.assert_array_equal(rows, table[y])
        L, b = rng.normal(size=(4, 2)), np.array([10.0, 20.0])
        expected = L + b
        expected[1, 0] = kernels.NOTHING
        kernels.add_biases(L, b, np.array([0, 9], np.int32), y)
        np.testing.assert_array_equal(L, expected)
        kernels.sum_of_rows(L, b)
        np.testing.assert_allclose(b, L.sum(axis=0))
        dH = np.zeros((4, 3))
        kernels.add_targets(table, y, target, dH)
        np.testing.assert_allclose(dH, target[:, None] * table[y])


class TestNoise:
    """The distribution of candidates."""

    @given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=40))
    def test_the_alias_table_holds_the_distribution(self, weights):
        q = np.array(weights) / sum(weights)
        threshold, alias = alias_table(q)
        mass = threshold.copy()
        np.add.at(mass, alias, 1 - threshold)
        np.testing.assert_allclose(mass / len(q), q, atol=1e-12)

    def test_the_correction(self):
        counts = np.array([16, 1, 81])
        noise = make_noise(counts, 4, np.float64)
        q = np.array([8, 1, 27]) / 36
        np.testing.assert_allclose(noise.correction, np.log(4 * q))
        assert make_noise(counts, 4, np.float32).correction.dtype == np.float32

    @pytest.mark.slow
    def test_draws_follow_the_distribution(self):
        q = np.array([0.5, 0.3, 0.15, 0.05])
        noise = make_noise(np.round(q ** (4 / 3) * 1e6).astype(np.int64), 1, np.float64)
        drawn = np.empty(4000, np.int32)
        key = stream(1, Purpose.CANDIDATES, 1)
        with np.errstate(over="ignore"):
            draw_candidates(noise, key, 0, drawn)
        np.testing.assert_allclose(np.bincount(drawn) / 4000, q, atol=0.025)
        part = np.empty(10, np.int32)
        with np.errstate(over="ignore"):
            draw_candidates(noise, key, 100, part)
        np.testing.assert_array_equal(part, drawn[100:110])
