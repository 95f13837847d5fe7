"""Which way is taken, and that it makes no difference."""

import subprocess
import sys

import numpy as np
import pytest

from cbow.vectors import WordVectors, batch, nearest, rough, search
from cbow.vectors.search import Search

V, N = 900, 12
MATRIX = np.random.default_rng(6).standard_normal((V, N)).astype(np.float32)
INVERSE = nearest.inverse_lengths(MATRIX)
QUERIES = nearest.unit(MATRIX[:40])
HIDDEN = [np.array([i]) for i in range(40)]


@pytest.fixture
def ways(monkeypatch):
    """Note which way each search takes."""
    taken = []

    def noting(name, function):
        return lambda *arguments: taken.append(name) or function(*arguments)

    monkeypatch.setattr(search, "nearest", noting("plain", search.nearest))
    monkeypatch.setattr(batch, "nearest_to_each", noting("batch", batch.nearest_to_each))
    monkeypatch.setattr(rough.Rough, "nearest", noting("rough", rough.Rough.nearest))
    return taken


def as_lists(found):
    return [(ids.tolist(), cosines.tolist()) for ids, cosines in found]


def ask(find, n):
    return as_lists(find(QUERIES[:n], HIDDEN[:n], 5, range(V)))


def test_all_ways_lead_to_the_same(ways, monkeypatch):
    find = Search(MATRIX, INVERSE)
    one_by_one = ask(find, 15) + as_lists(find(QUERIES[15:], HIDDEN[15:], 5, range(V)))
    assert ways == ["plain"] * 15 + ["batch"]
    ways.clear()
    monkeypatch.setattr(search, "LARGE", V * N)
    monkeypatch.setattr(search, "PATIENCE", 3 * V * N)
    monkeypatch.setattr(search, "MANY", 30)
    find = Search(MATRIX, INVERSE)
    assert ask(find, 2) == one_by_one[:2]
    assert ways == ["plain"] * 2
    assert ask(find, 20) == one_by_one[:20]
    assert ways == ["plain"] * 3 + ["rough"] * 19
    assert ask(find, 40) == one_by_one
    assert ways[-1] == "batch"


def test_a_small_matrix_has_no_rough_copy(ways, monkeypatch):
    monkeypatch.setattr(search, "LARGE", V * N + 1)
    monkeypatch.setattr(search, "PATIENCE", 0)
    ask(Search(MATRIX, INVERSE), 3)
    assert ways == ["plain"] * 3


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize(("topn", "rows"), [(0, range(V)), (5, range(0)), (5, range(9, 3))])
def test_nothing_to_find(ways, n, topn, rows):
    found = Search(MATRIX, INVERSE)(QUERIES[:n], HIDDEN[:n], topn, rows)
    assert as_lists(found) == [([], [])] * n
    assert ways == []


def test_the_rough_copy_is_made_once_and_only_when_needed(monkeypatch):
    made = []
    monkeypatch.setattr(search, "LARGE", 1)
    monkeypatch.setattr(search, "PATIENCE", 1 * V * N)
    monkeypatch.setattr(rough.Rough, "__init__", lambda *_: made.append(1))
    monkeypatch.setattr(rough.Rough, "nearest", lambda *_: nearest.Found(HIDDEN[0], np.ones(1)))
    vectors = WordVectors([f"w{i}" for i in range(V)], MATRIX)
    vectors.most_similar("w1")
    assert made == []
    for word in ("w2", "w3"):
        assert vectors.most_similar(word) == [("w0", 1.0)]
        assert made == [1]


def test_few_queries_of_few_words_load_no_compiler():
    code = (
        "import sys, numpy as np; from cbow.vectors import WordVectors;"
        "vectors = WordVectors([str(i) for i in range(5000)], np.eye(5000, 20) + 1);"
        "[vectors.most_similar('7') for _ in range(50)]; vectors.most_similar([['7']] * 50);"
        "vectors.rank('7', '8'); vectors.most_similar_cosmul(['7'], ['8']);"
        "print(*{'numba', 'scipy', 'gensim'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
