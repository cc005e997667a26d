"""Python in the sandbox: a program without files, network and environment, under limits of time, memory and output."""

from __future__ import annotations

from typing import Annotated

from workbench.api.protocol import RequestContext
from workbench.techniques.tools.results import plain
from workbench.techniques.tools.sandbox_calls import DEFAULT_LIMITS
from workbench.techniques.tools.services import PythonResult, ToolServices, ToolUnavailable
from workbench.techniques.tools.tool import LONGEST_OUTPUT, Tool, ToolOutput, tool_from


def make(services: ToolServices) -> Tool:
    if problem := services.sandbox_problem():
        raise ToolUnavailable(problem)

    def run_python(
        code: Annotated[str, "a whole program; what it prints and the value of its last line are the result"],
        context: RequestContext,
    ) -> ToolOutput:
        """Run a short Python program. It has no files and no network; math, re, json, datetime, collections, itertools
        and random can be imported."""
        return output_of(services.run_python(code, {}, context))

    return tool_from(run_python, effects=("execute",), output="trusted", seconds=DEFAULT_LIMITS.seconds + 5)


def output_of(result: PythonResult) -> ToolOutput:
    """What a program printed, then its value, then what it failed of."""
    parts = [part.rstrip("\n") for part in (result.printed, result.value, result.error) if part.strip()]
    text = plain("\n".join(parts), LONGEST_OUTPUT)
    return ToolOutput(text=text or "The program printed nothing and has no value.", failed=bool(result.error))
