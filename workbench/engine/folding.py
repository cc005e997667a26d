"""Conversations in the form that chat templates take: neighbours merged, system messages and tools folded, turns."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from workbench.records.messages import ImagePart, Message, Part, TextPart

_TOOLS = "You can call these tools."
_HOW = ' To call one, answer only with JSON: {"name": ..., "arguments": {...}}'


def merge_adjacent(messages: Sequence[Message]) -> list[Message]:
    """Neighbours of one role as one message: most templates want the roles to take turns. Tool calls and their results
    stay apart."""
    merged: list[Message] = []
    for message in messages:
        plain = message.role != "tool" and not message.parts
        if merged and plain and merged[-1].role == message.role and not merged[-1].parts:
            merged[-1] = Message(message.role, f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return merged


def fold_system(messages: Sequence[Message]) -> list[Message] | None:
    """The system message prepended to the first user message, for templates without a system role."""
    if messages[0].role != "system" or len(messages) < 2:
        return None
    system, first, *rest = messages
    if first.role != "user":
        return [Message("user", system.content), first, *rest]
    return [Message("user", f"{system.content}\n\n{first.content}"), *rest]


def fold_tools(messages: Sequence[Message], tools: Sequence[dict[str, Any]] = ()) -> list[Message] | None:
    """Tool definitions as a system message, tool calls as text of the assistant and their results as user messages, for
    templates without tools. None when there are none."""
    if not tools and not any(message.role == "tool" or message.tool_calls for message in messages):
        return None
    folded: list[Message] = []
    for message in describe_tools(messages, tools, _HOW) if tools else messages:
        calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
        content = "\n".join(text for text in (message.content, *calls) if text.strip())
        if message.role == "tool":
            name = message.tool_result.name if message.tool_result is not None else ""
            folded.append(Message("user", f"Result of {name or 'the tool'}:\n{content}"))
        else:
            folded.append(Message(message.role, content))
    return merge_adjacent(folded)


def describe_tools(messages: Sequence[Message], tools: Sequence[dict[str, Any]], how: str = "") -> list[Message]:
    """Tool definitions as a system message, or at the end of the one that there is."""
    rules = "\n".join((_TOOLS + how, *(json.dumps(tool["function"], ensure_ascii=False) for tool in tools)))
    if messages[0].role == "system":
        return [Message("system", f"{messages[0].content}\n\n{rules}"), *messages[1:]]
    return [Message("system", rules), *messages]


def split_turns(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    """The leading system messages, and the turns: a user's message with all that follows it."""
    start = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    turns: list[list[Message]] = []
    for message in messages[start:]:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return list(messages[:start]), turns


def mark_images(messages: Sequence[Message]) -> tuple[list[Message], dict[str, ImagePart]]:
    """The messages with an unguessable mark in their text in the place of each image, and what each mark stands for."""
    marks: dict[str, ImagePart] = {}
    marked = []
    for message in messages:
        if not message.images:
            marked.append(message)
            continue
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, ImagePart):
                mark = f"x{secrets.token_hex(12)}x"
                marks[mark] = part
                part = TextPart(f"{mark}\n")
            parts.append(part)
        marked.append(Message.of_parts(message.role, parts))
    return marked, marks
