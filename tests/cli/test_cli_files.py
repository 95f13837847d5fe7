"""No command writes over a file that it reads; and where a model goes when its place fails."""

import contextlib
import errno
import itertools
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import cbow
from cbow.cli import convert, explain, explore, nearest, plot, train
from cbow.errors import OutputError
from cbow.system import files
from cbow.vectors.word_vectors import WordVectors

TEXT = "the king rules the land\nthe queen rules the land\n" * 20
PAIRS = "king queen 0.9\nland rules 0.1\n"
COMMANDS = {
    "cbow-train": train.main,
    "cbow-convert": convert.main,
    "cbow-explain": explain.main,
    "cbow-explore": explore.main,
    "cbow-plot": plot.main,
}
SMALL = "--dimension 4 --epochs 2 --sample 0 --min-count 1 --quiet"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One of each kind of file that a command reads."""
    place = tmp_path_factory.mktemp("made")
    (place / "text").write_text(TEXT)
    (place / "pairs").write_text(PAIRS)
    settings = {"dimension": 4, "epochs": 2, "sample": 0, "min_count": 1}
    every = {"checkpoint": place / "checkpoint", "checkpoint_every": 0}
    model = cbow.train(place / "text", **settings, **every)
    model.save(place / "model")
    model.vectors.save(place / "numbers.tsv")
    model.vectors.save(place / "folder", "model2vec")
    code = train.main(shlex.split(f"{place}/text {SMALL} -o {place}/x --log-json {place}/log"))
    assert code == 0
    return place


#: Each command with a file that it reads and one that it writes, the kind of what is read, and how
#: the name of what is written has to end.
TABLE = {
    "corpus, output": ("cbow-train {read} -o {write}", "text", ""),
    "corpus, log": ("cbow-train {read} -o out --log-json {write}", "text", ""),
    "corpus in a list, output": ("cbow-train other.txt {read} -o {write}", "text", ""),
    "corpus, checkpoint": ("cbow-train {read} -o a --checkpoint-every 9", "text", "a.checkpoint"),
    "pairs, output": ("cbow-train other.txt --evaluate {read} -o {write}", "pairs", ""),
    "pairs, log": ("cbow-train other.txt -o o --evaluate {read} --log-json {write}", "pairs", ""),
    "pairs, checkpoint": (
        "cbow-train other.txt -o a --evaluate {read} --checkpoint-every 9", "pairs", "a.checkpoint",
    ),
    "second pairs, log": (
        "cbow-train other.txt -o out --evaluate good --evaluate {read} --log-json {write}",
        "pairs", "",
    ),
    "model, log": (
        "cbow-train other.txt --resume {read} --epochs 1 -o out --log-json {write}", "model", "",
    ),
    "model, checkpoint": (
        "cbow-train other.txt --resume {read} --epochs 1 -o a --checkpoint-every 9",
        "model", "a.checkpoint",
    ),
    "checkpoint, log": (
        "cbow-train other.txt --resume {read} -o out --log-json {write}", "checkpoint", "",
    ),
    "checkpoint, output": ("cbow-train other.txt --resume {read} -o {write}", "checkpoint", ""),
    "vectors, converted": ("cbow-convert {read} {write} --to npz", "model", ""),
    "numbers, converted": ("cbow-convert {read} {write}", "numbers.tsv", ".tsv"),
    "numbers, to glove": ("cbow-convert {read} {write} --to glove", "numbers.tsv", ".tsv"),
    "text, page": ("cbow-explain --file {read} --html {write}", "pairs", ""),
    "first model, page": ("cbow-explore {read} -o {write}", "model", ""),
    "second model, page": ("cbow-explore model {read} -o {write}", "model", ""),
    "model, picture": ("cbow-plot words {read} the land king -o {write}", "model", ".png"),
    "model, loss": ("cbow-plot loss {read} -o {write}", "model", ".svg"),
    "log, loss": ("cbow-plot loss {read} -o {write}", "log", ".svg"),
}  # fmt: skip
WAYS = ["same", "dot", "symlink", "symlink read", "hard link", "linked folder", "absolute"]


@pytest.fixture
def here(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    Path("other.txt").write_text(TEXT)
    Path("good").write_text(PAIRS)
    Path("model").write_bytes((made / "model").read_bytes())
    return tmp_path


def contents():
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def refused(capsys, command):
    """Run a command that must refuse, in one sentence, and leave all files as they were."""
    before = contents()
    program, *arguments = shlex.split(command)
    assert COMMANDS[program](arguments) == 1, command
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    assert contents() == before
    return err


@pytest.mark.parametrize(("name", "way"), list(itertools.product(TABLE, WAYS)))
def test_what_is_read_is_not_written_over(here, made, capsys, name, way):
    command, kind, ending = TABLE[name]
    checkpoint = ending == "a.checkpoint"
    if checkpoint and way in ("dot", "linked folder", "absolute"):
        return  # the command names it
    file = ending if checkpoint else f"file{ending}"
    shutil.copy(made / kind, file)
    if kind == "numbers.tsv":
        shutil.copy(made / "numbers_metadata.tsv", "file_metadata.tsv")
    read = write = file
    if way == "dot":
        write = f"./{file}"
    elif way == "absolute":
        write = str(here / file)
    elif way == "linked folder":
        Path("folder").symlink_to(here)
        write = f"folder/{file}"
    elif way != "same":
        other = f"other-{file}" if not checkpoint else "other"
        shutil.copy(file, other)
        read, write = (other, file) if checkpoint or way == "symlink read" else (file, other)
        link, target = (write, read) if way != "symlink read" else (read, write)
        Path(link).unlink()
        getattr(Path(link), "hardlink_to" if way == "hard link" else "symlink_to")(target)
        if kind == "numbers.tsv":
            for each in Path().glob("*.tsv"):
                beside = each.with_name(f"{each.stem}_metadata.tsv")
                if "metadata" not in each.name and not beside.exists():
                    shutil.copy(made / "numbers_metadata.tsv", beside)
    err = refused(capsys, command.format(read=read, write=write))
    assert "written over" in err or (checkpoint and "is there from an earlier run" in err)


@pytest.mark.parametrize(
    "command",
    [
        # members of what is read under another name
        "cbow-train texts -o texts/b.txt",
        "cbow-train texts -o out --log-json texts/b.txt",
        "cbow-train 't*/*.txt' -o texts/b.txt",
        "cbow-train texts -o out --log-json link.jsonl",
        "cbow-train 'texts/**' -o out --log-json link.jsonl",
        "cbow-explain --file texts/b.txt --html link.jsonl",
        "cbow-explore numbers.tsv -o numbers_metadata.tsv",
        "cbow-explore folder -o folder/tokenizer.json",
        "cbow-explore model folder -o folder/model.safetensors",
        "cbow-plot words numbers.tsv -o numbers_metadata.png",
        "cbow-convert numbers.tsv numbers_metadata.tsv --to npz",
        "cbow-convert numbers.tsv numbers.tsv",
        "cbow-convert folder folder/",
        "cbow-convert folder folder/model.safetensors --to npz",
        # outputs over each other
        "cbow-train other.txt -o a --log-json a",
        "cbow-train other.txt -o a --log-json ./a",
        "cbow-train other.txt -o a --log-json here/a",
        "cbow-train other.txt -o a --log-json a.checkpoint --checkpoint-every 9",
    ],
)
def test_parts_of_what_is_read_are_not_written_over(here, made, capsys, command):
    Path("texts").mkdir()
    for name in "ab":
        (Path("texts") / f"{name}.txt").write_text(TEXT)
    Path("here").symlink_to(".")
    Path("link.jsonl").hardlink_to("texts/b.txt")
    shutil.copytree(made / "folder", "folder")
    for name in ("numbers.tsv", "numbers_metadata.tsv"):
        shutil.copy(made / name, name)
    Path("numbers_metadata.png").symlink_to("numbers_metadata.tsv")
    assert "written over" in refused(capsys, command)


@pytest.mark.parametrize(
    "command",
    [
        "cbow-train - -o {}",
        "cbow-train other.txt -o out --log-json {}",
        "cbow-explain - --html {}",
        "cbow-explore model -o {}",
    ],
)
@pytest.mark.parametrize("link", [False, True])
def test_the_file_behind_standard_input_is_not_written_over(
    here, monkeypatch, capsys, command, link
):
    Path("text").write_text(TEXT)
    Path("link").symlink_to("text")
    with open("text") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "written over" in refused(capsys, command.format("link" if link else "text"))


def test_a_model_may_be_replaced_by_itself_with_more_epochs(here):
    assert train.main(shlex.split(f"other.txt {SMALL} -o m.safetensors")) == 0
    more = "other.txt --resume m.safetensors --epochs 1 -o m.safetensors --quiet"
    assert train.main(shlex.split(more)) == 0
    assert len(cbow.load("m.safetensors").report["epochs"]) == 3


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v.bin", "v.txt", "v.vec", "v.npz", "v.TSV", "v.txt.gz", "m.gz"])
def test_a_model_is_not_named_after_another_format(here, capsys, name):
    err = refused(capsys, f"cbow-train other.txt -o {name}")
    assert f"-o is {name}, but a model is a .safetensors file" in err
    assert f": cbow-convert {name[0]}.safetensors {name}\n" in err


@pytest.mark.parametrize("name", ["m", "m.safetensors", "m.SafeTensors", "m.2026", "m.model"])
def test_other_names_are_taken(name):
    train.check_ending(Path(name))


@pytest.mark.parametrize(
    "command",
    [
        "cbow-train {read} --sample 0 --dimension 4 --epochs 1 -o {write} --log-json ~/log --quiet",
        "cbow-train other.txt --evaluate {pairs} --sample 0 --epochs 1 -o {write} --quiet",
        "cbow-train {read} --resume {model} --epochs 1 -o {write} --quiet",
        "cbow-convert {model} {write} --to npz",
        "cbow-convert {model} ~/vectors/ ",
        "cbow-explain --file {pairs} --html {write}",
        "cbow-explore {model} -o {write}",
        "cbow-plot words {model} the king land -o {write}.svg",
        "cbow-plot loss {model} -o {write}.svg",
    ],
)
def test_a_tilde_that_the_shell_leaves_is_the_home_folder(
    here, made, monkeypatch, tmp_path_factory, command
):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for kind in ("text", "pairs", "model"):
        shutil.copy(made / kind, home / kind)
    before, there = set(Path().rglob("*")), set(home.iterdir())
    names = {"read": "~/text", "pairs": "~/pairs", "model": "~/model", "write": "~/new"}
    program, *arguments = shlex.split(command.format(**names))
    assert COMMANDS[program](arguments) == 0
    assert set(Path().rglob("*")) == before
    assert set(home.iterdir()) > there


@pytest.mark.slow
def test_a_tilde_in_python(made, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "text.txt").write_text(TEXT)
    (home / "pairs").write_text(PAIRS)
    settings = {"dimension": 4, "epochs": 1, "sample": 0, "min_count": 1}
    every = {"checkpoint": "~/c", "checkpoint_every": 0}
    for corpus in ("~/text.txt", Path("~/text.txt"), ["~/text.txt"], "~/*.txt", ["~/*.txt"]):
        model = cbow.train(corpus, **settings, **every)
        assert model.report["account"]["read"] == 200
        assert cbow.resume("~/c").report["account"]["read"] == 200
    model.save("~/m.safetensors")
    assert len(cbow.load("~/m.safetensors").vocabulary) == 5
    for name in ("~/v.txt", "~/v.tsv", "~/v/"):
        model.vectors.save(name)
        assert len(cbow.load_vectors(name)) == 5
    cbow.evaluate(model.vectors, pairs="~/pairs")
    more = cbow.resume("~/m.safetensors", corpus="~/text.txt", epochs=1)
    assert len(more.report["epochs"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


# -- a place when the first fails --------------------------------------------------------------


def no_home(monkeypatch):
    """Take the home folder away, as a user without an entry has none."""

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_model_lands_in_the_first_place_that_there_is(tmp_path, monkeypatch, lost):
    places = [tmp_path / name for name in ("here", "temporary", "home")]
    for place in places[lost:]:
        place.mkdir()
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone" if lost else places[0])
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr("tempfile.tempdir", str(places[1]))
    monkeypatch.setenv("HOME", str(places[2]))
    trained = small_model()
    saved, trouble = train.save_somewhere(trained, tmp_path / "no" / "m.safetensors")
    assert (places[lost] / "m.safetensors").is_file()
    assert saved.name == "m.safetensors"
    assert "does not exist" in str(trouble)


def test_without_any_home_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    no_home(monkeypatch)
    saved, _ = train.save_somewhere(small_model(), Path("no", "m.safetensors"))
    assert saved == Path("m.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_when_all_places_fail_it_is_told(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    no_home(monkeypatch)

    def nowhere():
        raise FileNotFoundError("no usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    with pytest.raises(OutputError, match="does not exist"):
        train.save_somewhere(small_model(), tmp_path / "no" / "m.safetensors")


def small_model():
    """A stand-in that knows how to be saved."""

    class Saved:
        def save(self, path):
            WordVectors(["a", "b"], np.eye(2, dtype=np.float32)).save(path)

    return Saved()


def test_the_prompt_does_not_write_its_history_into_a_model(here, monkeypatch):
    seen = []

    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(nearest, "typed", lambda: iter(()))
    monkeypatch.setattr(nearest, "session", lambda *a: seen.append(a) or contextlib.nullcontext())
    assert nearest.main(["model", "--with", "./model"]) == 0
    assert seen[0][2] == ["model", "./model"]


# -- what is told of places --------------------------------------------------------------------


@pytest.mark.parametrize("quiet", ["", " --quiet"])
def test_what_killed_processes_left_is_told_in_a_line(here, capsys, quiet):
    Path(f".cbow-0123abcd-{files._MACHINE}89abcdef.tmp").write_bytes(bytes(1234))
    assert train.main(shlex.split(f"other.txt --sample 0 --epochs 1 -o m{quiet}")) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")]
    told = (
        "note: removed from the folder .: 1,234 bytes of temporary files that processes which were "
        "killed had left"
    )
    assert notes == ([] if quiet else [told])
    assert not list(Path().glob(".cbow-*"))


def test_a_drive_without_fsync_is_told_of_once(here, monkeypatch, capsys):
    def fsync(handle):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(files.os, "fsync", fsync)
    command = "other.txt --sample 0 --epochs 3 -o m --checkpoint-every 0 --log-json log"
    assert train.main(shlex.split(command)) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")]
    assert len(notes) == 1
    assert "cannot force a file onto the disk (Invalid argument)" in notes[0]
    assert len(cbow.load("m").vocabulary) == 5
