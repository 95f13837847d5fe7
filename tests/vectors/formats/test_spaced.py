"""Words with spaces in word2vec's binary format: read as they were written, or refused."""

import random

import numpy as np
import pytest
from format_files import GOLDEN, WORDS, Codec, check, matrix_of, refused

from cbow.errors import ModelFileError
from cbow.vectors.formats import word2vec_binary
from cbow.vectors.formats.word2vec_binary import BACK

read = Codec("word2vec-binary").read

PARTS = [
    *("a", "b", "c", "new", "york", "is", "end", "hello", "of", "R$", "0", "...", ".", ","),
    *("São", "Paulo", "日本", "x1", "22", "I'm", "U.S.", "C++", "&", "Köln", "ABC", "MKII"),
    *("1984", "Straße", "наш", "мир"),
]
FEEDS = {"gensim": b"", "word2vec.c": b"\n"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.bin"


def put(path, words, matrix, feed=b""):
    """Write a file as these tools do, whatever is in the words."""
    rows = (
        word.encode() + b" " + row.astype("<f4").tobytes() + feed
        for word, row in zip(words, matrix, strict=True)
    )
    path.write_bytes(b"%d %d\n" % matrix.shape + b"".join(rows))


def spaced_words(source, V, share):
    """Make V distinct words, of which a share holds spaces, some of them at an end."""
    words = {}
    while len(words) < V:
        if source.random() < share:
            parts = [source.choice(PARTS) for _ in range(source.choice([2, 2, 2, 3, 4]))]
            word = source.choice([" ", " ", " ", "  "]).join(parts)
            word = source.choice([*[word] * 9, f" {word}", f"{word} ", " ", "  "])
        else:
            word = "".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(1, 9)))
        words[word] = None
    return list(words)


def numbers(rng, V, N):
    """Make numbers as training gives them: trained, as gensim begins, and rounded ones."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.uniform(-0.5 / N, 0.5 / N, (V, N)).astype(np.float32)
    if kind == 1:
        return np.round(rng.normal(size=(V, N)), 1).astype(np.float32)
    return rng.normal(scale=rng.choice([0.01, 0.3, 2]), size=(V, N)).astype(np.float32)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("N", [1, 2, 3, 4, 8, 25, 100])
@pytest.mark.parametrize("block", [61, 2**22])
def test_read_as_written_or_refused(path, monkeypatch, feed, N, block):
    monkeypatch.setattr(word2vec_binary, "BLOCK", block)
    tries, was_read = 40, 0
    for seed in range(tries):
        source, rng = random.Random(f"{N} {feed} {seed}"), np.random.default_rng([N, seed])
        V = source.choice([1, 2, 3, 4, 5, 20, 60])
        words = spaced_words(source, V, source.choice([0, 0.05, 0.3, 1]))
        matrix = numbers(rng, V, N)
        put(path, words, matrix, FEEDS[feed])
        try:
            contents = read(path, errors=source.choice(["strict", "replace"]))
        except ModelFileError:
            continue
        check(contents, words, matrix)
        assert contents.account.spaced == sum(" " in word for word in words)
        was_read += 1
    assert was_read >= (tries if feed == "word2vec.c" else (30, 35, 37)[N - 1] if N < 4 else 39)


def test_gensims_own_files(path):
    models = pytest.importorskip("gensim.models")
    for seed in range(20):
        words = ["hello", "a b", "is", "new york", "end"]
        matrix = np.random.default_rng(seed).normal(scale=0.3, size=(5, 10)).astype(np.float32)
        keyed = models.KeyedVectors(10)
        keyed.add_vectors(words, matrix)
        keyed.save_word2vec_format(str(path), binary=True)
        check(read(path), keyed.index_to_key, keyed.vectors)


@pytest.mark.parametrize("feed", FEEDS.values())
def test_many_rows_with_spaces(path, feed):
    words = [f"new york {i}" if i % 3 else f"w{i}" for i in range(3000)]
    matrix = matrix_of(3000, 20)
    put(path, words, matrix, feed)
    check(read(path), words, matrix)


@pytest.mark.parametrize("feed", FEEDS.values())
def test_ordinary_files_are_never_searched(path, monkeypatch, feed):
    def fail(*_):
        raise AssertionError

    words = [f"wörd{i}" for i in range(5000)]
    matrix = matrix_of(5000, 30) / 10
    matrix[7] = 0
    put(path, words, matrix, feed)
    monkeypatch.setattr(word2vec_binary, "_search", fail if feed else word2vec_binary._search)
    check(read(path), words, matrix)
    if not feed:  # its first rows are searched for line feeds, in vain
        monkeypatch.setattr(word2vec_binary, "_spaces", lambda path, held, begin, row: iter(()))
        check(read(path), words, matrix)


def test_words_of_a_tokenizer_that_keeps_white_space(path):
    words = ["the", "\n", " ", "\t", "\n\n", "  ", "end"]
    put(path, words, matrix_of(7, 12))
    check(read(path), words, matrix_of(7, 12))


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e9, 1e30])
@pytest.mark.parametrize("feed", FEEDS.values())
def test_numbers_of_another_size(path, scale, feed):
    words = [*WORDS, "new york", "a b c"]
    matrix = matrix_of(len(words), 20) * np.float32(scale)
    put(path, words, matrix, feed)
    check(read(path), words, matrix)


def test_what_may_be_read_in_more_than_one_way(path):
    """The words "a" and "q=w", or "a b" and "w"; or the first row ends in a line feed."""
    half = np.float32(0.5).tobytes()
    for rows in (b"a b q=q=w " + half, b"a b q=\n=w " + half):
        assert "may be read in more than one way" in refused(read, path, b"2 1\n" + rows)


def test_a_word_without_end_in_doubt(path, monkeypatch):
    for name, value in (("BLOCK", 10), ("SAMPLE", 10), ("LONGEST_WORD", 100)):
        monkeypatch.setattr(word2vec_binary, name, value)
    monkeypatch.setattr(word2vec_binary, "LONGEST_SPACED", 10)
    put(path, ["a\x01", "b" * 300, "c"], matrix_of(3), b"\n")
    assert "row 2: the word does not end within 100 bytes" in refused(read, path)


def test_bytes_that_are_all_spaces_end_soon(path, monkeypatch):
    """No reading is left in doubt for ever."""
    monkeypatch.setattr(word2vec_binary, "LONGEST_UNSURE", 100)
    said = refused(read, path, b"999 2\n" + b" " * 12_000)
    assert "row 1: words seem to hold spaces" in said
    assert "save_word2vec_format(FILE, binary=False)" in said


@pytest.mark.slow
@pytest.mark.parametrize("N", [20, 300])
def test_bytes_that_are_missing(path, N):
    """Of a row of gensim's: the numbers behind are shifted, and the next word is cut."""
    put(path, WORDS, matrix_of(len(WORDS), N))
    content = path.read_bytes()
    place = content.index(b"king ") + 7
    assert "sizes that no training gives" in refused(
        read, path, content[:place] + content[place + 1 :]
    )


@pytest.mark.parametrize("feed", FEEDS.values())
@pytest.mark.parametrize("N", [4, 9, 100])
def test_words_that_are_not_utf8(path, feed, N):
    """With spaces in others, and a rest of a number is not taken for one of them."""
    for seed in range(20):
        matrix = numbers(np.random.default_rng(seed), 6, N)
        words = [b"a", b"caf\xe9", b"new york", b"c", b"d e", b"f"]
        rows = (word + b" " + row.tobytes() + feed for word, row in zip(words, matrix, strict=True))
        path.write_bytes(b"6 %d\n" % N + b"".join(rows))
        assert "row 2: the word 'caf\ufffd' is not UTF-8; to read it" in refused(read, path)
        contents = read(path, errors="replace")
        check(contents, ["a", "caf\ufffd", "new york", "c", "d e", "f"], matrix)


def test_a_header_of_fewer_numbers(path):
    """The rest of each row would become a part of the next word, which is not UTF-8."""
    matrix = matrix_of(9, 3)
    put(path, WORDS, matrix)
    content = path.read_bytes().replace(b"9 3", b"9 1", 1)
    for errors in ("strict", "replace"):
        refused(lambda path, errors=errors: read(path, errors=errors), path, content)


# -- the order of bytes -------------------------------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS.values())
@pytest.mark.parametrize("shape", [(2, 2), (3, 4), (9, 50), (500, 100)])
@pytest.mark.parametrize("rounded", [False, True])
def test_big_endian_numbers(path, feed, shape, rounded):
    words = [f"w{i}" for i in range(shape[0])]
    matrix = matrix_of(*shape) * 0.3
    matrix = np.round(matrix * 8 + 0.5) / 8 if rounded else matrix
    rows = (
        w.encode() + b" " + row.astype(">f4").tobytes() + feed
        for w, row in zip(words, matrix, strict=True)
    )
    path.write_bytes(b"%d %d\n" % shape + b"".join(rows))
    said = refused(read, path)
    assert "with their bytes swapped they are" in said
    assert f"{matrix[0, 0]:.3g}" in said
    assert "big-endian" in said


def test_few_extreme_numbers_are_no_other_order(path):
    matrix = np.array([[1e38, 1e-38, 3e-45]], np.float32)
    put(path, ["x"], matrix, b"\n")
    check(read(path), ["x"], matrix)


def test_the_golden_files_are_what_they_were():
    assert read(GOLDEN / "gensim.bin").words[:] == read(GOLDEN / "word2vec_c.bin").words[:]
    assert BACK < word2vec_binary.FEW_ROWS  # or no row would ever be taken
