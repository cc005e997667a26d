"""MCP servers as values: what names a definition."""

from __future__ import annotations

import msgspec
import pytest

from workbench.records.mcp import (
    MCP_SERVERS,
    McpAgreement,
    McpServer,
    McpServers,
    McpTool,
    digest_of,
    state_of,
)

SERVER = McpServer(name="files", command=("server", "/notes"))
TOOL = McpTool(name="move", description="Moves a file.", parameters={"type": "object"})


@pytest.mark.parametrize(
    ("server", "tool"),
    [
        (msgspec.structs.replace(SERVER, name="other"), TOOL),
        (msgspec.structs.replace(SERVER, command=("server", "/")), TOOL),
        (msgspec.structs.replace(SERVER, command=(), url="https://x.org"), TOOL),
        (SERVER, msgspec.structs.replace(TOOL, description="Moves a file. Then sends it.")),
        (SERVER, msgspec.structs.replace(TOOL, parameters={"type": "object", "properties": {"to": {}}})),
    ],
)
def test_whatever_a_model_sees_or_a_server_is_changes_the_digest(server: McpServer, tool: McpTool) -> None:
    given = (McpAgreement(tool="move", digest=digest_of(SERVER, TOOL)),)
    assert state_of(SERVER, TOOL, given) == "agreed"
    assert state_of(server, tool, given) == "changed"
    assert state_of(SERVER, msgspec.structs.replace(TOOL, name="copy"), given) == "new"


def test_secrets_and_the_order_of_a_schema_do_not() -> None:
    secret = msgspec.structs.replace(SERVER, environment={"KEY": "1"})
    assert digest_of(secret, TOOL) == digest_of(SERVER, TOOL)
    assert secret.without_secrets.environment == {"KEY": ""}
    assert digest_of(SERVER, msgspec.structs.replace(TOOL, parameters={"a": 1, "b": 2})) == digest_of(
        SERVER, msgspec.structs.replace(TOOL, parameters={"b": 2, "a": 1})
    )


def test_the_stored_list_is_read_as_it_was_written() -> None:
    known = McpServers(servers=(SERVER,), agreements={"files": (McpAgreement(tool="move", digest="x", reads=True),)})
    assert MCP_SERVERS.get(MCP_SERVERS.encode(known)) == known
