"""The explanation as a whole: text and tables, ready to be shown by anyone."""

from __future__ import annotations

from typing import Final

from cbow.explain import backward_steps, forward_steps, text_steps
from cbow.explain.content import Explanation, counted
from cbow.explain.tables import View
from cbow.explain.worked import Worked

#: In the order in which they are told.
STEPS: Final = (
    text_steps.words_and_ids,
    text_steps.contexts_and_targets,
    text_steps.the_input,
    forward_steps.hidden_layer,
    forward_steps.output_layer,
    forward_steps.the_cost,
    backward_steps.back_through_the_output,
    backward_steps.back_through_the_hidden_layer,
    backward_steps.which_is_right,
    backward_steps.one_step,
)


def explain(worked: Worked, digits: int) -> Explanation:
    """Tell a worked example step by step.

    Parameters
    ----------
    worked : Worked
        From `work_out`.
    digits : int
        Decimals that numbers are shown with.

    Returns
    -------
    Explanation
        Its tables hold the numbers unrounded; its sentences hold them rounded.
    """
    view = View(worked, digits)
    return Explanation(
        "CBOW, step by step", _introduction(view), tuple(step(view) for step in STEPS), digits
    )


def _introduction(view: View) -> tuple[str, ...]:
    """Say what follows, on which settings, and how to read it."""
    worked, settings = view.worked, view.worked.settings
    zero = f"{0:.{view.digits}f}"
    return (
        "One forward pass, one backward pass and one step of gradient descent of the network that "
        "guesses a word from the words around it, on a text small enough to show every number.",
        f"{counted(len(worked.vocabulary), 'word')}, {counted(settings.dimension, 'hidden unit')} "
        f"({settings.activation}), {counted(len(worked.examples), 'example')}, window "
        f"{settings.window}, learning rate {settings.learning_rate:g}, seed {settings.seed}.",
        f"Numbers are rounded to {counted(view.digits, 'decimal')} where they are shown, never "
        f"before they are used. 0 is exactly 0; {zero} is not 0 but rounds to it. Ids count from "
        "0, units and examples from 1.",
    )
