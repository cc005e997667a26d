"""Checks whether a text has the required format, in time linear in its length.

Python's own expressions, which jsonschema uses, take forever on some texts and block the whole process meanwhile. So
llguidance's automaton runs the expressions, with bytes for tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_CHECKED = 100_000
"""Texts with more characters are not checked against an expression."""

MOST_REFERENCES = 20_000
"""Maximum number of "$ref" per text: some schemas lead to more than any check can follow."""

_QUOTED = 24  # characters


class _TooMuchError(Exception):
    """More references than are followed."""


def read_json(text: str) -> Any:
    """Like json.loads, without NaN and Infinity, which only Python accepts. Raises ValueError, RecursionError."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def json_fault(error: json.JSONDecodeError) -> str:
    """The place where a text stops being JSON, quoted: ``'hello' at column 3 cannot be read``."""
    words = " ".join(error.doc[error.pos :].split("\n", 1)[0].split())
    if not words:
        return "it ends unexpectedly"
    short = words if len(words) <= _QUOTED else f"{words[:_QUOTED]}…"
    return f"'{short}' at column {error.colno:,} cannot be read"


def json_problem(text: str, schema: dict[str, Any]) -> str:
    """The problem of a text that must be JSON of a schema; "" for none."""
    import jsonschema

    try:
        value = read_json(text)
    except json.JSONDecodeError as problem:
        return f"The text is not JSON: {json_fault(problem)} (line {problem.lineno:,})."
    except (RecursionError, ValueError) as problem:  # nested too deeply; an integer of thousands of digits
        return f"The JSON cannot be read: {problem}."
    try:
        error = jsonschema.exceptions.best_match(_validator(schema).iter_errors(value))
    except (RecursionError, _TooMuchError):
        return "Checking the text against the schema takes too long."
    if error is None:
        return ""
    place = error.json_path.removeprefix("$").removeprefix(".")
    return f"{place}: {error.message}" if place else error.message


def match_problem(made: str, text: str) -> str:
    """The problem of a text that an llguidance grammar must match as a whole; "" for none."""
    if len(text) > LONGEST_CHECKED:
        return f"The text is too long for a check: it has more than {LONGEST_CHECKED} characters."
    from llguidance import LLMatcher, LLTokenizer

    raw = text.encode("utf-8", "replace")
    matcher = LLMatcher(LLTokenizer("byte"), made, log_level=0)
    taken = matcher.try_consume_tokens(list(raw))
    if taken == len(raw):
        return "" if matcher.is_accepting() else "The text ends unexpectedly."
    place = len(raw[:taken].decode("utf-8", "ignore"))
    return f"The text does not match from character {place + 1} on: {text[place : place + 20]!r}."


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema
    import referencing

    kind: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    follow = kind.VALIDATORS["$ref"]
    followed = 0

    def check_reference(validator: Any, reference: Any, value: Any, of: Any) -> Any:
        nonlocal followed
        followed += 1
        if followed > MOST_REFERENCES:
            raise _TooMuchError
        return follow(validator, reference, value, of)

    checks = {
        "$ref": check_reference,
        "pattern": _check_pattern,
        "patternProperties": _check_named,
        "additionalProperties": _check_others,
        "multipleOf": _check_multiple,
    }
    # an empty registry: nothing is fetched from the network for a reference
    return jsonschema.validators.extend(kind, checks)(schema, registry=referencing.Registry())


def _matches(pattern: str, text: str) -> bool:
    """Whether an expression matches somewhere in a text, as the keyword ``pattern`` requires."""
    from llguidance import LLMatcher

    made = LLMatcher.grammar_from_json_schema({"type": "string", "pattern": pattern})
    return not match_problem(made, json.dumps(text, ensure_ascii=False))


def _check_pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Exception]:
    import jsonschema

    if isinstance(value, str) and not _matches(pattern, value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


def _check_named(validator: Any, patterns: dict[str, Any], value: Any, _schema: Any) -> Iterator[Exception]:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for name, one in value.items():
                if _matches(pattern, name):
                    yield from validator.descend(one, schema, path=name, schema_path=pattern)


def _check_others(validator: Any, others: Any, value: Any, schema: Any) -> Iterator[Exception]:
    import jsonschema

    if not isinstance(value, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    left = [name for name in value if name not in named and not any(_matches(pattern, name) for pattern in patterns)]
    if others is False and left:
        said = ", ".join(map(repr, left))
        yield jsonschema.ValidationError(f"Further fields are not allowed: {said}")
    elif isinstance(others, dict):
        for name in left:
            yield from validator.descend(value[name], others, path=name)


def _check_multiple(validator: Any, step: Any, value: Any, _schema: Any) -> Iterator[Exception]:
    """By the decimal digits: 0.3 is three times 0.1, which it is not in binary."""
    import jsonschema

    if not validator.is_type(value, "number"):
        return
    try:
        left = Decimal(repr(value)) % Decimal(repr(step))
    except InvalidOperation:  # infinite, or more digits than are computed with
        left = Decimal(1)
    if left:
        yield jsonschema.ValidationError(f"{value!r} is not a multiple of {step!r}")
