"""The pictures: what stands where in them, read back from the SVG and from the pixels."""

import hashlib
import io
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib import font_manager

from cbow import plot
from cbow.plot import ENDINGS, LONGEST, legible, render
from cbow.plot.loss import History, loss_picture
from cbow.plot.words import Projection, words_picture

BLUE, VERMILLION, GREEN, GREY, INK = "#0072b2", "#d55e00", "#009e73", "#767676", "#222222"
NOBODY_HAS = "\U0010fffe"  # a noncharacter


def history(E=20, **more):
    steps = np.arange(E)
    nothing = np.full(E, math.nan)
    known = {
        "epochs": 1.0 + steps,
        "loss": 3 + 2 * np.exp(-steps / 5),
        "heldout_loss": nothing,
        "active": nothing,
        "gradient_norms": {},
        "uniform": 6.5,
        "unigram": 5.4,
        "heldout_unigram": math.nan,
    }
    return History(**{**known, **more})


def words_map(points, components=(1, 2), shares=(0.5, 0.25)):
    return Projection(np.array(points, float), components, shares)


def svg(picture):
    return picture.decode()


def curves(text, colour, dashed=False):
    """Return the unbroken lines of a colour, the height downwards as SVG has it."""
    found = re.findall(r'<path d="(M [^"zM]*)" clip-path="[^"]*" style="(fill: none;[^"]*)"', text)
    return [
        np.array(re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", path), float)
        for path, style in found
        if f"stroke: {colour}" in style and ("stroke-dasharray" in style) is dashed
    ]


def texts(text):
    """Return every text and where it begins."""
    pattern = r'<!-- (.*?) -->\s*<g style="[^"]*" transform="translate\(([\d.-]+) ([\d.-]+)\)'
    return {label: (float(x), float(y)) for label, x, y in re.findall(pattern, text)}


def dots(text):
    """Return the places of the words' dots."""
    group = text[text.index('id="PathCollection_1"') :]
    group = group[: group.index('<g id="line2d') if '<g id="line2d' in group else len(group)]
    return np.array(re.findall(r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)"', group), float)


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))[:, :, :3]


def nothing_at_the_edge(png):
    image = pixels(png)
    return all((edge == 1).all() for edge in (image[0], image[-1], image[:, 0], image[:, -1]))


ALL = history(
    heldout_loss=np.linspace(5, 4, 20),
    active=np.linspace(0.7, 0.4, 20),
    gradient_norms={name: 0.2 * 3.0**-i * np.ones(20) for i, name in enumerate("abcd")},
    heldout_unigram=5.38,
)


def test_the_loss_and_its_baselines_stand_at_their_heights():
    text = svg(loss_picture(ALL._replace(active=history().active, gradient_norms={}), ".svg"))
    [training], [heldout] = curves(text, BLUE), curves(text, VERMILLION)
    assert training.shape == heldout.shape == (20, 2)
    slope, height = np.polyfit(ALL.loss, training[:, 1], 1)
    assert slope < 0  # upwards
    np.testing.assert_allclose(slope * ALL.loss + height, training[:, 1], atol=1e-3)
    np.testing.assert_allclose(slope * ALL.heldout_loss + height, heldout[:, 1], atol=1e-3)
    for colour, value in ((GREY, 6.5), (BLUE, 5.4), (VERMILLION, 5.38)):
        [line] = curves(text, colour, dashed=True)
        np.testing.assert_allclose(line[:, 1], slope * value + height, atol=1e-3)
        assert line[0, 0] < training[0, 0] < training[-1, 0] < line[1, 0]
    np.testing.assert_allclose(np.diff(training[:, 0], 2), 0, atol=1e-4)


@pytest.mark.slow
def test_the_lines_are_named_with_their_last_values():
    names = texts(svg(loss_picture(ALL, ".svg")))
    for name in (
        "training  3.045",
        "held out  4.000",
        "uniform  6.500",
        "word frequencies  5.400",
        "frequencies, held out  5.380",
        "loss, nats per token",
        "epoch",
        "active  40 %",
        "a  0.2",
        "d  0.0074",
    ):
        assert name in names
    # Two lines a hair apart have names that can be told apart, the higher above.
    gap = names["frequencies, held out  5.380"][1] - names["word frequencies  5.400"][1]
    assert gap >= 13


def test_what_is_not_known_is_not_drawn():
    text = svg(loss_picture(history(), ".svg"))
    assert "held out" not in text
    assert "units" not in text
    assert "gradients" not in text
    assert curves(text, VERMILLION) == []
    assert len(re.findall('<g id="axes_', text)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "titles"),
    [
        ({"active": np.full(20, 0.5)}, ["share of units"]),
        ({"gradient_norms": {"dW1": np.full(20, 0.5)}}, ["norm of the gradients"]),
    ],
)
def test_one_panel_more(more, titles):
    text = svg(loss_picture(history(**more), ".svg"))
    assert len(re.findall('<g id="axes_', text)) == 2
    assert set(titles) <= set(texts(text))


def test_a_value_now_and_then_is_joined_to_a_line():
    sparse = np.where(np.arange(20) % 5 == 4, 4.0, math.nan)
    [line] = curves(svg(loss_picture(history(heldout_loss=sparse), ".svg")), VERMILLION)
    assert len(line) == 4


@pytest.mark.slow
def test_the_share_of_units_is_of_all():
    text = svg(loss_picture(history(active=np.full(20, 0.25)), ".svg"))
    names = texts(text)
    low, high = names["0 %"][1], names["100 %"][1]
    line = curves(text, BLUE)[1]
    assert (low - names["50 %"][1]) / (low - high) == pytest.approx(0.5, abs=0.01)
    # The text of a tick begins below its middle, by the same for all.
    assert np.ptp(line[:, 1]) == 0
    assert high < line[0, 1] < low


def test_norms_are_logarithmic_and_none_is_lost():
    norms = {"dW1": np.array([0.1, 0.01, 0.001]), "db1": np.array([0.1, 0.0, 0.0])}
    text = svg(loss_picture(history(3, gradient_norms=norms), ".svg"))
    line = curves(text, BLUE)[1]
    assert np.diff(line[:, 1])[0] == pytest.approx(np.diff(line[:, 1])[1], abs=1e-4)
    names = texts(text)
    assert names["db1  0"][1] > names["dW1  0.001"][1]  # at the lower end
    assert {"0.1", "0.01", "0.001"} <= set(names)


def test_a_dead_network_has_norms_of_zero():
    names = texts(svg(loss_picture(history(3, gradient_norms={"dW1": np.zeros(3)}), ".svg")))
    assert "dW1  0" in names


@pytest.mark.parametrize("low", [0.021, 0.5, 30.0])
@pytest.mark.parametrize("ratio", [1.0, 1.2, 3.0, 15.0, 40.0, 1e9])
def test_a_logarithmic_axis_has_some_ticks_and_not_too_many(low, ratio):
    norms = {"dW1": np.array([low, low * ratio])}
    text = svg(loss_picture(history(2, gradient_norms=norms), ".svg"))
    panel = text[text.index('id="axes_2"') :]
    ticks = re.findall(r'id="ytick_\d+"', panel)
    assert 1 <= len(ticks) <= 10


@pytest.mark.slow
def test_one_epoch_is_one_dot_over_the_number_1():
    text = svg(loss_picture(history(1), ".svg"))
    assert "1" in texts(text)
    assert "0.5" not in texts(text)
    assert nothing_at_the_edge(loss_picture(history(1), ".png"))


def test_epochs_are_whole_numbers_and_may_begin_later():
    text = svg(loss_picture(history(3, epochs=np.array([6.0, 7, 8])), ".svg"))
    assert {"6", "7", "8"} <= set(texts(text))
    assert len(re.findall(r'id="xtick_\d+"', text)) == 3


@pytest.mark.slow
def test_many_epochs_have_no_dots():
    few, many = (svg(loss_picture(history(E), ".svg")).count("<use ") for E in (40, 41))
    assert few > 40
    assert many < few - 35


POINTS = [(-3, 1), (2, 2), (1, -1.5), (0, 0.2)]


def test_the_words_stand_where_their_coordinates_say():
    text = svg(words_picture(words_map(POINTS), legible(["a", "b", "c", "d"]), ".svg"))
    found, points = dots(text), np.array(POINTS)
    slope, offset = np.polyfit(points[:, 0], found[:, 0], 1)
    np.testing.assert_allclose(slope * points[:, 0] + offset, found[:, 0], atol=1e-3)
    down, height = np.polyfit(points[:, 1], found[:, 1], 1)
    np.testing.assert_allclose(down * points[:, 1] + height, found[:, 1], atol=1e-3)
    assert slope == pytest.approx(-down, rel=1e-4)  # one unit on both axes, y upwards
    for word, (x, y) in zip("abcd", found, strict=True):
        left, baseline = texts(text)[word]
        assert 4 < left - x < 7
        assert abs(baseline - y) < 6


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**100, 2.0**500])
def test_the_size_of_the_vectors_does_not_matter(scale):
    words = legible(list("abcd"))
    one, other = words_map(POINTS), words_map(np.array(POINTS) * scale)
    assert words_picture(one, words, ".svg") == words_picture(other, words, ".svg")


@pytest.mark.slow
@pytest.mark.parametrize(
    "points", [[(0, 0), (9, 0.1), (4, 0)], [(0, 0), (0.1, 9), (0, 4)], [(1, 5), (1, 5), (2, 5)]]
)
def test_points_of_any_shape_are_inside(points):
    picture = words_map(points)
    found = dots(svg(words_picture(picture, legible(["a", "b", "c"]), ".svg")))
    assert (found > [30, 8]).all()
    assert (found < [570, 400]).all()
    assert nothing_at_the_edge(words_picture(picture, legible(["w" * 40] * 3), ".png"))


def test_the_axes_tell_component_and_share():
    text = svg(
        words_picture(words_map(POINTS, (4, 2), (0.034, 0.28)), legible(list("abcd")), ".svg")
    )
    assert "<!-- component 4 (3 % of the variance) -->" in text
    assert "<!-- component 2 (28 % of the variance) -->" in text
    assert text.index("component 4") < text.index("component 2")  # x before y


def test_a_label_that_had_to_go_far_has_a_line():
    near = svg(words_picture(words_map(POINTS), legible(list("abcd")), ".svg"))
    words = [f"word{i}" for i in range(12)]
    crowd = words_map([(0.001 * i, 0) for i in range(11)] + [(9, 9)])
    far = svg(words_picture(crowd, legible(words), ".svg"))
    line = f"stroke: {GREY}; stroke-width: 0.6"
    assert line not in near
    assert line in far


@pytest.mark.parametrize(
    "word", ["$x_1$", "$", "a_b^c", r"\alpha", r"$\frac{1}{2}$", "$$", "{", "%"]
)
def test_words_are_no_formulas(word):
    text = svg(words_picture(words_map(POINTS), legible([word, "b", "c", "d"]), ".svg"))
    assert f"<!-- {word} -->" in text
    glyphs = text[text.index(f"<!-- {word} -->") :]
    glyphs = re.findall(r"<use ", glyphs[: glyphs.index("</g>\n   </g>")])
    assert len(glyphs) == len(word)


def test_words_cannot_end_the_comment_or_the_file():
    words = ["-->", "<script>", "&amp;", '"']
    text = svg(words_picture(words_map(POINTS), legible(words), ".svg"))
    assert "<script>" not in text.replace("<!-- <script> -->", "")
    assert "<!-- --> -->" not in text


SCRIPTS = [
    "naïve",
    "Ελλάδα",
    "мир",
    "مرحبا",
    "שלום",
    "e\u0301t",
    "王后",
    "नमस्ते",
    "👩‍🚀",
    NOBODY_HAS,
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_script_can_be_drawn(ending):
    # All warnings are errors here, those of letters without a shape too.
    points = [(i, i * i % 7) for i in range(len(SCRIPTS))]
    assert words_picture(words_map(points), legible(SCRIPTS), ending)


def test_letters_that_no_font_has_are_escapes():
    text = legible(["king", f"a{NOBODY_HAS}b", NOBODY_HAS])
    assert text.texts == ["king", r"a\U0010fffeb", r"\U0010fffe"]
    assert text.lacking == [NOBODY_HAS]
    assert text.cut == []


def test_letters_of_europe_want_no_other_font(monkeypatch):
    monkeypatch.setattr(plot, "_installed", lambda: pytest.fail("looked for fonts"))
    assert legible(["king", "naïve", "мир"]) == plot.Labels(
        ["king", "naïve", "мир"], ["DejaVu Sans"], [], []
    )


def test_letters_that_another_font_has_are_drawn_with_it(monkeypatch):
    built_in = plot._letters(plot._path("DejaVu Sans"))
    letter = min(plot._letters(plot._path("STIXGeneral")) - built_in)
    names = [("cmr10", plot._path("cmr10")), ("STIXGeneral", plot._path("STIXGeneral"))]
    monkeypatch.setattr(plot, "_installed", lambda: iter(names))
    text = legible([letter, "b", "c", "d"])
    assert text.texts[0] == letter
    assert text.fonts == ["DejaVu Sans", "STIXGeneral"]
    assert text.lacking == []
    assert "STIXGeneral" in svg(words_picture(words_map(POINTS), text, ".svg"))


def test_the_fonts_of_the_machine():
    found = dict(plot._installed())
    assert {"DejaVu Sans", "STIXGeneral"} <= set(found)
    assert list(found) == sorted(found)
    assert not any("last resort" in name.lower() for name in found)
    assert all(NOBODY_HAS not in plot._letters(path) for path in found.values())


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("Can not load face")])
def test_a_damaged_font_has_no_letters(monkeypatch, error):
    def fail(path):
        raise error

    monkeypatch.setattr(font_manager, "get_font", fail)
    assert plot._letters("damaged.ttf") == set()


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1, 100_000])
def test_long_words_are_cut_and_said_to_be(length):
    [label], *_, cut = legible(["x" * length])
    if length <= LONGEST:
        assert (label, cut) == ("x" * length, [])
    else:
        assert (label, cut) == ("x" * (LONGEST - 1) + "…", [label])


@pytest.mark.parametrize("picture", [ALL, history(), history(1)])
def test_nothing_of_a_curve_is_cut_off(picture):
    assert nothing_at_the_edge(loss_picture(picture, ".png"))


@pytest.mark.slow
def test_large_numbers_have_room():
    large = history(loss=np.full(20, 123456.789), uniform=100_000.0, unigram=50_000.0)
    assert nothing_at_the_edge(loss_picture(large, ".png"))


@pytest.mark.slow
def test_a_png_is_sixteen_hundred_wide_on_white():
    image = pixels(words_picture(words_map(POINTS), legible(list("abcd")), ".png"))
    assert image.shape == (1200, 1600, 3)
    assert np.median(image) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "begin"), [(".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_formats(ending, begin):
    assert loss_picture(ALL, ending).startswith(begin)
    assert words_picture(words_map(POINTS), legible(list("abcd")), ending).startswith(begin)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_but_the_picture_is_written(ending):
    picture = loss_picture(ALL, ending)
    for word in (b"atplotlib v", b"dc:date", b"CreationDate", b"Software", b"/Producer"):
        assert word not in picture


def both():
    """Every picture in every format."""
    words = words_map(POINTS), legible(["king", "naïve", "$x$", "мир"])
    return [p for e in ENDINGS for p in (loss_picture(ALL, e), words_picture(*words, e))]


@pytest.mark.slow
def test_the_same_numbers_give_the_same_bytes():
    assert both() == both()


@pytest.mark.slow
def test_the_settings_of_the_user_have_no_say_and_stay():
    expected = both()
    with matplotlib.rc_context():
        changes = {
            "savefig.bbox": "tight",
            "savefig.dpi": 50,
            "figure.facecolor": "black",
            "font.family": "serif",
            "lines.linewidth": 9,
            "svg.fonttype": "none",
            "figure.constrained_layout.use": True,
            "text.usetex": True,
        }
        matplotlib.rcParams.update(changes)
        before = dict(matplotlib.rcParams)
        assert both() == expected
        assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_in_another_process_too_and_without_pyplot(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import hashlib, test_pictures as t\n"
        "print(hashlib.sha256(b''.join(t.both())).hexdigest())\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONHASHSEED": "7",
            "MPLCONFIGDIR": str(tmp_path),
            "MPLBACKEND": "TkAgg",
        },
    )
    assert done.stdout.split() == [hashlib.sha256(b"".join(both())).hexdigest(), "False"]


def test_an_error_while_drawing_leaves_no_settings_behind():
    before = dict(matplotlib.rcParams)

    def fail(figure):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        render(fail, 3.0, ".png")
    assert dict(matplotlib.rcParams) == before
