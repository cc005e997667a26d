"""Drafts that are criticised, rewritten and rated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.fakes import FakeModelBackend
from tests.unit.prompting.strategies import ask, steps_of


def rated(*digits: int) -> list[Sequence[float]]:
    """Log-probabilities that make each digit nearly certain."""
    return [[math.log(0.96 if n == digit else 0.01) for n in range(1, 6)] for digit in digits]


def test_the_best_rated_draft_is_kept_not_the_last() -> None:
    model = FakeModelBackend(["First.", "Too short.", "Second, better.", "Too long.", "Third."], scores=rated(2, 4, 3))
    result = ask("self-refine", model, rounds=2)
    assert result.answer == "Second, better."
    ratings = [step.score for step in steps_of(result, "score")]
    assert [round(one, 1) for one in ratings if one is not None] == [0.3, 0.7, 0.5]
    assert [step.kind for step in steps_of(result)] == [
        "draft", "score", "critic", "draft", "score", "critic", "draft", "score",
    ]  # fmt: skip
    assert [message.role for message in model.requests[-1]] == ["user", "assistant", "user", "assistant", "user"]


def test_a_draft_that_is_good_enough_is_not_rewritten() -> None:
    model = FakeModelBackend(["First."], scores=rated(5))
    assert ask("self-refine", model).answer == "First."


def test_a_rewriting_that_says_nothing_ends_it() -> None:
    model = FakeModelBackend(["First.", "Hm.", ""], scores=rated(1))
    assert ask("self-refine", model).answer == "First."


def test_the_budget_ends_it_with_the_best_so_far() -> None:
    model = FakeModelBackend(["First.", "Hm.", "Second."], scores=rated(1, 2))
    result = ask("self-refine", model, rounds=4, max_nodes=2)
    assert result.answer == "Second."
    assert any("2 thoughts" in note for note in result.notices)
