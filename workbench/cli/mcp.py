"""``workbench mcp``: MCP servers whose tools agents may use, and this program as a server of its own."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute, add_repeated, one_sentence
from workbench.cli.call_arguments import add_call, add_fields, call_of
from workbench.cli.mcp_server import add_serve
from workbench.cli.output import TextOutput, one_line, printable
from workbench.cli.session import Events, Session
from workbench.records.mcp import CALL_SECONDS, McpServer, read_pairs
from workbench.subjects.agents.calls import (
    AgreeToMcpTools,
    ListMcpServers,
    McpServerList,
    McpServerRecord,
    RemoveMcpServer,
    SaveMcpServer,
)

STATES = {"agreed": "agreed", "new": "not agreed", "changed": "CHANGED"}
REMOVED = one_sentence(lambda result: f"{result['removed']} was removed.")


def add_commands(commands: Commands) -> None:
    group = commands.group("mcp", "add MCP servers, whose tools agents can use, and serve as one")
    listed = "list the servers and their tools, and what you have agreed to"
    add_call(group, "list", listed, ListMcpServers, show_all, connect="--offline")
    adding = group.command("add", "add a server; its tools can be used once you have agreed to them", add, show_server)
    add_fields(adding, McpServer, command="COMMAND", url="--url URL", folder="--folder DIR", call_seconds="--seconds N")
    add_repeated(adding, "--variable", "NAME=VALUE", "a variable that its program gets")
    add_repeated(adding, "--header", "NAME=VALUE", "a header of each request to its address")
    group.command("show", "show the definitions of a server's tools in full", show, show_definitions, "NAME")
    agreeing = group.command("agree", "agree to tools as they are now; a change asks again", agree, show_server, "NAME")
    agreeing.add_argument("tools", metavar="TOOL", nargs="*", help="only these; all, if none is given")
    add_repeated(agreeing, "--reads", "TOOL", "this one only reads: it is not confirmed each time")
    group.command("remove", "remove a server and all agreements", remove, REMOVED, "NAME")
    add_serve(group)


def add(session: Session, arguments: argparse.Namespace) -> Events[McpServerRecord]:
    environment, headers = read_pairs(arguments.variable), read_pairs(arguments.header)
    folder = absolute(arguments.folder) if arguments.folder else ""
    server = call_of(McpServer, arguments, environment=environment, headers=headers, folder=folder)
    return (yield from session.call(SaveMcpServer(server=server)))


def show(session: Session, arguments: argparse.Namespace) -> Events[McpServerRecord]:
    known = yield from session.call(ListMcpServers())
    for one in known.servers:
        if one.server.name == arguments.name:
            return one
    names = ", ".join(one.server.name for one in known.servers)
    raise UserError(f"There is no MCP server {arguments.name!r}.", f"Known: {names or 'none'}.")


def agree(session: Session, arguments: argparse.Namespace) -> Events[McpServerRecord]:
    record = yield from show(session, arguments)
    if record.problem:
        raise UserError(record.problem)
    digests = {one.definition.name: one.digest for one in record.tools}
    for name in (*arguments.tools, *arguments.reads):
        if name not in digests:
            raise UserError(f"The server has no tool {name!r}.", f"It has: {', '.join(digests) or 'none'}.")
    chosen = dict.fromkeys((*(arguments.tools or digests), *arguments.reads))
    call = AgreeToMcpTools(
        name=arguments.name,
        digests=tuple(digests[name] for name in chosen),
        reads=tuple(digests[name] for name in arguments.reads),
    )
    return (yield from session.call(call))


def remove(session: Session, arguments: argparse.Namespace) -> Events[dict[str, str]]:
    yield from session.call(RemoveMcpServer(name=arguments.name))
    return {"removed": arguments.name}


# -- output --------------------------------------------------------------------------------------------


def show_all(result: dict[str, Any], output: TextOutput) -> None:
    known = msgspec.convert(result, McpServerList)
    if known.problem:
        output.line(f"MCP servers cannot be used here: {known.problem}")
    if not known.servers:
        output.line("There are no MCP servers. `workbench mcp add NAME -- COMMAND` adds one.")
    for one in known.servers:
        _show(one, output)


def show_server(result: dict[str, Any], output: TextOutput) -> None:
    _show(msgspec.convert(result, McpServerRecord), output)


def _show(record: McpServerRecord, output: TextOutput) -> None:
    where = record.server.url or " ".join(record.server.command)
    seconds = record.server.call_seconds
    limit = "" if seconds == CALL_SECONDS else f" (up to {seconds:,} s a call)"
    output.line(f"{record.server.name}: {one_line(where)}{limit}")
    if record.problem:
        output.line(f"  {printable(record.problem)}")
    rows = [
        (
            one.name,
            STATES[one.state] + (", reads" if one.reads else ""),
            one_line(one.problem or one.definition.description)[:80],
        )
        for one in record.tools
    ]
    if rows:
        output.table(("TOOL", "STATE", "WHAT THE SERVER SAYS OF IT"), rows)
    for line in record.left_out:
        output.line(f"  left out: {printable(line)}")


def show_definitions(result: dict[str, Any], output: TextOutput) -> None:
    record = msgspec.convert(result, McpServerRecord)
    if record.problem:
        output.line(printable(record.problem))
    for one in record.tools:
        parameters = msgspec.json.format(msgspec.json.encode(one.definition.parameters), indent=2).decode()
        output.line(f"{one.name} ({STATES[one.state]}, {one.digest[:12]})")
        output.line(printable(one.definition.description))
        output.line(printable(parameters))
        output.line()
