import contextlib
import glob
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cbow.text.sources as sources_module
from cbow.errors import CorpusError
from cbow.text.sources import SUFFIXES, files_matching, find_sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ["b.txt", "a.txt.gz", "deep/er/c.TXT", "deep/d.md", "x.csv", ".h.txt", ".h/e.txt"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def items(corpus):
    return [str(item) for item in find_sources(corpus).items]


@pytest.mark.parametrize("kind", [str, Path])
def test_file(folder, kind):
    assert find_sources(kind("b.txt")).items == (Path("b.txt"),)
    assert find_sources(kind("x.csv")).items == (Path("x.csv"),)


def test_folder_is_read_in_order_and_other_files_are_counted(folder):
    assert items(".") == ["a.txt.gz", "b.txt", "deep/er/c.TXT"]
    assert find_sources(folder).skipped == 2
    assert find_sources([folder, folder]).skipped == 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_endings_of_a_folders_files(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_text("text")
    assert find_sources(tmp_path).items == (tmp_path / f"a{suffix}",)


def test_links_to_folders_are_followed_once(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "o.txt").write_text("text")
    os.symlink(other, folder / "link")
    os.symlink(folder, folder / "deep" / "loop")
    os.symlink(folder / "deep", folder / "again")
    found = find_sources(folder)
    assert [item.name for item in found.items] == ["a.txt.gz", "c.TXT", "b.txt", "o.txt"]
    assert found.skipped == 2


def test_a_folder_with_links_to_files(folder):
    os.symlink("b.txt", "alias.txt")
    os.symlink("x.csv", "x.txt")
    assert items(".") == ["a.txt.gz", "alias.txt", "deep/er/c.TXT", "x.txt"]


def test_folder_without_text(folder):
    (folder / "empty").mkdir()
    (folder / "empty" / ".hidden.txt").write_text("text")
    said = r"empty holds no file, hidden ones aside; put texts into it, .* or give another folder$"
    with pytest.raises(CorpusError, match=said):
        find_sources(folder / "empty")
    (folder / "empty" / "z.md").write_text("text")
    said = r"1 other, such as 'z\.md'; name other files with a glob: '.*/empty/\*\*/\*'$"
    with pytest.raises(CorpusError, match=said):
        find_sources(folder / "empty")


def test_folder_that_cannot_be_listed(folder, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(CorpusError, match=r"cannot be listed \(Permission denied\)"):
        find_sources(folder)


def test_glob(folder):
    assert items("*.txt*") == ["a.txt.gz", "b.txt"]
    assert items("**/*") == ["a.txt.gz", "b.txt", "deep/d.md", "deep/er/c.TXT", "x.csv"]
    assert items("**/**/d.md") == ["deep/d.md"]
    assert items(Path("[ab].*")) == ["a.txt.gz", "b.txt"]
    with pytest.raises(CorpusError, match=r"no file matches '\*\.xz'"):
        find_sources("*.xz")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**", ["a.txt.gz", "b.txt", "deep/d.md", "deep/er/c.TXT", "x.csv"]),
        ("**/*.txt", ["b.txt"]),
        ("./**/d.m?", ["deep/d.md"]),
        ("*/*/*", ["deep/er/c.TXT"]),
        ("deep/**/*", ["deep/d.md", "deep/er/c.TXT"]),
        ("deep/**/er/../d*", ["deep/er/../d.md"]),
        (".h*", [".h.txt"]),
        (".h/*", [".h/e.txt"]),
        ("*/e.txt", []),
        ("*/*/c.TXT", ["deep/er/c.TXT"]),
        ("b.txt/*", []),
        ("*/x.csv", []),
        ("**/nothing/**", []),
        ("deep*/", []),
        ("**/", []),
        ("[!b].csv", ["x.csv"]),
    ],
)
def test_what_a_glob_matches(folder, pattern, expected):
    for place in ("", f"{folder}/"):
        if expected:
            assert items(place + pattern) == [place + name for name in expected]
        else:
            with pytest.raises(CorpusError, match="no file matches"):
                find_sources(place + pattern)


NAMES = st.sampled_from(["a", "b", ".h", "c.txt"])
PARTS = st.sampled_from(["**", "*", "?", "a", "b", ".*", "[ab]", "*.txt", "c.txt"])


@pytest.mark.slow
@given(
    st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=8),
    st.lists(PARTS, min_size=1, max_size=4).filter(lambda parts: {*parts} - {"a", "b", "c.txt"}),
)
def test_a_glob_without_links_finds_what_the_librarys_does(tmp_path_factory, paths, parts):
    root = tmp_path_factory.mktemp("tree")
    for *folders, name in paths:
        with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
            root.joinpath(*folders).mkdir(parents=True, exist_ok=True)
            root.joinpath(*folders, name).write_text("text")
    pattern = os.path.join(root, *parts)
    expected = filter(os.path.isfile, glob.glob(pattern, recursive=True))
    found = files_matching(pattern)
    assert found == sorted(found)
    assert {os.path.realpath(name) for name in found} == set(map(os.path.realpath, expected))
    assert len(found) == len(set(map(os.path.realpath, found)))


def test_a_glob_follows_links_and_reads_each_file_once(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "o.txt").write_text("text")
    os.symlink(other, folder / "link")
    os.symlink(folder, folder / "deep" / "loop")
    os.symlink(folder, folder / "deep" / "er" / "loop")
    os.symlink("b.txt", folder / "alias.txt")
    assert items("**/*.txt") == ["alias.txt", "link/o.txt"]
    assert items("deep/**/b.txt") == ["deep/loop/b.txt"]
    assert items("**/loop/**/er/*.TXT") == ["deep/er/loop/deep/er/c.TXT"]
    assert items("*/o.txt") == ["link/o.txt"]
    assert [name.rpartition("/")[2] for name in items("*/*/**/*.csv")] == ["x.csv"]


def test_a_glob_and_links_to_nothing(folder):
    os.symlink("nowhere", "gone.txt")
    os.symlink("itself", "itself")
    assert items("*.txt") == ["b.txt", "gone.txt"]  # which cannot be opened, and that is told
    assert items("gone.txt*") == ["gone.txt"]
    for pattern in ("itself/*", "i*/*", "gone.txt/*"):
        with pytest.raises(CorpusError, match="no file matches"):
            find_sources(pattern)


def refusing(monkeypatch, name, function):
    """Let `os.listdir` or `os.lstat` refuse a path, as they do for others than root."""

    def refused(path, **more):
        if os.fspath(path) == name:
            raise PermissionError(13, "Permission denied", path)
        return function(path, **more)

    monkeypatch.setattr(os, function.__name__, refused)


@pytest.mark.parametrize("pattern", ["**/*.txt", "deep/*", "deep/**", "[d]*/*.md"])
def test_a_glob_over_a_folder_that_cannot_be_listed(folder, monkeypatch, pattern):
    refusing(monkeypatch, "deep", os.listdir)
    said = r"^the folder deep cannot be listed \(Permission denied\); check its permissions$"
    for corpus in (pattern, [pattern]):
        with pytest.raises(CorpusError, match=said):
            find_sources(corpus)
    for text in (f"{pattern} is what?", "deep/* b?"):
        assert find_sources([text]).texts == [text]
    assert items("*.txt") == ["b.txt"]


def test_a_glob_over_a_folder_that_cannot_be_entered(folder, monkeypatch):
    refusing(monkeypatch, "deep/d.md", os.lstat)
    with pytest.raises(CorpusError, match=r"^deep/d\.md cannot be looked for \(Permission denied"):
        find_sources("*/d.md")


@pytest.mark.parametrize("text", ["a\0b/*", "*/a\0b", "x" * 999 + "/*", "\ud800/*?"])
def test_texts_that_look_like_globs_of_impossible_names(folder, text):
    assert find_sources([text, "b"]).texts == [text, "b"]


def test_file_whose_name_looks_like_a_glob(folder):
    Path("what?.txt").write_text("text")
    assert items("what?.txt") == ["what?.txt"]


@pytest.mark.parametrize("kind", [str, Path])
def test_home(folder, monkeypatch, kind):
    monkeypatch.setenv("HOME", str(folder))
    b, c = folder / "b.txt", folder / "deep" / "er" / "c.TXT"
    for corpus in (kind("~/b.txt"), [kind("~/b.txt")], (kind("~/b.txt"), "b.txt")):
        assert find_sources(corpus).items[0] == b
    assert items(kind("~/deep")) == items(kind("~/**/c*")) == [str(c)]
    assert not find_sources(["~ about", "~/nothing", "~a\0b", "~\ud800/"]).items
    with pytest.raises(CorpusError, match=r"there is no file '.*nothing'"):
        find_sources(kind("~/nothing"))
    (folder / "~").mkdir()
    Path("~/b.txt").write_text("text")
    assert items(kind("~/b.txt")) == ["~/b.txt"]


def test_no_home(folder, monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["nobody"])
    with pytest.raises(CorpusError, match=r"there is no file '~/b.txt'"):
        find_sources("~/b.txt")


DEVICES = ["/dev/zero", "/dev/urandom", "/proc/kmsg", "/dev/kmsg", "/proc/self/status"]
DEVICES = [name for name in DEVICES if os.path.exists(name)]


@pytest.mark.parametrize("device", DEVICES)
def test_what_may_have_no_end(folder, device):
    os.symlink(device, "link.txt")
    regular = os.path.isfile(device)  # so the kernel says; in a folder others are left out
    for corpus in (device, "link.txt", ["b.txt", "link.txt"], *[Path("lin*"), "."] * regular):
        with pytest.raises(CorpusError, match=r"is a device or .*, which may have no end; give a "):
            find_sources(corpus)


@pytest.fixture
def special(folder):
    """Things that would make their reader wait, or fail, where text files are."""
    os.mkfifo("deep/pipe.txt")
    os.mkfifo("deep/pipe")
    os.symlink("pipe", "deep/link.txt")
    os.symlink("/dev/null", "deep/null.txt")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("deep/socket.txt")
    return folder


@pytest.mark.parametrize("corpus", [".", "**/*", Path("**"), [".", "b.txt"]])
def test_pipes_and_sockets_beside_files_are_counted_and_left_out(special, corpus):
    before = {"b.txt", "a.txt.gz", "deep/er/c.TXT", "deep/d.md", "x.csv"}
    found = find_sources(corpus)
    assert {*map(str, found.items)} <= before
    assert len({*found.items}) + found.skipped == len(before) + (
        4 if str(corpus).startswith("**") else 5
    )


@pytest.mark.parametrize("corpus", ["deep/*p*", "deep/[pls]*.txt", ["deep/s*"], Path("deep/null*")])
def test_a_glob_that_matches_only_pipes(special, corpus):
    said = r"^'deep/.*' matches nothing but pipes, .* as 'deep/.*', which are not .*; name it$"
    with pytest.raises(CorpusError, match=said):
        find_sources(corpus)


def test_a_folder_with_only_pipes(special):
    os.remove("deep/er/c.TXT")
    with pytest.raises(
        CorpusError, match=r"^the folder deep holds no text but pipes, .*; name it$"
    ):
        find_sources("deep")
    assert items("deep/pipe.txt") == ["deep/pipe.txt"]


def test_addresses_of_files_and_addresses_that_have_lost_a_slash(folder):
    for name in ("file:///host/a.txt", "FILE:/host/a.txt"):
        for corpus in (name, Path(name), ["b.txt", name]):
            with pytest.raises(CorpusError, match=r"is an address; .* of the file: /host/a\.txt$"):
                find_sources(corpus)
    address = "s3://bucket/a.txt"
    said = rf"^'s3:/bucket/a\.txt' was an address; give it as a str: '{address}'$"
    for corpus in ("s3:/bucket/a.txt", Path(address), [Path(address)], ["b.txt", Path(address)]):
        with pytest.raises(CorpusError, match=said):
            find_sources(corpus)


@pytest.mark.parametrize("corpus", ["C:/a.txt", "see: //a b", "a:/b c"])
def test_what_is_no_address(folder, corpus):
    with pytest.raises(CorpusError, match=r"^there is no file"):
        find_sources(corpus)


def test_a_disk(folder, monkeypatch):
    real = os.stat("b.txt")
    disk = os.stat_result((stat.S_IFBLK | 0o600, *real[1:]))
    monkeypatch.setattr(sources_module.os, "stat", lambda *_, **__: disk)
    with pytest.raises(CorpusError, match="is a device"):
        sources_module.check_readable("b.txt")


def test_a_terminal_and_nothing_are_read(folder):
    os.mkfifo("pipe")
    for name in (os.devnull, "pipe"):
        assert items(name) == [name]
    sources_module.check_readable("nothing there")
    controlling, terminal = os.openpty()
    name = os.ttyname(terminal)
    with pytest.raises(CorpusError, match="is a device"):  # somebody else's
        find_sources(name)
    code = f"from cbow.text import find_sources; print(find_sources({name!r}).items)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=terminal, capture_output=True, text=True, check=True
    )
    assert name in done.stdout
    os.close(controlling)
    os.close(terminal)


def test_names_by_which_a_text_is_found_again(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    sources = find_sources(["*.txt", Path("~/deep"), "nltk:brown"])
    assert sources.names == [f"{folder}/*.txt", f"{folder}/deep", "nltk:brown"]
    assert sources.files == [Path("b.txt"), folder / "deep" / "er" / "c.TXT"]
    assert sources.size is None
    assert find_sources(["*.txt", "deep"]).size == 8
    assert find_sources(["b.txt", "-"]).names is None


def test_the_nearest_name_of_a_folder_counts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("text")
    os.symlink(tmp_path / "b", tmp_path / "a" / "link")
    assert find_sources(tmp_path).items == (tmp_path / "b" / "x.txt",)


def test_stdin_and_nltk():
    assert find_sources("-").items == ("-",)
    assert find_sources(["nltk:brown", "-"]).items == ("nltk:brown", "-")
    assert find_sources([Path("-"), Path("nltk:brown")]).items == ("-", "nltk:brown")


def test_names_for_messages():
    assert find_sources("-").name == "the standard input"
    assert find_sources("nltk:brown").name == "nltk:brown"
    assert find_sources(["-", "nltk:brown"]).name == "the text (2 sources)"


@pytest.mark.parametrize("corpus", ["nothing.txt", "a long text " * 999])
def test_no_such_file(folder, corpus):
    with pytest.raises(CorpusError, match=r"there is no file .* cbow\.train\(\[text\]\)") as caught:
        find_sources(corpus)
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize("corpus", ["", ["b.txt", ""], (Path("b.txt"), ""), ["-", ""]])
def test_an_empty_name_is_not_the_current_folder(folder, corpus):
    with pytest.raises(CorpusError, match=r"an empty name names no file; .* or \. for the current"):
        find_sources(corpus)


def test_no_such_path_was_not_meant_as_text(folder):
    with pytest.raises(CorpusError, match=r"there is no file 'nothing\.txt'; check the name$"):
        find_sources(Path("nothing.txt"))


def test_link_to_nothing(folder):
    os.symlink("nowhere", "link.txt")
    with pytest.raises(CorpusError, match=r"link\.txt is a link to a file that is not there"):
        find_sources("link.txt")


def test_path_of_bytes():
    class Odd(os.PathLike):
        def __fspath__(self):
            return b"a.txt"

    with pytest.raises(CorpusError, match="of type bytes"):
        find_sources(Odd())


# lists: sources or texts


@pytest.mark.parametrize(
    "corpus",
    [["b.txt", "deep"], ("b.txt", Path("deep")), ["*.txt", "deep"], [Path("b.txt"), "deep/er"]],
)
def test_lists_of_sources(folder, corpus):
    assert [os.path.basename(name) for name in items(corpus)] == ["b.txt", "c.TXT"]


@pytest.mark.parametrize(
    "corpus",
    [
        ["the king", "the queen"],
        ("the king", ["a", "list"]),
        [["b.txt"]],
        ["what is this?", "b"],
        [],
        iter(["b.txt"]),
        {"b.txt": 1},
        7,
        None,
        b"b.txt",
    ],
)
def test_texts(folder, corpus):
    sources = find_sources(corpus)
    assert sources.texts is corpus
    assert (sources.items, sources.files, sources.names, sources.name) == ((), [], None, "the text")
    assert find_sources(sources) is sources


def test_all_must_be_there_if_the_first_is(folder):
    said = (
        r"there is no file 'c\.txt'; .* to pass text itself, give an iterator: iter\(\[\.\.\.\]\)$"
    )
    with pytest.raises(CorpusError, match=said):
        find_sources(["b.txt", "c.txt"])
    with pytest.raises(CorpusError, match=r"there is no file 'c\.txt'"):
        find_sources([Path("c.txt")])


@pytest.mark.parametrize("name", ["c.txt", ""])
def test_names_that_are_not_there_are_no_texts_beside_one_that_is(folder, name):
    with pytest.raises(CorpusError, match=rf"^'{name}' names no file, but 'b\.txt' does; .*iter\("):
        find_sources([name, "b.txt"])


@pytest.mark.parametrize(
    ("texts", "listed"),
    [
        (["int a;", "/**/ b?"], 0),
        (["is it?", *["/*/*", "**", "[a]"] * 9], 1),  # the first may be a pattern, the others not
        (["/**/ b?", "int a;"], 0),
        (["** b **/ c", "*"], 1),
        (["*\n", "*"], 0),
        (["x = *y;\r*", "b.txt\n"], 0),
    ],
)
def test_a_list_of_texts_is_not_looked_for_in_folders(folder, texts, listed, monkeypatch):
    places = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: places.append(path) or listdir(path))
    assert find_sources(texts).texts == texts
    assert len(places) == listed


def test_a_pattern_with_a_blank_comes_first_in_a_list(folder):
    (folder / "my texts").mkdir()
    Path("my texts/m.txt").write_text("text")
    assert items(["my texts/*", "x*"]) == ["my texts/m.txt", "x.csv"]
