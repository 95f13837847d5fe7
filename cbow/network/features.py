"""Words made of parts: the vector of a word is the mean of the vectors of its features.

Column w of F (V + buckets, V) is the mean of the one-hot vectors of the features of word w: the
word itself, and the buckets of its character n-grams (Bojanowski, Grave, Joulin & Mikolov 2017,
"Enriching word vectors with subword information", section 3.2, where it is a sum). The columns of
W1 (N, V + buckets) are those of the features, and F X takes the place of X:

    Z1  = W1 (F X) + b1   = (W1 F) X + b1
    dW1 = dZ1 (F X)ᵀ      = (dZ1 Xᵀ) Fᵀ

So it is the network for whole words with W1 F in the place of W1, and its gradient times Fᵀ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbow.network.parameters import Gradients, Parameters

if TYPE_CHECKING:
    from scipy.sparse import csc_array


def compose(parameters: Parameters, F: csc_array) -> Parameters:
    """Return the parameters of the same network for whole words: W1 F, b1, W2, b2.

    Parameters
    ----------
    parameters : Parameters
        W1 is (N, V + buckets).
    F : (V + buckets, V) csc_array
        From `contexts`, with the features of each word as its context.
    """
    W1, *others = parameters
    return Parameters((F.T @ W1.T).T, *others)  # (N, V), in Fortran order


def feature_gradients(gradients: Gradients, F: csc_array) -> Gradients:
    """Return the gradients by W1, b1, W2, b2 from those by W1 F, b1, W2, b2.

    Parameters
    ----------
    gradients : Gradients
        Of the network for whole words: dW1 is (N, V).
    F : (V + buckets, V) csc_array
    """
    dW1, *others = gradients
    return Gradients((F @ dW1.T).T, *others)  # (N, V + buckets), in Fortran order
