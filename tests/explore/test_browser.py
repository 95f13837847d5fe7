"""The page in a real browser: what it shows, what keys and pointers do, what it never does."""

from urllib.parse import quote

import numpy as np
import pytest
from browser import Browser, needs_browser, running_chromium

from cbow.errors import QueryError
from cbow.explore import Choices, page, page_data
from cbow.vectors import WordVectors, parse_expression

pytestmark = [needs_browser, pytest.mark.slow]

EVIL = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\"onmouseover='alert(4)'",
    "javascript:alert(5)",
    "&lt;b&gt;",
    "${alert(6)}",
    "שלום",
    "\u202eabc",
    "e\u0301\u0302\u0303",
    "👩‍👩‍👧‍👦",
    "\x1b[2J",
    "\u200b",
    "x" * 5000,
    "__proto__",
    "constructor",
    "100%",
    "%41",
    "#",
    "new york",
]
ROYAL = ["man", "woman", "king", "queen", "Queen", "naïve", "well-known", "-ness", "+"]
V = 400


def royal(seed=1):
    """Words such that king - man + woman is queen, among many others."""
    rng = np.random.default_rng(seed)
    words = [*ROYAL, *(f"word{i}" for i in range(V - len(ROYAL)))]
    matrix = rng.standard_normal((V, 16)).astype(np.float32)
    matrix[3] = matrix[2] - matrix[0] + matrix[1]
    return WordVectors(words, matrix, np.arange(2 * V, V, -1))


def other():
    """The same words but for one, with a few that moved; "other-only" is its own."""
    vectors = royal()
    matrix = vectors.matrix.copy()
    matrix[50:60] = np.random.default_rng(9).standard_normal((10, 16))
    words = [*vectors.words[:-1], "other-only"]
    return WordVectors(words, matrix, vectors.counts)


def alike():
    """Words in the very same place, at right angles, and opposite."""
    rows = [[1, 0]] * 5 + [[4, 3]] * 5 + [[0, 1]] * 6 + [[-1, 0]] + [[0, 0]]
    words = ["a", *(f"{name}{i}" for name, n in (("same", 4), ("near", 5), ("right", 6))
             for i in range(n)), "opposite", "nothing"]  # fmt: skip
    return WordVectors(words, np.array(rows, np.float32))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Addresses of pages: of one model, of two, of words that look like markup."""
    folder = tmp_path_factory.mktemp("pages")
    choices = Choices(limit=V - 50, map=V - 100, layout="pca", seed=1)
    evil = np.random.default_rng(2).standard_normal((len(EVIL), 8))
    contents = {
        "one": page_data([("one", royal())], choices),
        "two": page_data([("one", royal()), ("other", other())], choices._replace(limit=V)),
        "evil": page_data([("<b>evil</b>", WordVectors(EVIL, evil))], choices),
        "alike": page_data([("alike", alike())], choices),
        "signs": page_data([("signs", WordVectors(["rock + roll", "rock"], np.eye(2)))], choices),
        "single": page_data([("single", WordVectors(["lonely"], np.ones((1, 3))))], choices),
    }
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(page(content), encoding="utf-8", newline="\n")
    return {name: (folder / f"{name}.html").as_uri() for name in contents}


@pytest.fixture(scope="module")
def chromium():
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def shared(chromium):
    browser = Browser(chromium)
    yield browser
    browser.close()


@pytest.fixture
def browser(shared):
    """A browser whose page has nothing to complain of at the end, and has fetched nothing."""
    shared.script = ""
    yield shared
    assert shared.complaints == []
    assert shared.dialogs == []
    assert len(shared.requests) == 1, shared.requests


def at(address, question):
    return f"{address}#{quote(question, safe='')}"


def neighbours(browser, column=0):
    """The words and cosines of a list."""
    return browser.run(
        f"[...document.querySelectorAll('.column')[{column}].querySelectorAll('.row')].map(row => "
        "[row.querySelector('.word').textContent, row.querySelector('.number').textContent])"
    )


def test_it_opens(browser, pages):
    browser.open(pages["one"])
    assert browser.text("#title") == "one"
    assert browser.text("#how") == "300 of 400 words, by PCA"
    assert len(browser.texts("#answers .chip")) == 8
    browser.click_on("summary")
    about = browser.text("#about")
    assert "The page has the first 350 of its 400 words; 50 are left out." in about
    assert "The map shows the first 300, laid out by PCA" in about


def test_neighbours_are_those_of_the_library(browser, pages):
    vectors = royal()
    kept = WordVectors(vectors.words[: V - 50], vectors.matrix[: V - 50])
    browser.open(pages["one"])
    for word in ("king", "naïve", "-ness", "word99", "word340"):
        browser.ask(word)
        found = neighbours(browser)
        assert len(found) == 15
        exact = dict(kept.most_similar(word, topn=30))
        assert len({w for w, _ in found[:10]} & set(list(exact)[:10])) >= 9
        for other_word, cosine in found:
            assert float(cosine.replace("\u2212", "-")) == pytest.approx(
                exact[other_word], abs=0.01
            )
        bars = browser.run("[...document.querySelectorAll('.bar span')].map(e => e.style.width)")
        assert [float(bar.rstrip("%")) for bar in bars] == pytest.approx(
            [100 * float(cosine) for _, cosine in found], abs=0.06
        )


def test_facts_of_a_word(browser, pages):
    browser.open(at(pages["one"], "king"))
    assert browser.text(".facts") == "word 3 of 400 · occurs 798 times"
    browser.ask("word300")
    assert browser.text(".facts").endswith("· not among the 300 on the map")


def test_show_more(browser, pages):
    browser.open(at(pages["one"], "king"))
    browser.click_on(".more")
    assert len(neighbours(browser)) == 50
    assert browser.run("document.activeElement.textContent") == "".join(neighbours(browser)[15])


def test_a_sum(browser, pages):
    browser.open(pages["one"])
    browser.type("#sum", "king - man + woman")
    browser.press("Enter")
    assert browser.text("#answers h2") == "king - man + woman"
    [(best, cosine), *others] = neighbours(browser)
    # The sum of unit vectors is not quite that of the vectors, of which queen was made.
    assert best == "queen"
    assert float(cosine) > 0.9
    assert not {"king", "man", "woman"} & {word for word, _ in others}
    exact = dict(royal().most_similar(["king", "woman"], ["man"]))
    assert float(cosine) == pytest.approx(exact["queen"], abs=0.01)


def test_words_that_are_as_near_come_by_frequency(browser, pages):
    browser.open(at(pages["alike"], "a"))
    expected = [word for word, _ in alike().most_similar("a", topn=20)]
    assert [word for word, _ in neighbours(browser)] == expected[:15]
    assert expected[:6] == ["same0", "same1", "same2", "same3", "near0", "near1"]
    assert expected[-1] == "opposite"
    browser.click_on(".more")
    found = neighbours(browser)
    assert [word for word, _ in found] == expected
    assert [cosine for _, cosine in found[-2:]] == ["0.000", "\u22121.000"]


def test_who_presses_a_key_in_the_list_stays_there(browser, pages):
    browser.open(at(pages["one"], "king"))
    browser.run("document.querySelectorAll('.row')[3].focus()")
    browser.press("Enter")
    assert browser.run("document.activeElement.tagName") == "H2"
    browser.press("Tab", "Tab", "Tab")
    assert browser.run("document.activeElement.className") == "row"


QUESTIONS = [
    "king - man + woman",
    "- man + king",
    "+ king",
    "-ness + king",
    "king - -ness",
    "well-known",
    "  king   -\u00a0man\u3000+ woman ",
    "king queen",
    "king -",
    "king + - man",
    "- - king",
    "-",
    "king\ufeff- man",
    "king\x1f- man",
    "king + king + king",
]


def test_sums_are_read_as_the_library_reads_them(browser, pages):
    browser.open(pages["one"])
    for question in QUESTIONS:
        browser.ask(question)
        try:
            expected = parse_expression(question)
            exact = royal().most_similar(*expected)
        except QueryError:
            assert browser.texts("#answers .trouble"), question
            assert browser.texts(".row") == [], question
        except KeyError:
            assert "not in the vocabulary" in browser.text("#answers"), question
        else:
            assert neighbours(browser)[0][0] == exact[0][0], question


def test_a_word_that_looks_like_a_sign(browser, pages):
    browser.open(at(pages["one"], "+"))
    assert browser.text(".facts").startswith("word 9 of 400")


def test_a_word_without_a_direction(browser, pages):
    browser.open(at(pages["alike"], "nothing"))
    assert "adds up to nothing" in browser.text("#answers .trouble")


def test_a_sum_of_nothing(browser, pages):
    browser.open(at(pages["one"], "king + man - king - man"))
    assert "adds up to nothing" in browser.text("#answers .trouble")


def test_search_as_you_type(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "WORD1")
    found = browser.texts("#find-list [role=option]")
    assert found == ["word1", *(f"word1{i}" for i in range(7))]
    assert browser.text("#find-list .note") == "103 more; type on."  # 1 + 10 + 100 begin with it
    browser.type("#find", "ord34")  # inside
    assert browser.texts("#find-list [role=option]") == ["word34", "word340"]
    browser.type("#find", "naive")  # without the accent
    assert browser.texts("#find-list [role=option]") == ["naïve"]
    browser.type("#find", "queen")  # as it is typed first, then by frequency
    assert browser.texts("#find-list [role=option]") == ["queen", "Queen"]
    browser.type("#find", "Queen")
    assert browser.texts("#find-list [role=option]") == ["Queen", "queen"]


def test_the_list_by_keys(browser, pages):
    browser.open(pages["one"])
    browser.press("/")
    assert browser.run("document.activeElement.id") == "find"
    browser.type("#find", "word1")
    browser.press("ArrowDown", "ArrowDown")
    active = browser.run("document.activeElement.getAttribute('aria-activedescendant')")
    assert browser.text(f"#{active}") == "word10"
    assert browser.texts("[aria-selected=true]") == ["word10"]
    browser.press("ArrowUp", "ArrowUp")  # back to what was typed
    assert browser.texts("[aria-selected=true]") == []
    browser.press("ArrowUp")  # and round to the last
    assert browser.texts("[aria-selected=true]") == ["word16"]
    browser.press("ArrowDown", "ArrowDown", "Enter")
    assert browser.text("#answers h2") == "word1"
    assert browser.run("document.querySelector('#find-list').hidden") is True
    browser.press("Escape")
    assert browser.texts("#answers h2") == []
    assert browser.run("location.hash") == ""


def test_enter_takes_the_first_word_that_is_found(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "kin")
    browser.press("Enter")
    assert browser.text("#answers h2") == "king"
    browser.type("#find", "")
    browser.press("Enter")
    assert browser.texts("#answers h2") == []


def test_escape_closes_the_list_first(browser, pages):
    browser.open(at(pages["one"], "king"))
    browser.type("#find", "word")
    browser.press("Escape")
    assert browser.text("#answers h2") == "king"
    browser.press("Escape")
    assert browser.texts("#answers h2") == []


def test_a_word_in_a_sum_is_completed(browser, pages):
    browser.open(pages["one"])
    browser.type("#sum", "king - ma")
    browser.press("ArrowDown", "Enter")
    assert browser.run("document.querySelector('#sum').value") == "king - man"
    assert browser.texts("#answers h2") == []  # not asked yet
    browser.press("Enter")
    assert browser.text("#answers h2") == "king - man"


def test_an_option_can_be_clicked(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "wom")
    browser.click_on("[role=option]")
    assert browser.text("#answers h2") == "woman"


def test_unknown_words_and_those_spelled_alike(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "quene")
    assert browser.text("#find-list").split("\n") == [
        "No word has this in it. Spelled alike:",
        "queen",
        "Queen",
    ]
    browser.press("Enter")
    trouble = browser.text("#answers .trouble")
    assert trouble == "“quene” is not in the vocabulary. The page has 350 of 400 words."
    browser.click_on("#answers .chip")
    assert browser.text("#answers h2") == "queen"
    browser.type("#sum", "kink - mna + wxman")
    browser.press("Enter")
    assert "“kink”, “mna”, “wxman” are not in the vocabulary" in browser.text("#answers .trouble")
    browser.click_on("#answers .chip")
    assert browser.text("#answers h2") == "king - man + woman"
    browser.open(at(pages["one"], "king - zzzzzzzzz"))
    assert "No word is spelled like “zzzzzzzzz”." in browser.text("#answers")


def test_a_sum_in_the_box_for_a_word_is_a_sum(browser, pages):
    browser.open(pages["one"])
    for typed in ("king -", "king - ", "king - man +"):  # at a sign nothing is completed
        browser.type("#find", typed)
        assert browser.run("document.querySelector('#find-list').hidden")
    browser.type("#find", "king - man + woman")
    assert browser.texts("#find-list [role=option]") == ["woman"]
    assert browser.texts("#find-list .note") == []
    browser.press("Enter")
    assert browser.text("#answers h2") == "king - man + woman"
    assert browser.run("document.querySelector('#sum').value") == "king - man + woman"
    assert browser.run("document.querySelector('#find').value") == ""


def test_a_word_of_a_sum_in_the_box_for_a_word_is_completed(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "king - ma")
    browser.press("ArrowDown", "Enter")
    assert browser.run("document.querySelector('#find').value") == "king - man"
    assert browser.texts("#answers h2") == []  # not asked yet
    browser.press("Enter")
    assert browser.text("#answers h2") == "king - man"
    browser.type("#find", "king - zzzzzzzzz")
    assert browser.text("#find-list") == "No word has this in it."


def test_words_that_look_like_sums_are_found(browser, pages):
    browser.open(pages["one"])
    browser.type("#find", "+")
    assert browser.texts("#find-list [role=option]") == ["+"]
    browser.press("ArrowDown", "Enter")
    assert browser.text("#answers h2") == "+"
    browser.open(pages["signs"])
    browser.type("#find", "rock + r")
    assert browser.texts("#find-list [role=option]") == ["rock + roll"]
    browser.press("ArrowDown", "Enter")
    assert browser.text("#answers h2") == "rock + roll"


def test_the_way_back(browser, pages):
    browser.open(at(pages["one"], "king"))
    browser.click_on(".row", 2)
    second = browser.text("#answers h2")
    assert second != "king"
    browser.run("new Promise(done => { addEventListener('hashchange', done); history.back() })")
    browser.settle()
    assert browser.text("#answers h2") == "king"


# --- the map --------------------------------------------------------------------------------------

WATCH = """
    window.written = [];
    const fill = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
        const { width } = this.measureText(text);
        const height = parseFloat(this.font.match(/([0-9.]+)px/)[1]);
        const [top, bottom] = [y - height / 2, y + height / 2];
        window.written.push({ text, left: x, right: x + width, top, bottom });
        return fill.apply(this, arguments);
    };
    const clear = CanvasRenderingContext2D.prototype.fillRect;
    CanvasRenderingContext2D.prototype.fillRect = function () {
        window.written = [];
        return clear.apply(this, arguments);
    };
"""


@pytest.fixture
def watched(browser):
    """A browser that notes what is written on the map, and where."""
    browser.script = WATCH
    return browser


def labels(browser):
    browser.settle()
    return {label["text"]: label for label in browser.run("window.written")}


def overlapping(found):
    boxes = list(found.values())
    return [
        (a["text"], b["text"])
        for i, a in enumerate(boxes)
        for b in boxes[:i]
        if a["left"] < b["right"] and b["left"] < a["right"]
        and a["top"] < b["bottom"] and b["top"] < a["bottom"]
    ]  # fmt: skip


def middle(browser):
    """The middle of the map in the window."""
    box = browser.run("document.querySelector('#map').getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640), (640, 360)])
def test_labels_do_not_overlap_and_stay_inside(watched, pages, width, height):
    for question in ("", "king", "king - man + woman"):
        watched.open(at(pages["one"], question), width, height)
        for _ in range(3):
            found = labels(watched)
            _, _, box = middle(watched)
            assert len(found) > 5
            assert overlapping(found) == []
            for label in found.values():
                assert label["left"] >= 0
                assert label["right"] <= box["width"]
            watched.click_on("#closer")


def test_frequent_words_come_first(watched, pages):
    watched.open(pages["one"])
    names = royal().words[:300]
    found = labels(watched)
    shown = np.array([name in found for name in names])
    assert shown[0]
    assert shown[:30].mean() > shown[30:].mean()


def test_the_question_and_its_answer_are_labelled(watched, pages):
    watched.open(at(pages["one"], "king"))
    found = labels(watched)
    assert "king" in found
    near = [word for word, _ in neighbours(watched)]
    assert sum(word in found for word in near) >= 8


def test_a_click_on_a_label_asks_for_the_word(watched, pages):
    watched.open(pages["one"])
    _, _, box = middle(watched)
    label = labels(watched)["king"]
    x, y = (label["left"] + label["right"]) / 2, (label["top"] + label["bottom"]) / 2
    watched.page.mouse.click(box["x"] + x, box["y"] + y)
    assert watched.text("#answers h2") == "king"


def test_dragging_moves_the_map_and_asks_nothing(watched, pages):
    watched.open(pages["one"])
    before = labels(watched)
    x, y, _ = middle(watched)
    watched.page.mouse.move(x, y)
    watched.page.mouse.down()
    watched.page.mouse.move(x + 50, y - 30, steps=5)
    watched.page.mouse.up()
    after = labels(watched)
    assert watched.texts("#answers h2") == []
    moves = {
        tuple(round(after[text][side] - before[text][side]) for side in ("left", "top"))
        for text in set(after) & set(before)
    }
    assert (50, -30) in moves


def test_the_wheel_zooms_about_the_pointer(watched, pages):
    watched.open(pages["one"])
    before = labels(watched)
    _, _, box = middle(watched)
    for edge in ("left", "top"):
        watched.click_on("#everything")
        word, target = min(before.items(), key=lambda item: item[1][edge])
        x, y = target["left"], (target["top"] + target["bottom"]) / 2
        watched.page.mouse.move(box["x"] + x, box["y"] + y)
        watched.page.mouse.wheel(0, -300)
        after = labels(watched)
        width = target["right"] - target["left"]  # the label may change sides
        assert after[word][edge] == pytest.approx(target[edge], abs=25 + 2 * width)
        assert len(set(before) - set(after)) > 10  # what lay at the other side is out of sight


def test_two_fingers(watched, pages):
    watched.open(pages["one"], width=360, height=640, touch=True)
    before = labels(watched)
    x, y, _ = middle(watched)
    fingers = watched.context.new_cdp_session(watched.page)

    def touch(kind, *places):
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 20, y))
    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 50, 60, 80):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    after = labels(watched)
    assert set(before) != set(after)
    assert watched.texts("#answers h2") == []
    watched.click_on("#everything")
    assert set(labels(watched)) == set(before)


def test_the_map_by_keys(watched, pages):
    watched.open(pages["one"])
    watched.run("document.querySelector('#map').focus()")
    before = labels(watched)
    watched.press("+", "+", "ArrowRight")
    assert set(labels(watched)) != set(before)
    said = watched.text("#status")
    assert said.startswith("in the middle: ")
    watched.press("Enter")
    assert watched.text("#answers h2") == said.removeprefix("in the middle: ")
    watched.press("Escape", "0")
    assert set(before) <= {*labels(watched), *before}
    watched.press("-")
    watched.press("ArrowLeft", "ArrowUp", "ArrowDown", "a")


def test_the_buttons_zoom(watched, pages):
    watched.open(pages["one"])
    before = labels(watched)
    watched.click_on("#closer")
    assert set(labels(watched)) != set(before)
    watched.click_on("#farther")
    assert set(labels(watched)) == set(before)
    watched.click_on("#everything")
    assert set(labels(watched)) == set(before)


def test_show_on_map(watched, pages):
    watched.open(at(pages["one"], "king"))
    watched.click_on(".buttons .chip")
    found = labels(watched)
    assert "king" in found
    assert overlapping(found) == []


def test_a_flight_ends_where_it_should(watched, pages):
    watched.open(at(pages["one"], "king"))
    watched.click_on(".buttons .chip")
    expected = labels(watched)
    watched.open(at(pages["one"], "king"), still=False)
    watched.click_on(".buttons .chip")
    watched.run("new Promise(done => setTimeout(done, 600))")
    assert labels(watched) == expected


def test_what_is_pointed_at_has_a_label(watched, pages):
    watched.open(pages["one"])
    before = set(labels(watched))
    x, y, box = middle(watched)
    found = set()
    for step in range(12):
        watched.page.mouse.move(x + 9 * step, y + 5 * step)
        found |= set(labels(watched))
    assert found > before
    watched.page.mouse.move(1, box["height"] - 1)
    assert set(labels(watched)) == before


# --- two models -----------------------------------------------------------------------------------


def test_two_models_side_by_side(browser, pages):
    browser.open(at(pages["two"], "king"))
    assert browser.texts(".column h3") == ["one", "other"]
    ours, theirs = (dict(neighbours(browser, column)) for column in range(2))
    shared = set(ours) & set(theirs)
    assert (
        browser.text("#answers > .soft") == f"{len(shared)} of 15 neighbours are in both lists (=)."
    )
    marked = browser.run(
        "[...document.querySelectorAll('.row')].filter(row => row.querySelector('.mark'))"
        ".map(row => row.querySelector('.word').textContent)"
    )
    assert sorted(marked) == sorted([*shared, *shared])


def test_a_word_that_one_of_them_lacks(browser, pages):
    browser.open(pages["two"])
    browser.type("#find", "other-o")
    browser.press("Enter")
    assert browser.text("#answers h2") == "other-only"
    assert "“other-only” is not in this model." in browser.text(".column")
    assert len(neighbours(browser, 1)) == 15
    browser.ask("kinx")
    assert "king" in browser.texts("#answers .chip")


def test_words_that_moved(browser, pages):
    browser.open(pages["two"])
    assert "Words that moved" in browser.texts("#answers h2")
    moved = browser.run(
        "[...document.querySelectorAll('.near .row .word')].map(e => e.textContent)"
    )
    assert set(moved[:8]) <= {royal().words[i] for i in range(50, 60)}
    shares = [int(text.split(" of ")[0]) for text in browser.texts(".near .number")]
    assert len(shares) == 50
    assert shares == sorted(shares)
    browser.click_on(".more")
    assert len(browser.texts(".near .row")) == 100
    browser.run(
        "(e => { e.value = e.options[0].value; e.dispatchEvent(new Event('change')) })"
        "(document.querySelector('#among'))"
    )
    assert len(browser.texts(".near .row")) == 50
    browser.click_on(".near .row")
    assert browser.text("#answers h2") == moved[0]


def test_whose_map(watched, pages):
    watched.open(pages["two"])
    before = labels(watched)
    assert watched.texts("#whose [aria-pressed=true]") == ["one"]
    assert watched.run("document.querySelector('#legend').hidden") is False
    watched.click_on("#whose button", 1)
    assert watched.texts("#whose [aria-pressed=true]") == ["other"]
    assert labels(watched) != before
    watched.click_on("#whose button", 0)
    assert labels(watched) == before


def test_one_model_has_no_choice_of_maps(browser, pages):
    browser.open(pages["one"])
    assert browser.run("['whose', 'legend'].map(id => document.getElementById(id).hidden)") == [
        True,
        True,
    ]


# --- what comes from strangers --------------------------------------------------------------------


def test_words_are_text_never_markup(browser, pages):
    browser.open(pages["evil"])
    assert browser.text("#title") == "<b>evil</b>"
    assert browser.run("document.title") == "Words of <b>evil</b>"
    for word in EVIL:
        browser.ask(word)
        shown = browser.run("document.querySelector('#answers h2').textContent")
        assert shown == {"\x1b[2J": "\\x1b[2J", "\u200b": "\\u200b"}.get(word, word)
        assert len(neighbours(browser)) == 15
        assert browser.run("document.querySelectorAll('script').length") == 2
        assert browser.run("document.querySelectorAll('img, b').length") == 0
        browser.type("#find", word[:4])
        browser.press("ArrowDown", "Enter")
        assert browser.texts("#answers .facts")


def test_a_very_long_word_does_not_burst_the_page(browser, pages):
    browser.open(at(pages["evil"], "x" * 5000), width=360, height=640)
    assert browser.run("document.documentElement.scrollWidth") == 360
    browser.open(at(pages["evil"], "100%"), width=360, height=640)
    assert browser.run("document.documentElement.scrollWidth") == 360


def test_an_address_that_somebody_typed(browser, pages):
    browser.open(f"{pages['one']}#100%")
    assert "“100%” is not in the vocabulary" in browser.text("#answers .trouble")


def test_a_single_word(watched, pages):
    watched.open(at(pages["single"], "lonely"))
    assert "There is no other word." in watched.text("#answers")
    watched.click_on(".buttons .chip")
    assert "lonely" in labels(watched)


# --- the look -------------------------------------------------------------------------------------


def luminance(colour):
    """WCAG 2.2, relative luminance of a colour such as rgb(1, 2, 3)."""
    channels = [int(x) / 255 for x in colour.split("(")[1].rstrip(")").split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour(browser, name):
    return browser.run(
        "(e => { document.body.append(e); const found = getComputedStyle(e).color; e.remove();"
        " return found })(Object.assign(document.createElement('i'),"
        f" {{style: 'color: var(--{name})'}}))"
    )


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(browser, pages, dark):
    browser.open(pages["one"], dark=dark)
    for ground in ("ground", "raised"):
        behind = colour(browser, ground)
        assert (luminance(behind) < 0.1) == dark
        for name in ("ink", "soft", "near", "chosen", "trouble"):
            assert contrast(colour(browser, name), behind) >= 4.5, name
        for name in ("edge", "shade-0", "shade-3"):
            assert contrast(colour(browser, name), behind) >= 3, name


def test_light_and_dark(browser, pages):
    browser.open(pages["one"])
    light = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.click_on("#theme")
    assert browser.run("document.querySelector('#theme').ariaPressed") == "true"
    dark = browser.run("getComputedStyle(document.body).backgroundColor")
    assert luminance(dark) < 0.1 < luminance(light)
    browser.click_on("#theme")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == light
    browser.open(pages["one"], dark=True)
    assert browser.run("document.querySelector('#theme').ariaPressed") == "true"
    assert browser.run("getComputedStyle(document.body).backgroundColor") == dark


@pytest.mark.parametrize("name", ["one", "two"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 640), (640, 360), (320, 480)])
def test_everything_is_within_reach(browser, pages, name, width, height):
    browser.open(at(pages[name], "king"), width, height)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.documentElement.scrollHeight") <= height
    boxes = browser.run(
        "['#map', '#find', '#sum', '#answers', '#theme', '#closer', '#everything']"
        ".map(s => document.querySelector(s).getBoundingClientRect().toJSON())"
    )
    for box in boxes:
        assert box["left"] >= 0
        assert box["right"] <= width
        assert box["top"] >= 0
    assert boxes[0]["height"] > 80
    assert all(box["bottom"] <= height for box in boxes[:3])


def test_the_keyboard_reaches_everything(browser, pages):
    browser.open(at(pages["two"], "king"))
    reached = []
    for _ in range(60):
        browser.press("Tab")
        reached.append(
            browser.run("(e => e.id || e.className || e.tagName)(document.activeElement)")
        )
    wanted = {"theme", "find", "sum", "chip", "plain", "row", "more", "SUMMARY", "map", "closer"}
    assert wanted <= set(reached)


def test_a_script_that_is_not_the_pages_does_not_run(chromium, tmp_path):
    browser = Browser(chromium)
    text = page(page_data([("one", royal())], Choices(V, V, "pca", 1)))
    changed = tmp_path / "changed.html"
    changed.write_text(text.replace("</body>", "<script>window.evil = 1</script></body>"))
    browser.open(changed.as_uri())
    assert browser.text("#title") == "one"
    assert browser.run("window.evil === undefined") is True
    assert any("Content Security Policy" in each for each in browser.complaints)
    browser.close()


def test_the_data_are_no_script(browser, pages):
    browser.open(pages["evil"])
    found = browser.run("JSON.parse(document.querySelector('#data').textContent).models[0].words")
    assert found == EVIL
