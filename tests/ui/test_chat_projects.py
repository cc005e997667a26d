"""Folders as projects in the window: their settings, and new chats that begin with them."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import ask, page
from ui.features.chat import texts
from ui.features.chat.history.folder_settings import FolderSettings
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.records.projects import ChatProject

__all__ = ["page"]


def test_a_new_chat_in_a_folder_begins_with_its_settings(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    home.folders.append("Pumps & motors")
    collection = next(iter(home.collections.values())).name
    home.projects["Pumps & motors"] = ChatProject(collections=(collection,), instructions="Be brief.")
    page.new_chat("Pumps & motors")
    qtbot.waitUntil(lambda: page.parts.recipe.recipe.prompting.instructions == "Be brief.")
    assert page.parts.recipe.recipe.retrieval is not None
    assert page.parts.recipe.recipe.retrieval.collection == collection
    assert page.parts.head.chat_title.full_text == texts.NEW_IN_FOLDER.format(name="Pumps & motors")
    ask(page, "How long?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 1)
    assert front.asked(c.Ask)[0].folder == "Pumps & motors"
    assert front.asked(c.Ask)[0].recipe.prompting.instructions == "Be brief."
    qtbot.waitUntil(lambda: page.session.chat.record is not None and not page.session.busy)
    assert page.session.chat.record.folder == "Pumps & motors"
    page.new_chat()
    assert page.parts.recipe.recipe.prompting.instructions == "", "a chat of no folder begins with the usual settings"


def test_the_settings_of_a_folder_are_changed(qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome) -> None:
    home.folders.append("Pumps")
    home.projects["Pumps"] = ChatProject(collections=("Gone",), instructions="Old.")
    page.show_folder_settings("Pumps")
    qtbot.waitUntil(lambda: page.findChild(FolderSettings) is not None)
    dialog = page.findChild(FolderSettings)
    assert isinstance(dialog, FolderSettings)
    qtbot.waitUntil(lambda: len(dialog.boxes) == len(home.collections) + 1)
    assert [box.isChecked() for box in dialog.boxes] == [True, *[False] * len(home.collections)]
    dialog.boxes[0].setChecked(False)
    dialog.boxes[1].setChecked(True)
    dialog.instructions.setPlainText("New.")
    dialog.recipe.setCurrentIndex(dialog.recipe.count() - 1)
    dialog.go.click()
    qtbot.waitUntil(lambda: home.projects["Pumps"].instructions == "New.")
    project = home.projects["Pumps"]
    assert project.collections == (str(dialog.boxes[1].property("collection")),)
    assert project.recipe is not None
    assert project.recipe.model.name == page.parts.recipe.recipe.model.name


def test_the_menu_of_a_folder_offers_both(qtbot: QtBot, page: ChatPage) -> None:
    words = [action.text() for action in page.parts.history.make_folder_menu("Pumps").actions()]
    assert words[:2] == [texts.NEW_IN_FOLDER_MENU, texts.FOLDER_SETTINGS_MENU]
