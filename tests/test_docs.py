"""The pages: every link between them leads to a file, and to a heading of it."""

import re
from pathlib import Path

import pytest

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
