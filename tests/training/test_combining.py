"""How the changes of several workers become one: against plain loops, and what must always hold."""

import naive_training as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbow.training.combining import (
    by_agreement,
    changed,
    combine_rows,
    cut,
    joined,
    keep_means,
    part_of,
)
from cbow.training.kernels import Tables


def drawn(seed, workers, V=6, N=3, buckets=2, dtype=np.float64):
    """Parameters, and what each worker has made of them; some rows are left as they are."""
    rng = np.random.default_rng(seed)

    def tables(W1T, b1, W2, b2):
        return Tables(*(np.asarray(array, dtype) for array in (W1T, b1, W2, b2)))

    W2 = rng.normal(size=(V, N))
    before = tables(rng.normal(size=(V + buckets, N)), rng.normal(size=N), W2 - W2.mean(0),
                    rng.normal(size=V))  # fmt: skip
    after = []
    for _ in range(workers):
        some1, some2 = rng.random(V + buckets) < 0.7, rng.random(V) < 0.7
        after.append(
            tables(
                before.W1T + some1[:, None] * rng.normal(size=(V + buckets, N)),
                before.b1 + rng.normal(size=N),
                before.W2 + some2[:, None] * rng.normal(size=(V, N)),
                before.b2 + some2 * rng.normal(size=V),
            )
        )
    weights = rng.random(V + buckets)
    return before, after, weights / weights.sum()


def combine(before, changes, weights):
    """The rule with all rows in one place."""
    (piece,) = cut(before, weights, 1)
    tables, sums = combine_rows(piece, changes)
    return keep_means(tables, [sums])


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


some = st.integers(0, 2**32), st.integers(2, 6)


class TestTheRule:
    @given(*some)
    def test_it_is_the_plain_loops(self, seed, workers):
        before, after, weights = drawn(seed, workers)
        new = combine(before, [changed(before, each) for each in after], weights)
        left = Tables(*([getattr(e, n).tolist() for e in after] for n in Tables._fields))
        close(new.W1T, naive.combine(before.W1T.tolist(), left.W1T, weights.tolist()))
        close(new.b1, np.mean(left.b1, axis=0))
        close(new.W2, naive.without_mean(naive.combine(before.W2.tolist(), left.W2)))
        b2 = naive.combine(
            [[x] for x in before.b2.tolist()], [[[x] for x in each] for each in left.b2]
        )
        close(new.b2, np.ravel(naive.without_mean(b2)) + before.b2.mean())

    @given(st.integers(0, 2**32))
    def test_what_one_worker_learned_is_taken_to_the_last_bit(self, seed):
        before, (after,), weights = drawn(seed, 1, dtype=np.float32)
        new = combine(before, [changed(before, after)], weights)
        for one, other in zip(new, after, strict=True):
            assert one.tobytes() == other.tobytes()
        assert not np.shares_memory(new.W1T, before.W1T)

    @given(*some)
    def test_changes_that_are_orthogonal_add_up(self, seed, workers):
        rng = np.random.default_rng(seed)
        directions = np.linalg.qr(rng.normal(size=(workers, workers)))[0]  # rows at right angles
        row = rng.normal(size=(1, workers))
        d = directions * rng.normal(size=(workers, 1))
        new = by_agreement(row, [([0], row + each) for each in d])
        close(new, row + d.sum(axis=0))

    @given(*some)
    def test_changes_that_are_equal_are_averaged(self, seed, workers):
        rng = np.random.default_rng(seed)
        row, d = rng.normal(size=(2, 1, 4))
        close(by_agreement(row, [([0], row + d)] * workers), row + d)

    @given(*some)
    def test_no_row_moves_farther_than_the_sum_or_less_than_the_mean(self, seed, workers):
        before, after, _ = drawn(seed, workers)
        moved = by_agreement(before.W2, [(changed(before, e).W2_rows, changed(before, e).W2)
                                         for e in after]) - before.W2  # fmt: skip
        total = np.sum([each.W2 - before.W2 for each in after], axis=0)
        lengths, longest = (np.linalg.norm(x, axis=1) for x in (moved, total))
        assert (lengths <= longest + 1e-10).all()
        assert (lengths >= longest / workers - 1e-10).all()

    @given(*some, st.randoms(use_true_random=False))
    def test_the_order_of_the_workers_is_the_order_of_addition_and_nothing_else(
        self, seed, workers, shuffle
    ):
        before, after, weights = drawn(seed, workers)
        changes = [changed(before, each) for each in after]
        new = combine(before, changes, weights)
        again = combine(before, changes, weights)
        shuffle.shuffle(changes)
        for one, same, other in zip(new, again, combine(before, changes, weights), strict=True):
            assert one.tobytes() == same.tobytes()
            close(one, other)


class TestWhatAllRowsShare:
    @given(*some)
    def test_the_mean_row_of_w1_moves_as_far_as_in_the_workers_on_average(self, seed, workers):
        before, after, r = drawn(seed, workers)
        new = combine(before, [changed(before, each) for each in after], r)
        close(r @ new.W1T, np.mean([r @ each.W1T for each in after], axis=0))

    @given(*some)
    def test_what_softmax_does_not_see_stays(self, seed, workers):
        before, after, weights = drawn(seed, workers)
        new = combine(before, [changed(before, each) for each in after], weights)
        close(new.W2.mean(axis=0), 0)
        close(new.b2.mean(), before.b2.mean())


class TestPieces:
    @given(st.integers(0, 2**32), st.integers(1, 9))
    def test_joined_they_are_what_was_cut(self, seed, p):
        before, _, weights = drawn(seed, 1)
        pieces = cut(before, weights, p)
        for one, other in zip(joined([each.tables for each in pieces]), before, strict=True):
            assert one.tobytes() == other.tobytes()
            assert not np.shares_memory(one, other)
        close(sum(each.r.sum() for each in pieces), 1)

    @given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 9))
    def test_combined_apart_they_are_combined_together(self, seed, workers, p):
        """With more pieces than rows, too: then some have none."""
        before, after, weights = drawn(seed, workers)
        pieces = cut(before, weights, p)
        combined = [
            combine_rows(piece, [changed(piece.tables, part_of(each, o, p)) for each in after])
            for o, piece in enumerate(pieces)
        ]
        kept = [array.tobytes() for tables, _ in combined for array in tables]
        new = joined([keep_means(tables, [sums for _, sums in combined]) for tables, _ in combined])
        whole = combine(before, [changed(before, each) for each in after], weights)
        for one, other in zip(new, whole, strict=True):
            close(one, other)
        assert kept == [array.tobytes() for tables, _ in combined for array in tables]


class TestChanges:
    @given(st.integers(0, 2**32))
    def test_only_rows_that_differ_are_sent(self, seed):
        before, (after,), _ = drawn(seed, 1)
        change = changed(before, after)
        for rows, new, name in (
            (change.W1T_rows, change.W1T, "W1T"),
            (change.W2_rows, change.W2, "W2"),
        ):
            table = getattr(before, name).copy()
            table[rows] = new
            assert table.tobytes() == getattr(after, name).tobytes()
            same = np.delete(np.arange(len(table)), rows)
            assert (table[same] == getattr(before, name)[same]).all()
            assert (new != getattr(before, name)[rows]).any(axis=1).all()
        assert change.nbytes == sum(array.nbytes for array in change)

    def test_nothing_changed_is_nothing_sent(self):
        before, _, weights = drawn(1, 1)
        none = changed(before, before)
        assert len(none.W1T_rows) == len(none.W2_rows) == 0
        for one, other in zip(combine(before, [none, none], weights), before, strict=True):
            close(one, other)

    @pytest.mark.parametrize("worker", [0, 1])
    def test_a_number_that_is_none_stays_to_be_seen(self, worker):
        before, after, weights = drawn(2, 2)
        after[worker].W2[3] = np.nan
        new = combine(before, [changed(before, each) for each in after], weights)
        assert np.isnan(new.W2[3]).all()
