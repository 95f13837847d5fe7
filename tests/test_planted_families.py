"""Does training find what is there? Text with planted families, and a small real book."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from load_script import load_script

import cbow

ROOT = Path(__file__).parents[1]


def recovered(vectors, families, topn=5):
    """Mean share of each word's nearest neighbours that are of its family."""
    return np.mean(
        [
            np.mean([near in family for near, _ in vectors.most_similar(word, topn=k)])
            for family in families
            for word in family
            if (k := min(topn, len(family) - 1))
        ]
    )


@pytest.fixture(scope="module")
def planted():
    maker = load_script("make_corpus")
    settings = maker.Settings(tokens=40_000, vocabulary=400, families=12, seed=3)
    return list(maker.sentences(settings)), maker.truth(settings)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_planted_families_are_recovered(planted, activation):
    lines, truth = planted
    model = cbow.train(lines, dimension=50, activation=activation)
    for embedding in ("input", "output", "mean"):
        assert recovered(model.embedding(embedding), truth["families"]) >= 0.9, embedding


@pytest.mark.slow
def test_shuffled_text_has_no_families_to_find(planted):
    # The measure must be able to fail: the same words in random order have no families.
    lines, truth = planted
    words = list(itertools.chain.from_iterable(line.split() for line in lines))
    shuffled = np.random.default_rng(0).permutation(words)
    model = cbow.train([list(shuffled[:40_000])], dimension=20, epochs=2)
    known = [[w for w in family if w in model.vocabulary] for family in truth["families"]]
    assert recovered(model.vectors, known) < 0.3


FAMILIES = [
    line.split()
    for line in """\
        king queen prince princess lord lady
        horse cow sheep goat dog cat
        wolf bear fox deer
        two three four five six seven eight nine ten
        monday tuesday wednesday thursday friday saturday sunday
        spring summer autumn winter
        red blue green white black yellow
        north south east west""".splitlines()
]


@pytest.mark.slow
def test_the_book_that_comes_with_the_package_has_neighbours_that_make_sense():
    model = cbow.train(ROOT / "corpora" / "alder.txt")  # with what is chosen for it
    assert recovered(model.vectors, FAMILIES) >= 0.9
    queen = model.vectors.most_similar(["king", "woman"], ["man"], topn=3)
    assert "queen" in [word for word, _ in queen]
