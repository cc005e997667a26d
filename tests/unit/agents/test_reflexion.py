"""Reflexion: trials until a check passes, with the reflections of those before."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.agents import Counted, GivenTools, ScriptedModel, ask
from tests.fakes import passage
from workbench.api.events import TextDelta
from workbench.base.errors import UserError
from workbench.records.trace import StepEdit
from workbench.techniques.agents.reflexion import BETTER, CONFIRMED, NO_BETTER, UNDECIDED
from workbench.techniques.tools.services import PythonResult
from workbench.techniques.tools.tool import ToolOutput

TEST = "int(answer.split()[-1]) == 48"
OPTIONS = {"test": TEST}
QUESTION = "What is 12 * 4?"


def run_test(code: str, inputs: Mapping[str, Any]) -> PythonResult:
    assert code == TEST
    try:
        return PythonResult(value=str(int(inputs["answer"].split()[-1]) == 48))
    except ValueError as error:
        return PythonResult(error=f"ValueError: {error}")


def reflecting(*answers: str, lessons: tuple[str, ...] = ("Multiply.", "Be exact.", "Never.")) -> ScriptedModel:
    return ScriptedModel([], (), says={"Your answer was": lessons, QUESTION: answers})


def test_a_trial_that_fails_its_test_is_tried_again_with_the_reflection() -> None:
    model = reflecting("It is 16", "It is 48")
    services = GivenTools(python=run_test)
    made = ask(model, method="reflexion", question=QUESTION, options=OPTIONS, services=services)
    assert made.result.answer == "It is 48"
    assert [step.output for step in made.of("trial")] == ["It is 16", "It is 48"]
    assert [step.score for step in made.of("check")] == [0.0, 1.0]
    assert [step.output for step in made.of("reflection")] == ["Multiply."]
    assert "Multiply." in model.requests[-1][0].content
    assert [inputs["answer"] for _, inputs in services.runs] == ["It is 16", "It is 48"]
    assert not any("48" in message.content for request in model.requests for message in request)


def test_the_last_call_of_a_trial_that_fails_its_test_is_not_made_again() -> None:
    tool = Counted("test.sum", "16", "48")
    wrong, right = ("I add.", "test.sum", {"q": "12 + 4"}), ("I multiply.", "test.sum", {"q": "12 * 4"})
    done = ("Enough.", "", {})
    model = ScriptedModel([wrong, done, right, done], ["It is 16", "It is 48"], says={"Your answer was": ["Multiply."]})
    services = GivenTools([tool.tool], python=run_test)
    made = ask(model, tool, method="reflexion", question=QUESTION, options=OPTIONS, services=services)
    assert made.result.answer == "It is 48"
    assert tool.calls == [{"q": "12 + 4"}, {"q": "12 * 4"}]
    first, second = (json.loads(one.grammar) for one in model.decodings if one.format == "json_schema")
    assert "pattern" not in first["properties"]["q"]
    pattern = second["properties"]["q"]["pattern"]
    assert not re.search(pattern, "12 + 4")
    assert re.search(pattern, "12 * 4")


def test_without_a_passing_trial_the_best_one_is_the_answer_and_it_is_said() -> None:
    model = reflecting("It is one", "It is two", "It is three")
    made = ask(model, method="reflexion", question=QUESTION, options=OPTIONS, services=GivenTools(python=run_test))
    assert made.result.answer == "It is one"
    assert len(made.of("trial")) == 3
    assert len(made.of("reflection")) == 2
    assert "Be exact." in model.requests[-1][0].content
    assert "ValueError" in made.of("check")[0].output
    assert any("No trial passed" in notice for notice in made.result.notices)


def test_the_support_of_passages_is_a_check() -> None:
    found = ToolOutput(passages=(passage("The pump weighs 12 kg and is painted red.", n=1),))
    tool = Counted("test.look", found, output="untrusted")
    call = ("I look.", "test.look", {"q": "weight"})
    calls, answers = [call, ("Enough.", "", {})] * 2, ["The pump weighs 15 kg.", "The pump weighs 12 kg."]
    model = ScriptedModel(calls, answers, says={"Your answer was": ["Read it again."]})
    made = ask(model, tool, method="reflexion", question="What does the pump weigh?")
    assert made.result.answer == "The pump weighs 12 kg [1]."
    assert [step.score for step in made.of("check")] == [0.0, 1.0]
    assert "15" in made.of("check")[0].output
    shown = [one.text for one in made.events if isinstance(one, TextDelta) and not one.step]
    assert "".join(shown) == made.result.answer  # the first draft is not shown as an answer
    assert len(tool.calls) == 2


def test_the_critic_is_a_check() -> None:
    model = ScriptedModel(
        [],
        (),
        says={"Your answer was": ["Again."], QUESTION: ["16", "48"]},
        prefers={"Proposed answer": ["no", "yes"], "Answer A": ["B", "A"]},
    )
    made = ask(model, method="reflexion", question=QUESTION)
    assert made.result.answer == "48"
    assert [round(step.score or 0) for step in made.of("check")] == [0, 1]
    assert [step.output for step in made.of("verdict")] == [BETTER]


def test_a_trial_that_the_critic_does_not_prefer_in_both_orders_takes_no_place() -> None:
    model = ScriptedModel(
        [],
        (),
        says={"Your answer was": ["Again."], QUESTION: ["48", "16"]},
        prefers={"Proposed answer": ["no", "yes"], "Answer A": ["B", "B"]},
    )
    made = ask(model, method="reflexion", question=QUESTION)
    assert made.result.answer == "48"
    assert [step.output for step in made.of("verdict")] == [UNDECIDED]


def test_a_trial_that_a_tool_has_given_stays() -> None:
    calls = [("", "calculator", {"expression": "12 * 4"}), ("Enough.", "", {}), ("Enough.", "", {})]
    model = ScriptedModel(
        calls,
        ["It is 48.", "It is 16."],
        says={"Your answer was": ["Again."]},
        prefers={"Proposed answer": ["no", "yes"], "Answer A": ["B", "A"]},
    )
    made = ask(model, "calculator", method="reflexion", question=QUESTION)
    assert made.result.answer == "It is 48."
    assert [step.output for step in made.of("verdict")] == [CONFIRMED]


def test_a_trial_about_something_else_takes_no_place() -> None:
    found = ToolOutput(
        passages=(passage("The pump weighs 12 kg.", n=1), passage("The crane weighs 80 kg.", "crane.txt", n=2))
    )
    tool = Counted("test.look", found, output="untrusted")
    call = ("I look.", "test.look", {"q": "weight"})
    calls, answers = [call, ("Enough.", "", {})] * 2, ["The pump weighs 15 kg or 12 kg.", "The crane weighs 80 kg."]
    model = ScriptedModel(calls, answers, says={"Your answer was": ["Read it again."]})
    options = {"trials": 2}
    made = ask(model, tool, method="reflexion", question="What does the old pump weigh?", options=options)
    assert made.result.answer.startswith("The pump weighs 15 kg")
    assert "of something else" in made.of("check")[1].output
    assert [step.output for step in made.of("verdict")] == [NO_BETTER]


def test_a_check_without_its_test_is_refused() -> None:
    with pytest.raises(UserError, match="there is none"):
        ask(reflecting(), method="reflexion", options={"check": "test"})


def test_it_goes_on_from_an_edited_reflection() -> None:
    services = GivenTools(python=run_test)
    before = ask(
        reflecting("It is 16", "It is 48"), method="reflexion", question=QUESTION, options=OPTIONS, services=services
    )
    edit = StepEdit(step=before.of("reflection")[0].id, action="edit", text="Use the calculator.")
    model = reflecting("It is 48")
    made = ask(
        model,
        method="reflexion",
        question=QUESTION,
        options=OPTIONS,
        services=services,
        earlier=before.steps,
        edit=edit,
    )
    assert made.result.answer == "It is 48"
    assert len(model.requests) == 1
    assert "Use the calculator." in model.requests[0][0].content
    assert [step.output for step in made.of("trial")] == ["It is 16", "It is 48"]
