"""The quick exact softmax: loss and gradients are those of the network, however it is cut up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cbow.config import ACTIVATIONS
from cbow.network import Parameters, active, backward, cbow_network, contexts, cost, forward
from cbow.training.exact import step as exact
from cbow.training.exact.step import Workspace, batch_gradients, batch_loss
from cbow.training.examples import Batch

pytestmark = pytest.mark.kernels

V, N = 50, 8


@pytest.fixture
def small_pieces(monkeypatch):
    """Cut few words and examples into many pieces, the last of them not full."""
    for name, value in {"WORDS": 7, "SHARD": 5, "RANGE": 3, "RANGES": 9, "EXAMPLES": 12}.items():
        monkeypatch.setattr(exact, name, value)


def parameters_of(dtype=np.float64, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    shapes = [(V, N), (N, 1), (V, N), (V, 1)]
    table, *others = ((size * rng.normal(size=shape)).astype(dtype) for shape in shapes)
    return Parameters(table.T, *others)


def batch_of(m, seed=1, shortest=1):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(shortest, 9, m)
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    indices = rng.integers(0, V, indptr[-1]).astype(np.int32)
    return Batch(indices, indptr, rng.integers(0, V, m).astype(np.int32))


def by_the_network(network, parameters, batch):
    """J, gradients and fired counts as `cbow.network` has them."""
    X = contexts(batch.indices, batch.indptr, V, parameters.W2.dtype)
    pass_ = forward(network, parameters, X)
    gradients = backward(network, parameters, pass_, batch.y)
    return cost(network, pass_, batch.y), gradients, active(network, pass_).sum(axis=1)


def gradients_of(parameters, batch, activation="relu", threads=1):
    with ThreadPoolExecutor(threads) as pool:
        return batch_gradients(Workspace(cbow_network(activation), parameters), batch, pool)


def loss_of(parameters, batch, activation="relu"):
    with ThreadPoolExecutor(1) as pool:
        return batch_loss(Workspace(cbow_network(activation), parameters), batch, pool)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("m", "threads"), [(1, 1), (2, 3), (5, 1), (6, 3), (30, 1), (30, 3)])
def test_loss_and_gradients_are_those_of_the_network(activation, m, threads):
    parameters, batch, network = parameters_of(), batch_of(m, shortest=0), cbow_network(activation)
    expected, theirs, fired = by_the_network(network, parameters, batch)
    with ThreadPoolExecutor(threads) as pool:
        workspace = Workspace(network, parameters)
        for _ in range(2):  # the second time over the memory of the first
            step = batch_gradients(workspace, batch, pool)
            assert pytest.approx(expected, rel=1e-12) == step.J
            for one, other in zip(step.gradients, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
            assert step.fired.tolist() == fired.tolist()
            assert batch_loss(workspace, batch, pool) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_so_they_are_in_one_piece(activation):
    parameters, batch = parameters_of(), batch_of(6)
    expected, theirs, fired = by_the_network(cbow_network(activation), parameters, batch)
    step = gradients_of(parameters, batch, activation)
    assert pytest.approx(expected, rel=1e-12) == step.J
    for one, other in zip(step.gradients, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
    assert step.fired.tolist() == fired.tolist()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_in_float32_they_are_near(activation, size):
    """Near those in float64 of the same numbers; logits reach some hundreds at the last size."""
    parameters, batch = parameters_of(np.float32, size=size), batch_of(30)
    wide = Parameters(*(array.astype(np.float64, order="K") for array in parameters))
    expected, theirs, fired = by_the_network(cbow_network(activation), wide, batch)
    step = gradients_of(parameters, batch, activation)
    assert pytest.approx(expected, rel=1e-5) == step.J
    assert loss_of(parameters, batch, activation) == step.J
    for name, one, other in zip(step.gradients.names, step.gradients, theirs, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(other).max(), err_msg=name)
    assert step.fired.tolist() == fired.tolist()


@pytest.mark.usefixtures("small_pieces")
def test_gradients_lie_in_memory_like_their_parameters():
    parameters = parameters_of()
    for one, theta in zip(gradients_of(parameters, batch_of(3)).gradients, parameters, strict=True):
        assert one.shape == theta.shape
        assert one.strides == theta.strides


@pytest.mark.slow
@pytest.mark.usefixtures("small_pieces")
def test_the_result_is_the_same_to_the_bit_in_any_number_of_threads():
    parameters, batch = parameters_of(np.float32), batch_of(60)
    results = []
    for threads in (1, 2, 3, 8):
        J, g, fired = gradients_of(parameters, batch, threads=threads)
        results.append([J, fired.tobytes(), *(array.tobytes() for array in g)])
    assert all(result == results[0] for result in results)


@pytest.mark.usefixtures("small_pieces")
def test_threads_share_the_work():
    meeting, parameters = threading.Barrier(2, timeout=60), parameters_of()

    class Meeting(ThreadPoolExecutor):
        """Lets the first pieces of each kind begin only when two threads have one."""

        def map(self, function, pieces):
            def meet(numbered):
                if numbered[0] < 2:
                    meeting.wait()
                return function(numbered[1])

            return super().map(meet, enumerate(pieces))

    with Meeting(2) as pool:
        workspace, batch = Workspace(cbow_network(), parameters), batch_of(12)
        step = batch_gradients(workspace, batch, pool)
    assert loss_of(parameters, batch) == step.J


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e3, 1e30, 1e38])
def test_huge_logits_do_not_overflow(dtype, scale):
    parameters, batch = parameters_of(dtype), batch_of(8)
    parameters.b2[:] *= scale
    wide = Parameters(*(array.astype(np.float64, order="K") for array in parameters))
    expected, theirs, _ = by_the_network(cbow_network(), wide, batch)
    step = gradients_of(parameters, batch)
    assert pytest.approx(expected, rel=1e-5) == step.J
    for one, other in zip(step.gradients, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_the_largest_logit_may_be_in_any_block(order):
    """What was summed up under a smaller maximum is brought down, and vice versa."""
    parameters, batch = parameters_of(), batch_of(8)
    parameters.b2[:, 0] = np.linspace(-300, 300, V)[order]
    expected, theirs, _ = by_the_network(cbow_network(), parameters, batch)
    step = gradients_of(parameters, batch)
    assert pytest.approx(expected, rel=1e-12) == step.J
    for one, other in zip(step.gradients, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.usefixtures("small_pieces")
def test_all_logits_may_be_far_below_0():
    parameters, batch = parameters_of(np.float32), batch_of(4)
    expected = gradients_of(parameters, batch).J
    parameters.b2[:] -= 1000
    assert pytest.approx(expected, rel=1e-4) == gradients_of(parameters, batch).J


@pytest.mark.usefixtures("small_pieces")
def test_a_word_that_cannot_be_is_no_matter():
    parameters, batch = parameters_of(), batch_of(4)
    parameters.b2[[3, 20]] = -np.inf
    batch.y[:] = 7
    expected, theirs, _ = by_the_network(cbow_network(), parameters, batch)
    step = gradients_of(parameters, batch)
    assert pytest.approx(expected, rel=1e-12) == step.J
    np.testing.assert_allclose(step.gradients.dW2, theirs.dW2, rtol=1e-10, atol=1e-13)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wrong", [np.nan, -np.nan, np.inf])
@pytest.mark.parametrize("where", ["W1", "b1", "W2", "b2"])
def test_what_is_no_number_shows_in_the_loss(dtype, wrong, where):
    parameters, batch = parameters_of(dtype), batch_of(4)
    batch.y[:] = 7
    getattr(parameters, where)[:, batch.indices[0] if where == "W1" else 0] = wrong
    if where in ("W2", "b2"):
        getattr(parameters, where)[7] = 0  # the target itself is in order
    assert not np.isfinite(gradients_of(parameters, batch).J)
    assert not np.isfinite(loss_of(parameters, batch))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wrong", [np.nan, -np.nan])
def test_one_logit_that_is_no_number_is_enough(dtype, wrong):
    parameters, batch = parameters_of(dtype), batch_of(4)
    batch.y[:] = 7
    parameters.b2[30] = wrong
    assert np.isnan(gradients_of(parameters, batch).J)
    assert np.isnan(loss_of(parameters, batch))


def test_pieces_are_few_and_of_equal_size():
    assert exact.cut(1000, 256) == ((0, 250), (250, 500), (500, 750), (750, 1000))
    assert exact.cut(256, 256) == ((0, 256),)
    assert exact.cut(3, 256) == ((0, 3),)


def test_there_are_not_more_ranges_than_allowed():
    assert len(exact.ranges(20_000)) == 10
    assert len(exact.ranges(1_000_000)) == exact.RANGES
    assert exact.ranges(1_000_000)[-1][1] == -(-1_000_000 // exact.WORDS)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("kept", "part"), [(2**25, 10), (7 * V, 6), (1, 5)])
def test_no_more_exponentials_are_kept_than_allowed(monkeypatch, kept, part):
    """30 examples, at most 12 at a time; or 7; but one shard, of 5, in any case."""
    monkeypatch.setattr(exact, "KEPT", kept)
    workspace = Workspace(cbow_network(), parameters_of())
    assert [len(each.y) for each in exact.parts(workspace, batch_of(30))] == [part] * (30 // part)


def test_memory_is_used_again():
    workspace = Workspace(cbow_network(), parameters_of())
    with ThreadPoolExecutor(1) as pool:
        batch_loss(workspace, batch_of(20), pool)
        assert workspace.kept["E"].size == 0  # the loss alone keeps no exponentials
        large = batch_gradients(workspace, batch_of(20), pool).gradients
        E = workspace.kept["E"]
        again = batch_gradients(workspace, batch_of(5), pool).gradients
        assert all(np.shares_memory(*both) for both in zip(large, again, strict=True))
        batch_loss(workspace, batch_of(20), pool)
        assert workspace.kept["E"] is E
        batch_gradients(workspace, batch_of(30), pool)
        assert workspace.kept["E"].size == 30 * V


@pytest.mark.usefixtures("small_pieces")
def test_what_memory_held_before_is_no_matter():
    workspace, batch = Workspace(cbow_network(), parameters_of()), batch_of(20)
    with ThreadPoolExecutor(1) as pool:
        J, gradients, _ = batch_gradients(workspace, batch, pool)
        before = [array.copy() for array in gradients]
        for array in workspace.kept.values():
            array[:] = np.nan
        again = batch_gradients(workspace, batch, pool)
        assert again.J == J
        for one, other in zip(again.gradients, before, strict=True):
            np.testing.assert_array_equal(one, other)
        for array in workspace.kept.values():
            array[:] = np.nan
        assert batch_loss(workspace, batch, pool) == J


BAD_BATCHES = {
    "the id -1 is not in a vocabulary of 50 words": ([-1], [0, 1], [0]),
    "the id 50 is not in a vocabulary of 50 words": ([0], [0, 1], [50]),
    "a batch has 0 targets": ([], [0], []),
    "a batch has 2 targets, 2 bounds of contexts": ([0], [0, 1], [0, 1]),
    "and 1 words in them": ([0], [0, 2], [0]),
}


@pytest.mark.parametrize("complaint", BAD_BATCHES)
def test_what_does_not_fit_is_refused(complaint):
    arrays = [np.array(values, np.int64) for values in BAD_BATCHES[complaint]]
    with pytest.raises(ValueError, match=complaint):
        gradients_of(parameters_of(), Batch(*arrays))
    with pytest.raises(ValueError, match=complaint):
        loss_of(parameters_of(), Batch(*arrays))
