"""Atomic writing: the whole new file or the old one, and a sentence that says why."""

import errno
import os
import stat

import pytest

from cbow import files
from cbow.errors import OutputError
from cbow.files import (
    check_folder_writable,
    check_writable,
    explain_output_errors,
    replacing,
    replacing_folder,
    replacing_together,
)


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


def test_a_link_that_leads_back_to_itself_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(OutputError, match="Too many levels of symbolic links"):
        check_writable(tmp_path / "link")
    with pytest.raises(OutputError, match="link is not a folder; give the name of a folder"):
        check_folder_writable(tmp_path / "link", [])


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


# -- several files, and folders ----------------------------------------------------------------


def test_several_files_appear_together(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    paths[0].write_text("old")
    with replacing_together(paths) as temporary:
        for each, text in zip(temporary, "xy", strict=True):
            each.write_text(text)
        assert paths[0].read_text() == "old"
        assert not paths[1].exists()
    assert [path.read_text() for path in paths] == ["x", "y"]
    assert names(tmp_path) == ["a", "b"]


def test_none_of_several_files_appears_when_writing_fails(tmp_path):
    def write():
        with replacing_together([tmp_path / "a", tmp_path / "b"]) as temporary:
            temporary[0].write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert names(tmp_path) == []


def test_a_folder_appears_whole(tmp_path):
    path = tmp_path / "folder"
    for text in ("old", "new"):
        with replacing_folder(path, ["a", "b"]) as temporary:
            (temporary / "a").write_text(text)
            assert (path / "a").exists() is (text == "new")
        assert (path / "a").read_text() == text
    assert names(tmp_path) == ["folder"]


def test_the_old_folder_stays_when_writing_fails(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("old")

    def write():
        with replacing_folder(path, ["a"]) as temporary:
            (temporary / "a").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert (path / "a").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_what_fails_in_a_folder_is_told_of_its_own_name(tmp_path):
    def write():
        with replacing_folder(tmp_path / "folder", ["a"]) as temporary, replacing(temporary / "a"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match=r"the disk is full: .*/folder could not be written"):
        write()
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "no/folder", "file", "link"])
def test_folders_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "link").symlink_to("nowhere")

    def write():
        with replacing_folder(tmp_path / name, []):
            raise AssertionError("it must not come to this")

    for ask in (write, lambda: check_folder_writable(tmp_path / name, [])):
        with pytest.raises(OutputError):
            ask()
    assert names(tmp_path) == ["file", "link"]


def test_a_folder_that_could_be_written(tmp_path):
    check_folder_writable(tmp_path / "new", [])
    check_folder_writable(tmp_path, [])
    (tmp_path / "a").touch()
    check_folder_writable(tmp_path, ["a"])
    with pytest.raises(OutputError, match="holds a, which would be lost"):
        check_folder_writable(tmp_path, ["b"])
    assert names(tmp_path) == ["a"]


@pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="the system has no such names")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_an_open_stream_is_not_replaced(name):
    with pytest.raises(OutputError, match="is an open stream; give the name of a file"):
        check_writable(name)
