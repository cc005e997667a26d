"""The timeline of an agent's steps, and calls in words."""

from __future__ import annotations

import msgspec

from workbench.records.agents import Approval, Decision, TaintedSpan, ToolCall
from workbench.records.approvals import (
    describe_decision,
    describe_effects,
    explain_effects,
    pieces,
    tool_title,
)
from workbench.records.messages import Usage
from workbench.records.timeline import Timeline
from workbench.records.trace import Trace, TraceStep

CALL = ToolCall(tool="write_file", arguments={"path": "a.txt", "text": "x"})
APPROVAL = Approval(step="4", call=CALL, effects=("write",), reason="It acts.")


def encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


def usage(tokens: int) -> Usage:
    return Usage(prompt_tokens=100, new_tokens=tokens)


def steps(*decided: Decision) -> tuple[TraceStep, ...]:
    said = encoded(decided[0]) if decided else ""
    state = "done" if decided else "stopped"
    return (
        TraceStep(id="1", kind="thought", output="I write it down.", seconds=1.0, usage=usage(10)),
        TraceStep(id="2", kind="choose", output="write_file", seconds=0.5),
        TraceStep(id="2a", kind="scoring", parent="2", seconds=0.5, usage=usage(1)),  # within its time
        TraceStep(id="3", kind="arguments", output="{}", seconds=1.5, usage=usage(20)),
        TraceStep(id="4", kind="call", input=CALL.encode(), state=state, seconds=0.25 if decided else 0.0),
        TraceStep(id="5", kind="approval", parent="4", input=encoded(APPROVAL), output=said, state=state),
    )


def test_a_call_has_the_cost_of_its_choice_and_arguments() -> None:
    timeline = Timeline.of(Trace(steps=steps(Decision(signature=CALL.signature, choice="allow"))))
    assert timeline is not None
    thought, call = timeline.entries
    assert (thought.step.id, thought.seconds, thought.new_tokens) == ("1", 1.0, 10)
    assert (call.step.id, call.seconds, call.new_tokens, call.call) == ("4", 2.25, 21, CALL)
    assert (timeline.calls, timeline.seconds, timeline.new_tokens) == (1, 3.25, 31)


def test_a_call_waits_until_it_is_decided_on() -> None:
    waiting = Timeline.of(Trace(steps=steps()))
    assert waiting is not None
    assert waiting.entries[1].waits
    assert waiting.entries[1].approval == APPROVAL
    denied = Timeline.of(Trace(steps=steps(Decision(signature=CALL.signature, choice="deny", text="no"))))
    assert denied is not None
    assert (denied.entries[1].waits, denied.entries[1].denied) == (False, True)


def test_steps_within_a_plan_are_entries_of_their_own_and_those_within_a_call_are_not() -> None:
    trace = Trace(
        steps=(
            TraceStep(id="1", kind="plan", output="1. Search\n2. Compute"),
            TraceStep(id="2", kind="plan-step", title="Search"),
            TraceStep(id="3", kind="choose", parent="2", usage=usage(2)),
            TraceStep(id="4", kind="call", parent="2", input="no JSON"),
            TraceStep(id="5", kind="search", parent="4", usage=usage(3)),
            TraceStep(id="6", kind="generation", parent="5", usage=usage(4)),
            TraceStep(id="7", kind="thought", parent="2", output=" "),
            TraceStep(id="8", kind="generation", writes_answer=True, usage=usage(5)),
        )
    )
    timeline = Timeline.of(trace)
    assert timeline is not None
    assert [(entry.step.id, entry.depth, entry.new_tokens) for entry in timeline.entries] == [
        ("1", 0, 0), ("2", 0, 0), ("4", 1, 9), ("8", 0, 5)
    ]  # fmt: skip
    call = timeline.entries[2]
    assert (call.call, call.actions) == (None, ())
    assert timeline.entries[0].actions == ("edit",)


def test_a_call_is_shown_as_the_person_changed_it() -> None:
    edited = Decision(signature=CALL.signature, choice="edit", arguments={"path": "b.txt", "text": "y"})
    timeline = Timeline.of(Trace(steps=steps(edited)))
    assert timeline is not None
    call = timeline.entries[1]
    assert call.call == ToolCall(tool="write_file", arguments={"path": "b.txt", "text": "y"})
    assert call.actions == ("edit", "result")


def test_what_a_person_changed_is_said_with_the_step() -> None:
    thought = TraceStep(id="1", kind="thought", output="I sum them up.")
    edit = TraceStep(id="2", kind="edit", parent="1", title="Edited by you", output="edit")
    call = TraceStep(id="3", kind="call", input=CALL.encode())
    timeline = Timeline.of(Trace(steps=(thought, edit, call)))
    assert timeline is not None
    assert [(entry.step.id, entry.edit) for entry in timeline.entries] == [("1", "Edited by you"), ("3", "")]


def test_an_answer_without_an_agent_has_no_timeline() -> None:
    assert Timeline.of(Trace(steps=(TraceStep(id="1", kind="generation", writes_answer=True),))) is None


def test_effects_and_decisions_are_said_in_words() -> None:
    assert describe_effects(("read",)) == "reads only"
    assert describe_effects(("read", "write", "network")) == "changes files or memory, uses the network"
    assert explain_effects(("execute",)) == "It runs code in a sandbox on this machine."
    assert describe_decision(Decision(signature="", choice="deny", text="not today")) == "Denied: not today"
    assert tool_title("list_files") == "List files"
    assert tool_title("web.fetch_page") == "web: Fetch page"


def test_an_argument_is_shown_whole_with_what_is_untrusted_marked() -> None:
    spans = [TaintedSpan(name="text", start=3, end=6), TaintedSpan(name="text", start=5, end=99)]
    assert pieces("abcdefgh", spans) == [("abc", False), ("defgh", True)]
    assert pieces({"a": [1]}) == [('{"a":[1]}', False)]
    assert pieces("") == [("", False)]
    assert (
        "".join(text for text, _ in pieces("one two three", [TaintedSpan(name="", start=4, end=7)])) == "one two three"
    )
