"""``cbow-gradcheck``: check the gradients of a network, and show where known mistakes fail."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.common import DONE, FAILED, command_parser, run, show, tell, terminal_width
from cbow.cli.gradcheck_report import Report, as_json, as_text
from cbow.cli.number_flags import Number, add_numbers, chosen_numbers
from cbow.config import COSTS, HIDDEN_ACTIVATIONS, POSITIVE, SEED, Range
from cbow.errors import ConfigError, shown

if TYPE_CHECKING:
    from cbow.network import Problem

EXAMPLES = """\
examples:
  cbow-gradcheck
  cbow-gradcheck --activation leaky_relu --dimension 20 --seed 7
  cbow-gradcheck --layers 4,5,3 --activation relu --output softmax --cost cross-entropy
  cbow-gradcheck --layers 4,6,5,3 --activation relu,tanh --output relu --cost squared-error
  cbow-gradcheck --json
"""

#: Parameters times batch (times the words of a context) at most: minutes rather than hours.
LARGEST: Final = 1_000_000

#: With more evaluations of the cost than this, say how many there will be.
MANY: Final = 20_000

#: The activations of the output layer, each with the first cost that fits it.
OUTPUTS: Final = {output: cost for cost in reversed(COSTS) for output in COSTS[cost]}

TWO: Final = Range(lambda x: x >= 2, "a whole number of 2 or more")

#: The sizes of a CBOW network; --layers takes their place.
CBOW_SIZES: Final = {
    "dimension": Number(5, POSITIVE, "hidden units"),
    "vocabulary": Number(12, TWO, "words"),
    "window": Number(2, POSITIVE, "words on each side of the middle"),
}
NUMBERS: Final = {
    "batch": Number(8, POSITIVE, "examples"),
    "seed": Number(1, SEED, "the same seed draws the same network and batch"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-gradcheck`` and return its exit code: 0 if our gradients are right, else 1."""
    return run(_gradcheck, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "cbow-gradcheck",
        "Compare the gradients of a small random network with differences of its cost.",
        EXAMPLES,
    )
    add_numbers(parser, {**CBOW_SIZES, **NUMBERS})
    parser.add_argument(
        "--layers",
        metavar="N,N,...",
        help="check a network of dense layers instead of CBOW: the inputs, the units of each "
        "hidden layer, the outputs",
    )
    parser.add_argument(
        "--activation",
        metavar="NAME[,NAME]",
        help="of the hidden layers, or one for each: "
        f"{', '.join(HIDDEN_ACTIVATIONS)} (default: {HIDDEN_ACTIVATIONS[0]})",
    )
    parser.add_argument(
        "--output",
        choices=OUTPUTS,
        default="softmax",
        help="activation of the output layer (default: softmax)",
    )
    parser.add_argument(
        "--cost",
        choices=COSTS,
        help="softmax takes cross-entropy, sigmoid logistic or squared-error, the others "
        "squared-error (default: the first that fits the output)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    return parser


def _gradcheck(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    report = _measure(settings, _draw(settings))
    show(as_json(report) if arguments.json else as_text(report, terminal_width()))
    return DONE if report.right else FAILED


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect what was asked for, with the defaults that apply; refuse what does not fit."""
    settings: dict[str, Any] = {"layers": None, **chosen_numbers(arguments, NUMBERS)}
    if arguments.layers is None:
        settings.update(chosen_numbers(arguments, CBOW_SIZES))
    else:
        _refuse_sizes_of_cbow(arguments)
        settings["layers"] = _sizes(arguments.layers)
    settings["activation"] = arguments.activation
    if arguments.activation is None and _hidden_layers(settings["layers"]):
        settings["activation"] = HIDDEN_ACTIVATIONS[0]
    settings["output"] = arguments.output
    settings["cost"] = arguments.cost or OUTPUTS[arguments.output]
    output_and_cost = settings["output"], settings["cost"]
    if arguments.layers is None and output_and_cost != ("softmax", "cross-entropy"):
        raise ConfigError(
            f"the output is {settings['output']} and the cost {settings['cost']}, but those of "
            "CBOW are softmax and cross-entropy; give --layers to check another network"
        )
    return settings


def _refuse_sizes_of_cbow(arguments: argparse.Namespace) -> None:
    """Refuse the sizes that --layers takes the place of."""
    for name in CBOW_SIZES:
        if getattr(arguments, name) is not None:
            raise ConfigError(
                f"--{name} is given with --layers, but is a size of CBOW; leave one of them out"
            )


def _sizes(text: str) -> list[int]:
    """Read a list such as 4,5,3."""
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise ConfigError(
            f"layers is {shown(text)}, but must be whole numbers with commas between them, such as "
            "4,5,3"
        ) from None


def _hidden_layers(sizes: list[int] | None) -> int:
    """Count the hidden layers; CBOW, which has no list of sizes, has one."""
    return 1 if sizes is None else max(0, len(sizes) - 2)


def _activations(text: str | None, hidden: int) -> list[str]:
    """Return the activation of each hidden layer: those named, or the one for all."""
    names = [] if text is None else text.split(",")
    if names and not hidden:
        raise ConfigError(
            f"--activation is {shown(text)}, but the network has no hidden layer; leave it out, or "
            "give more --layers"
        )
    if hidden and len(names) not in (1, hidden):
        raise ConfigError(
            f"the number of activations is {len(names)}, but that of hidden layers {hidden}; name "
            "one activation for each, or one for all"
        )
    return names * hidden if len(names) == 1 else names


def _draw(settings: dict[str, Any]) -> Problem:
    """Draw the network and the batch; refuse what would take hours, announce what takes long."""
    from cbow import network  # imported here, so that --help is quick

    m, seed, sizes = settings["batch"], settings["seed"], settings["layers"]
    hidden = _activations(settings["activation"], _hidden_layers(sizes))
    net = network.make_network([*hidden, settings["output"]], settings["cost"])
    if sizes is None:
        V, N = settings["vocabulary"], settings["dimension"]
        _announce(2 * V * N + N + V, m * settings["window"] * 2)
        return network.draw_problem((V, N, m), settings["window"], seed, hidden[0])
    if min(sizes) > 0:
        _announce(sum(n * (before + 1) for before, n in itertools.pairwise(sizes)), m)
    return network.draw_dense_problem(net, sizes, m, seed)


def _announce(parameters: int, batch: int) -> None:
    """Say how often the cost will be computed; refuse what would take hours."""
    if parameters * batch > LARGEST:
        raise ConfigError(
            f"parameters times batch (times the words of a context) is {parameters * batch:,}, but "
            f"must be {LARGEST:,} at most, because the cost is computed anew four times for each "
            "parameter; choose smaller sizes"
        )
    if 4 * parameters > MANY:
        tell(f"computing the cost {4 * parameters:,} times")


def _measure(settings: dict[str, Any], problem: Problem) -> Report:
    """Check the gradients."""
    from cbow.network import check_gradients, measure_activity

    return Report(settings, problem.redrawn, check_gradients(problem), measure_activity(problem))
