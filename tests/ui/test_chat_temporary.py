"""A chat that is not kept, in the window: said plainly, written nowhere, ended with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import ask, begin, open_chat, page
from ui.features.chat import texts
from ui.features.chat.page import ChatPage
from workbench import calls as c

__all__ = ["page"]


@pytest.fixture
def temporary(qtbot: QtBot, page: ChatPage, front: FakeFront) -> str:
    """A chat that is not kept, with one answer: its id."""
    page.new_chat()
    page.parts.keep_nothing.click()
    ask(page, "A secret?")
    qtbot.waitUntil(lambda: page.session.chat.id is not None and not page.session.busy)
    assert page.session.chat.id is not None
    return page.session.chat.id


def test_it_is_said_and_nothing_of_it_is_remembered(
    qtbot: QtBot, page: ChatPage, front: FakeFront, temporary: str
) -> None:
    assert front.asked(c.Ask)[-1].temporary
    assert page.parts.not_kept.isVisibleTo(page)
    assert page.parts.not_kept.text == texts.NOT_KEPT
    assert page.parts.head.chat_title.full_text == texts.NOT_KEPT_TITLE
    assert not page.parts.head.menu_button.isEnabled()
    assert temporary not in [chat.id for chat in page.parts.history.model.chats]
    ask(page, "More?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2 and not page.session.busy)
    assert front.asked(c.Ask)[-1].chat == temporary
    assert not front.asked(c.Ask)[-1].temporary, "a chat that is there needs not be begun"
    page.parts.composer.set_text("A secret draft")
    page.parts.queue.add("A secret question")
    assert "secret" not in page.remember()
    assert page.find_entries() == ()


def test_it_ends_when_another_chat_is_opened(qtbot: QtBot, page: ChatPage, front: FakeFront, temporary: str) -> None:
    open_chat(qtbot, page, "Winter storage of the pump")
    qtbot.waitUntil(lambda: [call.chat for call in front.asked(c.DeleteChat)] == [temporary])
    assert not page.parts.not_kept.isVisibleTo(page)
    assert page.parts.head.menu_button.isEnabled()
    assert page.parts.composer.text == ""


def test_it_is_ended_by_its_button_once(qtbot: QtBot, page: ChatPage, front: FakeFront, temporary: str) -> None:
    page.parts.not_kept.action_button.click()
    page.parts.not_kept.action_button.click()
    qtbot.waitUntil(lambda: [call.chat for call in front.asked(c.DeleteChat)] == [temporary])
    assert not page.session.chat.temporary
    assert not page.parts.not_kept.isVisibleTo(page)
    ask(page, "Kept?")
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    assert not front.asked(c.Ask)[-1].temporary


def test_one_that_is_left_before_it_is_known_ends_too(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome
) -> None:
    page.new_chat()
    page.begin_temporary()
    held = front.hold(c.Ask)
    ask(page, "A secret?")
    qtbot.waitUntil(lambda: held.call is not None)
    page.new_chat()
    answer = begin(front, home, held, qtbot)
    qtbot.waitUntil(lambda: [call.chat for call in front.asked(c.DeleteChat)] == [answer.chat])


def test_the_window_ends_it(qtbot: QtBot, page: ChatPage, front: FakeFront, temporary: str) -> None:
    page.leave()
    qtbot.waitUntil(lambda: [call.chat for call in front.asked(c.DeleteChat)] == [temporary])


def test_nothing_is_attached_to_it(page: ChatPage, front: FakeFront, temporary: str, tmp_path: Path) -> None:
    page.take_files([str(tmp_path)])
    page.parts.composer.field.files_pasted.emit([str(tmp_path)])
    assert front.asked(c.AttachFiles) == []


def test_what_was_written_goes_into_it(page: ChatPage) -> None:
    page.new_chat()
    page.parts.composer.set_text("Half a question")
    page.begin_temporary()
    assert page.parts.composer.text == "Half a question"
    assert page.parts.not_kept.isVisibleTo(page)
