"""The HTTP client of the program: httpx through the gate, without proxies, cookies or redirects to other hosts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import httpcore2
import httpx2
import msgspec

from workbench.network.gate import Gate
from workbench.records.hub import NetworkRequest, Purpose

MOST_REDIRECTS = 5
MOST_NOTED = 1_000


class _GatedBackend(httpcore2.NetworkBackend):
    """Connects to addresses that the gate allows, and to those only."""

    def __init__(self, gate: Gate, purpose: Purpose) -> None:
        self._gate, self._purpose = gate, purpose
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = self._gate.addresses(self._purpose, host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        for place, address in enumerate(addresses):
            try:
                return self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if place == len(addresses) - 1:
                    raise
        raise AssertionError("the gate gave no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        raise httpcore2.ConnectError("sockets of this machine are not connected to")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class GatedTransport(httpx2.HTTPTransport):
    """A transport that connects through a gate and logs each request."""

    def __init__(self, gate: Gate, purpose: Purpose) -> None:
        super().__init__(trust_env=False)
        self._gate, self._purpose = gate, purpose
        self._pool._network_backend = _GatedBackend(gate, purpose)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        sent = int(request.headers.get("content-length", "0") or 0)
        noted = NetworkRequest(
            at=time.time(), purpose=self._purpose, host=request.url.host, method=request.method,
            path=request.url.path, bytes_out=sent,
        )  # fmt: skip
        try:
            response = super().handle_request(request)
        except httpx2.TransportError as error:  # the body may have been sent already
            self._gate.log(msgspec.structs.replace(noted, failed=type(error).__name__))
            raise
        noted = msgspec.structs.replace(noted, status=response.status_code)
        self._gate.log(noted)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _CountedStream(response.stream, self._gate, noted)
        return response


class _CountedStream(httpx2.SyncByteStream):
    """The body of a response. When it is closed, the log gets the number of bytes that were received."""

    def __init__(self, stream: httpx2.SyncByteStream, gate: Gate, noted: NetworkRequest) -> None:
        self._stream, self._gate, self._noted = stream, gate, noted
        self._received = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._stream:
            self._received += len(block)
            yield block

    def close(self) -> None:
        self._stream.close()
        self._gate.note_received(self._noted, self._received)


def open_client(
    gate: Gate, purpose: Purpose, headers: dict[str, str] | None = None, *, read_s: float = 30.0
) -> httpx2.Client:
    """A client for one purpose. It follows no redirects by itself, and reads no proxies from the environment.
    ``read_s``: seconds that the server may be silent."""
    return httpx2.Client(
        transport=GatedTransport(gate, purpose), timeout=httpx2.Timeout(30.0, connect=10.0, read=read_s),
        headers=headers, follow_redirects=False, trust_env=False,
    )  # fmt: skip


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to ``host`` at the ``addresses`` that the gate gave for it, wherever its name points now."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        self.host, self.addresses = host, tuple(addresses)
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = self.addresses if host == self.host else ()
        for place, address in enumerate(addresses):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if place == len(addresses) - 1:
                    raise
        raise httpcore2.ConnectError(f"no address of {host} was allowed")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise httpcore2.ConnectError("sockets of this machine are not connected to")

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)


class NotingTransport(httpx2.AsyncHTTPTransport):
    """A transport for a process that has no gate: the requests so far are taken by ``take``."""

    def __init__(self, purpose: Purpose, backend: httpcore2.AsyncNetworkBackend) -> None:
        super().__init__(trust_env=False)
        self._pool._network_backend = backend
        self._purpose: Purpose = purpose
        self._noted: list[NetworkRequest] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        noted = NetworkRequest(
            at=time.time(), purpose=self._purpose, host=request.url.host, method=request.method,
            path=request.url.path, bytes_out=int(request.headers.get("content-length", "0") or 0),
        )  # fmt: skip
        del self._noted[:-MOST_NOTED]  # the same list: streams that are open add to it
        try:
            response = await super().handle_async_request(request)
        except httpx2.TransportError as error:
            self._noted.append(msgspec.structs.replace(noted, failed=type(error).__name__))
            raise
        noted = msgspec.structs.replace(noted, status=response.status_code)
        self._noted.append(noted)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _NotedStream(response.stream, self._noted, noted)
        return response

    def take(self) -> list[NetworkRequest]:
        """The requests since the last call, and those that have ended since."""
        taken = list(self._noted)
        del self._noted[: len(taken)]
        return taken


class _NotedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, into: list[NetworkRequest], noted: NetworkRequest) -> None:
        self._stream, self._into, self._noted = stream, into, noted
        self._received = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._stream:
            self._received += len(block)
            yield block

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._into.append(msgspec.structs.replace(self._noted, bytes_in=self._received))


def open_pinned_client(transport: NotingTransport, headers: dict[str, str], read_s: float) -> httpx2.AsyncClient:
    """A client for a process that has no gate: it reaches what the backend of ``transport`` does, follows no redirects
    and reads no proxies from the environment. ``read_s`` is how long the server may be silent."""
    timeout = httpx2.Timeout(30.0, read=read_s)
    return httpx2.AsyncClient(
        transport=transport, headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
    )
