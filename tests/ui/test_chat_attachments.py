"""Files attached to a chat: dropped, pasted, chosen, read, refused, taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import choose
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_page import page
from ui import texts as frame
from ui.components.recipe import texts as recipe_texts
from ui.features.chat import texts
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.api import events

__all__ = ["page"]  # a fixture


@pytest.fixture
def lease(tmp_path: Path) -> Path:
    file = tmp_path / "lease.txt"
    file.write_text("The tenant may end the lease with a notice of ninety days.")
    return file


def mime_of(*files: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return mime


def drop(page: ChatPage, *files: Path) -> None:
    none: Any = Qt.KeyboardModifier.NoModifier
    left: Any = Qt.MouseButton.LeftButton
    mime = mime_of(*files)
    page.dragEnterEvent(QDragEnterEvent(page.rect().center(), Qt.DropAction.CopyAction, mime, left, none))
    page.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, mime, left, none))


def names(page: ChatPage) -> list[str]:
    return [chip.name.text() for chip in page.parts.files.chips]


def read(qtbot: QtBot, page: ChatPage, *expected: str) -> None:
    qtbot.waitUntil(lambda: names(page) == list(expected) and not page.parts.files.reading)


def test_a_dropped_file_begins_a_chat_that_keeps_what_was_written_and_answers_from_it(
    qtbot: QtBot, page: ChatPage, front: FakeFront, lease: Path
) -> None:
    page.new_chat()
    page.parts.composer.set_text("How long is the notice?")
    drop(page, lease)
    read(qtbot, page, "lease.txt")
    assert page.parts.composer.text == "How long is the notice?"
    assert page.session.chat.id is not None
    assert page.parts.recipe.retrieval.state == recipe_texts.WITH_ATTACHED.format(documents="Brunnen pumps")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.session.busy and len(page.parts.conversation.views) == 2)
    (asked,) = front.asked(c.Ask)
    assert asked.chat == page.session.chat.id
    page.new_chat()
    assert names(page) == []


@pytest.mark.parametrize("way", ["paste", "paperclip"])
def test_files_are_pasted_and_chosen(
    qtbot: QtBot, page: ChatPage, front: FakeFront, lease: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    chat = page.parts.history.model.chats[0].id
    page.session.open(chat)
    qtbot.waitUntil(lambda: page.session.chat.id == chat)
    if way == "paste":
        page.parts.composer.field.insertFromMimeData(mime_of(lease))
    else:
        monkeypatch.setattr("ui.components.file_choice.QFileDialog.getOpenFileNames", lambda *_: ([str(lease)], ""))
        page.parts.composer.attach.click()
    read(qtbot, page, "lease.txt")
    assert front.asked(c.AttachFiles) == [c.AttachFiles(chat=chat, paths=(str(lease),))]
    assert page.parts.composer.text == ""


def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_nothing_else_is_lost(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, lease: Path
) -> None:
    bad = lease.with_name("bad.txt")
    bad.write_bytes(b"\xff\xfe\x00\x80")
    page.new_chat()
    page.parts.composer.set_text("How long?")
    drop(page, lease, bad)
    message = page.parts.files.message
    qtbot.waitUntil(lambda: "bad.txt" in message.text and message.isVisible())
    assert message.text == texts.NOT_ATTACHED.format(name="bad.txt", reason="The file cannot be read.")
    read(qtbot, page, "lease.txt")
    qtbot.waitUntil(lambda: [one.document for one in front.asked(c.RemoveDocument)] == [str(bad)])
    assert page.parts.composer.text == "How long?"
    drop(page, lease.with_name("nowhere.txt"))
    qtbot.waitUntil(lambda: "no file or folder" in message.text)
    assert names(page) == ["lease.txt"]
    assert page.parts.composer.text == "How long?"


def test_an_attached_file_with_a_password_asks_for_it_and_is_then_searched(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, lease: Path
) -> None:
    locked = lease.with_name("secret.txt")
    locked.write_text("LOCKED The notice is ninety days.")
    page.new_chat()
    drop(page, lease, locked)
    files = page.parts.files
    qtbot.waitUntil(lambda: list(files.locked) == [str(locked)] and names(page) == ["lease.txt"])
    row = files.locked[str(locked)]
    assert row.isVisible()
    assert not files.message.isVisible()
    assert front.asked(c.RemoveDocument) == []
    row.password.field.setText("sesame")
    row.password.button.click()
    qtbot.waitUntil(lambda: row.password.field.placeholderText() == frame.PASSWORD_WRONG)
    row.password.field.setText("open sesame")
    QTest.keyClick(row.password.field, Qt.Key.Key_Return)
    read(qtbot, page, "lease.txt", "secret.txt")
    qtbot.waitUntil(lambda: not files.locked)
    assert "open sesame" not in str([run.config for run in home.runs.values()])


def test_a_locked_file_alone_holds_its_chat_until_it_is_taken_away(
    qtbot: QtBot, page: ChatPage, home: FakeHome, lease: Path
) -> None:
    lease.write_text("LOCKED The notice is ninety days.")
    before = set(home.chats)
    page.new_chat()
    drop(page, lease)
    files = page.parts.files
    qtbot.waitUntil(lambda: list(files.locked) == [str(lease)])
    assert page.session.chat.id is not None
    files.locked[str(lease)].remove.click()
    qtbot.waitUntil(lambda: not files.locked and set(home.chats) == before)


def test_a_chat_that_was_begun_for_a_wrong_file_does_not_stay_behind(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, lease: Path
) -> None:
    bad = lease.with_name("bad.txt")
    bad.write_bytes(b"\xff\xfe\x00\x80")
    page.new_chat()
    page.parts.composer.set_text("How long?")
    before = set(home.chats)
    drop(page, bad)
    message = page.parts.files.message
    qtbot.waitUntil(lambda: bool(front.asked(c.DeleteChat)) and set(home.chats) == before)
    assert page.session.chat.id is None
    assert page.parts.composer.text == "How long?"
    assert message.isVisible()
    assert "bad.txt" in message.text
    drop(page, lease)  # the next one begins a chat, which goes with it when it is taken away
    read(qtbot, page, "lease.txt")
    assert set(home.chats) != before
    page.parts.files.chips[0].remove.click()
    qtbot.waitUntil(lambda: set(home.chats) == before)
    assert page.parts.composer.text == "How long?"


def test_a_question_waits_until_the_files_are_read_and_can_be_sent_before(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, lease: Path
) -> None:
    page.new_chat()
    held = front.hold(c.FollowRun)
    drop(page, lease)
    page.parts.composer.set_text("How long?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    files = page.parts.files
    assert files.message.text == texts.SENT_WHEN_READ
    qtbot.waitUntil(lambda: held.call is not None and bool(files.chips))
    held.emit(events.Progress(stage="reading", done=40, total=100, unit="bytes", detail="lease.txt"))
    assert front.asked(c.Ask) == []
    held.finish({"indexed": 1, "failed": []})
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 1)
    assert front.asked(c.Ask)[0].question == "How long?"
    qtbot.waitUntil(lambda: not page.session.busy)

    held = front.hold(c.FollowRun)
    drop(page, lease.parent)
    page.parts.composer.set_text("And the rent?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: held.call is not None)
    files.message.action_button.click()
    qtbot.waitUntil(lambda: len(front.asked(c.Ask)) == 2)
    held.finish({"indexed": 1, "failed": []})


def test_a_question_that_waits_is_not_sent_when_its_file_is_taken_away(
    qtbot: QtBot, page: ChatPage, front: FakeFront, home: FakeHome, lease: Path
) -> None:
    page.new_chat()
    held = front.hold(c.FollowRun)
    drop(page, lease)
    page.parts.composer.set_text("How long?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    files = page.parts.files
    qtbot.waitUntil(lambda: held.call is not None and bool(files.chips))
    home.documents[files._chat.attachments].clear()  # type: ignore[union-attr]
    front.announce("collection", files._chat.attachments)  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: files.chips[0].document is None)
    files.chips[0].remove.click()
    qtbot.waitUntil(lambda: bool(front.asked(c.StopRun)))
    held.emit(events.Cancelled())
    qtbot.waitUntil(lambda: not files.reading and not files.message.isVisible())
    assert front.asked(c.Ask) == []
    assert page.parts.composer.text == "How long?"
    drop(page, lease.parent)  # a later one is not waited for
    qtbot.waitUntil(lambda: not files.reading and bool(files.chips))
    assert front.asked(c.Ask) == []


def test_a_file_is_opened_and_taken_away(qtbot: QtBot, page: ChatPage, front: FakeFront, lease: Path) -> None:
    page.new_chat()
    drop(page, lease)
    read(qtbot, page, "lease.txt")
    page.parts.files.chips[0].name.click()
    qtbot.waitUntil(lambda: "ninety days" in page.parts.source.text.drawn_text())
    page.parts.files.chips[0].remove.click()
    read(qtbot, page)
    assert not page.parts.files.there_are
    assert page.parts.recipe.retrieval.state == "Brunnen pumps"


def test_settings_of_documents_apply_to_attached_files_alone(
    qtbot: QtBot, page: ChatPage, front: FakeFront, lease: Path
) -> None:
    page.new_chat()
    drop(page, lease)
    read(qtbot, page, "lease.txt")
    panel = page.parts.recipe
    choose(panel.documents_box, recipe_texts.NO_DOCUMENTS)
    assert panel.retrieval.state == recipe_texts.ATTACHED_FILES
    panel.forms["retrieval"].changed.emit("passages", 3)
    assert panel.recipe.retrieval is not None
    assert (panel.recipe.retrieval.collection, panel.recipe.retrieval.passages) == ("", 3)
    page.parts.files.chips[0].remove.click()
    qtbot.waitUntil(lambda: panel.recipe.retrieval is None)
