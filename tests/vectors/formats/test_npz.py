"""numpy's .npz: against numpy, and damage in every place."""

import io
import math
import re
import tracemalloc
import warnings
import zipfile
from itertools import pairwise

import numpy as np
import pytest
from format_files import AWKWARD, WORDS, Codec, check, fuzz, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

from cbow.vectors.formats import base, npz
from cbow.vectors.words import encode_words

codec = Codec("npz")
read, write = codec.read, codec.write

COUNTS = np.arange(len(WORDS), 0, -1)
MATRIX = matrix_of(len(WORDS))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.npz"


def saved(compressed=False, **arrays):
    """Return the bytes that numpy writes."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def archive(**members):
    """Put an archive together by hand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as whole:
        for name, content in members.items():
            whole.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy(header, data=b"", version=(1, 0)):
    """Put an array together by hand."""
    text = repr(header).encode() + b"\n" if isinstance(header, dict) else header
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(2, "little") + text + data


def described(descr="<f4", shape=(2, 3), fortran=False):
    return {"descr": descr, "fortran_order": fortran, "shape": shape}


# -- what is written ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_reads_what_is_written(path, dtype):
    matrix = MATRIX.astype(dtype)
    write(path, WORDS, matrix, COUNTS)
    with np.load(path) as arrays:
        assert set(arrays) == {"vectors", "words", "word_ends", "counts"}
        assert arrays["vectors"].dtype == dtype
        np.testing.assert_array_equal(arrays["vectors"], matrix)
        np.testing.assert_array_equal(arrays["counts"], COUNTS)
        letters, ends = arrays["words"].tobytes(), [0, *arrays["word_ends"]]
    assert [letters[a:b].decode() for a, b in pairwise(ends)] == WORDS


def test_each_array_is_what_numpy_writes(path):
    write(path, WORDS, MATRIX, COUNTS)
    letters, ends = encode_words(WORDS)
    arrays = {"vectors": MATRIX, "words": letters, "word_ends": ends, "counts": COUNTS}
    theirs = zipfile.ZipFile(io.BytesIO(saved(**arrays)))
    with zipfile.ZipFile(path) as ours:
        assert ours.testzip() is None
        for name in arrays:
            assert ours.read(f"{name}.npy") == theirs.read(f"{name}.npy")


def test_equal_vectors_give_equal_bytes(tmp_path, monkeypatch):
    one, other = tmp_path / "one.npz", tmp_path / "other.npz"
    write(one, WORDS, MATRIX, COUNTS)
    monkeypatch.setattr("time.time", lambda: 2e9)
    write(other, tuple(WORDS), np.asfortranarray(MATRIX).astype(">f4"), COUNTS.astype(np.int32))
    assert one.read_bytes() == other.read_bytes()


def test_every_word_can_be_written(path):
    write(path, AWKWARD, matrix_of(len(AWKWARD)))
    contents = read(path)
    check(contents, AWKWARD, matrix_of(len(AWKWARD)))
    assert contents.account.spaced == 6


def test_many_rows(path):
    words = [f"{i:x}" for i in range(9000)]
    write(path, words, matrix_of(9000, 5))
    check(read(path), words, matrix_of(9000, 5))


# -- what others write -------------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [False, True])
def test_an_array_of_texts(path, compressed):
    path.write_bytes(saved(compressed, words=np.array(WORDS), vectors=MATRIX, more=np.zeros(3)))
    check(read(path), WORDS, MATRIX)


def test_an_array_of_bytes(path):
    words = [word.encode() for word in WORDS]
    path.write_bytes(saved(words=np.array(words), vectors=MATRIX))
    check(read(path), WORDS, MATRIX)
    words[2] = b"na\xefve"
    path.write_bytes(saved(words=np.array(words), vectors=MATRIX))
    assert "row 3: the word" in refused(read, path)
    assert read(path, errors="replace").words[2] == "na\ufffdve"


def test_many_texts(path, monkeypatch):
    monkeypatch.setattr(npz, "BLOCK", 100)
    path.write_bytes(saved(words=np.array(WORDS), vectors=MATRIX))
    check(read(path), WORDS, MATRIX)


@pytest.mark.parametrize(
    "kind", [np.float16, np.float32, np.float64, ">f4", ">f8"], ids=lambda kind: str(np.dtype(kind))
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_kinds_and_orders(path, kind, order):
    matrix = np.array(MATRIX, kind, order=order)
    path.write_bytes(saved(words=np.array(WORDS), vectors=matrix, counts=COUNTS.astype(">u2")))
    expected = np.float64 if matrix.dtype.itemsize == 8 else np.float32
    contents = read(path)
    check(contents, WORDS, matrix.astype(expected), COUNTS)
    assert contents.matrix.flags.c_contiguous


def test_version_2_of_the_header(path):
    file = io.BytesIO()
    np.lib.format.write_array(file, MATRIX, version=(2, 0))
    words = io.BytesIO()
    np.lib.format.write_array(words, np.array(WORDS))
    path.write_bytes(archive(words=words.getvalue(), vectors=file.getvalue()))
    check(read(path), WORDS, MATRIX)


def test_a_header_of_python_2(path):
    data = MATRIX[:2].tobytes()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L)}\n"
    words = npy(described("|S1", (2,)), b"ab")
    path.write_bytes(archive(words=words, vectors=npy(header, data)))
    check(read(path), ["a", "b"], MATRIX[:2])


def test_first_of_equal_words_is_kept(path):
    words = np.array(["a", "b", "a"])
    path.write_bytes(saved(words=words, vectors=MATRIX[:3], counts=np.array([5, 4, 3])))
    contents = read(path)
    check(contents, ["a", "b"], MATRIX[:2], [5, 4])
    assert contents.account.duplicates == 1


# -- what is refused ---------------------------------------------------------------------------

LETTERS, ENDS = encode_words(WORDS)
GOOD = {"words": LETTERS, "word_ends": ENDS, "vectors": MATRIX}


def with_ends(*ends):
    return {**GOOD, "word_ends": np.array(ends), "vectors": MATRIX[: len(ends)]}


WRONG = {
    "nothing": ({}, "it holds nothing, but must hold the arrays vectors and words"),
    "words missing": ({"vectors": MATRIX}, "it holds 'vectors', but must hold"),
    "vectors missing": ({"words": LETTERS, "a": LETTERS}, "it holds 'a', 'words', but must hold"),
    "objects": ({**GOOD, "vectors": np.array([None] * 9)}, "vectors holds Python objects"),
    "words objects": (
        {"words": np.array(WORDS, object), "vectors": MATRIX},
        "words holds Python objects; make numbers or texts of them",
    ),
    "whole numbers": ({**GOOD, "vectors": MATRIX.astype(int)}, "vectors is int64 .* must hold f"),
    "fewer rows": ({**GOOD, "vectors": MATRIX[1:]}, r"vectors is float32 of shape \(8, 3\), but"),
    "one row": ({**GOOD, "vectors": MATRIX[0]}, r"vectors is float32 of shape \(3,\), but must be"),
    "three dimensions": ({**GOOD, "vectors": MATRIX[None]}, r"vectors is float32 of shape \(1, 9"),
    "no columns": ({**GOOD, "vectors": MATRIX[:, :0]}, r"vectors is float32 of shape \(9, 0"),
    "words signed": ({**GOOD, "words": LETTERS.astype(np.int8)}, "words is int8, but beside word_"),
    "words wide": (
        {**with_ends(1, 4), "words": np.array([1, 2], np.uint16)},
        "words is uint16, but beside word_ends must be uint8",
    ),
    "ends real": ({**GOOD, "word_ends": ENDS * 1.0}, "word_ends is float64 .*, but must hold"),
    "falling ends": (with_ends(3, 2, len(LETTERS)), "its words do not follow one another"),
    "negative ends": (with_ends(-1, 2, len(LETTERS)), "its words do not follow one another"),
    "ends too early": (with_ends(1, 2, 3), "its words do not follow one another"),
    "ends too late": (with_ends(1, 2, 2**62), "its words do not follow one another"),
    "table of ends": ({**GOOD, "word_ends": ENDS[None]}, "its words do not follow one another"),
    "empty word": (with_ends(1, 1, len(LETTERS)), "row 2: there is no word"),
    "table of texts": ({"words": np.array([WORDS]), "vectors": MATRIX}, "words is <U6 of shape"),
    "empty texts": ({"words": np.zeros(9, "<U1"), "vectors": MATRIX}, "row 1: there is no word"),
    "numbers as words": ({"words": np.arange(9), "vectors": MATRIX}, "words is int64 of shape"),
    "half a character": (
        {"words": np.array(["a", "b\ud800"]), "vectors": MATRIX[:2]},
        "row 2: the word .* is not UTF-8",
    ),
    "nan": (
        {**GOOD, "vectors": MATRIX * np.where(np.arange(9) == 4, np.nan, 1)[:, None]},
        "row 5: the vector of '🙂' holds a number that is not finite",
    ),
    "few counts": ({**GOOD, "counts": COUNTS[1:]}, "counts are int64 of shape .* must be 9"),
    "real counts": ({**GOOD, "counts": COUNTS * 1.0}, "counts is float64 .*, but must hold"),
    "negative counts": ({**GOOD, "counts": -COUNTS}, "counts are int64 of shape .* of 0 or more"),
    "large counts": ({**GOOD, "counts": COUNTS.astype("u8") << np.uint64(60)}, "counts are uint64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_arrays_that_are_wrong(path, kind):
    arrays, expected = WRONG[kind]
    path.write_bytes(saved(**arrays))
    with pytest.raises(ValueError, match=expected) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="it is float64 here")
def test_numbers_that_are_wide(path):
    path.write_bytes(saved(**{**GOOD, "vectors": MATRIX.astype(np.longdouble)}))
    assert "but must be float32 or float64" in refused(read, path)


@pytest.mark.parametrize(
    "array",
    [
        b"",
        b"\x93NUMPY",
        npy(described(shape=(10**9, 10**9))),
        npy(described(shape=(10**18, 3)), bytes(24)),
        npy(described(shape=(-1, -6)), bytes(24)),
        npy(described(shape=(2, 3)), bytes(23)),
        npy(described(shape=(2, 3)), bytes(25)),
        npy(described("|O"), bytes(48)),
        npy(described("nonsense"), bytes(24)),
        npy({"descr": "<f4"}, bytes(24)),
        npy(b"[" * 5000 + b"\n"),
        npy(b"{" + b" " * 60000),
        npy(b"__import__('os').getpid()\n"),
        npy(described(), bytes(24), version=(3, 0)),
        npy(described(), bytes(24), version=(9, 9)),
    ],
)
def test_arrays_that_are_none(path, array):
    words = npy(described("|S1", (2,)), b"ab")
    path.write_bytes(archive(words=words, vectors=array))
    assert "is not a usable .npz file" in refused(read, path)


def test_a_number_that_is_no_character(path):
    words = npy(described("<U1", (2,)), b"a\0\0\0\xff\xff\xff\xff")
    path.write_bytes(archive(words=words, vectors=npy(described(), bytes(24))))
    refused(read, path)


@pytest.mark.slow
def test_every_truncation(path):
    write(path, WORDS[:2], MATRIX[:2])
    content = path.read_bytes()
    for size in range(len(content)):
        assert "is not a usable .npz file" in refused(read, path, content[:size])


@pytest.mark.slow
def test_a_bomb_takes_no_memory(path):
    """80 MB of zeros in 80 kB."""
    words = np.array(WORDS)
    path.write_bytes(
        saved(True, words=words, vectors=np.zeros((len(WORDS), 2_300_000), np.float32))
    )
    assert path.stat().st_size < 2**17
    tracemalloc.start()
    try:
        assert "unpacks to 82800472 bytes, far more than its size on disk" in refused(read, path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_a_bomb_of_words(path, monkeypatch):
    """Each text takes the room of the longest."""
    monkeypatch.setattr(base, "SMALL", 0)
    words = np.array([*WORDS[1:], "x" * 9000])
    path.write_bytes(saved(True, words=words, vectors=MATRIX))
    assert "unpacks to 324" in refused(read, path)
    check(read(path, max_expansion=math.inf), words.tolist(), MATRIX)


def test_small_arrays_may_be_packed_tightly(path):
    zeros = np.zeros((9, 4000), np.float32)
    path.write_bytes(saved(True, words=np.array(WORDS), vectors=zeros))
    check(read(path), WORDS, zeros)


def test_a_size_that_lies(path):
    """The directory at the end says that more is there than is."""
    content = saved(words=np.array(WORDS), vectors=MATRIX)
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        size = whole.getinfo("vectors.npy").file_size
    for place in range(len(content) - 4):
        if content[place : place + 4] == size.to_bytes(4, "little"):
            lying = content[:place] + (2**31).to_bytes(4, "little") + content[place + 4 :]
            path.write_bytes(lying)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    read(path)
                except ValueError as error:
                    assert re.search("is not a usable .npz file|far more", str(error))  # noqa: PT017


def test_what_zipfile_says_is_cut(path):
    """It quotes the file: here the name of a member, which claims to be very long."""
    content = bytearray(saved(words=np.array(WORDS), vectors=MATRIX))
    content[26:28] = (1000).to_bytes(2, "little")
    said = refused(read, path, bytes(content))
    assert "it is not a sound zip archive (File name in directory 'words.npy' and" in said
    assert len(said) < len(str(path)) + 300


def test_packed_data_that_stop_early(path):
    """The directory and the array promise ten rows, but nine are there."""
    file = io.BytesIO()
    array = npy(described(shape=(10, 3)), MATRIX.tobytes())
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("words.npy", npy(described("|S1", (10,)), b"abcdefghij"))
        whole.writestr("vectors.npy", array)
    promised = (len(array) + 12).to_bytes(4, "little")
    path.write_bytes(file.getvalue().replace(len(array).to_bytes(4, "little"), promised))
    assert "it is not a sound zip archive (it is cut short)" in refused(read, path)


def test_what_is_no_file(tmp_path):
    assert "cannot be opened (No such file" in refused(read, tmp_path / "none.npz")
    assert "is not a regular file" in refused(read, tmp_path)


def test_a_disk_that_fails_while_it_is_read(path, monkeypatch):
    write(path, WORDS, MATRIX)

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(npz, "_array", fail)
    assert "cannot be opened (Input/output error)" in refused(read, path)


def test_too_little_memory_is_no_damage(path, monkeypatch):
    write(path, WORDS, MATRIX)

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(npz, "_array", fail)
    assert "needs more memory than there is" in refused(read, path)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    path = tmp_path_factory.mktemp("npz") / "small.npz"
    write(path, WORDS[:3], MATRIX[:3], COUNTS[:3])
    arrays = {"words": np.array(WORDS[:3]), "vectors": MATRIX[:3]}
    return path.read_bytes(), saved(**arrays), saved(True, **arrays)


@given(st.data())
def test_fuzz(tmp_path_factory, contents, data):
    path = tmp_path_factory.getbasetemp() / "fuzz.npz"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile on a name that comes twice
        fuzz(read, path, data.draw(st.sampled_from(contents)), data)
