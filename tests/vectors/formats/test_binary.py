"""word2vec's binary format: against word2vec.c, gensim, and damage in every place."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from format_files import GOLDEN, WORDS, Codec, check, fuzz, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ModelFileError, VectorsWarning
from cbow.vectors.formats import word2vec_binary

codec = Codec("word2vec-binary")
read, write = codec.read, codec.write


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.bin"


def compose(words, matrix, header=None, between=b"\n"):
    """Put a file together by hand."""
    V, N = matrix.shape
    begin = b"%d %d\n" % (V, N) if header is None else header
    rows = (
        word + b" " + struct.pack(f"<{N}f", *row) + between
        for word, row in zip(words, matrix, strict=True)
    )
    return begin + b"".join(rows)


ENCODED = [word.encode() for word in WORDS]
MATRIX = matrix_of(len(WORDS))
SMALL = compose(ENCODED[:4], MATRIX[:4])


# -- what the real tools write -----------------------------------------------------------------


def test_word2vec_c_and_gensim_say_the_same():
    ours = read(GOLDEN / "word2vec_c.bin")
    assert ours.words[:3] == ("</s>", "the", "and")
    assert ours.matrix.shape == (13, 5)
    check(read(GOLDEN / "gensim.bin"), ours.words, ours.matrix)
    # word2vec.c's text of the same training has six digits behind the point.
    lines = (GOLDEN / "word2vec_c.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(ours.words)
    text = [[float(number) for number in line.split()[1:]] for line in lines]
    np.testing.assert_allclose(ours.matrix, text, rtol=0, atol=5.1e-7)


@pytest.mark.parametrize("name", ["word2vec_c.bin", "gensim.bin"])
def test_gensim_reads_the_same(name):
    models = pytest.importorskip("gensim.models")
    theirs = models.KeyedVectors.load_word2vec_format(str(GOLDEN / name), binary=True)
    ours = read(GOLDEN / name)
    check(ours, theirs.index_to_key, theirs.vectors)


def test_word2vec_c_wrote_the_same_bytes(path):
    ours = read(GOLDEN / "word2vec_c.bin")
    write(path, ours.words, ours.matrix)
    assert path.read_bytes() == (GOLDEN / "word2vec_c.bin").read_bytes()


def test_a_word_that_word2vec_c_cut_within_a_letter():
    said = refused(read, GOLDEN / "word2vec_c_cut.bin")
    assert "row 6: the word " in said
    assert "not UTF-8" in said
    assert "--errors replace" in said
    contents = read(GOLDEN / "word2vec_c_cut.bin", errors="replace")
    assert contents.account.replaced == 1
    assert contents.words[5].startswith("xé")
    assert contents.words[5].endswith("é\ufffd")


def test_gensim_reads_what_is_written(path):
    models = pytest.importorskip("gensim.models")
    write(path, WORDS, MATRIX)
    theirs = models.KeyedVectors.load_word2vec_format(str(path), binary=True)
    assert theirs.index_to_key == WORDS
    assert theirs.vectors.tobytes() == MATRIX.tobytes()


# -- what is written is read -------------------------------------------------------------------


@pytest.mark.parametrize("between", [b"\n", b""])
def test_line_feeds_between_rows(path, between):
    path.write_bytes(compose(ENCODED, MATRIX, between=between))
    check(read(path), WORDS, MATRIX)


def test_words_that_are_line_feeds(path):
    """Of gensim, whose tokens may be anything; it reads them as empty words itself."""
    words = ["a", "\n", "\n\n", "b", "c", "d"]
    path.write_bytes(compose([word.encode() for word in words], matrix_of(6), between=b""))
    contents = read(path)
    check(contents, words, matrix_of(6))
    assert contents.account.spaced == 2


@pytest.mark.parametrize("header", [b"9 3\n", b" 9\t3 \r\n", b"+9 003\n"])
def test_headers(path, header):
    path.write_bytes(compose(ENCODED, MATRIX, header))
    check(read(path), WORDS, MATRIX)


@pytest.mark.parametrize("block", [1, 2, 5, 13, 64])
@pytest.mark.parametrize("name", ["vectors.bin", "vectors.bin.gz"])
def test_rows_over_the_edges_of_blocks(tmp_path, monkeypatch, block, name):
    monkeypatch.setattr(word2vec_binary, "BLOCK", block)
    path = tmp_path / name
    write(path, WORDS, MATRIX)
    check(read(path), WORDS, MATRIX)


def test_packed_with_gzip(tmp_path):
    plain, packed, again = (tmp_path / name for name in ("a.bin", "a.bin.gz", "b.bin.gz"))
    for path in (plain, packed, again):
        write(path, WORDS, MATRIX)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert again.read_bytes() == packed.read_bytes()  # no name, no time
    check(read(packed), WORDS, MATRIX)
    misnamed = tmp_path / "misnamed.bin"
    misnamed.write_bytes(packed.read_bytes())
    check(read(misnamed), WORDS, MATRIX)


def test_no_words(path):
    write(path, [], np.empty((0, 7), np.float32))
    assert path.read_bytes() == b"0 7\n"
    check(read(path), [], np.empty((0, 7), np.float32))


@pytest.mark.slow
def test_many_rows(path, monkeypatch):
    monkeypatch.setattr(word2vec_binary, "BLOCK", 2**12)
    words = [f"{i:x}" for i in range(9000)]
    matrix = matrix_of(9000, 5)
    write(path, words, matrix)
    check(read(path), words, matrix)


def test_doubles_that_float32_holds_are_written_as_they_are(path):
    write(path, WORDS, MATRIX.astype(np.float64))
    check(read(path), WORDS, MATRIX)


def test_doubles_are_rounded_and_that_is_told(path):
    doubles = matrix_of(len(WORDS), dtype=np.float64)
    with pytest.warns(VectorsWarning, match="rounded from float64 to float32, the only kind that"):
        write(path, WORDS, doubles)
    check(read(path), WORDS, doubles.astype(np.float32))


def test_other_orders_in_memory(path):
    write(path, WORDS, np.asfortranarray(MATRIX).astype(">f4"))
    assert path.read_bytes() == compose(ENCODED, MATRIX)


def test_first_of_equal_words_is_kept(path):
    words = [b"a", b"b", b"a", b"c", b"b", b"a"]
    matrix = matrix_of(6)
    path.write_bytes(compose(words, matrix))
    contents = read(path)
    check(contents, ["a", "b", "c"], matrix[[0, 1, 3]])
    assert (contents.account.rows, contents.account.duplicates) == (6, 3)
    assert list(contents.account.notes()) == [
        "3 of 6 rows repeat a word; the first of each is kept"
    ]


def test_words_with_white_space_are_kept_and_counted(path):
    path.write_bytes(compose([b"a\tb", "c\xa0d".encode(), b"e"], matrix_of(3)))
    contents = read(path)
    check(contents, ["a\tb", "c\xa0d", "e"], matrix_of(3))
    assert contents.account.spaced == 2


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cut.bin", "cut.bin.gz"])
def test_every_truncation(tmp_path, name):
    path = tmp_path / name
    for size in range(len(SMALL) - 1):  # but for the last line feed
        content = SMALL[:size]
        said = refused(read, path, gzip.compress(content) if name.endswith("gz") else content)
        assert ("is cut short" if size > 3 else "does not begin with a line of two") in said
    path.write_bytes(SMALL[:-1])
    check(read(path), WORDS[:4], MATRIX[:4])


def test_every_truncation_of_the_gzip_data(tmp_path):
    packed = gzip.compress(SMALL)
    for size in range(len(packed)):
        refused(read, tmp_path / "cut.bin.gz", packed[:size])


def test_damaged_gzip_data(tmp_path):
    packed = bytearray(gzip.compress(SMALL))
    packed[-5] ^= 1
    assert "not proper gzip data" in refused(read, tmp_path / "vectors.bin.gz", bytes(packed))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", "does not begin with a line of two whole numbers"),
        (b"9\n", "does not begin with a line of two"),
        (b"9 3 1\n", "does not begin with a line of two"),
        (b"nine three\n", "does not begin with a line of two"),
        (b"9" * 60 + b" " + b"3" * 60 + b"\n", "does not begin with a line of two"),
        (b"-9 3\n", "promises -9 words of 3 dimensions"),
        (b"9 -3\n", "promises 9 words of -3 dimensions"),
        (b"9 0\n", "promises 9 words of 0 dimensions"),
        (b"9 1000000000000000000\n", "of 1 to 16777216 dimensions"),
        (b"1000000000000000000 3\n", "is cut short: its header promises 1000000000000000000 words"),
        (b"10 3\n", "is cut short: its header promises 10 words"),
        (b"8 3\n", "goes on behind the 8 words"),
        (b"0 3\n", "goes on behind the 0 words"),
    ],
)
def test_headers_that_lie(path, tmp_path, header, expected):
    content = compose(ENCODED, MATRIX, header)
    assert expected in refused(read, path, content)
    refused(read, tmp_path / "vectors.bin.gz", gzip.compress(content))


def test_an_absurd_header_takes_no_memory(tmp_path):
    path = tmp_path / "vectors.bin.gz"
    path.write_bytes(gzip.compress(compose(ENCODED, MATRIX, b"999999999999 3\n")))
    tracemalloc.start()
    try:
        assert "promises 999999999999 words, but row 10 is not whole" in refused(read, path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("N", [1, 2, 4, 5])
def test_another_dimension(path, N):
    """Rows of 3 numbers under a header that says another number."""
    refused(read, path, compose(ENCODED, MATRIX, b"9 %d\n" % N))


@pytest.mark.parametrize("N", [2, 4])
@pytest.mark.parametrize("row", range(9))
def test_another_dimension_in_one_row(path, row, N):
    whole = compose(ENCODED, MATRIX)
    odd = compose(ENCODED[row : row + 1], matrix_of(1, N), header=b"")
    rows = [compose(ENCODED[i : i + 1], MATRIX[i : i + 1], header=b"") for i in range(9)]
    assert b"9 3\n" + b"".join(rows) == whole
    refused(read, path, b"9 3\n" + b"".join([*rows[:row], odd, *rows[row + 1 :]]))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(path, broken):
    matrix = MATRIX.copy()
    matrix[1, 2] = matrix[5, 0] = broken
    said = refused(read, path, compose(ENCODED, matrix))
    assert "row 2: the vector of 'king' holds a number that is not finite" in said


def test_a_row_without_a_word(path):
    words = [b"a", b"", b"c"]
    assert "row 2: there is no word" in refused(read, path, compose(words, matrix_of(3)))


def test_a_word_with_a_nul(path):
    words = [b"a", b"b\0", b"c"]
    assert "row 2: there is no word where one must begin" in refused(
        read, path, compose(words, matrix_of(3))
    )


def test_bytes_that_are_no_utf8(path):
    words = [b"a", b"caf\xe9", b"\xff", "é".encode()]
    path.write_bytes(compose(words, matrix_of(4)))
    assert "row 2: the word" in refused(read, path)
    contents = read(path, errors="replace")
    check(contents, ["a", "caf\ufffd", "\ufffd", "é"], matrix_of(4))
    assert contents.account.replaced == 2


def test_words_that_become_equal(path):
    path.write_bytes(compose([b"a\xe9", b"a\xe8"], matrix_of(2)))
    contents = read(path, errors="replace")
    check(contents, ["a\ufffd"], matrix_of(2)[:1])
    assert (contents.account.replaced, contents.account.duplicates) == (2, 1)


def test_a_word_without_end(path, monkeypatch):
    monkeypatch.setattr(word2vec_binary, "BLOCK", 10)
    monkeypatch.setattr(word2vec_binary, "SAMPLE", 10)
    monkeypatch.setattr(word2vec_binary, "LONGEST_WORD", 100)
    content = compose([b"a", b"b" * 200], matrix_of(2))
    assert "row 2: the word does not end within 100 bytes" in refused(read, path, content)


def test_a_long_word(path):
    path.write_bytes(compose([b"b" * 10**6, b"c"], matrix_of(2)))
    assert read(path).words[0] == "b" * 10**6


def test_what_is_no_file(tmp_path):
    assert "cannot be opened (No such file" in refused(read, tmp_path / "none.bin")
    assert "is not a regular file" in refused(read, tmp_path)


def test_a_disk_that_fails_while_it_is_read(path, monkeypatch):
    path.write_bytes(SMALL)

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(word2vec_binary, "_rows", fail)
    assert "cannot be opened (Input/output error)" in refused(read, path)


@pytest.mark.parametrize("word", ["new york", "a\nb", " "])
def test_words_that_cannot_be_written(path, word):
    with pytest.raises(ModelFileError, match="holds a space or a line feed"):
        write(path, ["a", word], matrix_of(2))
    assert not path.exists()


def test_numbers_that_are_too_large(path):
    with (
        pytest.raises(ModelFileError, match="the vector of 'king' holds a number too large for fl"),
    ):
        write(path, WORDS[:2], np.array([[1.0], [1e39]]))
    assert not path.exists()


@pytest.mark.slow
@given(st.data())
def test_fuzz(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.bin"
    errors = data.draw(st.sampled_from(["strict", "replace"]))
    content = data.draw(st.sampled_from([SMALL, (GOLDEN / "gensim.bin").read_bytes()]))
    fuzz(lambda path: read(path, errors=errors), path, content, data)
