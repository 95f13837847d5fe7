import re
import subprocess
import sys
import unicodedata

import naive_text
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ConfigError, CorpusError
from cbow.text import tokenize
from cbow.text.tokenizers import (
    FORMAT,
    JOINER,
    KIND_BITS,
    LETTER,
    MARK,
    QUOTE,
    SEPARATOR,
    _lower,
    cased_words,
    line_tokenizer,
    rule_of,
    split_lines,
    words,
)

ATTACHING = "\u0301\ufe0f\u20e3\u200c\u200d\u180e\u00ad\u2060\ufeff\u200b\u200f\u0600\u3164"
TRICKY = st.text(st.sampled_from("aZ'’9_- .éकि👍#\u05d0ßİΣ\x00\x1f\x85" + ATTACHING))

EVERY = [chr(c) for c in range(0x110000)]


def known(c):
    """Whether this Python knows a character; of those without case or meaning, of every seventh."""
    category = unicodedata.category(c)
    return category not in ("Cn", "Cs") and (category not in ("Lo", "Co") or ord(c) % 7 == 0)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("The KING, the king.", ["the", "king", "the", "king"]),
        (
            "the king's men and the kings' men",
            [*["the", "king's", "men"], *["and", "the", "kings", "men"]],
        ),
        ("king’s ‘quoted’", ["king's", "quoted"]),
        ("'tis rock 'n' roll", ["tis", "rock", "n", "roll"]),
        ("a''b a'b'c ' '' d'", ["a", "b", "a'b'c", "d"]),
        (
            "well-known snake_case e.g. 3.14",
            [*["well", "known", "snake", "case"], *["e", "g", "3", "14"]],
        ),
        ("1066 ½ Ⅷ ٣", ["1066", "½", "ⅷ", "٣"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("\u200cab\u200c\u200dcd\u200d", ["ab\u200c\u200dcd"]),
        ("ක්\u200dර x\u200d\u0dcay\u200d\u200c", ["ක්\u200dර", "x\u200d\u0dcay"]),
        ("ᠬᠠᠷ\u180eᠠ", ["ᠬᠠᠷ\u180eᠠ"]),
        ("Donau\u00addampf\u00adschiff \u00ad it\u2060's\ufeff", ["donaudampfschiff", "it's"]),
        ("\ufeffthe \u202bking\u202c a\u200bb", ["the", "king", "a", "b"]),
        ("\U00013000\U00013430\U00013001", ["\U00013000\U00013001"]),
        ("so ❤\ufe0f #\ufe0f\u20e3 good👍🏽job 👍\ufe0fyes", ["so", "good", "job", "yes"]),
        ("1\ufe0f\u20e3 st", ["1\ufe0f\u20e3", "st"]),
        ("👩\u200d❤\ufe0f\u200d👩 🏴\U000e0067\U000e007f 🇫🇷", []),
        ("a'\u0301b a\u200d'\u200cb a'\u0301 a'\u200d'b", ["a'\u0301b", "a\u200d'\u200cb", *"aab"]),
        ("\u3164 \u3164a\u3164", ["a\u3164"]),
        ("رقم\u0600٣", ["رقم", "٣"]),
        ("שלום\u200f, עולם", ["שלום", "עולם"]),
        ("good👍job 👩\u200d👩", ["good", "job"]),
        ("cafe\u0301 café", ["cafe\u0301", "café"]),
        ("don\u0300't \u0301x -\u0301 \u0301", ["don\u0300't", "x"]),
        ("ΣΊΣΥΦΟΣ ΣΑΣ", ["σίσυφος", "σας"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("\u212aelvin", ["kelvin"]),
        ("a\x00b\x1cc\x85d\u2028e", ["a", "b", "c", "d", "e"]),
        ("我喜欢 猫", ["我喜欢", "猫"]),
        ("", []),
        (" \t--- … ", []),
    ],
)
def test_word(line, found):
    assert tokenize(line) == found
    assert naive_text.tokens(line) == found


# characters that this Python does not know yet may be letters to the regex library
KNOWN = st.text(st.characters(exclude_categories=["Cn", "Cs"]))


@given(KNOWN | TRICKY)
def test_word_equals_the_plain_definition(line):
    assert tokenize(line) == [w for part in split_lines(line) for w in naive_text.tokens(part)]


@pytest.mark.slow
def test_every_character_in_every_place():
    for c in filter(known, EVERY):
        line = f"{c}a{c}{c}b'{c}c {c}"
        if c not in "\r\n":
            assert words(line) == naive_text.tokens(line), ascii(line)


@given(TRICKY)
def test_no_word_is_of_marks_alone_and_none_ends_in_a_joiner(line):
    for word in tokenize(line):
        assert naive_text.kind(word[0]) == "letter"
        assert naive_text.kind(word[-1]) in ("letter", "mark")
        assert "format" not in map(naive_text.kind, word)


@given(st.text(st.characters(max_codepoint=127)) | st.text(st.sampled_from("ab' -'")))
def test_ascii_lines_take_a_shorter_way_to_the_same_words(line):
    # behind a word that is not ASCII a line takes the long way
    assert tokenize("é " + line.replace("\n", " ").replace("\r", " ")) == ["é", *tokenize(line)]


@given(TRICKY)
def test_words_of_words_are_themselves(line):
    for word in tokenize(line):
        assert tokenize(word) == [word]


def test_case_is_kept_if_asked():
    line = "The KING’S men, İstanbul ΣΑΣ Donau\u00adDampf A\u0301"
    expected = ["The", "KING'S", "men", "İstanbul", "ΣΑΣ", "DonauDampf", "A\u0301"]
    assert tokenize(line, keep_case=True) == expected
    assert tokenize("The KING’S men", keep_case=True) == ["The", "KING'S", "men"]
    assert tokenize("A b", "whitespace", keep_case=True) == ["A", "b"]


@given(TRICKY)
def test_case_is_all_that_is_kept(line):
    assert [w for word in tokenize(line, keep_case=True) for w in tokenize(word)] == [
        w for word in tokenize(line) for w in tokenize(word)
    ] or "Σ" in line  # whose lower case depends on others


@pytest.mark.parametrize("form", ["nfc", "nfkc"])
@pytest.mark.parametrize("keep_case", [False, True])
@pytest.mark.slow
def test_words_of_a_normalised_text_are_normalised(form, keep_case):
    for c in filter(known, EVERY):
        text = f"a{c} {c}\u0331\u00ad\u0301"
        for word in tokenize(text, keep_case=keep_case, normalise=form):
            assert unicodedata.is_normalized(form.upper(), word), ascii(text)
            assert tokenize(word, keep_case=keep_case, normalise=form) == [word], ascii(text)


@given(st.text(st.characters(exclude_categories=["Cn", "Cs"])) | TRICKY)
def test_texts_that_are_the_same_by_their_normal_form_have_the_same_words(text):
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        assert tokenize(other, normalise="nfc") == tokenize(text, normalise="nfc")
        assert tokenize(other, normalise="nfkc") == tokenize(text, normalise="nfkc")


@pytest.mark.parametrize("form", ["NFC", "nfd", "", None, 1])
def test_a_normal_form_that_there_is_not(form):
    with pytest.raises(ConfigError, match=r"^normalise is .*, but must be one of none, nfc, nfkc$"):
        tokenize("a", normalise=form)


def test_word_of_a_megabyte_is_one_word():
    assert tokenize("x" * 10**6 + " y") == ["x" * 10**6, "y"]


def test_whitespace_keeps_all_but_white_space():
    assert tokenize("The\u00a0King's_MEN, a\x00b\n\tx", "whitespace") == [
        *["The", "King's_MEN,", "a\x00b", "x"]
    ]


def test_nltk_keeps_the_case_and_splits_as_the_treebank():
    assert tokenize("The king's men don't care.", "nltk") == [
        *["The", "king", "'s", "men", "do", "n't", "care", "."]
    ]


@given(st.text(st.sampled_from("a b\r\n\x0b\x0c\x1c\x1d\x85\u2028")))
def test_lines_end_at_cr_and_lf_only(text):
    assert split_lines(text) == naive_text.lines_of(text)
    lines = []
    tokenize(text, lambda line: lines.append(line) or [])
    assert lines == naive_text.lines_of(text)


def test_callable_may_return_any_iterable():
    assert tokenize("a-b\nc", lambda line: iter(line.split("-"))) == ["a", "b", "c"]
    assert tokenize("a-b", re.compile("[a-z]").findall) == ["a", "b"]
    assert tokenize("a b", lambda line: ("", line)) == ["", "a b"]


@pytest.mark.parametrize(
    ("returned", "named"),
    [(None, "NoneType"), ("ab", "str"), (b"ab", "bytes"), (7, "int"), (["a", 7], "int"),
     ([b"a"], "bytes"), ([None], "NoneType"), ([["a"]], "list")],
)  # fmt: skip
def test_callable_that_returns_something_else(returned, named):
    with pytest.raises(CorpusError, match=f"type {named}|returned {named}"):
        tokenize("a", lambda line: returned)


def test_error_within_a_callable_is_the_callers_own():
    with pytest.raises(ZeroDivisionError):
        tokenize("a", lambda line: [1 / 0])


@pytest.mark.parametrize("name", ["words", "", "custom", None, 3])
def test_unknown_tokenizer(name):
    said = "pass the function" if name == "custom" else "must be 'word', 'whitespace', 'nltk' or a"
    with pytest.raises(ConfigError, match=said):
        line_tokenizer(name)


@pytest.mark.parametrize("text", [b"a", None, 7, ["a"]])
def test_text_that_is_no_text(text):
    with pytest.raises(CorpusError, match=type(text).__name__):
        tokenize(text)


def test_import_is_light():
    code = (
        "import sys, cbow.text; "
        "print(*{'nltk', 'zstandard', 'numba', 'scipy', 'tqdm'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


# the tables for compiled code

WORD_RULE = rule_of(words)
WHITESPACE_RULE = rule_of(str.split)


def kinds_and_written(rule):
    characters = rule.alphabet.characters
    return characters & (1 << KIND_BITS) - 1, characters >> KIND_BITS


@pytest.mark.slow
def test_kinds_are_those_of_the_unicode_categories():
    kinds, _ = kinds_and_written(WORD_RULE)
    known = np.array([unicodedata.category(c) != "Cn" for c in EVERY])
    names = {"letter": LETTER, "mark": MARK, "joiner": JOINER, "format": FORMAT, "quote": QUOTE}
    lower = [c.lower()[0].replace("’", "'") for c in EVERY]
    expected = np.array([names.get(naive_text.kind(c), SEPARATOR) for c in lower])
    assert np.array_equal(kinds[known], expected[known])


@pytest.mark.slow
def test_every_character_is_written_in_lower_case():
    _, written = kinds_and_written(WORD_RULE)
    expected = [ord(c.lower()) if c not in "İΣ" else ord(c) for c in EVERY]
    expected[ord("’")] = ord("'")
    assert np.array_equal(written, expected)
    assert sorted(WORD_RULE.special) == ["İ", "Σ"]


def test_case_can_be_kept():
    kinds, written = kinds_and_written(rule_of(cased_words))
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
