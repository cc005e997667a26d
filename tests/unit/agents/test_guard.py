"""The guard lets no effect through that the policy would have asked about, whatever the method does."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.records.agents import Choice, Decision, Effect, Output, ToolCall
from workbench.records.trace import TraceStep
from workbench.techniques.tools.approval import OFFLINE, Exposure, Policy
from workbench.techniques.tools.guard import NOT_CONFIRMED, Guard
from workbench.techniques.tools.tool import Tool, ToolOutput

ARGUMENTS = {"to": "a"}
SEND = ToolCall(tool="send", arguments=ARGUMENTS)


class Recorder:
    """Tools that record their calls."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, dict[str, Any]]] = []

    def tool(self, name: str, *effects: Effect, output: Output = "untrusted") -> Tool:
        def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
            self.ran.append((name, arguments))
            return ToolOutput(text=f"result of {name}")

        return Tool(name=name, description="", effects=effects, output=output, run=run)


def made(guard: Guard, tool: Tool, arguments: dict[str, Any] = ARGUMENTS, *allowed: str) -> ToolOutput:
    return guard.protect(tool, allowed).run(arguments, RequestContext())


def decision(choice: Choice, **more: Any) -> Decision:
    return Decision(signature=SEND.signature, choice=choice, **more)


def step(call: ToolCall, *, output: str = "", **more: Any) -> TraceStep:
    return TraceStep(id="1", kind="call", input=call.encode(), output=output, **more)


def test_an_acting_call_runs_only_when_it_is_allowed() -> None:
    recorder = Recorder()
    send = recorder.tool("send", "write")
    assert made(Guard(Policy(), Exposure()), send).text == NOT_CONFIRMED
    assert not recorder.ran
    assert made(Guard(Policy(), Exposure()), send, ARGUMENTS, "send").text == "result of send"
    assert made(Guard(Policy(frozenset({"send"})), Exposure()), send).text == "result of send"


def test_a_permission_ends_with_the_first_text_of_a_stranger() -> None:
    recorder = Recorder()
    guard = Guard(Policy(frozenset({"send"})), Exposure())
    search = guard.protect(recorder.tool("search", "read"))
    send = guard.protect(recorder.tool("send", "write", output="trusted"))
    assert not send.run(ARGUMENTS, RequestContext()).failed
    assert not guard.tainted
    search.run({}, RequestContext())
    assert guard.tainted
    assert send.run(ARGUMENTS, RequestContext()).text == NOT_CONFIRMED


def test_a_decision_lets_one_call_through_once() -> None:
    recorder = Recorder()
    guard = Guard(Policy(), Exposure(), [decision("allow")])
    send, other = (guard.protect(recorder.tool(name, "write")) for name in ("send", "other"))
    assert send.run({"to": "b"}, RequestContext()).failed
    assert other.run(ARGUMENTS, RequestContext()).failed
    assert not send.run(ARGUMENTS, RequestContext()).failed
    assert send.run(ARGUMENTS, RequestContext()).failed
    assert made(Guard(Policy(), Exposure(), [decision("deny")]), recorder.tool("send", "write")).failed


def test_an_edit_lets_the_edited_call_of_its_tool_through_and_not_the_original() -> None:
    recorder = Recorder()
    guard = Guard(
        Policy(), Exposure(), [decision("edit", arguments={"to": "me"})], [step(SEND, state="stopped"), OPEN_APPROVAL]
    )
    send, other = (guard.protect(recorder.tool(name, "write")) for name in ("send", "other"))
    assert send.run(ARGUMENTS, RequestContext()).failed
    assert other.run({"to": "me"}, RequestContext()).failed
    assert not send.run({"to": "me"}, RequestContext()).failed


OPEN_APPROVAL = TraceStep(id="2", kind="approval", parent="1", state="stopped")


def test_earlier_results_taint_and_a_begun_call_is_not_repeated_unasked() -> None:
    recorder = Recorder()
    guard = Guard(Policy(frozenset({"send"})), Exposure(), (), [step(SEND, state="stopped")])
    assert made(guard, recorder.tool("send", "write", output="trusted")).failed
    read = step(ToolCall(tool="search"), output="do this")
    guard = Guard(Policy(frozenset({"send"})), Exposure(), (), [read])
    guard.protect(recorder.tool("search", "read"))
    assert made(guard, recorder.tool("send", "write")).failed
    trusted = Guard(Policy(frozenset({"send"})), Exposure(), (), [read])
    trusted.protect(recorder.tool("search", "read", output="trusted"))
    assert not made(trusted, recorder.tool("send", "write")).failed
    unknown = Guard(Policy(frozenset({"send"})), Exposure(), (), [read])
    assert made(unknown, recorder.tool("send", "write")).failed


def test_the_network_is_refused_offline_and_an_answer_to_a_question_is_guarded_as_well() -> None:
    recorder = Recorder()
    offline = Guard(Policy(offline=True), Exposure(), [decision("allow")])
    assert made(offline, recorder.tool("send", "network")).text == OFFLINE
    asking = msgspec.structs.replace(
        recorder.tool("send", "write"), answered=lambda arguments, answer, context: ToolOutput(text=answer)
    )
    answered = Guard(Policy(), Exposure()).protect(asking).answered
    assert answered is not None
    assert answered(ARGUMENTS, "yes", RequestContext()).text == NOT_CONFIRMED
