"""``cbow-gradcheck``: check the gradients of a network, and show where known mistakes fail."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cbow.cli.arguments import add_options, chosen, number, passed
from cbow.cli.common import (
    DONE,
    FAILED,
    command_parser,
    json_line,
    run,
    show,
    table,
    tell,
    terminal_width,
    wrapped,
)
from cbow.cli.start import COMMANDS
from cbow.config import COSTS, HIDDEN_ACTIVATIONS, POSITIVE, SEED, Config, Range
from cbow.errors import ConfigError, counted, shown

if TYPE_CHECKING:
    from cbow.network import Activity, GradientErrors

EXAMPLES = """\
examples:
  cbow-gradcheck
  cbow-gradcheck --activation leaky_relu --dimension 20 --seed 7
  cbow-gradcheck --ngrams 3,6
  cbow-gradcheck --layers 4,5,3 --activation relu --output softmax \\
      --cost cross-entropy
  cbow-gradcheck --layers 4,6,5,3 --activation relu,tanh --output relu \\
      --cost squared-error
  cbow-gradcheck --json
"""

#: What the words with n-grams are drawn from.
LETTERS: Final = "aeinrst"

#: Parameters times batch (times the words of a context) at most, for minutes rather than hours.
LARGEST: Final = 1_000_000

#: More evaluations of the cost than this are announced.
MANY: Final = 20_000

#: The activations of the output layer, each with the first cost that fits it.
OUTPUTS: Final = {output: cost for cost in reversed(COSTS) for output in COSTS[cost]}

TWO: Final = Range(lambda x: x >= 2, "a whole number of 2 or more")

#: The sizes of a CBOW network, which --layers replaces.
CBOW_SIZES: Final = {
    "dimension": number(5, POSITIVE, "hidden units"),
    "vocabulary": number(12, TWO, "words"),
    "window": number(2, POSITIVE, "words on each side of the middle"),
}
NUMBERS: Final = {
    "batch": number(8, POSITIVE, "examples"),
    "seed": number(1, SEED, "the same seed draws the same network and batch"),
}


#: g'(Z) of the hidden activations, for layer {l}. Elsewhere than in ReLU's it is called g'(Z{l}).
SLOPES: Final = {
    "relu": "(Z{l} > 0)",
    "leaky_relu": "where(Z{l} > 0, 1, 0.01)",
    "sigmoid": "A{l} * (1 - A{l})",
    "tanh": "1 - A{l}**2",
    "identity": "1",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``cbow-gradcheck`` and return its exit code: 0 if our gradients are right, else 1."""
    return run(_gradcheck, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("cbow-gradcheck", COMMANDS["gradcheck"], EXAMPLES)
    add_options(parser, {**CBOW_SIZES, **NUMBERS})
    parser.add_argument(
        "--layers",
        metavar="N,N,...",
        help="check a network of dense layers instead of CBOW: the inputs, the units of each "
        "hidden layer, the outputs",
    )
    parser.add_argument(
        "--ngrams",
        metavar="N,N",
        help="make the words of CBOW of n-grams of so many characters, as 3,6; see cbow-train "
        "(default: none)",
    )
    parser.add_argument(
        "--activation",
        metavar="NAME[,NAME]",
        help=f"of the hidden layers, or one for each: {', '.join(HIDDEN_ACTIVATIONS)} "
        f"(default: {HIDDEN_ACTIVATIONS[0]})",
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
    parser.add_argument("--json", action="store_true", help="print one JSON object, not tables")
    return parser


def _gradcheck(arguments: argparse.Namespace) -> int:
    import numpy as np  # imported here, so that --help is quick

    from cbow import network
    from cbow.text.ngrams import Ngrams, features_of

    s = _settings(arguments)
    m, seed, sizes = s["batch"], s["seed"], s["layers"]
    hidden = _activations(s["activation"], _hidden_layers(sizes))
    net = network.make_network([*hidden, s["output"]], s["cost"])
    if sizes is None:
        V, N, F = s["vocabulary"], s["dimension"], None
        if s["ngrams"]:  # of words that are drawn, in as many buckets
            random = np.random.Generator(np.random.PCG64(seed))
            letters = list(LETTERS)
            words = ["".join(random.choice(letters, random.integers(2, 8))) for _ in range(V)]
            shortest, longest = s["ngrams"]
            features = features_of(words, Ngrams(shortest, longest, V))
            F = network.contexts(features.indices, features.indptr, 2 * V, np.float64)
        _announce((V + (V if F is None else 2 * V)) * N + N + V, m * s["window"] * 2)
        problem = network.draw_problem((V, N, m), s["window"], seed, hidden[0], F)
    else:
        if min(sizes) > 0:
            _announce(sum(n * (before + 1) for before, n in itertools.pairwise(sizes)), m)
        problem = network.draw_dense_problem(net, sizes, m, seed)
    gradients, activity = network.check_gradients(problem), network.measure_activity(problem)
    report = Report(s, problem.redrawn, gradients, activity)
    show(as_json(report) if arguments.json else as_text(report, terminal_width()))
    return DONE if report.right else FAILED


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings with the defaults that apply; reject those that do not fit together."""
    settings: dict[str, Any] = {"layers": None, **chosen(arguments, NUMBERS)}
    if arguments.layers is None:
        settings.update(chosen(arguments, CBOW_SIZES))
        settings["ngrams"] = Config(ngrams=arguments.ngrams).ngrams
    else:
        if arguments.ngrams is not None:
            raise ConfigError(
                "--ngrams is given with --layers, but only words have n-grams; leave one of them "
                "out"
            )
        for name in passed(arguments, CBOW_SIZES):
            raise ConfigError(
                f"--{name} is given with --layers, but is a size of CBOW; leave one of them out"
            )
        try:
            settings["layers"] = [int(size) for size in arguments.layers.split(",")]
        except ValueError:
            raise ConfigError(
                f"layers is {shown(arguments.layers)}, but must be whole numbers with commas "
                "between them, such as 4,5,3"
            ) from None
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


def _hidden_layers(sizes: list[int] | None) -> int:
    """Count the hidden layers; CBOW, which has no list of sizes, has one."""
    return 1 if sizes is None else max(0, len(sizes) - 2)


def _activations(text: str | None, hidden: int) -> list[str]:
    """Return the activation of each hidden layer: those that are named, or the one for all."""
    names = [] if text is None else text.split(",")
    if names and not hidden:
        raise ConfigError(
            f"--activation is {shown(text)}, but the network has no hidden layer; leave it out, or "
            "give more --layers"
        )
    if hidden and len(names) not in (1, hidden):
        raise ConfigError(
            f"--activation names {counted(len(names), 'activation')}, but there "
            f"{'is' if hidden == 1 else 'are'} {counted(hidden, 'hidden layer')}; name one for "
            "each, or one for all"
        )
    return names * hidden if len(names) == 1 else names


def _announce(parameters: int, batch: int) -> None:
    """Announce what takes long; reject what would take hours."""
    if parameters * batch > LARGEST:
        raise ConfigError(
            f"parameters times batch (times the words of a context) is {parameters * batch:,}, but "
            f"must be {LARGEST:,} at most, because the cost is computed four times for each "
            "parameter; choose smaller sizes"
        )
    if 4 * parameters > MANY:
        tell(f"computing the cost {4 * parameters:,} times")


# --- the report -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Report:
    """What was checked, and what came out."""

    settings: dict[str, Any]
    redrawn: int
    rows: list[GradientErrors]
    activity: list[Activity]

    @property
    def right(self) -> bool:
        """Whether all our gradients agree with the differences of the cost."""
        return all(row.right for row in self.rows)


def as_json(report: Report) -> str:
    """Write the report as one JSON object."""
    from cbow.network.gradcheck import TOLERANCE

    gradients = [
        {**row._asdict(), "right": row.right, "mistaken_right": row.mistaken_right}
        for row in report.rows
    ]
    return json_line(
        {
            "settings": report.settings,
            "redrawn": report.redrawn,
            "tolerance": TOLERANCE,
            "gradients": gradients,
            "activity": [row._asdict() for row in report.activity],
            "right": report.right,
        }
    )


def as_text(report: Report, columns: int | None) -> str:
    """Write the report as tables between paragraphs, `columns` wide."""
    ours = [
        (row.name, "x".join(map(str, row.shape)), f"{row.ours:.1e} {_verdict(row.ours)}")
        for row in report.rows
    ]
    slips = [
        (row.name, _error(row.mistaken), _error(row.with_dW), _error(row.with_AL))
        for row in report.rows
    ]
    parts = [
        wrapped(_opening(report), columns),
        table(("grad", "size", "ours"), ours, "<><", columns),
        *(wrapped(line, columns) for line in _verdicts(report)),
        wrapped("Circulating formulas in place of ours:", columns),
        table(("grad", "lecture", "dW[l].T", "A[L].T"), slips, "<<<<", columns),
        *(wrapped(line, columns) for line in _closing(report)),
    ]
    return "\n\n".join(parts)


def _verdict(error: float) -> str:
    from cbow.network.gradcheck import TOLERANCE

    return "right" if error < TOLERANCE else "wrong"


def _error(error: float | None) -> str:
    """Write the error of a circulating formula."""
    if error is None:
        return "no fit"
    return "right" if _verdict(error) == "right" else f"wrong {error:.2g}"


def _opening(report: Report) -> str:
    """Say what was checked against what."""
    from cbow.network.gradcheck import TOLERANCE

    s = report.settings
    if s["layers"] is None:
        what = f"{s['vocabulary']} words"
        if s["ngrams"]:
            shortest, longest = s["ngrams"]
            what += f" made of n-grams of {shortest} to {longest} characters, in as many buckets"
        what += f", {s['dimension']} hidden units ({s['activation']})"
    else:
        hidden = f" ({s['activation']})" if len(s["layers"]) > 2 else ""
        what = f"Layers {','.join(map(str, s['layers']))}{hidden}, {s['output']} output"
        what += f", {s['cost']} cost"
    again = ""
    if report.redrawn:
        again = f" Biases drawn again (units too near 0, or all dead): {report.redrawn}."
    return (
        f"{what}, {s['batch']} examples, seed {s['seed']}.{again} Errors are the largest "
        "difference from central differences of the cost, relative to the largest entry; right "
        f"is below {TOLERANCE:.0e}."
    )


def _verdicts(report: Report) -> list[str]:
    """Say whether ours are right, and how many units let a gradient through."""
    failed = [row.name for row in report.rows if not row.right]
    lines = [
        f"Ours: {', '.join(failed)} wrong." if failed else f"Ours: all {len(report.rows)} right."
    ]
    names = _activations(report.settings["activation"], len(report.activity))
    for name, row in zip(names, report.activity, strict=True):
        of_what = "units times examples"
        if name == "leaky_relu":  # of which no unit dies, however little it lets through
            of_what += f"; g'(Z{row.layer}) = {SLOPES[name].format(l=row.layer)}"
        lines.append(
            f"Hidden layer {row.layer}: {100 * row.active:.0f} % active ({of_what}), "
            f"{row.dead} of {row.units} units dead in this batch."
        )
    return lines


def _closing(report: Report) -> list[str]:
    """Say what the circulating formulas are, and why they fail."""
    last = len(report.rows) // 2
    before = last - 1
    slip = (
        f"A[L].T: dW{last} = dZ{last} @ A{last}.T in place of dZ{last} @ A{before}.T, the output "
    )
    slip += "where the layer before belongs"
    n = report.rows[-1].shape[0]
    slip += f"; it is {n}x{n} and fits nothing." if report.rows[-2].with_AL is None else "."
    if not report.activity:
        return [slip, "There is no hidden layer for the other two to go wrong in."]
    back = f"dZ{before} = "
    activation = report.settings["activation"].split(",")[-1]
    slope, unit = SLOPES[activation].format(l=before), "by the unit that fired"
    mask = slope
    if activation != "relu":
        mask, unit = f"g'(Z{before})", f"by g'(Z{before}) = {slope}"
    lecture = (
        f"lecture: {back}max(0, W{last}.T @ dZ{last}), as taught in a well-known course until "
        f"mid-2023, in place of {back}(W{last}.T @ dZ{last}) * {mask}."
    )
    why = f"t masks by the sign of the arriving gradient instead of {unit}."
    if all(row.mistaken_right for row in report.rows):
        why = "I" + why + " In this draw both agree by chance; a larger --batch tells them apart."
    else:
        why = "It fails because i" + why
    slip_dW = (
        f"dW[l].T: {back}(dW{last}.T @ dZ{last}) * {mask}, the gradient where the weights belong; "
        "the shapes fit, so nothing complains."
    )
    return [f"{lecture} {why}", slip_dW, slip]
