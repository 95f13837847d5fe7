"""What is said about each activation of the hidden layer."""

from __future__ import annotations

from typing import Final, NamedTuple

from cbow.network.activations import LEAK


class Wording(NamedTuple):
    """The words and equations of an activation.

    Attributes
    ----------
    H : str
        The equation of what it passes on.
    slopes : str
        The name of its derivative at Z1.
    slopes_are : str
        What that derivative is.
    purpose : str
        What the activation does, a sentence.
    """

    H: str
    slopes: str
    slopes_are: str
    purpose: str


WORDING: Final = {
    "relu": Wording(
        "H = max(0, Z1)",
        "[Z1 > 0]",
        "the mask: 1 where the unit fires, 0 where it does not",
        "ReLU passes on what is above 0 and makes 0 of the rest: the unit fires or it does not.",
    ),
    "leaky_relu": Wording(
        f"H = Z1 where Z1 > 0, else {LEAK:g} Z1",
        "g'(Z1)",
        f"the slope: 1 where the unit fires, {LEAK:g} where it does not",
        f"Leaky ReLU passes on what is above 0, where the unit fires, and {LEAK:g} of the rest.",
    ),
    "sigmoid": Wording(
        "H = 1 / (1 + exp(-Z1))",
        "g'(Z1)",
        "the slope, H (1 - H): largest where Z1 is near 0",
        "The sigmoid squeezes the sum between 0 and 1.",
    ),
    "tanh": Wording(
        "H = tanh(Z1)",
        "g'(Z1)",
        "the slope, 1 - H²: largest where Z1 is near 0",
        "The hyperbolic tangent squeezes the sum between -1 and 1.",
    ),
    "identity": Wording(
        "H = Z1",
        "g'(Z1)",
        "the slope: 1 everywhere",
        "The identity passes the sum on as it is: the linear network of word2vec.",
    ),
}
