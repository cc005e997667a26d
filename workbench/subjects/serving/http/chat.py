"""``/v1/chat/completions``: a recipe or a model answers a conversation, whole or as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.api import events
from workbench.subjects.serving.calls import AskServed, ServedAnswer
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import error_of, invalid
from workbench.subjects.serving.http.exchange import DONE, Arrived, result_of, sse, stream
from workbench.subjects.serving.http.messages import ChatMessage, ToolOffer, conversation_of, tools_of
from workbench.subjects.serving.http.replies import (
    FINISHES,
    calls_of,
    chat_logprobs,
    extension,
    fingerprint,
    new_id,
    now,
    tool_call,
    usage_of,
)
from workbench.subjects.serving.http.requests import Sampling, alternatives_of, decoding_of, format_of, limit_of, read

CHUNK = "chat.completion.chunk"


class ChatRequest(Sampling, kw_only=True):
    messages: list[ChatMessage]
    max_completion_tokens: int | None = None
    response_format: dict[str, Any] | None = None
    json_schema: dict[str, Any] | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: str | dict[str, Any] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


def call_of(asked: ChatRequest) -> AskServed:
    """The call of a request. Raises ApiError."""
    limit = limit_of(asked.max_completion_tokens, asked.max_tokens)
    decoding = decoding_of(asked, max_tokens=limit)
    schema = {"type": "json_schema", "schema": asked.json_schema} if asked.json_schema else None
    decoding |= format_of(asked.response_format or schema)
    tools, must_call = tools_of(asked.tools, asked.tool_choice)
    alternatives = alternatives_of(asked.logprobs, asked.top_logprobs)
    if tools and (asked.n or 1) > 1:
        raise invalid("An answer that may call tools has one choice.", "n")
    images: dict[str, bytes] = {}
    return AskServed(
        model=asked.model,
        messages=conversation_of(asked.messages, images),
        images=images,
        decoding=decoding,
        tools=tools,
        must_call=must_call,
        alternatives=alternatives,
    )


async def complete_chat(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), ChatRequest)
    call = call_of(asked)
    call = msgspec.structs.replace(call, model=await endpoints.find_model(asked.model, request))
    if asked.stream:
        chunks = _Chunks(asked.model, call.alternatives is not None, asked.includes_usage)
        return await stream(endpoints.handle, (call,), request, chunks.write)
    return JSONResponse(whole(await result_of(endpoints.handle, call, request), asked.model))


def whole(answered: ServedAnswer, model: str) -> dict[str, Any]:
    """The reply of an answer that is not streamed."""
    result = answered.result
    called = calls_of(result)
    choices = []
    for place, one in enumerate(result.sequences or (None,)):
        message: dict[str, Any] = {"role": "assistant", "content": one.text if one is not None else None}
        message["refusal"] = None
        if one is not None and one.thought:
            message["reasoning_content"] = one.thought
        if called:
            message["tool_calls"] = [tool_call(call) for call in called]
        elif one is None:
            message["content"] = result.answer
        tokens = answered.tokens[place] if place < len(answered.tokens) else ()
        choices.append(
            {
                "index": place,
                "message": message,
                "logprobs": chat_logprobs(tokens) if answered.tokens else None,
                "finish_reason": _finish(called, one.finish if one is not None else "eos"),
            }
        )
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": now(),
        "model": model,
        "system_fingerprint": fingerprint(result),
        "choices": choices,
        "usage": _usage(answered),
        "workbench": extension(result),
    }


class _Chunks:
    """Writes an answer's events as chunks. With ``logprobs`` the text is sent when the answer is complete."""

    def __init__(self, model: str, with_probabilities: bool, with_usage: bool) -> None:
        self._head = {"id": new_id("chatcmpl-"), "object": CHUNK, "created": now(), "model": model}
        self._holds_back = with_probabilities
        self._with_usage = with_usage
        self._begun: set[int] = set()

    async def write(self, arrived: Arrived) -> AsyncIterator[bytes]:
        async for _, event in arrived:
            if isinstance(event, events.TextDelta | events.Thought) and not event.step:
                if self._holds_back and isinstance(event, events.TextDelta):
                    continue
                field = "content" if isinstance(event, events.TextDelta) else "reasoning_content"
                for piece in self._begin(event.sequence):
                    yield piece
                yield self._chunk(event.sequence, {field: event.text})
            elif isinstance(event, events.Failed | events.Cancelled):
                yield sse(error_of(event).body())
                return
            elif isinstance(event, events.Finished):
                answered = msgspec.convert(event.result, ServedAnswer)
                for piece in self._end(answered):
                    yield piece
                yield DONE

    def _begin(self, choice: int) -> list[bytes]:
        if choice in self._begun:
            return []
        self._begun.add(choice)
        return [self._chunk(choice, {"role": "assistant", "content": None})]

    def _end(self, answered: ServedAnswer) -> list[bytes]:
        result, called, pieces = answered.result, calls_of(answered.result), []
        last = max(1, len(result.sequences)) - 1
        for choice in range(last + 1):
            pieces += self._begin(choice)
            for place, call in enumerate(called):
                opened = {**tool_call(call), "index": place}
                opened["function"] = {"name": call.name, "arguments": ""}
                pieces.append(self._chunk(choice, {"tool_calls": [opened]}))
                rest = {"index": place, "function": {"arguments": call.arguments}}
                pieces.append(self._chunk(choice, {"tool_calls": [rest]}))
            if self._holds_back and not called:
                pieces += self._with_logprobs(choice, answered)
            finish = result.sequences[choice].finish if result.sequences else "eos"
            more = {"workbench": extension(result)} if choice == last else {}
            pieces.append(self._chunk(choice, {}, finish=_finish(called, finish), **more))
        if self._with_usage:
            pieces.append(sse({**self._head, "choices": [], "usage": _usage(answered)}))
        return pieces

    def _with_logprobs(self, choice: int, answered: ServedAnswer) -> list[bytes]:
        """The text of a choice in pieces with their probabilities."""
        tokens = answered.tokens[choice] if choice < len(answered.tokens) else ()
        text = answered.result.sequences[choice].text if answered.result.sequences else answered.result.answer
        if not tokens or "".join(one.text for one in tokens) != text:  # edited, or characters of several tokens
            return [self._chunk(choice, {"content": text}, logprobs=chat_logprobs(tokens) if tokens else None)]
        return [self._chunk(choice, {"content": one.text}, logprobs=chat_logprobs((one,))) for one in tokens]

    def _chunk(
        self, choice: int, delta: dict[str, Any], finish: str | None = None, logprobs: Any = None, **more: Any
    ) -> bytes:
        made = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return sse({**self._head, "choices": [made], **more, **({"usage": None} if self._with_usage else {})})


def _finish(called: object, finish: Any) -> str:
    return "tool_calls" if called else FINISHES[finish]


def _usage(answered: ServedAnswer) -> dict[str, Any]:
    usage = answered.result.usage
    return usage_of(usage.prompt_tokens, usage.new_tokens, usage.cached_tokens)
