"""``workbench tools``: the list, and calls by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeFront, Ran
from workbench.base.errors import UserError
from workbench.cli.tools import read_arguments
from workbench.subjects.agents.calls import CallTool, ListTools, ToolList, ToolRecord, ToolResult

Run = Callable[..., Ran]

TOOLS = ToolList(
    tools=(
        ToolRecord(name="calculator", title="Calculator", summary="Computes."),
        ToolRecord(name="write_file", title="Write", summary="Writes.", unavailable="no folder is chosen."),
        ToolRecord(name="files.move", title="move", summary="Moves\x1b[31m files.", effects=("write",), server="files"),
    )
)


def test_tools_are_listed_with_effects_or_the_reason_why_not(run: Run, front: FakeFront, tmp_path: Path) -> None:
    front.answer(ListTools, TOOLS)
    ran = run("tools", "list", "--folder", str(tmp_path))
    assert ran.out.splitlines()[1:] == [
        "calculator  read     Computes.",
        "write_file  -        no folder is chosen.",
        "files.move  write    Moves[31m files.",
    ]
    assert front.asked(ListTools)[0].agent.folder == str(tmp_path)


def test_a_tool_is_called_with_its_arguments(run: Run, front: FakeFront) -> None:
    front.answer(CallTool, ToolResult(text="a\x1b[2Jb"))
    ran = run("tools", "call", "read_file", "path=a.txt", "start=3", "--folder", "/notes")
    assert (ran.status, ran.out) == (0, "a[2Jb\n")
    (call,) = front.asked(CallTool)
    assert (call.tool, call.arguments, call.answer) == ("read_file", {"path": "a.txt", "start": 3}, None)


def test_a_failure_and_a_question_are_said(run: Run, front: FakeFront) -> None:
    front.answer(CallTool, ToolResult(text="There is no such file.", failed=True))
    assert run("tools", "call", "read_file", "path=x").out == "It failed: There is no such file.\n"
    front.answer(CallTool, ToolResult(text="", question="Which year?"))
    assert run("tools", "call", "ask_person", "question=x").out == "It asks: Which year?\n"


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ([], {}),
        (['{"a": [1]}'], {"a": [1]}),
        (
            ["a=1", "b=x y", "c=", 'd="1"', "e=true", "f=a=b"],
            {"a": 1, "b": "x y", "c": "", "d": "1", "e": True, "f": "a=b"},
        ),
    ],
)
def test_arguments_are_json_or_names_and_values(given: list[str], arguments: dict[str, object]) -> None:
    assert read_arguments(given) == arguments


@pytest.mark.parametrize("given", [["{"], ["{}", "a"], ["a"], ["=1"], ['{"a": 1} x']])
def test_what_is_no_argument_is_refused(given: list[str]) -> None:
    with pytest.raises(UserError):
        read_arguments(given)
