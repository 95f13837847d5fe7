"""Words made of parts: the same network, with F X in the place of X, or W1 F in that of W1."""

import numpy as np
import pytest
from naive_network import HIDDEN

from cbow.network import (
    Parameters,
    backward,
    cbow_network,
    compose,
    contexts,
    cost,
    feature_gradients,
    forward,
)

V, BUCKETS, N, m = 5, 4, 3, 6
FEATURES = [[0, 5], [1], [2, 6, 8, 6], [3, 5, 7], [4, 8]]


def problem():
    rng = np.random.default_rng(0)
    ends = np.cumsum([0, *map(len, FEATURES)])
    F = contexts(np.concatenate(FEATURES), ends, V + BUCKETS, float)  # (V + buckets, V)
    shapes = [(V + BUCKETS, N), (N, 1), (V, N), (V, 1)]
    table, *others = (rng.normal(size=shape) for shape in shapes)
    lists = [rng.integers(V, size=rng.integers(1, 5)) for _ in range(m)]
    ids, ends = np.concatenate(lists), np.cumsum([0, *map(len, lists)])
    return F, Parameters(table.T, *others), lists, ids, ends, rng.integers(V, size=m)


def test_a_column_is_the_mean_over_the_context_of_means_over_features():
    F, _, lists, ids, ends, _ = problem()
    X = contexts(ids, ends, V, float, F).toarray()
    one_hot = np.eye(V + BUCKETS)
    for column, words in zip(X.T, lists, strict=True):
        expected = np.mean([one_hot[FEATURES[word]].mean(axis=0) for word in words], axis=0)
        np.testing.assert_allclose(column, expected, atol=1e-15)


@pytest.mark.parametrize("activation", HIDDEN)
def test_it_is_the_network_for_compose(activation):
    F, parameters, _, ids, ends, y = problem()
    network = cbow_network(activation)
    by_features = forward(network, parameters, contexts(ids, ends, V, float, F))
    composed = compose(parameters, F)
    by_words = forward(network, composed, contexts(ids, ends, V, float))
    assert composed.W1.flags.f_contiguous
    np.testing.assert_allclose(by_features.Z1, by_words.Z1, atol=1e-14)
    assert cost(network, by_features, y) == pytest.approx(cost(network, by_words, y), rel=1e-13)
    direct = backward(network, parameters, by_features, y)
    spread = feature_gradients(backward(network, composed, by_words, y), F)
    for one, other in zip(direct, spread, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-14)
