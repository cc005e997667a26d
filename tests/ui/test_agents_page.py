"""The page of agents against a fake core: tools, memory, saved agents."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from ui.bridge import Bridge
from ui.features.agents import texts
from ui.features.agents.page import AgentsPage, FactView, describe_fact
from ui.features.agents.tools_panel import ServersPanel
from workbench import calls as c
from workbench.base.errors import UserError
from workbench.records.agents import Fact
from workbench.records.demonstrations import Demonstration, DemonstrationStep
from workbench.records.mcp import McpServer, McpTool
from workbench.records.recipes import AgentPart, ModelPart, Recipe, RetrievalPart, save_recipe

MARCH = time.mktime((2026, 3, 3, 12, 0, 0, 0, 0, -1))


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell) -> AgentsPage:
    page = AgentsPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1100, 700)
    page.show()
    qtbot.waitUntil(lambda: bool(page.tools.rows))
    return page


def facts(page: AgentsPage) -> list[FactView]:
    return list(page.memory.rows.values())


# -- tools ---------------------------------------------------------------------------------------------


def test_each_tool_says_what_it_does(page: AgentsPage) -> None:
    rows = page.tools.rows
    assert rows["calculator"].effect.text() == "reads only"
    assert rows["write_file"].effect.text() == "changes files or memory"
    assert [row.problem.text() for row in rows.values() if row.problem.text()] == []


def test_the_network_is_said_and_changed_in_the_settings(
    qtbot: QtBot, page: AgentsPage, front: FakeFront, shell: RecordingShell
) -> None:
    qtbot.waitUntil(lambda: page.tools.network.text() == texts.NETWORK_ON)
    front.call(c.ChangeSettings(values={"general": {"offline": True}}))
    qtbot.waitUntil(lambda: page.tools.network.text() == texts.NETWORK_OFF)
    page.tools.network_link.click()
    assert shell.opened == [("settings", {"section": "general", "field": "offline"})]


# -- demonstrations ------------------------------------------------------------------------------------


def test_demonstrations_are_listed_and_removed(
    qtbot: QtBot, home: FakeHome, page: AgentsPage, bridge: Bridge, shell: RecordingShell
) -> None:
    panel = page.demonstrations
    page.open_target("demonstrations")
    qtbot.waitUntil(panel.empty.isVisible)
    steps = (
        DemonstrationStep(tool="think", input="3 boxes of 12."),
        DemonstrationStep(tool="calculator", input="3 * 12", result="36"),
    )
    made = Demonstration(id="d1", created=MARCH, question="How many pencils?", steps=steps, answer="36", message="m")
    home.demonstrations["d1"] = made
    bridge.home.listing(c.ListDemonstrations()).refresh()
    qtbot.waitUntil(lambda: "d1" in panel.views)
    view = panel.views["d1"]
    assert not panel.empty.isVisible()
    assert view.question.text() == "How many pencils?"
    assert view.program.text().splitlines()[-3:] == ["Step 2: calculator: 3 * 12", "Result 2: 36", "Answer: 36"]
    assert view.saved.text() == "2 steps · calculator · saved 3 March 2026"
    view.remove_button.click()
    qtbot.waitUntil(view.confirm.isVisible)
    view.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: not panel.views)
    assert home.demonstrations == {}
    assert panel.empty.button is not None
    panel.empty.button.click()
    assert shell.opened == [("chat", {"new": True, "part": "prompting", "field": "technique"})]


# -- MCP servers ---------------------------------------------------------------------------------------

READ = McpTool(
    name="read",
    description="Reads\u202e a file.",
    parameters={"type": "object", "properties": {"path": {}, "lines": {}}},
)
MOVE = McpTool(name="move", description="Moves a file.")


@pytest.fixture
def servers(qtbot: QtBot, home: FakeHome, page: AgentsPage, front: FakeFront) -> ServersPanel:
    """A server with two tools."""
    home.servers["files"] = McpServer(name="files", command=("serve", "my files"))
    home.offered["files"] = (READ, MOVE)
    front.announce("mcp")
    panel = page.tools.servers
    qtbot.waitUntil(lambda: bool(panel.views) and bool(panel.views["files"].tools))
    return panel


def test_without_servers_the_page_says_so(qtbot: QtBot, page: AgentsPage) -> None:
    panel = page.tools.servers
    qtbot.waitUntil(lambda: panel.state.text() == texts.NO_SERVERS)


def test_a_tool_of_a_server_is_agreed_to_and_asks_again_when_it_changes(
    qtbot: QtBot, servers: ServersPanel, home: FakeHome, front: FakeFront
) -> None:
    view = servers.views["files"].tools[0]
    assert (view.agree.text(), view.state.text(), view.reads.isEnabled()) == ("read", texts.NEW_TOOL, False)
    assert any("Reads⟨U+202E⟩ a file." in label.text() for label in view.findChildren(QLabel))
    assert any("Takes: path, lines" in label.text() for label in view.findChildren(QLabel))
    view.agree.click()
    qtbot.waitUntil(lambda: servers.views["files"].tools[0].state.text() == texts.AGREED)
    servers.views["files"].tools[0].reads.click()
    qtbot.waitUntil(lambda: home.agreements["files"][0].reads)
    assert [one.tool for one in home.agreements["files"]] == ["read"]
    home.offered["files"] = (msgspec.structs.replace(READ, description="Reads a file, and sends it away."), MOVE)
    front.announce("mcp")
    qtbot.waitUntil(lambda: servers.views["files"].tools[0].state.text() == texts.CHANGED_TOOL)
    assert not servers.views["files"].tools[0].agree.isChecked()


def test_a_server_is_added_and_removed(qtbot: QtBot, page: AgentsPage, home: FakeHome, front: FakeFront) -> None:
    panel, form = page.tools.servers, page.tools.servers.form
    home.offered["notes"] = (READ,)
    qtbot.waitUntil(panel.add_button.isEnabled)
    panel.add_button.click()
    form.name.setText("not a name")
    form.place.setText('serve "my notes"')
    form.save.click()
    assert "cannot be the name of a server" in form.error.text()
    form.name.setText("notes")
    form.secrets.setPlainText("TOKEN=a=b\n")
    form.seconds.setValue(600)
    form.save.click()
    qtbot.waitUntil(lambda: "notes" in panel.views and bool(panel.views["notes"].tools))
    made = McpServer(name="notes", command=("serve", "my notes"), environment={"TOKEN": "a=b"}, call_seconds=600)
    assert front.asked(c.SaveMcpServer) == [c.SaveMcpServer(server=made)]
    assert not form.isVisible()
    panel.views["notes"].remove_button.click()
    assert home.servers
    panel.views["notes"].confirm.confirm_button.click()
    qtbot.waitUntil(lambda: not home.servers and not panel.views)


def test_an_address_has_headers(page: AgentsPage) -> None:
    form = page.tools.servers.form
    form.name.setText("web")
    form.place.setText("https://example.org/mcp")
    form.secrets.setPlainText("Authorization=Bearer x")
    assert form.server == McpServer(name="web", url="https://example.org/mcp", headers={"Authorization": "Bearer x"})


def test_a_server_that_cannot_be_reached_says_why(
    qtbot: QtBot, page: AgentsPage, home: FakeHome, front: FakeFront
) -> None:
    home.servers["gone"] = McpServer(name="gone", command=("nothing",))
    front.announce("mcp")
    panel = page.tools.servers
    qtbot.waitUntil(lambda: bool(panel.views) and bool(panel.views["gone"].record.problem))
    assert any("cannot be started" in label.text() for label in panel.views["gone"].findChildren(QLabel))


# -- memory --------------------------------------------------------------------------------------------


def test_memory_is_empty_at_first_and_takes_a_sentence(qtbot: QtBot, page: AgentsPage, home: FakeHome) -> None:
    page.open_target("memory")
    qtbot.waitUntil(page.memory.empty.isVisible)
    assert not page.memory.add_button.isEnabled()
    page.memory.field.setText("I write formal German.")
    assert page.memory.add_button.isEnabled()
    QTest.keyClick(page.memory.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [view.fact.text for view in facts(page)] == ["I write formal German."])
    assert page.memory.field.text() == ""
    assert not page.memory.empty.isVisible()
    assert facts(page)[0].source.text().startswith("By you · ")


def test_a_fact_is_edited_and_forgotten(qtbot: QtBot, page: AgentsPage, home: FakeHome, front: FakeFront) -> None:
    home.facts["f1"] = Fact(id="f1", text="Delivered on 3 March.", source="an agent in “Pump”", created=MARCH)
    page.open_target("memory")
    front.announce("facts")
    qtbot.waitUntil(lambda: bool(facts(page)))
    view = facts(page)[0]
    assert view.source.text() == "An agent in “Pump” · 3 March 2026"
    view.edit_button.click()
    view.editor.field.setPlainText("Delivered on 4 March.")
    QTest.keyClick(view.editor.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: facts(page)[0].fact.text == "Delivered on 4 March.")
    assert home.facts["f1"].source == "you"
    facts(page)[0].forget_button.click()
    assert home.facts  # asked first
    facts(page)[0].confirm.confirm_button.click()
    qtbot.waitUntil(lambda: not home.facts and not facts(page))


def test_facts_are_searched(qtbot: QtBot, page: AgentsPage, home: FakeHome, front: FakeFront) -> None:
    for name in ("pump", "lease"):
        front.call(c.AddFact(text=f"All about the {name}."))
    page.open_target("memory")
    qtbot.waitUntil(lambda: len(facts(page)) == 2)
    page.memory.search.setText("lease")
    QTest.keyClick(page.memory.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [view.fact.text for view in facts(page)] == ["All about the lease."])
    page.memory.search.setText("garden")
    QTest.keyClick(page.memory.search, Qt.Key.Key_Return)
    qtbot.waitUntil(page.memory.nothing.isVisible)
    assert page.memory.search.isVisible()


def test_a_fact_that_is_refused_says_why(qtbot: QtBot, page: AgentsPage, front: FakeFront) -> None:
    page.open_target("memory")
    page.memory.field.setText("...")
    front.refuse(c.AddFact, UserError("The memory is full.", "Forget something."))
    page.memory.add_button.click()
    qtbot.waitUntil(lambda: page.memory.problem.text == "The memory is full. Forget something.")
    assert page.memory.field.text() == "..."


def test_the_date_of_a_change_is_said() -> None:
    fact = Fact(id="1", text="x", created=MARCH, changed=MARCH + 86_400)
    assert describe_fact(fact) == "By you · 3 March 2026, edited 4 March 2026"
    assert describe_fact(msgspec.structs.replace(fact, changed=MARCH)) == "By you · 3 March 2026"


# -- saved agents --------------------------------------------------------------------------------------


def test_recipes_with_an_agent_are_listed_used_and_deleted(
    qtbot: QtBot, page: AgentsPage, bridge: Bridge, shell: RecordingShell, tmp_path: Path
) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    agent = AgentPart(tools=("calculator", "read_file"), folder="/work", memory="read")
    made = Recipe(model=ModelPart(name="Smol"), retrieval=RetrievalPart(collection="Pumps"), agent=agent)
    save_recipe(folder / "clerk.toml", made)
    save_recipe(folder / "plain.toml", Recipe())
    (folder / "broken.toml").write_text("schema = 99\n")
    settle(bridge, qtbot)
    assert bridge.status is not None
    bridge.status_changed.emit(msgspec.structs.replace(bridge.status, home=str(tmp_path)))
    page.open_target("saved")
    saved = page.saved
    assert list(saved.views) == ["broken.toml", "clerk.toml"]
    assert saved.views["broken.toml"].lines[0].startswith("Cannot be read. ")
    assert not saved.views["broken.toml"].use_button.isVisible()
    clerk = saved.views["clerk.toml"]
    assert clerk.lines == [
        "Smol · ReAct, 2 tools",
        "Tools: Calculator, Read files",
        "Documents: Pumps",
        "Folder: /work",
        "Reads the memory",
    ]
    clerk.use_button.click()
    assert shell.opened == [("chat", {"new": True, "recipe": made})]
    clerk.delete_button.click()
    assert (folder / "clerk.toml").exists()
    clerk.confirm.confirm_button.click()
    assert not (folder / "clerk.toml").exists()
    assert list(saved.views) == ["broken.toml"]


def test_without_saved_agents_the_page_says_how_to_get_one(page: AgentsPage, shell: RecordingShell) -> None:
    page.open_target("saved")
    assert page.saved.empty.isVisible()
    assert page.saved.empty.button is not None
    page.saved.empty.button.click()
    assert shell.opened == [("chat", {"new": True, "part": "agent", "field": "method"})]
