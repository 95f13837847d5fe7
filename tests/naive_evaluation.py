"""The measures of cbow.evaluation, each as plainly as it can be said."""

import math


def midrank(value, values):
    """The mean of the ranks that equal values share, counted from 1."""
    return sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2


def cosine(a, b):
    length = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0


def score(x, a, b, c, method, epsilon=1e-6):
    A, B, C = (cosine(x, word) for word in (a, b, c))
    if method == "3CosAdd":
        return B - A + C
    return ((1 + B) / 2) * ((1 + C) / 2) / ((1 + A) / 2 + epsilon)


def folded(word):
    """Small letters, each by itself; a sigma at the end is a sigma."""
    return "".join("σ" if letter == "ς" else letter.lower() for letter in word)


def row(words, asked, fold):
    """The row of a word: as it is spelled, else of the first that differs only in case; -1."""
    for key in (str, folded)[: 1 + fold]:
        for place, word in enumerate(words):
            if key(word) == key(asked):
                return place
    return -1


def answer(words, matrix, question, method, fold):
    """The word that answers a, b, c; None if there is none. The first among equals."""
    key = folded if fold else str
    a, b, c = (matrix[row(words, word, fold)] for word in question)
    asked = {key(word) for word in question}
    scores = [
        (score(matrix[place], a, b, c, method), -place)
        for place, word in enumerate(words)
        if key(word) not in asked
    ]
    return words[-max(scores)[1]] if scores else None


def read_pairs(text):
    """The pairs of a file that is as it should be."""
    found = []
    for line in text.split("\n"):
        line = line.strip()
        if line and not line.startswith(("#", "//")):
            *words, score = line.split("\t") if line.count("\t") == 2 else line.split()
            found.append((*(word.strip() for word in words), float(score)))
    return found
