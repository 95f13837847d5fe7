"""Word vectors made better, or not, after training: pure functions of a matrix with a row a word.

What frequent and rare words have in common rather than what words mean lies in the mean of the
vectors and in the few directions along which they vary most (Mu & Viswanath 2018, "All-but-the-Top:
Simple and Effective Postprocessing for Word Representations", section 2). Taken away it may help or
harm: docs/postprocessing.md has what it does here.

Every function gives a new matrix of the same shape and dtype. It goes through the rows some at a
time, and computes in float64. A row with a number that is not finite becomes not-a-number
throughout, and has no part in the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbow.errors import ConfigError
from cbow.vectors.nearest import Floats
from cbow.vectors.word_vectors import WordVectors

#: Rows handled at a time: little memory.
ROWS: Final = 2**14

Doubles = NDArray[np.float64]


@np.errstate(under="ignore")
def postprocess(
    vectors: WordVectors, *, unit: bool = False, centre: bool = True, components: int = 2
) -> WordVectors:
    """Return the same words with vectors from which the common part is taken.

    The steps, each of which can be left out, in this order: rows scaled to length 1, the mean
    taken away, the largest components taken away. With `centre` and `components` this is the
    algorithm of Mu & Viswanath 2018, section 2, which suggests N / 100 components.

    Parameters
    ----------
    vectors : WordVectors
        V words of N numbers. They are not changed.
    unit : bool
        Scale every vector to length 1 first, so that all count alike in what follows.
    centre : bool
        Take the mean of the vectors away.
    components : int
        How many directions to take away, those of the largest sum of squares; 0 to below N.

    Returns
    -------
    WordVectors
        With a matrix of its own.

    Raises
    ------
    ConfigError
        If `components` is outside its range.

    Examples
    --------
    >>> vectors = WordVectors(["a", "b", "c"], np.array([[9.0, 1.0], [9.0, 3.0], [6.0, 2.0]]))
    >>> postprocess(vectors, components=0)["c"].tolist()
    [-2.0, 0.0]
    >>> postprocess(vectors, components=1).matrix.round(6).tolist()
    [[0.0, -1.0], [0.0, 1.0], [0.0, 0.0]]
    """
    _check_components(components, vectors.dimension)
    matrix = vectors.matrix  # (V, N)
    if unit:
        matrix = unit_rows(matrix)
    if centre:
        matrix = centred(matrix)
    if components:
        matrix = without_top_components(matrix, components)
    return WordVectors(vectors.words, matrix, vectors.counts)


def unit_rows(matrix: Floats) -> Floats:
    """Scale every row to length 1; a row of zeros stays one.

    Parameters
    ----------
    matrix : (V, N) array

    Returns
    -------
    (V, N) array
    """
    result = np.empty_like(matrix)
    for rows, X in _pieces(matrix):
        largest = np.abs(X).max(axis=1, keepdims=True, initial=0)  # (rows, 1)
        X /= np.where(largest == 0, 1, largest)  # so that no square overflows or vanishes
        norms = np.linalg.norm(X, axis=1, keepdims=True)  # (rows, 1)
        result[rows] = X / np.where(norms == 0, 1, norms)
    return result


def centred(matrix: Floats) -> Floats:
    """Take the mean of the rows from each row: x - (1/V) Σ x.

    Parameters
    ----------
    matrix : (V, N) array

    Returns
    -------
    (V, N) array
        Its columns have mean 0.
    """
    scale, mean, n = _scale(matrix), np.zeros(matrix.shape[1]), 0  # (N,)
    for _, X in _pieces(matrix):
        X = _finite(X)
        n += len(X)
        mean += (X / scale).sum(axis=0)
    mean *= scale / max(1, n)
    result = np.empty_like(matrix)
    for rows, X in _pieces(matrix):
        result[rows] = X - mean
    return result


def without_top_components(matrix: Floats, components: int) -> Floats:
    """Take away the directions in which the rows are largest.

        matrix = U S Vᵀ                   S falling
        result = matrix (I - Vd Vdᵀ)      Vd the first d columns of V

    Of `centred` rows these are the first principal components; of others, the first is near the
    mean.

    Parameters
    ----------
    matrix : (V, N) array
    components : int
        d, from 0 to below N.

    Returns
    -------
    (V, N) array
        Its rank is d less.

    Raises
    ------
    ConfigError
        If `components` is outside its range.
    """
    N = matrix.shape[1]
    _check_components(components, N)
    scale, G = _scale(matrix), np.zeros((N, N))
    for _, X in _pieces(matrix):
        X = _finite(X) / scale
        G += X.T @ X
    _, Q = np.linalg.eigh(G)  # Xᵀ X = V S² Vᵀ, rising
    Vd = Q[:, N - components :]  # (N, d)
    result = np.empty_like(matrix)
    for rows, X in _pieces(matrix):
        result[rows] = X - (X @ Vd) @ Vd.T
    return result


def _pieces(matrix: Floats) -> Iterator[tuple[slice, Doubles]]:
    """Yield the rows some at a time, in float64; one that is not finite is nan throughout."""
    for start in range(0, len(matrix), ROWS):
        rows = slice(start, start + ROWS)
        X = matrix[rows].astype(np.float64)  # (ROWS, N)
        X[~np.isfinite(X).all(axis=1)] = np.nan
        yield rows, X


def _finite(X: Doubles) -> Doubles:
    """Leave out the rows that are not finite."""
    return X[~np.isnan(X).any(axis=1)]


def _scale(matrix: Floats) -> float:
    """Return the largest number of the finite rows, by which no square overflows or vanishes."""
    largest = [float(np.abs(_finite(X)).max(initial=0)) for _, X in _pieces(matrix)]
    return max(largest, default=0.0) or 1.0


def _check_components(components: int, N: int) -> None:
    """Refuse what is no number of components."""
    whole = isinstance(components, int | np.integer) and not isinstance(components, bool)
    if not whole or not 0 <= components < max(N, 1):
        raise ConfigError(
            f"components is {components!r}, but must be a whole number from 0 to below the "
            f"dimension, {N}; N / 100 is usual"
        )
