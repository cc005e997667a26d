"""A whole recipe edited in one dialog: for evaluations, with several values of a field, and for comparisons."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, choose, settle
from tests.ui.fake_evaluation import furnish_evaluation
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome, furnished_home
from ui.bridge import Bridge
from ui.components.recipe import texts
from ui.components.recipe.recipe_editor import RecipeEditor
from ui.features.chat.comparison.opponents import Opponent, Opponents
from ui.features.evaluation.dialogs import NewEvaluation
from ui.features.evaluation.page import EvaluatePage
from workbench import calls as c
from workbench.api.protocol import finish
from workbench.records.recipes import DecodingPart, ModelPart, Recipe, load_recipe

MOST_ACTIONS = 25
"""Clicks and keys of a person who compares three recipes."""


@pytest.fixture
def home() -> FakeHome:
    home = furnished_home()
    furnish_evaluation(home)
    return home


@pytest.fixture
def page(bridge: Bridge, shell: RecordingShell, qtbot: QtBot) -> EvaluatePage:
    page = EvaluatePage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1124, 700)
    page.show()
    settle(bridge, qtbot)
    return page


class Person:
    """Acts on what the screen says, and counts clicks and keys."""

    def __init__(self, window: QWidget, bridge: Bridge, qtbot: QtBot) -> None:
        self._window, self._bridge, self._qtbot = window, bridge, qtbot
        self.actions = 0

    def press(self, words: str, which: int = 0) -> None:
        """Click a button by the words on it, or by how its name begins where it has none; the last one for -1."""
        buttons = self._visible(QAbstractButton)
        found = [one for one in buttons if _plain(one.text()) == words]
        found = found or [one for one in buttons if one.accessibleName().startswith(words)]
        assert found, words
        self._qtbot.mouseClick(found[which], Qt.MouseButton.LeftButton)
        self._did()

    def choose(self, name: str, title: str) -> None:
        """Open a list by its name, and click an entry."""
        [box] = [one for one in self._visible(QComboBox) if one.accessibleName() == name]
        choose(box, title)
        self.actions += 1
        self._did()

    def type(self, name: str, text: str) -> None:
        """Click a field by its name, and type."""
        [field] = [one for one in self._visible(QLineEdit) if one.accessibleName() == name]
        self._qtbot.mouseClick(field, Qt.MouseButton.LeftButton)
        self._qtbot.keyClicks(field, text)
        self.actions += len(text)
        self._did()

    def _did(self) -> None:
        self.actions += 1
        settle(self._bridge, self._qtbot)

    def _visible(self, kind: type[QWidget]) -> list[QWidget]:
        """What is on the uppermost dialog, or on the page."""
        dialogs = [one for one in self._window.findChildren(QDialog) if one.isVisible()]
        above = dialogs[-1] if dialogs else self._window
        for one in dialogs:
            if above.isAncestorOf(one):
                above = one
        return [one for one in above.findChildren(kind) if one.isVisible() and one.isEnabled()]


def _plain(text: str) -> str:
    return text.replace("&", "")


def test_three_recipes_are_compared_with_few_clicks(
    page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot
) -> None:
    person = Person(page, bridge, qtbot)
    person.press("New evaluation…")
    person.press("Edit…")
    person.press("Prompt")
    person.choose("Technique", "Chain of thought")
    person.press("Use")
    person.press("Edit…")
    person.press("Try several values of a field")
    person.type("Values, with a comma between them", "0, 0.7, 1")
    person.press("Use")
    person.press("Evaluate", which=-1)
    [call] = front.asked(c.Evaluate)
    assert [one.name for one in call.recipes] == ["temperature 0", "temperature 0.7", "temperature 1"]
    assert [one.decoding.temperature for one in call.recipes] == [0, 0.7, 1]
    assert {one.prompting.technique for one in call.recipes} == {"chain-of-thought"}
    assert person.actions <= MOST_ACTIONS, person.actions


@pytest.fixture
def editor(bridge: Bridge, qtbot: QtBot) -> RecipeEditor:
    recipe = Recipe(name="Mine", model=ModelPart(name="SmolLM2-135M-Instruct"))
    editor = RecipeEditor(bridge, recipe)
    editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(editor)
    editor.open()
    settle(bridge, qtbot)
    return editor


def test_values_that_are_none_are_said_and_not_used(editor: RecipeEditor, qtbot: QtBot) -> None:
    assert editor.go.isEnabled()
    row = editor.add_values()
    assert not editor.go.isEnabled()
    assert "no values" in editor.count.text()
    row.values.setText("0, warm")
    assert not editor.go.isEnabled()
    row.values.setText(", ".join(str(n / 20) for n in range(27)))
    assert "27 recipes" in editor.count.text()
    row.values.setText("0, 1")
    assert editor.count.text() == "Makes 2 recipes."
    with qtbot.waitSignal(editor.edited) as sent:
        editor.go.click()
    assert [one.name for one in sent.args[0]] == ["Mine, temperature 0", "Mine, temperature 1"]


def test_a_recipe_is_saved_and_listed_by_its_name(
    editor: RecipeEditor, page: EvaluatePage, bridge: Bridge, front: FakeFront, qtbot: QtBot, tmp_path: Path
) -> None:
    status = msgspec.structs.replace(front.home.status(), home=str(tmp_path))
    front.answer(c.GetStatus, lambda call: [finish(status)])
    front.announce("run")
    qtbot.waitUntil(lambda: bridge.status is not None and bridge.status.home == str(tmp_path))
    editor.panel.save_button.click()
    assert load_recipe(tmp_path / "recipes" / "Mine.toml").model.name == "SmolLM2-135M-Instruct"
    editor.panel.save_button.click()  # nothing is overwritten
    assert (tmp_path / "recipes" / "Mine 2.toml").exists()
    assert editor.message.text == texts.EDITOR_SAVED.format(name="Mine 2")
    dialog = page.begin_evaluation()
    settle(bridge, qtbot)
    assert isinstance(dialog, NewEvaluation)
    dialog.recipes._fill_menu()
    menus = {action.text(): action.menu() for action in dialog.recipes.add_button.menu().actions()}
    saved = menus["A saved recipe"]
    assert [action.text() for action in saved.actions()] == ["Mine 2", "Mine"]
    saved.actions()[1].trigger()
    assert [row.recipe.name for row in dialog.recipes.rows][-1] == "Mine"


def test_a_chat_is_compared_with_an_edited_recipe(
    page: EvaluatePage, bridge: Bridge, shell: RecordingShell, qtbot: QtBot
) -> None:
    opponents = Opponents(bridge, shell, page)
    taken: list[Opponent] = []
    recipe = Recipe(model=ModelPart(name="SmolLM2-135M-Instruct"), decoding=DecodingPart(temperature=0.5))
    menu = opponents.make_menu(recipe, taken.append)
    [action] = [action for action in menu.actions() if action.text() == "Another recipe…"]
    action.trigger()
    settle(bridge, qtbot)
    editor = page.findChild(RecipeEditor)
    assert isinstance(editor, RecipeEditor)
    assert not editor.more_button.isVisible()
    editor.name.setText("Warm")
    part = msgspec.structs.replace(editor.panel.recipe.decoding, temperature=1.0)
    editor.panel.set_recipe(msgspec.structs.replace(editor.panel.recipe, decoding=part))
    editor.go.click()
    [chosen] = taken
    assert chosen.title == "Warm"
    assert chosen.recipe(recipe).decoding.temperature == 1.0
