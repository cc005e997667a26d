"""The calls of the MCP worker. Light: importing this loads nothing of the library ``mcp``."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.api.protocol import Call
from workbench.base.catalogue import Shown
from workbench.records.mcp import McpServer, McpTool

PACKAGE = "mcp"
REQUEST = "network request"
"""The kind of artifact that reports a request of the worker over the network."""


class ServerTools(msgspec.Struct, frozen=True, kw_only=True):
    """The tools of a server; ``left_out`` says of others why they cannot be used."""

    tools: tuple[McpTool, ...] = ()
    left_out: tuple[Shown, ...] = ()


class ListServerTools(Call[ServerTools], frozen=True, kw_only=True, tag="mcp.tools"):
    """Connect to a server, unless it is connected, and ask for its tools. ``addresses`` are those that the gate allows
    for the host of its URL. Raises UserError with the reason."""

    server: McpServer
    addresses: tuple[str, ...] = ()
    seconds: float = 30.0


class ServerResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a tool. ``failed``: ``text`` says why there is none. ``question``: the server asks the person this;
    the call is made again with the answer to it after ``answers``."""

    text: str = ""
    failed: bool = False
    question: str = ""


class CallServerTool(Call[ServerResult], frozen=True, kw_only=True, tag="mcp.call"):
    """Call a tool, if its definition is still that of ``digest``. ``answers`` are those of the person to what the
    server asks, in order; ``addresses`` as in ``ListServerTools``. Cancelling tells the server."""

    server: McpServer
    addresses: tuple[str, ...] = ()
    tool: str
    digest: str
    arguments: dict[str, Any] = {}
    answers: tuple[str, ...] = ()
    seconds: float = 60.0


class CloseServer(Call[None], frozen=True, kw_only=True, tag="mcp.close"):
    """End the connection to a server, and with it its process."""

    name: str


McpCall = ListServerTools | CallServerTool | CloseServer
