"""The HTTP client of the program: httpx through the gate, without proxies, cookies or redirects to other hosts."""

from __future__ import annotations

import contextlib
import hashlib
import math
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import httpcore2
import httpx2
import msgspec

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.network.connections import GatedBackend, Patience
from workbench.network.gate import Gate
from workbench.records.hub import NetworkRequest, Purpose

MOST_REDIRECTS = 5
MOST_NOTED = 1_000
CERTIFICATE_S, CONNECT_S = 20.0, 5.0
BEHIND_A_PORTAL = (
    "This network may want you to log in first: open any page in a browser, log in there, and try again. Otherwise "
    "check the address."
)


def refuse_web_page(response: httpx2.Response) -> None:
    """Raises UserError for a page of HTML where data was asked for, and for a redirect to another host: so the login
    page of a hotel's network (a captive portal) answers in every server's name."""
    host = response.request.url.host
    if response.status_code in (200, 206, 511) and is_web_page(response):
        raise UserError(f"{host} answered with a web page instead of data.", BEHIND_A_PORTAL)
    there = redirected_host(response)
    if there not in ("", host):
        raise UserError(f"{host} redirects to {there}, which is not followed.", BEHIND_A_PORTAL)


def is_web_page(response: httpx2.Response) -> bool:
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media in ("text/html", "application/xhtml+xml")


def redirected_host(response: httpx2.Response) -> str:
    """The host that a redirect leads to; "" for a response that is none, "another address" for one without a host."""
    if not 300 <= response.status_code < 400 or "location" not in response.headers:
        return ""
    try:
        return response.request.url.join(response.headers["location"]).host or "another address"
    except httpx2.InvalidURL:
        return "another address"


def trusting(certificate: str) -> ssl.SSLContext:
    """TLS that accepts this certificate (PEM) and no other one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # it is known by itself, not by a name
    context.load_verify_locations(cadata=certificate)
    return context


def certificate_of(
    gate: Gate, purpose: Purpose, host: str, port: int, fingerprint: bytes, context: RequestContext
) -> str:
    """The certificate (PEM) of a server, which must have this SHA-256. Nothing is sent to it. Raises UserError for
    another certificate, and where the server cannot be reached."""
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE  # it is compared with the fingerprint
    opened = GatedBackend(gate, purpose, Patience(context, CERTIFICATE_S))
    noted = NetworkRequest(at=time.time(), purpose=purpose, host=host, method="TLS", path="", bytes_out=0)
    try:
        stream = opened.connect_tcp(host, port, CONNECT_S)
        with contextlib.closing(stream.start_tls(unchecked, None, CONNECT_S)) as secured:
            found = secured.get_extra_info("ssl_object").getpeercert(binary_form=True)
    except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
        gate.log(msgspec.structs.replace(noted, failed=type(error).__name__))
        raise UserError(
            f"{host} cannot be reached ({type(error).__name__}).", "Check that it serves its API."
        ) from None
    gate.log(noted)
    if hashlib.sha256(found).digest() != fingerprint:
        raise UserError(
            f"{host} has another certificate than the code names: it may be another machine that answers in its place.",
            "Ask for a new code, and do not use this one.",
        )
    return ssl.DER_cert_to_PEM_cert(found)


class GatedTransport(httpx2.HTTPTransport):
    """A transport that connects through a gate and logs each request. Bodies are not compressed, so that a short one
    cannot become a long one, and have at most ``largest_bytes``."""

    def __init__(
        self, gate: Gate, purpose: Purpose, patience: Patience, largest_bytes: float, certificate: str = ""
    ) -> None:
        super().__init__(trust_env=False, verify=trusting(certificate) if certificate else True)
        self._gate, self._purpose = gate, purpose
        self._largest_bytes = largest_bytes
        self._pool._network_backend = GatedBackend(gate, purpose, patience)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
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
        response.stream = _CountedStream(response.stream, self._gate, noted, self._largest_bytes)
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            response.close()
            raise UserError(
                f"{request.url.host} compresses its answer although that was not asked for.", "Check its address."
            )
        return response


class _CountedStream(httpx2.SyncByteStream):
    """The body of a response. When it is closed, the log gets the number of bytes that were received."""

    def __init__(self, stream: httpx2.SyncByteStream, gate: Gate, noted: NetworkRequest, largest_bytes: float) -> None:
        self._stream, self._gate, self._noted = stream, gate, noted
        self._largest_bytes = largest_bytes
        self._received = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._stream:
            self._received += len(block)
            if self._received > self._largest_bytes:
                raise UserError(
                    f"{self._noted.host} sends more than {self._largest_bytes / 1e6:.0f} MB.", "Check its address."
                )
            yield block

    def close(self) -> None:
        self._stream.close()
        self._gate.note_received(self._noted, self._received)


def open_client(
    gate: Gate,
    purpose: Purpose,
    headers: dict[str, str] | None = None,
    *,
    context: RequestContext,
    read_s: float = 30.0,
    whole_s: float = math.inf,
    largest_bytes: float = math.inf,
    certificate: str = "",
) -> httpx2.Client:
    """A client for one purpose. It follows no redirects by itself, and reads no proxies from the environment. Its
    requests raise errors.Cancelled soon after ``context`` is cancelled.

    ``read_s``: seconds that the server may be silent, ``whole_s``: those that all requests of the client may take.
    ``certificate``: the one that the server must have, in PEM, whatever name it bears; "": one that an authority of
    this system has signed for its name.
    """
    return httpx2.Client(
        transport=GatedTransport(gate, purpose, Patience(context, whole_s), largest_bytes, certificate),
        timeout=httpx2.Timeout(30.0, connect=10.0, read=read_s),
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
