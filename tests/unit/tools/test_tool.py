"""Tools from typed functions: their schema, their failures, the calculator."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import pytest

from workbench.api.protocol import RequestContext
from workbench.base.errors import UserError
from workbench.techniques.tools.calculator import calculator
from workbench.techniques.tools.tool import ToolOutput, schema_of, tool_from


def add(first: int, second: Annotated[int, "is added"] = 1) -> str:
    """Adds two
    numbers."""
    if second < 0:
        raise UserError("Negative.", "Take another number.")
    return str(first + second)


def test_a_schema_comes_from_the_annotations() -> None:
    assert schema_of(add) == {
        "type": "object",
        "properties": {"first": {"type": "integer"}, "second": {"type": "integer", "description": "is added"}},
        "required": ["first"],
        "additionalProperties": False,
    }


def test_a_tool_runs_its_function_and_says_what_failed() -> None:
    tool = tool_from(add)
    assert (tool.name, tool.description) == ("add", "Adds two numbers.")
    assert tool.run({"first": 2}, RequestContext()) == ToolOutput(text="3")
    assert tool.run({"first": 2, "second": -1}, RequestContext()) == ToolOutput(
        text="Negative. Take another number.", failed=True
    )


def test_arguments_are_converted_to_the_types_of_the_parameters() -> None:
    def weekday(day: date, names: tuple[str, ...] = ()) -> str:
        """The name of a day of the week."""
        return names[day.weekday()]

    tool = tool_from(weekday)
    assert tool.parameters["properties"]["day"]["format"] == "date"
    names = ["Mo", "Tu", "We"]
    assert tool.run({"day": "2026-03-03", "names": names}, RequestContext()).text == "Tu"
    failed = tool.run({"day": "tomorrow"}, RequestContext())
    assert failed.failed
    assert "The argument day does not fit" in failed.text


def test_a_parameter_without_annotation_is_refused() -> None:
    with pytest.raises(TypeError, match="x has no annotation"):
        schema_of(lambda x: x)


def test_the_calculator_is_exact_and_fails_in_words() -> None:
    assert calculator("0.1 + 0.2").text == "0.3"
    assert calculator("17 + 20 = 38").text == "37"
    assert calculator("1 / 0").failed


def test_a_parameter_may_be_limited_and_the_calculator_takes_arithmetic_only() -> None:
    pattern = schema_of(calculator)["properties"]["expression"]["pattern"]
    for written in (
        "312*47",
        "(3 + 5) × 2 ÷ 4",
        "sqrt(16) + max(1, 2)",
        "7 * 6 = 42",
        "1,000 - 10 %",
        "-(3 + 4)",
        "0.5 * 2",
    ):
        assert re.search(pattern, written)
    for written in ("", "+", ".312 * 47", "{{12} * 47}", "twelve", "3 apples", "__import__('os')"):
        assert not re.search(pattern, written)
