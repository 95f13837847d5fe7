"""The pages: every link leads to a file and to a heading of it, also from code and messages."""

import re
from pathlib import Path

import pytest

from cbow.cli.train import _parser

ROOT = Path(__file__).parents[1]
PAGES = [page for place in (".", "docs", "corpora") for page in (ROOT / place).glob("*.md")]


def prose(page):
    """The page without its code: fenced, or indented by four spaces."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"(?s:^```.*?^```$)|^    .*$", "", text, flags=re.M)


def anchors(page):
    """The anchors of the headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.*)", prose(page), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]*)\)", prose(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_of_the_documentation_is_in_the_readme():
    named = set(re.findall(r"\]\((docs/[^)#]*\.md)\)", prose(ROOT / "README.md")))
    assert named == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


def test_pages_that_code_names_are_there():
    places = ("*.toml", "cbow/**/*.*", "scripts/**/*", "tests/*.py")
    paths = [path for place in places for path in ROOT.glob(place) if path.suffix != ".pyc"]
    named = 0
    for path in filter(Path.is_file, paths):
        text = path.read_text(encoding="utf-8", errors="replace")
        for name, anchor in re.findall(r"\b((?:docs|corpora)/[\w-]+\.md)(?:#([\w-]+))?", text):
            named += 1
            assert (ROOT / name).is_file(), f"{path}: {name}"
            assert not anchor or anchor in anchors(ROOT / name), f"{path}: {name}#{anchor}"
    assert named


def test_what_the_map_names_is_there():
    named = re.findall(
        r"`(cbow/[\w/.]*)(?::(\w+))?`", (ROOT / "docs/architecture.md").read_text("utf-8")
    )
    for path, definition in named:
        assert (ROOT / path).exists(), path
        if definition:
            source = (ROOT / path).read_text("utf-8")
            assert re.search(rf"^(def|class) {definition}\b", source, flags=re.M), (
                path,
                definition,
            )
    assert len(named) > 40


def test_no_message_sends_anybody_to_a_package_of_this_name_that_is_another():
    """There is no such package in the index: whoever took the name could run code."""
    for path in [*(ROOT / "cbow").rglob("*.py"), *PAGES]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"pip install (-\S+ )*[\"']?cbow\b", text), path


def test_the_flags_of_the_settings_take_what_the_page_says():
    """A value that only Python takes is no value of a flag."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    parser = _parser()
    for names in re.findall(r"\| `(--[\w-]+)` \| [^|]* \| one of ([^|]*) \|", page):
        for value in names[1].split(", "):
            assert parser.parse_args(["x", names[0], value])
