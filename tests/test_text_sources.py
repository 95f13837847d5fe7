import os
from pathlib import Path

import pytest

from cbow.errors import CorpusError
from cbow.text.sources import SUFFIXES, find_sources


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
    assert find_sources(kind("b.txt")) == ((Path("b.txt"),), 0)
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


def test_folder_without_text(folder):
    (folder / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"holds no file ending in \.txt .* no file at all; name"):
        find_sources(folder / "empty")
    (folder / "empty" / "z.md").write_text("text")
    with pytest.raises(
        CorpusError, match=r"1 other, such as 'z\.md'; name other files with a glob"
    ):
        find_sources(folder / "empty")


def test_folder_that_cannot_be_listed(folder, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(CorpusError, match=r"cannot be listed \(Permission denied\)"):
        find_sources(folder)


def test_glob(folder):
    assert items("*.txt*") == ["a.txt.gz", "b.txt"]
    assert items("**/*") == ["a.txt.gz", "b.txt", "deep/d.md", "deep/er/c.TXT", "x.csv"]
    assert items("**/**/d.md") == ["deep/d.md"]
    assert items(Path("[ab].*")) == ["a.txt.gz", "b.txt"]
    with pytest.raises(CorpusError, match=r"no file matches '\*\.xz'"):
        find_sources("*.xz")


def test_file_whose_name_looks_like_a_glob(folder):
    Path("what?.txt").write_text("text")
    assert items("what?.txt") == ["what?.txt"]


def test_stdin_and_nltk():
    assert find_sources("-") == (("-",), 0)
    assert find_sources(["nltk:brown", "-"]) == (("nltk:brown", "-"), 0)
    assert find_sources([Path("-"), Path("nltk:brown")]).items == ("-", "nltk:brown")


def test_names_for_messages():
    assert find_sources("-").name == "the standard input"
    assert find_sources("nltk:brown").name == "nltk:brown"
    assert find_sources(["-", "nltk:brown"]).name == "the text (2 sources)"


@pytest.mark.parametrize("corpus", ["", "nothing.txt", "a long text " * 999])
def test_no_such_file(folder, corpus):
    with pytest.raises(CorpusError, match=r"there is no file .* cbow\.train\(\[text\]\)") as caught:
        find_sources(corpus)
    assert len(str(caught.value)) < 250


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
    assert find_sources(corpus) is None


def test_all_must_be_there_if_the_first_is(folder):
    with pytest.raises(CorpusError, match=r"there is no file 'c\.txt'"):
        find_sources(["b.txt", "c.txt"])
    with pytest.raises(CorpusError, match=r"there is no file 'c\.txt'"):
        find_sources([Path("c.txt")])


def test_names_that_are_not_there_are_no_texts_beside_one_that_is(folder):
    with pytest.raises(CorpusError, match=r"^'c\.txt' names no file, but 'b\.txt' does; .*iter\("):
        find_sources(["c.txt", "b.txt"])
