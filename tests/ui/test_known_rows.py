"""What a recipe names of the home is chosen from lists: a question set, fixed examples of it, a team's specialists."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from tests.ui.conftest import choose, settle
from tests.ui.fake_adapters import record
from tests.ui.fake_evaluation import furnish_evaluation
from tests.ui.fake_home import FakeHome, furnished_home
from ui.bridge import Bridge
from ui.components.recipe import texts
from ui.components.recipe.known_names import KnownNames
from ui.components.recipe.known_rows import NamedRow, TicksRow
from ui.components.recipe.recipe_panel import RecipePanel
from workbench.methods import describe
from workbench.records.recipes import AgentPart, PromptingPart, Recipe


@pytest.fixture
def home() -> FakeHome:
    home = furnished_home()
    furnish_evaluation(home, questions=6)
    return home


@pytest.fixture
def panel(bridge: Bridge, qtbot: QtBot) -> RecipePanel:
    panel = RecipePanel()
    qtbot.addWidget(panel)
    panel.set_methods(describe())
    panel.show()
    KnownNames(bridge, panel)
    settle(bridge, qtbot)
    return panel


def ticks(row: TicksRow) -> dict[str, bool]:
    items = (row.list.item(place) for place in range(row.list.count()))
    return {item.text(): item.checkState() == Qt.CheckState.Checked for item in items}


def test_examples_are_chosen_from_the_sets_and_their_questions(
    panel: RecipePanel, bridge: Bridge, qtbot: QtBot
) -> None:
    parts = panel.prompt_form.parts
    examples, rows = parts.row("examples"), parts.row("example_rows")
    assert isinstance(examples, NamedRow)
    assert isinstance(rows, TicksRow)
    parts.fold.setChecked(True)
    assert not rows.isVisibleTo(parts)
    assert isinstance(examples.control, QComboBox)
    titles = [examples.control.itemText(place) for place in range(examples.control.count())]
    assert titles == ["None", "Rated answers", "Pump manual"]
    choose(examples.control, "Pump manual")
    assert panel.recipe.prompting.examples == "Pump manual"
    panel.set_recipe(
        Recipe(prompting=PromptingPart(examples="Pump manual", example_choice="fixed", example_rows=("99",)))
    )
    settle(bridge, qtbot)
    assert rows.isVisibleTo(parts)
    shown = ticks(rows)
    assert shown.pop("99 (not there)")
    assert shown
    assert not any(shown.values())
    rows.list.item(0).setCheckState(Qt.CheckState.Checked)
    number = rows.list.item(0).text().partition(".")[0]
    assert panel.recipe.prompting.example_rows == (number, "99")


def test_a_set_that_is_not_there_is_shown_as_such(panel: RecipePanel) -> None:
    panel.set_recipe(Recipe(prompting=PromptingPart(examples="subjets")))
    row = panel.prompt_form.parts.row("examples")
    assert isinstance(row, NamedRow)
    assert isinstance(row.control, QComboBox)
    assert row.control.currentText() == "subjets (not there)"


def test_specialists_of_a_team_are_saved_recipes(panel: RecipePanel) -> None:
    panel.agent_form.set_recipes(["Careful", "Quick"])
    panel.set_recipe(Recipe(agent=AgentPart(method="team", options={"specialists": ["Careful", "Gone"]})))
    options = panel.agent_form.options
    assert options is not None
    row = options.row("specialists")
    assert isinstance(row, TicksRow)
    assert ticks(row) == {"Careful": True, "Quick": False, "Gone (not there)": True}
    row.list.item(1).setCheckState(Qt.CheckState.Checked)
    agent = panel.recipe.agent
    assert agent is not None
    assert agent.options["specialists"] == ("Careful", "Quick", "Gone")


def test_a_recipe_that_is_saved_is_offered_as_a_specialist(
    panel: RecipePanel, bridge: Bridge, home: FakeHome, tmp_path: Path
) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    assert bridge.status is not None
    bridge.status = msgspec.structs.replace(bridge.status, home=str(tmp_path))
    panel.set_recipe(Recipe(agent=AgentPart(method="team")))
    options = panel.agent_form.options
    assert options is not None
    row = options.row("specialists")
    assert isinstance(row, TicksRow)
    assert row.list.isHidden()
    assert row.note.text() == texts.NO_RECIPES_SAVED
    (folder / "Careful.toml").write_text("", "utf-8")
    panel.set_recipe(Recipe(agent=AgentPart(method="team", options={"way": "debate"})))
    assert ticks(row) == {"Careful": False}
    assert not row.list.isHidden()
    assert row.note.isHidden()


def test_the_reward_model_of_best_of_n_is_chosen_from_those_that_fit(panel: RecipePanel) -> None:
    panel.set_recipe(Recipe(prompting=PromptingPart(technique="best-of-n")))
    panel.set_adapters(
        [record("my-notes"), record("taste", kind="reward"), record("torn", kind="reward", state="failed")]
    )
    assert panel.prompt_form.options is not None
    row = panel.prompt_form.options.row("reward_model")
    assert isinstance(row, NamedRow)
    assert isinstance(row.control, QComboBox)
    assert [row.control.itemText(place) for place in range(row.control.count())] == ["None", "taste"]
    choose(row.control, "taste")
    assert panel.recipe.prompting.options == {"reward_model": "taste"}


def test_a_long_question_takes_a_second_line_in_its_list(panel: RecipePanel, bridge: Bridge, qtbot: QtBot) -> None:
    panel.resize(300, 800)
    row = panel.prompt_form.parts.row("example_rows")
    assert isinstance(row, TicksRow)
    row.offer([("1. How long?", "1"), ("2. How long is the warranty on a new pump that was installed by us?", "2")])
    row.show()
    settle(bridge, qtbot)
    short, long = (row.list.visualItemRect(row.list.item(place)).height() for place in (0, 1))
    assert long >= short + row.list.fontMetrics().lineSpacing()
