"""``workbench tools``: what agents can use, and calls of single tools by hand."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute
from workbench.cli.output import TextOutput, one_line, printable
from workbench.cli.session import Events, Session
from workbench.records.recipes import AgentPart, RetrievalPart
from workbench.subjects.agents.calls import CallTool, ListTools, ToolRecord

NAMES = {"collection": "collection"}


def add_commands(commands: Commands) -> None:
    group = commands.group("tools", "list the tools of agents, and call one by hand")
    listing = group.command(
        "list", "list the tools, and why some cannot be used here", list_tools, show_list, names=NAMES
    )
    _add_surroundings(listing)
    calling = group.command(
        "call", "call a tool; you thereby agree to what it does", call_tool, show_result, names=NAMES
    )
    calling.add_argument("name", metavar="NAME", help="a tool of the list")
    calling.add_argument(
        "arguments", metavar="ARGUMENTS", nargs="*", help="its arguments: one JSON object, or NAME=VALUE for each"
    )
    _add_surroundings(calling)


def _add_surroundings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--collection", metavar="NAME", help="the documents that the tools may read")
    parser.add_argument("--folder", metavar="DIR", help="the workspace: the only folder in which tools handle files")


def _agent(arguments: argparse.Namespace) -> AgentPart:
    folder = absolute(arguments.folder) if arguments.folder else ""
    return AgentPart(folder=folder, memory="read-write")


def _retrieval(arguments: argparse.Namespace) -> RetrievalPart | None:
    return RetrievalPart(collection=arguments.collection) if arguments.collection else None


def list_tools(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    return (yield from session.call(ListTools(agent=_agent(arguments), retrieval=_retrieval(arguments))))


def call_tool(session: Session, arguments: argparse.Namespace) -> Events[Any]:
    call = CallTool(
        tool=arguments.name,
        arguments=read_arguments(arguments.arguments),
        agent=_agent(arguments),
        retrieval=_retrieval(arguments),
    )
    result = yield from session.call(call)
    if result.question and sys.stdin.isatty():
        sys.stderr.write(f"{printable(result.question)}\n> ")
        sys.stderr.flush()
        answer = sys.stdin.readline().rstrip("\n")
        result = yield from session.call(msgspec.structs.replace(call, answer=answer))
    return result


def read_arguments(given: list[str]) -> dict[str, Any]:
    """The arguments of a call: one JSON object, or a NAME=VALUE each, whose value is JSON or else a text. Raises
    UserError."""
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        try:
            return msgspec.json.decode(given[0], type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise UserError(
                f"The arguments are not a JSON object: {error}.", 'Write them as {"name": "value"}.'
            ) from error
    found: dict[str, Any] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise UserError(f"{one!r} is no argument.", "Write NAME=VALUE, or one JSON object.")
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


# -- output --------------------------------------------------------------------------------------------


def show_list(result: dict[str, Any], output: TextOutput) -> None:
    rows = []
    for one in msgspec.convert(result["tools"], list[ToolRecord]):
        effects = ", ".join(one.effects)
        rows.append((one.name, "-" if one.unavailable else effects, one_line(one.unavailable or one.summary)))
    output.table(("NAME", "EFFECTS", "WHAT IT DOES, OR WHY IT CANNOT BE USED"), rows)


def show_result(result: dict[str, Any], output: TextOutput) -> None:
    if result["question"]:
        output.line(f"It asks: {printable(result['question'])}")
    else:
        output.line(("It failed: " if result["failed"] else "") + printable(result["text"]))
