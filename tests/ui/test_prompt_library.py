"""The library of prompts in the window: looked through, used, compared, restored, shared, deleted; and saved into."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import page
from ui.components.recipe import texts as recipe_texts
from ui.components.word_diff import WordDiff
from ui.features.chat import texts
from ui.features.chat.conversation.usage_line import UsageLine
from ui.features.chat.library.library_dialog import LibraryDialog
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.records.messages import Usage
from workbench.records.recipes import PromptingPart, PromptSource

__all__ = ["page"]  # a fixture


def save(front: FakeFront, name: str, words: str, **fields: object) -> c.SavedPrompt:
    part = fields.pop("part", PromptingPart(instructions=words))
    saved: c.SavedPrompt = front.call(c.SavePrompt(name=name, part=part, **fields))  # type: ignore[arg-type]
    return saved


@pytest.fixture
def library(qtbot: QtBot, page: ChatPage, front: FakeFront) -> LibraryDialog:
    save(front, "Letter", "Write short letters.", note="begun", tags=("office",))
    save(front, "Letter", "Write kind letters.", note="kinder")
    preset = PromptingPart(technique="self-refine")
    save(front, "Refined", "", part=preset, kind="reasoning", tags=("slow",))
    dialog = page.library.open()
    qtbot.waitUntil(lambda: dialog.versions.count() == 2)
    return dialog


def shown(dialog: LibraryDialog) -> list[str]:
    column = dialog.body.column
    widgets = (column.itemAt(place).widget() for place in range(column.count()))
    return [widget.text() for widget in widgets if isinstance(widget, QLabel)]


def names(dialog: LibraryDialog) -> list[str]:
    return [dialog.list.item(place).text() for place in range(dialog.list.count())]


def test_entries_are_searched_by_words_and_tags(library: LibraryDialog) -> None:
    assert names(library) == ["Letter", "Refined"]
    library.search.setText("kind")
    library.search.returnPressed.emit()
    assert names(library) == ["Letter"]
    library.search.setText("nobody")
    library.search.returnPressed.emit()
    assert (names(library), library.nothing.isVisible(), library.go.isEnabled()) == ([], True, False)
    library.search.clear()
    library.tag.show_value("slow")
    library.tag.chosen.emit("slow")
    assert names(library) == ["Refined"]


def test_a_version_is_read_compared_and_used(
    qtbot: QtBot, page: ChatPage, library: LibraryDialog, home: FakeHome
) -> None:
    assert "kinder" in library.versions.item(0).text()
    assert shown(library) == ["kinder", "Instructions", "Write kind letters."]
    library.view.buttons["changes"].click()
    [diff] = library.body.findChildren(WordDiff)
    assert diff.accessibleName() == "removed: short ; added: kind "
    library.versions.setCurrentRow(1)
    assert not library.view.isVisible()
    assert shown(library) == ["begun", "Instructions", "Write short letters."]
    library.go.click()
    part = page.bench.recipe.prompting
    assert (part.instructions, [one.version for one in part.sources]) == ("Write short letters.", [1])
    form = page.parts.recipe.prompt_form
    assert form.sources.text() == recipe_texts.SOURCE_USED.format(name="Letter", number=1)
    form._put("output", "One page.")
    assert form.sources.text() == recipe_texts.SOURCE_CHANGED.format(name="Letter", number=1)


def test_restoring_adds_a_version(qtbot: QtBot, library: LibraryDialog, front: FakeFront) -> None:
    assert not library.restore_button.isEnabled()
    library.versions.setCurrentRow(1)
    library.restore_button.click()
    qtbot.waitUntil(lambda: library.versions.count() == 3)
    assert shown(library)[0] == "Version 1 restored."


def test_an_entry_is_renamed_in_place(qtbot: QtBot, library: LibraryDialog, front: FakeFront) -> None:
    before = library.name.full_text
    other = next(one.name for one in front.call(c.ListPrompts()).prompts if one.name != before)
    library.rename_button.click()
    assert library.name_field.text() == before
    library.name_field.setText(other)
    QTest.keyClick(library.name_field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "already an entry" in library.message.text)
    assert library.name_field.isVisibleTo(library)
    library.name_field.setText("Tenancy letters")
    QTest.keyClick(library.name_field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: library.name.full_text == "Tenancy letters")
    assert not library.name_field.isVisibleTo(library)
    names = [one.name for one in front.call(c.ListPrompts()).prompts]
    assert "Tenancy letters" in names
    assert before not in names
    assert library.isVisible()
    library.rename_button.click()
    QTest.keyClick(library.name_field, Qt.Key.Key_Escape)
    assert library.isVisible()
    assert library.name.isVisibleTo(library)


def test_an_entry_is_exported_imported_and_deleted_once_confirmed(
    qtbot: QtBot, library: LibraryDialog, front: FakeFront, tmp_path: Path
) -> None:
    path = tmp_path / "letter.json"
    library.export_to(str(path))
    qtbot.waitUntil(lambda: "was exported" in library.message.text)
    library.import_from(str(path))
    qtbot.waitUntil(lambda: library.name.full_text == "Letter 2")
    library.delete_button.click()
    assert front.asked(c.RemovePrompt) == []
    library.confirm.confirm_button.click()
    qtbot.waitUntil(lambda: names(library) == ["Letter", "Refined"])
    library.message.action_button.click()
    qtbot.waitUntil(lambda: names(library) == ["Letter", "Letter 2", "Refined"])
    qtbot.waitUntil(lambda: library.name.full_text == "Letter 2")
    path.write_text("{}")
    library.import_from(str(path))
    qtbot.waitUntil(lambda: "cannot be read" in library.message.text)


def test_an_empty_library_says_what_it_is_for(qtbot: QtBot, page: ChatPage) -> None:
    dialog = page.library.open()
    qtbot.waitUntil(dialog.empty.isVisible)
    assert not dialog.go.isEnabled()


def test_the_prompt_is_saved_as_a_version(
    qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell
) -> None:
    save(front, "Letter", "Old.", tags=("office",))
    recipe = page.bench.recipe
    page.bench.choose(msgspec.structs.replace(recipe, prompting=PromptingPart(instructions="New.")))
    dialog = page.library.save("prompt")
    assert not dialog.go.isEnabled()
    dialog.name.setText("Another")
    assert dialog.effect.text() == texts.MAKES_ENTRY
    dialog.name.setText("letter")
    qtbot.waitUntil(lambda: dialog.effect.text() == texts.ADDS_VERSION.format(number=2, name="Letter"))
    dialog.note.setPlainText("newer")
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(page.bench.recipe.prompting.sources))
    [source] = page.bench.recipe.prompting.sources
    assert (source.name, source.version) == ("Letter", 2)
    assert shell.messages[-1][0] == texts.VERSION_SAVED.format(name="Letter", number=2)
    saved = front.call(c.GetPrompt(prompt="Letter"))
    assert (saved.versions[0].note, saved.prompt.tags) == ("newer", ("office",))


def test_an_empty_prompt_is_refused_where_it_was_to_be_saved(qtbot: QtBot, page: ChatPage) -> None:
    dialog = page.library.save("prompt")
    dialog.name.setText("Nothing")
    dialog.go.click()
    qtbot.waitUntil(lambda: "empty" in dialog.message.text)


def test_of_a_very_long_text_the_beginning_is_shown(qtbot: QtBot, library: LibraryDialog, front: FakeFront) -> None:
    save(front, "A long one", "word " * 100_000)
    qtbot.waitUntil(lambda: names(library)[0] == "A long one")
    library.list.setCurrentRow(0)
    qtbot.waitUntil(lambda: library.name.full_text == "A long one")
    title, note, text = shown(library)
    assert (title, note, len(text)) == ("Instructions", texts.BEGINNING_SHOWN.format(characters=20_000), 20_000)


def test_a_version_that_cannot_be_read_says_why_and_is_not_used(
    qtbot: QtBot, library: LibraryDialog, home: FakeHome, front: FakeFront
) -> None:
    database = home.library.database
    database.execute("drop trigger prompt_versions_never_change")
    database.execute("update prompt_versions set content = '{' where number = 2")
    front.announce("prompts", "")
    qtbot.waitUntil(lambda: not library.go.isEnabled())
    assert "damaged" in shown(library)[0]
    library.versions.setCurrentRow(1)
    assert library.go.isEnabled()
    assert library.restore_button.isEnabled()


def test_an_answer_names_the_version_that_made_it(qtbot: QtBot, theme: object) -> None:
    line = UsageLine()
    qtbot.addWidget(line)
    source = PromptSource(kind="prompt", name="Letter", version=3, hash="")
    line.show_usage(Usage(new_tokens=5), (source,))
    named = texts.MADE_WITH.format(name="Letter", number=3)
    assert line.full_text.endswith(named)
    assert "Prompt Letter, version 3." in line.toolTip()
