"""Arrays in files: where files cannot be mapped they are read, and nothing else is different."""

import errno
import mmap

import numpy as np
import pytest

import cbow
from cbow.cli import nearest, train
from cbow.errors import ModelFileError
from cbow.system import files
from cbow.system.files import mapped

TEXT = ["the king rules the land", "the queen rules the land"] * 30
SMALL = {"dimension": 4, "epochs": 2, "sample": 0, "min_count": 1}


def refusing(monkeypatch, number):
    """Let no file be mapped, for a reason."""

    class Refusing(mmap.mmap):
        def __new__(cls, handle, *arguments, **more):
            if handle == -1:  # memory alone
                return super().__new__(cls, handle, *arguments, **more)
            raise OSError(number, "refused by the system")

    monkeypatch.setattr(mmap, "mmap", Refusing)


@pytest.fixture
def path(tmp_path):
    np.arange(9, dtype=np.int32).tofile(tmp_path / "file")
    return tmp_path / "file"


@pytest.mark.parametrize("can_map", [True, False])
def test_the_content_is_read_only_and_the_file_may_be_closed(path, monkeypatch, can_map):
    if not can_map:
        refusing(monkeypatch, errno.ENODEV)
    with path.open("rb") as file:
        file.read(5)
        array = mapped(file, np.int32)
    assert array.tolist() == list(range(9))
    assert array.dtype == np.int32
    assert not array.flags.writeable
    assert isinstance(array.base, mmap.mmap) is can_map


@pytest.mark.parametrize("number", files._NO_MAPPING)
def test_training_and_models_do_without_mapping(tmp_path, monkeypatch, number):
    expected = cbow.train(TEXT, **SMALL)
    refusing(monkeypatch, number)
    model = cbow.train(TEXT, **SMALL)
    np.testing.assert_array_equal(model.parameters.W1, expected.parameters.W1)
    model.save(tmp_path / "m.safetensors")
    model.vectors.save(tmp_path / "v.safetensors")
    for name in ("m.safetensors", "v.safetensors"):
        vectors = cbow.load_vectors(tmp_path / name)
        assert vectors.most_similar("king") == expected.vectors.most_similar("king")
    np.testing.assert_array_equal(
        cbow.load(tmp_path / "m.safetensors").parameters.W2, expected.parameters.W2
    )


def test_the_commands_do_without_mapping(tmp_path, monkeypatch):
    refusing(monkeypatch, errno.ENODEV)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("\n".join(TEXT))
    assert train.main(["a.txt", "--dimension", "4", "--epochs", "1", "--sample", "0"]) == 0
    assert nearest.main(["a.safetensors", "king"]) == 0


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EMFILE, "let go of files and models that are not used any more, or raise the limit"),
        (errno.ENFILE, "let go of files and models"),
        (errno.ENOMEM, "end other programs"),
        (errno.EIO, "check the drive"),
    ],
)
def test_what_else_is_wrong_is_told_with_its_own_remedy(tmp_path, monkeypatch, number, remedy):
    cbow.train(TEXT, **SMALL).save(tmp_path / "m.safetensors")
    refusing(monkeypatch, number)
    with pytest.raises(ModelFileError, match=rf"opened \(refused by the system\); {remedy}"):
        cbow.load(tmp_path / "m.safetensors")


def test_many_models_may_be_open(tmp_path):
    resource = pytest.importorskip("resource")
    cbow.train(TEXT, **SMALL).save(tmp_path / "m.safetensors")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    models = []
    try:
        if files._UNTRACKED:
            models += (cbow.load(tmp_path / "m.safetensors") for _ in range(100))
        else:
            with pytest.raises(ModelFileError, match="let go of files and models"):
                models += (cbow.load(tmp_path / "m.safetensors") for _ in range(100))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
