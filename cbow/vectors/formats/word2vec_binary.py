r"""word2vec's binary format, as word2vec.c, gensim and the Google News vectors have it.

    "V N\n"     words and dimensions in decimal digits
    V times:    the word in UTF-8, one space, N float32 numbers, little-endian, and a line feed

word2vec.c writes the line feed, gensim does not; all rows have it, or none (but for the last, which
may lack it). word2vec.c's words hold no space, gensim's may. There are no counts. The Google News
vectors come packed with gzip, which is read (and written to a name in .gz) too.

**Where a word ends** only its bytes tell, and with gensim's ``new york`` the first space is not the
end: whoever takes it reads every number of the row shifted by five bytes. The first space is taken
where nothing speaks against it: the line feeds are in their places, the numbers are of usual size,
the word is text. Where something does, `_search` goes through every space at which a word may end,
row after row, and weighs what the rows would be:

    numbers             0 of usual size, 3 somewhat beyond it, 8 far, 20 absurdly; at most 40 a row
    letters of a word   0, a space 2, punctuation 3, a control character 8, no letter at all 6
    a word not UTF-8    40; without line feeds no more than half of the words
    NUL, or a line feed in a word or missing behind a row where rows end in one: impossible

(roughly, binary logarithms of how rare each is; a number read from shifted bytes is absurd in
three cases of four). The cheapest reading is taken if every other costs `MARGIN` more; if not, the
file is rejected. Usual numbers lie within 2^-19 to 2^5, or within as wide a range elsewhere if
those of the file do. If those of the file do not, but with their bytes swapped would, it is
rejected as big-endian.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.system.arrays import Floats
from cbow.vectors.formats.base import (
    BOM,
    Contents,
    Format,
    Opened,
    Options,
    Source,
    checked,
    created,
    opened,
    shown,
    singles,
)
from cbow.vectors.formats.text import (
    LONGEST_HEADER,
    check_promise,
    promised_dimension,
    rows_are_text,
)

#: Bytes of the file looked at at a time.
BLOCK: Final = 2**22

#: No word is longer (bytes), and none that is searched for spaces.
LONGEST_WORD: Final = 2**24
LONGEST_SPACED: Final = 2**10

#: No vector that is read has more numbers.
MOST_DIMENSIONS: Final = 2**24

#: Bytes at the start of the rows that tell of what size numbers are.
SAMPLE: Final = 2**16

#: Rows of fewer numbers than this do not tell by their size that their bytes are shifted.
FEW: Final = 12

#: Numbers of a row that are looked at when many are.
LOOKED_AT: Final = 16

#: Rows before one in doubt with which the search begins, and after which it may end.
BACK: Final = 2
LONGEST_SEARCH: Final = 64

#: Rows that are cut at their first space after a search; then four times as many, and so on.
FEW_ROWS: Final = 16

#: Rows with more than one reading after which the search gives up.
LONGEST_UNSURE: Final = 1000

#: What the cheapest reading must cost less than any other, and beyond which others are given up.
MARGIN: Final = 8
BEAM: Final = 32

#: What an odd row or word costs, and of a word each letter that is odd; see above.
SOMEWHAT, FAR, ABSURD = 3, 8, 20
NUMBERS_COST: Final = 40
NOT_UTF8: Final = 40
NO_WORD: Final = 6
SPACE, MARK, CONTROL = 2, 3, 8
NEVER: Final = 2**60

#: So many line feeds in their places are no accident, however odd words and numbers are.
FEEDS: Final = 64

_CONTROLS: Final = bytes([*range(1, 32), 127])
_MARKS: Final = rb"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""
_HEADER: Final = re.compile(rb"\s*([+-]?\d+)[ \t]+([+-]?\d+)\s*\n")


#: What may be wrong with rows, behind the name of the file.
_CUT: Final = (
    " is cut short: its header promises {V} words, but row {row} is not whole; fetch or copy it "
    "again"
)
_BEHIND: Final = (
    " goes on behind the {V} words that its header promises; the header is wrong, or rows are "
    "damaged: fetch or copy it again"
)
_MISPLACED: Final = (
    ", row {row}: there is no word where one must begin, so a row before does not hold {N} numbers "
    "as the header says, or is damaged; fetch or copy the file again"
)
_AMBIGUOUS: Final = (
    ", row {row}: words seem to hold spaces, at which this format ends a word, and its bytes may "
    "be read in more than one way; write the vectors as text (with gensim: "
    "save_word2vec_format(FILE, binary=False)), or with _ for the spaces"
)
_ABSURD: Final = (
    ", row {row}: the vector of {word} holds numbers of sizes that no training gives, as if bytes "
    "before it were missing; fetch or copy the file again, or write it as text"
)
_ENDLESS: Final = (
    ", row {row}: the word does not end within {longest} bytes; the file is damaged, or of another "
    "format"
)


class _RowError(Exception):
    """Why rows cannot be read, and at which that turned out, from 1."""

    def __init__(self, fault: str, path: Path, row: int, **values: object) -> None:
        super().__init__(f"{path}{fault.format(row=row, **values)}")
        # What is ambiguous is told before that rows do not end in line feeds.
        self.row = NEVER if fault is _AMBIGUOUS else row


def recognise(source: Source) -> bool:
    """Return whether a header of two numbers is followed by bytes that are not text."""
    return promised_dimension(source) is not None and not rows_are_text(source)


def read(source: Source, options: Options) -> Contents:
    """Read a file; one that may be read in more than one way is rejected."""
    path = source.path
    failures: list[_RowError] = []
    attempts: list[_Rows] = []
    for feed in (b"\n", b""):
        with opened(path, options.max_expansion) as file:
            line = file.stream.readline(LONGEST_HEADER)
            promise = _HEADER.fullmatch(line.removeprefix(BOM))
            if not promise:
                raise ModelFileError(
                    f"{path} does not begin with a line of two whole numbers, words and "
                    "dimensions, as word2vec's binary format does; give another file, or say what "
                    "format it has"
                )
            V, N = int(promise[1]), int(promise[2])
            left = None if file.size is None else file.size - len(line)
            least = V * (4 * N + 2)  # a letter, a space and the numbers each
            check_promise(path, V, N, ("words", "dimensions"), MOST_DIMENSIONS, least, left)
            try:
                attempts.append(_rows(path, file, V, N, feed))
            except _RowError as error:
                failures.append(error)
                continue
        # Without its line feeds the same file would have as many words with a control character.
        if feed and (V > FEEDS or attempts[0].cost + MARGIN <= CONTROL * (V - 1)):
            break
    if not attempts:
        raise ModelFileError(str(max(failures[::-1], key=lambda failure: failure.row)))
    best, *others = sorted(attempts, key=lambda attempt: attempt.cost)
    for other in others:
        if other.cost - best.cost < MARGIN and other.words != best.words:
            raise ModelFileError(str(_RowError(_AMBIGUOUS, path, 1)))
    if failures and 2 * b"\0".join(best.words).count(b"\0\n") > V - 1:
        raise ModelFileError(str(failures[0]))  # rows do end in line feeds, but one does not
    return checked(path, options, best.words, best.matrix)


def write(path: Path, contents: Contents) -> None:
    """Write a file of words without spaces and line feeds, with the line feeds of word2vec.c."""
    words, matrix = contents.words, contents.matrix
    V, N = matrix.shape
    width = 4 * N
    spelled = iter(words)
    with created(path) as file:
        file.write(b"%d %d\n" % (V, N))
        for rows in singles(words, matrix, "word2vec's binary format"):
            numbers = rows.tobytes()
            for start in range(0, len(numbers), width):
                word = next(spelled)
                if " " in word or "\n" in word:
                    raise ModelFileError(
                        f"the word {shown(word)} holds a space or a line feed, at which word2vec's "
                        "binary format ends a word; write another format, such as .npz or "
                        ".safetensors"
                    )
                file.write(b"%s %s\n" % (word.encode(), numbers[start : start + width]))


class _Held:
    """The bytes of the rows, of which those from `at` are not used yet."""

    def __init__(self, stream: IO[bytes], feed: bytes) -> None:
        self._stream = stream
        self._feed = feed
        self.data = b""
        self.at = 0
        self.ended = False

    def more(self) -> None:
        """Hold another block, if there is one."""
        if not self.ended:
            block = self._stream.read(BLOCK)
            self.ended = not block
            self.data += block or self._feed  # which the last row may lack

    def reaches(self, end: int) -> bool:
        """Whether there are bytes up to `end`."""
        while len(self.data) < end and not self.ended:
            self.more()
        return len(self.data) >= end

    def ends_at(self, end: int) -> bool:
        """Whether nothing but line feeds is behind `end`."""
        while not self.ended and not self.data[end:].strip(b"\n"):
            self.more()
        return not self.data[end:].strip(b"\n")


class _Sizes:
    """Of what size the numbers of a file are, by the highest byte of each, less its sign.

    That byte is half the exponent: v stands for numbers from 2^(2v - 127) to below 2^(2v - 125).

    Parameters
    ----------
    centre : int
        v of the middle of the usual range.
    """

    def __init__(self, centre: int = 61) -> None:
        self.usual = _both_signs(range(centre - 7, centre + 5))
        self.beyond = _both_signs(range(centre - 12, centre + 7))
        self.far = _both_signs(range(centre - 16, centre + 17))
        # Numbers outside of these make a row doubtful: small ones come from training now and then.
        self.least = np.float32(2.0 ** (2 * (centre - 20) - 127))
        self.most = np.float32(2.0 ** (2 * (centre + 7) - 127))

    def cost(self, data: bytes, start: int, end: int) -> int:
        """Return what the numbers of a row cost."""
        tops = data[start + 3 : end : 4]
        beyond = tops.translate(None, self.usual)
        if not beyond:
            return 0
        far = beyond.translate(None, self.beyond)
        cost = SOMEWHAT * (len(beyond) - len(far))
        if far:
            zeros = _zeros(data[start:end])
            absurd = len(far.translate(None, self.far))
            cost += FAR * (len(far) - absurd) + ABSURD * (absurd - zeros)
        return min(cost, NUMBERS_COST)

    def absurd(self, row: bytes) -> bool:
        """Whether more than a quarter of the numbers of a row are what no training gives."""
        tops = row[3::4]
        return 4 * (len(tops.translate(None, self.far)) - _zeros(row)) > len(tops)


def _both_signs(sizes: range) -> bytes:
    """List the highest bytes of numbers of these sizes."""
    return bytes([v | sign for v in sizes if 0 < v < 128 for sign in (0, 128)])


def _zeros(row: bytes) -> int:
    """Count the numbers that are exactly zero."""
    return int(np.count_nonzero(np.frombuffer(row, "<f4") == 0))


def _sizes(path: Path, numbers: Floats) -> _Sizes:
    """Tell of what size the numbers of a file are, by some of them."""
    default = _Sizes()
    bits = numbers.view("<u4").reshape(-1)
    bits = bits[(bits & 0x7FFFFFFF != 0) & (bits.byteswap() & 0x7FFFFFFF != 0)]  # (K,) no zeros
    raw = bits.view(np.uint8).reshape(-1, 4)
    usual = np.isin(raw[:, [3, 0]], list(default.usual))  # (K, 2), as they stand and swapped
    odd, odd_swapped = (len(raw) - usual.sum(axis=0)).tolist()
    # All of them: where words hold spaces, numbers that are shifted by a byte look like it.
    if len(raw) >= 4 and odd >= odd_swapped + 2 and np.isin(raw[:, 0], list(default.beyond)).all():
        first = numbers.reshape(-1)[:3]
        said = (", ".join(f"{x:.3g}" for x in some) for some in (first, first.byteswap()))
        raise ModelFileError(
            f"{path} begins with numbers such as {next(said)}, which no training gives; with their "
            f"bytes swapped they are {next(said)}: it was written in big-endian order, so swap "
            "them, or write it on another machine"
        )
    if 2 * odd > len(raw):
        around = np.convolve(
            np.bincount(raw[:, 3] & 127, minlength=128), np.ones(9), "same"
        )  # (128,)
        if around.max() > 0.75 * len(raw):
            return _Sizes(int(around[:120].argmax()))
    return default


class _Batch(NamedTuple):
    """Rows whose words end at their first space."""

    words: list[bytes]  #: R
    numbers: npt.NDArray[np.float32]  #: (R, N)
    ends: npt.NDArray[np.intp]  #: where each row ends among the bytes, (R,)


def _split(held: _Held, N: int, feed: bytes, most: int) -> _Batch:
    """Cut the bytes that are held into rows.

    Only the space behind the word tells where a row goes on, so they are found one by one.
    """
    data, at, width, more = held.data, held.at, 4 * N, len(feed)
    words: list[bytes] = []
    listed: list[int] = []
    last = len(data) - width - more
    while len(words) < most:
        space = data.find(b" ", at)
        if space < 0 or space >= last:
            break
        words.append(data[at:space])
        at = space + 1 + width + more
        listed.append(at)
    ends = np.array(listed, np.intp)
    # Items that begin at every byte: to pick some copies `width` bytes each.
    anywhere = np.ndarray(max(0, len(data) - width + 1), f"V{width}", data, strides=(1,))
    numbers = anywhere[ends - width - more]  # (R,)
    return _Batch(words, numbers.view("<f4").reshape(-1, N), ends)


class _Rows(NamedTuple):
    """What was read."""

    words: list[bytes]  #: V
    matrix: npt.NDArray[np.float32]  #: (V, N)
    cost: int  #: of the rows in doubt


def _rows(path: Path, file: Opened, V: int, N: int, feed: bytes) -> _Rows:
    """Read the words and the (V, N) matrix of a file whose rows end in `feed`.

    Raises
    ------
    _RowError
        If there are no such rows.
    """
    # Of a packed file only its content tells how long it is: there the matrix grows.
    matrix = np.empty((0 if file.size is None else V, N), "<f4")
    words: list[bytes] = []
    held = _Held(file.stream, feed)
    held.reaches(SAMPLE)
    begin = _split(held, N, feed, min(V, SAMPLE // (4 * N)))
    sizes = _sizes(path, begin.numbers[begin.ends <= SAMPLE])
    ahead, patience, cost = V, BACK, 0
    while len(words) < V:
        done = len(words)
        some = _split(held, N, feed, min(ahead, V - done))
        R, at_end = len(some.words), done + len(some.words) == V
        sure = _first_doubt(some, held.data, feed, sizes)
        search = sure < R or (held.ended and min(ahead, V - done) > R)
        if at_end and not search:
            search = not held.ends_at(int(some.ends[-1]))
        if search or not at_end:
            sure = max(0, sure - BACK)
        numbers = some.numbers[:sure]
        words += some.words[:sure]
        held.at = int(some.ends[sure - 1]) if sure else held.at
        if search:
            more, places = _search(path, held, done + sure, V, N, feed, sizes, patience)
            cost += more
            words += [held.data[start:space] for start, space in places]
            rows = b"".join(held.data[space + 1 : space + 1 + 4 * N] for _, space in places)
            numbers = np.concatenate((numbers, np.frombuffer(rows, "<f4").reshape(-1, N)))
            held.at = places[-1][1] + 1 + 4 * N + len(feed)
        if len(words) > len(matrix):
            matrix.resize((min(V, max(len(words), 2 * len(matrix))), N), refcheck=False)
        matrix[done : len(words)] = numbers
        if ahead > R and not search:
            if len(held.data) - (some.ends[-1] if R else held.at) > LONGEST_WORD + 4 * N + 1:
                raise _RowError(_ENDLESS, path, done + R + 1, longest=LONGEST_WORD)
            held.data, held.at = held.data[held.at :], 0
            held.more()
        # Where many words hold spaces, few rows are cut in vain.
        ahead = FEW_ROWS if search else min(4 * ahead, V)
        patience = min(2 * patience, LONGEST_SEARCH) if search else BACK
    if not held.ends_at(held.at):
        raise _RowError(_BEHIND, path, V, V=V)
    if not feed and 2 * cost > NOT_UTF8 * V:
        odd = [row for row, word in enumerate(words, 1) if not _is_text(word)]
        if 2 * len(odd) > V:
            raise _RowError(_MISPLACED, path, odd[0], N=N)
    return _Rows(words, matrix, cost)


def _first_doubt(some: _Batch, data: bytes, feed: bytes, sizes: _Sizes) -> int:
    """Return the first row against which something speaks, or how many rows there are."""
    words, numbers, ends = some
    R, N = numbers.shape
    if not R:
        return 0
    doubts = np.zeros(R, np.bool_)
    size = np.abs(numbers[:, :LOOKED_AT])
    if not sizes.least <= size.min() <= size.max() < sizes.most:
        doubts |= ~((size < sizes.most) & ((size >= sizes.least) | (size == 0))).all(axis=1)
    if N < FEW:
        doubts |= (numbers.view(np.uint8) == ord(" ")).any(axis=1)
    if feed:
        doubts |= np.frombuffer(data, np.uint8)[ends - 1] != ord("\n")
    joined = b"\n".join(words)  # looked through sooner than word by word
    if not all(words) or not _is_text(joined) or joined.count(b"\n") >= R:
        doubts |= [not word or b"\n" in word or not _is_text(word) for word in words]
    return int(doubts.argmax()) if doubts.any() else R


def _is_text(word: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters other than line feeds."""
    if len(word.translate(None, _CONTROLS)) < len(word) - word.count(b"\n") or b"\0" in word:
        return False
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Reading(NamedTuple):
    """The cheapest way to read rows up to some place."""

    cost: int
    other: int  #: what the next cheapest way to the same place costs
    begin: int  #: where the word of the last row begins
    space: int  #: and ends


def _search(
    path: Path, held: _Held, row: int, V: int, N: int, feed: bytes, sizes: _Sizes, patience: int
) -> tuple[int, list[tuple[int, int]]]:
    """Read rows, each up to every space at which its word may end, until one reading is left.

    That reading must then be free of all costs for `patience` rows, or the only one for more.

    Returns
    -------
    int
        What they cost.
    list of (int, int)
        Where among the bytes that are held each word begins, and where the space behind it is.

    Raises
    ------
    _RowError
        If no reading is left, or more than one.
    """
    width = 4 * N
    layers = [{held.at: _Reading(0, NEVER, 0, 0)}]  # by the places where rows end
    alone = calm = unsure = 0
    while row + len(layers) <= V and calm < patience and alone < LONGEST_SEARCH:
        reached: dict[int, _Reading] = {}
        least, short, beyond = NEVER, False, False
        for begin, (cost, other, _, _) in layers[-1].items():
            for spaces, space in enumerate(_spaces(path, held, begin, row + len(layers))):
                end = space + 1 + width + len(feed)
                if end > len(held.data) and not held.reaches(end):
                    short = True
                    break
                if cost + SPACE * spaces > least + BEAM:
                    break
                if feed and held.data[end - 1 : end] != feed:
                    continue
                word = _word_cost(held.data[begin:space], feed)
                if word is None or cost + word > least + BEAM:  # nor is one that is longer better
                    break
                if row + len(layers) == V and not held.ends_at(end):
                    beyond = True
                    continue
                more = word + sizes.cost(held.data, space + 1, space + 1 + width)
                one = _Reading(cost + more, other + more, begin, space)
                two = reached.get(end)
                if two:
                    one, two = sorted((one, two))
                    one = one._replace(other=min(one.other, two.cost))
                reached[end] = one
                least = min(least, one.cost)
            short = short or held.data.find(b" ", begin) < 0
        if not reached:
            fault = _CUT if short else _BEHIND if beyond else _MISPLACED
            raise _RowError(fault, path, row + len(layers), V=V, N=N)
        reached = {end: one for end, one in reached.items() if one.cost <= least + BEAM}
        alone = alone + 1 if len(reached) == 1 else 0
        calm = calm + 1 if alone and least == min(layers[-1].values()).cost else 0
        unsure = 0 if alone else unsure + 1
        if unsure > LONGEST_UNSURE:
            raise _RowError(_AMBIGUOUS, path, row + 1)
        layers.append(reached)
    best, *others = sorted(layers[-1].values())
    if min([best.other, *(one.cost for one in others)]) - best.cost < MARGIN:
        raise _RowError(_AMBIGUOUS, path, row + 1)
    places = [(best.begin, best.space)]
    for layer in layers[-2:0:-1]:
        one = layer[places[-1][0]]
        places.append((one.begin, one.space))
    for at, (begin, space) in enumerate(reversed(places), row + 1):
        if not feed and sizes.absurd(held.data[space + 1 : space + 1 + width]):
            raise _RowError(_ABSURD, path, at, word=shown(held.data[begin:space]))
    return best.cost, places[::-1]


def _spaces(path: Path, held: _Held, begin: int, row: int) -> Iterator[int]:
    """Yield the places of the spaces at which the word that begins at `begin` may end."""
    held.reaches(begin + LONGEST_SPACED)
    space = held.data.find(b" ", begin)
    while space < 0 and not held.ended:
        if len(held.data) - begin > LONGEST_WORD:
            raise _RowError(_ENDLESS, path, row, longest=LONGEST_WORD)
        held.more()
        space = held.data.find(b" ", begin)
    while space >= 0:
        yield space
        space = held.data.find(b" ", space + 1, begin + LONGEST_SPACED)


def _word_cost(word: bytes, feed: bytes) -> int | None:
    """Return what a word costs, or None if it cannot be one."""
    if b"\0" in word or (feed and feed in word):
        return None
    cost = 0 if word else NO_WORD
    try:
        word.decode()
    except UnicodeDecodeError:
        cost = NOT_UTF8
    plain = word.translate(None, _MARKS)
    controls = len(plain) - len(plain.translate(None, _CONTROLS))
    return cost + SPACE * word.count(b" ") + MARK * (len(word) - len(plain)) + CONTROL * controls


FORMAT: Final = Format(
    name="word2vec-binary",
    title="word2vec binary",
    recognise=recognise,
    read=read,
    write=write,
    ending=".bin",
    packed=True,
)
