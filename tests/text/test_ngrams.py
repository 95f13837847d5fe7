"""N-grams and their buckets, against plain code, fastText and gensim."""

import itertools
import re

import naive_text
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cbow.text import ngrams as module
from cbow.text.ngrams import (
    Ngrams,
    collisions,
    features_of,
    left_out,
    ngram_ids,
    ngrams_of,
    suggested_buckets,
)

# Characters of each length in UTF-8, letters with marks, what marks the ends; half a character.
WORD = st.text(st.sampled_from("ab<>éह\u093f👍\U0010ffff\ud800/s")) | st.text()
WORDS = st.lists(WORD | st.just("</s>"), max_size=8)
RANGE = st.tuples(st.integers(0, 7), st.integers(0, 7))
STRANGE = ["a", "über", "हिन्दी", "👍👍", "<", ">", "", "</s>", "naïve", "ab" * 40]


def plain_features(words, ngrams, characters=1000):
    """The features of each word as a list."""
    shortest, longest, buckets = ngrams
    return [
        [w]
        + [
            len(words) + naive_text.bucket(part, buckets)
            for part in naive_text.ngrams(word, shortest, longest, characters)
        ]
        for w, word in enumerate(words)
    ]


def rows(features):
    indptr, indices = features
    return [indices[a:b].tolist() for a, b in itertools.pairwise(indptr)]


def test_the_parts_of_a_word():
    assert naive_text.ngrams("éb", 1, 3) == ["<é", "<éb", "é", "éb", "éb>", "b", "b>"]
    assert naive_text.ngrams("of", 3, 6) == ["<of", "<of>", "of>"]


def test_buckets_worked_out_by_hand():
    # FNV-1a of "<a>": each byte is put in by xor, then all is multiplied by the prime.
    h = ((2166136261 ^ 0x3C) * 16777619) % 2**32
    h = ((h ^ 0x61) * 16777619) % 2**32
    h = ((h ^ 0x3E) * 16777619) % 2**32
    assert ngram_ids("a", Ngrams(3, 6, 2**31)).tolist() == [h % 2**31]
    # The two bytes of "é" are negative to fastText.
    h = ((2166136261 ^ 0xFFFFFFC3) * 16777619) % 2**32
    h = ((h ^ 0xFFFFFFA9) * 16777619) % 2**32
    assert ngram_ids("é", Ngrams(1, 1, 2_000_000)).tolist() == [h % 2_000_000]


@given(WORDS, RANGE, st.integers(1, 2**30))
@example([], (3, 6), 10)
@example(["</s>"], (1, 6), 10)
def test_features_are_those_of_the_plain_definition(words, lengths, buckets):
    ngrams = Ngrams(*lengths, buckets)
    features = features_of(words, ngrams)
    assert (features.indptr.dtype, features.indices.dtype) == (np.int64, np.int32)
    assert rows(features) == plain_features(words, ngrams)
    assert rows(features_of([w.encode("utf-8", "surrogatepass") for w in words], ngrams)) == rows(
        features
    )
    for word, row in zip(words, rows(features), strict=True):
        assert (ngram_ids(word, ngrams) + len(words)).tolist() == row[1:]


def test_words_are_taken_some_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "_WORDS", 3)
    ngrams = Ngrams(2, 4, 50)
    assert rows(features_of(STRANGE, ngrams)) == plain_features(STRANGE, ngrams)


@pytest.mark.parametrize("length", [990, 996, 997, 998, 999, 1000, 1001, 1005, 3000])
@pytest.mark.parametrize("lengths", [(3, 6), (1, 2), (6, 3), (0, 0), (5, 5)])
def test_what_is_left_out_of_long_words_is_counted(length, lengths):
    ngrams = Ngrams(*lengths, 1000)
    words = ["é" * length, "b"]
    kept, there_are = features_of(words, ngrams), features_of(words, ngrams, None)
    assert rows(kept) == plain_features(words, ngrams)
    assert rows(there_are) == plain_features(words, ngrams, 10_000)
    assert left_out(words, ngrams) == len(there_are.indices) - len(kept.indices)


@given(st.lists(st.binary(max_size=12), max_size=4), RANGE)
def test_words_that_are_not_utf8_have_ngrams_of_bytes(words, lengths):
    expected = []
    for word in words:
        # A character is a byte and the bytes behind it that only continue one.
        letters = re.findall(rb"(?s:.)[\x80-\xbf]*", b"<" + word + b">" if word != b"</s>" else b"")
        for i, n in itertools.product(range(len(letters)), range(1, 8)):
            in_range = max(lengths[0], 1) <= n <= lengths[1] and i + n <= len(letters)
            if in_range and not (n == 1 and i in (0, len(letters) - 1)):
                expected.append(naive_text.bucket(b"".join(letters[i : i + n]), 99))
    assert ngrams_of(words, Ngrams(*lengths, 99)).indices.tolist() == expected


def test_a_word_of_a_million_characters():
    assert len(ngram_ids("x" * 10**6, Ngrams(3, 6, 100))) == 4000
    assert left_out(["x" * 10**6], Ngrams(3, 6, 100)) == 4 * (10**6 + 2 - 1000) - 2 - 3 - 4 - 5


@given(WORDS, RANGE, st.integers(1, 40))
def test_collisions_are_those_of_the_plain_definition(words, lengths, buckets):
    distinct = {part for word in words for part in naive_text.ngrams(word, *lengths)}
    places = [naive_text.bucket(part, buckets) for part in distinct]
    sharing = sum(places.count(place) > 1 for place in places)
    assert collisions(words, Ngrams(*lengths, buckets)) == sharing / max(len(distinct), 1)


@given(WORDS, RANGE)
def test_suggested_buckets_are_a_power_of_two_above_the_distinct_ngrams(words, lengths):
    distinct = len({part for word in words for part in naive_text.ngrams(word, *lengths)})
    buckets = suggested_buckets(words, *lengths)
    assert buckets.bit_count() == 1
    assert buckets // 2 < distinct <= buckets or (distinct <= 1 and buckets == 1)


def test_no_more_buckets_are_suggested_than_the_most(monkeypatch):
    monkeypatch.setattr(module, "MOST_BUCKETS", 4)
    assert suggested_buckets(["abcdefgh"], 3, 6) == 4


@pytest.mark.parametrize("lengths", [(3, 6), (1, 3), (2, 2)])
def test_features_are_those_of_fasttext(lengths, tmp_path):
    fasttext = pytest.importorskip("fasttext")
    (tmp_path / "text.txt").write_text(f"{' '.join(STRANGE)}\n" * 2, "utf-8")
    model = fasttext.train_unsupervised(
        str(tmp_path / "text.txt"), "cbow", dim=10, epoch=1, minCount=1, verbose=0, thread=10,
        minn=lengths[0], maxn=lengths[1], bucket=1000,
    )  # fmt: skip
    words = model.get_words()
    assert {"</s>", "über"} < set(words)
    ngrams = Ngrams(*lengths, 1000)
    assert rows(features_of(words, ngrams)) == [model.get_subwords(w)[1].tolist() for w in words]
    for word in [*STRANGE, "überall", "</s", "नदी"]:
        if word not in words:
            expected = model.get_subwords(word)[1] - len(words)
            assert ngram_ids(word, ngrams).tolist() == expected.tolist()


@pytest.mark.parametrize("lengths", [(3, 6), (1, 3), (2, 2)])
def test_buckets_are_those_of_gensim(lengths):
    hashes = pytest.importorskip("gensim.models.fasttext").ft_ngram_hashes
    for word in STRANGE:
        if word != "</s>":  # gensim makes n-grams of it, fastText does not
            assert ngram_ids(word, Ngrams(*lengths, 1000)).tolist() == hashes(word, *lengths, 1000)
