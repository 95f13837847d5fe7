"""Vectors in a byte per number: what a page can hold for tens of thousands of words.

    q = round(127 r / max |r|)        the direction of the row r, not its length
    cos(r, s) ≈ q·p / (|q| |p|)

max |r| is the scale of the row. It is not kept: a cosine does not depend on it.

Let e = 127 r / max |r| - q. No entry of e is larger than 1/2, so |e| ≤ √N / 2, and the angle
between r and q is at most

    arcsin(|e| max |r| / (127 |r|)) ≤ arcsin(√N max |r| / (254 |r|))

A cosine is wrong by no more than the two angles together.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cbow.vectors.nearest import Floats

#: The largest entry of each row; with -128, which has no opposite, it would be no scale.
LARGEST: Final = 127

#: Rows handled at once: little memory.
ROWS: Final = 4096


def quantise(matrix: Floats) -> npt.NDArray[np.int8]:
    """Round every row to whole numbers from -127 to 127, its largest entry to one of these two.

    Parameters
    ----------
    matrix : ndarray, (V, N)
        Finite numbers.

    Returns
    -------
    ndarray of int8, (V, N)
        A row of zeros, or of next to nothing, is 0: it has no direction, as in
        `cbow.vectors.nearest.inverse_lengths`.

    Examples
    --------
    >>> import numpy as np
    >>> quantise(np.array([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]])).tolist()
    [[64, -127, 32], [0, 0, 0]]
    """
    tiny = np.finfo(matrix.dtype).tiny
    rounded = np.empty(matrix.shape, np.int8)  # (V, N)
    for start in range(0, len(matrix), ROWS):
        rows = matrix[start : start + ROWS].astype(np.float64)  # (ROWS, N)
        scale = np.abs(rows).max(axis=1, keepdims=True, initial=0)  # (ROWS, 1)
        scale[scale < tiny] = np.inf
        rounded[start : start + ROWS] = np.rint(rows / scale * LARGEST)
    return rounded
