"""MCP servers that a person has added, the definitions of their tools, and which of these they have agreed to.

A server is a stranger's program: it can change what its tools are called, what they say of themselves and what they
take. A definition is therefore named by ``digest_of``, and an agreement is to one digest: whatever changes is new.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from workbench.base.errors import UserError
from workbench.base.stored import Stored

CALL_SECONDS = 60
LONGEST_CALL_SECONDS = 3_600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class McpServer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server: a ``command`` with its arguments that speaks MCP on its standard input and output, or a ``url`` of
    streamable HTTP. ``environment`` are variables that the command gets beside the few that every program needs,
    ``headers`` go with each request; both may hold secrets. ``folder`` is where the command runs. ``call_seconds`` is
    how long a call of a tool may take."""

    name: Annotated[str, "tools are named NAME.TOOL"]
    command: Annotated[tuple[str, ...], "after --: the program that is the server"] = ()
    url: Annotated[str, "the address of a server with streamable HTTP"] = ""
    environment: dict[str, str] = {}
    headers: dict[str, str] = {}
    folder: Annotated[str, "the folder in which its program runs"] = ""
    call_seconds: Annotated[
        int,
        msgspec.Meta(ge=1, le=LONGEST_CALL_SECONDS),
        f"how long a call of a tool may take, to {LONGEST_CALL_SECONDS:,}",
    ] = CALL_SECONDS

    @property
    def without_secrets(self) -> McpServer:
        """The same with the values of its variables and headers left out."""
        return msgspec.structs.replace(
            self, environment=dict.fromkeys(self.environment, ""), headers=dict.fromkeys(self.headers, "")
        )


class McpTool(msgspec.Struct, frozen=True, kw_only=True):
    """The definition of a tool as its server gives it: data of a stranger."""

    name: str
    title: str = ""
    description: str = ""
    parameters: dict[str, Any] = {}


class McpAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """The person has agreed to the definition of ``tool`` with this ``digest``. ``reads``: they say that it only
    reads."""

    tool: str
    digest: str
    reads: bool = False


class McpServers(msgspec.Struct, frozen=True, kw_only=True):
    """All servers, and the agreements by the name of their server."""

    servers: tuple[McpServer, ...] = ()
    agreements: dict[str, tuple[McpAgreement, ...]] = {}


def _from_1(plain: dict[str, Any]) -> dict[str, Any]:
    """Format 1 had no ``call_seconds``: each call had 60."""
    return plain


MCP_SERVERS: Stored[McpServers] = Stored("list of MCP servers", McpServers, upgrades={1: _from_1})

McpState = Literal["agreed", "new", "changed"]


def digest_of(server: McpServer, tool: McpTool) -> str:
    """Names a definition: the server, where it is, and all of the tool that a model sees."""
    shown = [server.name, list(server.command), server.url, tool.name, tool.description, tool.parameters]
    return hashlib.sha256(msgspec.json.encode(shown, order="sorted")).hexdigest()


def state_of(server: McpServer, tool: McpTool, agreements: tuple[McpAgreement, ...]) -> McpState:
    """Whether the person has agreed to a tool as it is now, to another definition of its name, or to none."""
    known = next((one for one in agreements if one.tool == tool.name), None)
    if known is None:
        return "new"
    return "agreed" if known.digest == digest_of(server, tool) else "changed"


def check_server(server: McpServer) -> None:
    """Raises UserError for one that cannot be."""
    if not _NAME.fullmatch(server.name):
        raise UserError(f"{server.name!r} cannot be the name of a server.", "Use letters, digits, - and _.")
    if bool(server.command) == bool(server.url):
        raise UserError("A server has either a command or an address.", "Give one of the two.")
    if server.url and (urlsplit(server.url).scheme not in ("http", "https") or not urlsplit(server.url).hostname):
        raise UserError(f"{server.url} is not the address of a server.", "It begins with https:// or http://.")
    if any("\x00" in text for text in (*server.command, server.folder, *server.environment.values())):
        raise UserError("The command holds a zero byte.")


def read_pairs(lines: Iterable[str]) -> dict[str, str]:
    """Variables or headers that are written as NAME=VALUE. Raises UserError for a line that is not, without
    its value, which may be a secret."""
    pairs = {}
    for line in filter(None, map(str.strip, lines)):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise UserError(f"{name!r} has no value.", "Write each as NAME=VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs
