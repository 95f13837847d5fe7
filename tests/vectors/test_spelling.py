"""How words are spelled: in other letter case, and with slips."""

import naive_evaluation as naive
import naive_vectors
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.vectors.words import find_rows, find_variants, in_other_case, spelled_like


def test_rows_of_words():
    words = ["The", "king", "the", "Straße"]
    asked = [("THE", "king"), ("the", "STRASSE"), ("nobody", "the")]
    assert find_rows(words, asked, fold=True).tolist() == [[0, 1], [2, -1], [-1, 2]]
    assert find_rows(words, asked, fold=False).tolist() == [[-1, 1], [2, -1], [-1, 2]]
    variants = find_variants(words)
    assert {row: rows.tolist() for row, rows in variants.items()} == {0: [0, 2], 2: [0, 2]}


CASE = st.text(st.sampled_from("aAiIıİßẞsSσΣςéÉkK\u212a\u0307"), min_size=1, max_size=3)


@given(st.lists(CASE, unique=True, max_size=12), st.lists(CASE, min_size=1, max_size=6))
def test_rows_are_those_of_plain_loops(words, asked):
    for fold in (False, True):
        found = find_rows(words, [asked], fold).tolist()[0]
        assert found == [naive.row(words, word, fold) for word in asked]
        # A word that is there is taken as it is, however others are spelled.
        assert all(words[row] == word for row, word in zip(found, asked, strict=True)
                   if word in words)  # fmt: skip
    variants = find_variants(words)
    for row, word in enumerate(words):
        alike = [i for i, other in enumerate(words) if naive.folded(other) == naive.folded(word)]
        assert variants.get(row, np.array([row])).tolist() == alike


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("maße", "masse"),
        ("MASSE", "maße"),
        ("sınır", "sinir"),
        ("SINIR", "sınır"),
        ("İran", "iran"),
        ("ﬁn", "fin"),
        ("ŉ", "ʼn"),
        ("ſie", "sie"),
        ("µ", "μ"),
        ("ᾳ", "αι"),
    ],
)
def test_what_upper_casing_makes_one_word_stays_two(word, other):
    assert word.upper() == other.upper() or word.casefold() == other.casefold() or word == "İran"
    assert find_rows([other], [[word]], fold=True).tolist() == [[-1]]
    assert find_rows([other, word], [[word, other]], fold=True).tolist() == [[1, 0]]
    assert find_variants([word, other]) == {}


@pytest.mark.parametrize(
    ("word", "other"),
    [("King", "king"), ("MAẞE", "maße"), ("ΟΔΟΣ", "οδος"), ("İran", "i̇ran"), ("ÉTÉ", "été")],
)
def test_case_alone_is_folded(word, other):
    assert find_rows([other], [[word]], fold=True).tolist() == [[0]]
    assert find_rows([word], [[other]], fold=True).tolist() == [[0]]
    assert find_rows([other], [[word]], fold=False).tolist() == [[-1]]
    assert find_rows([other, word], [[word, other]], fold=True).tolist() == [[1, 0]]
    assert find_variants([word, other])[1].tolist() == [0, 1]


def test_words_in_other_case():
    words = ["the", "king", "KING", "Paris"]
    asked = ["The", "the", "King", "KING", "PARIS", "nobody"]
    assert in_other_case(asked, words) == {"The": "the", "King": "king", "PARIS": "Paris"}
    assert in_other_case([], words) == in_other_case(["King"], []) == {}


KNOWN = ["the", "king", "queen", "kind", "Paris", "ring", "kingdom", "well-known", "नमस्ते", "NATO"]


def alike(word, words=KNOWN, **most):
    return spelled_like(word, dict.fromkeys(words), **most)


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("King", "king"),
        ("KING", "king"),
        ("paris", "Paris"),
        ("nato", "NATO"),
        ("kinng", "king"),
        ("kng", "king"),
        ("ikng", "king"),
        ("kjng", "king"),
        ("quene", "queen"),
        ("kingdon", "kingdom"),
        ("wellknown", "well-known"),
        ("नमसते", "नमस्ते"),
        ("KINGDOMS", "kingdom"),
    ],
)
def test_slips(word, first):
    assert alike(word)[0] == first


def test_equally_alike_words_come_by_frequency():
    assert alike("bing", ["ping", "king", "ring", "sing"]) == ["ping", "king", "ring"]
    assert alike("bing", ["sing", "ring", "king", "ping"], most=2) == ["sing", "ring"]


@pytest.mark.parametrize("word", ["", "xyzzy", "k" * 41, "king" * 100_000, "\ud800"])
def test_nothing_is_alike(word):
    assert alike(word) == []


def test_no_words_at_all():
    assert alike("king", []) == []


def test_a_word_is_not_alike_to_itself():
    assert "king" not in alike("king")


@given(
    st.text("abcd", min_size=1, max_size=7),
    st.lists(st.text("abcd", min_size=1, max_size=7), unique=True),
)
def test_all_within_a_third_of_the_letters_are_found(word, words):
    near = {each: naive_vectors.edit_distance(word, each) for each in words if each != word}
    expected = [each for each in near if near[each] <= max(1, len(word) // 3)]
    assert alike(word, words, most=10_000) == sorted(expected, key=lambda each: near[each])


@pytest.mark.parametrize("word", ["bacd", "acbd", "abdc"])
def test_swapped_letters_are_one_slip(word):
    assert alike(word, ["abcd"]) == ["abcd"]


def test_a_rare_word_is_found_among_many():
    words = [f"{i}" for i in range(30_000)] + ["rarest"]
    assert alike("Rearest", words) == ["rarest"]
