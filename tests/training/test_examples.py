"""Examples: equal to a plain twin, whatever the blocks; subsampling by hand."""

import itertools
import math

import naive_training as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import cbow.training.examples as examples_module
from cbow.text import EncodedCorpus, TokenAccount, Vocabulary
from cbow.training.examples import (
    Block,
    ExampleSource,
    Extent,
    Sampling,
    Tally,
    Windows,
    context_positions,
    entropy,
    keep_probability,
    read_block,
    target_distribution,
)
from cbow.training.kernels import Purpose, stream

pytestmark = pytest.mark.kernels


def corpus_of(lines, size):
    ids = np.array([i for line in lines for i in line], dtype=np.int32)
    starts = np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64)
    counts = np.bincount(ids, minlength=size).astype(np.int64)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(size, dtype=np.int32)
    rank[order] = np.arange(size)
    words = [f"w{i:03}" for i in range(size)]
    n = len(ids)
    return EncodedCorpus(
        rank[ids], starts, Vocabulary(words, counts[order]), TokenAccount(read=n, kept=n)
    )


def listed(batches):
    """The examples of batches as (context, centre), sorted so that order does not matter."""
    found = []
    for batch, _ in batches:
        for i, y in enumerate(batch.y):
            context = batch.indices[batch.indptr[i] : batch.indptr[i + 1]]
            found.append((context.tolist(), int(y)))
    return sorted(found)


lines_of_ids = st.lists(
    st.lists(st.integers(0, 9), min_size=1, max_size=40), min_size=1, max_size=12
)


@pytest.mark.slow
@given(
    lines=lines_of_ids,
    window=st.integers(1, 6),
    block=st.sampled_from([1, 2, 3, 7, 20, 1000]),
    pool=st.sampled_from([1, 2, 5, 64]),
    sample=st.sampled_from([0.0, 0.01, 0.2]),
    heldout=st.sampled_from([0.0, 0.3]),
    epoch=st.integers(0, 3),
)
def test_examples_equal_the_plain_twin(lines, window, block, pool, sample, heldout, epoch):
    corpus = corpus_of(lines, 10)
    bounds = corpus.line_starts
    whole = [corpus.ids[a:b].tolist() for a, b in itertools.pairwise(bounds)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples_module, "BLOCK", block)
        patch.setattr(examples_module, "POOL", pool)
        source = ExampleSource(corpus, window, sample, heldout, seed=5)
        for side in (False, True):
            tally = Tally()
            ours = listed(source.epoch(epoch, 4, tally, heldout=side))
            theirs = naive.epoch_examples(
                whole,
                source.keep,
                window=window,
                seed=5,
                epoch=epoch,
                heldout=heldout,
                want_heldout=side,
            )
            assert ours == sorted(theirs)
            assert tally.tokens == len(corpus.ids)
            rest = tally.heldout + tally.subsampled + tally.isolated + tally.examples
            assert rest == tally.tokens
            assert tally.examples == len(theirs)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=40),
    st.integers(1, 7),
    st.randoms(use_true_random=False),
)
def test_contexts_of_windows(jumps, largest, random):
    line = np.cumsum(jumps)
    radius = [random.randint(1, largest) for _ in line]
    expected = naive.windows(line, radius)
    edges = [(t, min([t, *around]), max([t, *around]) + 1) for t, around in enumerate(expected)]
    positions, indptr = context_positions(Windows(*np.array(edges).T))
    for t, around in enumerate(expected):
        assert positions[indptr[t] : indptr[t + 1]].tolist() == around


def sampling_of(lines, keep, *, window, seed=1, heldout=0.0, take_heldout=False):
    """What decides about the tokens of the first epoch."""
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    return Sampling(
        np.array([word for line in lines for word in line], np.int32), starts, keep, heldout,
        take_heldout, window, min(window, int(np.diff(starts).max())),
        stream(seed, Purpose.HELDOUT), stream(seed, Purpose.SUBSAMPLE, 1),
        stream(seed, Purpose.RADIUS, 1),
    )  # fmt: skip


def block_of(M):
    """Return room for M tokens."""
    return Block(*(np.empty(M, t) for t in (np.int32, np.int64, np.int32, np.int32)))


@pytest.mark.slow
@given(
    lines=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=30), min_size=1, max_size=8),
    window=st.sampled_from([1, 2, 3, 4, 2**31 - 1]),
    seed=st.integers(0, 50),
    cuts=st.sets(st.integers(1, 200), max_size=6),
    heldout=st.sampled_from([0.0, 0.4]),
    take_heldout=st.booleans(),
    share=st.sampled_from([0.3, 0.7, 1.0]),
)
def test_blocks_have_the_examples_of_the_full_text(
    lines, window, seed, cuts, heldout, take_heldout, share
):
    keep = np.array([share, 1, share, 0.5, 1, share])
    sampling = sampling_of(
        lines, keep, window=window, seed=seed, heldout=heldout, take_heldout=take_heldout
    )
    T, margin = len(sampling.ids), sampling.margin
    bounds = [0, *sorted(cut for cut in cuts if cut < T), T]
    examples, left_out, subsampled = [], 0, 0
    for start, stop in itertools.pairwise(bounds):
        M = stop - start + 2 * margin
        block = block_of(M)
        with np.errstate(over="ignore"):
            extent = Extent(*read_block(sampling, start, stop, block))
        assert 0 <= extent.first <= extent.last <= extent.n <= M
        left_out += extent.heldout
        subsampled += extent.subsampled
        for j in range(extent.first, extent.last):
            left, right = block.left[j], block.right[j]
            assert 0 <= left <= j < right <= extent.n
            assert sampling.ids[block.positions[j]] == block.ids[j]
            around = [*block.ids[left:j], *block.ids[j + 1 : right]]
            if around:
                examples.append((around, block.ids[j]))
    expected = naive.epoch_examples(
        lines, keep, window=window, seed=seed, epoch=1, heldout=heldout,
        want_heldout=take_heldout,
    )  # fmt: skip
    assert examples == expected
    held_out = [naive.uniform(naive.stream(seed, 1), i) < heldout for i in range(len(lines))]
    assert left_out == sum(
        len(line) for line, out in zip(lines, held_out, strict=True) if out != take_heldout
    )
    assert subsampled <= T - left_out - len(expected)


def test_every_epoch_draws_anew_and_can_be_drawn_again():
    lines = [list(np.random.default_rng(0).integers(0, 10, 300))]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.05, 0.0, seed=1)

    def epoch(number):
        return [b.y.tolist() for b, _ in source.epoch(number, 32, Tally())]

    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)


def test_another_seed_is_another_draw():
    lines = [list(np.random.default_rng(0).integers(0, 10, 300))]
    corpus = corpus_of(lines, 10)
    one, two = (
        listed(ExampleSource(corpus, 5, 0.05, 0.0, seed).epoch(1, 32, Tally())) for seed in (1, 2)
    )
    assert one != two


def test_the_shares_rise_to_one_and_batches_are_even(monkeypatch):
    monkeypatch.setattr(examples_module, "BLOCK", 50)
    monkeypatch.setattr(examples_module, "POOL", 4)
    lines = [list(np.random.default_rng(0).integers(0, 10, 1000))]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.0, 0.0, seed=1)
    drawn = list(source.epoch(1, 64, Tally()))
    shares = [share for _, share in drawn]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {len(batch.y) for batch, _ in drawn} == {66, 67}


def test_the_heldout_draw_is_the_same_after_every_epoch_and_apart_from_training():
    rng = np.random.default_rng(0)
    lines = [[int(rng.integers(0, 10)) for _ in range(8)] for _ in range(200)]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.0, 0.25, seed=1)
    train, held = Tally(), Tally()
    seen = listed(source.epoch(1, 32, train))
    kept_back = listed(source.epoch(0, 32, held, heldout=True))
    assert len(seen) + len(kept_back) == 1600
    assert 0.15 < len(kept_back) / 1600 < 0.35
    assert train.heldout == held.examples


def test_a_line_of_one_word_has_no_example_and_is_counted():
    tally = Tally()
    source = ExampleSource(corpus_of([[0], [1], [0, 1]], 2), 5, 0.0, 0.0, seed=1)
    assert len(listed(source.epoch(1, 8, tally))) == 2
    assert (tally.isolated, tally.examples, tally.tokens) == (2, 2, 4)


@pytest.mark.slow
def test_a_long_rare_stretch_between_kept_words_is_searched_through(monkeypatch):
    # Words so frequent that hardly one is kept: the margin has to look far beyond the block.
    monkeypatch.setattr(examples_module, "BLOCK", 16)
    lines = [[0] * 4000 + [1] + [0] * 4000]
    corpus = corpus_of(lines, 2)
    source = ExampleSource(corpus, 3, 1e-5, 0.0, seed=1)
    ours = listed(source.epoch(1, 8, Tally()))
    theirs = naive.epoch_examples([corpus.ids.tolist()], source.keep, window=3, seed=1, epoch=1)
    assert ours == sorted(theirs)


def test_a_batch_mixes_words_from_all_over_the_text(monkeypatch):
    monkeypatch.setattr(examples_module, "BLOCK", 10)
    monkeypatch.setattr(examples_module, "POOL", 20)
    # Word i stands in the i-th tenth of the text only.
    lines = [[i] * 100 for i in range(10)]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.0, 0.0, seed=1)
    for batch, _ in source.epoch(1, 100, Tally()):
        assert len(set(batch.y.tolist())) >= 7


def test_a_line_that_is_held_out_has_no_margin():
    """However long it is, nothing beside the block is looked through."""
    seed = next(s for s in range(99) if naive.uniform(naive.stream(s, 1), 0) < 0.5)
    sampling = sampling_of([[0] * 200], np.ones(1), window=9, seed=seed, heldout=0.5)
    with np.errstate(over="ignore"):
        assert read_block(sampling, 64, 128, block_of(82)) == (0, 0, 0, 64, 0)


@pytest.mark.parametrize("batch", [10, 300, 2000])
def test_a_batch_may_be_larger_than_a_pool(monkeypatch, batch):
    monkeypatch.setattr(examples_module, "BLOCK", 10)
    monkeypatch.setattr(examples_module, "POOL", 4)
    lines = [list(np.random.default_rng(0).integers(0, 10, 1000)) for _ in range(4)]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.05, 0.0, seed=1)
    sizes = [len(drawn.y) for drawn, _ in source.epoch(1, batch, Tally())]
    assert min(sizes) > 0.5 * batch
    assert max(sizes) < 1.6 * batch


counts_lists = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)


@given(counts_lists, st.just(0.0) | st.floats(1e-12, 0.99))
def test_equals_the_plain_twin(counts, sample):
    ours = keep_probability(np.array(counts), sample)
    theirs = [naive.keep_probability(c, sum(counts), sample) for c in counts]
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_by_hand():
    # f = 0.04, t = 0.01: √(f/t) + 1 = 3, times t/f = 1/4
    assert keep_probability(np.array([4, 96]), 0.01)[0] == pytest.approx(0.75)


def test_zero_keeps_all():
    assert keep_probability(np.array([10, 1]), 0.0).tolist() == [1, 1]


@given(counts_lists, st.floats(1e-6, 0.5))
def test_rarer_words_are_kept_at_least_as_often(counts, sample):
    keep = keep_probability(np.array(sorted(counts)), sample)
    assert ((keep > 0) & (keep <= 1)).all()
    assert (np.diff(keep) <= 1e-15).all()


def test_target_distribution_is_count_times_chance():
    p = target_distribution(np.array([6, 2, 2]), np.array([0.5, 1.0, 0.5]))
    assert p == pytest.approx([0.5, 1 / 3, 1 / 6])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50).filter(lambda p: sum(p) > 1e-3))
def test_entropy_equals_scipy(weights):
    p = np.array(weights) / sum(weights)
    assert entropy(p) == pytest.approx(stats.entropy(p), abs=1e-12)


def test_entropy_of_equal_words_is_ln_v():
    assert entropy(np.full(7, 1 / 7)) == pytest.approx(math.log(7))
