"""X, the sparse matrix of contexts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.network import contexts

V = 6


def test_by_hand():
    X = contexts(np.array([0, 2, 2, 5]), np.array([0, 1, 4]), V, np.float64)
    assert X.shape == (V, 2)
    assert X.format == "csc"
    np.testing.assert_allclose(X.toarray()[:, 0], [1, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(X.toarray()[:, 1], [0, 0, 2 / 3, 0, 0, 1 / 3])


@given(st.lists(st.lists(st.integers(0, V - 1), max_size=7), max_size=6))
def test_each_column_is_the_mean_of_its_one_hot_vectors(lists):
    ids = np.array([i for words in lists for i in words], np.int32)
    ends = np.cumsum([0, *map(len, lists)])
    X = contexts(ids, ends, V, np.float64).toarray()
    assert X.shape == (V, len(lists))
    for column, words in zip(X.T, lists, strict=True):
        expected = np.mean(np.eye(V)[words], axis=0) if words else np.zeros(V)
        np.testing.assert_allclose(column, expected, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype(dtype):
    assert contexts(np.array([1]), np.array([0, 1]), V, dtype).dtype == dtype


def test_an_empty_context_is_a_column_of_zeros():
    X = contexts(np.array([3]), np.array([0, 0, 1]), V)
    np.testing.assert_array_equal(X.toarray()[:, 0], 0)


def test_no_example_at_all():
    assert contexts(np.array([], np.int32), np.array([0]), V).shape == (V, 0)


@pytest.mark.parametrize(
    ("indices", "indptr"), [([1, 2], [0, 1]), ([1], [0, 2]), ([1], [1, 1]), ([1, 2], [0, 2, 1])]
)
def test_ends_that_do_not_fit_are_refused(indices, indptr):
    with pytest.raises(ValueError, match=r"ind|repeat|count"):
        contexts(np.array(indices), np.array(indptr), V)


@pytest.mark.parametrize("id_", [-1, V])
def test_ids_outside_the_vocabulary_are_refused(id_):
    with pytest.raises(ValueError, match=f"the id {id_} is not in a vocabulary of 6 words"):
        contexts(np.array([0, id_]), np.array([0, 2]), V)
