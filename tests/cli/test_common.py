"""Exit codes, errors as one sentence, tables."""

import argparse
import importlib
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.cli import common
from cbow.errors import CBOWError, ConfigError, OutputWarning, UnknownWordError
from cbow.training import Interrupted

PROGRAM = """
import sys
from cbow.cli.common import command_parser, run
from cbow.errors import OutputError

def body(arguments):
    for _ in range(arguments.lines):
        print("é" * 100)
    return 0

parser = command_parser("cbow-x", "Print.")
parser.add_argument("lines", type=int)
sys.exit(run(body, parser))
"""


#: Every command, with arguments for which it has to load the libraries it needs.
COMMANDS = {
    "train": ["x.txt"],
    "nearest": ["x.txt", "a"],
    "gradcheck": [],
    "explain": [],
    "plot": ["loss", "x.txt", "-o", "x.svg"],
    "convert": ["x.txt", "y.txt"],
    "evaluate": ["x.txt", "--pairs", "x.txt"],
    "explore": ["x.txt"],
}

BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def parser():
    result = common.command_parser("cbow-x", "Does x.", "examples:\n  cbow-x 1")
    result.add_argument("words", nargs="*", default=[])
    result.add_argument("--level", type=int, default=1)
    return result


def raising(error):
    def body(_):
        raise error

    return body


def start(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**BUFFERED, **more},
    )


def test_a_body_gets_the_arguments_and_gives_the_code(capsys):
    seen = []
    code = common.run(lambda a: seen.append(a) or 7, parser(), ["a", "--level", "3", "b", "-"])
    assert code == 7
    assert (seen[0].words, seen[0].level) == (["a", "b", "-"], 3)
    assert capsys.readouterr() == ("", "")


def test_by_default_the_arguments_of_the_process(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cbow-x", "--level", "4"])
    assert common.run(lambda a: a.level, parser()) == 4


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigError("window is 0"), 1, "window is 0"),
        (CBOWError("no"), 1, "no"),
        (UnknownWordError("kin", lambda: ["king"]), 1, "'kin' is not in .* mean king"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Interrupted("stopped in epoch 2; saved", None), 130, "stopped in epoch 2; saved"),
        (OSError(28, "No space left on device"), 1, "the output could not .*No space left"),
        (OSError(13, "Permission denied", "/f"), 1, "/f could not be .*Permission denied"),
        (OSError("libx.so: cannot open"), 1, "of a package cannot be loaded .*libx.so.* reinstall"),
        (OSError("x" * 9999), 1, "^.{300,400}$"),
        (OSError(24, "Too many open files"), 1, "the system refused .*Too many open .*ulimit -a"),
        (OSError(5, "Input/output error", "x" * 9999), 1, "^.{200,400}$"),
        (FileNotFoundError(2, "No such file"), 1, "the system refused .*No such file"),
        (OSError(12, "Cannot allocate memory", "/f"), 1, "not enough memory for this; choose a"),
        (
            ModuleNotFoundError("no", name="x.y"),
            1,
            "library x cannot be .*'no'.*; install it again",
        ),
        (
            MemoryError(),
            1,
            "choose a smaller dimension, batch or vocabulary, fewer buckets of n-grams",
        ),
    ],
)
def test_errors_are_one_sentence(capsys, error, code, message):
    assert common.run(raising(error), parser(), []) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cbow-x: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert re.search(message, err)


def test_what_is_noted_of_the_places_of_files_is_told_once(capsys):
    def body(_):
        for text in ("no fsync", "no fsync", "removed"):
            warnings.warn(text, OutputWarning, stacklevel=1)
        return 3

    for _ in range(2):  # each command tells for itself
        assert common.run(body, parser(), []) == 3
        assert capsys.readouterr().err == "note: no fsync\nnote: removed\n"


def test_other_warnings_are_left_to_python():
    with pytest.warns(UserWarning, match="other"):
        common.run(lambda _: warnings.warn("other", stacklevel=1) or 0, parser(), [])


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        RecursionError(),
        ImportError("no name"),
        ImportError("cannot import name 'y' from 'cbow.x'", name="cbow.x"),
    ],
)
def test_a_mistake_of_ours_is_not_hidden(error):
    with pytest.raises(type(error)):
        common.run(raising(error), parser(), [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise ImportError('libX.so: not there')", "lib_that_fails cannot .*'libX.so: not there'"),
        ("raise OSError('libX.so: not there')", "lib_that_fails cannot .*'libX.so: not there'"),
        ("raise AttributeError", "lib_that_fails cannot be loaded .'AttributeError'"),
        ("def f():\n    open('/nowhere/x')\nf()", "lib_that_fails cannot be loaded .*nowhere"),
        ("import lib_that_is_missing", "lib_that_is_missing cannot be loaded .*No module named"),
        ("from math import nothing", "library math cannot be loaded .*cannot import name"),
        ("raise ImportError('x' * 10**6)", "lib_that_fails cannot be loaded .'x*'*\\.\\.\\.'?"),
        ("raise MemoryError", "there is not enough memory for this; choose "),
    ],
)
def test_a_library_that_cannot_be_loaded_is_named(tmp_path, monkeypatch, capsys, content, said):
    (tmp_path / "lib_that_fails.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    body = lambda _: importlib.import_module("lib_that_fails") and 0  # noqa: E731
    assert common.run(body, parser(), []) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cbow-x: error: ")
    assert err.count("\n") == 1
    assert len(err) < 500
    assert re.search(said, err)


def test_a_folder_that_is_gone(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert common.run(lambda _: len(os.getcwd()), parser(), []) == 1
    assert capsys.readouterr().err == (
        "cbow-x: error: the current folder is gone (removed or replaced); change to another one\n"
    )


LIMITED = """
import resource, sys
from cbow.cli import {name}
import cbow.cli.progress, cbow.training.run, cbow.model, cbow.vectors.formats
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, size + 2**28))
sys.exit({name}.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux tells the size")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("train", ["c.txt", "--dimension", "100000000", "-o", "m.safetensors"]),
        ("convert", ["v.npz", "v.txt"]),
    ],
)
def test_a_limit_on_memory_is_told_in_a_sentence(tmp_path, name, arguments):
    (tmp_path / "c.txt").write_text("the king rules the land\n" * 40)
    if name == "convert":
        words = np.arange(2_000_000).astype("U7")
        np.savez(tmp_path / "v.npz", words=words, vectors=np.zeros((len(words), 50), np.float32))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.replace("{name}", name), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 1)
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"cbow-{name}: error: ")
    assert "not enough memory for this; " in last or "needs more memory than there is; " in last
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert not {"m.safetensors", "v.txt"} & set(os.listdir(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [("OSError", "train"), *(("ImportError", name) for name in COMMANDS)]
)
def test_every_command_names_a_library_that_cannot_be_loaded(tmp_path, name, kind):
    (tmp_path / "numpy.py").write_text(f"raise {kind}('libX.so: not there')")
    (tmp_path / "x.txt").write_text("a b 1\n")
    code = f"import sys; from cbow.cli.{name} import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *COMMANDS[name]], cwd=tmp_path, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 1)
    # matplotlib may be what is missing, or the first that misses numpy
    library = (
        "(the library numpy cannot be loaded|pictures need matplotlib, which cannot be imported)"
    )
    assert re.fullmatch(
        rf"cbow-{name}( loss)?: error: {library}.*libX.so: not there.*\n", done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "words", "level"),
    [
        (["--", "-x.txt"], ["-x.txt"], 1),
        (["--level", "2", "--", "--level", "3"], ["--level", "3"], 2),
        (["a", "--", "-b", "--", "--help"], ["a", "-b", "--", "--help"], 1),
        (["a", "--level", "2", "b", "--", "-", "-1"], ["a", "b", "-", "-1"], 2),
        (["--", "--"], ["--"], 1),
        (["--"], [], 1),
    ],
)
def test_behind_two_dashes_are_no_options(arguments, words, level):
    seen = []
    assert common.run(lambda a: seen.append(a) or 0, parser(), arguments) == 0
    assert (seen[0].words, seen[0].level) == (words, level)


@pytest.mark.slow
@given(st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1)))
def test_behind_two_dashes_all_is_taken_as_it_stands(words):
    assert parser().parse_intermixed_args(["--", *words]).words == words


@pytest.mark.parametrize(
    "arguments",
    [
        ["--level", "x" * 10**6],
        ["--level=" + "x\x1b[2J" * 10**5],
        ["--" + "x" * 10**6],
        ["--level", "1", "x", "--kind", "é" * 10**6],
        ["--nothing"] * 10**3,
    ],
)
def test_a_complaint_about_usage_is_short(capsys, arguments):
    p = parser()
    p.add_argument("--kind", choices=("one", "two"))
    assert common.run(lambda _: 0, p, arguments) == 2
    err = capsys.readouterr().err
    assert len(err) < 1200
    assert not re.search(r"(x|é|\\xe9){201}", err)
    assert "\x1b" not in err
    if "--kind" in arguments:
        assert "(choose from" in err


@pytest.mark.parametrize("arguments", [["--level", "x"], ["--nothing"], ["--lev", "2"]])
def test_wrong_usage(capsys, arguments):
    assert common.run(lambda _: 0, parser(), arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: cbow-x")


def test_help(capsys):
    assert common.run(lambda _: 1, parser(), ["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith("examples:\n  cbow-x 1\n")
    assert "Does x." in out


@pytest.mark.parametrize("stop", [SystemExit(), SystemExit(None), SystemExit(3)])
def test_an_exit_from_within(stop):
    assert common.run(raising(stop), parser(), []) == (stop.code or 0)


def test_version(capsys, monkeypatch):
    monkeypatch.setattr(cbow, "__version__", "1.2.3")
    assert common.run(lambda _: 1, parser(), ["--version"]) == 0
    assert capsys.readouterr().out == "cbow-x 1.2.3\n"


def test_without_standard_output(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert common.run(lambda _: 0, parser(), []) == 0
    assert common.run(raising(BrokenPipeError()), parser(), []) == 0
    assert common.terminal_width() is None or "COLUMNS" in os.environ
    assert common.json_line("é") == '"\\u00e9"'


def test_a_result_needs_standard_output(capsys, monkeypatch):
    assert common.run(lambda _: common.show("é") or 0, parser(), []) == 0
    assert capsys.readouterr() == ("é\n", "")
    monkeypatch.setattr(sys, "stdout", None)
    assert common.run(lambda _: common.show("é") or 0, parser(), []) == 1
    assert capsys.readouterr().err == (
        "cbow-x: error: the standard output is closed; open it, or send it to a file or a pipe\n"
    )


def test_complaints_never_get_into_the_results(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert common.run(raising(CBOWError("no")), parser(), []) == 1
    assert capsys.readouterr().out == ""


def test_more_memory_than_there_is(capsys):
    assert common.run(lambda _: np.empty(2**62, np.int8).size, parser(), []) == 1
    assert "there is not enough memory" in capsys.readouterr().err


def test_whoever_reads_may_stop_early():
    process = start("100000")
    assert process.stdout.readline() == "é".encode() * 100 + b"\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_nobody_reads_at_all():
    """What is left in the buffer must not be tried again when Python ends."""
    nobody, end = os.pipe()
    os.close(nobody)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "1"], stdout=end, stderr=subprocess.PIPE, env=BUFFERED
    )
    os.close(end)
    assert (done.stderr, done.returncode) == (b"", 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a Linux device")
@pytest.mark.parametrize("lines", ["1", "100000", "--help", "--version"])
def test_a_full_disk_behind_standard_output(lines):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, lines],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=BUFFERED,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "cbow-x: error: the output could not be read or written (No space"
    )
    assert done.stderr.count("\n") == 1


def test_a_terminal_that_is_not_utf_8():
    process = start("1", PYTHONIOENCODING="ascii")
    out, err = process.communicate()
    assert (out, err, process.returncode) == (b"\\xe9" * 100 + b"\n", b"", 0)


def test_complaints_nobody_can_hear(monkeypatch):
    class Deaf(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Deaf())
    assert common.run(raising(CBOWError("no")), parser(), []) == 1


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", '{"a": "é"}'), ("latin-1", '{"a": "\\u00e9"}')]
)
def test_json_line(monkeypatch, encoding, expected):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert common.json_line({"a": "é"}) == expected
    assert json.loads(expected) == {"a": "é"}


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        common.json_line(float("nan"))


def test_terminal_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert common.terminal_width() is None
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert common.terminal_width() > 0
    monkeypatch.setenv("COLUMNS", "40")
    assert common.terminal_width() == 40


@given(st.text())
def test_visible_text_cannot_steer_a_terminal(text):
    shown = common.visible(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    shown.encode()
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("king", 4),
        ("naïve", 5),
        ("nai\u0308ve", 5),
        ("王様", 4),
        ("\uff21", 2),
        ("\u200d", 0),
    ],
)
def test_width(text, columns):
    assert common.width(text) == columns


def test_table():
    rows = [("queen", "0.81", "x"), ("王", "-0.7", ""), ("e\u0301", "0", "")]
    assert common.table(("word", "cosine", ""), rows, "<><") == (
        "word   cosine\nqueen    0.81  x\n王       -0.7\ne\u0301           0"
    )
    assert common.table(("a", "b"), [], "<<") == "a  b"


def test_a_table_that_is_too_wide_becomes_a_list():
    header, rows = ("word", "cosine"), [("queen", "0.81"), ("king", "")]
    whole = common.table(header, rows, "<>")
    assert common.table(header, rows, "<>", columns=13) == whole
    assert common.table(header, rows, "<>", columns=12) == (
        "word: queen\ncosine: 0.81\n\nword: king\ncosine:"
    )


@given(st.lists(st.tuples(st.text("ab王\u0301"), st.text("cd")), max_size=4), st.integers(0, 30))
def test_tables_lose_nothing(rows, columns):
    text = common.table(("one", "two"), rows, "<>", columns)
    for cell in (cell for row in rows for cell in row):
        assert cell in text
    if "one:" not in text and rows:
        assert max(map(common.width, text.split("\n"))) <= columns


def test_rows_of_different_lengths_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="zip"):
        common.table(("a", "b"), [("c",)], "<<")


def test_the_parser_is_an_ordinary_one():
    assert isinstance(parser(), argparse.ArgumentParser)


def test_what_is_discarded_goes_nowhere(tmp_path):
    path = tmp_path / "out"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("buffered")
        common.discard(stream)
    assert path.read_text() == ""
