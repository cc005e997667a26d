"""Errors in the format of OpenAI's API, which Anthropic's clients read too; a failed call as one of them."""

from __future__ import annotations

import logging
from typing import Any

from starlette.responses import JSONResponse

from workbench.api import events

_log = logging.getLogger(__name__)


class ApiError(Exception):
    """A request that is answered with an error. ``param`` is the field at fault, "" for none; ``more`` are fields
    beyond those of OpenAI's errors; ``retry_s`` are the seconds after which to ask again, where there are too many
    requests."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str = "",
        param: str = "",
        more: dict[str, Any] | None = None,
        retry_s: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.more = more or {}
        self.retry_s = retry_s

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.kind, "param": self.param or None, "code": self.code or None}
        error |= self.more
        return {"type": "error", "error": error}  # the outer type is that of Anthropic's errors

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(self.body(), self.status, headers)


def invalid(message: str, param: str = "") -> ApiError:
    """A field of the request has a value that is not valid."""
    return ApiError(400, message, param=param, code="invalid_value" if param else "")


def too_large(message: str, param: str) -> ApiError:
    """A field of the request has more than one request may have."""
    return ApiError(413, message, param=param, code="request_too_large")


def unknown_model(name: str, known: list[str]) -> ApiError:
    message = f"There is no model {name!r} here. There are: {', '.join(known) or 'none'}."
    return ApiError(404, message, code="model_not_found", param="model")


def error_of(event: events.Failed | events.Cancelled) -> ApiError:
    """The error of a call that failed or was cancelled. A bug's traceback goes to the log, never to the client."""
    if isinstance(event, events.Cancelled):
        return ApiError(503, "The request was stopped.", kind="server_error", code="cancelled")
    if event.exceeded is not None:
        sizes = {"n_prompt_tokens": event.exceeded.tokens, "n_ctx": event.exceeded.context_tokens}
        message = f"{event.message} {event.hint}".strip()
        return ApiError(400, message, code="context_length_exceeded", param="messages", more=sizes)
    if event.reason == "user":
        return invalid(f"{event.message} {event.hint}".strip())
    if event.reason == "worker":
        return ApiError(503, event.message, kind="server_error", code="engine_died")
    if event.reason == "memory":
        return ApiError(503, "The model ran out of memory.", kind="server_error", code="out_of_memory")
    _log.error("A request of the API failed: %s\n%s", event.message, event.stderr_tail)
    return ApiError(
        500, "Internal error. The log of the program has its details.", kind="server_error", code="internal_error"
    )
