"""The word vectors that two matrices hold: the rows of one, of the other, or of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from cbow.config import EMBEDDINGS
from cbow.errors import ConfigError, shown
from cbow.system.arrays import Doubles, Floats
from cbow.vectors.nearest import unit

#: The power that joint vectors raise the singular values to: 1 would keep the distances of the
#: unit rows; less evens the components out. docs/experiments.md has what chose it.
POWER: Final = 0.85

#: A component is mere rounding if its share of the squares of unit rows is less than this.
NEGLIGIBLE: Final = 1e-12

#: Rows handled at a time: little memory.
ROWS: Final = 2**14


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
        vectors: Floats = _KINDS[kind](W1T, W2)  # (V, N)
        return vectors


def check_kind(kind: str) -> None:
    """Raise `ConfigError` if there is no such kind of vectors."""
    if kind not in _KINDS:
        raise ConfigError(f"embedding is {shown(kind)}, but must be one of {', '.join(EMBEDDINGS)}")


def joint_vectors(W1T: Floats, W2: Floats, power: float = POWER) -> Floats:
    """Return what the unit rows of both matrices have in common, (V, N).

        X = [W1T / |W1T|, W2 / |W2|], centred         (V, 2N), row by row
        X = U S Vᵀ                                    its singular value decomposition
        vectors = U S^power                           the N largest

    Parameters
    ----------
    W1T, W2 : (V, N) arrays
    power : float
        Of the singular values.

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
            X = _unit_rows(W1T[rows], W2[rows])  # (rows, 2N)
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
            vectors[rows] = (_unit_rows(W1T[rows], W2[rows]) - mean) @ (Q * scale)
    return vectors


def _unit_rows(W1T: Floats, W2: Floats) -> Doubles:
    """Put unit rows side by side, (rows, 2N); a row that is not finite becomes NaN throughout."""
    X = unit(np.stack([W1T, W2], axis=1)).reshape(len(W1T), -1)
    X[~np.isfinite(X).all(axis=1)] = np.nan
    return X


_KINDS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "input": lambda W1T, W2: W1T,
    "output": lambda W1T, W2: W2,
    "mean": lambda W1T, W2: (W1T + W2) / 2,
    "joint": joint_vectors,
}
