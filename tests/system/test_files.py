"""Atomic writing: the whole new file or the old one, and a sentence that says why."""

import contextlib
import errno
import os
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from cbow.errors import OutputError, OutputWarning
from cbow.system import files
from cbow.system.files import (
    check_folder_writable,
    check_writable,
    explain_output_errors,
    finish_replacing,
    replacing,
    replacing_folder,
    replacing_together,
    same,
    temporary_folder,
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


@pytest.mark.parametrize("address", ["s3://bucket/m.safetensors", "https://a.b/c d", "gs:/b/x"])
def test_nothing_is_written_to_an_address(address):
    scheme, _, place = address.partition(":")
    said = rf"^'?{scheme}://{place.lstrip('/')}'? is an address, but .* copy it there afterwards$"
    with pytest.raises(OutputError, match=said):
        check_writable(address)


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
    fsync = os.fsync

    def some(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", some)
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
@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/{}", "/proc/self/fd/{}"])
@pytest.mark.parametrize("way", ["plain", "linked folder", "link", "link to a linked folder"])
def test_an_open_stream_is_not_replaced(tmp_path, place, way):
    with (tmp_path / "precious").open("w+") as file:
        file.write("precious")
        file.flush()
        name = place.format(file.fileno())
        (tmp_path / "folder").symlink_to(os.path.dirname(name))
        linked = tmp_path / "folder" / os.path.basename(name)
        (tmp_path / "link").symlink_to(linked if way == "link to a linked folder" else name)
        path = {"plain": name, "linked folder": linked}.get(way, tmp_path / "link")
        for ask in (check_writable, lambda path: replacing(path).__enter__()):
            with pytest.raises(OutputError, match="is an open stream; give the name of a file"):
                ask(path)
    assert (tmp_path / "precious").read_text() == "precious"


# -- modes and owners --------------------------------------------------------------------------


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


MODES = [0o600, 0o640, 0o644, 0o664, 0o666, 0o755, 0o200, 0o620]


@pytest.fixture(params=[0o022, 0o077, 0o000, 0o027])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("old", MODES)
def test_an_old_file_keeps_its_mode_and_is_never_more_open_meanwhile(tmp_path, old, umask):
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(old)
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert mode(temporary) == 0o600
    path.chmod(old)
    with replacing_together([path, tmp_path / "y"]) as both:
        for each in both:
            each.write_text("newer")
        assert [mode(each) for each in both] == [0o600, 0o666 & ~umask]
    assert mode(path) == old
    path.chmod(0o600)
    assert path.read_text() == "newer"


def test_a_new_file_has_the_mode_that_the_umask_says(tmp_path, umask):
    with replacing(tmp_path / "x") as temporary:
        temporary.write_text("new")
    with replacing_folder(tmp_path / "folder", ["a"]) as temporary:
        (temporary / "a").write_text("new")
    assert mode(tmp_path / "x") == mode(tmp_path / "folder" / "a") == 0o666 & ~umask
    assert mode(tmp_path / "folder") == 0o777 & ~umask


@pytest.mark.parametrize("old", [0o700, 0o750, 0o755, 0o777, 0o1777, 0o2775])
def test_an_old_folder_and_its_files_keep_their_modes(tmp_path, old, umask):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").write_text("old")
    (path / "a").chmod(0o600)
    path.chmod(old)
    with replacing_folder(path, ["a", "b"]) as temporary:
        for name in "ab":
            (temporary / name).write_text("new")
        assert mode(temporary) == 0o700
    assert (mode(path), mode(path / "a"), mode(path / "b")) == (old, 0o600, 0o666 & ~umask)


def test_the_owner_is_kept_before_the_mode_lets_anybody_in(tmp_path, monkeypatch):
    """Where only the group can be kept, that; where neither can, the file is written as well."""
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o640)
    old = path.stat()
    for refused in ([], [old.st_uid], [old.st_uid, -1]):
        done = []

        def chown(new, owner, group, done=done, refused=refused):
            done.append((owner, group, mode(new)))
            if owner in refused:
                raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(files.os, "chown", chown)
        with replacing(path) as temporary:
            temporary.write_text("new")
        tried = [old.st_uid] if not refused else [old.st_uid, -1]
        assert done == [(owner, old.st_gid, 0o600) for owner in tried]
        assert mode(path) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may")
def test_root_keeps_the_owner_of_files_and_folders(tmp_path):
    path, folder = tmp_path / "x", tmp_path / "folder"
    folder.mkdir()
    for each in (path, folder / "a"):
        each.write_text("old")
    for each in (path, folder, folder / "a"):
        os.chown(each, 1234, 2345)
    with replacing(path) as temporary:
        temporary.write_text("new")
    with replacing_folder(folder, ["a"]) as temporary:
        (temporary / "a").write_text("new")
    for each in (path, folder, folder / "a"):
        assert (each.stat().st_uid, each.stat().st_gid) == (1234, 2345)


def test_a_drive_that_keeps_no_modes_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")

    def chmod(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "chmod", chmod)
    with replacing(tmp_path / "x") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "x").read_text() == "new"


@pytest.mark.parametrize("old", [0o444, 0o400, 0o555, 0o000])
def test_what_is_read_only_is_not_replaced(tmp_path, old):
    """Not even by root, who could."""
    path, folder = tmp_path / "x", tmp_path / "folder"
    path.write_text("old")
    folder.mkdir()
    (folder / "a").write_text("old")
    path.chmod(old)
    for ask in (check_writable, lambda path: replacing(path).__enter__()):
        with pytest.raises(OutputError, match=rf"x is read-only \(mode {old:o}\) and is not"):
            ask(path)
    for each in (folder / "a", folder):
        each.chmod(old | 0o111)
        with pytest.raises(OutputError, match=rf"{each.name} is read-only"):
            check_folder_writable(folder, ["a"])
    folder.chmod(0o755)
    assert names(tmp_path) == ["folder", "x"]
    path.chmod(0o600)
    assert path.read_text() == "old"


def test_what_its_owner_alone_may_write_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")
    monkeypatch.setattr(files.os, "access", lambda path, how: how != os.W_OK)
    with pytest.raises(OutputError, match="x is read-only"):
        check_writable(tmp_path / "x")


def test_a_link_to_nowhere_in_a_folder_is_replaced(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a").symlink_to("nowhere")
    with replacing_folder(path, ["a"]) as temporary:
        (temporary / "a").write_text("new")
    assert (path / "a").read_text() == "new"


# -- drives that cannot flush ------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_drive_without_fsync_is_told_of_and_used(tmp_path, monkeypatch, number):
    def fsync(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.warns(OutputWarning, match="cannot force a file onto the disk"):
        check_writable(tmp_path / "x")
    with pytest.warns(OutputWarning), replacing(tmp_path / "x") as temporary:
        temporary.write_text("new")
    with pytest.warns(OutputWarning) as told, replacing_folder(tmp_path / "folder", ["a"]) as new:
        (new / "a").write_text("new")
    assert {str(each.message) for each in told} == {
        f"the drive of the folder {tmp_path} cannot force a file onto the disk "
        f"({os.strerror(number)}); it is written all the same, but may be lost if the power fails "
        "soon"
    }
    assert (tmp_path / "x").read_text() == (tmp_path / "folder" / "a").read_text() == "new"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_what_else_fsync_says_is_an_error_before_the_work(tmp_path, monkeypatch, number):
    def fsync(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", fsync)
    for ask in (check_writable, lambda path: check_folder_writable(path, [])):
        with pytest.raises(OutputError):
            ask(tmp_path / "x")
    assert names(tmp_path) == []


# -- names -------------------------------------------------------------------------------------


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with replacing("~/x") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "x").read_text() == "new"
    with replacing_folder(Path("~/folder"), ["a"]) as temporary:
        (temporary / "a").write_text("new")
    assert names(tmp_path) == ["folder", "x"]
    assert same("~/x", tmp_path / "x")


def test_without_a_home_no_folder_named_tilde_appears(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files.os.path, "expanduser", lambda path: os.fspath(path))
    with pytest.raises(OutputError, match="the folder ~ does not exist"):
        check_writable("~/x")
    with pytest.raises(OutputError, match="does not exist"):
        check_folder_writable(Path("~/x"), [])
    assert names(tmp_path) == []


def test_names_of_one_file(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    (tmp_path / "hard").hardlink_to(tmp_path / "one")
    (tmp_path / "link").symlink_to("one")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("one", "hard", "link", "folder/one", "folder/../" + tmp_path.name + "/one"):
        assert same(tmp_path / "one", tmp_path / name)
        assert same(tmp_path / name, tmp_path / "one")
    for name in ("other", "none", "folder", "a\0b"):
        assert not same(tmp_path / "one", tmp_path / name)
    assert same(tmp_path / "none", tmp_path / "folder" / "none")
    assert same(tmp_path / "a\0b", tmp_path / "a\0b")


def test_a_message_shows_at_most_200_characters_of_a_name(tmp_path):
    name = "x" * 100_000
    for ask in (check_writable, lambda path: check_folder_writable(path, [])):
        for path in (tmp_path / name, tmp_path / name / "y", tmp_path / f"{name}\0"):
            with pytest.raises(OutputError) as caught:
                ask(path)
            assert len(str(caught.value)) < 700


# -- what dead processes left ------------------------------------------------------------------

LEFT = f".cbow-0123abcd-{files._MACHINE}89abcdef.tmp"


def leave(folder, name=LEFT):
    """Leave a file and a folder, as a process does that is killed."""
    (folder / name).write_bytes(bytes(2_000_000))
    deep = folder / name.replace("0123abcd", "0123dcba")
    deep.mkdir()
    (deep / "ids").write_bytes(bytes(3_000_000))


def write_new(path):
    with replacing(path) as temporary:
        temporary.write_text("new")


@pytest.mark.parametrize("ask", [check_writable, write_new])
def test_what_dead_processes_left_is_removed_and_told(tmp_path, ask):
    leave(tmp_path)
    leave(tmp_path, LEFT.replace(".tmp", ".old.tmp"))
    with pytest.warns(OutputWarning, match=r"removed from .*: 10,0\d\d,\d\d\d bytes of temp"):
        ask(tmp_path / "x")
    assert set(names(tmp_path)) <= {"x"}


def test_a_folder_for_the_while_is_swept_too(tmp_path):
    leave(tmp_path)
    with contextlib.ExitStack() as stack:
        with pytest.warns(OutputWarning, match="removed from"):
            folder = stack.enter_context(temporary_folder(tmp_path))
        assert names(tmp_path) == [folder.name]
        assert mode(folder) == 0o700
    assert names(tmp_path) == []


def test_what_cannot_be_removed_is_not_said_to_be(tmp_path, monkeypatch):
    def refuse(path, **more):
        raise OSError(errno.ENOTEMPTY, "Directory not empty", path)

    (tmp_path / LEFT).mkdir()
    monkeypatch.setattr(os, "rmdir", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_writable(tmp_path / "x")
    assert names(tmp_path) == [LEFT]


def test_what_living_processes_write_is_left_alone(tmp_path):
    code = (
        "import sys, pathlib; from cbow.system.files import replacing, temporary_folder\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "with replacing(here / 'x') as file, temporary_folder(here) as folder:\n"
        "    file.write_bytes(b'half'); print('ready', flush=True); input()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        before = names(tmp_path)
        assert len(before) == 2
        check_writable(tmp_path / "x")
        assert names(tmp_path) == before
        process.kill()
    with pytest.warns(OutputWarning, match="removed from"):
        check_writable(tmp_path / "x")
    assert names(tmp_path) == []


def test_an_empty_leftover_is_nothing_to_tell(tmp_path):
    """It may be one that another thread has made this moment, and not locked yet."""
    (tmp_path / LEFT).mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_writable(tmp_path / "x")
    assert names(tmp_path) == []


def test_what_is_not_ours_is_left_alone(tmp_path, monkeypatch):
    kept = [".cbow-of-another.tmp", "cbow-models", ".cbow-0123abcd.new", f"{LEFT}x", f"x{LEFT}"]
    for name in kept:
        (tmp_path / name).write_text("precious")
    link = LEFT.replace("0123abcd", "00000000")
    (tmp_path / link).symlink_to("cbow-models")
    os.mkfifo(tmp_path / LEFT.replace("0123abcd", "11111111"))
    before = names(tmp_path)
    check_writable(tmp_path / "x")
    assert names(tmp_path) == before
    leave(tmp_path)
    before = names(tmp_path)
    monkeypatch.setattr(files.os, "geteuid", lambda: os.getuid() + 1)
    check_writable(tmp_path / "x")
    assert names(tmp_path) == before


@pytest.mark.parametrize("machine", [files._MACHINE, "01234567"])
def test_where_locks_tell_nothing_only_what_is_a_day_old_is_removed(tmp_path, monkeypatch, machine):
    """Drives without locks, and files of another machine, whose locks a drive may keep from us."""

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    if machine == files._MACHINE:
        monkeypatch.setattr(files.fcntl, "flock", flock)
    leave(tmp_path, LEFT.replace(files._MACHINE, machine))
    before = names(tmp_path)
    write_new(tmp_path / "x")
    assert names(tmp_path) == sorted([*before, "x"])
    now = time.time()
    monkeypatch.setattr(files.time, "time", lambda: now + 24 * 60 * 60 + 10)
    with pytest.warns(OutputWarning, match="removed from"):
        write_new(tmp_path / "x")
    assert names(tmp_path) == ["x"]


def test_where_there_are_no_locks_at_all_files_are_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    leave(tmp_path)
    before = names(tmp_path)
    with replacing_together([tmp_path / "x", tmp_path / "y"]) as both:
        for each in both:
            each.write_text("new")
    assert names(tmp_path) == sorted([*before, "x", "y"])


def test_a_temporary_file_that_another_takes_for_a_leftover_is_made_again(tmp_path, monkeypatch):
    locked, made = files._locked, []

    @contextlib.contextmanager
    def late(path, wait=0):
        if wait and not made:
            made.append(path)
            path.unlink()
        with locked(path, wait) as held:
            yield held

    monkeypatch.setattr(files, "_locked", late)
    write_new(tmp_path / "x")
    assert made
    assert names(tmp_path) == ["x"]


def test_a_lock_that_somebody_keeps_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(files.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(files.time, "sleep", lambda _: now.__setitem__(0, now[0] + 1))
    with files._locked(tmp_path) as held, files._locked(tmp_path, 5) as again:
        assert (held, again) == (True, False)
    assert now[0] == 5


# -- killed between two system calls -----------------------------------------------------------

KILLED = """
import os, shutil, signal, stat, sys, warnings
from pathlib import Path
from cbow.system.files import check_writable, finish_replacing
from cbow.system.files import replacing, replacing_folder, replacing_together

warnings.simplefilter("ignore")
place, kind, before = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "before"
CALLS = "os.", "shutil.", "open", "fcntl."
left = 0

def hook(event, arguments):
    global left
    if event.startswith(CALLS) and left:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
paths = [place / "x", place / "y"] if kind == "pair" else [place / "x"]

def write(text):
    if kind == "file":
        with replacing(paths[0]) as file:
            file.write_text(text)
    elif kind == "pair":
        with replacing_together(paths) as both:
            for each in both:
                each.write_text(text)
    else:
        with replacing_folder(paths[0], ["a", "b"]) as folder:
            for name in "ab":
                (folder / name).write_text(text)

def content():
    files = [paths[0] / name for name in "ab"] if kind == "folder" else paths
    return [each.read_text() if each.exists() else None for each in files]

def finish():
    finish_replacing(*paths)

def killed(work, number):
    "Work in a process that is killed at its call of that number; whether it was."
    global left
    process = os.fork()
    if not process:
        left = number
        work()
        os._exit(0)
    return os.waitpid(process, 0)[1] != 0

def begin():
    shutil.rmtree(place)
    place.mkdir()
    if before:
        write("old")

parts = len(content())
OLD, NEW = (["old"] * parts if before else [None] * parts), ["new"] * parts
seen, number, times = set(), 0, 0
while True:
    number += 1
    begin()
    if not killed(lambda: write("new"), number):
        break
    then = 0
    while True:
        then += 1
        begin()
        killed(lambda: write("new"), number)
        again = killed(finish, then)
        finish()
        assert content() in (OLD, NEW), (number, then, content())
        seen.add(content()[0])
        times += 1
        write("next")
        assert content() == ["next"] * parts
        # what is left over may have any other name, and go when anything is written
        check_writable(place / "z")
        assert len(os.listdir(place)) == len(paths), (number, then, os.listdir(place))
        if not again:
            break
    begin()
    killed(lambda: write("new"), number)
    write("next")  # without a reader between
    assert content() == ["next"] * parts, (number, content())
assert seen == {OLD[0], NEW[0]}
print(number, times)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.parametrize("kind", ["file", "pair", "folder"])
@pytest.mark.parametrize("before", ["before", "new"])
def test_killed_at_any_call_there_is_the_old_or_the_new(tmp_path, kind, before):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "place"), kind, before]
    (tmp_path / "place").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    calls, times = map(int, done.stdout.split())
    assert calls > 8
    assert times > (8 if kind == "file" else 15)  # of a single file there is nothing to finish


def prepare(tmp_path, kind):
    """Leave what a process leaves that is killed just before its last renaming."""
    paths = [tmp_path / "x", tmp_path / "y"] if kind == "pair" else [tmp_path / "x"]
    for each in paths:
        files._ready(each).write_text("new") if kind == "pair" else files._ready(each).mkdir()
    return paths


@pytest.mark.parametrize("kind", ["pair", "folder"])
def test_what_was_put_there_since_is_kept(tmp_path, kind):
    paths = prepare(tmp_path, kind)
    for each in paths:
        if kind == "folder":
            each.mkdir()
            each /= "notes"
        each.write_text("mine")
        os.utime(each, (time.time() + 10, time.time() + 10))
    finish_replacing(*paths)
    assert names(tmp_path) == [each.name for each in paths]
    assert [p.read_text() for p in tmp_path.rglob("*") if p.is_file()] == ["mine"] * len(paths)


def test_a_folder_that_is_there_is_replaced_when_it_is_finished(tmp_path):
    [path] = prepare(tmp_path, "folder")
    path.mkdir()
    (path / "a").write_text("old")
    for each in (path, path / "a"):
        os.utime(each, (time.time() - 10, time.time() - 10))
    (files._ready(path) / "a").write_text("new")
    with pytest.warns(OutputWarning, match="it is the new one now"):
        finish_replacing(path)
    assert (path / "a").read_text() == "new"
    assert names(tmp_path) == ["x"]


def test_what_cannot_be_finished_is_told(tmp_path, monkeypatch):
    paths = prepare(tmp_path, "pair")

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OutputError, match=r"was killed, .* cannot be put .*Permission denied"):
        finish_replacing(*paths)


def test_another_process_may_finish_it_meanwhile(tmp_path, monkeypatch):
    paths = prepare(tmp_path, "pair")

    @contextlib.contextmanager
    def late(folder, wait):
        monkeypatch.undo()
        finish_replacing(*paths)
        yield True

    monkeypatch.setattr(files, "_locked", late)
    with pytest.warns(OutputWarning, match="it is the new one now"):
        finish_replacing(*paths)
    assert names(tmp_path) == ["x", "y"]


@pytest.mark.parametrize("write", [check_writable, lambda path: replacing(path).__enter__()])
def test_the_name_of_a_folder_is_that_of_no_file(tmp_path, write):
    with pytest.raises(OutputError, match=r"new/ names a folder; give the name of a file to write"):
        write(f"{tmp_path}/new/")
    assert names(tmp_path) == []
