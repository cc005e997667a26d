"""The server's thread: one event loop on a socket of this machine's own address, or on all addresses with TLS."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from pathlib import Path

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from workbench.base.errors import UserError
from workbench.subjects.serving.http.security import Guard

ADDRESS, EVERYWHERE = "127.0.0.1", "0.0.0.0"
CLOSE_S = 5.0
HEAD_S = 10.0
"""A connection whose next request has not arrived up to its body within this time is closed."""

MOST_CONNECTIONS = 256
"""One more takes the place of the oldest that waits for a request, of those first that never sent one."""

BACKLOG, QUEUE = 64, 1_024
"""Connections that the loop accepts at a time, before it looks how many there are, and those that the system holds
until then."""

LARGEST_HEAD = 64 << 10

MOST_OF_ADDRESS, MOST_OF_NETWORK = 64, 512
"""Connections of one other machine, and of all, those included that have not shaken hands yet."""

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2; older versions of uvicorn would allow all of TLS 1.0."""


class _Protocol(H11Protocol):
    """uvicorn's protocol, which waits for ever for the rest of a request's head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._began = self.loop.time()
        open_now = [one for one in self.connections if isinstance(one, _Protocol) and not one.transport.is_closing()]
        if len(open_now) > MOST_CONNECTIONS:
            waiting = [one for one in open_now if one._waits]
            min(waiting, key=lambda one: (one.cycle is not None, one._began)).transport.abort()
        self._watch(None)

    @property
    def _waits(self) -> bool:
        """No request has begun to arrive, or is being answered."""
        return self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE

    def _watch(self, last: object) -> None:
        """Closes the connection unless a request has arrived since ``last``, or is being answered."""
        waits = self.conn.their_state is h11.IDLE and self.cycle is last
        if waits and self._watched:
            self.transport.close()
        elif not self.transport.is_closing():
            self._watched = True
            self.loop.call_later(HEAD_S, self._watch, self.cycle)

    _watched = False
    _began = 0.0


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(QUEUE)  # asyncio queues as many as it accepts at a time


class _Listening(socket.socket):
    """Bounds the connections of other machines as they arrive. uvicorn counts a connection once its handshake is done,
    which anybody may delay by a minute. Where the system accepts connections itself (Windows) nothing is bounded."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._open: list[tuple[socket.socket, str]] = []

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        opened, address = super().accept()
        self._open = [one for one in self._open if one[0].fileno() != -1]
        of_address = sum(host == address[0] for _, host in self._open)
        if of_address >= MOST_OF_ADDRESS or len(self._open) >= MOST_OF_NETWORK:
            opened.close()
            raise ConnectionAbortedError("there are too many connections")  # the loop goes on with the next one
        self._open.append((opened, address[0]))
        return opened, address


class RunningServer:
    """Serves from its making until ``close``. ``port`` 0 takes a free one. With a ``certificate``, a PEM file with its
    key, it serves other machines, by TLS only. Raises UserError where another program has the port."""

    def __init__(self, app: Guard, port: int, certificate: Path | None = None) -> None:
        self._socket = _bind(port, ADDRESS if certificate is None else EVERYWHERE)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"{'http' if certificate is None else 'https'}://{ADDRESS}:{self.port}"
        self.counts = app.counts
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS + 4 * BACKLOG,  # with those that are being closed
            backlog=BACKLOG,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            ssl_certfile=certificate,
            ssl_ciphers=CIPHERS,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="api-server", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop serving; requests under way have two seconds to end."""
        self._server.should_exit = True
        self._thread.join(CLOSE_S)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def _bind(port: int, address: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM) if address == ADDRESS else _Listening()
    try:
        if sys.platform != "win32":  # there it would let two programs have one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        reason = error.strerror or str(error)
        raise UserError(f"The port {port} cannot be used: {reason}.", "Choose another one in the settings.") from error
    return bound
