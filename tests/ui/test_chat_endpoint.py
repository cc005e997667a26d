"""Asking a model that another machine computes: what may be sent there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell, settle
from tests.ui.fake_front import FakeFront
from ui.bridge import Bridge
from ui.features.chat import sending_texts
from ui.features.chat.page import ChatPage
from workbench.api import calls as c
from workbench.errors import UserError
from workbench.records.recipes import ModelPart, Recipe, RetrievalPart

AWAY = "Away"


@pytest.fixture
def page(qtbot: QtBot, bridge: Bridge, shell: RecordingShell, front: FakeFront) -> ChatPage:
    for name in ("manuals", "letters"):
        front.call(c.CreateCollection(name=name))
    front.call(c.AddEndpoint(address="https://api.example.com/v1", model="big", name=AWAY))
    page = ChatPage(bridge, shell)
    qtbot.addWidget(page)
    page.resize(1280, 760)
    page.show()
    qtbot.waitUntil(lambda: bool(page.parts.recipe.recipe.model.name))
    settle(bridge, qtbot)
    return page


def ask(page: ChatPage, qtbot: QtBot, *collections: str) -> None:
    first, *more = collections
    part = RetrievalPart(collection=first, more=tuple(more))
    page.bench.choose(Recipe(model=ModelPart(name=AWAY), retrieval=part))
    page.parts.composer.set_text("How long is the warranty?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: asks(page))


def asks(page: ChatPage) -> bool:
    return page.parts.sending.isVisibleTo(page)


def press(button: QPushButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_would_be_sent_is_asked_above_the_composer(
    page: ChatPage, qtbot: QtBot, shell: RecordingShell, front: FakeFront
) -> None:
    ask(page, qtbot, "manuals")
    card = page.parts.sending
    assert "passages of manuals will be sent to api.example.com" in card.words.text()
    assert not any("workbench models" in label.text() for label in card.findChildren(QLabel))
    assert card.allow.text() == sending_texts.ALLOW.format(collection="manuals")
    assert card.refuse.isVisibleTo(card)
    assert page.parts.composer.text == "How long is the warranty?"
    assert shell.messages == []
    assert front.asked(c.AllowSending) == []


def test_allowing_asks_again_at_once(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert front.asked(c.AllowSending) == [c.AllowSending(name=AWAY, collection="manuals", allowed=True)]
    first, second = front.asked(c.Ask)
    assert first == second
    assert not asks(page)
    assert page.parts.composer.text == ""
    question, answer = page.session.chat.branches.path()
    assert (question.text, answer.state) == ("How long is the warranty?", "done")


def test_each_collection_is_asked_for_by_itself(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals", "letters")
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: asks(page) and "letters" in page.parts.sending.allow.text())
    assert page.session.chat.id is None
    press(page.parts.sending.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert [one.collection for one in front.asked(c.AllowSending)] == ["manuals", "letters"]


def test_refusing_sends_nothing_and_can_be_thought_over(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    card = page.parts.sending
    press(card.refuse)
    qtbot.waitUntil(lambda: card.words.text() == sending_texts.NOT_SENT.format(collection="manuals"))
    assert front.asked(c.AllowSending) == [c.AllowSending(name=AWAY, collection="manuals", allowed=False)]
    assert len(front.asked(c.Ask)) == 1
    assert not card.refuse.isVisibleTo(card)
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "You have refused" in card.words.text())
    assert not card.refuse.isVisibleTo(card)
    press(card.allow)
    qtbot.waitUntil(lambda: bool(page.session.chat.id) and not page.session.busy)
    assert front.home.sending == {"manuals": True}


@pytest.mark.parametrize("change", ["words", "model", "chat", "close"])
def test_the_question_goes_where_another_stands_in_its_place(page: ChatPage, qtbot: QtBot, change: str) -> None:
    ask(page, qtbot, "manuals")
    if change == "words":
        QTest.keyClicks(page.parts.composer.field, " And of what?")
    elif change == "model":
        page.bench.choose(Recipe(model=ModelPart(name="SmolLM2-135M-Instruct")))
    elif change == "chat":
        page.session.open(None)
    else:
        press_close = page.parts.sending.close_button
        QTest.mouseClick(press_close, Qt.MouseButton.LeftButton)
    assert not asks(page)


def test_a_decision_that_cannot_be_stored_says_why(page: ChatPage, qtbot: QtBot, front: FakeFront) -> None:
    ask(page, qtbot, "manuals")
    front.refuse(c.AllowSending, UserError("The disk is full.", "Free some space."))
    card = page.parts.sending
    press(card.allow)
    qtbot.waitUntil(lambda: "The disk is full." in card.error.text())
    assert card.allow.isEnabled()
    assert len(front.asked(c.Ask)) == 1
