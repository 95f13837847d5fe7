"""The word vectors that matrices hold: of each kind, of unknown words, along principal components.

**Kinds.** Of a model they are the rows of one matrix, of the other, or of both (`embed`).

**Unknown words** have the mean of the vectors of their n-grams (`Subwords`), G being their buckets:

    vector(w) = 1/|G| Σ_{g in G} rows[g] to

**Principal components** show many dimensions in the few along which vectors differ most:

    A = rows - mean(rows) = U S Vᵀ

The rows of Vᵀ are the components, orthogonal directions of length 1. U S = A V are the places of
the rows along them, S_k² / Σ S² is the share of the variance that component k has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from cbow.config import EMBEDDINGS
from cbow.errors import ConfigError, ModelFileError, QueryError, shown
from cbow.system.arrays import Doubles, Floats
from cbow.text.ngrams import Features, Ngrams, ngram_ids, ngrams_of
from cbow.vectors.nearest import unit

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

#: Entries as large as the largest but for this share count as equally large: rounding differs
#: from processor to processor, and the sign must not depend on it.
AS_LARGE: Final = 1e-6


# --- kinds of vectors -----------------------------------------------------------------------------


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


# --- n-grams --------------------------------------------------------------------------------------


class Subwords(NamedTuple):
    """What vectors of unknown words are made of."""

    ngrams: Ngrams
    rows: Floats  #: (buckets, n), a vector for each bucket; it may lie in a file
    to: Floats | None = None  #: (n, N), from these vectors to those of words; None: they are such

    def has(self, word: str) -> bool:
        """Return whether a word has n-grams."""
        return len(ngram_ids(word, self.ngrams)) > 0

    def vectors(self, words: Sequence[str]) -> Doubles:
        """Return the vectors of words, (len(words), N); zeros for one that has no n-grams."""
        features = ngrams_of(words, self.ngrams)
        sizes = np.diff(features.indptr)  # (len(words),)
        means = sums(self.rows, features) / np.maximum(sizes, 1)[:, None]  # (len(words), n)
        return means if self.to is None else means @ self.to


def check_subwords(subwords: Subwords | None, N: int) -> None:
    """Raise `ModelFileError` if n-grams do not fit vectors of N numbers; None fits any."""
    if subwords is None:
        return
    buckets, rows, to = subwords.ngrams.buckets, subwords.rows, subwords.to
    shapes: list[tuple[int, ...]] = [rows.shape, *([] if to is None else [to.shape])]
    n = shapes[0][-1] if shapes[0] else 0
    if shapes != ([(buckets, N)] if to is None else [(buckets, n), (n, N)]):
        raise ModelFileError(
            f"the vectors of n-grams have the shapes {', '.join(map(str, shapes))}, which do not "
            f"lead from {buckets} buckets to {N} numbers; give a row for each bucket"
        )


@np.errstate(all="ignore")  # what is not finite is told when it is used
def sums(rows: Floats, features: Features) -> Doubles:
    """Return the sum of the rows of each word's features, (W, n); zeros for a word without any.

    Parameters
    ----------
    rows : ndarray, (R, n)
        It may lie in a file, and need not be aligned; only what is needed is read.
    features : Features
        Of W words.
    """
    from scipy.sparse import csr_array  # here, for vectors of whole words need none

    indptr, indices = features
    total = np.zeros((len(indptr) - 1, rows.shape[1]))
    start = 0
    while start < len(total):  # as many words as have ROWS features, or one that has more
        stop = max(start + 1, np.searchsorted(indptr, indptr[start] + ROWS, side="right") - 1)
        for first in range(indptr[start], indptr[stop], ROWS):
            ids = indices[first : min(first + ROWS, indptr[stop])]
            ends = np.clip(indptr[start : stop + 1] - first, 0, len(ids))
            ones = np.ones(len(ids)), np.arange(len(ids)), ends
            added_up = csr_array(ones, shape=(stop - start, len(ids)))
            total[start:stop] += added_up @ rows[ids].astype(np.float64)
        start = stop
    return total


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


# --- principal components -------------------------------------------------------------------------


class Projection(NamedTuple):
    """Rows seen along their K principal components, that of the largest variance first."""

    coordinates: Doubles  #: (n, K), the columns have mean 0
    components: Doubles  #: (K, N), orthogonal rows of length 1
    shares: Doubles  #: (K,), of the variance, falling, with sum 1


@np.errstate(under="ignore")
def principal_components(rows: Floats) -> Projection:
    """Find the principal components of vectors, and where the vectors lie along them.

    K is the rank of the centred rows: at most n - 1 and at most N, and 0 where all rows are equal.
    A component is fixed but for its sign; here its largest entry is positive, the first of them
    if several are as large. The sign then does not depend on the order of the rows.

    Parameters
    ----------
    rows : ndarray, (n, N)
        A vector per row.

    Returns
    -------
    Projection
        In float64.

    Raises
    ------
    QueryError
        If there are no numbers, or one is not finite.

    Notes
    -----
    Jolliffe, "Principal Component Analysis", 2nd edition, 2002, section 3.5, on the singular value
    decomposition; the components are the eigenvectors of the covariance matrix.

    Examples
    --------
    >>> import numpy as np
    >>> coordinates, components, shares = principal_components(np.array([[0, 1], [3, 1], [6, 1.0]]))
    >>> coordinates.round(6).tolist(), components.round(6).tolist(), shares.tolist()
    ([[-3.0], [0.0], [3.0]], [[1.0, 0.0]], [1.0])
    """
    if not rows.size or not np.isfinite(rows).all():
        raise QueryError(
            f"the vectors to project, of shape {rows.shape}, must be finite numbers, one or more; "
            "leave others out"
        )
    scale = float(np.abs(rows).max()) or 1.0
    A = np.asarray(rows, np.float64) / scale  # (n, N), whose squares neither overflow nor vanish
    rounding = max(A.shape) * np.finfo(np.float64).eps * np.linalg.norm(A)
    A = A - A.mean(axis=0)  # (n, N)
    U, S, Vt = np.linalg.svd(A, full_matrices=False)  # (n, min(n, N)), (min,), (min, N)
    K = int(np.count_nonzero(rounding < S))
    U, S, Vt = U[:, :K], S[:K], Vt[:K]
    size = np.abs(Vt)  # (K, N)
    large = size >= (1 - AS_LARGE) * size.max(axis=1, keepdims=True)  # (K, N)
    signs = np.sign(Vt[np.arange(K), large.argmax(axis=1)])  # (K,), of the first large entry
    return Projection(U * S * signs * scale, Vt * signs[:, None], S**2 / (S**2).sum())
