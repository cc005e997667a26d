"""Best of n: the candidate that the reward model scores highest is the answer."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.fakes import FakeModelBackend, FakeServices
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest


def asked(answers: list[str], **options: Any) -> tuple[list[events.Event], FakeModelBackend]:
    recipe = Recipe(prompting=PromptingPart(technique="best-of-n", options=options))
    request = AnswerRequest(recipe=recipe, conversation=(Message("user", "How long?"),))
    model = FakeModelBackend(answers)
    return list(answer(request, FakeServices(model), RequestContext())), model


def test_the_candidate_with_the_highest_score_is_the_answer() -> None:
    told, _ = asked(["Short.", "A much longer one.", "Middling."], candidates=3, reward_model="taste")
    assert isinstance(told[-1], events.Finished)
    result = msgspec.convert(told[-1].result, AskResult)
    assert result.answer == "A much longer one."
    assert "".join(e.text for e in told if isinstance(e, events.TextDelta) and not e.step) == result.answer
    assert result.trace is not None
    *drawn, ranked = result.trace.steps
    assert [step.output for step in drawn] == ["Short.", "A much longer one.", "Middling."]
    assert ranked.output == "6.00 · 18.00 · 9.00"
    assert ranked.score == 18.0


def test_candidates_are_drawn_even_where_the_recipe_is_greedy() -> None:
    _, model = asked(["One.", "Two."], candidates=2, reward_model="taste")
    assert all(one.temperature > 0 for one in model.decodings)
    assert len({one.seed for one in model.decodings}) == 2


def test_a_reward_model_that_is_not_there_is_refused_before_anything_is_generated() -> None:
    for options, why in ((dict[str, Any](), "No reward model"), ({"reward_model": "other"}, "other")):
        told, _ = asked([], **options)
        assert isinstance(told[-1], events.Failed)
        assert why in told[-1].message
        assert not any(isinstance(e, events.StepStarted) for e in told)
