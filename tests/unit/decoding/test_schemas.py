"""Schemas whose objects are held to the fields that they name: what may be left out, and what must not."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer

from workbench.techniques.decoding.formats import make_grammar
from workbench.techniques.decoding.gbnf import FormatProblem
from workbench.techniques.decoding.schemas import closed, keywords, line_of
from workbench.techniques.decoding.validation import match_problem

NAMED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
CLOSED = {**NAMED, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (NAMED, CLOSED),
        ({"type": "array", "items": NAMED}, {"type": "array", "items": CLOSED}),
        ({"anyOf": [NAMED, {"type": "null"}]}, {"anyOf": [CLOSED, {"type": "null"}]}),
        (
            {"$ref": "#/$defs/x", "$defs": {"x": NAMED}},
            {"$ref": "#/$defs/x", "$defs": {"x": CLOSED}},
        ),
        (
            {"properties": {"properties": NAMED, "b": {"properties": {"c": True}}}},
            {
                "properties": {"properties": CLOSED, "b": {"properties": {"c": True}, "additionalProperties": False}},
                "additionalProperties": False,
            },
        ),
    ],
)
def test_an_object_has_the_fields_that_it_names(schema: Any, expected: Any) -> None:
    before = json.dumps(schema)
    assert closed(schema) == expected
    assert json.dumps(schema) == before


@pytest.mark.parametrize(
    "schema",
    [
        {**NAMED, "additionalProperties": True},
        {**NAMED, "additionalProperties": {"type": "string"}},
        {**NAMED, "patternProperties": {"^b": {"type": "string"}}},
        {"type": "object"},
        {"type": "object", "properties": {"a": True}, "required": ["b"]},
        {"type": "object", "properties": {"a": True}, "minProperties": 2},
        {"allOf": [NAMED, {"properties": {"b": True}}]},
        {**NAMED, "allOf": [{"required": ["b"]}]},
        {**NAMED, "anyOf": [{"properties": {"b": True}}, {"properties": {"c": True}}]},
        {"oneOf": [NAMED, {"properties": {"b": True}}]},
        {
            "allOf": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y"}],
            "$defs": {"x": NAMED, "y": {"properties": {"b": True}}},
        },
        {"const": {"properties": {"a": True}}},
        True,
    ],
)
def test_an_object_that_may_need_others_stays_open(schema: Any) -> None:
    assert closed(schema) == schema


def random_schema(choose: random.Random, depth: int = 3) -> Any:
    simple = ["integer", "boolean", "enum"]
    kind = choose.choice(["object"] * 4 + ["array", "anyOf", "allOf", "enum"] if depth else simple)
    if kind == "object":
        names = choose.sample("abcd", choose.randint(1, 3))
        made: dict[str, Any] = {
            "type": "object",
            "properties": {name: random_schema(choose, depth - 1) for name in names},
            "required": choose.sample("abcde", choose.randint(0, 2)),
        }
        if choose.random() < 0.2:
            made["additionalProperties"] = choose.choice([True, False, {"type": "boolean"}])
        if choose.random() < 0.2:
            made["minProperties"] = choose.randint(1, 4)
        if choose.random() < 0.15:
            made["allOf"] = [random_schema(choose, depth - 1)]
        return made
    if kind == "array":
        return {"type": "array", "items": random_schema(choose, depth - 1), "maxItems": 2}
    if kind in ("anyOf", "allOf"):
        return {kind: [random_schema(choose, depth - 1) for _ in range(2)]}
    if kind == "enum":
        return {"enum": ["x", 1, None]}
    return {"type": kind, "minimum": 0, "maximum": 20} if kind == "integer" else {"type": kind}


def written(grammar: str, choose: random.Random) -> str | None:
    """A random answer that the grammar takes; None when it grew too long."""
    matcher = LLMatcher(LLTokenizer("byte"), grammar, log_level=0)
    said = bytearray()
    while not matcher.is_accepting() and len(said) < 400:
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(32, 127) if mask[byte // 8] >> byte % 8 & 1]
        if not allowed:
            return None
        token = choose.choice(allowed)
        assert matcher.consume_token(token)
        said.append(token)
    return said.decode() if matcher.is_accepting() else None


@pytest.mark.slow
def test_whatever_is_written_validates_against_the_schema_as_it_was() -> None:
    checked = narrowed = 0
    for seed in range(50):
        choose = random.Random(seed)
        schema = random_schema(choose)
        try:
            grammar = make_grammar("json_schema", json.dumps(schema))
        except FormatProblem:  # it asks for what cannot be
            continue
        narrowed += closed(schema) != schema
        for _ in range(3):
            text = written(grammar, choose)
            if text is not None:
                jsonschema.validate(json.loads(text), schema)
                checked += 1
    assert checked > 40
    assert narrowed > 8


def test_a_schema_that_cannot_be_met_when_closed_is_followed_as_it_is() -> None:
    grammar = make_grammar("json_schema", json.dumps({"properties": {"a": False}, "required": ["b"]}))
    matcher = LLMatcher(LLTokenizer("byte"), grammar, log_level=0)
    assert matcher.try_consume_tokens(list(b'{"b":1}')) == 7


def test_keywords_are_told_from_names_and_values() -> None:
    schema = {
        "properties": {"not": {"not": {}}, "b": {"items": [{"if": True}]}},
        "const": {"oneOf": []},
        "$defs": {"x": {"pattern": "a"}},
    }
    assert [(path, key) for path, key, _ in keywords(schema)] == [
        ((), "properties"),
        (("properties", "not"), "not"),
        (("properties", "b"), "items"),
        (("properties", "b", "items", 0), "if"),
        ((), "const"),
        ((), "$defs"),
        (("$defs", "x"), "pattern"),
    ]


def test_lines_are_those_of_the_place() -> None:
    text = '{"a":\n  {"b": [1,\n {"a": "x, y", "c" : \n 2}]},\n "c": 3}'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("a", "b")) == 2
    assert line_of(text, ("a", "b", 1)) == 3
    assert line_of(text, ("a", "b", 1, "c")) == 3
    assert line_of(text, ("c",)) == 5
    assert line_of(text, ("a", "b", 2)) is None
    assert line_of(text, ("a", "x")) is None
    assert line_of(text, ("c", "x")) is None
    assert line_of(text, ()) is None


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        ({"exclusiveMinimum": 0, "maximum": 0.1}, ["0.1", "0.05"], ["0", "0.0", "-0", "0.11"]),
        ({"exclusiveMinimum": 5, "exclusiveMaximum": 5.5}, ["5.25", "5.01"], ["5", "5.0", "5.5"]),
        ({"minimum": -0.5, "exclusiveMaximum": 0}, ["-0.5", "-0.1"], ["0", "-0", "-0.0"]),
        ({"exclusiveMinimum": 0, "maximum": 1}, ["1", "0.0000001"], ["0", "0.0"]),
    ],
)
def test_exclusive_limits_are_left_out(limits: dict[str, float], inside: list[str], outside: list[str]) -> None:
    made = make_grammar("json_schema", json.dumps({"type": "number", **limits}))
    assert [text for text in [*inside, *outside] if not match_problem(made, text)] == inside
