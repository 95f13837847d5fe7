"""Queries: terms and weights, sums as they are typed, words spelled like unknown ones."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import QueryError
from cbow.vectors import parse_expression
from cbow.vectors.query import pair_up, terms

A = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ("king", None, [("king", 1)]),
        (None, "man", [("man", -1)]),
        (["king", "woman"], ["man"], [("king", 1), ("woman", 1), ("man", -1)]),
        (("king", "woman"), (), [("king", 1), ("woman", 1)]),
        ([("king", 0.5)], [("man", -2)], [("king", 0.5), ("man", -2)]),
        ("king", [("man", 3)], [("king", 1), ("man", 3)]),
        ([("king", np.float32(0.5))], None, [("king", 0.5)]),
    ],
)
def test_terms(positive, negative, expected):
    assert terms(positive, negative) == expected


@pytest.mark.parametrize("query", [A, [A], (A,), np.array([A]), [(A, 1)]])
def test_vectors_as_terms(query):
    [(key, weight)] = terms(query, None)
    assert key.tolist() == [1, 2]
    assert weight == 1


@pytest.mark.parametrize("nothing", [None, [], (), np.empty((0, 2))])
def test_an_empty_query(nothing):
    with pytest.raises(QueryError, match="query is empty; give at least one word"):
        terms(nothing, nothing)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (3, "int 3 is not a query"),
        ({"king"}, "set {'king'} is not a query"),
        ([3], "int 3 is neither a word nor a vector"),
        ([b"king"], "bytes b'king' is neither"),
        ([(3, 1.0)], "int 3 is neither"),
        ([("king",)], r"\('king',\) is not a pair"),
        ([()], r"\(\) is not a pair"),
        ([("king", "man")], "is not a pair"),
        ([("king", 1, 2)], "is not a pair"),
        ([("king", None)], "is not a pair"),
        ([("king", float("nan"))], "the weight nan is not finite"),
        ([("king", float("inf"))], "the weight inf is not finite"),
    ],
)
def test_no_queries(query, message):
    with pytest.raises(QueryError, match=message):
        terms(query, None)


@pytest.mark.parametrize(
    ("positive", "negative", "pairs", "many"),
    [
        ("a", None, [("a", None)], False),
        (["a", "b"], ["c"], [(["a", "b"], ["c"])], False),
        ([("a", 1.0)], None, [([("a", 1.0)], None)], False),
        ([], None, [([], None)], False),
        ([["a"]], None, [(["a"], None)], True),
        ([["a"], ["b", "c"]], None, [(["a"], None), (["b", "c"], None)], True),
        (None, [["a"]], [(None, ["a"])], True),
        ([["a"], ["b"]], [["c"], []], [(["a"], ["c"]), (["b"], [])], True),
    ],
)
def test_one_or_many(positive, negative, pairs, many):
    assert pair_up(positive, negative) == (pairs, many)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [([["a"]], ["b"]), ("a", [["b"]]), ([["a"]], [["b"], ["c"]]), ([["a"]], []), ([], [["a"]])],
)
def test_batches_that_do_not_match(positive, negative):
    with pytest.raises(QueryError, match="do not match"):
        pair_up(positive, negative)


def test_lists_and_words_mixed():
    with pytest.raises(QueryError, match="1 of 2 terms are lists"):
        pair_up([["a"], "b"], None)


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


@pytest.mark.slow
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
