"""Windows and examples: equal to a plain twin, whatever the blocks."""

import itertools

import naive_training as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cbow.training.examples as examples_module
from cbow.text import EncodedCorpus, TokenAccount, Vocabulary
from cbow.training.examples import ExampleSource, Tally
from cbow.training.windows import context_positions, windows


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


@given(
    lines=lines_of_ids,
    window=st.integers(1, 6),
    block=st.sampled_from([1, 2, 3, 7, 20, 1000]),
    pool=st.sampled_from([1, 2, 5, 64]),
    sample=st.sampled_from([0.0, 0.01, 0.2]),
    heldout=st.sampled_from([0.0, 0.3]),
    epoch=st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
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
def test_windows_and_their_contexts(jumps, largest, random):
    line = np.cumsum(jumps)
    radius = np.array([random.randint(1, largest) for _ in line])
    these = windows(line, radius)
    positions, indptr = context_positions(these)
    for t in range(len(line)):
        around = [
            j for j in range(t - radius[t], t + radius[t] + 1)
            if 0 <= j < len(line) and j != t and line[j] == line[t]
        ]  # fmt: skip
        assert positions[indptr[t] : indptr[t + 1]].tolist() == around
        assert these.size[t] == len(around)


def test_the_window_stops_at_the_line_end():
    these = windows(np.array([0, 0, 1, 1, 1]), np.full(5, 9))
    assert these.left.tolist() == [0, 0, 2, 2, 2]
    assert these.right.tolist() == [2, 2, 5, 5, 5]


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


def test_a_long_line_that_is_held_out_is_not_searched_through(monkeypatch):
    monkeypatch.setattr(examples_module, "BLOCK", 64)
    rng = np.random.default_rng(0)
    lines = [rng.integers(0, 5, 20_000).tolist(), rng.integers(0, 5, 20_000).tolist()]
    seed = next(s for s in range(99) if sum(kept_back(s, i) for i in range(2)) == 1)
    source = ExampleSource(corpus_of(lines, 5), 3, 0.0, 0.5, seed)
    looked_at = []
    keep = source._kept
    monkeypatch.setattr(
        source, "_kept", lambda a, b, *more: (looked_at.append(b - a), keep(a, b, *more))[1]
    )
    assert len(listed(source.epoch(1, 512, Tally()))) == 20_000
    assert sum(looked_at) < 2 * 40_000


def kept_back(seed, line):
    return naive.uniform(naive.stream(seed, 1), line) < 0.5


@pytest.mark.parametrize("batch", [10, 300, 2000])
def test_a_batch_may_be_larger_than_a_pool(monkeypatch, batch):
    monkeypatch.setattr(examples_module, "BLOCK", 10)
    monkeypatch.setattr(examples_module, "POOL", 4)
    lines = [list(np.random.default_rng(0).integers(0, 10, 1000)) for _ in range(4)]
    source = ExampleSource(corpus_of(lines, 10), 5, 0.05, 0.0, seed=1)
    sizes = [len(drawn.y) for drawn, _ in source.epoch(1, batch, Tally())]
    assert min(sizes) > 0.5 * batch
    assert max(sizes) < 1.6 * batch


@pytest.mark.parametrize(
    ("tokens", "heldout", "batch"),
    [(100, 0.0, 64), (40_000, 0.0, 200), (40_000, 0.25, 150), (10**6, 0.0, 1024)],
)
def test_a_batch_that_is_not_given_is_fitted_to_the_text(tokens, heldout, batch):
    source = ExampleSource(corpus_of([[0, 1] * (tokens // 2)], 2), 5, 0.0, heldout, seed=1)
    assert source.batch_size(None) == batch
    assert source.batch_size(7) == 7
