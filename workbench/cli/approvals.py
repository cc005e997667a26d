"""Calls of an agent that wait for the person: asked on the terminal, and denied where there is none."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import msgspec

from workbench.api.events import Event, Log
from workbench.base.errors import UserError
from workbench.cli.arguments import add_repeated
from workbench.cli.output import printable
from workbench.cli.session import Events, Session, Stopped
from workbench.records.agents import Approval, Decision, Effect
from workbench.records.answers import AskResult
from workbench.records.approvals import REPEATED, UNTRUSTED, explain_effects, pieces, tool_title
from workbench.subjects.agents.calls import Decide
from workbench.subjects.chats.calls import GetChat

EFFECTS: tuple[Effect, ...] = ("read", "write", "execute")
"""What can be agreed to in advance: nothing that sends data away."""
NOBODY = "{tool} needs a person's confirmation, and there is no terminal to ask on: it was denied."
IN_ADVANCE = " {options} would allow such calls, unless text of strangers was read."
NO_ANSWER = "The agent asks: {question} There is no terminal to answer on."
CHOICES = "[o] allow once  [c] allow this tool in this chat  [e] edit the arguments  [d] deny"
CHOICES_ONCE = "[o] allow once  [e] edit the arguments  [d] deny"


def add_approval_options(parser: argparse.ArgumentParser) -> None:
    help = "allow its calls with this effect (read, write, execute) unasked"
    add_repeated(parser, "--yes-to", "EFFECT", help, choices=EFFECTS)


def decided(session: Session, result: AskResult, yes_to: Sequence[str]) -> Events[AskResult]:
    """The answer, once the person has decided on every call that it waits for."""
    while result.waiting is not None:
        result = yield from _go_on(session, result.message, result.waiting, yes_to)
    return result


def decide(session: Session, arguments: argparse.Namespace) -> Events[AskResult]:
    """Go on with the answer of a chat that waits."""
    chat = yield from session.call(GetChat(chat=arguments.id))
    message = next((one for one in chat.messages if one.id == chat.chat.waiting), None)
    if message is None or message.waiting is None:
        raise UserError("No answer of this chat waits for a decision.", "`workbench chats list` shows those that do.")
    result = yield from _go_on(session, message.id, message.waiting, arguments.yes_to)
    return (yield from decided(session, result, arguments.yes_to))


def _go_on(session: Session, message: str, approval: Approval, yes_to: Sequence[str]) -> Events[AskResult]:
    signature = approval.call.signature
    if _agreed(approval, yes_to):
        decision = Decision(signature=signature, choice="allow")
    elif _is_terminal():
        yield from _shown(approval)
        decision = _asked(approval)
    else:
        yield Log(text=_nobody(approval), level="notice")
        decision = Decision(signature=signature, choice="deny", text="There is nobody to ask.")
    return (yield from session.call(Decide(message=message, decision=decision)))


def describe(approval: Approval) -> list[str]:
    """What a person has to know to decide, in lines; text of strangers stands between ⟦ and ⟧."""
    if approval.question:
        return [f"The agent asks: {approval.question}"]
    lines = [f"The agent wants to use {tool_title(approval.call.tool)}. {explain_effects(approval.effects)}"]
    lines += [REPEATED] if approval.repeated else []
    lines += [f"Why you are asked: {approval.reason}"] if approval.reason else []
    for name, value in approval.call.arguments.items():
        own = [span for span in approval.spans if span.name == name]
        text = "".join(f"⟦{part}⟧" if marked else part for part, marked in pieces(value, own))
        lines += [f"  {name}: {line}" if place == 0 else f"    {line}" for place, line in enumerate(text.split("\n"))]
    lines += [f"{UNTRUSTED} It stands between ⟦ and ⟧."] if approval.spans else []
    return lines


def _agreed(approval: Approval, yes_to: Sequence[str]) -> bool:
    if approval.question or approval.only_once or approval.repeated:
        return False
    return set(approval.effects) <= {"read", *yes_to}


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _shown(approval: Approval) -> Iterator[Event]:
    for line in describe(approval):
        yield Log(text=line, level="notice")


def _nobody(approval: Approval) -> str:
    if approval.question:
        return NO_ANSWER.format(question=approval.question)
    words = NOBODY.format(tool=tool_title(approval.call.tool))
    acting = [effect for effect in approval.effects if effect != "read"]
    if approval.only_once or approval.repeated or not set(acting) <= set(EFFECTS):
        return words
    return words + IN_ADVANCE.format(options=" ".join(f"--yes-to {effect}" for effect in acting))


def _asked(approval: Approval) -> Decision:
    """The decision that is typed; an empty line denies. Raises Stopped at the end of the input and after Ctrl+C, which
    leave the answer waiting."""
    signature = approval.call.signature
    if approval.question:
        text = _line("Your answer (empty: none): ")
        return Decision(signature=signature, choice="allow" if text else "deny", text=text)
    while True:
        typed = _line(f"{CHOICES_ONCE if approval.only_once or approval.repeated else CHOICES}\n> ").lower()
        if typed == "o":
            return Decision(signature=signature, choice="allow")
        if typed == "c" and not (approval.only_once or approval.repeated):
            return Decision(signature=signature, choice="allow-in-chat")
        if typed == "e" and (arguments := _edited(approval)) is not None:
            return Decision(signature=signature, choice="edit", arguments=arguments)
        if typed in ("", "d"):
            return Decision(signature=signature, choice="deny", text=_line("Reason, which the agent sees (optional): "))


def _edited(approval: Approval) -> dict[str, object] | None:
    """Other arguments as a JSON object; None where what was typed is none."""
    now = msgspec.json.encode(approval.call.arguments).decode()
    typed = _line(f"Arguments as JSON, now {now}\n> ")
    try:
        return msgspec.json.decode(typed, type=dict[str, object])
    except msgspec.DecodeError as error:
        sys.stderr.write(f"This is not a JSON object: {error}.\n")
        return None


def _line(prompt: str) -> str:
    sys.stderr.write(printable(prompt))
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        line = ""
    if not line:
        sys.stderr.write("\n")
        raise Stopped
    return line.strip()
