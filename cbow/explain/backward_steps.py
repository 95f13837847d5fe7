"""The last four steps: from the cost back to every parameter, and one step downhill."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbow.explain.content import Step, Table, counted
from cbow.explain.tables import Axis, View, column, first, matrix, places, slopes
from cbow.network.gradcheck import STEP

#: The formula that circulates and is wrong.
MISTAKEN: Final = "max(0, W2ᵀ dZ2)"

#: A slope that was measured may be off by this; rounding alone makes it about 1e-12.
PRECISION: Final = 1e-8


def back_through_the_output(view: View) -> Step:
    """Step 7."""
    words, gradients = view.words, view.worked.gradients
    dZ2 = matrix(
        "dZ2",
        "Y is 1 at the target and 0 elsewhere",
        view.worked.dZ[2],
        (words, view.examples),
        equation="dZ2 = (Yhat - Y) / m",
        marked=view.targets,
        mark="the target",
    )
    dW2, db2 = "for each weight of W2", "the sum of each row of dZ2"
    return Step(
        "Backward: the output layer",
        "How does J change when a number changes a little? That slope is its gradient. All of "
        "them are computed from the end to the beginning, layer by layer. For softmax with this "
        "cost the first one is plain: what was predicted minus what was right.",
        (
            dZ2,
            matrix("dW2", dW2, gradients.dW2, (words, view.units), equation="dW2 = dZ2 Hᵀ"),
            column("db2", db2, gradients.db2, words, equation="db2 = dZ2 1"),
        ),
        _what_it_asks_for(view),
    )


def _what_it_asks_for(view: View) -> tuple[str, str]:
    """Compute one entry of dZ2 by hand, and say what its signs mean."""
    y, m = int(view.worked.y[0]), len(view.worked.y)
    Yhat, dZ2 = view.worked.pass_.Yhat, view.worked.dZ[2]
    return (
        f"By hand, for the target of {view.example(0)}: dZ2 = ({view.say(Yhat[y, 0])} - 1) / {m} "
        f"= {view.say(dZ2[y, 0])}.",
        "In each column of dZ2 only the entry of the target is negative: a step against the "
        "gradient raises its score and lowers all others. Each column sums to 0.",
    )


def back_through_the_hidden_layer(view: View) -> Step:
    """Step 8."""
    name = view.wording.slopes
    stopped = ": what was stopped on the way forward is stopped on the way back"
    wrong = view.worked.mistaken_dZ1 != view.worked.dZ[1]  # (N, m)
    return Step(
        "Backward: the hidden layer",
        "W2ᵀ carries the error of every word back to each unit. There it is multiplied by "
        f"{name}, the slope of the activation at the unit's own sum Z1{stopped * view.relu}.",
        _hidden_gradients(view, wrong),
        (
            *_what_passes(view, wrong),
            "Xᵀ brings in the 1/c of the contexts: in dW1 each word gets its share of what passed.",
        ),
    )


def _hidden_gradients(view: View, wrong: NDArray[np.bool_]) -> tuple[Table, ...]:
    """Set what arrives, the slopes, their product, what is mistaken for it, and what follows."""
    worked, units, axes = view.worked, view.units, (view.units, view.examples)
    right = f"dZ1 = (W2ᵀ dZ2) ⊙ {view.wording.slopes}"
    mistaken = matrix(
        "Mistaken dZ1",
        "as a well-known course taught it until mid-2023",
        worked.mistaken_dZ1,
        axes,
        equation=f"dZ1 = {MISTAKEN}",
        marked=places(wrong),
        mark="differs from dZ1",
    )
    dW1, db1 = "for each weight of W1", "the sum of each row of dZ1"
    return (
        matrix("W2ᵀ dZ2", "what arrives at each unit", worked.arriving, axes),
        slopes(view),
        matrix("dZ1", "what passes", worked.dZ[1], axes, equation=right),
        mistaken,
        matrix("dW1", dW1, worked.gradients.dW1, (units, view.words), equation="dW1 = dZ1 Xᵀ"),
        column("db1", db1, worked.gradients.db1, units, equation="db1 = dZ1 1"),
    )


def _what_passes(view: View, wrong: NDArray[np.bool_]) -> list[str]:
    """Point at a place where the mask stops something, and at what the mistaken formula does."""
    off = view.worked.slopes == 0  # (N, m)
    notice = []
    if off.any():
        k, i = first(off)
        notice.append(
            f"Unit {k + 1} did not fire for {view.example(i)}: its mask is 0 there, so of the "
            f"{view.say(view.worked.arriving[k, i])} that arrives nothing flows back through it."
        )
    form = "" if view.relu else " (shown as it was taught, for ReLU)"
    if not wrong.any():
        return [*notice, f"By chance the mistaken formula{form} gives the same numbers here."]
    return [
        *notice,
        f"The mistaken formula{form} is wrong in {int(wrong.sum())} of {wrong.size} places. It "
        "looks at the sign of what arrives, not at what the unit did.",
        *_two_faults(view, off),
        "It is never negative, so by its steps W1 and b1 can only fall, until units do not fire at "
        "all.",
    ]


def _two_faults(view: View, off: NDArray[np.bool_]) -> list[str]:
    """Show where the mistaken formula passes what should be stopped, and stops what should pass."""
    dZ1, mistaken = view.worked.dZ[1], view.worked.mistaken_dZ1
    faults = []
    if (passes := off & (mistaken > 0)).any():
        k, i = first(passes)
        faults.append(
            f"It passes {view.say(mistaken[k, i])} at unit {k + 1} for {view.example(i)}, where "
            "the unit did not fire."
        )
    if (stops := dZ1 < 0).any():
        k, i = first(stops)
        faults.append(
            f"It stops the {view.say(dZ1[k, i])} that should pass at unit {k + 1} for "
            f"{view.example(i)}."
        )
    return faults


def which_is_right(view: View) -> Step:
    """Step 9."""
    worked = view.worked
    columns = [worked.measured_db1, worked.gradients.db1, worked.mistaken.db1]
    db1 = np.hstack(columns)  # (N, 3)
    off = np.abs(db1 - worked.measured_db1) > PRECISION  # (N, 3)
    table = matrix(
        "db1",
        "as measured, by the formula of step 8, and by the mistaken one",
        db1,
        (view.units, Axis("", (), ("measured", "dZ1 1", f"{MISTAKEN} 1"))),
        equation="dJ/db1 ≈ (8 (J(+h) - J(-h)) - (J(+2h) - J(-2h))) / 12h",
        marked=places(off),
        mark="differs from what was measured",
    )
    N, right, wrong = len(db1), int((~off[:, 1]).sum()), int(off[:, 2].sum())
    verdict = f"The mistaken formula is wrong for {wrong} of {counted(N, 'unit')}."
    if not wrong:
        verdict = "By chance so does the mistaken formula; with another --seed it does not."
    return Step(
        "Which formula is right?",
        "The cost itself decides, without any formula for the gradient: move one bias a little up "
        "and down, compute J each time, and see how steeply it rises.",
        (table,),
        (
            f"h is {STEP:.2g}. The formula of step 8 agrees with what was measured to within "
            f"{PRECISION:g} for {right} of {counted(N, 'unit')}. {verdict}",
        ),
    )


def one_step(view: View) -> Step:
    """Step 10."""
    worked, words, units = view.worked, view.words, view.units
    J, after, mistaken = worked.cost, worked.after.cost, worked.after_mistaken.cost
    costs = (
        ("before", J, 0.0),
        ("after the step", after, after - J),
        ("after the mistaken step", mistaken, mistaken - J),
    )
    W1, b1, W2, b2 = worked.after.parameters
    return Step(
        "One step of gradient descent",
        "Every parameter moves against its gradient, downhill. The learning rate α says how far; "
        f"here it is {worked.settings.learning_rate:g}.",
        (
            matrix("New W1", "", W1, (units, words), equation="W1 ← W1 - α dW1"),
            column("New b1", "", b1, units, heading="b1", equation="b1 ← b1 - α db1"),
            matrix("New W2", "", W2, (words, units), equation="W2 ← W2 - α dW2"),
            column("New b2", "", b2, words, heading="b2", equation="b2 ← b2 - α db2"),
            Table("Cost", "before and after", ("parameters", "J", "change"), costs),
        ),
        (_outcome(view, after - J), _mistaken_outcome(mistaken - after)),
    )


def _outcome(view: View, change: float) -> str:
    """Say honestly whether the step lowered the cost."""
    if change < 0:
        return (
            f"The cost fell by {view.say(-change)}. Training is this, over and over, with new "
            "examples."
        )
    if change > 0:
        return (
            f"The cost rose by {view.say(change)}. The gradient is right, but the step was too "
            "long: a slope holds only near where it was measured. Try a smaller --learning-rate."
        )
    return "The cost did not change: the step was too short. Try a larger --learning-rate."


def _mistaken_outcome(difference: float) -> str:
    """Compare the cost after the mistaken step with that after the right one, and not argue."""
    how = "higher than" if difference > 0 else "lower than" if difference < 0 else "the same as"
    return (
        f"After the mistaken step the cost is {how} after the right one. That proves nothing: dW2 "
        "and db2 are right in both, and a wrong direction may happen to lead down. Step 9 decides."
    )
