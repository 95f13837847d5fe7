"""``cbow-train --copy-to``: checkpoints and the model where they outlive the machine."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import cbow
from cbow.cli.progress import Complaints, Copies
from cbow.cli.train import main
from cbow.errors import OutputError
from cbow.text.remote import RemoteFolder
from cbow.training.sampled import trainer

fsspec = pytest.importorskip("fsspec")

RUN = (
    "corpus.txt --objective sampled --candidates 3 --block 16 --batch 48 --dimension 4 --epochs 2 "
    "--sample 0 --min-count 1 --window 2 --threads 1"
)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A file system in memory, while a corpus is in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainer, "STRETCH", 16)
    monkeypatch.setattr(trainer, "POOL", 1)
    words = np.random.default_rng(0).choice(["the", "king", "queen", "rules", "a"], 600)
    lines = (" ".join(words[k : k + 6]) for k in range(0, 600, 6))
    Path("corpus.txt").write_text("\n".join(lines))
    store = fsspec.filesystem("memory")
    yield store
    for name in ("/models", "/corpus.txt"):
        if store.exists(name):
            store.rm(name, recursive=True)


def train(command):
    return main(shlex.split(command))


@pytest.mark.parametrize("more", ["", "--checkpoint-every 0"])
def test_the_model_is_copied_and_the_checkpoint_removed(store, capsys, more):
    assert train(f"{RUN} --copy-to memory://models/a/ {more}") == 0
    err = capsys.readouterr().err
    assert "\nsaved corpus.safetensors" in err
    assert "\ncopied to memory://models/a/corpus.safetensors\n" in err
    assert store.ls("/models/a", detail=False) == ["/models/a/corpus.safetensors"]
    assert store.cat("/models/a/corpus.safetensors") == Path("corpus.safetensors").read_bytes()


@pytest.mark.parametrize("lost", [True, False])
def test_what_is_copied_can_be_gone_on_with_elsewhere(store, monkeypatch, capsys, ctrl_c, lost):
    """After Ctrl-C, and on another machine: there is nothing but what was copied."""
    assert train(f"{RUN} --quiet -o whole.safetensors") == 0
    steps = []

    def stepped(self, step):
        steps.append(step)
        if len(steps) == 3:
            ctrl_c()

    with monkeypatch.context() as patch:
        patch.setattr(Complaints, "stepped", stepped)
        assert train(f"{RUN} --copy-to memory://models --checkpoint-every 1000") == 130
    err = capsys.readouterr().err
    resume = "--resume corpus.safetensors.checkpoint --copy-to memory://models"
    assert err.endswith(f"to resume: cbow-train {resume}\n")
    there = "memory://models/corpus.safetensors.checkpoint"
    if not lost:
        assert train(f"--resume {there}") == 1
        assert "is there already" in capsys.readouterr().err
        assert train(f"{resume} --quiet") == 0
    else:
        for name in ("corpus.safetensors", "corpus.safetensors.checkpoint"):
            Path(name).unlink()
        assert train(f"--resume {there} --copy-to memory://models --quiet") == 0
    assert Path("corpus.safetensors").read_bytes() == Path("whole.safetensors").read_bytes()
    assert store.ls("/models", detail=False) == ["/models/corpus.safetensors"]
    assert not Path("corpus.safetensors.checkpoint").exists()


def test_a_copy_that_fails_loses_nothing(store, monkeypatch, capsys):
    def fail(self, source, name):
        raise OSError("the bucket is full")

    monkeypatch.setattr(type(store), "put_file", fail)
    assert train(f"{RUN} --copy-to memory://models --checkpoint-every 0") == 1
    err = capsys.readouterr().err
    assert "error: no copy of the checkpoint, but training goes on: 'memory://models' does" in err
    assert "does not let us copy corpus.safetensors there (the bucket is full); check" in err
    assert "saved corpus.safetensors" in err
    assert len(cbow.load("corpus.safetensors").report["epochs"]) == 2


def test_what_was_not_written_is_not_copied(store):
    copies = Copies(RemoteFolder("memory://models"), Path("m.checkpoint"))
    copies.checkpointed(OutputError("the disk is full"))
    assert not store.exists("/models/m.checkpoint")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("models", "'models' is no address of a folder; give one such as s3://bucket/models"),
        ("", "'' is no address of a folder"),
        ("nothing://b", "begins with nothing, which is no known scheme of addresses"),
        ("http://127.0.0.1:1/x", "does not let us write there ("),
    ],
)
def test_places_that_nothing_can_be_copied_to(store, capsys, address, message):
    """That is told before anything is read."""
    assert train(f"{RUN} --copy-to '{address}'") == 1
    assert message in capsys.readouterr().err
    assert not Path("corpus.safetensors").exists()


def test_a_file_takes_the_place_of_the_earlier_one(store):
    folder = RemoteFolder("memory://models")
    for text in ("one", "two"):
        Path("a").write_text(text)
        assert folder.copy(Path("a")) == "memory://models/a"
        assert store.cat("/models/a") == text.encode()
    folder.remove("a")
    folder.remove("a")
    assert not store.exists("/models/a")
    with pytest.raises(
        OutputError, match=r"does not let us copy b there \(.*\); check the address"
    ):
        folder.copy(Path("b"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("memory://models/m.checkpoint", "there is nothing at 'memory://models/m.checkpoint'"),
        ("memory://models/*.checkpoint", "there is nothing at 'memory://models/*.checkpoint'"),
        ("memory://models", "'memory://models' is a folder; give the address of a file"),
        ("memory://models/", "'memory://models/' is a folder; give the address of a file"),
    ],
)
def test_what_cannot_be_gone_on_with(store, capsys, address, message):
    store.pipe({"/models/a.checkpoint": b"a", "/models/b.checkpoint": b"b"})
    assert train(f"--resume {address}") == 1
    assert message in capsys.readouterr().err
