"""The word vectors that two matrices hold."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cbow.errors import ConfigError
from cbow.vectors import embeddings
from cbow.vectors.embeddings import POWER, WEIGHT_BESIDE_NGRAMS, embed, joint_vectors


def matrices(V=40, N=5, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(V, N))
    return tuple((common + 0.5 * rng.normal(size=(V, N)) + 1).astype(dtype) for _ in range(2))


def plain(W1T, W2):
    """By the decomposition of the whole matrix."""
    X = np.hstack([M / np.linalg.norm(M, axis=1, keepdims=True) for M in (W1T, W2)])
    U, S, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    return (U * S**POWER)[:, : W1T.shape[1]]


def test_joint_vectors_are_the_singular_vectors():
    W1T, W2 = matrices()
    ours, theirs = joint_vectors(W1T, W2), plain(W1T, W2)
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-9)


def test_the_rows_come_in_pieces(monkeypatch):
    W1T, W2 = matrices()
    whole = joint_vectors(W1T, W2)
    monkeypatch.setattr(embeddings, "ROWS", 7)
    np.testing.assert_allclose(joint_vectors(W1T, W2), whole, atol=1e-12)


def test_the_sign_does_not_hang_on_the_order_of_the_words():
    W1T, W2 = matrices()
    order = np.random.default_rng(1).permutation(len(W1T))
    np.testing.assert_allclose(
        joint_vectors(W1T[order], W2[order]), joint_vectors(W1T, W2)[order], atol=1e-9
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_length_of_rows_do_not_matter(dtype):
    W1T, W2 = matrices(dtype=dtype)
    vectors = joint_vectors(W1T, W2)
    assert vectors.dtype == dtype
    assert vectors.flags.c_contiguous
    np.testing.assert_allclose(joint_vectors(3 * W1T, W2 / 7), vectors, atol=1e-5)


def test_words_without_a_vector_and_dimensions_without_variance():
    W1T, W2 = matrices(V=6, N=5)
    W1T[2] = W2[2] = 0
    assert np.isfinite(joint_vectors(W1T, W2)).all()
    few = joint_vectors(W1T[:3], W2[:3])  # three centred rows span two dimensions
    assert (few[:, 2:] == 0).all()
    assert np.abs(few[:, :2]).max() > 0.1
    assert not joint_vectors(np.ones((3, 2)), np.ones((3, 2))).any()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_not_a_number_stays_one_and_spoils_nothing_else(wrong):
    W1T, W2 = matrices()
    others = np.delete(np.arange(40), 3)
    expected = joint_vectors(W1T[others], W2[others])
    W2[3, 1] = wrong
    vectors = embed(W1T, W2, "joint")
    assert np.isnan(vectors[3]).all()
    np.testing.assert_allclose(vectors[others], expected, atol=1e-12)
    W2[:] = wrong
    assert np.isnan(embed(W1T, W2, "joint")).all()


def test_huge_numbers_are_no_trouble():
    W1T, W2 = matrices()
    np.testing.assert_allclose(joint_vectors(1e200 * W1T, W2), joint_vectors(W1T, W2), atol=1e-9)
    W1T, W2 = (matrix.astype(np.float32) for matrix in (W1T, W2))
    scaled = joint_vectors(W1T / np.abs(W1T).max() * np.float32(3e38), W2 * np.float32(1e-30))
    np.testing.assert_allclose(scaled, joint_vectors(W1T, W2), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_in_memory_changes_no_bit(dtype):
    W1T, W2 = matrices(dtype=dtype)
    expected = joint_vectors(W1T, W2).tobytes()
    for matrix in (np.asfortranarray(W2), W2[::-1].copy()[::-1], np.repeat(W2, 2, axis=1)[:, ::2]):
        assert joint_vectors(np.asfortranarray(W1T), matrix).tobytes() == expected


def test_the_other_kinds():
    W1T, W2 = matrices()
    assert embed(W1T, W2, "input") is W1T
    assert embed(W1T, W2, "output") is W2
    np.testing.assert_allclose(embed(W1T, W2, "mean"), (W1T + W2) / 2)
    with pytest.raises(ConfigError, match="embedding is 'both', but must be one of input, output"):
        embed(W1T, W2, "both")


def test_the_output_may_count_less():
    W1T, W2 = matrices()
    weighted = joint_vectors(W1T, W2, weight=WEIGHT_BESIDE_NGRAMS)
    assert not np.allclose(weighted, joint_vectors(W1T, W2))
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (W1T, W2)]
    X = np.hstack([unit[0], WEIGHT_BESIDE_NGRAMS * unit[1]])
    X -= X.mean(axis=0)
    S = np.linalg.svd(X, compute_uv=False)[: W1T.shape[1]]  # columns are U S^0.85
    np.testing.assert_allclose(np.linalg.norm(weighted, axis=0), S**0.85, rtol=1e-4)


def test_blas_runs_in_one_thread(monkeypatch):
    """With more it may add in another order, and a file must not depend on their number."""
    eigh, threads = np.linalg.eigh, set()

    def watched(G):
        threads.update(
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        )
        return eigh(G)

    monkeypatch.setattr("cbow.vectors.embeddings.np.linalg.eigh", watched)
    with threadpool_limits(2, user_api="blas"):
        joint_vectors(*matrices())
    assert threads == {1}
