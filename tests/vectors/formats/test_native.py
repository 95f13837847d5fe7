"""The package's own file of vectors: against the safetensors library, and damage in every place."""

import json
import mmap
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from format_files import WORDS, Codec, check, fuzz, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ModelFileError
from cbow.vectors import WordVectors
from cbow.vectors.words import encode_words

codec = Codec("safetensors")
read, write = codec.read, codec.write

COUNTS = np.arange(len(WORDS), 0, -1)
MATRIX = matrix_of(len(WORDS))
LETTERS, ENDS = encode_words(WORDS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.safetensors"


def saved(metadata=None, **changes):
    """Return the bytes that the library writes, some arrays or the metadata changed."""
    arrays = {"vectors": MATRIX, "words": LETTERS.copy(), "word_ends": ENDS, "counts": COUNTS}
    arrays = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {"cbow": '{"vectors_version": 1}'} if metadata is None else metadata
    return safetensors.numpy.save(arrays, metadata)


def parts(content):
    """Return the arrays of a file, as bytes, and its metadata without the checksums."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.pop("__metadata__")
    metadata.pop("sha256", None)
    arrays = safetensors.numpy.load(content)
    return metadata, {name: (array.dtype, array.tobytes()) for name, array in arrays.items()}


def test_what_is_written(path):
    write(path, WORDS, MATRIX, COUNTS)
    content = path.read_bytes()
    assert parts(content) == parts(saved())
    write(path, tuple(WORDS), np.asfortranarray(MATRIX).astype(">f4"), COUNTS.astype(np.int16))
    assert path.read_bytes() == content
    write(path, WORDS, MATRIX)
    assert parts(path.read_bytes()) == parts(saved(counts=None))
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["cbow"]) == {"vectors_version": 1}


def test_a_bit_of_its_numbers(path):
    write(path, WORDS, MATRIX, COUNTS)
    content = bytearray(path.read_bytes())
    content[-len(LETTERS) - 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="for the checksum of 'vectors' differs; give a whole"):
        read(path)


def test_files_of_early_versions_have_no_checksums(path):
    path.write_bytes(saved())
    check(read(path), WORDS, MATRIX, COUNTS)


def test_what_was_read_is_written_again(path, tmp_path):
    write(path, WORDS, MATRIX, COUNTS)
    words, matrix, counts, *_ = read(path)
    write(tmp_path / "again", words, matrix, counts)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_arrays_stay_on_disk(path):
    V = 50_000
    write(path, [f"{i:x}" for i in range(V)], matrix_of(V, 20), np.arange(V))
    tracemalloc.start()
    try:
        contents = read(path)
        vectors = WordVectors(contents.words, contents.matrix, contents.counts)
        assert len(vectors) == V
        assert tracemalloc.get_traced_memory()[1] < 2**18
    finally:
        tracemalloc.stop()
    for array in (contents.matrix, contents.counts, contents.words.letters, contents.words.ends):
        while not isinstance(array, mmap.mmap):
            array = array.base
    assert not contents.matrix.flags.writeable


WRONG = {
    "no metadata": (saved({}), "its metadata do not say so; give a file that cbow-convert"),
    "not JSON": (saved({"cbow": "{"}), "its metadata do not say so"),
    "a number": (saved({"cbow": "1"}), "its metadata do not say so"),
    "a model": (saved({"cbow": '{"format_version": 1}'}), "its metadata do not say so"),
    "version 0": (saved({"cbow": '{"vectors_version": 0}'}), "its metadata are damaged"),
    "version true": (saved({"cbow": '{"vectors_version": true}'}), "its metadata are damaged"),
    "version 2": (
        saved({"cbow": '{"vectors_version": 2}'}),
        "it has version 2, but this cbow knows versions up to 1; open it with a newer cbow",
    ),
    "missing": (
        saved(words=None),
        r"it holds the arrays \['counts', 'vectors', 'word_ends'\], but",
    ),
    "more": (saved(more=ENDS), r"it holds the arrays \['counts', 'more', 'vectors', 'word_ends'"),
    "half": (saved(vectors=MATRIX.astype(np.float16)), "vectors is float16 of shape"),
    "whole": (saved(vectors=MATRIX.astype(np.int64)), "vectors is int64 of shape"),
    "few rows": (saved(vectors=MATRIX[1:]), "vectors is float32 of shape .8, 3., but must be"),
    "no columns": (saved(vectors=MATRIX[:, :0]), "vectors is float32 of shape .9, 0., but must be"),
    "no matrix": (saved(vectors=MATRIX[:, 0]), "vectors is float32 of shape .9,., but must be"),
    "words whole": (saved(words=LETTERS.astype(np.int64)), "words is int64 of shape"),
    "words table": (saved(words=LETTERS[None]), "words is uint8 of shape .1, 48., but must be one"),
    "ends real": (saved(word_ends=ENDS * 1.0), "word_ends is float64 of shape"),
    "ends table": (saved(word_ends=ENDS[None]), "word_ends is int64 of shape|vectors is float32"),
    "falling": (saved(word_ends=ENDS[::-1]), "its words do not follow one another"),
    "empty word": (saved(word_ends=ENDS * (ENDS != 3)), "its words do not follow one another"),
    "few counts": (saved(counts=COUNTS[1:]), "the counts are int64 of shape .8,., but must be 9"),
    "real counts": (saved(counts=COUNTS * 1.0), "the counts are float64 of shape"),
    "negative counts": (saved(counts=-COUNTS), "must be 9 whole numbers of 0 or more"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_files_that_are_wrong(path, kind):
    content, expected = WRONG[kind]
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=expected) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_words_that_are_not_utf8_are_told_when_they_are_met(path):
    letters = LETTERS.copy()
    letters[ENDS[3]] = 255
    path.write_bytes(saved(words=letters))
    contents = read(path)
    assert contents.words[3] == WORDS[3]
    with pytest.raises(ModelFileError, match="its words are not UTF-8") as caught:
        _ = contents.words[4]
    assert str(path) in str(caught.value)


def test_words_that_come_twice_are_told_when_they_are_met(path):
    path.write_bytes(
        saved(words=np.frombuffer(b"abab", np.uint8), word_ends=np.array([2, 4]),
              vectors=MATRIX[:2], counts=None)
    )  # fmt: skip
    contents = read(path)
    vectors = WordVectors(contents.words, contents.matrix)
    with pytest.raises(ModelFileError, match="holds the word 'ab' more than once"):
        _ = vectors.ids


@pytest.mark.slow
def test_every_truncation(path):
    content = saved()
    for size in range(len(content)):
        refused(read, path, content[:size])


def test_what_is_no_file(tmp_path):
    assert "cannot be opened (No such file" in refused(read, tmp_path / "none")
    assert "is not a regular file" in refused(read, tmp_path)


@given(st.data())
def test_fuzz(tmp_path_factory, data):
    fuzz(read, tmp_path_factory.getbasetemp() / "fuzz.safetensors", saved(), data)
