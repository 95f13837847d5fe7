"""Telling formats apart: by content when reading, by name when writing."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from format_files import GOLDEN, WORDS, check, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.config import EMBEDDINGS
from cbow.errors import ConfigError, ModelFileError, OutputError
from cbow.system import safetensors_file
from cbow.vectors.formats import FORMATS, named, read, recognise, write
from cbow.vectors.formats.base import HEAD

MATRIX = matrix_of(len(WORDS))
COUNTS = np.arange(len(WORDS), 0, -1)

#: Formats that read back what they write, all but the counts.
NAMES = {
    "word2vec-text": "a.txt",
    "word2vec-binary": "a.bin",
    "fasttext": "a.vec",
    "fasttext-bin": "a.ftbin",
    "glove": "a.glove",
    "projector": "a.tsv",
    "npz": "a.npz",
    "safetensors": "a.safetensors",
    "model2vec": "a",
}

#: What is recognised for each: a .vec is word2vec text with a space more.
FOUND = {**{name: name for name in NAMES}, "fasttext": "word2vec-text"}


def test_every_format_is_tried():
    assert {*NAMES, "model"} == set(FORMATS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("N", [1, 2, 3, 100, 5000])
def test_what_is_written_is_recognised(tmp_path, name, N):
    path = tmp_path / "some"
    matrix = matrix_of(len(WORDS), N)
    write(path, WORDS, matrix, COUNTS, format=name)
    assert recognise(path) == FOUND[name]
    check(read(path), WORDS, matrix, COUNTS if FORMATS[name].counts else None)
    check(read(path, name), WORDS, matrix, COUNTS if FORMATS[name].counts else None)


@pytest.mark.parametrize("name", ["word2vec-text", "fasttext", "glove", "word2vec-binary"])
def test_packed(tmp_path, name):
    path = tmp_path / "a.gz"
    write(path, WORDS, MATRIX, format=name)
    packed = path.rename(tmp_path / "a")
    assert recognise(packed) == FOUND[name]
    check(read(packed), WORDS, MATRIX)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("word2vec_c.bin", "word2vec-binary"),
        ("word2vec_c_cut.bin", "word2vec-binary"),
        ("gensim.bin", "word2vec-binary"),
        ("word2vec_c.txt", "word2vec-text"),
        ("word2vec_c_cut.txt", "word2vec-text"),
        ("gensim.txt", "word2vec-text"),
        ("fasttext.vec", "word2vec-text"),
        ("glove_header.txt", "word2vec-text"),
        ("fasttext.bin", "fasttext-bin"),
        ("glove.txt", "glove"),
        ("gensim_tensor.tsv", "projector"),
        ("numpy.npz", "npz"),
        ("numpy_packed.npz", "npz"),
        ("cbow.safetensors", "safetensors"),
        ("model2vec", "model2vec"),
        ("model2vec_clusters", "model2vec"),
    ],
)
def test_what_the_real_tools_wrote(name, expected):
    assert recognise(GOLDEN / name) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"2 2\na 1 2\nb 3 4\n", "word2vec-text"),
        (b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n", "word2vec-text"),
        (b"2 2\r\na 1 2\r\nb 3 4\r\n", "word2vec-text"),
        (b"2 2\na b 1 2\nc d e 3 4\n", "word2vec-text"),
        (b"2 2\na nan inf\nb 3 4\n", "word2vec-text"),
        (b"2 2\n\xff\xfe 1 2\n", "word2vec-text"),
        (b"2 2\n\x1b[2J 1 2\n", "word2vec-text"),
        (b"2 2\nno numbers here\n", "word2vec-text"),
        ("2 2\nkein Wört hier".encode()[:-4], "word2vec-text"),
        ("2 2\nkein Wö".encode()[:-1], "word2vec-text"),
        (b"2 300\na 1 2\n", "word2vec-text"),
        (b"0 3\n", "word2vec-text"),
        (b"-2 -2\na 1 2\n", "word2vec-text"),
        (b"2\t2\na\t1\t2\nb\t3\t4\n", "word2vec-text"),
        (b"2 1\na " + np.float32(0.3).tobytes() + b"b ????", "word2vec-binary"),
        (b"1 1\na " + bytes(4), "word2vec-binary"),
        (b"1 5\na " + b"5\n\0\0" * 5, "word2vec-binary"),
        (b"2 1\n\n " + np.float32(0.3).tobytes() + b"b ????", "word2vec-binary"),
        (b"2 2\n\na 1 2\nb 3 4\n", "word2vec-text"),
        (b"9" * 9000 + b" 2\na 1 2\n", "glove"),
        (b"a 1 2\nb 3 4\n", "glove"),
        (b"a b 1 2\nb 3 4\n", "glove"),
        (b"1 2 3\n", "glove"),
        (b"a 1", "glove"),
        (b"a 1\nb 2\nc 3\n", "glove"),
        (b"a 0.1 0.2\nb\n", "glove"),  # damaged, and the row is told
        (b"2 2", "word2vec-text"),
        (b"1\t2\n3\t4\n", "projector"),
        (b"1\t2\t3\n", "projector"),
        (b"0.5\n0.25\n", "projector"),
        (b"1.5\t2\r\n3\t4\r\n", "projector"),
        (b"PK\x03\x04", "npz"),
        (b"PK\x05\x06", "npz"),
    ],
)
def test_contents(tmp_path, content, expected):
    path = tmp_path / "some"
    path.write_bytes(content)
    assert recognise(path) == expected


@pytest.mark.parametrize("name", ["gensim_tensor.tsv", "numpy.npz", "cbow.safetensors"])
def test_the_same_vectors_in_every_file(name):
    contents, same = read(GOLDEN / name), read(GOLDEN / "gensim.bin")
    counts = None if contents.counts is None else range(13, 0, -1)
    check(contents, same.words, same.matrix, counts)
    assert (counts is None) is (name != "cbow.safetensors")


def test_halves(tmp_path):
    contents, same = read(GOLDEN / "numpy_packed.npz"), read(GOLDEN / "gensim.bin")
    halves = same.matrix.astype(np.float16).astype(np.float32)
    check(contents, same.words, halves, range(13, 0, -1))


def test_files_of_version_1_are_written_again_as_they_are_but_with_checksums(tmp_path):
    words, matrix, counts, *_ = read(GOLDEN / "cbow.safetensors")
    write(tmp_path / "again.safetensors", words, matrix, counts)
    old = safetensors_file.read(GOLDEN / "cbow.safetensors")
    new = safetensors_file.read(tmp_path / "again.safetensors")
    assert {n: array.tobytes() for n, array in new.tensors.items()} == {
        n: array.tobytes() for n, array in old.tensors.items()
    }
    assert new.metadata == {**old.metadata, "sha256": new.metadata["sha256"]}


def test_names_say_nothing(tmp_path):
    """A binary file named .txt, and the other way round."""
    write(tmp_path / "a.bin", WORDS, MATRIX)
    write(tmp_path / "b.txt", WORDS, MATRIX)
    binary = (tmp_path / "a.bin").rename(tmp_path / "a.txt")
    text = (tmp_path / "b.txt").rename(tmp_path / "b.bin")
    check(read(binary), WORDS, MATRIX)
    check(read(text), WORDS, MATRIX)


def tar_of(mode):
    """Return the bytes of a tar archive with a file of vectors."""
    place = io.BytesIO()
    with tarfile.open(fileobj=place, mode=mode) as archive:
        entry = tarfile.TarInfo("vectors.txt")
        entry.size = 8
        archive.addfile(entry, io.BytesIO(b"1 1\na 1\n"))
    return place.getvalue()


STRANGERS = {
    "pickle": (pickle.dumps({"vectors": list(range(99))}), "looks like a Python pickle, such as"),
    "array": (b"\x93NUMPY\x01\0" + bytes(99), "a numpy array without words; write both with np.sa"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "SQLite": (b"SQLite format 3\0", "an SQLite database"),
    "finalfusion": (b"FiFu\0\0\0\0", "a finalfusion file"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "Git LFS puts in the place of a large file; fetch the file itself: git lfs pull",
    ),
    "a page": (b"<!DOCTYPE html>\n<html><head>", "a page of the web, .*; fetch the file itself"),
    "a page without a type": (b"\xef\xbb\xbf\n <HTML lang='en'>", "a page of the web"),
    "XML of an error": (b'<?xml version="1.0"?><Error><Code>NoSuchKey', "a page of the web"),
    "packed page": (gzip.compress(b"<html>\n" * 99), "a page of the web"),
    "tar": (tar_of("w"), "an archive of tar; unpack it, and give a file of it: tar -xf"),
    "packed tar": (tar_of("w:gz"), "an archive of tar; unpack it"),
    "tar as of old": (bytes(257) + b"ustar  \0" + bytes(248), "an archive of tar"),
    "Parquet": (b"PAR1\x15\x04" + bytes(99) + b"PAR1", "a table of Apache Parquet or Arrow"),
    "Arrow": (b"ARROW1\0\0" + bytes(99), "a table of Apache Parquet or Arrow"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "an archive; unpack it"),
    "header of three": (b"2 4 0\na 1 2 3 4\nb 1 2 3 4\n", "begins with '2 4 0', but a header has"),
    "bzip2": (bz2.compress(b"1 1\na 1\n"), "packed with bzip2; unpack it: bunzip2"),
    "xz": (lzma.compress(b"1 1\na 1\n"), "packed with xz; unpack it: unxz"),
    "zstd": (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it: unzstd"),
    "a book": (b"Chapter 1\n\nIt was a dark and stormy night.\n", "begins with 'Chapter 1', but"),
    "a year": (b"It was the year 1984\nand all was well.\n", "begins with 'It was the year 1984'"),
    "UTF-32": ("1 1\na 1\n".encode("utf-32"), "text in UTF-32; write it in UTF-8: iconv -f UTF-32"),
    "UTF-16": ("1 1\na 1\n".encode("utf-16"), "text in UTF-16; write it in UTF-8: iconv"),
    "UTF-16 the other way": (b"\xfe\xff\0a\0 \0001", "text in UTF-16"),
    "empty": (b"", "is empty; give a file of vectors"),
    "blank": (b" \n\n", "is empty; give a file of vectors"),
    "prose": (b"once upon a time\n", "is in no format that cbow reads: it begins with 'once upo"),
    "one number": (b"12", "numbers without words, as the Embedding Projector has them, but"),
    "doubles": (matrix_of(9, dtype=float).tobytes(), "is in no format that cbow reads"),
    "a control character": (b"a\0b 1\n", "is in no format that cbow reads"),
    "packed prose": (gzip.compress(b"once upon a time\n"), "is in no format that cbow reads"),
    "packed nothing": (gzip.compress(b""), "is empty"),
    "packed pickle": (gzip.compress(pickle.dumps([1, 2])), "looks like a Python pickle"),
    "packed numbers": (gzip.compress(b"1\t2\n"), "packed with gzip; unpack it: gunzip"),
    "half gzip": (gzip.compress(b"1 1\na 1\n")[:9], "is cut short|no proper gzip"),
    "no safetensors": (b"\x09" + bytes(7) + b"{nonsense", "is not a usable model: its header is"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGERS)
def test_what_is_commonly_mistaken(tmp_path, kind):
    content, expected = STRANGERS[kind]
    path = tmp_path / "some"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=expected) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["Git LFS", "a page", "a page without a type", "XML of an error"])
def test_what_lies_in_the_place_of_a_model(tmp_path, kind):
    content, expected = STRANGERS[kind]
    for place in (tmp_path / "m.safetensors", tmp_path / "potion" / "model.safetensors"):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        with pytest.raises(ModelFileError, match=expected):
            cbow.load(place)
    (tmp_path / "potion" / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFileError):
        read(tmp_path / "potion")


@pytest.mark.parametrize(
    "text", ["1984 2 0\nb 1 2\n", "1984 3 0\nb 1 2\n", "ustar 1 2\nb 1 2\n", "1984 2 0 5\n"]
)
def test_what_only_looks_like_a_header_of_three(tmp_path, text):
    (tmp_path / "some").write_text(text)
    assert recognise(tmp_path / "some") == "glove"


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "some", "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02")
    said = refused(read, tmp_path / "some")
    assert "is a zip archive of 'model/data.pkl'; if vectors are in it, unpack it and" in said


@pytest.mark.slow
def test_the_head_may_end_anywhere(tmp_path):
    """Within a number, or a character."""
    path = tmp_path / "some"
    for more in range(20):
        first = b"x" * more + b" 0.123456789" * 9000
        assert len(first) > HEAD
        path.write_bytes(first + b"\n" + first)
        assert recognise(path) == "glove"
        path.write_bytes(b"2 9000\n" + first + b"\n" + first)
        assert recognise(path) == "word2vec-text"
        path.write_bytes(b"0" * more + first.replace(b" ", b"\t")[more:].strip())
        assert recognise(path) == "projector"
        path.write_bytes(b"9 9\n" + b"x" * more + "ä ö ü ".encode() * HEAD)
        assert recognise(path) == "word2vec-text"


def test_folders(tmp_path):
    assert "is a folder without model.safetensors and tokenizer.json" in refused(read, tmp_path)
    (tmp_path / "vocab" / "vectors").mkdir(parents=True)
    assert "it is a pipeline of spaCy" in refused(read, tmp_path)


def test_what_is_no_file(tmp_path):
    assert "cannot be opened (No such file" in refused(read, tmp_path / "none")
    with pytest.raises(ModelFileError, match="embedded null"):
        recognise(tmp_path / "a\0b")
    with pytest.raises(ModelFileError, match="File name too long"):
        recognise(tmp_path / ("x" * 300))
    for name in FORMATS:
        for path in ("x" * 300, "a\0b"):
            with pytest.raises(ModelFileError):
                read(tmp_path / path, name)
            with pytest.raises(ConfigError if name == "model" else OutputError):
                write(tmp_path / path, WORDS, MATRIX, format=name)
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in refused(read, tmp_path / "pipe")


def test_other_safetensors(tmp_path):
    path = tmp_path / "some.safetensors"
    for name in ("embeddings", "embedding.weight"):
        safetensors.numpy.save_file({name: MATRIX}, path)
        assert "holds vectors without words, as a folder of model2vec" in refused(read, path)
        path.unlink()
    safetensors.numpy.save_file({"weights": MATRIX}, path)
    assert recognise(path) == "model"
    assert "is not a usable model: it is a safetensors file of another" in refused(read, path)


@given(st.binary(max_size=40), st.sampled_from([b"", b"2 2\n", b"1\t", b"PK\x03\x04", b"a 1\n"]))
def test_any_bytes(tmp_path_factory, content, begin):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(begin + content)
    try:
        found = recognise(path)
    except ModelFileError:
        return
    assert found in FORMATS


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "word2vec-text"),
        ("a.txt.gz", "word2vec-text"),
        ("folder/A.TXT.GZ", "word2vec-text"),
        ("a.vec", "fasttext"),
        ("a.vec.gz", "fasttext"),
        ("a.bin", "word2vec-binary"),
        ("a.bin.gz", "word2vec-binary"),
        ("a.npz", "npz"),
        ("a.tsv", "projector"),
        ("a.b.safetensors", "safetensors"),
        ("a/", "model2vec"),
        ("a.txt/", "model2vec"),
        (".", "model2vec"),
    ],
)
def test_names_to_write(name, expected):
    assert named(name) == expected


@pytest.mark.parametrize("name", ["a", "a.gz", "a.npz.gz", "a.tsv.gz", "a.kv", ".txt", "a.txt.xz"])
def test_names_that_do_not_say(name):
    with pytest.raises(
        OutputError, match=r"does not say what format to write; let it end in \.safeten"
    ):
        named(name)


def test_a_folder_that_is_there_is_for_model2vec(tmp_path):
    assert named(str(tmp_path)) == "model2vec"


# -- reading and writing -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_round_trips_through_every_other_format(tmp_path, name):
    """Words, and numbers to the last bit."""
    write(tmp_path / "first", WORDS, MATRIX, COUNTS, name)
    words, matrix, counts, *_ = read(tmp_path / "first")
    for other, file in NAMES.items():
        write(tmp_path / file, words, matrix, counts, other)
        counted = FORMATS[name].counts and FORMATS[other].counts
        check(read(tmp_path / file), WORDS, MATRIX, COUNTS if counted else None)


def test_gensim_takes_what_is_written_and_the_other_way(tmp_path):
    models = pytest.importorskip("gensim.models")
    write(tmp_path / "a.txt", WORDS, MATRIX)
    write(tmp_path / "a.bin", WORDS, MATRIX)
    for name, binary in (("a.txt", False), ("a.bin", True)):
        theirs = models.KeyedVectors.load_word2vec_format(str(tmp_path / name), binary=binary)
        assert theirs.index_to_key == WORDS
        assert theirs.vectors.tobytes() == MATRIX.tobytes()
        theirs.save_word2vec_format(str(tmp_path / f"theirs-{name}"), binary=binary)
        check(read(tmp_path / f"theirs-{name}"), WORDS, MATRIX)
    theirs.save(str(tmp_path / "a.kv"))
    assert "looks like a Python pickle" in refused(read, tmp_path / "a.kv")


def test_the_name_tells_what_to_write(tmp_path):
    for name, file in NAMES.items():
        if name not in ("glove", "fasttext-bin", "model2vec"):
            write(tmp_path / file, WORDS, MATRIX)
            assert recognise(tmp_path / file) == FOUND[name]
    write(str(tmp_path / "folder") + "/", WORDS, MATRIX)
    check(read(str(tmp_path / "folder")), WORDS, MATRIX)


def test_no_such_format(tmp_path):
    for ask in (
        lambda: read(GOLDEN / "gensim.bin", "word2vec"),
        lambda: write(tmp_path / "a", WORDS, MATRIX, format="word2vec"),
    ):
        with pytest.raises(ConfigError, match="there is no format 'word2vec'; choose one of "):
            ask()


def test_a_model_is_opened_as_vectors_but_not_written(tmp_path):
    path = tmp_path / "m.safetensors"
    model = cbow.train(["the king rules", "the queen rules"] * 9, dimension=2, epochs=1, sample=0)
    model.save(path)
    assert recognise(path) == "model"
    for kind in EMBEDDINGS:
        expected = model.embedding(kind).matrix
        check(read(path, embedding=kind), model.vocabulary.words, expected, model.vocabulary.counts)
    with pytest.raises(ConfigError, match="a cbow model is more than vectors"):
        write(tmp_path / "a", WORDS, MATRIX, format="model")


def test_a_file_is_opened_once(tmp_path, monkeypatch):
    paths = [tmp_path / "v.safetensors", tmp_path / "m.safetensors"]
    write(paths[0], WORDS, MATRIX)
    cbow.train(["the king rules", "the queen rules"] * 9, dimension=2, epochs=1, sample=0).save(
        paths[1]
    )
    opened, read_file = [], safetensors_file.read
    monkeypatch.setattr(
        safetensors_file, "read", lambda path, *more: opened.append(path) or read_file(path, *more)
    )
    for path in paths:
        cbow.load_vectors(path)
    assert opened == paths


def test_no_such_treatment_of_errors():
    with pytest.raises(ConfigError, match="errors is 'ignore', but must be one of strict, replace"):
        read(GOLDEN / "gensim.bin", errors="ignore")


@pytest.mark.parametrize(
    ("words", "matrix", "counts", "expected"),
    [
        (WORDS, MATRIX[1:], None, "there are 9 words and 8 rows"),
        (["a", "b", "a"], MATRIX[:3], None, "word 3, 'a', has come before; give words that are d"),
        (["a", "b", ""], MATRIX[:3], None, "word 3, '', is empty; give words that are distinct"),
        (["a", "b\ud800"], MATRIX[:2], None, "half of a character, which UTF-8 does not have"),
        (WORDS, MATRIX[0], None, r"the matrix is float32 of shape \(3,\)"),
        (WORDS, MATRIX[:, :0], None, r"the matrix is float32 of shape \(9, 0\)"),
        (WORDS, MATRIX.astype(np.float16), None, "the matrix is float16 of shape"),
        (WORDS, MATRIX.astype(int), None, "the matrix is int64 of shape"),
        (WORDS, MATRIX * np.nan, None, "row 1: the vector of 'the' holds a number that is not"),
        (WORDS, MATRIX * -np.inf, None, "row 1: the vector of 'the' holds a number that is not"),
        (WORDS, MATRIX, COUNTS[1:], r"the counts are int64 of shape \(8,\), but must be 9 whole"),
        (WORDS, MATRIX, -COUNTS, "whole numbers of 0 or more"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_written(tmp_path, name, words, matrix, counts, expected):
    with pytest.raises(ModelFileError, match=expected):
        write(tmp_path / "a", words, matrix, counts, name)
    assert list(tmp_path.iterdir()) == []


def test_reading_and_writing_warn_of_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, file in NAMES.items():
            write(tmp_path / file, WORDS, MATRIX, COUNTS, name)
            read(tmp_path / file)
