"""What is said after a training: hints that follow from what was done, a word worth asking."""

import numpy as np
import pytest

import cbow
from cbow.cli.progress import FIRST, hint, word_to_ask


def report(*losses, heldout=None, objective="exact", subsampled=10):
    """A training on 100 tokens that ended at some losses; word frequencies alone give 6."""
    heldout = heldout or [None] * len(losses)
    epochs = [
        {"loss": loss, "heldout_loss": lost, "subsampled": subsampled, "tokens": 100, "heldout": 5}
        for loss, lost in zip(losses, heldout, strict=True)
    ]
    return {
        "epochs": epochs,
        "objective": objective,
        "baselines": {"unigram": 6.0, "heldout_unigram": 6.0 if heldout[0] else None},
    }


TEXT = "give more text"
EPOCHS = "train for more epochs (--epochs 8), or " + TEXT


@pytest.mark.parametrize(
    ("settings", "losses", "subsampled", "advice"),
    [
        ({"sample": 1e-4}, (6, 5.9), 10, EPOCHS),
        ({"sample": 1e-4}, (6, 5.9), 60,
         "keep more of the frequent words (--sample 0.001), or " + EPOCHS),
        ({"sample": 0.004}, (6, 5.9), 60,
         "keep more of the frequent words (--sample 0.01), or " + EPOCHS),
        ({"sample": 0.01}, (6, 5.9), 60, EPOCHS),
        ({"sample": 0}, (6, 5.9), 0, EPOCHS),
        ({"sample": 0}, [6.1 - 0.005 * n for n in range(30)], 0,
         "train for more epochs (--epochs 120), or " + TEXT),
        ({"sample": 0}, (5.9, 5.9), 0, TEXT),
        ({"sample": 0}, (6,), 0, "train for more epochs (--epochs 4), or " + TEXT),
        ({"sample": 0, "learning_rate": 1e-9}, (6, 6), 0,
         "take a usual learning rate (--learning-rate 0.005, not 1e-09), or " + TEXT),
        ({"sample": 0, "learning_rate": 0.9, "optimizer": "adagrad"}, (6, 6), 0,
         "take a usual learning rate (--learning-rate 0.05, not 0.9), or " + TEXT),
        ({"sample": 0, "learning_rate": 0.004}, (6, 6), 0, TEXT),
    ],
)  # fmt: skip
def test_a_hint_advises_what_was_not_done(settings, losses, subsampled, advice):
    said = hint(cbow.Config(**settings), report(*losses, subsampled=subsampled))
    below = "hardly below" if losses[-1] < 6 else "not below"
    start = f"hint: the loss, {losses[-1]:.4f}, is {below} 6.0000 (word frequencies); "
    assert said == [start + advice]


def test_the_usual_rate_is_that_of_the_objective():
    config = cbow.Config(sample=0, learning_rate=0.1)
    assert hint(config, report(6, 6, objective="sampled"))[0].endswith("; " + TEXT)
    assert "--learning-rate 0.005" in hint(config, report(6, 6))[0]


def test_no_hint_where_something_was_learned():
    assert hint(cbow.Config(), report(6, 5)) == []
    assert hint(cbow.Config(), report(6, 7, heldout=[6, 5])) == []


def test_a_text_that_is_learned_by_heart():
    start = "hint: the loss on held-out lines, 6.5000, is not below 6.0000 (word frequencies); "
    heart = "the text is learned by heart: give more text"
    rising = report(5, 4, 3, heldout=[6.2, 6.1, 6.5])
    assert hint(cbow.Config(), rising) == [f"{start}{heart}, or fewer epochs (--epochs 2)"]
    falling = report(5, 4, 3, heldout=[7, 6.8, 6.5])
    assert hint(cbow.Config(), falling) == [start + heart]
    neither = report(6.2, 6.1, heldout=[6.6, 6.5])
    assert hint(cbow.Config(sample=0), neither) == [start + EPOCHS]


COMMON = [list(range(100, 300, 20)), list(range(110, 300, 20))]  # as many as are chosen from


def vectors(families):
    """Words at random places but for families, the members of which lie close together."""
    words = [f"w{'abcdefghij'[i // 100]}{'abcdefghij'[i // 10 % 10]}{'abcdefghij'[i % 10]}x"
             for i in range(600)]  # fmt: skip
    matrix = np.random.default_rng(1).normal(size=(len(words), 50)).astype(np.float32)
    for members in families:
        matrix[members] = matrix[members[0]] + 0.3 * matrix[members]
    return cbow.WordVectors(words, matrix)


def test_the_word_to_ask_is_the_most_frequent_of_those_whose_neighbours_stand_out():
    grammar, rare = list(range(10)), list(range(520, 530))
    found = vectors([grammar, *COMMON, rare])
    assert word_to_ask(found) == list(found)[100]
    found = vectors([grammar, [each + 7 for each in COMMON[0]], COMMON[1], rare])
    assert word_to_ask(found) == list(found)[107]


def test_neither_the_most_frequent_words_nor_rare_ones_are_asked():
    found = vectors([list(range(6))])
    rank = list(found).index(word_to_ask(found))
    assert min(FIRST, len(found) // 8) <= rank < len(found) // 2


def test_short_words_and_signs_are_asked_only_where_there_are_no_others():
    found = vectors(COMMON)
    words = list(found)
    short = [word[1:4] for word in words]
    assert word_to_ask(cbow.WordVectors(short, found.matrix)) == short[100]
    mixed = [word[1:4] if i == 100 else word for i, word in enumerate(words)]
    assert word_to_ask(cbow.WordVectors(mixed, found.matrix)) != mixed[100]
    signs = [word if i % 100 == 50 else f"{word}-" for i, word in enumerate(words)]
    assert word_to_ask(cbow.WordVectors(signs, found.matrix)) == words[50]
    assert word_to_ask(cbow.WordVectors(["-", "--"], np.eye(2, dtype=np.float32))) == "-"


def test_a_word_without_a_direction_does_no_harm():
    found = vectors(COMMON)
    matrix = found.matrix.copy()
    matrix[[90, 410]] = 0
    assert word_to_ask(cbow.WordVectors(list(found), matrix)) == list(found)[100]
