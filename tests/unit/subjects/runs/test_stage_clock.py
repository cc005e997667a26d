"""One share for all stages of a training, which only grows, and the time that is left of the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.api.events import Progress
from workbench.records.training import StageTime
from workbench.subjects.runs.stage_clock import StageClock

STAGES = (
    StageTime("loading", 10),
    StageTime("scoring before", 20),
    StageTime("training", 40),
    StageTime("scoring after", 20),
    StageTime("verification", 10),
)
WHOLE = (
    ("checking the model", 0, 0),
    ("reading the examples", 0, 0),
    ("loading the model", 50, 100),
    ("loading the model", 100, 100),
    ("scoring before", 0, 36),
    ("scoring before", 18, 36),
    ("scoring before", 36, 36),
    ("training", 1, 4),
    ("evaluating", 0, 4),
    ("evaluating", 4, 4),
    ("training", 2, 4),
    ("rollouts", 0, 16),
    ("rollouts", 16, 16),
    ("training", 4, 4),
    ("scoring after", 0, 30),
    ("scoring after", 30, 30),
    ("merging", 0, 100),
    ("loading", 0, 1),
    ("checking", 2, 2),
)


class Time:
    def __init__(self, *at: float) -> None:
        self._at: Iterator[float] = iter(at)

    def __call__(self) -> float:
        return next(self._at)


def test_the_share_of_the_whole_only_grows_and_ends_at_all() -> None:
    clock = StageClock(STAGES, Time(*range(len(WHOLE) + 1)))
    shares = [clock.timed(Progress(stage=stage, done=done, total=total)).overall for stage, done, total in WHOLE]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert shares[0] == 0
    assert shares[4] == pytest.approx(0.1)
    assert shares[5] == pytest.approx(0.2)
    assert shares[7] == shares[8] == shares[9] == pytest.approx(0.4)  # an evaluation is a pause between two steps
    assert shares[10] == shares[11] == shares[12] == pytest.approx(0.5)  # and so is what the plan does not name
    assert shares[-1] == 0.99  # until the run has ended
    last = StageClock(STAGES, Time(*range(2))).timed(Progress(stage=WHOLE[-1][0], done=1, total=1))
    assert last.seconds_left is None


def test_the_time_left_is_that_of_all_stages_and_follows_the_pace() -> None:
    clock = StageClock(STAGES, Time(0, 1, 60, 90))
    # 5 of 100 planned seconds took one; 10 more count as if they had taken 10
    left = clock.timed(Progress(stage="loading the model", done=50, total=100)).seconds_left
    assert left == pytest.approx(95 * (1 + 10) / (5 + 10))
    left = clock.timed(Progress(stage="scoring before", done=36, total=36)).seconds_left
    assert left == pytest.approx(70 * (60 + 10) / (30 + 10))
    told = clock.timed(Progress(stage="training", done=0, total=2, unit="steps"))
    assert (told.done, told.total, told.unit) == (0, 2, "steps")
    assert told.seconds_left == pytest.approx(70 * (90 + 10) / (30 + 10))


def test_what_an_earlier_start_has_done_says_nothing_of_the_pace() -> None:
    clock = StageClock(STAGES, Time(0, 10, 20))
    clock.timed(Progress(stage="loading the model", done=100, total=100))
    resumed = clock.timed(Progress(stage="training", done=30, total=40))  # scored before, and 30 of 40 steps done
    assert resumed.overall == pytest.approx(0.6)
    assert resumed.seconds_left == pytest.approx(40 * (20 + 10) / (10 + 10))


def test_without_a_plan_a_progress_stays_as_it_is() -> None:
    told = Progress(stage="training", done=1, total=2)
    assert StageClock(()).timed(told) is told
    other = Progress(stage="waiting for the previous worker to save its checkpoint")
    assert StageClock(STAGES).timed(other) is other
