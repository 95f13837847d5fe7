"""What the formats share: files as bytes, what a format is, what was read, what must hold."""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from cbow import errors
from cbow.config import BAD_ROWS, DEFAULT_EMBEDDING, MAX_EXPANSION
from cbow.errors import ConfigError, ModelFileError, VectorsWarning
from cbow.system import safetensors_file
from cbow.system.arrays import Counts, Floats
from cbow.system.files import (
    check_folder_writable,
    check_regular,
    check_writable,
    replacing,
    unopened,
)
from cbow.vectors.embeddings import Subwords, check_kind
from cbow.vectors.words import PackedWords

#: What may be done about words that are not UTF-8: reject them, or put U+FFFD for bad bytes.
ERRORS: Final = "strict", "replace"

#: The advice about rows that cannot be read, put behind another remedy.
SKIP: Final = "or leave out such rows with on_bad_rows='skip' (--skip-bad-rows)"

#: What some programs write before UTF-8.
BOM: Final = b"\xef\xbb\xbf"

#: Rows checked or written at a time.
ROWS: Final = 4096

#: Characters of a word that an error shows.
_SHOWN: Final = 40

#: Rows of which it is said why they are left out; of others only which.
_EXPLAINED: Final = 3

#: How a gzip file begins.
GZIP: Final = b"\x1f\x8b\x08"

#: How hard gzip tries. With digits 9 takes nine times as long as 4, and saves one byte in fifteen.
_LEVEL: Final = 4

#: What unpacks to fewer bytes than this is never too much.
SMALL: Final = 2**25

#: No gzip data unpack to more times their size.
_DEFLATE: Final = 1032

#: Bytes at the start of a file by which its format is recognised.
HEAD: Final = 2**16


# Files opened and written as bytes, through gzip where there is gzip ---------------------------


class Source:
    """A file or folder to be read, with what was read of it to recognise its format."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return os.path.isdir(self.path)  # which, unlike the method, raises nothing

    @cached_property
    def packed(self) -> bool:
        """Whether its content is packed with gzip."""
        return self._begin.startswith(GZIP)

    @cached_property
    def head(self) -> bytes:
        """Its first bytes, unpacked."""
        head = self._begin
        if self.packed:
            with opened(self.path, math.inf) as unpacked:
                head = unpacked.stream.read(HEAD)
        return head

    @cached_property
    def lines(self) -> list[bytes]:
        """Its first line, its second, and the rest of its head."""
        head = self.head
        if len(head) == HEAD:  # it may end within a number
            head = head.rsplit(None, 1)[0]
        return head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)

    @cached_property
    def like_safetensors(self) -> bool:
        """Whether it begins like a safetensors file."""
        length = int.from_bytes(self._begin[:8], "little")
        return self._begin[8:9] == b"{" and length <= safetensors_file.LONGEST_HEADER

    @cached_property
    def safetensors(self) -> safetensors_file.Contents:
        """Its arrays, mapped, and its texts, not held against its checksums."""
        return safetensors_file.read(self.path)

    @cached_property
    def _begin(self) -> bytes:
        if self.is_folder:
            return b""
        check_regular(self.path)
        with explained(self.path), self.path.open("rb") as file:
            return file.read(HEAD)


class _Bounded:
    """A stream that ends with an error when more is read than may be.

    Parameters
    ----------
    path : Path
        For the error.
    stream : file of bytes
    most : float
        How many bytes may be read.
    """

    def __init__(self, path: Path, stream: IO[bytes], most: float) -> None:
        self._path = path
        self._stream = stream
        self._left = self._most = most

    def read(self, size: int) -> bytes:
        """Read up to so many bytes."""
        return self._counted(self._stream.read(size))

    def readline(self, size: int) -> bytes:
        """Read a line of up to so many bytes."""
        return self._counted(self._stream.readline(size))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise too_much(self._path, f"unpacks to more than {self._most:.0f} bytes")
        return data


def most_bytes(size: int, max_expansion: float) -> float:
    """Return how many bytes a file of this size may become."""
    return max(SMALL, size * max_expansion)


def too_much(name: object, what: str) -> ModelFileError:
    """Create the error about a file that would become too large."""
    return ModelFileError(
        f"{name} {what}, far more than its size on disk, as if made to fill the memory; if you "
        "trust it, let it become so many times its size with max_expansion=TIMES (--max-expansion "
        "TIMES)"
    )


class Opened(NamedTuple):
    """A file that is being read."""

    stream: IO[bytes]  #: its content, unpacked
    size: int | None  #: the bytes of it; None where only unpacking all of it would tell


@contextlib.contextmanager
def opened(path: Path, max_expansion: float) -> Iterator[Opened]:
    """Open a file, unpacked if its content is gzip, and explain what goes wrong while it is open.

    Parameters
    ----------
    path : Path
    max_expansion : float
        How many times the size of a packed file may be read of it.

    Raises
    ------
    ModelFileError
        If it is not a regular file, or cannot be read or unpacked, or unpacks to too much.
    """
    check_regular(path)
    with explained(path), path.open("rb") as file:
        size = path.stat().st_size
        if file.peek(len(GZIP)).startswith(GZIP):
            most = most_bytes(size, max_expansion)
            file.seek(-4, os.SEEK_END)
            last = int.from_bytes(file.read(4), "little")  # bytes of the content, unless damaged
            file.seek(0)
            if most < last <= _DEFLATE * size:
                raise too_much(path, f"unpacks to {last} bytes")
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                stream = _Bounded(path, cast(IO[bytes], unpacked), most)
                yield Opened(cast(IO[bytes], stream), None)
        else:
            yield Opened(file, size)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what Python raises about a file that is read into a `ModelFileError`."""
    try:
        yield
    except EOFError:
        raise ModelFileError(
            f"{path} is cut short: its gzip data stop in the middle; fetch or copy it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ModelFileError(
            f"{path} is damaged: it is not proper gzip data ({error}); fetch or copy it again"
        ) from None
    except OSError as error:
        raise ModelFileError(unopened(path, error)) from error


@contextlib.contextmanager
def created(path: Path) -> Iterator[IO[bytes]]:
    """Write a file, which appears whole or not at all; packed with gzip if its name says so.

    Equal content gives equal bytes: no name and no time are put into the gzip data.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
                yield cast(IO[bytes], packed)
        else:
            yield file


# What a format is ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """How a file is read.

    Parameters
    ----------
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is rejected, or kept with U+FFFD for its bad bytes.
    on_bad_rows : {"raise", "skip"}
        Whether a row that cannot be read is rejected, or left out and counted.
    max_expansion : float
        How many times its size on disk a packed file may become; `math.inf` for no limit.
    embedding : str
        Which vectors of a model; a format of vectors alone has one kind.

    Raises
    ------
    ConfigError
        If one of them is something else.
    """

    errors: str = "strict"
    on_bad_rows: str = "raise"
    max_expansion: float = MAX_EXPANSION
    embedding: str = DEFAULT_EMBEDDING

    def __post_init__(self) -> None:
        for name, choices in (("errors", ERRORS), ("on_bad_rows", BAD_ROWS)):
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(
                    f"{name} is {errors.shown(value)}, but must be one of {', '.join(choices)}"
                )
        most = self.max_expansion
        if not (isinstance(most, int | float) and most >= 1):
            raise ConfigError(
                f"max_expansion is {errors.shown(most)}, but must be a number of 1 or more, or inf "
                "for no limit"
            )
        check_kind(self.embedding)


class Contents(NamedTuple):
    """What a file of vectors holds, whatever its format."""

    words: Sequence[str]  #: V distinct words, in the order of the file
    matrix: Floats  #: (V, N)
    counts: Counts | None  #: (V,), of the training text, if the file has them
    account: Account
    subwords: Subwords | None = None  #: what vectors of other words are made from


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format: a module of this package defines one or more, and tells the bytes of each.

    To add one, write such a module and name it in `cbow.vectors.formats.FORMATS`.
    """

    name: str  #: what `read` and `write` call it
    title: str  #: what a sentence calls it
    recognise: Callable[[Source], bool]  #: whether a file or folder is in this format
    #: Read a file; `ModelFileError` if it is not in this format, or damaged.
    read: Callable[[Source, Options], Contents]
    #: Write words, a finite matrix and counts that fit each other; None: only read. `OutputError`
    #: if the file cannot be written, `ModelFileError` if the format cannot hold a word or a number.
    write: Callable[[Path, Contents], None] | None
    ending: str = ""  #: how names end that stand for it when it is written
    packed: bool = False  #: whether it is packed with gzip if .gz follows, and may be read so
    folder: bool = False  #: whether it is a folder
    counts: bool = False  #: whether it has a place for counts
    subwords: bool = False  #: whether it has a place for the n-grams of words
    kinds: bool = False  #: whether `Options.embedding` has a meaning
    checksums: bool = False  #: whether it has checksums, see `cbow.system.safetensors_file`
    #: The files that are read with a name, itself among them, and those that are written.
    inputs: Callable[[Path], list[Path]] = lambda path: [path]
    outputs: Callable[[Path], list[Path]] = lambda path: [path]

    def check_place(self, path: Path) -> None:
        """Raise `OutputError` now if `path` could not be written later."""
        if self.folder:
            check_folder_writable(path, [each.name for each in self.outputs(path)[1:]])
        else:
            for each in self.outputs(path):
                check_writable(each)


# What was read ---------------------------------------------------------------------------------


class BadRow(NamedTuple):
    """A row that cannot be read and is left out."""

    row: int  #: from 1
    fault: str  #: what is wrong with it


@dataclass
class Account:
    """What was read, and what of it is not in the result or not as it stood in the file.

    `special` is no loss and makes no note: every folder of model2vec has such rows.
    """

    rows: int = 0  #: rows in the file
    duplicates: int = 0  #: rows left out, for their word has come before
    spaced: int = 0  #: words kept that hold white space
    replaced: int = 0  #: words kept in which bytes that are not UTF-8 were made U+FFFD
    special: int = 0  #: rows left out that stand for no word, such as model2vec's [UNK]
    unreadable: int = 0  #: rows left out, for they cannot be read
    unreadable_rows: str = ""  #: which, and what is wrong with the first few
    blank: int = 0  #: blank lines at the end of a text file, passed over
    unended: int = 0  #: 1 if the last row of a text file has no line feed, so that it may be cut

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each thing a reader ought to know; nothing for a plain file."""
        if self.unreadable:
            yield (
                f"{self.unreadable} of {self.rows} rows cannot be read and are left out: "
                f"{self.unreadable_rows}"
            )
        if self.duplicates:
            yield f"{self.duplicates} of {self.rows} rows repeat a word; the first of each is kept"
        if self.spaced:
            yield f"{self.spaced} of {self.rows} words hold white space; they are kept whole"
        if self.replaced:
            yield f"{self.replaced} of {self.rows} words are not UTF-8; U+FFFD stands for bad bytes"
        if self.blank:
            yield f"{errors.counted(self.blank, 'blank line')} at the end passed over"
        if self.unended:
            yield "the last row has no line end; if the file was cut, its last number lacks digits"

    def leave_out(self, bad: Sequence[BadRow]) -> None:
        """Count rows that cannot be read, and name them in at most 200 characters."""
        self.unreadable = len(bad)
        room = errors.LONGEST_SHOWN - len(" and 1000000000 more")
        named: list[str] = []
        for row, fault in sorted(bad):
            long, short = f"row {row} ({fault})", f"row {row}"
            fits = [each for each in (long, short) if len(", ".join([*named, each])) <= room]
            if not fits:
                break
            named.append(fits[0] if len(named) < _EXPLAINED else short)
        more = len(bad) - len(named)
        self.unreadable_rows = ", ".join(named) + (f" and {more} more" if more else "")

    def to_dict(self) -> dict[str, int | str]:
        """Return every count by its name, for JSON."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


def shown(text: bytes | str) -> str:
    r"""Show a word or a field in an error: cut if it is long, with escapes for unprintable bytes.

    Examples
    --------
    >>> print(shown(b"caf\xc3"), shown("n" * 50))
    'caf�' 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...
    """
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN].decode(errors="replace")  # no character has more than 4 bytes
    return errors.shown(text, _SHOWN)


def checked(
    path: Path,
    options: Options,
    words: Sequence[bytes] | Sequence[str],
    matrix: Floats,
    counts: Counts | None = None,
    bad: Sequence[BadRow] = (),
) -> Contents:
    """Check that every word is text and every number finite; keep the first of equal words.

    Parameters
    ----------
    path : Path
        Where they were read, for messages.
    options : Options
        Its `errors` and `on_bad_rows` say what becomes of rows that are not sound.
    words : sequence of bytes or of str, V
        As they stood in the file.
    matrix : ndarray, (V, N)
    counts : ndarray of int, (V,), optional
    bad : sequence of BadRow
        Rows of the file that have been left out before, for the account.

    Raises
    ------
    ModelFileError
        If a word is empty or not UTF-8, or a number not finite; or if no row is left.
    """
    account = Account(rows=len(words) + len(bad))
    spelled = [
        word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass") for word in words
    ]
    faults: dict[int, tuple[str, str]] = {}  # by place: what is wrong, and what to do
    try:
        b"\n".join(spelled).decode()  # seen sooner than word by word
    except UnicodeDecodeError:  # half a surrogate pair, which JSON knows, is not UTF-8 either
        for at, word in enumerate(spelled):
            spelled[at] = word.decode(errors="replace").encode()
            if spelled[at] != word and options.errors == "replace":
                account.replaced += 1
            elif spelled[at] != word:
                faults[at] = (
                    f"the word {shown(word)} is not UTF-8",
                    "to read it with U+FFFD in place of its bad bytes, say errors='replace' "
                    "(--errors replace)",
                )
    if not all(spelled):
        faults.update(
            (at, ("there is no word", "remove the row"))
            for at, word in enumerate(spelled)
            if not word
        )
    for at in _not_finite(matrix):
        what = f"the vector of {shown(spelled[at])} holds a number that is not finite"
        faults.setdefault(at, (what, "remove the row, or train the vectors again"))
    if faults:
        before = {each.row for each in bad}
        rows = [row for row in range(1, account.rows + 1) if row not in before]
        if options.on_bad_rows != "skip":
            at = min(faults)
            raise ModelFileError(f"{path}, row {rows[at]}: {'; '.join(faults[at])}, {SKIP}")
        bad = [*bad, *(BadRow(rows[at], fault) for at, (fault, _) in faults.items())]
    if bad:
        account.leave_out(bad)
        if account.unreadable == account.rows:
            raise ModelFileError(
                f"{path}: none of its {account.rows} rows can be read: {account.unreadable_rows}; "
                "give another file, or say what format it has"
            )
    kept: Sequence[int] = range(len(spelled))
    if faults:
        kept = [at for at in kept if at not in faults]
        spelled = [spelled[at] for at in kept]
    first = _first_places(spelled)
    account.duplicates = len(spelled) - len(first)
    if account.duplicates:
        kept = [kept[at] for at in first]
        spelled = [spelled[at] for at in first]
    if len(kept) < len(matrix):
        matrix = matrix[kept]
        counts = None if counts is None else counts[kept]
    ends = np.cumsum(np.fromiter(map(len, spelled), np.int64, len(spelled)), dtype=np.int64)  # (V,)
    letters = b"".join(spelled)
    text = letters.decode()
    if text.split() != [text]:  # seen sooner than word by word
        account.spaced = sum(word.split() != [word] for word in map(bytes.decode, spelled))
    return Contents(PackedWords(np.frombuffer(letters, np.uint8), ends), matrix, counts, account)


def _first_places(words: Sequence[bytes]) -> Sequence[int]:
    """Return the row of each distinct word where it comes first, in their order."""
    hashes = np.sort(np.fromiter(map(hash, words), np.int64, len(words)))  # (V,)
    if (hashes[1:] != hashes[:-1]).all():  # seen sooner than by a set
        return range(len(words))
    first: dict[bytes, int] = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    return list(first.values())


def _not_finite(matrix: Floats) -> Iterator[int]:
    """Yield the rows that hold NaN or infinity."""
    for start in range(0, len(matrix), ROWS):
        sound = np.isfinite(matrix[start : start + ROWS])  # (ROWS, N)
        if not sound.all():
            yield from (start + np.flatnonzero(~sound.all(axis=1))).tolist()


# What may be read and written -----------------------------------------------------------------


def is_table(matrix: npt.NDArray[Any]) -> bool:
    """Return whether an array has rows of one number or more; there may be no rows."""
    return matrix.ndim == 2 and matrix.shape[1] > 0


def check_counts(counts: npt.NDArray[Any], V: int, where: str = "") -> npt.NDArray[np.int64]:
    """Return counts as int64, if there is one for each word and none is negative.

    Raises
    ------
    ModelFileError
        If that is not so; `where` is put before what is wrong.
    """
    fit = counts.dtype.kind in "iu" and counts.shape == (V,)
    if not fit or (V and not 0 <= counts.min() <= counts.max() <= np.iinfo(np.int64).max):
        raise ModelFileError(
            f"{where}the counts are {counts.dtype} of shape {counts.shape}, but must be {V} "
            "whole numbers of 0 or more; leave them out"
        )
    return counts.astype(np.int64, copy=False)


def check_parts(words: Sequence[str], matrix: Floats, counts: Counts | None) -> None:
    """Check that words, matrix and counts can be written, whatever the format.

    Raises
    ------
    ModelFileError
        If they do not fit each other, a word is empty, not text or there twice, or a number is not
        finite.
    """
    V = len(words)
    if matrix.dtype not in (np.float32, np.float64) or not is_table(matrix):
        raise ModelFileError(
            f"the matrix is {matrix.dtype} of shape {matrix.shape}, but must be float32 or float64 "
            "with a row of one number or more for each word"
        )
    if len(matrix) != V:
        raise ModelFileError(
            f"there are {V} words and {len(matrix)} rows; give a row for each word"
        )
    seen: set[str] = set()
    for row, word in enumerate(words, 1):
        if not word or word in seen:
            raise ModelFileError(
                f"word {row}, {shown(word)}, {'has come before' if word else 'is empty'}; give "
                "words that are distinct and not empty"
            )
        seen.add(word)
    if counts is not None:
        check_counts(counts, V, "the vectors: ")
    try:
        "".join(words).encode()
    except UnicodeEncodeError as error:
        raise ModelFileError(
            f"a word holds {error.object[error.start]!r}, half of a character, which UTF-8 does "
            "not have; rename it"
        ) from None
    for row in _not_finite(matrix):
        raise ModelFileError(
            f"the vectors, row {row + 1}: the vector of {shown(words[row])} holds a number that is "
            "not finite; remove the row, or train the vectors again"
        )


def singles(words: Sequence[str], matrix: Floats, kind: str) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the matrix as float32, `ROWS` rows at a time; warn at the end if that changed a number.

    Raises
    ------
    ModelFileError
        If a number is too large for float32.
    """
    changed = False
    for start in range(0, len(matrix), ROWS):
        rows = matrix[start : start + ROWS]
        with np.errstate(under="ignore", over="ignore"):
            single = rows.astype("<f4")  # (ROWS, N)
        changed = changed or not np.array_equal(single, rows)
        if not np.isfinite(single).all():
            row = start + int(np.argmin(np.isfinite(single).all(axis=1)))
            raise ModelFileError(
                f"the vector of {shown(words[row])} holds a number too large for float32, the only "
                f"kind that {kind} has; write another format"
            )
        yield single
    if changed:
        warnings.warn(
            f"the numbers are rounded from {matrix.dtype} to float32, the only kind that {kind} "
            "has",
            VectorsWarning,
            stacklevel=2,
        )
