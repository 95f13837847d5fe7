"""The report of ``cbow-gradcheck``: as tables between paragraphs, or as JSON."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from cbow.cli.common import json_line, table, wrapped

if TYPE_CHECKING:
    from cbow.network import Activity, GradientErrors


@dataclasses.dataclass(frozen=True)
class Report:
    """What was checked, and what came out."""

    settings: dict[str, Any]
    redrawn: int
    rows: list[GradientErrors]
    activity: list[Activity]

    @property
    def right(self) -> bool:
        """Whether all of our gradients agree with the differences of the cost."""
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
    ours = [(row.name, _size(row), f"{row.ours:.1e} {_verdict(row.ours)}") for row in report.rows]
    slips = [
        (row.name, _error(row.mistaken), _error(row.with_dW), _error(row.with_AL))
        for row in report.rows
    ]
    parts = [
        wrapped(_opening(report), columns),
        table(("grad", "size", "ours"), ours, "<><", columns),
        *(wrapped(line, columns) for line in _verdicts(report)),
        wrapped("Formulas that circulate, in place of ours:", columns),
        table(("grad", "lecture", "dW[l].T", "A[L].T"), slips, "<<<<", columns),
        *(wrapped(line, columns) for line in _closing(report)),
    ]
    return "\n\n".join(parts)


def _size(row: GradientErrors) -> str:
    return "x".join(map(str, row.shape))


def _verdict(error: float) -> str:
    from cbow.network.gradcheck import TOLERANCE

    return "right" if error < TOLERANCE else "wrong"


def _error(error: float | None) -> str:
    """Write the error of a formula that circulates."""
    if error is None:
        return "no fit"
    return "right" if _verdict(error) == "right" else f"wrong {error:.2g}"


def _opening(report: Report) -> str:
    """Say what was checked against what."""
    from cbow.network.gradcheck import TOLERANCE

    s = report.settings
    if s["layers"] is None:
        what = f"{s['vocabulary']} words, {s['dimension']} hidden units ({s['activation']})"
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
    for row in report.activity:
        lines.append(
            f"Hidden layer {row.layer}: {100 * row.active:.0f} % active (units times examples), "
            f"{row.dead} of {row.units} units dead in this batch."
        )
    return lines


def _closing(report: Report) -> list[str]:
    """Say what the formulas that circulate are and why they fail."""
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
    mask = f"(Z{before} > 0)"
    lecture = (
        f"lecture: {back}max(0, W{last}.T @ dZ{last}), as taught in a well-known course until "
        f"mid-2023, in place of {back}(W{last}.T @ dZ{last}) * {mask}."
    )
    if set(report.settings["activation"].split(",")) != {"relu"}:
        lecture += f" It is shown in its ReLU form; here the right factor is g'(Z{before})."
    why = "t masks by the sign of the arriving gradient instead of by the unit that fired."
    if all(row.mistaken_right for row in report.rows):
        why = "I" + why + " In this draw both agree by chance; a larger --batch tells them apart."
    else:
        why = "It fails because i" + why
    slip_dW = (
        f"dW[l].T: {back}(dW{last}.T @ dZ{last}) * {mask}, the gradient where the weights belong; "
        "the shapes fit, so nothing complains."
    )
    return [f"{lecture} {why}", slip_dW, slip]
