"""``cbow-convert``: what is read, written, told and refused."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from format_files import GOLDEN, WORDS, check, matrix_of

import cbow
from cbow.cli import convert
from cbow.cli.convert import main
from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS
from cbow.system import safetensors_file
from cbow.vectors import formats

MATRIX = matrix_of(len(WORDS))
COUNTS = np.arange(len(WORDS), 0, -1)

#: Every format and an ending for it; --to where none says it.
OUTPUTS = {
    "word2vec-text": ["a.txt"],
    "word2vec-binary": ["a.bin"],
    "fasttext": ["a.vec"],
    "fasttext-bin": ["a.ftbin", "--to", "fasttext-bin"],
    "glove": ["a.glove", "--to", "glove"],
    "projector": ["a.tsv"],
    "npz": ["a.npz"],
    "safetensors": ["a.safetensors"],
    "model2vec": ["a/"],
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Work in an empty folder with one file of vectors."""
    monkeypatch.chdir(tmp_path)
    formats.write("in.safetensors", WORDS, MATRIX, COUNTS)


@pytest.fixture
def model():
    """Train a little model, saved as model.safetensors."""
    model = cbow.train([["old", "king"], ["old", "queen"]] * 40, dimension=4, epochs=1, sample=0)
    model.save("model.safetensors")
    return model


@pytest.fixture
def run(capsys):
    """Run the command; give its exit code, what it printed as JSON, and what it told."""

    def ask(*arguments):
        code = main(list(arguments))
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return ask


def test_the_formats_are_all_there():
    assert list(convert.FORMATS) == list(OUTPUTS)
    assert {*convert.FORMATS, "model"} == set(formats.FORMATS)
    assert all(f"\n  {name} " in convert.EXAMPLES for name in convert.FORMATS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_to_every_format_and_back(run, name):
    output = OUTPUTS[name]
    code, printed, told = run("in.safetensors", *output)
    assert (code, printed) == (0, None)
    assert told.startswith("read in.safetensors (safetensors; 9 words, 3 dimensions)\n")
    written = "a.tsv and a_metadata.tsv" if name == "projector" else output[0].rstrip("/")
    assert told.endswith(f"wrote {written} ({name}; 9 words, 3 dimensions)\n")
    assert ("note: the counts are left out" in told) is not formats.FORMATS[name].counts
    check(formats.read(output[0]), WORDS, MATRIX, COUNTS if formats.FORMATS[name].counts else None)
    code, _, _ = run(output[0], "back.npz")
    assert code == 0
    check(formats.read("back.npz"), WORDS, MATRIX, COUNTS if formats.FORMATS[name].counts else None)


def test_json(run):
    code, printed, told = run("in.safetensors", "a.txt", "--json", "--limit", "4")
    assert code == 0
    account = printed["read"].pop("account")
    assert account["rows"] == 9
    assert printed == {
        "read": {"path": "in.safetensors", "format": "safetensors", "words": 9, "dimension": 3},
        "written": {"path": "a.txt", "format": "word2vec-text", "words": 4, "dimension": 3},
        "notes": ["the counts are left out: word2vec text has no place for them"],
    }
    assert "note: the counts are left out" in told


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_a_model(run, model, kind):
    code, printed, told = run("model.safetensors", "a.npz", "--embedding", kind, "--json")
    assert code == 0
    assert printed["read"]["format"] == "model"
    assert "read model.safetensors (model; 3 words, 4 dimensions)" in told
    expected = model.embedding(kind)
    check(formats.read("a.npz"), list(expected), expected.matrix, expected.counts.tolist())


@pytest.mark.parametrize("limit", [1, 4, 9, 1000])
def test_the_first_words(run, limit):
    assert run("in.safetensors", "a.npz", "--limit", str(limit))[0] == 0
    check(formats.read("a.npz"), WORDS[:limit], MATRIX[:limit], COUNTS[:limit])


def test_the_first_words_without_counts(run):
    formats.write("a.txt", WORDS, MATRIX)
    assert run("a.txt", "a.npz", "--limit", "2")[0] == 0
    check(formats.read("a.npz"), WORDS[:2], MATRIX[:2])


def test_what_was_read_is_told(run):
    Path("a.txt").write_bytes(b"4 2\na 1 2\nb 3 4\na 5 6\nnew york 7 8\n")
    code, printed, told = run("a.txt", "a.npz", "--json")
    assert code == 0
    assert printed["read"]["words"] == 3
    assert printed["read"]["account"]["duplicates"] == 1
    assert printed["read"]["account"]["spaced"] == 1
    assert "note: 1 of 4 rows repeat a word; the first of each is kept\n" in told
    assert printed["notes"] == [line[6:] for line in told.splitlines() if line[:5] == "note:"]


def test_rounding_is_told(run):
    formats.write("double.npz", WORDS, matrix_of(len(WORDS), dtype=np.float64))
    code, _, told = run("double.npz", "a.bin")
    assert code == 0
    assert "note: the numbers are rounded from float64 to float32" in told


def test_bad_bytes(run):
    source = str(GOLDEN / "word2vec_c_cut.bin")
    code, _, told = run(source, "a.npz")
    assert code == 1
    assert "row 6: the word" in told
    code, _, told = run(source, "a.npz", "--errors", "replace")
    assert code == 0
    assert "note: 1 of 7 words are not UTF-8" in told


def test_a_format_may_be_given(run):
    Path("a").write_bytes(b"1 2\n3 4\n")  # GloVe's rows of the words 1 and 3, or a header
    assert run("a", "b.npz")[0] == 1
    assert run("a", "b.npz", "--from", "glove")[0] == 0
    check(formats.read("b.npz"), ["1", "3"], np.array([[2], [4]], np.float32))


def test_the_kind_of_vectors_says_nothing_of_other_files(run):
    other = next(kind for kind in EMBEDDINGS if kind != DEFAULT_EMBEDDING)
    code, _, told = run("in.safetensors", "a.npz", "--embedding", other)
    assert code == 0
    assert f"note: in.safetensors holds only one kind of vectors, so --embedding {other}" in told


def test_an_old_file_is_replaced(run):
    Path("a.txt").write_text("old")
    assert run("in.safetensors", "a.txt")[0] == 0
    check(formats.read("a.txt"), WORDS, MATRIX)


REFUSED = {
    "missing": (["none", "a.txt"], "none cannot be opened (No such file or directory)"),
    "empty name": (["", "a.txt"], "IN is '', but must be the name of a file"),
    "standard input": (["-", "a.txt"], "IN is '-', but must be the name of a file"),
    "no output": (["in.safetensors", ""], "OUT is ''; give the name of a file to write"),
    "standard output": (["in.safetensors", "-"], "OUT is '-'; give the name of a file to write"),
    "no ending": (["in.safetensors", "a"], "the name a does not say what format to write"),
    "no folder": (["in.safetensors", "no/a.txt"], "the folder no does not exist; create it"),
    "deep folder": (["in.safetensors", "no/a/"], "the folder "),
    "a folder for a file": (["in.safetensors", ".", "--to", "npz"], ". is a folder; give the name"),
    "a folder for a pair": (
        ["in.safetensors", ".", "--to", "projector"],
        ". is a folder; give the",
    ),
    "a pair of folders": ([".", "a.txt", "--from", "projector"], ". is not a regular file; give"),
    "a file for a folder": (["in.safetensors", "other", "--to", "model2vec"], "is not a folder"),
    "other things": (["in.safetensors", "."], "the folder . holds in.safetensors, which would be"),
    "itself": (["in.safetensors", "./in.safetensors"], "would be written over in.safetensors, whi"),
    "limit 0": (
        ["in.safetensors", "a.txt", "--limit", "0"],
        "--limit is 0, but must be a whole nu",
    ),
    "limit -1": (["in.safetensors", "a.txt", "--limit", "-1"], "--limit is -1, but must be"),
    "prose": (["other", "a.txt"], "other is in no format that cbow reads"),
    "another format": (["in.safetensors", "a.txt", "--from", "npz"], "is not a usable .npz file"),
    "not vectors": (["other", "a.txt", "--from", "safetensors"], "other is not a usable model"),
    "awkward words": (["spaced.npz", "a.bin"], "the word 'new york' holds a space or a line feed"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(run, kind):
    arguments, expected = REFUSED[kind]
    Path("other").write_text("once upon a time\n")
    formats.write("spaced.npz", ["new york"], MATRIX[:1])
    before = {path: path.read_bytes() for path in Path().iterdir()}
    code, printed, told = run(*arguments)
    assert (code, printed) == (1, None)
    assert expected in told
    [complaint] = [line for line in told.splitlines() if not line.startswith("read ")]
    assert complaint.startswith("cbow-convert: error: ")
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    "kind", ["no folder", "deep folder", "a folder for a file", "other things"]
)
def test_what_cannot_be_written_is_told_before_anything_is_read(run, kind):
    assert "read " not in run(*REFUSED[kind][0])[2]


def test_what_is_read_with_a_file_is_not_written_over(run):
    formats.write("a.tsv", WORDS, MATRIX)
    for output in ("a_metadata.tsv", "a.tsv"):
        code, _, told = run("a.tsv", output)
        assert code == 1
        assert f"{output} would be written over {output}, which is read" in told
    formats.write("b_metadata.tsv", WORDS, MATRIX, format="npz")
    code, _, told = run("b_metadata.tsv", "b.tsv")
    assert "b_metadata.tsv would be written over b_metadata.tsv, which is read" in told
    formats.write("folder/", WORDS, MATRIX)
    for output in ("folder/", "folder/model.safetensors"):
        code, _, told = run("folder", output)
        assert code == 1
        assert "which is read; give the output another name" in told
    Path("single").mkdir()
    formats.write("single/model.safetensors", WORDS, MATRIX)
    code, _, told = run("single/model.safetensors", "single/")
    assert code == 1
    assert "which is read; give the output another name" in told


@pytest.mark.parametrize(
    "arguments",
    [[], ["a"], ["a", "b", "c"], ["a", "b", "--to", "word2vec"], ["a", "b", "--errors", "ignore"],
     ["a", "b", "--limit", "x"], ["a", "b", "--embedding", "men"]],
)  # fmt: skip
def test_wrong_usage(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: cbow-convert")


def test_help(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cbow.vectors.formats")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["--help"]) == 0
    assert "cbow-convert corpus.safetensors corpus.txt" in capsys.readouterr().out
    assert "cbow.vectors.formats" not in sys.modules  # so that it comes at once


# -- --check -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["in.safetensors", "model.safetensors"])
def test_checksums_that_are_right(run, model, capsys, name):
    code, found, err = run("--check", name, "--json")
    assert (code, err, set(found["checksums"].values())) == (0, "", {True})
    assert set(found["checksums"]) == {*safetensors_file.read(name).tensors, "metadata"}
    assert main([name, "--check"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["part", *found["checksums"]]
    assert {row[-1] for row in rows[1:]} == {"right"}


@pytest.mark.parametrize("name", ["in.safetensors", "model.safetensors"])
def test_a_bit_of_any_array_is_noticed(run, model, name, capsys):
    content = Path(name).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    for part, entry in header.items():
        if part == "__metadata__":
            continue
        damaged = bytearray(content)
        damaged[start + entry["data_offsets"][1] - 1] ^= 4
        Path(name).write_bytes(damaged)
        code, found, err = run("--check", name, "--json")
        assert code == 1
        assert [each for each, right in found["checksums"].items() if not right] == [part]
        assert f"{name} was changed after it was written: the checksum of '{part}' diff" in err
        assert main(["--check", name]) == 1
        assert "WRONG\n" in capsys.readouterr().out


def test_changed_metadata_are_noticed(run, model):
    content = Path("model.safetensors").read_bytes()
    Path("model.safetensors").write_bytes(content.replace(b"format_version", b"format_Version"))
    code, found, _ = run("--check", "model.safetensors", "--json")
    assert code == 1
    assert [name for name, right in found["checksums"].items() if not right] == ["metadata"]


def test_files_without_checksums_are_read_to_their_end_and_told(run):
    for path, why in [
        (GOLDEN / "cbow.safetensors", "an early cbow or another program wrote it"),
        (GOLDEN / "model_1.safetensors", "an early cbow or another program wrote it"),
        (GOLDEN / "gensim.bin", "word2vec-binary has none"),
        (GOLDEN / "model2vec", "model2vec has none"),
    ]:
        code, found, err = run("--check", str(path), "--json")
        assert (code, found["checksums"]) == (0, None)
        words = len(cbow.load_vectors(path)) if path.name != "model2vec" else 7
        assert (
            f"{path} has no checksums, because {why}; it was read to its end: {words} words" in err
        )
    words = (GOLDEN / "gensim.txt").read_bytes()
    Path("cut.txt").write_bytes(words[: len(words) // 2])
    assert run("--check", "cut.txt")[0] == 1


def test_a_check_writes_nothing(run, capsys):
    code, _, err = run("in.safetensors", "out.txt", "--check")
    assert code == 1
    assert "--check writes nothing, but OUT is 'out.txt'; leave out one of them" in err
    assert not Path("out.txt").exists()
    assert main(["in.safetensors"]) == 2
    assert "the following arguments are required: OUT" in capsys.readouterr().err
