"""The MCP servers of a home: their list, agreements to their tools, and these as tools of agents.

The file of MCP servers. The values of variables and headers, which may be secrets, are in the system's keyring.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import RequestContext, finish
from workbench.base.errors import UserError, WorkerDied
from workbench.base.stored import Unreadable
from workbench.core.change_notifier import ChangeNotifier
from workbench.core.streams import Handlers, unary
from workbench.network.gate import Gate
from workbench.network.secrets import Secrets
from workbench.processes.host import State as WorkerState
from workbench.processes.host import WorkerHost
from workbench.processes.server_processes import WORKER, end_servers_of
from workbench.records.agents import Effect
from workbench.records.hub import NetworkRequest
from workbench.records.mcp import (
    MCP_SERVERS,
    McpAgreement,
    McpServer,
    McpServers,
    McpTool,
    check_server,
    digest_of,
    state_of,
)
from workbench.subjects.agents.calls import (
    AgreeToMcpTools,
    ListMcpServers,
    McpServerList,
    McpServerRecord,
    McpToolRecord,
    RemoveMcpServer,
    SaveMcpServer,
)
from workbench.techniques.decoding.formats import check_format
from workbench.techniques.tools.mcp_calls import (
    PACKAGE,
    REQUEST,
    CallServerTool,
    CloseServer,
    ListServerTools,
    ServerTools,
)
from workbench.techniques.tools.services import ToolUnavailable
from workbench.techniques.tools.tool import Tool, ToolOutput

NOT_INSTALLED = "the package mcp is not installed; install the program with the extra mcp."
INHERITED = (
    "HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LD_LIBRARY_PATH", "PYTHONHOME", "APPDATA", "HOMEDRIVE",
    "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE", "SYSTEMDRIVE", "SYSTEMROOT", "SystemRoot", "TEMP",
    "USERNAME", "USERPROFILE", "WINDIR",
)  # fmt: skip
"""The variables that the worker gets; servers get fewer, and those of their own."""
ANY_EFFECT: tuple[Effect, ...] = ("write", "network", "execute")
"""What a tool may do of which the person has not said that it only reads: a server's own word counts nothing."""
CONNECT_S = 30.0


class McpHub:
    """Thread-safe. The worker starts with the first server that is asked."""

    def __init__(
        self,
        file: Path,
        gate: Gate,
        changes: ChangeNotifier,
        keyring: Secrets,
        *,
        log: Path | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._closing = False
        self._marks: list[str] = []  # of the workers so far whose servers may have left something behind
        self.host = WorkerHost(
            "mcp", log=log, command=command, environment=self._mark_worker, inherited=INHERITED, cancel_grace_s=5.0,
            on_state=self._on_worker,
        )  # fmt: skip
        self._gate, self._changes = gate, changes
        self._file = ServerFile(file, keyring)
        self._lock = threading.Lock()  # guards the file

    def handlers(self) -> Handlers:
        return {
            ListMcpServers: self.list_servers,
            SaveMcpServer: self.save,
            RemoveMcpServer: unary(self.remove),
            AgreeToMcpTools: self.agree,
        }

    def close(self) -> None:
        self._closing = True
        self.host.close()
        self._end_left_behind(self._take_marks())

    def _mark_worker(self) -> dict[str, str]:
        self._marks.append(secrets.token_hex(16))
        return {WORKER: self._marks[-1]}

    def _on_worker(self, state: WorkerState) -> None:
        if state in ("dead", "stopped") and not self._closing:  # one that is stopped may have been killed at the end
            marks = self._take_marks()
            threading.Thread(target=self._end_left_behind, args=(marks,), name="mcp-left-behind", daemon=True).start()

    def _take_marks(self) -> list[str]:
        taken, self._marks = self._marks, []
        return taken

    def _end_left_behind(self, marks: Sequence[str]) -> None:
        for mark in marks:
            end_servers_of(mark)

    # -- calls ------------------------------------------------------------------------------------

    def list_servers(self, call: ListMcpServers, context: RequestContext) -> Iterator[Event]:
        known = self._read()
        records = [
            self._record(one, known, context) if call.connect else McpServerRecord(server=one.without_secrets)
            for one in known.servers
        ]
        yield finish(McpServerList(servers=tuple(records), problem=self.problem()))

    def save(self, call: SaveMcpServer, context: RequestContext) -> Iterator[Event]:
        check_server(call.server)
        with self._lock:
            known = self._read()
            others = [one for one in known.servers if one.name != call.server.name]
            self._write(msgspec.structs.replace(known, servers=(*others, call.server)))
        yield finish(self._record(call.server, self._read(), context))

    def remove(self, call: RemoveMcpServer) -> None:
        with self._lock:
            known = self._read()
            self._find(call.name, known)
            left = {name: given for name, given in known.agreements.items() if name != call.name}
            others = tuple(one for one in known.servers if one.name != call.name)
            self._write(McpServers(servers=others, agreements=left))
            self._file.forget(call.name)
        if self.host.pid:
            self.host.call(CloseServer(name=call.name), self._log)

    def agree(self, call: AgreeToMcpTools, context: RequestContext) -> Iterator[Event]:
        server = self._find(call.name, self._read())
        tools = {digest_of(server, tool): tool for tool in self._listed(server, context).tools}
        for digest in (*call.digests, *call.reads):
            if digest not in tools:
                raise UserError("A tool has changed since it was shown.", "Look at the tools of the server again.")
        with self._lock:
            known = self._read()
            given = tuple(
                McpAgreement(tool=tools[digest].name, digest=digest, reads=digest in call.reads)
                for digest in dict.fromkeys(call.digests)
            )
            self._write(msgspec.structs.replace(known, agreements={**known.agreements, call.name: given}))
        yield finish(self._record(server, self._read(), context))

    # -- tools ------------------------------------------------------------------------------------

    def problem(self) -> str:
        """Why no server can be used here, as a sentence; "" where they can."""
        return "" if importlib.util.find_spec(PACKAGE) is not None else NOT_INSTALLED

    def tools(self, context: RequestContext) -> list[McpToolRecord]:
        """All tools that the person has agreed to, as they are now."""
        known = self._read()
        records = [self._record(one, known, context) for one in known.servers if known.agreements.get(one.name)]
        return [tool for record in records for tool in record.tools if tool.state == "agreed"]

    def tool(self, name: str, context: RequestContext) -> Tool:
        """The tool ``server.tool``. Raises ToolUnavailable with a sentence where it cannot be used."""
        of, _, wanted = name.partition(".")
        known = self._read()
        server = next((one for one in known.servers if one.name == of), None)
        if server is None:
            raise ToolUnavailable(f"there is no MCP server {of!r}.")
        record = self._record(server, known, context)
        if record.problem:
            raise ToolUnavailable(record.problem)
        found = next((one for one in record.tools if one.definition.name == wanted), None)
        if found is None:
            raise ToolUnavailable(f"the MCP server {of} has no tool {wanted!r}.")
        if found.state == "changed":
            raise ToolUnavailable("its definition has changed since you agreed to it; look at it again.")
        if found.state == "new":
            raise ToolUnavailable("you have not agreed to its definition yet.")
        if found.problem:
            raise ToolUnavailable(found.problem)
        return self._tool(server, found)

    def _tool(self, server: McpServer, record: McpToolRecord) -> Tool:
        definition = record.definition
        answers: dict[bytes, tuple[str, ...]] = {}  # of the person, by the arguments of the call

        def run(arguments: dict[str, Any], context: RequestContext) -> ToolOutput:
            try:
                call = CallServerTool(
                    server=server,
                    addresses=self._addresses(server),
                    tool=definition.name,
                    digest=record.digest,
                    arguments=arguments,
                    answers=answers.get(_key(arguments), ()),
                    seconds=float(server.call_seconds),
                )
                result = self.host.call(call, self._log, context)
            except (UserError, WorkerDied) as error:
                return ToolOutput(text=str(error), failed=True)
            return ToolOutput(text=result.text, failed=result.failed, question=result.question)

        def answered(arguments: dict[str, Any], answer: str, context: RequestContext) -> ToolOutput:
            answers[_key(arguments)] = (*answers.get(_key(arguments), ()), answer)
            return run(arguments, context)

        return Tool(
            name=record.name,
            description=definition.description,
            parameters=definition.parameters,
            effects=("read",) if record.reads else ANY_EFFECT,
            output="untrusted",
            run=run,
            seconds=server.call_seconds + 5.0,
            answered=answered,
        )

    # -- what is known -----------------------------------------------------------------------------

    def _record(self, server: McpServer, known: McpServers, context: RequestContext) -> McpServerRecord:
        """A server as it is now; what is wrong with it is its ``problem``."""
        try:
            listed = self._listed(server, context)
        except UserError as error:
            return McpServerRecord(server=server.without_secrets, problem=f"{error.message} {error.hint}".strip())
        given = known.agreements.get(server.name, ())
        reading = {one.digest for one in given if one.reads}
        tools = tuple(
            McpToolRecord(
                name=f"{server.name}.{tool.name}",
                definition=tool,
                digest=digest_of(server, tool),
                state=state_of(server, tool, given),
                reads=digest_of(server, tool) in reading,
                problem=_problem_of(tool),
            )
            for tool in listed.tools
        )
        return McpServerRecord(server=server.without_secrets, tools=tools, left_out=listed.left_out)

    def _listed(self, server: McpServer, context: RequestContext) -> ServerTools:
        if problem := self.problem():
            raise UserError(f"MCP servers cannot be used here: {problem}")
        listing = ListServerTools(server=server, addresses=self._addresses(server), seconds=CONNECT_S)
        try:
            return self.host.call(listing, self._log, context)
        except WorkerDied as death:
            raise UserError(f"The MCP server {server.name} has ended its worker: {death}") from death

    def _log(self, event: Event) -> None:
        if isinstance(event, events.Artifact) and event.kind == REQUEST:
            self._gate.log(msgspec.convert(event.result, NetworkRequest))

    def _addresses(self, server: McpServer) -> tuple[str, ...]:
        """Where the server's URL may be reached; () for a command. Raises UserError where it may not."""
        if not server.url:
            return ()
        address = urlsplit(server.url)
        host = address.hostname or ""
        try:
            found = self._gate.addresses("mcp", host, address.port or (443 if address.scheme == "https" else 80))
        except OSError as error:
            raise UserError(f"The MCP server {server.name} is not found: {host} has no address.") from error
        return tuple(found)

    def _find(self, name: str, known: McpServers) -> McpServer:
        found = next((one for one in known.servers if one.name == name), None)
        if found is None:
            raise UserError(f"There is no MCP server {name!r}.", "List the servers.")
        return found

    def _read(self) -> McpServers:
        return self._file.read()

    def _write(self, known: McpServers) -> None:
        self._file.write(known)
        self._changes.publish("mcp")


def _key(arguments: dict[str, Any]) -> bytes:
    return msgspec.json.encode(arguments, order="sorted")


def _problem_of(tool: McpTool) -> str:
    """Why no model can be held to a tool's parameters; "" where it can."""
    problem = check_format("json_schema", msgspec.json.encode(tool.parameters).decode(), None).problem
    return f"its parameters cannot be kept to: {problem}" if problem else ""


class _Values(msgspec.Struct, frozen=True):
    environment: dict[str, str] = {}
    headers: dict[str, str] = {}


class ServerFile:
    """Without a keyring the values stay in the file, which nobody else can read (mode 0600)."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self._path, self._secrets = path, secrets
        self._known: dict[str, str] = {}  # what the keyring holds, by server: asking it takes time

    def read(self) -> McpServers:
        """All servers with their values. Raises UserError where the file cannot be read."""
        read = MCP_SERVERS.load(self._path)
        if isinstance(read, Unreadable):
            raise read.error()
        known = read or McpServers()
        return msgspec.structs.replace(known, servers=tuple(self._whole(one) for one in known.servers))

    def write(self, known: McpServers) -> None:
        servers = tuple(self._stored(one) for one in known.servers)
        # the file that is to take its place is never readable by others
        os.close(os.open(self._path.with_name(f"{self._path.name}~"), os.O_WRONLY | os.O_CREAT, 0o600))
        MCP_SERVERS.save(self._path, msgspec.structs.replace(known, servers=servers))

    def forget(self, server: str) -> None:
        """Remove the values of a server from the keyring."""
        if self._known.pop(server, "") or self._secrets.get(_name(server)):
            self._secrets.set(_name(server), "")

    def _whole(self, server: McpServer) -> McpServer:
        if not (server.environment or server.headers) or server != server.without_secrets:
            return server
        if server.name not in self._known:
            self._known[server.name] = self._secrets.get(_name(server.name))
        try:
            values = msgspec.json.decode(self._known[server.name], type=_Values)
        except msgspec.DecodeError:  # another program has changed it, or the keyring is locked
            del self._known[server.name]
            return server
        return msgspec.structs.replace(
            server,
            environment={name: values.environment.get(name, "") for name in server.environment},
            headers={name: values.headers.get(name, "") for name in server.headers},
        )

    def _stored(self, server: McpServer) -> McpServer:
        if server == server.without_secrets:
            return server
        values = msgspec.json.encode(_Values(server.environment, server.headers)).decode()
        if self._known.get(server.name) != values:
            if not self._secrets.set(_name(server.name), values):
                return server
            self._known[server.name] = values
        return server.without_secrets


def _name(server: str) -> str:
    return f"mcp {server}"
