"""The explanation as plain text, at any width."""

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.cli.common import width
from cbow.cli.explain import as_text
from cbow.explain import Explanation, Section, Settings, Table, explain, work_out
from cbow.explain.explanation import blocks, listed, number

DEFAULT = Settings(window=2, dimension=3, activation="relu", seed=1, learning_rate=0.5)
LINE = ["the", "dog", "sees", "the", "cat", "and", "the", "cat", "runs"]
WIDE = [["王様", "は", "naïve", "王様", "ha\u0308t"], ["alone"], ["e", "donaudampfschifffahrt"]]


def told(lines=(LINE,), digits=3, **changes):
    return explain(work_out(lines, DEFAULT._replace(**changes)), digits)


def numbers_of(explanation):
    """Every number of the tables as it is shown."""
    return [
        number(cell, explanation.digits)
        for section in explanation.sections
        for table in section.tables
        for row in table.rows
        for cell in row[1:]
        if not isinstance(cell, str)
    ]


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("changes", [{}, {"dimension": 12}, {"activation": "tanh", "digits": 8}])
def test_no_line_is_wider_than_the_terminal(columns, changes):
    for line in as_text(told(**changes), columns).split("\n"):
        assert len(line) <= columns, line
        assert line == line.rstrip()


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_tables_of_wide_words_fit_too(columns):
    text = as_text(told(WIDE), columns)
    grids = [line for line in text.split("\n") if re.match(r"(unit|word|naïve|王様)\b", line)]
    assert len(grids) > 20
    assert max(map(width, grids)) <= columns


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_every_number_is_shown_as_often_as_it_occurs(columns):
    e = told()
    grids = as_text(e, columns)
    for paragraph in (*e.introduction, *(section.purpose for section in e.sections)):
        grids = grids.replace("\n".join(wrap(paragraph, columns)), "")
    shown = re.findall(r"(?<![\w.(])-?\d+\.\d{3}\b", re.sub(r"(?m)^> .*$", "", grids))
    expected = [cell for cell in numbers_of(e) if "." in cell]
    assert sorted(shown) == sorted(expected)


def wrap(text, columns):
    return textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)


def test_80_columns_hold_the_tables_of_the_default_text_in_one_block():
    headings = re.findall(r"(?m)^.* 9 runs$", as_text(told(), 80))
    assert len(headings) == 12  # X, Z1, mask, H, Z2, Yhat, losses, dZ2, and four of section 8
    assert all(" 1 the " in line for line in headings)


def test_a_table():
    assert (
        "Z1 = W1 X + b1\n"
        "Z1 (3, 9): the sums\n"
        "unit   1 the   2 dog  3 sees   4 the   5 cat   6 and   7 the   8 cat  9 runs\n"
        "1     -0.625   0.183  -0.145  -0.125   0.170   0.385   0.520   0.330   0.385\n"
    ) in as_text(told(), 80)


def test_a_marked_table_in_blocks():
    text = as_text(told(), 40)
    start = text.index("Mistaken dZ1 (3, 9)")
    assert text[start:].startswith(
        "Mistaken dZ1 (3, 9): as a well-known\n"
        "course taught it until mid-2023; *\n"
        "differs from dZ1\n"
        "unit 1 the  2 dog  3 sees  4 the  5 cat\n"
        "1    0.059*     0*  0.068* 0.060* 0.359\n"
        "2        0* 0.089*  0.140*     0* 0.175*\n"
        "3        0* 0.070*  0.010*     0  0.047*\n"
        "\n"
        "unit 6 and  7 the  8 cat  9 runs\n"
    )


def test_contexts_stand_around_their_target():
    assert "3         the dog  sees    the cat\n" in as_text(told(), 40)


def test_what_to_notice_begins_with_a_sign():
    text = as_text(told(), 40)
    assert "> Example 1 has 2 context words, not 4:\n> a window ends where its line does.\n" in text


def test_wide_characters_are_aligned():
    lines = as_text(told(WIDE), 100).split("\n")
    start = lines.index("Vocabulary: the distinct words")
    rows = lines[start + 1 : start + 8]
    assert {width(row) for row in rows} == {width(rows[0])}


def test_what_is_too_wide_for_a_column_becomes_a_list():
    long = "x" * 38
    text = as_text(told([["a", long]]), 40)
    assert f"\n{long}, unit 1: " in text
    assert "\n1, before: a\n" not in text
    narrow = as_text(told(), 8)
    assert "\n3, before: the dog\n" in narrow
    assert "\n1, before:\n" in narrow


def test_control_characters_are_escaped():
    table = Table("T", "", ("\x1b[2J", "a\tb"), (("\x07", "c\nd"), ("e", 0.5)))
    e = Explanation("T", (), (Section("S", "\x1b]0;", (table,), ("\x9b",)),), 1)
    text = as_text(e, 80)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert r"c\nd" in text
    assert r"\x1b]0;" in text


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12),
    st.integers(1, 120),
    st.integers(1, 8),
    st.booleans(),
)
def test_blocks_hold_every_column_once_and_fit(values, columns, digits, marked):
    heads = [f"c{i}" for i in range(len(values))]
    marks = frozenset({(0, 0)} if marked else ())
    table = Table("T", "", ("row", *heads), (("r", *values),), marked=marks)
    parts = list(blocks(table, digits, columns))
    assert [name.strip() for part in parts for name in part.header[1:]] == heads
    cells = [cell.strip(" *") for part in parts for row in part.rows for cell in row[1:]]
    assert cells == [number(value, digits) for value in values]
    at = 0
    for part in parts:
        assert part.first == at
        assert len(part.align) == len(part.header)
        at += len(part.header) - 1
        lines = [part.header, *part.rows]
        size = sum(max(map(len, column)) for column in zip(*lines, strict=True))
        size += part.gap * (len(part.header) - 1)
        assert size <= columns or len(part.header) == 2


def test_small_words():
    assert listed(["a"]) == "a"
    assert listed([1, 2, 3]) == "1, 2 and 3"
