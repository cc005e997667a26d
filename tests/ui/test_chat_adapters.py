"""The chat with adapters on: choosing them, their strength, those that have gone, base and tuned side by side."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_adapters import BASE, LOST, furnish_adapters, record
from tests.ui.fake_front import FakeFront, Held
from tests.ui.fake_home import FakeHome
from tests.ui.judged_home import Unswapped
from ui import texts
from ui.bridge import Bridge
from ui.components import adapter_texts
from ui.components.recipe import texts as recipe_texts
from ui.components.recipe.adapter_form import AdapterForm
from ui.features.chat import compare_texts
from ui.features.chat import texts as chat_texts
from ui.features.chat.comparison.opponents import BASE as BASE_MODEL
from ui.features.chat.conversation.answer_view import AnswerView
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.base.errors import UserError
from workbench.records.recipes import AdapterUse, ModelPart, Recipe

TUNED = Recipe(model=ModelPart(name=BASE, adapters=(AdapterUse(name="my-notes", scale=0.8),)))


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome) -> ChatPage:
    furnish_adapters(home)
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.compare.pairs.draw = Unswapped()
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(form(page).rows) and bool(page.parts.history.model.chats))
    return page


def test_a_long_name_that_is_being_compared_keeps_to_the_panel(
    qtbot: QtBot, bridge: Bridge, shell: RecordingShell, home: FakeHome
) -> None:
    name = "answers-of-the-pump-department-with-figures"
    home.adapters[name] = record(name, state="checking", kind="soft-prompt", verification=None, run="r9")
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: name in form(page).rows)
    page.parts.recipe.adapters.open()
    row = form(page).rows[name]
    qtbot.waitUntil(row.state.isVisible)
    assert row.box.text() == row.box.accessibleName() == name
    panel = page.parts.recipe
    area = next(one for one in panel.findChildren(QScrollArea) if one.isAncestorOf(row))
    qtbot.waitUntil(lambda: area.widget().width() <= area.viewport().width())


def form(page: ChatPage) -> AdapterForm:
    return page.parts.recipe.adapter_form


def uses(page: ChatPage) -> list[tuple[str, float]]:
    return [(use.name, use.scale) for use in page.parts.recipe.recipe.model.adapters]


def last(page: ChatPage) -> AnswerView:
    view = page.parts.conversation.views[-1]
    assert isinstance(view, AnswerView)
    return view


def ask(page: ChatPage, text: str) -> None:
    page.parts.composer.set_text(text)
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)


def begin(front: FakeFront, home: FakeHome, held: Held, qtbot: QtBot) -> c.StoredMessage:
    """Store the held question as the core does; the answer that streams."""
    qtbot.waitUntil(lambda: held.call is not None)
    question, answer = home.begin_answer(held.call)
    ids = {"chat": answer.chat, "question": question.id, "answer": answer.id}
    held.emit(events.Artifact(kind="message", id=answer.id, result=ids))
    return answer


def end(home: FakeHome, held: Held, answer: c.StoredMessage, text: str) -> None:
    home.end_answer(answer, text)
    held.finish(c.AskResult(answer=text, chat=answer.chat, message=answer.id, recipe=held.call.recipe))


def answered(qtbot: QtBot, page: ChatPage, recipe: Recipe = TUNED) -> AnswerView:
    """Ask with a recipe and wait for the answer."""
    page.parts.recipe.changed.emit(recipe)
    page.session.ask("How long is the warranty?", recipe)
    qtbot.waitUntil(lambda: page.session.chat.id is not None and not page.session.busy)
    return last(page)


# -- choosing ---------------------------------------------------------------------------------------


def test_only_what_fits_and_has_passed_is_offered(page: ChatPage) -> None:
    assert list(form(page).rows) == ["pump-answers", "my-notes", "polite-tone", "house-style", "from-a-friend"]
    assert not form(page).rows["house-style"].strength.isVisibleTo(form(page))


def test_adapters_are_switched_on_with_a_strength_and_told_everywhere(page: ChatPage) -> None:
    rows = form(page).rows
    rows["my-notes"].box.click()
    assert uses(page) == [("my-notes", 1.0)]
    rows["my-notes"].strength.slider.setValue(16)
    rows["polite-tone"].box.click()
    assert uses(page) == [("my-notes", 0.8), ("polite-tone", 1.0)]
    assert page.parts.head.model.text() == f"{BASE} + my-notes 0.8 + polite-tone"
    assert page.parts.recipe.adapters.state == "my-notes 0.8, polite-tone"
    assert page.parts.composer.adapters_chip.text() == "my-notes 0.8, polite-tone"
    rows["my-notes"].box.click()
    assert uses(page) == [("polite-tone", 1.0)]


def test_a_press_on_the_slider_is_told_to_the_last_digit(page: ChatPage) -> None:
    page.parts.recipe.adapters.open()
    row = form(page).rows["my-notes"]
    row.box.click()
    slider = row.strength.slider
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, slider.height() // 2))
    assert uses(page) == [("my-notes", 2.0)]
    slider.setValue(23)
    assert uses(page) == [("my-notes", 1.15)]
    assert row.strength.field.text() == "1.15"
    assert page.parts.recipe.adapters.state == "my-notes 1.15"


def test_a_strength_can_be_typed_and_is_refused_out_of_range(page: ChatPage) -> None:
    row = form(page).rows["my-notes"]
    row.box.click()
    row.strength.field.setText("1.35")
    row.strength.field.editingFinished.emit()
    assert uses(page) == [("my-notes", 1.35)]
    row.strength.field.setText("99")
    row.strength.field.editingFinished.emit()
    assert uses(page) == [("my-notes", 1.35)]
    assert row.strength.field.property("invalid") is True


def test_at_most_one_soft_prompt_or_prefix_is_on(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    home.adapters["memory"] = record("memory", kind="prefix", can_merge=False)
    front.announce("adapter", "memory")
    qtbot.waitUntil(lambda: "memory" in form(page).rows)
    form(page).rows["house-style"].box.click()
    form(page).rows["my-notes"].box.click()
    form(page).rows["memory"].box.click()
    assert uses(page) == [("my-notes", 1.0), ("memory", 1.0)]
    assert not form(page).rows["house-style"].box.isChecked()


def test_a_newly_trained_adapter_appears_by_itself(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    form(page).rows["my-notes"].box.click()
    home.adapters["fresh"] = record("fresh", state="checking")
    front.announce("adapter", "fresh")
    qtbot.waitUntil(lambda: "fresh" in form(page).rows)
    assert form(page).rows["fresh"].state.text() == adapter_texts.STATE_CHECKING
    assert form(page).rows["my-notes"].box.isChecked()


def test_another_model_leaves_its_adapters_behind(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    front.home.models["Other"] = msgspec.structs.replace(front.home.models[BASE], name="Other")
    front.announce("model", "Other")
    form(page).rows["my-notes"].box.click()
    page.parts.recipe.model_box.chosen.emit("Other")
    assert uses(page) == []
    qtbot.waitUntil(lambda: not form(page).rows)
    assert form(page).nothing.isVisibleTo(form(page))


def test_the_page_opens_with_an_adapter(page: ChatPage, qtbot: QtBot, shell: RecordingShell) -> None:
    page.open_target(adapter="my-notes")
    qtbot.waitUntil(lambda: uses(page) == [("my-notes", 1.0)])
    assert page.parts.recipe.adapters.opened
    page.open_target(adapter="smol-contracts")  # a model of its own
    qtbot.waitUntil(lambda: page.parts.recipe.recipe.model.name == "smol-contracts")
    assert uses(page) == []
    page.open_target(adapter="nothing")
    missing = chat_texts.ADAPTER_MISSING.format(name="nothing")
    qtbot.waitUntil(lambda: bool(shell.messages) and shell.messages[-1][0] == missing)


def test_an_adapter_is_tried_without_documents(
    page: ChatPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    for name in [known.name for known in front.home.collections.values()][1:]:
        front.call(c.RemoveCollection(collection=name))
    front.announce("collection", "")
    qtbot.waitUntil(lambda: page.parts.recipe.recipe.retrieval is not None)
    page.parts.recipe.changed.emit(page.parts.recipe.recipe)  # as if a person had chosen them
    page.open_target(adapter="my-notes")
    qtbot.waitUntil(lambda: uses(page) == [("my-notes", 1.0)])
    assert page.parts.recipe.recipe.retrieval is None
    assert shell.messages[-1][:2] == (chat_texts.TRIED_WITHOUT_DOCUMENTS, "info")


# -- kept in the chat -------------------------------------------------------------------------------


def test_a_reopened_chat_has_its_adapters_on(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    view = answered(qtbot, page)
    assert front.asked(c.Ask)[-1].recipe == TUNED
    chat = page.session.chat.id
    page.new_chat()
    page.parts.recipe.changed.emit(Recipe(model=ModelPart(name=BASE)))
    assert uses(page) == []
    page.session.open(chat)
    qtbot.waitUntil(lambda: uses(page) == [("my-notes", 0.8)])
    assert view is not last(page)


def test_an_adapter_that_has_gone_is_told_and_left_only_when_the_person_says_so(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    answered(qtbot, page)
    del home.adapters["my-notes"]
    front.announce("adapter", "my-notes")
    composer = page.parts.composer
    qtbot.waitUntil(lambda: "my-notes is missing" in composer.blocked)
    assert composer.remedy.text() == recipe_texts.CONTINUE_WITHOUT
    asked = len(front.asked(c.Ask))
    ask(page, "And now?")
    assert len(front.asked(c.Ask)) == asked
    composer.remedy.click()
    assert uses(page) == []
    assert composer.blocked == ""


def test_one_that_fails_the_check_while_it_is_on_says_why(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    form(page).rows["pump-answers"].box.click()
    home.adapters["pump-answers"] = record("pump-answers", state="failed", verification=LOST)
    front.announce("adapter", "pump-answers")
    qtbot.waitUntil(lambda: "none is answered any more" in page.parts.composer.blocked)
    assert form(page).go_on.isVisibleTo(form(page))
    form(page).go_on.click()
    assert uses(page) == []


# -- base and tuned ---------------------------------------------------------------------------------


def test_an_answer_with_adapters_is_compared_with_the_bases(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    view = answered(qtbot, page)
    tuned = view.message_id
    assert view.footer.menu.compare.text() == "Compare"
    held = front.hold(c.Ask)
    view.footer.menu.compare.trigger()
    base = begin(front, home, held, qtbot)
    assert (held.call.aside, held.call.regenerate, held.call.recipe.model.adapters) == (True, tuned, ())
    qtbot.waitUntil(lambda: view.comparison.ids == (base.id, tuned))
    held.emit(events.TextDelta(text="A promise "), events.TextDelta(text="of a seller."))
    columns = view.comparison.columns
    qtbot.waitUntil(lambda: columns[0].text.text == "A promise of a seller.")
    assert columns[1].text.text == home.answer_text
    assert page.session.busy
    assert not view.text.isVisible()
    end(home, held, base, "A promise of a seller.")
    qtbot.waitUntil(lambda: not page.session.busy)
    view.comparison.bar.names_button.click()
    assert [column.title.text() for column in columns] == ["A · Base", "B · + my-notes 0.8"]
    assert last(page).message_id == tuned  # the conversation's is still the tuned one
    assert columns[1].kept_mark.isVisible()
    assert columns[0].keep_button.isVisible()
    assert all(column.text.height() > 10 for column in columns)
    chat = page.session.chat.id
    assert chat is not None
    assert (home.chats[chat].recipe, home.chats[chat].head) == (TUNED, tuned)


def test_the_bases_answer_can_be_kept_and_compared_again(page: ChatPage, qtbot: QtBot, home: FakeHome) -> None:
    view = answered(qtbot, page)
    view.footer.menu.compare.trigger()
    qtbot.waitUntil(lambda: len(view.comparison.ids) == 2 and not page.session.busy)
    base = view.comparison.ids[0]
    view.comparison.bar.names_button.click()
    view.comparison.columns[0].keep_button.click()
    qtbot.waitUntil(lambda: last(page).message_id == base)
    assert last(page).comparison.isHidden()
    assert last(page).text.text == home.base_text
    assert last(page).footer.menu.compare.text() == compare_texts.BESIDE_BUTTON
    last(page).footer.menu.compare.trigger()
    qtbot.waitUntil(last(page).comparison.isVisible)
    last(page).footer.menu.compare.trigger()
    assert last(page).comparison.isHidden()
    assert last(page).text.isVisible()


def test_both_are_asked_at_once_and_stopped_together(
    page: ChatPage, qtbot: QtBot, front: FakeFront, home: FakeHome
) -> None:
    page.parts.recipe.changed.emit(TUNED)
    first, second = front.hold(c.Ask), front.hold(c.Ask)
    page.compare.opponents.choose(BASE_MODEL)
    ask(page, "How long is the warranty?")
    tuned = begin(front, home, first, qtbot)
    base = begin(front, home, second, qtbot)
    view = last(page)
    qtbot.waitUntil(lambda: view.comparison.ids == (base.id, tuned.id))
    second.emit(events.TextDelta(text="base"))
    first.emit(events.TextDelta(text="tuned"))
    qtbot.waitUntil(lambda: [column.text.text for column in view.comparison.columns] == ["base", "tuned"])
    page.session.stop()
    qtbot.waitUntil(lambda: {call.message for call in front.asked(c.StopAnswer)} == {base.id, tuned.id})


def test_a_base_answer_that_is_refused_leaves_the_conversation_as_it_was(
    page: ChatPage, qtbot: QtBot, front: FakeFront, shell: RecordingShell
) -> None:
    view = answered(qtbot, page)
    front.refuse(c.Ask, UserError("The disk is full.", "Make room."))
    view.footer.menu.compare.trigger()
    qtbot.waitUntil(lambda: bool(shell.messages))
    assert last(page) is view
    assert view.comparison.isHidden()
    assert view.text.isVisible()
    assert not page.session.busy


# -- ratings and edits ------------------------------------------------------------------------------


def test_an_answer_is_rated_and_the_rating_taken_back(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    view = answered(qtbot, page)
    view.footer.feedback.up.click()
    qtbot.waitUntil(view.footer.feedback.up.isChecked)
    assert view.footer.feedback.up.accessibleName() == texts.RATED.format(words="good")
    view.footer.feedback.down.click()
    qtbot.waitUntil(view.footer.feedback.down.isChecked)
    assert not view.footer.feedback.up.isChecked()
    view.footer.feedback.down.click()
    qtbot.waitUntil(lambda: not view.footer.feedback.down.isChecked())
    assert [call.rating for call in front.asked(c.RateAnswer)] == [1, -1, 0]


def test_a_rating_that_was_not_stored_is_not_shown(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    view = answered(qtbot, page)
    front.refuse(c.RateAnswer, UserError("The disk is full."))
    with qtbot.waitSignal(page._bridge.failed):
        view.footer.feedback.up.click()
    assert not view.footer.feedback.up.isChecked()


def test_an_answer_is_edited_and_restored(page: ChatPage, qtbot: QtBot, home: FakeHome) -> None:
    view = answered(qtbot, page)
    view.footer.menu.edit.trigger()
    assert view.editor.isVisible()
    assert not view.text.isVisible()
    assert view.editor.field.toPlainText() == home.answer_text
    view.editor.field.setPlainText("36 months.")
    view.editor.take_button.click()
    qtbot.waitUntil(lambda: view.text.text == "36 months.")
    assert view.text.isVisible()
    assert view.edited_note.isVisible()
    view.edited_note.original_button.click()
    assert view.edited_note.original.text() == home.answer_text
    view.edited_note.restore.click()
    qtbot.waitUntil(lambda: view.text.text == home.answer_text)
    assert not view.edited_note.isVisible()


def test_an_edit_is_given_up_with_escape(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    view = answered(qtbot, page)
    view.footer.menu.edit.trigger()
    view.editor.field.setPlainText("no")
    QTest.keyClick(view.editor.field, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()
    assert view.text.isVisible()
    assert front.asked(c.EditAnswer) == []
