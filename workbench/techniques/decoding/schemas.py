"""JSON schemas as descriptions of answers: which fields an answer has, and where in a schema a keyword stands.

A schema that does not speak of further fields allows any; a small model then goes on inventing them until its answer is
cut. So an answer has the fields that are named, and more only where ``additionalProperties`` says so: what such an
answer is allowed is a part of what the schema allows, and it validates against it as it was written.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords that hold schemas by names, which are not keywords."""

_VALUES = ("const", "enum", "default", "examples", "example")
"""Keywords that hold values, not schemas."""

_COMBINING = (
    "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$dynamicRef", "dependencies", "dependentSchemas",
    "dependentRequired",
)  # fmt: skip
"""Beside these the fields of an object are not all in its own ``properties``."""

_OPEN = ("additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames")

_SPACE = re.compile(r"[ \t\n\r]*")

Path = tuple[str | int, ...]


def closed(schema: Any) -> Any:
    """The schema with its objects held to the fields that they name, wherever whatever is valid then is valid anyway.

    Objects that say what else they may have stay as they are, and so do those whose fields are spoken of in several
    places, or that could not have what they must.
    """
    shares_definitions = not any(key in ("allOf", "oneOf", "not", "if") for _, key, _ in keywords(schema))
    return _closed(schema, shares_definitions)


def keywords(schema: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """All keywords of a schema with their values, each with the path of the schema that it stands in."""
    if isinstance(schema, list):
        for place, one in enumerate(schema):
            yield from keywords(one, (*path, place))
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        yield path, key, value
        if key in _VALUES:
            continue
        if key in _NAMED and isinstance(value, dict):
            for name, one in value.items():
                yield from keywords(one, (*path, key, name))
        else:
            yield from keywords(value, (*path, key))


def _closed(schema: Any, definitions: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    for key in ("properties", "patternProperties", *(("$defs", "definitions") if definitions else ())):
        if isinstance(made.get(key), dict):
            made[key] = {name: _closed(one, definitions) for name, one in made[key].items()}
    for key in ("items", "additionalProperties"):
        if key in made:
            made[key] = _closed(made[key], definitions)
    lists = ["prefixItems"]
    if "properties" not in made and not any(key in made for key in _COMBINING if key != "anyOf"):
        lists.append("anyOf")
    for key in lists:
        if isinstance(made.get(key), list):
            made[key] = [_closed(one, definitions) for one in made[key]]
    if _can_be_closed(made):
        made["additionalProperties"] = False
    return made


def _can_be_closed(schema: dict[str, Any]) -> bool:
    named = schema.get("properties")
    if not isinstance(named, dict) or not named or any(key in schema for key in (*_OPEN, *_COMBINING)):
        return False
    return set(schema.get("required", ())) <= set(named) and schema.get("minProperties", 0) <= len(named)


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, on which the last name of a path stands in a JSON text; None when it is not there."""
    decoder = json.JSONDecoder()
    at, found = 0, None

    def skip() -> None:
        nonlocal at
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]

    for step in path:
        skip()
        opened = text[at : at + 1]
        if opened != ("[" if isinstance(step, int) else "{"):
            return None
        for place in itertools.count():
            at += 1 if place == 0 or text[at : at + 1] == "," else 0
            skip()
            if text[at : at + 1] in ("]", "}", ""):
                return None
            name, begin = place, at
            if opened == "{":
                name, at = decoder.raw_decode(text, at)
                skip()
                at += 1  # the colon
                skip()
            if name == step:
                found = begin
                break
            _, at = decoder.raw_decode(text, at)
            skip()
    return None if found is None else text.count("\n", 0, found) + 1
