"""Files made to fill the memory: refused with a sentence before it is taken."""

import dataclasses
import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from format_files import WORDS, check, matrix_of

import cbow
from cbow.cli import convert
from cbow.config import MAX_EXPANSION
from cbow.errors import ModelFileError
from cbow.system import safetensors_file
from cbow.vectors.formats import FORMATS, base, read, write

#: Much above what is always allowed.
ROWS = 3 * base.SMALL // len(b"a 1\n")

#: Reads files with little memory; prints what was said of each.
READ = """
import resource, sys, warnings
from cbow.vectors.formats import read
from cbow.errors import ModelFileError
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
for name in sys.argv[1:]:
    try:
        print(read(name).matrix.shape)
    except ModelFileError as error:
        print(error)
"""


def text_bomb(folder):
    path = folder / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"%d 1\n" % ROWS + b"a 1\n" * ROWS, 1))
    return path


def text_bomb_in_members(folder):
    """The size at its end is that of the last member alone."""
    path = folder / "members.txt.gz"
    path.write_bytes(gzip.compress(b"a 1\n" * ROWS, 1) + gzip.compress(b"b 1\n"))
    return path


def binary_bomb(folder):
    path = folder / "bomb.bin.gz"
    rows = b"a " + bytes(4000)
    R = 2 * base.SMALL // len(rows)
    members = gzip.compress(b"%d 1000\n" % R + rows * R, 1) + gzip.compress(b"\n")
    path.write_bytes(members)
    return path


def npz_bomb(folder):
    np.savez_compressed(
        folder / "bomb.npz", words=np.array(WORDS), vectors=np.zeros((9, 2_300_000), np.float32)
    )
    return folder / "bomb.npz"


def mapped_bomb(folder):
    """A row of many numbers, which every word has."""
    path = folder / "mapped"
    path.mkdir()
    V, N = 3000, 300_000
    tensors = {
        "embeddings": np.zeros((1, N), np.float32),
        "mapping": np.zeros(V, np.int64),
    }
    safetensors_file.write(path / "model.safetensors", tensors, {})
    vocabulary = {f"w{i}": i for i in range(V)}
    (path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    return path


BOMBS = [text_bomb, text_bomb_in_members, binary_bomb, npz_bomb, mapped_bomb]


@pytest.mark.slow
def test_bombs(tmp_path):
    paths = [make(tmp_path) for make in BOMBS]
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(paths)
    for path, said in zip(paths, lines, strict=True):
        assert said.startswith(str(path))
        assert "far more than its size on disk" in said
        assert "--max-expansion TIMES" in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt.gz", "a.vec.gz", "a.bin.gz", "glove.gz", "a.npz"])
def test_the_limit_may_be_lifted(tmp_path, monkeypatch, name):
    monkeypatch.setattr(base, "SMALL", 0)
    path = tmp_path / name
    words, matrix = [f"w{i}" for i in range(99)], np.zeros((99, 999), np.float32)
    if name == "a.npz":
        np.savez_compressed(path, words=np.array(words), vectors=matrix)
    else:
        write(path, words, matrix, format="glove" if name == "glove.gz" else None)
    with pytest.raises(ModelFileError, match="far more than its size on disk"):
        read(path)
    for most in (1000, math.inf):
        check(read(path, max_expansion=most), words, matrix)
    assert cbow.load_vectors(path, max_expansion=math.inf)["w7"].tolist() == [0] * 999


def test_members_that_hide_their_size(tmp_path, monkeypatch):
    """The size at the end of gzip data is that of the last member alone."""
    monkeypatch.setattr(base, "SMALL", 0)
    path = tmp_path / "a.txt.gz"
    rows = b"".join(b"w%d 0\n" % i + b"w 0\n" * 99 for i in range(99))
    path.write_bytes(gzip.compress(b"9901 1\n" + rows) + gzip.compress(b"z 0\n"))
    with pytest.raises(ModelFileError, match="unpacks to more than"):
        read(path)
    assert len(read(path, max_expansion=1000).words) == 101


def test_mapped_rows_may_be_many(tmp_path, monkeypatch):
    path = mapped_bomb(tmp_path)
    small = {"embeddings": np.ones((1, 999), np.float32), "mapping": np.zeros(3000, np.int64)}
    safetensors_file.write(path / "model.safetensors", small, {})
    assert read(path).matrix.shape == (3000, 999)
    monkeypatch.setattr(base, "SMALL", 0)
    with pytest.raises(ModelFileError, match="becomes 11988000 bytes by its mapping"):
        read(path)
    assert read(path, max_expansion=math.inf).matrix.shape == (3000, 999)


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(base, "SMALL", 0)
    path = tmp_path / "a.txt.gz"
    write(path, ["a"], np.zeros((1, 9999), np.float32))
    out = str(tmp_path / "b.txt")
    assert convert.main([str(path), out]) == 1
    assert "--max-expansion" in capsys.readouterr().err
    assert not Path(out).exists()
    assert convert.main([str(path), out, "--max-expansion", "inf"]) == 0
    assert convert.main([str(path), out, "--max-expansion", "0"]) == 1
    assert "max_expansion is 0.0, but must be a number of 1 or more" in capsys.readouterr().err


def test_files_that_are_damaged_are_not_taken_for_bombs(tmp_path):
    """A size that gzip data cannot unpack to says nothing."""
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"1 1\na 1\n")[:-4] + b"\xff\xff\xff\x7f")
    with pytest.raises(ModelFileError, match="not proper gzip data"):
        read(path)


def test_files_of_vectors_stay_below_the_limit(tmp_path):
    """As tightly as usual vectors can be packed."""
    matrix = np.round(matrix_of(9, 300), 2)
    for name in ("a.txt.gz", "a.bin.gz"):
        write(tmp_path / name, WORDS, matrix)
        size = (tmp_path / name).stat().st_size
        assert len(gzip.decompress((tmp_path / name).read_bytes())) < MAX_EXPANSION / 8 * size


def test_too_little_memory_is_told(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    path = tmp_path / "a.txt"
    write(path, WORDS, matrix_of(len(WORDS)))
    failing = dataclasses.replace(FORMATS["word2vec-text"], read=fail)
    monkeypatch.setitem(FORMATS, "word2vec-text", failing)
    with pytest.raises(ModelFileError, match=r"a\.txt needs more memory than there is"):
        read(path)
