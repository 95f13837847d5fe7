"""The word vectors that two matrices hold: the rows of one, of the other, or of both."""

from __future__ import annotations

from typing import Final

import numpy as np

from cbow.config import EMBEDDINGS
from cbow.errors import ConfigError, shown
from cbow.system.arrays import Doubles, Floats
from cbow.text.ngrams import Features
from cbow.vectors.nearest import unit
from cbow.vectors.subwords import sums

#: The power that joint vectors raise the singular values to: 1 would keep the distances of the
#: unit rows; less evens the components out. docs/experiments.md has what chose it.
POWER: Final = 0.85

#: The length of the rows of W2 beside unit rows of W1ᵀ in joint vectors, if these are means of
#: n-grams, which know more of how words are formed. docs/experiments.md has what chose it.
WEIGHT_BESIDE_NGRAMS: Final = 0.7

#: A component is mere rounding if its share of the squares of unit rows is less than this.
NEGLIGIBLE: Final = 1e-12

#: Rows handled at a time: little memory.
ROWS: Final = 2**12


def embed(W1T: Floats, W2: Floats, kind: str) -> Floats:
    """Return the word vectors of a kind, (V, N).

    Parameters
    ----------
    W1T, W2 : (V, N) arrays
    kind : str
        ``input``: W1T; ``output``: W2, both without a copy; ``mean``: (W1T + W2) / 2; ``joint``:
        see `joint_vectors`.

    Raises
    ------
    ConfigError
        If there is no such kind.
    """
    check_kind(kind)
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):  # a query says what is wrong
        if kind == "joint":
            return joint_vectors(W1T, W2)
        if kind == "mean":
            mean: Floats = (W1T + W2) / 2
            return mean
        return W1T if kind == "input" else W2


def check_kind(kind: str) -> None:
    """Raise `ConfigError` if there is no such kind of vectors."""
    if kind not in EMBEDDINGS:
        raise ConfigError(f"embedding is {shown(kind)}, but must be one of {', '.join(EMBEDDINGS)}")


def joint_vectors(W1T: Floats, W2: Floats, power: float = POWER, weight: float = 1) -> Floats:
    """Return what the unit rows of both matrices have in common, (V, N).

        X = [W1T / |W1T|, weight W2 / |W2|], centred  (V, 2N), row by row
        X = U S Vᵀ                                    its singular value decomposition
        vectors = U S^power                           the N largest

    Parameters
    ----------
    W1T, W2 : (V, N) arrays
    power : float
        Of the singular values.
    weight : float
        The length of the rows of W2 beside unit rows of W1T.

    Returns
    -------
    (V, N) array
        Of the same dtype. Columns beyond the rank are 0. A word with a number that is not finite
        is NaN throughout, and has no part in the others. The same to the bit at any number of
        threads.
    """
    from cbow.system.threads import single_threaded_blas  # here, for what is read needs none

    V, N = W1T.shape
    blocks = [slice(start, start + ROWS) for start in range(0, V, ROWS)]
    with single_threaded_blas():
        n, total, squares = 0, np.zeros(2 * N), np.zeros((2 * N, 2 * N))
        for rows in blocks:
            X = _unit_rows(W1T[rows], W2[rows], weight)  # (rows, 2N)
            X = X[~np.isnan(X[:, 0])]
            n += len(X)
            total += X.sum(axis=0)
            squares += X.T @ X
        mean = total / max(1, n)  # (2N,)
        S2, Q = np.linalg.eigh(squares - n * np.outer(mean, mean))  # Xᵀ X = V S² Vᵀ, rising
        S2, Q = S2[::-1][:N], Q[:, ::-1][:, :N]  # (N,), (2N, N)
        Q = Q * np.sign(Q[np.abs(Q).argmax(axis=0), np.arange(N)])  # its largest entry is positive
        kept = NEGLIGIBLE * V < S2
        scale = np.where(kept, np.where(kept, S2, 1) ** ((power - 1) / 2), 0)  # S^(power - 1)
        vectors = np.empty((V, N), W1T.dtype)
        for rows in blocks:
            vectors[rows] = (_unit_rows(W1T[rows], W2[rows], weight) - mean) @ (Q * scale)
    return vectors


def _unit_rows(W1T: Floats, W2: Floats, weight: float) -> Doubles:
    """Put unit rows side by side, (rows, 2N); a row that is not finite becomes NaN throughout."""
    X = unit(np.stack([W1T, W2], axis=1))  # (rows, 2, N)
    X[:, 1] *= weight
    X = X.reshape(len(W1T), -1)
    X[~np.isfinite(X).all(axis=1)] = np.nan
    return X


@np.errstate(all="ignore")  # what is not finite is told when it is used
def composed_rows(W1T: Floats, features: Features) -> tuple[Floats, Floats]:
    """Return the mean of each word's features, and that of its n-grams alone, both (V, N).

    Parameters
    ----------
    W1T : (V + buckets, N) array
    features : Features
        Of V words. One that has no n-grams has the same in both.
    """
    V, N = len(features.indptr) - 1, W1T.shape[1]
    E, G = np.empty((V, N), W1T.dtype), np.empty((V, N), W1T.dtype)
    for start in range(0, V, ROWS):
        some = Features(features.indptr[start : start + ROWS + 1], features.indices)
        total = sums(W1T, some)  # (words, N)
        n = np.diff(some.indptr)[:, None]  # (words, 1)
        own = W1T[start : start + len(n)]
        E[start : start + len(n)] = total / n
        G[start : start + len(n)] = np.where(n > 1, (total - own) / np.maximum(n - 1, 1), own)
    return E, G


@np.errstate(all="ignore")
def fitted(G: Floats, vectors: Floats) -> Floats:
    """Return the matrix that takes means of n-grams closest to the vectors of their words, (N, n).

        argmin_A Σ_w |A g_w - v_w|²    by    (Gᵀ G) A = Gᵀ vectors

    Parameters
    ----------
    G : (V, N) array
    vectors : (V, n) array
        Words with a number that is not finite have no part in it.
    """
    from cbow.system.threads import single_threaded_blas  # here, for what is read needs none

    with single_threaded_blas():
        finite = np.isfinite(G.sum(axis=1) + vectors.sum(axis=1))  # (V,)
        squares, products = np.zeros((G.shape[1],) * 2), np.zeros((G.shape[1], vectors.shape[1]))
        for start in range(0, len(G), ROWS):
            rows = slice(start, start + ROWS)
            g = G[rows][finite[rows]].astype(np.float64)
            squares += g.T @ g
            products += g.T @ vectors[rows][finite[rows]]
        A: Floats = np.linalg.lstsq(squares, products, rcond=None)[0].astype(vectors.dtype)
        return A
