"""Sums of words as they are typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import QueryError
from cbow.vectors import parse_expression

INNER = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1)
WORDS = INNER.filter(lambda word: word not in "+-" and word.split() == [word])


@pytest.mark.parametrize(
    ("text", "positive", "negative"),
    [
        ("king", ["king"], []),
        ("king - man + woman", ["king", "woman"], ["man"]),
        ("  king\t-\nman  ", ["king"], ["man"]),
        ("- man + king", ["king"], ["man"]),
        ("  - man + king", ["king"], ["man"]),
        ("-man + king", ["-man", "king"], []),
        ("+king", ["+king"], []),
        ("-king", ["-king"], []),
        ("- -king", [], ["-king"]),
        ("+ -ness", ["-ness"], []),
        ("well-known - rock'n'roll", ["well-known"], ["rock'n'roll"]),
        ("a + -b", ["a", "-b"], []),
        ("a - --", ["a"], ["--"]),
        ("--", ["--"], []),
        ("-+", ["-+"], []),
        ("king - king", ["king"], ["king"]),
        ("नमस्ते + 🙂", ["नमस्ते", "🙂"], []),
    ],
)
def test_sums(text, positive, negative):
    assert parse_expression(text) == (positive, negative)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the query is empty; give a word, or words with + and - between them"),
        (" \t\n", "the query is empty"),
        ("-", "'-' ends where a word must follow"),
        ("king -", "'king -' ends where a word must follow; add the word"),
        ("king queen", "character 6 begins 'queen', but must be + or -"),
        ("king  man + woman", "character 7 begins 'man'"),
        ("king - + man", "character 8 is '+', but must begin a word"),
        ("+ + king", "character 3 is '+', but must begin a word"),
        ("king -man", "character 6 begins '-man', but must be + or -"),
        ("new york - usa", "character 5 begins 'york'"),
    ],
)
def test_what_does_not_parse(text, message):
    with pytest.raises(QueryError, match=re.escape(message)):
        parse_expression(text)


@given(st.lists(st.tuples(st.sampled_from("+-"), WORDS), min_size=1), st.booleans())
def test_what_is_written_is_read(signed, bare):
    text = " ".join(f"{sign} {word}" for sign, word in signed)
    if bare and signed[0][0] == "+":
        text = text[2:]
    positive, negative = parse_expression(text)
    assert positive == [word for sign, word in signed if sign == "+"]
    assert negative == [word for sign, word in signed if sign == "-"]


@given(st.text())
def test_any_text_parses_or_says_why(text):
    try:
        positive, negative = parse_expression(text)
    except QueryError:
        return
    assert positive or negative
