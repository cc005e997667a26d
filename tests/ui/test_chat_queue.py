"""Questions that are queued while an answer is being made: shown, edited, dropped, sent at its end, held after Stop."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront, Held
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import ask, begin, open_chat, page
from ui.features.chat import texts
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events
from workbench.api.protocol import finish
from workbench.records.answers import AskResult, StoredMessage

__all__ = ["page"]


def write(page: ChatPage, text: str) -> None:
    page.parts.composer.set_text(text)
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)


def end(home: FakeHome, held: Held, answer: StoredMessage, text: str = "Done.") -> None:
    home.end_answer(answer, text)
    held.emit(finish(AskResult(answer=text, chat=answer.chat, message=answer.id)))


@pytest.fixture
def answering(page: ChatPage, front: FakeFront, home: FakeHome, qtbot: QtBot) -> tuple[Held, StoredMessage]:
    """A first question whose answer is being made."""
    held = front.hold(c.Ask)
    ask(page, "First?")
    answer = begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: page.session.chat.id is not None and page.parts.composer.text == "")
    return held, answer


def test_a_queued_question_is_asked_when_the_answer_has_ended(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, answering: tuple[Held, StoredMessage]
) -> None:
    write(page, "Second?")
    write(page, "Third?")
    queue = page.parts.queue
    assert page.parts.composer.text == ""
    assert queue.questions == ("Second?", "Third?")
    assert queue.isVisibleTo(page)
    assert len(front.asked(c.Ask)) == 1
    second = front.hold(c.Ask)
    page.parts.composer.set_text("What I am writing")
    end(home, *answering)
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert front.asked(c.Ask)[1].question == "Second?"
    assert front.asked(c.Ask)[1].chat == answering[1].chat
    assert front.asked(c.Ask)[1].parent == answering[1].id
    begin(front, home, second, qtbot)
    qtbot.waitUntil(lambda: queue.questions == ("Third?",))
    assert page.parts.composer.text == "What I am writing", "what is written meanwhile stays"


def test_a_queued_question_is_edited_and_dropped(
    qtbot: QtBot, page: ChatPage, answering: tuple[Held, StoredMessage]
) -> None:
    for text in ("Second?", "Third?", "Fourth?", "Fifth?"):
        write(page, text)
    queue = page.parts.queue
    assert queue.more.text() == texts.QUEUED_MORE.format(count=1)
    queue.rows[0].edit_button.click()
    editor = queue.rows[0].editor
    editor.field.setPlainText("Changed?")
    editor.take_button.click()
    queue.rows[1].drop_button.click()
    assert queue.questions == ("Changed?", "Fourth?", "Fifth?")
    queue.rows[0].edit_button.click()
    QTest.keyClick(queue.rows[0].editor.field, Qt.Key.Key_Escape)
    assert queue.questions[0] == "Changed?"
    for _ in range(3):
        queue.rows[0].drop_button.click()
    assert not queue.isVisibleTo(page)


def test_after_stop_the_queue_waits_until_the_person_sends_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, answering: tuple[Held, StoredMessage]
) -> None:
    held, answer = answering
    write(page, "Second?")
    page.parts.composer.stop.click()
    home.end_answer(answer, "So far")
    stored = home.messages[answer.chat]
    stored[-1] = msgspec.structs.replace(stored[-1], state="stopped")
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: page.parts.queue.held == texts.HELD_STOPPED)
    assert len(front.asked(c.Ask)) == 1
    front.hold(c.Ask)
    page.parts.queue.send.click()
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert front.asked(c.Ask)[1].question == "Second?"
    page.parts.queue.send.click()
    assert len(front.asked(c.Ask)) == 2, "pressed twice, it is asked once"


def test_a_failed_answer_holds_the_queue(qtbot: QtBot, page: ChatPage, answering: tuple[Held, StoredMessage]) -> None:
    write(page, "Second?")
    answering[0].emit(events.Failed(message="The worker died.", reason="worker"))
    qtbot.waitUntil(lambda: page.parts.queue.held == texts.HELD_FAILED)


def test_the_queue_belongs_to_its_chat(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, answering: tuple[Held, StoredMessage]
) -> None:
    held, answer = answering
    write(page, "Second?")
    other = next(chat for chat in home.chats.values() if chat.id != answer.chat)
    open_chat(qtbot, page, other.title)
    assert page.parts.queue.questions == ()
    end(home, held, answer)
    page.session.open(answer.chat)
    qtbot.waitUntil(lambda: page.session.chat.id == answer.chat)
    assert page.parts.queue.questions == ("Second?",)
    assert page.parts.queue.held == texts.HELD_AWAY
    assert len(front.asked(c.Ask)) == 1


def test_a_question_that_is_refused_waits_again(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, answering: tuple[Held, StoredMessage]
) -> None:
    write(page, "Second?")
    front.answer(c.Ask, lambda call: [events.Failed(message="The disk is full.", hint="Free some space.")])
    end(home, *answering)
    qtbot.waitUntil(lambda: "The disk is full." in page.parts.queue.held)
    assert page.parts.queue.questions == ("Second?",)


def test_what_is_queued_comes_back_as_a_draft(
    qtbot: QtBot, page: ChatPage, answering: tuple[Held, StoredMessage]
) -> None:
    write(page, "Second?")
    page.parts.composer.set_text("A draft")
    memory = page.remember()
    page.parts.composer.set_text("")
    page.asking.drafts.clear()
    page.recall(memory)
    assert page.parts.composer.text == "A draft\n\nSecond?"


def test_a_question_that_is_being_edited_is_not_sent(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, answering: tuple[Held, StoredMessage]
) -> None:
    write(page, "Second?")
    row = page.parts.queue.rows[0]
    row.edit_button.click()
    row.editor.field.setPlainText("Half a thought")
    end(home, *answering)
    qtbot.waitUntil(lambda: page.parts.queue.held == texts.HELD_EDITING)
    assert row.editor.field.toPlainText() == "Half a thought"
    row.editor.take_button.click()
    assert page.parts.queue.questions == ("Half a thought",)
    assert len(front.asked(c.Ask)) == 1
