"""A step by candidates: with every word a candidate it is the exact softmax of the network."""

import threading
import time

import numpy as np
import pytest
from test_examples import sampling_of

from cbow.network import Parameters, backward, cbow_network, contexts, cost, forward
from cbow.network.activations import LEAK
from cbow.text import EncodedCorpus, TokenAccount, Vocabulary
from cbow.text.ngrams import Features
from cbow.training.composed import in_parts
from cbow.training.examples import BLOCK, ExampleSource, Tally
from cbow.training.kernels import Purpose, stream, tables_of
from cbow.training.sampled.noise import Noise, draw_candidates, make_noise
from cbow.training.sampled.step import (
    ABANDONED,
    Rates,
    Unit,
    Work,
    add_up_own,
    apply_block,
    block_gradients,
    buffers_of,
    centred,
    make_buffers,
    make_sums,
    read_ahead,
    run_steps,
    wait_for_all,
)

pytestmark = pytest.mark.kernels

V, N, WINDOW = 7, 3, 2
SLOPES = {"relu": 0.0, "leaky_relu": LEAK, "identity": 1.0}
assert BLOCK > 100  # the whole text below is one block of the exact objective


def lines_of(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, V, rng.integers(1, 14)).astype(np.int32) for _ in range(9)]


def sampled(lines, keep=None, seed=1):
    """What decides about the tokens."""
    return sampling_of(lines, np.ones(V) if keep is None else keep, window=WINDOW, seed=seed)


def key_of(seed):
    """The stream of candidates."""
    return stream(seed, Purpose.CANDIDATES, 1)


#: Every word alone; and words made of parts, which two of them share, and one has twice.
WHOLE = Features(np.arange(V + 1), np.arange(V, dtype=np.int32))
PARTS = Features(
    np.array([0, 1, 3, 6, 7, 10, 11, 12]),
    np.array([0, 1, 7, 2, 8, 9, 3, 4, 9, 9, 5, 6], np.int32),
)


def matrix_of(features, dtype=np.float64):
    """F, by which whole words are means of their features."""
    return contexts(features.indices, features.indptr, features.indices.max() + 1, dtype)


def parted(features):
    """Features as a step has them, and the most that a word has."""
    most = int(np.diff(features.indptr).max())
    return in_parts(features) if most > 1 else features, most


def parameters_of(dtype=np.float64, seed=1, features=WHOLE):
    rng = np.random.default_rng(seed)
    shapes = [(features.indices.max() + 1, N), (N, 1), (V, N), (V, 1)]
    table, *others = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    return Parameters(table.T, *others)


def all_words(dtype=np.float64):
    """No noise: nothing is taken off any logit."""
    return Noise(np.ones(V), np.arange(V, dtype=np.int32), np.zeros(V, dtype))


def exact(parameters, activation, lines, features=WHOLE):
    """Loss and gradients of the whole text by the network itself, summed over the examples."""
    text = sampled(lines)
    corpus = EncodedCorpus(
        text.ids, text.line_starts, Vocabulary([str(i) for i in range(V)], [9] * V),
        TokenAccount(),
    )  # fmt: skip
    source = ExampleSource(corpus, WINDOW, 0.0, 0.0, seed=1)
    network = cbow_network(activation)
    ((batch, _),) = source.epoch(1, 10**6, Tally())
    X = contexts(batch.indices, batch.indptr, V, parameters.W2.dtype, matrix_of(features))
    pass_ = forward(network, parameters, X)
    m = len(batch.y)
    gradients = backward(network, parameters, pass_, batch.y)
    return m * cost(network, pass_, batch.y), [m * g for g in gradients], m


def one_step(before, activation, blocks, centre, features=WHOLE):
    """Move a copy of the parameters by one step of rate 1 over the whole text."""
    after = Parameters(*(array.copy(order="K") for array in before))
    text = sampled(lines_of())
    bounds = np.linspace(0, len(text.ids), blocks + 1).astype(np.int64)
    features, most = parted(features)
    longest = int(np.diff(bounds).max())
    buffers = make_buffers(blocks, 1, longest, WINDOW, (N, V), np.float64, most)
    buffers.candidates[:] = np.random.default_rng(3).permutation(V)
    rates = Rates(*np.ones((4, 1)))
    unit = Unit(SLOPES[activation], centre)
    with centred(tables_of(after), centre) as tables, np.errstate(over="ignore"):
        work = Work(text, bounds, tables, features, unit, all_words(), key_of(1), buffers, rates)
        own = [buffers_of(buffers, 0, k, 0) for k in range(blocks)]
        for k in range(blocks):  # the candidates are not drawn: every word is one
            read_ahead(work, k, own[k].reading)
            if most > 1:
                add_up_own(tables, own[k], 0, 1)
            block_gradients(work, k, 0.0, own[k])
        for k in range(blocks):
            apply_block(work, own[k], 0, 1, 0)
    return after, buffers.sums


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("blocks", [1, 2, 5])
@pytest.mark.parametrize("features", [WHOLE, PARTS], ids=["whole", "parts"])
def test_with_every_word_a_candidate_it_is_the_exact_softmax(activation, blocks, features):
    """One step of rate 1 over the whole text moves all four parameters by their gradients."""
    before = parameters_of(features=features)
    loss, gradients, m = exact(before, activation, lines_of(), features)
    after, sums = one_step(before, activation, blocks, 0.0, features)
    assert sums.loss.sum() == pytest.approx(loss, abs=1e-10)
    assert sums.examples.sum() == m
    for new, old, gradient in zip(after, before, gradients, strict=True):
        np.testing.assert_allclose(old - new, gradient, atol=1e-10)


@pytest.mark.parametrize("activation", SLOPES)
def test_centring_changes_the_coordinates_and_not_the_function(activation):
    """In W2 and b2 + W2 c, the gradient of W2 is dW2 less c db2, and of b2 + W2 c it is db2."""
    c, before = 0.6, parameters_of()
    loss, (dW1, db1, dW2, db2), _ = exact(before, activation, lines_of())
    (W1, b1, W2, b2), sums = one_step(before, activation, 2, centre=c)
    assert sums.loss.sum() == pytest.approx(loss, abs=1e-10)
    np.testing.assert_allclose(before.W1 - W1, dW1, atol=1e-10)
    np.testing.assert_allclose(before.b1 - b1, db1, atol=1e-10)
    np.testing.assert_allclose(before.W2 - W2, dW2 - c * db2, atol=1e-10)
    old = before.b2 + c * before.W2.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(old - (b2 + c * W2.sum(axis=1, keepdims=True)), db2, atol=1e-10)


def quietly(*arguments):
    """Make steps; random numbers wrap around, if nothing is compiled."""
    with np.errstate(over="ignore"):
        run_steps(*arguments)


def in_threads(work, order, threads, sums):
    """Make the steps as the trainer does."""
    reached = np.zeros((threads, 8), np.int64)
    workers = [
        threading.Thread(target=quietly, args=(work, order, thread, reached, sums))
        for thread in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def one_by_one(work, order, threads, sums):
    """Make the steps one after the other, each from its text on: the plain twin of `run_steps`."""
    buffers = work.buffers
    K, S = buffers.candidates.shape
    for step, blocks in enumerate(order.reshape(-1, K)):
        own = [(b, buffers_of(buffers, 0, k, 0)) for k, b in enumerate(blocks) if b >= 0]
        for b, block in own:
            draw_candidates(work.noise, work.candidates_key, b * S, block.candidates)
            read_ahead(work, b, block.reading)
            if len(block.Q):
                add_up_own(work.tables, block, 0, 1)
            block_gradients(work, b, work.rates.W2[step], block)
        for _, block in own:
            if block.sums.examples[0]:
                apply_block(work, block, 0, 1, step)


def steps(threads, dtype=np.float32, blocks=11, K=3, seed=1, features=PARTS, make=in_threads):
    """Make a few steps with drawn candidates, and give what came out."""
    keep = np.linspace(0.4, 1, V)
    text = sampled(lines_of(seed), keep, seed)
    parameters = parameters_of(dtype, features=features)
    bounds = np.linspace(0, len(text.ids), blocks + 1).astype(np.int64)
    features, most = parted(features)
    buffers = make_buffers(K, threads, int(np.diff(bounds).max()), WINDOW, (N, 4), dtype, most)
    order = np.concatenate([np.random.default_rng(0).permutation(blocks), [-1] * (-blocks % K)])
    rates = Rates(*(np.full(len(order) // K, rate, dtype) for rate in (0.4, 0.01, 0.1, 0.1)))
    sums, noise = make_sums(N), make_noise(np.arange(1, V + 1), 4, dtype)
    unit = Unit(dtype(0), dtype(0.5))

    with centred(tables_of(parameters), 0.5) as tables, np.errstate(over="ignore"):
        work = Work(text, bounds, tables, features, unit, noise, key_of(seed), buffers, rates)
        make(work, order, threads, sums)
    return parameters, sums, text


@pytest.mark.parametrize("point", [0, 1])
def test_nobody_waits_for_a_thread_that_gave_up(point):
    """Before its gradients, or before its changes."""
    text, parameters = sampled(lines_of(1)), parameters_of(np.float64)
    buffers = make_buffers(2, 2, len(text.ids), WINDOW, (N, 4), np.float64)
    rates = Rates(*(np.zeros(3) for _ in range(4)))
    bounds, noise = np.array([0, len(text.ids)]), make_noise(np.arange(1, V + 1), 4, np.float64)
    tables, unit = tables_of(parameters), Unit(0.0, 0.0)
    work = Work(text, bounds, tables, WHOLE, unit, noise, key_of(1), buffers, rates)
    reached = np.zeros((2, 8), np.int64)
    arguments = (work, np.full(6, -1), 0, reached, make_sums(N))
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
        for ours, theirs in zip(sums, others, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("features", [WHOLE, PARTS], ids=["whole", "parts"])
def test_steps_that_are_read_ahead_are_those_made_one_by_one(features):
    expected = steps(1, features=features, make=one_by_one)[0]
    for threads in (1, 3):
        made = steps(threads, features=features)[0]
        assert [array.tobytes() for array in made] == [array.tobytes() for array in expected]


def test_the_account_is_whole():
    _, sums, text = steps(2)
    parts = sums.heldout + sums.subsampled + sums.isolated + sums.examples
    assert sums.tokens == len(text.ids) == parts
    assert sums.subsampled > 0
    assert sums.loss > 0
    assert (sums.fired <= sums.examples).all()


def test_float32_is_near_float64():
    for single, double in zip(steps(1)[0], steps(1, np.float64)[0], strict=True):
        np.testing.assert_allclose(single, double, atol=1e-5)


def test_blocks_without_an_example_change_nothing():
    before = parameters_of()
    text = sampled(lines_of(), keep=np.zeros(V))
    after = Parameters(*(array.copy(order="K") for array in before))
    buffers = make_buffers(1, 1, len(text.ids), WINDOW, (N, 4), np.float64)
    sums = make_sums(N)
    noise = make_noise(np.ones(V, np.int64), 4, np.float64)
    rates = Rates(*np.ones((4, 1)))
    T = len(text.ids)
    with centred(tables_of(after), 0.0) as tables:
        work = Work(
            text, np.array([0, T]), tables, WHOLE, Unit(0.0, 0.0), noise, key_of(1), buffers, rates
        )
        quietly(work, np.array([0]), 0, np.zeros((1, 8), np.int64), sums)
    for new, old in zip(after, before, strict=True):
        np.testing.assert_array_equal(new, old)
    assert (sums.tokens, sums.subsampled, sums.examples) == (T, T, 0)
    assert sums.loss == sums.heldout == sums.isolated == 0
    assert sums.fired.tolist() == [0] * N


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nobody_goes_on_before_all_have_arrived(threads):
    reached, written, seen = np.zeros((threads, 8), np.int64), [0] * threads, []

    def run(thread):
        for point in range(1, 20):
            written[thread] = point
            wait_for_all(thread, reached, 2 * point - 1)
            seen.append(min(written) == max(written) == point)
            wait_for_all(thread, reached, 2 * point)

    workers = [threading.Thread(target=run, args=(t,)) for t in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [True] * 19 * threads


def test_who_waits_for_long_rests(monkeypatch):
    """Without the compiler, which has no part in whose turn it is."""
    wait, reached, rested = getattr(wait_for_all, "py_func", wait_for_all), np.zeros((2, 8)), []

    def rest():
        rested.append(True)
        reached[1, 0] = 1

    monkeypatch.setitem(wait.__globals__, "rest", rest)
    assert wait(0, reached, 1)
    assert rested == [True]
