"""The checks of a request before it is answered: its Host, its origin, its key, the size of its body.

A page in the browser can reach this machine's addresses, under any name that it resolves to them (DNS rebinding). So
the Host must be a name of this machine, an Origin must be listed, and every request but ``/health`` carries a key,
which is compared in constant time. Requests of other machines come from an allowed address, carry the key of a client
and are limited by it. Refused requests are logged, without their keys and bodies.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.subjects.serving.clients import ApiClients
from workbench.subjects.serving.http.errors import ApiError

LARGEST_BODY = 16 << 20
"""Bytes of a request's body."""

BODY_S = 20.0
"""A body that takes longer to arrive is refused."""

MOST_AT_ONCE = 128
"""Requests that are answered at the same time."""

MOST_OF_CLIENT = 32
"""Those of one client of the network: none takes the place of all others."""

MOST_NETWORK_CALLS = 256
"""Calls of all clients of the network at the same time: the programs of this machine keep theirs."""

CALLS = "workbench.calls"
"""The entry of a request's scope with the semaphore that its calls take; without it they take that of this machine."""

OPEN_PATHS = frozenset({"/health", "/v1/health"})
"""Paths that need no key: whether the API is served is no secret."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?")
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Limits:
    """How large and how many requests may be; tests set them lower. ``client``: whose they are,
    where another machine asks."""

    body_bytes: int = LARGEST_BODY
    body_seconds: float = BODY_S
    at_once: int = MOST_AT_ONCE
    client: str = ""
    client_at_once: int = MOST_OF_CLIENT


@dataclass(eq=False)
class Counts:
    """Requests since the server began."""

    answered: int = 0
    refused: int = 0
    now: int = 0


class Access(Protocol):
    """Who may ask."""

    def origins(self) -> Sequence[str]:
        """The origins of web pages that may ask."""

    def check_place(self, peer: str, headers: Headers) -> None:
        """Raises ApiError for a request from the address ``peer`` that is to be refused whoever makes it."""

    def check_key(self, headers: Headers, limits: Limits) -> Limits:
        """The limits of the request. Raises ApiError without a valid key."""


@dataclass(frozen=True, eq=False)
class LocalAccess:
    """Programs of this machine. ``key`` and ``pages`` are asked for each request: they may change."""

    key: Callable[[], str]
    pages: Callable[[], Sequence[str]]

    def origins(self) -> Sequence[str]:
        return self.pages()

    def check_place(self, peer: str, headers: Headers) -> None:
        check_host(headers, _LOOPBACK)

    def check_key(self, headers: Headers, limits: Limits) -> Limits:
        check_key(headers, self.key())
        return limits


@dataclass(frozen=True, eq=False)
class NetworkAccess:
    """Other machines. ``allowed`` are addresses and networks, asked for each request; without one, those of local
    networks. ``names`` are those of this machine. No web page may ask."""

    clients: ApiClients
    allowed: Callable[[], Sequence[str]]
    names: Callable[[], Collection[str]]

    def origins(self) -> Sequence[str]:
        return ()

    def check_place(self, peer: str, headers: Headers) -> None:
        if not _is_allowed(peer, self.allowed()):
            raise ApiError(403, "The address of this machine is not allowed.", code="address_not_allowed")
        check_host(headers, self.names())

    def check_key(self, headers: Headers, limits: Limits) -> Limits:
        client = self.clients.find(given_key(headers))
        if client is None:
            raise _wrong_key()
        wait = self.clients.waits(client)
        if wait:
            raise ApiError(
                429, f"{client.name} may make {client.per_minute:,} requests a minute.", kind="requests",
                code="rate_limit_exceeded", retry_s=math.ceil(wait),
            )  # fmt: skip
        return replace(limits, body_bytes=min(limits.body_bytes, client.largest_mb << 20), client=client.name)


def _is_allowed(peer: str, allowed: Sequence[str]) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if not allowed:
        return address.is_private
    for one in allowed:
        try:
            if address in ipaddress.ip_network(one.strip(), strict=False):
                return True
        except ValueError:
            continue  # an entry that is none allows nobody
    return False


@dataclass(eq=False)
class Guard:
    """The application behind these checks."""

    app: ASGIApp
    access: Access
    limits: Limits = field(default_factory=Limits)
    counts: Counts = field(default_factory=Counts)
    _of_client: Counter[str] = field(default_factory=Counter)  # requests that are read or answered now, by client
    _network_calls: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_NETWORK_CALLS))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no websockets, no lifespan
        scope = {**scope, "path": re.sub("/{2,}", "/", scope["path"])}
        headers = Headers(scope=scope)
        allowed = self._listed_origin(headers)
        self.counts.now += 1
        client = ""
        try:
            self.access.check_place((scope.get("client") or ("", 0))[0], headers)
            check_origin(headers, allowed)
            if scope["method"] == "OPTIONS" and allowed:
                await self._preflight(allowed)(scope, receive, send)
                return
            limits = self.limits
            if scope["path"] not in OPEN_PATHS:
                limits = self.access.check_key(headers, limits)
            if limits.client:
                client = limits.client
                self._of_client[client] += 1
                scope[CALLS] = self._network_calls
            if self._of_client[client] > limits.client_at_once:
                most = f"{client} may make {limits.client_at_once} requests at the same time."
                raise ApiError(429, most, kind="requests", code="rate_limit_exceeded")
            if self.counts.now > self.limits.at_once:
                raise ApiError(429, "Too many requests at the same time.", kind="requests", code="rate_limit_exceeded")
            body = await _body(headers, receive, limits) if scope["method"] == "POST" else b""
        except ApiError as error:
            self._refused(scope, error)
            retry = {"Retry-After": str(error.retry_s)} if error.status == 429 else None
            self._leave(client)
            await error.response(retry)(scope, receive, self._answering(send, allowed))
            return
        except BaseException:
            self._leave(client)
            raise
        finally:
            self.counts.now -= 1
        try:
            await self._pass(scope, body, receive, send, allowed)
        finally:
            self._leave(client)

    def _leave(self, client: str) -> None:
        if client:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    async def _pass(self, scope: Scope, body: bytes, receive: Receive, send: Send, allowed: str) -> None:
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        self.counts.now += 1
        try:
            await self.app(scope, again, self._answering(send, allowed, scope))
        finally:
            self.counts.now -= 1

    def _listed_origin(self, headers: Headers) -> str:
        origin = headers.get("origin", "")
        return origin if origin and origin in [one.strip().rstrip("/") for one in self.access.origins()] else ""

    def _preflight(self, origin: str) -> ASGIApp:
        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            headers = MutableHeaders()
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Methods"] = "GET, POST"
            headers["Access-Control-Allow-Headers"] = "Authorization, *"  # a wildcard does not cover it
            headers["Vary"] = "Origin"
            await send({"type": "http.response.start", "status": 204, "headers": headers.raw})
            await send({"type": "http.response.body", "body": b""})

        return respond

    def _answering(self, send: Send, origin: str, scope: Scope | None = None) -> Send:
        """Adds what every response has, and counts."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Cache-Control"] = "no-store"
                if origin:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Vary"] = "Origin"
                if scope is not None:
                    refused = 400 <= message["status"] < 500
                    self.counts.refused += refused
                    self.counts.answered += not refused
                    if refused:
                        _note(scope, message["status"], "")
            await send(message)

        return sending

    def _refused(self, scope: Scope, error: ApiError) -> None:
        self.counts.refused += 1
        _note(scope, error.status, error.message)


async def _body(headers: Headers, receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises ApiError for one that is not JSON by its type, too large or too slow."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ApiError(415, "The body must be application/json.", code="unsupported_media_type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "The body must not be compressed.", code="unsupported_media_type")
    too_large = ApiError(413, f"The body is larger than {limits.body_bytes:,} bytes.", code="body_too_large")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body_bytes:
        raise too_large
    pieces, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ApiError(400, "The connection was closed before the body was complete.")
                piece = message.get("body", b"")
                size += len(piece)
                if size > limits.body_bytes:
                    raise too_large
                pieces.append(piece)
                if not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError:
        raise ApiError(408, "The body did not arrive in time.", code="body_timeout") from None


def check_host(headers: Headers, names: Collection[str]) -> None:
    """Raises ApiError unless there is one Host, and it is a name of this machine."""
    hosts = headers.getlist("host")
    found = _HOST.fullmatch(hosts[0].strip().lower()) if len(hosts) == 1 else None
    if found is None:
        raise ApiError(400, "The request has no valid Host.", code="bad_host")
    if found[1] not in names:
        raise ApiError(403, "The Host is not a name of this machine.", code="bad_host")


def check_origin(headers: Headers, allowed: str) -> None:
    """Raises ApiError for a request of a web page that is not listed."""
    if "origin" in headers and not allowed:
        raise ApiError(403, "Web pages may not use this API; list their origin in the settings.", code="bad_origin")
    if not allowed and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ApiError(403, "Web pages may not use this API; list their origin in the settings.", code="bad_origin")


def given_key(headers: Headers) -> str:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return (given if scheme.lower() == "bearer" else headers.get("x-api-key", "")).strip()


def check_key(headers: Headers, key: str) -> None:
    """Raises ApiError without the right key, which takes the same time whatever is wrong with it."""
    if not key or not hmac.compare_digest(given_key(headers).encode("utf-8", "replace"), key.encode()):
        raise _wrong_key()


def _wrong_key() -> ApiError:
    return ApiError(401, "The key is missing or wrong.", kind="authentication_error", code="invalid_api_key")


def _note(scope: Scope, status: int, message: str) -> None:
    _log.warning("API: %d for %.20s %.200r. %s", status, scope["method"], scope["path"], message)
