"""Agents in the terminal: options of the recipe, approvals, the timeline, and the memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench import calls as c
from workbench.api.events import Event
from workbench.api.protocol import finish
from workbench.records.agents import Approval, Decision, Fact, TaintedSpan, ToolCall
from workbench.records.messages import Usage
from workbench.records.recipes import AgentPart
from workbench.records.trace import Trace, TraceStep

Run = Callable[..., Ran]
CALL = ToolCall(tool="write_file", arguments={"path": "a.txt", "text": "36 months"})
APPROVAL = Approval(
    step="1",
    call=CALL,
    effects=("read", "write"),
    reason="It acts.",
    spans=(TaintedSpan(name="text", start=3, end=9),),
)
QUESTION = Approval(step="1", call=ToolCall(tool="ask_person"), question="Which year?")
DONE = c.AskResult(answer="Done.", chat="c1", message="m1")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type some lines on a terminal."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def type_(text: str) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(text))
        monkeypatch.setattr("workbench.cli.approvals._is_terminal", lambda: True)

    return type_


def waits(front: FakeFront, *approvals: Approval) -> None:
    """An answer that waits for decisions on these calls, one after the other."""
    left = list(approvals)

    def go_on(call: Any, cancelled: object) -> Iterator[Event]:
        waiting = left.pop(0) if left else None
        yield finish(msgspec.structs.replace(DONE, answer="" if waiting else "Done.", waiting=waiting))

    front.scripts[c.Ask] = front.scripts[c.Decide] = go_on


def decisions(front: FakeFront) -> list[Decision]:
    return [call.decision for call in front.asked(c.Decide)]


# -- the recipe ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--agent",), AgentPart()),
        (("--agent", "react", "--tool", "calculator"), AgentPart(tools=("calculator",))),
        (("--tool", "calculator", "--tool", "run_python"), AgentPart(tools=("calculator", "run_python"))),
        (("--agent", "--set", "agent.max_steps=3"), AgentPart(max_steps=3)),
    ],
)
def test_options_make_an_agent(run: Run, front: FakeFront, options: tuple[str, ...], part: AgentPart) -> None:
    front.answer(c.Ask, DONE)
    assert run("ask", "How many?", *options).status == 0
    assert front.asked(c.Ask)[0].recipe.agent == part


def test_the_folder_is_a_whole_path(
    run: Run, front: FakeFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front.answer(c.Ask, DONE)
    monkeypatch.chdir(tmp_path)
    run("ask", "How many?", "--folder", "notes")
    agent = front.asked(c.Ask)[0].recipe.agent
    assert agent is not None
    assert agent.folder == str(tmp_path / "notes")


def test_an_unknown_method_is_refused(run: Run) -> None:
    assert run("ask", "How many?", "--agent", "nonsense").status == 2


# -- approvals -----------------------------------------------------------------------------------------


def test_without_a_terminal_a_call_is_denied_and_said(run: Run, front: FakeFront) -> None:
    waits(front, APPROVAL)
    ran = run("ask", "How many?", "--agent")
    assert decisions(front) == [Decision(signature=CALL.signature, choice="deny", text="There is nobody to ask.")]
    assert "Write file needs a person's confirmation, and there is no terminal" in ran.err
    assert "--yes-to write" in ran.err
    assert ran.out == "Done.\n"


def test_a_question_without_a_terminal_has_no_answer(run: Run, front: FakeFront) -> None:
    waits(front, QUESTION)
    ran = run("ask", "How many?", "--agent")
    assert "The agent asks: Which year? There is no terminal to answer on." in ran.err
    assert decisions(front)[0].choice == "deny"


@pytest.mark.parametrize(
    ("approval", "options", "choice"),
    [
        (APPROVAL, ("--yes-to", "write"), "allow"),
        (APPROVAL, ("--yes-to", "read"), "deny"),
        (msgspec.structs.replace(APPROVAL, effects=("write", "execute")), ("--yes-to", "write"), "deny"),
        (msgspec.structs.replace(APPROVAL, only_once=True), ("--yes-to", "write"), "deny"),
        (msgspec.structs.replace(APPROVAL, repeated=True), ("--yes-to", "write"), "deny"),
        (QUESTION, ("--yes-to", "write"), "deny"),
    ],
)
def test_calls_are_agreed_to_in_advance_but_not_those_that_untrusted_text_may_have_caused(
    run: Run, front: FakeFront, approval: Approval, options: tuple[str, ...], choice: str
) -> None:
    waits(front, approval)
    run("ask", "How many?", "--agent", *options)
    assert [one.choice for one in decisions(front)] == [choice]


def test_sending_data_cannot_be_agreed_to_in_advance(run: Run) -> None:
    assert run("ask", "How many?", "--agent", "--yes-to", "network").status == 2


def test_a_call_is_shown_exactly_and_asked_on_the_terminal(
    run: Run, front: FakeFront, typed: Callable[[str], None]
) -> None:
    waits(front, APPROVAL, APPROVAL, APPROVAL)
    typed('x\no\nc\ne\n{"path": "b.txt"}\n')
    ran = run("ask", "How many?", "--agent")
    assert decisions(front) == [
        Decision(signature=CALL.signature, choice="allow"),
        Decision(signature=CALL.signature, choice="allow-in-chat"),
        Decision(signature=CALL.signature, choice="edit", arguments={"path": "b.txt"}),
    ]
    lines = ran.err.splitlines()
    assert lines[:4] == [
        "The agent wants to use Write file. It changes files or what is remembered.",
        "Why you are asked: It acts.",
        "  path: a.txt",
        "  text: 36 ⟦months⟧",
    ]


def test_a_decision_is_made_later(run: Run, front: FakeFront, typed: Callable[[str], None]) -> None:
    record = c.ChatRecord(id="c1", title="Warranty", created=0, updated=0, waiting="m1", allowed=("write_file",))
    message = c.StoredMessage(
        id="m1", chat="c1", parent=None, role="assistant", text="", state="waiting", waiting=APPROVAL
    )
    front.answer(c.ListChats, c.ChatList(chats=(record,)))
    front.answer(c.GetChat, c.Chat(chat=record, messages=(message,)))
    waits(front)
    assert "Warranty (waits for your decision: `workbench chats decide`)" in run("chats", "list").out
    typed("o\n")
    assert run("chats", "decide", "c1").out == "Done.\n"
    assert decisions(front) == [Decision(signature=CALL.signature, choice="allow")]
    front.answer(c.GetChat, c.Chat(chat=msgspec.structs.replace(record, waiting=""), messages=()))
    assert "No answer of this chat waits" in run("chats", "decide", "c1").err
    front.answer(c.WithdrawTool, record)
    assert run("chats", "ask-again", "c1", "remember").out == "Allowed in this chat: write_file.\n"
    assert front.asked(c.WithdrawTool) == [c.WithdrawTool(chat="c1", tool="remember")]


def test_an_empty_line_denies_with_a_reason(run: Run, front: FakeFront, typed: Callable[[str], None]) -> None:
    waits(front, APPROVAL)
    typed("\nnot today\n")
    run("ask", "How many?", "--agent")
    assert decisions(front) == [Decision(signature=CALL.signature, choice="deny", text="not today")]


def test_what_can_only_be_allowed_once_is_not_allowed_for_the_chat(
    run: Run, front: FakeFront, typed: Callable[[str], None]
) -> None:
    waits(front, msgspec.structs.replace(APPROVAL, only_once=True))
    typed("c\no\n")
    run("ask", "How many?", "--agent")
    assert [one.choice for one in decisions(front)] == ["allow"]


def test_the_end_of_the_input_leaves_the_answer_waiting(
    run: Run, front: FakeFront, typed: Callable[[str], None]
) -> None:
    waits(front, APPROVAL)
    typed("")
    assert run("ask", "How many?", "--agent").status == 130
    assert decisions(front) == []


def test_a_question_is_answered_on_the_terminal(run: Run, front: FakeFront, typed: Callable[[str], None]) -> None:
    waits(front, QUESTION)
    typed("2024\n")
    run("ask", "How many?", "--agent")
    assert decisions(front) == [Decision(signature=QUESTION.call.signature, choice="allow", text="2024")]


# -- the timeline --------------------------------------------------------------------------------------


def test_trace_shows_the_steps_of_an_agent(run: Run, front: FakeFront) -> None:
    usage = Usage(prompt_tokens=9, new_tokens=5)
    computes = ToolCall(tool="calculator", arguments={"expression": "36 - 8"})
    denied = msgspec.json.encode(Decision(signature=CALL.signature, choice="deny", text="no")).decode()
    steps = (
        TraceStep(id="1", kind="thought", title="Thought", output="I compute it.", seconds=0.5, usage=usage),
        TraceStep(id="2", kind="choose", usage=usage),
        TraceStep(id="3", kind="call", input=computes.encode(), output="28", seconds=0.25),
        TraceStep(id="4", kind="call", input=CALL.encode(), error="The person did not allow this.", state="failed"),
        TraceStep(id="5", kind="approval", parent="4", input=msgspec.json.encode(APPROVAL).decode(), output=denied),
    )
    front.answer(c.Ask, msgspec.structs.replace(DONE, trace=Trace(steps=steps)))
    assert run("ask", "How many?", "--agent", "--trace").out.splitlines()[2:] == [
        "Thought · 0.50 s · 5 tokens · step 1",
        "  > I compute it.",
        "Calculator · 0.25 s · 5 tokens · step 3",
        "  expression: 36 - 8",
        "  > 28",
        "Write file · step 4 · failed",
        "  path: a.txt",
        "  text: 36 months",
        "  Denied: no",
        "  ! The person did not allow this.",
        "2 tool calls, 0.8 s, 10 tokens",
    ]


def test_the_result_of_a_call_is_written_by_hand(run: Run, front: FakeFront) -> None:
    front.answer(c.GetChat, c.Chat(chat=c.ChatRecord(id="c1", title="", created=0, updated=0), messages=()))
    front.answer(c.Ask, DONE)
    assert run("ask", "29", "--chat", "c1", "--again", "m1", "--step-result", "3").status == 0
    edit = front.asked(c.Ask)[0].edit
    assert edit is not None
    assert (edit.step, edit.action, edit.text) == ("3", "result", "29")


# -- the memory ----------------------------------------------------------------------------------------

FACTS = c.FactList(
    facts=(
        Fact(id="1a2b3c4d5e6f", text="I write\x1b formal German.", created=1_000_000.0),
        Fact(id="1a9b3c4d5e6f", text="Delivered in March.", source="an agent in “Pump”", created=1.0, changed=2.0),
    )
)


def test_facts_are_listed_with_their_source(run: Run, front: FakeFront) -> None:
    front.answer(c.ListFacts, FACTS)
    ran = run("memory", "list", "--search", "letters")
    assert front.asked(c.ListFacts)[0].search == "letters"
    lines = ran.out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("1a2b3c4d")
    assert lines[1].endswith("you                 I write formal German.")
    assert "an agent in “Pump”" in lines[2]
    front.answer(c.ListFacts, c.FactList(facts=()))
    assert run("memory", "list").out.startswith("Nothing is remembered.")


def test_a_fact_is_added_edited_and_forgotten(run: Run, front: FakeFront) -> None:
    front.answer(c.ListFacts, FACTS)
    for call in (c.AddFact, c.EditFact, c.ForgetFact):
        front.answer(call, FACTS.facts[0])
    assert run("memory", "add", "I write formal German.").out == "1a2b3c4d  I write formal German.\n"
    assert run("memory", "edit", "1a2", "Yes.").status == 0
    assert front.asked(c.EditFact) == [c.EditFact(fact="1a2b3c4d5e6f", text="Yes.")]
    assert run("memory", "forget", "1a2b3c4d").out == "Forgotten: I write formal German.\n"
    assert front.asked(c.ForgetFact) == [c.ForgetFact(fact="1a2b3c4d5e6f")]


@pytest.mark.parametrize(("command", "named"), [("edit", "1a"), ("edit", "ff"), ("forget", "1a2b")])
def test_a_fact_that_is_not_clearly_named_is_left_alone(run: Run, front: FakeFront, command: str, named: str) -> None:
    front.answer(c.ListFacts, FACTS)
    rest = ("Yes.",) if command == "edit" else ()
    ran = run("memory", command, named, *rest)
    assert ran.status == 1
    assert named in ran.err
    assert not front.asked(c.ForgetFact)
    assert not front.asked(c.EditFact)
