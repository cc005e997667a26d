"""Tab goes through the chat page as it is read."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.fake_front import FakeFront
from tests.ui.test_chat_page import answers, ask, open_chat, page, questions
from ui.features.chat.page import ChatPage

__all__ = ["page"]


def walk(page: ChatPage, start: QWidget, key: Qt.Key) -> list[QWidget]:
    """What has the keyboard, one after the other, until it has come round."""
    start.setFocus()
    seen: list[QWidget] = []
    for _ in range(200):
        now = QApplication.focusWidget()
        assert now is not None
        if seen and now is start:
            break
        if now not in seen:  # a text has the keyboard once for each of its links
            seen.append(now)
        QTest.keyClick(now, key)
    return seen


def test_tab_goes_by_question_answer_sources_actions_and_recipe(qtbot: QtBot, page: ChatPage, front: FakeFront) -> None:
    open_chat(qtbot, page, "How long is the warranty?")
    qtbot.waitUntil(lambda: bool(answers(page)) and answers(page)[-1].isVisible())
    seen = walk(page, page.parts.history.new_button, Qt.Key.Key_Tab)
    pairs = list(zip(questions(page), answers(page), strict=True))
    wanted: list[QWidget] = [page.parts.history.new_button, page.parts.conversation]
    for question, answer in pairs:
        sources = answer.sources.buttons
        wanted += [question.edit_button, *sources, answer.footer.copy_button, answer.footer.more_button]
    wanted += [page.parts.composer.documents_chip, page.parts.composer.field, page.parts.recipe.model.head]
    places = [seen.index(widget) for widget in wanted if widget.isVisible()]
    assert places == sorted(places)
    assert len(places) == len(wanted)
    back = walk(page, page.parts.recipe.model.head, Qt.Key.Key_Backtab)
    assert back.index(page.parts.composer.field) < back.index(pairs[-1][1].footer.copy_button)
    assert back.index(pairs[-1][1].footer.copy_button) < back.index(pairs[0][0].edit_button)


def test_a_new_answer_is_in_the_order_at_once(qtbot: QtBot, page: ChatPage) -> None:
    ask(page, "How long?")
    qtbot.waitUntil(lambda: not page.session.busy and bool(answers(page)) and answers(page)[-1].footer.isVisible())
    seen = walk(page, page.parts.history.new_button, Qt.Key.Key_Tab)
    assert seen.index(answers(page)[-1].footer.again_button) < seen.index(page.parts.composer.field)
