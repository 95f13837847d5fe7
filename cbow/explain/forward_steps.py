"""The next three steps: from the input forward to the cost."""

from __future__ import annotations

import math

import numpy as np

from cbow.explain.content import Step, Table, listed, quoted
from cbow.explain.tables import Axis, View, column, first, matrix, slopes
from cbow.explain.worked import DECIMALS


def hidden_layer(view: View) -> Step:
    """Step 4."""
    parameters, pass_ = view.worked.parameters, view.worked.pass_
    units, axes = view.units, (view.units, view.examples)
    W1 = (
        "a row for each unit, a column for each word; drawn at random "
        f"(seed {view.worked.settings.seed}), with {DECIMALS} decimals"
    )
    return Step(
        "The hidden layer",
        "Each unit weighs the words of the context with its row of W1, adds them up, and adds its "
        f"bias: that is Z1. {view.wording.purpose}",
        (
            matrix("W1", W1, parameters.W1, (units, view.words)),
            column("b1", "a bias for each unit", parameters.b1, units),
            matrix("Z1", "the sums", pass_.Z1, axes, equation="Z1 = W1 X + b1"),
            slopes(view),
            matrix("H", "what the units pass on", pass_.H, axes, equation=view.wording.H),
        ),
        (_one_sum(view), *_who_fires(view)),
    )


def _one_sum(view: View) -> str:
    """Write out one sum: that of the first place where a unit fires, if there is one."""
    worked = view.worked
    Z1, W1, b1 = worked.pass_.Z1, worked.parameters.W1, worked.parameters.b1
    k, i = first(Z1 > 0) if (Z1 > 0).any() else (0, 0)
    context = worked.examples[i].context
    terms = [
        f"{context.count(word)}/{len(context)} x {W1[k, worked.vocabulary[word]]:.{DECIMALS}f}"
        for word in dict.fromkeys(context)
    ]
    sign = "-" if b1[k, 0] < 0 else "+"
    return (
        f"By hand, for unit {k + 1} and {view.example(i)}: Z1 = {' + '.join(terms)} {sign} "
        f"{abs(b1[k, 0]):.{DECIMALS}f} = {view.say(Z1[k, i])}."
    )


def _who_fires(view: View) -> list[str]:
    """Say where the units fire, with the first place where one does not."""
    if view.worked.settings.activation not in ("relu", "leaky_relu"):
        return []
    Z1, H = view.worked.pass_.Z1, view.worked.pass_.H
    on = Z1 > 0  # (N, m)
    share = f"The units fire in {int(on.sum())} of {on.size} places."
    if on.all():
        return [f"{share} With another --seed some may not."]
    k, i = first(~on)
    return [
        share,
        f"Unit {k + 1} does not fire for {view.example(i)}: Z1 is {view.say(Z1[k, i])} there, and "
        f"H is {view.say(H[k, i])}.",
        *_dead(view),
    ]


def _dead(view: View) -> list[str]:
    """Name the ReLU units that fire for no example."""
    dead = np.flatnonzero(~view.worked.slopes.any(axis=1)) + 1
    if not len(dead):
        return []
    return [
        f"Firing for no example, and so dead on this text: unit {listed(dead.tolist())}. Nothing "
        "will flow back there, so a step cannot change its weights in W1 and W2, nor its bias."
    ]


def output_layer(view: View) -> Step:
    """Step 5."""
    parameters, pass_ = view.worked.parameters, view.worked.pass_
    words, axes = view.words, (view.words, view.examples)
    W2 = "a row for each word, a column for each unit; drawn like W1"
    return Step(
        "The output layer",
        "Each word gets a score Z2 from what the units pass on. Softmax turns the scores of a "
        "column into probabilities: none is negative, and they sum to 1.",
        (
            matrix("W2", W2, parameters.W2, (words, view.units)),
            column("b2", "a bias for each word", parameters.b2, words),
            matrix("Z2", "the scores", pass_.Z2, axes, equation="Z2 = W2 H + b2"),
            matrix(
                "Yhat",
                "the probability of each word",
                pass_.Yhat,
                axes,
                equation="Yhat = softmax(Z2) = exp(Z2) / (sum of exp(Z2) over the column)",
                marked=view.targets,
                mark="the target",
            ),
        ),
        _guesses(view),
    )


def _guesses(view: View) -> tuple[str, str]:
    """Count the right guesses, and show the worst."""
    worked, words = view.worked, view.worked.vocabulary.words
    Yhat, y = worked.pass_.Yhat, worked.y
    guesses = Yhat.argmax(axis=0)  # (m,)
    worst = int(worked.losses.argmax())
    guess, target = guesses[worst], y[worst]
    return (
        f"The likeliest word is the target in {int((guesses == y).sum())} of {len(y)} examples. "
        "Nothing has been learned yet: the parameters are random, and so are the guesses.",
        f"The target does worst in {view.example(worst)}: {quoted(words[target])} gets "
        f"{view.say(Yhat[target, worst])}, the likeliest word {quoted(words[guess])} "
        f"{view.say(Yhat[guess, worst])}.",
    )


def the_cost(view: View) -> Step:
    """Step 6."""
    worked, J = view.worked, "J = -(1/m) Σ_i log Yhat[y_i, i]"
    chances = worked.pass_.Yhat[worked.y, np.arange(len(worked.y))]  # (m,)
    both = np.array([chances, worked.losses])  # (2, m)
    chance_and_loss = Axis("", ("chance", "loss"), ())
    are = "the chance of each target, Yhat[y_i, i], and what it costs, -log Yhat[y_i, i]"
    V, dearest = len(worked.vocabulary), int(worked.losses.argmax())
    return Step(
        "The cost",
        "One number is to say how bad the guesses are. An example costs minus the logarithm of "
        "the probability that its target got: nothing if that is 1, the more the smaller it is. "
        "y_i is the id of the target of example i.",
        (
            matrix("Losses", are, both, (chance_and_loss, view.examples)),
            Table("Cost", "in nats per word", ("", "J"), (("mean loss", worked.cost),), equation=J),
        ),
        (
            f"J is {view.say(worked.cost)}. To give every word the same probability would cost "
            f"log {V} = {view.say(math.log(V))}.",
            f"Most expensive: {view.example(dearest)}, {view.say(worked.losses[dearest])}.",
        ),
    )
