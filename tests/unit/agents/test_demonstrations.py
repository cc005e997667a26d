"""Solved examples before the question: those that the tools can do, most like the question, as turns with calls."""

from __future__ import annotations

from tests.agents import Counted, ScriptedModel, ask
from tests.unit.agents.test_calling import TOOLS
from workbench.techniques.agents.demonstrations import library, nearest, possible
from workbench.techniques.tools.tool import Tool

QUESTION = "What is 72 minus 43?"


def test_only_examples_that_the_tools_can_do_are_possible() -> None:
    words = {word for one in possible(TOOLS) for word, _ in one.steps}
    assert words == {"calculator", "think"}
    assert any(not one.steps for one in possible(TOOLS))
    assert possible({"weather": TOOLS["weather"]}) == []
    assert {"search", "table"} <= {word for one in library() for word, _ in one.steps}


def test_the_nearest_comes_last() -> None:
    def similarities(texts: object, others: list[str]) -> list[list[float]]:
        return [[float("minus" in other) for other in others]]

    chosen = nearest(QUESTION, possible(TOOLS), similarities, 3)  # type: ignore[arg-type]
    assert len(chosen) == 3
    assert "minus" in chosen[-1].question


def test_a_small_model_sees_them_with_their_calls_and_computed_results() -> None:
    call = ("", "calculator", {"expression": "72 - 43"})
    model = ScriptedModel([call], ["29"], parameters=135_000_000)
    made = ask(model, "calculator", question="How much is 72 minus 43?", thought_tokens=5)
    text = "\n".join(message.content for message in model.requests[0])
    assert 'Action: calculator\nAction Input: {"expression": "90 - 34"}\nObservation: 56' in text
    assert "Action: final_answer\nAnswer: 56" in text
    assert made.of("examples")[0].output.splitlines()[-1] == "How much is 90 minus 34?"
    assert model.requests[0][-1].content == "How much is 72 minus 43?"


def test_a_large_model_and_one_whose_recipe_wants_none_see_none() -> None:
    for model, options in (
        (ScriptedModel([], ["29"]), {}),
        (ScriptedModel([], ["29"], parameters=135_000_000), {"examples": 0}),
    ):
        made = ask(model, "calculator", question=QUESTION, options=options)
        assert made.of("examples") == []
        assert len([m for m in model.requests[0] if m.role == "user"]) == 1


def test_they_are_the_same_when_an_answer_goes_on() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    model = ScriptedModel([("I write.", "test.write", {"q": "x"})], parameters=135_000_000)
    waiting = ask(model, tool, "calculator", question=QUESTION)
    again = ScriptedModel([], ["29"], parameters=135_000_000)
    made = ask(again, tool, "calculator", question=QUESTION, earlier=waiting.steps)
    assert made.result.waiting == waiting.result.waiting
    assert len(made.of("examples")) == 1


def test_no_example_runs_a_tool_that_acts() -> None:
    calculator: Tool = TOOLS["calculator"]
    acting = Counted("calculator", effects=("execute",), parameters=calculator.parameters)
    assert possible({"calculator": acting.tool}) == []
