"""``cbow-explore``: where the page goes, what is told, what is refused."""

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import warnings
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from bad_places import full_disk

from cbow.cli import explore as cli
from cbow.cli.explore import main
from cbow.config import Config
from cbow.errors import VectorsWarning
from cbow.explore import Choices, page, page_data
from cbow.explore.layout import METHODS
from cbow.model import Model, load_vectors
from cbow.network import Parameters
from cbow.text import Vocabulary

WORDS = [f"word{i}" for i in range(30)]


def write_model(path, words=WORDS, seed=1, change=lambda matrix: matrix):
    rng = np.random.default_rng(seed)
    V, N = len(words), 4
    shapes = {"W1": (N, V), "b1": (N, 1), "W2": (V, N), "b2": (V, 1)}
    parameters = Parameters(*(change(rng.standard_normal(size)) for size in shapes.values()))
    Model(Config(dimension=N), Vocabulary(words, range(2 * V, V, -1)), parameters).save(path)


@pytest.fixture
def answer(tmp_path, monkeypatch, capsysbinary):
    """Run the command in a folder with two models; give its exit code, output and complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # as if none was installed
    write_model("m.safetensors")
    write_model("other.safetensors", seed=2)

    def run(*arguments):
        code = main(list(arguments))
        out, err = capsysbinary.readouterr()
        return code, out, err.decode()

    return run


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was asked to open."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


def expected(*names, limit=50_000, most=10_000, embedding="joint"):
    choices = Choices(limit, most, "auto", 1)
    models = [(Path(name).stem, load_vectors(name, embedding)) for name in names]
    return page(page_data(models, choices)).encode()


def data(content):
    found = re.search(rb'<script type="application/json" id="data">(.*?)</script>', content, re.S)
    return json.loads(found[1])


def test_a_page_beside_the_model(answer):
    code, out, err = answer("m.safetensors")
    assert (code, out) == (0, b"")
    assert Path("m.html").read_bytes() == expected("m.safetensors")
    told, wrote = err.splitlines()
    assert re.fullmatch(
        r"m: all 30 words; 30 on the map, by PCA \(it shows \d+ % of the variance; chosen because "
        r"30 words are few\)",
        told,
    )
    assert wrote == "wrote m.html (0.1 MB); open it in a browser"


def test_two_models(answer):
    code, _, err = answer("m.safetensors", "other.safetensors")
    assert code == 0
    assert Path("m-other.html").read_bytes() == expected("m.safetensors", "other.safetensors")
    assert [line.partition(":")[0] for line in err.splitlines()[:2]] == ["m", "other"]


def test_it_is_written_beside_the_model_wherever_that_is(answer, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert answer("../m.safetensors")[0] == 0
    assert Path("../m.html").exists()
    assert os.listdir() == []


def test_a_name(answer):
    assert answer("m.safetensors", "-o", "x.htm")[0] == 0
    assert Path("x.htm").read_bytes() == expected("m.safetensors")
    assert not Path("m.html").exists()


def test_standard_output(answer):
    code, out, err = answer("m.safetensors", "-o", "-")
    assert (code, out) == (0, expected("m.safetensors"))
    assert err.count("\n") == 1
    assert not Path("m.html").exists()


@pytest.mark.slow
def test_the_page_is_utf8_whatever_the_terminal_is(answer):
    write_model("n.safetensors", [f"naïve{i} 王" for i in range(5)])
    done = start("n.safetensors", "-o", "-", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout == expected("n.safetensors")


def test_no_standard_output(answer, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    code, _, err = answer("m.safetensors", "-o", "-")
    assert code == 1
    assert "the standard output is closed; open it, or send it to a file" in err


@pytest.mark.parametrize("kind", ["input", "output", "mean"])
def test_embeddings(answer, kind):
    assert answer("m.safetensors", "--embedding", kind)[0] == 0
    assert Path("m.html").read_bytes() == expected("m.safetensors", embedding=kind)


def test_what_is_left_out_is_told(answer):
    code, _, err = answer("m.safetensors", "--limit", "20", "--map", "7")
    assert code == 0
    assert "m: the first 20 of 30 words, 10 left out (--limit); 7 on the map" in err
    assert Path("m.html").read_bytes() == expected("m.safetensors", limit=20, most=7)
    assert (
        "m: the first 5 of 30 words, 25 left out (--limit); 5 on the map"
        in answer("m.safetensors", "--limit", "5")[2]
    )


def test_what_a_reader_notes_is_told(answer, monkeypatch):
    def load(path, **how):
        warnings.warn("2 of 30 rows repeat a word", VectorsWarning, stacklevel=2)
        return load_vectors(path, **how)

    monkeypatch.setattr("cbow.model.load_vectors", load)
    code, _, err = answer("m.safetensors")
    assert code == 0
    assert err.startswith("note: 2 of 30 rows repeat a word\n")


def test_the_same_input_gives_the_same_bytes(answer):
    for name in ("one", "two"):
        answer("m.safetensors", "other.safetensors", "-o", name)
    assert Path("one").read_bytes() == Path("two").read_bytes()


@pytest.mark.slow
def test_tsne_is_announced_and_seeded(answer):
    pytest.importorskip("sklearn")
    write_model("many.safetensors", [f"w{i}" for i in range(100)])
    for name, seed in (("one", "5"), ("two", "5")):
        code, _, err = answer(
            "many.safetensors", "--layout", "tsne", "--seed", seed, "-o", name
        )  # fmt: skip
        assert code == 0
        assert err.startswith("laying out 100 words by t-SNE; this takes a while\n")
        assert "100 on the map, by t-SNE (near words are neighbours" in err
    assert Path("one").read_bytes() == Path("two").read_bytes()


def test_an_old_page_is_replaced(answer):
    answer("m.safetensors", "other.safetensors", "-o", "m.html")
    assert answer("m.safetensors")[0] == 0
    assert Path("m.html").read_bytes() == expected("m.safetensors")


def test_a_file_that_is_no_page_of_ours_is_spared_unless_it_is_named(answer):
    Path("m.html").write_text("<h1>my notes</h1>")
    code, _, err = answer("m.safetensors")
    assert code == 1
    assert "m.html exists and is no page of cbow-explore; give a name with -o" in err
    assert Path("m.html").read_text() == "<h1>my notes</h1>"
    assert answer("m.safetensors", "-o", "m.html")[0] == 0


REFUSED = {
    "no such file": (["none.safetensors"], "none.safetensors"),
    "no name of a model": ([""], "give"),
    "a folder of something else": (["."], "give"),
    "no such other": (["m.safetensors", "none.safetensors"], "none.safetensors"),
    "the model itself": (
        ["m.safetensors", "-o", "m.safetensors"],
        "would be written over m.safetensors, which is read",
    ),
    "the other itself": (
        ["m.safetensors", "other.safetensors", "-o", "./other.safetensors"],
        "would be written over other.safetensors, which is read; give",
    ),
    "no name": (["m.safetensors", "-o", ""], "-o is ''; give the name of a file to write"),
    "no folder": (["m.safetensors", "-o", "no/x.html"], "the folder no does not exist; create it"),
    "a folder": (["m.safetensors", "-o", "."], "is a folder; give the name of a file"),
    "stdout, opened": (["m.safetensors", "-o", "-", "--open"], "leave out -o or --open"),
    "limit": (["m.safetensors", "--limit", "0"], "limit is 0, but must be a whole number from 1"),
    "map": (["m.safetensors", "--map", "-1"], "map is -1, but must be a whole number from 1"),
    "seed": (["m.safetensors", "--seed", str(2**32)], "must be a whole number from 0 to 2^32 - 1"),
    "few": (["m.safetensors", "--layout", "tsne"], "t-SNE needs 100 words or more on the map, but"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(answer, case):
    arguments, sentence = REFUSED[case]
    before = sorted(os.listdir())
    code, out, err = answer(*arguments)
    assert (code, out) == (1, b"")
    assert err.startswith("cbow-explore: error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_a_model_whose_training_went_wrong(answer):
    def broken(matrix):
        matrix[0, 0] = np.nan
        return matrix

    write_model("m.safetensors", change=broken)
    code, _, err = answer("m.safetensors", "--embedding", "output")
    assert code == 1
    assert "m holds numbers that are not finite" in err
    assert "train it again with a smaller learning rate" in err
    assert not Path("m.html").exists()


def test_a_library_that_is_missing(answer, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    write_model("many.safetensors", [f"w{i}" for i in range(100)])
    code, _, err = answer("many.safetensors", "--layout", "umap")
    assert code == 1
    assert "install it with: pip install umap-learn, or choose --layout pca" in err


def test_a_full_disk_leaves_the_old_page(answer, monkeypatch):
    answer("m.safetensors")
    before = Path("m.html").read_bytes()
    full_disk("elsewhere")(monkeypatch)
    code, _, err = answer("m.safetensors", "other.safetensors", "-o", "m.html")
    assert code == 1
    assert "the disk is full" in err
    assert Path("m.html").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["m", "n", "o"],
        ["m", "--layout", "som"],
        ["m", "--limit", "many"],
        ["m", "--serve"],
        ["m", "--what"],
    ],
)
def test_wrong_usage(answer, arguments):
    code, out, err = answer(*arguments)
    assert (code, out) == (2, b"")
    assert err.startswith("usage: cbow-explore")


def test_help_shows_every_default(answer):
    code, out, _ = answer("--help")
    text = " ".join(out.decode().split())
    assert code == 0
    for default in ("50000", "10000", "1", "auto", "joint"):
        assert f"(default: {default})" in text


def test_every_layout_can_be_chosen():
    assert set(cli.OPTIONS["layout"].choices) == {"auto", *METHODS}


def test_names_of_folders(tmp_path, monkeypatch):
    (tmp_path / "model" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "model")
    assert cli.default_page([Path()]) == Path("model.html")
    assert cli.default_page([Path("inner/..")]) == Path("inner/model.html")
    assert cli.display_names([Path()]) == ["model"]


def test_names():
    def paths(*names):
        return [Path(name) for name in names]

    assert cli.default_page(paths("a/glove.6B.100d.txt.gz")) == Path("a/glove.6B.100d.html")
    assert cli.default_page(paths("folder/")) == Path("folder.html")
    assert cli.default_page(paths("a/x.bin", "b/x.bin")) == Path("a/x-x.html")
    assert cli.display_names(paths("a/x.bin")) == ["x"]
    assert cli.display_names(paths("a/x.bin", "b/x.vec")) == ["x.bin", "x.vec"]
    assert cli.display_names(paths("a/x.bin", "b/x.bin")) == ["a/x.bin", "b/x.bin"]
    assert cli.display_names(paths("a/x.bin", "a/x.bin")) == ["a/x.bin", "a/x.bin"]


def test_the_page_is_opened_only_when_asked(answer, opened, tmp_path):
    assert answer("m.safetensors")[0] == 0
    assert opened == []
    code, _, err = answer("m.safetensors", "--open")
    [address] = opened
    assert (code, address) == (0, (tmp_path / "m.html").as_uri())
    assert err.endswith(f"opened {address}\n")


@pytest.mark.parametrize("error", [None, webbrowser.Error("no such browser"), OSError(2, "none")])
def test_without_a_browser_the_page_is_written_all_the_same(answer, monkeypatch, tmp_path, error):
    def fail(address):
        if error is not None:
            raise error
        return False

    monkeypatch.setattr(webbrowser, "open", fail)
    code, _, err = answer("m.safetensors", "--open")
    assert code == 0
    page = (tmp_path / "m.html").as_uri()
    assert err.endswith(f"note: no browser could be opened; open {page}\n")
    assert Path("m.html").read_bytes() == expected("m.safetensors")


CODE = "import sys; from cbow.cli.explore import main; sys.exit(main())"


def start(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_a_word2vec_file(answer):
    lines = [f"{len(WORDS)} 3"]
    rng = np.random.default_rng(1)
    lines += [f"{word} {' '.join(f'{x:.3f}' for x in rng.standard_normal(3))}" for word in WORDS]
    Path("vectors.txt").write_text("\n".join(lines) + "\n")
    assert answer("vectors.txt")[0] == 0
    [model] = data(Path("vectors.html").read_bytes())["models"]
    assert (model["words"], model["dimension"], model["counts"]) == (WORDS, 3, None)


def test_a_page_where_nobody_reads_the_errors(answer, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO()))
    sys.stderr.close()
    assert main(["m.safetensors"]) == 0
    assert Path("m.html").exists()
