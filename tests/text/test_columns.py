"""One column of Parquet and Arrow files."""

import io
import sys

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.cli.train import main
from cbow.config import Config
from cbow.errors import CorpusError
from cbow.text import TokenAccount, encode_corpus, fields, find_sources
from cbow.text.fields import ColumnFile, FieldReader, columnar
from cbow.text.reading import TextReader
from cbow.text.remote import Remote

TEXTS = ["The king, the queen", None, "he said no\nthe king", ""]
ROWS = {"id": [1, 2, 3, 4], "text": TEXTS, "words": [["a", "b"], [], None, ["c"]]}


def parquet(rows, **how):
    file = io.BytesIO()
    pq.write_table(pa.table(rows), file, **how)
    return file.getvalue()


def arrow(rows, make=pa.ipc.new_file, rows_at_a_time=3):
    file, table = io.BytesIO(), pa.table(rows)
    with make(file, table.schema) as writer:
        writer.write_table(table, rows_at_a_time)
    return file.getvalue()


def stream(rows):
    return arrow(rows, pa.ipc.new_stream)


WAYS = {"Parquet": parquet, "Arrow": arrow, "Arrow stream": stream}


def texts(path, field="text"):
    reader = FieldReader(field)
    [parts] = TextReader().texts(find_sources(path), reader)
    return "".join(parts), reader.without


@pytest.mark.parametrize("kind", WAYS)
def test_a_column_of_a_file(tmp_path, kind):
    path = tmp_path / "a.txt"  # the content tells
    path.write_bytes(WAYS[kind](ROWS))
    assert columnar(path.read_bytes()) == kind
    assert texts(path) == ("The king, the queen\nhe said no\nthe king\n\n", 1)
    assert texts(path, "words") == ("a b\n\nc\n", 1)
    account = encode_corpus(path, Config(min_count=1, field="text"), folder=tmp_path).account
    assert account == TokenAccount(lines=4, read=9, kept=9, fieldless=1)
    assert "1 row not read: the field is not there, or holds no text" in account.sentences()


@pytest.mark.parametrize("kind", WAYS)
def test_a_column_that_is_not_there_or_holds_no_text(tmp_path, kind):
    path = tmp_path / "a"
    path.write_bytes(WAYS[kind](ROWS))
    for field in ("body", "id"):
        said = rf"^no row of {path} has .* as field '{field}'; .*: 'id', 'text', 'words'$"
        with pytest.raises(CorpusError, match=said):
            texts(path, field)
    said = rf"is a file of {kind}, and .* with field / --field: 'id', 'text', 'words'$"
    with pytest.raises(CorpusError, match=said):
        list(*TextReader().texts(find_sources(path)))


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("end", [-1, -8, -40, 60, 9])
def test_a_file_that_is_cut_short(tmp_path, kind, end):
    path = tmp_path / "a"
    path.write_bytes(WAYS[kind](ROWS)[:end])
    said = rf"^{path} is cut short or damaged, or no file of {kind} \(.*\); fetch or copy it again$"
    with pytest.raises(CorpusError, match=said):
        texts(path)


@pytest.mark.parametrize("kind", WAYS)
def test_other_types_of_text(tmp_path, kind):
    path = tmp_path / "a"
    for make in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        path.write_bytes(WAYS[kind]({"text": pa.array(["ä b", None], make)}))
        assert texts(path) == ("ä b\n", 1)
    path.write_bytes(WAYS[kind]({"text": pa.array(["ä b", None, "ä b"]).dictionary_encode()}))
    assert texts(path) == ("ä b\nä b\n", 1)
    path.write_bytes(WAYS[kind]({"text": pa.array([b"\xff"])}))
    with pytest.raises(CorpusError, match="bytes in its column 'text' that are not UTF-8; name a"):
        texts(path)
    path.write_bytes(WAYS[kind]({"text": pa.array([], pa.string())}))
    assert texts(path) == ("", 0)


def test_text_that_is_no_unicode(tmp_path):
    (tmp_path / "a").write_bytes(arrow({"text": pa.array([b"\xff"]).view(pa.string())}))
    with pytest.raises(CorpusError, match=r"damaged, or no file of Arrow \('utf-8' codec"):
        texts(tmp_path / "a")


def test_two_columns_of_one_name(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    with pa.ipc.new_file(tmp_path / "a", table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(CorpusError, match="has 2 columns called 'text'"):
        texts(tmp_path / "a")


def test_a_file_may_be_damaged_within(tmp_path):
    rows = {"text": ["the king rules the land"] * 99}
    data = parquet(rows, compression="none", use_dictionary=False)
    place = data.index(b"the king")
    (tmp_path / "a").write_bytes(data[: place - 4] + b"\xff\xff\xff\x7f" + data[place:])
    with pytest.raises(CorpusError, match="cut short or damaged"):
        texts(tmp_path / "a")


@given(
    st.lists(st.none() | st.text(st.sampled_from("ab \n\tä'\U0001f44d")), max_size=30),
    st.sampled_from(sorted(WAYS)),
    st.integers(1, 9),
)
def test_whatever_is_written_is_read(tmp_path_factory, values, kind, size):
    path = tmp_path_factory.mktemp("columns") / "a"
    table = {"n": range(len(values)), "text": pa.array(values, pa.string())}
    path.write_bytes(
        parquet(table, row_group_size=size) if kind == "Parquet" else WAYS[kind](table)
    )
    rows = [value for value in values if value is not None]
    expected = "".join(row if row.endswith("\n") else row + "\n" for row in rows)
    if rows or not values:
        assert texts(path) == (expected, len(values) - len(rows))
    else:
        with pytest.raises(CorpusError, match="no row of"):
            texts(path)


@pytest.mark.parametrize("kind", WAYS)
def test_how_far_it_is_read(tmp_path, kind):
    path = tmp_path / "a"
    path.write_bytes(WAYS[kind]({"text": ["a b"] * 600}))
    seen = []
    with path.open("rb") as file:
        shares = [rows.share for rows in ColumnFile(file, kind, "a").column("text")]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1
    config = Config(min_count=1, field="text")
    encode_corpus([path, path], config, folder=tmp_path, progress=seen.append)
    assert seen[-1].bytes_total == 2 * path.stat().st_size
    assert 0.95 * seen[-1].bytes_total < seen[-1].bytes_done <= seen[-1].bytes_total


@pytest.mark.parametrize("kind", WAYS)
def test_an_address(kind):
    files = fsspec.filesystem("memory")
    files.pipe("/a.bin", WAYS[kind](ROWS))
    assert texts("memory://a.bin")[0].startswith("The king")


def test_an_error_of_the_connection_stays_what_it_is(monkeypatch):
    fsspec.filesystem("memory").pipe("/a.bin", parquet(ROWS))
    size = fsspec.filesystem("memory").info("/a.bin")["size"]
    monkeypatch.setattr("cbow.text.remote.PAUSES", ())
    with pytest.raises(CorpusError, match=r"^'memory://a\.bin' ends early, after"):
        ColumnFile(Remote("memory://a.bin", size + 8).open(whole=False), "Parquet", "a")


def test_packed_and_piped(tmp_path, monkeypatch):
    import gzip

    (tmp_path / "a.gz").write_bytes(gzip.compress(parquet(ROWS)))
    with pytest.raises(
        CorpusError, match=r"a\.gz is a Parquet file, .* not packed and not through"
    ):
        texts(tmp_path / "a.gz")


def test_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(parquet(ROWS))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = r"a is a file of Parquet, and to read it takes pyarrow; install it: pip install pyarrow$"
    with pytest.raises(CorpusError, match=said):
        texts(tmp_path / "a")


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.parquet").write_bytes(parquet({"text": ["the king rules the land"] * 99}))
    small = ["--dimension", "2", "--epochs", "1", "--sample", "0", "-o", "m"]
    assert main(["a.parquet", "--field", "text", *small]) == 0
    assert main(["a.parquet", *small]) == 1
    assert "read one of its columns with field / --field: 'text'" in capsys.readouterr().err


def test_rows_are_few_at_a_time(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(arrow({"text": ["a"] * 1000}, rows_at_a_time=1000))
    with path.open("rb") as file:
        rows = [len(rows.values) for rows in ColumnFile(file, "Arrow", "a").column("text")]
    assert max(rows) == fields._ROWS
