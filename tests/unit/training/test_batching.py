"""Steps, passes and shares, counted."""

from __future__ import annotations

import random

import pytest

from workbench.training.batching import (
    Schedule,
    count_steps,
    epoch_order,
    make_micro_batches,
    share_out,
)


def test_every_epoch_sees_every_example_once_in_an_order_of_its_own() -> None:
    schedule = Schedule(examples=10, batch=4, seed=3)
    drawn = [place for step in range(5) for place in schedule.step(step)]
    assert sorted(drawn[:10]) == sorted(drawn[10:20]) == list(range(10))
    assert drawn[:10] != drawn[10:20]
    assert all(len(schedule.step(step)) == 4 for step in range(9))


def test_a_step_is_told_without_those_before_it() -> None:
    schedule = Schedule(examples=7, batch=3, seed=1)
    forwards = [schedule.step(step) for step in range(12)]
    assert [Schedule(7, 3, 1).step(step) for step in reversed(range(12))] == forwards[::-1]
    assert epoch_order(7, 1, 0) != epoch_order(7, 2, 0)


def test_steps_are_counted_from_epochs() -> None:
    assert count_steps(64, 8, 3) == 24
    assert count_steps(10, 4, 1) == 3
    assert count_steps(10, 4, 0.1) == 1
    assert count_steps(3, 8, 2) == 2  # a batch is at most all of them
    assert count_steps(64, 8, 3, steps=5) == 5


def test_passes_hold_every_row_once_and_keep_to_their_size() -> None:
    numbers = random.Random(0)
    for _ in range(50):
        lengths = [numbers.randint(1, 300) for _ in range(numbers.randint(1, 40))]
        passes = make_micro_batches(lengths, 512)
        assert sorted(row for rows in passes for row in rows) == list(range(len(lengths)))
        for rows in passes:
            assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= 512


def test_rows_of_unequal_length_are_not_padded_to_the_longest() -> None:
    lengths = [500, 20, 22, 480, 21, 19, 20, 18]
    passes = make_micro_batches(lengths, 4096)
    padded = sum(len(rows) * max(lengths[row] for row in rows) for rows in passes)
    assert padded < 1.1 * sum(lengths)
    assert [sorted(lengths[row] for row in rows) for rows in passes] == [[480, 500], [18, 19, 20, 20, 21, 22]]


def test_rows_of_one_length_are_one_pass() -> None:
    assert make_micro_batches([30] * 8, 1024) == [list(range(8))]


def test_an_example_longer_than_a_pass_is_one_by_itself() -> None:
    assert make_micro_batches([5000, 10], 1024) == [[0], [1]]


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_shares_are_complete_apart_and_balanced(processes: int) -> None:
    lengths = [100, 90, 10, 10, 80, 70, 5, 5, 60, 20]
    shares = share_out(lengths, processes)
    assert sorted(place for share in shares for place in share) == list(range(len(lengths)))
    loads = [sum(lengths[place] for place in share) for share in shares]
    assert max(loads) - min(loads) <= max(lengths)


def test_with_few_examples_some_processes_get_none() -> None:
    assert share_out([7], 3) == [[0], [], []]
