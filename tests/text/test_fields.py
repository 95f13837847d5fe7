"""One field of JSON lines, CSV and TSV, and of rows and columns in Python."""

import csv
import gzip
import io
import itertools
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.cli.train import main
from cbow.config import Config
from cbow.errors import CorpusError
from cbow.text import TokenAccount, encode_corpus
from cbow.text.fields import _PART, FieldReader

ROWS = [
    {"id": "1", "text": "The king, the queen", "stars": "five"},
    {"id": "2", "text": 'He said "no";\nthe\tking, the dog', "stars": ""},
    {"id": "3", "text": "", "stars": "one"},
]


def jsonl(rows=ROWS):
    return "\n".join(json.dumps(row) for row in rows)


def table(separator, rows=ROWS, ends="\n"):
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=separator, lineterminator=ends)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def texts(content, name="a", field="text", step=7):
    reader = FieldReader(field)
    content += "" if content.endswith("\n") else "\n"
    parts = (content[i : i + step] for i in range(0, len(content), step))
    return "".join(reader.text(parts, name)), reader.without


def lines_of(corpus, folder, field="text"):
    encoded = encode_corpus(corpus, Config(min_count=1, field=field), folder=folder)
    starts = encoded.line_starts.tolist()
    words = [encoded.vocabulary.word(i) for i in encoded.ids]
    found = [words[a:b] for a, b in itertools.pairwise(starts)]
    return found, encoded.account


EXPECTED = [["the", "king", "the", "queen"], ["he", "said", "no"], ["the", "king", "the", "dog"]]


CONTENTS = {
    "jsonl": (jsonl(), ["a", "a.txt", "a.b.jsonl", "a.NDJSON", "a.json"]),
    "csv": (table(","), ["a", "a.txt", "a.csv", "a.v1.CSV"]),
    "semicolons": (table(";"), ["a", "a.csv"]),
    "tsv": (table("\t"), ["a", "a.txt", "a.tsv"]),
}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_files(mark, ends, kind, tmp_path):
    content, names = CONTENTS[kind]
    data = (mark + content.replace("\n", ends)).encode()
    for name in names:
        (tmp_path / name).write_bytes(data)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
        for path in (tmp_path / name, tmp_path / f"{name}.gz"):
            found, account = lines_of(path, tmp_path)
            assert found == EXPECTED
            assert (account.lines, account.fieldless) == (4, 0)


def test_the_ending_of_the_name_decides():
    assert texts('{"x",y\n1,2\n', "a.csv", '{"x"') == ("1\n", 0)
    assert texts("a\tb,text\n1,2\n", "a.csv") == ("2\n", 0)
    assert texts("text\n1,2\n", "a.tsv") == ("1,2\n", 0)
    assert texts("text\n1,2\n", "a.tsv.gz") == ("1,2\n", 0)
    with pytest.raises(CorpusError, match=r"line 1 of a\.json is not a JSON object"):
        texts("text,b\n1,2\n", "a.json")


def test_standard_input_and_lists_of_files(tmp_path, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(jsonl().encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    (tmp_path / "a.csv").write_text(table(","))
    found, account = lines_of(["-", tmp_path / "a.csv"], tmp_path)
    assert found == EXPECTED * 2
    assert account.lines == 8


@pytest.mark.parametrize("step", [1, 3, 10**6])
def test_blank_lines_are_no_rows(step):
    assert texts("\n \n" + jsonl().replace("\n", "\n\n"), step=step) == texts(jsonl())
    assert texts("\n\ntext,b\n\nx,y\n\n", step=step) == ("x\n", 0)
    assert texts("\n \n") == ("", 0)
    assert texts("text,b\n") == ("", 0)


def test_rows_without_the_field_are_counted(tmp_path):
    others = [{"id": "4"}, {"text": None}, {"text": 7}, {"text": {"a": "b"}}, {"text": ["a", 1]}]
    found, without = texts(jsonl([*others, *ROWS, *others]))
    assert (found, without) == (texts(jsonl())[0], 10)
    assert texts("a,text\n1\n2,x\n3\n") == ("x\n", 2)
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl([*others, *ROWS]))
    _, account = lines_of(path, tmp_path)
    assert account.fieldless == 5
    assert "5 rows not read: the field is not there, or holds no text" in account.sentences()


def test_a_list_of_words_is_a_line():
    assert texts(jsonl([{"text": ["the", "king"]}, {"text": []}])) == ("the king\n\n", 0)


def test_texts_keep_their_lines():
    rows = [{"text": "a\r\nb\rc\n"}, {"text": "\ufeffd"}]
    assert texts(jsonl(rows)) == ("a\nb\nc\nd\n", 0)


def test_many_rows_come_in_parts():
    parts = list(FieldReader("t").text([jsonl([{"t": "word " * 99}] * 999) + "\n"], "a"))
    assert len(parts) > 3
    assert max(map(len, parts)) < _PART + 600
    assert "".join(parts) == ("word " * 99 + "\n") * 999


def test_a_cell_may_hold_a_book():
    assert texts("a,text\n1," + "x" * 200_000 + "\n", step=10**6)[0] == "x" * 200_000 + "\n"


def test_a_field_that_is_not_there():
    said = (
        "^no row of a has a text as field 'body'; name one of its fields .*: 'id', 'text', 'stars'$"
    )
    for content in (jsonl(), table(",")):
        with pytest.raises(CorpusError, match=said):
            texts(content, field="body")
    many = {str(n): "x" for n in range(30)}
    with pytest.raises(CorpusError, match=r"'18', '19', and 10 more$"):
        texts(jsonl([many]))


def test_a_table_without_the_field_is_not_read_to_its_end():
    def parts():
        yield "a,b\n1,2\n"
        raise AssertionError

    with pytest.raises(CorpusError, match=r"name one of its fields .*: 'a', 'b'$"):
        list(FieldReader("text").text(parts(), "a"))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (
            '{"text": "a"}\n{"text": }\n',
            "a",
            r"^line 2 of a is not a JSON object \(Expecting",
        ),
        ('\n{"text": "a"}\n["a"]\n', "a", "^line 3 of a is not a JSON object; give JSON lines"),
        ("[" * 99_999 + "\n", "a.jsonl", r"^line 1 of a.jsonl is not a JSON object \("),
        (
            '[{"text": "a"}]\n',
            "a.json",
            r"a JSON object; .*jq -c '\.\[\]' makes them of an array\)$",
        ),
        ("a,text\n1,b,c\n", "a", r"ends in line 2 of a has 3 cells, .* names 2; .* hold ','$"),
        ('a,text\n1,"b\nc\n', "a", r"^line 3 of a is not a valid row \(.*\); put quotes around"),
        ('a\ttext\n1\t"b"c\n', "a", r"^line 2 of a is not a valid row \(.*\); put quotes around"),
    ],
)
def test_rows_that_are_none(content, name, said):
    with pytest.raises(CorpusError, match=said):
        texts(content, name)


CELL = st.text(st.sampled_from("ab ,;\t\"\n'é{"), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), min_size=1), st.sampled_from(",;\t"), st.integers(1, 9))
def test_whatever_the_csv_module_writes_is_read(cells, separator, step):
    rows = [{"id": one, "text": other} for one, other in cells]
    expected = "".join(t if t.endswith("\n") else t + "\n" for _, t in cells)
    name = "a.tsv" if separator == "\t" else "a"
    assert texts(table(separator, rows), name, step=step) == (expected, 0)
    assert texts(jsonl(rows), step=step) == (expected, 0)


# in Python


def columns():
    return {name: [row[name] for row in ROWS] for name in ROWS[0]}


def frame(names="columns"):
    got = columns()
    return type("Frame", (), {names: list(got), "__getitem__": lambda _, name: got[name]})()


@pytest.mark.parametrize(
    "make", [lambda: ROWS, lambda: iter(ROWS), columns, frame, lambda: frame("column_names")]
)
def test_rows_and_columns(make, tmp_path):
    found, account = lines_of(make(), tmp_path)
    assert found == EXPECTED
    assert account == TokenAccount(lines=4, read=11, kept=11)


def test_rows_and_columns_without_the_field(tmp_path):
    for corpus in ([*ROWS, {"text": np.nan}], {"text": [*columns()["text"], None]}):
        assert lines_of(corpus, tmp_path)[1].fieldless == 1
    for corpus in (ROWS, columns(), frame(), iter(ROWS)):
        with pytest.raises(
            CorpusError, match=r"^no row of the corpus has .* 'id', 'text', 'stars'$"
        ):
            lines_of(corpus, tmp_path, "body")


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        (["a text"], "element 0 of the corpus is of type str, which has no fields; give rows"),
        ([{"text": "a b"}, ["a"]], "element 1 of the corpus is of type list"),
        (7, "the corpus is of type int"),
        (np.array([["a"]]), "no row of the corpus has a text as field 'text'"),
    ],
)
def test_what_has_no_fields(corpus, said, tmp_path):
    with pytest.raises(CorpusError, match=said):
        lines_of(corpus, tmp_path)


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(table(",", ROWS * 9))
    small = ["--dimension", "2", "--epochs", "1", "--sample", "0", "-o", "m"]
    assert main(["a.csv", "--field", "text", *small]) == 0
    assert main(["a.csv", "--field", "body", *small]) == 1
    assert "field / --field: 'id', 'text', 'stars'" in capsys.readouterr().err
