"""Arguments of a call in a format with a mark for each argument: one after the other, each under its own schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, Literal

from workbench.api.events import Event
from workbench.engine.inference_calls import Marker
from workbench.engine.tool_format import BLANK, Kind, Spelling, ToolFormat
from workbench.techniques.agents.native import filled

AnswerForm = Literal["json_schema", "choice", "regex"]
Written = Callable[[Sequence[str | Marker], AnswerForm, str], Generator[Event, None, str]]
"""Generates the text after a beginning, in a form that a grammar describes."""

Preferred = Callable[[Sequence[str | Marker], Sequence[str]], Generator[Event, None, int]]
"""Which of several texts is the most probable after a beginning."""

LONGEST_VALUE = 600
"""Characters of a text that is written without quotes."""

_CONTROL = re.compile(r"\s*(<\||<｜|\[[A-Z])")
_KINDS: dict[str, Kind] = {"number": "number", "integer": "number", "boolean": "boolean", "array": "array",
                           "object": "object"}  # fmt: skip


def write_tagged(
    tool_format: ToolFormat,
    start: Sequence[str | Marker],
    name: str,
    schema: dict[str, Any],
    write: Written,
    prefer: Preferred,
) -> Generator[Event, None, dict[str, Any]]:
    """The arguments of a call of which ``start`` ends with the name. Required ones are always there, another one where
    the model would rather write it than what comes next. Raises what the generations raise."""
    properties: dict[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    start = list(start)
    arguments: dict[str, Any] = {}
    last: tuple[str, Spelling] | None = None
    names = list(properties)

    def opening(argument: str) -> tuple[Marker, ...]:
        before = tool_format.named if last is None else last[1].next
        of = name if last is None else last[0]
        spelt = tool_format.spellings[_kind(properties[argument], tool_format)]
        return (*filled(before, of), Marker(argument, literal=True), Marker(spelt.before))

    for place, argument in enumerate(names):
        if argument not in required:
            following = next((one for one in names[place + 1 :] if one in required), None)
            if following is not None:
                other = _text(opening(following))
            elif last is not None:
                other = last[1].last.replace(BLANK, last[0])
            else:
                other = tool_format.empty.replace(BLANK, name)
            if (yield from prefer(start, (_text(opening(argument)), other))):
                continue
        start += opening(argument)
        kind = _kind(properties[argument], tool_format)
        spelling = tool_format.spellings[kind]
        value, text = yield from _value(start, properties[argument], kind, spelling, argument, write)
        arguments[argument] = value
        start.append(Marker(text, literal=True))
        last = (argument, spelling)
    return arguments


def _value(
    start: Sequence[str | Marker], schema: dict[str, Any], kind: Kind, spelling: Spelling, name: str, write: Written
) -> Generator[Event, None, tuple[Any, str]]:
    """The value of an argument, and how it is written."""
    if schema.get("type") == "string" and "pattern" not in schema:
        choices = schema.get("enum")
        if choices and all(isinstance(one, str) and one.strip() and "\n" not in one for one in choices):
            text = yield from write(start, "choice", "\n".join(choices))
            return text.strip(), text.strip()
        end = _end(spelling, name)
        if not choices and end and not _CONTROL.match(end):
            mark = re.escape(end.lstrip()[:1] or "\n")
            text = yield from write(start, "regex", rf"[^{mark}]{{0,{LONGEST_VALUE}}}{re.escape(end)}")
            text = text.removesuffix(end)
            return text, text
    text = yield from write(start, "json_schema", json.dumps({"anyOf": [schema]} if _is_bare(schema) else schema))
    value = json.loads(text)
    return value, value if kind == "string" and isinstance(value, str) else text


def _kind(schema: dict[str, Any], tool_format: ToolFormat) -> Kind:
    """How a value is written: as JSON where the format writes such, else as a string."""
    kind = _KINDS.get(str(schema.get("type")), "string")
    return kind if kind in tool_format.spellings else "string"


def _end(spelling: Spelling, name: str) -> str:
    """The text that follows a value, whether or not another argument does."""
    shared = 0
    while shared < min(len(spelling.next), len(spelling.last)) and spelling.next[shared] == spelling.last[shared]:
        shared += 1
    return spelling.next[:shared].replace(BLANK, name)


def _text(pieces: Sequence[Marker]) -> str:
    return "".join(piece.text for piece in pieces)


def _is_bare(schema: dict[str, Any]) -> bool:
    """Whether a schema allows any value: then one of JSON's is meant."""
    return not schema.get("type") and "enum" not in schema and "anyOf" not in schema
