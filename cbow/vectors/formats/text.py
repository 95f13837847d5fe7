r"""The text formats: word2vec's, fastText's and GloVe's are one, with three settings.

    word2vec    "V N\n"     rows, and numbers in each
                V times:    the word in UTF-8, N times a space and a number, and a line feed
    fastText    the same, with a space behind every number, before the line feed too
    GloVe       the rows of word2vec, without a first line

**Reading.** word2vec.c ends a row with one more space as fastText does; gensim and GloVe do not.
When a row is read, numbers may be separated by any white space of ASCII, so that rows with tabs,
aligned columns or CR LF at their end are read too; a byte order mark at the beginning is left out,
and gzip is unpacked. Rows are counted from 1, the header not among them. **The last N fields are
the numbers; the word is all before**, less white space at its end: words with spaces in them, as
GloVe's 840B vectors have them, are kept whole. Such a word must not end in a field that is a number
itself: ``catch 22 0.1 0.2`` might be a word of two parts or a row of three numbers, and is
rejected, or left out with other rows that cannot be read if that is wished: no number is ever read
that might be part of a word, even where a header says how many there are. A word that is one field
may be anything, also a number, but not white space alone. An empty line is rejected, but at the end
of the file, where such lines are passed over and counted.

A number is, in ASCII, an optional sign, digits with at most one point among them, and optionally
``e`` or ``E`` and a whole number. ``nan``, ``inf`` and numbers too large for float32 are rejected,
and so is what else Python would take for a number (``1_000``, digits of other scripts). Its value
is that of Python's ``float(text)``, the nearest float64, rounded to float32, the kind that these
tools compute with: the numbers that gensim reads.

Without a header, N is how many fields at the end of the first row are numbers, its first field
never among them. So ``. . . 0.1 0.2`` has the word ``. . .`` and two numbers, ``1 2 0.1`` the word
``1`` and three numbers; all other rows must have as many. (Nothing tells a word ``1 2`` of one
number from it, so such a word is not written.)

A file with a header that was cut is rejected, wherever that was, but for one case: of the last
number of the last row some digits may be missing. A file whose last row has no line feed is read,
and the account says so. Without a header, nothing says how many rows there should be: a file that
was cut between two rows is read as if it were whole.

GloVe's option -write-header makes word2vec's text format of its own, but for one thing: it does not
count the row ``<unk>`` at the end, which may therefore be one more than the header promises.

**Writing.** Numbers are written as the shortest decimals that read back to the same bits, in the
form that Python's ``repr`` has: ``1.0``, ``0.0001``, ``1e-05``, ``1e+16``; gensim writes the same.
(word2vec.c writes six digits behind the point, fastText five significant ones.) float64 keeps all
its digits. There are no counts in these files; their rows stand by falling frequency. The pieces
of words that fastText's ``.bin`` has are not in a ``.vec``.

Large files are read in pieces of some megabytes, in as many threads as processors, by compiled code
(`cbow.vectors.formats.text_kernels`); it leaves every row that is out of the ordinary to
`parse_row`, which is the rule and reads all rows of small files. What is held at a time is what was
read, and a few pieces of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from cbow.errors import ModelFileError
from cbow.system.arrays import Floats, Singles
from cbow.vectors.formats.base import (
    BOM,
    SKIP,
    BadRow,
    Contents,
    Format,
    Options,
    Source,
    checked,
    created,
    opened,
    shown,
)

#: White space, as `bytes.split` has it: that of ASCII.
WHITE: Final = b" \t\n\r\v\f"

#: Bytes read at a time, and then to the end of the row.
PIECE: Final = 2**22

#: Smaller pieces than this are read before compiled code would be loaded.
COMPILED: Final = 2**21

#: No row is longer, and no header (bytes).
LONGEST_ROW: Final = 2**26
LONGEST_HEADER: Final = 100

#: Numbers written at a time.
NUMBERS: Final = 2**19

#: Within these sizes orjson writes numbers as ``repr`` does, without an exponent.
_LEAST_PLAIN, _MOST_PLAIN = 1e-4, 1e12

_HEADER: Final = re.compile(rb"\s*([+-]?\d+)[ \t]+([+-]?\d+)\s*")
_LONGER_HEADER: Final = re.compile(rb"\s*\d{1,30}[ \t]+(\d{1,30})(?:[ \t]+\d{1,30})+\s*")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_NUMBER: Final = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NOT_FINITE: Final = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


class RowError(Exception):
    """What is wrong with a row, and what to do.

    Attributes
    ----------
    fault : str
        What is wrong, without what to do.
    row : int
        Which, from 0 among those of a piece.
    """

    def __init__(self, fault: str, remedy: str, row: int = 0) -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault = fault
        self.row = row


class Rows(NamedTuple):
    """Rows that were read."""

    words: list[bytes]  #: R words
    numbers: Singles  #: (R, N)
    bad: Sequence[RowError] = ()  #: what is wrong with the rows that are left out


# Recognising ----------------------------------------------------------------------------------


def promised_dimension(source: Source) -> int | None:
    """Return the second number of a first line of two whole numbers; None if it is another."""
    header = re.fullmatch(rb"\s*[+-]?\d{1,30}[ \t]+([+-]?\d{1,30})\s*", source.lines[0])
    return int(header[1]) if header else None


def rows_are_text(source: Source) -> bool:
    """Return whether the rows behind a header are text, even with mistakes in it."""
    N = promised_dimension(source) or 0
    rows = b"\n".join(source.lines[1:])
    line, end, _ = rows.partition(b"\n")
    fields = line.split()
    if fields and 2 * sum(map(is_float, fields)) >= (N if end else len(fields)):
        return True
    try:
        rows.decode()
    except UnicodeDecodeError as error:
        if error.end < len(rows):  # else only the head ends within a character
            return False
    return not _CONTROL.search(rows)


def is_float(field: bytes) -> bool:
    """Return whether Python takes a field for a number."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def _is_glove(source: Source) -> bool:
    """Return whether the first line is a word and numbers; that of a book may be ``Chapter 1``."""
    first, *more = source.lines
    longer = _LONGER_HEADER.fullmatch(first)
    if longer and numbers_in(first) != int(longer[1]) == numbers_in(b"".join(more[:1])):
        raise ModelFileError(
            f"{source.path} begins with {shown(first.strip())}, but a header has two numbers, of "
            "words and of dimensions; leave out the others, so that it is word2vec text"
        )
    N = numbers_in(first)
    follows = N > 1 or (N == 1 and (len(more) < 2 or numbers_in(more[0]) > 0))
    return follows and not _CONTROL.search(first)


# Reading --------------------------------------------------------------------------------------


def read(source: Source, options: Options, *, kind: str, header: bool) -> Contents:
    """Read a file.

    Parameters
    ----------
    source : Source
    options : Options
    kind : str
        What an error calls the format.
    header : bool
        Whether the first line says how many rows follow, and how many numbers each has; otherwise
        the first row shows how many numbers each has.
    """
    from cbow.system.threads import in_order  # here, for the file of a model is read without

    path, skip = source.path, options.on_bad_rows == "skip"
    words: list[bytes] = []
    bad: list[BadRow] = []
    with opened(path, options.max_expansion) as file:
        if header:
            line = file.stream.readline(LONGEST_HEADER)
            promise = _HEADER.fullmatch(line.removeprefix(BOM))
            if not promise:
                wanted = "two whole numbers, of rows and of numbers in each"
                raise _another(path, line, f"{wanted}, as {kind}")
            V, N = int(promise[1]), int(promise[2])
            left = None if file.size is None else file.size - len(line)
            least = V * (2 * N + 2) - 1  # letters, spaces, digits, and line feeds between rows
            check_promise(path, V, N, ("rows", "numbers"), LONGEST_ROW // 2, least, left)
            pieces = _Pieces(path, file.stream, b"", V)
        else:
            first = file.stream.readline(LONGEST_ROW).removeprefix(BOM)
            V, N = None, numbers_in(first)
            if N == 0:
                raise _another(path, first, f"a word and its numbers, as {kind} does")
            pieces = _Pieces(path, file.stream, first)
        matrix = np.empty((0, N), np.float32)
        try:
            for rows in in_order(lambda piece: read_piece(piece, N, skip), pieces):
                before = len(words) + len(bad) + 1
                bad += (BadRow(before + each.row, each.fault) for each in rows.bad)
                done, end = len(words), len(words) + len(rows.words)
                if end > len(matrix):  # it grows where it lies: nothing is there twice
                    matrix.resize((max(end, len(matrix) + len(matrix) // 8), N), refcheck=False)
                matrix[done:end] = rows.numbers
                words += rows.words
                # GloVe's -write-header does not count the row that it adds for unknown words.
                if V is not None and words[V:] not in ([], [b"<unk>"]):
                    raise _too_many(path, V)
        except RowError as error:
            row = len(words) + error.row + 1  # no row was left out, or none would be rejected
            if V is not None and row > V:
                raise _too_many(path, V) from None
            raise ModelFileError(f"{path}, row {row}: {error}, {SKIP}") from None
    matrix.resize((len(words), N), refcheck=False)
    contents = checked(path, options, words, matrix, bad=bad)
    account = contents.account
    account.unended, account.blank = int(pieces.unended), pieces.blank
    if V is not None and account.rows < V:
        raise ModelFileError(
            f"{path} is cut short: its header promises {V} rows, but it ends after {account.rows}; "
            "fetch or copy it again, or correct the header"
        )
    return contents


def check_promise(
    path: Path, V: int, N: int, names: tuple[str, str], most: int, least: int, left: int | None
) -> None:
    """Raise `ModelFileError` if what a header promises cannot be, or not in `left` bytes."""
    rows, numbers = names
    if V < 0 or not 1 <= N <= most:
        raise ModelFileError(
            f"the header of {path} promises {V} {rows} of {N} {numbers}, but there must be 0 "
            f"{rows} or more, of 1 to {most} {numbers}; fetch or copy it again"
        )
    if left is not None and least > left:
        raise ModelFileError(
            f"{path} is cut short: its header promises {V} {rows} of {N} {numbers}, {least} bytes "
            f"at least, but {left} follow; fetch or copy it again"
        )


def _another(path: Path, line: bytes, expected: str) -> ModelFileError:
    """Create the error about a file that does not begin as it should."""
    begin = f"begins with {shown(line.rstrip())}" if line else "is empty"
    return ModelFileError(
        f"{path} {begin}, but must begin with {expected}; give another file, or say what format "
        "it has"
    )


def _too_many(path: Path, V: int) -> ModelFileError:
    """Create the error about a file with more rows than it promises."""
    return ModelFileError(
        f"{path}, row {V + 1}: its header promises only {V} rows; correct the header, or fetch or "
        "copy the file again"
    )


class _Pieces:
    """The rows of a file in pieces, each row with its line feed.

    Attributes
    ----------
    unended : bool
        Whether the last row had none.
    blank : int
        Blank lines behind the last row, which are passed over. Those in the place of a row that
        the header promises are rows.
    """

    def __init__(self, path: Path, stream: IO[bytes], begin: bytes, V: int = 0) -> None:
        self._path = path
        self._stream = stream
        self._begin = begin
        self._V = V
        self._rows = 0
        self.unended = False
        self.blank = 0

    def __iter__(self) -> Iterator[bytes]:
        piece = self._begin + self._stream.read(PIECE)
        while piece:
            rest = b"" if piece.endswith(b"\n") else self._stream.readline(LONGEST_ROW)
            piece += rest
            if not piece.endswith(b"\n"):  # the file ends here, unless it has endless rows
                self.unended = not piece.rpartition(b"\n")[2].isspace()
                if len(rest) == LONGEST_ROW:
                    raise ModelFileError(
                        f"{self._path} holds a row of more than {LONGEST_ROW} bytes; it is "
                        "damaged, or of another format: give another file"
                    )
                piece += b"\n"
            if rows := piece.rstrip(WHITE):
                yield from self._blank_rows(self.blank)  # for a row follows
                end = piece.index(b"\n", len(rows)) + 1
                self._rows += piece.count(b"\n", 0, end)
                yield piece[:end]
                piece = piece[end:]
            self.blank += piece.count(b"\n")
            piece = self._stream.read(PIECE)
        yield from self._blank_rows(min(self.blank, self._V - self._rows))

    def _blank_rows(self, n: int) -> Iterator[bytes]:
        """Yield the first n of the blank lines as rows, which they are in the wrong place."""
        while n > 0:
            some = min(n, PIECE)
            yield b"\n" * some
            self._rows += some
            self.blank -= some
            n -= some


def read_piece(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Read rows of N numbers, in compiled code if there are many.

    Parameters
    ----------
    piece : bytes
        Rows, each with its line feed.
    N : int
        Numbers in each.
    skip : bool
        Whether rows that are not sound are left out.

    Raises
    ------
    RowError
        If a row is not sound, and not left out.
    """
    R = piece.count(b"\n")
    short = len(piece) < R * (2 * N + 2)  # some row is too short to hold N numbers
    if short or len(piece) < COMPILED:
        return read_plainly(piece, N, skip)
    return read_compiled(piece, N, skip)


def read_plainly(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Read rows one after the other."""
    words, numbers, bad = [], [], []
    for r, row in enumerate(piece.split(b"\n")[:-1]):
        try:
            word, values = parse_row(row, N)
        except RowError as error:
            error.row = r
            if not skip:
                raise
            bad.append(error)
            continue
        words.append(word)
        numbers.append(values)
    return Rows(words, np.array(numbers, np.float32).reshape(-1, N), bad)


def read_compiled(piece: bytes, N: int, skip: bool = False) -> Rows:
    """Do what `read_plainly` does, much faster."""
    from cbow.vectors.formats.text_kernels import gather, parse

    R = piece.count(b"\n")
    text = np.frombuffer(piece, np.uint8)
    numbers = np.empty((R, N), np.float32)
    begins, ends = np.empty((2, R), np.int64)  # (R,) each
    plain = np.empty(R, np.bool_)
    parse(text, numbers, begins, ends, plain)
    bad = []
    for r in np.flatnonzero(~plain).tolist():
        try:
            word, numbers[r] = parse_row(piece[begins[r] : ends[r]], N)
        except RowError as error:
            error.row = r
            if not skip:
                raise
            bad.append(error)
            word = b""
        ends[r] = begins[r] + len(word)
    words = np.empty((ends - begins).sum() + R, np.uint8)
    gather(text, begins, ends, words)
    listed = words.tobytes().split(b"\n")[:-1]
    if bad:
        kept = np.delete(np.arange(R), [error.row for error in bad])
        listed, numbers = [listed[r] for r in kept.tolist()], numbers[kept]
    return Rows(listed, numbers, bad)


def parse_row(row: bytes, N: int) -> tuple[bytes, Singles]:
    """Take a row without its line feed apart into a word and its N numbers.

    Raises
    ------
    RowError
        If it is not sound.
    """
    word, *fields = row.rsplit(None, N) or [b""]
    parts = word.split()
    sound = len(fields) == N and all(map(_NUMBER.fullmatch, fields))
    if not sound or (len(parts) > 1 and _numeric(parts[-1])):
        raise RowError(*_fault(row, N))
    with np.errstate(under="ignore", over="ignore"):
        values = np.array([float(field) for field in fields]).astype(np.float32)  # (N,)
    for field, finite in zip(fields, np.isfinite(values), strict=True):
        if not finite:
            raise RowError(
                f"the vector of {shown(word)} holds {shown(field)}, too large for float32",
                "remove the row, scale all vectors down",
            )
    return word, values


def numbers_in(row: bytes) -> int:
    """Count the numbers, finite or not, at the end of a row whose first field is its word's."""
    return sum(1 for _ in takewhile(_numeric, reversed(row.split()[1:])))


def _numeric(field: bytes) -> bool:
    """Return whether a field is meant as a number, finite or not."""
    return bool(_NUMBER.fullmatch(field) or _NOT_FINITE.fullmatch(field))


def _fault(row: bytes, N: int) -> tuple[str, str]:
    """Say what is wrong with a row that is not N numbers behind a word, and what to do."""
    fields = row.split()
    length = numbers_in(row)
    if not fields:
        return "it is empty", "remove it"
    if row[:1] in WHITE and len(fields) == N and all(map(_numeric, fields)):
        return "there is no word before its numbers", "remove it"
    mend = "correct the row, fetch or copy the file again"
    of_word = f"the vector of {shown(fields[0])}"
    if length == N or len(fields) == N + 1:
        wrong = next((each for each in fields[1:][-N:] if not _NUMBER.fullmatch(each)), b"")
        if _numeric(wrong):
            return f"{of_word} holds {shown(wrong)}, which is not finite", "remove the row"
        return f"{of_word} holds {shown(wrong)} where a number is expected", mend
    ending = ", or its word ends in a number, which no word with white space in it may"
    return (
        f"{of_word} is of length {length}, but {N} is expected{ending if length > N else ''}",
        mend,
    )


# Writing --------------------------------------------------------------------------------------


def write(path: Path, contents: Contents, *, header: bool, tail: bytes = b"\n") -> None:
    r"""Write a file, compressed if its name ends in ``.gz``.

    Parameters
    ----------
    path : Path
    contents : Contents
    header : bool
        Whether a line with V and N comes first.
    tail : bytes
        What ends a row: ``\n``, or a space before it.

    Raises
    ------
    ModelFileError
        If a word could not be read back, or a number is too large for float32; without a header,
        if there are no words.
    """
    words, matrix = contents.words, contents.matrix
    V, N = matrix.shape
    if not header and not V:
        raise ModelFileError(
            "there are no words, and GloVe's text format has no header to say so; give some, or "
            "write another format"
        )
    if not header and words[0].startswith(BOM.decode()):
        raise ModelFileError(
            f"the first word, {shown(words[0])}, begins with U+FEFF, which would be taken for a "
            "byte order mark; rename it, or write word2vec's text format"
        )
    for word in words:
        _check_word(word)
    R = max(1, NUMBERS // N)
    with created(path) as file:
        if header:
            file.write(b"%d %d\n" % (V, N))
        for start in range(0, V, R):
            some = words[start : start + R]
            with np.errstate(under="ignore", over="ignore"):
                sound = np.isfinite(matrix[start : start + R].astype(np.float32)).all(axis=1)
            if not sound.all():
                raise ModelFileError(
                    f"the vector of {shown(some[int(np.argmin(sound))])} holds a number too large "
                    "for float32, which readers of text files have; scale all vectors down, or "
                    "write .npz"
                )
            rows = zip(some, number_rows(matrix[start : start + R]), strict=True)
            file.write(b"".join([b"%s %s%s" % (word.encode(), row, tail) for word, row in rows]))


def _check_word(word: str) -> None:
    """Reject a word that would not be read back as it is."""
    spelled = word.encode()
    parts = spelled.split()
    if len(parts) == 1 and parts[0] == spelled:
        return
    if spelled != spelled.strip(WHITE) or b"\n" in spelled:
        fault = "holds a line feed, or begins or ends with white space"
    elif numbers_in(spelled):
        fault = "holds white space and ends in a number"
    else:
        return
    raise ModelFileError(
        f"the word {shown(spelled)} {fault}, so that a text file could not be read back; rename "
        "it, or write .npz or .safetensors"
    )


def number_rows(matrix: Floats, separator: bytes = b" ") -> list[bytes]:
    """Return each row of a matrix as text.

    orjson finds the shortest digits that read back to the same bits, but writes exponents in a form
    of its own, which depends on its version: numbers that may have one are written once more.

    Parameters
    ----------
    matrix : ndarray of float32 or float64, (R, N)
        Finite numbers.
    separator : bytes
        A character, between the numbers.
    """
    import orjson  # here, for nobody who only reads needs it

    dtype: type[np.floating[Any]] = np.float64 if matrix.dtype == np.float64 else np.float32
    numbers = np.ascontiguousarray(matrix, dtype)  # (R, N)
    text = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY).replace(b",", separator)
    rows = text[2:-2].split(b"]%s[" % separator)
    size = np.abs(numbers)
    unusual = ((size < _LEAST_PLAIN) & (size > 0)) | (size >= _MOST_PLAIN)  # (R, N)
    for r in np.flatnonzero(unusual.any(axis=1)).tolist():
        fields = rows[r].split(separator)
        for n in np.flatnonzero(unusual[r]).tolist():
            fields[n] = repr(float(fields[n])).encode()
        rows[r] = separator.join(fields)
    return rows


WORD2VEC: Final = Format(
    name="word2vec-text",
    title="word2vec text",
    recognise=lambda source: promised_dimension(source) is not None and rows_are_text(source),
    read=partial(read, kind="word2vec's text format", header=True),
    write=partial(write, header=True),
    ending=".txt",
    packed=True,
)

FASTTEXT: Final = Format(
    name="fasttext",
    title="fastText .vec",
    recognise=lambda source: False,  # it is word2vec's, which reads it as well
    read=partial(read, kind="fastText's .vec", header=True),
    write=partial(write, header=True, tail=b" \n"),
    ending=".vec",
    packed=True,
)

GLOVE: Final = Format(
    name="glove",
    title="GloVe text",
    recognise=_is_glove,
    read=partial(read, kind="GloVe's text format", header=False),
    write=partial(write, header=False),
    packed=True,
)
