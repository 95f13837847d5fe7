import unicodedata

import naive_text
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.text.alphabet import (
    FORMAT,
    JOINER,
    KIND_BITS,
    LETTER,
    MARK,
    QUOTE,
    RULES,
    SEPARATOR,
    _lower,
)
from cbow.text.tokenizers import cased_words, words

WORD_RULE = RULES[words]()
WHITESPACE_RULE = RULES[str.split]()

EVERY = [chr(c) for c in range(0x110000)]


def kinds_and_written(rule):
    characters = rule.alphabet.characters
    return characters & (1 << KIND_BITS) - 1, characters >> KIND_BITS


def test_kinds_are_those_of_the_unicode_categories():
    kinds, _ = kinds_and_written(WORD_RULE)
    known = np.array([unicodedata.category(c) != "Cn" for c in EVERY])
    names = {"letter": LETTER, "mark": MARK, "joiner": JOINER, "format": FORMAT, "quote": QUOTE}
    lower = [c.lower()[0].replace("’", "'") for c in EVERY]
    expected = np.array([names.get(naive_text.kind(c), SEPARATOR) for c in lower])
    assert np.array_equal(kinds[known], expected[known])


def test_every_character_is_written_in_lower_case():
    _, written = kinds_and_written(WORD_RULE)
    expected = [ord(c.lower()) if c not in "İΣ" else ord(c) for c in EVERY]
    expected[ord("’")] = ord("'")
    assert np.array_equal(written, expected)
    assert sorted(WORD_RULE.special) == ["İ", "Σ"]


def test_case_can_be_kept():
    kinds, written = kinds_and_written(RULES[cased_words]())
    expected = np.arange(0x110000)
    expected[ord("’")] = ord("'")
    assert np.array_equal(written, expected)
    assert np.array_equal(kinds, kinds_and_written(WORD_RULE)[0])


@pytest.mark.parametrize("special", ["İ", "Σ", "İΣ"])
def test_characters_that_no_table_holds_are_found_and_stay(special):
    assert _lower("A" + special + "É") == ("a" + special + "é", special)


def test_what_is_written_is_a_word_and_writes_itself():
    """So a word can be put in the place of the text it was found in."""
    kinds, written = kinds_and_written(WORD_RULE)
    assert np.array_equal(written[written], written)
    assert np.array_equal(kinds[written], kinds)


def test_whitespace_separates_and_all_else_stays():
    kinds, written = kinds_and_written(WHITESPACE_RULE)
    expected = [SEPARATOR if c.isspace() else LETTER for c in EVERY]
    assert np.array_equal(kinds, expected)
    assert np.array_equal(written, np.arange(0x110000))
    assert WHITESPACE_RULE.special == ""


@pytest.mark.parametrize("rule", [WORD_RULE, WHITESPACE_RULE])
def test_plain_bytes_are_the_letters_of_ascii(rule):
    kinds, written = kinds_and_written(rule)
    expected = np.where(kinds[:128] == LETTER, written[:128], 0)
    assert rule.alphabet.plain.tolist() == [*expected, *[0] * 128]


@pytest.mark.parametrize("table", WORD_RULE.alphabet)
def test_tables_cannot_be_changed(table):
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1


@given(st.text(max_size=3), st.characters(), st.text(max_size=3))
def test_characters_outside_the_special_do_not_look_at_their_neighbours(before, c, behind):
    if c not in WORD_RULE.special:
        alone = c.lower()
        assert len(alone) == 1
        assert ("Ab" + c + "cD").lower() == "ab" + alone + "cd"
    assert (before + " " + c + behind).lower() == (before + " ").lower() + (c + behind).lower()
    assert (before + c + " " + behind).lower() == (before + c).lower() + (" " + behind).lower()
