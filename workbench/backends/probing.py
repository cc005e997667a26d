"""What an endpoint is able to do, found out by requests that generate a single token each."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import msgspec

from workbench.api.protocol import RequestContext
from workbench.backends.chat_stream import Connection, Refused, choices_of
from workbench.backends.image_urls import data_url
from workbench.backends.label_choice import alternatives_in
from workbench.base.pixels import Pixels
from workbench.records.endpoints import Endpoint

MOST_ALTERNATIVES, FEW_ALTERNATIVES = 20, 5

_SAY = [{"role": "user", "content": "Hi"}]
_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
    },
}
_CLIENT_ERROR = range(400, 500)
_GREY = Pixels(32, 32, bytes([128]) * (32 * 32 * 3))


def probe(connection: Connection, context: RequestContext) -> Endpoint:
    """The endpoint with what it is able to do, found by at most nine requests. Raises Refused where it does not answer
    at all."""
    endpoint = connection.endpoint
    listed = _listed(connection, context)
    context_tokens = _context_tokens(listed)
    limit = _limit_field(connection, context)
    body: dict[str, Any] = {"model": endpoint.model, "messages": _SAY, limit: 1}
    streams, usage = _streams(connection, body, context)
    return msgspec.structs.replace(
        endpoint,
        limit_field=limit,
        context_tokens=context_tokens or endpoint.context_tokens,
        streams=streams,
        streams_usage=usage,
        schemas=_accepts(connection, {**body, "response_format": _SCHEMA}, context) is not None,
        several=len(choices_of(_accepts(connection, {**body, "n": 2, "temperature": 1.0}, context) or {})) == 2,
        alternatives=_alternatives(connection, body, context),
        vision=_sees(connection, listed, body, context),
        probed=time.time(),
    )


def _limit_field(connection: Connection, context: RequestContext) -> str:
    """Newer services refuse ``max_tokens``."""
    body: dict[str, Any] = {"model": connection.endpoint.model, "messages": _SAY}
    try:
        connection.ask({**body, "max_tokens": 1}, context)
        return "max_tokens"
    except Refused as error:
        if error.status != 400:
            raise
        if _accepts(connection, {**body, "max_completion_tokens": 1}, context) is None:
            raise error from None
        return "max_completion_tokens"


def _streams(connection: Connection, body: dict[str, Any], context: RequestContext) -> tuple[bool, bool]:
    """Whether it streams, and whether a stream reports the usage."""
    with_usage = {"stream": True, "stream_options": {"include_usage": True}}
    for more in (with_usage, {"stream": True}):
        try:
            chunks = list(connection.stream({**body, **more}, context))
        except Refused as error:
            if error.status in _CLIENT_ERROR:
                continue
            return False, False
        return True, any(isinstance(one.get("usage"), dict) for one in chunks)
    return False, False


def _alternatives(connection: Connection, body: dict[str, Any], context: RequestContext) -> int:
    """How many alternatives to a token it reports; 0 where it reports none."""
    for most in (MOST_ALTERNATIVES, FEW_ALTERNATIVES):
        reply = _accepts(connection, {**body, "logprobs": True, "top_logprobs": most}, context)
        if alternatives_in(reply):
            return most
    return 0


def _sees(connection: Connection, listed: dict[str, Any], body: dict[str, Any], context: RequestContext) -> bool:
    """Whether it takes images: by what the list of models says, as OpenRouter's and Mistral's do, else by a request
    with a small one."""
    architecture, capabilities = listed.get("architecture"), listed.get("capabilities")
    if isinstance(architecture, dict) and isinstance(kinds := architecture.get("input_modalities"), list):
        return "image" in kinds
    if isinstance(capabilities, dict) and isinstance(says := capabilities.get("vision"), bool):
        return says
    image = {"type": "image_url", "image_url": {"url": data_url(_GREY)}}
    messages = [{"role": "user", "content": [image, {"type": "text", "text": "Hi"}]}]
    return _accepts(connection, {**body, "messages": messages}, context) is not None


def _listed(connection: Connection, context: RequestContext) -> dict[str, Any]:
    """What the list of models says of the endpoint's; {} where it says nothing."""
    with contextlib.suppress(Refused):
        listed = connection.get("/models", context).get("data")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and one.get("id") == connection.endpoint.model:
                return one
    return {}


def _context_tokens(listed: dict[str, Any]) -> int:
    """The context length where the list of models has it, as vLLM's and llama.cpp's do; else 0."""
    meta = listed.get("meta")
    known = listed.get("max_model_len") or listed.get("context_length")
    found = known or (meta.get("n_ctx_train") if isinstance(meta, dict) else None)
    return found if isinstance(found, int) and 0 < found < 1 << 31 else 0


def _accepts(connection: Connection, body: dict[str, Any], context: RequestContext) -> Any:
    """The reply, or None where the server refuses the request itself. Raises Refused for other failures."""
    try:
        return connection.ask(body, context)
    except Refused as error:
        if error.status in _CLIENT_ERROR and error.status not in (401, 403, 429):
            return None
        raise
