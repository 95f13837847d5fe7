"""From the inputs to the outputs, and to the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from cbow.errors import ConfigError
from cbow.network.costs import Targets, check_targets
from cbow.network.parameters import Network, Parameters
from cbow.system.arrays import Floats, Ids

if TYPE_CHECKING:
    from scipy.sparse import csc_array

#: X: a dense array (n[0], m), or sparse contexts (V, m).
Inputs: TypeAlias = "Floats | csc_array"


def contexts(
    indices: Ids,
    indptr: Ids,
    vocabulary_size: int,
    dtype: DTypeLike = np.float32,
    features: csc_array | None = None,
) -> csc_array:
    """Build X: column i is the mean of the one-hot vectors of the words around target i.

    With features it is F X: the mean, over the context, of the mean of the one-hot vectors of the
    features of each word; see `compose`. F is built by this function too: the features of word w
    are its context w.

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
    features : (V + buckets, V) csc_array, optional
        F.

    Returns
    -------
    csc_array, (V, m), or (V + buckets, m) with features
        Each word of a context of c words adds 1/c; a word that occurs twice adds 2/c.

    Raises
    ------
    ValueError
        If `indptr` does not fit `indices`, or an id is not in 0 .. V-1.
    """
    from scipy.sparse import csc_array  # here, so that looking at finished vectors stays light

    check_ids(indices, vocabulary_size)
    lengths = np.diff(indptr)  # (m,)
    shares = np.divide(1, np.maximum(lengths, 1), dtype=dtype)  # (m,) 1/|context|
    data = np.repeat(shares, lengths)  # (k,)
    X = csc_array((data, indices, indptr), shape=(vocabulary_size, len(lengths)))
    return X if features is None else features @ X


def check_ids(ids: Ids, vocabulary_size: int) -> None:
    """Reject an id outside the vocabulary, which would read and write outside of arrays.

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


def compose(parameters: Parameters, F: csc_array) -> Parameters:
    """Return the parameters of the same network for whole words: W1 F, b1, W2, b2.

    The vector of a word that is made of parts is the mean of the vectors of its features: the word
    itself, and the buckets of its character n-grams (Bojanowski, Grave, Joulin & Mikolov 2017,
    "Enriching word vectors with subword information", section 3.2, where it is a sum). F X takes
    the place of X:

        Z1  = W1 (F X) + b1   = (W1 F) X + b1
        dW1 = dZ1 (F X)ᵀ      = (dZ1 Xᵀ) Fᵀ

    So it is the network for whole words with W1 F in the place of W1, and its gradient times Fᵀ;
    see `feature_gradients`.

    Parameters
    ----------
    parameters : Parameters
        The columns of W1, (N, V + buckets), are those of the features.
    F : (V + buckets, V) csc_array
        Column w is the mean of the one-hot vectors of the features of word w; from `contexts`.
    """
    W1, *others = parameters
    return Parameters((F.T @ W1.T).T, *others)  # (N, V), in Fortran order


class Pass(NamedTuple):
    """What a forward pass computes and the backward pass needs again. Columns are examples.

    All but A[0] = X lie in Fortran order: a column, an example, lies together.
    """

    Z: dict[int, Floats]  #: Z[l] (n[l], m), for l = 1 .. L
    A: dict[int, Floats]  #: A[l] (n[l], m), for l = 0 .. L

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.Z)

    @property
    def Z1(self) -> Floats:
        """Z[1], (N, m), the hidden layer of CBOW before its activation."""
        return self.Z[1]

    @property
    def H(self) -> Floats:
        """A[1], (N, m), the hidden layer of CBOW."""
        return self.A[1]

    @property
    def Z2(self) -> Floats:
        """Z[2], (V, m), the logits of CBOW."""
        return self.Z[2]

    @property
    def Yhat(self) -> Floats:
        """A[L], (n[L], m), the output."""
        return self.A[self.depth]


def forward(network: Network, parameters: Parameters, X: Inputs) -> Pass:
    """Compute each layer from the one before.

        A[0] = X        Z[l] = W[l] A[l-1] + b[l]        A[l] = g[l](Z[l])

    For CBOW:

        Z1 = W1 X + b1        H    = g(Z1)
        Z2 = W2 H + b2        Yhat = softmax(Z2)

    Parameters
    ----------
    network : Network
        Of L layers.
    parameters : Parameters
    X : (n[0], m) array or csc_array
        For CBOW the averaged contexts, from `contexts`.

    Returns
    -------
    Pass

    Raises
    ------
    ConfigError
        If the parameters are not those of L layers that follow each other and X.
    """
    _check(network, parameters, X)
    W, b, g = parameters.W, parameters.b, network.g
    Z, A = {}, {0: X}
    for l in range(1, network.depth + 1):
        Z[l] = (A[l - 1].T @ W[l].T).T + b[l]  # (n[l], m); transposed, for Fortran order
        A[l] = g[l].g(Z[l])  # (n[l], m)
    return Pass(Z, A)


def _check(network: Network, parameters: Parameters, X: Inputs) -> None:
    """Reject parameters that do not fit the network, each other, or X."""
    if parameters.depth != network.depth:
        raise ConfigError(
            f"there are parameters of {parameters.depth} layers for a network of {network.depth}; "
            "name as many activations as there are layers"
        )
    before = X.shape[0]
    for l, W in parameters.W.items():
        b = parameters.b[l]
        if W.shape[1] != before or b.shape != (len(W), 1):
            raise ConfigError(
                f"W{l} is {W.shape} and b{l} {b.shape}, but layer {l} gets {before} numbers an "
                f"example, so W{l} must be (n, {before}) and b{l} (n, 1)"
            )
        before = len(W)


def cost(network: Network, pass_: Pass, Y: Targets) -> float:
    """Average the losses over the batch.

        J = (1/m) Σ_i loss_i             for CBOW     J = -(1/m) Σ_i log Yhat[y_i, i]

    Parameters
    ----------
    network : Network
    pass_ : Pass
    Y : (m,) array of int, or (n[L], m) array
        Ids for cross-entropy, each standing for a one-hot column; for the others the outputs that
        were wanted.

    Returns
    -------
    float
        For CBOW in nats per word; summed in float64; 0.0 for an empty batch.

    Raises
    ------
    ConfigError
        If the shape of the targets does not fit the cost and the output.
    """
    (Z, A), L = pass_, pass_.depth
    check_targets(network.cost, A[L], Y)
    if Y.shape[-1] == 0:
        return 0.0
    return float(np.mean(network.cost.losses(Z[L], A[L], Y), dtype=np.float64))
