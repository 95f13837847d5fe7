"""The site: its pages are those of the repository, its reference is of all public names."""

import re
from pathlib import Path

import pytest
from load_script import load_script

import cbow

ROOT = Path(__file__).parents[2]
site_pages, check_links = load_script("site_pages"), load_script("check_links")


@pytest.fixture(scope="module")
def pages():
    return site_pages.pages()


def test_every_page_that_a_person_reads_is_in_the_menu(pages):
    """A page that is missing there, or one too many, ends the build of the site."""
    menu = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:")[2].partition("\n\n")[0]
    named = re.findall(r"([\w/]+(?:\.cff)?\.md)$", menu, flags=re.M)
    read = [
        page for page in pages if re.fullmatch(r"(docs/|corpora/|reference/)?\w+(\.cff)?\.md", page)
    ]
    assert sorted(named) == sorted(read)


def test_every_page_of_the_documentation_and_the_changes_are_brought_along(pages):
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(pages)
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "corpora/README.md"} <= set(pages)


def test_the_reference_has_every_public_name_once():
    names = [name for _, _, names in site_pages.REFERENCE.values() for name in names]
    assert len(set(names)) == len(names)
    assert {*cbow.__all__, "CBOWVectorizer", "network"} <= set(names)


def test_the_pages_are_laid_out_as_in_the_repository(tmp_path):
    (tmp_path / "left.md").write_text("of an earlier time")
    assert site_pages.main([str(tmp_path)]) == 0
    assert not (tmp_path / "left.md").exists()
    for page in tmp_path.rglob("*.md"):
        text = site_pages.CODE.sub("", page.read_text("utf-8"))
        for link in site_pages.LINK.findall(text):
            assert (page.parent / link).is_file(), f"{page}: {link}"
    source = (tmp_path / "cbow/network/forward.py.md").read_text("utf-8")
    assert source.startswith("# cbow/network/forward.py\n\n~~~~~~python\n")
    assert "def forward(" in source
    for picture in (ROOT / "docs").glob("*.svg"):
        assert (tmp_path / "docs" / picture.name).read_bytes() == picture.read_bytes()


def test_links_in_code_are_none():
    text = (
        "```python\nA[l](Z[l])\n```\n\n    dict[int](3)\n\n`x[1](2)` and [this](docs/files.md#a)."
    )
    assert site_pages.linked("README.md", text) == ["docs/files.md"]
    assert site_pages.linked("docs/x.md", "[up](../LICENSE) [web](https://a.b/c)") == ["LICENSE"]
    assert site_pages.with_links_to_pages("x.md", "[a](LICENSE) [b](c.md)") == (
        "[a](LICENSE.md) [b](c.md)"
    )


GOOD = """\
<a id="top" href="other.html">x</a> <a href="folder/third.html#w%C3%B6rd">y</a> <a href="#top">z</a>
<a href="https://example.org/page">out</a> <a href="mailto:a@b.c">mail</a> <img src="/picture.svg">
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "index.html").write_text(GOOD, encoding="utf-8")
    (tmp_path / "other.html").write_text('<a href="https://example.org/page">out</a>')
    (tmp_path / "folder" / "third.html").write_text(
        '<p id="wörd"><a href="../index.html">up</a>', encoding="utf-8"
    )
    (tmp_path / "picture.svg").write_text("<svg/>")
    return tmp_path


def test_good_links_pass_and_others_are_listed_not_tried(site, capsys):
    assert check_links.main([str(site)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "0 bad links; 1 links to other hosts, not tried\n")
    assert check_links.main([str(site), "--external"]) == 0
    assert capsys.readouterr().out == "https://example.org/page  (index.html, other.html)\n"


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("gone.html", "leads to no file"),
        ("folder", "leads to no file"),
        ("/gone.svg", "leads to no file"),
        ("other.html#nowhere", "leads to a place that is not on that page"),
        ("#nowhere", "leads to a place that is not on that page"),
    ],
)
def test_a_bad_link_fails(site, capsys, link, wrong):
    (site / "bad.html").write_text(f'<a href="{link}">x</a>')
    assert check_links.main([str(site)]) == 1
    assert f"bad.html: {link} {wrong}\n1 bad links;" in capsys.readouterr().err
