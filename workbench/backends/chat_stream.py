"""One request to an endpoint's chat completions: sent through the gate, retried, read under limits.

Requests that fail before the first word are retried: no connection, 429, and errors of the server. A redirect is never
followed, since the request carries private text and a key. The key is in no message and no log: errors name the host
and the status, and the server's own message is shown without it.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from workbench.api.protocol import RequestContext
from workbench.errors import Cancelled, UserError
from workbench.network.gate import Gate
from workbench.network.http import open_client
from workbench.records.endpoints import Endpoint

TRIES = 4
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
RETRIED = frozenset({408, 429, 500, 502, 503, 504, 529})
READ_S = 600.0
"""Seconds that an endpoint may be silent: a long prompt, or a whole answer that is not streamed, takes minutes."""

LARGEST_REPLY, LONGEST_LINE = 64 << 20, 1 << 20
LONGEST_COMPLAINT = 300


class Refused(UserError):
    """The endpoint has answered with an error of ``status``, 0: with none. ``accepted``: it took the request, so it may
    charge for it."""

    def __init__(self, message: str, hint: str = "", status: int = 0, *, accepted: bool = False) -> None:
        super().__init__(message, hint)
        self.status = status
        self.accepted = accepted


@dataclass(frozen=True, eq=False)
class Connection:
    """How an endpoint is asked. ``pause`` waits so many seconds, or raises Cancelled."""

    gate: Gate
    endpoint: Endpoint
    key: str = field(repr=False)
    pause: Callable[[float, RequestContext], None] = lambda seconds, context: _pause(seconds, context)

    def get(self, path: str, context: RequestContext) -> Any:
        """The JSON at a path below the base address. Raises Refused."""
        with self._opened("GET", path, None, context) as response:
            return self._json(response)

    def ask(self, body: dict[str, Any], context: RequestContext) -> Any:
        """The whole reply of chat completions. Raises Refused."""
        with self._opened("POST", "/chat/completions", body, context) as response:
            return self._json(response)

    def stream(self, body: dict[str, Any], context: RequestContext) -> Iterator[dict[str, Any]]:
        """The chunks of a streamed reply, up to its end. Raises Refused for one that is cut off before."""
        with self._opened("POST", "/chat/completions", body, context) as response:
            ended = False
            try:
                for line in self._lines(response):
                    context.raise_if_cancelled()
                    if not line.startswith("data:"):
                        continue
                    data = line[5:].strip()
                    if data == "[DONE]":
                        return
                    chunk = self._parsed(data)
                    if "error" in chunk:
                        raise Refused(self._complaint(chunk, 0), accepted=True)
                    choices = chunk.get("choices") or []
                    ended = ended or any(one.get("finish_reason") for one in choices if isinstance(one, dict))
                    yield chunk
            except httpx2.HTTPError as error:
                context.raise_if_cancelled()
                raise Refused(
                    f"The connection to {self.endpoint.host} was lost within the answer ({type(error).__name__}).",
                    "Ask again.",
                    accepted=True,
                ) from None
            if not ended:
                raise Refused(f"{self.endpoint.host} has cut off its answer.", "Ask again.", accepted=True)

    def _lines(self, response: httpx2.Response) -> Iterator[str]:
        """The lines of a body. Raises Refused for one, or a whole body, that is too long."""
        pending, size = bytearray(), 0
        for block in response.iter_bytes():
            size += len(block)
            pending += block
            *lines, pending = pending.split(b"\n")
            if max(map(len, (*lines, pending))) > LONGEST_LINE or size > LARGEST_REPLY:
                raise Refused(f"{self.endpoint.host} sends more than an answer can be.", accepted=True)
            for line in lines:
                yield line.decode("utf-8", "replace").rstrip("\r")
        yield pending.decode("utf-8", "replace")

    @contextlib.contextmanager
    def _opened(
        self, method: str, path: str, body: dict[str, Any] | None, context: RequestContext
    ) -> Iterator[httpx2.Response]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with open_client(self.gate, "endpoint", headers, read_s=READ_S) as client, contextlib.ExitStack() as stack:
            forget = context.when_cancelled(client.close)
            try:
                yield self._sent(client, method, path, body, context, stack)
            except (httpx2.HTTPError, RuntimeError):
                context.raise_if_cancelled()
                raise
            finally:
                forget()

    def _sent(
        self,
        client: httpx2.Client,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        context: RequestContext,
        stack: contextlib.ExitStack,
    ) -> httpx2.Response:
        refused = Refused("")
        for number in range(TRIES):
            context.raise_if_cancelled()
            attempt = contextlib.ExitStack()
            wait = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number * random.uniform(0.8, 1.2))
            try:
                response = attempt.enter_context(client.stream(method, f"{self.endpoint.address}{path}", json=body))
            except httpx2.ReadTimeout:  # it may still compute the answer, and charge for it
                attempt.close()
                raise Refused(
                    f"{self.endpoint.host} did not answer within {READ_S:.0f} seconds.",
                    "Try again later.",
                    accepted=True,
                ) from None
            except httpx2.HTTPError as error:
                attempt.close()
                context.raise_if_cancelled()
                refused = Refused(
                    f"{self.endpoint.host} cannot be reached ({type(error).__name__}).", "Try again later."
                )
            else:
                if response.status_code == 200:
                    stack.enter_context(attempt)
                    return response
                with attempt:
                    refused = self._refusal(response)
                if response.status_code not in RETRIED:
                    raise refused
                wait = _asked_wait(response, wait)
            if number < TRIES - 1:
                self.pause(wait, context)
        raise refused

    def _refusal(self, response: httpx2.Response) -> Refused:
        status = response.status_code
        if 300 <= status < 400:
            there = httpx2.URL(response.headers.get("location", "")).host or "another address"
            return Refused(
                f"{self.endpoint.host} redirects to {there}, which is not followed.",
                "Change the address of the endpoint if that is right.", status,
            )  # fmt: skip
        said = b""
        with contextlib.suppress(httpx2.HTTPError):
            for piece in response.iter_bytes():
                said += piece
                if len(said) > LONGEST_LINE:
                    break
        try:
            plain = json.loads(said)
        except ValueError:
            plain = {}
        hint = {401: "Check its key.", 403: "Check its key.", 404: "Check its address and model.",
                429: "Wait, or ask less at once."}.get(status, "")  # fmt: skip
        return Refused(self._complaint(plain if isinstance(plain, dict) else {}, status), hint, status)

    def _complaint(self, plain: dict[str, Any], status: int) -> str:
        """What the server says, cut short and without the key, which some repeat."""
        error = plain.get("error")
        text = str(error.get("message", "") if isinstance(error, dict) else error or plain.get("message") or "")
        if self.key:
            text = text.replace(self.key, "…")
        text = "".join(one if one.isprintable() else " " for one in text)[:LONGEST_COMPLAINT].strip()
        code = f" ({status})" if status else ""
        return f"{self.endpoint.host} refused the request{code}{f': {text}' if text else ''}."

    def _json(self, response: httpx2.Response) -> dict[str, Any]:
        said = bytearray()
        try:
            for piece in response.iter_bytes():
                said += piece
                if len(said) > LARGEST_REPLY:
                    raise Refused(f"{self.endpoint.host} sends more than an answer can be.", accepted=True)
        except httpx2.HTTPError as error:
            raise Refused(
                f"The connection to {self.endpoint.host} was lost within the answer ({type(error).__name__}).",
                "Ask again.",
                accepted=True,
            ) from None
        return self._parsed(said.decode("utf-8", "replace"))

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        if not isinstance(plain, dict):
            raise Refused(
                f"{self.endpoint.host} does not answer as OpenAI's API does.", "Check its address.", accepted=True
            )
        return plain


def _asked_wait(response: httpx2.Response, wait: float) -> float:
    """The seconds that the server asks for, where it does."""
    try:
        return min(LONGEST_PAUSE_S, max(wait, float(response.headers.get("retry-after", ""))))
    except ValueError:
        return wait


def _pause(seconds: float, context: RequestContext) -> None:
    if context.wait_cancelled(seconds):
        raise Cancelled
