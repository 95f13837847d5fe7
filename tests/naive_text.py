"""The text part once more, plainly: whole text in memory, character by character."""

import re
import unicodedata
from collections import Counter


def words(line):
    """Words by the categories of single characters."""
    line = line.lower().replace("’", "'")
    inside = [unicodedata.category(c)[0] in "LMN" for c in line]
    for i in range(1, len(line) - 1):
        between = unicodedata.category(line[i - 1])[0] in "LMN" and (
            unicodedata.category(line[i + 1])[0] in "LMN"
        )
        if line[i] in "'\u200c\u200d" and between:
            inside[i] = True
    return "".join(c if keep else "\n" for c, keep in zip(line, inside, strict=True)).split("\n")


def tokens(line):
    return [word for word in words(line) if word]


def lines_of(text):
    return re.split("\r\n|\r|\n", text)


def vocabulary(lines, min_count=1, max_vocabulary=None):
    """Words and counts in order, from lines of tokens."""
    counts = Counter(token for line in lines for token in line if token)
    chosen = sorted((-n, word) for word, n in counts.items() if n >= min_count)[:max_vocabulary]
    return [word for _, word in chosen], [-n for n, _ in chosen]


def encoded(lines, min_count=1, max_vocabulary=None):
    """Ids line by line; lines without a kept token are left out."""
    order, _ = vocabulary(lines, min_count, max_vocabulary)
    ids = {word: i for i, word in enumerate(order)}
    kept = [[ids[token] for token in line if token in ids] for line in lines]
    return [line for line in kept if line]


def row(lines):
    """Lines of tokens as chunks: seven bytes or fewer behind a 1; 0 where a line ends."""
    chunks = []
    for line in lines:
        for token in line:
            data = token.encode()
            parts = [data[k : k + 7] for k in range(0, len(data) + 1, 7)]
            chunks += [int.from_bytes(b"\x01" + part, "big") for part in parts]
        chunks.append(0)
    return chunks[:-1]  # the last line goes on


def numbers(lines):
    """Numbers by first appearance, 0 being the empty string; -1 where a line ends. And counts."""
    known, found = {"": 0}, []
    for line in lines:
        found += [known.setdefault(token, len(known)) for token in line] + [-1]
    counts = Counter(token for line in lines for token in line)
    return found[:-1], list(known), [counts[word] for word in known]
