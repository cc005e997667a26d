"""Descriptions of forms, and texts, checked without a model."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from workbench.techniques.decoding.formats import check_format

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0}},
        "required": ["name"],
    },
    indent=1,
)


@pytest.mark.parametrize(
    ("form", "grammar", "named", "line"),
    [
        ("json_schema", "", "JSON schema is empty", None),
        ("json_schema", "[1]", "object", 1),
        ("json_schema", '{\n "type": "object",\n}', "not JSON: '}' at column 1 cannot be read", 3),
        ("json_schema", '{"type":', "not JSON: it ends unexpectedly", 1),
        ("json_schema", '{\n "type": "strin"}', "type: 'strin' is not one of ['array', 'boolean', ", 2),
        ("json_schema", '{"type": "object",\n "not": {}}', '"not"', 2),
        ("json_schema", '{"type": "array",\n "uniqueItems": true}', '"uniqueItems"', 2),
        ("json_schema", '{"$ref": "#/missing"}', "/missing", None),
        ("json_schema", '{"$ref": "https://example.org/a.json"}', "refers outside of the schema", 1),
        (
            "json_schema",
            '{"properties": {"not": {"type": "string"},\n "a": {"not":\n {"type": "null"}}}}',
            '"not" is not supported (in properties.a)',
            2,
        ),
        (
            "json_schema",
            '{"prefixItems": [\n{"format":\n "isbn"}]}',
            'The "format" isbn is not supported (in prefixItems.0)',
            2,
        ),
        ("json_schema", '{"properties": {"a": {\n"pattern": "a(?=b)"}}}', "(in properties.a): look-around", 2),
        ("json_schema", '{"items":\n {"oneOf": [{"type": "integer"}, {"type": "number"}]}}', "(in items)", 2),
        (
            "json_schema",
            '{"items": {"properties": {"a": {}}, "type": "object",\n"additionalProperties": true, "minProperties": 2}}',
            '"minProperties" is not supported where named fields may be left out (in items)',
            2,
        ),
        ("json_schema", '{\n "$schema": {}}', '"$schema"', 2),
        ("json_schema", '{\n "const": NaN}', "NaN is not JSON", None),
        ("json_schema", '{"const": "\\ud800"}', "half of a character", None),
        ("json_schema", '{"type": "array", "items": ' * 300 + "{}" + "}" * 300, "nested too deeply", None),
        ("json_schema", '{\n"$ref": "#"}', "refers to itself", 2),
        ("json_schema", '{"anyOf": [{"type": "null"},\n {"$ref": "#"}]}', "without saying anything", 2),
        (
            "json_schema",
            '{"$defs": {"a": {"items": {"type": "null"}, "anyOf": [\n{"$ref": "#/$defs/b"}]},\n'
            ' "b": {\n"$ref": "#/$defs/a"}}}',
            "without saying anything",
            2,
        ),
        (
            "json_schema",
            '{"type": "object", "properties": {"child":\n {"$ref": "#"}}, "required": ["child"]}',
            "endlessly",
            2,
        ),
        (
            "json_schema",
            '{"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "array", "minItems": 2, "prefixItems": [true],\n'
            ' "items": {"$ref": "#/$defs/a~1b"}}}}',
            "endlessly",
            2,
        ),
        (
            "json_schema",
            '{"x-guidance": {"lenient": true}, "type": "array",\n "uniqueItems": true}',
            '"uniqueItems"',
            2,
        ),
        ("choice", "a\ud800", "half of a character", None),
        ("choice", "choice\n" * 10_000, "70,000 characters; the maximum is 65,536", None),
        ("regex", "", "regular expression is empty", None),
        ("json_schema", '{"properties": {"a": {\n"pattern": "a$b"}}}', "(in properties.a): $ at character 2", 2),
        ("regex", "(a", "unclosed group (at character 1)", None),
        ("regex", "a/é\n\n(b", "unclosed group (at character 6)", None),
        ("regex", r"a\/(b", "unclosed group (at character 4)", None),
        ("regex", "a(?=b)", "not supported (at character 2)", None),
        ("regex", r"[$]\$a$b", "$ at character 7", None),
        ("regex", r"[^a]\bc", r"\b at character 5", None),
        ("regex", "a|(b^c)", "^ at character 5", None),
        ("regex", "(?m)a$", "$ at character 6", None),
        ("regex", r"(a)\1", "backreferences are not supported (at character 4)", None),
        ("choice", "\n  \n", "list of choices is empty", None),
        ("gbnf", "", "grammar is empty", None),
        ("gbnf", 'root ::= "a" |\n ("b"', '")" is expected', 2),
        ("gbnf", "root ::= foo", "foo", 1),
        ("gbnf", 'start ::= "a"', "root", None),
    ],
)
def test_what_is_wrong_with_a_description_is_said(form: str, grammar: str, named: str, line: int | None) -> None:
    check = check_format(form, grammar, "anything")
    assert named in check.problem
    assert check.line == line
    assert check.text_problem == ""


@pytest.mark.parametrize(
    ("form", "grammar", "right", "wrong", "why"),
    [
        ("text", "", "anything", None, ""),
        ("json", "", '{"a": [1, null]}', '{"a": [1, }', "not JSON: '}' at column 11 cannot be read (line 1)"),
        ("json_schema", SCHEMA, '{"name": "Ada", "age": 3}', '{"name": "Ada", "age": -3}', "age"),
        ("json_schema", SCHEMA, '{"name": "Ada"}', '{"name": "ada"}', "does not match"),
        ("json_schema", SCHEMA, '{"name": "Ada"}', "{}", "required"),
        ("json", "", '{"a": 1e5}', '{"a": NaN}', "NaN"),
        ("json_schema", '{"multipleOf": 0.1}', "0.3", "0.35", "multiple"),
        ("json_schema", '{"uniqueItems": false}', "[1, 1]", None, ""),
        (
            "json_schema",
            '{"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": false}',
            '{"child": {"child": {}}}',
            '{"child": {"kid": {}}}',
            "'kid'",
        ),
        (
            "json_schema",
            '{"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": {"type": "integer"}}',
            '{"x": null, "y": 1}',
            '{"x": null, "y": "1"}',
            "y: '1'",
        ),
        ("regex", "[0-9]{2} [äö]+", "12 äöä", "12 äöx", "character 6"),
        ("regex", "[0-9]{2}", "12", "1", "ends unexpectedly"),
        ("regex", "[0-9]{2}", "12", "123", "character 3"),
        ("choice", "yes\n no \n", "no", "maybe", "none of the choices"),
        (
            "quote",
            'The "pump" weighs 80 kg, that\'s all.\n\n36 months.',
            "80 kg\n36 months",
            "80 k",
            "ends unexpectedly",
        ),
        ("quote", "The pump weighs 80 kg.", "weighs", "weighs kg", "character 8"),
        ("quote", "The pump weighs 80 kg.", "pump", "", "ends unexpectedly"),
        ("quote", "租金为每月3000元。", "3000元", "元租", "character 2"),
        ("gbnf", 'root ::= item+\nitem ::= "- " [a-z]+ "\\n"', "- a\n- b\n", "- a\n-b\n", "character 6"),
    ],
)
def test_a_text_is_held_to_its_form(form: str, grammar: str, right: str, wrong: str | None, why: str) -> None:
    assert check_format(form, grammar, None).problem == ""
    assert check_format(form, grammar, right).text_problem == ""
    if wrong is not None:
        assert why in check_format(form, grammar, wrong).text_problem


@pytest.mark.timeout(20)
def test_no_expression_takes_forever() -> None:
    """Python's own ``re`` would take longer than the universe has existed."""
    assert "ends unexpectedly" in check_format("regex", "(a+)+b", "a" * 20_000).text_problem
    schema = json.dumps({"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}})
    assert "does not match" in check_format("json_schema", schema, json.dumps({"x": "a" * 200 + "b"})).text_problem


@pytest.mark.timeout(20)
@pytest.mark.slow
def test_no_name_and_no_reference_takes_forever() -> None:
    named = json.dumps({"patternProperties": {"^(a+)+$": {"type": "integer"}}, "additionalProperties": False})
    assert "Further fields" in check_format("json_schema", named, json.dumps({"a" * 40 + "b": 1})).text_problem
    twice = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)}
    doubling = json.dumps({"$defs": twice | {"a30": {"type": "null"}}, "$ref": "#/$defs/a0"})
    assert "too long" in check_format("json_schema", doubling, "1").text_problem


def test_importing_it_is_light() -> None:
    code = (
        "import sys, workbench.techniques.decoding.formats;"
        "print(*sorted({'numpy', 'llguidance', 'jsonschema', 'llama_cpp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
