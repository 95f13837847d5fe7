"""The command ``cbow-gradcheck``."""

import json
import re
import sys

import numpy as np
import pytest

from cbow.cli import gradcheck
from cbow.cli.gradcheck import SLOPES, main
from cbow.config import HIDDEN_ACTIVATIONS
from cbow.network import ACTIVATIONS, COSTS, GradientErrors


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def unwrapped(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def answer(capsys, *argv):
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table(capsys, wide):
    code, out, err = answer(capsys)
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("grad"))
    rows = [line.split() for line in lines[start + 1 : start + 5]]
    assert [row[0] for row in rows] == ["dW1", "db1", "dW2", "db2"]
    assert [row[1] for row in rows] == ["5x12", "5x1", "12x5", "12x1"]
    assert all(float(row[2]) < 1e-8 and row[3] == "right" for row in rows)
    assert "Ours: all 4 right." in lines
    assert (
        "Hidden layer 1: 48 % active (units times examples), 2 of 5 units dead in this batch."
        in lines
    )


def test_the_table_of_mistakes(capsys, wide):
    _, out, _ = answer(capsys)
    lines = [re.split(r"\s\s+", line) for line in out.splitlines()]
    start = lines.index(["grad", "lecture", "dW[l].T", "A[L].T"])
    assert lines[start + 1 : start + 5] == [
        ["dW1", "wrong 0.94", "wrong 0.67", "right"],
        ["db1", "wrong 0.85", "wrong 0.17", "right"],
        ["dW2", "right", "right", "no fit"],
        ["db2", "right", "right", "right"],
    ]


def test_it_says_what_is_mistaken_and_why(capsys):
    _, out, _ = answer(capsys)
    assert "as taught in a well-known course until mid-2023" in out
    assert "max(0, W2.T @ dZ2)" in out
    assert (
        "It fails because it masks by the sign of the arriving gradient instead of by the unit "
        "that fired.\n"
    ) in out
    assert "dW[l].T: dZ1 = (dW2.T @ dZ2) * (Z1 > 0)" in out
    assert "A[L].T: dW2 = dZ2 @ A2.T in place of dZ2 @ A1.T" in out
    assert "it is 12x12 and fits nothing." in out


@pytest.mark.parametrize("activation", ["leaky_relu", "identity", "sigmoid", "tanh"])
def test_other_activations_show_their_own_slope(capsys, activation, unwrapped):
    code, out, _ = answer(capsys, "--activation", activation)
    assert code == 0
    assert f"({activation})" in out
    assert "in place of dZ1 = (W2.T @ dZ2) * g'(Z1). It fails because" in out
    slope = SLOPES[activation].format(l=1)
    assert f"of the arriving gradient instead of by g'(Z1) = {slope}.\n" in out
    assert "dW[l].T: dZ1 = (dW2.T @ dZ2) * g'(Z1), the gradient" in out
    assert "* (Z1 > 0)" not in out


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_the_slopes_that_are_shown_are_those_of_the_network(activation):
    Z1 = np.array([[-2.0, 0.0, 3.0]])
    A1 = ACTIVATIONS[activation].g(Z1)
    shown = eval(SLOPES[activation].format(l=1), {"Z1": Z1, "A1": A1, "where": np.where})
    assert np.broadcast_to(shown, (1, 3)) == pytest.approx(ACTIVATIONS[activation].dg(Z1))


def test_a_layer_of_leaky_relu_shows_its_slopes(capsys, unwrapped):
    _, out, _ = answer(capsys, "--activation", "leaky_relu")
    assert (
        "Hidden layer 1: 100 % active (units times examples; g'(Z1) = where(Z1 > 0, 1, 0.01)), "
        "0 of 5 units dead in this batch."
    ) in out.splitlines()
    _, out, _ = answer(capsys, "--layers", "4,6,5,3", "--activation", "relu,leaky_relu")
    assert " % active (units times examples), " in out
    assert " % active (units times examples; g'(Z2) = where(Z2 > 0, 1, 0.01)), " in out


def test_json_is_complete(capsys):
    code, out, err = answer(capsys, "--json", "--seed", "7", "--vocabulary", "9")
    assert code == 0
    assert err == ""
    assert out.count("\n") == 1
    report = json.loads(out)
    assert report["settings"] == {
        "dimension": 5, "vocabulary": 9, "batch": 8, "window": 2, "seed": 7, "activation": "relu",
        "ngrams": None, "layers": None, "output": "softmax", "cost": "cross-entropy",
    }  # fmt: skip
    assert report["right"] is True
    assert report["tolerance"] == 1e-8
    assert report["redrawn"] == 0
    assert [gradient["name"] for gradient in report["gradients"]] == ["dW1", "db1", "dW2", "db2"]
    assert report["gradients"][0]["shape"] == [5, 9]
    for gradient in report["gradients"]:
        assert gradient["right"] is True
        assert 0 <= gradient["ours"] < 1e-8
        assert gradient["mistaken_right"] is (gradient["name"] in ("dW2", "db2"))
        assert (gradient["with_dW"] < 1e-8) is (gradient["name"] in ("dW2", "db2"))
        assert (gradient["with_AL"] is None) is (gradient["name"] == "dW2")
    (row,) = report["activity"]
    assert (row["layer"], row["units"]) == (1, 5)
    assert 0 <= row["active"] <= 1
    assert 0 <= row["dead"] <= 5


@pytest.mark.slow
def test_same_seed_same_output(capsys):
    assert answer(capsys, "--seed", "3") == answer(capsys, "--seed", "3")
    assert answer(capsys, "--seed", "3") != answer(capsys, "--seed", "4")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [10, 39, 40, 100])
def test_a_narrow_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = answer(capsys, "--dimension", "20")
    assert code == 0
    longest = max(out.splitlines(), key=len)
    assert len(longest) <= max(columns, len("lecture: wrong 0.94")), longest
    for word in ("dW1", "20x12", "lecture", "right", "differences"):
        assert word in out


def test_the_default_table_fits_forty_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = answer(capsys)
    assert "grad  lecture     dW[l].T     A[L].T" in out.splitlines()
    assert max(map(len, out.splitlines())) <= 40


def test_a_pipe_gets_whole_paragraphs(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    _, out, _ = answer(capsys)
    assert len(out.split("\n\n")) == 9
    assert max(map(len, out.splitlines())) > 100


@pytest.mark.parametrize("flag", ["dimension", "batch", "window"])
@pytest.mark.parametrize("value", ["0", "-3"])
def test_sizes_below_one(capsys, flag, value):
    code, out, err = answer(capsys, f"--{flag}", value)
    assert code == 1
    assert out == ""
    assert err == (
        f"cbow-gradcheck: error: {flag} is {value}, but must be a whole number from 1 to 2^31 - 1\n"
    )


@pytest.mark.parametrize("value", ["1", "0", "-1"])
def test_too_few_words(capsys, value):
    code, _, err = answer(capsys, "--vocabulary", value)
    assert code == 1
    assert f"vocabulary is {value}, but must be a whole number of 2 or more" in err


@pytest.mark.parametrize("value", ["-1", str(2**63)])
def test_seeds_outside_the_range(capsys, value):
    code, _, err = answer(capsys, "--seed", value)
    assert code == 1
    assert f"seed is {value}, but must be a whole number from 0 to 2^63 - 1" in err


@pytest.mark.parametrize("flag", ["dimension", "vocabulary", "batch", "window"])
@pytest.mark.parametrize("value", ["1000000", str(2**31 - 1)])
def test_what_would_take_hours_is_refused_at_once(capsys, flag, value):
    code, _, err = answer(capsys, f"--{flag}", value)
    assert code == 1
    assert "parameters times batch (times the words of a context) is" in err
    assert "choose smaller sizes" in err


@pytest.mark.parametrize(
    "argv",
    [["--dimension", "x"], ["--batch", "1.5"], ["--output", "elu"], ["--dim", "3"], ["word"]],
)
def test_wrong_usage(capsys, argv):
    code, out, err = answer(capsys, *argv)
    assert code == 2
    assert out == ""
    assert "usage: cbow-gradcheck" in err


def test_help(capsys):
    code, out, _ = answer(capsys, "--help")
    assert code == 0
    for flag in (*gradcheck.CBOW_SIZES, *gradcheck.NUMBERS):
        assert re.search(rf"^  --{flag} N ", out, re.MULTILINE)
    for flag in ("activation", "json", "layers", "output", "cost"):
        assert f"--{flag}" in out


def test_results_that_nobody_can_see_are_an_error(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main([]) == 1
    assert "the standard output is closed" in capsys.readouterr().err


def stand_in(ours, mistaken):
    """Rows as the check would give them."""
    return lambda problem: [
        GradientErrors("dW1", (5, 12), ours, mistaken, mistaken, ours),
        GradientErrors("db1", (5, 1), ours, mistaken, mistaken, ours),
        GradientErrors("dW2", (12, 5), 1e-12, 1e-12, 1e-12, None),
        GradientErrors("db2", (12, 1), 1e-12, 1e-12, 1e-12, 1e-12),
    ]


@pytest.mark.parametrize("json_flag", [[], ["--json"]])
def test_a_wrong_gradient_of_ours_ends_with_1(capsys, monkeypatch, json_flag):
    monkeypatch.setattr("cbow.network.check_gradients", stand_in(1e-8, 1.0))
    code, out, _ = answer(capsys, *json_flag)
    assert code == 1
    if json_flag:
        assert json.loads(out)["right"] is False
    else:
        assert "Ours: dW1, db1 wrong." in out


def test_a_draw_in_which_the_mistake_does_not_show(capsys, monkeypatch):
    monkeypatch.setattr("cbow.network.check_gradients", stand_in(1e-12, 1e-12))
    code, out, _ = answer(capsys)
    assert code == 0
    assert "In this draw both agree by chance; a larger --batch tells them apart." in out
    assert "It fails" not in out


def test_units_drawn_again_are_reported(capsys, monkeypatch):
    monkeypatch.setattr("cbow.network.check_gradients", stand_in(1e-12, 1.0))
    sizes = ["--dimension", "50", "--batch", "20", "--vocabulary", "100"]
    code, out, err = answer(capsys, *sizes, "--seed", "3")
    assert code == 0
    assert "Biases drawn again (units too near 0, or all dead): 2." in out
    assert err == "computing the cost 40,600 times\n"


def test_a_smallest_run(capsys):
    argv = ["--dimension", "1", "--vocabulary", "2", "--batch", "1", "--window", "1"]
    assert answer(capsys, *argv)[0] == 0


class TestLayers:
    """Networks of dense layers."""

    @pytest.mark.parametrize("cost", COSTS)
    @pytest.mark.parametrize("hidden", ["relu", "tanh,leaky_relu"])
    def test_every_cost(self, capsys, cost, hidden):
        for output in COSTS[cost].outputs:
            flags = ["--activation", hidden, "--output", output, "--cost", cost]
            code, out, err = answer(capsys, "--layers", "4,6,5,3", *flags)
            assert (code, err) == (0, "")
            assert f"Layers 4,6,5,3 ({hidden}), {output} output, {cost} cost, 8 examples" in out
            assert "Ours: all 6 right." in out
            assert "Hidden layer 2: " in out

    def test_json(self, capsys):
        code, out, _ = answer(capsys, "--layers", "4,5,3", "--output", "sigmoid", "--json")
        report = json.loads(out)
        assert code == 0
        assert report["settings"] == {
            "batch": 8, "seed": 1, "layers": [4, 5, 3], "activation": "relu", "output": "sigmoid",
            "cost": "logistic",
        }  # fmt: skip
        assert [gradient["shape"] for gradient in report["gradients"]] == [
            [5, 4], [5, 1], [3, 5], [3, 1]
        ]  # fmt: skip

    def test_a_slip_that_fits_by_its_shape_is_wrong_by_its_number(self, capsys, wide):
        _, out, _ = answer(capsys, "--layers", "4,4,4")
        assert re.search(r"^dW2 +right +right +wrong \d", out, re.MULTILINE)
        assert "fits nothing" not in out

    def test_without_a_hidden_layer(self, capsys):
        code, out, _ = answer(capsys, "--layers", "3,2")
        assert code == 0
        assert "Layers 3,2, softmax output" in out
        assert "There is no hidden layer for the other two to go wrong in." in out
        assert "lecture:" not in out
        assert json.loads(answer(capsys, "--layers", "3,2", "--json")[1])["settings"] == {
            "batch": 8, "seed": 1, "layers": [3, 2], "activation": None, "output": "softmax",
            "cost": "cross-entropy",
        }  # fmt: skip

    @pytest.mark.parametrize("layers", ["4", "4,0,3", "-1,3", "", "4,,3", "four,3", "4.5,3"])
    def test_layers_that_are_none(self, capsys, layers):
        code, out, err = answer(capsys, f"--layers={layers}")
        assert (code, out) == (1, "")
        assert re.search("must be (two numbers or more|whole numbers with commas)", err)

    @pytest.mark.parametrize(
        ("layers", "activation", "sentence"),
        [
            (
                "4,5,3",
                "relu,tanh",
                "names 2 activations, but there is 1 hidden layer; name one for",
            ),
            ("4,6,6,6,3", "relu,tanh", "names 2 activations, but there are 3 hidden layers"),
            ("4,3", "tanh", "--activation is 'tanh', but the network has no hidden layer; leave"),
            ("4,3", "elu", "--activation is 'elu', but the network has no hidden layer"),
            ("4,5,3", "", "the activation is '', but must be one of relu"),
        ],
    )
    def test_activations_that_do_not_fit_the_layers(self, capsys, layers, activation, sentence):
        code, out, err = answer(capsys, "--layers", layers, "--activation", activation)
        assert (code, out) == (1, "")
        assert sentence in err

    @pytest.mark.parametrize(
        ("flags", "sentence"),
        [
            (["--activation", "softmax"], "hidden layer 1 is softmax, which fits only the output"),
            (["--activation", "elu"], "the activation is 'elu', but must be one of relu"),
            (["--cost", "logistic"], "the output layer softmax, but logistic fits sigmoid"),
            (["--dimension", "3"], "--dimension is given with --layers, but is a size of CBOW"),
            (["--window", "3"], "--window is given with --layers"),
            (["--batch", "0"], "batch is 0, but must be a whole number"),
            (["--batch", "1000000"], "must be 1,000,000 at most"),
        ],
    )
    def test_what_does_not_fit(self, capsys, flags, sentence):
        code, out, err = answer(capsys, "--layers", "4,5,3", *flags)
        assert (code, out) == (1, "")
        assert sentence in err

    @pytest.mark.parametrize(
        ("flags", "sentence"),
        [
            (["--output", "sigmoid"], "give --layers to check another network"),
            (["--cost", "logistic"], "give --layers to check another network"),
            (["--activation", "relu,tanh"], "names 2 activations, but there is 1 hidden layer"),
            (["--activation", "softmax"], "hidden layer 1 is softmax"),
        ],
    )
    def test_what_does_not_fit_cbow(self, capsys, flags, sentence):
        code, out, err = answer(capsys, *flags)
        assert (code, out) == (1, "")
        assert sentence in err


def test_words_made_of_ngrams(capsys, wide):
    code, out, _ = answer(capsys, "--ngrams", "3,6")
    assert code == 0
    assert out.startswith(
        "12 words made of n-grams of 3 to 6 characters, in as many buckets, 5 hidden units (relu)"
    )
    assert "\ndW1   5x24  " in out
    assert "Ours: all 4 right." in out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--ngrams", "6,3"], "ngrams is '6,3', but must be the fewest and the most characters"),
        (["--ngrams", "3,6", "--layers", "4,5,3"], "--ngrams is given with --layers"),
    ],
)
def test_ngrams_that_do_not_fit(capsys, argv, message):
    code, _, err = answer(capsys, *argv)
    assert code == 1
    assert message in err
