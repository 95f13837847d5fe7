"""fastText's own format: against what fastText wrote, and what it and gensim read of ours."""

import functools
import gzip
import json
import re
import struct
import warnings

import numpy as np
import pytest
from format_files import GOLDEN, WORDS, check, fuzz, matrix_of, refused
from hypothesis import given, settings
from hypothesis import strategies as st

import cbow
from cbow import WordVectors, load_vectors
from cbow.errors import ModelFileError, OutputError, VectorsWarning
from cbow.text.ngrams import Ngrams, features_of
from cbow.vectors import formats
from cbow.vectors.embeddings import Subwords
from cbow.vectors.formats import fasttext_bin

read = functools.partial(formats.read, format="fasttext-bin")
CONTENT = (GOLDEN / "fasttext.bin").read_bytes()
#: Where settings stand among the numbers at the beginning.
PLACES = {"dim": 2, "model": 9, "bucket": 10, "minn": 11, "maxn": 12}
UNKNOWN = ["alderman", "überall", "zz", "हिन्दी", "x" * 3000]


def with_setting(name, value, content=CONTENT):
    """Change one of the settings at the beginning."""
    return with_int(4 * PLACES[name], value, content)


def with_int(place, value, content=CONTENT, size=4):
    return content[:place] + value.to_bytes(size, "little", signed=True) + content[place + size :]


@pytest.fixture(scope="module")
def golden():
    vectors = load_vectors(GOLDEN / "fasttext.bin")
    expected = json.loads((GOLDEN / "fasttext_bin.json").read_text("utf-8"))
    return vectors, {word: np.array(vector) for word, vector in expected.items()}


@pytest.fixture
def made():
    """Vectors of words and, unlike them, of their n-grams."""
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((50, 3)).astype(np.float32)
    words = [*WORDS, "y" * 40]
    matrix = rng.standard_normal((len(words), 3)).astype(np.float32)
    return WordVectors(words, matrix, subwords=Subwords(Ngrams(2, 4, 50), rows))


def test_what_fasttext_wrote(golden):
    vectors, expected = golden
    assert len(vectors) == 89
    assert {*vectors.words, "alderman", "überall", "zz"} == set(expected)
    for word, vector in expected.items():
        assert np.abs(vectors[word] - vector).max() < 1e-6
    assert vectors.words[0] == "the"
    assert "</s>" in vectors
    assert vectors.counts[:3].tolist() == [4463, 2316, 874]
    assert vectors.subwords.ngrams == (2, 4, 300)
    assert vectors.matrix.dtype == np.float32


def test_the_rows_of_the_buckets_stay_in_the_file(golden):
    rows = golden[0].subwords.rows
    while rows.base is not None and isinstance(rows.base, np.ndarray):
        rows = rows.base
    assert type(rows.base).__name__ == "mmap"


def test_ours_reads_back(made, tmp_path):
    made.save(tmp_path / "a.bin", format="fasttext-bin")
    vectors = load_vectors(tmp_path / "a.bin")
    assert list(vectors) == list(made)
    assert vectors.counts is None
    assert np.abs(vectors.matrix - made.matrix).max() < 1e-6
    assert np.array_equal(vectors.subwords.rows, made.subwords.rows)
    assert vectors.subwords.ngrams == made.subwords.ngrams
    for word in UNKNOWN:
        assert np.array_equal(vectors[word], made[word])


def test_rows_that_are_mapped_come_back_mapped(made, tmp_path):
    to = np.random.default_rng(3).standard_normal((3, 2)).astype(np.float32)
    mapped = WordVectors(made.words, made.matrix[:, :2], subwords=made.subwords._replace(to=to))
    mapped.save(tmp_path / "a.bin", format="fasttext-bin")
    vectors = load_vectors(tmp_path / "a.bin")
    assert np.abs(vectors.matrix - mapped.matrix).max() < 1e-6
    for word in UNKNOWN:
        assert np.abs(vectors[word] - mapped[word]).max() < 1e-6


def test_all_ngrams_of_a_long_word_count(made, tmp_path):
    """As they do for fastText, which sums them in float32."""
    vectors = WordVectors(["y" * 2500], made.matrix[:1], subwords=made.subwords)
    vectors.save(tmp_path / "a.bin", format="fasttext-bin")
    assert np.abs(load_vectors(tmp_path / "a.bin").matrix - vectors.matrix).max() < 1e-6
    fasttext = pytest.importorskip("fasttext")
    model = fasttext.load_model(str(tmp_path / "a.bin"))
    assert np.abs(model.get_word_vector("y" * 2500) - vectors.matrix[0]).max() < 1e-3


@pytest.mark.parametrize("counts", [None, np.arange(len(WORDS), 0, -1)])
def test_without_ngrams_to_the_last_bit(tmp_path, counts):
    matrix = matrix_of(len(WORDS), 3)
    formats.write(tmp_path / "a", WORDS, matrix, counts, "fasttext-bin")
    contents = read(tmp_path / "a")
    check(contents, WORDS, matrix, counts)
    assert contents.subwords is None


def test_float64_is_rounded_and_told(tmp_path):
    with pytest.warns(
        VectorsWarning, match="rounded from float64 to float32, the only kind that fa"
    ):
        formats.write(tmp_path / "a", ["a"], np.full((1, 2), 0.1), format="fasttext-bin")


@pytest.mark.parametrize("with_ngrams", [True, False])
def test_fasttext_reads_ours(made, with_ngrams, tmp_path):
    fasttext = pytest.importorskip("fasttext")
    vectors = made if with_ngrams else WordVectors(made.words, made.matrix)
    vectors.save(tmp_path / "a.bin", format="fasttext-bin")
    model = fasttext.load_model(str(tmp_path / "a.bin"))
    assert model.words == list(made)
    for word in [*made, *(UNKNOWN[:-1] if with_ngrams else [])]:  # ours takes some of the last
        assert np.abs(model.get_word_vector(word) - vectors[word]).max() < 1e-6
    nearest = model.get_nearest_neighbors(made.words[0], k=2)
    for (cosine, word), (ours, same) in zip(
        nearest, vectors.most_similar(made.words[0], topn=2), strict=True
    ):
        assert (word, pytest.approx(cosine, abs=1e-5)) == (ours, same)


@pytest.mark.parametrize("with_ngrams", [True, False])
def test_gensim_reads_ours(made, with_ngrams, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load = pytest.importorskip("gensim.models.fasttext").load_facebook_vectors
    vectors = made if with_ngrams else WordVectors(made.words, made.matrix)
    vectors.save(tmp_path / "a.bin", format="fasttext-bin")
    keyed = load(str(tmp_path / "a.bin"))
    assert keyed.index_to_key == list(made)
    for word in [*made, *(UNKNOWN[:-1] if with_ngrams else [])]:
        assert np.abs(keyed[word] - vectors[word]).max() < 1e-6


def test_gensim_reads_what_fasttext_wrote_as_we_do(golden):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load = pytest.importorskip("gensim.models.fasttext").load_facebook_vectors
    keyed = load(str(GOLDEN / "fasttext.bin"))
    for word in [*golden[0], "alderman", "zz"]:
        if word != "</s>":  # gensim makes n-grams of it
            assert np.abs(keyed[word] - golden[0][word]).max() < 1e-6


def test_a_file_of_skipgram_and_version_11(golden, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(with_int(4, 11, with_setting("model", 2)))
    assert np.array_equal(load_vectors(path).matrix, golden[0].matrix)


def test_ngrams_of_no_length(golden, tmp_path):
    """The buckets are there, and nothing is in them."""
    (tmp_path / "a").write_bytes(with_setting("maxn", 0))
    vectors = load_vectors(tmp_path / "a")
    assert vectors.subwords is None
    assert not np.array_equal(vectors.matrix, golden[0].matrix)


def test_words_that_are_not_utf8(tmp_path):
    """Their n-grams are those of the bytes that stand in the file."""
    rows = np.arange(14, dtype="<f4").reshape(7, 2)
    head = CONTENT[:8] + struct.pack("<12id", 2, *[5] * 6, 1, 6, 3, 3, 100, 1e-4)
    dictionary = struct.pack("<3i2q", 1, 1, 0, 9, -1) + b"a\xff\0" + struct.pack("<qb", 9, 0)
    matrices = struct.pack("<?2q", False, 7, 2) + rows.tobytes() + struct.pack("<?2q", False, 0, 2)
    path = tmp_path / "a"
    said = refused(read, path, head + dictionary + matrices)
    assert "row 1: the word 'a�' is not UTF-8" in said
    contents = read(path, errors="replace")
    assert list(contents.words) == ["a�"]
    features = features_of([b"a\xff"], Ngrams(3, 3, 6))
    assert contents.matrix[0] == pytest.approx(rows[features.indices].mean(axis=0))
    assert contents.account.replaced == 1


DICTIONARY = 64
WORD = DICTIONARY + 28
INPUT = len(CONTENT) - 4 * 89 * 5 - 17 - 4 * 389 * 5 - 17
OUTPUT = len(CONTENT) - 4 * 89 * 5 - 17


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is cut short: its beginning takes 64 bytes, but 0 follow"),
        (b"the 1 2\n" * 9, "does not begin as fastText's .bin does"),
        (with_int(4, 13), "has version 13 of fastText's format, but versions 11 and 12 are read"),
        (with_int(4, -1), "has version -1"),
        (with_setting("model", 3), r"is a classifier \(a supervised model\) of fastText"),
        (with_setting("dim", 0), "dimension 0, 300 buckets"),
        (with_setting("dim", -5), "dimension -5"),
        (with_setting("dim", 2**30), "dimension 1073741824"),
        (with_setting("dim", 6), r"its input matrix has the shape \(389, 5\), but must have 6"),
        (with_setting("bucket", -1), "-1 buckets"),
        (with_setting("bucket", 0), "n-grams of up to 4 characters, but no bucket"),
        (with_setting("bucket", 299), "389 rows, but must have one for each of 89 words and 299"),
        (with_setting("maxn", 21), "n-grams of up to 21 characters"),
        (with_int(DICTIONARY, 90), "has 90 entries, 89 words and 0 labels"),
        (with_int(DICTIONARY + 8, 1), "89 words and 1 label"),
        (
            with_int(DICTIONARY, -1, with_int(DICTIONARY + 4, -1)),
            "has -1 entries, -1 words",
        ),
        (
            with_int(DICTIONARY, 2**31 - 1, with_int(DICTIONARY + 4, 2**31 - 1)),
            "a dictionary of 2147483647 words takes 21474836470 bytes, but",
        ),
        (with_int(DICTIONARY + 20, 0, size=8), "is quantised"),
        (with_int(WORD + len("the") + 9, 1, size=1), "entry 1 of its dictionary is not a word"),
        (with_int(WORD + len("the") + 1, -1, size=8), "the counts are int64"),
        (CONTENT[:INPUT] + b"\x01" + CONTENT[INPUT + 1 :], "is quantised"),
        (CONTENT[:OUTPUT] + b"\x01" + CONTENT[OUTPUT + 1 :], "is quantised"),
        (with_int(INPUT + 1, 2**62, size=8), "input matrix of shape .* takes"),
        (with_int(INPUT + 1, -1, size=8), r"its input matrix has the shape \(-1, 5\)"),
        (with_int(OUTPUT + 1, 2**62, size=8), "output matrix of shape .* takes"),
        (CONTENT[:30], "its beginning takes 64 bytes"),
        (CONTENT[: DICTIONARY + 5], "its dictionary takes 28 bytes, but 5 follow"),
        (CONTENT[: WORD + 5], "a dictionary of 89 words takes 890 bytes, but 5 follow"),
        (CONTENT[: INPUT - 7], "word 89 of its dictionary does not end"),
        (CONTENT[: INPUT + 7], "the shape of its input matrix takes 17 bytes, but 7 follow"),
        (CONTENT[: INPUT + 700], r"its input matrix of shape \(389, 5\) takes 7780 bytes, but 683"),
        (CONTENT[: OUTPUT + 7], "the shape of its output matrix takes 17 bytes, but 7 follow"),
        (CONTENT[:-1], r"its output matrix of shape \(89, 5\) takes 1780 bytes, but 1779 follow"),
        (CONTENT + b"\n", "1 bytes follow where it should end"),
        (
            CONTENT[: INPUT + 17] + b"\0\0\xc0\x7f" + CONTENT[INPUT + 21 :],
            "row 1: the vector of 'the' holds a number that is not finite",
        ),
    ],
)
def test_what_is_rejected(tmp_path, content, expected):
    said = refused(read, tmp_path / "a", content)
    assert re.search(expected, said), said
    assert ";" in said  # what to do


def test_a_packed_file_is_told_to_be_unpacked(tmp_path):
    said = refused(formats.read, tmp_path / "a", gzip.compress(CONTENT))
    assert "packed with gzip; unpack it" in said


def test_a_dictionary_longer_than_what_is_looked_at(golden, tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(CONTENT)
    monkeypatch.setattr(fasttext_bin, "BLOCK", 40)
    check(read(tmp_path / "a"), golden[0].words, golden[0].matrix, golden[0].counts)
    monkeypatch.setattr(fasttext_bin, "BLOCK", 11)
    assert "word 1 of its dictionary does not end" in refused(read, tmp_path / "a")


def test_rows_are_taken_some_at_a_time(golden, made, tmp_path, monkeypatch):
    monkeypatch.setattr(fasttext_bin, "ROWS", 4)
    check(read(GOLDEN / "fasttext.bin"), golden[0].words, golden[0].matrix, golden[0].counts)
    made.save(tmp_path / "few.bin", format="fasttext-bin")
    monkeypatch.undo()
    made.save(tmp_path / "all.bin", format="fasttext-bin")
    assert (tmp_path / "few.bin").read_bytes() == (tmp_path / "all.bin").read_bytes()


@given(st.data())
@settings(max_examples=50)
def test_damaged_files_are_read_or_refused(tmp_path_factory, data):
    fuzz(read, tmp_path_factory.getbasetemp() / "fuzzed", CONTENT, data)


@pytest.mark.parametrize("place", range(0, len(CONTENT), 397))
def test_cut_anywhere(tmp_path, place):
    refused(read, tmp_path / "a", CONTENT[:place])


def test_what_cannot_be_written(made, tmp_path):
    path = tmp_path / "a.bin"
    with pytest.raises(ModelFileError, match=r"'a\\x00b' holds a NUL"):
        WordVectors(["a\0b"], np.eye(1)).save(path, "fasttext-bin")
    large = made.subwords._replace(rows=made.subwords.rows * np.float64(1e300))
    with pytest.raises(
        ModelFileError, match="too large for float32, the only kind that fastText's"
    ):
        WordVectors(made.words, made.matrix, subwords=large).save(path, "fasttext-bin")
    with pytest.raises(OutputError):
        made.save(tmp_path / "none" / "a.bin", "fasttext-bin")
    with pytest.raises(
        ModelFileError, match=r"shapes \(50, 3\), which do not lead from 50 buckets"
    ):
        formats.write(path, ["a"], np.eye(1), None, "fasttext-bin", made.subwords)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["word2vec-text", "npz", "safetensors", "model2vec"])
def test_other_formats_leave_the_ngrams_out_and_say_so(made, name, tmp_path):
    vectors = WordVectors(made.words[:5], made.matrix[:5], subwords=made.subwords)
    with pytest.warns(VectorsWarning, match=r"n-grams are left out, .* the 5 words .*fasttext-bin"):
        vectors.save(tmp_path / "a", format=name)
    again = cbow.load_vectors(tmp_path / "a")
    assert again.subwords is None
    assert np.array_equal(again.matrix, vectors.matrix)
