"""The worked example, number by number, and what is said about it."""

import math
import re
from pathlib import Path

import autograd
import autograd.numpy as anp
import naive_explain as naive
import naive_training
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_text import ngrams

import cbow.explain
from cbow import network
from cbow.errors import ConfigError, CorpusError
from cbow.explain import Settings, as_json, explain, work_out, worked
from cbow.explain.explanation import number
from cbow.explain.sections import View

LINE = ["the", "dog", "sees", "the", "cat", "and", "the", "cat", "runs"]
DEFAULT = Settings(window=2, dimension=3, activation="relu", seed=1, learning_rate=0.5)
G = {
    "relu": lambda z: max(0.0, z),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "identity": lambda z: z,
}

words = st.text("abcde", min_size=1, max_size=2)
texts = st.lists(st.lists(words, max_size=8), min_size=1, max_size=4).filter(
    lambda lines: len({w for line in lines for w in line}) > 1 and any(len(x) > 1 for x in lines)
)
choices = st.builds(
    Settings,
    window=st.integers(1, 4),
    dimension=st.integers(1, 5),
    activation=st.sampled_from(sorted(G)),
    seed=st.integers(0, 1000),
    learning_rate=st.floats(0.001, 2),
    ngrams=st.none() | st.sampled_from([(1, 1), (1, 2), (2, 4), (3, 3), (5, 6)]),
)


def by_hand(lines=(LINE,), **changes):
    return work_out(lines, DEFAULT._replace(**changes))


def told(lines=(LINE,), digits=3, **changes):
    return explain(by_hand(lines, **changes), digits)


def notices(explanation, n):
    return " ".join(explanation.sections[n - 1].notice)


def tables(explanation, n):
    return {table.name.split(" (")[0]: table for table in explanation.sections[n - 1].tables}


def found(wanted, **changes):
    """Look for a seed whose explanation satisfies `wanted`."""
    return next(
        each for seed in range(2000) if wanted(each := by_hand(**{"seed": seed, **changes}))
    )


# --- the numbers ---


@pytest.mark.slow
@given(texts, choices)
def test_everything_equals_its_plain_twin(lines, chosen):
    w = work_out(lines, chosen)
    vocabulary = list(w.vocabulary)
    pairs = naive.examples(lines, chosen.window)
    assert [(e.target, list(e.context)) for e in w.examples] == pairs
    assert list(w.alone) == naive.alone(lines)
    assert w.y.tolist() == [vocabulary.index(target) for target, _ in pairs]
    parts = [[w, *(f"[{n}]" for n in ngrams(w, *(chosen.ngrams or (9, 0))))] for w in vocabulary]
    inputs = list(dict.fromkeys([*vocabulary, *(f for features in parts for f in features)]))
    assert list(View(w, 3).inputs.rows) == inputs
    F = dict(zip(vocabulary, parts, strict=True))
    X = [
        [sum(F[word].count(f) / len(F[word]) for word in c) / len(c) for _, c in pairs]
        for f in inputs
    ]
    np.testing.assert_allclose(w.X, X, atol=1e-15)
    arrays = [array.tolist() for array in w.parameters]
    Z1, H, Z2, Yhat = naive.forward(X, *arrays, G[chosen.activation])
    for ours, theirs in (
        (w.pass_.Z1, Z1),
        (w.pass_.H, H),
        (w.pass_.Z2, Z2),
        (w.pass_.Yhat, Yhat),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert w.cost == pytest.approx(naive.cost(Yhat, w.y.tolist()), rel=1e-12)
    assert w.cost == pytest.approx(w.losses.mean(), rel=1e-12)


@pytest.mark.slow
@given(texts, choices)
def test_gradients_equal_autograd(lines, chosen):
    w = work_out(lines, chosen)
    Y = np.eye(len(w.vocabulary))[:, w.y]  # (V, m)
    g = {
        "relu": lambda Z: anp.maximum(0, Z),
        "leaky_relu": lambda Z: anp.where(Z > 0, Z, 0.01 * Z),
        "sigmoid": lambda Z: 1 / (1 + anp.exp(-Z)),
        "tanh": anp.tanh,
        "identity": lambda Z: Z,
    }[chosen.activation]

    def J(parameters):
        W1, b1, W2, b2 = parameters
        Z2 = anp.dot(W2, g(anp.dot(W1, w.X) + b1)) + b2
        logs = Z2 - anp.log(anp.sum(anp.exp(Z2), axis=0, keepdims=True))
        return -anp.sum(Y * logs) / Y.shape[1]

    theirs = autograd.grad(J)(tuple(w.parameters))
    for ours, expected, parameter, new in zip(
        w.gradients, theirs, w.parameters, w.after.parameters, strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-12)
        np.testing.assert_allclose(new, parameter - chosen.learning_rate * ours, atol=1e-12)
    np.testing.assert_allclose(w.measured_db1, theirs[1], atol=1e-8)
    assert w.after.cost == pytest.approx(J(w.after.parameters), rel=1e-9)
    assert w.after_mistaken.cost == pytest.approx(J(w.after_mistaken.parameters), rel=1e-9)


@pytest.mark.slow
@given(texts, choices)
def test_the_way_back_is_that_of_the_equations(lines, chosen):
    w = work_out(lines, chosen)
    Y, m = np.eye(len(w.vocabulary))[:, w.y], len(w.y)
    slope = network.ACTIVATIONS[chosen.activation].dg(w.pass_.Z1)
    dZ2 = (w.pass_.Yhat - Y) / m
    arriving = w.parameters.W2.T @ dZ2
    for ours, theirs in (
        (w.dZ[2], dZ2),
        (w.arriving, arriving),
        (w.slopes, slope),
        (w.dZ[1], arriving * slope),
        (w.mistaken_dZ1, np.where(arriving > 0, arriving, 0)),
        (w.mistaken.dW1, w.mistaken_dZ1 @ w.X.T),
        (w.mistaken.db1, w.mistaken_dZ1.sum(axis=1, keepdims=True)),
        (w.mistaken.dW2, w.gradients.dW2),
        (w.mistaken.db2, w.gradients.db2),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)


def test_two_words_by_hand():
    """ "a b", window 1: the context of each word is the other, so X is the identity turned over."""
    w = by_hand([["a", "b"]], window=1, dimension=1, activation="identity")
    np.testing.assert_array_equal(w.X, [[0, 1], [1, 0]])
    (u, v), c = w.parameters.W1[0], w.parameters.b1[0, 0]
    (p, q), (r, s) = w.parameters.W2[:, 0], w.parameters.b2[:, 0]
    np.testing.assert_allclose(w.pass_.Z1, [[v + c, u + c]], atol=1e-15)
    # of two words, the probability of one is a sigmoid of the difference of the scores
    first = 1 / (1 + math.exp(-((p - q) * (v + c) + r - s)))
    second = 1 / (1 + math.exp(-((q - p) * (u + c) + s - r)))
    assert w.cost == pytest.approx(-(math.log(first) + math.log(second)) / 2, rel=1e-12)


@given(texts, st.integers(1, 5))
def test_contexts_are_those_of_training(lines, window):
    tokens = [word for line in lines for word in line]
    line = np.array([n for n, words in enumerate(lines) for _ in words])
    theirs = [
        tuple(tokens[j] for j in around)
        for around in naive_training.windows(line, [window] * len(tokens))
    ]
    assert [each.context for each in worked.contexts(lines, window)] == theirs


def test_a_small_step_lowers_the_cost():
    for seed in range(30):
        w = by_hand(seed=seed, learning_rate=1e-4)
        assert w.after.cost < w.cost


def test_the_given_words_are_left_as_they_are():
    lines = [list(LINE)]
    w = by_hand(lines)
    assert lines == [LINE]
    assert w.parameters.b1 is not w.after.parameters.b1
    np.testing.assert_array_equal(by_hand().parameters.b1, w.parameters.b1)  # put back by measuring


# --- the draw ---


def test_the_draw_is_of_both_signs_and_printed_as_it_is():
    w = by_hand(dimension=8)
    for array in w.parameters:
        assert (array < 0).any()
        assert (array > 0).any()
        np.testing.assert_array_equal(array, array.round(2))


def test_the_draw_depends_on_the_seed_alone():
    one, same, other = by_hand(seed=7), by_hand(seed=7), by_hand(seed=8)
    for a, b, c in zip(one.parameters, same.parameters, other.parameters, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()


def test_no_unit_starts_where_rounding_decides(monkeypatch):
    X = by_hand().X
    for seed in range(50):
        W1, b1, _, _ = worked.draw(X, len(X), 3, seed)
        assert np.abs(W1 @ X + b1).min() >= worked.NEAR
    monkeypatch.setattr(worked, "NEAR", 0.05)
    before = worked.draw(X, len(X), 3, 1)
    assert np.abs(before.W1 @ X + before.b1).min() >= 0.05


# --- what is refused ---


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "the text holds no words; give a few, such as"),
        ([[], []], "the text holds no words"),
        ([["king"]], "one distinct word, 'king', which leaves nothing to guess; give two"),
        ([["ho", "ho"], ["ho"]], "one distinct word, 'ho'"),
        ([["king"], [], ["queen"]], "every line of the text holds a single word"),
        ([["a", "b"] * 20 + ["a"]], "holds 41 tokens, but 40 at most"),
        ([[f"w{i}" for i in range(31)]], "holds 31 distinct words, but 30 at most"),
        ([["a", "b" * 41]], "has 41 characters, but 40 at most"),
    ],
)
def test_refused(lines, sentence):
    with pytest.raises(CorpusError) as error:
        by_hand(lines)
    assert sentence in str(error.value)
    assert "; " in str(error.value)


def test_the_largest_that_is_not_refused():
    w = by_hand([[f"w{i % 30}" for i in range(40)]], dimension=20)
    assert (len(w.y), len(w.vocabulary)) == (40, 30)
    assert len(by_hand([["a", "b" * 40]]).y) == 2


def test_an_unknown_activation():
    with pytest.raises(ConfigError, match="'step'"):
        by_hand(activation="step")


# --- what is shown ---


def test_the_tables_hold_the_arrays():
    w, e = by_hand(), told()
    J = {
        (1, "Tokens"): [LINE, [0, 3, 5, 0, 1, 2, 0, 1, 4]],
        (3, "X"): w.X,
        (4, "W1"): w.parameters.W1,
        (4, "b1"): w.parameters.b1,
        (4, "Z1"): w.pass_.Z1,
        (4, "[Z1 > 0]"): w.pass_.Z1 > 0,
        (4, "H"): w.pass_.H,
        (5, "W2"): w.parameters.W2,
        (5, "b2"): w.parameters.b2,
        (5, "Z2"): w.pass_.Z2,
        (5, "Yhat"): w.pass_.Yhat,
        (6, "Losses"): [np.exp(-w.losses), w.losses],
        (6, "Cost"): [[w.cost]],
        (7, "dZ2"): w.dZ[2],
        (7, "dW2"): w.gradients.dW2,
        (7, "db2"): w.gradients.db2,
        (8, "W2ᵀ dZ2"): w.arriving,
        (8, "[Z1 > 0]"): w.slopes,
        (8, "dZ1"): w.dZ[1],
        (8, "Mistaken dZ1"): w.mistaken_dZ1,
        (8, "dW1"): w.gradients.dW1,
        (8, "db1"): w.gradients.db1,
        (9, "db1"): np.hstack([w.measured_db1, w.gradients.db1, w.mistaken.db1]),
        (10, "New W1"): w.after.parameters.W1,
        (10, "New b1"): w.after.parameters.b1,
        (10, "New W2"): w.after.parameters.W2,
        (10, "New b2"): w.after.parameters.b2,
        (10, "Cost"): [
            [w.cost, 0],
            [w.after.cost, w.after.cost - w.cost],
            [w.after_mistaken.cost, w.after_mistaken.cost - w.cost],
        ],
    }
    for (n, name), array in J.items():
        cells = [list(row[1:]) for row in tables(e, n)[name].rows]
        if name == "Tokens":
            assert cells == array
        else:
            np.testing.assert_allclose(np.array(cells), np.array(array, float), atol=1e-12)
    shown = {(n, name) for n in range(1, 11) for name in tables(e, n)}
    assert shown - set(J) == {(1, "Vocabulary"), (2, "Examples")}
    assert tables(e, 1)["Vocabulary"].rows[:2] == (("the", 0, 3), ("cat", 1, 2))
    assert tables(e, 2)["Examples"].rows[1] == ("2", "the", "dog", "sees the")


def test_headings_name_words_units_and_examples():
    e = told()
    assert tables(e, 3)["X"].columns[:3] == ("word", "1 the", "2 dog")
    assert [row[0] for row in tables(e, 3)["X"].rows] == list(by_hand().vocabulary)
    assert tables(e, 5)["W2"].columns == ("word", "unit 1", "unit 2", "unit 3")
    assert [row[0] for row in tables(e, 4)["H"].rows] == ["1", "2", "3"]
    assert tables(e, 10)["New b1"].columns == ("unit", "b1")


def test_marks():
    w, e = by_hand(), told()
    targets = {(word, i) for i, word in enumerate(w.y.tolist())}
    assert tables(e, 5)["Yhat"].marked == targets
    assert tables(e, 7)["dZ2"].marked == targets
    wrong = {(k, i) for k in range(3) for i in range(9) if w.mistaken_dZ1[k, i] != w.dZ[1][k, i]}
    assert tables(e, 8)["Mistaken dZ1"].marked == wrong
    assert tables(e, 9)["db1"].marked == {(0, 2), (1, 2), (2, 2)}


@pytest.mark.parametrize("activation", sorted(G))
def test_equations_are_those_of_the_activation(activation):
    e = told(activation=activation)
    H = tables(e, 4)["H"].equation
    slopes = "[Z1 > 0]" if activation == "relu" else "g'(Z1)"
    assert slopes in tables(e, 4)
    assert tables(e, 8)["dZ1"].equation == f"dZ1 = (W2ᵀ dZ2) ⊙ {slopes}"
    kind = int if activation == "relu" else float
    assert all(type(cell) is kind for row in tables(e, 4)[slopes].rows for cell in row[1:])
    if activation != "leaky_relu":  # its equation is no formula that Python can read
        formula = H.removeprefix("H = ")
        for z in (-1.5, 0.5):
            names = {"Z1": z, "max": max, "exp": math.exp, "tanh": math.tanh}
            assert eval(formula, names) == pytest.approx(G[activation](z))


def test_each_step_says_what_it_is_for():
    e = told()
    assert [section.title for section in e.sections][3:5] == [
        "The hidden layer",
        "The output layer",
    ]
    assert all(section.purpose.endswith((".", "?")) for section in e.sections)
    assert "6 words, 3 hidden units (relu), 9 examples, window 2" in e.introduction[1]
    assert "learning rate 0.5, seed 1" in e.introduction[1]


def test_digits_reach_the_sentences():
    assert "0.00 is not 0 but rounds to it" in " ".join(told(digits=2).introduction)
    assert "rounded to 1 decimal where" in " ".join(told(digits=1).introduction)
    assert "J is 1.78448." in notices(told(digits=5), 6)


def test_number():
    assert number(-0.0, 2) == "0"
    assert number(2.345, 1) == "2.3"
    assert number(-1e-9, 3) == "-0.000"
    assert number(7, 3) == "7"
    assert number("ω", 3) == "ω"


def test_json_holds_every_array():
    w = by_hand()
    record = as_json(w)
    assert record["settings"] == DEFAULT._asdict()
    assert record["lines"] == [LINE]
    assert record["words"] == list(w.vocabulary)
    assert record["counts"] == [3, 2, 1, 1, 1, 1]
    assert record["examples"][1] == {"target": "dog", "context": ["the", "sees", "the"]}
    assert record["targets"] == w.y.tolist()
    pass_ = w.pass_
    expected = {
        "X": w.X,
        "Z1": pass_.Z1,
        "slopes": w.slopes,
        "H": pass_.H,
        "Z2": pass_.Z2,
        "Yhat": pass_.Yhat,
        "losses": w.losses,
        "dZ2": w.dZ[2],
        "arriving": w.arriving,
        "dZ1": w.dZ[1],
        "mistaken_dZ1": w.mistaken_dZ1,
        "measured_db1": w.measured_db1,
        "mistaken_dW1": w.mistaken.dW1,
        "mistaken_db1": w.mistaken.db1,
        **{name: getattr(w.parameters, name) for name in ("W1", "b1", "W2", "b2")},
        **{name: getattr(w.gradients, name) for name in ("dW1", "db1", "dW2", "db2")},
    }
    assert record["arrays"] == {name: array.tolist() for name, array in expected.items()}
    assert record["cost"] == w.cost
    assert record["after"]["cost"] == w.after.cost
    np.testing.assert_array_equal(record["after_mistaken"]["arrays"]["W1"], w.after_mistaken[0].W1)


# --- what is said ---


def test_what_is_said_about_the_text():
    e = told()
    assert notices(e, 1) == '9 tokens, 6 distinct words. Most frequent: "the", 3 times.'
    assert "Example 1 has 2 context words, not 4" in notices(e, 2)
    assert "24 of 54 entries" in notices(e, 3)
    assert 'around example 2 ("dog"), "the" occurs 2 times and so gets 2/3 = 0.667.' in notices(
        e, 3
    )


def test_other_texts():
    e = told([["b", "a"], [], ["c"], ["a", "b", "a"]], window=1)
    assert notices(e, 1) == '6 tokens, 3 distinct words. Most frequent: "a", 3 times.'
    assert tables(e, 1)["Tokens"].rows[0] == ("line", 1, 1, 3, 4, 4, 4)
    assert 'Token 3, "c", is alone on its line: no context, no example.' in notices(e, 2)
    assert "Example 1 has 1 context word, not 2" in notices(e, 2)
    assert "up to 1 word before it" in e.sections[1].purpose
    assert "2/2 = 1.000" in notices(e, 3)
    assert tables(told([["b", "a"], ["a"]]), 1)["Tokens"].rows[0] == ("line", 1, 1, 2)
    assert tables(told([["b", "a"]]), 1)["Tokens"].rows[0] == ("word", "b", "a")
    assert "Each occurs once." in notices(told([["b", "a"]]), 1)
    assert "occurs 2" not in notices(told([["b", "a"]]), 3)
    assert 'Most frequent: "a" and "b", 2 times.' in notices(told([["a", "b", "b", "a", "c"]]), 1)


def test_one_sum_comes_out_as_said():
    for seed in range(40):
        e = told(seed=seed, digits=6)
        terms, value = re.search(r"Z1 = (.*) = (\S+)\.(?: |$)", notices(e, 4)).groups()
        assert eval(terms.replace("x", "*")) == pytest.approx(float(value), abs=1e-6)


def test_who_fires():
    text = notices(told(), 4)
    assert "The units fire in 10 of 27 places." in text
    assert 'Unit 1 does not fire for example 1 ("the"): Z1 is -0.625 there, and H is 0.' in text
    leaky = notices(told(activation="leaky_relu"), 4)
    assert "Z1 is -0.625 there, and H is -0.006." in leaky
    assert "fire" not in notices(told(activation="tanh"), 4)


def test_all_fire():
    w = found(lambda w: (w.pass_.Z1 > 0).all(), dimension=1)
    e = explain(w, 3)
    assert "The units fire in 9 of 9 places. With another --seed some may not." in notices(e, 4)
    assert "did not fire" not in notices(e, 8)


def test_none_fires():
    w = found(lambda w: not (w.pass_.Z1 > 0).any(), dimension=2)
    e = explain(w, 3)
    assert "Firing for no example, and so dead on this text: unit 1 and 2." in notices(e, 4)
    assert 'By hand, for unit 1 and example 1 ("the")' in notices(e, 4)
    for array, new in zip(w.parameters[:3], w.after.parameters[:3], strict=True):
        np.testing.assert_array_equal(array, new)  # as was said
    leaky = by_hand(dimension=2, seed=w.settings.seed, activation="leaky_relu")
    assert "dead" not in notices(explain(leaky, 3), 4)


def test_the_guesses():
    w, text = by_hand(), notices(told(), 5)
    right = sum(int(w.pass_.Yhat[:, i].argmax()) == word for i, word in enumerate(w.y))
    assert f"in {right} of 9 examples" in text
    assert 'in example 8 ("cat"): "cat" gets 0.047, the likeliest word "dog" 0.312.' in text


def test_the_cost():
    text = notices(told(), 6)
    assert text.startswith("J is 1.784. To give every word the same probability would cost log 6 =")
    assert "log 6 = 1.792." in text
    assert 'Most expensive: example 8 ("cat"), 3.048.' in text


def test_the_error_of_the_output():
    text = notices(told(), 7)
    assert '("the"): dZ2 = (0.349 - 1) / 9 = -0.072.' in text
    for seed in range(20):
        dZ2, targets = by_hand(seed=seed).dZ[2], tables(told(seed=seed), 7)["dZ2"].marked
        assert {(int(k), int(i)) for k, i in np.argwhere(dZ2 < 0)} == targets
        np.testing.assert_allclose(dZ2.sum(axis=0), 0, atol=1e-15)


def test_what_passes():
    text = notices(told(), 8)
    assert 'Unit 1 did not fire for example 1 ("the")' in text
    assert "of the 0.059 that arrives nothing flows back" in text
    assert "The mistaken formula is wrong in 18 of 27 places." in text
    assert 'It passes 0.059 at unit 1 for example 1 ("the"), where the unit did not fire.' in text
    assert 'It stops the -0.174 that should pass at unit 1 for example 2 ("dog").' in text
    assert "stopped on the way back" in told().sections[7].purpose


@pytest.mark.parametrize("activation", ["leaky_relu", "sigmoid", "tanh", "identity"])
def test_the_mistake_is_of_relu(activation):
    e = told(activation=activation)
    assert "(shown as it was taught, for ReLU)" in notices(e, 8)
    assert "did not fire" not in notices(e, 8)
    assert e.sections[7].purpose.endswith("own sum Z1.")


def test_the_mistake_stops_nothing():
    w = found(lambda w: (w.dZ[1] >= 0).all() and (w.mistaken_dZ1 != w.dZ[1]).any(), dimension=1)
    text = notices(explain(w, 3), 8)
    assert "It passes" in text
    assert "It stops" not in text


def test_both_formulas_may_agree():
    w = found(lambda w: (w.mistaken_dZ1 == w.dZ[1]).all(), lines=[["a", "b"]], dimension=1)
    e = explain(w, 3)
    assert "By chance the mistaken formula gives the same numbers here." in notices(e, 8)
    assert "By chance so does the mistaken formula; with another --seed" in notices(e, 9)
    assert "within 1e-08 for 1 of 1 unit." in notices(e, 9)
    assert "the cost is the same as after the right one" in notices(e, 10)


def test_which_is_right():
    text = notices(told(), 9)
    assert "h is 0.00074." in text
    assert "agrees with what was measured to within 1e-08 for 3 of 3 units." in text
    assert "The mistaken formula is wrong for 3 of 3 units." in text


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.5, "The cost fell by 0.252."),
        (1000, "The cost rose by "),
        (1e-300, "The cost did not change: the step was too short."),
    ],
)
def test_the_outcome_of_the_step(rate, said):
    e = told(learning_rate=rate)
    assert notices(e, 10).startswith(said)
    assert e.sections[9].purpose.endswith(f"here it is {rate:g}.")


def test_the_outcome_of_the_mistaken_step_is_not_argued_from():
    assert "the cost is higher than after the right one. That proves nothing" in notices(told(), 10)
    w = found(lambda w: w.after_mistaken.cost < w.after.cost)
    assert "the cost is lower than after the right one. That proves nothing" in notices(
        explain(w, 3), 10
    )


def test_words_from_right_to_left_are_isolated():
    assert '"\u2068שלום\u2069", 2 times' in notices(told([["שלום", "a", "שלום"]]), 1)


def test_public_names():
    assert all(getattr(cbow.explain, name).__doc__ for name in cbow.explain.__all__)
    assert (Path(cbow.explain.__file__).parent / "page.css").is_file()


# --- words made of n-grams ---


def test_words_made_of_ngrams():
    e = told([["the", "cat", "the", "hat"]], ngrams=(2, 2))
    features = tables(e, 1)["Features"]
    assert features.rows[1] == ("cat", "cat [<c] [ca] [at] [t>]")
    assert "its n-grams: the stretches of 2 characters of it" in features.caption
    assert "stretches of 2 to 3 characters" in tables(told(ngrams=(2, 3)), 1)["Features"].caption
    assert "10 distinct n-grams, whose ids follow" in notices(e, 1)
    X = tables(e, 3)["X"]
    assert [row[0] for row in X.rows][:5] == ["the", "cat", "hat", "[<t]", "[th]"]
    assert 'around example 2 ("cat"), "the" occurs 2 times. It has 5 features' in notices(e, 3)
    assert "each of which gets 2/3 x 1/5 = 0.133" in notices(e, 3)
    for section, name in ((4, "W1"), (8, "dW1"), (10, "New W1")):
        assert tables(e, section)[name].columns[1:] == tuple(row[0] for row in X.rows)
    assert len(tables(e, 5)["W2"].rows) == 3
    assert "each word and n-gram gets its share" in notices(e, 8)
    assert "3 words, 10 n-grams, 3 hidden units" in e.introduction[1]


def test_a_sum_by_hand_of_ngrams():
    w = by_hand([["ab", "c", "ab"]], ngrams=(3, 3), activation="identity", dimension=1)
    e = explain(w, 6)
    terms, total = re.search(r"Z1 = (.*) = (\S+)\.", notices(e, 4)).groups()
    assert terms.count("/") == 2 * terms.count(" x ")
    assert eval(terms.replace(" x ", " * ")) == pytest.approx(float(total), abs=1e-6)


def test_too_many_ngrams_to_show():
    with pytest.raises(CorpusError, match=r"have 85 distinct n-grams, but 80 at most .* 3,3$"):
        by_hand([["abcdefghijklmnopqrst", "b", "zyxwvutsrqponmlkjihg"]], ngrams=(2, 3))
