"""Cosines and neighbours with plain loops: what `cbow.vectors` must agree with."""

import math


def cosine(a, b):
    dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    lengths = math.sqrt(sum(float(x) ** 2 for x in a)) * math.sqrt(sum(float(y) ** 2 for y in b))
    return dot / lengths if lengths else 0.0


def unit(a):
    length = math.sqrt(sum(float(x) ** 2 for x in a))
    return [float(x) / length if length else 0.0 for x in a]


def added_up(words, rows, positive, negative):
    total = [0.0] * len(rows[0])
    for sign, terms in ((1, positive), (-1, negative)):
        for word in terms:
            for i, x in enumerate(unit(rows[words.index(word)])):
                total[i] += sign * x
    return total


def is_zero(words, rows, positive, negative):
    """Whether nothing is left of the sum but what rounding makes."""
    return all(abs(x) < 1e-12 for x in added_up(words, rows, positive, negative))


def most_similar(words, rows, positive, negative=(), topn=10):
    """Sort every word by its cosine with the sum; equals stay in order."""
    total = added_up(words, rows, positive, negative)
    scored = [
        (word, cosine(total, row))
        for word, row in zip(words, rows, strict=True)
        if word not in [*positive, *negative]
    ]
    return sorted(scored, key=lambda pair: -pair[1])[:topn]


def largest(scores, k):
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k]


def edit_distance(a, b):
    """Letters to put in, leave out or change, and neighbours to swap (no letter touched twice)."""
    d = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if not (i and j):
                d[i, j] = i + j
                continue
            d[i, j] = min(
                d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(a), len(b)]


def product(row, positive, negative):
    """3CosMul: the product of shifted cosines with some vectors over that with others."""
    above = math.prod((1 + cosine(term, row)) / 2 for term in positive)
    below = math.prod((1 + cosine(term, row)) / 2 for term in negative)
    return above / (below + 1e-6)


def closer_than(rows, a, b):
    """The rows nearer to row a than row b is."""
    limit = cosine(rows[a], rows[b])
    return [i for i, row in enumerate(rows) if i != a and cosine(rows[a], row) > limit]


def doesnt_match(rows):
    """The row furthest from the mean of the unit rows."""
    units = [unit(row) for row in rows]
    mean = [sum(column) for column in zip(*units, strict=True)]
    return min(range(len(rows)), key=lambda i: cosine(mean, rows[i]))
