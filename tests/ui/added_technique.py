"""Checks of the technique of docs/adding-a-technique.md. ``test_adding.py`` runs them in a copy of the program that has
it; here it is not known, so these tests are collected nowhere else."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from tests.fakes import FakeModelBackend, FakeServices
from tests.local_front import LocalFront
from tests.unit.cli.conftest import SMOLLM
from tests.unit.cli.conftest import FakeFront as FakeTerminalFront
from ui.components.recipe.recipe_panel import RecipePanel
from ui.components.steps.trace_view import TraceView
from workbench import cli
from workbench import methods as registry
from workbench.api import events
from workbench.api.protocol import RequestContext
from workbench.app import Workbench
from workbench.base.paths import Home
from workbench.records.answers import AskResult
from workbench.records.messages import Message
from workbench.records.recipes import PromptingPart, Recipe
from workbench.subjects.answering.answer import answer
from workbench.subjects.answering.request import AnswerRequest
from workbench.subjects.chats.calls import Ask
from workbench.subjects.machine.calls import ListMethods, MethodList
from workbench.subjects.models.calls import ListModels, ModelList


@pytest.fixture
def listed(tmp_path: Path) -> MethodList:
    """What the core lists."""
    workbench = Workbench(Home(tmp_path / "home"))
    try:
        found: MethodList = LocalFront(workbench).call(ListMethods())
    finally:
        workbench.close()
    return found


def test_the_core_lists_it_with_its_fields(listed: MethodList) -> None:
    row = next(row for row in listed.methods if row.name == "shorter")
    assert (row.kind, row.title, row.cost) == ("technique", "Shorter of two", "An answer takes two generations.")
    assert [(field.name, field.choices) for field in row.fields] == [("by", ("words", "characters"))]


def test_the_recipe_panel_offers_it_with_its_form(qtbot: QtBot, listed: MethodList) -> None:
    panel = RecipePanel()
    qtbot.addWidget(panel)
    panel.set_methods(listed.methods)
    panel.prompting.open()
    panel.resize(320, 900)
    panel.show()
    form = panel.prompt_form
    assert form.technique.isVisible()
    assert form.options is None
    row = form.technique.findText("Shorter of two")
    form.technique.setCurrentIndex(row)
    form.technique.activated.emit(row)
    assert panel.recipe.prompting == PromptingPart(technique="shorter")
    assert panel.prompting.state == "Shorter of two"
    assert form.options is not None
    qtbot.waitUntil(form.options.isVisible)
    measure = form.options.row("by").control
    assert isinstance(measure, QComboBox)
    measure.setCurrentIndex(1)
    measure.activated.emit(1)
    assert panel.recipe.prompting.options == {"by": "characters"}
    panel.set_recipe(
        msgspec.structs.replace(panel.recipe, decoding=msgspec.structs.replace(panel.recipe.decoding, n=3))
    )
    assert form.notes.text() == "The technique Shorter of two has one answer, not 3."


def test_the_terminal_asks_with_it() -> None:
    front = FakeTerminalFront()
    front.answer(ListModels, ModelList(models=(SMOLLM,)))
    front.answer(Ask, AskResult(answer="It is so.", recipe=Recipe()))
    argv = ["ask", "How long?", "--technique", "shorter", "--set", "technique.by=characters"]
    assert cli.main(argv, connect=lambda home: front) == 0
    (asked,) = [call for call in front.calls if isinstance(call, Ask)]
    assert asked.recipe.prompting == PromptingPart(technique="shorter", options={"by": "characters"})


def test_the_help_names_it_and_explains_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ask", "--fields", "prompting"]) == 0
    help = capsys.readouterr().out
    assert "Shorter of two. Ask twice and keep the shorter answer. An answer takes two generations." in help
    setting = "technique.by\n      The unit in which the two answers are compared. Choices: words, characters. [words]"
    assert setting in help


def test_its_steps_are_in_the_trace_view(qtbot: QtBot) -> None:
    request = AnswerRequest(
        recipe=Recipe(prompting=PromptingPart(technique="shorter")), conversation=(Message("user", "How long?"),)
    )
    *_, last = answer(request, FakeServices(FakeModelBackend(["As long as it takes.", "Long."])), RequestContext())
    assert isinstance(last, events.Finished)
    result = msgspec.convert(last.result, AskResult)
    assert result.trace is not None
    view = TraceView()
    qtbot.addWidget(view)
    view.show_trace(result.trace)
    shown = [view.tree.topLevelItem(n) for n in range(view.tree.topLevelItemCount())]
    assert [item.data(0, Qt.ItemDataRole.DisplayRole) for item in shown if item is not None] == [
        "First answer",
        "Second answer",
    ]


def test_the_docs_table_has_it() -> None:
    table = registry.as_markdown()
    assert (
        "| `shorter` | Shorter of two. Ask twice and keep the shorter answer. | An answer takes two generations. |"
        in table
    )
    assert "| `by` | The unit in which the two answers are compared. |" in table
