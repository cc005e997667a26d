"""Teams: a supervisor chooses specialists, or two debate before a judge; all on one model."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.agents import ScriptedModel
from tests.fakes import FakeModelBackend, FakeServices
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.engine.inference_calls import Score
from workbench.records.answers import AskResult, PromptText
from workbench.records.messages import Message
from workbench.records.recipes import AdapterUse, AgentPart, ModelPart, PromptingPart, Recipe
from workbench.records.trace import TraceStep
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.preview import preview
from workbench.subjects.answering.request import AnswerRequest

QUESTION = "What is 12 * 4?"
CHEMIST = Recipe(prompting=PromptingPart(instructions="You are a chemist."))
READER = Recipe(prompting=PromptingPart(instructions="You read."))
COUNTER = Recipe(prompting=PromptingPart(instructions="You are exact."), agent=AgentPart(tools=("calculator",)))


def request(
    *names: str, earlier: tuple[TraceStep, ...] = (), tools: tuple[str, ...] = (), **options: Any
) -> AnswerRequest:
    part = AgentPart(method="team", tools=tools, thought_tokens=5, options={"specialists": names, **options})
    return AnswerRequest(recipe=Recipe(agent=part), conversation=(Message("user", QUESTION),), earlier=earlier)


def run(asked: AnswerRequest, model: FakeModelBackend, **recipes: Recipe) -> tuple[AskResult, FakeServices]:
    services = FakeServices(model)
    services.recipes = {"chemist": CHEMIST, "counter": COUNTER, "reader": READER, **recipes}
    *_, last = answer(asked, services, RequestContext())
    assert isinstance(last, events.Finished), last
    return msgspec.convert(last.result, AskResult), services


def steps_of(result: AskResult, kind: str) -> list[TraceStep]:
    assert result.trace is not None
    return [step for step in result.trace.steps if step.kind == kind]


def test_the_supervisor_chooses_a_specialist_that_works_with_its_own_tools() -> None:
    model = ScriptedModel(
        [("I calculate.", "calculator", {"expression": "12 * 4"})],
        ["It is 48."],
        prefers={"Who is to work": ["counter", "final_answer"]},
    )
    result, services = run(request("chemist", "counter"), model)
    assert result.answer == "It is 48."
    assert [step.output for step in steps_of(result, "route")] == ["counter", "final_answer"]
    (one,) = steps_of(result, "specialist")
    assert (one.title, one.output) == ("counter", "It is 48.")
    assert [(step.parent, step.output) for step in steps_of(result, "call")] == [(one.id, "48")]
    assert any("You are exact." in message.content for message in model.requests[0])
    assert services.leases == [False]


def test_several_answers_are_put_together() -> None:
    says = {"Your team has said": ["48, and safe."], QUESTION: ["It is safe.", "It is 48."]}
    model = ScriptedModel([], (), says=says, prefers={"Who is to work": ["chemist", "reader"]})
    result, _ = run(request("chemist", "reader"), model)
    assert result.answer == "48, and safe."
    assert [step.output for step in steps_of(result, "specialist")] == ["It is safe.", "It is 48."]
    concluding = next(message.content for message in model.requests[-1] if "team has said" in message.content)
    assert "chemist: It is safe." in concluding
    assert "reader: It is 48." in concluding


@pytest.mark.parametrize(
    ("scores", "winner"),
    [
        ([[-0.1, -3.0], [-3.0, -0.1]], "It is 16."),  # the same answer in both orders
        ([[-3.0, -0.1], [-0.1, -3.0]], "It is 48."),
        ([[-0.1, -3.0], [-1.0, -1.1]], "It is 16."),  # the first place is preferred, more so with this one in it
        ([[-1.0, -1.1], [-0.1, -3.0]], "It is 48."),
    ],
)
def test_a_debate_has_two_rounds_and_a_judge_in_both_orders(scores: list[list[float]], winner: str) -> None:
    says = {"A colleague answers": ["It is 16.", "It is 48."], QUESTION: ["It is 8.", "It is 44."]}
    judged: list[str] = []

    def score(asked: Score) -> list[float]:
        judged.append(asked.messages[-1].content)
        return scores[len(judged) - 1]

    model = ScriptedModel([], (), says=says)
    model.scores = score
    result, _ = run(request("chemist", "reader", way="debate"), model)
    assert result.answer == winner
    assert [step.output for step in steps_of(result, "specialist")] == [
        "It is 8.",
        "It is 44.",
        "It is 16.",
        "It is 48.",
    ]
    assert "Answer A: It is 16." in judged[0]
    assert "Answer A: It is 48." in judged[1]
    second = next(
        message.content for request in model.requests for message in request if "A colleague" in message.content
    )
    assert "Your answer was:\nIt is 8." in second
    assert "A colleague answers:\nIt is 44." in second


def test_a_specialist_with_an_adapter_gets_a_lease_of_the_same_model() -> None:
    tuned = Recipe(model=ModelPart(adapters=(AdapterUse(name="exact"),)))
    result, services = run(request("tuned"), ScriptedModel([], (), says={QUESTION: ["It is 48."]}), tuned=tuned)
    assert result.answer == "It is 48."
    assert services.leases == [False, False]
    assert services.leased == 0


def test_a_specialist_on_another_model_is_refused_before_anything_starts() -> None:
    services = FakeServices(ScriptedModel())
    services.recipes = {"other": Recipe(model=ModelPart(name="Large"))}
    for asked, named in (
        (request("other"), "Large"),
        (request("nobody"), "nobody"),
        (request(way="debate"), "needs 2"),
    ):
        *_, last = answer(asked, services, RequestContext())
        assert isinstance(last, events.Failed)
        assert last.reason == "user"
        assert named in last.message
    assert services.leases == [False]  # of the team that is too small


def test_a_team_goes_on_from_its_steps() -> None:
    says = {"Your team has said": ["48, and safe."], QUESTION: ["It is safe.", "It is 48."]}
    before, _ = run(
        request("chemist", "reader"),
        ScriptedModel([], (), says=says, prefers={"Who is to work": ["chemist", "reader"]}),
    )
    assert before.trace is not None
    cut = before.trace.steps[: before.trace.steps.index(steps_of(before, "specialist")[1])]
    model = ScriptedModel([], (), says={"Your team has said": ["48, safe."], QUESTION: ["It is 48."]})
    result, _ = run(request("chemist", "reader", earlier=cut), model)
    assert result.answer == "48, safe."
    assert [step.output for step in steps_of(result, "specialist")] == ["It is safe.", "It is 48."]
    assert len(model.requests) == 2


@pytest.mark.parametrize("method", ["react", "planning", "team", "reflexion", "critic"])
def test_the_first_prompt_of_an_agent_can_be_seen(method: str) -> None:
    services = FakeServices(FakeModelBackend())
    services.recipes = {"chemist": CHEMIST}
    options = {"specialists": ["chemist"]} if method == "team" else {}
    part = AgentPart(method=method, tools=("calculator",), options=options)
    asked = AnswerRequest(recipe=Recipe(agent=part), conversation=(Message("user", QUESTION),))
    *_, last = preview(asked, services, RequestContext())
    assert isinstance(last, events.Finished)
    assert QUESTION in msgspec.convert(last.result, PromptText).text
