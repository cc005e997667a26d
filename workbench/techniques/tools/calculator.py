"""The calculator: the exact value of an arithmetic expression."""

from __future__ import annotations

from typing import Annotated

import msgspec

from workbench.techniques.tools.arithmetic import ArithmeticProblem, evaluate, show
from workbench.techniques.tools.services import ToolServices
from workbench.techniques.tools.tool import Tool, ToolOutput, tool_from

_SIGNS = r"[-+*/%^(). ,=0-9×·÷−–\[\]]*"
_WORDS = r"(sqrt|abs|round|min|max)"
WRITTEN = msgspec.Meta(pattern=rf"^[-+( \[]*([0-9]|{_WORDS}\(){_SIGNS}({_WORDS}{_SIGNS})*$")
"""What an expression begins and is written with, so that a model can write nothing else."""


def calculator(
    expression: Annotated[str, WRITTEN, "numbers with + - * / and parentheses, such as (3 + 5) * 2"],
) -> ToolOutput:
    """The exact value of an arithmetic expression."""
    try:
        asked = expression.partition("=")[0]  # small models add a result
        return ToolOutput(text=show(evaluate(asked)))
    except ArithmeticProblem as problem:
        return ToolOutput(text=str(problem), failed=True)


def make(services: ToolServices) -> Tool:
    return tool_from(calculator, output="trusted")
