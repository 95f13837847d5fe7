"""The page: well-formed, whole, safe, and in need of nothing else."""

import html.parser
import re

import pytest

from cbow.explain import Explanation, Section, Settings, Table, explain, page, work_out
from cbow.explain.explanation import number

DEFAULT = Settings(window=2, dimension=3, activation="relu", seed=1, learning_rate=0.5)
LINE = ["the", "dog", "sees", "the", "cat", "and", "the", "cat", "runs"]
NASTY = [["<script>alert(1)</script>", "a&amp;b", '"><img', "'onload='x", "http://x.y/z", "]]>"]]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Reader(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.tables, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"an attribute of {tag} is given twice"
        self.elements.append((tag, dict(attributes), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def told(lines=(LINE,), digits=3, **changes):
    return explain(work_out(lines, DEFAULT._replace(**changes)), digits)


@pytest.fixture(scope="module")
def default():
    return page(told())


def test_the_frame(default):
    assert default.startswith("<!DOCTYPE html>\n")
    assert default.endswith("</html>\n")
    reader = read(default)
    assert reader.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in reader.all("meta")
    assert reader.all("meta")[0] == {"charset": "utf-8"}  # within the first 1024 bytes
    assert any(each.get("name") == "viewport" for each in reader.all("meta"))
    assert [len(reader.all(tag)) for tag in ("h1", "nav", "main", "title")] == [1, 1, 1, 1]
    assert len(reader.all("h2")) == len(reader.all("section")) == 10


def test_it_needs_nothing_else(default):
    assert not re.search(r"https?:|//|@import|url\(|@font-face", default.replace("<!DOCTYPE", ""))
    reader = read(default)
    for tag in ("script", "link", "img", "iframe", "object", "form"):
        assert reader.all(tag) == []
    assert not any(
        name.startswith("on") or name in ("src", "srcset")
        for _, a, _ in reader.elements
        for name in a
    )
    policies = [a["content"] for a in reader.all("meta") if "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_links_lead_somewhere_and_ids_are_unique(default):
    reader = read(default)
    ids = [a["id"] for _, a, _ in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for a in reader.all("a")]
    assert links.count("#section-1") == 2  # to skip the navigation, and in it
    assert links.count("#section-10") == 2  # in the navigation, and from section 9
    assert {link.removeprefix("#") for link in links} <= set(ids)
    for _, attributes, _ in reader.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_tables_are_tables(default):
    reader = read(default)
    tables = len(reader.all("table"))
    assert tables == len(reader.all("caption")) == len(reader.all("thead")) == 30
    assert len(reader.all("tbody")) == tables
    assert all(a.get("scope") in ("col", "row") for a in reader.all("th"))
    boxes = [a for a in reader.all("div") if a.get("class") == "box"]
    assert len(boxes) == tables
    assert all(a["tabindex"] == "0" and a["role"] == "group" for a in boxes)
    for _, _, around in (each for each in reader.elements if each[0] == "table"):
        assert around[-2:] == ("figure", "div")
    for rows in reader.tables:
        assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("changes", [{}, {"activation": "sigmoid", "dimension": 20, "digits": 6}])
def test_every_number_of_the_content_is_there(changes):
    e = told(**changes)
    tables = iter(read(page(e)).tables)
    for section in e.sections:
        for table in section.tables:
            expected = [[number(cell, e.digits) for cell in row[1:]] for row in table.rows]
            found = [[] for _ in table.rows]
            while len(found[0]) < len(expected[0]):
                head, *rows = next(tables)
                assert head[0] == table.columns[0]
                for into, row in zip(found, rows, strict=True):
                    into += (cell.removesuffix("*") for cell in row[1:])
            assert found == expected
    assert next(tables, None) is None


def test_every_sentence_of_the_content_is_there(default):
    e, text = told(), "".join(read(default).text)
    for sentence in (
        e.title,
        *e.introduction,
        *(part for s in e.sections for part in (s.title, s.purpose, *s.notice)),
        *(table.equation for s in e.sections for table in s.tables),
    ):
        assert sentence in text
    assert "the probability of each word; * the target" in text


def test_words_stay_words():
    text = page(told(NASTY))
    reader = read(text)
    assert reader.all("script") == reader.all("img") == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    headings = {cell for table in reader.tables for row in table for cell in row}
    assert set(NASTY[0]) <= headings
    assert not any(name.startswith("on") for _, a, _ in reader.elements for name in a)


def test_words_from_right_to_left_turn_nothing_around_them():
    text = page(told([["the", "שלום", "cat", "runs"]]))
    assert "<td><bdi>the</bdi> <bdi>שלום</bdi></td>" in text
    assert '<th scope="col"><bdi>2</bdi> <bdi>שלום</bdi></th>' in text


def test_nothing_of_the_content_is_markup():
    evil = "<b>&lt;\"'"
    table = Table(evil, evil, (evil, evil), ((evil, 0.5),), evil, frozenset({(0, 0)}), evil)
    reader = read(page(Explanation(evil, (evil,), (Section(evil, evil, (table,), (evil,)),), 1)))
    assert reader.all("b") == []
    assert "".join(reader.text).count(evil) >= 11


def test_marks_and_signs_do_not_rely_on_colour():
    reader = read(page(told()))
    marked = [a for a in reader.all("td") if "marked" in a.get("class", "")]
    marks = [cell for table in reader.tables for row in table for cell in row if "*" in cell]
    assert len(marked) == len(marks) == 9 + 9 + 18 + 3
    kinds = [(a["class"].split()[0], cell) for a, cell in cells(reader) if "class" in a]
    for kind, cell in kinds:
        if kind in ("above", "below", "zero"):
            assert (kind == "below") == cell.startswith("-")
            assert (kind == "zero") == (cell.strip("*") == "0")


def cells(reader):
    """Every td with its text."""
    texts, n = [cell for table in reader.tables for row in table for cell in row], 0
    for tag, attributes, _ in reader.elements:
        if tag in ("td", "th"):
            if tag == "td":
                yield attributes, texts[n]
            n += 1


def test_shades_follow_the_size():
    table = Table("T", "", ("", "a", "b", "c"), (("r", 2.0, -1.0, 0.0),))
    text = page(Explanation("", (), (Section("", "", (table,)),), 1))
    assert '<td class="above" style="--share:1.00">2.0</td>' in text
    assert '<td class="below" style="--share:0.50">-1.0</td>' in text
    assert '<td class="zero">0</td>' in text
    nothing = Table("T", "", ("", "a"), (("r", 0.0),))
    assert '<td class="zero">0</td>' in page(Explanation("", (), (Section("", "", (nothing,)),), 1))


def test_ids_and_counts_have_no_shade():
    reader = read(page(told()))
    assert reader.tables[1][1] == ["the", "0", "3"]
    plain = [attributes for attributes, _ in cells(reader)][: 18 + 12]
    assert all(attributes.get("class", "text") == "text" for attributes in plain)


def test_wide_tables_are_cut_into_parts():
    reader = read(page(told([[f"word{i}" for i in range(20)]])))
    captions = "".join(reader.text)
    assert [f"X (20, 20), part {i} of 3" in captions for i in range(5)] == [0, 1, 1, 1, 0]
    assert max(len(row) for table in reader.tables for row in table) < 12


def test_contexts_are_never_cut_into_parts():
    reader = read(page(told([[f"{letter * 30}" for letter in "abcdefg"]])))
    assert ["example", "before", "target", "after"] in [table[0] for table in reader.tables]
    assert "Examples, part" not in "".join(reader.text)


def test_the_same_input_gives_the_same_page():
    assert page(told()) == page(told())
    assert page(told()) != page(told(seed=2))
