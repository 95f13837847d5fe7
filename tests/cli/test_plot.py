"""``cbow-plot``: what it draws, what it says, and bad input."""

import builtins
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import scipy.linalg
from bad_places import contents, full_disk, nothing, read_only

from cbow.cli import train
from cbow.cli.plot import MOST, WORDS, main
from cbow.config import Config
from cbow.model import load, load_vectors
from cbow.vectors.formats import native

TEXT = "the king rules the land\nthe queen rules the land\nthe dog eats the hay\n" * 40
KNOWN = [*WORDS[:4], "quen", "$x_1$", "-ness", "a\x1b[2Jb", "王", "x" * 60, "two words"]


def write_model(path, words, W1T, W2=None, report=None):
    V, N = W1T.shape
    W2 = W1T if W2 is None else W2
    zeros = np.zeros((N + V), W1T.dtype)
    counts = np.arange(V, 0, -1)
    parts = words, counts, W1T, zeros[:N], W2, zeros[N:]
    native.write_model(path, native.Stored(Config(dimension=N), report or {}, *parts))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a trained model and its log, and a model of words of all kinds."""
    folder = tmp_path_factory.mktemp("plot")
    (folder / "corpus.txt").write_text(TEXT)
    settings = "--dimension 4 --epochs 3 --sample 0 --heldout 0.2 --min-count 1 --quiet"
    names = f"{folder}/corpus.txt -o {folder}/good.safetensors --log-json {folder}/good.jsonl"
    assert train.main([*names.split(), *settings.split()]) == 0
    W1T, W2 = np.random.default_rng(5).standard_normal((2, len(KNOWN), 6))
    write_model(folder / "words.safetensors", KNOWN, W1T, W2)
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch, made):
    """A folder of one's own with these files, in which the test runs."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plot(capsys, place):
    """Run the command; give its exit code and what it said."""

    def run(command):
        code = main(shlex.split(command) if isinstance(command, str) else command)
        out, err = capsys.readouterr()
        assert out == ""
        return code, err

    return run


def labels(path):
    return re.findall("<!-- (.*?) -->", Path(path).read_text(encoding="utf-8"))


def log_lines():
    return Path("good.jsonl").read_text(encoding="utf-8").splitlines()


def write_log(lines, name="bad.jsonl"):
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_model_and_log_give_the_same_curve(plot, ending):
    last = load("good.safetensors").report["epochs"][-1]["loss"]
    for source, output in (("good.safetensors", "model"), ("good.jsonl", "log")):
        code, err = plot(f"loss {source} -o {output}.{ending}")
        assert (code, err) == (0, f"wrote {output}.{ending} (3 epochs; last loss {last:.4f})\n")
    assert Path(f"model.{ending}").read_bytes() == Path(f"log.{ending}").read_bytes()


@pytest.mark.slow
def test_the_curve_has_the_numbers_of_the_report(plot):
    assert plot("loss good.safetensors -o loss.svg")[0] == 0
    report = load("good.safetensors").report
    last, base = report["epochs"][-1], report["baselines"]
    drawn = labels("loss.svg")
    for name, value in (
        ("training", last["loss"]),
        ("held out", last["heldout_loss"]),
        ("uniform", base["uniform"]),
        ("word frequencies", base["unigram"]),
        ("frequencies, held out", base["heldout_unigram"]),
    ):
        assert f"{name}  {value:.3f}" in drawn


def test_an_older_log_without_units_and_gradients(plot):
    old = []
    for event in map(json.loads, log_lines()):
        old.append({k: v for k, v in event.items() if k not in ("active", "gradient_norms")})
    write_log(map(json.dumps, old))
    assert plot("loss bad.jsonl -o loss.svg")[0] == 0
    assert "share of units" not in labels("loss.svg")
    assert "norm of the gradients" not in labels("loss.svg")


@pytest.mark.slow
def test_units_and_gradients_are_drawn_where_there_are_some(plot):
    events = list(map(json.loads, log_lines()))
    epochs = [event for event in events if event["event"] == "epoch"]
    for number, epoch in enumerate(epochs):
        epoch["active"] = 0.5
        epoch["gradient_norms"] = {"dW2": 0.25, "dW1": None if number else 0.125}
    write_log(map(json.dumps, events))
    assert plot("loss bad.jsonl -o loss.svg")[0] == 0
    assert {"active  50 %", "dW1  0.12", "dW2  0.25"} <= set(labels("loss.svg"))


def test_the_order_of_the_names_in_the_file_does_not_matter(plot):
    names = ["dW3", "db2", "dW1", "db3", "dW2", "db1"]
    events = list(map(json.loads, log_lines()))
    for event in events[2:]:
        event["gradient_norms"] = {name: 10.0**-i for i, name in enumerate(names)}
    write_log(map(json.dumps, events))
    assert plot("loss bad.jsonl -o loss.svg")[0] == 0
    drawn = [label.split()[0] for label in labels("loss.svg")]
    assert [name for name in drawn if name in names] == sorted(names)


@pytest.mark.slow
def test_a_log_while_training_goes_on(plot):
    write_log(log_lines()[:3])
    code, err = plot("loss bad.jsonl -o loss.png")
    assert code == 0
    assert err.startswith("wrote loss.png (1 epoch; last loss ")


@pytest.mark.slow
def test_events_that_came_later_than_this_version(plot):
    write_log([*log_lines()[:3], '{"event": "evaluation", "score": 0.5}', *log_lines()[3:]])
    assert plot("loss bad.jsonl -o loss.png")[0] == 0


@pytest.mark.slow
def test_a_log_from_a_pipe(place):
    read, write = os.pipe()
    os.write(write, Path("good.jsonl").read_bytes())
    os.close(write)
    assert main(["loss", f"/dev/fd/{read}", "-o", "pipe.svg"]) == 0
    os.close(read)
    assert main(["loss", "good.jsonl", "-o", "file.svg"]) == 0
    assert Path("pipe.svg").read_bytes() == Path("file.svg").read_bytes()


def test_the_words_drawn_by_default(plot):
    code, err = plot("words words.safetensors -o words.svg")
    assert code == 0
    left, wrote = err.splitlines()
    assert left == (
        "left out, because the model does not know them: woman, dog, wolf, rich, happy, sad"
    )
    share = re.fullmatch(r"wrote words.svg \(4 words; (\d+) % of the variance\)", wrote)
    rows = load_vectors("words.safetensors")[WORDS[:4]]
    variances = scipy.linalg.eigvalsh(np.cov(rows, rowvar=False))[::-1]
    assert int(share[1]) == round(100 * variances[:2].sum() / variances.sum())
    drawn = labels("words.svg")
    assert set(WORDS[:4]) <= set(drawn)
    for number, variance in enumerate(variances[:2] / variances.sum(), 1):
        assert f"component {number} ({100 * variance:.0f} % of the variance)" in drawn


def test_a_model_that_knows_them_all(plot):
    write_model("all", WORDS, np.random.default_rng(2).standard_normal((len(WORDS), 12)))
    code, err = plot("words all -o words.svg")
    assert code == 0
    assert err.startswith(f"wrote words.svg ({len(WORDS)} words; ")
    assert set(WORDS) <= set(labels("words.svg"))


def test_words_that_are_named(plot):
    words = ["king", "queen", "two words", "$x_1$"]
    code, err = plot(["words", "words.safetensors", *words, "-o", "words.svg"])
    assert code == 0
    assert err.startswith("wrote words.svg (4 words; ")
    assert set(words) <= set(labels("words.svg"))
    assert "man" not in labels("words.svg")


@pytest.mark.parametrize("kind", ["input", "output", "mean"])
def test_embeddings(plot, kind):
    assert plot(f"words words.safetensors -o words.svg --embedding {kind}")[0] == 0
    rows = load_vectors("words.safetensors", kind)[WORDS[:4]]
    variances = scipy.linalg.eigvalsh(np.cov(rows, rowvar=False))[::-1]
    share = 100 * variances[0] / variances.sum()
    assert f"component 1 ({share:.0f} % of the variance)" in labels("words.svg")


def test_other_components(plot):
    assert plot("words words.safetensors -o a.svg --components 3,2")[0] == 0
    drawn = [label for label in labels("a.svg") if label.startswith("component")]
    assert [label[:11] for label in drawn] == ["component 3", "component 2"]
    plot("words words.safetensors -o b.svg --components 1,2")
    plot("words words.safetensors -o c.svg")
    assert Path("a.svg").read_bytes() != Path("b.svg").read_bytes()
    assert Path("b.svg").read_bytes() == Path("c.svg").read_bytes()


def test_words_named_twice_are_drawn_once(plot):
    code, err = plot("words words.safetensors king queen king man queen -o twice.svg")
    assert code == 0
    told, wrote = err.splitlines()
    assert told == "drawn once, though named more than once: king, queen"
    assert "(3 words; 100 % of the variance)" in wrote
    plot("words words.safetensors king queen man -o once.svg")
    assert Path("twice.svg").read_bytes() == Path("once.svg").read_bytes()


def test_words_that_cannot_be_drawn_as_they_are(plot, monkeypatch):
    monkeypatch.setattr("cbow.plot._installed", lambda: iter(()))
    words = ["king", "王", "a\x1b[2Jb", "x" * 60]
    code, err = plot(["words", "words.safetensors", *words, "-o", "words.svg"])
    assert code == 0
    lacking, cut, wrote = err.splitlines()
    assert lacking == (
        r"no font here has 1 of the characters, such as 王, drawn as \u738b; install a font for "
        "them, such as one of the Noto fonts"
    )
    assert cut == f"too long to be drawn to their end: {'x' * 31}…"
    assert wrote.startswith("wrote words.svg (4 words")
    assert {r"\u738b", r"a\x1b[2Jb", "x" * 31 + "…"} <= set(labels("words.svg"))


def test_options_may_stand_anywhere(plot):
    for command in (
        "words words.safetensors king queen man -o a.svg --components 2,1",
        "words -o b.svg words.safetensors king --components=2,1 queen man",
        "words --components 2,1 -o c.svg -- words.safetensors king queen man",
    ):
        assert plot(command)[0] == 0
    assert len({Path(f"{name}.svg").read_bytes() for name in "abc"}) == 1


def test_a_word_that_begins_with_a_dash(plot):
    assert plot("words words.safetensors -o words.svg -- -ness king queen")[0] == 0
    assert "-ness" in labels("words.svg")


@pytest.mark.slow
def test_an_old_picture_is_replaced(plot):
    Path("loss.png").write_bytes(b"old")
    assert plot("loss good.jsonl -o loss.png")[0] == 0
    assert Path("loss.png").read_bytes().startswith(b"\x89PNG")
    assert not list(Path().glob(".cbow-*"))


# Bad input: what is bad (how it is made), the command, what the sentence must say.


def bad(content):
    return lambda monkeypatch: Path("bad").write_bytes(content)


def log(change):
    """Make a log whose lines were changed."""
    return lambda monkeypatch: write_log(change(log_lines()), "bad")


def changed(number, **values):
    """Make a log with other values in one line."""

    def change(lines):
        lines[number] = json.dumps({**json.loads(lines[number]), **values})
        return lines

    return log(change)


def report(**values):
    return lambda monkeypatch: write_model("bad", ["a", "b"], np.eye(2), report=values)


def vectors(rows):
    rows = np.array(rows, float)
    return lambda monkeypatch: write_model("bad", ["a", "b", "c", "d"], rows)


def many(monkeypatch):
    words = [f"w{i}" for i in range(MOST + 1)]
    write_model("bad", words, np.random.default_rng(1).standard_normal((len(words), 3)))


def folder(monkeypatch):
    Path("bad.png").mkdir()


def without_matplotlib(monkeypatch):
    original = builtins.__import__

    def refuse(name, *arguments, **settings):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return original(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", refuse)


def named_as_a_picture(monkeypatch):
    Path("good.png").write_bytes(Path("good.jsonl").read_bytes())


LOSS = "loss bad -o x.png"
NOT_A_NUMBER = ["must have a number", "give a file that cbow-train wrote"]
FOUR = "words bad a b c d -o x.png"
BAD_INPUT = {
    "missing file": (nothing, "loss none -o x.png", ["none", "check its name"]),
    "empty name": (nothing, "loss '' -o x.png", ["the name of the file is empty"]),
    "a folder": (folder, "loss bad.png -o x.png", ["bad.png", "Is a directory"]),
    "a text": (nothing, "loss corpus.txt -o x.png", ["neither a model nor a log", "--log-json"]),
    "a picture": (bad(b"\x89PNG\r\n\x1a\n" + bytes(99)), LOSS, ["neither a model nor a log"]),
    "no text": (bad(bytes(range(1, 256)) * 9), LOSS, ["neither a model nor a log"]),
    "zeros": (bad(bytes(99)), LOSS, ["not a usable model"]),
    "short": (bad(b"{}"), LOSS, ["neither a model nor a log"]),
    "a line without end": (bad(b'{"event": "' + b"x" * 2**21), LOSS, ["neither a model nor a log"]),
    "another JSON": (bad(b'{"a": 1}\n'), LOSS, ["neither a model nor a log"]),
    "a number": (bad(b"12345678\n"), LOSS, ["neither a model nor a log"]),
    "an event that is no name": (bad(b'{"event": 3}\n'), LOSS, ["neither a model nor a log"]),
    "empty file": (bad(b""), LOSS, ["bad is empty", "once training has begun"]),
    "damaged model": (
        lambda monkeypatch: Path("bad").write_bytes(Path("good.safetensors").read_bytes()[:-9]),
        LOSS,
        ["bad is not a usable model"],
    ),
    "log without epochs": (log(lambda lines: lines[:2]), LOSS, ["holds no epoch", "wait"]),
    "log with the account only": (log(lambda lines: lines[:1]), LOSS, ["holds no epoch"]),
    "model without epochs": (report(epochs=[], baselines={}), LOSS, ["holds no epoch"]),
    "model without report": (report(), LOSS, ["holds no epoch"]),
    "report of another shape": (report(epochs={}), LOSS, ["not as cbow-train writes them"]),
    "epochs of another shape": (report(epochs=[3]), LOSS, ["not as cbow-train writes them"]),
    "baselines of another shape": (report(baselines=[3]), LOSS, ["not as cbow-train writes them"]),
    "report without baselines": (
        report(epochs=[{"epoch": 1, "loss": 3.0}]),
        LOSS,
        ["in its report None for uniform", *NOT_A_NUMBER],
    ),
    "report without a loss": (
        report(epochs=[{"epoch": 1}], baselines={}),
        LOSS,
        ["epoch 1 of its report None for loss", *NOT_A_NUMBER],
    ),
    "cut line": (
        log(lambda lines: [*lines[:3], lines[3][:50]]),
        LOSS,
        ["damaged in line 4", "delete that line"],
    ),
    "line of another kind": (log(lambda lines: [*lines, "[1]"]), LOSS, ["damaged in line 6"]),
    "line without event": (log(lambda lines: [*lines, '{"a": 1}']), LOSS, ["damaged in line 6"]),
    "line that is no UTF-8": (
        lambda monkeypatch: Path("bad").write_bytes(Path("good.jsonl").read_bytes() + b'{"\xff'),
        LOSS,
        ["damaged in line 6"],
    ),
    "NaN": (
        log(lambda lines: [*lines[:2], re.sub('"loss": [^,]*', '"loss": NaN', lines[2])]),
        LOSS,
        ["damaged in line 3"],
    ),
    "nested absurdly": (log(lambda lines: [*lines, "[" * 100_000]), LOSS, ["damaged in line 6"]),
    "two logs": (log(lambda lines: lines * 2), LOSS, ["the plans of 2 runs", "one run"]),
    "log without its plan": (
        log(lambda lines: [lines[0], *lines[2:]]),
        LOSS,
        ["the plans of 0 runs"],
    ),
    "plan without baselines": (changed(1, baselines=3), LOSS, ["in its plan None for uniform"]),
    "loss that is text": (changed(3, loss="3.0"), LOSS, ["line 4 '3.0' for loss", *NOT_A_NUMBER]),
    "loss that is true": (changed(3, loss=True), LOSS, ["line 4 True for loss"]),
    "loss that is missing": (changed(3, loss=None), LOSS, ["line 4 None for loss"]),
    "loss beyond all numbers": (changed(3, loss=10**400), LOSS, ["for loss", *NOT_A_NUMBER]),
    "share that is text": (changed(3, active="all"), LOSS, ["line 4 'all' for active"]),
    "norms that are no table": (
        changed(3, gradient_norms=[1]),
        LOSS,
        ["line 4 [1] for gradient_norms", "table of numbers"],
    ),
    "norm that is text": (changed(3, gradient_norms={"b1": "x"}), LOSS, ["line 4 'x' for b1"]),
    "epochs out of order": (changed(4, epoch=2), LOSS, ["in line 5 epoch 2 after epoch 2"]),
    "unknown ending": (nothing, "loss good.jsonl -o x.gif", ["'x.gif'", ".png, .svg or .pdf"]),
    "no ending": (nothing, "words good.safetensors -o png", ["'png'", ".png, .svg or .pdf"]),
    "only an ending": (nothing, "loss good.jsonl -o .png", ["'.png'", "must end in"]),
    "output a stream": (nothing, "loss good.jsonl -o -", ["'-'", "give such a name"]),
    "output empty": (nothing, "loss good.jsonl -o ''", ["''", "give such a name"]),
    "output folder missing": (
        nothing,
        "loss good.jsonl -o no/x.png",
        ["the folder no does not exist"],
    ),
    "output a folder": (folder, "loss good.jsonl -o bad.png", ["bad.png is a folder"]),
    "output in a file": (nothing, "loss good.jsonl -o corpus.txt/x.png", ["is not a folder"]),
    "output folder read-only": (
        read_only,
        "words good.safetensors -o x.png",
        ["the folder . is read-only for you"],
    ),
    "output the source": (
        named_as_a_picture,
        "loss good.png -o ./good.png",
        ["written over good.png, which is read", "give the output another name"],
    ),
    "disk full": (full_disk("x.png"), "loss good.jsonl -o x.png", ["the disk is full: x.png"]),
    "no matplotlib": (
        without_matplotlib,
        "loss good.jsonl -o x.png",
        ["pictures need matplotlib", "pip install matplotlib"],
    ),
    "words of no model": (
        nothing,
        "words corpus.txt -o x.png",
        ["corpus.txt is in no format that cbow reads"],
    ),
    "words of a log": (nothing, "words good.jsonl -o x.png", ["good.jsonl is in no format"]),
    "unknown word": (
        nothing,
        "words words.safetensors king qeen man -o x.png",
        ["'qeen' is not in the vocabulary", "did you mean queen"],
    ),
    "unknown word alone": (nothing, "words words.safetensors qeen -o x.png", ["did you mean"]),
    "empty word": (nothing, "words words.safetensors '' king man -o x.png", ["the word ''"]),
    "two words": (
        nothing,
        "words words.safetensors king man -o x.png",
        ["is 2, but must be from 3 to 200", "name more words that the model knows"],
    ),
    "two words, named twice": (
        nothing,
        "words words.safetensors king man king man -o x.png",
        ["is 2, but must be from 3"],
    ),
    "too few known by default": (
        lambda monkeypatch: write_model("bad", ["king", "b", "man"], np.eye(3)),
        "words bad -o x.png",
        ["is 2, but must be from 3 to 200", "name more words that the model knows"],
    ),
    "too many words": (
        many,
        "words bad -o x.png " + " ".join(f"w{i}" for i in range(MOST + 1)),
        ["is 201, but must be from 3 to 200", "name fewer"],
    ),
    "equal vectors": (
        vectors([[1, 2]] * 4),
        FOUR,
        ["these 4 words have 0 principal components, but component 2"],
    ),
    "vectors on a line": (
        vectors([[1, 1], [2, 2], [3, 3], [7, 7]]),
        FOUR + " --embedding output",
        ["these 4 words have 1 principal component, but component 2", "name more words"],
    ),
    "components beyond the words": (
        vectors(np.eye(4, 9)),
        FOUR + " --components 1,4",
        [
            "these 4 words have 3 principal components, but component 4 is to be drawn",
            "--components",
        ],
    ),
    "vectors that are not finite": (
        vectors([[1, 2], [3, 4], [np.nan, 1], [0, 0]]),
        FOUR,
        ["vector of 'c'", "not finite", "smaller learning rate"],
    ),
    "vectors far too large": (
        vectors([[1, 2], [3, 1e200], [0, 1], [0, 0]]),
        FOUR + " --embedding output",
        ["of 'b'"],
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input(case, place, capsys, monkeypatch):
    make, command, parts = BAD_INPUT[case]
    make(monkeypatch)
    before = contents()
    assert main(shlex.split(command)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    sentence = err.strip().splitlines()[-1]
    assert sentence.startswith(f"cbow-plot {command.split()[0]}: error: ")
    for part in parts:
        assert part in sentence
    assert contents() == before


def test_a_name_that_no_file_can_have(plot):
    code, err = plot(["loss", "a\0b", "-o", "x.png"])
    assert code == 1
    assert "cannot be opened" in err


@pytest.mark.parametrize(
    "command",
    [
        "",
        "curve good.jsonl -o x.png",
        "-o x.png loss good.jsonl",
        "loss",
        "-- loss",
        "loss good.jsonl",
        "loss -o x.png",
        "loss good.jsonl other -o x.png",
        "loss good.jsonl -o x.png --components 1,2",
        "words good.safetensors",
        "words good.safetensors -o x.png --embedding both",
        *(
            f"words good.safetensors -o x.png --components {value}"
            for value in ("1", "1,1", "0,1", "1,2,3", "a,b", "1;2", "1,02", "٣,1", "''", "9" * 5000)
        ),
    ],
)
def test_wrong_usage(plot, command):
    code, err = plot(command)
    assert code == 2
    assert "usage: cbow-plot" in err
    assert not Path("x.png").exists()


def test_wrong_components_are_explained(plot):
    _, err = plot("words good.safetensors -o x.png --components 3")
    assert "'3' is not two different numbers from 1 with a comma between, such as 4,2" in err


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("--help", ["{loss,words}", "cbow-plot words --help", "--version"]),
        ("loss --help", [".png, .svg or .pdf", "cbow-train --log-json"]),
        (
            "words --help",
            ["(default: 1,2)", "(default: joint)", "king queen lord man woman dog", "--embedding"],
        ),
    ],
)
def test_help(capsys, command, parts):
    assert main(command.split()) == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in parts:
        assert part in out


@pytest.mark.slow
def test_arguments_come_from_the_process_too(place, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cbow-plot", "loss", "good.jsonl", "-o", "x.png"])
    assert main() == 0
    assert "wrote x.png" in capsys.readouterr().err


@pytest.mark.slow
def test_nobody_listens(place, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["loss", "good.jsonl", "-o", "x.png"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("x.png").exists()


@pytest.mark.slow
def test_as_a_program(place):
    code = "import sys; from cbow.cli.plot import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "words", "words.safetensors"]
    done = subprocess.run([*command, "-o", "words.svg"], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("wrote words.svg (4 words; ")
    assert main(["words", "words.safetensors", "-o", "again.svg"]) == 0
    assert Path("words.svg").read_bytes() == Path("again.svg").read_bytes()


@pytest.mark.slow
def test_matplotlib_is_as_it_was(plot):
    before = dict(matplotlib.rcParams)
    plot("loss good.jsonl -o x.png")
    assert dict(matplotlib.rcParams) == before
