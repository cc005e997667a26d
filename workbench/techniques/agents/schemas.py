"""Schemas of tools as arguments are generated under them.

Tools come from strangers (MCP servers, data sets), whose schemas have types of other languages: ``dict``, ``float``,
``tuple``, ``any``. A property may have the name of a keyword ("type", "items"). Arguments that a call must not have
again are excluded by the schema itself, so that they cannot be generated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_TYPES = {
    "dict": "object", "map": "object", "hashmap": "object", "struct": "object",
    "float": "number", "double": "number", "decimal": "number",
    "int": "integer", "long": "integer",
    "str": "string", "char": "string", "text": "string",
    "bool": "boolean",
    "list": "array", "tuple": "array", "set": "array", "arraylist": "array",
    "none": "null",
}  # fmt: skip
_KNOWN = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_KEPT = (
    "description", "enum", "const", "default", "pattern", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")

DEEPEST = 24
"""Levels of a schema; what is nested deeper may be anything."""

LONGEST_EXCLUDED = 100
"""Characters of a string that a pattern can exclude."""

MOST_EXCLUDED = 4
_SYNTAX = frozenset("\\^$.|?*+()[]{}-/")


def argument_schema(parameters: Any) -> dict[str, Any]:
    """The JSON schema of a tool's arguments, of the type object. Unknown types are any value; keywords that constrain
    nothing that can be generated are dropped."""
    made = _standard(parameters, 0) if isinstance(parameters, dict) else {}
    definitions = {
        key: {name: _standard(one, 1) for name, one in parameters[key].items()}
        for key in ("$defs", "definitions")
        if isinstance(parameters, dict) and isinstance(parameters.get(key), dict)
    }
    if "$ref" in made or any(key in made for key in _LISTS):
        return made | definitions
    made["type"] = "object"
    made.setdefault("properties", {})
    if not made["properties"]:
        made.setdefault("additionalProperties", False)
    return made | definitions


def _standard(schema: Any, depth: int) -> dict[str, Any]:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return {}
    made: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
    if isinstance(schema.get("$ref"), str):
        return made | {"$ref": schema["$ref"]}
    if "enum" in made and not (isinstance(made["enum"], list) and made["enum"]):
        del made["enum"]
    kind = _type(schema.get("type"))
    if kind is not None:
        made["type"] = kind
    for key in _LISTS:
        if isinstance(schema.get(key), list) and schema[key]:
            made[key] = [_standard(one, depth + 1) for one in schema[key]]
    properties = schema.get("properties")
    if isinstance(properties, dict):
        made["properties"] = {str(name): _standard(one, depth + 1) for name, one in properties.items()}
        made.setdefault("type", "object")
        required = schema.get("required")
        if isinstance(required, list):
            made["required"] = [name for name in dict.fromkeys(map(str, required)) if name in made["properties"]]
    if "items" in schema and made.get("type") in ("array", None):
        made["items"] = _standard(schema["items"], depth + 1)
    open_to = schema.get("additionalProperties")
    if isinstance(open_to, bool | dict):
        made["additionalProperties"] = open_to if isinstance(open_to, bool) else _standard(open_to, depth + 1)
    return made


def _type(named: Any) -> str | list[str] | None:
    """The type of JSON; None for any value."""
    if isinstance(named, list):
        found = [one for one in map(_type, named) if isinstance(one, str)]
        return found if len(found) == len(named) and found else None
    if not isinstance(named, str):
        return None
    plain = named.strip().lower().split("[")[0].split("<")[0]
    plain = _TYPES.get(plain, plain)
    return plain if plain in _KNOWN else None


def excluding(schema: dict[str, Any], masked: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The schema without some objects, as far as it can be expressed: those that differ in at least one property. None
    when nothing is left."""
    variants = [schema]
    for arguments in masked[:MOST_EXCLUDED]:
        variants = [one for variant in variants for one in _without(variant, arguments)]
        if not variants:
            return None
    if variants == [schema]:
        return schema
    shared = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    bare = [{key: value for key, value in one.items() if key not in shared} for one in variants]
    return bare[0] | shared if len(bare) == 1 else {"anyOf": bare} | shared


def _without(schema: dict[str, Any], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """Schemas that together allow what the schema allows, but for these arguments."""
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not set(arguments) <= set(properties) or not set(required) <= set(arguments):
        return [schema]  # it does not allow them anyway
    schema = {"additionalProperties": False} | schema
    variants = []
    for name, of_name in properties.items():
        others = {key: value for key, value in properties.items() if key != name}
        if name not in arguments:
            variants.append(schema | {"required": [*required, name]})
            continue
        if name not in required:
            variants.append(schema | {"properties": others})
        for other in _other_than(of_name, arguments[name]):
            needs = required if name in required else [*required, name]
            variants.append(schema | {"properties": properties | {name: other}, "required": needs})
    return variants


def _other_than(schema: dict[str, Any], value: Any) -> list[dict[str, Any]]:
    """Schemas of the values but this one; empty where that cannot be expressed."""
    if "const" in schema:
        return [schema] if schema["const"] != value else []
    if "enum" in schema:
        rest = [one for one in schema["enum"] if one != value or isinstance(one, bool) != isinstance(value, bool)]
        return [schema | {"enum": rest}] if rest else []
    if isinstance(value, bool):
        return [{"const": not value}] if schema.get("type") == "boolean" else []
    if isinstance(value, int | float) and schema.get("type") in ("integer", "number"):
        below = schema | {"exclusiveMaximum": min(value, schema.get("exclusiveMaximum", value))}
        above = schema | {"exclusiveMinimum": max(value, schema.get("exclusiveMinimum", value))}
        possible = []
        if schema.get("minimum", value - 1) < value and schema.get("exclusiveMinimum", value - 1) < value:
            possible.append(below)
        if schema.get("maximum", value + 1) > value and schema.get("exclusiveMaximum", value + 1) > value:
            possible.append(above)
        return possible
    if isinstance(value, str) and schema.get("type") == "string" and "pattern" not in schema:
        if len(value) > LONGEST_EXCLUDED or "maxLength" in schema or any(one in value for one in '"\\'):
            return []  # llguidance 1.9 lets patterns with these match their escapes
        return [schema | {"pattern": f"^{_pattern_but(value)}$"}]
    return []


def _pattern_but(text: str) -> str:
    """A regular expression for all texts but this one, without lookahead: those that end before its end, differ from it
    at a character, or go on after it."""
    pattern = r"[\s\S]+"
    for character in reversed(text):
        escaped = f"\\{character}" if character in _SYNTAX else character
        pattern = rf"([^{escaped}][\s\S]*|{escaped}{pattern})?"
    return pattern


def loosened(schema: Any) -> Any:
    """The schema with names, types and choices alone, for an engine that cannot constrain the rest of it."""
    if isinstance(schema, list):
        return [loosened(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: schema[key] for key in ("type", "enum", "const", "required", "$ref") if key in schema}
    made |= {key: loosened(schema[key]) for key in ("items", *_LISTS) if key in schema and key != "allOf"}
    for key in ("properties", "$defs", "definitions"):
        if key in schema:
            made[key] = {name: loosened(one) for name, one in schema[key].items()}
    return made


def as_text(schema: dict[str, Any]) -> str:
    """The schema as the description of an answer's format."""
    return json.dumps(schema, ensure_ascii=False)
