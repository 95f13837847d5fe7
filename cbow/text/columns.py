"""Columns of Parquet and Arrow files (Feather, too), read by pyarrow, some rows at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from cbow.errors import LONGEST_SHOWN, CorpusError, shown

#: Bytes needed to tell such a file.
MAGIC: Final = 8

# Rows that are in memory at a time: a row may be a book.
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
