"""``cbow-explain``: where the text comes from, what is written, what is refused."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bad_places import full_disk

from cbow.cli import explain as cli
from cbow.cli.explain import as_text, main
from cbow.explain import Settings, explain, page, work_out

DEFAULT = Settings(window=2, dimension=3, activation="relu", seed=1, learning_rate=0.5)
LINE = ["the", "dog", "sees", "the", "cat", "and", "the", "cat", "runs"]


def told(lines=(LINE,), digits=3, **changes):
    return explain(work_out(lines, DEFAULT._replace(**changes)), digits)


@pytest.fixture
def answer(capsys, monkeypatch):
    """Run the command; give its exit code, its output and its complaints."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments):
        code = main(list(arguments))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def feed(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def words(answer, *arguments):
    """Return the lines of tokens that the command made of its text."""
    code, out, err = answer("--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)["lines"]


def test_a_sentence_of_its_own_in_80_columns(answer):
    code, out, err = answer()
    assert (code, err) == (0, "")
    assert out == as_text(told(), 80) + "\n"


@pytest.mark.parametrize("columns", [40, 120])
def test_as_wide_as_the_terminal(answer, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert answer()[1] == as_text(told(), columns) + "\n"


def test_words_of_the_user(answer):
    assert words(answer, "The", "king,", "the QUEEN") == [["the", "king", "the", "queen"]]
    assert words(answer, "the king\nthe queen") == [["the", "king"], ["the", "queen"]]
    assert words(answer, "a well-known -x", "y") == [["a", "well", "known", "x", "y"]]
    assert words(answer, "a", "--window", "1", "b") == [["a", "b"]]


def test_standard_input(answer, monkeypatch):
    for arguments in (["-"], ["--file", "-"]):
        feed(monkeypatch, "\ufeffThe king\r\n\r\nthe queen".encode())
        assert words(answer, *arguments) == [["the", "king"], [], ["the", "queen"], []]


def test_standard_input_is_left_alone_when_not_asked_for(answer, monkeypatch):
    feed(monkeypatch, b"a king")
    assert words(answer) == [LINE]
    assert sys.stdin.read() == "a king"


def test_a_file_and_its_encoding(answer, here):
    Path("text").write_bytes("das Café am Meer".encode("latin-1"))
    code, out, err = answer("--file", "text")
    assert (code, out) == (1, "")
    assert "text is not utf-8 text at byte 7 (e9 hex)" in err
    assert words(answer, "--file", "text", "--encoding", "latin-1") == [
        ["das", "café", "am", "meer"],
        [],
    ]
    code, out, err = answer("--file", "text", "--errors", "replace", "--json")
    assert (code, err) == (0, "undecodable bytes, replaced: 1\n")
    assert json.loads(out)["words"] == ["am", "caf", "das", "meer"]


def test_settings_reach_the_numbers(answer):
    changes = {"window": 1, "dimension": 4, "activation": "tanh", "seed": 9, "learning_rate": 0.1}
    flags = [
        text
        for name, value in changes.items()
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    flags, changes = [*flags, "--ngrams", "2,3"], {**changes, "ngrams": (2, 3)}
    record = json.loads(answer("--json", *flags)[1])
    expected = work_out([LINE], DEFAULT._replace(**changes))
    assert record["settings"] == {**changes, "ngrams": [2, 3]}
    assert record["ngrams"] == list(expected.ngrams)
    np.testing.assert_array_equal(record["arrays"]["dW1"], expected.gradients.dW1)
    assert answer("--digits", "5", *flags)[1] == as_text(told(digits=5, **changes), 80) + "\n"


def test_a_page(answer, here):
    code, out, err = answer("--html", "page.html", "--digits", "2")
    assert (code, out) == (0, "")
    assert err == "wrote page.html; open it in a browser\n"
    assert Path("page.html").read_bytes() == page(told(digits=2)).encode()
    assert os.listdir() == ["page.html"]


def test_a_page_of_words_that_look_like_markup(answer, here):
    assert answer("--html", "page.html", "<script>alert(1)</script>", "&", "a<b")[0] == 0
    assert "<script" not in Path("page.html").read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_bytes(answer, here):
    for name in ("one.html", "two.html"):
        answer("--html", name, "naïve", "王様", "sees", "naïve")
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    assert answer("--json")[1] == answer("--json")[1]


ONLY_WORD = "leaves nothing to guess; give two different words or more"
WORDS = "more than 10,000 characters"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([""], "the text holds no words; give a few, such as"),
        (["!", "..."], "the text holds no word"),
        (["king"], ONLY_WORD),
        (["ho", "ho", "HO"], ONLY_WORD),
        (["king\nqueen"], "a single word, which has no context; put two words or more"),
        (["a", "b"] + ["c"] * 39, "41 tokens, but 40 at most can be shown; give a shorter text"),
        ([f"w{i}" for i in range(31)], "31 distinct words, but 30 at most"),
        (["a", "b" * 50], "50 characters, but 40 at most fit into a table"),
        (["a " * 6000], WORDS),
        (["a\udcff", "b"], "bytes that are not UTF-8; give them in UTF-8"),
        (["a", "-"], "- stands for standard input and must be alone"),
        (["a", "--file", "b"], "both words and --file are given"),
        (["--file", ""], "the name after --file is empty"),
        (["--file", "none.txt"], "there is no file 'none.txt'; check the name"),
        (["--window", "0"], "window is 0, but must be a whole number from 1"),
        (["--dimension", "0"], "dimension is 0, but must be a whole number from 1 to 20"),
        (["--dimension", "21"], "dimension is 21"),
        (["--learning-rate", "-1"], "learning_rate is -1.0, but must be a number above 0"),
        (["--learning-rate", "0"], "learning_rate is 0.0"),
        (["--learning-rate", "nan"], "learning_rate is nan"),
        (["--learning-rate", "inf"], "learning_rate is inf"),
        (["--learning-rate", "1001"], "learning_rate is 1001.0"),
        (["--digits", "0"], "digits is 0, but must be a whole number from 1 to 10"),
        (["--digits", "11"], "digits is 11"),
        (["--seed", "-1"], "seed is -1"),
        (["--html", ""], "--html is ''; give the name of a file to write"),
        (["--html", "-"], "--html is '-'"),
        (["--html", "none/page.html"], "the folder none does not exist; create it"),
        (["--html", "."], "is a folder; give the name of a file"),
    ],
)
def test_refused(answer, here, arguments, sentence):
    code, out, err = answer(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("cbow-explain: error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the text holds no word"),
        (b"one\n\ntwo\n", "a single word, which has no context"),
        (b"caf\xe9 and tea", "the standard input is not utf-8 text at byte 3"),
        (bytes(range(256)) * 40, "looks like a binary file"),
        (b"a b " * 10**6, WORDS),
    ],
)
def test_refused_from_standard_input(answer, monkeypatch, content, sentence):
    feed(monkeypatch, content)
    code, out, err = answer("-")
    assert (code, out) == (1, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--html", "x", "--json"],
        ["--activation", "softmax"],
        ["--dimension", "2.5"],
        ["--learning-rate", "fast"],
        ["--what"],
        ["--html"],
    ],
)
def test_wrong_usage(answer, arguments):
    code, out, err = answer(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: cbow-explain")


def test_the_text_is_never_written_over(answer, here):
    Path("text").write_text("a b")
    code, _, err = answer("--file", "text", "--html", "text")
    assert code == 1
    assert "text would be written over text, which is read; give the output another name" in err
    assert Path("text").read_text() == "a b"


@pytest.mark.slow
def test_nor_is_a_file_on_standard_input(here):
    Path("text").write_text("a b")
    with open("text", "rb") as stdin:
        done = start("-", "--html", "text", stdin=stdin)
    assert done.returncode == 1
    assert b"give the output another name" in done.stderr
    assert Path("text").read_text() == "a b"


def test_a_full_disk_leaves_the_old_page(answer, here, monkeypatch):
    full_disk("page.html")(monkeypatch)
    code, _, err = answer("--html", "page.html")
    assert code == 1
    assert "the disk is full" in err
    assert Path("page.html").read_text() == "the old one"
    assert os.listdir() == ["page.html"]


@pytest.mark.slow
def test_a_page_is_written_where_nobody_reads_the_errors(here):
    def close():
        os.close(2)

    assert start("--html", "page.html", preexec_fn=close).returncode == 0
    assert Path("page.html").read_bytes() == page(told()).encode()


def test_the_documentation_shows_what_is_printed():
    text = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    table, notice = text.split("```text\n")[2].split("```")[0].split("\n\n")
    shown = as_text(told(), 80)
    assert f"\n{table}\n" in shown
    assert f"\n{notice.rstrip()}\n" in shown


def test_help_shows_every_default(answer):
    code, out, _ = answer("--help")
    assert code == 0
    text = " ".join(out.split())
    for default in (repr(cli.SENTENCE), "2", "3", "1", "0.5", "relu", "utf-8", "strict"):
        assert f"(default: {default})" in text


def start(*arguments, **more):
    code = "import sys; from cbow.cli.explain import main; sys.exit(main())"
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output="preexec_fn" not in more,
        env=environment,
        check=False,
        **more,
    )


@pytest.mark.slow
def test_in_a_pipe_without_utf8():
    done = subprocess.run(
        [sys.executable, "-c", "from cbow.cli.explain import main; main()"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"},
        check=True,
    )
    assert b"dW2 = dZ2 H\\u1d40" in done.stdout
    assert done.stderr == b""
