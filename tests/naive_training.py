"""Plain twins of the training code: loops over Python lists, one idea at a time."""

import math

MASK = 2**64 - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(seed, purpose, epoch=0):
    key = 0
    for part in (seed, purpose, epoch):
        key = mix((key + part + 0x9E3779B97F4A7C15) & MASK)
    return key


def uniform(key, position):
    position, key = int(position), int(key)
    return (mix((position * 0x9E3779B97F4A7C15 + key) & MASK) >> 11) * 2.0**-53


def keep_probability(count, total, sample):
    if sample == 0:
        return 1.0
    f = count / total
    return min(1.0, (math.sqrt(f / sample) + 1) * sample / f)


def epoch_examples(lines, keep, *, window, seed, epoch, heldout=0.0, want_heldout=False):
    """All (context ids, centre id) of an epoch in text order, from a list of lists of ids.

    The whole line is thinned at once, so no block and no margin can go wrong.
    """
    examples, position = [], 0
    for number, line in enumerate(lines):
        first = position
        position += len(line)
        kept_back = uniform(stream(seed, 1), number) < heldout
        if kept_back != want_heldout:
            continue
        kept = [
            (first + i, word)
            for i, word in enumerate(line)
            if uniform(stream(seed, 2, epoch), first + i) < keep[word]
        ]
        for t, (where, word) in enumerate(kept):
            radius = 1 + int(uniform(stream(seed, 3, epoch), where) * window)
            around = kept[max(0, t - radius) : t] + kept[t + 1 : t + 1 + radius]
            if around:
                examples.append(([w for _, w in around], word))
    return examples


def windows(line, radius):
    """The tokens around each token, from the line and the radius of each."""
    return [
        [
            j
            for j in range(max(0, t - radius[t]), min(len(line), t + radius[t] + 1))
            if j != t and line[j] == line[t]
        ]
        for t in range(len(line))
    ]


def combine(table, left, weights=None):
    """The rows of a table after a round: those that each worker left, combined by agreement.

    With `weights`, the weighted mean row moves as far as on average in the workers; without, rows
    are left as they are combined.
    """
    n, size = len(left), len(table[0])
    new = []
    for i, row in enumerate(table):
        changes = [[after[i][j] - row[j] for j in range(size)] for after in left]
        total = [sum(d[j] for d in changes) for j in range(size)]
        squares = sum(x * x for d in changes for x in d)
        agreement = sum(x * x for x in total) / squares if squares else 1
        new.append([row[j] + total[j] / max(1, agreement) for j in range(size)])
    if weights is not None:

        def mean_row(rows, j):
            return sum(w * row[j] for w, row in zip(weights, rows, strict=True))

        for j in range(size):
            wanted = sum(mean_row(after, j) for after in left) / n
            shift = wanted - mean_row(new, j)
            for row in new:
                row[j] += shift
    return new


def without_mean(table):
    """The rows without their mean."""
    means = [sum(column) / len(table) for column in zip(*table, strict=True)]
    return [[x - mean for x, mean in zip(row, means, strict=True)] for row in table]
