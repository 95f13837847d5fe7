"""One field of rows: JSON lines, CSV, TSV, columns of Parquet and Arrow, rows of Python.

The ending of a file's name says what it is, else its first line: JSON lines begin with ``{``, and
in the header of a table a tab, a semicolon or a comma separates the names. CSV and TSV are as
RFC 4180 has them: quotes around cells that hold quotes, separators or line ends. A row that cannot
be read is an error; one without the field is counted. Files of columns, Parquet and Arrow (Feather,
too), are read by pyarrow, some rows at a time.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from urllib.parse import urlsplit

from cbow.errors import LONGEST_SHOWN, CorpusError, shown
from cbow.text.remote import scheme
from cbow.text.tokenizers import unify_line_ends

_JSON: Final = (".jsonl", ".ndjson", ".json")
_PACKED: Final = (".gz", ".bz2", ".xz", ".zst")

# Characters of texts that are yielded at a time, for many rows are short.
_PART: Final = 2**16

# A cell may hold a book. The limit of the csv module is one for the whole process.
_LONGEST_CELL: Final = 2**31 - 1

# Names of fields that a message lists at most, and characters of each: what is taken for a header
# may be the first line of a text.
_LISTED: Final = 20
_LONGEST_NAME: Final = 40

#: Bytes needed to tell a file of columns.
MAGIC: Final = 8

# Rows of columns that are in memory at a time: a row may be a book.
_ROWS: Final = 256

# Bytes that are read ahead in a column.
_BUFFER: Final = 2**20

# How a stream of Arrow ends, which a reader of one does not insist on.
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"

_KINDS: Final = {
    b"PAR1\x15": "Parquet",
    b"ARROW1\0\0": "Arrow",
    b"\xff\xff\xff\xff": "Arrow stream",
}


class FieldReader:
    """Reads one field of rows, and counts in `without` those that do not have it.

    A field is a text, or a list of words, which is one line. Anything else counts as missing.
    """

    def __init__(self, field: str) -> None:
        self.field = field
        self.without = 0

    def text(self, parts: Iterable[str], name: str) -> Iterator[str]:
        r"""Yield the texts in a file, whose lines end in ``\n``, in parts; each ends its last line.

        Raises
        ------
        CorpusError
            If a row cannot be read, or none has the field.
        """
        lines, head = _lines(parts), [""]
        while not head[-1].strip() and (line := next(lines, "")):
            head.append(line)
        first, lines = head[-1], itertools.chain(head[1:], lines)
        path = Path(urlsplit(name).path if scheme(name) else name)
        suffixes = [suffix.lower() for suffix in path.suffixes]
        suffix = next((each for each in reversed(suffixes) if each not in _PACKED), "")
        if suffix in _JSON or (suffix not in (".csv", ".tsv") and first.lstrip().startswith("{")):
            values = self._values(_json_rows(lines, name), name)
        else:
            if suffix == ".tsv" or (suffix != ".csv" and "\t" in first):
                separator = "\t"
            else:
                separator = ";" if ";" in first and "," not in first else ","
            values = self._values(_table_rows(lines, separator, name), name, same=True)
        return self._parts(values)

    def column(self, values: Iterable[Any], names: Sequence[str], name: str) -> Iterator[str]:
        r"""Yield the texts in the column of a file whose columns are called `names`, in parts.

        Raises
        ------
        CorpusError
            If none is called as the field is, or several are, or no row has a text there.
        """
        if self.field not in names:
            raise self._missing(name, names)
        if (several := names.count(self.field)) > 1:
            raise CorpusError(
                f"{name} has {several} columns called {shown(self.field)}; give them "
                "names of their own"
            )
        rows = (dict.fromkeys(names, value) for value in values)
        return self._parts(self._values(rows, name))

    def _parts(self, values: Iterable[Any]) -> Iterator[str]:
        r"""Write texts and lists of words as text, whose lines end in ``\n``, in parts."""
        texts: list[str] = []
        size = 0
        for value in values:
            text = unify_line_ends(value if isinstance(value, str) else " ".join(value))
            texts.append(text if text.endswith("\n") else text + "\n")
            size += len(text)
            if size >= _PART:
                yield "".join(texts)
                texts, size = [], 0
        yield "".join(texts)

    def elements(self, corpus: Any) -> Iterator[Any]:
        """Yield the texts of a mapping of columns, of a table, or of an iterable of rows.

        Raises
        ------
        CorpusError
            If an element is not a row, or none has the field.
        """
        if (names := column_names(corpus)) is None:
            rows = _checked_rows(corpus)
        elif self.field in names:
            rows = (dict.fromkeys(names, value) for value in corpus[self.field])
        else:
            raise self._missing("the corpus", names)
        yield from self._values(rows, "the corpus")

    def _values(
        self, rows: Iterable[Mapping[str, Any]], name: str, same: bool = False
    ) -> Iterator[Any]:
        """Yield the field of each row that has it; `same` says that all have the same fields."""
        names: Mapping[str, Any] | None = None
        any_has = False
        for row in rows:
            names = row if names is None else names
            if same and self.field not in names:
                break  # it need not be read to its end
            value = row.get(self.field)
            words = isinstance(value, list | tuple) and all(isinstance(w, str) for w in value)
            if words or isinstance(value, str):
                any_has = True
                yield value
            else:
                self.without += 1
        if names is not None and not any_has:
            raise self._missing(name, names)

    def _missing(self, name: str, fields: Iterable[object]) -> CorpusError:
        """Return the error that lists the fields there are."""
        names = [shown(field, _LONGEST_NAME) for field in fields]
        more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
        return CorpusError(
            f"no row of {name} has a text as field {shown(self.field)}; name one of its fields "
            f"with field / --field: {', '.join(names[:_LISTED] + more)}"
        )


def column_names(corpus: object) -> list[Any] | None:
    """Return the names of the columns of a mapping or a table; None if `corpus` is neither."""
    if isinstance(corpus, Mapping):
        return [*corpus]
    names = getattr(corpus, "column_names", getattr(corpus, "columns", None))
    if names is None:
        return [] if getattr(corpus, "ndim", 1) > 1 else None
    return [*names] if isinstance(names, Iterable) else []


def _lines(parts: Iterable[str]) -> Iterator[str]:
    r"""Cut a text in parts into lines, which keep their ``\n``."""
    rest = ""
    for part in parts:
        *lines, rest = (rest + part).split("\n")
        for line in lines:
            yield line + "\n"


def _json_rows(lines: Iterable[str], name: str) -> Iterator[Mapping[str, Any]]:
    """Read JSON lines; blank ones do not count."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        reason = ""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            row, reason = None, f" ({error})"
        if not isinstance(row, dict):
            raise CorpusError(
                f"line {number} of {name} is not a JSON object{reason}; give JSON lines, an object "
                "on each line (jq -c '.[]' makes them of an array)"
            )
        yield row


def _table_rows(lines: Iterable[str], separator: str, name: str) -> Iterator[Mapping[str, Any]]:
    """Read CSV or TSV, whose first row names the fields; blank lines do not count."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] = []
    try:
        for row in reader:
            header = header or row
            if len(row) > len(header):
                raise CorpusError(
                    f"the row that ends in line {reader.line_num} of {name} has {len(row)} cells, "
                    f"but the header names {len(header)}; put quotes around cells that hold "
                    f"{shown(separator)}"
                )
            if row and row is not header:  # a row that ends early has no value there
                yield dict(itertools.zip_longest(header, row))
    except csv.Error as error:
        raise CorpusError(
            f"line {reader.line_num} of {name} is not a valid row ({error}); put quotes around "
            "cells that hold quotes, and write those twice"
        ) from None


def _checked_rows(corpus: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the elements of a corpus, which must be mappings."""
    for position, element in enumerate(corpus):
        if not isinstance(element, Mapping):
            raise CorpusError(
                f"element {position} of the corpus is of type {type(element).__name__}, which has "
                "no fields; give rows as mappings (json.loads makes them of JSON lines), or leave "
                "out field"
            )
        yield element


# Files of columns.


class Rows(NamedTuple):
    """Some rows of a column."""

    values: list[Any]
    share: float  #: of the file that has been read with them


def columnar(head: bytes) -> str | None:
    """Tell from its first `MAGIC` bytes which kind of columns a file has; None if it has none."""
    return next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), None)


class ColumnFile:
    """A file of columns.

    Parameters
    ----------
    file : BinaryIO
        It must be possible to seek in it.
    kind : str
        What `columnar` has said.
    name : str
        What a message calls it.

    Raises
    ------
    CorpusError
        If pyarrow is missing, or the file is damaged or cut short.
    """

    def __init__(self, file: BinaryIO, kind: str, name: str) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise CorpusError(
                f"{name} is a file of {kind}, and to read it takes pyarrow; install it: pip "
                "install pyarrow"
            ) from None
        self.kind = kind
        self._name = name
        self._file = file
        self._arrow = pyarrow
        with self._explained():
            self.size = file.seek(0, os.SEEK_END)
            if kind == "Arrow stream":
                file.seek(max(self.size - len(_END), 0))
                if file.read() != _END:
                    raise pyarrow.ArrowInvalid("its end mark is missing")
            file.seek(0)
            if kind == "Parquet":
                self.names: list[str] = pyarrow.parquet.read_schema(file).names
            else:
                self.names = self._arrow_reader().schema.names

    def column(self, name: str) -> Iterator[Rows]:
        """Yield a column, some rows at a time; None stands for nulls.

        Raises
        ------
        CorpusError
            If the file is damaged or cut short, or holds bytes that are no text.
        """
        types, text = self._arrow.types, self._arrow.large_string()
        with self._explained():
            self._file.seek(0)
            for batch, share in self._batches(self.names.index(name)):
                column = batch.column(0)
                if types.is_binary(column.type) or types.is_large_binary(column.type):
                    try:
                        column = column.cast(text)  # their writers knew no text
                    except self._arrow.ArrowInvalid:
                        raise CorpusError(
                            f"{self._name} has bytes in its column {shown(name)} that are not "
                            "UTF-8; name a column of text, or convert it"
                        ) from None
                for start in range(0, len(column), _ROWS):
                    yield Rows(column[start : start + _ROWS].to_pylist(), share)

    def _batches(self, index: int) -> Iterator[tuple[Any, float]]:
        """Yield batches of rows of one column, and how much of the file is read with each."""
        if self.kind == "Parquet":
            parquet = self._arrow.parquet.ParquetFile(self._file, buffer_size=_BUFFER)
            done, total = 0, parquet.metadata.num_rows
            columns = [self.names[index]]
            for batch in parquet.iter_batches(_ROWS, columns=columns, use_threads=False):
                done += len(batch)
                yield batch, done / total
            return
        options = self._arrow.ipc.IpcReadOptions(included_fields=[index], use_threads=False)
        reader = self._arrow_reader(options=options)
        if self.kind == "Arrow stream":
            for batch in reader:
                yield batch, self._file.tell() / self.size
        else:
            for i in range(reader.num_record_batches):
                yield reader.get_batch(i), (i + 1) / reader.num_record_batches

    def _arrow_reader(self, **options: Any) -> Any:
        ipc = self._arrow.ipc
        stream = self.kind == "Arrow stream"
        return (ipc.open_stream if stream else ipc.open_file)(self._file, **options)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what pyarrow raises into a `CorpusError`."""
        try:
            yield
        except CorpusError:
            raise
        except (self._arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:LONGEST_SHOWN]
            raise CorpusError(
                f"{self._name} is cut short or damaged, or no file of {self.kind} ({reason}); "
                "fetch or copy it again"
            ) from None
