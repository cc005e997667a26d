"""One request to an endpoint's chat completions: sent through the gate, retried, read under limits.

Requests that fail before the first word are retried: no connection, 429, and errors of the server. A redirect is never
followed, since the request carries private text and a key. The key is in no message and no log: errors name the host
and the status, and the server's own message is shown without it. What is read is bounded by what was asked for: its
bytes, the length of a line, and the number of values in it.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from workbench.api.protocol import RequestContext
from workbench.base.errors import Cancelled, UserError
from workbench.network.gate import Gate
from workbench.network.http import BEHIND_A_PORTAL, is_web_page, open_client, redirected_host
from workbench.records.endpoints import Endpoint

TRIES = 4
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
RETRIED = frozenset({408, 429, 500, 502, 503, 504, 529})
READ_S = 600.0
"""Seconds that an endpoint may be silent: a long prompt, or a whole answer that is not streamed, takes minutes."""

WHOLE_S = 3_600.0
"""Seconds that a request may take as a whole, with its retries."""

LARGEST_REPLY, LARGEST_STREAM, LONGEST_LINE = 16 << 20, 64 << 20, 1 << 20
BYTES_AROUND = 1 << 20
"""What a reply may have beside the bytes of its tokens."""

REPLY_BYTES, STREAM_BYTES = 64, 4_096
"""For each token, of a whole reply and of a stream, in which each has a frame of its own."""

MOST_VALUES = 200_000
"""Numbers, texts, lists and objects in one line or reply: each takes up to a hundred times its bytes in memory."""

LARGEST_REFUSAL, LONGEST_COMPLAINT = 64 << 10, 300


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
            return self._json(response, LARGEST_REPLY >> 2)

    def ask(self, body: dict[str, Any], context: RequestContext) -> Any:
        """The whole reply of chat completions. Raises Refused."""
        with self._opened("POST", "/chat/completions", body, context) as response:
            return self._json(response, min(LARGEST_REPLY, BYTES_AROUND + REPLY_BYTES * self._tokens(body)))

    def stream(self, body: dict[str, Any], context: RequestContext) -> Generator[dict[str, Any], None, None]:
        """The chunks of a streamed reply, up to its end. Raises Refused for one that is cut off before."""
        largest = min(LARGEST_STREAM, BYTES_AROUND + STREAM_BYTES * self._tokens(body))
        with self._opened("POST", "/chat/completions", body, context) as response:
            ended = False
            try:
                for line in self._lines(response, largest):
                    context.raise_if_cancelled()
                    if not line.startswith("data:"):
                        continue
                    data = line[5:].strip()
                    if data == "[DONE]":
                        return
                    chunk = self._parsed(data)
                    if "error" in chunk:
                        raise Refused(self._complaint(chunk, 0), accepted=True)
                    ended = ended or any(one.get("finish_reason") for one in choices_of(chunk))
                    yield chunk
            except httpx2.HTTPError as error:
                raise self._lost(error) from None
            if not ended:
                raise Refused(f"{self.endpoint.host} has cut off its answer.", "Ask again.", accepted=True)

    def _tokens(self, body: dict[str, Any]) -> int:
        """How many tokens are asked for in all."""
        return int(body.get(self.endpoint.limit_field) or body.get("max_tokens") or 0) * int(body.get("n", 1))

    def _lines(self, response: httpx2.Response, largest: int) -> Iterator[str]:
        """The lines of a body. Raises Refused for one, or a whole body, that is too long."""
        pending, size = bytearray(), 0
        for block in response.iter_bytes():
            size += len(block)
            first, *others = block.split(b"\n")
            pending += first
            if max(map(len, (pending, *others))) > LONGEST_LINE or size > largest:
                raise self._too_long()
            for following in others:
                yield pending.decode("utf-8", "replace").rstrip("\r")
                pending = bytearray(following)
        yield pending.decode("utf-8", "replace")

    def _too_long(self) -> Refused:
        return Refused(
            f"{self.endpoint.host} sends more than an answer can be.", "Check its address and model.", accepted=True
        )

    def _lost(self, error: httpx2.HTTPError) -> Refused:
        return Refused(
            f"The connection to {self.endpoint.host} was lost within the answer ({type(error).__name__}).",
            "Ask again.",
            accepted=True,
        )

    @contextlib.contextmanager
    def _opened(
        self, method: str, path: str, body: dict[str, Any] | None, context: RequestContext
    ) -> Iterator[httpx2.Response]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with (
            open_client(
                self.gate,
                "endpoint",
                headers,
                context=context,
                read_s=READ_S,
                whole_s=WHOLE_S,
                certificate=self.endpoint.certificate,
            ) as client,
            contextlib.ExitStack() as stack,
        ):
            yield self._sent(client, method, path, body, context, stack)

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
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise Refused(
                        f"{self.endpoint.host} has another certificate than it should have: nothing was sent.",
                        "Another machine may answer in its place. Add it again by a new code if it made a new one.",
                    ) from None
                refused = Refused(
                    f"{self.endpoint.host} cannot be reached ({type(error).__name__}).", "Try again later."
                )
            else:
                if response.status_code == 200 and not is_web_page(response):
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
            there = redirected_host(response) or "another address"
            return Refused(
                f"{self.endpoint.host} redirects to {there}, which is not followed.",
                f"Change the address of the endpoint if that is right. {BEHIND_A_PORTAL}", status,
            )  # fmt: skip
        if status in (200, 511) and is_web_page(response):
            return Refused(f"{self.endpoint.host} answered with a web page instead of data.", BEHIND_A_PORTAL, status)
        said = b""
        with contextlib.suppress(httpx2.HTTPError):
            for piece in response.iter_bytes():
                said += piece
                if len(said) > LARGEST_REFUSAL:
                    break
        try:
            plain = json.loads(said)
        except (ValueError, RecursionError):
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
        text = "".join(one if one.isprintable() else " " for one in text)[:LONGEST_COMPLAINT].strip().removesuffix(".")
        code = f" ({status})" if status else ""
        return f"{self.endpoint.host} refused the request{code}{f': {text}' if text else ''}."

    def _json(self, response: httpx2.Response, largest: int) -> dict[str, Any]:
        said = bytearray()
        try:
            for piece in response.iter_bytes():
                said += piece
                if len(said) > largest:
                    raise self._too_long()
        except httpx2.HTTPError as error:
            raise self._lost(error) from None
        return self._parsed(said.decode("utf-8", "replace"))

    def _parsed(self, text: str) -> dict[str, Any]:
        if sum(map(text.count, "[{,")) > MOST_VALUES:
            raise self._too_long()
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        if not isinstance(plain, dict):
            raise Refused(
                f"{self.endpoint.host} does not answer as OpenAI's API does.", "Check its address.", accepted=True
            )
        return plain


def choices_of(reply: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices of a reply or a chunk, whatever else stands there."""
    listed = reply.get("choices")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _asked_wait(response: httpx2.Response, wait: float) -> float:
    """The seconds that the server asks for, where it does."""
    try:
        return min(LONGEST_PAUSE_S, max(wait, float(response.headers.get("retry-after", ""))))
    except ValueError:
        return wait


def _pause(seconds: float, context: RequestContext) -> None:
    if context.wait_cancelled(seconds):
        raise Cancelled
