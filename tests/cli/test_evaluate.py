"""``cbow-evaluate``: one model, several, tables, JSON, and what is refused."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import cbow
from cbow.cli.evaluate import decimal, main
from cbow.evaluation import Rules, compare, evaluate

CORPORA = Path(__file__).parents[2] / "corpora"
WORDS = ["king", "queen", "man", "woman", "dog", "cat", "red", "\x1b[2J", "blue", "cold"]

PAIRS = "# made\nking queen 8\nman woman 7\ndog cat 6.5\nred blue 6\nking dog 1\ncat moon 2\n"
ANALOGIES = """\
: people
man king woman queen
king man queen woman
: things
dog cat red blue
sun moon king queen
: \x1b[31m
cold cold cold cold
"""


def text_file(path, seed, words=WORDS):
    """A word2vec text file."""
    matrix = np.random.default_rng(seed).standard_normal((len(words), 5)).round(4)
    rows = [" ".join([word, *map(str, row)]) for word, row in zip(words, matrix, strict=True)]
    path.write_text(f"{len(words)} 5\n" + "\n".join(rows) + "\n")
    return matrix


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("pairs.txt").write_text(PAIRS)
    Path("analogies.txt").write_text(ANALOGIES)
    text_file(Path("one.txt"), 1)
    text_file(Path("two.txt"), 2, [word for word in WORDS if word != "dog"])


BOTH = ("--pairs", "pairs.txt", "--analogies", "analogies.txt")


@pytest.fixture
def ask(capsys):
    """Run the command; give its exit code, its objects, and what it said beside."""

    def run(*arguments):
        code = main(["--json", *arguments])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def as_json(found):
    return json.loads(json.dumps(found))


def test_one_model(ask):
    code, [found], err = ask("one.txt", *BOTH)
    assert code == 0
    assert err == "pairs.txt: skipped lines (comments 1)\n"
    expected = evaluate(cbow.load_vectors("one.txt"), "pairs.txt", "analogies.txt").to_dict()
    assert found == {"model": "one.txt", "embedding": "joint", **as_json(expected)}
    assert found["pairs"][0]["found"] == 5
    matrix = text_file(Path("again.txt"), 1)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosines = [unit[a] @ unit[b] for a, b in ((0, 1), (2, 3), (4, 5), (6, 8), (0, 4))]
    rho = stats.spearmanr(cosines, [8, 7, 6.5, 6, 1]).statistic
    assert found["pairs"][0]["spearman"] == pytest.approx(rho)


def test_a_table(capsys):
    assert main(["one.txt", *BOTH, "--method", "3CosAdd"]) == 0
    out, err = capsys.readouterr()
    models, title, pairs, title2, questions, *notes = out.rstrip("\n").split("\n\n")
    found = evaluate(cbow.load_vectors("one.txt"), "pairs.txt", "analogies.txt")
    assert models.splitlines()[1].split() == ["one.txt", "10", "5"]
    assert title == "pairs.txt: 6 word pairs"
    result = found.pairs[0]
    low, high, _ = result.interval
    cells = ["one.txt", "5", f"{result.spearman:.3f}", f"{low:.3f}", "to", f"{high:.3f}"]
    assert pairs.splitlines()[1].split() == [*cells, f"{result.pearson:.3f}"]
    assert title2 == "analogies.txt: 5 questions"
    share = found.analogies[0].accuracy("3CosAdd")
    cells = ["one.txt", "4", f"{100 * share.share:.1f}", f"{100 * share.low:.1f}"]
    assert questions.splitlines()[1].split() == [*cells, "to", f"{100 * share.high:.1f}"]
    assert "3CosMul" not in out
    assert len(notes) == 2
    assert "left out (--oov skip)" in notes[0]
    assert "1,000 resamples, seed 1" in notes[0]
    assert "among the first 30,000 of the model" in notes[1]
    assert err == "pairs.txt: skipped lines (comments 1)\n"


def test_sections(capsys):
    assert main(["one.txt", "two.txt", "--analogies", "analogies.txt", "--sections"]) == 0
    out, _ = capsys.readouterr()
    rows = [line.split() for line in out.split("\n\n")[2].splitlines()]
    assert rows[0][:3] == ["section", "model", "found"]
    assert [row[:3] for row in rows[1:]] == [
        ["people", "one.txt", "2"],
        ["people", "two.txt", "2"],
        ["things", "one.txt", "1"],
        ["things", "two.txt", "0"],
        [r"\x1b[31m", "one.txt", "1"],
        [r"\x1b[31m", "two.txt", "1"],
        ["all", "one.txt", "4"],
        ["all", "two.txt", "3"],
    ]
    assert rows[4][3:] == ["-"] * 4
    assert "word pairs" not in out


def test_sections_without_a_name(capsys):
    Path("plain.txt").write_text("man king woman queen\n")
    assert main(["one.txt", "--analogies", "plain.txt", "--sections"]) == 0
    rows = [line.split() for line in capsys.readouterr()[0].split("\n\n")[2].splitlines()]
    assert [row[0] for row in rows[1:]] == ["-", "all"]


def test_models_side_by_side(ask, capsys):
    code, found, _ = ask("one.txt", "two.txt", "one.txt", *BOTH)
    assert code == 0
    assert [each.get("model") for each in found] == ["one.txt", "two.txt", "one.txt", *[None] * 6]
    one, two = (
        evaluate(cbow.load_vectors(name), "pairs.txt", "analogies.txt")
        for name in ("one.txt", "two.txt")
    )
    expected = [each.to_dict() for each in compare(one, two)]
    assert found[3:6] == [{"models": ["one.txt", "two.txt"], **as_json(each)} for each in expected]
    assert all(each["models"] == ["one.txt", "one.txt"] for each in found[6:])
    assert {each["p"] for each in found[6:]} == {1.0}

    assert main(["one.txt", "two.txt", *BOTH]) == 0
    *_, names, rows, note1, note2, note3 = capsys.readouterr()[0].split("\n\n")
    assert names == "first: one.txt\nsecond: two.txt"
    cells = [line.split() for line in rows.splitlines()]
    assert [row[:3] for row in cells[1:]] == [
        ["pairs.txt", "Spearman", "3"],
        ["analogies.txt", "3CosAdd", "3"],
        ["analogies.txt", "3CosMul", "3"],
    ]
    p = expected[0]["p"]
    assert cells[1][-1] == ("<0.001" if p < 0.001 else f"{p:.3f}")
    assert "paired" not in note1 + note2
    assert "McNemar" in note3


def test_a_clear_difference(capsys):
    rng = np.random.default_rng(3)
    words = [f"w{i}" for i in range(80)]
    scores = rng.uniform(0, 10, 40)
    angles = np.arccos(scores / 10)
    good = np.zeros((80, 2))
    good[::2, 0] = 1
    good[1::2] = np.transpose([np.cos(angles), np.sin(angles)])
    for name, matrix in (("good.txt", good), ("bad.txt", rng.permutation(good))):
        rows = [" ".join([w, *map(str, row)]) for w, row in zip(words, matrix, strict=True)]
        Path(name).write_text("80 2\n" + "\n".join(rows) + "\n")
    Path("many.txt").write_text(
        "".join(f"w{2 * i} w{2 * i + 1} {score}\n" for i, score in enumerate(scores))
    )
    assert main(["good.txt", "bad.txt", "--pairs", "many.txt", "--resamples", "3000"]) == 0
    [row] = re.findall(r"^many.txt  Spearman.*", capsys.readouterr()[0], flags=re.M)
    assert row.split()[2:4] == ["40", "1.000"]
    assert row.endswith("<0.001")


def test_what_is_left_out_of_the_bootstrap_is_told(capsys):
    Path("two.pairs").write_text("king queen 5\nman woman 3\n")
    assert main(["one.txt", "--pairs", "two.pairs"]) == 0
    [pairs] = evaluate(cbow.load_vectors("one.txt"), "two.pairs").pairs
    assert 400 < pairs.interval.resamples < 600  # half of the draws are twice the same pair
    said = f"left out, so that {pairs.interval.resamples} or more count."
    assert said in capsys.readouterr()[0]
    Path("flat.pairs").write_text("king queen 5\nman woman 5\n")
    assert main(["one.txt", "--pairs", "two.pairs", "flat.pairs"]) == 0
    assert "left out, so that 0 or more count." in capsys.readouterr()[0]
    assert main(["one.txt", "--pairs", "two.pairs", "--resamples", "0"]) == 0
    assert "or more count" not in capsys.readouterr()[0]


def test_the_notes_speak_of_what_was_done(capsys):
    def notes(*arguments):
        assert main(["one.txt", "two.txt", *arguments]) == 0
        return capsys.readouterr()[0].rstrip("\n").split("\n\n")[-1]

    both = notes(*BOTH)
    assert "; of Spearman by a bootstrap" in both
    assert ", of analogies by McNemar's" in both
    assert "McNemar" not in notes(*BOTH[:2])
    assert "Spearman" not in notes(*BOTH[2:])
    assert "Spearman" not in notes(*BOTH, "--resamples", "0")
    assert notes(*BOTH[:2], "--resamples", "0").endswith("on the items that count for both (both).")


def test_nothing_has_no_sign():
    assert [decimal(x) for x in (-1e-9, -0.0, -0.0006, None)] == ["0.000", "0.000", "-0.001", "-"]


def test_no_resamples(capsys):
    assert main(["one.txt", "two.txt", "--pairs", "pairs.txt", "--resamples", "0"]) == 0
    out, _ = capsys.readouterr()
    assert "bootstrap" not in out
    [row] = re.findall(r"^pairs.txt  Spearman.*", out, flags=re.M)
    assert row.split()[-2:] == ["-", "-"]


def test_narrow_terminals_get_lists(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["one.txt", "two.txt", *BOTH, "--sections"]) == 0
    out, _ = capsys.readouterr()
    assert "\nPearson: " in out
    assert all(len(line) <= 40 for line in out.splitlines())


def test_the_rules(ask):
    given = {
        "--restrict": "9", "--oov": "zero", "--resamples": "50", "--seed": "4",
        "--method": "3CosMul",
    }  # fmt: skip
    code, [found], _ = ask(
        "one.txt", *BOTH, "--case-sensitive", *(part for pair in given.items() for part in pair)
    )
    assert code == 0
    expected = evaluate(
        cbow.load_vectors("one.txt"), "pairs.txt", "analogies.txt", restrict=9, oov="zero",
        resamples=50, seed=4, methods=("3CosMul",), fold=False,
    ).to_dict()  # fmt: skip
    assert found == {"model": "one.txt", "embedding": "joint", **as_json(expected)}
    assert found["rules"] == {
        "restrict": 9, "oov": "zero", "fold": False, "methods": ["3CosMul"], "resamples": 50,
        "seed": 4,
    }  # fmt: skip


def test_the_policy_is_told(capsys):
    assert main(["one.txt", *BOTH, "--oov", "zero"]) == 0
    out, _ = capsys.readouterr()
    assert "the others have cosine 0 (--oov zero)" in out
    assert "the others count as wrong (--oov zero)" in out


def test_options_may_stand_anywhere(ask):
    outputs = [
        ask("one.txt", "two.txt", *BOTH)[1],
        ask("one.txt", "--pairs", "pairs.txt", "--seed", "1", "two.txt", *BOTH[2:])[1],
        ask(*BOTH, "--", "one.txt", "two.txt")[1],
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    several = ask("one.txt", "--pairs", "pairs.txt", "pairs.txt", "--pairs", "pairs.txt")[1]
    assert len(several[0]["pairs"]) == 3


@pytest.mark.slow
def test_a_trained_model_and_its_embeddings(ask):
    corpus = (CORPORA / "alder.txt").read_text()
    model = cbow.train(corpus.splitlines()[:80], dimension=8, epochs=2, sample=0.01, min_count=2)
    model.save("model.safetensors")
    given = ("--pairs", str(CORPORA / "pairs.txt"), "--analogies", str(CORPORA / "analogies.txt"))
    for kind in ("joint", "input", "output"):
        code, [found], _ = ask("model.safetensors", *given, "--embedding", kind)
        assert code == 0
        expected = evaluate(model.embedding(kind), given[1], given[3]).to_dict()
        assert found == {"model": "model.safetensors", "embedding": kind, **as_json(expected)}


def test_what_is_not_as_it_stands_in_the_file_is_told(ask):
    with open("one.txt", "a") as file:
        file.write("king 1 2 3 4 5\n")
    content = Path("one.txt").read_text().replace("10 5", "11 5", 1)
    Path("twice.txt").write_text(content)
    code, [found], err = ask("twice.txt", "--pairs", "pairs.txt")
    assert (code, found["words"]) == (0, 10)
    assert "note: twice.txt: 1 of 11 rows repeat a word" in err


def test_words_that_are_not_utf8(ask):
    Path("bad.bin").write_bytes(
        b"3 1\n" + b"".join(w + b" " + np.float32(i).tobytes() for i, w in
                            enumerate([b"king", b"caf\xe9", b"queen"], 1))
    )  # fmt: skip
    Path("two.pairs").write_text("king queen 5\nqueen queen 3\n")
    code, _, err = ask("bad.bin", "--pairs", "two.pairs")
    assert code == 1
    assert "bad.bin" in err
    code, [found], _ = ask("bad.bin", "--pairs", "two.pairs", "--errors", "replace")
    assert (code, found["words"]) == (0, 3)


def bad(name, content):
    return lambda: Path(name).write_bytes(content)


BAD_INPUT = {
    # what is bad: how it is made, the arguments, what the sentence must say
    "nothing to score by": (None, ["one.txt"], ["give --pairs FILE, --analogies FILE or both"]),
    "missing set": (None, ["one.txt", "--pairs", "none"], ["none cannot be opened", "check"]),
    "folder as set": (None, ["one.txt", "--analogies", "."], [". cannot be opened", "give"]),
    "empty set": (bad("set", b""), ["one.txt", "--pairs", "set"], ["set holds no word pair;"]),
    "empty analogies": (
        bad("set", b": a\n"), ["one.txt", "--analogies", "set"], ["set holds no question", "give"]
    ),
    "fields of a pair": (
        bad("set", b"king queen 5\nking queen\n"),
        ["one.txt", "--pairs", "set"],
        ["set, line 2 has 2 fields", "3: word word score", "correct"],
    ),
    "fields of a question": (
        bad("set", b": a\nking queen man\n"),
        ["one.txt", "--analogies", "set"],
        ["set, line 2 has 3 fields", "a question has 4", "correct"],
    ),
    "score": (
        bad("set", b"king queen 5\nking queen high\n"),
        ["one.txt", "--pairs", "set"],
        ["set, line 2 has 'high' for a score", "finite number", "correct"],
    ),
    "score nan": (
        bad("set", b"king queen nan\n"), ["one.txt", "--pairs", "set"], ["set, line 1 has 'nan'"]
    ),
    "not UTF-8": (
        bad("set", b"king queen 5\ncaf\xe9 king 5\n"),
        ["one.txt", "--pairs", "set"],
        ["set, line 2 is not UTF-8 at its byte 4", "iconv"],
    ),
    "a model among the pairs": (
        bad("b.npz", b"PK\x03\x04\xff\n"),
        ["one.txt", "--pairs", "pairs.txt", "b.npz"],
        ["b.npz, line 1 is not UTF-8", "give text in UTF-8"],
    ),
    "no pair known": (
        bad("set", b"sun moon 5\nking queen 1\n"),
        ["one.txt", "--pairs", "set"],
        ["one.txt: set: of its word pairs, 2 in all, the model has the words of 1", "give pairs"],
    ),
    "no question known": (
        bad("set", b"sun moon sea sky\n"),
        ["one.txt", "--analogies", "set"],
        ["one.txt: set: of its questions, 1 in all, none has its four words", "the first 10"],
    ),
    "nothing so frequent": (
        None,
        ["one.txt", "--analogies", "analogies.txt", "--restrict", "2"],
        ["one.txt: analogies.txt: of its questions, 5 in all", "increase restrict"],
    ),
    "restrict 0": (None, ["one.txt", *BOTH, "--restrict", "0"], ["restrict is 0, but must be"]),
    "resamples -1": (None, ["one.txt", *BOTH, "--resamples", "-1"], ["resamples is -1, but must"]),
    "seed -1": (None, ["one.txt", *BOTH, "--seed", "-1"], ["seed is -1, but must be"]),
    "missing model": (None, ["none.txt", *BOTH], ["none.txt"]),
    "no model": (None, ["analogies.txt", *BOTH], ["analogies.txt"]),
    "empty model": (bad("bad.npz", b""), ["bad.npz", *BOTH], ["bad.npz"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_sentence(capsys, name):
    make, arguments, words = BAD_INPUT[name]
    if make:
        make()
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    [sentence] = [line for line in err.splitlines() if "skipped lines" not in line]
    assert sentence.startswith("cbow-evaluate: error: ")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--pairs", "pairs.txt", "one.txt"],  # the model is taken for a second file of pairs
        ["one.txt", "--pairs"],
        ["one.txt", *BOTH, "--oov", "drop"],
        ["one.txt", *BOTH, "--method", "3CosDiv"],
        ["one.txt", *BOTH, "--restrict", "x"],
        ["one.txt", *BOTH, "--embedding", "men"],
        ["one.txt", *BOTH, "--what"],
    ],
)
def test_wrong_usage(capsys, arguments):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: cbow-evaluate MODEL... [--pairs FILE...]")


def test_help(capsys):
    assert main(["--help"]) == 0
    out, _ = capsys.readouterr()
    for name, value in (("restrict", 30_000), ("resamples", 1000), ("seed", 1), ("oov", "skip")):
        assert getattr(Rules(), name) == value
        assert f"(default: {value})" in re.sub(r"\s+", " ", out)


def test_ctrl_c(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("cbow.evaluation.scoring.pair_cosines", interrupted)
    assert main(["one.txt", *BOTH]) == 130
    assert capsys.readouterr().err.endswith("cbow-evaluate: error: interrupted\n")


@pytest.mark.slow
def test_a_reader_that_stops_early(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        assert main(["one.txt", *BOTH]) == 0


@pytest.mark.slow
def test_the_sets_of_the_repository_are_large_enough(ask):
    """The commands of the documentation work, with scores that mean something."""
    model = cbow.train(
        str(CORPORA / "alder.txt"), dimension=20, window=2, sample=0.01, batch=128, epochs=6
    )
    model.save("alder.safetensors")
    given = ("--pairs", str(CORPORA / "pairs.txt"), "--analogies", str(CORPORA / "analogies.txt"))
    code, [found], _ = ask("alder.safetensors", *given)
    assert code == 0
    assert found["pairs"][0]["found"] == 138
    assert found["pairs"][0]["interval"]["low"] > 0
    assert found["analogies"][0]["found"] == 280
    assert found["analogies"][0]["3CosAdd"]["low"] > 0.01  # one in 568 would be right by chance


def test_a_file_of_the_field_as_it_comes(ask):
    """Byte order mark, CR LF, many columns with names: one score, and which is told."""
    rows = [line.split() for line in PAIRS.splitlines()[1:]]
    lines = ["word1,word2,POS,SimLex999,SD", *(f"{a},{b},N,{score},1" for a, b, score in rows)]
    Path("simlex.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    code, [found], err = ask("one.txt", "--pairs", "pairs.txt", "simlex.csv")
    plain, simlex = found["pairs"]
    assert code == 0
    assert simlex["spearman"] == plain["spearman"]
    assert (plain["score_column"], simlex["score_column"]) == (None, "SimLex999")
    assert "simlex.csv: skipped lines (headers 1)\n" in err
    assert "simlex.csv: the scores are those of the column SimLex999\n" in err
