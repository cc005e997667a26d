"""Plan and execute: each step with tools, new plans after a failure, and from the steps of an earlier answer."""

from __future__ import annotations

import pytest

from tests.agents import Counted, ScriptedModel, ask
from workbench.records.agents import Decision
from workbench.records.trace import StepEdit
from workbench.techniques.agents.planning import read_plan
from workbench.techniques.tools.tool import ToolOutput

Call = tuple[str, str, dict[str, str]]
PLAN = '["Find the weight.", "Find the price."]'
ANSWERS = ("It weighs 12 kg.", "It costs 8 euros.", "12 kg for 8 euros.")
ENOUGH: Call = ("That is enough.", "", {})


def look(query: str) -> Call:
    return (f"I look up {query}.", "test.look", {"q": query})


def test_each_step_of_the_plan_is_done_and_the_answer_has_what_they_found() -> None:
    tool = Counted("test.look", "12 kg", "8 euros")
    model = ScriptedModel([look("weight"), ENOUGH, look("price"), ENOUGH], ANSWERS, says={"plan how to find": [PLAN]})
    made = ask(model, tool, method="planning")
    assert made.result.answer == "12 kg for 8 euros."
    first, second = made.of("plan-step")
    assert [(one.title, one.output) for one in (first, second)] == [
        ("Find the weight.", "It weighs 12 kg."),
        ("Find the price.", "It costs 8 euros."),
    ]
    assert [step.parent for step in made.of("call")] == [first.id, second.id]
    assert [step.parent for step in made.of("thought")] == [first.id, first.id, second.id, second.id]
    asked = [message.content for message in model.requests[-1]]
    assert "It weighs 12 kg." in asked
    assert "It costs 8 euros." in asked


def test_a_failed_step_makes_a_new_plan_at_most_twice() -> None:
    tool = Counted("test.look", ToolOutput(text="no connection", failed=True))
    says = {
        "plan how to find": ['["Look it up."]'],
        "The last step failed": ['["Try again."]', '["Once more."]', '["Never."]'],
    }
    calls = [one for number in range(9) for one in (look(str(number)), ENOUGH)]
    made = ask(
        ScriptedModel(calls, ["Nothing."] * 3 + ["I could not."], says=says), tool, method="planning", max_steps=9
    )
    assert [step.title for step in made.of("plan-step")] == ["Look it up.", "Try again.", "Once more."]
    assert all(step.error for step in made.of("plan-step"))
    assert len(made.of("plan")) == 3
    assert made.result.answer == "I could not."


def test_an_edited_plan_is_carried_out_instead() -> None:
    model = ScriptedModel([look("weight"), ENOUGH, look("price"), ENOUGH], ANSWERS, says={"plan how to find": [PLAN]})
    before = ask(model, Counted("test.look", "12 kg", "8 euros"), method="planning")
    edit = StepEdit(step=before.of("plan")[0].id, action="edit", text="1. Find the colour.")
    again = Counted("test.look", "red")
    model = ScriptedModel([look("colour"), ENOUGH], ["It is red.", "Red."])
    made = ask(model, again, method="planning", earlier=before.steps, edit=edit)
    assert [step.title for step in made.of("plan-step")] == ["Find the colour."]
    assert made.result.answer == "Red."


def test_a_call_within_a_step_waits_and_goes_on_there() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    says = {"plan how to find": ['["Write it down.", "Say so."]']}
    waiting = ask(ScriptedModel([("I write.", "test.write", {"q": "x"})], says=says), tool, method="planning")
    assert waiting.result.waiting is not None
    decision = Decision(signature=waiting.result.waiting.call.signature, choice="allow")
    model = ScriptedModel([ENOUGH, ENOUGH], ["It is written.", "Said.", "Done."])
    made = ask(model, tool, method="planning", earlier=waiting.steps, decisions=[decision])
    assert tool.calls == [{"q": "x"}]
    assert [step.output for step in made.of("plan-step")] == ["It is written.", "Said."]
    assert len(made.of("plan")) == 1
    assert made.result.answer == "Done."


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        (PLAN, ["Find the weight.", "Find the price."]),
        ('["Find the weight.", "Find the pri', ["Find the weight."]),
        ("1. One\n- Two\n\nTwo\n3) Three", ["One", "Two", "Three"]),
        ("[]", []),
        ('["a", "b", "c", "d"]', ["a", "b", "c"]),
    ],
)
def test_a_plan_is_read_as_a_list_or_as_lines(text: str, plan: list[str]) -> None:
    assert read_plan(text, 3) == plan
