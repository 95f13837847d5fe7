"""What must hold for the words and numbers of a file, whatever its format."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError, VectorsWarning
from cbow.vectors.formats.base import Account, BadRow, Contents, shown
from cbow.vectors.nearest import Floats
from cbow.vectors.packed import PackedWords

#: Rows looked at or written at a time.
ROWS: Final = 4096

#: What may be done about rows that cannot be read, put behind another remedy.
SKIP: Final = "or leave out such rows with on_bad_rows='skip' (--skip-bad-rows)"


def checked(
    path: Path,
    words: Sequence[bytes] | Sequence[str],
    matrix: Floats,
    counts: npt.NDArray[np.integer[Any]] | None = None,
    errors: str = "strict",
    on_bad_rows: str = "raise",
    bad: Sequence[BadRow] = (),
) -> Contents:
    """See that every word is text and every number finite; keep the first of equal words.

    Parameters
    ----------
    path : Path
        Where they were read, for messages.
    words : sequence of bytes or of str, V
        As they stood in the file.
    matrix : ndarray, (V, N)
    counts : ndarray of int, (V,), optional
    errors : {"strict", "replace"}
        Whether a word that is not UTF-8 is refused, or kept with U+FFFD for its bad bytes.
    on_bad_rows : {"raise", "skip"}
        Whether a row that is not sound is refused, or left out and counted.
    bad : sequence of BadRow
        Rows of the file that have been left out before, which the account tells of.

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
    if not _utf8(spelled):
        spelled = list(_repaired(spelled, errors, account, faults))
    if not all(spelled):
        faults.update(
            (at, ("there is no word", "remove the row"))
            for at, word in enumerate(spelled)
            if not word
        )
    for at in not_finite(matrix):
        what = f"the vector of {shown(spelled[at])} holds a number that is not finite"
        faults.setdefault(at, (what, "remove the row, or train the vectors again"))
    if faults:
        before = {each.row for each in bad}
        rows = [row for row in range(1, account.rows + 1) if row not in before]
        if on_bad_rows != "skip":
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
    packed = _packed(spelled)
    account.spaced = _spaced(packed)
    return Contents(packed, matrix, counts, account)


def check_parts(
    words: Sequence[str], matrix: Floats, counts: npt.NDArray[np.integer[Any]] | None
) -> None:
    """See that words, matrix and counts can be written, whatever the format.

    Raises
    ------
    ModelFileError
        If they do not fit each other, a word is empty, no text or there twice, or a number is not
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
    _check_distinct(words)
    if counts is not None:
        check_counts("the vectors", counts, V)
    try:
        "".join(words).encode()
    except UnicodeEncodeError as error:
        raise ModelFileError(
            f"a word holds {error.object[error.start]!r}, half of a character, which UTF-8 does "
            "not have; rename it"
        ) from None
    check_finite("the vectors", words, matrix)


def _check_distinct(words: Sequence[str]) -> None:
    """Refuse an empty word, and one that has come before."""
    seen: set[str] = set()
    for row, word in enumerate(words, 1):
        if not word or word in seen:
            raise ModelFileError(
                f"word {row}, {shown(word)}, {'has come before' if word else 'is empty'}; give "
                "words that are distinct and not empty"
            )
        seen.add(word)


def check_finite(where: object, words: Sequence[str], matrix: Floats) -> None:
    """Refuse a row that holds NaN or infinity.

    Raises
    ------
    ModelFileError
        If there is one; it names the first.
    """
    for row in not_finite(matrix):
        raise ModelFileError(
            f"{where}, row {row + 1}: the vector of {shown(words[row])} holds a number that is "
            "not finite; remove the row, or train the vectors again"
        )


def not_finite(matrix: Floats) -> Iterator[int]:
    """Yield the rows that hold NaN or infinity."""
    for start in range(0, len(matrix), ROWS):
        sound = np.isfinite(matrix[start : start + ROWS])  # (ROWS, N)
        if not sound.all():
            yield from (start + np.flatnonzero(~sound.all(axis=1))).tolist()


def is_table(matrix: npt.NDArray[Any]) -> bool:
    """Whether an array has rows of one number or more; there may be none of them."""
    return matrix.ndim == 2 and matrix.shape[1] > 0


def check_counts(where: object, counts: npt.NDArray[Any], V: int) -> npt.NDArray[np.int64]:
    """Return counts as int64, if there is one for each word and none is negative.

    Raises
    ------
    ModelFileError
        If that is not so.
    """
    whole = counts.dtype.kind in "iu" and counts.shape == (V,)
    if not whole or (V and not 0 <= counts.min() <= counts.max() <= np.iinfo(np.int64).max):
        raise ModelFileError(
            f"{where}: the counts are {counts.dtype} of shape {counts.shape}, but must be {V} "
            "whole numbers of 0 or more; leave them out"
        )
    return counts.astype(np.int64, copy=False)


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


def _utf8(words: Sequence[bytes]) -> bool:
    """Whether every word is UTF-8; half a surrogate pair, which JSON and numpy know, is not."""
    joined = b"".join(words)
    if joined.isascii():
        return True
    try:
        for word in words:
            word.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repaired(
    words: Sequence[bytes], errors: str, account: Account, faults: dict[int, tuple[str, str]]
) -> Iterator[bytes]:
    """Put U+FFFD for what is not UTF-8, and add it to the faults if it is not to be kept."""
    for at, word in enumerate(words):
        text = word.decode(errors="replace").encode()
        if text != word and errors == "replace":
            account.replaced += 1
        elif text != word:
            faults[at] = (
                f"the word {shown(word)} is not UTF-8",
                "to read it with U+FFFD in place of its bad bytes, say errors='replace' (--errors "
                "replace)",
            )
        yield text


def _packed(words: Sequence[bytes]) -> PackedWords:
    """Lay words end to end."""
    ends = np.cumsum(np.fromiter(map(len, words), np.int64, len(words)), dtype=np.int64)  # (V,)
    return PackedWords(np.frombuffer(b"".join(words), np.uint8), ends)


def _first_places(words: Sequence[bytes]) -> Sequence[int]:
    """Return the row of each distinct word where it comes first, in their order."""
    hashes = np.sort(np.fromiter(map(hash, words), np.int64, len(words)))  # (V,)
    if (hashes[1:] != hashes[:-1]).all():  # seen sooner than by a set
        return range(len(words))
    first: dict[bytes, int] = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    return list(first.values())


def _spaced(words: PackedWords) -> int:
    """Count the words that hold white space."""
    together = words.letters.tobytes().decode()
    if together.split() == [together]:  # seen sooner than word by word
        return 0
    return sum(word.split() != [word] for word in words)
