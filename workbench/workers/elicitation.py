"""A question of an MCP server to the person, and their answer in the form that it asks for.

A form has flat fields of text, numbers, yes or no, or choices. One field takes the answer as it is; several take a line
``name: value`` each.
"""

from __future__ import annotations

from typing import Any

from workbench.techniques.tools.results import one_line, plain

LONGEST_MESSAGE, MOST_FIELDS = 1_000, 20
_YES, _NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}

Value = str | int | float | bool | list[str] | None


def question_of(server: str, message: str, schema: dict[str, Any]) -> str:
    """What the person is asked; it names who asks."""
    lines = [f"The MCP server {server} asks: {plain(message, LONGEST_MESSAGE)}"]
    fields = _fields(schema)
    if len(fields) > 1:
        lines.append("Answer with a line for each:")
    for name, field in fields.items():
        described = one_line(str(field.get("description") or field.get("title") or ""), 200)
        kind = ", ".join(map(str, _choices(field))) or str(field.get("type", "string"))
        optional = "" if name in schema.get("required", ()) else ", may be left out"
        lines.append(f"{one_line(name, 60)}: {f'{described} ' if described else ''}({one_line(kind, 200)}{optional})")
    return "\n".join(lines)


def content_of(answer: str, schema: dict[str, Any]) -> dict[str, Value] | None:
    """The fields of an answer; None where it does not fit them."""
    fields = _fields(schema)
    given: dict[str, str] = {}
    if len(fields) == 1:
        (name,) = fields
        given = {name: answer.strip().removeprefix(f"{name}:").strip()}
    else:
        for line in answer.splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip() in fields:
                given[name.strip()] = value.strip()
    content: dict[str, Value] = {}
    for name, field in fields.items():
        if not given.get(name):
            if name in schema.get("required", ()):
                return None
            continue
        try:
            content[name] = _value(given[name], field)
        except ValueError:
            return None
    return content


def _fields(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: field for name, field in list(properties.items())[:MOST_FIELDS] if isinstance(field, dict)}


def _choices(field: dict[str, Any]) -> list[Any]:
    options = field.get("enum") or [one.get("const") for one in field.get("oneOf", ()) if isinstance(one, dict)]
    return options if isinstance(options, list) else []


def _value(text: str, field: dict[str, Any]) -> Value:
    """Raises ValueError for a text that the field does not take."""
    kind = field.get("type", "string")
    if kind == "boolean":
        if text.lower() in _YES:
            return True
        if text.lower() in _NO:
            return False
        raise ValueError(text)
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    choices = _choices(field)
    if choices and text not in choices:
        raise ValueError(text)
    return text
