"""Drafts that are criticised, rewritten and rated."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import pytest

from tests.fakes import FakeModelBackend, FakeRetriever, passage
from tests.unit.prompting.strategies import ask, steps_of
from workbench.engine.inference_calls import Score
from workbench.records.answers import AskResult
from workbench.techniques.prompting.self_refine import BETTER, CALCULATED, NO_BETTER, SETTLED, SUPPORTED, UNDECIDED


def rated(*digits: int, preferring: str = "") -> Callable[[Score], Sequence[float]]:
    """Log-probabilities that make each digit nearly certain, and of two answers the one that holds a text, or else the
    first that is read."""
    left = deque(digits)

    def score(asked: Score) -> Sequence[float]:
        if len(asked.continuations) == 2:
            first, _, second = asked.messages[-1].content.partition("Answer B: ")
            chosen = 1 if preferring and preferring in second and preferring not in first else 0
            return [0.0 if place == chosen else -5.0 for place in range(2)]
        digit = left.popleft()
        return [math.log(0.96 if n == digit else 0.01) for n in range(1, 6)]

    return score


def verdicts(result: AskResult) -> list[str]:
    return [step.output for step in steps_of(result, "verdict")]


def test_the_best_rated_draft_is_kept_not_the_last() -> None:
    scores = rated(2, 4, 3, preferring="better")
    model = FakeModelBackend(["First.", "Too short.", "Second, better.", "Too long.", "Third."], scores=scores)
    result = ask("self-refine", model, rounds=2)
    assert result.answer == "Second, better."
    outer = [step for step in steps_of(result) if not step.parent]
    assert [step.kind for step in outer] == [
        "draft", "score", "critic", "draft", "score", "verdict", "critic", "draft", "score", "verdict",
    ]  # fmt: skip
    ratings = [step.score for step in outer if step.kind == "score"]
    assert [round(one, 1) for one in ratings if one is not None] == [0.3, 0.7, 0.5]
    assert verdicts(result) == [BETTER, NO_BETTER]
    assert [message.role for message in model.requests[-1]] == ["user", "assistant", "user", "assistant", "user"]


def test_a_draft_that_is_good_enough_is_not_rewritten() -> None:
    model = FakeModelBackend(["First."], scores=rated(5))
    assert ask("self-refine", model).answer == "First."


def test_a_rewriting_that_says_nothing_ends_it() -> None:
    model = FakeModelBackend(["First.", "Hm.", ""], scores=rated(1))
    assert ask("self-refine", model).answer == "First."


def test_the_budget_ends_it_with_the_best_so_far() -> None:
    model = FakeModelBackend(["First.", "Hm.", "Second."], scores=rated(1, 2, preferring="Second"))
    result = ask("self-refine", model, rounds=4, max_nodes=2)
    assert result.answer == "Second."
    assert any("2 thoughts" in note for note in result.notices)


def test_a_rewriting_that_is_preferred_in_one_order_only_leaves_the_draft() -> None:
    model = FakeModelBackend(["First.", "Hm.", "Second."], scores=rated(1, 5))
    result = ask("self-refine", model)
    assert result.answer == "First."
    assert verdicts(result) == [UNDECIDED]


def test_a_rewriting_that_is_rated_the_same_leaves_the_draft() -> None:
    model = FakeModelBackend(["First.", "Hm.", "Second."], scores=rated(2, 2, preferring="Second"))
    result = ask("self-refine", model, rounds=1)
    assert (result.answer, verdicts(result)) == ("First.", [NO_BETTER])


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [("3 + 8 = 11", "3 + 8 = 12", CALCULATED), ("3 + 8 = 12", "3 + 8 = 11", BETTER)],
)
def test_equations_are_calculated_whatever_the_ratings_say(first: str, second: str, verdict: str) -> None:
    ratings = (1, 5) if verdict == CALCULATED else (3, 1)
    model = FakeModelBackend([first, "Hm.", second], scores=rated(*ratings, preferring=second))
    result = ask("self-refine", model, rounds=1)
    assert (result.answer, verdicts(result)) == ("3 + 8 = 11", [verdict])


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("The pump weighs 15 kg.", "The pump weighs 12 kg.", BETTER),
        ("The pump weighs 15 kg.", "I cannot tell.", SUPPORTED),
    ],
)
def test_passages_decide_whatever_the_ratings_say(first: str, second: str, verdict: str) -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    ratings = (3, 1) if verdict == BETTER else (1, 5)
    scores = rated(*ratings, preferring=second)
    model = FakeModelBackend([first, "Hm.", second], scores=scores, parameters=1_500_000_000)
    result = ask("self-refine", model, question="What does the pump weigh?", retriever=retriever, rounds=1)
    kept = second if verdict == BETTER else first
    assert result.answer.startswith(kept.rstrip("."))
    assert verdicts(result) == [verdict]


def test_a_draft_that_the_passages_support_is_not_rewritten() -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg and is painted red.")])
    model = FakeModelBackend(["The pump weighs 12 kg."], scores=rated(1), parameters=1_500_000_000)
    result = ask("self-refine", model, question="What does the pump weigh?", retriever=retriever)
    assert result.answer == "The pump weighs 12 kg [1]."
    assert verdicts(result) == [SETTLED]
    assert len(model.requests) == 1
