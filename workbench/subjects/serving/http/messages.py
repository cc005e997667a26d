"""Messages and tools of OpenAI's API as the program's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.records.messages import ImagePart, Message, Part, Role, TextPart, ToolCallPart, ToolResultPart
from workbench.subjects.serving.calls import ClientTool
from workbench.subjects.serving.http.errors import invalid
from workbench.subjects.serving.http.images import IMAGE_PARTS, image_of

MOST_MESSAGES, MOST_TOOLS = 2_000, 128
LONGEST_NAME = 64
ROLES: dict[str, Role] = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool",
    "function": "tool",
}  # fmt: skip
_TEXTS = ("text", "input_text", "output_text")


class CalledFunction(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] = "{}"


class CalledTool(msgspec.Struct):
    function: CalledFunction
    id: str = ""


class ChatMessage(msgspec.Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[CalledTool] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolOffer(msgspec.Struct):
    """As chat completions have it (``function``), or flat as responses do."""

    type: str = "function"
    function: Function | None = None
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


def conversation_of(messages: Sequence[ChatMessage], images: dict[str, bytes]) -> tuple[Message, ...]:
    """The conversation; the contents of its images are put into ``images`` by their SHA-256. Raises ApiError for one
    that cannot be answered."""
    if not messages:
        raise invalid("messages must not be empty.", "messages")
    if len(messages) > MOST_MESSAGES:
        raise invalid(f"At most {MOST_MESSAGES:,} messages are allowed.", "messages")
    called: dict[str, str] = {}
    found = []
    for place, one in enumerate(messages):
        where = f"messages[{place}]"
        role = ROLES.get(one.role)
        if role is None:
            raise invalid(f"The role {one.role[:40]!r} is not known.", f"{where}.role")
        shown = parts_of(one.content, f"{where}.content", images)
        parts: list[Part] = []
        if any(isinstance(part, ImagePart) for part in shown):
            if role != "user":
                raise invalid("Only messages of the user have images.", f"{where}.content")
            found.append(Message.of_parts(role, shown))
            continue
        text = "\n".join(part.text for part in shown if isinstance(part, TextPart))
        if role == "tool":
            name = called.get(one.tool_call_id or "", one.name or "")
            parts = [ToolResultPart(text, name=name, call=one.tool_call_id or "")]
        elif one.tool_calls:
            parts = [TextPart(text)] if text else []
            for call in one.tool_calls:
                called[call.id] = call.function.name
                parts.append(ToolCallPart(call.function.name, _as_text(call.function.arguments), call.id))
        found.append(Message.of_parts(role, parts) if parts else Message(role, text))
    if found[-1].role not in ("user", "tool"):
        raise invalid("The last message must be of the user or of a tool.", "messages")
    if found[-1].role == "user" and not found[-1].content.strip():
        raise invalid("The last message is empty.", "messages")
    return tuple(found)


def parts_of(content: str | list[dict[str, Any]] | None, where: str, images: dict[str, bytes]) -> list[Part]:
    """The texts and images of a message. Raises ApiError for parts that are neither."""
    if content is None or isinstance(content, str):
        return [TextPart(content)] if content else []
    parts: list[Part] = []
    for part in content:
        kind = part.get("type")
        if kind == "refusal":
            parts.append(TextPart(str(part.get("refusal", ""))))
        elif kind in _TEXTS and isinstance(part.get("text"), str):
            parts.append(TextPart(part["text"]))
        elif kind in IMAGE_PARTS:
            parts.append(image_of(part, where, images))
        else:
            raise invalid(f"A part of the type {str(kind)[:40]!r} cannot be read: only text and images can.", where)
    return parts


def tools_of(
    tools: Sequence[ToolOffer] | None, choice: str | dict[str, Any] | None
) -> tuple[tuple[ClientTool, ...], bool]:
    """The tools that a request offers, and whether one must be called. Raises ApiError."""
    offered = []
    for place, tool in enumerate(tools or ()):
        named = tool.function or (Function(tool.name, tool.description, tool.parameters) if tool.name else None)
        where = f"tools[{place}]"
        if tool.type != "function" or named is None:
            raise invalid(f"A tool of the type {tool.type[:40]!r} is not known: only functions are.", where)
        if not named.name or len(named.name) > LONGEST_NAME or not named.name.isprintable():
            raise invalid(f"The name of a function has 1 to {LONGEST_NAME} characters.", where)
        offered.append(
            ClientTool(name=named.name, description=named.description or "", parameters=named.parameters or {})
        )
    if len(offered) > MOST_TOOLS:
        raise invalid(f"At most {MOST_TOOLS} tools are allowed.", "tools")
    if choice in (None, "auto"):
        return tuple(offered), False
    if choice == "none":
        return (), False
    if choice == "required":
        if not offered:
            raise invalid("tool_choice is required, and there are no tools.", "tool_choice")
        return tuple(offered), True
    name = _chosen(choice)
    chosen = tuple(tool for tool in offered if tool.name == name)
    if not chosen:
        raise invalid(f"tool_choice names {str(name)[:80]!r}, which is no tool of the request.", "tool_choice")
    return chosen, True


def _chosen(choice: str | dict[str, Any] | None) -> Any:
    if not isinstance(choice, dict):
        return choice
    function = choice.get("function")
    return function.get("name") if isinstance(function, dict) else choice.get("name")


def _as_text(arguments: str | dict[str, Any]) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
