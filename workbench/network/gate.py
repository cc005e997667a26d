"""Gate: decides every connection by its purpose and its resolved address, and logs every request.

Nothing is allowed unless the person has switched its purpose on. Connections to this machine itself are always allowed.
The address is checked after the name has been resolved, and it is that address that is connected to, so a name that
resolves to something else a moment later changes nothing. Public purposes never reach addresses of the local network.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from workbench.errors import UserError
from workbench.records.hub import NetworkRequest, Purpose

PURPOSES: dict[Purpose, str] = {
    "hub": "searching and downloading models",
    "endpoint": "answering by a remote model",
    "update": "looking for new versions and runtime packs",
    "mcp": "tools of MCP servers",
}
"""Purposes in words, as in "is switched off for ..."."""

MOST_LOGGED = 1_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class Offline(UserError):
    """The gate refused a connection."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Gate:
    """``allowed`` says whether the person has switched a purpose on; it is called for each connection."""

    def __init__(self, allowed: Callable[[Purpose], bool], resolve: Resolve = resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._lock = threading.Lock()
        self._log: deque[NetworkRequest] = deque(maxlen=MOST_LOGGED)

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
        with self._lock:
            self._log.append(request)

    def note_received(self, request: NetworkRequest, received: int) -> None:
        """Add the number of bytes that were received to a logged request."""
        with self._lock:
            for place, logged in enumerate(self._log):
                if logged is request:
                    self._log[place] = msgspec.structs.replace(logged, bytes_in=received)
                    break

    def requests(self) -> list[NetworkRequest]:
        """The last requests, the latest first."""
        with self._lock:
            return list(reversed(self._log))

    def _may_reach(self, purpose: Purpose, address: Address) -> bool:
        if address.is_loopback:
            return True
        if not self._allowed(purpose):
            return False
        # an endpoint or a server may be a machine in the same network; the hub and updates are public
        return purpose in ("endpoint", "mcp") or address.is_global

    def _refusal(self, purpose: Purpose, host: str, found: Sequence[str] = ()) -> Offline:
        if self._allowed(purpose):
            reason = f"{host} resolves to an address of a local network ({', '.join(found)})."
            error = Offline(reason, "Check the address; only endpoints and MCP servers may be in a local network.")
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
