"""The ten sections of the explanation, from the words to one step of gradient descent."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cbow.errors import counted
from cbow.explain.explanation import Cell, Explanation, Section, Table, listed, number, quoted
from cbow.explain.worked import DECIMALS, Worked
from cbow.network.activations import LEAK
from cbow.network.gradcheck import STEP

#: The formula that circulates and is wrong.
MISTAKEN: Final = "max(0, W2ᵀ dZ2)"

#: A slope that was measured may be off by this; rounding alone makes it about 1e-12.
PRECISION: Final = 1e-8


# --- a worked example seen as tables and sentences: axes, headings, numbers, wording --------------


class Wording(NamedTuple):
    """What is said of an activation.

    Attributes
    ----------
    H : str
        The equation of its output.
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


class Axis(NamedTuple):
    """What the rows or the columns of an array are."""

    name: str
    rows: tuple[str, ...]  #: names beside rows, under the name of the axis
    columns: tuple[str, ...]  #: headings above columns


class View(NamedTuple):
    """A worked example, and the decimals its numbers are shown with."""

    worked: Worked
    digits: int

    def say(self, value: Any) -> str:
        """Write a number for a sentence."""
        return number(float(value), self.digits)

    @property
    def words(self) -> Axis:
        """The V words."""
        words = self.worked.vocabulary.words
        return Axis("word", words, words)

    @property
    def inputs(self) -> Axis:
        """The V words, and behind them their n-grams, if they are made of any, in brackets."""
        words, ngrams = self.words, tuple(f"[{ngram}]" for ngram in self.worked.ngrams)
        if not ngrams:
            return words
        return Axis("word, n-gram", words.rows + ngrams, words.columns + ngrams)

    @property
    def an_input(self) -> str:
        """What a row of X and a column of W1 stand for."""
        return "each word and n-gram" if self.worked.ngrams else "each word"

    @property
    def units(self) -> Axis:
        """The N units, from 1."""
        names = tuple(str(k + 1) for k in range(self.worked.settings.dimension))
        return Axis("unit", names, tuple(f"unit {name}" for name in names))

    @property
    def examples(self) -> Axis:
        """The m examples, from 1, each with its target."""
        names = tuple(f"{i + 1} {each.target}" for i, each in enumerate(self.worked.examples))
        return Axis("example", names, names)

    def example(self, i: int) -> str:
        """Name an example, for a sentence."""
        return f"example {i + 1} ({quoted(self.worked.examples[i].target)})"

    @property
    def wording(self) -> Wording:
        """What is said of the activation."""
        return WORDING[self.worked.settings.activation]

    @property
    def relu(self) -> bool:
        """Whether the activation is ReLU."""
        return self.worked.settings.activation == "relu"

    @property
    def targets(self) -> frozenset[tuple[int, int]]:
        """The places (y_i, i) in an array (V, m)."""
        return frozenset((int(word), i) for i, word in enumerate(self.worked.y))


def matrix(
    name: str, caption: str, array: NDArray[Any], axes: tuple[Axis, Axis], **more: Any
) -> Table:
    """Return the table of a matrix with `axes` for its rows and columns; `more` goes to `Table`."""
    rows, columns = axes
    shape = f"({len(array)}, {len(array.T)})"
    cells = ((label, *row) for label, row in zip(rows.rows, array.tolist(), strict=True))
    return Table(f"{name} {shape}", caption, (rows.name, *columns.columns), tuple(cells), **more)


def column(
    name: str, caption: str, array: NDArray[Any], rows: Axis, heading: str = "", **more: Any
) -> Table:
    """Return the table of a column, a bias or its gradient, headed by its name by default."""
    return matrix(name, caption, array, (rows, Axis("", (), (heading or name,))), **more)


def slopes(view: View) -> Table:
    """Return the table of g'(Z1), (N, m); the mask of ReLU in whole numbers."""
    array = view.worked.slopes.astype(int) if view.relu else view.worked.slopes
    axes = view.units, view.examples
    return matrix(view.wording.slopes, view.wording.slopes_are, array, axes)


def places(mask: NDArray[np.bool_]) -> frozenset[tuple[int, int]]:
    """Return where a mask is true."""
    return frozenset((int(i), int(j)) for i, j in np.argwhere(mask))


def first(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the first place where a mask is true."""
    i, j = np.argwhere(mask)[0]
    return int(i), int(j)


# --- the explanation ------------------------------------------------------------------------------


def explain(worked: Worked, digits: int) -> Explanation:
    """Explain a worked example, section by section.

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
    sections = (
        words_and_ids(view),
        contexts_and_targets(view),
        the_input(view),
        hidden_layer(view),
        output_layer(view),
        the_cost(view),
        back_through_the_output(view),
        back_through_the_hidden_layer(view),
        which_is_right(view),
        one_step(view),
    )
    settings, zero = worked.settings, f"{0:.{digits}f}"
    parts = f", {counted(len(worked.ngrams), 'n-gram')}" if worked.ngrams else ""
    introduction = (
        "One forward pass, one backward pass and one step of gradient descent of the network that "
        "guesses a word from the words around it, on a text small enough to show every number.",
        f"{counted(len(worked.vocabulary), 'word')}{parts}, "
        f"{counted(settings.dimension, 'hidden unit')} ({settings.activation}), "
        f"{counted(len(worked.examples), 'example')}, window {settings.window}, "
        f"learning rate {settings.learning_rate:g}, seed {settings.seed}.",
        f"Numbers are rounded to {counted(digits, 'decimal')} where they are shown, never before "
        f"they are used. 0 is exactly 0; {zero} is not 0 but rounds to it. Ids count from 0, units "
        "and examples from 1.",
    )
    return Explanation("CBOW, step by step", introduction, sections, digits)


# --- from the words to the input ------------------------------------------------------------------


def words_and_ids(view: View) -> Section:
    """Write section 1."""
    worked = view.worked
    vocabulary, counts = worked.vocabulary.words, worked.vocabulary.counts.tolist()
    words = [word for line in worked.lines for word in line]
    ids = [worked.vocabulary[word] for word in words]
    lines = [n for n, line in enumerate(worked.lines, start=1) for _ in line]
    rows: list[tuple[Cell, ...]] = [("word", *words), ("id", *ids)]
    if lines[-1] > 1:
        rows.insert(0, ("line", *lines))
    positions = map(str, range(1, len(words) + 1))
    notice = f"{counted(sum(counts), 'token')}, {len(vocabulary)} distinct words."
    if counts[0] == 1:
        notice += " Each occurs once."
    else:
        top = [quoted(w) for w, n in zip(vocabulary, counts, strict=True) if n == counts[0]]
        notice += f" Most frequent: {listed(top)}, {counted(counts[0], 'time')}."
    made_of: tuple[Table, ...] = ()
    notices: tuple[str, ...] = (notice,)
    if worked.settings.ngrams:
        shortest, longest = worked.settings.ngrams
        sizes = counted(longest, "character")
        if shortest < longest:
            sizes = f"{shortest} to {sizes}"
        names = view.inputs.rows
        rows_of = ((names[each[0]], " ".join(names[f] for f in each)) for each in worked.features)
        made_of = (
            Table(
                "Features",
                "each word and, in brackets, its n-grams: the stretches of "
                f"{sizes} of it between < and >",
                ("word", "features"),
                tuple(rows_of),
                align="<<",
                plain=True,
            ),
        )
        notices += (
            f"{counted(len(worked.ngrams), 'distinct n-gram')}, whose ids follow those of the "
            "words. In a training there are too many: each falls into one of many buckets, by its "
            "hash.",
        )
    return Section(
        "Words and their ids",
        "The network computes with numbers, so every distinct word gets an id, from 0, the most "
        "frequent words first. Capitals have become small letters, and punctuation is left out.",
        (
            Table(
                "Tokens", "the text, word by word", ("token", *positions), tuple(rows), plain=True
            ),
            Table(
                "Vocabulary",
                "the distinct words",
                ("word", "id", "count"),
                tuple(zip(vocabulary, range(len(vocabulary)), counts, strict=True)),
                plain=True,
            ),
            *made_of,
        ),
        notices,
    )


def contexts_and_targets(view: View) -> Section:
    """Write section 2."""
    examples, window = view.worked.examples, view.worked.settings.window
    words = [word for line in view.worked.lines for word in line]
    sizes = [len(each.context) for each in examples]
    shortest, size = sizes.index(min(sizes)) + 1, counted(min(sizes), "context word")
    alone = (
        f"Token {i + 1}, {quoted(words[i])}, is alone on its line: no context, no example."
        for i in view.worked.alone
    )
    table = Table(
        "Examples",
        "what is seen and what is to be guessed",
        ("example", "before", "target", "after"),
        tuple(
            (str(i), " ".join(each.before), each.target, " ".join(each.after))
            for i, each in enumerate(examples, start=1)
        ),
        align="<><<",
        plain=True,
    )
    return Section(
        "Contexts and targets",
        "Every token is the target of one example. Its context is up to "
        f"{counted(window, 'word')} before it and up to {window} after it, on the same line. The "
        "network sees the context and has to guess the target.",
        (table,),
        (
            f"Example {shortest} has {size}, not {2 * window}: a window ends where its line does.",
            *alone,
        ),
    )


def the_input(view: View) -> Section:
    """Write section 3."""
    X = view.worked.X
    where = "that word's row"
    if view.worked.ngrams:
        where = "all, in equal shares, in the rows of its features"
    notice = [
        f"Every column sums to 1. {np.count_nonzero(X)} of {X.size} entries are not 0. With a "
        "vocabulary of thousands nearly all are 0, so programs store only those that are not."
    ]
    for i, each in enumerate(view.worked.examples):
        c, word = len(each.context), max(each.context, key=each.context.count)
        times = each.context.count(word)
        if times > 1:
            said = f"Among the {c} words around {view.example(i)}, {quoted(word)} occurs "
            said += f"{times} times"
            if not view.worked.ngrams:
                notice.append(f"{said} and so gets {times}/{c} = {view.say(times / c)}.")
            else:
                size = len(view.worked.features[view.worked.vocabulary[word]])
                notice.append(
                    f"{said}. It has {counted(size, 'feature')}, itself among them, each of which "
                    f"gets {times}/{c} x 1/{size} = {view.say(times / c / size)}, and more if "
                    "another word of the context has it, too."
                )
            break
    table = matrix(
        "X",
        f"the averaged contexts; a row for {view.an_input}, a column for each example, headed by "
        "its number and target",
        X,
        (view.inputs, view.examples),
    )
    return Section(
        "The input",
        "Column i of X is the context of example i in numbers: each of its c words adds 1/c in "
        f"{where}. Which words there are counts, their order does not: hence the "
        '"bag of words" in the name CBOW.',
        (table,),
        tuple(notice),
    )


# --- forward --------------------------------------------------------------------------------------


def hidden_layer(view: View) -> Section:
    """Write section 4."""
    worked, parameters, pass_ = view.worked, view.worked.parameters, view.worked.pass_
    units, axes = view.units, (view.units, view.examples)
    W1, b1, Z1 = parameters.W1, parameters.b1, pass_.Z1
    on = Z1 > 0  # (N, m)

    # One sum is written out, if there is one of a unit that fires.
    k, i = first(on) if on.any() else (0, 0)
    context = worked.examples[i].context
    terms = [
        f"{context.count(word)}/{len(context)} x {_weight(worked, k, word)}"
        for word in dict.fromkeys(context)
    ]
    sign = "-" if b1[k, 0] < 0 else "+"
    notice = [
        f"By hand, for unit {k + 1} and {view.example(i)}: Z1 = {' + '.join(terms)} {sign} "
        f"{abs(b1[k, 0]):.{DECIMALS}f} = {view.say(Z1[k, i])}."
    ]
    if worked.settings.activation in ("relu", "leaky_relu"):
        share = f"The units fire in {int(on.sum())} of {on.size} places."
        if on.all():
            notice.append(f"{share} With another --seed some may not.")
        else:
            k, i = first(~on)
            notice += [
                share,
                f"Unit {k + 1} does not fire for {view.example(i)}: Z1 is {view.say(Z1[k, i])} "
                f"there, and H is {view.say(pass_.H[k, i])}.",
            ]
        dead = np.flatnonzero(~worked.slopes.any(axis=1)) + 1
        if len(dead):
            notice.append(
                f"Firing for no example, and so dead on this text: unit {listed(dead.tolist())}. "
                "Nothing will flow back there, so a step cannot change its weights in W1 and W2, "
                "nor its bias."
            )
    return Section(
        "The hidden layer",
        "Each unit weighs the words of the context with its row of W1, adds them up, and adds its "
        f"bias: that is Z1. {view.wording.purpose}",
        (
            matrix(
                "W1",
                f"a row for each unit, a column for {view.an_input}; drawn at random "
                f"(seed {worked.settings.seed}), with {DECIMALS} decimals",
                W1,
                (units, view.inputs),
            ),
            column("b1", "a bias for each unit", b1, units),
            matrix("Z1", "the sums", Z1, axes, equation="Z1 = W1 X + b1"),
            slopes(view),
            matrix("H", "what the units pass on", pass_.H, axes, equation=view.wording.H),
        ),
        tuple(notice),
    )


def _weight(worked: Worked, k: int, word: str) -> str:
    """Write the weight of a word in unit k: that of its column of W1, or the mean of its features'.

    All of them have `DECIMALS` decimals.
    """
    features = worked.features[worked.vocabulary[word]]
    weights = [f"{worked.parameters.W1[k, feature]:.{DECIMALS}f}" for feature in features]
    return weights[0] if len(weights) == 1 else f"({' + '.join(weights)})/{len(weights)}"


def output_layer(view: View) -> Section:
    """Write section 5."""
    worked, parameters, pass_ = view.worked, view.worked.parameters, view.worked.pass_
    words, axes = view.words, (view.words, view.examples)
    y, Yhat = worked.y, pass_.Yhat
    guesses = Yhat.argmax(axis=0)  # (m,)
    worst = int(worked.losses.argmax())
    guess, target = guesses[worst], y[worst]
    guessed, right = (quoted(worked.vocabulary.words[word]) for word in (guess, target))
    return Section(
        "The output layer",
        "Each word gets a score Z2 from what the units pass on. Softmax turns the scores of a "
        "column into probabilities: none is negative, and they sum to 1.",
        (
            matrix(
                "W2",
                "a row for each word, a column for each unit; drawn like W1",
                parameters.W2,
                (words, view.units),
            ),
            column("b2", "a bias for each word", parameters.b2, words),
            matrix("Z2", "the scores", pass_.Z2, axes, equation="Z2 = W2 H + b2"),
            matrix(
                "Yhat",
                "the probability of each word",
                Yhat,
                axes,
                equation="Yhat = softmax(Z2) = exp(Z2) / (sum of exp(Z2) over the column)",
                marked=view.targets,
                mark="the target",
            ),
        ),
        (
            f"The likeliest word is the target in {int((guesses == y).sum())} of {len(y)} "
            "examples. Nothing has been learned yet: the parameters are random, and so are the "
            "guesses.",
            f"The target does worst in {view.example(worst)}: {right} gets "
            f"{view.say(Yhat[target, worst])}, the likeliest word {guessed} "
            f"{view.say(Yhat[guess, worst])}.",
        ),
    )


def the_cost(view: View) -> Section:
    """Write section 6."""
    worked, losses = view.worked, view.worked.losses
    V, m, dearest = len(worked.vocabulary), len(worked.y), int(losses.argmax())
    chances = worked.pass_.Yhat[worked.y, np.arange(m)]  # (m,)
    return Section(
        "The cost",
        "One number is to say how bad the guesses are. An example costs minus the logarithm of "
        "the probability that its target got: nothing if that is 1, the more the smaller it is. "
        "y_i is the id of the target of example i.",
        (
            matrix(
                "Losses",
                "the chance of each target, Yhat[y_i, i], and what it costs, -log Yhat[y_i, i]",
                np.array([chances, losses]),  # (2, m)
                (Axis("", ("chance", "loss"), ()), view.examples),
            ),
            Table(
                "Cost",
                "in nats per word",
                ("", "J"),
                (("mean loss", worked.cost),),
                equation="J = -(1/m) Σ_i log Yhat[y_i, i]",
            ),
        ),
        (
            f"J is {view.say(worked.cost)}. To give every word the same probability would cost "
            f"log {V} = {view.say(math.log(V))}.",
            f"Most expensive: {view.example(dearest)}, {view.say(losses[dearest])}.",
        ),
    )


# --- backward -------------------------------------------------------------------------------------


def back_through_the_output(view: View) -> Section:
    """Write section 7."""
    words, gradients = view.words, view.worked.gradients
    y, m = int(view.worked.y[0]), len(view.worked.y)
    Yhat, dZ2 = view.worked.pass_.Yhat, view.worked.dZ[2]
    return Section(
        "Backward: the output layer",
        "How does J change when a number changes a little? That slope is its gradient. All of "
        "them are computed from the end to the beginning, layer by layer. For softmax with this "
        "cost the first one is plain: what was predicted minus what was right.",
        (
            matrix(
                "dZ2",
                "Y is 1 at the target and 0 elsewhere",
                dZ2,
                (words, view.examples),
                equation="dZ2 = (Yhat - Y) / m",
                marked=view.targets,
                mark="the target",
            ),
            matrix(
                "dW2",
                "for each weight of W2",
                gradients.dW2,
                (words, view.units),
                equation="dW2 = dZ2 Hᵀ",
            ),
            column(
                "db2", "the sum of each row of dZ2", gradients.db2, words, equation="db2 = dZ2 1"
            ),
        ),
        (
            f"By hand, for the target of {view.example(0)}: dZ2 = ({view.say(Yhat[y, 0])} - 1) / "
            f"{m} = {view.say(dZ2[y, 0])}.",
            "In each column of dZ2 only the entry of the target is negative: a step against the "
            "gradient raises its score and lowers all others. Each column sums to 0.",
        ),
    )


def back_through_the_hidden_layer(view: View) -> Section:
    """Write section 8."""
    worked, units, axes = view.worked, view.units, (view.units, view.examples)
    name, gradients = view.wording.slopes, worked.gradients
    wrong = worked.mistaken_dZ1 != worked.dZ[1]  # (N, m)
    stopped = ": what was stopped on the way forward is stopped on the way back" * view.relu
    return Section(
        "Backward: the hidden layer",
        "W2ᵀ carries the error of every word back to each unit. There it is multiplied by "
        f"{name}, the slope of the activation at the unit's own sum Z1{stopped}.",
        (
            matrix("W2ᵀ dZ2", "what arrives at each unit", worked.arriving, axes),
            slopes(view),
            matrix("dZ1", "what passes", worked.dZ[1], axes, equation=f"dZ1 = (W2ᵀ dZ2) ⊙ {name}"),
            matrix(
                "Mistaken dZ1",
                "as a well-known course taught it until mid-2023",
                worked.mistaken_dZ1,
                axes,
                equation=f"dZ1 = {MISTAKEN}",
                marked=places(wrong),
                mark="differs from dZ1",
            ),
            matrix(
                "dW1",
                "for each weight of W1",
                gradients.dW1,
                (units, view.inputs),
                equation="dW1 = dZ1 Xᵀ",
            ),
            column(
                "db1", "the sum of each row of dZ1", gradients.db1, units, equation="db1 = dZ1 1"
            ),
        ),
        (
            *_what_passes(view, wrong),
            f"Xᵀ brings in the 1/c of the contexts: in dW1 {view.an_input} gets its share of what "
            "passed.",
        ),
    )


def _what_passes(view: View, wrong: NDArray[np.bool_]) -> list[str]:
    """Point at a place where the mask stops something, and at what the mistaken formula does."""
    dZ1, mistaken, arriving = view.worked.dZ[1], view.worked.mistaken_dZ1, view.worked.arriving
    off = view.worked.slopes == 0  # (N, m)
    notice = []
    if off.any():
        k, i = first(off)
        notice.append(
            f"Unit {k + 1} did not fire for {view.example(i)}: its mask is 0 there, so of the "
            f"{view.say(arriving[k, i])} that arrives nothing flows back through it."
        )
    form = "" if view.relu else " (shown as it was taught, for ReLU)"
    if not wrong.any():
        return [*notice, f"By chance the mistaken formula{form} gives the same numbers here."]
    notice.append(
        f"The mistaken formula{form} is wrong in {int(wrong.sum())} of {wrong.size} places. It "
        "looks at the sign of what arrives, not at what the unit did."
    )
    if (passes := off & (mistaken > 0)).any():
        k, i = first(passes)
        notice.append(
            f"It passes {view.say(mistaken[k, i])} at unit {k + 1} for {view.example(i)}, where "
            "the unit did not fire."
        )
    if (stops := dZ1 < 0).any():
        k, i = first(stops)
        notice.append(
            f"It stops the {view.say(dZ1[k, i])} that should pass at unit {k + 1} for "
            f"{view.example(i)}."
        )
    return [
        *notice,
        "It is never negative, so by its steps W1 and b1 can only fall, until units do not fire at "
        "all.",
    ]


def which_is_right(view: View) -> Section:
    """Write section 9."""
    worked = view.worked
    columns = [worked.measured_db1, worked.gradients.db1, worked.mistaken.db1]
    db1 = np.hstack(columns)  # (N, 3)
    off = np.abs(db1 - worked.measured_db1) > PRECISION  # (N, 3)
    table = matrix(
        "db1",
        "as measured, by the formula of section 8, and by the mistaken one",
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
    return Section(
        "Which formula is right?",
        "The cost itself decides, without any formula for the gradient: move one bias a little up "
        "and down, compute J each time, and see how steeply it rises.",
        (table,),
        (
            f"h is {STEP:.2g}. The formula of section 8 agrees with what was measured to within "
            f"{PRECISION:g} for {right} of {counted(N, 'unit')}. {verdict}",
        ),
    )


def one_step(view: View) -> Section:
    """Write section 10."""
    worked, words, units = view.worked, view.words, view.units
    J, after, mistaken = worked.cost, worked.after.cost, worked.after_mistaken.cost
    W1, b1, W2, b2 = worked.after.parameters
    if after < J:
        outcome = (
            f"The cost fell by {view.say(J - after)}. Training is this, over and over, with new "
            "examples."
        )
    elif after > J:
        outcome = (
            f"The cost rose by {view.say(after - J)}. The gradient is right, but the step was too "
            "long: a slope holds only near where it was measured. Try a smaller --learning-rate."
        )
    else:
        outcome = "The cost did not change: the step was too short. Try a larger --learning-rate."
    how = "higher than" if mistaken > after else "lower than" if mistaken < after else "the same as"
    return Section(
        "One step of gradient descent",
        "Every parameter moves against its gradient, downhill. The learning rate α says how far; "
        f"here it is {worked.settings.learning_rate:g}.",
        (
            matrix("New W1", "", W1, (units, view.inputs), equation="W1 ← W1 - α dW1"),
            column("New b1", "", b1, units, heading="b1", equation="b1 ← b1 - α db1"),
            matrix("New W2", "", W2, (words, units), equation="W2 ← W2 - α dW2"),
            column("New b2", "", b2, words, heading="b2", equation="b2 ← b2 - α db2"),
            Table(
                "Cost",
                "before and after",
                ("parameters", "J", "change"),
                (
                    ("before", J, 0.0),
                    ("after the step", after, after - J),
                    ("after the mistaken step", mistaken, mistaken - J),
                ),
            ),
        ),
        (
            outcome,
            f"After the mistaken step the cost is {how} after the right one. That proves nothing: "
            "dW2 and db2 are right in both, and a wrong direction may happen to lead down. Section "
            "9 decides.",
        ),
    )
