"""How quick a training is and how long it will take: by what was measured, without compiling."""

import pytest

from cbow.system.compiled import made_here
from cbow.training import Baselines, Plan, Step, progress
from cbow.training.defaults import Fitted
from cbow.training.progress import Pace, Rate

FITTED = Fitted("exact", 2, 5, 0.0, 512, "adam", 0.005, 128, "")
#: 100 tokens, whose losses take 3 s.
PLAN = Plan(7, 80, 100, Baselines(2.0, 1.5), FITTED, loss_seconds=3.0)


@pytest.fixture
def clock(monkeypatch):
    """Return a list that holds the time."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "made_here", [])
    return now


def steps(clock, watch, *times):
    """Make the steps (seconds, epoch, tokens done) of a training of four epochs."""
    for seconds, epoch, done in times:
        clock[0] = seconds
        step = Step(epoch, done, 400, 1.0)
        watch.step(step)
    return step


def test_a_rate(clock):
    rate = Rate(10)
    assert rate.per_second is None
    clock[0] = 2.0
    rate.reach(30)
    assert rate.per_second == 10
    clock[0] = 4.0
    assert rate.skip(90) == (60, 2.0)
    clock[0] = 5.0
    rate.reach(130)
    assert (rate.amount, rate.seconds, rate.per_second) == (60, 3.0, 20)


def test_no_rate_counts_the_making_of_code(clock):
    rate = Rate()
    clock[0] = 100.0
    progress.made_here.append("a kernel")
    rate.reach(10)
    assert rate.per_second is None
    clock[0] = 101.0
    rate.reach(15)
    assert rate.per_second == 5


def test_kernels_that_are_made_are_known_by_a_list():
    assert progress.made_here is made_here


def test_nothing_is_told_before_something_was_measured(clock):
    watch = Pace(PLAN)
    step = steps(clock, watch, (0, 1, 10))
    assert watch.seconds_left(step) is None
    assert watch.line(step) == ""


def test_the_losses_of_every_epoch_are_counted(clock):
    watch = Pace(PLAN)
    step = steps(clock, watch, (5, 1, 50))
    assert watch.seconds_left(step) == 35 + 4 * 3
    assert watch.line(step) == ", 10 tokens/s, 47 s left"
    step = steps(clock, watch, (10, 1, 100))
    assert watch.seconds_left(step) == 30 + 4 * 3


def test_what_was_seen_between_two_epochs_takes_the_place_of_the_plan(clock):
    watch = Pace(PLAN)
    step = steps(clock, watch, (5, 1, 50), (10, 1, 100), (15 + 7, 2, 150), (27, 2, 200))
    assert watch.learning.seconds == 20
    assert watch.seconds_left(step) == 20 + 3 * 7
    step = steps(clock, watch, (32 + 9, 3, 250))
    assert watch.seconds_left(step) == 15 + 2 * 8
    step = steps(clock, watch, (42, 4, 400))  # in 1 s what took 15 + 8
    assert watch.learning.seconds == pytest.approx(25 + 15 / 23)
    assert watch.seconds_left(step) == pytest.approx((16 + 8 / 23) / 3)


def test_a_slow_first_epoch_of_one_step_is_not_held_against_the_others(clock):
    watch = Pace(PLAN._replace(loss_seconds=0.0))
    step = steps(clock, watch, (10, 1, 100), (14, 2, 200), (18, 3, 300))
    assert watch.seconds_left(step) == pytest.approx(100 / (300 / (10 + 4 + 4)))


def test_code_that_is_made_between_two_epochs_says_nothing_of_them(clock):
    watch = Pace(PLAN)
    steps(clock, watch, (5, 1, 50), (10, 1, 100))
    progress.made_here.append("a kernel")
    step = steps(clock, watch, (100, 2, 150))
    assert watch.seconds_left(step) == 25 + 3 * 3


def test_only_this_run_is_measured(clock):
    watch = Pace(PLAN)
    clock[0] = 50
    watch.resume(150)
    step = steps(clock, watch, (55, 2, 200))
    assert watch.seconds_left(step) == 20 + 3 * 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59, "59 s"), (60, "1:00"), (185, "3:05"), (7384, "2:03:04")],
)
def test_how_a_duration_is_written(seconds, text):
    assert progress.clock(seconds) == text
