"""The text formats read once more, plainly: whole file in memory, field by field."""

import re
import struct

import numpy as np

WHITE = " \t\r\v\f"
OF_NUMBERS = set("0123456789+-.eE")


def is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return set(field) <= OF_NUMBERS or field.lower().strip("+-") in ("nan", "inf", "infinity")


def single(field):
    """The float32 nearest to the float64 nearest to a decimal."""
    if not is_number(field) or not set(field) <= OF_NUMBERS:
        raise ValueError(f"{field!r} is no finite number")
    try:
        return struct.unpack("<f", struct.pack("<f", float(field)))[0]
    except OverflowError:
        raise ValueError("too large") from None


def row(line, N):
    """Word and numbers of a line; bytes are characters up to 255."""
    fields = list(re.finditer(f"[^{WHITE}]+", line))
    if len(fields) < N:
        raise ValueError("too few fields")
    word = line[: fields[-N].start()].rstrip(WHITE)
    if not word.strip(WHITE):
        raise ValueError("no word")
    if len(fields) > N + 1 and is_number(fields[-N - 1][0]):
        raise ValueError("more numbers")
    return word, [single(field[0]) for field in fields[-N:]]


def dimension(line):
    """Numbers at the end of a line, of which the first field is never one."""
    N = 0
    for field in reversed(re.findall(f"[^{WHITE}]+", line)[1:]):
        if not is_number(field):
            break
        N += 1
    return N


def read_text(data, header, errors="strict"):
    """Return words, rows, and how many words are repeated, not UTF-8, with white space in them.

    Where the file must be refused, raise ValueError.
    """
    text = data.decode("latin-1").removeprefix("\xef\xbb\xbf")
    lines = (text if text.endswith("\n") else text + "\n").split("\n")[:-1]
    V = None
    if header:
        numbers = re.fullmatch(r"\s*(\d+)[ \t]+(\d+)\s*", lines.pop(0), re.ASCII)
        if not numbers:
            raise ValueError("no header")
        V, N = map(int, numbers.groups())
    else:
        N = dimension(lines[0])
    if N < 1:
        raise ValueError("no numbers")
    while len(lines) > (V or 0) and not lines[-1].strip(WHITE):
        lines.pop()  # blank, behind all rows
    rows = [row(line, N) for line in lines]
    if V is not None and len(rows) != V and (len(rows) != V + 1 or rows[-1][0] != "<unk>"):
        raise ValueError("the header lies")
    found, replaced = {}, 0
    for word, numbers in rows:
        spelled = word.encode("latin-1")
        try:
            spelled.decode()
        except UnicodeDecodeError:
            replaced += 1
        found.setdefault(spelled.decode(errors=errors), numbers)
    spaced = sum(any(c.isspace() for c in word) for word in found)
    return list(found), list(found.values()), len(rows) - len(found), replaced, spaced


def shortest(x):
    """Write a numpy number with the digits of numpy, in the form of Python's repr."""
    return repr(float(np.format_float_scientific(x)))
