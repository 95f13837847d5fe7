"""Rows that cannot be read: refused, or left out and counted; how files begin and end."""

import json
from pathlib import Path

import numpy as np
import pytest
from format_files import WORDS, Codec, check, matrix_of, refused
from hypothesis import given
from hypothesis import strategies as st

import cbow
from cbow.cli import convert, evaluate, nearest
from cbow.errors import ConfigError, ModelFileError, VectorsWarning
from cbow.vectors.formats import read, write
from cbow.vectors.formats import text as text_format

word2vec_text, word2vec_binary, glove, npz, model2vec, projector = map(
    Codec, ("word2vec-text", "word2vec-binary", "glove", "npz", "model2vec", "projector")
)

#: Rows as people have them, and what is said of each.
BAD = {
    "empty word": (b" 1 2 3", "there is no word before its numbers"),
    "CR as a word": (b"\r 1 2 3", "there is no word before its numbers"),
    "white space as a word": (b"\t  1 2 3", "there is no word before its numbers"),
    "two parts, one a number": (b"R$ 0 1 2 3", "the vector of 'R$' is of length 4, but 3 is"),
    "numbers missing": (b"short 1 2", "the vector of 'short' is of length 2, but 3 is"),
    "no numbers": (b"alone", "the vector of 'alone' is of length 0, but 3 is"),
    "not a number": (b"bad 1 x 3", "the vector of 'bad' holds 'x' where a number"),
    "not finite": (b"far 1 nan 3", "the vector of 'far' holds 'nan', which is not finite"),
    "too large": (b"far 1 1e99 3", "the vector of 'far' holds '1e99', too large"),
    "empty row": (b"", "it is empty"),
    "not UTF-8": (b"caf\xe9 1 2 3", "is not UTF-8"),
}
GOOD = [b"the 1 2 3", b"new york 4 5 6", b"1999 7 8 9", "naïve 0 0 1".encode()]


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def size(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(text_format, "PIECE", 16)
        monkeypatch.setattr(text_format, "COMPILED", 0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vectors.txt"


def text(rows, header=True):
    begin = b"%d 3\n" % len(rows) if header else b""
    return begin + b"".join(row + b"\n" for row in rows)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("case", BAD)
def test_each_is_refused_or_left_out(path, case, header):
    module = word2vec_text if header else glove
    row, fault = BAD[case]
    path.write_bytes(text([*GOOD[:2], row, GOOD[2], row, GOOD[3]], header))
    said = refused(module.read, path)
    assert f"row 3: {fault}" in said if case != "not UTF-8" else "row 3: the word" in said
    assert "on_bad_rows='skip' (--skip-bad-rows)" in said
    contents = module.read(path, on_bad_rows="skip")
    rows = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 1]], np.float32)
    check(contents, ["the", "new york", "1999", "naïve"], rows)
    account = contents.account
    assert (account.rows, account.unreadable) == (6, 2)
    [note] = [note for note in account.notes() if "cannot be read" in note]
    assert note.startswith("2 of 6 rows cannot be read and are left out: row 3 (")
    assert fault in note
    assert "row 5" in note


@pytest.mark.usefixtures("size")
def test_all_of_them_at_once(path):
    rows = [
        row
        for pair in zip([fault[0] for fault in BAD.values()], GOOD * 3, strict=False)
        for row in pair
    ]
    path.write_bytes(text(rows))
    with pytest.warns(VectorsWarning) as caught:
        vectors = cbow.load_vectors(path, on_bad_rows="skip")
    assert list(vectors) == ["the", "new york", "1999", "naïve"]
    notes = [str(each.message) for each in caught]
    assert any("11 of 22 rows cannot be read and are left out: row 1 (" in each for each in notes)
    assert any("7 of 22 rows repeat a word" in each for each in notes)


def test_names_take_two_hundred_characters(path):
    rows = [b"w%d 1 2 3" % i if i % 2 else b"x" * 10**5 + b" 1" for i in range(200)]
    path.write_bytes(text(rows))
    account = word2vec_text.read(path, on_bad_rows="skip").account
    assert account.unreadable == 100
    assert len(account.unreadable_rows) <= 200
    assert account.unreadable_rows.startswith("row 1 (the vector of 'xxx")
    assert account.unreadable_rows.endswith(" more")


@pytest.mark.usefixtures("size")
def test_a_file_of_bad_rows_is_refused(path):
    path.write_bytes(b"3 2\n" + b"a 1 2 3\nb 1 2 3\nc 1 2 3\n")
    with pytest.raises(ModelFileError, match=r"none of its 3 rows can be read: row 1 .the vector"):
        word2vec_text.read(path, on_bad_rows="skip")


@pytest.mark.usefixtures("size")
def test_rows_that_a_line_feed_in_a_word_made(path):
    """The header counts one row, of which the file has two."""
    path.write_bytes(b"3 2\na 1 2\nb\n 3 4\nc 5 6\n")
    contents = word2vec_text.read(path, on_bad_rows="skip")
    check(contents, ["a", "c"], np.array([[1, 2], [5, 6]], np.float32))
    path.write_bytes(b"1 2\na 1 2\nb\nc 5 6\n")
    with pytest.raises(ModelFileError, match="its header promises only 1 rows"):
        word2vec_text.read(path, on_bad_rows="skip")
    path.write_bytes(b"4 2\na 1.00 2\nb 1.0000\nc 5 6\n")
    with pytest.raises(ModelFileError, match="promises 4 rows, but it ends after 3"):
        word2vec_text.read(path, on_bad_rows="skip")


# -- the other formats -------------------------------------------------------------------------


def test_binary(tmp_path):
    path = tmp_path / "vectors.bin"
    matrix = matrix_of(4)
    matrix[2, 1] = np.inf
    words = [b"a", b"caf\xe9", b"c", b"d"]
    rows = (word + b" " + row.tobytes() + b"\n" for word, row in zip(words, matrix, strict=True))
    path.write_bytes(b"4 3\n" + b"".join(rows))
    assert "row 2: the word" in refused(word2vec_binary.read, path)
    contents = word2vec_binary.read(path, on_bad_rows="skip")
    check(contents, ["a", "d"], matrix[[0, 3]])
    assert contents.account.unreadable == 2


def test_npz_and_model2vec(tmp_path):
    matrix = matrix_of(3)
    matrix[1] = np.nan
    np.savez(tmp_path / "a.npz", words=np.array(["a", "b", ""]), vectors=matrix, counts=[3, 2, 1])
    contents = npz.read(tmp_path / "a.npz", on_bad_rows="skip")
    check(contents, ["a"], matrix[:1], [3])
    model2vec.write(tmp_path / "m", ["a", "b", "c"], matrix)
    check(model2vec.read(tmp_path / "m", on_bad_rows="skip"), ["a", "c"], matrix[[0, 2]])


@pytest.mark.usefixtures("size")
def test_projector(tmp_path):
    path = tmp_path / "v.tsv"
    rows = ["1\t2", "x\t2", "3\tnan", "4\t5", "w\t6\t7", "8\t9", "1"]
    path.write_text("\n".join(rows) + "\n")
    beside = tmp_path / "v_metadata.tsv"
    counts = zip("abcdefg", range(9, 2, -1), strict=True)
    beside.write_text("word\tcount\n" + "".join(f"{word}\t{n}\n" for word, n in counts))
    said = refused(projector.read, path)
    assert "row 2: it does not hold 2 finite numbers" in said
    assert "--skip-bad-rows" in said
    contents = projector.read(path, on_bad_rows="skip")
    check(contents, ["a", "d", "f"], np.array([[1, 2], [4, 5], [8, 9]], np.float32), [9, 6, 4])
    assert "row 2 (it does not hold 2 finite numbers)" in contents.account.unreadable_rows


# -- in Python and on the command line ---------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"on_bad_rows": "drop"}, "on_bad_rows is 'drop', but must be one of raise, skip"),
        ({"errors": "x" * 10**6}, "errors is 'xxx"),
        ({"format": "y" * 10**6}, "there is no format 'yyy"),
        ({"max_expansion": 0.5}, "max_expansion is 0.5, but must be a number of 1 or more"),
        ({"max_expansion": float("nan")}, "max_expansion is nan"),
        ({"max_expansion": "big"}, "max_expansion is 'big'"),
    ],
)
def test_settings_that_are_wrong(path, settings, said):
    path.write_bytes(text(GOOD))
    with pytest.raises(ConfigError, match=said) as caught:
        read(path, **settings)
    assert len(str(caught.value)) < 400


def test_every_command_that_opens_vectors_has_the_flag(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path.write_bytes(text([*GOOD, b"R$ 0 1 2 3"]))
    Path("pairs.txt").write_text("the\t1999\t5\nthe\tnaïve\t3\n1999\tnaïve\t1\n", encoding="utf-8")
    for main, more in (
        (convert.main, ["out.txt", "--json"]),
        (nearest.main, ["the"]),
        (evaluate.main, ["--pairs", "pairs.txt"]),
    ):
        assert main([str(path), *more]) == 1
        assert "--skip-bad-rows" in capsys.readouterr().err
        assert main([str(path), *more, "--skip-bad-rows"]) == 0
        output, said = capsys.readouterr()
        assert "1 of 5 rows cannot be read and are left out: row 5 (the vector of 'R$'" in said
        if main is convert.main:
            account = json.loads(output)["read"]["account"]
            assert account["unreadable"] == 1
            assert account["unreadable_rows"].startswith("row 5 (")


# -- byte order marks, and lines that end in CR LF ---------------------------------------------

BOM = b"\xef\xbb\xbf"


def edited(path, change):
    """Change the lines of a file of text."""
    path.write_bytes(change(path.read_bytes()))


CHANGES = {
    "byte order mark": lambda content: BOM + content,
    "CR LF": lambda content: content.replace(b"\n", b"\r\n"),
    "both": lambda content: BOM + content.replace(b"\n", b"\r\n"),
}


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["a.txt", "a.vec", "glove", "a.tsv", "a/"])
def test_as_editors_of_text_save_them(tmp_path, name, change):
    path = tmp_path / name
    matrix = matrix_of(len(WORDS))
    counts = np.arange(len(WORDS)) if name == "a.tsv" else None
    target = f"{path}/" if name == "a/" else path
    write(target, WORDS, matrix, counts, "glove" if name == "glove" else None)
    if name == "a.tsv":
        edited(tmp_path / "a_metadata.tsv", CHANGES[change])
    edited(path / "tokenizer.json" if name == "a/" else path, CHANGES[change])
    check(read(path), WORDS, matrix, None if counts is None else counts.tolist())


@pytest.mark.parametrize("header", [BOM + b"9 3\n", b"9 3\r\n", BOM + b"9 3\r\n"])
def test_headers_of_binary_files(tmp_path, header):
    path = tmp_path / "a.bin"
    write(path, WORDS, matrix_of(len(WORDS)))
    edited(path, lambda content: header + content.partition(b"\n")[2])
    check(read(path), WORDS, matrix_of(len(WORDS)))


BLANK = st.lists(st.sampled_from(["", " ", "\t", "\r", " \t \r"]), max_size=5)


@given(
    rows=st.lists(st.sampled_from(["a 1 2", "b 0.5 1 ", "c 3 4\r"]), min_size=1, unique=True),
    blank=BLANK,
    ended=st.booleans(),
    header=st.booleans(),
    piece=st.sampled_from([1, 7, text_format.PIECE]),
)
def test_blank_lines_at_the_end_are_passed_over_and_counted(
    tmp_path_factory, rows, blank, ended, header, piece
):
    path = tmp_path_factory.mktemp("blank") / "some"
    lines = [f"{len(rows)} 2"] * header + rows + blank
    text = "\n".join(lines) + "\n" * ended
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_format, "PIECE", piece)
        contents = read(path, "word2vec-text" if header else "glove")
    assert list(contents.words) == [row[0] for row in rows]
    passed = len(blank) if ended or not blank or blank[-1] else len(blank) - 1
    assert contents.account.blank == passed
    assert contents.account.unended == (not ended and not blank)
    notes = list(contents.account.notes())
    assert any("blank line" in note for note in notes) == (passed > 0)


@pytest.mark.parametrize("piece", [1, 7, text_format.PIECE])
@pytest.mark.parametrize("header", [b"4 2\n", b""])
def test_blank_lines_between_rows_are_bad_rows(tmp_path, monkeypatch, header, piece):
    monkeypatch.setattr(text_format, "PIECE", piece)
    path = tmp_path / "some"
    path.write_bytes(header + b"a 1.5555 2\n\n \nb 1.5555 2\n\n")
    kind = "word2vec-text" if header else "glove"
    with pytest.raises(ModelFileError, match="row 2: it is empty"):
        read(path, kind)
    contents = read(path, kind, on_bad_rows="skip")
    assert list(contents.words) == ["a", "b"]
    assert contents.account.unreadable_rows.startswith("row 2 (it is empty), row 3 (it is empty)")
    assert contents.account.blank == 1
