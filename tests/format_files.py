"""What tests of the file formats share: words, numbers, and files damaged in every place."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import ModelFileError
from cbow.vectors import formats

GOLDEN = Path(__file__).parent / "golden"

#: Words without white space, which every format can hold.
WORDS = ["the", "king", "naïve", "नमस्ते", "🙂", "-", "0.5", "a,b", "ＡＢ"]

#: Words that only formats with lengths can hold.
AWKWARD = ["new york", " ", "tab\there", "line\nend", "cr\r", "nul\0", "\ufeff", "nbsp\xa0x"]


class Codec:
    """One format, as tests use it: what it writes is not checked before."""

    def __init__(self, name):
        self.name = name

    def read(self, path, **options):
        return formats.read(path, self.name, **options)

    def write(self, path, words, matrix, counts=None):
        contents = formats.Contents(words, matrix, counts, formats.Account())
        formats.FORMATS[self.name].write(path, contents)


def matrix_of(V, N=3, dtype=np.float32, seed=1):
    return np.random.default_rng(seed).standard_normal((V, N)).astype(dtype)


#: Numbers that are easily bent: the smallest, the largest, minus zero.
EXTREMES = [0.0, -0.0, 1e-45, -1.1754942e-38, 3.4028235e38, -3.4028235e38, 0.1, 1 / 3]


def tables(characters, dtypes=(np.float32, np.float64)):
    """Strategy for distinct words of these characters and a row of numbers for each."""
    words = st.lists(st.text(characters, min_size=1), unique=True, min_size=1, max_size=6)

    def rows(found):
        shapes = st.tuples(st.just(len(found)), st.integers(1, 4))
        return st.sampled_from(dtypes).flatmap(
            lambda dtype: arrays.arrays(
                dtype,
                shapes,
                elements=st.floats(
                    allow_nan=False, allow_infinity=False, width=np.dtype(dtype).itemsize * 8
                ),
            )
        )

    return words.flatmap(lambda found: st.tuples(st.just(found), rows(found)))


def check(contents, words, matrix, counts=None):
    """See that contents are these, to the last bit."""
    assert list(contents.words) == list(words)
    assert contents.matrix.dtype == matrix.dtype
    assert contents.matrix.shape == matrix.shape
    assert contents.matrix.tobytes() == np.ascontiguousarray(matrix).tobytes()
    if counts is None:
        assert contents.counts is None
    else:
        assert contents.counts.tolist() == list(counts)
        assert contents.counts.dtype == np.int64


def refused(read, path, content=None):
    """Read what must be refused; give the sentence that says why."""
    if content is not None:
        path.unlink(missing_ok=True)  # an old mapping keeps the old file
        path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    return sentence


def fuzz(read, path, content, data):
    """Change a file in some places: it is read, or refused with a sentence, and nothing else."""
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        what = data.draw(st.sampled_from(["set", "insert", "delete", "cut"]))
        if what == "set":
            damaged[place] = data.draw(st.integers(0, 255))
        elif what == "insert":
            damaged[place:place] = data.draw(st.binary(min_size=1, max_size=9))
        elif what == "delete":
            del damaged[place : place + data.draw(st.integers(1, 9))]
        else:
            del damaged[place:]
        if not damaged:
            break
    path.unlink(missing_ok=True)
    path.write_bytes(damaged)
    with contextlib.suppress(ModelFileError):
        contents = read(path)
        assert len(list(contents.words)) == len(contents.matrix)
