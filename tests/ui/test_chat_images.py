"""Images in the composer and in the chat: pasted, dropped, shown as chips, asked about, refused by a blind model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import RecordingShell
from tests.ui.fake_front import FakeFront
from tests.ui.fake_home import FakeHome
from tests.ui.test_chat_attachments import drop, mime_of
from tests.ui.test_chat_page import page
from ui.bridge import Bridge
from ui.components.shown_images import current_images
from ui.features.chat import texts
from ui.features.chat.page import ChatPage
from workbench import calls as c
from workbench.base.errors import UserError

__all__ = ["page"]  # a fixture


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "receipt.png"
    image = QImage(40, 20, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.red)
    assert image.save(str(path))
    return path


@pytest.fixture(autouse=True)
def images(bridge: Bridge) -> None:
    """The window draws what the core keeps."""
    current_images().draw_with(bridge)


def give_projectors(home: FakeHome, path: str) -> None:
    for name, model in home.models.items():
        home.models[name] = msgspec.structs.replace(model, projector=path)


@pytest.fixture
def seeing(home: FakeHome, front: FakeFront, page: ChatPage, qtbot: QtBot) -> None:
    """The chosen model has a projector."""
    give_projectors(home, "/models/mmproj.gguf")
    front.announce("model")
    qtbot.waitUntil(lambda: page.bench.sees)


def chips(page: ChatPage) -> list[str]:
    return [chip.text() for chip in page.parts.composer.chosen.chips]


def paste_file(page: ChatPage, picture: Path) -> None:
    page.parts.composer.field.insertFromMimeData(mime_of(picture))


def paste_copied(page: ChatPage, picture: Path) -> None:
    mime = QMimeData()
    mime.setImageData(QImage(str(picture)))
    page.parts.composer.field.insertFromMimeData(mime)


@pytest.mark.usefixtures("seeing")
@pytest.mark.parametrize(
    ("way", "name"),
    [(drop, "receipt.png"), (paste_file, "receipt.png"), (paste_copied, texts.COPIED_IMAGE)],
    ids=("dropped", "pasted as a file", "pasted from a program"),
)
def test_an_image_is_a_chip_and_is_asked_about(
    qtbot: QtBot, page: ChatPage, front: FakeFront, picture: Path, way: Callable[[ChatPage, Path], None], name: str
) -> None:
    page.new_chat()
    way(page, picture)
    qtbot.waitUntil(lambda: chips(page) == [name])
    chip = page.parts.composer.chosen.chips[0]
    thumbnails = page.parts.composer.chosen.thumbnails
    qtbot.waitUntil(lambda: not thumbnails.tiles[0].pixmap().isNull())
    assert chip.accessibleName() == texts.REMOVE_IMAGE.format(name=name)
    page.parts.composer.set_text("What does it cost?")
    QTest.keyClick(page.parts.composer.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(front.asked(c.Ask)))
    (asked,) = front.asked(c.Ask)
    assert [image.name for image in asked.images] == [name]
    assert asked.question == "What does it cost?"
    question = page.parts.conversation.views[0]
    qtbot.waitUntil(lambda: not question.images.tiles[0].pixmap().isNull())  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: chips(page) == [] and not page.session.busy)


@pytest.mark.usefixtures("seeing")
def test_a_chip_takes_its_image_away(qtbot: QtBot, page: ChatPage, picture: Path) -> None:
    page.new_chat()
    paste_file(page, picture)
    qtbot.waitUntil(lambda: len(chips(page)) == 1)
    page.parts.composer.chosen.chips[0].click()
    assert chips(page) == []


@pytest.mark.usefixtures("seeing")
def test_what_is_no_image_says_why(
    qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell, picture: Path
) -> None:
    front.refuse(c.AddImage, UserError("The picture is damaged.", "Copy it again."))
    page.new_chat()
    paste_file(page, picture)
    qtbot.waitUntil(lambda: any("receipt.png cannot be shown" in text for text, *_ in shell.messages))
    assert chips(page) == []


def test_a_model_that_cannot_see_says_what_to_do(
    qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell, picture: Path
) -> None:
    page.new_chat()
    paste_copied(page, picture)
    name = page.parts.recipe.recipe.model.name
    assert texts.CANNOT_SEE.format(name=name) in [text for text, *_ in shell.messages]
    assert front.asked(c.AddImage) == []
    drop(page, picture)  # its text is read, as of any document
    qtbot.waitUntil(lambda: len(front.asked(c.AttachFiles)) == 1)
    assert texts.TEXT_READ_INSTEAD.format(name=name) in [text for text, *_ in shell.messages]


@pytest.mark.usefixtures("seeing")
def test_another_model_that_cannot_see_holds_the_question_back(
    qtbot: QtBot, page: ChatPage, home: FakeHome, front: FakeFront, picture: Path
) -> None:
    page.new_chat()
    paste_file(page, picture)
    qtbot.waitUntil(lambda: len(chips(page)) == 1)
    page.parts.composer.set_text("What does it cost?")
    give_projectors(home, "")
    front.announce("model")
    qtbot.waitUntil(lambda: bool(page.parts.composer.blocked))
    assert "cannot see images" in page.parts.composer.blocked
    page.parts.composer.chosen.chips[0].click()
    assert page.parts.composer.blocked == ""


@pytest.mark.usefixtures("seeing")
def test_an_image_of_a_chat_that_is_not_kept_is_not_kept_either(
    qtbot: QtBot, page: ChatPage, front: FakeFront, shell: RecordingShell, picture: Path
) -> None:
    page.begin_temporary()
    for way in (drop, paste_copied):
        way(page, picture)
        qtbot.waitUntil(lambda: len(chips(page)) == 1)
        page.parts.composer.chosen.chips[0].click()
    assert [asked.temporary for asked in front.asked(c.AddImage)] == [True, True]
    assert shell.messages == []
    paste_file(page, picture)
    qtbot.waitUntil(lambda: len(chips(page)) == 1)
    page.begin_temporary()
    assert len(chips(page)) == 1
    page.new_chat()
    assert chips(page) == []
    assert "receipt" not in page.remember()
    paste_file(page, picture)
    qtbot.waitUntil(lambda: len(chips(page)) == 1)
    assert not front.asked(c.AddImage)[-1].temporary
