"""What a query may look like."""

import numpy as np
import pytest

from cbow.errors import QueryError
from cbow.vectors.query import questions, terms

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
        (3, "int 3 is no query"),
        ({"king"}, "set {'king'} is no query"),
        ([3], "int 3 is neither a word nor a vector"),
        ([b"king"], "bytes b'king' is neither"),
        ([(3, 1.0)], "int 3 is neither"),
        ([("king",)], r"\('king',\) is no pair"),
        ([()], r"\(\) is no pair"),
        ([("king", "man")], "is no pair of a word and its weight"),
        ([("king", 1, 2)], "is no pair"),
        ([("king", None)], "is no pair"),
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
    assert questions(positive, negative) == (pairs, many)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [([["a"]], ["b"]), ("a", [["b"]]), ([["a"]], [["b"], ["c"]]), ([["a"]], []), ([], [["a"]])],
)
def test_batches_that_do_not_match(positive, negative):
    with pytest.raises(QueryError, match="do not match"):
        questions(positive, negative)


def test_lists_and_words_mixed():
    with pytest.raises(QueryError, match="1 of 2 terms are lists"):
        questions([["a"], "b"], None)
