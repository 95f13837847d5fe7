"""The page: whole, safe, in need of nothing else, and its data as they were."""

import base64
import hashlib
import html.parser
import importlib.resources
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.explore import Choices, page, page_data
from cbow.explore.page import SCRIPTS, STYLES, as_json
from cbow.vectors import WordVectors

VOID = {"meta", "link", "input", "br", "img"}
NASTY = [
    "<script>alert(1)</script>",
    "</script>",
    "<!--<script>",
    "-->",
    "]]>",
    "\"'`&amp;&lt;",
    "$policy ${1 + 1} $$",
    "\u2028\u2029",
    "\x00\x1b[2J",
    "שלום",
    "\u202eabc",
    "e\u0301\u0302\u0303",
    "👩‍👩‍👧‍👦",
    "\ud800",
    "x" * 5000,
    "two words",
    "__proto__",
]


#: How a script could fetch something, and how it could read text as markup.
WAYS_OUT = "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "EventSource", "import("
WAYS_IN = (
    "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "srcdoc",
    "DOMParser", "createContextualFragment", "setHTML",
)  # fmt: skip


class Reader(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"an attribute of {tag} is given twice"
        self.elements.append((tag, dict(attributes)))
        self.texts.append("")
        if tag not in VOID:
            self.open.append((tag, len(self.texts) - 1))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.texts[self.open[-1][1]] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag, **wanted):
        """The text of the only element of a kind."""
        [found] = [
            text
            for (name, attributes), text in zip(self.elements, self.texts, strict=True)
            if name == tag and wanted.items() <= attributes.items()
        ]
        return found


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def drawn(words, seed=1, N=6, counts=None):
    matrix = np.random.default_rng(seed).standard_normal((len(words), N)).astype(np.float32)
    return WordVectors(words, matrix, counts)


def content(*models, **choices):
    choices = Choices(**{"limit": 100, "map": 50, "layout": "pca", "seed": 1, **choices})
    return page_data([(f"model {i}", each) for i, each in enumerate(models)], choices)


def words(V=30):
    return [f"w{i}" for i in range(V)]


def data(text):
    return json.loads(read(text).text("script", type="application/json"))


@pytest.fixture(scope="module")
def plain():
    return page(content(drawn(words(), counts=np.arange(40, 10, -1))))


def test_the_frame(plain):
    assert plain.startswith("<!DOCTYPE html>\n")
    assert plain.endswith("</html>\n")
    reader = read(plain)
    assert reader.all("html") == [{"lang": "en", "translate": "no"}]
    assert reader.all("meta")[0] == {"charset": "utf-8"}
    assert "cbow-explore" in plain[:200]
    assert {a.get("name") for a in reader.all("meta")} >= {"viewport", "generator"}
    assert [len(reader.all(tag)) for tag in ("h1", "main", "title", "canvas")] == [1, 1, 1, 1]
    assert reader.text("title") == "Words of model 0"


def test_it_needs_nothing_else(plain):
    reader = read(plain)
    assert [a["href"] for a in reader.all("link")] == ["data:,"]
    for tag in ("img", "iframe", "object", "form", "a", "base"):
        assert reader.all(tag) == []
    for _, attributes in reader.elements:
        assert not {"src", "srcset", "style", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    style, scripts = reader.text("style"), reader.texts[-1]
    assert not re.search(r"@import|url\(|@font-face", style)
    assert not re.search(r"https?:", plain)
    for way_out in WAYS_OUT:
        assert way_out not in scripts


def test_the_policy_lets_only_this_script_and_these_styles_in(plain):
    reader = read(plain)
    [policy] = [a["content"] for a in reader.all("meta") if "http-equiv" in a]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for name, text in (
        ("script-src", reader.texts[-1]),
        ("style-src", reader.text("style")),
    ):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert set(rules) == {
        "default-src", "base-uri", "form-action", "img-src", "script-src", "style-src"
    }  # fmt: skip


def test_words_are_never_read_as_markup():
    for name in SCRIPTS:
        text = importlib.resources.files("cbow.explore").joinpath(name).read_text("utf-8")
        for way_in in WAYS_IN:
            assert way_in not in text, name
        assert "</" not in text, name  # nothing ends the element, or begins another
        assert "<!--" not in text, name


def test_every_file_of_the_folder_is_in_the_page():
    files = {each.name for each in importlib.resources.files("cbow.explore").iterdir()}
    assert {name for name in files if name.endswith(".js")} == set(SCRIPTS)
    assert {name for name in files if name.endswith(".css")} == set(STYLES)


def test_labels_of_the_elements(plain):
    reader = read(plain)
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for name in ("for", "aria-controls"):
        assert {a[name] for _, a in reader.elements if name in a} <= set(ids)
    labelled = {a["for"] for a in reader.all("label")}
    assert all(a["id"] in labelled for a in reader.all("input"))
    for tag, attributes in reader.elements:
        if tag == "canvas" or attributes.get("role") in ("listbox", "group", "application"):
            assert attributes["aria-label"]
    buttons = [
        (attributes, text)
        for (tag, attributes), text in zip(reader.elements, reader.texts, strict=True)
        if tag == "button"
    ]
    assert all(a["type"] == "button" and (a.get("aria-label") or text) for a, text in buttons)


def test_the_scripts_find_the_elements_they_ask_for(plain):
    ids = {a["id"] for _, a in read(plain).elements if "id" in a}
    asked = set(re.findall(r'byId\("([a-z-]+)"\)', read(plain).texts[-1]))
    assert asked
    assert asked <= ids


def test_every_colour_that_is_used_is_given(plain):
    text = plain.partition("<script")[0] + read(plain).texts[-1]
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", text))
    assert used <= set(re.findall(r"--([a-z0-9-]+):", text))


@pytest.mark.parametrize("counts", [None, np.arange(130, 100, -1)])
def test_the_data_come_back(counts):
    vectors = drawn(words(), counts=counts)
    whole = content(vectors, limit=20, map=9)
    [model] = data(page(whole))["models"]
    assert model["words"] == words()[:20]
    assert (model["total"], model["dimension"], model["name"]) == (30, 6, "model 0")
    assert model["counts"] == (None if counts is None else list(range(130, 110, -1)))
    rows = np.frombuffer(base64.b64decode(model["rows"]), np.int8).reshape(20, 6)
    np.testing.assert_array_equal(rows, whole.models[0].rows)
    places = np.frombuffer(base64.b64decode(model["places"]), "<i2").reshape(9, 2)
    np.testing.assert_array_equal(places, whole.models[0].places)
    assert model["caption"] == "9 of 30 words, by PCA"
    assert model["about"].startswith(
        "has 6 numbers per word. The page has the first 20 of its 30 words; 10 are left out. The "
        "map shows the first 9, laid out by PCA (it shows "
    )
    assert model["shades"] is None


def test_two_models():
    whole = content(drawn(words()), drawn(words(), seed=2))
    found = data(page(whole))
    assert [model["name"] for model in found["models"]] == ["model 0", "model 1"]
    shared = whole.shared.shared.tolist()
    assert found["shared"]["words"] == words()
    assert found["shared"]["shared"] == shared
    assert found["shared"]["neighbours"] == 3
    assert found["shared"]["about"].startswith("30 words are in both models; the neighbours of 30")
    assert f"? {np.mean(shared):.1f} on average" in found["shared"]["question"]
    for model in found["models"]:
        assert model["shades"] == [min(3, 4 * each // 3) for each in shared]
    assert read(page(whole)).text("title") == "Words of model 0 and model 1"


def test_words_that_are_not_compared_have_no_shade():
    whole = content(drawn([*words(), "here"]), drawn(["there", *words()], seed=2), limit=31)
    here, there = (model["shades"] for model in data(page(whole))["models"])
    assert (here.index(None), there.index(None)) == (30, 0)
    assert here[:30] == there[1:]
    assert set(here[:30]) <= {0, 1, 2, 3}


def test_words_that_are_compared_but_not_on_a_map_have_no_shade_there():
    whole = content(drawn(words()), drawn(["first", *words()], seed=2), map=20)
    one, other = (model["shades"] for model in data(page(whole))["models"])
    assert len(whole.shared.words) == len(one) == len(other) == 20
    assert other == [None, *one[:19]]


def test_models_without_a_common_word():
    found = data(page(content(drawn(["a", "b"]), drawn(["c"]))))
    assert found["shared"]["words"] == []
    assert found["models"][0]["shades"] == [None, None]


def test_one_model_shares_nothing(plain):
    assert data(plain)["shared"] is None


def test_examples_are_neither_the_most_frequent_nor_rare():
    many = [f"word{i}" if i % 3 else f"w{i}" for i in range(1000)]
    found = data(page(content(drawn(many), limit=1000)))["examples"]
    assert found == [f"word{i}" for i in (151, 250, 400, 601, 850)]
    assert data(page(content(drawn(words()))))["examples"] == words()[:8]


def test_words_stay_words():
    text = page(content(drawn(NASTY)))
    assert data(text)["models"][0]["words"] == NASTY
    assert len(read(text).all("script")) == 2
    assert text.count("<script") == text.count("</script") == 2
    text.encode("utf-8")


def test_the_name_is_no_markup_either():
    whole = page_data([("</title><b>&\udcff", drawn(words()))], Choices(9, 9, "pca", 1))
    text = page(whole)
    assert read(text).text("title") == "Words of </title><b>&?"
    assert read(text).all("b") == []
    assert data(text)["models"][0]["name"] == "</title><b>&\udcff"


@given(st.lists(st.text(st.characters(), max_size=9)))
def test_json_in_a_script_element(texts):
    written = as_json(texts)
    assert json.loads(written) == texts
    assert not set("<>&\u2028\u2029") & set(written)
    written.encode("utf-8")
    reader = read(f"<script>{written}</script>")
    assert reader.texts == [written]


def test_the_same_input_gives_the_same_bytes():
    one, again = (page(content(drawn(words()), drawn(NASTY, seed=2))) for _ in range(2))
    assert one == again
    assert one != page(content(drawn(words(), seed=3), drawn(NASTY, seed=2)))
