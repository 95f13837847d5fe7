"""What a network computes, apart from the numbers it learns: its activations and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbow.config import HIDDEN_ACTIVATIONS
from cbow.errors import ConfigError
from cbow.network.activations import ACTIVATIONS, Activation
from cbow.network.costs import COSTS, Cost


@dataclass(frozen=True)
class Network:
    """A network of L layers.

    Attributes
    ----------
    activations : tuple of Activation
        g[1], ..., g[L]; the last is that of the output layer.
    cost : Cost

    Raises
    ------
    ConfigError
        If there is no layer, a hidden layer is softmax, or the cost does not fit the output layer.
    """

    activations: tuple[Activation, ...]
    cost: Cost

    def __post_init__(self) -> None:
        if not self.activations:
            raise ConfigError("the network has no layer, but needs one or more; name one")
        *hidden, output = (activation.name for activation in self.activations)
        if "softmax" in hidden:
            raise ConfigError(
                f"hidden layer {hidden.index('softmax') + 1} is softmax, which fits only the "
                f"output layer; use one of {', '.join(HIDDEN_ACTIVATIONS)} in a hidden layer"
            )
        if output not in self.cost.outputs:
            fitting = [name for name, cost in COSTS.items() if output in cost.outputs]
            raise ConfigError(
                f"the cost is {self.cost.name} and the output layer {output}, but {self.cost.name} "
                f"fits {', '.join(self.cost.outputs)}; use such an output, or the cost "
                f"{' or '.join(fitting)}"
            )

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.activations)

    @property
    def g(self) -> dict[int, Activation]:
        """g[l], for l = 1 .. L."""
        return dict(enumerate(self.activations, start=1))


def make_network(activations: Sequence[str], cost: str) -> Network:
    """Build a network from names.

    Parameters
    ----------
    activations : sequence of str
        The names of g[1], ..., g[L], of `ACTIVATIONS`.
    cost : str
        A name of `COSTS`.

    Raises
    ------
    ConfigError
        If a name is unknown, or the layers and the cost do not fit together.

    Examples
    --------
    >>> make_network(["relu", "relu", "sigmoid"], "logistic").depth
    3
    """
    layers = tuple(_named("activation", name, ACTIVATIONS) for name in activations)
    return Network(layers, _named("cost", cost, COSTS))


def cbow_network(activation: str = "relu") -> Network:
    """Build the network of CBOW: one hidden layer, softmax, cross-entropy."""
    return make_network([activation, "softmax"], "cross-entropy")


def _named(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """Look up a name in a registry."""
    if name not in known:
        raise ConfigError(f"the {what} is {name!r}, but must be one of {', '.join(known)}")
    return known[name]
