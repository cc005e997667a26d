"""``/v1/messages`` and ``/v1/messages/count_tokens`` as Anthropic's API has them, stateless.

The format is that of https://docs.anthropic.com/en/api/messages. Prompt caching, batches, files and the tools that
Anthropic's servers run themselves are not offered: fields of them that change nothing are ignored, the others refused.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.api import events
from workbench.records.answers import AskResult
from workbench.records.messages import UNFINISHED
from workbench.subjects.serving.calls import AskServed, CountServed, ServedAnswer
from workbench.subjects.serving.http.endpoints import Endpoints
from workbench.subjects.serving.http.errors import error_of, invalid
from workbench.subjects.serving.http.exchange import Arrived, result_of, sse, stream
from workbench.subjects.serving.http.images import image_part
from workbench.subjects.serving.http.messages import (
    CalledFunction,
    CalledTool,
    ChatMessage,
    Function,
    ToolOffer,
    conversation_of,
    tools_of,
)
from workbench.subjects.serving.http.replies import calls_of, extension, new_id
from workbench.subjects.serving.http.requests import Sampling, decoding_of, format_of, limit_of, read

Blocks = str | list[dict[str, Any]]

_THOUGHTS = ("thinking", "redacted_thinking")  # of earlier answers; models do not see them again
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


class SentMessage(msgspec.Struct):
    role: str
    content: Blocks


class SentTool(msgspec.Struct):
    """``type``: absent or "custom" for a tool of the client; other types are those of Anthropic's own tools."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class MessagesRequest(Sampling, kw_only=True):
    messages: list[SentMessage]
    system: Blocks | None = None
    stop_sequences: list[str] | None = None
    tools: list[SentTool] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None

    @property
    def shows_thoughts(self) -> bool:
        return bool((self.thinking or {}).get("type", "disabled") != "disabled")


async def create_message(endpoints: Endpoints, request: Request) -> Response:
    asked = read(await request.body(), MessagesRequest)
    if asked.max_tokens is None:
        raise invalid("max_tokens is missing.", "max_tokens")
    call = call_of(asked)
    call = msgspec.structs.replace(call, model=await endpoints.find_model(asked.model, request))
    if asked.stream:
        return await stream(endpoints.handle, (call,), request, _Writer(asked).write)
    return JSONResponse(whole(await result_of(endpoints.handle, call, request), asked))


async def count_tokens(endpoints: Endpoints, request: Request) -> Response:
    """The tokens of a request's prompt, as the model's own chat template writes it."""
    asked = read(await request.body(), MessagesRequest)
    call = call_of(asked)
    model = await endpoints.find_model(asked.model, request)
    counted = await result_of(
        endpoints.handle,
        CountServed(model=model, messages=call.messages, images=call.images, tools=call.tools),
        request,
    )
    return JSONResponse({"input_tokens": counted.tokens})


def call_of(asked: MessagesRequest) -> AskServed:
    """The call of a request. Raises ApiError."""
    asked.stop = asked.stop_sequences
    decoding = decoding_of(asked, max_tokens=limit_of(asked.max_tokens))
    described = (asked.output_config or {}).get("format")
    decoding |= format_of(described if isinstance(described, dict) else None)
    messages = [ChatMessage(role="system", content=_text_of(asked.system, "system"))] if asked.system else []
    for place, one in enumerate(asked.messages):
        messages += _messages_of(one, f"messages[{place}]")
    offered = [_offer(one, f"tools[{place}]") for place, one in enumerate(asked.tools or ())]
    tools, must_call = tools_of(offered, _choice_of(asked.tool_choice))
    images: dict[str, bytes] = {}
    return AskServed(
        model=asked.model,
        messages=conversation_of(_with_later_instructions(messages), images),
        images=images,
        decoding=decoding,
        tools=tools,
        must_call=must_call,
    )


def _with_later_instructions(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages with each later system message joined to the one before it: chat templates read instructions at the
    beginning only, and a coding agent ends its first request with some."""
    joined: list[ChatMessage] = []
    for one in messages:
        before = joined[-1] if joined else None
        if one.role != "system" or before is None:
            joined.append(one)
        elif before.role == "assistant":
            joined.append(msgspec.structs.replace(one, role="user"))
        elif isinstance(before.content, list):
            joined[-1] = msgspec.structs.replace(
                before, content=[*before.content, {"type": "text", "text": one.content}]
            )
        else:
            joined[-1] = msgspec.structs.replace(before, content=f"{before.content}\n\n{one.content}")
    return joined


def _offer(tool: SentTool, where: str) -> ToolOffer:
    if tool.type not in (None, "custom"):
        raise invalid(f"A tool of the type {tool.type[:40]!r} is not known: only the client's own tools are.", where)
    return ToolOffer(function=Function(tool.name, tool.description, tool.input_schema))


def _choice_of(choice: dict[str, Any] | None) -> str | dict[str, Any] | None:
    if choice is None:
        return None
    kind = choice.get("type")
    if kind == "tool":
        return {"name": choice.get("name")}
    if kind not in _CHOICES:
        raise invalid(f"tool_choice.type {str(kind)[:40]!r} is not known.", "tool_choice")
    return _CHOICES[kind]


def _messages_of(message: SentMessage, where: str) -> list[ChatMessage]:
    """The messages that one of Anthropic's is: the result of each tool is a message of its own. Raises ApiError."""
    if message.role not in ("user", "assistant", "system"):
        raise invalid(f"The role {message.role[:40]!r} is not known: it is user, assistant or system.", f"{where}.role")
    if isinstance(message.content, str):
        return [ChatMessage(role=message.role, content=message.content)]
    found: list[ChatMessage] = []
    shown: list[dict[str, Any]] = []
    called: list[CalledTool] = []
    for place, block in enumerate(message.content):
        inside = f"{where}.content[{place}]"
        kind = block.get("type")
        if kind == "tool_use":
            called.append(_called(block, inside))
        elif kind == "tool_result":
            result = _text_of(block.get("content"), f"{inside}.content")
            text = f"Error: {result}" if block.get("is_error") else result
            found.append(ChatMessage(role="tool", content=text, tool_call_id=str(block.get("tool_use_id", ""))))
        elif kind == "image":
            shown.append(_image_of(block, inside))
        elif kind not in _THOUGHTS:
            text = _text_of([block], f"{where}.content")
            shown.append({"type": "text", "text": text})
    if shown or called or not found:
        only_text = all(part["type"] == "text" for part in shown)
        content = "\n".join(part["text"] for part in shown) if only_text else shown
        found.append(ChatMessage(role=message.role, content=content, tool_calls=called or None))
    return found


def _image_of(block: dict[str, Any], where: str) -> dict[str, Any]:
    """An image as a part of chat completions. Raises ApiError for one whose content is not in the request."""
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if not isinstance(source, dict) or kind != "base64":
        raise invalid(
            f"An image with a source of the type {str(kind)[:40]!r} cannot be read: images are not fetched. Send its "
            "content as base64.",
            where,
        )
    return image_part(source.get("media_type"), source.get("data"))


def _called(block: dict[str, Any], where: str) -> CalledTool:
    arguments = block.get("input", {})
    if not isinstance(arguments, dict) or not isinstance(block.get("name"), str):
        raise invalid("A tool_use block has a name, and an input that is an object.", where)
    return CalledTool(CalledFunction(block["name"], arguments), id=str(block.get("id", "")))


def _text_of(blocks: Any, where: str) -> str:
    """The text of content blocks. Raises ApiError for one that is no text."""
    if blocks is None or isinstance(blocks, str):
        return blocks or ""
    if not isinstance(blocks, list):
        raise invalid("Content is a text or a list of blocks.", where)
    texts = []
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        source = block.get("source") if kind == "document" else None
        if isinstance(source, dict) and source.get("type") == "text":
            block, kind = {"text": source.get("data")}, "text"
        if kind != "text" or not isinstance(block.get("text"), str):
            raise invalid(f"A block of the type {str(kind)[:40]!r} cannot be read here: only text can.", where)
        texts.append(block["text"])
    return "\n".join(texts)


def whole(answered: ServedAnswer, asked: MessagesRequest) -> dict[str, Any]:
    """The reply of an answer that is not streamed."""
    return {
        **_head(asked.model),
        "content": list(_content(answered, asked.shows_thoughts)),
        **_end_of(answered, asked.stop_sequences),
        "usage": _usage(answered),
        "workbench": extension(answered.result),
    }


def _head(model: str) -> dict[str, Any]:
    return {"id": new_id("msg_"), "type": "message", "role": "assistant", "model": model}


def _content(answered: ServedAnswer, with_thought: bool) -> Iterator[dict[str, Any]]:
    result = answered.result
    first = result.sequences[0] if result.sequences else None
    if with_thought and first is not None and first.thought:
        yield {"type": "thinking", "thinking": first.thought, "signature": ""}
    called = calls_of(result)
    text = result.answer if first is None and not called else first.text if first is not None else ""
    if text or not called:
        yield {"type": "text", "text": text, "citations": None}
    for call in called:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call.arguments)}


def _arguments(text: str) -> dict[str, Any]:
    """The arguments of a call as an object, which is empty where the model wrote none that can be read."""
    try:
        read = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _end_of(answered: ServedAnswer, stops: Sequence[str] | None) -> dict[str, Any]:
    """Why the answer ended. Of several stop sequences it is not known which one was met."""
    result: AskResult = answered.result
    finish = result.sequences[0].finish if result.sequences else "eos"
    if calls_of(result):
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if finish == "stop" and stops:
        return {"stop_reason": "stop_sequence", "stop_sequence": stops[0] if len(stops) == 1 else None}
    cut = finish in UNFINISHED and finish != "cancelled"
    return {"stop_reason": "max_tokens" if cut else "end_turn", "stop_sequence": None}


def _usage(answered: ServedAnswer) -> dict[str, Any]:
    usage = answered.result.usage
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "output_tokens": usage.new_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": 0,
    }


class _Writer:
    """Writes an answer's events as those of Anthropic's stream. The tokens of the prompt are known at the end, so the
    first event counts none."""

    def __init__(self, asked: MessagesRequest) -> None:
        self._asked = asked
        self._blocks = 0
        self._open = ""  # the type of the block that is open

    async def write(self, arrived: Arrived) -> AsyncIterator[bytes]:
        usage = {"input_tokens": 0, "output_tokens": 0}
        begun = {**_head(self._asked.model), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        yield _event("message_start", message=begun)
        async for _, event in arrived:
            if isinstance(event, events.TextDelta) and not event.step and not event.sequence:
                for piece in self._delta("text", "text_delta", event.text):
                    yield piece
            elif isinstance(event, events.Thought) and not event.step and self._asked.shows_thoughts:
                for piece in self._delta("thinking", "thinking_delta", event.text):
                    yield piece
            elif isinstance(event, events.Failed | events.Cancelled):
                yield _event("error", error=error_of(event).body()["error"])
                return
            elif isinstance(event, events.Finished):
                for piece in self._end(msgspec.convert(event.result, ServedAnswer)):
                    yield piece

    def _delta(self, block: str, kind: str, text: str) -> list[bytes]:
        pieces = []
        if self._open != block:
            pieces = [*self._close(), self._start({"type": block, block: ""})]
            self._open = block
        delta = {"type": kind, block: text}
        return [*pieces, _event("content_block_delta", index=self._blocks, delta=delta)]

    def _end(self, answered: ServedAnswer) -> list[bytes]:
        written = self._open == "text" or (not self._asked.shows_thoughts and self._blocks > 0)
        pieces = []
        for block in _content(answered, with_thought=False):
            if block["type"] == "text" and not written and block["text"]:
                pieces += self._delta("text", "text_delta", block["text"])
            elif block["type"] == "tool_use":
                arguments = json.dumps(block["input"], ensure_ascii=False)
                pieces += [*self._close(), self._start({**block, "input": {}})]
                self._open = "tool_use"
                delta = {"type": "input_json_delta", "partial_json": arguments}
                pieces.append(_event("content_block_delta", index=self._blocks, delta=delta))
        end = _end_of(answered, self._asked.stop_sequences)
        return [
            *pieces,
            *self._close(),
            _event("message_delta", delta=end, usage=_usage(answered), workbench=extension(answered.result)),
            _event("message_stop"),
        ]

    def _start(self, block: dict[str, Any]) -> bytes:
        return _event("content_block_start", index=self._blocks, content_block=block)

    def _close(self) -> list[bytes]:
        if not self._open:
            return []
        closed = _event("content_block_stop", index=self._blocks)
        self._blocks += 1
        self._open = ""
        return [closed]


def _event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, event=kind)
