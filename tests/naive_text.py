"""The text part once more, plainly: whole text in memory, character by character."""

import re
import unicodedata
from collections import Counter
from itertools import pairwise
from math import log

FILLERS = "\u115f\u1160\u3164\uffa0"
JOINERS = "\u180e\u200c\u200d"
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"


def kind(c):
    """What a character is to the tokenizer "word", by its category and some exceptions."""
    category = unicodedata.category(c)
    if c in JOINERS:
        return "joiner"
    if category[0] == "M" or c in FILLERS:
        return "mark"
    if category[0] in "LN":
        return "letter"
    if category == "Cf" and c not in "\u200b" + SEEN:
        return "format"
    return "quote" if c == "'" else "other"


def tokens(line):
    """Words by the boundary rules of Unicode: characters with what attaches, then joined."""
    clusters = [["other", ""]]  # marks at the start of a line attach to nothing
    for c in line.lower().replace("’", "'"):
        if kind(c) in ("mark", "joiner"):
            clusters[-1][1] += c
        elif kind(c) != "format":
            clusters.append([kind(c), c])
    clusters.append(["other", ""])
    found = [""]
    for (kind_before, _), (here, text), (kind_behind, _) in zip(
        clusters, clusters[1:], clusters[2:], strict=False
    ):
        if here == "letter" or (here == "quote" and kind_before == kind_behind == "letter"):
            found[-1] += text
        else:
            found.append("")
    return [word.rstrip(JOINERS) for word in found if word]


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


def ngrams(word, shortest, longest, characters=1000):
    """The n-grams of a word, by where they start."""
    marked = "" if word == "</s>" else f"<{word}>"
    found = []
    for i in range(min(len(marked), characters)):
        for n in range(max(shortest, 1), longest + 1):
            if i + n <= len(marked) and not (n == 1 and i in (0, len(marked) - 1)):
                found.append(marked[i : i + n])
    return found


def bucket(ngram, buckets):
    """FNV-1a of 32 bits, of bytes as C's signed char has them."""
    h = 2166136261
    for byte in ngram if isinstance(ngram, bytes) else ngram.encode("utf-8", "surrogatepass"):
        if byte > 127:
            byte |= 0xFFFFFF00
        h = (h ^ byte) * 16777619 % 2**32
    return h % buckets


def joined(lines, passes, min_count, score, threshold):
    """Lines with pairs joined to phrases; for each phrase the highest score and how often."""
    found = {}
    for _ in range(passes):
        words = Counter(word for line in lines for word in line if word)
        pairs = Counter(pair for line in lines for pair in pairwise(line) if all(pair))
        tokens, distinct = sum(words.values()), len(words) + len(pairs)
        scores = {}
        for (a, b), n in pairs.items():
            if score == "counts":
                s = (n - min_count) / (words[a] * words[b]) * distinct
            elif n >= min_count:
                pa, pb, pab = words[a] / tokens, words[b] / tokens, n / tokens
                s = log(pab / (pa * pb)) / -log(pab)
            else:
                continue
            if s > threshold:
                scores[a, b] = s
        lines = [list(joined_line(line, scores, found)) for line in lines]
    return lines, found


def joined_line(line, scores, found):
    """Join the pairs that have a score, from left to right."""
    line = list(line)
    while line:
        pair = tuple(line[:2])
        if pair in scores:
            word = "_".join(pair)
            best, times = found.get(word, (0, 0))
            found[word] = max(best, scores[pair]), times + 1
            yield word
            del line[:2]
        else:
            yield line.pop(0)
