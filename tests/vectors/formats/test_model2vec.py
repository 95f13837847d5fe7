"""model2vec's folder: against what model2vec itself saved, and damage in every place."""

import json
import os
import shutil

import numpy as np
import pytest
import safetensors.numpy
from format_files import GOLDEN, WORDS, Codec, check, fuzz, matrix_of
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import ModelFileError, OutputError
from cbow.vectors.formats import model2vec
from cbow.vectors.formats.model2vec import CONFIG, MODEL, TOKENIZER

codec = Codec("model2vec")
read, write = codec.read, codec.write

MATRIX = matrix_of(len(WORDS))
FOLDERS = ["model2vec", "model2vec_clusters", "model2vec_half", "model2vec_bytes"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder"


def compose(path, model, tensors=None, **more):
    """Put a folder together by hand."""
    path.mkdir(exist_ok=True)
    tensors = {"embeddings": matrix_of(3)} if tensors is None else tensors
    (path / MODEL).unlink(missing_ok=True)
    safetensors.numpy.save_file(tensors, path / MODEL)
    (path / TOKENIZER).write_text(json.dumps({"model": model, **more}), encoding="utf-8")


def level(*words, unknown="?"):
    """Describe words, as the tokenizers library does."""
    vocabulary = {word: row for row, word in enumerate(words)}
    return {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown}


def refused(path):
    with pytest.raises(ModelFileError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what model2vec saved ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FOLDERS)
def test_what_model2vec_saved(name):
    """Plain, with fewer rows than words, in float16, and in int8: what it gives for each token."""
    expected = json.loads((GOLDEN / name / "expected.json").read_text(encoding="utf-8"))
    words = [word for word in expected if word not in ("[PAD]", "[UNK]")]
    contents = read(GOLDEN / name)
    check(contents, words, np.array([expected[word] for word in words], np.float32))
    assert words == ["king", "queen", "the", "##ly", "naïve", ".", "new york"]
    assert (contents.account.rows, contents.account.special, contents.account.spaced) == (9, 2, 1)


def test_model2vec_reads_what_is_written(path):
    """Where it is installed; the golden folders stand in for it elsewhere."""
    static = pytest.importorskip("model2vec").StaticModel
    write(path, [*WORDS, "new york"], matrix_of(len(WORDS) + 1))
    model = static.from_pretrained(path)
    for word, row in zip([*WORDS, "new york"], matrix_of(len(WORDS) + 1), strict=True):
        np.testing.assert_array_equal(model.encode(word), row)
    assert not model.encode("nobody").any()


# -- what is written ---------------------------------------------------------------------------


def test_what_is_written(path):
    write(path, [*WORDS, "new york"], matrix_of(len(WORDS) + 1))
    assert sorted(each.name for each in path.iterdir()) == [CONFIG, MODEL, TOKENIZER]
    tensors = safetensors.numpy.load_file(path / MODEL)
    rows = np.vstack([matrix_of(len(WORDS) + 1), np.zeros((1, 3), np.float32)])
    np.testing.assert_array_equal(tensors["embeddings"], rows)
    tokenizer = json.loads((path / TOKENIZER).read_text(encoding="utf-8"))
    assert list(tokenizer["model"]["vocab"]) == [*WORDS, "new york", "[UNK]"]
    assert tokenizer["model"]["unk_token"] == "[UNK]"
    assert tokenizer["pre_tokenizer"] == {"type": "WhitespaceSplit"}
    [phrase] = tokenizer["added_tokens"]
    assert (phrase["id"], phrase["content"], phrase["special"]) == (len(WORDS), "new york", False)
    assert json.loads((path / CONFIG).read_text(encoding="utf-8")) == {
        "architectures": ["StaticModel"],
        "embedding_dtype": "float32",
        "hidden_dim": 3,
        "model_type": "model2vec",
        "normalize": False,
    }


def test_the_name_of_unknown_words_may_be_a_word(path):
    words = ["[UNK]", "a", "[[UNK]]"]
    write(path, words, matrix_of(3))
    check(read(path), words, matrix_of(3))
    assert '"unk_token":"[[[UNK]]]"' in (path / TOKENIZER).read_text(encoding="utf-8")


def test_equal_vectors_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, WORDS, MATRIX)
    for member in (MODEL, TOKENIZER, CONFIG):
        assert (tmp_path / "a" / member).read_bytes() == (tmp_path / "b" / member).read_bytes()


def test_a_folder_of_its_own_is_replaced(path, tmp_path):
    path.mkdir()
    write(path, ["old"], matrix_of(1))
    write(path, WORDS, MATRIX)
    check(read(path), WORDS, MATRIX)
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_in_which_one_is(path, monkeypatch):
    path.mkdir()
    monkeypatch.chdir(path)
    write(type(path)("."), WORDS, MATRIX)
    check(read(path), WORDS, MATRIX)


def test_a_link_to_a_folder(path, tmp_path):
    (tmp_path / "there").mkdir()
    path.symlink_to(tmp_path / "there")
    write(path, WORDS, MATRIX)
    assert path.is_symlink()
    check(read(tmp_path / "there"), WORDS, MATRIX)


def test_other_things_are_not_replaced(path):
    write(path, WORDS, MATRIX)
    (path / "thesis.txt").write_text("three years of work")
    with pytest.raises(OutputError, match=r"holds thesis.txt, which would be lost"):
        write(path, ["new"], matrix_of(1))
    (path / "thesis.txt").unlink()
    check(read(path), WORDS, MATRIX)


def test_a_file_is_not_replaced(path):
    path.write_text("a file")
    with pytest.raises(OutputError, match="is not a folder"):
        write(path, WORDS, MATRIX)
    assert path.read_text() == "a file"


@pytest.mark.parametrize("fails", [1, 2, 3, 4])
def test_the_folder_appears_whole_or_not_at_all(path, tmp_path, monkeypatch, fails):
    write(path, ["old"], matrix_of(1))
    left = [fails]
    rename = os.replace

    def failing(source, target):
        left[0] -= 1
        if left[0] == 0:
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OutputError):
        write(path, WORDS, MATRIX)
    check(read(path), ["old"], matrix_of(1))
    assert list(tmp_path.iterdir()) == [path]


# -- what others write -------------------------------------------------------------------------


def test_pieces_with_their_probability(path):
    """Unigram has a list, and a number for what is unknown."""
    model = {"type": "Unigram", "unk_id": 1, "vocab": [["a", -1.5], ["<unk>", -2], ["▁b", -3]]}
    compose(path, model)
    contents = read(path)
    check(contents, ["a", "▁b"], matrix_of(3)[[0, 2]])
    assert contents.account.special == 1


def test_all_are_words(path):
    for model in (level("a", "b", "c"), {"vocab": {"c": 2, "a": 0, "b": 1}, "unk_token": None}):
        compose(path, model, added_tokens=None)
        contents = read(path)
        check(contents, ["a", "b", "c"], matrix_of(3))
        assert list(contents.account.notes()) == []


def test_the_name_that_sentence_transformers_has(path, tmp_path):
    compose(path, level("a", "b", "c"), {"embedding.weight": matrix_of(3)})
    check(read(path), ["a", "b", "c"], matrix_of(3))
    deep = tmp_path / "deep" / "0_StaticEmbedding"
    shutil.copytree(path, deep)
    check(read(deep.parent), ["a", "b", "c"], matrix_of(3))


def test_rows_stay_on_disk_where_they_can(path):
    compose(path, level("a", "b", "c", unknown="c"))
    matrix = read(path).matrix
    assert not matrix.flags.owndata
    assert not matrix.flags.writeable


def test_doubles_stay_doubles(path):
    weights = np.array([1.0, 0.5, 2.0])
    tensors = {"embeddings": matrix_of(3, dtype=np.float64), "weights": weights}
    compose(path, level("a", "b", "c"), tensors)
    expected = matrix_of(3, dtype=np.float64) * weights[:, None]
    check(read(path), ["a", "b", "c"], expected)


def test_first_of_equal_words_is_kept(path):
    """Two different texts that are no Unicode may become one."""
    compose(path, level("a\ud800", "b", "a\ud801"))
    assert "row 1: the word" in refused(path)
    contents = read(path, errors="replace")
    check(contents, ["a\ufffd\ufffd\ufffd", "b"], matrix_of(3)[:2])
    assert (contents.account.replaced, contents.account.duplicates) == (2, 1)


# -- what is refused ---------------------------------------------------------------------------

THREE = level("a", "b", "c")


def of(**tensors):
    return {"tensors": {"embeddings": matrix_of(3), **tensors}}


WRONG = {
    "few words": ({"model": level("a", "b")}, "there are 2 words, but 3 rows"),
    "many words": ({"model": level(*"abcd")}, "there are 4 words, but 3 rows"),
    "gap": ({"model": {"vocab": {"a": 0, "b": 1, "c": 3}}}, "tokens are not numbered from 0"),
    "twice": ({"model": {"vocab": {"a": 0, "b": 1, "c": 1}}}, "tokens are not numbered from 0"),
    "negative": ({"model": {"vocab": {"a": 0, "b": 1, "c": -1}}}, "tokens are not numbered"),
    "real": ({"model": {"vocab": {"a": 0, "b": 1, "c": 2.0}}}, "or its number not a number"),
    "true": ({"model": {"vocab": {"a": 0, "b": True}}}, "or its number not a number"),
    "number as word": ({"model": {"vocab": [[1, 0.5]]}}, "a token is not text"),
    "no pairs": ({"model": {"vocab": ["a", "b", "c"]}}, "not a usable list of words"),
    "no words": ({"model": {"vocab": 3}}, "not a usable list of words"),
    "no model": ({"model": None}, "not a usable list of words"),
    "no vocabulary": ({"model": {"unk_token": "a"}}, "not a usable list of words"),
    "odd unknown": ({"model": {**THREE, "unk_token": []}}, "not a usable list of words"),
    "odd additions": ({"model": THREE, "added_tokens": 3}, "not a usable list of words"),
    "odd addition": ({"model": THREE, "added_tokens": [{}]}, "not a usable list of words"),
    "empty word": ({"model": level("a", "", "c")}, "row 2: there is no word"),
    "no matrix": ({"tensors": {"words": matrix_of(3)}}, "it holds no matrix embeddings"),
    "no columns": (of(embeddings=matrix_of(3)[:, :0].copy()), "it holds no matrix embeddings"),
    "a row": (of(embeddings=matrix_of(3)[0]), "it holds no matrix embeddings"),
    "bytes": (of(embeddings=np.ones((3, 3), np.uint8)), "it holds no matrix embeddings"),
    "nan": (of(embeddings=matrix_of(3) * [[1], [1], [np.nan]]), "row 3: the vector of 'c' holds"),
    "mapping real": (of(mapping=np.zeros(3)), "mapping is float64, not a row for each word"),
    "mapping table": (of(mapping=np.zeros((3, 1), int)), "mapping is int64, not a row for each"),
    "mapping beyond": (of(mapping=np.array([0, 1, 3])), "mapping names rows beyond the 3"),
    "mapping negative": (of(mapping=np.array([0, 1, -1])), "mapping names rows beyond the 3"),
    "mapping short": (of(mapping=np.array([0, 1])), "there are 3 words, but 2 rows"),
    "mapping empty": (of(mapping=np.zeros(0, int)), "there are 3 words, but 0 rows"),
    "weights whole": (of(weights=np.ones(3, int)), r"weights is int64 of shape \(3,\), not \(3,\)"),
    "weights short": (of(weights=np.ones(2)), r"weights is float64 of shape \(2,\), not \(3,\)"),
    "weights large": (of(weights=np.array([1, 1e39, 1])), "row 2: the vector of 'b' holds"),
    "weights nan": (of(weights=np.array([1, np.nan, 1])), "row 2: the vector of 'b' holds"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_folders_that_are_wrong(path, kind):
    parts, expected = WRONG[kind]
    compose(path, **{"model": THREE, **parts})
    with pytest.raises(ModelFileError, match=expected) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"model": {"vocab": {"a": 0, "a": 0}}}', b"[" * 10**5],
)
def test_a_tokenizer_that_is_none(path, text):
    compose(path, THREE)
    (path / TOKENIZER).write_bytes(text)
    assert "not a usable list of words" in refused(path)


def test_a_part_is_missing(path):
    assert "is not a folder with model.safetensors and tokenizer.json" in refused(path)
    path.mkdir()
    assert "is not a folder with model.safetensors" in refused(path)
    (path / TOKENIZER).write_text("{}")
    assert "is not a folder with model.safetensors" in refused(path)


def test_the_configuration_is_not_read(path):
    write(path, WORDS, MATRIX)
    (path / CONFIG).unlink()
    check(read(path), WORDS, MATRIX)


def test_a_tokenizer_that_is_no_file(path):
    compose(path, THREE)
    (path / TOKENIZER).unlink()
    (path / TOKENIZER).mkdir()
    assert "tokenizer.json is not a regular file" in refused(path)


@pytest.mark.slow
@pytest.mark.parametrize("member", [MODEL, TOKENIZER])
@pytest.mark.parametrize("name", ["model2vec", "model2vec_clusters"])
def test_every_truncation(path, name, member):
    shutil.copytree(GOLDEN / name, path)
    content = (path / member).read_bytes()
    for size in range(len(content)):
        (path / member).unlink()
        (path / member).write_bytes(content[:size])
        refused(path)


@pytest.mark.slow
@given(st.data())
def test_fuzz(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzz"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(GOLDEN / data.draw(st.sampled_from(FOLDERS)), path)
    member = path / data.draw(st.sampled_from([MODEL, TOKENIZER]))
    content = member.read_bytes()
    fuzz(lambda _: read(path), member, content, data)


def test_the_names_of_the_files():
    assert model2vec.MEMBERS == ("model.safetensors", "tokenizer.json", "config.json")
