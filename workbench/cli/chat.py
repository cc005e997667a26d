"""``workbench chat``: a conversation in the terminal, stored like any other chat."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from workbench.api.events import Artifact, Event, Log
from workbench.api.protocol import read_result
from workbench.base.errors import UserError
from workbench.cli.approvals import add_approval_options, decided
from workbench.cli.arguments import Commands
from workbench.cli.ask import plain_answer, show_answer
from workbench.cli.docs import attach
from workbench.cli.output import TextOutput
from workbench.cli.recipes import add_recipe_options, read_recipe
from workbench.cli.session import Events, Session, Stopped
from workbench.records.answers import AskResult
from workbench.subjects.chats.calls import Ask

PROMPT = "> "
HELP = (
    "/again        another, more varied answer to the last question\n/attach FILE  attach a file: it is searched "
    "for this chat alone\n/new          start a new chat\n/quit         leave, as Ctrl+D does\nCtrl+C stops an "
    "answer."
)


def add_commands(commands: Commands) -> None:
    parser = commands.command(
        "chat",
        "chat in the terminal; a line is a question, /help lists the commands",
        chat,
        show_end,
        on_event=show_turn,
    )
    add_recipe_options(parser)
    add_approval_options(parser)
    parser.add_argument("--chat", metavar="ID", help="continue this chat, with its recipe unless another is given")


def chat(session: Session, arguments: argparse.Namespace) -> Events[dict[str, Any]]:
    recipe = yield from read_recipe(session, arguments)
    if _is_interactive():
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401 - editing and history for input()
        yield Log(text=f"{recipe.model.name}. /help lists the commands, Ctrl+D leaves.", level="notice")
    current: str | None = arguments.chat
    if arguments.attach:
        current = (yield from attach(session, arguments.attach, current)).chat.id
    last = ""
    answers = 0
    while (line := _read_line()) is not None:
        question = line.strip()
        if question == "/quit":
            break
        if question == "/help":
            yield Log(text=HELP, level="notice")
        elif question == "/new":
            current, last = None, ""
        elif question.startswith("/attach "):
            current = yield from _attach(session, question.removeprefix("/attach ").strip(), current)
        elif question == "/again" and not last:
            yield Log(text="There is no answer yet.", level="notice")
        elif question:
            again = last if question == "/again" else None
            call = Ask(
                question="" if again else question, recipe=recipe, chat=current, regenerate=again, varied=bool(again)
            )
            answer = yield from _answer(session, call, arguments.yes_to)
            stopped = session.interrupted
            session.go_on()
            if answer is not None:
                current, last, answers = answer.chat, answer.message, answers + 1
                yield Artifact(kind="answer", id=last, result={**plain_answer(answer), "trace": None})
            if stopped:
                yield Log(text="Stopped.", level="notice")
    return {"chat": current, "answers": answers, "resume": session.command(f"chat --chat {current}")}


def _answer(session: Session, call: Ask, yes_to: Sequence[str]) -> Events[AskResult | None]:
    """One answer, or what there is of a stopped one. An answer that fails does not end the conversation."""
    try:
        return (yield from decided(session, (yield from session.call(call)), yes_to))
    except Stopped as stopped:
        return read_result(call, stopped.result) if stopped.result is not None else None
    except UserError as error:
        yield Log(text=f"{error.message} {error.hint}".strip(), level="warning")
        return None


def _attach(session: Session, path: str, chat: str | None) -> Events[str | None]:
    """The chat with a file attached; a file that cannot be read does not end the conversation."""
    try:
        return (yield from attach(session, [path], chat)).chat.id
    except UserError as error:
        yield Log(text=f"{error.message} {error.hint}".strip(), level="warning")
    except Stopped:
        session.go_on()
    return chat


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _read_line() -> str | None:
    """The next line of the person; None at the end, or after Ctrl+C."""
    try:
        if _is_interactive():
            return input(PROMPT)
        return sys.stdin.readline() or None
    except (EOFError, KeyboardInterrupt):
        return None


def show_turn(event: Event, output: TextOutput) -> None:
    if isinstance(event, Artifact) and event.kind == "answer":
        show_answer(event.result, output)
        output.line()


def show_end(result: dict[str, Any], output: TextOutput) -> None:
    if result["answers"] and _is_interactive():
        output.line(f"The chat is kept: {result['resume']} continues it.")
