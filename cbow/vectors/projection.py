"""Principal components: many dimensions seen in the few along which vectors differ most.

    A = rows - mean(rows) = U S Vᵀ

The rows of Vᵀ are the components, orthogonal directions of length 1. U S = A V are the places of
the rows along them, S_k² / Σ S² is the share of the variance that component k has.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cbow.errors import QueryError
from cbow.system.arrays import Doubles, Floats

#: Entries as large as the largest but for this share count as equally large: rounding differs
#: from processor to processor, and the sign must not depend on it.
AS_LARGE: Final = 1e-6


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
