"""The sparse input of the network: contexts X. Targets stay ids, and never become a matrix.

scipy is imported when the first one is built, so that looking at finished vectors stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from cbow.network.parameters import Ids

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def contexts(
    indices: Ids, indptr: Ids, vocabulary_size: int, dtype: DTypeLike = np.float32
) -> csc_array:
    """Build X: column i is the mean of the one-hot vectors of the words around target i.

    Parameters
    ----------
    indices : (k,) array of int
        The ids of the context words, one context after the other.
    indptr : (m + 1,) array of int
        Context i is ``indices[indptr[i]:indptr[i + 1]]``. An empty context is a column of zeros.
    vocabulary_size : int
        V.
    dtype : dtype
        That of the parameters.

    Returns
    -------
    csc_array, (V, m)
        Each word of a context of c words adds 1/c; a word that occurs twice adds 2/c.

    Raises
    ------
    ValueError
        If `indptr` does not fit `indices`, or an id is not in 0 .. V-1.
    """
    from scipy.sparse import csc_array

    check_ids(indices, vocabulary_size)
    lengths = np.diff(indptr)  # (m,)
    shares = np.divide(1, np.maximum(lengths, 1), dtype=dtype)  # (m,) 1/|context|
    data = np.repeat(shares, lengths)  # (k,)
    return csc_array((data, indices, indptr), shape=(vocabulary_size, len(lengths)))


def check_ids(ids: Ids, vocabulary_size: int) -> None:
    """Refuse an id outside the vocabulary: to use it would read and write outside of arrays.

    Raises
    ------
    ValueError
        If an id is not in 0 .. V-1.
    """
    if len(ids) and not 0 <= ids.min() <= ids.max() < vocabulary_size:
        wrong = ids.min() if ids.min() < 0 else ids.max()
        raise ValueError(
            f"the id {wrong} is not in a vocabulary of {vocabulary_size} words; "
            "use ids from 0 to below that size"
        )
