"""Atomic writing: the whole new file or the old one, and a sentence that says why."""

import errno
import os
import stat

import pytest

from cbow import files
from cbow.errors import OutputError
from cbow.files import check_writable, explain_output_errors, replacing


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(path, error):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise error


def test_the_file_appears_whole(tmp_path):
    path = tmp_path / "x"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["x"]


def test_the_old_file_stays_when_writing_fails(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(path, ZeroDivisionError())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_ctrl_c_leaves_the_old_file_too(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path, KeyboardInterrupt())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_what_is_renamed_is_flushed_first(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        files.os, "fsync", lambda handle: (done.append(os.fstat(handle).st_mode), fsync(handle))
    )
    monkeypatch.setattr(files.os, "replace", lambda a, b: (done.append("rename"), replace(a, b)))
    with replacing(tmp_path / "x") as temporary:
        temporary.write_text("new")
    kinds = [what if what == "rename" else stat.S_ISDIR(what) for what in done]
    assert kinds == [False, "rename", True]  # the file, the rename, the folder


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EFBIG, "the disk is full"),
        (errno.ENOENT, "does not exist; create it"),
        (errno.ENOTDIR, "is not a folder"),
        (errno.EACCES, "is read-only for you"),
        (errno.EPERM, "is read-only for you"),
        (errno.EROFS, "is read-only for you"),
        (errno.EIO, "could not be written (Input/output error)"),
    ],
)
def test_each_reason_has_its_sentence(tmp_path, number, part):
    with pytest.raises(OutputError) as caught, explain_output_errors(tmp_path / "x"):
        raise OSError(number, os.strerror(number))
    assert part in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert "\n" not in str(caught.value)


def test_a_sentence_is_not_wrapped_twice(tmp_path):
    with (
        pytest.raises(OutputError, match=r"^inner$"),
        explain_output_errors(tmp_path),
        explain_output_errors(tmp_path),
    ):
        raise OutputError("inner")


def test_trying_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "x")
    assert names(tmp_path) == []


@pytest.mark.parametrize("function", [check_writable, lambda path: replacing(path).__enter__()])
def test_a_folder_and_a_device_are_refused(tmp_path, function):
    with pytest.raises(OutputError, match="is a folder"):
        function(tmp_path)
    with pytest.raises(OutputError, match="not a regular file"):
        function("/dev/null")


def test_what_a_link_points_to_is_replaced_not_the_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_name_with_nul_is_refused(tmp_path):
    with pytest.raises(OutputError, match="holds a NUL"):
        check_writable(str(tmp_path / "a\0b"))


def test_the_longest_name_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_that_cannot_be_flushed_is_no_error(tmp_path, monkeypatch):
    flush = files._flush

    def some(path):
        if path.is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(path)

    monkeypatch.setattr(files, "_flush", some)
    with replacing(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "x").read_text() == "new"
