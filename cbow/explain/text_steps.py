"""The first three steps: from the words to the input of the network."""

from __future__ import annotations

import numpy as np

from cbow.explain.content import Cell, Step, Table, counted, listed, quoted
from cbow.explain.tables import View, matrix


def words_and_ids(view: View) -> Step:
    """Step 1."""
    return Step(
        "Words and their ids",
        "The network computes with numbers, so every distinct word gets an id, from 0, the most "
        "frequent words first. Capitals have become small letters, and punctuation is left out.",
        (_tokens(view), _vocabulary(view)),
        (_how_often(view),),
    )


def _tokens(view: View) -> Table:
    worked = view.worked
    words = [word for line in worked.lines for word in line]
    ids = [worked.vocabulary[word] for word in words]
    lines = [n for n, line in enumerate(worked.lines, start=1) for _ in line]
    rows: list[tuple[Cell, ...]] = [("word", *words), ("id", *ids)]
    if lines[-1] > 1:
        rows.insert(0, ("line", *lines))
    numbers = map(str, range(1, len(words) + 1))
    return Table("Tokens", "the text, word by word", ("token", *numbers), tuple(rows), plain=True)


def _vocabulary(view: View) -> Table:
    words, counts = view.worked.vocabulary.words, view.worked.vocabulary.counts.tolist()
    rows = tuple(zip(words, range(len(words)), counts, strict=True))
    return Table("Vocabulary", "the distinct words", ("word", "id", "count"), rows, plain=True)


def _how_often(view: View) -> str:
    words, counts = view.worked.vocabulary.words, view.worked.vocabulary.counts.tolist()
    size = f"{counted(sum(counts), 'token')}, {len(words)} distinct words."
    if counts[0] == 1:
        return f"{size} Each occurs once."
    top = [quoted(word) for word, n in zip(words, counts, strict=True) if n == counts[0]]
    return f"{size} Most frequent: {listed(top)}, {counted(counts[0], 'time')}."


def contexts_and_targets(view: View) -> Step:
    """Step 2."""
    examples, window = view.worked.examples, view.worked.settings.window
    rows = tuple(
        (str(i), " ".join(each.before), each.target, " ".join(each.after))
        for i, each in enumerate(examples, start=1)
    )
    table = Table(
        "Examples",
        "what is seen and what is to be guessed",
        ("example", "before", "target", "after"),
        rows,
        align="<><<",
        plain=True,
    )
    return Step(
        "Contexts and targets",
        "Every token is the target of one example. Its context is up to "
        f"{counted(window, 'word')} before it and up to {window} after it, on the same line. The "
        "network sees the context and has to guess the target.",
        (table,),
        (_short_context(view), *_alone(view)),
    )


def _short_context(view: View) -> str:
    """Point at the shortest context: a line end cuts it, for before a first word there is none."""
    sizes = [len(each.context) for each in view.worked.examples]
    number, size = sizes.index(min(sizes)) + 1, counted(min(sizes), "context word")
    most = 2 * view.worked.settings.window
    return f"Example {number} has {size}, not {most}: a window ends where its line does."


def _alone(view: View) -> list[str]:
    """Name the tokens that make no example."""
    words = [word for line in view.worked.lines for word in line]
    return [
        f"Token {i + 1}, {quoted(words[i])}, is alone on its line: no context, no example."
        for i in view.worked.alone
    ]


def the_input(view: View) -> Step:
    """Step 3."""
    X = view.worked.X
    table = matrix(
        "X",
        "the averaged contexts; a row for each word, a column for each example, headed by its "
        "number and target",
        X,
        (view.words, view.examples),
    )
    return Step(
        "The input",
        "Column i of X is the context of example i in numbers: each of its c words adds 1/c in "
        "that word's row. Which words there are counts, their order does not: hence the "
        '"bag of words" in the name CBOW.',
        (table,),
        (
            f"Every column sums to 1. {np.count_nonzero(X)} of {X.size} entries are not 0. With a "
            "vocabulary of thousands nearly all are 0, so programs store only those that are not.",
            *_twice(view),
        ),
    )


def _twice(view: View) -> list[str]:
    """Point at the first context that holds a word more than once."""
    for i, each in enumerate(view.worked.examples):
        c = len(each.context)
        word = max(each.context, key=each.context.count)
        times = each.context.count(word)
        if times > 1:
            return [
                f"Among the {c} words around {view.example(i)}, {quoted(word)} occurs {times} "
                f"times and so gets {times}/{c} = {view.say(times / c)}."
            ]
    return []
