"""``cbow-nearest``: words, sums, pipes and terminals."""

import io
import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest

from cbow.cli.nearest import main
from cbow.config import DEFAULT_EMBEDDING, Config
from cbow.model import Model, load, load_vectors
from cbow.network import Parameters
from cbow.text import Vocabulary
from cbow.text.ngrams import Ngrams
from cbow.vectors import WordVectors
from cbow.vectors.embeddings import Subwords

WORDS = [
    "king",
    "queen",
    "man",
    "woman",
    "well-known",
    "naïve",
    "-",
    "-ness",
    "new york",
    "\x1b[2J",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(3)
    V, N = len(WORDS), 4
    shapes = {"W1": (N, V), "b1": (N, 1), "W2": (V, N), "b2": (V, 1)}
    parameters = Parameters(*(rng.standard_normal(size) for size in shapes.values()))
    path = tmp_path_factory.mktemp("nearest") / "model.safetensors"
    Model(Config(dimension=N), Vocabulary(WORDS, range(V, 0, -1)), parameters).save(path)
    return str(path)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Vectors of another program, of which a line repeats a word."""
    path = tmp_path_factory.mktemp("nearest") / "other.txt"
    path.write_text("5 2\nking 1 0\nqueen 3 4\nduke 0 1\nking 5 5\nearl -1 0\n")
    return str(path)


@pytest.fixture(autouse=True)
def _own_history(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture
def ask(path, capsys):
    """Run the command; give its exit code, its answers as JSON, and its complaints."""

    def run(*arguments):
        code = main([path, "--json", *arguments])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def feed(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))


def answer(path, positive, negative=None, topn=10, kind=DEFAULT_EMBEDDING):
    found = load_vectors(path, kind).most_similar(positive, negative, topn)
    return [{"word": word, "cosine": cosine} for word, cosine in found]


def test_one_answer_for_each_word(ask, path):
    code, answers, err = ask("king", "queen")
    assert (code, err) == (0, "")
    assert answers == [
        {"query": "king", "neighbours": answer(path, "king")},
        {"query": "queen", "neighbours": answer(path, "queen")},
    ]


@pytest.mark.parametrize(
    "arguments",
    [["king - man + woman"], ["king", "-", "man", "+", "woman"], ["king - man", "+", "woman"]],
)
def test_a_sum_with_and_without_quotes(ask, path, arguments):
    code, [found], err = ask(*arguments)
    assert (code, err) == (0, "")
    assert found["query"] == "king - man + woman"
    assert found["neighbours"] == answer(path, ["king", "woman"], ["man"])


@pytest.mark.parametrize(
    ("arguments", "positive", "negative"),
    [
        (["- man + king"], ["king"], ["man"]),
        (["-", "man", "+", "king"], ["king"], ["man"]),
        (["-ness + king"], ["-ness", "king"], []),
        (["--", "king", "+", "-ness"], ["king", "-ness"], []),
        (["king - -ness"], ["king"], ["-ness"]),
        (["well-known"], ["well-known"], []),
        (["well-known - naïve"], ["well-known"], ["naïve"]),
        (["--", "-ness"], ["-ness"], []),
        (["--", "-"], ["-"], []),
        (["-"], ["-"], []),
        (["new york"], ["new york"], []),
    ],
)
def test_signs_and_words_that_look_like_signs(path, capsys, arguments, positive, negative):
    assert main([path, "--json", *arguments]) == 0
    [found] = map(json.loads, capsys.readouterr().out.splitlines())
    assert found["neighbours"] == answer(path, positive, negative)


def test_options_may_stand_anywhere(path, capsys):
    outputs = []
    for arguments in (
        [path, "king", "queen", "--topn", "2", "--embedding", "output"],
        ["--topn", "2", path, "--embedding", "output", "king", "queen"],
        [path, "king", "--embedding=output", "queen", "--topn=2"],
    ):
        assert main(arguments) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0]
    assert len(set(outputs)) == 1


@pytest.mark.parametrize("kind", ["input", "output", "mean"])
def test_embeddings(ask, path, kind):
    _, [found], _ = ask("king", "--embedding", kind, "--topn", "3")
    assert found["neighbours"] == answer(path, "king", topn=3, kind=kind)


def test_a_table(path, capsys):
    assert main([path, "king", "queen", "--topn", "20"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, second = out.rstrip("\n").split("\n\n")
    lines = [line.rsplit(maxsplit=1) for line in first.split("\n")]
    assert lines[0] == ["king", "cosine"]
    assert sorted(word.strip() for word, _ in lines[1:]) == sorted([*WORDS[1:-1], r"\x1b[2J"])
    values = [float(cosine) for _, cosine in lines[1:]]
    assert values == [round(each["cosine"], 4) for each in answer(path, "king")]
    assert {len(line) for line in first.split("\n")} == {len(first.split("\n")[0])}
    assert second.startswith("queen ")


def test_lines_with_tabs(path, capsys):
    assert main([path, "king", "queen - man", "--format", "tsv", "--topn", "9"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.split("\t") for line in out.splitlines()]
    assert len(lines) == 9 + 8
    expected = answer(path, "king", topn=9)
    assert lines[:9] == [
        ["king", each["word"].replace("\x1b", r"\x1b"), f"{each['cosine']:.6f}"]
        for each in expected
    ]
    assert {line[0] for line in lines[9:]} == {"queen - man"}


def test_json_is_a_format_as_well(ask, path, capsys):
    expected = ask("king")
    assert main([path, "--format", "json", "king"]) == 0
    assert [json.loads(capsys.readouterr().out)] == expected[1]
    assert main([path, "--format=json", "--json", "king"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_word_alone_has_no_neighbours(tmp_path, capsys):
    alone = tmp_path / "alone.txt"
    alone.write_text("1 2\nking 1 0\n")
    for form, expected in (("tsv", ""), ("table", "king  cosine\n\n"), ("json", None)):
        assert main([str(alone), "king", "--format", form]) == 0
        out = capsys.readouterr().out
        if form == "json":
            assert json.loads(out)["neighbours"] == []
        else:
            assert out == expected


NOTE = "note: {}: 1 of 5 rows repeat a word; the first of each is kept\n"


def test_vectors_of_another_program(other, capsys):
    assert main([other, "king", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [each["word"] for each in json.loads(out)["neighbours"]] == ["queen", "duke", "earl"]
    assert err == NOTE.format(other)


def test_two_models_side_by_side(path, other, capsys):
    assert main([path, "king", "--with", other, "--topn", "4", "--embedding", "mean"]) == 0
    out, err = capsys.readouterr()
    assert "note: " in err
    first, header, *rows, last = [*out.split("\n\n")[0].splitlines(), ""]
    assert first == "king"
    assert header.split() == ["model.safetensors", "cosine", "other.txt", "cosine"]
    ours = answer(path, "king", topn=4, kind="mean")
    start = header.index("other.txt")
    assert [row[:start].rsplit(maxsplit=1)[1] for row in rows] == [
        f"{each['cosine']:.4f}" for each in ours
    ]
    assert [row[start:].split() for row in rows] == [
        ["queen", "0.6000"], ["duke", "0.0000"], ["earl", "-1.0000"], []
    ]  # fmt: skip
    assert last == ""


def test_two_models_below_each_other_where_there_is_no_room(path, other, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert main([path, "king", "--with", other, "--topn", "2"]) == 0
    first, second = capsys.readouterr().out.rstrip("\n").split("\n\n")
    assert first.splitlines()[0] == "king"
    assert first.splitlines()[1].split() == ["model.safetensors", "cosine"]
    assert second.splitlines()[0].split() == ["other.txt", "cosine"]
    assert second.splitlines()[1].split() == ["queen", "0.6000"]


@pytest.mark.parametrize("form", ["json", "tsv"])
def test_two_models_for_programs(path, other, capsys, form):
    assert main([path, "king", "queen", "--with", other, "--topn", "2", "--format", form]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["model.safetensors", "other.txt"]
    if form == "json":
        found = [(each["query"], each["model"]) for each in map(json.loads, lines)]
        assert found == [(query, name) for query in ("king", "queen") for name in names]
    else:
        found = [line.split("\t")[:2] for line in lines]
        assert found == [[query, n] for query in ("king", "queen") for n in names for _ in range(2)]


@pytest.mark.parametrize("form", ["table", "json", "tsv"])
def test_a_word_that_only_one_model_knows(path, other, capsys, form):
    assert main([path, "duke", "man", "nobody", "--with", other, "--format", form]) == 1
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if "error" in line]
    assert [line.split(": ")[2] for line in told] == [
        "model.safetensors", "other.txt", "model.safetensors", "other.txt"
    ]  # fmt: skip
    assert "duke" in out
    assert "man" in out
    assert "nobody" not in out


def test_the_same_model_twice(path, capsys):
    assert main([path, "king", "--with", path, "--json"]) == 0
    one, two = map(json.loads, capsys.readouterr().out.splitlines())
    assert one == two
    assert one["model"] == path


def test_an_unknown_word_is_told_and_the_next_goes_on(ask):
    code, answers, err = ask("kinng", "queen")
    assert code == 1
    assert [each["query"] for each in answers] == ["queen"]
    assert err == (
        "cbow-nearest: error: the word 'kinng' is not in the vocabulary; did you mean king?\n"
    )


@pytest.mark.parametrize(
    ("typed", "meant", "told"),
    [
        (["King"], ["king"], ["king is taken for King"]),
        (
            ["King - MAN + woman"],
            [["king", "woman"], ["man"]],
            ["king is taken for King", "man is"],
        ),
        (["KING", "+", "queen"], [["king", "queen"]], ["king is taken for KING"]),
        (["New York"], ["new york"], ["new york is taken for New York"]),
        (["WELL-KNOWN"], ["well-known"], ["well-known is taken for WELL-KNOWN"]),
        (["NAÏVE"], ["naïve"], ["naïve is taken for NAÏVE"]),
    ],
)
def test_a_word_is_found_in_other_letter_case_and_a_note_says_so(ask, path, typed, meant, told):
    code, (found,), err = ask(*typed)
    assert code == 0
    assert found == {"query": " ".join(typed), "neighbours": answer(path, *meant)}
    lines = err.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith(note) for line, note in zip(lines, told, strict=True))
    assert all(line.endswith(", which is not in the vocabulary") for line in lines)


def test_a_word_that_is_made_from_ngrams_is_told(tmp_path, capsys):
    rows = np.random.default_rng(1).standard_normal((999, 50)).astype(np.float32)
    parts = Subwords(Ngrams(3, 6, 999), rows)
    words = ["king", "queen"]
    made = WordVectors(words, parts.vectors(words).astype(np.float32), subwords=parts)
    made.save(tmp_path / "parts.bin", format="fasttext-bin")
    query = ["kinng", "+", "king", "-", "Queen", "-", "qu"]
    assert main([str(tmp_path / "parts.bin"), "kinng", "--topn", "1", "--format", "tsv"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("kinng\tking\t0.")
    assert err == "kinng is not in the vocabulary; its vector is made from n-grams\n"
    assert main([str(tmp_path / "parts.bin"), *query]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "queen is taken for Queen, which is not in the vocabulary",
        "kinng is not in the vocabulary; its vector is made from n-grams",
        "qu is not in the vocabulary; its vector is made from n-grams",
    ]


def test_a_word_as_it_is_spelled_wins_over_other_letter_case(tmp_path, capsys):
    cased = tmp_path / "cased.txt"
    cased.write_text("4 2\nking 1 0\nKing 0 1\nqueen 1 1\nQueen -1 1\n")
    assert main([str(cased), "King", "KING", "--topn", "1", "--format", "tsv"]) == 0
    out, err = capsys.readouterr()
    assert [line.split("\t")[:2] for line in out.splitlines()] == [
        ["King", "queen"], ["KING", "queen"]
    ]  # fmt: skip
    assert err == "king is taken for KING, which is not in the vocabulary\n"


def test_each_of_two_models_is_asked_in_its_own_letter_case(path, other, tmp_path, capsys):
    cased = tmp_path / "cased.txt"
    cased.write_text("2 2\nKing 1 0\nQueen 0 1\n")
    assert main([path, "King", "--with", str(cased), "--with", other, "--topn", "1"]) == 0
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "model.safetensors: king is taken for King, which is not in the vocabulary",
        "other.txt: king is taken for King, which is not in the vocabulary",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["king queen"], "character 6 begins 'queen', but must be + or -"),
        (["king", "-"], "'king -' ends where a word must follow"),
        (["king", "+", "nobody"], "the word 'nobody' is not in the vocabulary"),
        (["--topn", "0", "king"], "--topn is 0, but must be a whole number of 1 or more"),
        (["--topn=-3", "king"], "--topn is -3"),
        (["-man + king"], "the word '-man' is not in the vocabulary"),
        (["--", "-king"], "the word '-king' is not in the vocabulary; did you mean king?"),
        (["king - king"], "the query adds up to zero, which has no direction"),
        (["king", "+", "man", "-", "king", "-", "man"], "the query adds up to zero"),
        ([""], "the query is empty; give a word"),
        ([" \t"], "the query is empty; give a word"),
        (["", "-", "king"], "a word of the sum is empty; write it out"),
        (["king", "-", " "], "a word of the sum is empty"),
    ],
)
def test_queries_without_an_answer(ask, arguments, message):
    code, answers, err = ask(*arguments)
    assert (code, answers) == (1, [])
    assert err.startswith("cbow-nearest: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["m", "king", "--topn", "x"], ["m", "--embedding", "men"], ["m", "--what"]]
)
def test_wrong_usage(capsys, arguments):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: cbow-nearest")


def test_only_the_model_is_required(capsys):
    main([])
    assert capsys.readouterr().err.endswith("arguments are required: MODEL\n")


def test_help(capsys):
    assert main(["--help"]) == 0
    assert "king - man + woman" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", b"not a model, only text\n" * 9])
def test_files_that_are_no_models(tmp_path, capsys, content):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path), "king"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cbow-nearest: error: ")
    assert err.count("\n") == 1


def test_lines_from_a_pipe(ask, path, monkeypatch):
    feed(monkeypatch, b"king\n\n  king - man + woman \r\nnobody\nqueen +\nqueen")
    code, answers, err = ask()
    assert code == 1
    assert [each["query"] for each in answers] == ["king", "king - man + woman", "queen"]
    assert "'nobody' is not in" in err
    assert "'queen +' ends where" in err
    assert err.count("\n") == 2


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_as_other_systems_write_them(ask, monkeypatch, end):
    feed(monkeypatch, b"\xef\xbb\xbf" + end.join([b"king", b"", b"king - man + woman", b"queen"]))
    code, answers, err = ask()
    assert (code, err) == (0, "")
    assert [each["query"] for each in answers] == ["king", "king - man + woman", "queen"]


def test_lines_are_utf8_whatever_the_locale(ask, monkeypatch):
    content = "café\nking\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "cp1252"))
    code, answers, err = ask()
    assert (code, [each["query"] for each in answers]) == (1, ["king"])
    assert "the word 'café' is not in" in err


@pytest.mark.slow
def test_an_endless_line_ends_the_command(ask, monkeypatch):
    feed(monkeypatch, b"king\n" + b"x" * (2**16 - 1) + b"\n" + b"x" * (2**16 + 1) + b"\nqueen\n")
    code, answers, err = ask()
    assert (code, [each["query"] for each in answers]) == (1, ["king"])
    assert len(err.splitlines()[0]) < 500
    assert err.splitlines()[1] == (
        "cbow-nearest: error: the standard input, line 3 is longer than 65,536 characters, but "
        "should hold a few words; give a text of short lines"
    )


def test_an_empty_argument_is_told_and_the_next_goes_on(ask):
    code, answers, err = ask("", "queen")
    assert (code, [each["query"] for each in answers]) == (1, ["queen"])
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("json_flag", [[], ["--json"]])
def test_results_that_nobody_can_see_are_an_error(path, json_flag):
    def close():
        os.close(1)

    with start(path, "king", *json_flag, preexec_fn=close) as process:
        out, err = process.communicate()
    assert (out, process.returncode) == (b"", 1)
    assert err == (
        b"cbow-nearest: error: the standard output is closed; "
        b"open it, or send it to a file or a pipe\n"
    )


def test_a_pipe_without_a_mistake(ask, monkeypatch):
    feed(monkeypatch, b"king\n")
    assert ask()[0] == 0
    feed(monkeypatch, b"")
    assert ask() == (0, [], "")
    monkeypatch.setattr(sys, "stdin", None)
    assert ask() == (0, [], "")
    monkeypatch.setattr(sys, "stdin", io.StringIO("king"))
    assert len(ask()[1]) == 1


def test_bytes_that_are_no_text(ask, monkeypatch):
    feed(monkeypatch, b"\xff\xfe\nking\n")
    code, answers, err = ask()
    assert code == 1
    assert [each["query"] for each in answers] == ["king"]
    assert r"the query '\udcff\udcfe' is not UTF-8 at its byte 1; give text in UTF-8" in err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_queries_in_utf_16(ask, monkeypatch, encoding, end):
    text = f"king{end}queen{end}"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    feed(monkeypatch, (mark + text).encode(encoding))
    code, answers, err = ask()
    assert (code, answers) == (1, [])
    assert err.count("\n") == 1
    assert "the standard input is UTF-16; give UTF-8, converted with iconv -f UTF-16" in err


def test_a_word_of_the_command_line_that_is_no_text(ask):
    code, _, err = ask("caf\udce9")
    assert code == 1
    assert r"the query 'caf\udce9' is not UTF-8 at its byte 4" in err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def typed(monkeypatch, lines):
    """Let `input` give these lines, then Ctrl-D or what is raised."""
    prompts = []
    waiting = iter(lines)

    def read(prompt=""):
        prompts.append(prompt)
        line = next(waiting, EOFError())
        if isinstance(line, BaseException):
            raise line
        return line

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", read)
    return prompts


def test_a_session_at_a_terminal(ask, monkeypatch):
    prompts = typed(monkeypatch, ["king", "nobody", "", "king - man"])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, answers, err = ask()
    assert code == 0  # mistakes while typing are no failure of the session
    assert [each["query"] for each in answers] == ["king", "king - man"]
    assert prompts == ["> "] * 5
    assert "nobody" in err


def test_the_prompt_never_gets_into_the_results(ask, monkeypatch):
    prompts = typed(monkeypatch, ["king"])
    code, answers, err = ask()
    assert (code, len(answers)) == (0, 1)
    assert prompts == ["", ""]
    assert err == "> > \n"


def test_without_readline(ask, monkeypatch):
    typed(monkeypatch, ["king"])
    monkeypatch.setitem(sys.modules, "readline", None)
    assert ask()[0] == 0


def test_ctrl_c(path, capsys, monkeypatch):
    typed(monkeypatch, ["king", KeyboardInterrupt()])
    assert main([path]) == 130
    assert capsys.readouterr().err.endswith("cbow-nearest: error: interrupted\n")


def start(*arguments, **more):
    code = "import sys; from cbow.cli.nearest import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        **more,
    )


@pytest.mark.slow
def test_a_true_terminal(path):
    ours, theirs = pty.openpty()
    process = start(path, "--json", stdin=theirs)
    os.close(theirs)
    os.write(ours, b"king\n\x04")
    out, err = process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["query"] == "king"
    assert err == b"> > \n"


@pytest.mark.slow
def test_each_answer_comes_at_once(path):
    """A program at the other end of two pipes can ask, wait and ask again."""
    with start(path, "--json", stdin=subprocess.PIPE) as process:
        for query in ("king", "queen"):
            process.stdin.write(query.encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["query"] == query
        process.stdin.close()
    assert process.returncode == 0


@pytest.mark.slow
def test_a_reader_that_stops_early(path):
    with start(path, *["king"] * 5000) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_it_agrees_with_the_library(ask, path):
    _, [found], _ = ask("king")
    pairs = [(each["word"], each["cosine"]) for each in found["neighbours"]]
    assert pairs == load(path).vectors.most_similar("king")
