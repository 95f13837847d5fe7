"""Where labels go: seen as rectangles, and against a general solver."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from cbow.plot.loss import spread
from cbow.plot.words import RINGS, place

GAP = 6.0
BOUNDS = np.array([0.0, 0.0, 800.0, 600.0])


def overlap(a, b):
    """The area two boxes share, written out."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)


def overlaps(boxes):
    return sum(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])


def labels_of(points, width=60.0):
    points = np.array(points, float)
    return points, np.tile([width, 15.0], (len(points), 1))


def distance(box, point):
    """From a point to the nearest place of a box, along each axis."""
    return np.maximum(np.maximum(box[:2] - point, point - box[2:]), 0)


point = st.tuples(st.floats(0, 800), st.floats(0, 600))


@pytest.mark.slow
@given(st.lists(point, min_size=1, max_size=12), st.integers(5, 200))
def test_each_label_keeps_its_size_and_its_point(points, width):
    points, sizes = labels_of(points, width)
    boxes, near = place(points, sizes, BOUNDS, GAP)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], sizes)
    far = [distance(box, point).max() for box, point in zip(boxes, points, strict=True)]
    assert (np.array(far) <= max(RINGS) * GAP + 1e-9).all()
    assert (np.array(far)[near] <= GAP + 1e-9).all()
    assert (np.array(far)[~near] > GAP).all()


@pytest.mark.parametrize("seed", range(8))
def test_labels_that_find_no_place_beside_their_point_are_known(seed):
    points, sizes = labels_of(np.random.default_rng(seed).uniform(300, 400, (40, 2)))
    boxes, near = place(points, sizes, BOUNDS, GAP)
    far = [distance(box, point).max() / GAP for box, point in zip(boxes, points, strict=True)]
    assert set(np.round(far, 9)) == set(RINGS)
    np.testing.assert_array_equal(near, np.round(far, 9) == 1)


@given(st.lists(point, min_size=1, max_size=12))
def test_no_label_covers_its_own_point(points):
    points, sizes = labels_of(points)
    boxes, _ = place(points, sizes, BOUNDS, GAP)
    for box, point in zip(boxes, points, strict=True):
        assert distance(box, point).max() >= GAP - 1e-9


def test_a_point_alone_has_its_label_on_the_right():
    boxes, near = place(*labels_of([(400, 300)]), BOUNDS, GAP)
    np.testing.assert_allclose(boxes, [[406, 292.5, 466, 307.5]])
    assert near.all()


@pytest.mark.parametrize("corner", [(0, 0), (800, 0), (0, 600), (800, 600), (800, 300), (400, 600)])
def test_labels_stay_inside(corner):
    [box], _ = place(*labels_of([corner]), BOUNDS, GAP)
    assert (box[:2] >= 0).all()
    assert (box[2:] <= BOUNDS[2:]).all()


@pytest.mark.parametrize("many", [2, 3, 5, 8])
def test_labels_of_one_point_do_not_cover_each_other(many):
    boxes, _ = place(*labels_of([(400, 300)] * many), BOUNDS, GAP)
    assert overlaps(boxes) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_crowd_is_untangled(seed):
    points, sizes = labels_of(np.random.default_rng(seed).uniform(200, 450, (30, 2)))
    boxes, _ = place(points, sizes, BOUNDS, GAP)
    right = np.hstack([points, points]) + np.array([GAP, -7.5, GAP + 60, 7.5])
    assert overlaps(right) > 2000
    assert overlaps(boxes) < 0.005 * overlaps(right)
    covered = [overlap(box, (*point, *point + 1)) for box in boxes for point in points]
    assert sum(c > 0 for c in covered) <= 2


def test_a_label_does_not_touch_the_next_point():
    # On the right it would end at the second point and seem to be its label.
    boxes, _ = place(*labels_of([(400, 300), (470, 300)]), BOUNDS, GAP)
    assert distance(boxes[0], np.array([470, 300])).max() >= 1.5 * GAP


def test_the_same_points_give_the_same_places():
    points, sizes = labels_of(np.random.default_rng(1).uniform(200, 400, (40, 2)))
    one, other = (place(points, sizes, BOUNDS, GAP) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_it_ends_even_if_it_never_settles(monkeypatch):
    monkeypatch.setattr("cbow.plot.words.ROUNDS", 1)
    points, sizes = labels_of(np.random.default_rng(1).uniform(300, 400, (40, 2)))
    boxes, _ = place(points, sizes, BOUNDS, GAP)
    assert boxes.shape == (40, 4)


heights = st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1, max_size=7)


@given(heights, st.floats(0.5, 14))
def test_names_are_apart_and_inside(wanted, gap):
    places = spread(np.array(wanted), gap, 0, 100)
    assert (places >= -1e-9).all()
    assert (places <= 100 + 1e-9).all()
    assert (np.diff(np.sort(places)) >= gap - 1e-9).all()
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(places[order]) > 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_no_name_moves_farther_than_it_must(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    gap = rng.uniform(5, 100 / k)
    wanted = np.sort(rng.uniform(-10, 110, k)) if seed % 3 else np.full(k, rng.uniform(0, 100))
    found = minimize(
        lambda x: ((x - wanted) ** 2).sum(),
        np.linspace(5, 95, k),
        method="SLSQP",
        bounds=[(0, 100)] * k,
        constraints={"type": "ineq", "fun": lambda x: np.diff(x) - gap},
    )
    np.testing.assert_allclose(spread(wanted, gap, 0, 100), found.x, atol=1e-3)


def test_names_that_have_room_stay():
    np.testing.assert_allclose(spread(np.array([70.0, 10, 40]), 14, 0, 100), [70, 10, 40])


def test_too_many_names_for_the_room_go_beyond_its_top():
    np.testing.assert_allclose(spread(np.full(5, 50.0), 30, 0, 100), [0, 30, 60, 90, 120])
