"""What a chat is asked with: new chats, the default model, a removed model, several collections, the reset."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import SMOL, FakeHome
from tests.ui.judged_home import Unswapped
from tests.ui.test_chat_page import answers, ask, open_chat, page, questions
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.file_choice import FileChoice
from ui.features.chat import compare_texts, texts
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.records.recipes import DecodingPart, ModelPart, PromptingPart, Recipe, RetrievalPart, with_preset

__all__ = ["page"]  # a fixture

TUNED = Recipe(
    model=ModelPart(name=SMOL.name),
    prompting=PromptingPart(instructions="Rhyme."),
    decoding=DecodingPart(strategy="beam", n=3),
    retrieval=RetrievalPart(collection="Contracts 2025", passages=4),
)
PLAIN = Recipe(model=ModelPart(name=SMOL.name), retrieval=RetrievalPart(collection="Contracts 2025"))


@pytest.mark.parametrize("way", ["new", "deleted"])
def test_a_new_chat_has_the_usual_settings_and_the_documents_of_the_last(
    qtbot: QtBot, page: ChatPage, home: FakeHome, way: str
) -> None:
    chat = home.put_chat("Tuned", [("Q", "A")], TUNED)
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.bench.recipe == TUNED)
    if way == "new":
        page.new_chat()
    else:
        page.parts.history.deleted.emit(chat)
    assert page.bench.recipe == PLAIN
    page.session.open(chat)
    if way == "new":
        qtbot.waitUntil(lambda: page.bench.recipe == TUNED)


def test_the_way_of_answering_from_documents_goes_on_in_a_new_chat(
    qtbot: QtBot, page: ChatPage, home: FakeHome
) -> None:
    part = RetrievalPart(collection="Contracts 2025", mode="own-words", road="table", passages=4)
    page.session.open(home.put_chat("Own words", [("Q", "A")], msgspec.structs.replace(TUNED, retrieval=part)))
    qtbot.waitUntil(lambda: page.bench.recipe.retrieval == part)
    for _ in range(2):
        page.new_chat()
        assert page.bench.recipe.retrieval == RetrievalPart(collection="Contracts 2025", mode="own-words")
    page.parts.recipe.reset_button.click()
    assert page.bench.recipe == PLAIN


def test_the_recipe_is_reset_and_the_reset_undone(
    qtbot: QtBot, page: ChatPage, home: FakeHome, shell: RecordingShell
) -> None:
    page.session.open(home.put_chat("Tuned", [("Q", "A")], TUNED))
    qtbot.waitUntil(lambda: page.bench.recipe == TUNED)
    page.parts.recipe.reset_button.click()
    assert page.bench.recipe == PLAIN
    text, _, action = shell.messages[-1]
    assert text == texts.RECIPE_WAS_RESET
    assert action is not None
    action.run()
    assert page.bench.recipe == TUNED
    assert page.parts.recipe.reset_button.isEnabled()
    page.bench.put(PLAIN)
    assert not page.parts.recipe.reset_button.isEnabled()  # there is nothing to reset


def test_a_model_is_made_the_default_from_the_header_and_new_chats_begin_with_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    home.models["Gemma 3"] = msgspec.structs.replace(SMOL, name="Gemma 3")
    front.announce("model")
    box = page.parts.recipe.model_box
    qtbot.waitUntil(lambda: box.findData("Gemma 3") >= 0)
    box.chosen.emit("Gemma 3")
    menu = page.bench.make_model_menu()
    action = menu.actions()[-1]
    assert action.text() == texts.MAKE_DEFAULT.format(name="Gemma 3")
    action.trigger()
    title = recipe_texts.DEFAULT_MODEL.format(name="Gemma 3")
    qtbot.waitUntil(lambda: box.itemText(box.findData("Gemma 3")) == title)
    assert front.asked(c.SetDefaultModel) == [c.SetDefaultModel(name="Gemma 3")]
    assert len(page.bench.make_model_menu().actions()) == 2
    open_chat(qtbot, page, "Winter storage of the pump")
    qtbot.waitUntil(lambda: page.bench.recipe.model.name == SMOL.name)
    page.new_chat()
    assert page.bench.recipe.model.name == "Gemma 3"


def test_a_removed_model_is_said_to_be_removed_and_another_one_can_be_selected(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    old = Recipe(model=ModelPart(name="Old model"))
    page.session.open(home.put_chat("Old", [("Q", "A")], old))
    composer = page.parts.composer
    qtbot.waitUntil(lambda: composer.blocked == texts.MODEL_REMOVED.format(name="Old model"))
    assert page.parts.head.model.text() == texts.REMOVED.format(name="Old model")
    assert composer.remedy.text() == texts.SELECT_MODEL
    assert "Old model" not in [call.model for call in front.asked(c.ListAdapters)]  # which would be refused
    page.parts.recipe.model_box.chosen.emit(SMOL.name)
    assert composer.blocked == ""
    assert page.parts.head.model.text() == SMOL.name


def test_a_small_model_without_documents_says_what_it_is(qtbot: QtBot, page: ChatPage) -> None:
    page.parts.recipe.documents_box.chosen.emit("")
    assert "often invents facts" in page.parts.hint.text()
    page.parts.recipe.documents_box.chosen.emit("Contracts 2025")
    assert "invents" not in page.parts.hint.text()


def test_a_collection_that_is_empty_or_not_read_to_its_end_is_said_to_be(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    page.parts.recipe.documents_box.chosen.emit("Contracts 2025")
    known = home.collection("Contracts 2025")
    for change, words in (
        ({"documents": 0}, recipe_texts.COLLECTION_EMPTY),
        ({"documents": 2, "unfinished": True}, recipe_texts.COLLECTION_UNREAD),
    ):
        home.collections[known.id] = msgspec.structs.replace(known, **change)
        front.announce("collection")
        qtbot.waitUntil(lambda words=words: words.format(name=known.name) in page.parts.hint.text())
    home.collections[known.id] = msgspec.structs.replace(known, documents=2)
    front.announce("collection")
    qtbot.waitUntil(lambda: "\n" not in page.parts.hint.text())


def test_several_collections_are_asked_at_once(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    panel = page.parts.recipe
    qtbot.waitUntil(lambda: panel.retrieval.state == "Brunnen pumps")
    (further,) = panel.make_further_menu().actions()
    further.trigger()
    assert panel.retrieval.state == "Brunnen pumps, Contracts 2025"
    assert page.parts.composer.documents_chip.text() == "Asking Brunnen pumps, Contracts 2025"
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    part = front.asked(c.Ask)[0].recipe.retrieval
    assert (part.collection, part.more) == ("Brunnen pumps", ("Contracts 2025",))
    panel.documents_box.chosen.emit("Contracts 2025")
    assert panel.retrieval.state == "Contracts 2025"


def test_single_files_of_the_documents_are_ticked(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    panel = page.parts.recipe
    qtbot.waitUntil(lambda: panel.retrieval.state == "Brunnen pumps")
    page.bench.choose_files()
    [dialog] = page.findChildren(FileChoice)
    readable = [one for one in home.documents_of("Brunnen pumps").values() if one.state == "indexed"]
    qtbot.waitUntil(lambda: dialog.list.count() == len(readable))
    dialog.search.setText("warranty")
    dialog.all_button.click()  # what the filter shows
    assert len(dialog.ticked) == 1
    dialog.go.click()
    assert panel.recipe.retrieval is not None
    assert panel.recipe.retrieval.files == dialog.ticked
    assert panel.retrieval.state == "Brunnen pumps, 1 file"
    assert page.parts.composer.files_chip.text() == "1 of 8 files"
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    assert front.asked(c.Ask)[0].recipe.retrieval.files == dialog.ticked
    panel.documents_box.chosen.emit("Contracts 2025")
    assert panel.recipe.retrieval.files == ()


def test_an_answer_is_compared_with_the_recipe_as_it_is_now(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    page.new_chat()
    page.compare.pairs.draw = Unswapped()
    ask(page, "How long is the warranty?")
    qtbot.waitUntil(lambda: not page.session.busy and bool(answers(page)) and answers(page)[-1].text.text != "")
    view, first = answers(page)[-1], answers(page)[-1].message_id
    creative = next(row for row in page.parts.recipe.methods.of("preset") if row.name == "creative")
    page.parts.recipe.decoding_form.changed.emit(with_preset(page.bench.recipe.decoding, creative))
    qtbot.waitUntil(view.footer.menu.compare.isEnabled)
    home.base_text = "Another text."
    view.footer.menu.compare.trigger()
    qtbot.waitUntil(lambda: len(view.comparison.ids) == 2 and not page.session.busy)
    asked = front.asked(c.Ask)[-1]
    assert (asked.aside, asked.regenerate, asked.recipe.decoding.temperature) == (True, first, 1.1)
    view.comparison.bar.names_button.click()
    assert [column.title.text() for column in view.comparison.columns] == ["A · Precise", "B · Creative"]
    assert view.comparison.ids[0] == first
    view.comparison.columns[1].keep_button.click()
    qtbot.waitUntil(lambda: answers(page)[-1].message_id == view.comparison.ids[1] or answers(page)[-1] is not view)
    assert answers(page)[-1].footer.menu.compare.text() == compare_texts.BESIDE_BUTTON


def test_the_editor_of_a_question_is_in_sight_also_where_its_answer_is_long(
    qtbot: QtBot, page: ChatPage, home: FakeHome
) -> None:
    long = "\n\n".join(f"Paragraph {n} about the pump." for n in range(60))
    turns = [("First?", long), ("Second?", long)]
    page.session.open(home.put_chat("Long", turns, PLAIN))
    qtbot.waitUntil(lambda: len(questions(page)) == 2)
    talk = page.parts.conversation
    qtbot.waitUntil(lambda: talk.verticalScrollBar().maximum() > 500 and talk.following)
    view = questions(page)[-1]
    view.edit_button.click()

    def is_in_sight() -> bool:
        top = view.editor.mapTo(talk.viewport(), QPoint(0, 0)).y()
        return top >= 0 and top + view.editor.height() <= talk.viewport().height()

    qtbot.waitUntil(is_in_sight)
    assert not talk.following


def test_a_recipe_is_saved_opened_and_taken_from_an_answer(
    qtbot: QtBot, page: ChatPage, home: FakeHome, shell: RecordingShell, tmp_path: Path
) -> None:
    resolved = msgspec.structs.replace(
        TUNED,
        model=ModelPart(name=SMOL.name, sha256="abc", engine="llama 1", context_tokens=4096),
        decoding=msgspec.structs.replace(TUNED.decoding, seed=7),
        retrieval=RetrievalPart(collection="Contracts 2025", passages=4, revision=3, attachments="c9"),
    )
    page.session.open(home.put_chat("Tuned", [("Q", "A")], resolved))
    qtbot.waitUntil(lambda: page.session.chat.id is not None and len(page.session.chat.branches.path()) == 2)
    page.bench.put(PLAIN)
    page.recipe_files.take_last()
    assert page.bench.recipe == TUNED
    assert shell.messages[-1][:2] == (texts.RECIPE_TAKEN, "info")
    file = tmp_path / "rhymes.toml"
    page.recipe_files.save_to(file)
    assert shell.messages[-1][:2] == (texts.RECIPE_SAVED.format(path=file), "success")
    page.bench.put(PLAIN)
    page.recipe_files.open_from(file)
    assert page.bench.recipe == msgspec.structs.replace(TUNED, name="rhymes")
    file.write_text("schema = 1\n[decoding]\ntemperature = 'hot'\n")
    page.recipe_files.open_from(file)
    assert shell.messages[-1][1] == "danger"
    assert page.bench.recipe.name == "rhymes"
    page.recipe_files.save_to(tmp_path / "nowhere" / "x.toml")
    assert shell.messages[-1][1] == "danger"
