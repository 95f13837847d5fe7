"""A step by candidates: with every word a candidate it is the exact softmax of the network."""

import threading
import time

import numpy as np
import pytest
from test_sampled_kernels import keys_of

from cbow.network import Parameters, backward, cbow_network, contexts, cost, forward
from cbow.network.activations import LEAK
from cbow.text import EncodedCorpus, TokenAccount, Vocabulary
from cbow.training.barrier import ABANDONED
from cbow.training.examples import BLOCK, ExampleSource, Tally
from cbow.training.kernels import tables_of
from cbow.training.sampled.blocks import Text, Window
from cbow.training.sampled.noise import Noise, make_noise
from cbow.training.sampled.step import (
    Rates,
    Unit,
    Work,
    apply_block,
    block_gradients,
    centred,
    make_rooms,
    room_of,
    run_steps,
)

V, N, WINDOW = 7, 3, Window(2, 2)
SLOPES = {"relu": 0.0, "leaky_relu": LEAK, "identity": 1.0}
assert BLOCK > 100  # the whole text below is one block of the exact objective


def lines_of(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, V, rng.integers(1, 14)).astype(np.int32) for _ in range(9)]


def text_of(lines, keep=None):
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    return Text(np.concatenate(lines), starts, np.ones(V) if keep is None else keep, 0.0)


def parameters_of(dtype=np.float64, seed=1):
    rng = np.random.default_rng(seed)
    shapes = [(V, N), (N, 1), (V, N), (V, 1)]
    table, *others = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return Parameters(table.T, *others)


def all_words(dtype=np.float64):
    """No noise: nothing is taken off any logit."""
    return Noise(np.ones(V), np.arange(V, dtype=np.int32), np.zeros(V, dtype))


def exact(parameters, activation, lines):
    """Loss and gradients of the whole text by the network itself, summed over the examples."""
    text = text_of(lines)
    corpus = EncodedCorpus(
        text.ids, text.line_starts, Vocabulary([str(i) for i in range(V)], [9] * V),
        TokenAccount(),
    )  # fmt: skip
    source = ExampleSource(corpus, WINDOW.radius, 0.0, 0.0, seed=1)
    network = cbow_network(activation)
    ((batch, _),) = source.epoch(1, 10**6, Tally())
    X = contexts(batch.indices, batch.indptr, V, parameters.W2.dtype)
    pass_ = forward(network, parameters, X)
    m = len(batch.y)
    gradients = backward(network, parameters, pass_, batch.y)
    return m * cost(network, pass_, batch.y), [m * g for g in gradients], m


def one_step(before, activation, blocks, centre):
    """Move a copy of the parameters by one step of rate 1 over the whole text."""
    after = Parameters(*(array.copy(order="K") for array in before))
    text = text_of(lines_of())
    bounds = np.linspace(0, len(text.ids), blocks + 1).astype(np.int64)
    rooms = make_rooms(blocks, int(np.diff(bounds).max()), WINDOW.margin, (N, V), np.float64)
    rooms.candidates[:] = np.random.default_rng(3).permutation(V)
    rates = Rates(*np.ones((4, 1)))
    unit = Unit(SLOPES[activation], centre)
    with centred(after, centre) as tables:
        work = Work(
            text, keys_of(1), WINDOW, bounds, tables, unit, all_words(), rooms, rates
        )  # fmt: skip
        for k in range(blocks):  # the candidates are not drawn: every word is one
            block_gradients(work, k, room_of(rooms, k))
        for k in range(blocks):
            apply_block(tables, room_of(rooms, k), 0, 1, rates, 0)
    return after, rooms


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_with_every_word_a_candidate_it_is_the_exact_softmax(activation, blocks):
    """One step of rate 1 over the whole text moves all four parameters by their gradients."""
    before = parameters_of()
    loss, gradients, m = exact(before, activation, lines_of())
    after, rooms = one_step(before, activation, blocks, centre=0.0)
    assert rooms.loss.sum() == pytest.approx(loss, abs=1e-10)
    assert rooms.size[:, 1].sum() == m
    for new, old, gradient in zip(after, before, gradients, strict=True):
        np.testing.assert_allclose(old - new, gradient, atol=1e-10)


@pytest.mark.parametrize("activation", SLOPES)
def test_centring_changes_the_coordinates_and_not_the_function(activation):
    """In W2 and b2 + W2 c, the gradient of W2 is dW2 less c db2, and of b2 + W2 c it is db2."""
    c, before = 0.6, parameters_of()
    loss, (dW1, db1, dW2, db2), _ = exact(before, activation, lines_of())
    (W1, b1, W2, b2), rooms = one_step(before, activation, 2, centre=c)
    assert rooms.loss.sum() == pytest.approx(loss, abs=1e-10)
    np.testing.assert_allclose(before.W1 - W1, dW1, atol=1e-10)
    np.testing.assert_allclose(before.b1 - b1, db1, atol=1e-10)
    np.testing.assert_allclose(before.W2 - W2, dW2 - c * db2, atol=1e-10)
    old = before.b2 + c * before.W2.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(old - (b2 + c * W2.sum(axis=1, keepdims=True)), db2, atol=1e-10)


def steps(threads, dtype=np.float32, blocks=11, K=3, seed=1):
    """Make a few steps with drawn candidates, and give what came out."""
    keep = np.linspace(0.4, 1, V)
    text = text_of(lines_of(seed), keep)
    parameters = parameters_of(dtype)
    bounds = np.linspace(0, len(text.ids), blocks + 1).astype(np.int64)
    rooms = make_rooms(K, int(np.diff(bounds).max()), WINDOW.margin, (N, 4), dtype)
    order = np.concatenate([np.random.default_rng(0).permutation(blocks), [-1] * (-blocks % K)])
    rates = Rates(*(np.full(len(order) // K, rate, dtype) for rate in (0.4, 0.01, 0.1, 0.1)))
    reached, sums = np.zeros((threads, 8), np.int64), np.zeros(6 + N)
    noise = make_noise(np.arange(1, V + 1), 4, dtype)
    unit = Unit(dtype(0), dtype(0.5))

    with centred(parameters, 0.5) as tables:
        work = Work(text, keys_of(seed), WINDOW, bounds, tables, unit, noise, rooms, rates)
        workers = [
            threading.Thread(target=run_steps, args=(work, order, thread, reached, sums))
            for thread in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return parameters, sums, text


@pytest.mark.parametrize("point", [0, 1])
def test_nobody_waits_for_a_thread_that_gave_up(point):
    """Before its gradients, or before its changes."""
    text, parameters = text_of(lines_of(1), np.ones(V)), parameters_of(np.float64)
    rooms = make_rooms(2, len(text.ids), WINDOW.margin, (N, 4), np.float64)
    rates = Rates(*(np.zeros(3) for _ in range(4)))
    bounds, noise = np.array([0, len(text.ids)]), make_noise(np.arange(1, V + 1), 4, np.float64)
    tables, unit = tables_of(parameters), Unit(0.0, 0.0)
    work = Work(text, keys_of(1), WINDOW, bounds, tables, unit, noise, rooms, rates)
    reached = np.zeros((2, 8), np.int64)
    arguments = (work, np.full(6, -1), 0, reached, np.zeros(6 + N))
    worker = threading.Thread(target=run_steps, args=arguments)
    worker.start()
    for arrived in range(1, point + 1):
        reached[1, 0] = arrived
        while reached[0, 0] <= arrived:
            time.sleep(0)
    reached[1, 0] = ABANDONED
    worker.join()
    assert reached[0, 0] == ABANDONED


def test_the_same_bytes_at_any_number_of_threads():
    one, sums, _ = steps(1)
    for threads in (2, 3, 8):
        other, others, _ = steps(threads)
        assert [array.tobytes() for array in one] == [array.tobytes() for array in other]
        np.testing.assert_array_equal(sums, others)


def test_the_account_is_whole():
    _, sums, text = steps(2)
    loss, examples, heldout, subsampled, isolated, tokens = sums[:6]
    assert tokens == len(text.ids) == examples + heldout + subsampled + isolated
    assert subsampled > 0
    assert loss > 0
    assert (sums[6:] <= examples).all()


def test_float32_is_near_float64():
    for single, double in zip(steps(1)[0], steps(1, np.float64)[0], strict=True):
        np.testing.assert_allclose(single, double, atol=1e-5)


def test_blocks_without_an_example_change_nothing():
    before = parameters_of()
    text = text_of(lines_of(), keep=np.zeros(V))
    after = Parameters(*(array.copy(order="K") for array in before))
    rooms = make_rooms(1, len(text.ids), WINDOW.margin, (N, 4), np.float64)
    sums = np.zeros(6 + N)
    noise = make_noise(np.ones(V, np.int64), 4, np.float64)
    rates = Rates(*np.ones((4, 1)))
    with centred(after, 0.0) as tables:
        work = Work(
            text, keys_of(1), WINDOW, np.array([0, len(text.ids)]), tables, Unit(0.0, 0.0), noise,
            rooms, rates,
        )  # fmt: skip
        run_steps(work, np.array([0]), 0, np.zeros((1, 8), np.int64), sums)
    for new, old in zip(after, before, strict=True):
        np.testing.assert_array_equal(new, old)
    assert sums.tolist() == [0, 0, 0, len(text.ids), 0, len(text.ids), *[0] * N]
