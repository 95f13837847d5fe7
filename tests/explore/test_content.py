"""What gets into the page: which words, where they lie, what is refused."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from cbow.errors import QueryError
from cbow.explore import Choices, collect
from cbow.explore.content import first_words, rotation, whole_numbers
from cbow.vectors import WordVectors

ALL = Choices(limit=1000, map=1000, layout="pca", seed=1)


def drawn(V=20, N=5, seed=1, counts=None, prefix="w"):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((V, N)).astype(np.float32)
    return WordVectors([f"{prefix}{i}" for i in range(V)], matrix, counts)


def test_one_model():
    vectors = drawn(counts=np.arange(40, 20, -1))
    [part], moved = collect([("m", vectors)], ALL)
    assert moved is None
    assert (part.name, part.total, len(part.vectors)) == ("m", 20, 20)
    assert part.rows.shape == (20, 5)
    assert part.places.shape == (20, 2)
    assert part.vectors.words == vectors.words


def test_the_limit_and_the_map():
    [part], _ = collect([("m", drawn())], ALL._replace(limit=9, map=4))
    assert (part.total, len(part.vectors), len(part.rows), len(part.places)) == (20, 9, 9, 4)
    [part], _ = collect([("m", drawn())], ALL._replace(limit=4, map=9))
    assert (len(part.rows), len(part.places)) == (4, 4)


@pytest.mark.parametrize("dtype", [np.int64, np.uint32, np.float64])
def test_the_most_frequent_words_are_kept_in_their_order(dtype):
    kept = first_words(drawn(5, counts=np.array([3, 9, 1, 9, 4], dtype)), 3)
    assert kept.words == ("w1", "w3", "w4")
    assert kept.counts.tolist() == [9, 9, 4]
    np.testing.assert_array_equal(kept.matrix, drawn(5).matrix[[1, 3, 4]])


def test_without_counts_the_first_words_are_kept():
    kept = first_words(drawn(5), 3)
    assert kept.words == ("w0", "w1", "w2")
    assert kept.counts is None
    assert first_words(drawn(5), 99).words == drawn(5).words


def test_places_are_scaled_to_16_bits():
    found = whole_numbers(np.array([[2.0, -4], [1, 0]]))
    assert found.dtype == np.int16
    assert found.tolist() == [[16384, -32767], [8192, 0]]
    assert whole_numbers(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_the_map_has_the_directions_of_the_vectors():
    # Along one line: the map shows all of the variance, and the order is that of the angles.
    angles = np.array([0.1, 0.9, 0.3, 0.5])
    matrix = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [20], [3], [0.1]]
    [part], _ = collect([("m", WordVectors(list("abcd"), matrix))], ALL)
    order = np.argsort(part.places[:, 0])
    assert order.tolist() in ([0, 2, 3, 1], [1, 3, 2, 0])


@given(st.integers(0, 1000), st.integers(2, 9))
def test_rotation_is_procrustes(seed, n):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((2, n, 2))
    expected, _ = scipy.linalg.orthogonal_procrustes(X - X.mean(axis=0), Y - Y.mean(axis=0))
    np.testing.assert_allclose(rotation(X, Y), expected, atol=1e-9)


def test_the_second_map_is_turned_like_the_first():
    one = drawn(40)
    mirrored = WordVectors(one.words, one.matrix * [-1, 1, -1, 1, 1])
    first, second = collect([("a", one), ("b", mirrored)], ALL).parts
    np.testing.assert_allclose(first.places, second.places, atol=40)  # of 32767


def test_the_second_map_has_words_of_its_own():
    one = drawn(40)
    words = [f"w{i}" if i < 30 else f"other{i}" for i in range(40)]
    first, second = collect([("a", one), ("b", WordVectors(words, one.matrix))], ALL).parts
    np.testing.assert_allclose(first.places, second.places, atol=40)


def test_words_that_are_not_on_both_maps_turn_nothing():
    one, other = drawn(40), drawn(40, seed=2)
    choices = ALL._replace(map=10)
    late = WordVectors(one.words[::-1], other.matrix)  # whose first words are the last of the other
    alone = collect([("b", late)], choices).parts[0]
    beside = collect([("a", one), ("b", late)], choices).parts[1]
    np.testing.assert_array_equal(alone.places, beside.places)


def test_two_models_are_compared():
    content = collect([("a", drawn(40)), ("b", drawn(30, seed=2))], ALL._replace(map=7))
    assert [part.name for part in content.parts] == ["a", "b"]
    assert len(content.moved.words) == 7
    assert content.moved.common == 30


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e38])
def test_numbers_that_are_not_finite(number):
    matrix = drawn().matrix.copy()
    matrix[3, 2] = matrix[5, 0] = number
    with pytest.raises(QueryError, match=r"m holds numbers .* of 2 words, the first 'w3'; train"):
        collect([("m", WordVectors(drawn().words, matrix))], ALL)


def test_numbers_that_are_left_out_do_not_matter():
    matrix = drawn().matrix.copy()
    matrix[15] = np.nan
    collect([("m", WordVectors(drawn().words, matrix))], ALL._replace(limit=15))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_no_vectors(shape):
    words = [f"w{i}" for i in range(shape[0])]
    with pytest.raises(QueryError, match="m holds no vectors, and there is nothing to show"):
        collect([("m", WordVectors(words, np.ones(shape)))], ALL)


@pytest.mark.parametrize("V", [1, 2])
def test_few_words(V):
    [part], _ = collect([("m", drawn(V))], ALL)
    assert len(part.places) == V
    assert np.abs(part.places).max() in (0, 32767)
