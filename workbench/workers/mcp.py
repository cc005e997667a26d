"""The MCP worker: holds the connections to MCP servers and calls their tools.

A server is a stranger's program. What it says is data: definitions are cut and cleaned, results are text, questions go
to the person, and it is offered nothing else (no sampling, no folders). It gets a clean environment, and a connection
of its own. Calls to one server are made one after the other.

A question of an MCP server to the person, and their answer in the form that it asks for.

A form has flat fields of text, numbers, yes or no, or choices. One field takes the answer as it is; several take a line
``name: value`` each.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import mcp_types
import msgspec
import psutil
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from workbench.api import events
from workbench.api.events import Event
from workbench.api.protocol import Call, RequestContext, finish
from workbench.base.catalogue import Shown
from workbench.base.errors import Cancelled, UserError
from workbench.base.files import is_nested_deeper
from workbench.network.http import NotingTransport, PinnedBackend, open_pinned_client
from workbench.processes.serve import Handler, serve
from workbench.processes.server_processes import WORKER, ServerProcesses
from workbench.records.hub import NetworkRequest
from workbench.records.mcp import McpServer, McpTool, digest_of
from workbench.techniques.tools.mcp_calls import (
    REQUEST,
    CallServerTool,
    CloseServer,
    ListServerTools,
    McpCall,
    ServerResult,
    ServerTools,
)
from workbench.techniques.tools.results import one_line, plain

T = TypeVar("T")

MOST_TOOLS, MOST_PAGES = 200, 20
LONGEST_DESCRIPTION, LARGEST_SCHEMA_BYTES, DEEPEST_SCHEMA = 2_000, 20_000, 20
LONGEST_RESULT = 20_000
SILENT_S = 300.0
"""How long a server at an address may be silent, unless a call may take longer."""

LARGEST_BYTES = 1_000_000_000
"""Memory of this worker, beyond which it ends: a server can send a line without end."""
CHANGED = "The definition of this tool has changed since you agreed to it. Look at it again before it is used."

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Connection:
    """A connection to one server. Entered and left by one task, as the library wants it."""

    def __init__(self, server: McpServer, addresses: Sequence[str]) -> None:
        self.server = server
        self.place = PinnedBackend(urlsplit(server.url).hostname or "", addresses)
        self.transport = NotingTransport("mcp", self.place)
        self.processes = ServerProcesses(os.environ.get(WORKER, "")) if server.command else None
        self.busy = asyncio.Lock()
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold())
        self._answers: list[str] = []
        self._question = ""

    async def client(self, seconds: float) -> Client:
        return await asyncio.wait_for(asyncio.shield(self._ready), seconds)

    @property
    def ended(self) -> bool:
        return self._task.done()

    async def close(self) -> None:
        """End the connection, and every process that the server has started."""
        known = await asyncio.to_thread(self.processes.find) if self.processes is not None else set()
        self._closing.set()
        if not self._ready.done():
            self._task.cancel()
        with contextlib.suppress(BaseException):
            await self._task
        if self.processes is not None:
            await asyncio.to_thread(self.processes.end, known)

    async def call(self, call: CallServerTool) -> ServerResult:
        self._answers, self._question = list(call.answers), ""
        client = await self.client(call.seconds)
        try:
            result = await client.call_tool(call.tool, call.arguments, read_timeout_seconds=call.seconds)
        except MCPError as error:
            if self._question:
                return ServerResult(question=self._question)
            return ServerResult(text=plain(f"The server refused the call: {error.message}", 600), failed=True)
        if self._question:
            return ServerResult(question=self._question)
        text = "\n".join(filter(None, map(_text_of, result.content)))
        if not text and result.structured_content is not None:
            text = msgspec.json.encode(result.structured_content).decode()
        return ServerResult(text=plain(text, LONGEST_RESULT) or "(no text)", failed=result.is_error)

    async def _hold(self) -> None:
        try:
            async with contextlib.AsyncExitStack() as stack:
                transport = await _transport(self.server, self.transport, self.processes, stack)
                client = Client(transport, elicitation_callback=self._on_elicitation, cache=None)
                await stack.enter_async_context(client)
                self._ready.set_result(client)
                await self._closing.wait()
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(UserError(_reason(self.server, error), "Check its command or address."))
                self._ready.exception()  # seen, also where nobody waits any more
            if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                raise

    async def _on_elicitation(
        self, context: Any, params: mcp_types.ElicitRequestParams
    ) -> mcp_types.ElicitResult | mcp_types.ErrorData:
        """Answer the server with what the person has said; without that, keep its question and call the call off."""
        if not isinstance(params, mcp_types.ElicitRequestFormParams):
            return mcp_types.ElicitResult(action="decline")  # it would have the person open an address
        if not self._answers:
            self._question = self._question or question_of(self.server.name, params.message, params.requested_schema)
            return mcp_types.ElicitResult(action="cancel")
        content = content_of(self._answers.pop(0), params.requested_schema)
        if content is None:
            return mcp_types.ElicitResult(action="decline")
        return mcp_types.ElicitResult(action="accept", content=content)


async def _transport(
    server: McpServer, noting: NotingTransport, processes: ServerProcesses | None, stack: contextlib.AsyncExitStack
) -> Any:
    if processes is not None:
        parameters = StdioServerParameters(
            command=server.command[0],
            args=list(server.command[1:]),
            env={**server.environment, **processes.environment},
            cwd=server.folder or None,
        )
        return stdio_client(parameters, processes.stderr)
    client = open_pinned_client(noting, server.headers, read_s=max(SILENT_S, float(server.call_seconds)))
    return streamable_http_client(server.url, http_client=await stack.enter_async_context(client))


class Connections:
    """The connections of all servers, on an event loop with a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: dict[str, Connection] = {}
        self._noted: list[NetworkRequest] = []  # of connections that were closed
        self._opening = asyncio.Lock()
        threading.Thread(target=self._loop.run_forever, name="connections", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T], context: RequestContext) -> T:
        """The result of work on the loop. Raises errors.Cancelled, and UserError with the reason."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)

        def cancel() -> None:
            future.cancel()

        forget = context.when_cancelled(cancel)
        try:
            return future.result()
        except (concurrent.futures.CancelledError, asyncio.CancelledError) as error:
            raise Cancelled from error
        except UserError:
            raise
        except TimeoutError as error:
            raise UserError("The MCP server did not answer in time.", "Try again, or check the server.") from error
        except Exception as error:
            # a server that breaks the protocol is no bug of ours
            said = one_line(f"{type(error).__name__}: {error}", 300)
            raise UserError(f"The MCP server sent something that is not MCP ({said}).", "Ask its maker.") from error
        finally:
            forget()

    async def tools(self, call: ListServerTools) -> ServerTools:
        async with self._listed(call) as (_, listed):
            return listed

    async def call(self, call: CallServerTool) -> ServerResult:
        async with self._listed(call) as (connection, listed):
            now = next((one for one in listed.tools if one.name == call.tool), None)
            if now is None:
                return ServerResult(text="The server has no tool of that name any more.", failed=True)
            if digest_of(call.server, now) != call.digest:
                return ServerResult(text=CHANGED, failed=True)
            return await asyncio.wait_for(connection.call(call), call.seconds)

    async def close(self, name: str) -> None:
        connection = self._open.pop(name, None)
        if connection is not None:
            await connection.close()
            self._noted += connection.transport.take()

    def requests(self) -> Iterator[Event]:
        """The requests since the last time."""

        async def take() -> list[NetworkRequest]:
            taken, self._noted = self._noted, []
            return [*taken, *(one for known in self._open.values() for one in known.transport.take())]

        for request in asyncio.run_coroutine_threadsafe(take(), self._loop).result():
            yield events.Artifact(kind=REQUEST, id=request.host, result=msgspec.to_builtins(request))

    def close_all(self) -> None:
        async def close() -> None:
            await asyncio.gather(*(self.close(name) for name in list(self._open)), return_exceptions=True)

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(6.0)

    async def _connection(self, server: McpServer, addresses: Sequence[str]) -> Connection:
        async with self._opening:
            known = self._open.get(server.name)
            if known is not None and (known.server != server or known.ended):
                await self.close(server.name)
                known = None
            if known is None:
                known = self._open[server.name] = Connection(server, addresses)
            known.place.addresses = tuple(addresses)
            return known

    @contextlib.asynccontextmanager
    async def _listed(self, call: ListServerTools | CallServerTool) -> AsyncIterator[tuple[Connection, ServerTools]]:
        """A connection that nobody else uses meanwhile, with the server's tools as they are now. One whose server has
        ended is opened again once."""
        server, seconds = call.server, call.seconds
        for again in (True, False):
            connection = await self._connection(server, call.addresses)
            async with connection.busy:
                try:
                    listed = await asyncio.wait_for(_list_tools(await connection.client(seconds)), seconds)
                except (MCPError, UserError, TimeoutError) as error:
                    await self.close(server.name)
                    if isinstance(error, MCPError) and again:
                        continue
                    if isinstance(error, MCPError):
                        raise UserError(_reason(server, error), "Check its command or address.") from error
                    raise
                yield connection, listed
                return


async def _list_tools(client: Client) -> ServerTools:
    tools: list[McpTool] = []
    left_out: list[Shown] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        for one in page.tools:
            if len(tools) == MOST_TOOLS:
                left_out.append(f"Only the first {MOST_TOOLS} tools are used.")
                return ServerTools(tools=tuple(tools), left_out=tuple(left_out))
            problem = _problem_of(one, tools)
            if problem:
                left_out.append(f"{one_line(one.name, 60)}: {problem}")
            else:
                tools.append(_definition(one))
        cursor = page.next_cursor
        if cursor is None:
            break
    return ServerTools(tools=tuple(tools), left_out=tuple(left_out))


def _problem_of(tool: mcp_types.Tool, known: list[McpTool]) -> str:
    if not _NAME.fullmatch(tool.name):
        return "its name is not one of letters, digits, - and _."
    if any(one.name == tool.name for one in known):
        return "there are two of this name."
    try:
        size = len(msgspec.json.encode(tool.input_schema))
    except (TypeError, ValueError, RecursionError):
        return "its parameters cannot be read."
    if size > LARGEST_SCHEMA_BYTES or is_nested_deeper(tool.input_schema, DEEPEST_SCHEMA):
        return "its parameters are too large."
    return "" if tool.input_schema.get("type") == "object" else "its parameters are no object."


def _definition(tool: mcp_types.Tool) -> McpTool:
    return McpTool(
        name=tool.name,
        title=one_line(tool.title or "", 80),
        description=plain(tool.description or "", LONGEST_DESCRIPTION),
        parameters=dict(tool.input_schema),
    )


def _text_of(content: Any) -> str:
    if isinstance(content, mcp_types.TextContent):
        return content.text
    if isinstance(content, mcp_types.EmbeddedResource):
        return str(getattr(content.resource, "text", "")) or "(a file that is no text)"
    return f"({content.type})"


def _reason(server: McpServer, error: BaseException) -> str:
    """Why a server is not there, by the innermost error."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"The MCP server {server.name} cannot be started: there is no program {server.command[:1]}."
    said = error.message if isinstance(error, MCPError) else str(error) or type(error).__name__
    return f"The MCP server {server.name} does not answer: {one_line(said, 300)}."


def _watch_memory() -> None:
    process = psutil.Process()
    while process.memory_info().rss < LARGEST_BYTES:
        time.sleep(0.2)
    os._exit(4)


def main() -> None:
    connections = Connections()
    threading.Thread(target=_watch_memory, name="memory", daemon=True).start()

    def noted(work: Coroutine[Any, Any, Any], context: RequestContext) -> Iterator[Event]:
        """The end of some work, after the requests that it made, also where it fails."""
        try:
            result = connections.run(work, context)
        except Exception:
            yield from connections.requests()
            raise
        yield from connections.requests()
        yield finish(result)

    def list_tools(call: ListServerTools, context: RequestContext) -> Iterator[Event]:
        return noted(connections.tools(call), context)

    def call_tool(call: CallServerTool, context: RequestContext) -> Iterator[Event]:
        return noted(connections.call(call), context)

    def close(call: CloseServer, context: RequestContext) -> Iterator[Event]:
        return noted(connections.close(call.name), context)

    handlers: dict[type[Call[Any]], Handler] = {
        ListServerTools: list_tools, CallServerTool: call_tool, CloseServer: close,
    }  # fmt: skip
    serve("mcp", McpCall, handlers, on_leave=connections.close_all, leave_s=8.0)


LONGEST_MESSAGE, MOST_FIELDS = 1_000, 20
_YES, _NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}

Value = str | int | float | bool | list[str] | None


def question_of(server: str, message: str, schema: dict[str, Any]) -> str:
    """The question to the person; it names who asks."""
    lines = [f"The MCP server {server} asks: {plain(message, LONGEST_MESSAGE)}"]
    fields = _fields(schema)
    if len(fields) > 1:
        lines.append("Answer with a line for each:")
    for name, field in fields.items():
        described = one_line(str(field.get("description") or field.get("title") or ""), 200)
        kind = ", ".join(map(str, _choices(field))) or str(field.get("type", "string"))
        optional = "" if name in schema.get("required", ()) else ", may be left out"
        lines.append(f"{one_line(name, 60)}: {f'{described} ' if described else ''}({one_line(kind, 200)}{optional})")
    return "\n".join(lines)


def content_of(answer: str, schema: dict[str, Any]) -> dict[str, Value] | None:
    """The fields of an answer; None where it does not fit them."""
    fields = _fields(schema)
    given: dict[str, str] = {}
    if len(fields) == 1:
        (name,) = fields
        given = {name: answer.strip().removeprefix(f"{name}:").strip()}
    else:
        for line in answer.splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip() in fields:
                given[name.strip()] = value.strip()
    content: dict[str, Value] = {}
    for name, field in fields.items():
        if not given.get(name):
            if name in schema.get("required", ()):
                return None
            continue
        try:
            content[name] = _value(given[name], field)
        except ValueError:
            return None
    return content


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: field for name, field in list(properties.items())[:MOST_FIELDS] if isinstance(field, dict)}


def _choices(field: dict[str, Any]) -> list[Any]:
    options = field.get("enum") or [one.get("const") for one in field.get("oneOf", ()) if isinstance(one, dict)]
    return options if isinstance(options, list) else []


def _value(text: str, field: dict[str, Any]) -> Value:
    """Raises ValueError for a text that the field does not take."""
    kind = field.get("type", "string")
    if kind == "boolean":
        if text.lower() in _YES:
            return True
        if text.lower() in _NO:
            return False
        raise ValueError(text)
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    choices = _choices(field)
    if choices and text not in choices:
        raise ValueError(text)
    return text
