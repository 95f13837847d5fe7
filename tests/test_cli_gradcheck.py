"""The command ``cbow-gradcheck``."""

import json
import re
import subprocess
import sys

import pytest

from cbow.cli import gradcheck
from cbow.cli.gradcheck import main
from cbow.network import GradientErrors


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


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
    assert [row[5] for row in rows] == ["wrong", "wrong", "right", "right"]
    assert float(rows[0][4]) > 0.1


def test_it_says_what_is_mistaken_and_why(capsys):
    _, out, _ = answer(capsys)
    assert "as taught in a well-known course until mid-2023" in out
    assert "max(0, W2.T @ dZ2)" in out
    assert (
        "It fails because it masks by the sign of the arriving gradient instead of by the unit "
        "that fired."
    ) in out.splitlines()
    assert "ReLU form" not in out


@pytest.mark.parametrize("activation", ["leaky_relu", "identity"])
def test_other_activations_say_that_the_mistake_is_of_relu(capsys, activation):
    code, out, _ = answer(capsys, "--activation", activation)
    assert code == 0
    assert f"({activation})" in out
    assert "shown in its ReLU form" in out


def test_json_is_complete(capsys):
    code, out, err = answer(capsys, "--json", "--seed", "7", "--vocabulary", "9")
    assert code == 0
    assert err == ""
    assert out.count("\n") == 1
    report = json.loads(out)
    assert report["settings"] == {
        "dimension": 5, "vocabulary": 9, "batch": 8, "window": 2, "seed": 7, "activation": "relu",
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


def test_same_seed_same_output(capsys):
    assert answer(capsys, "--seed", "3") == answer(capsys, "--seed", "3")
    assert answer(capsys, "--seed", "3") != answer(capsys, "--seed", "4")


@pytest.mark.parametrize("columns", [10, 20, 39, 40, 60, 100])
def test_a_narrow_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, _ = answer(capsys, "--dimension", "20")
    assert code == 0
    longest = max(out.splitlines(), key=len)
    assert len(longest) <= max(columns, len("mistaken: 1.4e+00 wrong")), longest
    for word in ("dW1", "20x12", "mistaken", "right", "differences"):
        assert word in out


def test_the_default_table_fits_forty_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = answer(capsys)
    assert "grad  size  ours           mistaken" in out.splitlines()
    assert max(map(len, out.splitlines())) <= 40


def test_a_pipe_gets_whole_paragraphs(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    _, out, _ = answer(capsys)
    assert len(out.split("\n\n")) == 5
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
    assert "parameters times batch times window is" in err
    assert "choose a smaller --vocabulary, --dimension, --batch or --window" in err


@pytest.mark.parametrize(
    "argv",
    [["--dimension", "x"], ["--batch", "1.5"], ["--activation", "tanh"], ["--dim", "3"], ["word"]],
)
def test_wrong_usage(capsys, argv):
    code, out, err = answer(capsys, *argv)
    assert code == 2
    assert out == ""
    assert "usage: cbow-gradcheck" in err


def test_help(capsys):
    code, out, _ = answer(capsys, "--help")
    assert code == 0
    for flag in gradcheck.FLAGS:
        assert re.search(rf"^  --{flag} N ", out, re.MULTILINE)
    for flag in ("activation", "json"):
        assert f"--{flag}" in out


def test_results_that_nobody_can_see_are_an_error(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main([]) == 1
    assert "the standard output is closed" in capsys.readouterr().err


def stand_in(ours, mistaken):
    """Rows as the check would give them."""
    return lambda problem, activation: [
        GradientErrors("dW1", (5, 12), ours, mistaken),
        GradientErrors("db1", (5, 1), ours, mistaken),
        GradientErrors("dW2", (12, 5), 1e-12, 1e-12),
        GradientErrors("db2", (12, 1), 1e-12, 1e-12),
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
    assert "In this draw both masks agree by chance; a larger --batch tells them apart." in out
    assert "It fails" not in out


def test_units_drawn_again_are_reported(capsys, monkeypatch):
    monkeypatch.setattr("cbow.network.check_gradients", stand_in(1e-12, 1.0))
    sizes = ["--dimension", "50", "--batch", "20", "--vocabulary", "100"]
    code, out, err = answer(capsys, *sizes, "--seed", "3")
    assert code == 0
    assert "Units too near 0, drawn again: 2." in out
    assert err == "computing the cost 40,600 times\n"


def test_a_smallest_run(capsys):
    argv = ["--dimension", "1", "--vocabulary", "2", "--batch", "1", "--window", "1"]
    assert answer(capsys, *argv)[0] == 0


def test_as_a_program_it_is_quick_to_help():
    code = "import sys; from cbow.cli.gradcheck import main; main(['--help']); " \
        "print('numpy' in sys.modules)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
