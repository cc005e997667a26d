"""JSON schemas as answer formats: the fields of an answer, and the place of a keyword in a schema.

A schema that does not mention further fields allows any; a small model then invents fields until its answer is cut off.
So an answer has the named fields, and others only where ``additionalProperties`` says so: the allowed answers are a
subset of those that the original schema allows.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import urllib.parse
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
"""With one of these, the fields of an object are not all in its own ``properties``."""

_OPEN = ("additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames")

_SPACE = re.compile(r"[ \t\n\r]*")

Path = tuple[str | int, ...]


def closed(schema: Any) -> Any:
    """The schema with its objects restricted to the fields that they name, wherever that keeps valid answers valid.

    Objects that declare further fields stay as they are, and so do those whose fields are declared in several places,
    or that could not have their required fields.
    """
    shares_definitions = not any(key in ("allOf", "oneOf", "not", "if") for _, key, _ in keywords(schema))
    return _closed(schema, shares_definitions)


def keywords(schema: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """All keywords of a schema with their values, each with the path of its schema."""
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


def simplified(schema: Any) -> Any:
    """The schema without keywords that llguidance interprets differently, or rejects although they say nothing.

    "x-guidance" would let a schema switch off keywords. An exclusive limit that is whole, with the other limit less
    than 1 away, would be included (llguidance 1.9): it is moved by a thousandth of the distance.
    """
    if isinstance(schema, list):
        return [simplified(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "x-guidance" or (key == "uniqueItems" and value is False):
            continue
        if key in _NAMED and isinstance(value, dict):
            made[key] = {name: simplified(one) for name, one in value.items()}
        else:
            made[key] = value if key in _VALUES else simplified(value)
    for exclusive, sign, others in (
        ("exclusiveMinimum", 1, ("maximum", "exclusiveMaximum")),
        ("exclusiveMaximum", -1, ("minimum", "exclusiveMinimum")),
    ):
        limit: Any = made.get(exclusive)
        if not _is_number(limit) or limit != round(limit):
            continue
        room = min((sign * (made[other] - limit) for other in others if _is_number(made.get(other))), default=1.0)
        if 0 < room < 1 and made.get("type") != "integer":
            made[exclusive] = float(f"{limit + sign * room / 1000:.12g}")
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def circular_reference(schema: Any) -> tuple[Path, str] | None:
    """The problem of a circular reference with which nothing, or nothing decidable, is valid; None without one.

    References other than from the schema's root ("#/...") are ignored.
    """
    references = {
        value: (*path, key) for path, key, value in keywords(schema) if key == "$ref" and isinstance(value, str)
    }
    targets = {name: _target(schema, name) for name in references if re.fullmatch(r"#(/.*)?", name)}
    ending: set[str] = set()
    while found := {name for name in targets if name not in ending and _has_end(targets[name], targets, ending)}:
        ending |= found
    for name, target in targets.items():
        if name in _here(target, targets, set()):
            return references[name], f'The "$ref" {name} refers to itself without saying anything.'
    if not _has_end(schema, targets, ending):
        name = next(name for name in targets if name not in ending)
        return references[name], f'The "$ref" {name} refers to itself endlessly: nothing can be valid.'
    return None


def _target(schema: Any, reference: str) -> Any:
    """The target of a reference from the root; True, any value, where it is missing: that is reported elsewhere."""
    for step in urllib.parse.unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and name.isdecimal() and int(name) < len(schema):
            schema = schema[int(name)]
        elif isinstance(schema, dict) and name in schema:
            schema = schema[name]
        else:
            return True
    return schema


def _here(schema: Any, targets: dict[str, Any], found: set[str]) -> set[str]:
    """The references that apply to the same value as the schema."""
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if reference in targets and reference not in found:
            found.add(reference)
            _here(targets[reference], targets, found)
        for key in ("allOf", "anyOf", "oneOf"):
            for one in schema.get(key, ()):
                _here(one, targets, found)
    return found


def _has_end(schema: Any, targets: dict[str, Any], ending: set[str]) -> bool:
    """Whether a value may be valid, when those of the references ``ending`` can be. True where that is unknown."""
    if not isinstance(schema, dict):
        return True
    if schema.get("$ref") in targets and schema["$ref"] not in ending:
        return False

    def each(schemas: Any) -> list[bool]:
        return [_has_end(one, targets, ending) for one in schemas]

    if not all(each(schema.get("allOf", ()))):
        return False
    if any(key in schema and not any(each(schema[key])) for key in ("anyOf", "oneOf")):
        return False
    named, first = schema.get("properties", {}), schema.get("prefixItems", ())
    match schema.get("type"):
        case "object":
            return all(each(named[name] for name in schema.get("required", ()) if name in named))
        case "array":
            least = schema.get("minItems", 0)
            return all(each(first[:least])) and (least <= len(first) or _has_end(schema.get("items"), targets, ending))
    return True


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, of the last name of a path in a JSON text; None when it is not there."""
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
