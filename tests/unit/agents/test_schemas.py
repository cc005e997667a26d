"""Schemas of strangers become JSON schemas, and arguments can be excluded from them."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from workbench.techniques.agents.schemas import argument_schema, excluding, loosened
from workbench.techniques.decoding.formats import check_format

ODD: dict[str, Any] = {
    "type": "dict",
    "properties": {
        "type": {"type": "string", "description": "what kind", "enum": ["a", "b"]},
        "items": {"type": "tuple", "items": {"type": "float"}},
        "any": {"type": "any"},
        "options": {"type": "dict", "properties": {"required": {"type": "boolean", "optional": True}}},
        "size": {"type": ["int", "null"]},
    },
    "required": ["type", "missing"],
    "optional": ["items"],
}


def test_types_of_other_languages_and_properties_named_as_keywords() -> None:
    made = argument_schema(ODD)
    assert made["type"] == "object"
    assert made["properties"]["type"] == {"description": "what kind", "enum": ["a", "b"], "type": "string"}
    assert made["properties"]["items"] == {"type": "array", "items": {"type": "number"}}
    assert made["properties"]["any"] == {}
    assert made["properties"]["options"]["properties"] == {"required": {"type": "boolean"}}
    assert made["properties"]["size"] == {"type": ["integer", "null"]}
    assert made["required"] == ["type"]
    assert not check_format("json_schema", json.dumps(made), None).problem


@pytest.mark.parametrize(
    "odd", [None, "dict", [], {}, {"type": "any"}, {"properties": []}, {"type": ["x"], "enum": []}]
)
def test_what_is_no_schema_is_an_object_without_arguments(odd: Any) -> None:
    made = argument_schema(odd)
    assert made["type"] == "object"
    assert check_format("json_schema", json.dumps(made), "{}").text_problem == ""


def test_a_schema_that_contains_itself_too_deeply_is_cut() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        deep = {"type": "object", "properties": {"in": deep}}
    assert not check_format("json_schema", json.dumps(argument_schema(deep)), None).problem


SCHEMA = argument_schema(
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "minimum": 1},
            "unit": {"type": "string", "enum": ["C", "F"]},
            "rain": {"type": "boolean"},
        },
        "required": ["city", "days"],
    }
)


@pytest.mark.parametrize(
    ("masked", "other"),
    [
        ({"city": "Paris", "days": 1}, {"city": "Paris", "days": 2}),
        ({"city": "Paris", "days": 1}, {"city": "Pari", "days": 1}),
        ({"city": "Paris", "days": 1}, {"city": "Paris\nFrance", "days": 1}),
        ({"city": "", "days": 1}, {"city": "x", "days": 1}),
        ({"city": "a.*(b]", "days": 1}, {"city": "axyb", "days": 1}),
        ({"city": "北京 x", "days": 1}, {"city": "北京", "days": 1}),
        ({"city": '"x"', "days": 1}, {"city": '"x"', "days": 2}),
        ({"city": "Paris", "days": 1, "unit": "C"}, {"city": "Paris", "days": 1, "unit": "F"}),
        ({"city": "Paris", "days": 1, "unit": "C"}, {"city": "Paris", "days": 1}),
        ({"city": "Paris", "days": 1}, {"city": "Paris", "days": 1, "rain": True}),
        ({"city": "Paris", "days": 1, "rain": False}, {"city": "Paris", "days": 1, "rain": True}),
    ],
)
def test_excluded_arguments_cannot_be_generated_and_all_others_can(masked: Any, other: Any) -> None:
    made = excluding(SCHEMA, [masked])
    assert made is not None
    grammar = json.dumps(made)
    for of in (made, SCHEMA):
        jsonschema.validate(other, of)
    assert check_format("json_schema", grammar, json.dumps(other)).text_problem == ""
    assert check_format("json_schema", grammar, json.dumps(masked, ensure_ascii=False)).text_problem
    assert excluding(SCHEMA, [masked, other]) is not None


def test_nothing_is_left_when_every_value_is_excluded() -> None:
    schema = argument_schema({"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]})
    assert excluding(schema, [{"on": True}, {"on": False}]) is None
    assert excluding(schema, [{"other": 1}]) == schema


def test_what_an_engine_cannot_constrain_is_loosened() -> None:
    odd = argument_schema(
        {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^(?=a)b$"},
                "kind": {"enum": ["a", "b"]},
                "many": {"type": "array", "items": {"type": "number", "multipleOf": 0}, "minItems": 5, "maxItems": 1},
            },
            "required": ["code"],
        }
    )
    assert check_format("json_schema", json.dumps(odd), None).problem
    made = loosened(odd)
    assert not check_format("json_schema", json.dumps(made), None).problem
    assert made["properties"]["kind"] == {"enum": ["a", "b"]}
    assert made["properties"]["many"] == {"type": "array", "items": {"type": "number"}}
    assert made["required"] == ["code"]
