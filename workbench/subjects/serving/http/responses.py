"""``/v1/responses``, stateless: nothing is stored, so each request brings its whole conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.api import events
from workbench.records.messages import UNFINISHED
from workbench.subjects.serving.calls import AskServed, ServedAnswer
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import error_of, invalid
from workbench.subjects.serving.http.exchange import Arrived, result_of, sse, stream
from workbench.subjects.serving.http.messages import (
    CalledFunction,
    CalledTool,
    ChatMessage,
    ToolOffer,
    conversation_of,
    tools_of,
)
from workbench.subjects.serving.http.replies import calls_of, extension, new_id, now
from workbench.subjects.serving.http.requests import Sampling, decoding_of, format_of, limit_of, read


class ResponsesRequest(Sampling, kw_only=True):
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    max_output_tokens: int | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, Any] | None = None
    background: bool | None = None
    text: dict[str, Any] | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: str | dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


async def respond(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), ResponsesRequest)
    call = call_of(asked)
    call = msgspec.structs.replace(call, model=await endpoints.find_model(asked.model, request))
    writer = _Writer(asked)
    if asked.stream:
        return await stream(endpoints.handle, (call,), request, writer.write)
    answered = await result_of(endpoints.handle, call, request)
    return JSONResponse(writer.response(answered, writer.items(answered)))


def call_of(asked: ResponsesRequest) -> AskServed:
    """The call of a request. Raises ApiError."""
    for name in ("previous_response_id", "conversation", "background"):
        if getattr(asked, name):
            raise invalid(f"{name} is not supported: responses are not stored. Send the whole conversation.", name)
    decoding = decoding_of(asked, max_tokens=limit_of(asked.max_output_tokens, asked.max_tokens))
    described = (asked.text or {}).get("format")
    decoding |= format_of(described if isinstance(described, dict) else None)
    tools, must_call = tools_of(asked.tools, asked.tool_choice)
    messages = [ChatMessage(role="system", content=asked.instructions)] if asked.instructions else []
    messages += messages_of(asked.input)
    images: dict[str, bytes] = {}
    return AskServed(
        model=asked.model,
        messages=conversation_of(messages, images),
        images=images,
        decoding=decoding,
        tools=tools,
        must_call=must_call,
    )


def messages_of(items: str | list[dict[str, Any]]) -> list[ChatMessage]:
    """The input as messages of a chat. Raises ApiError for an item that is not known."""
    if isinstance(items, str):
        return [ChatMessage(role="user", content=items)]
    found: list[ChatMessage] = []
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        try:
            if kind == "message":
                found.append(msgspec.convert({"role": item.get("role"), "content": item.get("content")}, ChatMessage))
            elif kind == "function_call":
                called = CalledFunction(str(item.get("name", "")), str(item.get("arguments", "{}")))
                calls = [CalledTool(called, id=str(item.get("call_id", "")))]
                found.append(ChatMessage(role="assistant", tool_calls=calls))
            elif kind == "function_call_output":
                made = msgspec.convert({"role": "tool", "content": item.get("output")}, ChatMessage)
                made.tool_call_id = str(item.get("call_id", ""))
                found.append(made)
            elif kind != "reasoning":  # of an earlier answer; models do not see it again
                raise invalid(f"An item of the type {str(kind)[:40]!r} cannot be read.", f"input[{place}]")
        except msgspec.ValidationError as error:
            raise invalid(f"{error}.", f"input[{place}]") from error
    return found


class _Writer:
    """Writes one answer as a response, or as the events of one that is written."""

    def __init__(self, asked: ResponsesRequest) -> None:
        self._asked = asked
        self._id, self._item, self._created = new_id("resp_"), new_id("msg_"), now()
        self._number = 0

    def response(self, answered: ServedAnswer | None, items: list[dict[str, Any]]) -> dict[str, Any]:
        result = answered.result if answered is not None else None
        cut = result is not None and any(one.finish in UNFINISHED for one in result.sequences)
        status = "in_progress" if result is None else "incomplete" if cut else "completed"
        usage = result.usage if result is not None else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "instructions": self._asked.instructions,
            "max_output_tokens": self._asked.max_output_tokens,
            "model": self._asked.model,
            "output": items,
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": self._asked.temperature,
            "top_p": self._asked.top_p,
            "text": self._asked.text or {"format": {"type": "text"}},
            "tool_choice": self._asked.tool_choice or "auto",
            "tools": [msgspec.to_builtins(one) for one in self._asked.tools or ()],
            "metadata": self._asked.metadata or {},
            "usage": None
            if usage is None
            else {
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": {"cached_tokens": usage.cached_tokens},
                "output_tokens": usage.new_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.prompt_tokens + usage.new_tokens,
            },
            "workbench": extension(result) if result is not None else None,
        }

    def items(self, answered: ServedAnswer) -> list[dict[str, Any]]:
        called = calls_of(answered.result)
        if called:
            return [
                {
                    "type": "function_call",
                    "id": new_id("fc_"),
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": call.arguments,
                    "status": "completed",
                }
                for call in called
            ]
        return [self._message(answered.result.answer, "completed")]

    async def write(self, arrived: Arrived) -> AsyncIterator[bytes]:
        yield self._event("response.created", response=self.response(None, []))
        yield self._event("response.in_progress", response=self.response(None, []))
        opened = False
        async for _, event in arrived:
            if isinstance(event, events.TextDelta) and not event.step and not event.sequence:
                if not opened:
                    opened = True
                    for piece in self._open():
                        yield piece
                yield self._delta(event.text)
            elif isinstance(event, events.Failed | events.Cancelled):
                failed = {**self.response(None, []), "status": "failed", "error": error_of(event).body()["error"]}
                yield self._event("response.failed", response=failed)
            elif isinstance(event, events.Finished):
                for piece in self._end(msgspec.convert(event.result, ServedAnswer), opened):
                    yield piece

    def _open(self) -> list[bytes]:
        item = {**self._message("", "in_progress"), "content": []}
        part = self._part("")
        return [
            self._event("response.output_item.added", output_index=0, item=item),
            self._event("response.content_part.added", **self._place(), part=part),
        ]

    def _end(self, answered: ServedAnswer, opened: bool) -> list[bytes]:
        items, pieces = self.items(answered), []
        if calls_of(answered.result):
            for place, item in enumerate(items):
                where = {"item_id": item["id"], "output_index": place}
                begun = {**item, "arguments": "", "status": "in_progress"}
                pieces += [
                    self._event("response.output_item.added", output_index=place, item=begun),
                    self._event("response.function_call_arguments.delta", **where, delta=item["arguments"]),
                    self._event(
                        "response.function_call_arguments.done",
                        **where,
                        name=item["name"],
                        arguments=item["arguments"],
                    ),
                    self._event("response.output_item.done", output_index=place, item=item),
                ]
        else:
            text = answered.result.answer
            pieces += [] if opened else self._open()
            pieces += [
                self._event("response.output_text.done", **self._place(), text=text, logprobs=[]),
                self._event("response.content_part.done", **self._place(), part=self._part(text)),
                self._event("response.output_item.done", output_index=0, item=items[0]),
            ]
        response = self.response(answered, items)
        ended = "response.incomplete" if response["status"] == "incomplete" else "response.completed"
        return [*pieces, self._event(ended, response=response)]

    def _delta(self, text: str) -> bytes:
        return self._event("response.output_text.delta", **self._place(), delta=text, logprobs=[])

    def _place(self) -> dict[str, Any]:
        return {"item_id": self._item, "output_index": 0, "content_index": 0}

    def _message(self, text: str, status: str) -> dict[str, Any]:
        content = [self._part(text)]
        return {"type": "message", "id": self._item, "status": status, "role": "assistant", "content": content}

    def _part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return sse({"type": kind, "sequence_number": number, **fields}, event=kind)
