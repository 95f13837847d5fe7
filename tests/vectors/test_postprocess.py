"""Vectors without their mean and their largest components."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import ConfigError
from cbow.vectors import WordVectors
from cbow.vectors import postprocess as module
from cbow.vectors.embeddings import joint_vectors
from cbow.vectors.postprocess import centred, postprocess, unit_rows, without_top_components

MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(0, 9), st.integers(1, 5)),
        elements=st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 64.0]),
    )
)
STEPS = [unit_rows, centred, lambda matrix: without_top_components(matrix, 2)]


def matrix(V=50, N=6, dtype=np.float64, seed=0):
    """Rows that share a mean, and vary more in some directions than in others."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(V, N)) * np.arange(1, N + 1) @ rng.normal(size=(N, N)) + 2).astype(
        dtype
    )


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 7)


def tolerance(M):
    return 100 * np.finfo(M.dtype).eps * max(1, np.abs(M).max(initial=0))


@given(MATRICES)
def test_unit_rows(M):
    result = unit_rows(M)
    assert result.dtype == M.dtype
    for row, unit in zip(M.astype(np.float64), result, strict=True):
        length = np.sqrt((row**2).sum())
        np.testing.assert_allclose(unit, row / length if length else row, atol=tolerance(M))


@given(MATRICES)
def test_centred(M):
    result = centred(M)
    assert result.dtype == M.dtype
    expected = M.astype(np.float64) - (M.astype(np.float64).mean(axis=0) if len(M) else 0)
    np.testing.assert_allclose(result, expected, atol=tolerance(M))


@given(MATRICES, st.data())
def test_without_top_components(M, data):
    d = data.draw(st.integers(0, M.shape[1] - 1))
    result = without_top_components(M, d)
    assert result.dtype == M.dtype
    assert result.shape == M.shape
    U, S, Vt = np.linalg.svd(M.astype(np.float64), full_matrices=False)
    if 0 < d < len(S) and S[d - 1] - S[d] < 1e-3 * S[0]:
        return  # of equal ones it does not matter which goes
    left = (U[:, d:] * S[d:]) @ Vt[d:]
    np.testing.assert_allclose(result, left, atol=1e4 * tolerance(M))


@pytest.mark.parametrize("d", [1, 3, 5])
def test_of_centred_rows_these_are_the_principal_components(d):
    decomposition = pytest.importorskip("sklearn.decomposition")
    M = matrix()
    pca = decomposition.PCA(n_components=d, svd_solver="full").fit(M)
    expected = M - pca.inverse_transform(pca.transform(M))
    found = without_top_components(centred(M), d)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_the_algorithm_of_the_paper():
    # Mu & Viswanath 2018: subtract the mean, then the projections on the top components.
    M = matrix()
    expected = M - M.mean(axis=0)
    _, _, U = np.linalg.svd(expected)
    for u in U[:2].copy():
        expected = expected - np.outer(expected @ u, u)
    vectors = WordVectors([f"w{i}" for i in range(50)], M, np.arange(50, 0, -1))
    found = postprocess(vectors, centre=True, components=2)
    np.testing.assert_allclose(found.matrix, expected, atol=1e-10)
    assert list(found.words) == list(vectors.words)
    assert found.counts.tolist() == vectors.counts.tolist()


def test_each_step_can_be_left_out():
    M = matrix()
    vectors = WordVectors([f"w{i}" for i in range(50)], M)

    def found(**steps):
        return postprocess(vectors, **{"unit": False, "centre": False, "components": 0} | steps)

    np.testing.assert_array_equal(found().matrix, M)
    np.testing.assert_array_equal(found(unit=True).matrix, unit_rows(M))
    np.testing.assert_array_equal(found(centre=True).matrix, centred(M))
    np.testing.assert_array_equal(found(components=3).matrix, without_top_components(M, 3))
    np.testing.assert_array_equal(
        found(unit=True, centre=True, components=1).matrix,
        without_top_components(centred(unit_rows(M)), 1),
    )
    assert found().counts is None


def test_of_joint_vectors_the_components_are_the_first_columns():
    W1T, W2 = matrix(seed=1), matrix(seed=2)
    joint = joint_vectors(W1T, W2)
    np.testing.assert_allclose(centred(joint), joint, atol=1e-12)
    found = without_top_components(joint, 2)
    np.testing.assert_allclose(found[:, :2], 0, atol=1e-9)
    np.testing.assert_allclose(found[:, 2:], joint[:, 2:], atol=1e-9)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_input_stays_and_the_pieces_do_not_show(step, dtype, monkeypatch):
    M = matrix(dtype=dtype)
    before = M.copy()
    M.flags.writeable = False
    in_pieces = step(M)
    monkeypatch.setattr(module, "ROWS", 10**6)
    np.testing.assert_allclose(step(M), in_pieces, atol=tolerance(M))
    np.testing.assert_array_equal(M, before)
    assert not np.shares_memory(in_pieces, M)
    assert in_pieces.dtype == dtype
    assert in_pieces.flags.c_contiguous


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_not_a_number_stays_one_and_spoils_nothing_else(step, wrong):
    M = matrix()
    others = np.delete(np.arange(50), [3, 9])
    expected = step(M[others])
    M[3, 1] = M[9, 0] = wrong
    found = step(M)
    assert np.isnan(found[[3, 9]]).all()
    np.testing.assert_allclose(found[others], expected, atol=1e-10)
    M[:] = wrong
    assert np.isnan(step(M)).all()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_huge_and_tiny_numbers_are_no_trouble(step, size):
    M = matrix()
    scaled = step(size * M) / (1 if step is unit_rows else size)
    np.testing.assert_allclose(scaled, step(M), atol=1e-9)


@pytest.mark.parametrize("components", [-1, 6, 7, 1.0, True, "2", None])
def test_what_is_no_number_of_components(components):
    vectors = WordVectors([f"w{i}" for i in range(50)], matrix())
    for ask in (
        lambda: postprocess(vectors, components=components),
        lambda: without_top_components(vectors.matrix, components),
    ):
        with pytest.raises(ConfigError, match=r"^components is .*, but must be .* below the dim"):
            ask()


def test_what_all_words_share_hides_what_tells_them_apart():
    rng = np.random.default_rng(4)
    kinds = np.repeat(np.eye(6)[:3], 20, axis=0) + 0.1 * rng.normal(size=(60, 6))  # (60, 6)
    frequency = np.outer(rng.normal(size=60), 30 * np.eye(6)[4])
    hidden = kinds + frequency + 5
    words = [f"{kind}{i}" for kind in "abc" for i in range(20)]

    def alike(vectors):
        near = [vectors.most_similar(word, topn=5) for word in words]
        return np.mean([w[0] == n[0] for w, ns in zip(words, near, strict=True) for n, _ in ns])

    vectors = WordVectors(words, hidden)
    assert alike(vectors) < 0.6
    assert alike(postprocess(vectors, components=1)) == 1
