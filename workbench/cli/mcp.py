"""``workbench mcp``: MCP servers whose tools agents may use, and this program as a server of its own."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.cli.arguments import Commands, absolute
from workbench.cli.mcp_server import add_serve
from workbench.cli.output import TextOutput, one_line, printable
from workbench.cli.session import Events, Session
from workbench.records.mcp import CALL_SECONDS, LONGEST_CALL_SECONDS, McpServer
from workbench.subjects.agents.calls import (
    AgreeToMcpTools,
    ListMcpServers,
    McpServerList,
    McpServerRecord,
    RemoveMcpServer,
    SaveMcpServer,
)

STATES = {"agreed": "agreed", "new": "not agreed", "changed": "CHANGED"}


def add_commands(commands: Commands) -> None:
    group = commands.group("mcp", "MCP servers: their tools for agents, and this program as a server")
    listing = group.command(
        "list", "list the servers and their tools, and what you have agreed to", list_servers, show_all
    )
    listing.add_argument("--offline", action="store_true", help="start no server; only their names are shown")
    adding = group.command("add", "add a server; its tools can be used once you have agreed to them", add, show_server)
    adding.add_argument("name", metavar="NAME", help="tools are named NAME.TOOL")
    adding.add_argument("command", metavar="COMMAND", nargs="*", help="after --: the program that is the server")
    adding.add_argument("--url", metavar="URL", default="", help="the address of a server with streamable HTTP")
    adding.add_argument("--variable", metavar="NAME=VALUE", action="append", help="a variable that its program gets")
    adding.add_argument(
        "--header", metavar="NAME=VALUE", action="append", help="a header of each request to its address"
    )
    adding.add_argument("--folder", metavar="DIR", default="", help="the folder in which its program runs")
    adding.add_argument(
        "--seconds", metavar="N", type=int, default=CALL_SECONDS,
        help=f"how long a call of a tool may take, to {LONGEST_CALL_SECONDS:,} (default {CALL_SECONDS})",
    )  # fmt: skip
    showing = group.command("show", "show the definitions of a server's tools in full", show, show_definitions)
    showing.add_argument("name", metavar="NAME")
    agreeing = group.command("agree", "agree to tools as they are now; a change asks again", agree, show_server)
    agreeing.add_argument("name", metavar="NAME")
    agreeing.add_argument("tools", metavar="TOOL", nargs="*", help="only these; all, if none is given")
    agreeing.add_argument(
        "--reads",
        metavar="TOOL",
        action="append",
        default=[],
        help="this one only reads: it is not confirmed each time",
    )
    removing = group.command("remove", "remove a server and all agreements", remove, show_removed)
    removing.add_argument("name", metavar="NAME")
    add_serve(group)


def list_servers(session: Session, arguments: argparse.Namespace) -> Events[McpServerList]:
    return (yield from session.call(ListMcpServers(connect=not arguments.offline)))


def add(session: Session, arguments: argparse.Namespace) -> Events[McpServerRecord]:
    server = McpServer(
        name=arguments.name,
        command=tuple(arguments.command),
        url=arguments.url,
        environment=_pairs(arguments.variable),
        headers=_pairs(arguments.header),
        folder=absolute(arguments.folder) if arguments.folder else "",
        call_seconds=arguments.seconds,
    )
    return (yield from session.call(SaveMcpServer(server=server)))


def _pairs(given: list[str] | None) -> dict[str, str]:
    found = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise UserError(f"{one!r} is not a NAME=VALUE.")
        found[name] = value
    return found


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


def show_removed(result: dict[str, Any], output: TextOutput) -> None:
    output.line(f"{result['removed']} was removed.")
