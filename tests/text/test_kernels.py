"""Compiled code against plain code: on small texts, as without the compiler it is slow."""

import itertools

import naive_text
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cbow.errors import CorpusError
from cbow.text.kernels import WordTable, as_bytes, row_of_text, row_of_tokens
from cbow.text.numbering import TokenNumbering
from cbow.text.tokenizers import rule_of, words

pytestmark = pytest.mark.kernels

WORD_RULE = rule_of(words)
WHITESPACE_RULE = rule_of(str.split)

# Line ends, joiners, characters of each length in UTF-8, such whose lower case is longer, or of
# another script, or two characters, or depends on neighbours; marks, half characters, NUL.
TRICKY = "aZ9'’\n .-_\x00\x85\u3000\u200c\u200d\u200fé\u0301ßİıΣσςΑȺ\u212aक\u093f\u05d0👍\U00010400"
TEXT = st.text(st.sampled_from(TRICKY)) | st.text() | st.text(st.characters(max_codepoint=127))
HALVES = st.text(st.sampled_from("aΣ \n\ud800\udfff"))


def row(text, rule=WORD_RULE):
    return row_of_text(as_bytes(text, rule), rule.alphabet).tolist()


def plain_row(text, tokenizer=words):
    return naive_text.row([tokenizer(line) for line in text.split("\n")])


# text to chunks


@given(TEXT)
def test_words_are_those_of_the_readable_rule(text):
    assert row(text) == plain_row(text)


@given(st.text(st.characters(exclude_categories=["Cn", "Cs"])) | st.text(st.sampled_from(TRICKY)))
def test_words_are_those_of_the_plain_definition(text):
    assert row(text) == plain_row(text, naive_text.tokens)


@given(TEXT)
def test_words_between_white_space(text):
    assert row(text, WHITESPACE_RULE) == plain_row(text, str.split)


@given(HALVES)
def test_half_characters_separate_words(text):
    assert row(text) == plain_row(text)


@given(HALVES)
def test_half_characters_in_words_are_refused(text):
    if "\ud800" in text or "\udfff" in text:
        with pytest.raises(CorpusError, match="half of a character"):
            as_bytes(text, WHITESPACE_RULE)


@pytest.mark.parametrize("c", ["a", "é", "ह", "𝐀", "\x00"])
@pytest.mark.parametrize("length", range(1, 17))
def test_words_of_every_length(c, length):
    word = c * length
    text = f"{word} b{word}\n\n{word}"
    assert row(text) == plain_row(text)
    assert row(text, WHITESPACE_RULE) == plain_row(text, str.split)


@pytest.mark.parametrize("c", [0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF])
def test_characters_where_utf8_gets_longer(c):
    assert row(f"a{chr(c)} ", WHITESPACE_RULE) == plain_row(f"a{chr(c)} ", str.split)


@pytest.mark.parametrize(
    "text",
    [
        "ΑΣ ΑΣΑ Σ ΣΑ Α.Σ Α'Σ Α’ΣΑ\nΣ",
        "İstanbul’da İ İİ a İ\nbİ c",
        "Σ" * 20 + " " + "x" * 20 + "Σ",
        " Σ ",
        "a Σ b Σ c",
    ],
)
def test_stretches_with_special_characters(text):
    assert row(text) == plain_row(text)
    assert row(text, WHITESPACE_RULE) == plain_row(text, str.split)


@pytest.mark.slow
@given(st.lists(st.lists(st.text(st.sampled_from("ab\n \x00é𝐀"))), min_size=1))
def test_tokens_as_chunks(lines):
    tokens = [token for line in lines for token in line]
    ends = np.cumsum([len(line) for line in lines[:-1]]).tolist()
    assert row_of_tokens(tokens, ends).tolist() == naive_text.row(lines)


@given(st.lists(st.text(st.sampled_from("ab\n é"), max_size=20)))
def test_words_come_back(tokens):
    table = WordTable(TokenNumbering(), slots=2)
    table.number(row_of_tokens(tokens, []))
    distinct = list(dict.fromkeys(["", *tokens]))
    assert table.words(np.arange(len(distinct))) == distinct
    assert table.words(np.arange(0, len(distinct), 2)) == distinct[::2]
    assert table.words(np.array([], np.int64)) == []


# chunks to numbers

# many with the same first chunks, so that those after them decide
WORD = st.sampled_from(["", "a", "b", "abcdefg", "abcdefga"]) | st.builds(
    "{}{}".format, st.sampled_from(["abcdefg", "abcdefgabcdefg"]), st.text("ab", max_size=9)
)
LINES = st.lists(st.lists(WORD, max_size=9), min_size=1, max_size=6)


@given(LINES, st.lists(st.integers(0, 60)), st.sampled_from([2, 4, 64]))
@example([["\x00" * i + end for i in range(20) for end in ("", "a")] * 2], [], 2)
@example([[f"w{i}" for i in range(300)] * 2], [], 2)
@example([["abcdefg" * (i // 2 + 1) + "ab"[i % 2] for i in range(40)] * 2], [], 2)
def test_numbers_and_counts(lines, places, slots):
    expected, known, counts = naive_text.numbers(lines)
    tokens = [token for line in lines for token in line]
    edges = [0, *sorted(min(place, len(tokens)) for place in places), len(tokens)]
    line_ends = np.cumsum([len(line) for line in lines[:-1]]).tolist()
    table, found = WordTable(TokenNumbering(), slots), []
    for i, (begin, end) in enumerate(itertools.pairwise(edges)):
        last = i == len(edges) - 2
        ends = [e - begin for e in line_ends if begin <= e < end or (last and e == end)]
        found += table.number(row_of_tokens(tokens[begin:end], ends)).tolist()
    assert found == expected
    assert table.counts().tolist() == counts
    assert table.words(np.arange(len(known))) == known


@pytest.mark.slow
@given(LINES, LINES)
def test_going_on_where_readable_code_left_off(before, behind):
    expected, known, counts = naive_text.numbers([*before, *behind])
    begun = TokenNumbering()
    flat = [token for line in before for token in line]
    found = begun.number(flat, np.cumsum([len(line) for line in before]).tolist()).tolist()
    table = WordTable(begun, slots=2)
    flat = [token for line in behind for token in line]
    ends = np.cumsum([len(line) for line in behind[:-1]]).tolist()
    found += table.number(row_of_tokens(flat, ends)).tolist()
    assert found == expected
    assert table.counts().tolist() == counts
    assert table.words(np.arange(len(known))) == known


def test_slots_stay_half_free():
    table = WordTable(TokenNumbering(), slots=2)
    for i in range(70):
        table.number(row_of_tokens([str(i)], []))
        assert np.count_nonzero(table._words.slots[:, 0]) == len(table.counts())
        assert 1 <= len(table._words.slots) / (2 * len(table.counts())) < 2
