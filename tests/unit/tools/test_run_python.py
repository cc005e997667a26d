"""The Python tool: what the model sees of a program."""

from __future__ import annotations

import pytest

from tests.fakes import FakeToolServices
from workbench.api.protocol import RequestContext
from workbench.techniques.tools.run_python import make
from workbench.techniques.tools.services import PythonResult, ToolUnavailable
from workbench.techniques.tools.tool import ToolOutput


def tool_of(result: PythonResult):  # type: ignore[no-untyped-def]
    return make(FakeToolServices(python=lambda code, inputs: result))


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (PythonResult(printed="a\n", value="3"), ToolOutput(text="a\n3")),
        (PythonResult(value="'x'"), ToolOutput(text="'x'")),
        (PythonResult(), ToolOutput(text="The program printed nothing and has no value.")),
        (
            PythonResult(printed="a", error="ZeroDivisionError: x"),
            ToolOutput(text="a\nZeroDivisionError: x", failed=True),
        ),
    ],
)
def test_the_result_of_a_program(result: PythonResult, output: ToolOutput) -> None:
    assert tool_of(result).run({"code": "1"}, RequestContext()) == output


def test_it_runs_code_and_its_only_parameter_is_the_program() -> None:
    tool = tool_of(PythonResult())
    assert (tool.effects, tool.acts) == (("execute",), True)
    assert list(tool.parameters["properties"]) == ["code"]


def test_without_a_sandbox_the_tool_is_absent_and_says_why() -> None:
    with pytest.raises(ToolUnavailable, match="no sandbox"):
        make(FakeToolServices())
