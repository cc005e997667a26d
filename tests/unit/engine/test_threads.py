from __future__ import annotations

import pytest

from workbench.engine import threads
from workbench.engine.threads import ProcessorTimes, ThreadCount, free_threads, read_processor


@pytest.mark.parametrize(
    ("most", "others", "own", "expected"),
    [
        (2, 0.0, 2.0, 2),
        (2, 0.3, 1.7, 2),
        (2, 1.0, 1.0, 1),
        (2, 2.0, 0.0, 1),
        (8, 3.2, 4.8, 5),
        (8, 40.0, 1.0, 1),
        (1, 1, 1, 1),
    ],
)
def test_a_thread_less_for_each_core_that_others_use(most: int, others: float, own: float, expected: int) -> None:
    before = ProcessorTimes(10.0, 100.0, 50.0)
    after = ProcessorTimes(10.5, 100.0 + 0.5 * (others + own), 50.0 + 0.5 * own)
    assert free_threads(most, before, after) == expected


def test_it_looks_now_and_then_and_not_at_what_was_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, used = [0.0], [0.0]
    monkeypatch.setattr(threads.time, "monotonic", lambda: clock[0])
    count = ThreadCount(4, lambda: ProcessorTimes(clock[0], used[0], 0.0))
    clock[0], used[0] = 0.1, 0.3
    assert count.now() == 4  # too soon to look
    clock[0], used[0] = 0.5, 1.0
    assert count.now() == 2
    clock[0], used[0] = 1.0, 3.0  # others work on all cores, and are done when the next request comes
    count.begin()
    assert count.now() == 2
    clock[0] = 1.5
    assert count.now() == 4


def test_the_processor_can_be_read() -> None:
    first = read_processor()
    sum(range(2_000_000))
    second = read_processor()
    assert second.at > first.at
    assert second.everyone >= first.everyone > 0
    assert second.own >= first.own > 0
