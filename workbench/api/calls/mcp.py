"""MCP servers: which there are, their tools, and which of these the person has agreed to."""

from __future__ import annotations

import msgspec

from workbench.api.protocol import Call
from workbench.records.mcp import McpServer, McpState, McpTool


class McpToolRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of a server. Recipes name it ``name`` (``server.tool``). ``digest`` names its definition. ``reads``: the
    person says that it only reads. ``problem`` says why no model can call it."""

    name: str
    definition: McpTool
    digest: str
    state: McpState
    reads: bool = False
    problem: str = ""


class McpServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A server without its secrets, and its tools. ``problem`` says why it cannot be used; ``left_out`` why some of its
    tools cannot."""

    server: McpServer
    tools: tuple[McpToolRecord, ...] = ()
    left_out: tuple[str, ...] = ()
    problem: str = ""


class McpServerList(msgspec.Struct, frozen=True, kw_only=True):
    """``problem`` says why no server can be used here."""

    servers: tuple[McpServerRecord, ...] = ()
    problem: str = ""


class ListMcpServers(Call[McpServerList], frozen=True, kw_only=True, tag="mcp.list"):
    """All servers; with ``connect`` each is connected and asked for its tools, without it none is started."""

    connect: bool = True


class SaveMcpServer(Call[McpServerRecord], frozen=True, kw_only=True, tag="mcp.save"):
    """Add a server, or change the one of its name, and connect to it. Nothing of it can be used before
    ``AgreeToMcpTools``. Raises UserError for one that cannot be."""

    server: McpServer


class RemoveMcpServer(Call[None], frozen=True, kw_only=True, tag="mcp.remove"):
    """Remove a server with all agreements."""

    name: str


class AgreeToMcpTools(Call[McpServerRecord], frozen=True, kw_only=True, tag="mcp.agree"):
    """Agree to definitions of a server's tools, by their digests; agreements to others end. ``reads`` are digests of
    those that the person says only read. Raises UserError for a digest that is none of today's definitions."""

    name: str
    digests: tuple[str, ...]
    reads: tuple[str, ...] = ()
