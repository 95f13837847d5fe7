"""Plain twin of `cbow.explain.worked`: loops over Python lists, one number at a time."""

import math


def examples(lines, window):
    """All (target, context) in the order of the text; tokens without neighbours are left out."""
    found = []
    for line in lines:
        for i, target in enumerate(line):
            context = [line[j] for j in range(len(line)) if j != i and abs(j - i) <= window]
            if context:
                found.append((target, context))
    return found


def alone(lines):
    """The places of the tokens that are the only one of their line."""
    found, place = [], 0
    for line in lines:
        if len(line) == 1:
            found.append(place)
        place += len(line)
    return found


def forward(X, W1, b1, W2, b2, g):
    """Z1, H, Z2 and Yhat as lists of rows."""
    m = len(X[0])

    def layer(W, A, b):
        return [
            [sum(W[k][j] * A[j][i] for j in range(len(A))) + b[k][0] for i in range(m)]
            for k in range(len(W))
        ]

    Z1 = layer(W1, X, b1)
    H = [[g(z) for z in row] for row in Z1]
    Z2 = layer(W2, H, b2)
    sums = [sum(math.exp(row[i]) for row in Z2) for i in range(m)]
    Yhat = [[math.exp(row[i]) / sums[i] for i in range(m)] for row in Z2]
    return Z1, H, Z2, Yhat


def cost(Yhat, y):
    return -sum(math.log(Yhat[word][i]) for i, word in enumerate(y)) / len(y)
