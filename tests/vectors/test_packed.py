"""Words end to end in one array, decoded one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ModelFileError
from cbow.vectors.words import PackedWords, distinct, encode_words

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5))
FEW = st.lists(st.text("aé🙂", min_size=1, max_size=3))


def pack(words):
    return PackedWords(*encode_words(words))


@given(TEXTS)
def test_words_are_cut_where_they_were_joined(words):
    letters, ends = encode_words(words)
    assert letters.tobytes() == "".join(words).encode()
    assert len(ends) == len(words)
    assert list(pack(words)) == words


@given(TEXTS, st.slices(8), st.integers(-9, 9))
def test_it_is_a_sequence_like_a_tuple(words, part, place):
    ours, theirs = pack(words), tuple(words)
    assert len(ours) == len(theirs)
    assert ours[part] == theirs[part]
    try:
        expected = theirs[place]
    except IndexError:
        with pytest.raises(IndexError):
            ours[place]
    else:
        assert ours[place] == expected
        assert ours[np.int64(place)] == expected
    assert tuple(reversed(ours)) == theirs[::-1]


@given(FEW, st.text("aé🙂", max_size=3), st.integers(-9, 9), st.integers(-9, 9))
def test_words_are_found_without_decoding(words, word, start, stop):
    ours = pack(words)
    assert (word in ours) == (word in words)
    assert ours.count(word) == words.count(word)
    for range_ in ((), (start,), (start, stop)):
        try:
            expected = words.index(word, *range_)
        except ValueError:
            with pytest.raises(ValueError, match="is not among the words"):
                ours.index(word, *range_)
        else:
            assert ours.index(word, *range_) == expected


@pytest.mark.parametrize("other", [7, None, b"king", ("king",), "", "\ud800", "kin", "kingq"])
def test_what_is_not_there(other):
    words = pack(["king", "queen"])
    assert other not in words
    with pytest.raises(ValueError, match="is not among the words"):
        words.index(other)


def test_going_through_them_in_several_pieces(monkeypatch):
    words = [f"wört{i}" for i in range(50)]
    monkeypatch.setattr("cbow.vectors.words.DECODED", 7)
    assert list(pack(words)) == words


@given(FEW, FEW)
def test_equal_words(a, b):
    assert (pack(a) == pack(b)) == (a == b)
    assert (pack(a) == b) == (b == pack(a)) == (a == b)
    assert (pack(a) == tuple(b)) == (a == b)


def test_what_they_are_not_equal_to():
    assert pack(["a", "b"]) != "ab"
    assert pack(["ab"]) != pack(["a", "b"])
    assert pack(["a"]) != [7]
    with pytest.raises(TypeError, match="unhashable"):
        hash(pack(["a"]))


def test_repr_and_parts():
    words = pack(["king", "naïve"])
    assert repr(words) == "PackedWords(2 words)"
    assert encode_words(words) == (words.letters, words.ends)
    assert words.ends.tolist() == [4, 10]


@pytest.mark.parametrize(
    "ends", [[0, 4], [-1, 4], [2, 2, 4], [3, 2, 4], [2, 3], [2, 5], [], [2**62]]
)
def test_ends_that_cannot_be(ends):
    with pytest.raises(ModelFileError, match="its words do not follow one another; fetch"):
        PackedWords(np.frombuffer(b"king", np.uint8), np.array(ends, np.int64))


def test_bad_bytes_are_told_when_they_are_met():
    letters = np.frombuffer(b"king\xffqueen", np.uint8)
    words = PackedWords(letters, np.array([4, 5, 10]), "a.bin is not usable: ")
    assert (words[0], words[-1]) == ("king", "queen")
    assert words.index("queen") == 2
    for meet in (lambda: words[1], lambda: list(words), lambda: words[:2], words.places):
        with pytest.raises(ModelFileError, match=r"^a.bin is not usable: its words are not UTF-8"):
            meet()


def test_a_cut_within_a_letter():
    letters = np.frombuffer("aé".encode(), np.uint8)
    with pytest.raises(ModelFileError, match="its words are not UTF-8; fetch or train it again"):
        list(PackedWords(letters, np.array([2, 3])))


def test_places():
    assert pack(["b", "a", "é"]).places() == {"b": 0, "a": 1, "é": 2}
    assert pack([]).places() == {}
    words = PackedWords(*encode_words(["b", "a", "c", "a", "b"]), "a.bin is not usable: ")
    said = "^a.bin is not usable: it is damaged, for it holds the word 'b' more than once; fetch"
    with pytest.raises(ModelFileError, match=said):
        words.places()


def test_distinct():
    assert distinct(pack(["b", "a"])) == ("b", "a")
    given = ["b", "b"]
    assert distinct(given) is given
    with pytest.raises(ModelFileError, match="'b' more than once"):
        distinct(pack(given))
