"""The data of a page: which words, where they lie, their vectors in bytes, shared neighbours."""

import sys

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbow.errors import QueryError
from cbow.explore import Choices, page_data
from cbow.explore.page import first_words, quantise, rotation, shared_neighbours, whole_numbers
from cbow.vectors import WordVectors

PAGE = sys.modules["cbow.explore.page"]  # of the same name as its function
ALL = Choices(limit=1000, map=1000, layout="pca", seed=1)


def drawn(V=20, N=5, seed=1, counts=None, prefix="w"):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((V, N)).astype(np.float32)
    return WordVectors([f"{prefix}{i}" for i in range(V)], matrix, counts)


def test_one_model():
    vectors = drawn(counts=np.arange(40, 20, -1))
    [part], shared = page_data([("m", vectors)], ALL)
    assert shared is None
    assert (part.name, part.total, len(part.vectors)) == ("m", 20, 20)
    assert part.rows.shape == (20, 5)
    assert part.places.shape == (20, 2)
    assert part.vectors.words == vectors.words


def test_the_limit_and_the_map():
    [part], _ = page_data([("m", drawn())], ALL._replace(limit=9, map=4))
    assert (part.total, len(part.vectors), len(part.rows), len(part.places)) == (20, 9, 9, 4)
    [part], _ = page_data([("m", drawn())], ALL._replace(limit=4, map=9))
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
    [part], _ = page_data([("m", WordVectors(list("abcd"), matrix))], ALL)
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
    first, second = page_data([("a", one), ("b", mirrored)], ALL).models
    np.testing.assert_allclose(first.places, second.places, atol=40)  # of 32767


def test_the_second_map_has_words_of_its_own():
    one = drawn(40)
    words = [f"w{i}" if i < 30 else f"other{i}" for i in range(40)]
    first, second = page_data([("a", one), ("b", WordVectors(words, one.matrix))], ALL).models
    np.testing.assert_allclose(first.places, second.places, atol=40)


def test_words_that_are_not_on_both_maps_turn_nothing():
    one, other = drawn(40), drawn(40, seed=2)
    choices = ALL._replace(map=10)
    late = WordVectors(one.words[::-1], other.matrix)  # whose first words are the last of the other
    alone = page_data([("b", late)], choices).models[0]
    beside = page_data([("a", one), ("b", late)], choices).models[1]
    np.testing.assert_array_equal(alone.places, beside.places)


def test_two_models_are_compared():
    found = page_data([("a", drawn(40)), ("b", drawn(30, seed=2))], ALL._replace(map=7))
    assert [part.name for part in found.models] == ["a", "b"]
    assert len(found.shared.words) == 7
    assert found.shared.common == 30


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e38])
def test_numbers_that_are_not_finite(number):
    matrix = drawn().matrix.copy()
    matrix[3, 2] = matrix[5, 0] = number
    with pytest.raises(QueryError, match=r"m holds numbers .* of 2 words, the first 'w3'; train"):
        page_data([("m", WordVectors(drawn().words, matrix))], ALL)


def test_numbers_that_are_left_out_do_not_matter():
    matrix = drawn().matrix.copy()
    matrix[15] = np.nan
    page_data([("m", WordVectors(drawn().words, matrix))], ALL._replace(limit=15))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_no_vectors(shape):
    words = [f"w{i}" for i in range(shape[0])]
    with pytest.raises(QueryError, match="m holds no vectors, so there is nothing to show"):
        page_data([("m", WordVectors(words, np.ones(shape)))], ALL)


@pytest.mark.parametrize("V", [1, 2])
def test_few_words(V):
    [part], _ = page_data([("m", drawn(V))], ALL)
    assert len(part.places) == V
    assert np.abs(part.places).max() in (0, 32767)


# --- vectors in a byte per number -----------------------------------------------------------------

MATRICES = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype,
        st.tuples(st.integers(1, 9), st.integers(1, 12)),
        elements=st.floats(-1000, 1000, width=32, allow_subnormal=False),
    )
)


def random_rows(V, N, seed=1, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((V, N)).astype(dtype)


def unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def angles(one, other):
    """The angles between rows; by the distance, since the arc of a cosine near 1 is not precise."""
    return 2 * np.arcsin(np.minimum(1, np.linalg.norm(unit(one) - unit(other), axis=1) / 2))


def bound(rows):
    """The equation in the docstring of the module."""
    N = rows.shape[1]
    return np.arcsin(np.minimum(1, np.sqrt(N) * np.abs(unit(rows)).max(axis=1) / 254))


@pytest.mark.slow
@given(MATRICES)
def test_no_angle_is_larger_than_the_bound(matrix):
    rows = matrix.astype(np.float64)
    rounded = quantise(matrix)
    assert rounded.dtype == np.int8
    assert rounded.shape == matrix.shape
    assert (angles(rows, rounded.astype(np.float64)) <= bound(rows) + 1e-12).all()


@given(MATRICES)
def test_the_largest_entry_is_127_in_size_and_every_sign_is_kept(matrix):
    rounded = quantise(matrix)
    largest = np.abs(rounded.astype(int)).max(axis=1)
    assert largest.tolist() == [127 if row.any() else 0 for row in matrix]
    assert (rounded * matrix >= 0).all()


@pytest.mark.parametrize("N", [1, 2, 50, 100, 300])
def test_a_cosine_is_wrong_by_the_two_angles_at_most(N):
    rows = random_rows(60, N, seed=N)
    true, found = unit(rows.astype(float)), unit(quantise(rows).astype(float))
    allowed = np.add.outer(bound(rows), bound(rows))
    wrong = np.abs(true @ true.T - found @ found.T)
    assert (wrong <= allowed + 1e-12).all()
    assert wrong.max() > 0 or N == 1  # or the test would prove nothing


def test_rounding_is_to_the_nearest():
    row = np.array([[1.0, 0.5039, 0.5040, -0.0039, -0.0040]])
    assert quantise(row).tolist() == [[127, 64, 64, 0, -1]]


def test_a_row_of_zeros_has_no_direction():
    tiny = np.finfo(np.float32).tiny
    matrix = np.array([[0, 0], [tiny / 4, 0], [tiny, -tiny]], np.float32)
    assert quantise(matrix).tolist() == [[0, 0], [0, 0], [127, -127]]


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_very_short_and_very_long_rows(size):
    assert quantise(np.array([[size, -size / 2]])).tolist() == [[127, -64]]


def test_many_rows_are_done_in_pieces(monkeypatch):
    matrix = random_rows(50, 7)
    whole = quantise(matrix)
    monkeypatch.setattr(PAGE, "ROWS", 8)
    np.testing.assert_array_equal(quantise(matrix), whole)


def test_the_matrix_is_left_alone():
    matrix = random_rows(5, 3)
    matrix.flags.writeable = False
    quantise(matrix)


def test_neighbours_are_nearly_always_the_same():
    matrix = random_rows(2000, 100)
    words = [f"w{i}" for i in range(len(matrix))]
    rounded = WordVectors(words, quantise(matrix).astype(np.float32))
    exact = WordVectors(words, matrix)
    asked = [[word] for word in words[:200]]
    same = [
        len({word for word, _ in ours} & {word for word, _ in theirs})
        for ours, theirs in zip(rounded.most_similar(asked), exact.most_similar(asked), strict=True)
    ]
    assert np.mean(same) > 9.6  # of 10


# --- shared neighbours ----------------------------------------------------------------------------


def random_vectors(words, seed, N=6):
    rng = np.random.default_rng(seed)
    return WordVectors(words, rng.standard_normal((len(words), N)))


def shared_by_hand(A, B, word, common, k):
    """The neighbours that a word has in both models, one cosine after the other."""
    sides = []
    for vectors in (A, B):
        others = [other for other in common if other != word]
        others.sort(key=lambda other: -vectors.similarity(word, other))
        sides.append(set(others[:k]))
    return len(sides[0] & sides[1])


@pytest.mark.slow
@pytest.mark.parametrize("V", [12, 45, 300])
def test_it_counts_the_neighbours_in_both(V):
    words = [f"w{i}" for i in range(V)]
    A, B = random_vectors(words, 1), random_vectors([*words[::-1][3:], "only", "here"], 2)
    common = [word for word in words if word in B]
    found = shared_neighbours(A, B, most=20)
    assert found.common == len(common) == V - 3
    assert found.words == common[:20]
    assert found.neighbours == min(25, -(-len(common) // 10))
    assert found.shared.tolist() == [
        shared_by_hand(A, B, word, common, found.neighbours) for word in found.words
    ]


@pytest.mark.slow
def test_a_model_agrees_with_itself_turned():
    words = [f"w{i}" for i in range(400)]
    A = random_vectors(words, 1)
    Q, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))
    found = shared_neighbours(A, WordVectors(words, 3 * A.matrix @ Q), most=400)
    assert found.neighbours == 25
    assert (found.shared == 25).all()


def test_words_without_a_direction_have_no_part():
    words = [f"w{i}" for i in range(30)]
    A, B = random_vectors(words, 1), random_vectors(words, 2)
    rows, others = A.matrix.copy(), B.matrix.copy()
    rows[4], others[7] = 0, 0
    found = shared_neighbours(WordVectors(words, rows), WordVectors(words, others), most=30)
    assert found.common == 28
    assert not {"w4", "w7"} & set(found.words)


@pytest.mark.parametrize("common", [0, 1])
def test_nothing_to_shared_neighbours(common):
    A, B = random_vectors(["a", "x"], 1), random_vectors(["y", "a"] if common else ["y", "z"], 2)
    found = shared_neighbours(A, B, most=10)
    assert (found.words, found.shared.tolist(), found.common) == ([], [], common)


def test_two_words_have_one_neighbour_each():
    found = shared_neighbours(random_vectors(["a", "b"], 1), random_vectors(["a", "b"], 2), most=10)
    assert (found.neighbours, found.shared.tolist()) == (1, [1, 1])


def test_many_words_are_compared_in_pieces(monkeypatch):
    words = [f"w{i}" for i in range(50)]
    at_once = shared_neighbours(random_vectors(words, 1), random_vectors(words, 2), most=50)
    monkeypatch.setattr(PAGE, "BATCH", 7)
    pieces = shared_neighbours(random_vectors(words, 1), random_vectors(words, 2), most=50)
    assert pieces.shared.tolist() == at_once.shared.tolist()
