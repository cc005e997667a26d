"""Connections of the HTTP client that end when their request is cancelled or its time is up, whatever the server does.

The system's calls that wait (a name's lookup, a connect, the handshake of TLS, reading, writing) cannot be woken from
another thread on every system. So a name is looked up and connected to on a thread that is left behind, and a socket
waits a moment at a time.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpcore2

from workbench.api.protocol import RequestContext
from workbench.network.gate import Gate
from workbench.records.hub import Purpose

T = TypeVar("T")

MOMENT_S = 0.1
"""How long a call of the system waits before it is looked whether the request still wants it."""

MOST_ADDRESSES = 8
"""Addresses of one name that are tried."""


@dataclass(eq=False)
class Patience:
    """How long the requests of one client may wait: until their ``context`` is cancelled, or ``whole_s`` seconds after
    this was made."""

    context: RequestContext = field(default_factory=RequestContext)
    whole_s: float = float("inf")

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.whole_s

    def wait(self, attempt: Callable[[], T | None], seconds: float | None, late: type[httpcore2.TimeoutException]) -> T:
        """What ``attempt`` gives, which is called until it gives something and takes at most a moment each time.
        Raises errors.Cancelled, and ``late`` after ``seconds``."""
        until = min(self._until, float("inf") if seconds is None else time.monotonic() + seconds)
        while True:
            self.context.raise_if_cancelled()
            if time.monotonic() >= until:
                raise late("the time was up")
            if (found := attempt()) is not None:
                return found


class GatedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that the gate allows, and to those only."""

    def __init__(self, gate: Gate, purpose: Purpose, patience: Patience) -> None:
        self._gate, self._purpose, self._patience = gate, purpose, patience

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        opening = _Opening(lambda: self._open(host, port, timeout))
        whole = None if timeout is None else timeout * MOST_ADDRESSES  # each address has the timeout for itself
        try:
            opened = self._patience.wait(opening.poll, whole, httpcore2.ConnectTimeout)
        except BaseException:
            opening.abandon()
            raise
        return PatientStream(opened, self._patience)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise httpcore2.ConnectError("sockets of this machine are not connected to")

    def sleep(self, seconds: float) -> None:
        self._patience.context.wait_cancelled(seconds)

    def _open(self, host: str, port: int, timeout: float | None) -> socket.socket:
        try:
            addresses = self._gate.addresses(self._purpose, host, port)[:MOST_ADDRESSES]
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        for place, address in enumerate(addresses):
            try:
                opened = socket.create_connection((address, port), timeout)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
            except OSError as error:
                if place == len(addresses) - 1:
                    kind = httpcore2.ConnectTimeout if isinstance(error, TimeoutError) else httpcore2.ConnectError
                    raise kind(str(error)) from error
        raise AssertionError("the gate gave no address")


class _Opening:
    """A socket that is opened on a thread, and closed there where nobody wants it any more."""

    def __init__(self, work: Callable[[], socket.socket]) -> None:
        self._work = work
        self._lock = threading.Lock()  # guards the two below
        self._abandoned = False
        self._opened: socket.socket | None = None
        self._error: BaseException | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="connect", daemon=True).start()

    def poll(self) -> socket.socket | None:
        """The socket where it is open within a moment. Raises what opening it has raised."""
        if self._ended.wait(MOMENT_S) and self._error is not None:
            raise self._error
        return self._opened

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self._opened is not None:
                self._opened.close()

    def _run(self) -> None:
        try:
            opened = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that waits
            self._error = error
        else:
            with self._lock:
                self._opened = opened
                if self._abandoned:
                    opened.close()
        self._ended.set()


class PatientStream(httpcore2.NetworkStream):
    """An open socket, plain or with TLS."""

    def __init__(self, opened: socket.socket, patience: Patience) -> None:
        self._socket, self._patience = opened, patience
        opened.settimeout(MOMENT_S)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._wait(lambda: self._socket.recv(max_bytes), timeout, httpcore2.ReadTimeout, httpcore2.ReadError)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = memoryview(buffer)
        while left:
            sent = self._wait(partial(self._socket.send, left), timeout, httpcore2.WriteTimeout, httpcore2.WriteError)
            left = left[sent:]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            try:
                secured = ssl_context.wrap_socket(
                    self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
                )
            except OSError as error:  # the server has hung up already
                raise httpcore2.ConnectError(str(error)) from error
            stream = PatientStream(secured, self._patience)
            stack.callback(stream.close)
            stream.shake_hands(secured, timeout)
            stack.pop_all()
        return stream

    def shake_hands(self, secured: ssl.SSLSocket, timeout: float | None) -> None:
        def attempt() -> bool:
            secured.do_handshake()
            return True

        self._wait(attempt, timeout, httpcore2.ConnectTimeout, httpcore2.ConnectError)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if info == "socket":
            return self._socket
        if info == "is_readable":
            return self._is_readable()
        if info == "client_addr":
            return self._socket.getsockname()
        return self._socket.getpeername() if info == "server_addr" else None

    def _is_readable(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            if hasattr(select, "poll"):  # select cannot look at descriptors above 1023
                poll = select.poll()
                poll.register(self._socket, select.POLLIN)
                return bool(poll.poll(0))
            return bool(select.select([self._socket], [], [], 0)[0])
        return True

    def _wait(
        self,
        call: Callable[[], T],
        seconds: float | None,
        late: type[httpcore2.TimeoutException],
        broken: type[httpcore2.NetworkError],
    ) -> T:
        def attempt() -> T | None:
            try:
                return call()
            except TimeoutError:
                return None
            except OSError as error:
                raise broken(str(error)) from error

        return self._patience.wait(attempt, seconds, late)
