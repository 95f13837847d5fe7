"""`load_vectors`: models and files of vectors, by their content."""

import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from format_files import GOLDEN, WORDS, matrix_of

import cbow
from cbow.cli import convert, evaluate, explore, nearest, plot
from cbow.config import DEFAULT_EMBEDDING, EMBEDDINGS
from cbow.errors import ConfigError, ModelFileError, OutputWarning, VectorsWarning
from cbow.vectors import WordVectors, formats

MATRIX = matrix_of(len(WORDS))
COUNTS = np.arange(len(WORDS), 0, -1)


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name != "model"])
def test_every_format(tmp_path, name):
    path = tmp_path / "some"
    formats.write(path, WORDS, MATRIX, COUNTS, name)
    with warnings.catch_warnings():
        # Its row for unknown words is left out, which is told.
        warnings.simplefilter("ignore" if name == "model2vec" else "error", VectorsWarning)
        vectors = cbow.load_vectors(str(path))
    assert isinstance(vectors, WordVectors)
    assert list(vectors) == WORDS
    assert vectors.matrix.tobytes() == MATRIX.tobytes()
    assert vectors["king"].tolist() == MATRIX[1].tolist()
    if formats.FORMATS[name].counts:
        assert vectors.counts.tolist() == COUNTS.tolist()
    else:
        assert vectors.counts is None


def test_what_is_saved_is_loaded(tmp_path):
    vectors = WordVectors(WORDS, MATRIX, COUNTS)
    vectors.save(tmp_path / "a.safetensors")
    vectors.save(tmp_path / "b", "safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = cbow.load_vectors(tmp_path / "b")
    loaded.save(tmp_path / "c.npz")
    again = cbow.load_vectors(tmp_path / "c.npz")
    assert list(again) == WORDS
    assert again.counts.tolist() == COUNTS.tolist()


def test_a_model(tmp_path):
    model = cbow.train([["old", "king"], ["old", "queen"]] * 40, dimension=4, epochs=1, sample=0)
    model.save(tmp_path / "model.bin")  # its name says nothing
    for kind in EMBEDDINGS:
        vectors = cbow.load_vectors(tmp_path / "model.bin", kind)
        np.testing.assert_array_equal(vectors.matrix, model.embedding(kind).matrix)


def test_what_is_not_as_it_stood_is_told():
    path = GOLDEN / "word2vec_c_cut.bin"
    with pytest.raises(ModelFileError, match="row 6: the word"):
        cbow.load_vectors(path)
    with pytest.warns(VectorsWarning, match="1 of 7 words are not UTF-8; U.FFFD stands") as told:
        vectors = cbow.load_vectors(path, errors="replace")
    assert len(vectors) == 7
    assert [str(each.message).startswith(f"{path}: ") for each in told] == [True]
    assert told[0].filename == __file__  # it points to the line that asked


def test_the_kind_of_vectors_says_nothing_of_other_files(tmp_path):
    formats.write(tmp_path / "a.txt", WORDS, MATRIX)
    other = next(kind for kind in EMBEDDINGS if kind != DEFAULT_EMBEDDING)
    with pytest.warns(VectorsWarning, match=f"one kind of vectors in it, so embedding='{other}'"):
        vectors = cbow.load_vectors(tmp_path / "a.txt", other)
    assert list(vectors) == WORDS
    with pytest.raises(ConfigError, match="embedding is 'men', but must be one of"):
        cbow.load_vectors(tmp_path / "a.txt", "men")


def test_no_such_treatment_of_errors(tmp_path):
    formats.write(tmp_path / "a.txt", WORDS, MATRIX)
    with pytest.raises(ConfigError, match="errors is 'ignore', but must be one of strict, replace"):
        cbow.load_vectors(tmp_path / "a.txt", errors="ignore")


def test_files_that_are_none(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be opened"):
        cbow.load_vectors(tmp_path / "none")
    (tmp_path / "prose").write_text("once upon a time\n")
    with pytest.raises(ModelFileError, match="is in no format that cbow reads"):
        cbow.load_vectors(tmp_path / "prose")


@pytest.mark.parametrize("name", ["word2vec-binary", "npz", "safetensors", "word2vec-text"])
def test_loading_is_light(tmp_path, name):
    formats.write(tmp_path / "a", WORDS, MATRIX, format=name)
    code = f"import cbow, sys; cbow.load_vectors({str(tmp_path / 'a')!r})['king']; "
    code += (
        "print(*({'numba', 'scipy', 'nltk', 'matplotlib', 'tqdm', 'gensim'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


KILLED = """
import os, sys
import numpy as np
from cbow import WordVectors
left, replace = int(sys.argv[2]), os.replace
def killed(one, other):
    global left
    left -= 1
    if not left:
        os._exit(9)
    replace(one, other)
os.replace = killed
WordVectors(["new", "word"], np.ones((2, 3), np.float32)).save(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v.tsv", "v/"])
@pytest.mark.parametrize("how", ["load", "command"])
def test_vectors_whose_writer_was_killed_are_the_old_or_the_new(tmp_path, name, how):
    """Between any two renamings; opening them sees to what is left to do."""
    old = WordVectors(["old"], np.zeros((1, 2), np.float32) + 1)
    path, seen = f"{tmp_path}/place/{name}", []
    for number in range(1, 10):
        shutil.rmtree(tmp_path / "place", ignore_errors=True)
        (tmp_path / "place").mkdir()
        old.save(path)
        command = [sys.executable, "-c", KILLED, path, str(number)]
        ended = subprocess.run(command, check=False).returncode
        if how == "command":
            assert convert.main([path, str(tmp_path / "v.npz")]) == 0
            vectors = cbow.load_vectors(tmp_path / "v.npz")
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OutputWarning)
                vectors = cbow.load_vectors(path)
        assert (list(vectors), vectors.matrix.shape) in (
            (["old"], (1, 2)),
            (["new", "word"], (2, 3)),
        )
        seen.append(next(iter(vectors)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OutputWarning)
            old.save(path)
        assert list(cbow.load_vectors(path)) == ["old"]
        assert not list((tmp_path / "place").glob(".cbow-*"))
        if ended == 0:
            break
    assert ended == 0
    assert seen == sorted(
        seen, key=["old", "new"].index
    )  # the old, and from some renaming on the new
    assert set(seen) == {"old", "new"}


ADDRESS = "https://example.org/a/x.txt?v=1&w=2"


@pytest.mark.parametrize("open_it", [cbow.load, cbow.load_vectors, formats.read, cbow.resume])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        (ADDRESS, f"^{re.escape(ADDRESS)} is an address; .*: curl -LO '{re.escape(ADDRESS)}'$"),
        (
            "s3://bucket/x.txt",
            "^s3://bucket/x.txt is an address; fetch it first, .* file$",
        ),
        ("hf:/x", "^hf://x is an address; fetch it first"),
        ("", "the name of the file is empty; give that of a file to read"),
        (None, "None is a NoneType, but must be the name of a file"),
        (b"x.txt", "b'x.txt' is a bytes, but must be the name of a file"),
        (5, "5 is a int, but must"),
        ("c:/none.txt", "cannot be opened .*; check its name and permissions"),
    ],
)
def test_what_is_no_name_of_a_file(tmp_path, monkeypatch, open_it, name, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match=says):
        open_it(name)


def test_a_file_whose_name_looks_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:" / "host").mkdir(parents=True)
    formats.write("http:/host/x.vec", WORDS, MATRIX)
    assert len(cbow.load_vectors("http://host/x.vec")) == len(WORDS)


@pytest.mark.parametrize(
    "command",
    [
        (nearest.main, ADDRESS, "king"),
        (plot.main, "words", ADDRESS, "-o", "x.png"),
        (plot.main, "loss", ADDRESS, "-o", "x.png"),
        (explore.main, ADDRESS, "-o", "x.html"),
        (convert.main, ADDRESS, "x.txt"),
        (evaluate.main, ADDRESS, "--pairs", "pairs.txt"),
        (evaluate.main, GOLDEN / "model_1.safetensors", "--pairs", ADDRESS),
    ],
)
def test_commands_know_an_address(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.txt").write_text("a b 1\nb c 2\n")
    main, *arguments = command
    assert main(list(map(str, arguments))) == 1
    assert "is an address; fetch it first" in capsys.readouterr().err
