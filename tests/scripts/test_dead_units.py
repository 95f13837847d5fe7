"""The figure of dying units: what the script computes, and what figure and page say of it."""

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cbow import network

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "draw_dead_units.py"
SVG = "{http://www.w3.org/2000/svg}"


def load_script() -> Any:
    spec = importlib.util.spec_from_file_location("draw_dead_units", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_dead_units"] = module
    spec.loader.exec_module(module)
    return module


figure = load_script()


@pytest.fixture(scope="module")
def book() -> Any:
    return figure.read_examples(figure.BOOK)


@pytest.fixture(scope="module")
def committed() -> ET.Element:
    return ET.parse(figure.FIGURE).getroot()


@pytest.fixture
def small_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "book.txt"
    path.write_text("One fish, two fish\nred fish\n", encoding="utf-8")
    monkeypatch.setattr(figure, "BOOK", path)
    return path


def description(svg: ET.Element) -> str:
    return (svg.findtext(f"{SVG}desc") or "").strip("\n")


def rows(table: str) -> dict[int, list[float]]:
    """The numbers of a printed table by iteration; shares as they are printed, in per cent."""
    lines = [line.replace("%", "").split() for line in table.splitlines()[1:]]
    return {int(first): [float(cell) for cell in rest] for first, *rest in lines}


# --- the examples ---------------------------------------------------------------------------------


def test_every_word_is_an_example_with_its_line_around_it(small_book: Path) -> None:
    X, y = figure.read_examples(small_book)
    fish, one, red, two = range(4)  # by falling count, then by spelling
    assert y.tolist() == [one, fish, two, fish, red, fish]
    expected = [[1 / 2, 0, 0, 1 / 2], [1 / 3, 1 / 3, 0, 1 / 3], [2 / 3, 1 / 3, 0, 0]]
    expected += [[1 / 2, 0, 0, 1 / 2], [1, 0, 0, 0], [0, 0, 1, 0]]
    np.testing.assert_allclose(X.toarray().T, expected)


def test_take_keeps_contexts_and_words_together(small_book: Path) -> None:
    text, chosen = figure.read_examples(small_book), np.array([5, 3, 5])
    X, y = text.take(chosen)
    np.testing.assert_array_equal(X.toarray(), text.X.toarray()[:, chosen])
    np.testing.assert_array_equal(y, text.y[chosen])


# --- learning -------------------------------------------------------------------------------------


def test_every_unit_fires_at_the_start() -> None:
    start = figure.draw_start(30, seed=1)
    assert [array.shape for array in start] == [(50, 30), (50, 1), (30, 50), (30, 1)]
    assert all(((array > 0) & (array < 1)).all() for array in start)


@pytest.mark.slow
def test_the_first_step_is_the_formula_times_the_rate(book: Any, monkeypatch: Any) -> None:
    """By hand: the same start and batch, one step of plain gradient descent."""
    monkeypatch.setattr(figure, "EVERY", 1)
    V, m = book.X.shape
    net, start = network.cbow_network(), figure.draw_start(V, seed=4)
    order = figure.draw_order(m, seed=4)
    X, y = book.take(order[:128])
    gradients = network.mistaken_gradients(net, start, network.forward(net, start, X), y)
    moved = network.Parameters(*(a - 0.03 * d for a, d in zip(start, gradients, strict=True)))
    X, y = book.take(order[:2000])
    before, after = figure.follow(network.mistaken_gradients, book, 1, seed=4)
    assert before.cost == pytest.approx(network.cost(net, network.forward(net, start, X), y))
    assert after.cost == pytest.approx(network.cost(net, network.forward(net, moved, X), y))


def test_a_look_counts_units_over_the_whole_text(book: Any) -> None:
    """Unit 0 fires nowhere, unit 1 in the contexts that hold word 7, the others everywhere."""
    W1, b1, W2, b2 = figure.draw_start(book.X.shape[0], seed=1)
    W1[0], b1[0] = -1, -1
    W1[1], b1[1] = 0, 0
    W1[1, 7] = 1
    parameters = network.Parameters(W1, b1, W2, b2)
    moment = figure.look(network.cbow_network(), parameters, book, book.take(np.arange(9)), 20)
    holds = (book.X[[7]] > 0).sum() / len(book.y)
    assert 0 < holds < 1
    assert moment[:2] == (20, 49)
    assert moment.firing == pytest.approx((48 + holds) / 50)


@pytest.mark.slow
def test_units_die_by_the_mistaken_formula_only_and_as_the_figure_says(
    book: Any, committed: ET.Element, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure, "EVERY", 50)  # to look takes longer than to learn
    told = rows(description(committed))
    mistaken = {at.iteration: at for at in figure.follow(figure.FORMULAS["mistaken"], book, 300)}
    right = {at.iteration: at for at in figure.follow(figure.FORMULAS["right"], book, 200)}
    for t in (0, 50, 150, 200):  # rounding may differ in the last digit on another processor
        a, b = mistaken[t], right[t]
        measured = [a.living, b.living, 100 * a.firing, 100 * b.firing, a.cost, b.cost]
        np.testing.assert_allclose(told[t], measured, rtol=1e-3)
    last = mistaken[300]
    np.testing.assert_allclose(
        told[300][::2], [last.living, 100 * last.firing, last.cost], rtol=0.02
    )

    assert [at.living for at in right.values()] == [50] * len(right)
    assert last.living < 50
    firing = [at.firing for at in mistaken.values()]
    assert firing == sorted(firing, reverse=True)
    assert mistaken[150].cost < right[150].cost  # which is why the cost proves nothing:
    assert right[200].cost < mistaken[200].cost < last.cost


# --- the levels -----------------------------------------------------------------------------------


def test_levels_of_a_text_in_which_all_words_are_as_frequent(tmp_path: Path) -> None:
    path = tmp_path / "even.txt"
    path.write_text("a b c d\nd c b a\n")
    levels = figure.baselines(figure.read_examples(path))
    assert list(levels.values()) == pytest.approx([np.log(4), np.log(4)])


def test_word_frequencies_by_hand(small_book: Path) -> None:
    _, frequencies = figure.baselines(figure.read_examples(small_book)).values()
    assert frequencies == pytest.approx(np.log(2) / 2 + np.log(6) / 2)  # 3 of 6, and 3 times 1


def test_without_its_hidden_layer_the_start_is_the_network_with_units_that_never_fire(
    book: Any,
) -> None:
    start = figure.draw_start(book.X.shape[0], seed=2)
    start.W1[:], start.b1[:] = 0, 0
    X, y = book.take(figure.draw_order(len(book.y), seed=2)[:2000])
    net = network.cbow_network()
    expected = network.cost(net, network.forward(net, start, X), y)
    assert figure.cost_without_hidden_layer(book, seed=2) == pytest.approx(expected)


# --- the figure -----------------------------------------------------------------------------------


def check_whole(svg: ET.Element) -> None:
    """The lines, the names beside them and the sentence say what the description says."""
    lines = [line.get("points", "").split() for line in svg.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [figure.ITERATIONS // figure.EVERY + 1] * 4
    told = rows(description(svg))
    assert set(told) == set(figure.SHOWN)
    places = [("living", 0), ("living", 1), ("cost", 4), ("cost", 5)]
    for points, (panel, column) in zip(lines, places, strict=True):
        for t, values in told.items():
            x, y = map(float, points[t // figure.EVERY].split(","))
            assert (x, y) == pytest.approx(figure.place(panel, t, values[column]), abs=0.11)
    words = [text.text or "" for text in svg.iter(f"{SVG}text")]
    assert words.count("mistaken formula") == words.count("right formula") == 2
    a, b = told[figure.STOP][4:]
    assert f"iteration {figure.STOP}: mistaken {a:.3f}, right {b:.3f}" in words


def test_the_committed_figure_is_whole(committed: ET.Element) -> None:
    check_whole(committed)


def test_a_figure_drawn_of_other_numbers_is_whole() -> None:
    times = range(0, figure.ITERATIONS + 1, figure.EVERY)
    curves = {
        "mistaken": [figure.Moment(t, 50 - t // 20, 1 - t / 700, 9 - t / 400) for t in times],
        "right": [figure.Moment(t, 50 - t // 70, 1 - t / 900, 8 - t / 300) for t in times],
    }
    svg = ET.fromstring(figure.draw(curves, {"a level": 6.0}))
    check_whole(svg)
    assert "a level" in [text.text for text in svg.iter(f"{SVG}text")]
    assert rows(description(svg))[700] == [15, 40, 0, 22.2, 7.25, 5.667]


def test_a_place_in_a_panel() -> None:
    top, bottom, low, high = figure.PANELS["cost"]
    assert figure.place("cost", 0, low) == (figure.LEFT, bottom)
    assert figure.place("cost", figure.ITERATIONS, high) == (figure.RIGHT, top)


def test_everything_lies_inside_the_figure(committed: ET.Element) -> None:
    _, _, width, height = map(float, committed.get("viewBox", "").split())
    for line in committed.iter(f"{SVG}polyline"):
        for point in line.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 < x < width
            assert 0 < y < height


def test_the_page_quotes_the_figure(committed: ET.Element) -> None:
    page = (ROOT / "docs" / "backpropagation.md").read_text(encoding="utf-8")
    told, prose = rows(description(committed)), " ".join(page.split())
    for number in (told[0][4], told[50][5], told[150][4], told[150][5]):
        assert f"{number:.3f}" in prose
    living = {t: f"{values[0]:g}" for t, values in told.items()}
    assert f"{living[300]} of the 50 units live at iteration 300, {living[500]} at 500" in prose
    assert (living[700], {values[1] for values in told.values()}) == ("0", {50})


def test_the_page_quotes_the_levels(book: Any) -> None:
    page = (ROOT / "docs" / "backpropagation.md").read_text(encoding="utf-8")
    assert f"costs {figure.cost_without_hidden_layer(book):.3f}" in " ".join(page.split())
    assert f"({figure.baselines(book)['word frequencies']:.3f} here)" in " ".join(page.split())


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_prints_and_writes_the_same_bytes_twice(
    small_book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    assert figure.main(["--output", str(first)]) == 0
    printed = capsys.readouterr().out
    assert figure.main(["--output", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    assert description(ET.parse(first).getroot()) in printed
    assert printed.splitlines()[-3:][0].startswith("uniform: 1.386")
    assert "the start without its hidden layer: " in printed


def test_a_place_that_cannot_be_written_is_one_sentence_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figure, "follow", lambda *_: pytest.fail("worked for nothing"))
    assert figure.main(["--output", str(tmp_path / "no" / "figure.svg")]) == 1
    assert re.fullmatch(
        r"draw_dead_units.py: error: the folder .* create it .*\n", capsys.readouterr().err
    )


def test_a_missing_book_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figure, "BOOK", tmp_path / "gone.txt")
    assert figure.main(["--output", str(tmp_path / "figure.svg")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "gone.txt cannot be read" in error
