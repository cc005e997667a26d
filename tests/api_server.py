"""The local API on a free port, over a Workbench in process or over any function that answers calls."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.subjects.serving.http.app import make_app
from workbench.subjects.serving.http.exchange import Handle
from workbench.subjects.serving.http.running import RunningServer
from workbench.subjects.serving.http.security import Limits, LocalAccess

KEY = "wb-test-key"


@contextmanager
def serving(handle: Handle, *, origins: Sequence[str] = (), limits: Limits | None = None) -> Iterator[RunningServer]:
    """Serve on a free port until the block ends."""
    server = RunningServer(make_app(handle, LocalAccess(lambda: KEY, lambda: origins), limits=limits), 0)
    try:
        yield server
    finally:
        server.close()


def port_of(server: RunningServer) -> int:
    return int(server.address.rpartition(":")[2])


def send_raw(server: RunningServer, request: bytes, *, timeout_s: float = 30.0) -> bytes:
    """Send bytes as they are and read until the server closes, or has answered a request that ends the connection."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout_s) as connection:
        connection.sendall(request)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)
