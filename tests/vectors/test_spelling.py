"""Words spelled alike."""

import naive_vectors as naive
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.vectors import spelling
from cbow.vectors.spelling import alike

WORDS = ["the", "king", "queen", "kind", "Paris", "ring", "kingdom", "well-known", "नमस्ते", "NATO"]


def ask(word, words=WORDS, **more):
    return alike(word, words, {each: i for i, each in enumerate(words)}, **more)


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
    assert ask(word)[0] == first


def test_equally_alike_words_come_by_frequency():
    assert ask("bing", ["ping", "king", "ring", "sing"]) == ["ping", "king", "ring"]
    assert ask("bing", ["sing", "ring", "king", "ping"], most=2) == ["sing", "ring"]


@pytest.mark.parametrize("word", ["", "xyzzy", "k" * 41, "king" * 100_000, "\ud800"])
def test_nothing_is_alike(word):
    assert ask(word) == []


def test_no_words_at_all():
    assert ask("king", []) == []


def test_a_word_is_not_alike_to_itself():
    assert "king" not in ask("king")


@given(
    st.text("abc", min_size=1, max_size=6),
    st.lists(st.text("abc", min_size=1, max_size=6), unique=True),
)
def test_one_slip_is_found_however_rare_the_word(word, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spelling, "get_close_matches", lambda *_, **__: [])
        found = ask(word, words, most=10_000)
    assert set(found) == {near for near in words if naive.edit_distance(word, near) == 1}


@pytest.mark.parametrize("word", ["bacd", "acbd", "abdc"])
def test_swapped_letters_are_one_slip(word, monkeypatch):
    monkeypatch.setattr(spelling, "get_close_matches", lambda *_, **__: [])
    assert ask(word, ["abcd"]) == ["abcd"]


def test_a_rare_word_is_found_among_many():
    words = [f"{i}" for i in range(30_000)] + ["rarest"]
    assert ask("Rearest", words) == ["rarest"]
