"""Text formats: against files of the tools themselves, gensim, a plain reader, and damage."""

import gzip
import os
import re
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import naive_formats
import numpy as np
import pytest
from format_files import Codec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import ModelFileError
from cbow.vectors.formats import text as text_format

GOLDEN = Path(__file__).parents[2] / "golden"
word2vec_text, fasttext, glove = map(Codec, ("word2vec-text", "fasttext", "glove"))
WITH_HEADER = {"word2vec": word2vec_text, "fastText": fasttext}
ALL = {**WITH_HEADER, "GloVe": glove}

#: Files of the tools, and what reads them.
FILES = {
    "word2vec_c.txt": word2vec_text,
    "word2vec_c_cut.txt": word2vec_text,
    "gensim.txt": word2vec_text,
    "glove_header.txt": word2vec_text,
    "fasttext.vec": fasttext,
    "glove.txt": glove,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.txt"


def bits(numbers):
    """Compare numbers with the sign of zero."""
    return np.asarray(numbers, np.float32).tobytes()


def read_bytes(folder, module, data, errors="strict"):
    path = folder / "file.txt"
    path.write_bytes(data)
    return module.read(path, errors=errors)


def sentence(folder, module, data, errors="strict"):
    """Return what is said about bytes that are refused."""
    with pytest.raises(ModelFileError) as caught:
        read_bytes(folder, module, data, errors)
    said = str(caught.value)
    assert "file.txt" in said
    assert "\n" not in said
    assert len(said) - len(str(folder)) < 330
    return said


def check_like_naive(folder, module, data, errors="strict"):
    """The plain reader and ours read the same, or both refuse; tell whether it was read."""
    try:
        expected = naive_formats.read_text(data, module is not glove, errors)
    except ValueError:
        sentence(folder, module, data, errors)
        return False
    words, rows, duplicates, replaced, spaced = expected
    found = read_bytes(folder, module, data, errors)
    account = found.account
    assert list(found.words) == words
    assert bits(found.matrix) == bits(rows)
    assert found.matrix.dtype == np.float32
    assert len(found.matrix) == len(words)
    assert (account.duplicates, account.replaced, account.spaced) == (duplicates, replaced, spaced)
    assert account.rows == len(words) + duplicates
    assert account.unended == bool(data.rpartition(b"\n")[2].strip())
    return True


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """What is done with small files, and with large ones, which are read in pieces, compiled."""
    if request.param == "large":
        make_large(monkeypatch)


def make_large(monkeypatch):
    monkeypatch.setattr(text_format, "PIECE", 16)
    monkeypatch.setattr(text_format, "COMPILED", 0)
    monkeypatch.setattr(text_format, "NUMBERS", 20)


# what the tools write


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("name", FILES)
def test_files_of_the_tools(tmp_path, name):
    data = (GOLDEN / name).read_bytes()
    assert check_like_naive(tmp_path, FILES[name], data, errors="replace")
    assert check_like_naive(tmp_path, FILES[name], data) == ("cut" not in name)


def gensims(path, header=True):
    """Let gensim read a file; one without a header gets one first, for it would not close it."""
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    if not header:
        unpack = gzip.decompress if path.name.endswith(".gz") else bytes
        rows = unpack(path.read_bytes())
        path = path.with_name("for-gensim")
        path.write_bytes(b"%d %d\n" % (rows.count(b"\n"), rows.split(b"\n")[0].count(b" ")) + rows)
    return keyed.load_word2vec_format(path)


@pytest.mark.parametrize("name", [name for name in FILES if "cut" not in name])
def test_gensim_reads_the_same(tmp_path, name):
    (tmp_path / name).write_bytes((GOLDEN / name).read_bytes())
    theirs = gensims(tmp_path / name, header=name != "glove.txt")
    ours = FILES[name].read(GOLDEN / name)
    n = len(theirs.index_to_key)
    assert len(ours.words) == n + (name == "glove_header.txt")  # of which it leaves out <unk>
    assert list(ours.words[:n]) == theirs.index_to_key
    assert bits(ours.matrix[:n]) == bits(theirs.vectors)


def test_text_and_binary_of_one_training():
    _, *rows = (GOLDEN / "word2vec_c.bin").read_bytes().split(b"\n", 13)  # no number holds an LF
    words = [row.split(b" ")[0].decode() for row in rows]
    binary = [struct.unpack("<5f", row.split(b" ", 1)[1][:20]) for row in rows]
    text = word2vec_text.read(GOLDEN / "word2vec_c.txt")
    assert list(text.words) == words
    np.testing.assert_allclose(text.matrix, binary, atol=5.01e-7, rtol=0)


def test_words_that_word2vec_cut(tmp_path):
    data = (GOLDEN / "word2vec_c_cut.txt").read_bytes()
    said = sentence(tmp_path, word2vec_text, data)
    assert "row 6" in said
    assert "errors='replace'" in said
    found = read_bytes(tmp_path, word2vec_text, data, errors="replace")
    assert found.words[5] == "x" + "é" * 48 + "\ufffd"
    assert found.account.replaced == 1
    assert ["not UTF-8" in note for note in found.account.notes()] == [True]


# what is written


@pytest.mark.usefixtures("size")
def test_the_bytes_are_gensims(path):
    words, matrix, *_ = word2vec_text.read(GOLDEN / "gensim.txt")
    word2vec_text.write(path, words, matrix, None)
    assert path.read_bytes() == (GOLDEN / "gensim.txt").read_bytes()


NUMBERS = (
    st.floats(width=32, allow_nan=False, allow_infinity=False)
    | st.floats(-1, 1, width=32)
    | st.integers(-99999, 99999).map(lambda n: float(np.float32(n / 1e4)))
    | st.sampled_from([0.0, -0.0, 1.0, -0.5, 1e-4, 1e16, 2.0**-149, 3.4028234663852886e38, 0.1])
)
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1).filter(
    lambda word: word == word.strip(" \t\r\v\f")
) | st.sampled_from([". . .", "a\xa0b", "\x85", "nan", "1", "3 5 x", "\ufeffx", "e\tf", "</s>"])


def ends_in_a_number(word):
    fields = re.split("[ \t\r\v\f]+", word)
    return len(fields) > 1 and naive_formats.is_number(fields[-1])


@st.composite
def vectors(draw, dtype="<f4", numbers=NUMBERS):
    words = draw(st.lists(WORD.filter(lambda word: not ends_in_a_number(word)), unique=True))
    N = draw(st.integers(1, 7))
    numbers = numbers.map(lambda x: float(np.float32(x))) if dtype == "<f4" else numbers
    return words, draw(arrays.arrays(dtype, (len(words), N), elements=numbers))


@pytest.mark.slow
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30)  # each flushes a file to the disk
@given(vectors())
def test_what_is_written_is_read(tmp_path_factory, name, suffix, large, given_vectors):
    words, matrix = given_vectors
    path = tmp_path_factory.getbasetemp() / f"round.txt{suffix}"
    if name == "GloVe":
        words = [word.lstrip("\ufeff") or "a" for word in words[:1]] + words[1:] or ["a"]
        if len(set(words)) < len(words) or words[0].strip() != words[0] or not len(matrix):
            return
    with pytest.MonkeyPatch.context() as monkeypatch:
        if large:
            make_large(monkeypatch)
        ALL[name].write(path, words, matrix, None)
        found = ALL[name].read(path)
    assert list(found.words) == words
    assert bits(found.matrix) == bits(matrix)
    assert found.matrix.shape == matrix.shape
    assert found.counts is None
    account = found.account
    assert (account.rows, account.duplicates, account.replaced) == (len(words), 0, 0)
    assert account.spaced == sum(any(map(str.isspace, word)) for word in words)


@pytest.mark.slow
@settings(max_examples=30)
@given(vectors("<f8", st.floats(-1e38, 1e38)))
def test_float64_keeps_all_its_digits_in_the_file(tmp_path_factory, given_vectors):
    words, matrix = given_vectors
    path = tmp_path_factory.getbasetemp() / "double.txt"
    word2vec_text.write(path, words, matrix, None)
    rows = path.read_bytes().decode().split("\n")[1:-1]
    N = matrix.shape[1]
    assert [[float(x) for x in row.rsplit(" ", N)[1:]] for row in rows] == matrix.tolist()
    assert bits(word2vec_text.read(path).matrix) == bits(matrix)  # rounded to float32


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("make", [np.asfortranarray, lambda m: m[::-1], lambda m: m[:, ::2]])
def test_memory_order_does_not_matter(tmp_path, make):
    plain = np.random.default_rng(5).standard_normal((30, 4)).astype(np.float32)
    words = list("abcdefghijklmnopqrstuvwxyz0123")
    given_matrix = make(plain)
    word2vec_text.write(tmp_path / "a", words, given_matrix, None)
    word2vec_text.write(tmp_path / "b", words, np.array(given_matrix, "<f4", order="C"), None)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_layouts(path):
    words, matrix = ["a b", "ü"], np.array([[0.5, -1e-5], [1e20, 3]], np.float32)
    expected = {
        "word2vec": "2 2\na b 0.5 -1e-05\nü 1e+20 3.0\n",
        "fastText": "2 2\na b 0.5 -1e-05 \nü 1e+20 3.0 \n",
        "GloVe": "a b 0.5 -1e-05\nü 1e+20 3.0\n",
    }
    for name, text in expected.items():
        ALL[name].write(path, words, matrix, np.array([3, 2]))
        assert path.read_bytes() == text.encode()


def test_printing_options_do_not_matter(path):
    with np.printoptions(precision=2, legacy="1.13"):
        word2vec_text.write(path, ["a"], np.array([[0.123456789]], np.float32), None)
    assert path.read_text() == "1 1\na 0.12345679\n"


def test_compressed_files_depend_on_their_content_alone(tmp_path):
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    for name in ("a.gz", "b.txt.GZ", "plain"):
        word2vec_text.write(tmp_path / name, ["x", "y"], matrix, None)
    packed = (tmp_path / "a.gz").read_bytes()
    assert packed == (tmp_path / "b.txt.GZ").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "plain").read_bytes()
    assert packed[4:8] == bytes(4)  # no time
    (tmp_path / "no-ending").write_bytes(packed)
    assert word2vec_text.read(tmp_path / "no-ending").words[:] == ("x", "y")


ONE = np.ones((1, 2), np.float32)
UNWRITABLE = {
    "line feed": (["a\nb"], ONE, r"'a\\nb' holds a line feed.*rename it, or write .npz"),
    "space at the end": (["a "], ONE, "'a ' .*begins or ends with white space"),
    "space at the start": ([" a"], ONE, "begins or ends with white space"),
    "only a tab": (["\t"], ONE, "begins or ends with white space"),
    "CR at the end": (["a\r"], ONE, "begins or ends with white space"),
    "a number behind a space": (
        ["catch 22"],
        ONE,
        "'catch 22' holds white space and en",
    ),
    "nan behind a tab": (["a\tnan"], ONE, "ends in a number"),
    "too large": (["a"], np.array([[1e39]]), "'a' holds a number too large for float32"),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("case", UNWRITABLE)
def test_what_cannot_be_written(path, name, case):
    words, matrix, message = UNWRITABLE[case]
    path.write_bytes(b"the old one")
    with pytest.raises(ModelFileError, match=message):
        ALL[name].write(path, words, matrix, None)
    assert path.read_bytes() == b"the old one"
    assert os.listdir(path.parent) == [path.name]


def test_what_glove_cannot_hold(path):
    with pytest.raises(ModelFileError, match=r"no words.*write another format"):
        glove.write(path, [], np.ones((0, 2), np.float32), None)
    with pytest.raises(ModelFileError, match="byte order mark"):
        glove.write(path, ["\ufeffa"], ONE, None)
    glove.write(path, ["a", "\ufeffa"], np.ones((2, 2)), None)
    assert glove.read(path).words[:] == ("a", "\ufeffa")


def test_no_words_at_all(path):
    word2vec_text.write(path, [], np.ones((0, 3), np.float32), None)
    assert path.read_bytes() == b"0 3\n"
    found = word2vec_text.read(path)
    assert (len(found.words), found.matrix.shape) == (0, (0, 3))


def test_gensim_loads_what_is_written_and_the_other_way(path):
    rng = np.random.default_rng(11)
    words = ["king", "queen", "café", "王", "a_b", "</s>", "'", "1"]
    matrix = (rng.standard_normal((8, 6)) * 10.0 ** rng.integers(-9, 9, (8, 6))).astype(np.float32)
    for name, module in ALL.items():
        for place in (path, path.with_name("v.txt.gz")):
            module.write(place, words, matrix, None)
            theirs = gensims(place, header=name != "GloVe")
            assert theirs.index_to_key == words
            assert bits(theirs.vectors) == bits(matrix)
            theirs.save_word2vec_format(place, write_header=name != "GloVe")
            ours = module.read(place)
            assert list(ours.words) == words
            assert bits(ours.matrix) == bits(matrix)


# what is read

ODD = {
    "trailing space": (b"2 2\na 1 2 \nb 3 4 \n", ["a", "b"]),
    "tabs": (b"2\t2\na\t1\t2\nb\t3\t4\n", ["a", "b"]),
    "columns": (b" 2  2 \na    1   2\nb    3  4\n", ["a", "b"]),
    "CR LF": (b"2 2\r\na 1 2\r\nb 3 4 \r\n", ["a", "b"]),
    "byte order mark": (b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n", ["a", "b"]),
    "no line end": (b"2 2\na 1 2\nb 3 4", ["a", "b"]),
    "forms of numbers": (b"2 2\na +1. 2.E0\nb 0.03e+2 40E-01\n", ["a", "b"]),
    "spaces in words": (b"2 2\n. . . 1 2\nat name 3 4\n", [". . .", "at name"]),
    "numbers and spaces": (b"2 2\n1 2 x 1 2\n3 3 4\n", ["1 2 x", "3"]),
    "words like numbers": (b"2 2\nnan 1 2\n-1e5 3 4\n", ["nan", "-1e5"]),
    "white space of other scripts": (
        b"2 2\na\xc2\xa0 1 2\n\xe2\x80\xa8 3 4\n",
        ["a\xa0", "\u2028"],
    ),
    "white space first": (b"2 2\n  a 1 2\n\tb 3 4\n", ["  a", "\tb"]),
    "NUL": (b"2 2\na\0 1 2\nb 3 4\n", ["a\0", "b"]),
    "unknown word not counted": (b"1 2\na 1 2\n<unk> 3 4\n", ["a", "<unk>"]),
    "empty gzip behind": (gzip.compress(b"2 2\na 1 2\n") + gzip.compress(b"b 3 4\n"), ["a", "b"]),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", ODD)
def test_odd_files(tmp_path, case):
    data, words = ODD[case]
    found = read_bytes(tmp_path, word2vec_text, data)
    assert list(found.words) == words
    assert found.matrix.tolist() == [[1, 2], [3, 4]]
    assert found.account.unended == (case == "no line end")
    assert ["line end" in note for note in found.account.notes() if "white" not in note] == [
        True
    ] * found.account.unended
    if not data.startswith(b"\x1f"):
        assert check_like_naive(tmp_path, fasttext, data)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("data", "words", "matrix"),
    [
        (b". . . 1 2\nb 3 4\n", [". . .", "b"], [[1, 2], [3, 4]]),
        (b"1 2 3\n4 5 6\n", ["1", "4"], [[2, 3], [5, 6]]),
        (b"1 2 0.1\n", ["1"], [[2, np.float32(0.1)]]),
        (b"\xef\xbb\xbfa 1\n\xef\xbb\xbfb 2\n", ["a", "\ufeffb"], [[1], [2]]),
        (b"nan 1\n", ["nan"], [[1]]),
    ],
)
def test_without_a_header(tmp_path, data, words, matrix):
    found = read_bytes(tmp_path, glove, data)
    assert list(found.words) == words
    assert found.matrix.tolist() == matrix
    assert check_like_naive(tmp_path, glove, data)


@pytest.mark.usefixtures("size")
def test_repeated_words(tmp_path):
    found = read_bytes(tmp_path, word2vec_text, b"5 1\na 1\nb 2\na 3\nc 4\nb 5\n")
    assert list(found.words) == ["a", "b", "c"]
    assert found.matrix.tolist() == [[1], [2], [4]]
    assert (found.account.rows, found.account.duplicates) == (5, 2)
    assert any("2 of 5 rows repeat a word" in note for note in found.account.notes())


def test_words_equal_once_their_bad_bytes_are_replaced(tmp_path):
    data = b"3 1\na\xc3 1\na\xe2\x82 2\n\xef\xbf\xbd 3\n"
    found = read_bytes(tmp_path, word2vec_text, data, errors="replace")
    assert list(found.words) == ["a\ufffd", "\ufffd"]
    assert (found.account.replaced, found.account.duplicates) == (2, 1)


HARD = [
    "1.00000005960464477539062",  # near the middle of two float32
    "1.000000059604644775390625",  # the middle
    "1.00000005960464477539063",
    "16777217",
    "0.1234567890123456789012345",
    "123456789012345678901234567890.5e-20",
    "0." + "0" * 70 + "1",
    "1e-46",
    "7.006492321624085e-46",
    "3.4028235e38",
    "340282346638528859811704183484516925440",
    "4.9e-324",
    "1e-99999999999999999999",
    "0e99999999999999999999",
    "." + "9" * 400,
    "9" * 30 + "e-30",
    "00000000000000000000000000000012.5",
]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("number", HARD)
def test_numbers_that_want_care(tmp_path, number):
    data = f"2 2\na {number} -{number}\nb -0.0 +0\n".encode()
    with np.errstate(over="ignore"):
        x = np.float32(float(number))
    assert bits(read_bytes(tmp_path, word2vec_text, data).matrix) == bits([x, -x, -0.0, 0])


# what is refused

REFUSED = {
    # what is wrong: content, what the sentence must say
    "empty": (b"", "is empty, but must begin with two whole numbers"),
    "blank": (b"\n\n", "begins with ''"),
    "text": (b"the king and the queen\n" * 9, "begins with 'the king and the queen', but must"),
    "binary": (b"\x7fELF" + bytes(range(256)) * 99, "must begin with two whole numbers"),
    "endless line": (b"\xff" * 10**6, "must begin with two whole numbers"),
    "one number": (b"3\na 1\n", "must begin with"),
    "three numbers": (b"1 1 1\na 1\n", "must begin with"),
    "fraction": (b"1.0 1\na 1\n", "must begin with"),
    "digits of another script": ("\u0661 1\na 1\n".encode(), "must begin with"),
    "header alone": (b"1 1", "is cut short: its header promises 1 rows of 1 numbers, 3 bytes"),
    "negative rows": (b"-1 1\na 1\n", "promises -1 rows of 1 numbers, but there must be 0 rows"),
    "negative numbers": (b"1 -1\na 1\n", "promises 1 rows of -1 numbers"),
    "no numbers": (b"1 0\na\n", "promises 1 rows of 0 numbers"),
    "10^18 rows": (b"1%s 2\na 1 2\n" % (b"0" * 18), "is cut short: .* but 6 follow"),
    "10^18 numbers": (b"1 1%s\na 1 2\n" % (b"0" * 18), "1000000000000000000 numbers, but there m"),
    "absurd product": (b"9999999 33000000\na 1\n", "is cut short"),
    "too many digits": (b"%s 2\na 1 2\n" % (b"1" * 5000), "must begin with"),
    "fewer rows": (b"3 1\na 1.00000\nb 1\n", "cut short: .* promises 3 rows, but it ends after 2"),
    "more rows": (b"1 1\na 1\nb 1\n", "row 2: its header promises only 1 rows; correct the head"),
    "more than one row": (b"1 1\na 1\n<unk> 1\nb 2\n", "row 2: its header promises only 1 rows"),
    "a bad row too many": (b"1 1\na 1\nb 1 2\n", "row 2: its header promises only 1 rows"),
    "bad rows, too many": (b"1 1\na 1\nb 1\nc\n\n", "row 2: its header promises only 1 rows"),
    "header of fewer numbers": (b"2 1\na 1 2\nb 1 2\n", "row 1: .*'a' is of length 2, but 1"),
    "header of more numbers": (b"2 3\na 1 2  \nb 1 2  \n", "row 1: .* is of length 2, but 3 is"),
    "short row": (b"3 2\na 1.00 2\nb 1\nc 1 2\n", "row 2: the vector of 'b' is of length 1, but 2"),
    "long row": (b"3 2\na 1 2\nb 1 2\nc 1 2 3\n", "row 3: .*'c' is of length 3.* ends in a number"),
    "row of a word": (b"2 1\na 1\nlonely\n", "row 2: the vector of 'lonely' is of length 0"),
    "empty row": (b"3 1\na 1.000\n\nb 1\n", "row 2: it is empty; remove it"),
    "rows behind blank lines": (b"1 1\na 1\n\nb 1\n", "row 2: its header promises only 1 rows"),
    "blank lines for rows": (b"3 1\na 1.000\n\n\n\n", "row 2: it is empty"),
    "blank row": (b"3 1\na 1\n \t\r\nb 1\n", "row 2: it is empty"),
    "no word": (b"2 2\na 1 2\n 1 2\n", "row 2: there is no word before its numbers"),
    "only numbers": (b"2 2\n1 2 3\n1 2.000\n", "row 2: the vector of '1' is of length 1, but 2"),
    "no number": (b"2 2\na 1 2\nb 1 c\n", "row 2: the vector of 'b' holds 'c' where a number is"),
    "letter in a number": (b"1 2\na 1 2x\n", "'a' holds '2x' where a number is expected"),
    "a word inside": (b"1 2\na 1 c 2\n", "'a' is of length 1, but 2 is expected"),
    "underscore": (b"1 2\na 1_0 2\n", "'1_0' where"),
    "hexadecimal": (b"1 2\na 0x1 2\n", "'0x1' where"),
    "comma": (b"1 2\na 0,5 2\n", "'0,5' where"),
    "two points": (b"1 2\na 0.5.5 2\n", "'0.5.5' where"),
    "two numbers in one": (b"1 2\na 0.5.5\n", "row 1: the vector of 'a' is of length 0, but 2"),
    "sign in a number": (b"2 2\na 0.5 1\nb 1-2\n", "row 2: the vector of 'b' is of length 0"),
    "two signs": (b"1 2\na --5 2\n", "'--5' where"),
    "a point": (b"1 2\na . 2\n", "'.' where"),
    "a sign": (b"1 2\na - 2\n", "'-' where"),
    "no exponent": (b"1 2\na 1e 2\n", "'1e' where"),
    "only an exponent": (b"1 2\na e5 2\n", "'e5' where"),
    "other digits": ("1 2\na ١ 2\n".encode(), "'١' where"),
    "nan": (b"2 2\na 1 2\nb nan 2\n", "row 2: the vector of 'b' holds 'nan', which is not finite"),
    "infinity": (b"1 2\na 1 -Infinity\n", "'-Infinity', which is not finite; remove the row"),
    "nan behind two words": (b"1 2\na b 1 nan\n", "holds 'nan', which is not finite"),
    "three with nan": (b"1 2\na nan 1 2\n", "is of length 3, but 2 is expected"),
    "too large": (b"1 2\na 1 1e39\n", "'a' holds '1e39', too large for float32; remove the row"),
    "far too large": (b"1 2\na 1 -1e999\n", "'-1e999', too large"),
    "long number": (b"1 2\na 1 %sx\n" % (b"1" * 99), "'1{36}... where"),
    "not UTF-8": (b"2 1\na 1\ncaf\xe9 1\n", "row 2: the word .* is not UTF-8;.*errors='replace'"),
    "cut gzip": (gzip.compress(b"1 1\na 1\n")[:-9], "cut short: its gzip data"),
    "damaged gzip": (
        gzip.compress(b"1 1\na 1\n", mtime=0)[:-8] + b"12345678",
        "is damaged: it is no",
    ),
    "something behind gzip": (gzip.compress(b"1 1\na 1\n") + b"abc", "is damaged"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "gzip with a header that lies": (gzip.compress(b"9999999 30\na 1\n"), "is of length 1, but 30"),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    data, message = REFUSED[case]
    for module in WITH_HEADER.values():
        assert re.search(message, sentence(tmp_path, module, data))


REFUSED_WITHOUT = {
    "empty": (b"", "is empty, but must begin with a word and its numbers"),
    "text": (b"the king\n", "begins with 'the king', but must begin with a word and its numbers"),
    "blank first row": (b"\na 1\n", "must begin with a word"),
    "only a word": (b"word", "must begin with"),
    "no word": (b" 1\n", "must begin with"),
    "fewer numbers": (b"a 1 2\nb 1\n", "row 2: the vector of 'b' is of length 1, but 2"),
    "more numbers": (b"a 1 2\nb 1 2 3\n", "row 2: the vector of 'b' is of length 3, but 2"),
    "a header": (b"2 2\na 1 2\nb 1 2\n", "row 2: the vector of 'a' is of length 2, but 1"),
    "nan in the first row": (b"a 1 nan\nb 1 2\n", "row 1: .* not finite"),
    "binary": (bytes(range(256)) * 99, "must begin with"),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", REFUSED_WITHOUT)
def test_refused_without_a_header(tmp_path, case):
    data, message = REFUSED_WITHOUT[case]
    assert re.search(message, sentence(tmp_path, glove, data))


def test_files_that_cannot_be_opened(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for module in ALL.values():
        with pytest.raises(ModelFileError, match=r"nothing cannot be opened .No such file"):
            module.read(tmp_path / "nothing")
        for place in (tmp_path, pipe, Path("/dev/null")):
            with pytest.raises(ModelFileError, match="not a regular file"):
                module.read(place)


@pytest.mark.parametrize("packed", [False, True])
def test_endless_rows(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(text_format, "PIECE", 100)
    monkeypatch.setattr(text_format, "LONGEST_ROW", 1000)
    for module, begin in ((word2vec_text, b"1 1\na 1"), (glove, b"a 1\nb 1")):
        whole = begin + b"0" * 900 + b"e-900\n"
        endless = begin + b"0" * 9000
        if packed:
            whole, endless = gzip.compress(whole), gzip.compress(endless)
        assert read_bytes(tmp_path, module, whole).matrix[-1] == 1
        assert "a row of more than 1000 bytes" in sentence(tmp_path, module, endless)


@pytest.mark.parametrize("compiled", [0, 10**6])
def test_memory_does_not_follow_the_header(tmp_path, monkeypatch, compiled):
    monkeypatch.setattr(text_format, "COMPILED", compiled)
    path = tmp_path / "file.txt"
    path.write_bytes(gzip.compress(b"1000000000000 30000000\n" + b"a 1 2\n" * 1000))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="is of length 2, but 30000000 is expected"):
            word2vec_text.read(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * text_format.PIECE
    finally:
        tracemalloc.stop()


# files that were cut


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("name", ["word2vec", "GloVe"])
@pytest.mark.parametrize("tail", [b"\n", b" \n", b"\r\n"])
def test_cut_at_every_byte(tmp_path, name, tail):
    header = b"3 3\n" if name == "word2vec" else b""
    rows = [b"the 0.125 -1.5e-05 12.25", b"caf\xc3\xa9 1 2 3", b"a b 0.5 0.25 -0.75"]
    whole = header + b"".join(row + tail for row in rows)
    module, full = ALL[name], read_bytes(tmp_path, ALL[name], whole)
    assert full.account.unended == 0
    ends = [len(header) + sum(len(row + tail) for row in rows[:k]) for k in (1, 2, 3)]
    for end in range(len(whole)):
        data = whole[:end]
        was_read = check_like_naive(tmp_path, module, data)
        lacks_digits = rows[-1].rindex(b" ") < end - ends[1] <= len(rows[-1])
        if name == "word2vec":
            assert was_read <= (lacks_digits or end > ends[1] + len(rows[-1]))
        if was_read and end not in ends:
            found = read_bytes(tmp_path, module, data)
            assert found.account.unended
            V = len(found.words)
            same = found.matrix == full.matrix[:V, : found.matrix.shape[1]]
            assert same.reshape(-1)[:-1].all()  # only the last number may be another


def test_compressed_files_cut_at_every_byte(tmp_path):
    whole = gzip.compress(b"2 2\nthe 0.125 -1.5\nking 1 2\n", mtime=0)
    for end in range(len(whole)):
        sentence(tmp_path, word2vec_text, whole[:end])
    assert len(read_bytes(tmp_path, word2vec_text, whole).words) == 2


# anything


PIECES = st.sampled_from(
    [
        *(b"2", b"3", b" ", b" ", b" ", b"\n", b"\n", b"a", b"b", b"0.5", b"-1e-5", b"nan", b"\t"),
        *(b"\r", b"\xc3\xa9", b"\xe9", b"inf", b"1e39", b"e", b".", b"+", b"\0", b"<unk>", b"_"),
        *(b"\xef\xbb\xbf", b"\xa0", b"\xc2\xa0", b"\x1c", b"0.1234567890123456789"),
        *(b"2 2\n", b"a 1 2\n", b"1 "),
    ]
)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", ["word2vec", "GloVe"])
@given(st.lists(PIECES, max_size=30).map(b"".join), st.sampled_from(["strict", "replace"]))
@example(b"0 1\n", "strict")
@example(b"1 1\n\xc3 1\n\xc3 2\n", "replace")
@example(b"a 1\n\xe9 2\n\xe8 2\n", "replace")
def test_anything_is_read_as_plainly_or_refused(tmp_path_factory, name, large, data, errors):
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as monkeypatch:
        if large:
            make_large(monkeypatch)
        check_like_naive(folder, ALL[name], data, errors)


SOME = (
    b"6 4\nthe 0.060468 0.018868 0.004169 -0.072071 \ncaf\xc3\xa9 1 -0.5 1e-05 3.25\n"
    b". . . 0.1 0.2 0.3 0.4\n1999 +.5 5. 1E3 0\na 1 2 3 4\nb 0 0 0 0\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("large", [False, True])
@given(
    st.lists(
        st.tuples(st.integers(0, len(SOME)), st.integers(0, 6), st.binary(max_size=3) | PIECES),
        min_size=1,
        max_size=4,
    )
)
def test_small_changes_are_read_as_plainly_or_refused(tmp_path_factory, large, changes):
    data = SOME
    for place, width, put in changes:
        data = data[:place] + put + data[place + width :]
    with pytest.MonkeyPatch.context() as monkeypatch:
        if large:
            make_large(monkeypatch)
        check_like_naive(tmp_path_factory.getbasetemp(), word2vec_text, data)
        check_like_naive(tmp_path_factory.getbasetemp(), glove, data[4:], "replace")


# a large file, as large files are read


def test_many_rows(path):
    rng = np.random.default_rng(3)
    matrix = (rng.standard_normal((3000, 40)) * 0.1).astype(np.float32)
    words = [f"w{i}" for i in range(3000)]
    words[7], words[1234] = "a b", "\xa0"
    path.write_bytes(
        b"3000 40\n"
        + b"".join(
            f"{word} {' '.join(map(repr, row))}\n".encode()
            for word, row in zip(words, matrix.tolist(), strict=True)
        )
    )
    assert path.stat().st_size > text_format.COMPILED
    found = word2vec_text.read(path)
    assert list(found.words) == words
    assert bits(found.matrix) == bits(matrix)
    assert found.account.spaced == 2
    assert found.matrix.flags.c_contiguous
    assert found.matrix.flags.writeable


def test_small_files_need_no_compiler(path):
    code = (
        "import sys, pathlib; from cbow.vectors.formats import read, write;"
        "path, copy = map(pathlib.Path, sys.argv[1:]);"
        "write(copy, *read(path)[:3], 'word2vec-text');"
        "print([name for name in ('numba', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, GOLDEN / "gensim.txt", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert path.read_bytes() == (GOLDEN / "gensim.txt").read_bytes()
