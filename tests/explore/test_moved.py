"""How far two models agree, against a count by hand."""

import numpy as np
import pytest

from cbow.explore import moved
from cbow.explore.moved import compare
from cbow.vectors import WordVectors


def drawn(words, seed, N=6):
    rng = np.random.default_rng(seed)
    return WordVectors(words, rng.standard_normal((len(words), N)))


def naive(A, B, word, common, k):
    """The neighbours that a word has in both models, one cosine after the other."""
    sides = []
    for vectors in (A, B):
        others = [other for other in common if other != word]
        others.sort(key=lambda other: -vectors.similarity(word, other))
        sides.append(set(others[:k]))
    return len(sides[0] & sides[1])


@pytest.mark.parametrize("V", [12, 45, 300])
def test_it_counts_the_neighbours_in_both(V):
    words = [f"w{i}" for i in range(V)]
    A, B = drawn(words, 1), drawn([*words[::-1][3:], "only", "here"], 2)
    common = [word for word in words if word in B]
    found = compare(A, B, most=20)
    assert found.common == len(common) == V - 3
    assert found.words == common[:20]
    assert found.neighbours == min(25, -(-len(common) // 10))
    assert found.shared.tolist() == [
        naive(A, B, word, common, found.neighbours) for word in found.words
    ]


def test_a_model_agrees_with_itself_turned():
    words = [f"w{i}" for i in range(400)]
    A = drawn(words, 1)
    Q, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))
    found = compare(A, WordVectors(words, 3 * A.matrix @ Q), most=400)
    assert found.neighbours == 25
    assert (found.shared == 25).all()


def test_words_without_a_direction_have_no_part():
    words = [f"w{i}" for i in range(30)]
    A, B = drawn(words, 1), drawn(words, 2)
    rows, others = A.matrix.copy(), B.matrix.copy()
    rows[4], others[7] = 0, 0
    found = compare(WordVectors(words, rows), WordVectors(words, others), most=30)
    assert found.common == 28
    assert not {"w4", "w7"} & set(found.words)


@pytest.mark.parametrize("common", [0, 1])
def test_nothing_to_compare(common):
    A, B = drawn(["a", "x"], 1), drawn(["y", "a"] if common else ["y", "z"], 2)
    found = compare(A, B, most=10)
    assert (found.words, found.shared.tolist(), found.common) == ([], [], common)


def test_two_words_have_one_neighbour_each():
    found = compare(drawn(["a", "b"], 1), drawn(["a", "b"], 2), most=10)
    assert (found.neighbours, found.shared.tolist()) == (1, [1, 1])


def test_many_words_are_asked_in_pieces(monkeypatch):
    words = [f"w{i}" for i in range(50)]
    whole = compare(drawn(words, 1), drawn(words, 2), most=50)
    monkeypatch.setattr(moved, "BATCH", 7)
    pieces = compare(drawn(words, 1), drawn(words, 2), most=50)
    assert pieces.shared.tolist() == whole.shared.tolist()
