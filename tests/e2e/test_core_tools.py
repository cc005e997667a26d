"""Tools called by hand in a real core: which there are, what they do, what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.training_core import call
from workbench.app import Workbench
from workbench.base.errors import UserError
from workbench.base.paths import Home
from workbench.records.mcp import McpServer
from workbench.records.recipes import AgentPart
from workbench.subjects.agents.calls import CallTool, ListFacts, ListTools, SaveMcpServer, ToolResult
from workbench.subjects.machine.calls import ChangeSettings


@pytest.fixture
def core(home: Home) -> Iterator[Workbench]:
    core = Workbench(home)
    yield core
    core.close()


def test_tools_run_within_what_the_recipe_gives_them(core: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    agent = AgentPart(folder=str(folder), memory="read-write")

    def run(tool: str, **arguments: object) -> ToolResult:
        return call(core, CallTool(tool=tool, arguments=arguments, agent=agent))

    available = {one.name: one.unavailable for one in call(core, ListTools(agent=agent)).tools}
    assert [name for name, reason in available.items() if reason] == [
        "search_documents",
        "read_document",
        "query_table",
    ]
    assert run("calculator", expression="0.1 + 0.2").text == "0.3"
    assert run("run_python", code="sum(range(5))").text == "10"
    assert run("write_file", path="a/b.txt", text="x").text == "a/b.txt was written: 1 character."
    assert run("list_files", folder="a").text == "b.txt (1 bytes)"
    assert run("read_file", path="../home").failed
    assert run("ask_person", question="Why?").question == "Why?"
    told = call(core, CallTool(tool="ask_person", arguments={"question": "Why?"}, answer="Because.", agent=agent))
    assert told.text == "Because."
    assert run("remember", fact="Likes tea.").text == "Remembered: Likes tea."
    assert [one.text for one in call(core, ListFacts()).facts] == ["Likes tea."]


def test_what_does_not_fit_is_refused_by_name(core: Workbench) -> None:
    for tool, arguments, message in (
        ("calculator", {}, "'expression' is a required property"),
        ("calculator", {"expression": 3}, "expression: 3 is not of type 'string'"),
        ("calculator", {"expression": "1", "x": 1}, "'x'"),
        ("nothing", {}, "There is no tool 'nothing'"),
        ("read_file", {"path": "x"}, "no workspace folder is chosen"),
    ):
        with pytest.raises(UserError) as raised:
            call(core, CallTool(tool=tool, arguments=arguments))
        assert message in raised.value.message


def test_the_offline_switch_wins_over_the_permission_of_mcp(core: Workbench) -> None:
    pytest.importorskip("mcp")
    call(core, ChangeSettings(values={"general": {"offline": True}, "network": {"allow_mcp": True}}))
    server = McpServer(name="far", url="https://mcp.invalid/mcp")
    assert "The network is switched off" in call(core, SaveMcpServer(server=server)).problem
