"""Shards and threads: the gradients of a batch are those of the network, whatever the shards."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cbow.config import ACTIVATIONS
from cbow.network import Parameters, backward, cbow_network, contexts, cost, forward
from cbow.training import exact
from cbow.training.exact import Workspace, batch_gradients, batch_loss
from cbow.training.examples import Batch

V, N = 50, 8


def parameters_of(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(V, N), (N, 1), (V, N), (V, 1)]
    table, *others = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return Parameters(table.T, *others)


def batch_of(m, seed=1):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, m)
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    indices = rng.integers(0, V, indptr[-1]).astype(np.int32)
    return Batch(indices, indptr, rng.integers(0, V, m).astype(np.int32))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("m", [1, 2, 255, 256, 257, 700])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_gradients_of_a_batch_are_those_of_the_network(activation, m, threads):
    parameters, batch, network = parameters_of(), batch_of(m), cbow_network(activation)
    X = contexts(batch.indices, batch.indptr, V, np.float64)
    pass_ = forward(network, parameters, X)
    with ThreadPoolExecutor(threads) as pool:
        workspace = Workspace(network, parameters)
        for _ in range(2):  # the second time over the memory of the first
            J, ours, fired = batch_gradients(workspace, batch, pool)
            assert pytest.approx(cost(network, pass_, batch.y), rel=1e-12) == J
            theirs = backward(network, parameters, pass_, batch.y)
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
            expected = (pass_.Z1 > 0).sum(axis=1) if activation == "relu" else np.full(N, m)
            np.testing.assert_array_equal(fired, expected)
            assert batch_loss(workspace, batch, pool) == pytest.approx(J, rel=1e-12)


def test_the_result_is_the_same_to_the_bit_in_any_number_of_threads():
    parameters, batch = parameters_of(np.float32), batch_of(1000)
    results = []
    for threads in (1, 2, 3, 8):
        with ThreadPoolExecutor(threads) as pool:
            J, g, _ = batch_gradients(Workspace(cbow_network(), parameters), batch, pool)
        results.append([J, *(array.tobytes() for array in g)])
    assert all(result == results[0] for result in results)


def test_shards_are_few_and_of_equal_size():
    batch = batch_of(1000)
    shards = list(exact._shards(batch))
    assert [len(shard.y) for shard in shards] == [250, 250, 250, 250]
    assert np.concatenate([shard.y for shard in shards]).tolist() == batch.y.tolist()
    indices = np.concatenate([shard.indices for shard in shards])
    assert indices.tolist() == batch.indices.tolist()
    assert all(len(shard.indices) == shard.indptr[-1] for shard in shards)


def test_memory_is_used_again():
    workspace = Workspace(cbow_network(), parameters_of())

    def run(m):
        batch = batch_of(m)
        return workspace.forward(contexts(batch.indices, batch.indptr, V, np.float64)).Yhat

    large = run(20)
    assert np.shares_memory(run(20), large)
    assert np.shares_memory(run(5), large)
    larger = run(30)
    assert not np.shares_memory(larger, large)
    assert np.shares_memory(run(20), larger)
