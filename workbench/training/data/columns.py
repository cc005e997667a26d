"""Columns of training data: their mapping to an example, and their values as messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from workbench.base.errors import UserError
from workbench.records.messages import Message, Role, TextPart, ToolCallPart

_ROLES: dict[str, Role] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip

COLUMN_ROLES = ("messages", "prompt", "completion", "system", "text", "chosen", "rejected", "label")


class ColumnMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns an example is made of: ``messages``, or ``prompt`` and ``completion``, or ``prompt`` alone, or
    ``text``, or ``chosen`` and ``rejected``, with ``prompt`` where they do not contain it.

    ``messages`` holds a list of messages, whose members ``role`` and ``content`` say who speaks and what. The columns
    of ``prompt`` are joined by blank lines, empty ones left out. ``system`` are instructions for the conversation.
    ``label`` tells whether ``completion`` was judged good.
    """

    messages: str = ""
    role: str = "role"
    content: str = "content"
    prompt: tuple[str, ...] = ()
    completion: str = ""
    system: str = ""
    text: str = ""
    chosen: str = ""
    rejected: str = ""
    label: str = ""

    @classmethod
    def of_roles(cls, columns: Mapping[str, Sequence[str]]) -> ColumnMapping | None:
        """That of columns by their roles, None where there are none. Raises UserError for a role that is not known."""
        known = COLUMN_ROLES
        for role, names in columns.items():
            if role not in known or (len(names) > 1 and role != "prompt"):
                raise UserError(
                    f"{', '.join(names)} cannot be the {role} of an example.", f"Roles are {', '.join(known)}."
                )
        named = {role: tuple(names) if role == "prompt" else names[0] for role, names in columns.items() if names}
        return cls(**named) if named.keys() - {"system"} else None  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        pair = bool(self.chosen or self.rejected)
        asked = not pair and bool(self.prompt or self.completion)
        given = sum((bool(self.messages), asked, bool(self.text), pair))
        half = bool(self.chosen) != bool(self.rejected) or bool(self.completion and not self.prompt)
        if given != 1 or half or (self.label and not self.completion):
            raise UserError(
                "The columns of an example are unclear.",
                "Name one column of turns, or the columns of question and answer, or one column of text, or those of a "
                "chosen and a rejected answer.",
            )

    @property
    def roles(self) -> frozenset[str]:
        """The roles of its columns."""
        return frozenset(role for role in COLUMN_ROLES if getattr(self, role))

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are taken."""
        answers = (self.completion, self.chosen, self.rejected, self.label)
        return tuple(c for c in (self.system, self.messages, *self.prompt, *answers, self.text) if c)


def mostly(fits: Sequence[bool]) -> bool:
    """A few broken rows do not change the shape of a set: they are refused one by one."""
    return bool(fits) and sum(fits) >= 0.9 * len(fits)


def is_turns(value: Any, *members: str) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and all(member in turn for member in members) for turn in value)
    )


def kind_of(value: Any) -> str:
    names = {str: "text", bool: "yes or no", int: "number", float: "number", list: "list", dict: "object"}
    return names.get(type(value), "empty" if value is None else type(value).__name__)


def value_of(values: Mapping[str, Any], column: str) -> Any:
    if column not in values:
        raise UserError(f"it has no column {column!r}.", f"Its columns: {', '.join(values) or 'none'}.")
    return values[column]


def question_of_row(values: Mapping[str, Any], mapping: ColumnMapping) -> list[Message]:
    parts: list[str] = []
    for column in mapping.prompt:
        value = value_of(values, column)
        if is_turns(value):
            return turns_of(value, mapping, column)
        # an empty input beside an instruction is usual
        if value is not None and (said := text_of_value(value, column)).strip():
            parts.append(said)
    if not parts:
        raise UserError(f"{mapping.prompt[0]!r} is empty.")
    return [Message("user", "\n\n".join(parts))]


def turns_of(value: Any, mapping: ColumnMapping, column: str) -> list[Message]:
    if not is_turns(value):
        raise UserError(f"{column!r} is not a list of turns.")
    messages: list[Message] = []
    for place, turn in enumerate(value, 1):
        if mapping.role not in turn or mapping.content not in turn:
            raise UserError(f"turn {place} of {column!r} has no {mapping.role!r} or no {mapping.content!r}.")
        role = _ROLES.get(str(turn[mapping.role]).strip().lower())
        if role is None:
            raise UserError(f"turn {place} of {column!r} is by {turn[mapping.role]!r}, which is not a known role.")
        name = f"turn {place} of {column!r}"
        calls = _tool_calls(turn.get("tool_calls"), name)
        content = "" if calls and turn[mapping.content] is None else text_of_value(turn[mapping.content], name)
        messages.append(Message.of_parts(role, (TextPart(content), *calls)))
    return messages


def _tool_calls(value: Any, name: str) -> list[ToolCallPart]:
    """The tool calls of a turn in the form of OpenAI, ``{"function": {"name", "arguments"}}``, or its inner part."""
    calls: list[ToolCallPart] = []
    for call in value or ():
        function = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise UserError(f"{name} has a tool call without a function name.")
        arguments = function.get("arguments", "{}")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        calls.append(ToolCallPart(name=function["name"], arguments=text, id=str(call.get("id") or "")))
    return calls


def text_of_value(value: Any, name: str) -> str:
    """The text of a value. Content may come in parts (OpenAI), which have to be text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in value):
        return "".join(part["text"] for part in value)
    shown = name if name.startswith("turn ") else repr(name)
    raise UserError(f"{shown} is {'empty' if value is None else f'no text but {kind_of(value)}'}.")
