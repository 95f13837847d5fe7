"""The Embedding Projector's pair of files: its rules, and damage in every place."""

import os

import numpy as np
import pytest
from format_files import AWKWARD, WORDS, Codec, check, fuzz, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ModelFileError, OutputError
from cbow.vectors.formats import projector
from cbow.vectors.formats.projector import metadata_beside

codec = Codec("projector")
read, write = codec.read, codec.write

COUNTS = np.arange(len(WORDS), 0, -1)
MATRIX = matrix_of(len(WORDS))
NUMBERS = b"1\t2.5\n-3\t4e-2\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.tsv"


def pair(path, numbers, metadata, beside=None):
    path.write_bytes(numbers)
    (beside or metadata_beside(path)).write_bytes(metadata)


def test_what_is_written(path):
    write(path, ["a", "b c"], np.array([[1, 0.1], [-2.5, 1e-7]], np.float32))
    assert path.read_bytes() == b"1.0\t0.1\n-2.5\t1e-07\n"
    assert path.with_name("vectors_metadata.tsv").read_bytes() == b"a\nb c\n"
    write(path, ["a", "b c"], np.array([[1.0], [0.1]]), np.array([9, 5]))
    assert path.read_bytes() == b"1.0\n0.1\n"
    assert metadata_beside(path).read_bytes() == b"word\tcount\na\t9\nb c\t5\n"


@pytest.mark.slow
def test_many_rows(path, monkeypatch):
    monkeypatch.setattr(projector, "PIECE", 1000)
    words = [f"{i:x}" for i in range(9000)]
    write(path, words, matrix_of(9000, 5))
    check(read(path), words, matrix_of(9000, 5))


def test_words_that_look_like_something_else(path):
    words = ["word", "0.5", "_", "#", '"', "a b", " a", "nan"]
    write(path, words, matrix_of(8))
    contents = read(path)
    check(contents, words, matrix_of(8))
    assert contents.account.spaced == 2
    write(path, words, matrix_of(8), np.arange(8))
    check(read(path), words, matrix_of(8), range(8))


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("a.tsv", "a_metadata.tsv"),
        ("a_tensor.tsv", "a_metadata.tsv"),
        ("tensors.tsv", "metadata.tsv"),
        ("vectors.tsv", "metadata.tsv"),
        ("a.tsv", "metadata.tsv"),
        ("a", "a_metadata"),
    ],
)
def test_names_of_the_pair(tmp_path, name, beside):
    pair(tmp_path / name, NUMBERS, b"a\nb\n", tmp_path / beside)
    check(read(tmp_path / name), ["a", "b"], np.array([[1, 2.5], [-3, 0.04]], np.float32))


def test_the_nearest_name_wins(tmp_path):
    pair(tmp_path / "a_tensor.tsv", NUMBERS, b"x\ny\n", tmp_path / "metadata.tsv")
    for name, words in [("a_metadata.tsv", b"c\nd\n"), ("a_tensor_metadata.tsv", b"e\nf\n")]:
        (tmp_path / name).write_bytes(words)
        assert list(read(tmp_path / "a_tensor.tsv").words) == words.decode().split()


def test_a_file_is_not_its_own_metadata(tmp_path):
    path = tmp_path / "metadata.tsv"
    path.write_bytes(NUMBERS)
    assert "there is no" in refused(read, path)


@pytest.mark.parametrize(
    ("numbers", "metadata"),
    [
        (NUMBERS[:-1], b"a\nb"),
        (NUMBERS.replace(b"\n", b"\r\n"), b"a\r\nb\r\n"),
        (NUMBERS.replace(b"\t", b"\t "), b"\xef\xbb\xbfa\nb\n"),
        (NUMBERS, b"word\tcolour\na\tred\nb\tblue\n"),
        (NUMBERS, b"colour\tword\nred\ta\nblue\tb\n"),
        (NUMBERS, b"name\tcolour\na\tred\nb\tblue\n"),
    ],
)
def test_what_others_write(path, numbers, metadata):
    pair(path, numbers, metadata)
    check(read(path), ["a", "b"], np.array([[1, 2.5], [-3, 0.04]], np.float32))


def test_a_column_of_counts(path):
    pair(path, NUMBERS, b"count\tword\n 7\ta\n+0\tb\n")
    check(read(path), ["a", "b"], np.array([[1, 2.5], [-3, 0.04]], np.float32), [7, 0])


def test_first_of_equal_words_is_kept(path):
    write(path, WORDS, MATRIX, COUNTS)
    beside = metadata_beside(path)
    beside.write_bytes(beside.read_bytes().replace("\nnaïve\t".encode(), b"\nking\t"))
    kept = [0, 1, *range(3, len(WORDS))]
    contents = read(path)
    check(contents, [WORDS[i] for i in kept], MATRIX[kept], COUNTS[kept])
    assert contents.account.duplicates == 1


@pytest.mark.parametrize(
    ("numbers", "metadata", "expected"),
    [
        (NUMBERS, b"a\n", "vectors.tsv has 2 rows, but "),
        (NUMBERS, b"a\nb\nc\n", "vectors.tsv has 2 rows, but "),
        (NUMBERS, b"a\n" * 99, "vectors.tsv has 2 rows, but "),
        (NUMBERS, b"a\n\n", "row 2: there is no word"),
        (NUMBERS, b"", "has 2 rows, but .* 1 words"),
        (NUMBERS, b"a\xe9\nb\n", "row 1: the word .* is not UTF-8"),
        (NUMBERS, b"a\tb\nc\n", "line 2: there must be 2 columns, as the first line names them"),
        (
            NUMBERS,
            b"word\tcount\na\t1\nb\tmany\n",
            "line 3: the column count must hold whole numbers, b",
        ),
        (NUMBERS, b"word\tcount\na\t1\nb\t" + b"9" * 30, "the column count must hold whole num"),
        (NUMBERS, b"word\tcount\na\t1_0\nb\t1\n", "line 2: .* whole numbers, but there is '1_0'; "),
        (b"", b"word\tcount\n", "has names of columns, but no words"),
        (NUMBERS, b"word\tcount\na\t1\nb\t-1\n", "must be 2 whole numbers of 0 or more"),
        (b"1\t2\n3\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"1\t2\n3\t4\t5\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"1\t2\n3\tx\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"1\t2\n3\tnan\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"1\t2\n3\t1e39\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"1\t2\n\n3\t4\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"a\t1\t2\nb\t3\t4\n", b"a\nb\n", "row 1: it does not hold 3 finite numbers"),
        (b"1\t2\nb\t3\t4\n", b"a\nb\n", "row 2: it does not hold 2 finite numbers"),
        (b"", b"a\nb\n", "has 0 rows, but"),
        (b"\n", b"a\n", "row 1: it does not hold 1 finite numbers"),
    ],
)
def test_files_that_are_wrong(path, numbers, metadata, expected):
    pair(path, numbers, metadata)
    with pytest.raises(ModelFileError, match=expected) as caught:
        read(path)
    assert str(path.parent) in str(caught.value)


def test_the_row_is_told_in_a_large_file(path, monkeypatch):
    monkeypatch.setattr(projector, "PIECE", 1000)
    write(path, [str(i) for i in range(999)], matrix_of(999, 5))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[700] = b"1\t2\t3\t4\tfive\n"
    path.write_bytes(b"".join(lines))
    assert "row 701: it does not hold 5 finite numbers" in refused(read, path)


def test_words_in_bad_bytes(path):
    pair(path, NUMBERS, b"a\xe9\nb\n")
    contents = read(path, errors="replace")
    assert list(contents.words) == ["a\ufffd", "b"]
    assert contents.account.replaced == 1


@pytest.mark.parametrize("word", ["a\tb", "a\nb", "a\r"])
def test_words_that_cannot_be_written(tmp_path, word):
    with pytest.raises(ModelFileError, match="holds a tab or a line end"):
        write(tmp_path / "a.tsv", ["a", word], matrix_of(2))
    assert list(tmp_path.iterdir()) == []


def test_a_first_word_that_looks_like_a_mark(path):
    with pytest.raises(ModelFileError, match="begins with U\\+FEFF"):
        write(path, [AWKWARD[6], "a"], matrix_of(2))
    write(path, ["a", AWKWARD[6]], matrix_of(2))
    check(read(path), ["a", AWKWARD[6]], matrix_of(2))


def test_no_words(path):
    with pytest.raises(ModelFileError, match="there are no words"):
        write(path, [], np.empty((0, 2)))


@pytest.mark.slow
def test_every_truncation(path):
    """A file that was cut has fewer rows, or its last number lacks digits; the account says so."""
    write(path, WORDS[:3], MATRIX[:3], COUNTS[:3])
    numbers, words = path.read_bytes(), metadata_beside(path).read_bytes()
    last = numbers.rindex(b"\t") + 1
    for size in range(len(numbers)):
        path.write_bytes(numbers[:size])
        try:
            contents = read(path)
        except ModelFileError:
            continue
        assert size > last
        assert contents.account.unended == 1
        assert contents.matrix[:2].tobytes() == MATRIX[:2].tobytes()
    path.write_bytes(numbers)
    for size in range(len(words) - 1):
        metadata_beside(path).write_bytes(words[:size])
        with pytest.raises(ModelFileError):
            read(path)


# -- both files, or none -----------------------------------------------------------------------


@pytest.mark.parametrize("fails", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("before", [True, False])
def test_both_files_appear_or_none(path, tmp_path, monkeypatch, fails, before):
    """Each of the renamings may fail: two of each new file, and one of each old one."""
    if before:
        write(path, ["old"], matrix_of(1))
    old = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    left = [fails]
    rename = os.replace

    def failing(source, target):
        left[0] -= 1
        if left[0] == 0:
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)
    if fails > 4 and not before:  # only four are needed
        write(path, WORDS, MATRIX)
        return
    with pytest.raises(OutputError):
        write(path, WORDS, MATRIX)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == old


def test_a_full_disk_leaves_the_old_files(path, tmp_path, monkeypatch):
    write(path, ["old"], matrix_of(1))
    old = {each.name: each.read_bytes() for each in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write(path, WORDS, MATRIX)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == old


def test_old_files_are_replaced(path, tmp_path):
    write(path, WORDS, MATRIX)
    write(path, ["new"], matrix_of(1))
    check(read(path), ["new"], matrix_of(1))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
@given(st.data())
def test_fuzz(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.tsv"
    counts = COUNTS[:3] if data.draw(st.booleans()) else None
    write(path, WORDS[:3], MATRIX[:3], counts)
    one = data.draw(st.sampled_from([path, metadata_beside(path)]))
    fuzz(lambda _: read(path), one, one.read_bytes(), data)
