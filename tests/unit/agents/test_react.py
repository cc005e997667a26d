"""ReAct: calls with their results until the answer, within the budgets, and again from the steps."""

from __future__ import annotations

import json
import threading

import msgspec
import pytest

from tests.agents import Asked, Counted, ScriptedModel, ask
from tests.fakes import FakeRetriever, passage
from workbench.api.events import StepFinished, StepStarted, TextDelta
from workbench.base.errors import UserError
from workbench.records.agents import Approval, Decision, ToolCall
from workbench.records.messages import Message
from workbench.records.trace import StepEdit, TraceStep
from workbench.techniques.agents.running import STILL_ACTING, run_tool
from workbench.techniques.tools.tool import ToolOutput


def look(query: str) -> tuple[str, str, dict[str, str]]:
    return (f"I look up {query}.", "test.look", {"q": query})


def test_calls_are_made_in_turn_and_the_answer_streams() -> None:
    tool = Counted("test.look", "48", "96")
    model = ScriptedModel([look("a"), look("b")], ["It is 96."])
    made = ask(model, tool)
    assert tool.calls == [{"q": "a"}, {"q": "b"}]
    assert made.result.answer == "It is 96."
    assert "".join(one.text for one in made.events if isinstance(one, TextDelta) and not one.step) == "It is 96."
    assert [(step.kind, step.output) for step in made.steps if not step.parent] == [
        ("thought", "I look up a."),
        ("choose", "test.look"),
        ("arguments", '{"q": "a"}'),
        ("call", "48"),
        ("thought", "I look up b."),
        ("choose", "test.look"),
        ("arguments", '{"q": "b"}'),
        ("call", "96"),
        ("thought", "I know the answer."),
        ("choose", "final_answer"),
        ("generation", "It is 96."),
    ]
    assert ToolCall(tool="test.look", arguments={"q": "a"}).encode() == made.of("call")[0].input
    assert "48" in model.starts[-1]
    assert "96" in model.starts[-1]


def test_a_call_is_told_before_it_runs() -> None:
    """The consumer stores the step before the tool has an effect."""
    tool = Counted("test.look")
    model = ScriptedModel([look("a")])
    order: list[str] = []
    original = tool.tool.run
    tool.tool = msgspec.structs.replace(tool.tool, run=lambda *given: (order.append("run"), original(*given))[1])
    made = ask(model, tool)
    started = [one for one in made.events if isinstance(one, StepStarted) and one.kind == "call"]
    ended = [one for one in made.events if isinstance(one, StepFinished) and one.step == started[0].step]
    assert made.events.index(started[0]) < made.events.index(ended[0])
    assert order == ["run"]


@pytest.mark.parametrize("result", [ToolOutput(text="no such city", failed=True), RuntimeError("no such city")])
def test_a_failing_tool_is_an_observation(result: ToolOutput | Exception) -> None:
    tool = Counted("test.look", result)
    model = ScriptedModel([look("a")], ["I could not find it."])
    made = ask(model, tool)
    assert made.result.answer == "I could not find it."
    assert "no such city" in made.of("call")[0].error
    assert "no such city" in model.starts[-1]


def test_the_last_step_allows_only_the_answer() -> None:
    tool = Counted("test.look", "1", "2", "3", "4")
    model = ScriptedModel([look(str(n)) for n in range(20)], ["Enough."])
    made = ask(model, tool, max_steps=3)
    assert len(tool.calls) == 3
    assert made.result.answer == "Enough."
    assert any("(3)" in notice for notice in made.result.notices)
    told = [start for start in model.starts if "left" in start]
    assert "3 steps are left" in told[0]
    assert "1 step is left" in told[-1]


def test_the_budget_of_tokens_is_never_exceeded_and_ends_in_an_answer() -> None:
    tool = Counted("test.look", *(str(n) for n in range(20)))
    model = ScriptedModel([(" ".join(["well"] * 40), "test.look", {"q": str(n)}) for n in range(20)], ["word " * 30])
    made = ask(model, tool, max_tokens=200, max_steps=20, thought_tokens=40)
    assert 0 < made.result.usage.new_tokens <= 200
    assert made.result.answer.startswith("word")
    assert any("tokens or time" in notice for notice in made.result.notices)


def test_an_empty_answer_becomes_a_sentence() -> None:
    tool = Counted("test.look", "48")
    assert "48" in ask(ScriptedModel([look("a")], [""]), tool).result.answer
    assert ask(ScriptedModel([], [""]), tool).result.answer


def test_a_search_without_an_answer_names_the_places_that_it_found() -> None:
    retriever = FakeRetriever([passage("The pump weighs 12 kg.")])
    calls = [("I search.", "search_documents", {"query": "pump"}), ("Enough.", "", {})]
    made = ask(ScriptedModel(calls, [""]), "search_documents", retriever=retriever)
    assert made.result.answer == "I could not finish. The last search has found: pump [1]"
    assert [one.n for one in made.result.citations] == [1]


@pytest.mark.slow
def test_a_tool_that_hangs_is_left_behind() -> None:
    gate = threading.Event()
    tool = Counted("test.look", seconds=0.1)
    tool.tool = msgspec.structs.replace(tool.tool, run=lambda arguments, context: ToolOutput(text=str(gate.wait(60))))
    made = ask(ScriptedModel([look("a")], ["Too slow."]), tool)
    assert made.of("call")[0].error == "The tool did not finish within 0 seconds."
    assert made.result.answer == "Too slow."
    acting = msgspec.structs.replace(tool.tool, effects=("write",))
    late = run_tool(acting, {}, seconds=0.1)
    gate.set()
    assert late.text.endswith(STILL_ACTING)


def test_the_second_identical_call_gets_the_known_result_and_the_third_is_masked() -> None:
    tool = Counted("test.look", "48", "49")
    other = Counted("test.other", "x")
    model = ScriptedModel([look("a"), look("a"), look("  a "), ("Then", "test.other", {"q": "z"})], ["It is 48."])
    made = ask(model, tool, other)
    assert tool.calls == [{"q": "a"}]
    first, second, *_ = made.of("call")
    assert (first.output, second.output) == ("48", "48")
    assert [step.parent for step in made.of("note")] == [second.id]
    assert "same call as in step 1" in model.starts[-1]


def test_passages_are_cited_by_the_numbers_that_the_agent_saw() -> None:
    hits = [
        [passage("The pump weighs 12 kg.", start=10)],
        [passage("It is red.", start=90), passage("The pump weighs 12 kg.", start=10)],
    ]
    retriever = FakeRetriever(results=hits)
    found = [ToolOutput(text="", passages=tuple(retriever.search("x", 5).hits)) for _ in range(2)]
    tool = Counted("test.look", *found, output="untrusted")
    model = ScriptedModel([look("weight"), look("colour")], ["The pump weighs 12 kg. It is red [2]. It is old [7]."])
    made = ask(model, tool)
    assert made.result.answer == "The pump weighs 12 kg [1]. It is red [2]. It is old."
    assert [(one.n, one.start) for one in made.result.citations] == [(1, 10), (2, 90)]
    assert [(one.n, one.start) for one in made.result.passages] == [(1, 10), (2, 90)]
    assert "[2] pump" in made.of("call")[1].output


# -- going on from steps -------------------------------------------------------------------------------------


def outputs(made: Asked, kind: str) -> list[str]:
    return [step.output for step in made.of(kind)]


def edited(before: Asked, kind: str, number: int, text: str, action: str = "edit") -> StepEdit:
    return StepEdit(step=before.of(kind)[number].id, action=action, text=text)  # type: ignore[arg-type]


def test_an_edited_thought_goes_on_from_there_and_computes_nothing_before_it() -> None:
    tool = Counted("test.look", "48", "96")
    before = ask(ScriptedModel([look("a"), look("b")], ["It is 96."]), tool)
    again = Counted("test.look", "12")
    model = ScriptedModel([look("c")], ["It is 12."])
    model.current = ("", "test.look", {"q": "c"})  # what is chosen after the edited thought
    model.calls.clear()
    made = ask(model, again, earlier=before.steps, edit=edited(before, "thought", 1, "I look up c."))
    assert outputs(made, "thought") == ["I look up a.", "I look up c.", "I know the answer."]
    assert outputs(made, "call") == ["48", "12"]
    assert again.calls == [{"q": "c"}]
    assert [step.title for step in made.of("edit")] == ["Edited by you"]
    assert made.result.answer == "It is 12."
    assert len(model.requests) == 3  # the arguments, the next thought, the answer


def test_edited_arguments_are_run_and_what_followed_is_dropped() -> None:
    before = ask(ScriptedModel([look("a"), look("b")], ["It is 96."]), Counted("test.look", "48", "96"))
    again = Counted("test.look", "7")
    made = ask(
        ScriptedModel([], ["It is 7."]), again, earlier=before.steps, edit=edited(before, "call", 0, '{"q": "z"}')
    )
    assert again.calls == [{"q": "z"}]
    assert outputs(made, "call") == ["7"]
    assert json.loads(made.of("call")[0].input)["arguments"] == {"q": "z"}
    assert made.result.answer == "It is 7."
    with pytest.raises(UserError, match="not a JSON object"):
        ask(ScriptedModel(), again, earlier=before.steps, edit=edited(before, "call", 0, "z"))


def test_an_edited_result_is_what_the_model_sees_and_nothing_is_run() -> None:
    before = ask(ScriptedModel([look("a")], ["It is 48."]), Counted("test.look", "48"))
    again = Counted("test.look")
    model = ScriptedModel([], ["It is 50."])
    made = ask(model, again, earlier=before.steps, edit=edited(before, "call", 0, "50", "result"))
    assert again.calls == []
    assert outputs(made, "call") == ["50"]
    assert "50" in model.starts[-1]
    assert "48" not in model.starts[-1]


def test_a_run_that_was_cut_off_goes_on_with_what_was_done() -> None:
    """A reading call that was begun is run again; those before it are not."""
    before = ask(ScriptedModel([look("a"), look("b")], ["It is 96."]), Counted("test.look", "48", "96"))
    upto = before.steps.index(before.of("call")[1])
    cut = [*before.steps[:upto], TraceStep(**{**fields(before.steps[upto]), "output": "", "state": "stopped"})]
    again = Counted("test.look", "97")
    made = ask(ScriptedModel([], ["It is 97."]), again, earlier=cut)
    assert again.calls == [{"q": "b"}]
    assert outputs(made, "call") == ["48", "97"]
    assert made.result.answer == "It is 97."


def fields(step: TraceStep) -> dict[str, object]:
    return {name: getattr(step, name) for name in TraceStep.__struct_fields__}


WRITE = ("I write it.", "test.write", {"q": "x"})


def test_an_acting_call_waits_and_runs_once_it_is_allowed() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    waiting = ask(ScriptedModel([WRITE]), tool)
    assert tool.calls == []
    approval = waiting.result.waiting
    assert approval is not None
    assert approval.call == ToolCall(tool="test.write", arguments={"q": "x"})
    (call,) = waiting.of("call")
    assert approval.step == call.id
    assert msgspec.json.decode(waiting.of("approval")[0].input, type=Approval) == approval
    assert waiting.of("approval")[0].parent == call.id
    decision = Decision(signature=approval.call.signature, choice="allow")
    still = ask(ScriptedModel([]), tool, earlier=waiting.steps)
    assert still.result.waiting == approval
    made = ask(ScriptedModel([], ["It is written."]), tool, earlier=still.steps, decisions=[decision])
    assert tool.calls == [{"q": "x"}]
    assert made.result.answer == "It is written."
    assert made.of("call")[0].output == "written"
    assert msgspec.json.decode(made.of("approval")[0].output, type=Decision) == decision
    assert len({step.id for step in made.steps}) == len(made.steps)
    assert [step.id for step in made.steps[: len(waiting.steps)]] == [step.id for step in waiting.steps]


def test_a_denied_call_is_an_observation_and_an_edited_one_runs_as_it_was_edited() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    waiting = ask(ScriptedModel([WRITE]), tool)
    assert waiting.result.waiting is not None
    signature = waiting.result.waiting.call.signature
    denied = Decision(signature=signature, choice="deny", text="not today")
    model = ScriptedModel([], ["I may not."])
    made = ask(model, tool, earlier=waiting.steps, decisions=[denied])
    assert (tool.calls, made.result.answer) == ([], "I may not.")
    assert "not today" in made.of("call")[0].error
    changed = Decision(signature=signature, choice="edit", arguments={"q": "y"})
    made = ask(ScriptedModel([], ["Written."]), tool, earlier=waiting.steps, decisions=[changed])
    assert tool.calls == [{"q": "y"}]


def test_an_acting_call_that_may_have_happened_is_asked_about_again() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    waiting = ask(ScriptedModel([WRITE]), tool)
    assert waiting.result.waiting is not None
    decision = Decision(signature=waiting.result.waiting.call.signature, choice="allow")
    done = ask(ScriptedModel([], ["Written."]), tool, earlier=waiting.steps, decisions=[decision])
    upto = done.steps.index(done.of("approval")[0])
    crashed = [
        TraceStep(**{**fields(step), "output": "", "state": "stopped"}) if step.kind == "call" else step
        for step in done.steps[: upto + 1]
    ]
    again = ask(ScriptedModel([]), tool, earlier=crashed, decisions=[])
    assert again.result.waiting is not None
    assert again.result.waiting.repeated
    assert tool.calls == [{"q": "x"}]


def test_without_a_person_what_acts_is_refused() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    made = ask(ScriptedModel([WRITE], ["I may not."]), tool, asks=False)
    assert tool.calls == []
    assert made.result.answer == "I may not."
    assert "nobody to ask" in made.of("call")[0].error


def test_a_question_to_the_person_waits_for_their_answer() -> None:
    model = ScriptedModel([("I ask.", "ask_person", {"question": "Which year?"})])
    waiting = ask(model, "ask_person")
    assert waiting.result.waiting is not None
    assert waiting.result.waiting.question == "Which year?"
    decision = Decision(signature=waiting.result.waiting.call.signature, choice="allow", text="1969")
    model = ScriptedModel([], ["It was in 1969."])
    made = ask(model, "ask_person", earlier=waiting.steps, decisions=[decision])
    assert made.of("call")[0].output == "1969"
    assert "1969" in model.starts[-1]


def test_long_results_are_cut_where_the_context_is_short() -> None:
    tool = Counted("test.look", *(f"{n} " + "long " * 900 for n in range(6)))
    model = ScriptedModel([look(str(n)) for n in range(6)], ["Enough."], context_tokens=1000)
    ask(model, tool)
    assert len(model.starts[-1].split()) < 800
    assert "…" in model.starts[-1]


def test_a_long_conversation_is_summed_up_as_a_step_that_an_answer_takes_again() -> None:
    tool = Counted("test.write", "written", effects=("write",))
    earlier = "\n".join(f"Person: {n} " + "long " * 100 for n in range(6))
    model = ScriptedModel([WRITE], ["They spoke of long things.", "Written."], context_tokens=700)
    before = (Message("user", earlier), Message("assistant", "Yes."))
    waiting = ask(model, tool, before=before)
    assert outputs(waiting, "summary") == ["They spoke of long things."]
    assert "They spoke of long things." in model.requests[-1][0].content
    assert "Person: 1" not in "".join(one.content for one in model.requests[-1])
    assert waiting.result.waiting is not None
    decision = Decision(signature=waiting.result.waiting.call.signature, choice="allow")
    model = ScriptedModel([], ["Written."], context_tokens=700)
    made = ask(model, tool, before=before, earlier=waiting.steps, decisions=[decision])
    assert outputs(made, "summary") == ["They spoke of long things."]
    assert made.result.answer == "Written."
    assert tool.calls == [{"q": "x"}]
