"""Gate: decides every connection by its purpose and its resolved address, and logs every request.

Nothing is allowed unless the person has switched its purpose on. Connections to this machine itself are always allowed.
The address is checked after the name has been resolved, and it is that address that is connected to, so a name that
resolves to something else a moment later changes nothing. Public purposes never reach addresses of the local network.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence

import msgspec

from workbench.base.errors import UserError
from workbench.network.request_log import RequestLog
from workbench.records.hub import NetworkRequest, Purpose

PURPOSES: dict[Purpose, str] = {
    "hub": "searching and downloading models",
    "endpoint": "answering by a remote model",
    "update": "looking for new versions and runtime packs",
    "mcp": "tools of MCP servers",
    "packages": "packages of the program",
}
"""Purposes in words, as in "is switched off for ..."."""

_LOCAL_HINT = "Check the address; only endpoints, MCP servers and package indexes may be in a local network."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class Offline(UserError):
    """The gate refused a connection."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Gate:
    """``allowed`` says whether the person has switched a purpose on; it is called for each connection. ``log`` is where
    requests are noted, without one in memory."""

    def __init__(
        self, allowed: Callable[[Purpose], bool], resolve: Resolve = resolve, *, log: RequestLog | None = None
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._log = log if log is not None else RequestLog()

    def addresses(self, purpose: Purpose, host: str, port: int) -> list[str]:
        """The addresses of a host to which a connection may be made. Raises Offline with what to switch on, and OSError
        where the name cannot be resolved. A name is only looked up where that is allowed."""
        literal = _literal(host)
        if literal is not None:
            found = [str(literal)]
        elif self._allowed(purpose):
            found = list(self._resolve(host, port))
        elif _names_this_machine(host):
            found = ["127.0.0.1"]
        else:
            raise self._refusal(purpose, host)
        reachable = [one for one in found if self._may_reach(purpose, ipaddress.ip_address(one))]
        if not reachable:
            raise self._refusal(purpose, host, found)
        return reachable

    def log(self, request: NetworkRequest) -> None:
        self._log.put(request)

    def note_received(self, request: NetworkRequest, received: int) -> None:
        """Add the number of bytes that were received to a logged request."""
        self._log.put(msgspec.structs.replace(request, bytes_in=received))

    def requests(self) -> list[NetworkRequest]:
        """The last requests, the latest first."""
        return self._log.all()

    def _may_reach(self, purpose: Purpose, address: Address) -> bool:
        if address.is_loopback:
            return True
        if not self._allowed(purpose):
            return False
        # an endpoint, a server or a package index may be a machine in the same network; the hub and updates are public
        return purpose in ("endpoint", "mcp", "packages") or address.is_global

    def _refusal(self, purpose: Purpose, host: str, found: Sequence[str] = ()) -> Offline:
        if self._allowed(purpose):
            reason = f"{host} resolves to an address of a local network ({', '.join(found)})."
            error = Offline(reason, _LOCAL_HINT)
        else:
            reason = f"The network is switched off for {PURPOSES[purpose]}."
            error = Offline(reason, "Switch it on in Settings · Network.")
        self.log(NetworkRequest(at=time.time(), purpose=purpose, host=host, refused=reason))
        return error


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _names_this_machine(host: str) -> bool:
    return host.rstrip(".").lower() in ("localhost", "localhost.localdomain")
