"""The calculator: the exact value of an arithmetic expression."""

from __future__ import annotations

from typing import Annotated

from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import Tool, ToolOutput, tool_from


def calculator(expression: Annotated[str, "numbers with + - * / and parentheses, such as (3 + 5) * 2"]) -> ToolOutput:
    """The exact value of an arithmetic expression."""
    try:
        asked = expression.partition("=")[0]  # small models add a result
        return ToolOutput(text=show(evaluate(asked)))
    except ArithmeticProblem as problem:
        return ToolOutput(text=str(problem), failed=True)


def make(services: ToolServices) -> Tool:
    return tool_from(calculator, output="trusted")
