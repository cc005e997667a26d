from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from workbench.techniques.decoding.reading_time import ReadingTime


def told(seconds_of: Callable[[int], float], parts: Sequence[int], total: int) -> list[tuple[float | None, float]]:
    """What is said after each of ``parts``, tokens read, over what the rest then takes."""
    reading = ReadingTime()
    said = [(part, reading.left(100 + seconds_of(part), part, total)) for part in parts]
    return [(left, seconds_of(total) - seconds_of(part)) for part, left in said]


def test_tokens_that_cost_more_the_later_they_come_are_expected() -> None:
    pairs = told(lambda n: 0.004 * n + 1.5e-6 * n * n, range(0, 4000, 512), 4000)
    assert pairs[0][0] is None
    assert [left for left, _ in pairs[2:]] == pytest.approx([rest for _, rest in pairs[2:]], rel=1e-6)
    first, rest_after_it = pairs[1]
    assert first is not None
    assert first < rest_after_it  # of a single part it cannot be seen


def test_a_prompt_of_which_a_part_was_known_counts_from_there() -> None:
    pairs = told(lambda n: 0.004 * n + 1.5e-6 * n * n, range(2000, 6000, 512), 6000)
    assert [left for left, _ in pairs[2:]] == pytest.approx([rest for _, rest in pairs[2:]], rel=1e-6)


def test_a_reading_that_gets_faster_is_not_said_to_end_before_now() -> None:
    pairs = told(lambda n: 10 * n**0.5, range(0, 4000, 512), 4000)
    assert all(left is not None and left > 0 for left, _ in pairs[1:])
