"""The file of MCP servers. The values of variables and headers, which may be secrets, are in the system's keyring."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from workbench.base.stored import Unreadable
from workbench.network.secrets import Secrets
from workbench.records.mcp import MCP_SERVERS, McpServer, McpServers


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
