import copy
import pickle

import naive_text
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ConfigError, CorpusError
from cbow.text import TokenAccount, Vocabulary

WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
COUNTS = st.dictionaries(WORD, st.integers(0, 5))


@given(COUNTS, st.integers(1, 4), st.none() | st.integers(1, 6))
def test_from_counts_equals_the_plain_way(counts, min_count, limit):
    vocabulary = Vocabulary.from_counts(counts, min_count, limit)
    lines = [[word] * n for word, n in counts.items()]
    words, sizes = naive_text.vocabulary(lines, min_count, limit)
    assert list(vocabulary) == words
    assert vocabulary.counts.tolist() == sizes


@given(
    COUNTS, st.integers(1, 4), st.none() | st.integers(1, 4), st.sets(WORD, max_size=3), st.data()
)
def test_words_to_keep_come_first(counts, min_count, limit, keep, data):
    keep |= data.draw(st.sets(st.sampled_from(sorted(counts)))) if counts else set()
    found = Vocabulary.from_counts(counts, min_count, limit, keep)
    kept = {word: n for word, n in counts.items() if word in keep}
    others = {word: n for word, n in counts.items() if word not in keep}
    room = None if limit is None else max(0, limit - len(kept))
    best = [] if room == 0 else list(Vocabulary.from_counts(others, min_count, room))
    chosen = sorted([*kept, *best], key=lambda word: (-counts[word], word))
    assert list(found) == chosen


@given(COUNTS)
def test_ids_and_words_are_each_others_inverse(counts):
    vocabulary = Vocabulary.from_counts(counts, min_count=0)
    assert len(vocabulary) == len(counts)
    for i, word in enumerate(vocabulary):
        assert vocabulary[word] == i
        assert vocabulary.word(i) == word
        assert word in vocabulary
        assert vocabulary.counts[i] == counts[word]


def test_ties_are_in_order_of_code_points():
    vocabulary = Vocabulary.from_counts({"é": 2, "b": 2, "Z": 2, "a": 2, "\U0001d400": 2, "z": 3})
    assert vocabulary.words == ("z", "Z", "a", "b", "é", "\U0001d400")


def test_unknown_word():
    vocabulary = Vocabulary(["a"], [1])
    assert "b" not in vocabulary
    assert 0 not in vocabulary
    with pytest.raises(KeyError):
        vocabulary["b"]


def test_nothing_can_be_changed():
    counts = np.array([2, 1])
    vocabulary = Vocabulary(["a", "b"], counts)
    counts[0] = 9
    assert vocabulary.counts.tolist() == [2, 1]
    assert vocabulary.counts.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 9
    with pytest.raises(AttributeError, match="cannot be changed"):
        vocabulary.words = ("x",)


def test_equality_is_of_words_and_counts():
    one = Vocabulary(["a", "b"], [2, 1])
    assert one == Vocabulary(("a", "b"), np.array([2, 1], np.int32))
    assert hash(one) == hash(Vocabulary(["a", "b"], [2, 1]))
    assert one != Vocabulary(["a", "b"], [3, 1])
    assert one != Vocabulary(["a", "c"], [2, 1])
    assert one != ("a", "b")


def test_copies_are_equal():
    one = Vocabulary(["a", "b"], [2, 1])
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert repr(one) == "Vocabulary(2 words, 3 tokens)"


def test_empty_vocabulary():
    assert len(Vocabulary([], [])) == 0
    assert Vocabulary.from_counts({}) == Vocabulary([], [])


@pytest.mark.parametrize(
    ("words", "counts", "said"),
    [
        (["a", "b"], [1], "one count for each"),
        (["a"], [[1]], "one count for each"),
        (["a"], 1, "one count for each"),
        (["a"], [1.5], "whole numbers"),
        (["a"], ["1"], "whole numbers"),
        (["a"], [True], "whole numbers"),
        (["a"], [-1], "negative"),
        (["a", "b"], [1, 2], "rise"),
        (["b", "a", "b"], [1, 1, 1], "'b' is there twice"),
        (["a", ""], [1, 1], "not a word"),
        (["a", 3], [1, 1], "not a word"),
        (["a", b"b"], [1, 1], "not a word"),
        (["a", "x\ud800"], [1, 1], "UTF-8"),
    ],
)
def test_what_is_no_vocabulary(words, counts, said):
    with pytest.raises(CorpusError, match=said):
        Vocabulary(words, counts)


def test_fractions_are_not_rounded_away():
    with pytest.raises(CorpusError, match="whole numbers"):
        Vocabulary.from_counts({"a": 2.5})


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_below_one(limit):
    with pytest.raises(ConfigError, match="max_vocabulary"):
        Vocabulary.from_counts({"a": 1}, max_vocabulary=limit)


# the account


def test_account_must_add_up():
    TokenAccount(read=10, kept=4, rare=3, beyond=2, empty=1)
    with pytest.raises(CorpusError, match="add up"):
        TokenAccount(read=10, kept=4, rare=3, beyond=2)
    with pytest.raises(CorpusError, match="negative"):
        TokenAccount(read=0, kept=1, rare=-1)


@pytest.mark.parametrize("name", ["kept", "rare", "beyond", "empty", "stop", "joined"])
def test_every_part_is_in_the_sum(name):
    assert TokenAccount(**{"read": 3, name: 3}).to_dict()[name] == 3


def test_account_is_ready_for_json():
    account = TokenAccount(lines=1, read=1, kept=1, skipped_files=4)
    assert account.to_dict() == {
        "lines": 1, "read": 1, "kept": 1, "rare": 0, "beyond": 0, "empty": 0,
        "replaced": 0, "cut": 0, "skipped_files": 4, "stop": 0, "absent": 0,
        "fieldless": 0, "joined": 0,
    }  # fmt: skip
    assert TokenAccount(**account.to_dict()) == account


def test_account_in_sentences():
    assert TokenAccount(lines=1).sentences() == ["1 line, 0 tokens read, 0 kept"]
    sentences = TokenAccount(1000, 2023, 2000, 1, 5, 10, 2, 2, 1, 3, 1, 7, 4).sentences()
    assert sentences == [
        "1,000 lines, 2,023 tokens read, 2,000 kept",
        "4 tokens joined to the token before, in phrases",
        "1 token left out: their words occur fewer than min_count times",
        "5 tokens left out: their words are beyond max_vocabulary",
        "10 tokens left out: the tokenizer returned empty strings",
        "3 tokens left out: their words are among stop_words",
        "1 word of keep_words not found in the text",
        "7 rows not read: the field is not there, or holds no text",
        "2 replacements made: bytes that cannot be decoded became U+FFFD",
        "2 runs of characters without white space cut: too long to read at once",
        "1 file not read: the name does not end in .txt, or it is a pipe or a device",
    ]
