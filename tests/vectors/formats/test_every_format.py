"""What holds for every format that is written: what was written is read, to the bit."""

import numpy as np
import pytest
from format_files import AWKWARD, EXTREMES, WORDS, Codec, check, matrix_of, tables
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import OutputError
from cbow.vectors.formats import FORMATS

#: Formats with letters that no word of theirs may hold; those of text have tests of their own, and
#: fastText's computes vectors, for which -0.0 is 0.0.
LETTERS = {
    "safetensors": "",
    "npz": "",
    "model2vec": "",
    "projector": "\t\n\r\ufeff",
    "word2vec-binary": " \n\0",
}
DOUBLES = "safetensors", "npz", "model2vec"  # they hold float64
WRITTEN = [name for name, form in FORMATS.items() if form.write]


@pytest.mark.slow
@pytest.mark.parametrize("name", LETTERS)
@given(data=st.data())
def test_bits_come_back(tmp_path_factory, name, data):
    dtypes = [np.float32, np.float64][: 1 + (name in DOUBLES)]
    letters = st.characters(codec="utf-8", exclude_characters=LETTERS[name])
    words, matrix = data.draw(tables(letters, dtypes))
    if name == "word2vec-binary":  # whose rows are told apart by numbers of usual size
        size = np.abs(matrix)
        matrix[((size < 2**-19) | (size > 2**5)) & (size > 0)] = 1
    counts = None
    if FORMATS[name].counts and data.draw(st.booleans()):
        counts = np.arange(len(words)) + 2
    codec = Codec(name)
    for ending in ("", ".gz") if FORMATS[name].packed else ("",):
        path = tmp_path_factory.getbasetemp() / f"round-{name}{ending}"
        codec.write(path, words, matrix, counts)
        check(codec.read(path), words, matrix, counts)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "fasttext-bin"])
def test_extremes_come_back(tmp_path, name):
    matrix = np.array([EXTREMES], np.float32)
    Codec(name).write(tmp_path / "x", ["x"], matrix)
    check(Codec(name).read(tmp_path / "x"), ["x"], matrix)


@pytest.mark.parametrize("name", [name for name, letters in LETTERS.items() if not letters])
def test_every_word_can_be_written(tmp_path, name):
    matrix = matrix_of(len(AWKWARD))
    Codec(name).write(tmp_path / "x", AWKWARD, matrix)
    check(Codec(name).read(tmp_path / "x"), AWKWARD, matrix)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in ("projector", "glove")])
def test_no_words(tmp_path, name):
    Codec(name).write(tmp_path / "x", [], np.empty((0, 3), np.float32))
    check(Codec(name).read(tmp_path / "x"), [], np.empty((0, 3), np.float32))


@pytest.mark.parametrize("name", WRITTEN)
def test_a_folder_that_is_not_there(tmp_path, name):
    with pytest.raises(OutputError, match="does not exist"):
        Codec(name).write(tmp_path / "no" / "x", WORDS, matrix_of(len(WORDS)))
